/** What a module holds: the one place that says where modules, parameters and buffers are looked for, and by which names. */
import { Tensor } from '../../engine/index.ts';
import { notePlace, shown } from '../../engine/internal.ts';
import type { AnyModule } from './anyModule.ts';
import { Buffer, Parameter } from './parameter.ts';

/** What can be part of a module. */
export type Part = AnyModule | Parameter | Buffer;

/** A part, and where it is. */
export interface Held {
  /** The part's name in the module: the field, then places and keys in arrays, plain objects and Maps, with dots between. */
  readonly path: string;
  /** What is there: the part, or a tensor that stands in for it. */
  readonly value: AnyModule | Tensor;
  readonly part: Part;
  /** The module, array, plain object or Map that has it. */
  readonly holder: object;
  readonly key: string | number;
}

/** Parts where they get no name, such as in a Set. */
export interface Hidden {
  readonly path: string;
  /** What has them, for messages: `in a Set`. */
  readonly where: string;
  readonly parts: readonly Part[];
}

/** All that a module holds itself; what is inside of the modules among it, they say. */
export interface Contents {
  readonly held: readonly Held[];
  /** The arrays, plain objects and Maps that lead to what is held. */
  readonly containers: ReadonlySet<object>;
  readonly hidden: readonly Hidden[];
  /** Objects of other classes, and plain ones with a state, by path: generators, for one. */
  readonly others: readonly (readonly [path: string, value: object])[];
}

/** For a module under `functionalCall`, the parameters and buffers whose places others have, by path. */
const stoodFor = new WeakMap<AnyModule, ReadonlyMap<string, Parameter | Buffer>>();

/** Says which of a module's parameters and buffers have stand-ins now. @returns what was said before */
export function setStoodFor(
  m: AnyModule,
  parts: ReadonlyMap<string, Parameter | Buffer> | undefined,
): ReadonlyMap<string, Parameter | Buffer> | undefined {
  const before = stoodFor.get(m);
  if (parts) stoodFor.set(m, parts);
  else stoodFor.delete(m);
  return before;
}

/** What m holds. @throws TypeError for a part whose name has a dot, or is empty */
export function contentsOf(m: AnyModule, isModule: (v: unknown) => v is AnyModule): Contents {
  const [held, hidden, others]: [Held[], Hidden[], [string, object][]] = [[], [], []];
  const [seen, containers] = [new Set<object>(), new Set<object>()];
  const away = stoodFor.get(m);
  const partOf = (v: object, path: string): Part | undefined => {
    if (isModule(v) || v instanceof Parameter || v instanceof Buffer) return v;
    return v instanceof Tensor ? away?.get(path) : undefined;
  };
  const hide = (path: string, where: string, v: object): void => {
    const parts = partsIn(v, isModule);
    if (parts.length > 0) hidden.push({ path, where, parts });
  };
  /** Whether there is a part in it. What is in one container in two places has the names of the first. */
  const visit = (v: unknown, holder: object, key: string | number, above: string): boolean => {
    if (typeof v !== 'object' || v === null) return false;
    const path = above ? `${above}.${key}` : `${key}`;
    const part = partOf(v, path);
    if (part) {
      const name = String(key);
      if (name === '' || name.includes('.')) {
        throw new TypeError(
          `${m.constructor.name}: ${above || 'the module'} holds ${shown(part)} under the name ${shown(name)}; a name is not empty and has no dots, which separate a module's name from those inside it. Rename it`,
        );
      }
      held.push({ path, value: v as AnyModule | Tensor, part, holder, key });
      if (part === v) notePlace(part, holder, key);
      return true;
    }
    if (v instanceof Tensor || ArrayBuffer.isView(v)) return false;
    if (seen.has(v)) return containers.has(v);
    seen.add(v);
    if (v instanceof Set) hide(path, 'in a Set', v);
    else if (v instanceof Map && [...v.keys()].some((k) => typeof k !== 'string')) {
      hide(path, 'in a Map whose keys are not text', v);
    } else if (Array.isArray(v) || v instanceof Map || isPlain(v)) {
      if ('stateDict' in v) others.push([path, v]);
      for (const [k, inner] of entriesOf(v)) if (visit(inner, v, k, path)) containers.add(v);
      for (const [k, inner] of besideEntries(v)) hide(`${path}.${String(k)}`, 'beside its entries', [inner]);
      if (containers.has(v)) notePlace(v, holder, key);
    } else {
      others.push([path, v]);
      hide(path, `inside ${shown(v)}, which is no module`, v);
    }
    return containers.has(v);
  };
  for (const [key, v] of Object.entries(m)) visit(v, m, key, '');
  for (const key of Object.getOwnPropertySymbols(m)) {
    hide(key.toString(), 'under a symbol', [(m as unknown as Record<symbol, unknown>)[key]]);
  }
  return { held, containers, hidden, others };
}

/** Whether it is an object as `{}` makes them. */
export function isPlain(v: object): boolean {
  const prototype = Object.getPrototypeOf(v) as object | null;
  return prototype === null || prototype === Object.prototype;
}

/** Keys and values of an array, a Map or any other object. */
export function entriesOf(v: object): Iterable<readonly [string | number, unknown]> {
  return Array.isArray(v) || v instanceof Map ? (v as unknown[]).entries() : Object.entries(v);
}

/** What an array, a Map or a plain object has beside its entries: fields of an array or a Map, and what is under symbols. */
function besideEntries(v: object): (readonly [string | symbol, unknown])[] {
  const isIndex = (key: string): boolean => Array.isArray(v) && /^\d+$/.test(key);
  const fields = Array.isArray(v) || v instanceof Map ? Object.keys(v).filter((key) => !isIndex(key)) : [];
  return [...fields, ...Object.getOwnPropertySymbols(v)].map((key) => [
    key,
    (v as Record<string | symbol, unknown>)[key],
  ]);
}

/** An array, Map or plain object with nothing in it. */
export function emptyLike(v: object): object {
  if (Array.isArray(v)) return [];
  return v instanceof Map ? new Map() : (Object.create(Object.getPrototypeOf(v) as object | null) as object);
}

/** Puts a value into an array, a Map or any other object, as a plain field also where a class has a setter. */
export function put(holder: object, key: string | number, value: unknown): void {
  if (holder instanceof Map) holder.set(key, value);
  else Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true });
}

/** How many objects are looked through for parts that cannot be named: a data set in a field is not searched to its end. */
const SEARCHED = 1000;

/** All parts in an object, however deep, but not those inside of modules. */
function partsIn(start: object, isModule: (v: unknown) => v is AnyModule): Part[] {
  const found: Part[] = [];
  const seen = new Set<object>();
  const look = (v: unknown): void => {
    if (typeof v !== 'object' || v === null || seen.has(v) || seen.size >= SEARCHED) return;
    seen.add(v);
    if (isModule(v) || v instanceof Parameter || v instanceof Buffer) found.push(v);
    else if (!(v instanceof Tensor || ArrayBuffer.isView(v))) {
      if (v instanceof Map) for (const key of v.keys()) look(key);
      if (v instanceof Set) for (const inner of v) look(inner);
      else for (const [, inner] of entriesOf(v)) look(inner);
    }
  };
  look(start);
  return found;
}

/**
 * Refuses parts that no name leads to: they would be neither trained nor saved.
 * @param found what the module outermost and those inside hold, by the module's name
 */
export function refuseHidden(outermost: AnyModule, found: Iterable<readonly [string, Contents]>): void {
  const all = [...found];
  if (all.every(([, { hidden }]) => hidden.length === 0)) return;
  const named = new Set<Part>([outermost, ...all.flatMap(([, { held }]) => held.map((h) => h.part))]);
  for (const [name, { hidden }] of all) {
    for (const { path, where, parts } of hidden) {
      const lost = parts.find((p) => !named.has(p));
      if (lost) throw new TypeError(hiddenMessage(outermost, name ? `${name}.${path}` : path, where, lost));
    }
  }
}

const hiddenMessage = (m: AnyModule, path: string, where: string, lost: Part): string =>
  `${m.constructor.name}: the field ${path} holds ${shown(lost)} ${where}, where it has no name and would be neither trained nor saved. ` +
  'Modules, parameters and buffers belong in fields, arrays, plain objects and Maps with text as keys; ' +
  'hold what is not to be part of the module as a function that returns it';
