/**
 * Modules, layers, initialisers and optimizers. A layer is called with `forward`; its parameters live until they are disposed of.
 * @module wgrad/nn
 */
export * as init from './init.ts';
export { type CheckpointInfo, decodeCheckpoint, encodeCheckpoint } from './io/checkpoint.ts';
export type { Dtype, ElementArray } from './io/dtypes.ts';
export type { Metadata, TensorInfo } from './io/header.ts';
export type { Json } from './io/json.ts';
export { type FlattenedImages, fromPyTorch, type PyTorchOptions, toPyTorch } from './io/pytorch.ts';
export {
  decodeSafetensors,
  encodeSafetensors,
  type Safetensors,
  type StoredTensor,
  type TensorMap,
} from './io/safetensors.ts';
export type { CheckpointParts, Stateful } from './io/stateful.ts';
export { LeakyReLU, ReLU, Sigmoid, Tanh } from './layers/activation.ts';
export { Conv2d, ConvTranspose2d } from './layers/conv.ts';
export { Linear, type WeightOptions } from './layers/linear.ts';
export { BatchNorm2d, type BatchNormOptions, LayerNorm, withoutTracking } from './layers/norm.ts';
export { Flatten, Reshape, Sequential } from './layers/sequential.ts';
export { functionalCall } from './module/functionalCall.ts';
export { type AnyModule, type ForwardHook, type ForwardPreHook, Module, type StateValue } from './module/module.ts';
export { Buffer, type Initializer, Parameter } from './module/parameter.ts';
export { channelsFirst, type FeatureAxes, featureVectors, type PyTorchRule } from './module/pyTorchRule.ts';
export { type ModuleSummary, type SummaryRow, summary } from './module/summary.ts';
export { Adam, type AdamOptions, EMA } from './optim/adam.ts';
