import type { DataSource } from './dataSource.ts';
import type { PairSet } from './pairSet.ts';
import type { SampleSet } from './sampleSet.ts';

/** What a system may ask of its data. */
export type Need = 'samples' | 'images' | 'labels' | 'pairs';

const needs: Readonly<Record<Need, { readonly says: string; readonly holds: (set: DataSource) => boolean }>> = {
  samples: { says: 'images or points', holds: ({ kind }) => kind === 'images' || kind === 'points' },
  images: { says: 'images', holds: ({ kind }) => kind === 'images' },
  labels: {
    says: 'samples with classes, such as mnist',
    holds: (set) => isSampleSet(set) && (set as SampleSet).train.labels !== undefined && set.classes !== undefined,
  },
  pairs: { says: 'images of two domains, such as glyph-pairs', holds: ({ kind }) => kind === 'pairs' },
};

/** Whether a data set is one of samples to be generated, not one of pairs. */
export const isSampleSet = (set: DataSource): set is SampleSet => needs.samples.holds(set);

/** Whether a data set has two domains. */
export const isPairSet = (set: DataSource): set is PairSet => set.kind === 'pairs';

/** @throws Error for a data set that lacks something, naming who needs it and what would do */
export function refuseMissing(owner: string, asked: readonly Need[], set: DataSource): void {
  const missing = asked.find((need) => !needs[need].holds(set));
  if (missing)
    throw new Error(
      `${owner} learns from ${needs[missing].says}, and ${set.name} is none of that: choose another with --data`,
    );
}
