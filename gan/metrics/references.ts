/** What samples are measured against and beside: held-out samples, other real ones and noise. */
import { Rng, sizeOf } from '../../engine/index.ts';
import type { SampleSet, Samples } from '../data/sampleSet.ts';
import { randomStreams } from '../randomStreams.ts';
import { samplesAt } from '../sampling/neighbours.ts';
import { type MetricSamples, rowsOf, sliceSamples, takeSamples } from './samples.ts';

/** All samples in random order: sets lie in files class by class, or the clean ones first, and metrics that look at few take the first. */
export const shuffled = (samples: MetricSamples, rng: Rng): MetricSamples =>
  takeSamples(samples, rng.hostPermutation(samples.shape[0]!));

/** `most` samples of a split, or all where it has fewer, drawn from all of it without replacement, as networks see them. */
function drawnFrom(split: Samples, shape: readonly number[], rng: Rng, most: number = split.count): MetricSamples {
  const which = rng.hostPermutation(split.count).subarray(0, Math.min(most, split.count));
  const { labels } = split;
  return { ...samplesAt(split, shape, which), ...(labels && { labels: Array.from(which, (i) => labels[i]!) }) };
}

interface Asked {
  readonly reference: MetricSamples | undefined;
  readonly set: SampleSet | undefined;
  readonly seed: number;
  /** How many real samples are wanted; 0 for none. */
  readonly count: number;
}

/** What is measured against, and the real samples that are measured beside, both in random order. */
export function realSamples({ reference, set, seed, count }: Asked): {
  reference: MetricSamples;
  real?: MetricSamples;
} {
  // Not from the seed: scores of two seeds are to differ by the samples alone.
  const order = new Rng(0, randomStreams.referenceOrder);
  if (reference) rowsOf('evaluate', 'reference', reference, 2);
  if (set) {
    const held = reference ? shuffled(reference, order) : drawnFrom(set.test, set.shape, order);
    if (count === 0) return { reference: held };
    return { reference: held, real: drawnFrom(set.train, set.shape, new Rng(seed, randomStreams.realSamples), count) };
  }
  if (!reference) throw new TypeError('evaluate: give `reference` or `set`, to measure against');
  const all = shuffled(reference, order);
  if (count === 0) return { reference: all };
  const half = Math.floor(all.shape[0]! / 2);
  return { reference: sliceSamples(all, 0, half), real: sliceSamples(all, half, half + Math.min(half, count)) };
}

/** Uniform noise in the range of the data. Labels, where the reference has them, go round its classes. */
export function noiseLike({ data, shape, labels }: MetricSamples, count: number, rng: Rng): MetricSamples {
  const one = shape.slice(1);
  const width = sizeOf(one);
  const low = new Float64Array(width).fill(one.length === 3 ? -1 : Infinity);
  const high = new Float64Array(width).fill(one.length === 3 ? 1 : -Infinity);
  if (one.length !== 3) {
    data.forEach((v, i) => {
      low[i % width] = Math.min(low[i % width]!, v);
      high[i % width] = Math.max(high[i % width]!, v);
    });
  }
  const noise = new Float32Array(count * width);
  for (let i = 0; i < count; i++) {
    const u = rng.hostUniform(width);
    for (let j = 0; j < width; j++) noise[i * width + j] = low[j]! + u[j]! * (high[j]! - low[j]!);
  }
  const classes = labels && [...new Set(Array.from(labels))].sort((a, b) => a - b);
  return {
    data: noise,
    shape: [count, ...one],
    ...(classes && { labels: Array.from({ length: count }, (_, i) => classes[i % classes.length]!) }),
  };
}
