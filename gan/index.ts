/**
 * Generative adversarial networks: networks, training steps, penalties, data and metrics. Everything here also runs in a browser.
 * @module wgrad/gan
 */
export {
  moons,
  type NoiseOptions,
  type SegmentOptions,
  type SpiralsOptions,
  segment,
  segments,
  spirals,
  swissRoll,
} from './data/curves.ts';
export { type Distribution, type PointSet, type PointSetOptions, pointSet } from './data/distribution.ts';
export { type IdxArray, parseIdx } from './data/idx.ts';
export {
  type GaussianGridOptions,
  type GaussianMixture,
  type GaussianMixtureOptions,
  type GaussianOptions,
  type GaussianRingOptions,
  gaussian,
  gaussianGrid,
  gaussianMixture,
  gaussianRing,
  type TwoGaussiansOptions,
  twoGaussians,
} from './data/mixtures.ts';
export { resizeSet } from './data/resizeImages.ts';
export type { Modes, SampleSet, Samples } from './data/sampleSet.ts';
export { selectClasses } from './data/selectClasses.ts';
export { type StackDigitsOptions, stackDigits } from './data/stackDigits.ts';
export { type TrainingSample, trainingData } from './data/trainingData.ts';
export { DIGIT_FEATURES, DigitClassifier } from './metrics/digitClassifier.ts';
export { type SlicedWassersteinOptions, slicedWasserstein, slicedWassersteinTo } from './metrics/slicedWasserstein.ts';
export { type MnistNetworksOptions, mnistNetworks } from './models/mnist.ts';
export type { Networks } from './models/networks.ts';
export { gradientPenalty } from './penalty.ts';
export { type ByteImage, type GridOptions, tileImages } from './run/grid.ts';
export { type CriticReport, WganGp, type WganGpOptions } from './wganGp.ts';
