/** Softmax and its logarithm over any axis. */

import {
  softmaxGrad as gradPlan,
  softmaxOrZero as orZeroPlan,
  softmax as plan,
  type SoftmaxKind,
} from '../../kernels/softmax.ts';
import { axis, maybe, op } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { methods } from '../tensor/methods.ts';
import { normalizeAxis, type Shape, sizeOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { logicalAnd, logicalNot, notEqual, where } from './comparison.ts';
import { exp, sub } from './elementwise.ts';
import { max } from './extrema.ts';
import { reshape } from './movement.ts';
import { sum } from './reduce.ts';
import { isNaN as isNan } from './unary.ts';
import { weighted } from './weighted.ts';

export interface SoftmaxParams {
  /** Not negative. */
  readonly axis: number;
}

/** The sizes before, of and after an axis. */
export const aroundAxis = (shape: Shape, axis: number) => ({
  a: sizeOf(shape.slice(0, axis)),
  r: shape[axis]!,
  b: sizeOf(shape.slice(axis + 1)),
});

const total = (x: Tensor, axis: number): Tensor => sum(x, axis, { keepDims: true });

function gradRow(kind: SoftmaxKind, composite: (g: Tensor, y: Tensor, axis: number) => Tensor): Row<SoftmaxParams> {
  return {
    name: `${kind}Grad`,
    shape: ([g]) => [g!],
    kernel: ({ inputs: [g], params: { axis }, target }) => gradPlan(target, kind, aroundAxis(g!, axis)),
    composite: ([g, y], { axis }) => [composite(g!, y!, axis)],
    show: ({ axis }) => `axis ${axis}`,
  };
}

// A row whose cotangents are all 0 is not in the loss, and its values, which may be NaN, do not count.
const softmaxGradRow = gradRow('softmax', (g, y, axis) => weighted(sub(g, total(weighted(g, y), axis)), y));
const logSoftmaxGradRow = gradRow('logSoftmax', (g, y, axis) => {
  const all = total(g, axis);
  // exp's own derivative would meet the NaN again.
  const known = where(logicalAnd(isNan(y), logicalNot(all)), 0, y);
  return sub(g, weighted(all, exp(known)));
});

/** y · (g - Σ g·y) over the axis: softmax's derivative in terms of its output. */
export const softmaxGrad = (g: Tensor, y: Tensor, axis: number): Tensor => apply(softmaxGradRow, [g, y], { axis })[0]!;

/** g - eʸ · Σ g over the axis: logSoftmax's derivative in terms of its output. */
export const logSoftmaxGrad = (g: Tensor, y: Tensor, axis: number): Tensor =>
  apply(logSoftmaxGradRow, [g, y], { axis })[0]!;

const logSoftmaxRow: Row<SoftmaxParams, 1, 1> = {
  name: 'logSoftmax',
  shape: ([x]) => [x],
  kernel: ({ inputs: [x], params: { axis }, target }) => plan(target, 'logSoftmax', aroundAxis(x, axis)),
  vjp: [(g, { output: y, params: { axis } }) => logSoftmaxGrad(g, y, axis)],
  show: ({ axis }) => `axis ${axis}`,
};

const softmaxRow: Row<SoftmaxParams, 1, 1> = {
  name: 'softmax',
  shape: ([x]) => [x],
  kernel: ({ inputs: [x], params: { axis }, target }) => plan(target, 'softmax', aroundAxis(x, axis)),
  composite: ([x], { axis }) => [exp(apply(logSoftmaxRow, [x], { axis })[0])],
  vjp: [(g, { output: y, params: { axis } }) => softmaxGrad(g, y, axis)],
  show: ({ axis }) => `axis ${axis}`,
};

const softmaxOrZeroRow: Row<SoftmaxParams, 1, 1> = {
  name: 'softmaxOrZero',
  shape: ([x]) => [x],
  kernel: ({ inputs: [x], params: { axis }, target }) => orZeroPlan(target, aroundAxis(x, axis)),
  composite: ([x], { axis }) => {
    if (x.shape[axis] === 0) return [softmax(x, axis)];
    const some = notEqual(max(x, axis, { keepDims: true }), Number.NEGATIVE_INFINITY);
    return [where(some, softmax(where(some, x, 0), axis), 0)];
  },
  vjp: [(g, { output: y, params: { axis } }) => softmaxGrad(g, y, axis)],
  show: ({ axis }) => `axis ${axis}`,
};

/** Softmax over the last axis, and 0 everywhere in a row of nothing but -∞: that of attention. */
export const softmaxOrZero = (x: Tensor): Tensor => apply(softmaxOrZeroRow, [x], { axis: x.rank - 1 })[0];

function along(row: Row<SoftmaxParams>, x: Tensor, axis: number): Tensor {
  // As in PyTorch, a scalar is taken for a vector of one element.
  if (x.rank === 0) return reshape(along(row, reshape(x, [1]), axis), []);
  return apply(row, [x], { axis: normalizeAxis(row.name, axis, x.rank) })[0]!;
}

/**
 * eˣ / Σ eˣ over `axis` (the last unless given), in x's shape. The largest value is subtracted first, so that nothing
 * overflows; -∞ gives 0, and NaN where all values are -∞, as in PyTorch.
 * @throws ShapeError if there is no such axis
 * @function
 */
export const softmax = op('softmax', [aTensor('x'), maybe(axis)], (x, axis = -1): Tensor => along(softmaxRow, x, axis));

/**
 * The logarithm of softmax over `axis` (the last unless given): x - log Σ eˣ, without overflow and without the loss of
 * digits of log(softmax(x)).
 * @throws ShapeError if there is no such axis
 * @function
 */
export const logSoftmax = op(
  'logSoftmax',
  [aTensor('x'), maybe(axis)],
  (x, axis = -1): Tensor => along(logSoftmaxRow, x, axis),
);

/** The rows of this file, by name. */
export const softmaxRows = { logSoftmax: logSoftmaxRow };
export const softmaxFused = {
  softmax: softmaxRow,
  softmaxOrZero: softmaxOrZeroRow,
  softmaxGrad: softmaxGradRow,
  logSoftmaxGrad: logSoftmaxGradRow,
};

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** eˣ / Σ eˣ over an axis, the last unless given. */
    softmax(axis?: number): Tensor;
    /** The logarithm of softmax over an axis, the last unless given. */
    logSoftmax(axis?: number): Tensor;
  }
}

methods({ softmax, logSoftmax });
