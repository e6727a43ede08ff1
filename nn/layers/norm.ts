import {
  batchNorm,
  full,
  layerNorm,
  noGrad,
  refusePromise,
  type Shape,
  type Tensor,
  updateRunningStats,
} from '../../engine/index.ts';
import { Module } from '../module/module.ts';
import { Buffer, Parameter } from '../module/parameter.ts';
import { featureVectors, type PyTorchRule } from '../module/pyTorchRule.ts';

/** Options of {@link BatchNorm2d}. */
export interface BatchNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** How far the running averages move towards each batch, 0 to 1. Default 0.1, as in PyTorch. */
  readonly momentum?: number;
}

let tracking = true;

/**
 * Runs `fn` with batch norm in training mode leaving its running averages alone, as sampling should.
 * @throws TypeError if `fn` is async
 */
export function withoutTracking<T>(fn: () => T): T {
  const before = tracking;
  tracking = false;
  try {
    return refusePromise('withoutTracking', fn());
  } finally {
    tracking = before;
  }
}

/**
 * Batch normalisation over all axes but the last (Ioffe and Szegedy 2015): x [N,H,W,C]. In training it uses the batch's
 * statistics and moves the running ones; in evaluation it uses the running ones. Names and defaults are PyTorch's.
 */
export class BatchNorm2d extends Module {
  /** Scale of each channel, [C]; starts as 1. */
  readonly weight: Parameter;
  /** Shift of each channel, [C]; starts as 0. */
  readonly bias: Parameter;
  /** Running mean of each channel, [C]; starts as 0. */
  readonly runningMean: Buffer;
  /** Running variance of each channel, [C], unbiased; starts as 1. */
  readonly runningVar: Buffer;
  /** Added to the variance. */
  readonly eps: number;
  /** How far the running averages move towards each batch. */
  readonly momentum: number;

  /** Makes weights and running statistics on the current device. @param channels the size of x's last axis */
  constructor(channels: number, { eps = 1e-5, momentum = 0.1 }: BatchNormOptions = {}) {
    super();
    this.eps = eps;
    this.momentum = momentum;
    this.weight = new Parameter(full([channels], 1), 'weight');
    this.bias = new Parameter(full([channels], 0), 'bias');
    this.runningMean = new Buffer(full([channels], 0), 'runningMean');
    this.runningVar = new Buffer(full([channels], 1), 'runningVar');
  }

  override pyTorchRule(): PyTorchRule {
    const counter = { shape: [], data: new BigInt64Array(1) };
    const features = featureVectors('weight', 'bias', 'runningMean', 'runningVar');
    return { features, absent: { num_batches_tracked: counter } };
  }

  /** @throws ShapeError in training, if there is one value a channel */
  override forward(x: Tensor): Tensor {
    const { weight, bias, runningMean, runningVar, eps, momentum } = this;
    if (!this.training) {
      const scale = runningVar.add(eps).rsqrt().mul(weight);
      return x.mul(scale).add(bias.sub(runningMean.mul(scale)));
    }
    const { y, stats } = batchNorm(x, weight, bias, { eps });
    const n = x.size / weight.size;
    if (tracking) noGrad(() => updateRunningStats(runningMean, runningVar, stats, { momentum, eps, n }));
    return y;
  }
}

/** Layer normalisation over the last axes (Ba et al. 2016), each with its own scale and shift. */
export class LayerNorm extends Module {
  /** Scale, in the shape of the normalised axes; starts as 1. */
  readonly weight: Parameter;
  /** Shift, in the shape of the normalised axes; starts as 0. */
  readonly bias: Parameter;
  /** Added to the variance. */
  readonly eps: number;

  /**
   * Makes weights on the current device.
   * @param normalizedShape sizes of the last axes, over which it normalises; a number for the last alone
   */
  constructor(normalizedShape: number | Shape, { eps = 1e-5 }: { eps?: number } = {}) {
    super();
    const shape = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape;
    this.eps = eps;
    this.weight = new Parameter(full(shape, 1), 'weight');
    this.bias = new Parameter(full(shape, 0), 'bias');
  }

  override pyTorchRule(): PyTorchRule {
    const { rank } = this.weight;
    if (rank === 1) return { features: featureVectors('weight', 'bias') };
    // Three axes and more are an image's, [H,W,C]; two are a sequence's, [L,C] on both sides.
    const axes = [rank - 1, ...Array.from({ length: rank - 1 }, (_, i) => i)];
    return rank === 2 ? {} : { axes: { weight: axes, bias: axes } };
  }

  override forward(x: Tensor): Tensor {
    const axes = this.weight.shape.map((_, i) => i - this.weight.rank);
    return layerNorm(x, this.weight, this.bias, { axes, eps: this.eps });
  }
}
