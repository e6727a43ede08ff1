/** Layers through which a critic compares the samples of a batch. */
import { broadcastTo, concat, matmul, ShapeError, scope, type Tensor } from '../../engine/index.ts';
import { calls, checked, ranges } from '../../engine/internal.ts';
import { fanInUniform, layerGenerator } from '../init.ts';
import { guardForward } from '../module/guardForward.ts';
import { Module } from '../module/module.ts';
import { filled, type Parameter } from '../module/parameter.ts';
import type { WeightOptions } from './linear.ts';

/** Options of {@link MinibatchStdDev}. */
export interface MinibatchStdDevOptions {
  /** Samples that are compared with each other; all, if the batch is smaller. Default 4. */
  readonly groupSize?: number;
  /** Channels that are added: each is of as large a part of x's channels. Default 1. */
  readonly numChannels?: number;
  /** Added to the variance. Default 1e-8. */
  readonly eps?: number;
}

/**
 * Adds to images [N,H,W,C] a channel with the standard deviation over a group of samples, averaged over pixels and channels:
 * [N,H,W,C+numChannels] (Karras et al. 2018, section 3). Of G groups, sample n is in group n mod G, as in the authors' code.
 */
export class MinibatchStdDev extends Module {
  /** Samples that are compared with each other. */
  readonly groupSize: number;
  /** Channels that are added. */
  readonly numChannels: number;
  /** Added to the variance. */
  readonly eps: number;

  /** @throws RangeError unless both numbers are whole, 1 or more */
  constructor(options: MinibatchStdDevOptions = {}) {
    calls.checkArguments('MinibatchStdDev', [calls.maybe(calls.something('options'))], arguments);
    super();
    const names = ['groupSize', 'numChannels', 'eps'] as const;
    const { groupSize = 4, numChannels = 1, eps = 1e-8 } = checked('MinibatchStdDev', options, names);
    for (const [name, v] of Object.entries({ groupSize, numChannels })) {
      if (!Number.isInteger(v) || v < 1) throw new RangeError(`MinibatchStdDev: ${name} must be 1 or more, not ${v}`);
    }
    this.groupSize = groupSize;
    this.numChannels = numChannels;
    this.eps = eps;
  }

  /** @throws ShapeError unless x is [N,H,W,C], N is a multiple of the group size, and C of numChannels */
  override forward(x: Tensor): Tensor {
    const { numChannels: f, eps } = this;
    const [n, h, w, c] = x.shape as readonly [number, number, number, number];
    const size = Math.min(this.groupSize, n);
    if (x.rank !== 4 || n % size !== 0 || c % f !== 0) {
      throw new ShapeError(
        `MinibatchStdDev: x [${x.shape}] must be images [N,H,W,C] with N a multiple of groupSize ${this.groupSize}, or less, and C of numChannels ${f}`,
      );
    }
    const groups = n / size;
    return scope(() => {
      const apart = x.reshape([size, groups, h, w, f, c / f]);
      // The root of 0 has no derivative: without eps, samples that are equal get that of std, which is 0.
      const own = eps === 0 ? apart.std(0) : apart.variance(0, { correction: 0 }).add(eps).sqrt();
      const deviation = own.mean([1, 2, 4]);
      const channel = broadcastTo(deviation.reshape([1, groups, 1, 1, f]), [size, groups, h, w, f]);
      return concat([x, channel.reshape([n, h, w, f])], 3);
    });
  }

  override describe(): string {
    return `groupSize ${this.groupSize}, numChannels ${this.numChannels}`;
  }
}

/**
 * Minibatch discrimination (Salimans et al. 2016, section 3.2): features x [N,in] give [N,in+out], x and behind it
 * o(x_i)_b = Σ_j exp(-‖M_ib - M_jb‖₁) over the batch, with M_i = x_i·T in rows of `kernelDims` numbers. The sum counts the sample
 * itself, so that it is at least 1.
 */
export class MinibatchDiscrimination extends Module {
  /** T, [in,out,kernelDims]. */
  readonly weight: Parameter;

  /**
   * Makes and fills the weight, on the current device.
   * @param inFeatures the size of x's last axis
   * @param outFeatures how many numbers are added to each sample (B in the paper)
   * @param kernelDims over how many each distance is taken (C in the paper)
   */
  constructor(
    inFeatures: number,
    outFeatures: number,
    kernelDims: number,
    options: Pick<WeightOptions, 'init' | 'rng'> = {},
  ) {
    calls.checkArguments(
      'MinibatchDiscrimination',
      [
        calls.within('inFeatures', ranges.number),
        calls.within('outFeatures', ranges.number),
        calls.within('kernelDims', ranges.number),
        calls.maybe(calls.something('options')),
      ],
      arguments,
    );
    super();
    const { init = fanInUniform, rng = layerGenerator() } = checked('MinibatchDiscrimination', options, [
      'init',
      'rng',
    ]);
    const fans = { fanIn: inFeatures, fanOut: outFeatures * kernelDims };
    this.weight = filled('MinibatchDiscrimination', 'weight', init, [[inFeatures, outFeatures, kernelDims], fans, rng]);
  }

  /** @throws ShapeError unless x is [N,in] */
  override forward(x: Tensor): Tensor {
    const [a, b, c] = this.weight.shape as readonly [number, number, number];
    const n = x.shape[0]!;
    if (x.rank !== 2 || x.shape[1] !== a) {
      throw new ShapeError(`MinibatchDiscrimination: x [${x.shape}] must be [N,${a}]; flatten images first`);
    }
    return scope(() => {
      const m = matmul(x, this.weight.reshape([a, b * c]));
      const distances = m
        .reshape([n, 1, b, c])
        .sub(m.reshape([1, n, b, c]))
        .abs()
        .sum(-1);
      return concat([x, distances.neg().exp().sum(1)], 1);
    });
  }

  override describe(): string {
    const [a, b, c] = this.weight.shape as readonly [number, number, number];
    return `${a}, ${b}, kernelDims ${c}`;
  }
}

guardForward(MinibatchStdDev, MinibatchDiscrimination);
