/** What overwrites its inputs: steps of optimizers, averages, copies. */
import { copyFrom, type Shape, slice } from '../../../engine/index.ts';
import {
  clampInPlace,
  emaStep,
  optimizerStep,
  type RuleName,
  type StepRules,
  stepStates,
} from '../../../engine/internal.ts';
import { type optimRows, updateRunningStats } from '../../../engine/ops/optim.ts';
import { show } from '../../../engine/tensor/shape.ts';
import { type Case, type CasesOf, positive, type Range2, text } from '../builders.ts';

/** What states may hold: squares are not negative, and a variance stays away from 0. */
const RANGES: Readonly<Record<string, Range2>> = {
  expAvg: { from: -0.02, to: 0.02 },
  expAvgSq: { from: 0.01, to: 0.1 },
  squareAvg: { from: 0.2, to: 0.4 },
  gradAvg: { from: -0.1, to: 0.1 },
  sum: { from: 0.01, to: 0.1 },
  momentumBuffer: {},
};

type Options<R extends RuleName> = Partial<StepRules[R]>;

/** Two steps by a rule on parameters of the given lengths, whose slots start at multiples of 64. */
function steps<R extends RuleName>(
  rule: R,
  defaults: StepRules[R],
): (lengths: readonly number[], options?: Options<R>) => Case {
  return (lengths, options = {}) => {
    const offsets: number[] = [];
    let size = 0;
    for (const n of lengths) {
      offsets.push(size);
      size += Math.ceil(n / 64) * 64;
    }
    const states = stepStates[rule];
    const params = { ...defaults, ...options, lengths: [...lengths], offsets };
    return {
      name: `${lengths.length} parameters${text(options)}`,
      inputs: [
        { shape: [size] },
        ...states.map((s) => ({ shape: [size], ...RANGES[s] })),
        ...lengths.map((n) => ({ shape: [n], away: 0.05 })),
      ],
      fn: (p, ...rest) => {
        const [own, gs] = [rest.slice(0, states.length), rest.slice(states.length)];
        optimizerStep(rule, p, own, gs, params);
        optimizerStep(rule, p, own, gs, 'step' in params ? { ...params, step: (params.step as number) + 1 } : params);
        // What lies between the parameters' slots belongs to nobody.
        return [p, ...own].flatMap((t) => lengths.map((n, k) => slice(t, [[offsets[k]!, offsets[k]! + n]])));
      },
    };
  };
}

/** More parameters than one launch serves. */
const MANY = Array.from({ length: 40 }, (_, i) => 1 + 5 * i);

const sgd = { lr: 0.01, l2: 0, momentum: 0.9, dampening: 0, nesterov: false, step: 1 };
const plain = steps('sgd', sgd);
const heavy = steps('sgdMomentum', sgd);
const adam = steps('adam', { lr: 0.01, beta1: 0.5, beta2: 0.9, eps: 1e-8, weightDecay: 0, l2: 0, step: 1 });
const adagrad = steps('adagrad', { lr: 0.01, lrDecay: 0.5, eps: 1e-10, l2: 0, step: 1 });
const lion = steps('lion', { lr: 0.01, beta1: 0.5, beta2: 0.9, weightDecay: 0 });
const ema = steps('ema', { decay: 0.75 });
const rmsprop = (rule: 'rmsprop' | 'rmspropMomentum' | 'rmspropCentered' | 'rmspropCenteredMomentum'): Case[] => {
  const of = steps(rule, { lr: 0.01, alpha: 0.9, eps: 1e-8, l2: 0, momentum: 0.5 });
  return [of([1]), of([3, 65, 17]), of([5, 130], { l2: 0.1, eps: 0.1 }), of(MANY)];
};

const emas = (n: number, decay: number): Case => ({
  name: `[${n}], decay ${decay}`,
  inputs: [{ shape: [n] }, { shape: [n] }],
  fn: (average, p) => {
    emaStep(average, p, decay);
    return average;
  },
});

const runningStats = (c: number, momentum: number, n: number): Case => ({
  name: `${c} channels, momentum ${momentum}`,
  inputs: [{ shape: [c] }, { shape: [c], ...positive }, { shape: [2, c], ...positive }],
  fn: (average, variance, stats) => {
    updateRunningStats(average, variance, stats, { momentum, eps: 1e-5, n });
    return [average, variance];
  },
});

const copies = (shape: Shape): Case => ({
  name: show(shape),
  inputs: [{ shape }, { shape }],
  fn: (x, source) => copyFrom(x, source),
  tolerance: 0,
});

const clamps = (shape: Shape, min: number, max: number): Case => ({
  name: `${show(shape)} to ${min} ... ${max}`,
  inputs: [{ shape }],
  fn: (x) => clampInPlace(x, min, max),
  tolerance: 0,
});

export const optimCases: CasesOf<typeof optimRows> = {
  sgd: [plain([1]), plain([3, 65, 17, 64, 128]), plain([5, 130], { l2: 0.1 }), plain(MANY)],
  sgdMomentum: [
    heavy([1]),
    heavy([3, 65, 17, 64, 128], { dampening: 0.25 }),
    heavy([5, 130], { l2: 0.1, step: 7, dampening: 0.25 }),
    heavy([5, 130], { nesterov: true }),
    heavy(MANY),
  ],
  adam: [
    adam([1]),
    adam([3, 65, 17, 64, 128]),
    adam([5, 130], { weightDecay: 0.1 }),
    adam([5, 130], { l2: 0.1, step: 100 }),
    adam(MANY),
  ],
  rmsprop: rmsprop('rmsprop'),
  rmspropMomentum: rmsprop('rmspropMomentum'),
  rmspropCentered: rmsprop('rmspropCentered'),
  rmspropCenteredMomentum: rmsprop('rmspropCenteredMomentum'),
  adagrad: [adagrad([1]), adagrad([3, 65, 17]), adagrad([5, 130], { l2: 0.1, step: 10 }), adagrad(MANY)],
  lion: [lion([1]), lion([3, 65, 17]), lion([5, 130], { weightDecay: 0.1 }), lion(MANY)],
  ema: [emas(1, 0.5), emas(65, 0.999), emas(256, 0), ema([3, 65, 17]), ema(MANY)],
  clampInPlace: [
    clamps([1], -0.5, 0.25),
    clamps([3, 65], -0.5, 0.25),
    clamps([257], -0.125, Number.POSITIVE_INFINITY),
    clamps([5], Number.NEGATIVE_INFINITY, 0.125),
    clamps([0, 3], -1, 1),
  ],
  runningStats: [runningStats(1, 0.1, 2), runningStats(65, 0.5, 257)],
  copyFrom: [copies([1]), copies([3, 65]), copies([0, 3]), copies([257])],
};
