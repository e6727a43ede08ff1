/**
 * Modules, layers, initialisers and optimizers. A layer is called with `forward`; its parameters live until they are disposed of.
 * @module wgrad/nn
 */
export * as init from './init.ts';
export { LeakyReLU, ReLU, Sigmoid, Tanh } from './layers/activation.ts';
export { Conv2d, ConvTranspose2d } from './layers/conv.ts';
export { Linear, type WeightOptions } from './layers/linear.ts';
export { BatchNorm2d, type BatchNormOptions, LayerNorm, withoutTracking } from './layers/norm.ts';
export { Flatten, Reshape, Sequential } from './layers/sequential.ts';
export { functionalCall } from './module/functionalCall.ts';
export { type AnyModule, type ForwardHook, type ForwardPreHook, Module } from './module/module.ts';
export { Buffer, type Initializer, Parameter } from './module/parameter.ts';
export type { StateNumbers, StateValue } from './module/state.ts';
export { type ModuleSummary, type SummaryRow, summary } from './module/summary.ts';
export { Adagrad, type AdagradOptions } from './optim/adagrad.ts';
export { Adam, type AdamOptions, AdamW, type AdamWOptions } from './optim/adam.ts';
export { type ClippedGradients, clipGradNorm, clipGradValue, clipWeights } from './optim/clip.ts';
export { EMA } from './optim/ema.ts';
export { Lion, type LionOptions } from './optim/lion.ts';
export { OneCycleLR, type OneCycleLROptions } from './optim/oneCycle.ts';
export {
  type GroupOptions,
  type LearningRate,
  Optimizer,
  type OptimizerParameters,
  type ParameterGroup,
} from './optim/optimizer.ts';
export { RMSprop, type RMSpropOptions } from './optim/rmsprop.ts';
export {
  CosineAnnealingLR,
  type CosineAnnealingLROptions,
  ExponentialLR,
  LambdaLR,
  LinearLR,
  type LinearLROptions,
  MultiStepLR,
  type MultiStepLROptions,
  SequentialLR,
  StepLR,
  type StepLROptions,
} from './optim/schedule.ts';
export {
  LRScheduler,
  type ScheduledGroup,
  type ScheduledOptimizer,
  type SchedulerState,
} from './optim/scheduler.ts';
export { SGD, type SGDOptions } from './optim/sgd.ts';
