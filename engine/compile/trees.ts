/**
 * Trees: tensors in lists, Maps, Sets and plain objects to any depth, beside values of the host. What a compiled step takes
 * and returns.
 */

import { shown } from '../arguments/options.ts';
import { currentDevice, type Device } from '../device.ts';
import { DeviceError, UseAfterFreeError } from '../errors.ts';
import { type Shape, sameShape, show } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';

/** What a tree is but for the values of its tensors. */
type Form =
  | { readonly kind: 'tensor'; readonly shape: Shape; readonly requiresGrad: boolean }
  | { readonly kind: 'constant'; readonly value: unknown }
  | { readonly kind: 'list'; readonly parts: readonly Form[] }
  | { readonly kind: 'set'; readonly parts: readonly Form[] }
  | { readonly kind: 'map'; readonly names: readonly unknown[]; readonly parts: readonly Form[] }
  | { readonly kind: 'object'; readonly names: readonly string[]; readonly parts: readonly Form[]; ordered: boolean };

/** A value of the host at its place in a tree. */
interface Constant {
  readonly path: string;
  readonly value: unknown;
}

/** The inputs of a call, read. */
export interface Call {
  readonly signature: Signature;
  /** The tensors in the order of the tree; one that stands at two places comes twice. */
  readonly tensors: readonly Tensor[];
}

/**
 * What a capture depends on of its inputs: all but the values of their tensors. That is the containers and what stands where in
 * them, the shapes, which tensors are one and which require a gradient, and the values of the host.
 */
export class Signature {
  /** Where the tensors live; the current device of the first call, if there are none. */
  readonly device: Device;
  /** Where each tensor stands: `input 0.label`. */
  readonly paths: readonly string[];
  /** The index, for each tensor, of the first that is the same. */
  readonly first: readonly number[];
  /** The values of the host. */
  readonly constants: readonly Constant[];
  /** The signature as text, without the values of the host. */
  readonly outline: string;
  readonly #forms: readonly Form[];

  constructor(forms: readonly Form[], found: Found, device: Device) {
    const at = new Map<Tensor, number>();
    for (const [i, t] of found.tensors.entries()) if (!at.has(t)) at.set(t, i);
    this.device = device;
    this.paths = found.paths;
    this.first = found.tensors.map((t) => at.get(t)!);
    this.constants = found.constants;
    this.outline = `${forms.map(outlineOf)}|${this.first}`;
    this.#forms = forms;
  }

  /** The tensors of other inputs, if a capture for this signature does for them too. */
  match(inputs: readonly unknown[]): readonly Tensor[] | undefined {
    const tensors: Tensor[] = [];
    if (!matchAll(this.#forms, inputs, tensors)) return undefined;
    const { device } = this;
    if (tensors.length === 0) return currentDevice() === device ? tensors : undefined;
    for (let i = 0; i < tensors.length; i++) {
      const t = tensors[i]!;
      if (t.device !== device || tensors.indexOf(t) !== this.first[i]) return undefined;
    }
    return tensors;
  }

  /**
   * The inputs with other tensors in their places, for the step to be captured with: it is noticed whether it asks an object for
   * the order of its names, which counts then.
   */
  build(tensors: readonly Tensor[]): unknown[] {
    const next = tensors[Symbol.iterator]();
    return this.#forms.map((form) => built(form, () => next.next().value as Tensor));
  }
}

/** What {@link read} finds in a tree. */
interface Found {
  readonly tensors: Tensor[];
  readonly paths: string[];
  readonly constants: Constant[];
}

/**
 * Reads the inputs of a call, and looks at all of them before anything happens.
 * @throws TypeError for what a tree cannot hold, UseAfterFreeError for a tensor that was freed, DeviceError for one that lives
 * elsewhere than the first; each names the place
 */
export function readInputs(inputs: readonly unknown[]): Call {
  const found: Found = { tensors: [], paths: [], constants: [] };
  const forms = inputs.map((value, i) => formOf(value, `input ${i}`, found, []));
  const { tensors, paths } = found;
  tensors.forEach((t, i) => {
    if (!t.isDisposed) return;
    throw new UseAfterFreeError(
      `compile: ${paths[i]}, ${t.describe()}, was freed: its scope ended, or dispose() was called. Return it from the scope, or keep(t) it`,
    );
  });
  const device = tensors[0]?.device ?? currentDevice();
  const far = tensors.findIndex((t) => t.device !== device);
  if (far > 0) {
    throw new DeviceError(
      `compile: ${paths[far]}, ${tensors[far]!.describe()}, lives on ${tensors[far]!.device.name}, and ${paths[0]} on ${device.name}`,
    );
  }
  return { signature: new Signature(forms, found, device), tensors };
}

/** @param within the containers around it, which it must not be one of */
function formOf(value: unknown, path: string, found: Found, within: readonly unknown[]): Form {
  if (value instanceof Tensor) {
    found.tensors.push(value);
    found.paths.push(path);
    return { kind: 'tensor', shape: value.shape, requiresGrad: value.requiresGrad };
  }
  if (isConstant(value)) {
    found.constants.push({ path, value });
    return { kind: 'constant', value };
  }
  if (within.includes(value)) {
    throw new TypeError(`compile: ${path} is ${shownKind(value)} that ${path} lies in; what a step takes must end`);
  }
  const around = [...within, value];
  const inner = (v: unknown, name: string) => formOf(v, path + name, found, around);
  if (Array.isArray(value)) return { kind: 'list', parts: Array.from(value, (v, i) => inner(v, `[${i}]`)) };
  if (value instanceof Set) return { kind: 'set', parts: Array.from(value, (v, i) => inner(v, `{${i}}`)) };
  if (value instanceof Map) {
    const names = [...value.keys()];
    const odd = names.findIndex((name) => !isConstant(name));
    if (odd >= 0) {
      throw new TypeError(
        `compile: a key of ${path} is ${shown(names[odd])}; Maps that a step takes have texts or numbers as keys`,
      );
    }
    return { kind: 'map', names, parts: Array.from(value, ([name, v]) => inner(v, `.get(${shown(name)})`)) };
  }
  if (typeof value === 'object' && value !== null && isPlain(value)) {
    const names = Object.keys(value);
    return { kind: 'object', names, parts: names.map((name) => inner(value[name], member(name))), ordered: false };
  }
  const remedy = ArrayBuffer.isView(value) ? 'tensor(...) makes a tensor of it' : 'let the step use it from outside';
  throw new TypeError(
    `compile: ${path} is ${shown(value)}; a step takes tensors and values such as numbers and texts, alone or in lists, Maps, Sets and plain objects: ${remedy}`,
  );
}

const shownKind = (value: unknown): string =>
  Array.isArray(value)
    ? 'a list'
    : value instanceof Map || value instanceof Set
      ? `a ${value.constructor.name}`
      : 'an object';

/** `.name`, or `["a name"]`. */
const member = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`);

const isConstant = (value: unknown): value is number | string | boolean | bigint | null | undefined =>
  value === null || !['object', 'function', 'symbol'].includes(typeof value);

/** Whether a value has that form. Adds its tensors to `into`. */
function matches(form: Form, value: unknown, into: Tensor[]): boolean {
  switch (form.kind) {
    case 'tensor':
      if (!(value instanceof Tensor) || value.isDisposed) return false;
      into.push(value);
      return value.requiresGrad === form.requiresGrad && sameShape(value.shape, form.shape);
    case 'constant':
      return Object.is(value, form.value);
    case 'list':
      return Array.isArray(value) && matchAll(form.parts, value, into);
    case 'set':
      return value instanceof Set && matchAll(form.parts, [...value], into);
    case 'map':
      if (!(value instanceof Map) || value.size !== form.names.length) return false;
      return (
        [...value.keys()].every((name, i) => Object.is(name, form.names[i])) &&
        matchAll(form.parts, [...value.values()], into)
      );
    case 'object': {
      if (typeof value !== 'object' || value === null || !isPlain(value)) return false;
      const names = Object.keys(value);
      const { names: wanted, ordered, parts } = form;
      if (names.length !== wanted.length) return false;
      const same = ordered
        ? (name: string, i: number) => names[i] === name
        : (name: string) => Object.hasOwn(value, name);
      return wanted.every((name, i) => same(name, i) && matches(parts[i]!, value[name], into));
    }
  }
}

function matchAll(forms: readonly Form[], values: readonly unknown[], into: Tensor[]): boolean {
  if (values.length !== forms.length) return false;
  for (let i = 0; i < forms.length; i++) if (!matches(forms[i]!, values[i], into)) return false;
  return true;
}

/** A tree of that form, with the tensors that `next` gives. */
function built(form: Form, next: () => Tensor): unknown {
  if (form.kind === 'tensor') return next();
  if (form.kind === 'constant') return form.value;
  const parts = form.parts.map((part) => built(part, next));
  if (form.kind === 'list') return parts;
  if (form.kind === 'set') return new Set(parts);
  if (form.kind === 'map') return new Map(form.names.map((name, i) => [name, parts[i]]));
  return new Proxy(Object.fromEntries(form.names.map((name, i) => [name, parts[i]])), {
    ownKeys: (made) => {
      form.ordered = true;
      return Reflect.ownKeys(made);
    },
  });
}

function outlineOf(form: Form): string {
  if (form.kind === 'tensor') return `${show(form.shape)}${form.requiresGrad ? 'g' : ''}`;
  if (form.kind === 'constant') return '?';
  const parts = form.parts.map(outlineOf);
  if (form.kind === 'list' || form.kind === 'set') return `${form.kind}(${parts})`;
  return `${form.kind}(${form.names.map((name, i) => `${JSON.stringify(String(name))}:${parts[i]}`)})`;
}

const isPlain = (value: object): value is Record<string, unknown> => {
  const prototype = Object.getPrototypeOf(value) as unknown;
  return prototype === Object.prototype || prototype === null;
};

/** `value` with each of its tensors replaced; looks where `scope` looks. */
export function mapTensors(value: unknown, fn: (t: Tensor) => Tensor): unknown {
  if (value instanceof Tensor) return fn(value);
  if (Array.isArray(value)) return value.map((v) => mapTensors(v, fn));
  if (value instanceof Set) return new Set([...value].map((v) => mapTensors(v, fn)));
  if (value instanceof Map) return new Map([...value].map(([k, v]) => [k, mapTensors(v, fn)]));
  if (!value || typeof value !== 'object' || !isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, mapTensors(v, fn)]));
}
