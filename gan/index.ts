/**
 * Generative adversarial networks: networks, training steps, penalties, data and metrics. Everything here also runs in a browser.
 * @module wgrad/gan
 */
export { type IdxArray, parseIdx } from './data/idx.ts';
export { type CriticReport, Gan, type GanOptions, type MakeOptimizer } from './gan.ts';
export { DIGIT_FEATURES, DigitClassifier } from './metrics/digitClassifier.ts';
export { type SlicedWassersteinOptions, slicedWasserstein, slicedWassersteinTo } from './metrics/slicedWasserstein.ts';
export { type DcganOptions, type DcganSmallOptions, dcgan, dcganSmall } from './models/dcgan.ts';
export { type MlpActivation, type MlpOptions, mlp, toyNetworks } from './models/mlp.ts';
export { type MnistNetworksOptions, mnistNetworks } from './models/mnist.ts';
export { createNetworks, type Model, type ModelName, models, type NetworksOptions } from './models/models.ts';
export type { Networks } from './models/networks.ts';
export { type CriticNorm, type CriticOptions, criticNorms } from './models/parts.ts';
export { type ResnetOptions, resnet } from './models/resnet.ts';
export {
  type Estimate,
  type Objective,
  type ObjectiveName,
  type ObjectiveOptions,
  objective,
  objectiveNames,
} from './objectives/objective.ts';
export {
  draganPenalty,
  type GradientPenaltyOptions,
  gradientPenalty,
  slopes,
  zeroCentredPenalty,
} from './objectives/penalty.ts';
export { type Regularizer, type RegularizerName, regularizer, regularizerNames } from './objectives/regularizer.ts';
export { type ByteImage, type GridOptions, tileImages } from './run/grid.ts';
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
export { linearDecay, type RealBatches, type StepRow, Training, type TrainingOptions } from './train/training.ts';
export { createWatch, DivergenceError } from './train/watch.ts';
// Divergences and optimal transport.
export {
  chiSquareDivergence,
  hellingerDistance,
  jsDivergence,
  klDivergence,
  reverseKlDivergence,
  totalVariation,
} from './transport/divergences.ts';
export { type Histogram, type HistogramOptions, histogram } from './transport/histogram.ts';
export {
  binSimilarity,
  chiSquareStatistic,
  histogramIntersection,
  kolmogorovSmirnov,
  matchDistance,
  minkowskiDistance,
  quadraticFormDistance,
} from './transport/histogramDistances.ts';
export type { LineMeasure, PiecewiseConstantDensity, WeightedSamples } from './transport/line.ts';
export type { LinePotential } from './transport/linePotential.ts';
export { normalizeMasses } from './transport/masses.ts';
export { type PointCostsOptions, pointCosts } from './transport/pointCosts.ts';
export { cTransform, type PotentialOptions, potentialFrom } from './transport/potential.ts';
export { type SinkhornIterations, type SinkhornOptions, type SinkhornResult, sinkhorn } from './transport/sinkhorn.ts';
export { type SinkhornLossOptions, sinkhornDivergence, sinkhornLoss } from './transport/sinkhornDivergence.ts';
export { type SlicedWassersteinLossOptions, slicedWassersteinLoss } from './transport/slicedWassersteinLoss.ts';
export {
  type LineTransport,
  type MovedMass,
  transport1d,
  type Wasserstein1dOptions,
  wasserstein1d,
} from './transport/wasserstein1d.ts';
