/** Sets of samples: by index, in memory, on the device, or as streams. */
import { checkIndices, indexSelect, type Shape, ShapeError, scope, sizeOf, type Tensor } from '../../engine/index.ts';
import type { ArraySample, Batch, NumberArray } from './sample.ts';

/** Samples by index. An array of samples is one too. */
export interface Dataset<S> {
  /** How many there are. */
  readonly length: number;
  /** Sample `index`, from 0 to length - 1; also later, as a promise. */
  get(index: number): S | PromiseLike<S>;
  /** Makes a whole batch at once, on the device: a loader calls it in place of `get`. */
  getBatch?(indices: readonly number[]): Batch<S>;
}

/**
 * Samples one after another, for sets that have no length or no order: what can be iterated over, or a function that begins an
 * epoch. A generator object can be gone through once only: give the function that makes it.
 */
export type StreamDataset<S> = Iterable<S> | AsyncIterable<S> | ((epoch: number) => Iterable<S> | AsyncIterable<S>);

/** A column of an {@link ArrayDataset}: all samples' numbers one after another. */
export interface Column {
  /** The numbers of all samples. */
  readonly data: NumberArray;
  /** The shape of one sample. Default [], a number. */
  readonly shape?: Shape;
  /** The scale, as in {@link ArraySample}. */
  readonly scale?: number;
  /** The shift, as in {@link ArraySample}. */
  readonly shift?: number;
}

/**
 * Samples in typed arrays, a record of one value for each column. Nothing is copied before a batch is made.
 * @example
 * const digits = new ArrayDataset({
 *   image: { data: bytes, shape: [28, 28, 1], scale: 1 / 127.5, shift: -1 },
 *   label: { data: labels },
 * });
 */
export class ArrayDataset<K extends string> implements Dataset<Readonly<Record<K, ArraySample>>> {
  readonly length: number;
  /** The columns as they were given. */
  readonly columns: Readonly<Record<K, Column>>;

  /** @throws ShapeError if columns have different numbers of samples, or one ends inside a sample */
  constructor(columns: Readonly<Record<K, Column>>) {
    const counts = (Object.entries(columns) as [string, Column][]).map(([name, { data, shape = [] }]) => {
      const n = data.length / sizeOf(shape);
      if (Number.isInteger(n)) return [name, n] as const;
      throw new ShapeError(`ArrayDataset: ${name} has ${data.length} numbers, no whole number of samples [${shape}]`);
    });
    this.length = oneLength('ArrayDataset', counts);
    this.columns = columns;
  }

  /** Sample `index`. @throws RangeError unless it is a whole number from 0 to length - 1 */
  get(index: number): Readonly<Record<K, ArraySample>> {
    checkIndices('ArrayDataset', [index], this.length);
    const sample = (Object.entries(this.columns) as [K, Column][]).map(([name, { data, shape = [], ...rest }]) => {
      const size = sizeOf(shape);
      return [name, { data: data.subarray(index * size, (index + 1) * size), shape, ...rest }] as const;
    });
    return Object.fromEntries(sample) as Record<K, ArraySample>;
  }
}

/**
 * Samples in tensors, along their first axis; batches are put together on the device. The tensors stay the caller's.
 * @example
 * const set = new TensorDataset({ x: randn([1000, 2]), y: zeros([1000]) });
 */
export class TensorDataset<K extends string> implements Dataset<Readonly<Record<K, Tensor>>> {
  readonly length: number;
  /** The tensors as they were given. */
  readonly tensors: Readonly<Record<K, Tensor>>;

  /** @throws ShapeError if the tensors differ in their first axis, or one is a scalar */
  constructor(tensors: Readonly<Record<K, Tensor>>) {
    const counts = (Object.entries(tensors) as [string, Tensor][]).map(([name, t]) => {
      if (t.rank > 0) return [name, t.shape[0]!] as const;
      throw new ShapeError(`TensorDataset: ${name} is a scalar; samples lie along the first axis`);
    });
    this.length = oneLength('TensorDataset', counts);
    this.tensors = tensors;
  }

  /**
   * Sample `index`: new tensors without the first axis, which belong to the caller's scope.
   * @throws RangeError unless it is a whole number from 0 to length - 1
   */
  get(index: number): Readonly<Record<K, Tensor>> {
    checkIndices('TensorDataset', [index], this.length);
    return this.#each((t) => t.slice([[index, index + 1]]).reshape(t.shape.slice(1)));
  }

  getBatch(indices: readonly number[]): Batch<Readonly<Record<K, Tensor>>> {
    checkIndices('TensorDataset', indices, this.length);
    return this.#each((t) => indexSelect(t, indices)) as Batch<Readonly<Record<K, Tensor>>>;
  }

  #each(fn: (t: Tensor) => Tensor): Record<K, Tensor> {
    const entries = Object.entries(this.tensors) as [K, Tensor][];
    return scope(() => Object.fromEntries(entries.map(([name, t]) => [name, fn(t)])) as Record<K, Tensor>);
  }
}

function oneLength(op: string, counts: readonly (readonly [string, number])[]): number {
  const [first] = counts;
  if (!first) throw new ShapeError(`${op}: there is no column`);
  for (const [name, n] of counts) {
    if (n !== first[1]) throw new ShapeError(`${op}: ${first[0]} has ${first[1]} samples, and ${name} has ${n}`);
  }
  return first[1];
}
