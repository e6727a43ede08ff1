/**
 * Generative adversarial networks: networks, training steps, penalties, data and metrics. Everything here also runs in a browser. Of a
 * file that is listed with a star all exports are public.
 * @module wgrad/gan
 */
export { type OptionRange, ranges } from '../engine/internal.ts';
export * from './data/curves.ts';
export * from './data/dataSource.ts';
export { type Distribution, type PointSet, type PointSetOptions, pointSet } from './data/distribution.ts';
export { type IdxArray, parseIdx } from './data/idx.ts';
export * from './data/mixtures.ts';
export { isPairSet, isSampleSet, type Need } from './data/needs.ts';
export * from './data/pairSet.ts';
export * from './data/resizeImages.ts';
export type { Modes, SampleSet, Samples } from './data/sampleSet.ts';
export { selectClasses } from './data/selectClasses.ts';
export * from './data/stackDigits.ts';
export * from './data/trainingData.ts';
export * from './metrics/birthdayParadox.ts';
export * from './metrics/classificationAccuracy.ts';
export * from './metrics/digitClassifier.ts';
export * from './metrics/distanceToTruth.ts';
export * from './metrics/evaluate.ts';
export * from './metrics/features.ts';
export * from './metrics/frechet.ts';
export * from './metrics/inceptionScore.ts';
export * from './metrics/kid.ts';
export type { Dimensions, Metric, MetricContext, MetricNeeds, MetricSubject, Score } from './metrics/metric.ts';
export * from './metrics/mmd.ts';
export * from './metrics/modeCoverage.ts';
export * from './metrics/msSsim.ts';
export * from './metrics/nearestNeighbourTest.ts';
export * from './metrics/parzen.ts';
export * from './metrics/pca.ts';
export * from './metrics/precisionRecall.ts';
export * from './metrics/principalAngles.ts';
export { RANDOM_FEATURES, RandomFeatures } from './metrics/randomFeatures.ts';
export * from './metrics/retrieval.ts';
export { type MetricSamples, metricSamples } from './metrics/samples.ts';
export * from './metrics/slicedWasserstein.ts';
export * from './metrics/strokes.ts';
export * from './metrics/table.ts';
export * from './networks/conditionalDcgan.ts';
export { type DcganOptions, type DcganSmallOptions, dcgan, dcganSmall } from './networks/dcgan.ts';
export { type MlpActivation, type MlpOptions, mlp, toyNetworks } from './networks/mlp.ts';
export * from './networks/models.ts';
export * from './networks/networks.ts';
export { type CriticNorm, type CriticOptions, criticNorms } from './networks/parts.ts';
export * from './networks/patchCritic.ts';
export { type ResnetOptions, resnet } from './networks/resnet.ts';
export * from './networks/translator.ts';
export {
  type Estimate,
  type Objective,
  type ObjectiveName,
  type ObjectiveOptions,
  objective,
  objectiveNames,
} from './objectives/objective.ts';
export * from './objectives/penalty.ts';
export * from './objectives/regularizer.ts';
export * from './pictures/grid.ts';
export * from './pictures/labels.ts';
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
export * from './player.ts';
export type { RandomStream } from './randomStreams.ts';
export * from './row.ts';
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
export * from './sampling/drawClasses.ts';
export {
  type Box,
  evaluateField,
  type FieldOptions,
  levelSet,
  type Polyline,
  type ScalarField,
} from './sampling/field.ts';
export * from './sampling/interpolate.ts';
export * from './sampling/invert.ts';
export { analogy, meanLatent, type TowardsMeanOptions, towardsMean, truncatedLatents } from './sampling/latents.ts';
export * from './sampling/mapSamples.ts';
export * from './sampling/neighbours.ts';
export {
  type AnySettings,
  checkSettings,
  defaultsOf,
  type Setting,
  type Settings,
} from './settings.ts';
export {
  type Batches,
  type Columns,
  type Drawing,
  type DrawingOptions,
  disposeSystem,
  type Progress,
  partsOf,
  type Stream,
  type Streams,
  type System,
} from './system.ts';
export * from './systems/adversarial.ts';
export * from './systems/autoencoders.ts';
export { Cgan, type CganSettings } from './systems/cgan.ts';
export * from './systems/classes.ts';
export { Cyclegan, type CycleganSettings } from './systems/cyclegan.ts';
export type { CriticReport, GanOptions, GanScalar } from './systems/ganOptions.ts';
export * from './systems/ganPresets.ts';
export type { GanSettings } from './systems/ganSettings.ts';
export { LinearAutoencoder, type LinearAutoencoderSettings } from './systems/linearAutoencoder.ts';
export { type OptimizerName, optimizerNames } from './systems/optimizers.ts';
export * from './systems/pool.ts';
export * from './systems/row.ts';
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
export * from './systems/translations.ts';
export * from './train.ts';
export * from './transport/assignment.ts';
export * from './transport/divergences.ts';
export * from './transport/histogram.ts';
export * from './transport/histogramDistances.ts';
export type { LineMeasure, PiecewiseConstantDensity, WeightedSamples } from './transport/line.ts';
export type { LinePotential } from './transport/linePotential.ts';
export { normalizeMasses } from './transport/masses.ts';
export { type PointCostsOptions, pointCosts } from './transport/pointCosts.ts';
export * from './transport/potential.ts';
export { type SinkhornIterations, type SinkhornOptions, type SinkhornResult, sinkhorn } from './transport/sinkhorn.ts';
export { type SinkhornLossOptions, sinkhornDivergence, sinkhornLoss } from './transport/sinkhornDivergence.ts';
export * from './transport/slicedWassersteinLoss.ts';
export * from './transport/wasserstein1d.ts';
export * from './watch.ts';
