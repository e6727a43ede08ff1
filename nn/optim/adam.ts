import { type AdamStep, calls, ranges } from '../../engine/internal.ts';
import { type Algorithm, Optimizer, type OptimizerParameters } from './optimizer.ts';
import { decayRates } from './options.ts';

/** Options of {@link Adam}; names and defaults are PyTorch's. */
export interface AdamOptions {
  /** The learning rate. Default 1e-3. */
  readonly lr?: number;
  /** Decay rates of the two moments. Default [0.9, 0.999]; WGAN-GP uses [0, 0.9]. */
  readonly betas?: readonly [number, number];
  /** Added to the root of the second moment. Default 1e-8. */
  readonly eps?: number;
  /** Added to the gradient as weightDecay · p (an L2 penalty, not AdamW's decay). Default 0. */
  readonly weightDecay?: number;
}

const defaults = { lr: 1e-3, betas: [0.9, 0.999] as const, eps: 1e-8, weightDecay: 0 };
const adamRanges = {
  lr: ranges.notNegative,
  betas: decayRates,
  eps: ranges.notNegative,
  weightDecay: ranges.notNegative,
};

const numbers = ({ lr, betas: [beta1, beta2], eps }: Required<AdamOptions>, step: number): AdamStep => {
  return { lr, beta1, beta2, eps, weightDecay: 0, l2: 0, step };
};

const ADAM: Algorithm<AdamOptions, 'adam'> = {
  name: 'Adam',
  defaults,
  ranges: adamRanges,
  rule: () => 'adam',
  params: (o, step) => ({ ...numbers(o, step), l2: o.weightDecay }),
};

/**
 * Adam (Kingma and Ba 2015, Algorithm 1), as PyTorch computes it. Its states are `expAvg` and `expAvgSq`.
 * @example
 * const adam = new Adam(model.parameters(), { lr: 3e-4 });
 * scope(() => adam.step(grad(loss(), model.parameters())));
 */
export class Adam extends Optimizer<AdamOptions> {
  /**
   * @param parameters each may belong to one optimizer only
   * @throws TypeError for an option that there is not
   * @throws RangeError for an option that is no such number, or negative
   * @throws Error for no parameters, or one that belongs to another optimizer
   */
  constructor(parameters: OptimizerParameters<AdamOptions>, options: AdamOptions = {}) {
    calls.checkArguments('Adam', [calls.something('parameters'), calls.maybe(calls.something('options'))], arguments);
    super(ADAM, parameters, options);
  }
}

/** Options of {@link AdamW}; names and defaults are PyTorch's. */
export interface AdamWOptions extends Omit<AdamOptions, 'weightDecay'> {
  /** lr · weightDecay of each parameter is subtracted from it before the step. Default 1e-2. */
  readonly weightDecay?: number;
}

const ADAM_W: Algorithm<AdamWOptions, 'adam'> = {
  name: 'AdamW',
  defaults: { ...defaults, weightDecay: 1e-2 },
  ranges: adamRanges,
  rule: () => 'adam',
  params: (o, step) => ({ ...numbers(o, step), weightDecay: o.weightDecay }),
};

/** Adam with decoupled weight decay (Loshchilov and Hutter 2019, Algorithm 2), as PyTorch computes it. */
export class AdamW extends Optimizer<AdamWOptions> {
  /** Takes what the constructor of {@link Adam} takes. */
  constructor(parameters: OptimizerParameters<AdamWOptions>, options: AdamWOptions = {}) {
    calls.checkArguments('AdamW', [calls.something('parameters'), calls.maybe(calls.something('options'))], arguments);
    super(ADAM_W, parameters, options);
  }
}
