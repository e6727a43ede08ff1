/** What a checkpoint asks of the objects that it saves: this is the one place that says so. */
import { type Tensor, UseAfterFreeError } from '../../engine/index.ts';
import { Module } from '../module/module.ts';
import { type Dtype, type ElementArray, toNumbers } from './dtypes.ts';
import type { TensorInfo } from './header.ts';

import type { StoredTensor } from './safetensors.ts';

/** What JSON can hold. NaN and infinities are not among its numbers. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** State in tensors: a module's weights, an optimizer's moments. */
export interface TensorState {
  /**
   * The tensors by name, the same names and shapes in every object made alike. A checkpoint overwrites them in place
   * (`assign`), so they must be the object's own, not copies.
   */
  stateDict(): ReadonlyMap<string, Tensor>;
}

/** State on the host: step counts, learning rates, places in streams of random numbers. */
export interface HostState<S extends Json = Json> {
  /** The state, as JSON. */
  hostState(): S;
  /** Goes on from a state that {@link hostState} gave. @throws Error for what is no such state; nothing is changed then */
  loadHostState(state: S): void;
}

/**
 * What a checkpoint can save: modules, optimizers, averages, random generators, and any object with a state in tensors, on
 * the host, or both. Of a module it also saves what its fields, and those of the modules inside, hold with a
 * {@link HostState}, such as the generator of a dropout layer.
 */
export type Stateful = TensorState | HostState;

/** The objects of a checkpoint, each by a name of its own, without dots. */
export type CheckpointParts = Readonly<Record<string, Stateful>>;

/** The state of all parts. */
export interface Collected {
  readonly tensors: ReadonlyMap<string, TensorInfo & { data(): Promise<ElementArray> }>;
  readonly host: Readonly<Record<string, Json>>;
}

/** Notes the state of all parts as it is now; the values of tensors are read later, and must not change until then. */
export function collect(parts: CheckpointParts): Collected {
  const tensors = new Map<string, TensorInfo & { data(): Promise<ElementArray> }>();
  for (const [name, t] of tensorsOf(parts)) {
    const { buffer } = t.storage;
    const { version } = buffer;
    const data = (): Promise<ElementArray> => {
      if (t.isDisposed || t.storage.buffer !== buffer || buffer.version !== version) {
        throw new UseAfterFreeError(
          `${name} changed while it was being saved: await saveCheckpoint(...) before the next step or dispose()`,
        );
      }
      return t.data();
    };
    tensors.set(name, { dtype: nativeDtype(t), shape: t.shape, data });
  }
  const host: Record<string, Json> = {};
  for (const [name, part] of hostStatesOf(parts)) {
    const state = part.hostState();
    checkJson(state, name);
    host[name] = state;
  }
  return { tensors, host };
}

/** The dtype in which a tensor's values are read. */
export const nativeDtype = (t: Tensor): Dtype => (t.dtype === 'float32' ? 'F32' : 'F64');

/** Where the state of a checkpoint is read from. */
export interface Source {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly host: Readonly<Record<string, Json>>;
  read(name: string): StoredTensor | Promise<StoredTensor>;
}

/** Gives all parts the state that a checkpoint holds. @throws Error naming what does not fit; nothing is changed then */
export async function restore(source: Source, parts: CheckpointParts): Promise<void> {
  const tensors = tensorsOf(parts);
  const hosts = hostStatesOf(parts);
  const problems = [
    ...namesApart(parts, [...tensors.keys()], [...source.tensors.keys()]),
    ...namesApart(parts, [...hosts.keys()], Object.keys(source.host)),
  ];
  for (const [name, t] of tensors) {
    const { shape } = source.tensors.get(name) ?? t;
    if (shape.join() !== t.shape.join()) problems.push(`${name} is [${shape}], not [${t.shape}]`);
  }
  if (problems.length > 0) {
    throw new Error(
      `the checkpoint does not fit: ${problems.join('; ')}. Make the objects as they were when it was saved`,
    );
  }
  const before: (readonly [HostState, Json])[] = [];
  for (const [name, part] of hosts) {
    const state = part.hostState();
    try {
      part.loadHostState(source.host[name]!);
    } catch (cause) {
      for (const [other, was] of before) other.loadHostState(was);
      throw new Error(`${name}: ${(cause as Error).message}`, { cause });
    }
    before.push([part, state]);
  }
  for (const [name, t] of tensors) t.assign(toNumbers((await source.read(name)).data));
}

function tensorsOf(parts: CheckpointParts): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  for (const [name, part] of Object.entries(parts)) {
    if (name === '' || name.includes('.')) {
      throw new Error(`a part of a checkpoint cannot be named "${name}"; choose a name without dots`);
    }
    if (!('stateDict' in part)) continue;
    for (const [inner, t] of part.stateDict()) found.set(`${name}.${inner}`, t);
  }
  return found;
}

/** Each object with a state on the host, once in each part, by its first name there. */
function hostStatesOf(parts: CheckpointParts): Map<string, HostState> {
  const found = new Map<string, HostState>();
  for (const [name, part] of Object.entries(parts)) {
    const seen = new Set<HostState>();
    const add = (inner: string, value: unknown): void => {
      if (!isHostState(value) || seen.has(value)) return;
      seen.add(value);
      found.set(inner, value);
    };
    add(name, part);
    if (!(part instanceof Module)) continue;
    for (const [path, m] of part.namedModules()) {
      const at = path ? `${name}.${path}` : name;
      add(at, m);
      for (const [field, value] of Object.entries(m)) if (!(value instanceof Module)) add(`${at}.${field}`, value);
    }
  }
  return found;
}

const isHostState = (value: unknown): value is HostState =>
  typeof value === 'object' && value !== null && 'hostState' in value && 'loadHostState' in value;

/** Names that only one side has, of the parts that are wanted. */
function namesApart(parts: CheckpointParts, wanted: readonly string[], given: readonly string[]): string[] {
  const ofParts = given.filter((name) => Object.hasOwn(parts, name.split('.')[0]!));
  return [
    ...wanted.filter((name) => !given.includes(name)).map((name) => `${name} is missing`),
    ...ofParts.filter((name) => !wanted.includes(name)).map((name) => `${name} is unexpected`),
  ];
}

/** @throws TypeError for what JSON would drop or change */
export function checkJson(value: unknown, path: string): asserts value is Json {
  const said = typeof value === 'number' ? String(value) : typeof value;
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return;
  if (typeof value === 'number' && Number.isFinite(value) && !Object.is(value, -0)) return;
  if (Array.isArray(value)) {
    for (const [i, v] of value.entries()) checkJson(v, `${path}.${i}`);
  } else if (typeof value === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    for (const [key, v] of Object.entries(value)) checkJson(v, `${path}.${key}`);
  } else throw new TypeError(`${path} is ${said}, which JSON does not hold; store it as text or null`);
}
