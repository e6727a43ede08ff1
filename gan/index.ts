/**
 * Generative adversarial networks: networks, training steps, penalties, data and metrics. Everything here also runs in a browser.
 * @module wgrad/gan
 */
export { type IdxArray, parseIdx } from './data/idx.ts';
export { DIGIT_FEATURES, DigitClassifier } from './metrics/digitClassifier.ts';
export { type SlicedWassersteinOptions, slicedWasserstein, slicedWassersteinTo } from './metrics/slicedWasserstein.ts';
export { type MnistNetworksOptions, mnistNetworks } from './models/mnist.ts';
export type { Networks } from './models/networks.ts';
export { gradientPenalty } from './penalty.ts';
export { type ByteImage, type GridOptions, tileImages } from './run/grid.ts';
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
export { type CriticReport, WganGp, type WganGpOptions } from './wganGp.ts';
