/** Running sums and products along an axis, and the product over axes. */

import { PROD, reduce } from '../../kernels/reduce.ts';
import { type Scan, scan as scanPlan } from '../../kernels/scan.ts';
import { axes, axis, op, options } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { flag } from '../arguments/ranges.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { withDevice } from '../device.ts';
import { ShapeError } from '../errors.ts';
import { methods } from '../tensor/methods.ts';
import { scope } from '../tensor/scope.ts';
import { normalizeAxes, normalizeAxis, reducedShape, type Shape, sameShape, show, sizeOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { full } from './create.ts';
import { add, mul } from './elementwise.ts';
import { permute, reshape, slice, unslice } from './movement.ts';
import { type ReduceOptions, reduceOptions } from './reduce.ts';
import { along } from './shapes.ts';

/** Options of running sums and products. */
export interface ScanOptions {
  /** From the last element to the first. Default false. */
  readonly reverse?: boolean;
}

const scanOptions = options<ScanOptions>({ reverse: flag });

export interface ScanParams {
  readonly axis: number;
  readonly reverse: boolean;
}

export const scanOf = (x: Shape, { axis, reverse }: ScanParams): Scan => ({
  A: sizeOf(x.slice(0, axis)),
  R: x[axis]!,
  B: sizeOf(x.slice(axis + 1)),
  reverse,
});

const showScan = ({ axis, reverse }: ScanParams): string => `axis ${axis}${reverse ? ', reverse' : ''}`;

const cumsumRow: Row<ScanParams, 1, 1> = {
  name: 'cumsum',
  shape: ([x]) => [x],
  kernel: ({ inputs: [x], params }) => scanPlan(false, scanOf(x, params)),
  vjp: [(g, { params: { axis, reverse } }) => cumsum(g, axis, { reverse: !reverse })],
  show: showScan,
};

/** From this length on, an axis of few columns is summed in pieces: one invocation a column would leave a GPU idle. */
const LONG = 4096;

/**
 * The sums of the elements up to each, itself included, along `axis`: x's shape. Long axes are added up in pieces, so that
 * none waits for all.
 * @throws ShapeError if there is no such axis
 * @function
 */
export const cumsum = op('cumsum', [aTensor('x'), axis, scanOptions], (x, axis, options = {}): Tensor => {
  const { reverse = false } = options;
  const a = normalizeAxis('cumsum', axis, x.rank);
  const d = x.shape[a]!;
  const pieces = d >= LONG && x.size / d < LONG;
  return pieces ? inPieces(x, a, reverse) : apply(cumsumRow, [x], { axis: a, reverse })[0];
});

function inPieces(x: Tensor, axis: number, reverse: boolean): Tensor {
  const d = x.shape[axis]!;
  const length = Math.ceil(Math.sqrt(d));
  const pieces = Math.ceil(d / length);
  const [head, tail] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  return scope(() => {
    const zero = x.shape.map(() => 0);
    const window = { begin: zero, size: x.shape, step: zero.map(() => 1) };
    const padded = reshape(unslice(x, [...head, pieces * length, ...tail], window), [...head, pieces, length, ...tail]);
    const sums = apply(cumsumRow, [padded], { axis: axis + 1, reverse })[0];
    const totals = slice(sums, along(sums, axis + 1, reverse ? [0, 1] : [length - 1, length]));
    const before = shift(cumsum(totals, axis, { reverse }), axis, reverse ? -1 : 1);
    const y = reshape(add(sums, before), [...head, pieces * length, ...tail]);
    return slice(y, along(x, axis, [0, d]));
  });
}

/** Elements moved by one place along the axis: up (1) or down (-1); 0 comes in. */
function shift(x: Tensor, axis: number, by: 1 | -1): Tensor {
  const d = x.shape[axis]!;
  if (d === 0) return x;
  const kept = slice(x, along(x, axis, by > 0 ? [0, d - 1] : [1, d]));
  const begin = x.shape.map((_, i) => (i === axis && by > 0 && d > 1 ? 1 : 0));
  return unslice(kept, x.shape, { begin, size: kept.shape, step: begin.map(() => 1) });
}

const linearScanRow: Row<ScanParams, 2, 1> = {
  name: 'linearScan',
  shape: ([f, x]) => {
    if (!sameShape(f, x)) throw new ShapeError(`linearScan: f ${show(f)} and x ${show(x)} must have one shape`);
    return [x];
  },
  kernel: ({ inputs: [, x], params }) => scanPlan(true, scanOf(x, params)),
  // y' = f'y + x runs backwards with the factors of the step after; a factor's derivative is what it multiplied.
  vjp: (g, { inputs: [f], output: y, params: { axis, reverse }, needs }) => {
    const by = reverse ? -1 : 1;
    const gx = linearScan(shift(f, axis, reverse ? 1 : -1), g!, axis, { reverse: !reverse });
    return [needs[0] ? mul(gx, shift(y, axis, by)) : null, needs[1] ? gx : null];
  },
  show: showScan,
};

/**
 * The linear recurrence y[i] = f[i] · y[i-1] + x[i] along an axis, from y[-1] = 0; f and x have one shape. What running
 * products, discounted sums and linear state spaces have in common.
 * @throws ShapeError if the shapes differ, or there is no such axis
 * @example
 * const returns = linearScan(full([100], 0.99), rewards, 0, { reverse: true }); // Σ 0.99ᵏ · reward, from each step on
 * @function
 */
export const linearScan = op(
  'linearScan',
  [aTensor('f'), aTensor('x'), axis, scanOptions],
  (f, x, axis, options = {}): Tensor => {
    const { reverse = false } = options;
    return apply(linearScanRow, [f, x], { axis: normalizeAxis('linearScan', axis, x.rank), reverse })[0];
  },
);

/**
 * The products of the elements up to each, itself included, along `axis`: x's shape. Derivatives of every order are right
 * also at zeros.
 * @throws ShapeError if there is no such axis
 * @function
 */
export const cumprod = op('cumprod', [aTensor('x'), axis, scanOptions], (x, axis, options = {}): Tensor => {
  const { reverse = false } = options;
  const a = normalizeAxis('cumprod', axis, x.rank);
  const d = x.shape[a]!;
  return scope(() => {
    if (d === 0) return reshape(x, x.shape);
    // The recurrence has no use for its first factor, and starts from the first element.
    const at = reverse ? d - 1 : 0;
    const first = slice(x, along(x, a, [at, at + 1]));
    const begin = x.shape.map((_, i) => (i === a ? at : 0));
    const start = unslice(first, x.shape, { begin, size: first.shape, step: begin.map(() => 1) });
    return linearScan(x, start, a, { reverse });
  });
});

export interface ProdParams {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

const prodRow: Row<ProdParams, 1, 1> = {
  name: 'prod',
  shape: ([x], { axes, keepDims }) => [reducedShape(x, axes, keepDims)],
  kernel: ({ inputs: [x], params: { axes }, target }) => reduce(target, PROD, x, axes),
  // The product of all others, without a division: of those before times of those after.
  vjp: [
    (g, { inputs: [x], params: { axes } }) => {
      const kept = x.shape.flatMap((_, i) => (axes.includes(i) ? [] : [i]));
      const order = [...kept, ...axes];
      const back = order.map((_, i) => order.indexOf(i));
      const outer = kept.map((a) => x.shape[a]!);
      const rest = axes.map((a) => x.shape[a]!);
      const n = sizeOf(rest);
      const flat = reshape(permute(x, order), [...outer, n]);
      const others = mul(reshape(g, [...outer, 1]), mul(exclusive(flat, false), exclusive(flat, true)));
      return permute(reshape(others, [...outer, ...rest]), back);
    },
  ],
  show: ({ axes, keepDims }) => `${show(axes)}${keepDims ? ', keepDims' : ''}`,
};

/** Products along the last axis of what lies before each element (or after it, in reverse), itself excluded. */
function exclusive(x: Tensor, reverse: boolean): Tensor {
  const axis = x.rank - 1;
  const n = x.shape[axis]!;
  if (n === 0) return x;
  const begin = x.shape.map((_, i) => (i === axis && reverse ? n - 1 : 0));
  const one = x.shape.map((d, i) => (i === axis ? 1 : d));
  const start = withDevice(x.device, () => full(one, 1));
  const seed = unslice(start, x.shape, { begin, size: one, step: begin.map(() => 1) });
  return linearScan(shift(x, axis, reverse ? -1 : 1), seed, axis, { reverse });
}

/**
 * Multiplies over `axes` (all if absent; negative ones count from the end); the product of nothing is 1. Derivatives of
 * every order are right also at zeros.
 * @throws ShapeError if there is no such axis
 * @function
 */
export const prod = op('prod', [aTensor('x'), axes, reduceOptions], (x, axes?, options = {}): Tensor => {
  const { keepDims = false } = options;
  return apply(prodRow, [x], { axes: normalizeAxes('prod', axes, x.rank), keepDims })[0];
});

/** The rows of this file, by name. */
export const scanRows = { cumsum: cumsumRow, linearScan: linearScanRow, prod: prodRow };

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** Multiplies over `axes`, all unless given. */
    prod(axes?: number | readonly number[], options?: ReduceOptions): Tensor;
    /** Running sums along an axis. */
    cumsum(axis: number, options?: ScanOptions): Tensor;
    /** Running products along an axis. */
    cumprod(axis: number, options?: ScanOptions): Tensor;
  }
}

methods({ prod, cumsum, cumprod });
