import { calls, ranges } from '../../engine/internal.ts';
import { type Algorithm, Optimizer, type OptimizerParameters } from './optimizer.ts';
import { decayRates } from './options.ts';

/** Options of {@link Lion}; defaults are the paper's. */
export interface LionOptions {
  /** The learning rate: 3 to 10 times less than AdamW's, as each step moves by all of it. Default 1e-4. */
  readonly lr?: number;
  /** Shares of the momentum in the direction of a step, and in the next momentum. Default [0.9, 0.99]. */
  readonly betas?: readonly [number, number];
  /** lr · weightDecay of each parameter is subtracted from it before the step: 3 to 10 times AdamW's. Default 0. */
  readonly weightDecay?: number;
}

const ALGORITHM: Algorithm<LionOptions, 'lion'> = {
  name: 'Lion',
  defaults: { lr: 1e-4, betas: [0.9, 0.99], weightDecay: 0 },
  ranges: { lr: ranges.notNegative, betas: decayRates, weightDecay: ranges.notNegative },
  rule: () => 'lion',
  params: ({ lr, betas: [beta1, beta2], weightDecay }) => ({ lr, beta1, beta2, weightDecay }),
};

/**
 * Lion (Chen et al. 2023, Algorithm 2): p -= lr · (sign(beta1 · m + (1 - beta1) · g) + weightDecay · p), and then
 * m = beta2 · m + (1 - beta2) · g. It keeps one state, `expAvg`.
 */
export class Lion extends Optimizer<LionOptions> {
  /**
   * @param parameters each may belong to one optimizer only
   * @throws TypeError for an option that there is not
   * @throws RangeError for an option out of its range
   * @throws Error for no parameters, or one that belongs to another optimizer
   */
  constructor(parameters: OptimizerParameters<LionOptions>, options: LionOptions = {}) {
    calls.checkArguments('Lion', [calls.something('parameters'), calls.maybe(calls.something('options'))], arguments);
    super(ALGORITHM, parameters, options);
  }
}
