/** Layers that drop at random in training, and do nothing in evaluation. */
import { dropout, type Rng, ShapeError, scope, type Tensor, withDevice } from '../../engine/index.ts';
import { calls, checked, checkedNumber } from '../../engine/internal.ts';
import { layerGenerator } from '../init.ts';
import { guardForward } from '../module/guardForward.ts';
import { Module } from '../module/module.ts';

/** Options of {@link Dropout} and its kin. */
export interface DropoutOptions {
  /**
   * Where the random numbers come from; the generator that all layers share unless given. A compiled step draws new ones in
   * every run.
   */
  readonly rng?: Rng;
}

function probability(layer: string, p: number): number {
  checkedNumber(layer, 'p', p);
  if (!(p >= 0 && p <= 1)) throw new RangeError(`${layer}: p must be from 0 to 1, not ${p}`);
  return p;
}

/**
 * In training each element becomes 0 with probability p, and the others grow by 1 / (1 - p), so that the mean stays
 * (Srivastava et al. 2014); in evaluation nothing happens. See `dropout`.
 */
export class Dropout extends Module {
  /** The probability of each element to become 0. */
  readonly p: number;
  /** Where the random numbers come from; checkpoints save its place in the stream. */
  readonly rng: Rng;

  /** Takes the probability, 0.5 unless given. @throws RangeError unless 0 <= p <= 1 */
  constructor(p = 0.5, options: DropoutOptions = {}) {
    calls.checkArguments(
      'Dropout',
      [calls.maybe(calls.something('p')), calls.maybe(calls.something('options'))],
      arguments,
    );
    super();
    this.p = probability('Dropout', p);
    this.rng = checked('Dropout', options, ['rng']).rng ?? layerGenerator();
  }

  override forward(x: Tensor): Tensor {
    if (!this.training || this.p === 0) return x;
    return withDevice(x.device, () => dropout(x, this.p, this.rng));
  }

  override describe(): string {
    return `p ${this.p}`;
  }
}

/**
 * {@link Dropout} of whole channels (Tompson et al. 2015): x [N,...,C], one draw for each sample and channel. For sequences
 * [N,L,C], images and volumes alike.
 */
export class Dropout2d extends Module {
  /** The probability of each channel to become 0. */
  readonly p: number;
  /** Where the random numbers come from; checkpoints save its place in the stream. */
  readonly rng: Rng;

  /** Takes the probability, 0.5 unless given. @throws RangeError unless 0 <= p <= 1 */
  constructor(p = 0.5, options: DropoutOptions = {}) {
    calls.checkArguments(
      'Dropout2d',
      [calls.maybe(calls.something('p')), calls.maybe(calls.something('options'))],
      arguments,
    );
    super();
    this.p = probability('Dropout2d', p);
    this.rng = checked('Dropout2d', options, ['rng']).rng ?? layerGenerator();
  }

  /** @throws ShapeError unless x is [N,...,C] with an axis between */
  override forward(x: Tensor): Tensor {
    const { p, rng } = this;
    if (x.rank < 3) {
      throw new ShapeError(`Dropout2d: x [${x.shape}] must be images [N,H,W,C]; for features [N,C] use Dropout`);
    }
    if (!this.training || p === 0) return x;
    const shape = x.shape.map((d, i) => (i === 0 || i === x.rank - 1 ? d : 1));
    return withDevice(x.device, () => scope(() => x.mul(rng.bernoulli(shape, 1 - p).mul(p === 1 ? 0 : 1 / (1 - p)))));
  }

  override describe(): string {
    return `p ${this.p}`;
  }
}

/** The limit of `selu` for small x, negated: its alpha times its scale. */
const SELU_LIMIT = 1.6732632423543772 * 1.0507009873554805;

/**
 * Dropout for networks of {@link SELU} (Klambauer et al. 2017, section 3): a dropped element becomes the limit of selu for
 * small x, and an affine map afterwards keeps mean 0 and variance 1. In evaluation nothing happens.
 */
export class AlphaDropout extends Module {
  /** The probability of each element to be dropped. */
  readonly p: number;
  /** Where the random numbers come from; checkpoints save its place in the stream. */
  readonly rng: Rng;

  /** Takes the probability, 0.5 unless given. @throws RangeError unless 0 <= p < 1 */
  constructor(p = 0.5, options: DropoutOptions = {}) {
    calls.checkArguments(
      'AlphaDropout',
      [calls.maybe(calls.something('p')), calls.maybe(calls.something('options'))],
      arguments,
    );
    super();
    if (p === 1)
      throw new RangeError('AlphaDropout: p must be less than 1: with nothing kept there is no variance to keep');
    this.p = probability('AlphaDropout', p);
    this.rng = checked('AlphaDropout', options, ['rng']).rng ?? layerGenerator();
  }

  override forward(x: Tensor): Tensor {
    const { p, rng } = this;
    if (!this.training || p === 0) return x;
    const scale = 1 / Math.sqrt((SELU_LIMIT ** 2 * p + 1) * (1 - p));
    return withDevice(x.device, () =>
      scope(() => {
        const kept = rng.bernoulli(x.shape, 1 - p).mul(scale);
        // Where kept: scale · x + shift; where dropped: -scale · limit + shift, with shift = scale · limit · p.
        const rest = kept.mul(SELU_LIMIT).add(scale * SELU_LIMIT * (p - 1));
        return x.mul(kept).add(rest);
      }),
    );
  }

  override describe(): string {
    return `p ${this.p}`;
  }
}

guardForward(Dropout, Dropout2d, AlphaDropout);
