/**
 * Generative adversarial networks: networks, training steps, penalties, data and metrics. Everything here also runs in a browser.
 * @module wgrad/gan
 */
export { type OptionRange, ranges } from '../engine/internal.ts';
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
export type { DataSource, Split } from './data/dataSource.ts';
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
export { isPairSet, isSampleSet, type Need } from './data/needs.ts';
export type { PairSamples, PairSet } from './data/pairSet.ts';
export { resizeSet } from './data/resizeImages.ts';
export type { Modes, SampleSet, Samples } from './data/sampleSet.ts';
export { selectClasses } from './data/selectClasses.ts';
export { type StackDigitsOptions, stackDigits } from './data/stackDigits.ts';
export { type TrainingSample, type TrainingSet, trainingData, trainingLoader } from './data/trainingData.ts';
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
export { distanceToTruth } from './metrics/distanceToTruth.ts';
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
export { type Pca, pca } from './metrics/pca.ts';
export {
  type DensityCoverage,
  densityCoverage,
  type NeighbourhoodOptions,
  type PrecisionRecall,
  precisionRecall,
} from './metrics/precisionRecall.ts';
export { principalAngles } from './metrics/principalAngles.ts';
export { RANDOM_FEATURES, RandomFeatures } from './metrics/randomFeatures.ts';
export { retrieval } from './metrics/retrieval.ts';
export { type MetricSamples, metricSamples } from './metrics/samples.ts';
export { type SlicedWassersteinOptions, slicedWasserstein, slicedWassersteinTo } from './metrics/slicedWasserstein.ts';
export { type Strokes, strokes } from './metrics/strokes.ts';
export { type MetricName, metrics } from './metrics/table.ts';
export {
  ConditionalCritic,
  type ConditionalDcganOptions,
  ConditionalGenerator,
  type ConditionalNetworks,
  conditionalDcgan,
} from './networks/conditionalDcgan.ts';
export { type DcganOptions, type DcganSmallOptions, dcgan, dcganSmall } from './networks/dcgan.ts';
export { type MlpActivation, type MlpOptions, mlp, toyNetworks } from './networks/mlp.ts';
export { createNetworks, type Model, type ModelName, models, type NetworksOptions } from './networks/models.ts';
export type { Networks } from './networks/networks.ts';
export { type CriticNorm, type CriticOptions, criticNorms } from './networks/parts.ts';
export { type PatchCriticOptions, patchCritic } from './networks/patchCritic.ts';
export { type ResnetOptions, resnet } from './networks/resnet.ts';
export { type TranslatorOptions, translator } from './networks/translator.ts';
export {
  type Estimate,
  type Objective,
  type ObjectiveName,
  type ObjectiveOptions,
  objective,
  objectiveNames,
} from './objectives/objective.ts';
export {
  type CriticFunction,
  draganPenalty,
  type GradientPenaltyOptions,
  gradientNorms,
  gradientPenalty,
  zeroCentredPenalty,
} from './objectives/penalty.ts';
export { type Regularizer, type RegularizerName, regularizer, regularizerNames } from './objectives/regularizer.ts';
export { type ByteImage, type GridOptions, tileImages } from './pictures/grid.ts';
export { type LabelledGridOptions, labelTiles, type TitleOptions, titled } from './pictures/labels.ts';
export { movingMean, type Spread, spreadOf } from './pictures/plotData.ts';
export type {
  BandSeries,
  BarSeries,
  HistogramSeries,
  LevelSeries,
  LineSeries,
  PlotAxis,
  PlotOptions,
  PlotPanel,
  PlotPoint,
  PlotSeries,
  ScatterSeries,
  SeriesBase,
} from './pictures/plotTypes.ts';
export { type MakeOptimizer, minimiseTogether, Player, type PlayerOptions } from './player.ts';
export type { Row } from './row.ts';
export { MOST_SECONDS, type RunSettings, runSettings } from './runSettings.ts';
export {
  type DrawOptions,
  drawSamples,
  type LatentGenerator,
  type SampleArray,
  type StandingStatisticsOptions,
  type Statistics,
  standingStatistics,
} from './sampling/draw.ts';
export { drawClasses } from './sampling/drawClasses.ts';
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
export { mapSamples } from './sampling/mapSamples.ts';
export {
  type NeighbourOptions,
  type Neighbours,
  nearestNeighbours,
  samplesAt,
  withNeighbours,
} from './sampling/neighbours.ts';
export { type AnySettings, checkSettings, defaultsOf, type Setting, type Settings } from './settings.ts';
export type { RandomStream } from './streams.ts';
export {
  type Batches,
  type Columns,
  type Drawing,
  disposeSystem,
  type Progress,
  partsOf,
  type Stream,
  type Streams,
  type System,
} from './system.ts';
export { Gan } from './systems/adversarial.ts';
export {
  type Autoencoder,
  angleToComponents,
  errorBesideComponents,
  type LinearDecoder,
  restoredSamples,
} from './systems/autoencoders.ts';
export { Cgan, type CganSettings } from './systems/cgan.ts';
export { type ClassConditional, classGrid, classSeen } from './systems/classes.ts';
export { Cyclegan, type CycleganSettings } from './systems/cyclegan.ts';
export type { CriticReport, GanOptions, GanScalar } from './systems/ganOptions.ts';
export { type PresetName, presets } from './systems/ganPresets.ts';
export { type GanSettings, type OptimizerName, optimizerNames, parseRegularizer } from './systems/ganSettings.ts';
export { LinearAutoencoder, type LinearAutoencoderSettings } from './systems/linearAutoencoder.ts';
export { ReplayPool, type ReplayPoolOptions } from './systems/pool.ts';
export type {
  Control,
  DataShape,
  Lab,
  Making,
  Measure,
  Method,
  Picture,
  Preset,
  Show,
  SystemRow,
} from './systems/row.ts';
export {
  type AnySystemRow,
  checkConfig,
  configure,
  createSystem,
  type RunConfig,
  type SystemName,
  type Systems,
  settingsOf,
  streamsOf,
  systemNames,
  systems,
} from './systems/table.ts';
export { type Translator, translationMeasures, translations } from './systems/translations.ts';
export { linearDecay, type StepRow, type StopSignal, type TrainOptions, train } from './train.ts';
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
export { createWatch, DivergenceError } from './watch.ts';
