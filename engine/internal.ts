/**
 * What the folders on top of the engine are built with, and nobody else needs: options that are checked, values of the host in compiled steps,
 * and the ops of optimizers and layers. The package has no entry for it; of its names, those that its users need are exported by the folder above that uses them.
 * @module
 */
export * as calls from './arguments/calls.ts';
export { checked, checkedList, checkedNumber, defined, shown } from './arguments/options.ts';
export * as ranges from './arguments/ranges.ts';
export { checkRange, checkRanges, type OptionRange } from './arguments/ranges.ts';
export { decided, noteDecision, notePlace } from './compile/live.ts';
export { refusePromise } from './errors.ts';
export {
  type AdagradStep,
  type AdamStep,
  type ClampInPlaceParams,
  clampInPlace,
  type EmaStep,
  emaStep,
  type LionStep,
  optimizerStep,
  type RmspropStep,
  type RuleName,
  type RunningStatsParams,
  type SgdStep,
  type Slots,
  type StepParams,
  type StepRules,
  stepStates,
  updateRunningStats,
} from './ops/optim.ts';
