/** The largest and the smallest, where they are, and whether any or all are true. */

import { argReduce } from '../../kernels/argReduce.ts';
import { MAX, MIN, reduce } from '../../kernels/reduce.ts';
import { axes, axis, maybe, op } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { ShapeError } from '../errors.ts';
import { methods } from '../tensor/methods.ts';
import { scope } from '../tensor/scope.ts';
import { normalizeAxes, normalizeAxis, reducedShape, type Shape, show, sizeOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { equal, notEqual } from './comparison.ts';
import { div, mul } from './elementwise.ts';
import { checkPlaces } from './indexing.ts';
import { reshape } from './movement.ts';
import { type ReduceOptions, reduceOptions, sum } from './reduce.ts';
import { prod } from './scan.ts';

export interface ExtremumParams {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

/** 1 where x is not 0, else 0. NaN is not 0. */
export const truth = (x: Tensor): Tensor => notEqual(x, 0);

function refuseEmpty(name: string, x: Shape, axes: readonly number[]): void {
  const axis = axes.find((a) => x[a] === 0);
  if (axis !== undefined) {
    throw new ShapeError(
      `${name}: axis ${axis} of ${show(x)} has no elements to choose from; reduce over axes of size 1 or more`,
    );
  }
}

function extremumRow(name: 'max' | 'min'): Row<ExtremumParams> {
  return {
    name,
    shape: ([x], { axes, keepDims }) => {
      refuseEmpty(name, x!, axes);
      return [reducedShape(x!, axes, keepDims)];
    },
    kernel: ({ inputs: [x], params: { axes }, target }) => reduce(target, name === 'max' ? MAX : MIN, x!, axes),
    vjp: [
      (g, { inputs: [x], output: y, params: { axes } }) => {
        const kept = reducedShape(x!.shape, axes, true);
        const mask = equal(x!, reshape(y, kept));
        return mul(reshape(g, kept), div(mask, sum(mask, axes, { keepDims: true })));
      },
    ],
    show: ({ axes, keepDims }) => `${show(axes)}${keepDims ? ', keepDims' : ''}`,
  };
}

const maxRow = extremumRow('max');
const minRow = extremumRow('min');

/**
 * The largest element over `axes` (all if absent); NaN if there is one. Elements that tie for it share the gradient
 * evenly, as torch.amax.
 * @param axes negative ones count from the end
 * @throws ShapeError over an axis of size 0
 * @function
 */
export const max = op('max', [aTensor('x'), axes, reduceOptions], (x, axes?, options = {}): Tensor => {
  const { keepDims = false } = options;
  return apply(maxRow, [x], { axes: normalizeAxes('max', axes, x.rank), keepDims })[0]!;
});

/**
 * The smallest element over `axes` (all if absent); NaN if there is one. Ties share the gradient evenly: torch.amin.
 * @throws ShapeError over an axis of size 0
 * @function
 */
export const min = op('min', [aTensor('x'), axes, reduceOptions], (x, axes?, options = {}): Tensor => {
  const { keepDims = false } = options;
  return apply(minRow, [x], { axes: normalizeAxes('min', axes, x.rank), keepDims })[0]!;
});

export interface PlaceParams {
  readonly axis: number;
  readonly keepDims: boolean;
}

function placeRow(name: 'argmax' | 'argmin'): Row<PlaceParams> {
  return {
    name,
    shape: ([x], { axis, keepDims }) => {
      refuseEmpty(name, x!, [axis]);
      return [reducedShape(x!, [axis], keepDims)];
    },
    kernel: ({ inputs: [x], params: { axis } }) =>
      argReduce(name === 'argmin', sizeOf(x!.slice(0, axis)), x![axis]!, sizeOf(x!.slice(axis + 1))),
    show: ({ axis, keepDims }) => `axis ${axis}${keepDims ? ', keepDims' : ''}`,
  };
}

function place(row: Row<PlaceParams>, x: Tensor, axis: number | undefined, keepDims: boolean): Tensor {
  const a = axis === undefined ? undefined : normalizeAxis(row.name, axis, x.rank);
  checkPlaces(row.name, x, a === undefined ? x.size : x.shape[a]!);
  if (a !== undefined) return apply(row, [x], { axis: a, keepDims })[0]!;
  return scope(() => {
    const y = apply(row, [reshape(x, [x.size])], { axis: 0, keepDims: false })[0]!;
    return keepDims
      ? reshape(
          y,
          x.shape.map(() => 1),
        )
      : y;
  });
}

const argmaxRow = placeRow('argmax');
const argminRow = placeRow('argmin');

/**
 * The index of the largest element along `axis`, or in the flattened tensor without one: the first if several tie, or the
 * first NaN. A whole number in a float; it has no derivative.
 * @throws ShapeError over an axis of size 0; RangeError on WebGPU over more than 2²⁴ elements, which float32 cannot count
 * @function
 */
export const argmax = op(
  'argmax',
  [aTensor('x'), maybe(axis), reduceOptions],
  (x, axis?, options = {}): Tensor => place(argmaxRow, x, axis, options.keepDims ?? false),
);

/**
 * The index of the smallest element along `axis`, or in the flattened tensor without one; ties, NaN and range as {@link argmax}.
 * @throws as {@link argmax}
 * @function
 */
export const argmin = op(
  'argmin',
  [aTensor('x'), maybe(axis), reduceOptions],
  (x, axis?, options = {}): Tensor => place(argminRow, x, axis, options.keepDims ?? false),
);

/**
 * 1 where any element over `axes` (all if absent) is not 0, else 0; of nothing, 0. NaN is not 0. No derivative.
 * @function
 */
export const any = op('any', [aTensor('x'), axes, reduceOptions], (x, axes?, options = {}): Tensor => {
  return scope(() => truth(sum(truth(x), axes, options)));
});

/**
 * 1 where all elements over `axes` (all if absent) are not 0, else 0; of nothing, 1. NaN is not 0. No derivative.
 * @function
 */
export const all = op('all', [aTensor('x'), axes, reduceOptions], (x, axes?, options = {}): Tensor => {
  return scope(() => prod(truth(x), axes, options));
});

/** The rows of this file, by name. */
export const extremaRows = {
  max: maxRow,
  min: minRow,
  argmax: argmaxRow,
  argmin: argminRow,
};

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** The largest element over `axes`, all unless given. */
    max(axes?: number | readonly number[], options?: ReduceOptions): Tensor;
    /** The smallest element over `axes`, all unless given. */
    min(axes?: number | readonly number[], options?: ReduceOptions): Tensor;
    /** The index of the largest element along an axis, or in the flattened tensor. */
    argmax(axis?: number, options?: ReduceOptions): Tensor;
    /** The index of the smallest element along an axis, or in the flattened tensor. */
    argmin(axis?: number, options?: ReduceOptions): Tensor;
    /** 1 where all elements over `axes` are not 0, else 0. */
    all(axes?: number | readonly number[], options?: ReduceOptions): Tensor;
    /** 1 where any element over `axes` is not 0, else 0. */
    any(axes?: number | readonly number[], options?: ReduceOptions): Tensor;
  }
}

methods({ max, min, argmax, argmin, all, any });
