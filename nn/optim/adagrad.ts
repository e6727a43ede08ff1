import { calls, ranges } from '../../engine/internal.ts';
import { type Algorithm, Optimizer, type OptimizerParameters } from './optimizer.ts';

/** Options of {@link Adagrad}; names and defaults are PyTorch's. */
export interface AdagradOptions {
  /** The learning rate. Default 1e-2. */
  readonly lr?: number;
  /** Step k has the learning rate lr / (1 + (k - 1) · lrDecay). Default 0. */
  readonly lrDecay?: number;
  /** Added to the gradient as weightDecay · p. Default 0. */
  readonly weightDecay?: number;
  /** What the sum of the squared gradients starts with. Default 0. */
  readonly initialAccumulatorValue?: number;
  /** Added to the root. Default 1e-10. */
  readonly eps?: number;
}

const ALGORITHM: Algorithm<AdagradOptions, 'adagrad'> = {
  name: 'Adagrad',
  defaults: { lr: 1e-2, lrDecay: 0, weightDecay: 0, initialAccumulatorValue: 0, eps: 1e-10 },
  ranges: {
    lr: ranges.notNegative,
    lrDecay: ranges.notNegative,
    weightDecay: ranges.notNegative,
    initialAccumulatorValue: ranges.notNegative,
    eps: ranges.notNegative,
  },
  rule: () => 'adagrad',
  initial: (o) => o.initialAccumulatorValue,
  params: ({ lr, lrDecay, weightDecay: l2, eps }, step) => ({ lr, lrDecay, l2, eps, step }),
};

/** Adagrad (Duchi, Hazan and Singer 2011), as PyTorch computes it. Its state is `sum`, of the squared gradients. */
export class Adagrad extends Optimizer<AdagradOptions> {
  /**
   * @param parameters each may belong to one optimizer only
   * @throws TypeError for an option that there is not
   * @throws RangeError for an option that is no number, or negative
   * @throws Error for no parameters, or one that belongs to another optimizer
   */
  constructor(parameters: OptimizerParameters<AdagradOptions>, options: AdagradOptions = {}) {
    calls.checkArguments(
      'Adagrad',
      [calls.something('parameters'), calls.maybe(calls.something('options'))],
      arguments,
    );
    super(ALGORITHM, parameters, options);
  }
}
