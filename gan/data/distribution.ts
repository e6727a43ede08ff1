import { Rng } from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { randomStreams } from '../randomStreams.ts';
import type { Modes, SampleSet } from './sampleSet.ts';

/** A distribution on the line or in the plane, to draw from. */
export interface Distribution {
  /** The name of the distribution, as in a `SampleSet`. */
  readonly name: string;
  /** The title of the distribution, as in a `SampleSet`. */
  readonly title: string;
  /** Numbers in a point: 1 on the line, 2 in the plane. */
  readonly dimension: number;
  /**
   * Draws independent points, one after the other.
   * @param n how many, 0 or more
   * @param rng a generator, which moves on, or the seed of a fresh one
   * @returns [n, dimension] in row-major order
   * @throws RangeError for a seed out of range
   */
  sample(n: number, rng: Rng | number): Float32Array;
  /**
   * The exact log density in nats, against length or area. Absent where there is none (the segments, whose area is 0) or it
   * has no closed form (curves with noise).
   * @param points [n, dimension] in row-major order
   * @returns [n]
   * @throws RangeError if a point is cut short
   */
  logDensity?(points: ArrayLike<number>): Float64Array;
  /** The modes, of a mixture. */
  readonly modes?: Modes;
}

/** How many points, and from which seed. */
export interface PointSetOptions {
  /** The seed of both splits, each of which has its own stream; a whole number from 0 to 2^53 - 1. Default 0. */
  readonly seed?: number;
  /** Points to learn from. Default 131,072 (2^17). */
  readonly trainSize?: number;
  /** Held-out points. Default 10,000. */
  readonly testSize?: number;
}

/** A `SampleSet` of points that knows where they come from. */
export interface PointSet extends SampleSet {
  /** Points, as they are drawn. */
  readonly kind: 'points';
  /** What the points were drawn from: for fresh ones, and for exact densities. */
  readonly distribution: Distribution;
}

/** The names of {@link PointSetOptions}. */
export const pointSetOptions = ['seed', 'trainSize', 'testSize'] as const;

/**
 * Draws a data set from a distribution: the same points for the same seed, on every machine. The two splits are drawn
 * independently of each other.
 * @throws RangeError for a size that is not a whole number above 0, or a seed out of range
 * @example
 * const ring = pointSet(gaussianRing(), { seed: 1 });
 */
export function pointSet(distribution: Distribution, options: PointSetOptions = {}): PointSet {
  const { name, title, dimension, modes } = distribution;
  const { seed = 0, trainSize = 2 ** 17, testSize = 10_000 } = checked('pointSet', options, pointSetOptions);
  const split = (count: number, stream: number) => ({
    count,
    data: distribution.sample(count, new Rng(seed, stream)),
  });
  return {
    name,
    title,
    kind: 'points',
    shape: [dimension],
    train: split(checkRange('pointSet', 'trainSize', ranges.whole(1, 2 ** 26), trainSize), randomStreams.trainSplit),
    test: split(checkRange('pointSet', 'testSize', ranges.whole(1, 2 ** 26), testSize), randomStreams.testSplit),
    ...(modes && { modes }),
    distribution,
  };
}

/** The generator that is meant by a generator or a seed. */
export const generatorOf = (rng: Rng | number): Rng => (typeof rng === 'number' ? new Rng(rng) : rng);

/** How many points there are. @throws RangeError if the last one is cut short */
export function pointsIn(name: string, points: ArrayLike<number>, dimension: number): number {
  const n = points.length / dimension;
  if (Number.isInteger(n)) return n;
  throw new RangeError(`${name}: ${points.length} numbers are no whole number of points of ${dimension} numbers`);
}
