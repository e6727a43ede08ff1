import { calls, ranges } from '../../engine/internal.ts';
import { type Algorithm, Optimizer, type OptimizerParameters } from './optimizer.ts';

/** Options of {@link SGD}; names and defaults are PyTorch's. */
export interface SGDOptions {
  /** The learning rate. Default 1e-3. */
  readonly lr?: number;
  /** The share of the momentum buffer that a step keeps; 0 for none. Default 0. */
  readonly momentum?: number;
  /** The gradient enters the momentum buffer times 1 - dampening, but whole in the first step. Default 0. */
  readonly dampening?: number;
  /** Added to the gradient as weightDecay · p. Default 0. */
  readonly weightDecay?: number;
  /** Nesterov's momentum, which needs a momentum and no dampening. Default false. */
  readonly nesterov?: boolean;
}

const ALGORITHM: Algorithm<SGDOptions, 'sgd' | 'sgdMomentum'> = {
  name: 'SGD',
  defaults: { lr: 1e-3, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false },
  ranges: {
    lr: ranges.notNegative,
    momentum: ranges.notNegative,
    dampening: ranges.finite,
    weightDecay: ranges.notNegative,
    nesterov: ranges.flag,
  },
  refuse: ({ nesterov, momentum, dampening }) =>
    nesterov && (momentum === 0 || dampening !== 0)
      ? `nesterov needs a momentum above 0 and a dampening of 0, not ${momentum} and ${dampening}`
      : undefined,
  rule: ({ momentum }) => (momentum === 0 ? 'sgd' : 'sgdMomentum'),
  params: ({ lr, momentum, dampening, weightDecay: l2, nesterov }, step) => {
    return { lr, l2, momentum, dampening, nesterov, step };
  },
};

/**
 * Stochastic gradient descent, with momentum if asked for (Sutskever et al. 2013), as PyTorch computes it: the learning rate
 * multiplies the momentum buffer and is not part of it. The state is `momentumBuffer`, or nothing without momentum.
 * @example
 * const sgd = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9, nesterov: true });
 */
export class SGD extends Optimizer<SGDOptions> {
  /**
   * @param parameters each may belong to one optimizer only
   * @throws TypeError for an option that there is not
   * @throws RangeError for an option out of its range, and for nesterov without momentum or with dampening
   * @throws Error for no parameters, or one that belongs to another optimizer
   */
  constructor(parameters: OptimizerParameters<SGDOptions>, options: SGDOptions = {}) {
    calls.checkArguments('SGD', [calls.something('parameters'), calls.maybe(calls.something('options'))], arguments);
    super(ALGORITHM, parameters, options);
  }
}
