import type { SampleSet, Samples } from './sampleSet.ts';

/** What every data set is, whatever its samples are. */
export interface DataSource {
  /** The name on the command line, such as 'mnist'. */
  readonly name: string;
  /** For headings, such as 'MNIST'. */
  readonly title: string;
  /** What the samples are: images, points, or images of two domains ('pairs'). */
  readonly kind: 'images' | 'points' | 'pairs';
  /** Shape of one sample: [H, W, C] of an image, [D] of a point. */
  readonly shape: readonly number[];
  /** What is learnt from. */
  readonly train: Pick<Samples, 'count'>;
  /** What is held out; shares no sample with `train`. */
  readonly test: Pick<Samples, 'count'>;
  /** Names of the classes, by label. */
  readonly classes?: readonly string[];
  /** Of a set that is read from files: hex digits made of their content. */
  readonly fingerprint?: string;
}

/** The samples of a split in two domains. */
export interface PairSamples {
  /** How many there are in each. */
  readonly count: number;
  /** Those of the first domain. */
  readonly x: Samples;
  /** Those of the second. */
  readonly y: Samples;
}

/** Images in two domains, of one shape. */
export interface PairSet extends DataSource {
  readonly kind: 'pairs';
  /** The names of the two domains. */
  readonly domains: readonly [x: string, y: string];
  /** What is learnt from: sample k of x and of y belong together only where the set is paired. */
  readonly train: PairSamples;
  /** Held-out pairs: sample k of y is what sample k of x should become. */
  readonly test: PairSamples;
}

/** What a system may ask of its data. */
export type Need = 'samples' | 'images' | 'labels' | 'pairs';

const needs: Readonly<Record<Need, { readonly says: string; readonly holds: (set: DataSource) => boolean }>> = {
  samples: { says: 'images or points', holds: ({ kind }) => kind !== 'pairs' },
  images: { says: 'images', holds: ({ kind }) => kind === 'images' },
  labels: {
    says: 'samples with classes, such as mnist',
    holds: (set) => set.kind !== 'pairs' && (set as SampleSet).train.labels !== undefined && set.classes !== undefined,
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
  if (missing) throw new Error(`${owner} learns from ${needs[missing].says}, and ${set.name} is none of that: --data`);
}
