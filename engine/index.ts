/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The engine: tensors on WebGPU or in float64, and gradients of any order. {@link init} opens a device, {@link tensor} makes
 * tensors, {@link grad} differentiates, {@link scope} frees.
 *
 * Shapes are written [N,H,W,C]: images have their channels last. Axes may be counted from the end (-1 is the last). Where an
 * op takes two tensors they broadcast as in NumPy: aligned at the right, sizes equal or 1. Every function that takes a tensor
 * first is a method too: `x.mul(y)`.
 * @module wgrad
 */

export { type AdapterName, adapterNames } from './adapters.ts';
export { detectAnomaly } from './autograd/anomaly.ts';
export { type BackwardOptions, backward } from './autograd/backward.ts';
export { checkpoint } from './autograd/checkpoint.ts';
export { convMatrix } from './autograd/convMatrix.ts';
export { type GradOptions, grad, valueAndGrad } from './autograd/grad.ts';
export { gradcheck, gradgradcheck } from './autograd/gradcheck.ts';
export type { Fn as GradcheckFunction, GradcheckOptions } from './autograd/gradcheckOptions.ts';
export { enableGrad, noGrad } from './autograd/node.ts';
export { hessian, hvp, jacobian, jvp, type TensorFunction, vhp, vjp } from './autograd/transforms.ts';
export { type CompiledStep, compile } from './compile/compile.ts';
export { eachRun, Live, live } from './compile/live.ts';
export { customOp } from './custom/customOp.ts';
export type { CustomKernel, CustomOp, CustomOpContext, SavedResult } from './custom/customOpTypes.ts';
export { type KernelcheckOptions, kernelcheck } from './custom/kernelcheck.ts';
export type { Device, Memory, Values } from './device.ts';
export { withDevice } from './device.ts';
export {
  AnomalyError,
  DeviceError,
  GradcheckError,
  GradError,
  KernelcheckError,
  ShapeError,
  UseAfterFreeError,
} from './errors.ts';
export { destroy, type InitOptions, init } from './init.ts';
export { elu, gelu, hardtanh, logSigmoid, prelu, relu6, selu, silu, softplus } from './ops/activations.ts';
export { atan2, pow, remainder } from './ops/arithmetic.ts';
export {
  type AttentionOptions,
  type AttentionWeightsOptions,
  attentionWeights,
  scaledDotProductAttention,
} from './ops/attention.ts';
export {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  type WeightedLossOptions,
} from './ops/binaryLosses.ts';
export { cholesky, trilInverse } from './ops/cholesky.ts';
export {
  equal,
  greater,
  greaterEqual,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  notEqual,
  where,
} from './ops/comparison.ts';
export {
  type Conv2dOptions,
  type ConvTranspose2dOptions,
  conv2d,
  conv2dWeight,
  convTranspose2d,
  type Pair,
} from './ops/conv.ts';
export {
  type Conv1dOptions,
  type ConvTranspose1dOptions,
  conv1d,
  conv1dWeight,
  convTranspose1d,
} from './ops/conv1d.ts';
export {
  type Conv3dOptions,
  type ConvTranspose3dOptions,
  conv3d,
  conv3dWeight,
  convTranspose3d,
  type Triple,
} from './ops/conv3d.ts';
export { type CreateOptions, full, ones, type StreamPlace, zeros } from './ops/create.ts';
export { fullLike, onesLike, zerosLike } from './ops/createLike.ts';
export { dropout } from './ops/dropout.ts';
export { einsum } from './ops/einsum.ts';
export {
  abs,
  add,
  clone,
  div,
  exp,
  leakyRelu,
  log,
  maximum,
  minimum,
  mul,
  neg,
  relu,
  rsqrt,
  sigmoid,
  sign,
  sqrt,
  square,
  sub,
  type TensorLike,
  tanh,
} from './ops/elementwise.ts';
export { all, any, argmax, argmin, max, min } from './ops/extrema.ts';
export { type GridSampleOptions, gridSample } from './ops/gridSample.ts';
export { type AffineNormOptions, batchNormInference, groupNorm, instanceNorm } from './ops/groupNorm.ts';
export {
  checkIndices,
  embedding,
  gather,
  type Indices,
  indexSelect,
  oneHot,
  scatterAdd,
  take,
} from './ops/indexing.ts';
export {
  dot,
  outer,
  type PowerIterationOptions,
  powerIteration,
  type SingularVectors,
  type SpectralNorm,
  spectralNorm,
} from './ops/linalg.ts';
export { type CrossEntropyOptions, crossEntropy, type LossReduction, type NllOptions, nllLoss } from './ops/losses.ts';
export { type MatmulOptions, matmul } from './ops/matmul.ts';
export { concat, permute, type Range, reshape, slice, transpose } from './ops/movement.ts';
export { type BatchNormResult, batchNorm, layerNorm, type NormOptions } from './ops/normalization.ts';
export { logSumExp, norm, std } from './ops/norms.ts';
export { copyFrom } from './ops/optim.ts';
export { type PadOptions, pad } from './ops/pad.ts';
export {
  type AvgPool1dOptions,
  type AvgPool2dOptions,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  avgPool1d,
  avgPool2d,
  globalAvgPool,
  type MaxPool1dOptions,
  type MaxPool2dOptions,
  maxPool1d,
  maxPool2d,
} from './ops/pool.ts';
export { type Eigensystem, eigh, type QrFactors, qr } from './ops/qrEigh.ts';
export { broadcastTo, mean, type ReduceOptions, sum, type VarianceOptions, variance } from './ops/reduce.ts';
export { type ResizeBilinearOptions, type ResizeOptions, resizeBilinear, resizeNearest } from './ops/resize.ts';
export { cumprod, cumsum, linearScan, prod, type ScanOptions } from './ops/scan.ts';
export { arange, eye, linspace } from './ops/sequences.ts';
export {
  chunk,
  depthToSpace,
  diag,
  flip,
  repeat,
  repeatInterleave,
  roll,
  spaceToDepth,
  split,
  squeeze,
  stack,
  tile,
  tril,
  triu,
  unsqueeze,
} from './ops/shapes.ts';
export { logSoftmax, softmax } from './ops/softmax.ts';
export { argsort, type Sorted, type SortOptions, sort, type TopkOptions, topk } from './ops/sort.ts';
export {
  atan,
  ceil,
  clamp,
  cos,
  cosh,
  erf,
  expm1,
  floor,
  isFinite,
  isNaN,
  log1p,
  reciprocal,
  round,
  sin,
  sinh,
  tan,
} from './ops/unary.ts';
export { type ReferenceDevice, reference } from './reference/device.ts';
export {
  defaultRng,
  manualSeed,
  type NormalOptions,
  Rng,
  type RngState,
  rand,
  randint,
  randn,
  type TruncatedNormalOptions,
  type UniformOptions,
} from './rng.ts';
export { Tape, type TapeCotangent, type TapeEntry, type TapeStep, tape } from './tape/tape.ts';
export { type TraceOptions, trace } from './tape/trace.ts';
export { currentMemory as memory } from './tensor/memory.ts';
export { scope } from './tensor/scope.ts';
export type { Shape } from './tensor/shape.ts';
export { sizeOf } from './tensor/shape.ts';
export { type Hook, keep, type Nested, Tensor, type TensorOptions, tensor } from './tensor/tensor.ts';
export { type Counters, type GpuDevice, type KernelFamily, WebGpuDevice } from './webgpu/device.ts';
export type { ProfileEntry } from './webgpu/profiler.ts';
export { measureRoofs, type Roofs } from './webgpu/roofs.ts';
