import { sizeOf, type Tensor, tensor } from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { asSeen, type Samples } from '../data/sampleSet.ts';
import { nearestAmong } from '../metrics/neighbours.ts';
import { deviceFor, readFrom } from '../metrics/read.ts';
import type { SampleArray } from './draw.ts';

/** Options of {@link nearestNeighbours}. */
export interface NeighbourOptions {
  /** Neighbours of each sample. Default 1. */
  readonly k?: number;
  /**
   * What is compared, from samples [B, ...] as the networks see them to features [B, ...]: of each sample by itself, so a module
   * in evaluation mode. The samples' own numbers unless given: pixel distance.
   */
  readonly features?: (samples: Tensor) => Tensor;
  /** Training samples on the device at once, which also bounds the table of distances, [Q, blockSize]. Default 2048. */
  readonly blockSize?: number;
}

/** The k nearest training samples of each sample, nearest first. */
export interface Neighbours {
  /** How many there are of each sample. */
  readonly k: number;
  /** The neighbours' places in the training data, [Q * k]. */
  readonly indices: Uint32Array;
  /** Euclidean distances in the unit of what is compared, [Q * k]; 0 for a copy. */
  readonly distances: Float64Array;
}

/**
 * Finds the training samples that are nearest to each of some samples, by Euclidean distance: whether a generator copies.
 * The device ranks all of them in blocks; the distances of the best are computed again in float64. Of equally distant ones
 * the first in the data comes first. NaN is farthest.
 *
 * Pixel distance finds exact copies only: a shift by one pixel counts as much as another image. Features see more.
 *
 * @param samples [Q, ...] as the networks see them
 * @param pool the training samples, of the same shape: images as bytes, seen as byte / 127.5 - 1, or numbers as they are
 * @throws RangeError unless the pool is a whole number of samples of this shape, and k one from 1 to their count
 */
export async function nearestNeighbours(
  samples: SampleArray,
  pool: Samples,
  options: NeighbourOptions = {},
): Promise<Neighbours> {
  const { k = 1, features, blockSize = 2048 } = checked('nearestNeighbours', options, ['k', 'features', 'blockSize']);
  const [q = 0, ...shape] = samples.shape;
  const size = sizeOf(shape);
  if (q < 1 || samples.data.length !== q * size || pool.count < 1 || pool.data.length !== pool.count * size) {
    throw new RangeError(
      `nearestNeighbours: ${samples.data.length} values of samples [${samples.shape}] and ${pool.data.length} of ${pool.count} training samples do not fit`,
    );
  }
  checkRange('nearestNeighbours', 'blockSize', ranges.count, blockSize);
  checkRange('nearestNeighbours', 'k', ranges.whole(1, pool.count), k);
  /** Rows [B, D] of what is compared. */
  const compared = (values: Float32Array): Tensor => {
    const x = tensor(values, { shape: [values.length / size, ...shape] });
    const y = features ? features(x) : x;
    if (y.shape[0] !== x.shape[0]) {
      throw new RangeError(`nearestNeighbours: the features [${y.shape}] are not of ${x.shape[0]} samples`);
    }
    return y.reshape([x.shape[0]!, y.size / x.shape[0]!]);
  };
  const device = deviceFor(undefined);
  const own = await readFrom(device, () => compared(samples.data));
  const width = own.length / q;
  // The distances do not feel a common shift, and small numbers lose less to rounding.
  const centre = new Float64Array(width);
  for (let i = 0; i < own.length; i++) centre[i % width]! += own[i]! / q;
  const block = (first: number, end: number): Tensor =>
    compared(asSeen(pool.data.subarray(first * size, end * size))).sub(tensor(centre));
  const exact = async (i: number, rows: readonly number[]): Promise<number[]> => {
    const others = await readFrom(device, () => compared(samplesAt(pool, shape, rows).data));
    return rows.map((_, j) => {
      let sum = 0;
      for (let d = 0; d < width; d++) sum += (own[i * width + d]! - others[j * width + d]!) ** 2;
      return sum;
    });
  };
  const rows = { data: own.map((v, i) => v - centre[i % width]!), count: q, width };
  const found = await nearestAmong(rows, { count: pool.count, width, block }, k, { device, exact, size: blockSize });
  return { k, ...found };
}

/**
 * Some samples of a set as the networks see them: bytes as byte / 127.5 - 1, points as they are.
 *
 * @param shape of one sample
 * @param indices places in the data, each from 0 to count - 1
 * @throws RangeError for another place, or data that does not fit the shape
 */
export function samplesAt(pool: Samples, shape: readonly number[], indices: ArrayLike<number>): SampleArray {
  const size = sizeOf(shape);
  if (pool.data.length !== pool.count * size) {
    throw new RangeError(`samplesAt: ${pool.data.length} values are not ${pool.count} samples of [${shape}]`);
  }
  const data = new Float32Array(indices.length * size);
  for (let i = 0; i < indices.length; i++) {
    const at = indices[i]!;
    if (!(Number.isInteger(at) && at >= 0 && at < pool.count)) {
      throw new RangeError(`samplesAt: there is no sample ${at}; there are 0 to ${pool.count - 1}`);
    }
    data.set(asSeen(pool.data.subarray(at * size, (at + 1) * size)), i * size);
  }
  return { data, shape: [indices.length, ...shape] };
}

/**
 * Each sample followed by its neighbours, (k + 1) a sample: for `tileImages` with k + 1 columns.
 *
 * @param pool the training samples in which the neighbours were found
 * @throws RangeError if they were found for another number of samples
 */
export function withNeighbours(samples: SampleArray, pool: Samples, { k, indices }: Neighbours): SampleArray {
  const [q = 0, ...shape] = samples.shape;
  if (indices.length !== q * k) {
    throw new RangeError(`withNeighbours: ${indices.length} neighbours are not ${k} of each of ${q} samples`);
  }
  const found = samplesAt(pool, shape, indices);
  const size = samples.data.length / q;
  const data = new Float32Array(q * (k + 1) * size);
  for (let row = 0; row < q; row++) {
    data.set(samples.data.subarray(row * size, (row + 1) * size), row * (k + 1) * size);
    data.set(found.data.subarray(row * k * size, (row + 1) * k * size), (row * (k + 1) + 1) * size);
  }
  return { data, shape: [q * (k + 1), ...shape] };
}
