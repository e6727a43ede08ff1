/**
 * Files of runs, for Node: plots, pages and logs for TensorBoard.
 * @module wgrad/gan/node
 */
// Plots and pages
export { writeComparison } from './run/compare.node.ts';
export type { Row } from './run/folder.node.ts';
export { type Curve, type CurvePlot, type Panel, plot, plotCurves } from './run/plot.node.ts';
export { type ReportOptions, writeReport } from './run/report.node.ts';
export { openTensorBoard, type TensorBoardLog, writeTensorBoard } from './run/tensorboard.node.ts';
