import { eachRun, live, Tensor } from '../../engine/index.ts';
import {
  calls,
  checked,
  checkRange,
  checkRanges,
  defined,
  type OptionRange,
  optimizerStep,
  type RuleName,
  ranges,
  type StepRules,
  stepStates,
} from '../../engine/internal.ts';
import type { Parameter } from '../module/parameter.ts';
import { compareState, overwriting, refuseDifferences, type StateValue, stateMap } from '../module/state.ts';
import { Arena } from './arena.ts';
import { givenGradients, leftGradients, refuseApart, together } from './gradients.ts';
import { numbersOf, restore } from './groupNumbers.ts';
import { parameterList } from './options.ts';
import type { ScheduledOptimizer } from './scheduler.ts';

/** Parameters with options of their own, as an optimizer is given them; what is left out is as for all groups. */
export type GroupOptions<O> = O & {
  /** The parameters of the group. */
  readonly params: readonly Parameter[];
};

/** What an optimizer takes: parameters, or groups of them with options of their own. */
export type OptimizerParameters<O> = readonly Parameter[] | readonly GroupOptions<O>[];

/** A group of an optimizer, with all its options. They may be changed between steps, as PyTorch's `param_groups`. */
export type ParameterGroup<O> = { -readonly [K in keyof O]-?: O[K] } & {
  /** The parameters of the group. */
  readonly params: readonly Parameter[];
  /** The learning rate before any schedule: set by the first one that is made for the optimizer. */
  initialLr?: number;
};

/** What makes an optimizer the one that it is. */
export interface Algorithm<O extends object, R extends RuleName = RuleName> {
  readonly name: string;
  readonly defaults: Required<O>;
  readonly ranges: { readonly [K in keyof O]-?: OptionRange };
  /** What is wrong with options that are right by themselves. */
  readonly refuse?: (o: Required<O>) => string | undefined;
  readonly rule: (o: Required<O>) => R;
  /** What each element of a state starts with; 0 if absent. */
  readonly initial?: (o: Required<O>) => number;
  readonly params: (o: Required<O>, step: number) => StepRules[R];
}

/** The option that all optimizers have. */
export interface LearningRate {
  /** The learning rate. */
  readonly lr?: number;
}

/** Any {@link Optimizer}, whatever its options: what trains with one and does not choose it asks for this. */
export type AnyOptimizer = ScheduledOptimizer &
  Pick<
    Optimizer<LearningRate>,
    'lr' | 'steps' | 'parameters' | 'step' | 'zeroGrad' | 'stateDict' | 'loadStateDict' | 'dispose'
  >;

/** A group with its memory. */
interface Part<O> {
  readonly group: ParameterGroup<O>;
  readonly arena: Arena;
  readonly rule: RuleName;
  /** Flat, as `stepStates[rule]` names them. */
  readonly states: readonly Tensor[];
  /** The windows of each state, one for each parameter. */
  readonly windows: readonly (readonly Tensor[])[];
}

/**
 * What all optimizers share. The parameters of a group move into one buffer, and so do their states, so that one launch
 * updates as many of them as there may be bindings. A parameter belongs to one group of one optimizer; only an optimizer of
 * the same list of parameters, in the same order, may share them.
 *
 * Steps may be compiled: learning rates and other numbers of the groups are looked up in each run.
 */
export abstract class Optimizer<O extends LearningRate> {
  /** The groups, in the order in which they were given; one if parameters were given. Their options may be changed. */
  readonly groups: readonly ParameterGroup<O>[];
  /** All parameters, group by group: the order of the gradients. */
  readonly parameters: readonly Parameter[];
  /** Steps taken. */
  steps = 0;
  private readonly algorithm: Algorithm<O>;
  private readonly parts: readonly Part<O>[];
  /** Steps of each parameter that were made without a gradient for it. */
  private skipped: number[];
  /** The place of the first parameter of each group. */
  private readonly starts: readonly number[];
  private disposed = false;

  /** Called by subclasses. @internal */
  protected constructor(algorithm: Algorithm<O>, parameters: OptimizerParameters<O>, options: O) {
    this.algorithm = algorithm;
    const { name, defaults } = algorithm;
    const known = Object.keys(defaults) as (keyof O & string)[];
    checked(name, options, known);
    parameterList(name, parameters);
    const given = parameters.some((p) => !(p instanceof Tensor))
      ? (parameters as readonly GroupOptions<O>[])
      : [{ ...options, params: parameters as readonly Parameter[] }];
    this.groups = given.map((g) => {
      checked<object>(name, g, ['params', ...known] as never[]);
      parameterList(name, g.params);
      return { ...defaults, ...defined(options), ...defined(g), params: [...g.params] } as ParameterGroup<O>;
    });
    const all = this.groups.flatMap((g) => g.params);
    this.parameters = all;
    this.skipped = all.map(() => 0);
    this.starts = this.groups.map((_, k) => this.groups.slice(0, k).reduce((n, g) => n + g.params.length, 0));
    const twice = all.find((p, i) => all.indexOf(p) !== i);
    if (twice) throw new Error(`${name}: ${twice.describe()} is given twice`);
    for (const g of this.groups) {
      this.check(g);
      Arena.find(g.params, name);
    }
    this.parts = this.groups.map((group) => {
      const arena = Arena.of(group.params, name).retain();
      const rule = algorithm.rule(group as Required<O>);
      const start = algorithm.initial?.(group as Required<O>) ?? 0;
      const states = stepStates[rule].map((s) => arena.filled(start, s));
      return { group, arena, rule, states, windows: states.map((s) => arena.windows(s, s.label!)) };
    });
  }

  /** Which algorithm it is, such as 'Adam': its state is for no other, even where the names are the same. */
  get kind(): string {
    return this.algorithm.name;
  }

  /** The learning rate of the first group; setting it sets that of all groups. */
  get lr(): number {
    return this.groups[0]!.lr as number;
  }

  /** Sets that of all groups. */
  set lr(value: number) {
    for (const g of this.groups as readonly { lr: number }[]) g.lr = value;
  }

  /**
   * Updates the parameters in place. A tape that saved their old values refuses to use them from then on.
   *
   * With no arguments each parameter is moved by its `.grad`, which `loss.backward()` adds to and {@link zeroGrad} clears; one that has
   * none is left as it is, with its state, and its next step is the one after its last: as in PyTorch.
   * @param gradients one for each parameter, in the order of {@link parameters}, as `grad` returns them
   * @throws Error if their number does not fit
   * @throws ShapeError if one has another shape than its parameter
   * @throws GradError if no gradients are given, and no parameter has one in `.grad`
   * @throws RangeError if an option was set to what it must not be
   * @example
   * loss.backward();
   * optimizer.step();
   * optimizer.zeroGrad();
   */
  step(gradients?: readonly Tensor[]): void {
    const { name, params } = this.algorithm;
    const { skipped } = this;
    const all =
      arguments.length > 0 ? givenGradients(name, this.parameters, gradients) : leftGradients(name, this.parameters);
    const missing = all.flatMap((g, i) => (g ? [] : [i]));
    const lists = this.starts.map((from, k) => together(all, skipped, from, this.groups[k]!.params.length));
    eachRun(() => {
      for (const { group, rule } of this.parts) this.check(group, rule);
      refuseApart(name, lists.flat(), skipped);
      this.steps++;
      for (const i of missing) skipped[i]!++;
    });
    this.parts.forEach(({ arena, group, rule, states }, k) => {
      for (const places of lists[k]!) {
        const of = (list: readonly number[]) => places.map((i) => list[i - this.starts[k]!]!);
        const slots = { lengths: of(arena.lengths), offsets: of(arena.offsets) };
        const own = places.map((i) => all[i]!);
        const next = () => ({ ...params(group as Required<O>, this.steps - skipped[places[0]!]!), ...slots });
        optimizerStep(rule, arena.flat, states, own, live(next));
      }
    });
  }

  /** Frees and forgets the gradient in `.grad` of each parameter: PyTorch's `zero_grad(set_to_none=True)`. */
  zeroGrad(): void {
    calls.checkArguments('zeroGrad', [], arguments);
    for (const p of this.parameters) p.zeroGrad();
  }

  /**
   * All that a run needs to go on where it was, by name: `steps`, the options of each group as numbers (`groups.0.lr`), and
   * what the optimizer keeps for parameter 3, say, in its shape (`state.3.expAvg`); also in how many steps parameter 3 had no gradient
   * (`state.3.skipped`), if there were any. The tensors are those in use.
   */
  stateDict(): Map<string, Tensor | number> {
    const skipped = this.skipped.flatMap((n, i): [string, number][] => (n > 0 ? [[skippedOf(i), n]] : []));
    const state = new Map<string, Tensor | number>([...this.always(), ...skipped]);
    kindOf.set(state, this.kind);
    return state;
  }

  /**
   * Restores what `stateDict` gave, bit for bit, also inside a run.
   * @param values tensors, or numbers with their shape, as a checkpoint has them
   * @throws Error naming what is missing, unexpected, or of another shape, or the other algorithm that the state is of; nothing is
   * changed then
   * @throws RangeError for an option that must not be; nothing is changed then
   */
  loadStateDict(values: ReadonlyMap<string, StateValue | number>): void {
    stateMap(this.kind, values);
    const kind = kindOf.get(values) ?? this.kind;
    if (kind !== this.kind)
      throw new Error(`loadStateDict: the state is of ${kind}, and cannot be that of ${this.kind}`);
    const skipped = this.parameters.map((_, i) => values.get(skippedOf(i)) ?? 0);
    refuseDifferences(compareState(this.always(), new Map([...values].filter(([key]) => !this.mayHave(key)))), values);
    const steps = checkRange(this.algorithm.name, 'steps', ranges.whole(0), values.get('steps') as number);
    skipped.forEach((n, i) => void checkRange(this.algorithm.name, skippedOf(i), ranges.whole(0, steps), n));
    const writes = this.tensors().map(([name, t]) => overwriting(name, t, values.get(name) as StateValue));
    const restored = this.groups.map((g, k) => restore(g, (key) => values.get(`groups.${k}.${key}`) as number));
    restored.forEach((g, k) => {
      this.check(g, this.parts[k]!.rule);
    });
    for (const write of writes) write();
    restored.forEach((g, k) => void Object.assign(this.groups[k]!, g));
    this.steps = steps;
    this.skipped = skipped as number[];
  }

  /** Whether a number of this name may be in the state or not: 0 stands for it where it is not. */
  mayHave(name: string): boolean {
    const i = /^state\.(\d+)\.skipped$/.exec(name)?.[1];
    return i !== undefined && skippedOf(Number(i)) === name && Number(i) < this.parameters.length;
  }

  /** Frees the states. The parameters stay. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const { arena, states, windows } of this.parts) {
      for (const t of [...states, ...windows.flat()]) t.dispose();
      arena.release();
    }
  }

  /** Frees the states at the end of a block that began with `using optimizer = ...`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The state without what it may have or not. */
  private always(): Map<string, Tensor | number> {
    return new Map<string, Tensor | number>([['steps', this.steps], ...this.numbers(), ...this.tensors()]);
  }

  private check(group: ParameterGroup<O>, made?: RuleName): void {
    const { name, ranges, refuse, rule } = this.algorithm;
    const options = group as Required<O>;
    checkRanges(name, ranges, options as never);
    const problem = refuse?.(options);
    if (problem) throw new RangeError(`${name}: ${problem}`);
    if (made !== undefined && rule(options) !== made) {
      throw new Error(
        `${name}: a step by ${rule(options)} needs another state than one by ${made}; make a new optimizer`,
      );
    }
  }

  /** The options of all groups, as numbers. */
  private numbers(): [string, number][] {
    return this.groups.flatMap((g, k) => numbersOf(g).map(([key, v]): [string, number] => [`groups.${k}.${key}`, v]));
  }

  private tensors(): [string, Tensor][] {
    let i = 0;
    return this.parts.flatMap(({ arena, rule, windows }) =>
      arena.parameters.flatMap((_, k) => {
        const prefix = `state.${i++}`;
        return stepStates[rule].map((s, n): [string, Tensor] => [`${prefix}.${s}`, windows[n]![k]!]);
      }),
    );
  }
}

const skippedOf = (i: number): string => `state.${i}.skipped`;

/** The algorithm of each state that an optimizer gave. */
const kindOf = new WeakMap<object, string>();
