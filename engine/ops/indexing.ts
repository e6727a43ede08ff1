/**
 * Reading and adding by index. Indices are whole numbers in a tensor of floats, exact up to 2²⁴ on WebGPU; they have no
 * derivative. A place that does not exist (negative, or past the end) reads as NaN, and what is added there is dropped: a
 * kernel cannot throw.
 */
import { gather as gatherPlan, type IndexWalk, scatter as scatterPlan } from '../../kernels/gather.ts';
import { apply } from '../apply.ts';
import { withDevice } from '../device.ts';
import { ShapeError } from '../errors.ts';
import type { Row } from '../row.ts';
import { scope } from '../scope.ts';
import { checkShape, normalizeAxis, type Shape, sameShape, show, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { ones } from './create.ts';
import { add } from './elementwise.ts';
import { reshape, slice, unslice } from './movement.ts';

export interface AxisParams {
  readonly axis: number;
}

export interface SizeParams extends AxisParams {
  /** The size of the axis that is added to. */
  readonly size: number;
}

const walkOf = (x: Shape, axis: number, R: number, K: number, shared: boolean): IndexWalk => ({
  A: sizeOf(x.slice(0, axis)),
  B: sizeOf(x.slice(axis + 1)),
  R,
  K,
  shared,
});

const replaced = (shape: Shape, axis: number, ...by: readonly number[]): number[] => [
  ...shape.slice(0, axis),
  ...by,
  ...shape.slice(axis + 1),
];

const gatherRow: Row<AxisParams> = {
  name: 'gather',
  shape: ([x, index], { axis }) => {
    if (!sameShape(replaced(x!, axis, 1), replaced(index!, axis, 1))) {
      throw new ShapeError(
        `gather: index ${show(index!)} and x ${show(x!)} must have equal sizes in all axes but ${axis}`,
      );
    }
    return [index!];
  },
  kernel: ({ inputs: [x, index], params: { axis } }) => gatherPlan(walkOf(x!, axis, x![axis]!, index![axis]!, false)),
  vjp: [(g, { inputs: [x, index], params: { axis } }) => scatter(g, index!, axis, x!.shape[axis]!), null],
  show: ({ axis }) => `axis ${axis}`,
};

/** (source, index): zeros with `size` elements along the axis, and the source added where the index says. */
export const scatterRow: Row<SizeParams> = {
  name: 'scatter',
  shape: ([source, index], { axis, size }) => {
    if (!sameShape(source!, index!)) {
      throw new ShapeError(`scatter: source ${show(source!)} and index ${show(index!)} must have the same shape`);
    }
    return [replaced(source!, axis, size)];
  },
  kernel: ({ inputs: [source], params: { axis, size } }) =>
    scatterPlan(walkOf(source!, axis, size, source![axis]!, false)),
  vjp: [(g, { inputs: [, index], params }) => apply(gatherRow, [g, index!], { axis: params.axis })[0]!, null],
  show: ({ axis, size }) => `axis ${axis}, size ${size}`,
};

const scatter = (source: Tensor, index: Tensor, axis: number, size: number): Tensor =>
  apply(scatterRow, [source, index], { axis, size })[0]!;

/** Checks the shapes of torch.gather and its kin; the part of x that an index of that shape can reach. */
function reach(op: string, x: Tensor, index: Tensor, axis: number): Shape {
  if (index.rank !== x.rank || index.shape.some((d, i) => i !== axis && d > x.shape[i]!)) {
    throw new ShapeError(
      `${op}: index ${show(index.shape)} must have as many axes as x ${show(x.shape)}, and none but axis ${axis} larger`,
    );
  }
  return replaced(index.shape, axis, x.shape[axis]!);
}

/**
 * y[i][j][k] = x[i][index[i][j][k]][k], for axis 1 of 3. As torch.gather: the index has as many axes as x, and is no larger
 * in any but `axis`. y has its shape. Indices are whole numbers in floats; one out of range (negative ones too) reads as NaN.
 * @throws ShapeError
 */
export const gather = (x: Tensor, axis: number, index: Tensor): Tensor => {
  const a = normalizeAxis('gather', axis, x.rank);
  const part = reach('gather', x, index, a);
  return scope(() => {
    const from = sameShape(part, x.shape)
      ? x
      : slice(
          x,
          part.map((d) => [0, d]),
        );
    return apply(gatherRow, [from, index], { axis: a })[0]!;
  });
};

/**
 * x with source[i][j][k] added at [i][index[i][j][k]][k], for axis 1 of 3: the adjoint of gather. As torch.scatter_add; the
 * sum runs in the order of the source, the same in every run. What an index out of range would add is dropped. Costs the size
 * of x times the length of the index.
 * @throws ShapeError
 */
export function scatterAdd(x: Tensor, axis: number, index: Tensor, source: Tensor): Tensor {
  const a = normalizeAxis('scatterAdd', axis, x.rank);
  const part = reach('scatterAdd', x, index, a);
  if (source.rank !== index.rank || index.shape.some((d, i) => d > source.shape[i]!)) {
    throw new ShapeError(
      `scatterAdd: index ${show(index.shape)} must be no larger than source ${show(source.shape)} in any axis`,
    );
  }
  return scope(() => {
    const used = sameShape(source.shape, index.shape)
      ? source
      : slice(
          source,
          index.shape.map((d) => [0, d]),
        );
    const sums = scatter(used, index, a, x.shape[a]!);
    const window = { begin: part.map(() => 0), size: part, step: part.map(() => 1) };
    return add(x, sameShape(part, x.shape) ? sums : unslice(sums, x.shape, window));
  });
}

const takeRow: Row<AxisParams> = {
  name: 'take',
  shape: ([x, index], { axis }) => [replaced(x!, axis, index![0]!)],
  kernel: ({ inputs: [x, index], params: { axis } }) => gatherPlan(walkOf(x!, axis, x![axis]!, index![0]!, true)),
  vjp: [
    (g, { inputs: [x, index], params: { axis } }) =>
      apply(takeAddRow, [g, index!], { axis, size: x!.shape[axis]! })[0]!,
    null,
  ],
  show: ({ axis }) => `axis ${axis}`,
};

/**
 * (source, index [K]): zeros with `size` elements along the axis, and slices of the source added: the adjoint of take.
 */
export const takeAddRow: Row<SizeParams> = {
  name: 'takeAdd',
  shape: ([source], { axis, size }) => [replaced(source!, axis, size)],
  kernel: ({ inputs: [source, index], params: { axis, size } }) =>
    scatterPlan(walkOf(source!, axis, size, index![0]!, true)),
  vjp: [(g, { inputs: [, index], params }) => apply(takeRow, [g, index!], { axis: params.axis })[0]!, null],
  show: ({ axis, size }) => `axis ${axis}, size ${size}`,
};

/**
 * The slices of x at `indices` along `axis`, in place of which come the axes of the indices. As numpy.take with an axis
 * (torch.take reads a flattened tensor: reshape first). An index out of range reads as NaN.
 * @throws ShapeError if there is no such axis
 */
export const take = (x: Tensor, indices: Tensor, axis: number): Tensor => {
  const a = normalizeAxis('take', axis, x.rank);
  return scope(() => {
    const y = apply(takeRow, [x, reshape(indices, [indices.size])], { axis: a })[0]!;
    return reshape(y, replaced(x.shape, a, ...indices.shape));
  });
};

/**
 * The slices of x at the places in a vector of indices. As torch.index_select, with the indices before the axis. An index out
 * of range reads as NaN.
 * @throws ShapeError unless the indices are a vector
 */
export function indexSelect(x: Tensor, indices: Tensor, axis = 0): Tensor {
  if (indices.rank !== 1) {
    throw new ShapeError(`indexSelect: indices ${show(indices.shape)} must be a vector; take() has others`);
  }
  return take(x, indices, axis);
}

/**
 * Rows of a table: weight [V, D], indices [...] of 0 to V - 1, to [..., D]; NaN for an index out of range. Backward costs V
 * times the indices.
 * @throws ShapeError unless weight is a matrix
 */
export function embedding(weight: Tensor, indices: Tensor): Tensor {
  if (weight.rank !== 2) throw new ShapeError(`embedding: weight ${show(weight.shape)} must be [entries, features]`);
  return take(weight, indices, 0);
}

/**
 * Indices [...] of 0 to classes - 1, to [..., classes]: 1 at the index, else 0; no 1 where the index is out of range. No
 * gradient flows into the indices.
 * @throws ShapeError unless classes is a whole number
 */
export function oneHot(indices: Tensor, classes: number): Tensor {
  checkShape('oneHot', [classes]);
  const shape = [...indices.shape, 1];
  return scope(() => {
    const source = withDevice(indices.device, () => ones(shape));
    return scatter(source, reshape(indices.detach(), shape), indices.rank, classes);
  });
}

/** The rows of this file, by name. */
export const indexingRows = { gather: gatherRow, scatter: scatterRow, take: takeRow, takeAdd: takeAddRow };
