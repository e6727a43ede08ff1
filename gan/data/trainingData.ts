import type { Rng } from '../../engine/index.ts';
import { ArrayDataset, type ArraySample, DataLoader, type Dataset } from '../../nn/index.ts';
import type { SampleSet } from './sampleSet.ts';

/** A sample of {@link trainingData}. */
export type TrainingSample = {
  /** The image, in [-1, 1], or the point. */
  readonly sample: ArraySample;
  /** The class of each sample, a number, where the set has labels. */
  readonly label?: ArraySample;
};

/** What samples to learn from are made of: a {@link SampleSet}, or one domain of a set of pairs. */
export type TrainingSet = Pick<SampleSet, 'kind' | 'shape' | 'train' | 'test'>;

/**
 * A split of a data set as nn's `DataLoader` takes it: an `ArrayDataset`, without a copy. Batches are `{ sample, label }`:
 * `sample` is [N, ...shape], images in [-1, 1], points as they are; `label`, [N], is left out of a set without labels.
 * @param split 'train' unless given
 * @example
 * const loader = new DataLoader(trainingData(set), { batchSize: 64, shuffle: true });
 * for await (const { sample } of loader) await step(sample);
 */
export function trainingData(set: TrainingSet, split: 'train' | 'test' = 'train'): Dataset<TrainingSample> {
  const { data, labels } = set[split];
  const scaling = set.kind === 'images' ? { scale: 1 / 127.5, shift: -1 } : {};
  const sample = { data, shape: set.shape, ...scaling };
  return labels ? new ArrayDataset({ sample, label: { data: labels } }) : new ArrayDataset({ sample });
}

/**
 * Batches of training samples without end, in random order and all of one size: a stream of `train`.
 * @param rng draws the orders
 */
export const trainingLoader = (set: TrainingSet, batchSize: number, rng: Rng): DataLoader<TrainingSample> =>
  new DataLoader(trainingData(set), { batchSize, shuffle: true, dropLast: true, rng });
