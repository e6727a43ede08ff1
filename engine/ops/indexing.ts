/**
 * Reading and adding by index. Indices are whole numbers in a tensor of floats; they have no derivative. One that names no
 * place (negative, past the end, fractional, NaN) is a RangeError where its value lies on the host: on the reference device, and
 * in a list of numbers. A kernel cannot throw: on WebGPU such a place reads as NaN, and what is added there is dropped. Floats
 * of 32 bits count to 2²⁴: a tensor of them cannot be the index of a longer axis.
 */

import { gather as gatherPlan, type IndexWalk, scatter as scatterPlan } from '../../kernels/gather.ts';
import { aNumber, aString, axis, guarded, kind, maybe, op } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { shown } from '../arguments/options.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { type Device, withDevice } from '../device.ts';
import { ShapeError } from '../errors.ts';
import { methods } from '../tensor/methods.ts';
import { scope } from '../tensor/scope.ts';
import { checkShape, normalizeAxis, type Shape, sameShape, show, sizeOf } from '../tensor/shape.ts';
import { Tensor, tensor } from '../tensor/tensor.ts';
import { ones } from './create.ts';
import { add } from './elementwise.ts';
import { reshape, slice, unslice } from './movement.ts';

export interface AxisParams {
  readonly axis: number;
  /** The index holds the bits of whole numbers, for an axis that floats cannot count. Absent: floats. */
  readonly bits?: true;
  /** Only so many of the first indices along the axis are used. Absent: all. */
  readonly first?: number;
}

export interface SizeParams extends AxisParams {
  /** The size of the axis that is added to. */
  readonly size: number;
}

/** How far whole numbers in float32 are exact. */
const EXACT = 2 ** 24;

/** Whether the tensors of a device count the places of an axis. */
export const counts = (device: Device, size: number): boolean => device.dtype === 'float64' || size <= EXACT;

/**
 * Refuses an op whose result would be a place along `size` elements that its floats cannot tell apart.
 * @throws RangeError
 */
export function checkPlaces(op: string, x: Tensor, size: number): void {
  if (counts(x.device, size)) return;
  throw new RangeError(
    `${op}: a place among ${size} elements of ${x.describe()} is a whole number above 2^24, which float32 would round; give the axis in parts of at most ${EXACT}, by reshape or slice`,
  );
}

const someIndices = kind<Indices>(
  'indices',
  'a tensor or a list of numbers',
  (v) => v instanceof Tensor || (Array.isArray(v) && v.every((n) => typeof n === 'number')),
);
const ofIndices = [aString('op'), someIndices, aNumber('size')] as const;

/**
 * Refuses indices that name none of `size` places, where their values lie on the host, and an axis that they cannot count.
 * @throws RangeError that names the op, the value and the range
 * @function
 */
export const checkIndices = guarded('checkIndices', ofIndices, (op, indices, size): void => {
  const values = indices instanceof Tensor ? indices.device.values?.(indices.storage) : indices;
  if (!values) {
    if (counts((indices as Tensor).device, size)) return;
    throw new RangeError(
      `${op}: there are ${size} places, and indices in a float32 tensor are exact up to 2^24 only; use parts of at most ${EXACT}, or give take() the indices as a list of numbers`,
    );
  }
  for (let i = 0; i < values.length; i++) {
    const at = values[i]!;
    if (!(Number.isInteger(at) && at >= 0 && at < size)) {
      throw new RangeError(
        `${op}: index ${shown(at)} (element ${i}) is no place: indices are whole numbers from 0 to ${size - 1}`,
      );
    }
  }
});

const walkOf = (x: Shape, params: AxisParams, R: number, indices: number, shared: boolean): IndexWalk => ({
  A: sizeOf(x.slice(0, params.axis)),
  B: sizeOf(x.slice(params.axis + 1)),
  R,
  K: params.first ?? indices,
  shared,
  bits: params.bits,
  length: indices,
});

const replaced = (shape: Shape, axis: number, ...by: readonly number[]): number[] => [
  ...shape.slice(0, axis),
  ...by,
  ...shape.slice(axis + 1),
];

export const gatherRow: Row<AxisParams, 2, 1> = {
  name: 'gather',
  shape: ([x, index], { axis, first }) => {
    if (!sameShape(replaced(x, axis, 1), replaced(index, axis, 1))) {
      throw new ShapeError(
        `gather: index ${show(index)} and x ${show(x)} must have equal sizes in all axes but ${axis}`,
      );
    }
    return [first === undefined ? index : replaced(index, axis, first)];
  },
  kernel: ({ inputs: [x, index], params }) => {
    const { axis } = params;
    return gatherPlan(walkOf(x, params, x[axis]!, index[axis]!, false));
  },
  vjp: [
    (g, { inputs: [x, index], params }) => apply(scatterRow, [g, index], { ...params, size: x.shape[params.axis]! })[0],
    null,
  ],
  show: ({ axis }) => `axis ${axis}`,
};

/** (source, index): zeros with `size` elements along the axis, and the source added where the index says. */
export const scatterRow: Row<SizeParams, 2, 1> = {
  name: 'scatter',
  shape: ([source, index], { axis, size, first }) => {
    if (!sameShape(source, first === undefined ? index : replaced(index, axis, first))) {
      throw new ShapeError(`scatter: source ${show(source)} and index ${show(index)} must have the same shape`);
    }
    return [replaced(source, axis, size)];
  },
  kernel: ({ inputs: [source, index], params }) =>
    scatterPlan(walkOf(source, params, params.size, index[params.axis]!, false)),
  vjp: [(g, { inputs: [, index], params: { size: _, ...params } }) => apply(gatherRow, [g, index], params)[0], null],
  show: ({ axis, size }) => `axis ${axis}, size ${size}`,
};

const scatter = (source: Tensor, index: Tensor, axis: number, size: number): Tensor =>
  apply(scatterRow, [source, index], { axis, size })[0];

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
 * in any but `axis`. y has its shape. An index that is none of 0 to x.shape[axis] - 1 (a negative or fractional one too) reads as
 * NaN on WebGPU.
 * @throws ShapeError; RangeError for such an index on the reference device, and for an axis of more than 2²⁴ on WebGPU
 * @function
 */
export const gather = op('gather', [aTensor('x'), axis, aTensor('index')], (x, axis, index): Tensor => {
  const a = normalizeAxis('gather', axis, x.rank);
  const part = reach('gather', x, index, a);
  checkIndices('gather', index, x.shape[a]!);
  return scope(() => {
    const from = sameShape(part, x.shape)
      ? x
      : slice(
          x,
          part.map((d) => [0, d]),
        );
    return apply(gatherRow, [from, index], { axis: a })[0];
  });
});

/**
 * x with source[i][j][k] added at [i][index[i][j][k]][k], for axis 1 of 3: the adjoint of gather. As torch.scatter_add; the
 * sum runs in the order of the source, the same in every run. What an index that is none of 0 to x.shape[axis] - 1 would add is
 * dropped on WebGPU. Costs the size of x times the length of the index.
 * @throws ShapeError; RangeError as {@link gather}
 * @function
 */
export const scatterAdd = op(
  'scatterAdd',
  [aTensor('x'), axis, aTensor('index'), aTensor('source')],
  (x, axis, index, source): Tensor => {
    const a = normalizeAxis('scatterAdd', axis, x.rank);
    const part = reach('scatterAdd', x, index, a);
    if (source.rank !== index.rank || index.shape.some((d, i) => d > source.shape[i]!)) {
      throw new ShapeError(
        `scatterAdd: index ${show(index.shape)} must be no larger than source ${show(source.shape)} in any axis`,
      );
    }
    checkIndices('scatterAdd', index, x.shape[a]!);
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
  },
);

const takeRow: Row<AxisParams, 2, 1> = {
  name: 'take',
  shape: ([x, index], { axis }) => [replaced(x, axis, index[0]!)],
  kernel: ({ inputs: [x, index], params }) => gatherPlan(walkOf(x, params, x[params.axis]!, index[0]!, true)),
  vjp: [
    (g, { inputs: [x, index], params }) => apply(takeAddRow, [g, index], { ...params, size: x.shape[params.axis]! })[0],
    null,
  ],
  show: ({ axis }) => `axis ${axis}`,
};

/**
 * (source, index [K]): zeros with `size` elements along the axis, and slices of the source added: the adjoint of take.
 */
export const takeAddRow: Row<SizeParams, 2, 1> = {
  name: 'takeAdd',
  shape: ([source], { axis, size }) => [replaced(source, axis, size)],
  kernel: ({ inputs: [source, index], params }) => scatterPlan(walkOf(source, params, params.size, index[0]!, true)),
  vjp: [(g, { inputs: [, index], params: { size: _, ...params } }) => apply(takeRow, [g, index], params)[0], null],
  show: ({ axis, size }) => `axis ${axis}, size ${size}`,
};

/** Indices: a tensor of whole numbers in floats, or a list of numbers, which may count any axis. */
export type Indices = Tensor | readonly number[];

const shapeOf = (indices: Indices): Shape => (indices instanceof Tensor ? indices.shape : [indices.length]);

/** Slices by checked indices; those of a list go to the device as floats where these count the axis, else as bits. */
function taken(op: string, x: Tensor, indices: Indices, axis: number): Tensor {
  const size = x.shape[axis]!;
  checkIndices(op, indices, size);
  return scope(() => {
    let bits = false;
    let index: Tensor;
    if (indices instanceof Tensor) index = reshape(indices, [indices.size]);
    else {
      bits = !counts(x.device, size);
      const words = bits ? new Float32Array(Uint32Array.from(indices).buffer) : indices;
      index = tensor(words, { shape: [indices.length], device: x.device });
    }
    const y = apply(takeRow, [x, index], { axis, ...(bits && { bits }) })[0];
    return reshape(y, replaced(x.shape, axis, ...shapeOf(indices)));
  });
}

/**
 * The slices of x at `indices` along `axis`, in place of which come the axes of the indices. As numpy.take with an axis
 * (torch.take reads a flattened tensor: reshape first). An index that is none of 0 to x.shape[axis] - 1 reads as NaN on WebGPU.
 * @param indices a tensor of any shape, or a list of numbers
 * @throws ShapeError if there is no such axis; RangeError for such an index in a list or on the reference device, and for a
 * tensor of indices into an axis of more than 2²⁴ on WebGPU
 * @function
 */
export const take = op(
  'take',
  [aTensor('x'), someIndices, axis],
  (x, indices, axis): Tensor => taken('take', x, indices, normalizeAxis('take', axis, x.rank)),
);

/**
 * The slices of x at the places in a vector or a list of indices. As torch.index_select, with the indices before the axis. An
 * index that is no place reads as NaN on WebGPU.
 * @throws ShapeError unless the indices are a vector; RangeError as {@link take}
 * @function
 */
export const indexSelect = op(
  'indexSelect',
  [aTensor('x'), someIndices, maybe(axis)],
  (x, indices, axis = 0): Tensor => {
    const shape = shapeOf(indices);
    if (shape.length !== 1) {
      throw new ShapeError(`indexSelect: indices ${show(shape)} must be a vector; take() has others`);
    }
    return taken('indexSelect', x, indices, normalizeAxis('indexSelect', axis, x.rank));
  },
);

/**
 * Rows of a table: weight [V, D], indices [...] of 0 to V - 1, to [..., D]; NaN for an index that is no row on WebGPU. Backward
 * costs V times the indices.
 * @throws ShapeError unless weight is a matrix; RangeError as {@link take}
 * @function
 */
export const embedding = op('embedding', [aTensor('weight'), someIndices], (weight, indices): Tensor => {
  if (weight.rank !== 2) throw new ShapeError(`embedding: weight ${show(weight.shape)} must be [entries, features]`);
  return taken('embedding', weight, indices, 0);
});

/**
 * Indices [...] of 0 to classes - 1, to [..., classes]: 1 at the index, else 0; no 1 on WebGPU where the index is no class. No
 * gradient flows into the indices.
 * @throws ShapeError unless classes is a whole number; RangeError for an index that is no class on the reference device
 * @function
 */
export const oneHot = op('oneHot', [aTensor('indices'), aNumber('classes')], (indices, classes): Tensor => {
  checkShape('oneHot', [classes]);
  checkIndices('oneHot', indices, classes);
  const shape = [...indices.shape, 1];
  return scope(() => {
    const source = withDevice(indices.device, () => ones(shape));
    return scatter(source, reshape(indices.detach(), shape), indices.rank, classes);
  });
});

/** The rows of this file, by name. */
export const indexingRows = { gather: gatherRow, scatter: scatterRow, take: takeRow, takeAdd: takeAddRow };

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** Reads along an axis at the indices of a tensor with as many axes. */
    gather(axis: number, index: Tensor): Tensor;
    /** Adds `source` along an axis at the indices of a tensor with as many axes. */
    scatterAdd(axis: number, index: Tensor, source: Tensor): Tensor;
    /** The slices at indices of any shape along an axis. */
    take(indices: Indices, axis: number): Tensor;
    /** The slices at a vector of indices along an axis, the first unless given. */
    indexSelect(indices: Indices, axis?: number): Tensor;
  }
}

methods({ gather, scatterAdd, take, indexSelect });
