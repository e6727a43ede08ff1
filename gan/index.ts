/**
 * Generative adversarial networks: networks, training steps, penalties, data and metrics. Everything here also runs in a browser.
 * @module wgrad/gan
 */
export { type IdxArray, parseIdx } from './data/idx.ts';
export type { Samples } from './data/sampleSet.ts';
export { DIGIT_FEATURES, DigitClassifier } from './metrics/digitClassifier.ts';
export { type SlicedWassersteinOptions, slicedWasserstein, slicedWassersteinTo } from './metrics/slicedWasserstein.ts';
export { type MnistNetworksOptions, mnistNetworks } from './models/mnist.ts';
export type { Networks } from './models/networks.ts';
export { gradientPenalty } from './penalty.ts';
export { type ByteImage, type GridOptions, tileImages } from './run/grid.ts';
export { type LabelledGridOptions, labelTiles, type TitleOptions, titled } from './run/labels.ts';
export {
  type DrawOptions,
  drawSamples,
  type LatentGenerator,
  type SampleArray,
  type StandingStatisticsOptions,
  type Statistics,
  standingStatistics,
} from './sampling/draw.ts';
export {
  type Box,
  evaluateField,
  type FieldOptions,
  levelSet,
  type Polyline,
  type ScalarField,
} from './sampling/field.ts';
export {
  type InterpolateOptions,
  type InterpolationMode,
  interpolate,
  type LatentGridOptions,
  latentGrid,
  lerp,
  slerp,
} from './sampling/interpolate.ts';
export { type Inversion, type InvertOptions, invertSamples } from './sampling/invert.ts';
export { analogy, meanLatent, type TowardsMeanOptions, towardsMean, truncatedLatents } from './sampling/latents.ts';
export {
  type NeighbourOptions,
  type Neighbours,
  nearestNeighbours,
  samplesAt,
  withNeighbours,
} from './sampling/neighbours.ts';
export { type CriticReport, WganGp, type WganGpOptions } from './wganGp.ts';
