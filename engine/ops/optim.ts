/** Ops that overwrite their leading inputs: optimizer updates, running averages, copies. They have no derivative. */

import { copy } from '../../kernels/copy.ts';
import { runningStats as runningStatsPlan } from '../../kernels/normalization/runningStats.ts';
import { clampInPlace as clampPlan, optimizer, type Slots } from '../../kernels/optimizer/optimizer.ts';
import { RULES, type RuleName, type StepRules } from '../../kernels/optimizer/optimizerRules.ts';
import { aNumber, kind, needed, op, options, within } from '../arguments/arguments.ts';
import { aTensor, tensors } from '../arguments/kinds.ts';
import { number, oneOf } from '../arguments/ranges.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { Live, live } from '../compile/live.ts';
import { ShapeError } from '../errors.ts';
import { type Shape, show, sizeOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

export type {
  AdagradStep,
  AdamStep,
  EmaStep,
  LionStep,
  RmspropStep,
  RuleName,
  SgdStep,
  StepRules,
} from '../../kernels/optimizer/optimizerRules.ts';
export type { Slots };

/** What a step by a rule needs to know: its numbers, and where the parameters lie. */
export type StepParams<R extends RuleName> = Slots & StepRules[R];

/** The names of the states that each rule keeps for a parameter, in the order in which a step takes their arenas. */
export const stepStates: { readonly [R in RuleName]: readonly string[] } = Object.fromEntries(
  Object.entries(RULES).map(([name, { states }]) => [name, states]),
) as Record<RuleName, readonly string[]>;

const stepRow = <R extends RuleName>(name: R): Row<StepParams<R>> => {
  const states = stepStates[name].length;
  return {
    name,
    shape: ([p, ...rest], { lengths, offsets }) => {
      const size = sizeOf(p!);
      const [arenas, gs] = [rest.slice(0, states), rest.slice(states)];
      const fits = (g: Shape, i: number) =>
        sizeOf(g) === lengths[i] && offsets[i]! >= 0 && offsets[i]! + lengths[i] <= size;
      if (!arenas.every((s) => sizeOf(s) === size) || gs.length !== lengths.length || !gs.every(fits)) {
        throw new ShapeError(
          `${name}: arenas ${[p!, ...arenas].map(show).join(', ')} and gradients ${gs.map(show)} do not fit lengths ${show(lengths)} at offsets ${show(offsets)}`,
        );
      }
      return [];
    },
    kernel: ({ params, target }) => optimizer(target, name, params),
    mutates: 1 + states,
  };
};

const stepRows = {
  sgd: stepRow('sgd'),
  sgdMomentum: stepRow('sgdMomentum'),
  adam: stepRow('adam'),
  rmsprop: stepRow('rmsprop'),
  rmspropMomentum: stepRow('rmspropMomentum'),
  rmspropCentered: stepRow('rmspropCentered'),
  rmspropCenteredMomentum: stepRow('rmspropCenteredMomentum'),
  adagrad: stepRow('adagrad'),
  lion: stepRow('lion'),
  ema: stepRow('ema'),
} satisfies { [R in RuleName]: Row<StepParams<R>> };

const aRule = within<RuleName>('rule', oneOf(Object.keys(stepStates)));
const stepParams = kind<StepParams<RuleName> | Live<StepParams<RuleName>>>(
  'params',
  'an object',
  (v) => typeof v === 'object' && v !== null,
);

/**
 * One step of an optimizer on parameters p with a gradient for each, in as few launches as there are bindings for the
 * gradients. p and the states are flat arenas, and are overwritten. What `nn.Adam` and the other optimizers call.
 * @param rule how to update; see {@link StepRules}
 * @param p all parameters, at the offsets that `params` gives
 * @param states as `stepStates[rule]` names them, each of p's size; zeros before the first step
 * @throws ShapeError if the states or the gradients do not fit the arena
 * @function
 */
export const optimizerStep = op(
  'optimizerStep',
  [aRule, aTensor('p'), tensors('states'), tensors('gradients'), stepParams],
  <R extends RuleName>(
    rule: R,
    p: Tensor,
    states: readonly Tensor[],
    gradients: readonly Tensor[],
    params: StepParams<R> | Live<StepParams<R>>,
  ): void => {
    if (states.length !== stepStates[rule].length) {
      throw new ShapeError(
        `${rule}: ${states.length} states were given; it has ${stepStates[rule].join(', ') || 'none'}`,
      );
    }
    const row: Row<StepParams<R>> = stepRows[rule] as never;
    apply(row, [p, ...states, ...gradients], params);
  },
);

const aRate = kind<number | Live<number>>('decay', 'a number', (v) => number.holds(v) || v instanceof Live);

/**
 * average <- decay · average + (1 - decay) · p; the average is overwritten.
 * @throws ShapeError if sizes differ
 * @function
 */
export const emaStep = op('emaStep', [aTensor('average'), aTensor('p'), aRate], (average, p, decay): void => {
  if (average.size !== p.size) {
    throw new ShapeError(`ema: ${show(average.shape)} cannot follow ${show(p.shape)}; sizes must be equal`);
  }
  const slots = { lengths: [p.size], offsets: [0] };
  const params = decay instanceof Live ? live(() => ({ ...slots, decay: decay.next() })) : { ...slots, decay };
  optimizerStep('ema', average, [], [p], params);
});

/** Bounds of {@link clampInPlace}. */
export interface ClampInPlaceParams {
  /** The least value that stays; -Infinity for no bound. */
  readonly min: number;
  /** The greatest value that stays; Infinity for no bound. */
  readonly max: number;
}

export const clampInPlaceRow: Row<ClampInPlaceParams, 1> = {
  name: 'clampInPlace',
  shape: () => [],
  kernel: ({ inputs: [x], params: { min, max } }) => clampPlan(sizeOf(x), min, max),
  mutates: 1,
};

/**
 * Overwrites x with min(max(x, min), max), and leaves NaN as it is: torch.Tensor.clamp_. A tape that saved the old values
 * will refuse to use them; the clamp itself is not differentiated.
 * @returns x
 * @function
 */
export const clampInPlace = op(
  'clampInPlace',
  [aTensor('x'), aNumber('min'), aNumber('max')],
  <T extends Tensor>(x: T, min: number, max: number): T => {
    apply(clampInPlaceRow, [x], { min, max });
    return x;
  },
);

/** What {@link updateRunningStats} needs to know of the batch norm. */
export interface RunningStatsParams {
  /** How far the running statistics move, 0 to 1. */
  readonly momentum: number;
  /** What batch norm added to the variance. */
  readonly eps: number;
  /** Values of a channel in the batch. */
  readonly n: number;
}

const runningStatsOptions = options<RunningStatsParams>({ momentum: number, eps: number, n: number }, 'params');

export const runningStatsRow: Row<RunningStatsParams, 3> = {
  name: 'runningStats',
  shape: ([mean, variance, stats]) => {
    if (sizeOf(variance) !== sizeOf(mean) || sizeOf(stats) !== 2 * sizeOf(mean)) {
      throw new ShapeError(
        `runningStats: mean ${show(mean)}, variance ${show(variance)} and stats ${show(stats)} must be [C], [C] and [2,C]`,
      );
    }
    return [];
  },
  kernel: ({ inputs: [mean], params: { momentum, eps, n } }) => runningStatsPlan(mean[0]!, momentum, eps, n),
  mutates: 2,
};

/**
 * Moves running mean and (unbiased) variance [C] towards `stats` [2, C] as {@link batchNorm} returns them, as PyTorch does;
 * both are overwritten.
 * @throws ShapeError
 * @function
 */
export const updateRunningStats = op(
  'updateRunningStats',
  [aTensor('mean'), aTensor('variance'), aTensor('stats'), needed(runningStatsOptions)],
  (mean, variance, stats, params): void => {
    apply(runningStatsRow, [mean, variance, stats], params);
  },
);

export const copyFromRow: Row<undefined, 2> = {
  name: 'copyFrom',
  shape: ([x, source]) => {
    if (show(x) !== show(source)) {
      throw new ShapeError(`copyFrom: ${show(source)} does not fit ${show(x)}; reshape or broadcast it first`);
    }
    return [];
  },
  kernel: ({ inputs: [x] }) => {
    const n = sizeOf(x);
    return { dispatches: copy({ sizes: [n], from: [1], to: [1] }, 1, 0) };
  },
  mutates: 1,
};

/**
 * Overwrites x with the values of `source` on the device, without reading them: torch.Tensor.copy_. A tape that saved the old
 * values will refuse to use them; the copy itself is not differentiated.
 * @returns x
 * @throws ShapeError if shapes differ
 * @function
 */
export const copyFrom = op(
  'copyFrom',
  [aTensor('x'), aTensor('source')],
  <T extends Tensor>(x: T, source: Tensor): T => {
    if (x !== source) apply(copyFromRow, [x, source], undefined);
    return x;
  },
);

/** The rows of this file, by name. */
export const optimRows = {
  ...stepRows,
  clampInPlace: clampInPlaceRow,
  runningStats: runningStatsRow,
  copyFrom: copyFromRow,
};
