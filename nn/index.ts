/**
 * Modules, layers, initialisers and optimizers. A layer is called with `forward`; its parameters live until they are disposed of.
 * @module wgrad/nn
 */
export * from './data/index.ts';
export * as init from './init.ts';
export { LeakyReLU, ReLU, Sigmoid, Tanh } from './layers/activation.ts';
export { Conv2d, ConvTranspose2d } from './layers/conv.ts';
export { Linear, type WeightOptions } from './layers/linear.ts';
export { BatchNorm2d, type BatchNormOptions, LayerNorm, withoutTracking } from './layers/norm.ts';
export { Flatten, Reshape, Sequential } from './layers/sequential.ts';
export * from './losses/index.ts';
export { functionalCall } from './module/functionalCall.ts';
export { type InitializeOptions, initialize } from './module/initialize.ts';
export { type AnyModule, type ForwardHook, type ForwardPreHook, Module, type StateValue } from './module/module.ts';
export { Buffer, type Initializer, Parameter } from './module/parameter.ts';
export { type ModuleSummary, type SummaryRow, summary } from './module/summary.ts';
export { Adam, type AdamOptions, EMA } from './optim/adam.ts';
