/** Normalisations whose scale and shift are made from what the sample is to be. */
import { embedding, instanceNorm, ShapeError, scope, slice, type Tensor } from '../../engine/index.ts';
import { calls, checked, ranges } from '../../engine/internal.ts';
import { constant, normal } from '../init.ts';
import { Module } from '../module/module.ts';
import { BatchNormNd, type BatchNormOptions } from './batchNorm.ts';
import { Linear, type WeightOptions } from './linear.ts';

/** [N,C] as [N,1,...,1,C], to go with x [N,...,C]. */
const besides = (x: Tensor, v: Tensor): Tensor =>
  v.reshape([v.shape[0]!, ...x.shape.slice(1, -1).map(() => 1), v.shape[1]!]);

/** Options of {@link AdaIN}. */
export interface AdaINOptions extends Omit<WeightOptions, 'bias'> {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
}

/**
 * Adaptive instance normalisation (Huang and Belongie 2017) by a style vector, as StyleGAN has it (Karras et al. 2019, eq. 1):
 * each channel of each sample of x [N,...,C] gets mean 0 and variance 1, and then the scale and shift that a linear layer makes
 * of the sample's style [N,S]: (1 + s) · x + b with [s, b] = style · A + a.
 */
export class AdaIN extends Module<[x: Tensor, style: Tensor]> {
  /** A and a: [S] to the scales, less 1, and then the shifts, [2C]. Its bias starts as 0 unless `initBias` is given. */
  readonly affine: Linear;
  /** The size of x's last axis. */
  readonly numFeatures: number;
  /** The size of the style. */
  readonly styleFeatures: number;
  /** Added to the variance. */
  readonly eps: number;

  /** Makes and fills the weights, on the current device. @param channels the size of x's last axis */
  constructor(styleFeatures: number, channels: number, options: AdaINOptions = {}) {
    calls.checkArguments(
      'AdaIN',
      [
        calls.within('styleFeatures', ranges.number),
        calls.within('channels', ranges.number),
        calls.maybe(calls.something('options')),
      ],
      arguments,
    );
    super();
    const { eps = 1e-5, ...weights } = checked('AdaIN', options, ['eps', 'init', 'initBias', 'rng']);
    this.numFeatures = channels;
    this.styleFeatures = styleFeatures;
    this.eps = eps;
    this.affine = new Linear(styleFeatures, 2 * channels, { initBias: constant(0), ...weights });
  }

  /** @throws ShapeError unless x is [N,...,C] with more than one value a channel, and style [N,S] */
  override forward(x: Tensor, style: Tensor): Tensor {
    const { numFeatures: c, styleFeatures, eps } = this;
    if (x.rank < 3 || x.shape.at(-1) !== c || style.shape.join() !== `${x.shape[0]},${styleFeatures}`) {
      throw new ShapeError(
        `AdaIN: x [${x.shape}] and style [${style.shape}] must be [N,...,${c}] and [N,${styleFeatures}], a style for each sample; channels come last`,
      );
    }
    return scope(() => {
      const made = this.affine.forward(style);
      const part = (i: number) => besides(x, slice(made, [[], [i * c, (i + 1) * c]]));
      return instanceNorm(x, { eps }).mul(part(0).add(1)).add(part(1));
    });
  }

  override describe(): string {
    return `${this.styleFeatures}, ${this.numFeatures}${this.eps === 1e-5 ? '' : `, eps ${this.eps}`}`;
  }
}

/** Rows of a table for indices [N]; a linear map without bias for vectors [N,F]. The weight is the same: [entries or F, C]. */
class Condition extends Linear {
  override forward(given: Tensor): Tensor {
    return given.rank === 1 ? embedding(this.weight, given) : super.forward(given);
  }
}

/** Options of {@link ConditionalBatchNorm}. */
export interface ConditionalBatchNormOptions
  extends Omit<BatchNormOptions, 'affine'>,
    Pick<WeightOptions, 'init' | 'rng'> {}

/**
 * Batch norm whose gain and bias depend on the sample (Dumoulin et al. 2017; de Vries et al. 2017): (1 + gain) · x̂ + bias for
 * x [N,...,C] of two axes or more. The condition is the samples' classes [N], whole numbers from 0, which choose rows of two
 * tables as in SAGAN (Zhang et al. 2019), or vectors [N,F], such as BigGAN's class embedding together with a chunk of the
 * latent code (Brock et al. 2019, appendix B).
 * @example
 * const norm = new ConditionalBatchNorm(64, 10);
 * norm.forward(images, labels); // [N,8,8,64] and [N], of 0 to 9
 */
export class ConditionalBatchNorm extends BatchNormNd<[x: Tensor, condition: Tensor]> {
  /** The gains, less 1: a weight [classes or F, C]. Its module may be given to `spectralNorm`, as in BigGAN. */
  readonly gain: Linear;
  /** The shifts: a weight [classes or F, C]. */
  readonly shift: Linear;
  /** How many classes there are, or the size of a vector. */
  readonly conditions: number;

  /**
   * Makes and fills the weights, on the current device: with mean 0 and standard deviation 0.02 unless `init` is given.
   * @param channels the size of x's last axis
   * @param conditions how many classes there are, or the size of a vector
   */
  constructor(channels: number, conditions: number, options: ConditionalBatchNormOptions = {}) {
    calls.checkArguments(
      'ConditionalBatchNorm',
      [
        calls.within('channels', ranges.number),
        calls.within('conditions', ranges.number),
        calls.maybe(calls.something('options')),
      ],
      arguments,
    );
    const { init = normal(0.02), rng, ...norm } = options;
    super(channels, { ...norm, affine: false });
    const weights = { bias: false, init, ...(rng ? { rng } : {}) };
    this.conditions = conditions;
    this.gain = new Condition(conditions, channels, weights);
    this.shift = new Condition(conditions, channels, weights);
  }

  /** @throws ShapeError unless x is [N,...,C] and the condition [N] or [N,F] */
  override forward(x: Tensor, condition: Tensor): Tensor {
    const { numFeatures, conditions } = this;
    const [n, f, ...more] = condition.shape;
    if (
      x.rank < 2 ||
      x.shape.at(-1) !== numFeatures ||
      n !== x.shape[0] ||
      (f ?? conditions) !== conditions ||
      more.length > 0
    ) {
      throw new ShapeError(
        `ConditionalBatchNorm: x [${x.shape}] and condition [${condition.shape}] must be [N,...,${numFeatures}] and the samples' classes [N], or vectors [N,${conditions}]; channels come last`,
      );
    }
    return scope(() => {
      const gain = besides(x, this.gain.forward(condition));
      const shift = besides(x, this.shift.forward(condition));
      return this.normalized(x).mul(gain.add(1)).add(shift);
    });
  }

  /** Sizes, and the options that are not as usual. */
  override describe(): string {
    return `${super.describe()}, ${this.conditions} conditions`;
  }

  /** @internal */
  protected override affineText(): string {
    return '';
  }
}
