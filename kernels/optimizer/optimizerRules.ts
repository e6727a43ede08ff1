/**
 * What optimizers do to one parameter: the table of update rules. Names and meanings are PyTorch's but for the two decays:
 * `l2` times the parameter is added to its gradient, and `weightDecay` shrinks the parameter itself (AdamW).
 */

import { EXTREMA, SIGN } from '../special.ts';

/** One step of `sgd`, which looks at `lr` and `l2` alone, or of `sgdMomentum`. */
export interface SgdStep {
  /** The learning rate. */
  readonly lr: number;
  /** l2 times the parameter is added to its gradient. */
  readonly l2: number;
  /** The share of the momentum buffer that a step keeps. */
  readonly momentum: number;
  /** The gradient enters the buffer times 1 - dampening, but whole in step 1. */
  readonly dampening: number;
  /** Nesterov's momentum: the step goes along gradient + momentum · buffer, not along the buffer. */
  readonly nesterov: boolean;
  /** The number of this step, from 1. */
  readonly step: number;
}

/** One step of `adam`: Adam with `l2`, AdamW with `weightDecay`. */
export interface AdamStep {
  /** The learning rate. */
  readonly lr: number;
  /** Decay rate of the first moment, the mean of the gradients. */
  readonly beta1: number;
  /** Decay rate of the second moment, the mean of their squares. */
  readonly beta2: number;
  /** Added to the root of the second moment. */
  readonly eps: number;
  /** lr · weightDecay of each parameter is subtracted from it first (AdamW). */
  readonly weightDecay: number;
  /** l2 times the parameter is added to its gradient. */
  readonly l2: number;
  /** The number of this step, from 1. */
  readonly step: number;
}

/** One step of `rmsprop`, or of a rule that adds to it; those without momentum do not look at it. */
export interface RmspropStep {
  /** The learning rate. */
  readonly lr: number;
  /** Decay rate of the mean of the squares (and of the gradients, if centered). */
  readonly alpha: number;
  /** Added to the root. */
  readonly eps: number;
  /** l2 times the parameter is added to its gradient. */
  readonly l2: number;
  /** The share of the momentum buffer that a step keeps. */
  readonly momentum: number;
}

/** One step of `adagrad`. */
export interface AdagradStep {
  /** The learning rate. */
  readonly lr: number;
  /** Step k has the learning rate lr / (1 + (k - 1) · lrDecay). */
  readonly lrDecay: number;
  /** Added to the root. */
  readonly eps: number;
  /** l2 times the parameter is added to its gradient. */
  readonly l2: number;
  /** The number of this step, from 1. */
  readonly step: number;
}

/** One step of `lion`. */
export interface LionStep {
  /** The learning rate. */
  readonly lr: number;
  /** The share of the momentum in the direction of this step. */
  readonly beta1: number;
  /** The share of the momentum that the next step finds. */
  readonly beta2: number;
  /** lr · weightDecay of each parameter is subtracted from it first. */
  readonly weightDecay: number;
}

/** One step of `ema`, an average that follows the tensors in the gradients' places. */
export interface EmaStep {
  /** The share of the average that is kept, 0 to 1. */
  readonly decay: number;
}

/** The rules, each with what a step of it needs to know. */
export interface StepRules {
  /** p -= lr · g */
  readonly sgd: SgdStep;
  /** Stochastic gradient descent with a momentum buffer. */
  readonly sgdMomentum: SgdStep;
  /** Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019). */
  readonly adam: AdamStep;
  /** RMSprop (Hinton's lecture 6e of 2012). */
  readonly rmsprop: RmspropStep;
  /** RMSprop whose quotients go into a momentum buffer. */
  readonly rmspropMomentum: RmspropStep;
  /** RMSprop by the variance of the gradients (Graves 2013, section 4). */
  readonly rmspropCentered: RmspropStep;
  /** Both of these. */
  readonly rmspropCenteredMomentum: RmspropStep;
  /** Adagrad (Duchi, Hazan and Singer 2011). */
  readonly adagrad: AdagradStep;
  /** Lion (Chen et al. 2023, Algorithm 2). */
  readonly lion: LionStep;
  /** average = decay · average + (1 - decay) · x */
  readonly ema: EmaStep;
}

/** The name of a rule. */
export type RuleName = keyof StepRules;

/** How a rule is computed. */
export interface Rule<P> {
  /** Arenas that it updates beside that of the parameters; names are PyTorch's. */
  readonly states: readonly string[];
  /** Float32 parameters of the shader, by name. */
  readonly scalars: Readonly<Record<string, (o: P) => number>>;
  /**
   * WGSL that writes `w[at]` and each state at `at` from `old` (what w[at] was) and the gradient `g`, which it may change.
   * All are vec4f.
   */
  readonly body: string;
  /** WGSL functions over T = vec4f that the body calls. */
  readonly prelude?: string;
}

const adam: Rule<AdamStep> = {
  states: ['expAvg', 'expAvgSq'],
  scalars: {
    shrink: (o) => 1 - o.lr * o.weightDecay,
    l2: (o) => o.l2,
    beta1: (o) => o.beta1,
    beta2: (o) => o.beta2,
    rest1: (o) => 1 - o.beta1,
    rest2: (o) => 1 - o.beta2,
    rate: (o) => o.lr / (1 - o.beta1 ** o.step),
    root: (o) => 1 / Math.sqrt(1 - o.beta2 ** o.step),
    eps: (o) => o.eps,
  },
  body: /* wgsl */ `  g += p.l2 * old;
  let first = p.beta1 * expAvg[at] + p.rest1 * g;
  let second = p.beta2 * expAvgSq[at] + p.rest2 * g * g;
  expAvg[at] = first;
  expAvgSq[at] = second;
  w[at] = p.shrink * old - p.rate * first / (sqrt(second) * p.root + p.eps);`,
};

const sgd: Rule<SgdStep> = {
  states: [],
  scalars: { l2: (o) => o.l2, rate: (o) => o.lr },
  body: /* wgsl */ `  g += p.l2 * old;
  w[at] = old - p.rate * g;`,
};

const sgdMomentum: Rule<SgdStep> = {
  states: ['momentumBuffer'],
  scalars: {
    l2: (o) => o.l2,
    momentum: (o) => (o.step === 1 ? 0 : o.momentum),
    take: (o) => (o.step === 1 ? 1 : 1 - o.dampening),
    alongGradient: (o) => (o.nesterov ? o.lr : 0),
    alongBuffer: (o) => (o.nesterov ? o.lr * o.momentum : o.lr),
  },
  body: /* wgsl */ `  g += p.l2 * old;
  let buffer = p.momentum * momentumBuffer[at] + p.take * g;
  momentumBuffer[at] = buffer;
  w[at] = old - (p.alongGradient * g + p.alongBuffer * buffer);`,
};

const rmsprop = (centered: boolean, momentum: boolean): Rule<RmspropStep> => ({
  states: ['squareAvg', ...(centered ? ['gradAvg'] : []), ...(momentum ? ['momentumBuffer'] : [])],
  scalars: {
    l2: (o) => o.l2,
    alpha: (o) => o.alpha,
    rest: (o) => 1 - o.alpha,
    eps: (o) => o.eps,
    rate: (o) => o.lr,
    ...(momentum ? { momentum: (o) => o.momentum } : {}),
  },
  ...(centered ? { prelude: EXTREMA } : {}),
  body: [
    '  g += p.l2 * old;',
    '  let square = p.alpha * squareAvg[at] + p.rest * g * g;',
    '  squareAvg[at] = square;',
    ...(centered ? ['  let mean = p.alpha * gradAvg[at] + p.rest * g;', '  gradAvg[at] = mean;'] : []),
    // Rounding may leave less than the 0 that a variance is at least.
    `  let root = sqrt(${centered ? 'max_(square - mean * mean, vec4f())' : 'square'});`,
    ...(momentum
      ? [
          '  let buffer = p.momentum * momentumBuffer[at] + g / (root + p.eps);',
          '  momentumBuffer[at] = buffer;',
          '  w[at] = old - p.rate * buffer;',
        ]
      : ['  w[at] = old - p.rate * g / (root + p.eps);']),
  ].join('\n'),
});

const adagrad: Rule<AdagradStep> = {
  states: ['sum'],
  scalars: { l2: (o) => o.l2, rate: (o) => o.lr / (1 + (o.step - 1) * o.lrDecay), eps: (o) => o.eps },
  body: /* wgsl */ `  g += p.l2 * old;
  let squares = sum[at] + g * g;
  sum[at] = squares;
  w[at] = old - p.rate * g / (sqrt(squares) + p.eps);`,
};

const lion: Rule<LionStep> = {
  states: ['expAvg'],
  scalars: {
    shrink: (o) => 1 - o.lr * o.weightDecay,
    beta1: (o) => o.beta1,
    beta2: (o) => o.beta2,
    rest1: (o) => 1 - o.beta1,
    rest2: (o) => 1 - o.beta2,
    rate: (o) => o.lr,
  },
  prelude: SIGN,
  body: /* wgsl */ `  let mean = expAvg[at];
  let along = p.beta1 * mean + p.rest1 * g;
  expAvg[at] = p.beta2 * mean + p.rest2 * g;
  w[at] = p.shrink * old - p.rate * sign_(along);`,
};

const ema: Rule<EmaStep> = {
  states: [],
  scalars: { rest: (o) => 1 - o.decay },
  body: '  w[at] = old + p.rest * (g - old);',
};

/** Every rule, by name. */
export const RULES: { readonly [R in RuleName]: Rule<StepRules[R]> } = {
  sgd,
  sgdMomentum,
  adam,
  adagrad,
  lion,
  ema,
  rmsprop: rmsprop(false, false),
  rmspropMomentum: rmsprop(false, true),
  rmspropCentered: rmsprop(true, false),
  rmspropCenteredMomentum: rmsprop(true, true),
};
