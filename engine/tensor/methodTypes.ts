import type { BackwardOptions } from '../autograd/backward.ts';
import type { Conv2dOptions, ConvTranspose2dOptions, Pair } from '../ops/conv.ts';
import type { Conv1dOptions, ConvTranspose1dOptions } from '../ops/conv1d.ts';
import type { Conv3dOptions, ConvTranspose3dOptions } from '../ops/conv3d.ts';
import type { TensorLike } from '../ops/define.ts';
import type { GridSampleOptions } from '../ops/gridSample.ts';
import type { Indices } from '../ops/indexing.ts';
import type { MatmulOptions } from '../ops/matmul.ts';
import type { Range } from '../ops/movement.ts';
import type { PadOptions } from '../ops/pad.ts';
import type { AvgPool1dOptions, AvgPool2dOptions, MaxPool1dOptions, MaxPool2dOptions } from '../ops/pool.ts';
import type { ReduceOptions, VarianceOptions } from '../ops/reduce.ts';
import type { ResizeBilinearOptions, ResizeOptions } from '../ops/resize.ts';
import type { ScanOptions } from '../ops/scan.ts';
import type { Sorted, SortOptions, TopkOptions } from '../ops/sort.ts';
import type { Shape } from './shape.ts';
import type { Tensor } from './tensor.ts';

/**
 * The ops that take a tensor first, as methods of it: `x.mul(y)` is `mul(x, y)`. Each line says what the method is for; the
 * function of the same name tells shapes, errors and edge cases. methods.ts compares the two lists.
 */
export interface Methods {
  /** Adds the gradient of this tensor to `.grad` of every leaf behind it. */
  backward(options?: BackwardOptions): void;

  /** Adds `b`, with broadcasting. */
  add(b: TensorLike): Tensor;
  /** Subtracts `b`, with broadcasting. */
  sub(b: TensorLike): Tensor;
  /** Multiplies by `b` elementwise, with broadcasting. */
  mul(b: TensorLike): Tensor;
  /** Divides by `b` elementwise, with broadcasting. */
  div(b: TensorLike): Tensor;
  /** Raises each element to the power `b`, with broadcasting. */
  pow(b: TensorLike): Tensor;
  /** The remainder of the division by `b`, with the sign of `b`. */
  remainder(b: TensorLike): Tensor;
  /** The angle of the point (x, this), from -π to π. */
  atan2(x: TensorLike): Tensor;
  /** The larger of this and `b`, elementwise. */
  maximum(b: TensorLike): Tensor;
  /** The smaller of this and `b`, elementwise. */
  minimum(b: TensorLike): Tensor;
  /** The same values in memory of their own, still connected to the tape. */
  clone(): Tensor;
  /** Changes the sign. */
  neg(): Tensor;
  /** The absolute value, with derivative 0 at 0. */
  abs(): Tensor;
  /** 1, 0 or -1, with derivative 0. */
  sign(): Tensor;
  /** The second power. */
  square(): Tensor;
  /** The square root. */
  sqrt(): Tensor;
  /** One over the square root. */
  rsqrt(): Tensor;
  /** One over each element. */
  reciprocal(): Tensor;
  /** e to the power of each element. */
  exp(): Tensor;
  /** eˣ - 1, exact also near 0. */
  expm1(): Tensor;
  /** The natural logarithm. */
  log(): Tensor;
  /** log(1 + x), exact also near 0. */
  log1p(): Tensor;
  /** The sine, of radians. */
  sin(): Tensor;
  /** The cosine, of radians. */
  cos(): Tensor;
  /** The tangent, of radians. */
  tan(): Tensor;
  /** The inverse tangent, in radians. */
  atan(): Tensor;
  /** The hyperbolic sine. */
  sinh(): Tensor;
  /** The hyperbolic cosine. */
  cosh(): Tensor;
  /** The error function. */
  erf(): Tensor;
  /** The next whole number below, with derivative 0. */
  floor(): Tensor;
  /** The next whole number above, with derivative 0. */
  ceil(): Tensor;
  /** The nearest whole number, halves to the even one, with derivative 0. */
  round(): Tensor;
  /** Limits each element to the range from `min` to `max`; null is no limit. */
  clamp(min?: number | null, max?: number | null): Tensor;

  /** max(x, 0), with derivative 0 at 0. */
  relu(): Tensor;
  /** x where x > 0, else slope · x (0.01). */
  leakyRelu(slope?: number): Tensor;
  /** min(max(x, 0), 6). */
  relu6(): Tensor;
  /** x where x > 0, else weight · x with a weight that is learned. */
  prelu(weight: Tensor): Tensor;
  /** Limits each element to -1 to 1, or to the given bounds. */
  hardtanh(min?: number, max?: number): Tensor;
  /** x where x > 0, else alpha · (eˣ - 1). */
  elu(alpha?: number): Tensor;
  /** The self-normalising elu. */
  selu(): Tensor;
  /** x · sigmoid(x). */
  silu(): Tensor;
  /** x · Φ(x), or its approximation by tanh. */
  gelu(options?: { readonly approximate?: 'none' | 'tanh' }): Tensor;
  /** log(1 + exp(beta · x)) / beta. */
  softplus(options?: { readonly beta?: number; readonly threshold?: number }): Tensor;
  /** The hyperbolic tangent. */
  tanh(): Tensor;
  /** 1 / (1 + e⁻ˣ). */
  sigmoid(): Tensor;
  /** log(sigmoid(x)). */
  logSigmoid(): Tensor;
  /** eˣ / Σ eˣ over an axis, the last unless given. */
  softmax(axis?: number): Tensor;
  /** The logarithm of softmax over an axis, the last unless given. */
  logSoftmax(axis?: number): Tensor;

  /** 1 where equal to `b`, else 0. */
  equal(b: TensorLike): Tensor;
  /** 1 where different from `b`, else 0. */
  notEqual(b: TensorLike): Tensor;
  /** 1 where less than `b`, else 0. */
  less(b: TensorLike): Tensor;
  /** 1 where less than `b` or equal, else 0. */
  lessEqual(b: TensorLike): Tensor;
  /** 1 where greater than `b`, else 0. */
  greater(b: TensorLike): Tensor;
  /** 1 where greater than `b` or equal, else 0. */
  greaterEqual(b: TensorLike): Tensor;
  /** 1 where this and `b` are both not 0, else 0. */
  logicalAnd(b: TensorLike): Tensor;
  /** 1 where this or `b` is not 0, else 0. */
  logicalOr(b: TensorLike): Tensor;
  /** 1 where just one of this and `b` is not 0, else 0. */
  logicalXor(b: TensorLike): Tensor;
  /** 1 where 0, else 0. */
  logicalNot(): Tensor;
  /** 1 where NaN, else 0. */
  isNaN(): Tensor;
  /** 1 where neither NaN nor infinite, else 0. */
  isFinite(): Tensor;

  /** Sums over `axes`, all unless given. */
  sum(axes?: number | readonly number[], options?: ReduceOptions): Tensor;
  /** Averages over `axes`, all unless given. */
  mean(axes?: number | readonly number[], options?: ReduceOptions): Tensor;
  /** Multiplies over `axes`, all unless given. */
  prod(axes?: number | readonly number[], options?: ReduceOptions): Tensor;
  /** The variance over `axes`, biased unless `correction` is 1. */
  variance(axes?: number | readonly number[], options?: VarianceOptions): Tensor;
  /** The standard deviation over `axes`, biased unless `correction` is 1. */
  std(axes?: number | readonly number[], options?: VarianceOptions): Tensor;
  /** The largest element over `axes`, all unless given. */
  max(axes?: number | readonly number[], options?: ReduceOptions): Tensor;
  /** The smallest element over `axes`, all unless given. */
  min(axes?: number | readonly number[], options?: ReduceOptions): Tensor;
  /** The index of the largest element along an axis, or in the flattened tensor. */
  argmax(axis?: number, options?: ReduceOptions): Tensor;
  /** The index of the smallest element along an axis, or in the flattened tensor. */
  argmin(axis?: number, options?: ReduceOptions): Tensor;
  /** 1 where all elements over `axes` are not 0, else 0. */
  all(axes?: number | readonly number[], options?: ReduceOptions): Tensor;
  /** 1 where any element over `axes` is not 0, else 0. */
  any(axes?: number | readonly number[], options?: ReduceOptions): Tensor;
  /** The p-norm over `axes`; p is 2 unless given. */
  norm(p?: number, axes?: number | readonly number[], options?: ReduceOptions): Tensor;
  /** log Σ eˣ over `axes`, without overflow. */
  logSumExp(axes?: number | readonly number[], options?: ReduceOptions): Tensor;
  /** Running sums along an axis. */
  cumsum(axis: number, options?: ScanOptions): Tensor;
  /** Running products along an axis. */
  cumprod(axis: number, options?: ScanOptions): Tensor;
  /** The indices that sort along an axis, the last unless given. */
  argsort(axis?: number, options?: SortOptions): Tensor;
  /** The elements sorted along an axis, the last unless given, and their indices. */
  sort(axis?: number, options?: SortOptions): Sorted;
  /** The k largest elements along an axis, the last unless given, and their indices. */
  topk(k: number, axis?: number, options?: TopkOptions): Sorted;

  /** The same elements under another shape; one size may be -1. */
  reshape(shape: Shape): Tensor;
  /** Repeats along axes of size 1 and new leading axes. */
  broadcastTo(shape: Shape): Tensor;
  /** Reorders the axes. */
  permute(axes: readonly number[]): Tensor;
  /** Swaps two axes, the last two unless given. */
  transpose(axis0?: number, axis1?: number): Tensor;
  /** Drops axes of size 1. */
  squeeze(axes?: number | readonly number[]): Tensor;
  /** Puts a new axis of size 1 before axis `axis`. */
  unsqueeze(axis: number): Tensor;
  /** Takes a window: one range for each leading axis. */
  slice(ranges: readonly Range[]): Tensor;
  /** Cuts along an axis into pieces of the given sizes. */
  split(sizes: number | readonly number[], axis?: number): Tensor[];
  /** Cuts along an axis into so many pieces at most. */
  chunk(chunks: number, axis?: number): Tensor[];
  /** Puts elements before and after along each axis. */
  pad(pads: readonly (readonly [before: number, after: number])[], options?: PadOptions): Tensor;
  /** Reverses the order along `axes`, all unless given. */
  flip(axes?: number | readonly number[]): Tensor;
  /** Repeats `reps[i]` times along axis i; missing counts are 1. */
  tile(reps: readonly number[]): Tensor;
  /** Repeats `reps[i]` times along axis i, with a count for every axis. */
  repeat(reps: readonly number[]): Tensor;
  /** Repeats each element in its place along an axis. */
  repeatInterleave(count: number, axis: number): Tensor;
  /** Moves the elements along axes, round the end. */
  roll(shifts: number | readonly number[], axes?: number | readonly number[]): Tensor;
  /** The diagonal of a matrix, or the matrix of a diagonal. */
  diag(k?: number): Tensor;
  /** The lower triangles of matrices. */
  tril(k?: number): Tensor;
  /** The upper triangles of matrices. */
  triu(k?: number): Tensor;
  /** Channels become blocks of pixels. */
  depthToSpace(block: number): Tensor;
  /** Blocks of pixels become channels. */
  spaceToDepth(block: number): Tensor;
  /** Reads along an axis at the indices of a tensor with as many axes. */
  gather(axis: number, index: Tensor): Tensor;
  /** Adds `source` along an axis at the indices of a tensor with as many axes. */
  scatterAdd(axis: number, index: Tensor, source: Tensor): Tensor;
  /** The slices at indices of any shape along an axis. */
  take(indices: Indices, axis: number): Tensor;
  /** The slices at a vector of indices along an axis, the first unless given. */
  indexSelect(indices: Indices, axis?: number): Tensor;

  /** The matrix product; leading axes are batches. */
  matmul(b: Tensor, options?: MatmulOptions): Tensor;
  /** The products of all elements of this vector with all of another. */
  outer(b: Tensor): Tensor;
  /** The sum of the products of two vectors. */
  dot(b: Tensor): Tensor;

  /** Convolution of sequences [N,L,C]. */
  conv1d(w: Tensor, options?: Conv1dOptions): Tensor;
  /** Convolution of images [N,H,W,C]. */
  conv2d(w: Tensor, options?: Conv2dOptions): Tensor;
  /** Convolution of volumes [N,D,H,W,C]. */
  conv3d(w: Tensor, options?: Conv3dOptions): Tensor;
  /** The transpose of conv1d. */
  convTranspose1d(w: Tensor, options?: ConvTranspose1dOptions): Tensor;
  /** The transpose of conv2d. */
  convTranspose2d(w: Tensor, options?: ConvTranspose2dOptions): Tensor;
  /** The transpose of conv3d. */
  convTranspose3d(w: Tensor, options?: ConvTranspose3dOptions): Tensor;

  /** The maximum of each window of sequences [N,L,C]. */
  maxPool1d(kernel: number, options?: MaxPool1dOptions): Tensor;
  /** The maximum of each window of images [N,H,W,C]. */
  maxPool2d(kernel: Pair, options?: MaxPool2dOptions): Tensor;
  /** The average of each window of sequences [N,L,C]. */
  avgPool1d(kernel: number, options?: AvgPool1dOptions): Tensor;
  /** The average of each window of images [N,H,W,C]. */
  avgPool2d(kernel: Pair, options?: AvgPool2dOptions): Tensor;
  /** Averages that give sequences of length `size`. */
  adaptiveAvgPool1d(size: number): Tensor;
  /** Averages that give images of the given size. */
  adaptiveAvgPool2d(size: Pair): Tensor;
  /** Maxima that give sequences of length `size`. */
  adaptiveMaxPool1d(size: number): Tensor;
  /** Maxima that give images of the given size. */
  adaptiveMaxPool2d(size: Pair): Tensor;
  /** The average over all places of images [N,H,W,C]. */
  globalAvgPool(options?: ReduceOptions): Tensor;
  /** Reads images at the places of a grid, by bilinear interpolation. */
  gridSample(grid: Tensor, options?: GridSampleOptions): Tensor;
  /** Images in another size, by the nearest pixel. */
  resizeNearest(options: ResizeOptions): Tensor;
  /** Images in another size, by linear interpolation. */
  resizeBilinear(options: ResizeBilinearOptions): Tensor;
}
