/**
 * Modules, layers, initialisers and optimizers. A layer is called with `forward`; its parameters live until they are disposed of.
 * @module wgrad/nn
 */
export * as init from './init.ts';
export {
  ELU,
  GELU,
  Hardsigmoid,
  Hardswish,
  Hardtanh,
  LeakyReLU,
  LogSigmoid,
  Mish,
  PReLU,
  ReLU,
  ReLU6,
  SELU,
  Sigmoid,
  SiLU,
  Softplus,
  Softsign,
  Tanh,
} from './layers/activation.ts';
export { GLU, LogSoftmax, Maxout, Softmax } from './layers/alongAxis.ts';
export { Bilinear } from './layers/bilinear.ts';
export { Conv2d, ConvTranspose2d } from './layers/conv.ts';
export { AlphaDropout, Dropout, Dropout2d, type DropoutOptions } from './layers/dropout.ts';
export { Embedding, type EmbeddingOptions } from './layers/embedding.ts';
export { Linear, type WeightOptions } from './layers/linear.ts';
export { MinibatchDiscrimination, MinibatchStdDev, type MinibatchStdDevOptions } from './layers/minibatch.ts';
export {
  MultiheadAttention,
  type MultiheadAttentionCall,
  type MultiheadAttentionOptions,
} from './layers/multiheadAttention.ts';
export { BatchNorm2d, type BatchNormOptions, LayerNorm, withoutTracking } from './layers/norm.ts';
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AvgPool1d,
  AvgPool2d,
  GlobalAvgPool,
  MaxPool1d,
  MaxPool2d,
} from './layers/pool.ts';
export { GRU, LSTM, Recurrent, type RecurrentOptions, RNN, type RNNOptions } from './layers/recurrent.ts';
export {
  GRUCell,
  LSTMCell,
  type LSTMState,
  RecurrentCell,
  type RecurrentCellOptions,
  RNNCell,
  type RNNCellOptions,
} from './layers/recurrentCells.ts';
export { Flatten, Identity, Reshape, Unflatten } from './layers/reshape.ts';
export {
  Pad,
  type PadLayerOptions,
  PixelShuffle,
  PixelUnshuffle,
  Upsample,
  type UpsampleOptions,
} from './layers/resize.ts';
export { SelfAttention2d, type SelfAttention2dOptions } from './layers/selfAttention.ts';
export { Residual, Sequential, type Stage } from './layers/sequential.ts';
export {
  type EncoderMasks,
  TransformerEncoderLayer,
  type TransformerEncoderLayerOptions,
} from './layers/transformer.ts';
export { functionalCall } from './module/functionalCall.ts';
export { type AnyModule, type ForwardHook, type ForwardPreHook, Module, type StateValue } from './module/module.ts';
export { Buffer, type Initializer, Parameter } from './module/parameter.ts';
export { type ModuleSummary, type SummaryRow, summary } from './module/summary.ts';
export { Adam, type AdamOptions, EMA } from './optim/adam.ts';
