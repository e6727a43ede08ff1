import { type Device, withDevice } from '../../engine/index.ts';
import type { SampleSet } from '../data/sampleSet.ts';
import { loadDigitClassifier } from './digitClassifier.node.ts';
import type { FeatureSource } from './evaluate.ts';
import { stackedClassifier } from './features.ts';
import { LEAST_SIDE, RandomFeatures } from './randomFeatures.ts';
import { deviceFor } from './read.ts';

/** The classes of stacked MNIST: all numbers of three digits. */
const STACKED = 1000;

/**
 * What images of a data set are compared by: for MNIST's digits, stacked or not, the classifier that comes with
 * wgrad; for other images of 8 x 8 or more, random features. Stacked digits are measured against equal shares of the thousand classes,
 * as papers do; digits against the shares that the classifier finds in the reference.
 * @param options.device where the network is to be; the current device unless given
 * @returns undefined for points, and for smaller images, which are measured in pixels only
 */
export async function featuresFor(
  set: SampleSet,
  options: { readonly device?: Device } = {},
): Promise<FeatureSource | undefined> {
  const [height = 0, width = 0, channels = 0] = set.shape;
  if (set.kind !== 'images' || Math.min(height, width) < LEAST_SIDE) return undefined;
  const device = deviceFor(options.device);
  const shape = set.shape.join();
  if (set.name === 'mnist' && shape === '28,28,1') {
    return { title: 'digit classifier', network: await loadDigitClassifier({ device }), classes: 10 };
  }
  if (set.name === 'stacked-mnist' && shape === '28,28,3') {
    return {
      title: 'digit classifier of each channel',
      network: stackedClassifier(await loadDigitClassifier({ device }), 3),
      classes: STACKED,
      classShares: new Array<number>(STACKED).fill(1 / STACKED),
    };
  }
  return {
    title: 'random features',
    network: withDevice(device, () => new RandomFeatures([height, width, channels])),
    note: 'random features are those of untrained convolutions: their scores compare with others of this tool only, at this image size',
  };
}
