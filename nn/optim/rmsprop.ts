import { calls, ranges } from '../../engine/internal.ts';
import { type Algorithm, Optimizer, type OptimizerParameters } from './optimizer.ts';

/** Options of {@link RMSprop}; names and defaults are PyTorch's. */
export interface RMSpropOptions {
  /** The learning rate. Default 1e-2; WGAN uses 5e-5. */
  readonly lr?: number;
  /** Decay rate of the mean of the squared gradients, 0 to 1. Default 0.99. */
  readonly alpha?: number;
  /** Added to the root. Default 1e-8. */
  readonly eps?: number;
  /** Added to the gradient as weightDecay · p. Default 0. */
  readonly weightDecay?: number;
  /** The share of the momentum buffer that a step keeps; 0 for none. Default 0. */
  readonly momentum?: number;
  /** Divide by the standard deviation of the gradients, and not by the root of their squares' mean. Default false. */
  readonly centered?: boolean;
}

type RmspropRule = 'rmsprop' | 'rmspropMomentum' | 'rmspropCentered' | 'rmspropCenteredMomentum';

const ALGORITHM: Algorithm<RMSpropOptions, RmspropRule> = {
  name: 'RMSprop',
  defaults: { lr: 1e-2, alpha: 0.99, eps: 1e-8, weightDecay: 0, momentum: 0, centered: false },
  ranges: {
    lr: ranges.notNegative,
    alpha: ranges.share,
    eps: ranges.notNegative,
    weightDecay: ranges.notNegative,
    momentum: ranges.notNegative,
    centered: ranges.flag,
  },
  rule: ({ centered, momentum }) => `rmsprop${centered ? 'Centered' : ''}${momentum > 0 ? 'Momentum' : ''}` as const,
  params: ({ lr, alpha, eps, weightDecay: l2, momentum }) => ({ lr, alpha, eps, l2, momentum }),
};

/**
 * RMSprop (Hinton's lecture 6e of 2012; centered: Graves 2013, section 4), as PyTorch computes it: eps is added to the root. Its
 * states are `squareAvg`, `gradAvg` if centered, and `momentumBuffer` if it has momentum. A variance that rounding makes
 * negative counts as 0.
 */
export class RMSprop extends Optimizer<RMSpropOptions> {
  /**
   * @param parameters each may belong to one optimizer only
   * @throws TypeError for an option that there is not
   * @throws RangeError for an option out of its range
   * @throws Error for no parameters, or one that belongs to another optimizer
   */
  constructor(parameters: OptimizerParameters<RMSpropOptions>, options: RMSpropOptions = {}) {
    calls.checkArguments(
      'RMSprop',
      [calls.something('parameters'), calls.maybe(calls.something('options'))],
      arguments,
    );
    super(ALGORITHM, parameters, options);
  }
}
