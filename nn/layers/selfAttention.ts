import { maxPool2d, ShapeError, scaledDotProductAttention, scope, type Tensor, zeros } from '../../engine/index.ts';
import { calls, checked, ranges } from '../../engine/internal.ts';
import { guardForward } from '../module/guardForward.ts';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { Conv2d } from './conv.ts';
import { described } from './describe.ts';
import { WEIGHT_OPTIONS, type WeightOptions } from './linear.ts';

/** Options of {@link SelfAttention2d}. */
export interface SelfAttention2dOptions extends WeightOptions {
  /** Channels of queries and keys. Default an eighth of the channels, at least 1. */
  readonly keyChannels?: number;
  /** Channels of values. Default half of the channels, at least 1. */
  readonly valueChannels?: number;
  /** Look at the maxima of 2x2 blocks instead of at every pixel, as BigGAN does (Brock et al. 2019). Default false. */
  readonly pool?: boolean;
}

/**
 * Self-attention over the pixels of images (SAGAN, Zhang et al. 2019): x + gamma · v(Σ_i β_ji h(x_i)) with β_ji the softmax over
 * the pixels i of f(x_i)ᵀ g(x_j). x [N,H,W,C] gives the same shape; f, g, h and v are convolutions of kernel 1. As gamma starts
 * at 0, so does the network without it.
 */
export class SelfAttention2d extends Module {
  /** Keys: of the pixels that are looked at, [1,1,C,keyChannels]. */
  readonly f: Conv2d;
  /** Queries: of the pixels that look, [1,1,C,keyChannels]. */
  readonly g: Conv2d;
  /** Values, [1,1,C,valueChannels]. */
  readonly h: Conv2d;
  /** Back to the channels of x, [1,1,valueChannels,C]. */
  readonly v: Conv2d;
  /** How much of it is added, [1]; starts as 0. */
  readonly gamma: Parameter;
  /** Whether it looks at the maxima of 2x2 blocks. */
  readonly pool: boolean;

  /** Makes and fills the weights, on the current device. @param channels the size of x's last axis */
  constructor(channels: number, options: SelfAttention2dOptions = {}) {
    calls.checkArguments(
      'SelfAttention2d',
      [calls.within('channels', ranges.number), calls.maybe(calls.something('options'))],
      arguments,
    );
    super();
    const {
      keyChannels,
      valueChannels,
      pool = false,
      ...weights
    } = checked('SelfAttention2d', options, ['keyChannels', 'valueChannels', 'pool', ...WEIGHT_OPTIONS]);
    const keys = keyChannels ?? Math.max(1, Math.floor(channels / 8));
    const values = valueChannels ?? Math.max(1, Math.floor(channels / 2));
    this.f = new Conv2d(channels, keys, 1, weights);
    this.g = new Conv2d(channels, keys, 1, weights);
    this.h = new Conv2d(channels, values, 1, weights);
    this.v = new Conv2d(values, channels, 1, weights);
    this.gamma = new Parameter(zeros([1]), 'gamma');
    this.pool = pool;
  }

  /** @throws ShapeError unless x is [N,H,W,C], with sides of 2 or more to pool */
  override forward(x: Tensor): Tensor {
    const { f, g, h, v, gamma, pool } = this;
    const channels = f.weight.shape[2]!;
    const [n, height, width, c] = x.shape as readonly [number, number, number, number];
    if (x.rank !== 4 || c !== channels) {
      throw new ShapeError(`SelfAttention2d: x [${x.shape}] must be images [N,H,W,${channels}]`);
    }
    if (pool && Math.min(height, width) < 2) {
      throw new ShapeError(`SelfAttention2d: x [${x.shape}] is too small to pool; sides must be 2 or more`);
    }
    return scope(() => {
      const pixels = (t: Tensor) => t.reshape([n, t.shape[1]! * t.shape[2]!, t.shape[3]!]);
      const seen = (t: Tensor) => pixels(pool ? maxPool2d(t, 2) : t);
      const found = scaledDotProductAttention(pixels(g.forward(x)), seen(f.forward(x)), seen(h.forward(x)), {
        scale: 1,
      });
      return x.add(v.forward(found.reshape([n, height, width, found.shape[2]!])).mul(gamma));
    });
  }

  override describe(): string {
    const [, , channels, keys] = this.f.weight.shape as [number, number, number, number];
    return described(channels, `keys ${keys}`, `values ${this.h.weight.shape[3]}`, this.pool && 'pool');
  }
}

guardForward(SelfAttention2d);
