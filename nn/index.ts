/**
 * Modules, layers, initialisers and optimizers. A layer is called with `forward`; its parameters live until they are disposed of.
 * @module wgrad/nn
 */
export { LeakyReLU, ReLU, Sigmoid, Tanh } from './activation.ts';
export { Adam, type AdamOptions, EMA } from './adam.ts';
export { Conv2d, ConvTranspose2d } from './conv.ts';
export * as init from './init.ts';
export { Linear, type WeightOptions } from './linear.ts';
export { type Initializer, Module, Parameter, State } from './module.ts';
export { BatchNorm2d, type BatchNormOptions, LayerNorm, withoutTracking } from './norm.ts';
export { Flatten, Reshape, Sequential } from './sequential.ts';
