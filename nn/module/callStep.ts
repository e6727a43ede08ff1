/** What a call of a module consists of beside its `forward`: hooks, and what its weights are made of. */

import { shown } from '../../engine/internal.ts';
import type { AnyModule } from './anyModule.ts';

/**
 * Called before a module's `forward` with the module and the list of inputs; a list that it returns takes the inputs' place.
 */
export type ForwardPreHook<In extends readonly unknown[]> = (
  module: AnyModule,
  inputs: In,
  // biome-ignore lint/suspicious/noConfusingVoidType: hooks that only look return nothing
) => In | undefined | void;

/**
 * Called after a module's `forward` with the module, the list of inputs and the output; a result other than undefined takes
 * the output's place.
 */
export type ForwardHook<In extends readonly unknown[], Out> = (
  module: AnyModule,
  inputs: In,
  output: Out,
  // biome-ignore lint/suspicious/noConfusingVoidType: hooks that only look return nothing
) => Out | undefined | void;

/** A hook of a module whose types are not known: what it gives takes the place of what it was given last. */
type Hook = (module: AnyModule, ...given: never) => unknown;

/** What belongs to a module and runs around its `forward`, such as its parametrisations. */
export interface Around {
  /** Runs `forward`, within the hooks. */
  readonly run: (m: AnyModule, forward: () => unknown) => unknown;
  /** Gives a copy of the module the same; hooks it has none. */
  readonly attach: (copy: AnyModule) => void;
}

interface CallStep {
  readonly before: Set<Hook>;
  readonly after: Set<Hook>;
  around: Around | undefined;
}

/** The steps of the modules that need one, kept beside them: it is no part of what a module is. */
const steps = new WeakMap<AnyModule, CallStep>();

/** The module's step. The first question for it puts a `forward` that takes it in front of the class's own. */
function stepOf(m: AnyModule): CallStep {
  const known = steps.get(m);
  if (known) return known;
  const step: CallStep = { before: new Set(), after: new Set(), around: undefined };
  steps.set(m, step);
  const { forward } = m;
  const value = (...given: unknown[]): unknown => {
    let inputs: readonly unknown[] = given;
    for (const hook of step.before) inputs = (ask(hook, m, inputs) as readonly unknown[] | undefined) ?? inputs;
    const run = (): unknown => Reflect.apply(forward, m, inputs);
    let output = step.around ? step.around.run(m, run) : run();
    for (const hook of step.after) output = ask(hook, m, inputs, output) ?? output;
    return output;
  };
  // A field that held a function stays one, which copies refuse.
  const enumerable = Object.hasOwn(m, 'forward');
  Object.defineProperty(m, 'forward', { value, configurable: true, writable: true, enumerable });
  return step;
}

const ask = (hook: Hook, ...given: readonly unknown[]): unknown => Reflect.apply(hook, undefined, given);

function add(op: string, m: AnyModule, when: 'before' | 'after', hook: Hook): () => void {
  needFunction(op, hook);
  const hooks = stepOf(m)[when];
  hooks.add(hook);
  return () => void hooks.delete(hook);
}

/** @throws TypeError for what is no function */
export function needFunction(op: string, fn: unknown): void {
  if (typeof fn !== 'function') throw new TypeError(`${op}: takes a function, not ${shown(fn)}`);
}

/** Says what runs around the `forward` of a module; nothing more with undefined. */
export function setAround(m: AnyModule, around: Around | undefined): void {
  stepOf(m).around = around;
}

/** Gives a copy of a module what runs around its `forward`. */
export function attachAround(m: AnyModule, copy: AnyModule): void {
  steps.get(m)?.around?.attach(copy);
}

/** Calls `hook` after each `forward` of m. @returns a function that removes it */
export const hookForward = (m: AnyModule, hook: Hook): (() => void) => add('registerForwardHook', m, 'after', hook);

/** Calls `hook` before each `forward` of m. @returns a function that removes it */
export const hookInputs = (m: AnyModule, hook: Hook): (() => void) => add('registerForwardPreHook', m, 'before', hook);
