import {
  type Conv1dOptions,
  type Conv2dOptions,
  type Conv3dOptions,
  type ConvTranspose1dOptions,
  type ConvTranspose2dOptions,
  type ConvTranspose3dOptions,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  type Pair,
  type Tensor,
  type Triple,
} from '../../engine/index.ts';
import { calls, ranges } from '../../engine/internal.ts';
import { type ConvLayerOptions, ConvNd, ConvTransposeNd } from './convNd.ts';
import type { WeightOptions } from './linear.ts';

/** The arguments that all six take, with the kind of their kernel. */
function checkSizes(
  name: string,
  kernel: Parameters<typeof calls.checkArguments>[1][number],
  args: ArrayLike<unknown>,
): void {
  const channels = [calls.within('inChannels', ranges.number), calls.within('outChannels', ranges.number)];
  calls.checkArguments(name, [...channels, kernel, calls.maybe(calls.something('options'))], args);
}

/** Convolution of sequences: x [N,L,in] with w [K,in/groups,out] gives [N,OL,out]. See `conv1d` for the sizes. */
export class Conv1d extends ConvNd<Conv1dOptions> {
  /**
   * Makes and fills the weights, on the current device.
   * @throws ShapeError if groups do not divide the channels, or a size is not a whole number
   */
  constructor(inChannels: number, outChannels: number, kernel: number, options: Conv1dOptions & ConvLayerOptions = {}) {
    checkSizes('Conv1d', calls.within('kernel', ranges.number), arguments);
    super(1, inChannels, outChannels, kernel, options);
  }

  /** @internal */
  protected override run(x: Tensor, w: Tensor, options: Conv1dOptions): Tensor {
    return conv1d(x, w, options);
  }
}

/**
 * Convolution: x [N,H,W,in] with w [KH,KW,in/groups,out] gives [N,OH,OW,out]. See `conv2d` for the sizes.
 * @example
 * const layer = new Conv2d(1, 16, 4, { stride: 2, padding: 1 });
 * layer.forward(images); // [64,28,28,1] gives [64,14,14,16]
 */
export class Conv2d extends ConvNd<Conv2dOptions> {
  /**
   * Makes and fills the weights, on the current device.
   * @param kernel its size, [height, width] or one number for both
   * @throws ShapeError if groups do not divide the channels, or a size is not a whole number
   */
  constructor(inChannels: number, outChannels: number, kernel: Pair, options: Conv2dOptions & ConvLayerOptions = {}) {
    checkSizes('Conv2d', calls.within('kernel', ranges.perAxis(2)), arguments);
    super(2, inChannels, outChannels, kernel, options);
  }

  /** @internal */
  protected override run(x: Tensor, w: Tensor, options: Conv2dOptions): Tensor {
    return conv2d(x, w, options);
  }
}

/** Convolution of volumes: x [N,D,H,W,in] with w [KD,KH,KW,in/groups,out] gives [N,OD,OH,OW,out]. See `conv3d`. */
export class Conv3d extends ConvNd<Conv3dOptions> {
  /**
   * Makes and fills the weights, on the current device.
   * @param kernel its size, [depth, height, width] or one number for all
   * @throws ShapeError if groups do not divide the channels, or a size is not a whole number
   */
  constructor(inChannels: number, outChannels: number, kernel: Triple, options: Conv3dOptions & ConvLayerOptions = {}) {
    checkSizes('Conv3d', calls.within('kernel', ranges.perAxis(3)), arguments);
    super(3, inChannels, outChannels, kernel, options);
  }

  /** @internal */
  protected override run(x: Tensor, w: Tensor, options: Conv3dOptions): Tensor {
    return conv3d(x, w, options);
  }
}

/**
 * Transposed convolution of sequences: y [N,L,in] with w [K,out/groups,in] gives [N,L',out]. The weight is laid out as that of
 * the convolution that it transposes. See `convTranspose1d` for the sizes.
 */
export class ConvTranspose1d extends ConvTransposeNd<ConvTranspose1dOptions> {
  /**
   * Makes and fills the weights, on the current device.
   * @throws ShapeError if groups do not divide the channels, or a size is not a whole number
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernel: number,
    options: ConvTranspose1dOptions & WeightOptions = {},
  ) {
    checkSizes('ConvTranspose1d', calls.within('kernel', ranges.number), arguments);
    super(1, inChannels, outChannels, kernel, options);
  }

  /** @internal */
  protected override run(y: Tensor, w: Tensor, options: ConvTranspose1dOptions): Tensor {
    return convTranspose1d(y, w, options);
  }
}

/**
 * Transposed convolution: y [N,H,W,in] with w [KH,KW,out/groups,in] gives [N,H',W',out]. The weight is laid out as that of
 * the convolution that it transposes. See `convTranspose2d` for the sizes.
 */
export class ConvTranspose2d extends ConvTransposeNd<ConvTranspose2dOptions> {
  /**
   * Makes and fills the weights, on the current device.
   * @param kernel its size, [height, width] or one number for both
   * @throws ShapeError if groups do not divide the channels, or a size is not a whole number
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernel: Pair,
    options: ConvTranspose2dOptions & WeightOptions = {},
  ) {
    checkSizes('ConvTranspose2d', calls.within('kernel', ranges.perAxis(2)), arguments);
    super(2, inChannels, outChannels, kernel, options);
  }

  /** @internal */
  protected override run(y: Tensor, w: Tensor, options: ConvTranspose2dOptions): Tensor {
    return convTranspose2d(y, w, options);
  }
}

/**
 * Transposed convolution of volumes: y [N,D,H,W,in] with w [KD,KH,KW,out/groups,in] gives [N,D',H',W',out]. See
 * `convTranspose3d` for the sizes.
 */
export class ConvTranspose3d extends ConvTransposeNd<ConvTranspose3dOptions> {
  /**
   * Makes and fills the weights, on the current device.
   * @param kernel its size, [depth, height, width] or one number for all
   * @throws ShapeError if groups do not divide the channels, or a size is not a whole number
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernel: Triple,
    options: ConvTranspose3dOptions & WeightOptions = {},
  ) {
    checkSizes('ConvTranspose3d', calls.within('kernel', ranges.perAxis(3)), arguments);
    super(3, inChannels, outChannels, kernel, options);
  }

  /** @internal */
  protected override run(y: Tensor, w: Tensor, options: ConvTranspose3dOptions): Tensor {
    return convTranspose3d(y, w, options);
  }
}
