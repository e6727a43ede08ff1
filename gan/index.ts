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
// Plots
export { type Histogram, type HistogramOptions, histogram, movingMean, type Spread, spreadOf } from './run/plotData.ts';
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
} from './run/plotTypes.ts';
export { type CriticReport, WganGp, type WganGpOptions } from './wganGp.ts';
