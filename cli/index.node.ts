/**
 * The command line as functions, for Node: run folders, reports, comparisons, animations, logs for TensorBoard.
 * @module wgrad/cli
 */

export {
  type AnimateRunOptions,
  type AnimationOptions,
  animateRun,
  writeAnimation,
} from './pages/animation.node.ts';
export { writeComparison } from './pages/compare.node.ts';
export { type ReportOptions, writeReport } from './pages/report.node.ts';
export { openTensorBoard, type TensorBoardLog, writeTensorBoard } from './pages/tensorboard.node.ts';
export type { Resumption, RunAbout } from './run/configFile.node.ts';
export { type OpenedRun, type OpenRunOptions, openRun } from './run/openRun.node.ts';
