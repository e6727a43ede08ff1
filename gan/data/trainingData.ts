import { ArrayDataset, type ArraySample, type Dataset } from '../../nn/index.ts';
import type { SampleSet } from './sampleSet.ts';

/** A sample of {@link trainingData}. */
export type TrainingSample = {
  /** The image, in [-1, 1], or the point. */
  readonly sample: ArraySample;
  /** Its class, a number, where the set has labels. */
  readonly label?: ArraySample;
};

/**
 * A split of a data set as nn's `DataLoader` takes it: an `ArrayDataset`, without a copy. Batches are `{ sample, label }`:
 * `sample` is [N, ...shape], images in [-1, 1], points as they are; `label`, [N], is left out of a set without labels.
 * @param split 'train' unless given
 * @example
 * const loader = new DataLoader(trainingData(set), { batchSize: 64, shuffle: true });
 * for await (const { sample } of loader) await step(sample);
 */
export function trainingData(set: SampleSet, split: 'train' | 'test' = 'train'): Dataset<TrainingSample> {
  const { data, labels } = set[split];
  const scaling = set.kind === 'images' ? { scale: 1 / 127.5, shift: -1 } : {};
  const sample = { data, shape: set.shape, ...scaling };
  return labels ? new ArrayDataset({ sample, label: { data: labels } }) : new ArrayDataset({ sample });
}
