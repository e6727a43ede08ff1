/**
 * Generative adversarial networks, for Node: data sets in files, pictures, linear programs. `wgrad/gan` has what also runs in a browser.
 * @module wgrad/gan/node
 */

export { type DataSetEntry, dataSets, openData, openSampleSet } from './data/datasets.node.ts';
export type { ImageFit, SkippedFile } from './data/decodeImages.node.ts';
export * from './data/describeDataSets.node.ts';
export { type EmojiOptions, type EmojiVendor, emoji } from './data/emoji.node.ts';
export {
  type GlyphHand,
  type GlyphOptions,
  type GlyphPairs,
  type GlyphPairsOptions,
  type Glyphs,
  glyphDomain,
  glyphPairs,
  glyphs,
} from './data/glyphs.node.ts';
export type { Mnist } from './data/idxImages.node.ts';
export { type ImageFolderOptions, type ImageFolderSet, imageFolder } from './data/imageFolder.node.ts';
export * from './data/mnist.node.ts';
export * from './data/sampleSetOptions.node.ts';
export { loadDigitClassifier } from './metrics/digitClassifier.node.ts';
export { plot } from './pictures/plot.ts';
export { type Curve, type CurvePlot, type Panel, plotCurves } from './pictures/plotCurves.ts';
export { writePng } from './pictures/png.node.ts';
export { pointsImage } from './pictures/points.node.ts';
export { boxOf, type PointsPlot, plotPoints } from './pictures/points.ts';
export * from './transport/linearProgram.node.ts';
