/** What a checkpoint asks of the objects that it saves: this is the one place that says so. */
import { Tensor, UseAfterFreeError } from '../../engine/index.ts';
import type { AnyModule } from '../module/anyModule.ts';
import { contents, Module } from '../module/module.ts';
import type { StateValue } from '../module/state.ts';
import { type ElementArray, nativeDtype, toNumbers } from './dtypes.ts';
import type { TensorInfo } from './header.ts';
import { fromJson, type Json, toJson } from './json.ts';
import type { StoredTensor } from './safetensors.ts';

/**
 * What a checkpoint can save: modules, optimizers, averages, schedules, random generators, and any object with these two
 * methods. Of a module it also saves what its fields, and those of the modules inside, hold with a plain state, such as
 * the generator of a dropout layer, also in arrays, plain objects and Maps.
 */
export interface Stateful {
  /**
   * The state: a map of tensors (those in use, not copies) and numbers by name, the same names and shapes in every object made
   * alike; or a plain object of numbers, text, lists and plain objects.
   */
  stateDict(): object;
  /**
   * Whether a number of this name may be in its map or not, as it is the same object without: a checkpoint with it fits one that has
   * none, and the other way round.
   */
  mayHave?(name: string): boolean;
  /** What it is, such as 'Adam': a checkpoint of another kind is refused, even where all names are the same. */
  readonly kind?: string;
  /**
   * Goes on from a state that `stateDict` gave. Of a map, tensors come as their numbers with their shape.
   * @throws Error for what is no such state; nothing is changed then
   */
  loadStateDict(state: never): unknown;
}

/** The objects of a checkpoint, each by a name of its own, without dots. */
export type CheckpointParts = Readonly<Record<string, Stateful>>;

/** The state of all parts. */
export interface Collected {
  readonly tensors: ReadonlyMap<string, TensorInfo & { data(): Promise<ElementArray> }>;
  readonly host: HostState;
}

/** What is not in tensors. */
export interface HostState {
  /** Numbers among the tensors of a part: `adam.steps`. */
  readonly numbers: Readonly<Record<string, Json>>;
  /** Plain states: `rng`, `critic.layers.3.rng`. */
  readonly states: Readonly<Record<string, Json>>;
  /** What kind of thing a part is, where it says so. */
  readonly kinds: Readonly<Record<string, string>>;
}

/** Notes the state of all parts as it is now; the values of tensors are read later, and must not change until then. */
export function collect(parts: CheckpointParts): Collected {
  const tensors = new Map<string, TensorInfo & { data(): Promise<ElementArray> }>();
  const numbers: Record<string, Json> = {};
  const states: Record<string, Json> = {};
  refuseParts(parts);
  refuseUnsaved(parts);
  for (const [name, value] of valuesOf(parts)) {
    if (typeof value === 'number') numbers[name] = toJson(value, name);
    else tensors.set(name, { dtype: nativeDtype(value), shape: value.shape, data: reader(name, value) });
  }
  for (const [name, part] of plainStatesOf(parts)) states[name] = toJson(part.stateDict(), name);
  const kinds = Object.entries(parts).flatMap(([name, { kind }]) => (typeof kind === 'string' ? [[name, kind]] : []));
  return { tensors, host: { numbers, states, kinds: Object.fromEntries(kinds) } };
}

/**
 * What reads a tensor, if it is still as it is now.
 * @param saving what the error tells to wait for
 */
export function reader(name: string, t: Tensor, saving = 'saveCheckpoint'): () => Promise<ElementArray> {
  const { buffer } = t.storage;
  const { version } = buffer;
  return () => {
    if (t.isDisposed || t.storage.buffer !== buffer || buffer.version !== version) {
      throw new UseAfterFreeError(
        `${name} changed while it was being saved: await ${saving}(...) before the next step or dispose()`,
      );
    }
    return t.data();
  };
}

/** Where the state of a checkpoint is read from. */
export interface Source {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly host: HostState;
  read(name: string): StoredTensor | Promise<StoredTensor>;
  /** @throws Error for a tensor that is damaged */
  check(name: string): Promise<void>;
}

/** Gives all parts the state that a checkpoint holds. @throws Error naming what does not fit; nothing is changed then */
export async function restore(source: Source, parts: CheckpointParts): Promise<void> {
  refuseParts(parts);
  const plain = plainStatesOf(parts);
  refuseMisfits(source, parts, plain);
  for (const [name, value] of valuesOf(parts)) if (typeof value !== 'number') await source.check(name);
  const undo: (() => void)[] = [];
  for (const [name, part] of plain) {
    const before = part.stateDict();
    try {
      part.loadStateDict(fromJson(source.host.states[name]!, name) as never);
    } catch (cause) {
      for (const back of undo) back();
      throw new Error(`${name}: ${(cause as Error).message}`, { cause });
    }
    undo.push(() => void part.loadStateDict(before as never));
  }
  for (const [name, part] of Object.entries(parts)) {
    const state = part.stateDict();
    if (!(state instanceof Map)) continue;
    const values = new Map<string, StateValue | number>();
    for (const [inner, t] of state as Map<string, Tensor | number>) {
      const path = `${name}.${inner}`;
      if (part.mayHave?.(inner)) continue;
      if (typeof t === 'number') values.set(inner, fromJson(source.host.numbers[path]!, path) as number);
      else {
        const stored = await source.read(path);
        // Tensor by tensor, where nothing but tensors is to be loaded: a large model is never in memory as a whole.
        if (part instanceof Module) t.assign(toNumbers(stored.data));
        else values.set(inner, stored);
      }
    }
    for (const [path, n] of Object.entries(source.host.numbers)) {
      if (isOptional(parts, path) && path.startsWith(`${name}.`))
        values.set(path.slice(name.length + 1), fromJson(n, path) as number);
    }
    if (!(part instanceof Module)) part.loadStateDict(values as never);
  }
}

function refuseMisfits(source: Source, parts: CheckpointParts, plain: ReadonlyMap<string, Stateful>): void {
  const values = valuesOf(parts);
  const { numbers, states, kinds: saved } = source.host;
  const wanted = [...values.keys(), ...plain.keys()].filter((name) => !isOptional(parts, name));
  const kinds = (name: string): string =>
    source.tensors.has(name)
      ? 'tensor'
      : Object.hasOwn(numbers, name)
        ? 'number'
        : Object.hasOwn(states, name)
          ? 'state'
          : '';
  const given = [...source.tensors.keys(), ...Object.keys(numbers), ...Object.keys(states)];
  const problems = [
    ...wanted.filter((name) => !kinds(name)).map((name) => `${name} is missing`),
    ...given
      .filter(
        (name) =>
          Object.hasOwn(parts, name.split('.')[0]!) &&
          !values.has(name) &&
          !plain.has(name) &&
          !isOptional(parts, name),
      )
      .map((name) => `${name} is unexpected`),
  ];
  for (const [name, { kind }] of Object.entries(parts)) {
    if (kind !== undefined && Object.hasOwn(saved, name) && saved[name] !== kind) {
      problems.push(`${name} is the state of ${saved[name]}, not of ${kind}`);
    }
  }
  for (const name of wanted.filter(kinds)) {
    const value = values.get(name);
    const kind = value === undefined ? 'state' : typeof value === 'number' ? 'number' : 'tensor';
    const { shape } = source.tensors.get(name) ?? {};
    if (kinds(name) !== kind) problems.push(`${name} is a ${kinds(name)}, not a ${kind}`);
    else if (value instanceof Tensor && shape?.join() !== value.shape.join()) {
      problems.push(`${name} is [${shape}], not [${value.shape}]`);
    }
  }
  if (problems.length > 0) {
    throw new Error(
      `the checkpoint does not fit: ${problems.join('; ')}. Make the objects as they were when it was saved`,
    );
  }
}

/** Whether what has this name in a checkpoint may be there or not. */
function isOptional(parts: CheckpointParts, path: string): boolean {
  const [name] = path.split('.');
  return Object.hasOwn(parts, name!) && parts[name!]?.mayHave?.(path.slice(name!.length + 1)) === true;
}

/** @throws Error for a name with dots; TypeError for a part without a state */
function refuseParts(parts: CheckpointParts): void {
  for (const [name, part] of Object.entries(parts)) {
    if (name === '' || name.includes('.')) {
      throw new Error(`a part of a checkpoint cannot be named "${name}"; choose a name without dots`);
    }
    if (typeof (part as Partial<Stateful> | null)?.stateDict === 'function') continue;
    throw new TypeError(
      `a checkpoint's part ${name} is ${part === null ? 'null' : typeof part} without stateDict(); parts are modules, optimizers and the like, by name: { model, optimizer }`,
    );
  }
}

/** The tensors and numbers of all parts. */
function valuesOf(parts: CheckpointParts): Map<string, Tensor | number> {
  const found = new Map<string, Tensor | number>();
  for (const [name, part] of Object.entries(parts)) {
    const state = part.stateDict();
    if (!(state instanceof Map)) continue;
    for (const [inner, value] of state as Map<string, Tensor | number>) found.set(`${name}.${inner}`, value);
  }
  return found;
}

/** Each object with a plain state, once in each part, by its first name there. */
function plainStatesOf(parts: CheckpointParts): Map<string, Stateful> {
  const found = new Map<string, Stateful>();
  for (const [name, part] of Object.entries(parts)) {
    if (!(part instanceof Module)) {
      if (!(part.stateDict() instanceof Map)) found.set(name, part);
      continue;
    }
    const seen = new Set<Stateful>();
    for (const [path, m] of part.namedModules()) {
      for (const [field, value] of statesIn(m).filter(([, v]) => isPlainState(v))) {
        if (!seen.has(value)) found.set([name, path, field].filter(Boolean).join('.'), value);
        seen.add(value);
      }
    }
  }
  return found;
}

/** What a module holds, in fields and in containers, that has a state and is no part of it. */
const statesIn = (m: AnyModule): [string, Stateful][] =>
  contents(m).others.filter((entry): entry is [string, Stateful] => isStateful(entry[1]));

const isPlainState = (part: Stateful): boolean => !(part.stateDict() instanceof Map);

/** @throws Error for an optimizer and the like in a field of a module, if it is not saved as a part of its own */
function refuseUnsaved(parts: CheckpointParts): void {
  const all = Object.values(parts);
  for (const [name, part] of Object.entries(parts)) {
    if (!(part instanceof Module)) continue;
    for (const [path, m] of part.namedModules()) {
      const lost = statesIn(m).find(([, value]) => !all.includes(value) && !isPlainState(value));
      if (!lost) continue;
      const field = [name, path, lost[0]].filter(Boolean).join('.');
      throw new Error(
        `${field} has tensors in its state, which are not saved with the module that holds it: make it a part of the checkpoint too`,
      );
    }
  }
}

const isStateful = (value: unknown): value is Stateful =>
  typeof value === 'object' && value !== null && 'stateDict' in value && 'loadStateDict' in value;
