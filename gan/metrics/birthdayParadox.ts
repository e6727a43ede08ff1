import type { Device } from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { FLOAT32_DOUBT, nearest } from './neighbours.ts';
import { centred, exactSquaredDistance, overBlocks, squaredDistances, squaredNorms } from './pairs.ts';
import { deviceFor } from './read.ts';
import { bothRows, type MetricSamples, type Rows, takeSamples } from './samples.ts';

/** Options of {@link birthdayParadox}. */
export interface BirthdayParadoxOptions {
  /** Samples in a batch; half of the samples unless given. Each batch is of samples of its own. */
  readonly batch?: number;
  /**
   * Two samples nearer than this, by Euclidean distance, count as the same. Half the least distance between two reference samples that
   * differ unless given: nearer than any two real ones. 0, which only copies reach, where all reference samples are equal.
   */
  readonly threshold?: number;
  /** The device that computes; the current device unless given. */
  readonly device?: Device;
}

/** Two samples that are nearly the same. */
export interface SamplePair {
  /** Number of the first sample. */
  readonly first: number;
  /** Number of the second sample. */
  readonly second: number;
  /** The Euclidean distance of the two. */
  readonly distance: number;
}

/** What {@link birthdayParadox} finds. */
export interface BirthdayParadox {
  /**
   * About how many different samples the generator can make: pairs looked at, over pairs that are the same. With none that is the
   * same, the number of pairs: a lower bound (`atLeast`). Higher is better.
   */
  readonly support: number;
  /** Whether no pair was the same. */
  readonly atLeast: boolean;
  /** The share of batches with two samples that are the same. Where it is 1/2, the support is about the batch size squared. */
  readonly collisionProbability: number;
  /** Pairs that are the same, within batches. */
  readonly collisions: number;
  /** The distance below which pairs counted as the same. */
  readonly threshold: number;
  /** The 20 nearest pairs of a sample and its nearest neighbour, for people to judge, as the paper asks. */
  readonly closest: readonly SamplePair[];
}

/**
 * How many different samples a generator can make: among s samples of N equally likely ones, about s² / 2N pairs are the same, so
 * that few batches of few samples reveal a small support. In pixels only near copies count as the same; look at `closest`.
 *
 * Source: Arora and Zhang, "Do GANs actually learn the distribution? An empirical study", ICLR 2018, section 3.
 * @param samples [N, ...], N at least 4
 * @param reference real samples for the threshold [M, ...], M at least 2
 * @throws RangeError for a batch of fewer than 2 or more than all samples, or a threshold below 0
 */
export async function birthdayParadox(
  samples: MetricSamples,
  reference: MetricSamples,
  options: BirthdayParadoxOptions = {},
): Promise<BirthdayParadox> {
  const op = 'birthdayParadox';
  const { batch: size, threshold: given, device: asked } = checked(op, options, ['batch', 'threshold', 'device']);
  const device = deviceFor(asked);
  const [a, b] = bothRows(op, samples, reference, 2);
  const batch = checkRange(op, 'batch', ranges.whole(2, a.count), size ?? Math.max(2, Math.floor(a.count / 2)));
  if (given !== undefined) checkRange(op, 'threshold', ranges.notNegative, given);
  const threshold = given ?? (await leastDistance(b, device)) / 2;
  const batches = Math.floor(a.count / batch);
  let [collisions, hit] = [0, 0];
  for (let n = 0; n < batches; n++) {
    const part: Rows = { ...a, data: a.data.subarray(n * batch * a.width, (n + 1) * batch * a.width), count: batch };
    const found = await pairsWithin(part, threshold, device);
    collisions += found;
    if (found > 0) hit++;
  }
  const pairs = (batches * batch * (batch - 1)) / 2;
  return {
    support: pairs / Math.max(1, collisions),
    atLeast: collisions === 0,
    collisionProbability: hit / batches,
    collisions,
    threshold,
    closest: await closestPairs(a, device),
  };
}

/** The least distance above 0 between two rows: data sets hold copies. 0 where all rows are equal. */
async function leastDistance(rows: Rows, device: Device): Promise<number> {
  for (let left = rows; left.count > 1; ) {
    const { distances, indices } = await nearest(left, left, 1, device);
    // The last of some equal rows has one of the others before it, so that each pass leaves fewer, and mostly one is enough.
    const kept = Array.from(distances.keys()).filter((i) => distances[i]! > 0 || indices[i]! > i);
    if (kept.length === left.count) return distances.reduce((s, d) => Math.min(s, d), Infinity);
    const { data } = takeSamples({ data: left.data, shape: [left.count, left.width] }, kept);
    left = { data, count: kept.length, width: left.width };
  }
  return 0;
}

/** How many pairs of rows are nearer than the threshold (or as near: copies at 0). */
async function pairsWithin(a: Rows, threshold: number, device: Device): Promise<number> {
  const [x] = centred(a, a);
  const norms = squaredNorms(x);
  const square = threshold ** 2;
  let found = 0;
  await overBlocks({ a: x, b: x, device }, squaredDistances, (values, first, rows) => {
    for (let i = first; i < first + rows; i++)
      for (let j = 0; j < i; j++) {
        const margin = values[(i - first) * x.count + j]! - square;
        const unsure = Math.abs(margin) <= FLOAT32_DOUBT * (norms[i]! + norms[j]!);
        if (unsure ? exactSquaredDistance(a, i, a, j) <= square : margin < 0) found++;
      }
  });
  return found;
}

const SHOWN = 20;

async function closestPairs(a: Rows, device: Device): Promise<SamplePair[]> {
  const { distances, indices } = await nearest(a, a, 1, device);
  const pairs = Array.from(distances, (distance, i) => ({
    first: Math.min(i, indices[i]!),
    second: Math.max(i, indices[i]!),
    distance,
  }));
  pairs.sort((p, q) => p.distance - q.distance || p.first - q.first || p.second - q.second);
  const isNew = (p: SamplePair, i: number) =>
    i === 0 || p.first !== pairs[i - 1]!.first || p.second !== pairs[i - 1]!.second;
  return pairs.filter(isNew).slice(0, SHOWN);
}
