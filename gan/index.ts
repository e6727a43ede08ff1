/**
 * Generative adversarial networks: networks, training steps, penalties, data and metrics. Everything here also runs in a browser.
 * @module wgrad/gan
 */
export { type IdxArray, parseIdx } from './data/idx.ts';
// Metrics.
export {
  type BirthdayParadox,
  type BirthdayParadoxOptions,
  birthdayParadox,
  type SamplePair,
} from './metrics/birthdayParadox.ts';
export {
  type ClassificationAccuracy,
  type ClassificationAccuracyOptions,
  classificationAccuracyScore,
} from './metrics/classificationAccuracy.ts';
export { DIGIT_FEATURES, DigitClassifier } from './metrics/digitClassifier.ts';
export {
  availableMetrics,
  type EvaluatedFigure,
  type EvaluateOptions,
  type EvaluateProgress,
  type Evaluation,
  evaluate,
  type FeatureSource,
  figureLine,
} from './metrics/evaluate.ts';
export {
  classesOf,
  classProbabilities,
  type FeatureClassifier,
  type FeatureNetwork,
  type FeatureOptions,
  featuresOf,
  stackedClassifier,
} from './metrics/features.ts';
export {
  type Fid,
  type FidOptions,
  featureMoments,
  frechetDistance,
  frechetInceptionDistance,
  type Moments,
} from './metrics/frechet.ts';
export {
  type InceptionScore,
  type InceptionScoreOptions,
  inceptionScore,
  modeScore,
} from './metrics/inceptionScore.ts';
export { type Kid, type KidOptions, kernelInceptionDistance } from './metrics/kid.ts';
export type { Figure, Metric, MetricContext, MetricNeeds, MetricSubject } from './metrics/metric.ts';
export { energyDistance, type MmdOptions, mmd } from './metrics/mmd.ts';
export {
  type ClassCoverage,
  classCoverage,
  type ModeCoverage,
  type ModeCoverageOptions,
  modeCoverage,
  reverseKl,
} from './metrics/modeCoverage.ts';
export {
  type MsSsimDiversity,
  type MsSsimDiversityOptions,
  type MsSsimOptions,
  msSsim,
  msSsimDiversity,
} from './metrics/msSsim.ts';
export { type NearestNeighbourTest, nearestNeighbourTest } from './metrics/nearestNeighbourTest.ts';
export { type ParzenLogLikelihood, type ParzenOptions, parzenLogLikelihood } from './metrics/parzen.ts';
export {
  type DensityCoverage,
  densityCoverage,
  type NeighbourhoodOptions,
  type PrecisionRecall,
  precisionRecall,
} from './metrics/precisionRecall.ts';
export { RANDOM_FEATURES, RandomFeatures } from './metrics/randomFeatures.ts';
export { type MetricSamples, metricSamples } from './metrics/samples.ts';
export { type SlicedWassersteinOptions, slicedWasserstein, slicedWassersteinTo } from './metrics/slicedWasserstein.ts';
export { type MetricName, metrics } from './metrics/table.ts';
export { type MnistNetworksOptions, mnistNetworks } from './models/mnist.ts';
export type { Networks } from './models/networks.ts';
export { gradientPenalty } from './penalty.ts';
export { type ByteImage, type GridOptions, tileImages } from './run/grid.ts';
export { type CriticReport, WganGp, type WganGpOptions } from './wganGp.ts';
