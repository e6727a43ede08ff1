/** wgrad's engine: tensors on WebGPU or in float64, and gradients of any order. */
import './methods.ts';

export { type BackwardOptions, backward } from './backward.ts';
export { convMatrix } from './convMatrix.ts';
export { type CustomOp, customOp } from './customOp.ts';
export type { Device, Memory, Values } from './device.ts';
export { withDevice } from './device.ts';
export { DeviceError, GradcheckError, GradError, refusePromise, ShapeError, UseAfterFreeError } from './errors.ts';
export { type GradOptions, grad, valueAndGrad } from './grad.ts';
export { type GradcheckOptions, gradcheck, gradgradcheck } from './gradcheck.ts';
export { type AdapterName, destroy, type InitOptions, init } from './init.ts';
export { currentMemory as memory } from './memory.ts';
export { enableGrad, noGrad } from './node.ts';
export {
  type Conv2dOptions,
  type ConvTranspose2dOptions,
  conv2d,
  conv2dWeight,
  convTranspose2d,
  type Pair,
} from './ops/conv.ts';
export { full, ones, zeros } from './ops/create.ts';
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
export { type MatmulOptions, matmul } from './ops/matmul.ts';
export { concat, permute, type Range, reshape, slice, transpose } from './ops/movement.ts';
export { type BatchNormResult, batchNorm, layerNorm, type NormOptions } from './ops/norm.ts';
export { type AdamParams, adamStep, emaStep, updateRunningStats } from './ops/optim.ts';
export { broadcastTo, mean, type ReduceOptions, sum, variance } from './ops/reduce.ts';
export { Generator, manualSeed, rand, randn } from './random.ts';
export { reference } from './reference/device.ts';
export { measureRoofs, type Roofs } from './roofs.ts';
export { scope } from './scope.ts';
export type { Shape } from './shape.ts';
export { Tape, type TapeEntry, type TapeStep, tape } from './tape.ts';
export { type Hook, keep, type Nested, Tensor, type TensorOptions, tensor } from './tensor.ts';
export { hessian, hvp, jacobian, jvp, type TensorFunction, vhp, vjp } from './transforms.ts';
export { WebGpuDevice } from './webgpu/device.ts';
