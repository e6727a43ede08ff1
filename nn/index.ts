/**
 * Modules, layers, initialisers and optimizers. A layer is called with `forward`; its parameters live until they are disposed of.
 * @module wgrad/nn
 */
export * from './data/index.ts';
export * as init from './init.ts';
export { type CheckpointInfo, decodeCheckpoint, encodeCheckpoint } from './io/checkpoint.ts';
export type { Dtype, ElementArray } from './io/dtypes.ts';
export type { UnreadTensor } from './io/foreign.ts';
export type { Metadata, TensorInfo } from './io/header.ts';
export type { Json } from './io/json.ts';
export { fromPyTorch, type PyTorchOptions, toPyTorch } from './io/pytorch.ts';
export type { FlattenedImages } from './io/pytorchParts.ts';
export {
  decodeSafetensors,
  encodeSafetensors,
  type Safetensors,
  type StoredTensor,
  type TensorMap,
} from './io/safetensors.ts';
export type { CheckpointParts, Stateful } from './io/stateful.ts';
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
export { BatchNorm1d, BatchNorm2d, BatchNorm3d, type BatchNormOptions } from './layers/batchNorm.ts';
export { Bilinear } from './layers/bilinear.ts';
export {
  AdaIN,
  type AdaINOptions,
  ConditionalBatchNorm,
  type ConditionalBatchNormOptions,
} from './layers/conditionalNorm.ts';
export { Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from './layers/conv.ts';
export type { ConvLayerOptions, PaddingMode } from './layers/convNd.ts';
export { AlphaDropout, Dropout, Dropout2d, type DropoutOptions } from './layers/dropout.ts';
export { Embedding, type EmbeddingOptions } from './layers/embedding.ts';
export { type EqualizedLearningRateOptions, equalizedLearningRate } from './layers/equalizedLearningRate.ts';
export { InstanceNorm1d, InstanceNorm2d, InstanceNorm3d, type InstanceNormOptions } from './layers/instanceNorm.ts';
export { Linear, type WeightOptions } from './layers/linear.ts';
export { MinibatchDiscrimination, MinibatchStdDev, type MinibatchStdDevOptions } from './layers/minibatch.ts';
export {
  MultiheadAttention,
  type MultiheadAttentionCall,
  type MultiheadAttentionOptions,
} from './layers/multiheadAttention.ts';
export {
  GroupNorm,
  type GroupNormOptions,
  LayerNorm,
  type LayerNormOptions,
  PixelNorm,
  RMSNorm,
  type RMSNormOptions,
} from './layers/norm.ts';
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
export { type SpectralNormOptions, spectralNorm } from './layers/spectralNorm.ts';
export {
  type EncoderMasks,
  TransformerEncoderLayer,
  type TransformerEncoderLayerOptions,
} from './layers/transformer.ts';
export type { WeightedModule } from './layers/weighted.ts';
export { type WeightNormOptions, weightNorm } from './layers/weightNorm.ts';
export * from './losses/index.ts';
export { Loss } from './losses/loss.ts';
export {
  BCELoss,
  BCEWithLogitsLoss,
  CosineEmbeddingLoss,
  CosineSimilarity,
  CrossEntropyLoss,
  GaussianNLLLoss,
  HuberLoss,
  KLDivLoss,
  L1Loss,
  MSELoss,
  MultiMarginLoss,
  NLLLoss,
  PoissonNLLLoss,
  SmoothL1Loss,
  TripletMarginLoss,
} from './losses/modules.ts';
export type { AnyModule } from './module/anyModule.ts';
export type { ForwardHook, ForwardPreHook } from './module/callStep.ts';
export { functionalCall } from './module/functionalCall.ts';
export { type InitializeOptions, initialize } from './module/initialize.ts';
export { Module } from './module/module.ts';
export { Buffer, type Fans, type Initializer, Parameter } from './module/parameter.ts';
export {
  isParametrized,
  type Parametrization,
  registerParametrization,
  removeParametrizations,
} from './module/parametrize.ts';
export {
  channelsFirst,
  type FeatureAxes,
  featureVectors,
  type ParametrizationTensor,
  type PyTorchRule,
} from './module/pyTorchRule.ts';
export type { StateNumbers, StateValue } from './module/state.ts';
export { type ModuleSummary, type SummaryRow, summary } from './module/summary.ts';
export { withoutTracking } from './module/tracking.ts';
export { exportOnnx, type OnnxOptions } from './onnx/export.ts';
export { Adagrad, type AdagradOptions } from './optim/adagrad.ts';
export { Adam, type AdamOptions, AdamW, type AdamWOptions } from './optim/adam.ts';
export { type ClippedGradients, clipGradNorm, clipGradValue, clipWeights } from './optim/clip.ts';
export { EMA } from './optim/ema.ts';
export { Lion, type LionOptions } from './optim/lion.ts';
export { OneCycleLR, type OneCycleLROptions } from './optim/oneCycle.ts';
export {
  type AnyOptimizer,
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
