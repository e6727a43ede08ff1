import {
  type Conv2dOptions,
  type ConvTranspose2dOptions,
  conv2d,
  convTranspose2d,
  type Pair,
  scope,
  type Tensor,
} from '../../engine/index.ts';
import { fanInUniform, layerGenerator } from '../init.ts';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { channelsFirst, type PyTorchRule } from '../module/pyTorchRule.ts';
import type { WeightOptions } from './linear.ts';

const pair = (s: Pair): readonly [number, number] => (typeof s === 'number' ? [s, s] : s);

/**
 * Convolution: x [N,H,W,in] with w [KH,KW,in/groups,out] gives [N,OH,OW,out]. See `conv2d` for the sizes.
 * @example
 * const layer = new Conv2d(1, 16, 4, { stride: 2, padding: 1 });
 * layer.forward(images); // [64,28,28,1] gives [64,14,14,16]
 */
export class Conv2d extends Module {
  /** [KH,KW,in/groups,out]. */
  readonly weight: Parameter;
  /** [out], or undefined without one. */
  readonly bias: Parameter | undefined;
  /** Stride, padding, dilation and groups, as they were given. */
  readonly options: Conv2dOptions;

  /**
   * Makes and fills the weights, on the current device.
   * @param kernel its size, [height, width] or one number for both
   */
  constructor(inChannels: number, outChannels: number, kernel: Pair, options: Conv2dOptions & WeightOptions = {}) {
    super();
    const { bias = true, init = fanInUniform, initBias = fanInUniform, rng = layerGenerator(), ...conv } = options;
    const [kh, kw] = pair(kernel);
    const groups = conv.groups ?? 1;
    const fans = { fanIn: (kh * kw * inChannels) / groups, fanOut: (kh * kw * outChannels) / groups };
    this.options = conv;
    this.weight = new Parameter(init([kh, kw, inChannels / groups, outChannels], fans, rng), 'weight');
    this.bias = bias ? new Parameter(initBias([outChannels], fans, rng), 'bias') : undefined;
  }

  override pyTorchRule(): PyTorchRule {
    return { axes: { weight: channelsFirst(this.weight.rank) } };
  }

  override forward(x: Tensor): Tensor {
    const { weight, bias, options } = this;
    return bias ? scope(() => conv2d(x, weight, options).add(bias)) : conv2d(x, weight, options);
  }
}

/**
 * Transposed convolution: y [N,H,W,in] with w [KH,KW,out/groups,in] gives [N,H',W',out]. The weight is laid out as that of
 * the convolution that it transposes. See `convTranspose2d` for the sizes.
 */
export class ConvTranspose2d extends Module {
  /** [KH,KW,out/groups,in]. */
  readonly weight: Parameter;
  /** [out], or undefined without one. */
  readonly bias: Parameter | undefined;
  /** Stride, padding, dilation and groups, as they were given. */
  readonly options: ConvTranspose2dOptions;

  /**
   * Makes and fills the weights, on the current device.
   * @param kernel its size, [height, width] or one number for both
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernel: Pair,
    options: ConvTranspose2dOptions & WeightOptions = {},
  ) {
    super();
    const { bias = true, init = fanInUniform, initBias = fanInUniform, rng = layerGenerator(), ...conv } = options;
    const [kh, kw] = pair(kernel);
    const groups = conv.groups ?? 1;
    // PyTorch counts a transposed convolution's fan-in over its outputs.
    const fans = { fanIn: (kh * kw * outChannels) / groups, fanOut: (kh * kw * inChannels) / groups };
    this.options = conv;
    this.weight = new Parameter(init([kh, kw, outChannels / groups, inChannels], fans, rng), 'weight');
    this.bias = bias ? new Parameter(initBias([outChannels], fans, rng), 'bias') : undefined;
  }

  override pyTorchRule(): PyTorchRule {
    return { axes: { weight: channelsFirst(this.weight.rank) } };
  }

  override forward(y: Tensor): Tensor {
    const { weight, bias, options } = this;
    return bias ? scope(() => convTranspose2d(y, weight, options).add(bias)) : convTranspose2d(y, weight, options);
  }
}
