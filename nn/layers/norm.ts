/** Normalisations of each sample by itself that keep no statistics. */
import {
  full,
  groupNorm,
  layerNorm,
  logicalNot,
  type Shape,
  ShapeError,
  scope,
  type Tensor,
  withDevice,
} from '../../engine/index.ts';
import { calls, checked, ranges } from '../../engine/internal.ts';
import { guardForward } from '../module/guardForward.ts';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { featureVectors, type PyTorchRule } from '../module/pyTorchRule.ts';

/** Options of {@link GroupNorm}. */
export interface GroupNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Scale and shift each channel, with `weight` and `bias`. Default true. */
  readonly affine?: boolean;
}

/**
 * Group normalisation (Wu and He 2018): the channels of x [N, ..., C] in groups of neighbours, each of which gets mean 0 and
 * variance 1 in each sample.
 */
export class GroupNorm extends Module {
  /** Scale of each channel, [C]; starts as 1. Undefined with `affine: false`. */
  readonly weight: Parameter | undefined;
  /** Shift of each channel, [C]; starts as 0. Undefined with `affine: false`. */
  readonly bias: Parameter | undefined;
  /** Groups that the channels are split into. */
  readonly numGroups: number;
  /** The size of x's last axis. */
  readonly numChannels: number;
  /** Added to the variance. */
  readonly eps: number;

  /** Makes weights on the current device. @throws ShapeError if the groups do not divide the channels */
  constructor(numGroups: number, numChannels: number, options: GroupNormOptions = {}) {
    calls.checkArguments(
      'GroupNorm',
      [
        calls.within('numGroups', ranges.number),
        calls.within('numChannels', ranges.number),
        calls.maybe(calls.something('options')),
      ],
      arguments,
    );
    super();
    const { eps = 1e-5, affine = true } = checked('GroupNorm', options, ['eps', 'affine']);
    if (!Number.isInteger(numGroups) || numGroups < 1 || numChannels % numGroups !== 0) {
      throw new ShapeError(
        `GroupNorm: ${numChannels} channels do not split into ${numGroups} groups; choose a number of groups that divides them`,
      );
    }
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.eps = eps;
    this.weight = affine ? new Parameter(full([numChannels], 1), 'weight') : undefined;
    this.bias = affine ? new Parameter(full([numChannels], 0), 'bias') : undefined;
  }

  /** @throws ShapeError unless x is [N, ..., C] */
  override forward(x: Tensor): Tensor {
    const { weight, bias, numGroups, numChannels, eps } = this;
    if (x.rank < 2 || x.shape.at(-1) !== numChannels) {
      throw new ShapeError(
        `GroupNorm: x [${x.shape}] must be [N,...,${numChannels}]; channels come last, and the layer was made for ${numChannels}`,
      );
    }
    return groupNorm(x, numGroups, { ...(weight && bias ? { weight, bias } : {}), eps });
  }

  override pyTorchRule(): PyTorchRule {
    return { features: featureVectors('weight', 'bias') };
  }

  override describe(): string {
    const { numGroups, numChannels, eps, weight } = this;
    return [`${numGroups}, ${numChannels}`, eps === 1e-5 ? '' : `eps ${eps}`, weight ? '' : 'no affine']
      .filter(Boolean)
      .join(', ');
  }
}

/** The rule of a norm whose tensors have the shape over which it normalises. */
function shapedRule({ length: rank }: Shape, ...fields: readonly string[]): PyTorchRule {
  if (rank === 1) return { features: featureVectors(...fields) };
  // Three axes and more are an image's, [H,W,C]; two are a sequence's, [L,C] on both sides.
  if (rank === 2) return {};
  const axes = [rank - 1, ...Array.from({ length: rank - 1 }, (_, i) => i)];
  return { axes: Object.fromEntries(fields.map((field) => [field, axes])) };
}

const shapeOf = (layer: string, given: number | Shape): Shape => {
  const shape = typeof given === 'number' ? [given] : [...given];
  if (shape.length === 0 || !shape.every((d) => Number.isInteger(d) && d > 0)) {
    throw new ShapeError(`${layer}: normalizedShape [${shape}] must be the sizes of the last axes, 1 or more each`);
  }
  return shape;
};

/** @throws ShapeError unless x ends in the normalised shape */
const needTail = (layer: string, x: Tensor, shape: Shape): void => {
  if (x.rank < shape.length || x.shape.slice(x.rank - shape.length).join() !== shape.join()) {
    throw new ShapeError(
      `${layer}: x [${x.shape}] must end in the normalised shape [${shape}]; give the layer the sizes of x's last axes`,
    );
  }
};

/** Options of {@link LayerNorm}. */
export interface LayerNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Scale, and shift unless `bias` is false, each place of the normalised axes. Default true. */
  readonly elementwiseAffine?: boolean;
  /** Shift too. Default true. */
  readonly bias?: boolean;
}

/** Layer normalisation over the last axes (Ba et al. 2016), each with its own scale and shift. */
export class LayerNorm extends Module {
  /** Scale, in the shape of the normalised axes; starts as 1. Undefined with `elementwiseAffine: false`. */
  readonly weight: Parameter | undefined;
  /** Shift, in the shape of the normalised axes; starts as 0. Undefined with `elementwiseAffine: false` or `bias: false`. */
  readonly bias: Parameter | undefined;
  /** Sizes of the normalised axes, the last ones of x. */
  readonly normalizedShape: Shape;
  /** Added to the variance. */
  readonly eps: number;

  /**
   * Makes weights on the current device.
   * @param normalizedShape sizes of the last axes, over which it normalises; a number for the last alone
   */
  constructor(normalizedShape: number | Shape, options: LayerNormOptions = {}) {
    calls.checkArguments(
      'LayerNorm',
      [calls.within('normalizedShape', ranges.numberList), calls.maybe(calls.something('options'))],
      arguments,
    );
    super();
    const {
      eps = 1e-5,
      elementwiseAffine = true,
      bias = true,
    } = checked('LayerNorm', options, ['eps', 'elementwiseAffine', 'bias']);
    const shape = shapeOf('LayerNorm', normalizedShape);
    this.normalizedShape = shape;
    this.eps = eps;
    this.weight = elementwiseAffine ? new Parameter(full(shape, 1), 'weight') : undefined;
    this.bias = elementwiseAffine && bias ? new Parameter(full(shape, 0), 'bias') : undefined;
  }

  override pyTorchRule(): PyTorchRule {
    return shapedRule(this.normalizedShape, 'weight', 'bias');
  }

  /** @throws ShapeError unless x ends in the normalised shape */
  override forward(x: Tensor): Tensor {
    const { weight, bias, normalizedShape, eps } = this;
    needTail('LayerNorm', x, normalizedShape);
    const axes = normalizedShape.map((_, i) => i - normalizedShape.length);
    return scope(() => {
      const constant = (value: number) => withDevice(x.device, () => full(normalizedShape, value));
      return layerNorm(x, weight ?? constant(1), bias ?? constant(0), { axes, eps });
    });
  }

  override describe(): string {
    const { normalizedShape, eps, weight, bias } = this;
    const affine = weight ? (bias ? '' : 'no bias') : 'no affine';
    return [`[${normalizedShape}]`, eps === 1e-5 ? '' : `eps ${eps}`, affine].filter(Boolean).join(', ');
  }
}

/** x divided by the root of the mean square over its last axes. */
function byRootMeanSquare(x: Tensor, axes: readonly number[], eps: number): Tensor {
  const square = x.square().mean(axes, { keepDims: true });
  // Where there is no eps, or float32 has no number so small, zeros are divided by 1.
  return x.mul((eps < 2 ** -126 ? square.add(logicalNot(square)) : square.add(eps)).rsqrt());
}

/** Options of {@link RMSNorm}. */
export interface RMSNormOptions {
  /** Added to the mean square. Default, as in PyTorch: the distance from 1 to the next number of x's dtype. */
  readonly eps?: number;
  /** Scale each place of the normalised axes. Default true. */
  readonly elementwiseAffine?: boolean;
}

/**
 * Division by the root mean square over the last axes, x / √(mean(x²) + eps) · weight (Zhang and Sennrich 2019, eq. 4): layer
 * norm without the mean.
 */
export class RMSNorm extends Module {
  /** Scale, in the shape of the normalised axes; starts as 1. Undefined with `elementwiseAffine: false`. */
  readonly weight: Parameter | undefined;
  /** Sizes of the normalised axes, the last ones of x. */
  readonly normalizedShape: Shape;
  /** Added to the mean square; undefined for that of x's dtype. */
  readonly eps: number | undefined;

  /**
   * Makes weights on the current device.
   * @param normalizedShape sizes of the last axes, over which it normalises; a number for the last alone
   */
  constructor(normalizedShape: number | Shape, options: RMSNormOptions = {}) {
    calls.checkArguments(
      'RMSNorm',
      [calls.within('normalizedShape', ranges.numberList), calls.maybe(calls.something('options'))],
      arguments,
    );
    super();
    const { eps, elementwiseAffine = true } = checked('RMSNorm', options, ['eps', 'elementwiseAffine']);
    this.normalizedShape = shapeOf('RMSNorm', normalizedShape);
    this.eps = eps;
    this.weight = elementwiseAffine ? new Parameter(full(this.normalizedShape, 1), 'weight') : undefined;
  }

  override pyTorchRule(): PyTorchRule {
    return shapedRule(this.normalizedShape, 'weight');
  }

  /** @throws ShapeError unless x ends in the normalised shape */
  override forward(x: Tensor): Tensor {
    const { weight, normalizedShape, eps = x.dtype === 'float32' ? 2 ** -23 : Number.EPSILON } = this;
    needTail('RMSNorm', x, normalizedShape);
    const axes = normalizedShape.map((_, i) => i - normalizedShape.length);
    return scope(() => {
      const y = byRootMeanSquare(x, axes, eps);
      return weight ? y.mul(weight) : y;
    });
  }

  override describe(): string {
    const { normalizedShape, eps, weight } = this;
    return [`[${normalizedShape}]`, eps === undefined ? '' : `eps ${eps}`, weight ? '' : 'no affine']
      .filter(Boolean)
      .join(', ');
  }
}

/**
 * The features of each pixel divided by their root mean square, x / √(mean over channels(x²) + eps), of x [..., C] (Karras et
 * al. 2018, section 4.2): keeps a generator's magnitudes from growing. It has no parameters.
 */
export class PixelNorm extends Module {
  /** Added to the mean square. */
  readonly eps: number;

  /** The eps is 1e-8 unless given, as in the paper. */
  constructor(options: { readonly eps?: number } = {}) {
    calls.checkArguments('PixelNorm', [calls.maybe(calls.something('options'))], arguments);
    super();
    this.eps = checked('PixelNorm', options, ['eps']).eps ?? 1e-8;
  }

  /** @throws ShapeError for a scalar, which has no channels */
  override forward(x: Tensor): Tensor {
    if (x.rank === 0) throw new ShapeError('PixelNorm: x [] must be [...,C], with the channels last; reshape it');
    return scope(() => byRootMeanSquare(x, [-1], this.eps));
  }

  override describe(): string {
    return this.eps === 1e-8 ? '' : `eps ${this.eps}`;
  }
}

guardForward(GroupNorm, LayerNorm, RMSNorm, PixelNorm);
