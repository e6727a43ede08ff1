/** Samples in random order: sets lie in files class by class, or the clean ones first, and metrics that look at few take the first. */
import type { Rng } from '../../engine/index.ts';
import type { Samples } from '../data/sampleSet.ts';
import { samplesAt } from '../sampling/neighbours.ts';
import { type MetricSamples, takeSamples } from './samples.ts';

/** All samples in random order. */
export const shuffled = (samples: MetricSamples, rng: Rng): MetricSamples =>
  takeSamples(samples, rng.hostPermutation(samples.shape[0]!));

/** At most so many samples of a split, drawn from all of it without replacement, as networks see them. */
export function drawnFrom(
  split: Samples,
  shape: readonly number[],
  rng: Rng,
  most: number = split.count,
): MetricSamples {
  const which = rng.hostPermutation(split.count).subarray(0, Math.min(most, split.count));
  const { labels } = split;
  return { ...samplesAt(split, shape, which), ...(labels && { labels: Array.from(which, (i) => labels[i]!) }) };
}
