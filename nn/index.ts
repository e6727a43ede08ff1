/**
 * Modules, layers, initialisers and optimizers. A layer is called with `forward`; its parameters live until they are disposed of.
 * @module wgrad/nn
 */
export * as init from './init.ts';
export { LeakyReLU, ReLU, Sigmoid, Tanh } from './layers/activation.ts';
export { BatchNorm1d, BatchNorm2d, BatchNorm3d, type BatchNormOptions } from './layers/batchNorm.ts';
export {
  AdaIN,
  type AdaINOptions,
  ConditionalBatchNorm,
  type ConditionalBatchNormOptions,
} from './layers/conditionalNorm.ts';
export { Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from './layers/conv.ts';
export type { ConvLayerOptions, PaddingMode } from './layers/convNd.ts';
export { type EqualizedLearningRateOptions, equalizedLearningRate } from './layers/equalizedLearningRate.ts';
export { InstanceNorm1d, InstanceNorm2d, InstanceNorm3d, type InstanceNormOptions } from './layers/instanceNorm.ts';
export { Linear, type WeightOptions } from './layers/linear.ts';
export {
  GroupNorm,
  type GroupNormOptions,
  LayerNorm,
  type LayerNormOptions,
  PixelNorm,
  RMSNorm,
  type RMSNormOptions,
} from './layers/norm.ts';
export { Flatten, Reshape, Sequential } from './layers/sequential.ts';
export { type SpectralNormOptions, spectralNorm } from './layers/spectralNorm.ts';
export type { WeightedModule } from './layers/weighted.ts';
export { type WeightNormOptions, weightNorm } from './layers/weightNorm.ts';
export { functionalCall } from './module/functionalCall.ts';
export { type AnyModule, type ForwardHook, type ForwardPreHook, Module, type StateValue } from './module/module.ts';
export { Buffer, type Initializer, Parameter } from './module/parameter.ts';
export {
  isParametrized,
  type Parametrization,
  registerParametrization,
  removeParametrizations,
} from './module/parametrize.ts';
export { type ModuleSummary, type SummaryRow, summary } from './module/summary.ts';
export { withoutTracking } from './module/tracking.ts';
export { Adam, type AdamOptions, EMA } from './optim/adam.ts';
