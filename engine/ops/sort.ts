/** Sorting along an axis: the order is a row, and the values are gathered, which makes them differentiable. */

import { argsort as argsortPlan } from '../../kernels/argsort.ts';
import { aNumber, axis, maybe, op, options } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { flag } from '../arguments/ranges.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { ShapeError } from '../errors.ts';
import { methods } from '../tensor/methods.ts';
import { scope } from '../tensor/scope.ts';
import { normalizeAxis, sizeOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkPlaces, counts, gather, gatherRow } from './indexing.ts';
import { concat, reshape, slice } from './movement.ts';
import { along } from './shapes.ts';

/** Options of {@link sort} and {@link argsort}. */
export interface SortOptions {
  /** Largest first. Default false. */
  readonly descending?: boolean;
}

const sortOptions = options<SortOptions>({ descending: flag });

export interface SortParams {
  readonly axis: number;
  readonly descending: boolean;
  /** The order is written as the bits of whole numbers, for an axis that floats cannot count. Absent: as floats. */
  readonly bits?: true;
}

/** Sorted values, and the indices along the axis where they were. */
export interface Sorted {
  /** The values in order; differentiable. */
  readonly values: Tensor;
  /**
   * Their places along the axis, whole numbers in floats. On WebGPU those of an axis of more than 2²⁴ elements cannot be had:
   * reading this property is then a RangeError, and the values are right all the same.
   */
  readonly indices: Tensor;
}

const argsortRow: Row<SortParams, 1, 1> = {
  name: 'argsort',
  shape: ([x]) => [x],
  kernel: ({ inputs: [x], params: { axis, descending, bits } }) =>
    argsortPlan(descending, sizeOf(x.slice(0, axis)), x[axis]!, sizeOf(x.slice(axis + 1)), bits),
  show: ({ axis, descending }) => `axis ${axis}${descending ? ', descending' : ''}`,
};

/** The first k elements of x in order where floats cannot count their places: values alone. */
function valuesAlone(op: string, x: Tensor, k: number, axis: number, descending: boolean): Sorted {
  const values = scope(() => {
    if (op === 'topk' && k <= 2 ** 14) return topkInPieces(x, k, axis, descending);
    const order = apply(argsortRow, [x], { axis, descending, bits: true })[0];
    return apply(gatherRow, [x, order], { axis, bits: true, first: k })[0];
  });
  // Not enumerable, so that a scope may look through the result for its tensors.
  return Object.defineProperty({ values } as Sorted, 'indices', {
    get: () => checkPlaces(`${op}().indices`, x, x.shape[axis]!),
  });
}

/**
 * The indices that sort x along `axis` (the last unless given), of the shape of x. Equal elements keep their order, also
 * when descending. NaN counts as the largest, as in PyTorch: last when ascending, first when descending. The indices are
 * whole numbers in floats, and have no derivative.
 * @throws ShapeError if there is no such axis; RangeError on WebGPU for one of more than 2²⁴ elements, which float32 cannot count
 * @function
 */
export const argsort = op('argsort', [aTensor('x'), maybe(axis), sortOptions], (x, axis = -1, options = {}): Tensor => {
  const { descending = false } = options;
  const a = normalizeAxis('argsort', axis, x.rank);
  checkPlaces('argsort', x, x.shape[a]!);
  return apply(argsortRow, [x], { axis: a, descending })[0];
});

/**
 * x sorted along `axis` (the last unless given), and the indices of {@link argsort}. The values are differentiable.
 * @throws ShapeError if there is no such axis
 * @function
 */
export const sort = op('sort', [aTensor('x'), maybe(axis), sortOptions], (x, axis = -1, options = {}): Sorted => {
  const { descending = false } = options;
  const a = normalizeAxis('sort', axis, x.rank);
  const size = x.shape[a]!;
  if (!counts(x.device, size)) return valuesAlone('sort', x, size, a, descending);
  return scope(() => {
    const indices = argsort(x, a, options);
    return { values: gather(x, a, indices), indices };
  });
});

/** Options of {@link topk}. */
export interface TopkOptions {
  /** The largest, or else the smallest. Default true. */
  readonly largest?: boolean;
}

const topkOptions = options<TopkOptions>({ largest: flag });

/**
 * The k largest (or smallest) elements along `axis` (the last unless given), in order, and their indices; NaN counts as the
 * largest. As torch.topk, with the first of equal elements first. The values are differentiable.
 * @throws ShapeError if the axis has fewer than k elements
 * @function
 */
export const topk = op(
  'topk',
  [aTensor('x'), aNumber('k'), maybe(axis), topkOptions],
  (x, k, axis = -1, options = {}): Sorted => {
    const { largest = true } = options;
    const a = normalizeAxis('topk', axis, x.rank);
    if (!Number.isInteger(k) || k < 0 || k > x.shape[a]!) {
      throw new ShapeError(`topk: k is ${k}; axis ${a} of ${x.describe()} has 0 to ${x.shape[a]} elements to give`);
    }
    if (!counts(x.device, x.shape[a]!)) return valuesAlone('topk', x, k, a, largest);
    return scope(() => {
      const order = argsort(x, a, { descending: largest });
      const indices = slice(order, along(x, a, [0, k]));
      return { values: gather(x, a, indices), indices };
    });
  },
);

/**
 * The values of topk along an axis by those of its pieces, far less work than to sort all of it where k is small. Candidates
 * stay in the order of their places, so that the first of equal elements comes first.
 */
export function topkInPieces(x: Tensor, k: number, axis: number, largest: boolean): Tensor {
  const size = x.shape[axis]!;
  const length = 64 * Math.max(1, k);
  const pieces = Math.floor(size / length);
  if (pieces < 2) return topk(x, k, axis, { largest }).values;
  const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  return scope(() => {
    const whole = pieces * length;
    const most = whole === size ? x : slice(x, along(x, axis, [0, whole]));
    const rows = reshape(most, [...before, pieces, length, ...after]);
    const best = [reshape(topk(rows, k, axis + 1, { largest }).values, [...before, pieces * k, ...after])];
    if (whole < size) {
      const rest = slice(x, along(x, axis, [whole, size]));
      best.push(topk(rest, Math.min(k, size - whole), axis, { largest }).values);
    }
    return topkInPieces(concat(best, axis), k, axis, largest);
  });
}

/** The rows of this file, by name. */
export const sortRows = { argsort: argsortRow };

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** The indices that sort along an axis, the last unless given. */
    argsort(axis?: number, options?: SortOptions): Tensor;
    /** The elements sorted along an axis, the last unless given, and their indices. */
    sort(axis?: number, options?: SortOptions): Sorted;
    /** The k largest elements along an axis, the last unless given, and their indices. */
    topk(k: number, axis?: number, options?: TopkOptions): Sorted;
  }
}

methods({ argsort, sort, topk });
