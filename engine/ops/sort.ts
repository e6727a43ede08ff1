/** Sorting along an axis: the order is a row, and the values are gathered, which makes them differentiable. */

import { argsort as argsortPlan } from '../../kernels/argsort.ts';
import { apply } from '../apply.ts';
import { ShapeError } from '../errors.ts';
import { checked } from '../options.ts';
import type { Row } from '../row.ts';
import { scope } from '../scope.ts';
import { normalizeAxis, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { gather } from './indexing.ts';
import { slice } from './movement.ts';
import { along } from './shapes.ts';

/** Options of {@link sort} and {@link argsort}. */
export interface SortOptions {
  /** Largest first. Default false. */
  readonly descending?: boolean;
}

export interface SortParams {
  readonly axis: number;
  readonly descending: boolean;
}

/** Sorted values, and the indices along the axis where they were. */
export interface Sorted {
  /** The values in order; differentiable. */
  readonly values: Tensor;
  /** Their places along the axis, whole numbers in floats. */
  readonly indices: Tensor;
}

const argsortRow: Row<SortParams> = {
  name: 'argsort',
  shape: ([x]) => [x!],
  kernel: ({ inputs: [x], params: { axis, descending } }) =>
    argsortPlan(descending, sizeOf(x!.slice(0, axis)), x![axis]!, sizeOf(x!.slice(axis + 1))),
  show: ({ axis, descending }) => `axis ${axis}${descending ? ', descending' : ''}`,
};

/**
 * The indices that sort x along `axis` (the last unless given), of the shape of x. Equal elements keep their order, also
 * when descending. NaN counts as the largest, as in PyTorch: last when ascending, first when descending. The indices are
 * whole numbers in floats, exact up to 2²⁴ on WebGPU, and have no derivative.
 * @throws ShapeError if there is no such axis
 */
export const argsort = (x: Tensor, axis = -1, options: SortOptions = {}): Tensor => {
  const { descending = false } = checked('argsort', options, ['descending']);
  return apply(argsortRow, [x], { axis: normalizeAxis('argsort', axis, x.rank), descending })[0]!;
};

/**
 * x sorted along `axis` (the last unless given), and the indices of {@link argsort}. The values are differentiable.
 * @throws ShapeError if there is no such axis
 */
export function sort(x: Tensor, axis = -1, options: SortOptions = {}): Sorted {
  checked('sort', options, ['descending']);
  const a = normalizeAxis('sort', axis, x.rank);
  return scope(() => {
    const indices = argsort(x, a, options);
    return { values: gather(x, a, indices), indices };
  });
}

/** Options of {@link topk}. */
export interface TopkOptions {
  /** The largest, or else the smallest. Default true. */
  readonly largest?: boolean;
}

/**
 * The k largest (or smallest) elements along `axis` (the last unless given), in order, and their indices; NaN counts as the
 * largest. As torch.topk, with the first of equal elements first. The values are differentiable.
 * @throws ShapeError if the axis has fewer than k elements
 */
export function topk(x: Tensor, k: number, axis = -1, options: TopkOptions = {}): Sorted {
  const { largest = true } = checked('topk', options, ['largest']);
  const a = normalizeAxis('topk', axis, x.rank);
  if (!Number.isInteger(k) || k < 0 || k > x.shape[a]!) {
    throw new ShapeError(`topk: k is ${k}; axis ${a} of ${x.describe()} has 0 to ${x.shape[a]} elements to give`);
  }
  return scope(() => {
    const order = argsort(x, a, { descending: largest });
    const indices = slice(order, along(x, a, [0, k]));
    return { values: gather(x, a, indices), indices };
  });
}

/** The rows of this file, by name. */
export const sortRows = { argsort: argsortRow };
