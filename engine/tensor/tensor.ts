import { aFunction, guardMethods, kind, maybe, op, options, within } from '../arguments/arguments.ts';
import { flag, text } from '../arguments/ranges.ts';
import type { Node } from '../autograd/node.ts';
import { noteAlias, noteDecision, notedGradients, refuseCapture } from '../compile/live.ts';
import { currentDevice, type Device, type Storage, type Values } from '../device.ts';
import { GradError, ShapeError, UseAfterFreeError } from '../errors.ts';
import { adopt, born, type Census, died, KEPT, type Owner } from './lifetime.ts';
import { checkShape, type Shape, show, sizeOf } from './shape.ts';

/** Numbers nested to any depth, as `tensor([[1, 2], [3, 4]])` takes them. */
export type Nested = number | readonly Nested[];

/** Options of {@link tensor}. */
export interface TensorOptions {
  /** The sizes of the axes; needed with flat data unless it is one-dimensional. */
  readonly shape?: Shape;
  /** Record the ops that use this tensor, so that `grad` can reach it. Default false. */
  readonly requiresGrad?: boolean;
  /** A name that the tape and errors show. */
  readonly label?: string;
  /** Where it lives; the current device unless given. */
  readonly device?: Device;
}

/** Sees a cotangent, and may return another of the same shape in its place; see `registerHook`. */
export type Hook = (g: Tensor) => Tensor | undefined;

/**
 * An array of numbers on a device: float32 on WebGPU, float64 on the reference device. Made by {@link tensor}, and by ops,
 * none of which changes its inputs; only `assign` and optimizers write in place.
 *
 * A tensor belongs to the {@link scope} in which it was made and is freed when that scope ends, unless it is returned from
 * the scope or kept with {@link keep}. `using x = ...` and `x.dispose()` free it sooner. Using it afterwards is a
 * {@link UseAfterFreeError}. Nothing else frees it: the garbage collector does not see the memory of a GPU.
 *
 * Reading is asynchronous (`data`, `item`, `array`); everything else only records work for the device.
 */
export class Tensor {
  /** A name that the tape and errors show. */
  label: string | undefined;
  /** Whether ops on this tensor are recorded, so that {@link grad} reaches it. Set it with `requireGrad`. */
  requiresGrad: boolean;
  /** The op that made it, if it was recorded. @internal */
  node: Node | undefined;
  /** The scope that it belongs to. @internal */
  owner: Owner | undefined;
  /** Functions that see, and may replace, this tensor's cotangent; see `registerHook`. @internal */
  hooks: Set<Hook> | undefined;
  readonly #shape: Shape;
  #grad: Tensor | undefined;
  #storage: Storage | undefined;

  /** For the engine, which hands over the storage; call {@link tensor}. @hidden */
  constructor(storage: Storage, shape: Shape, requiresGrad = false, label?: string) {
    // A list of its own that nobody changes: kernels trust it to say how much memory there is.
    this.#shape = Object.isFrozen(shape) ? shape : Object.freeze([...shape]);
    this.label = label;
    this.requiresGrad = requiresGrad;
    this.node = undefined;
    this.owner = undefined;
    this.hooks = undefined;
    this.#storage = storage;
    born(this);
  }

  /** The sizes of the axes, outermost first; `[]` for a scalar. It cannot be changed: `reshape` gives another one. */
  get shape(): Shape {
    return this.#shape;
  }

  /** The number of elements. */
  get size(): number {
    return sizeOf(this.#shape);
  }

  /** The number of axes; 0 for a scalar. */
  get rank(): number {
    return this.#shape.length;
  }

  /** Where its memory lies. @throws UseAfterFreeError */
  get device(): Device {
    return this.storage.device;
  }

  /** The type of its elements, which is its device's. @throws UseAfterFreeError */
  get dtype(): 'float32' | 'float64' {
    return this.device.dtype;
  }

  /** Where it is counted. @internal */
  get census(): Census {
    return this.device.census;
  }

  /** Whether it was freed. */
  get isDisposed(): boolean {
    return this.#storage === undefined;
  }

  /** The memory behind the tensor. @internal */
  get storage(): Storage {
    if (!this.#storage) {
      throw new UseAfterFreeError(
        `${this.describe()} was freed: its scope ended, or dispose() was called. Return it from the scope, or keep(t) it`,
      );
    }
    return this.#storage;
  }

  /**
   * Replaces the memory behind a leaf, for optimizers that lay parameters out in one arena. Takes over the storage.
   * @internal
   */
  rebind(storage: Storage): void {
    refuseCapture(
      'parameters move to other memory inside the step (an optimizer or EMA is made in it, or EMA.apply called); do that outside',
    );
    if (this.node) throw new GradError(`${this.describe()} is the result of an op; only leaves can be rebound`);
    if (storage.size !== this.size)
      throw new ShapeError(`rebind: ${this.describe()} does not fit ${storage.size} elements`);
    this.storage.release();
    this.#storage = storage;
  }

  /** `weight [3,4]`, for messages. */
  describe(): string {
    return `${this.label ?? 'tensor'} ${show(this.shape)}`;
  }

  /** Frees the memory at once. Safe to call twice. A backward pass that needs the value afterwards throws. */
  dispose(): void {
    const storage = this.#storage;
    if (!storage) return;
    died(this);
    this.#storage = undefined;
    storage.release();
  }

  /** Frees it at the end of a block that began with `using x = ...`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /**
   * The same values as a new leaf that does not require a gradient: what follows is cut off from the tape. Shares
   * memory.
   */
  detach(): Tensor {
    noteAlias(this);
    return new Tensor(this.storage.share(), this.shape, false, this.label);
  }

  /**
   * Makes this leaf require a gradient, or no longer, and returns it: PyTorch's `requires_grad_`. Ops before the call stay
   * unrecorded.
   * @throws GradError for the result of a recorded op
   */
  requireGrad(on = true): this {
    if (this.node) {
      throw new GradError(
        `${this.describe()} is the result of ${this.node.row.name}; detach() it before requireGrad()`,
      );
    }
    noteDecision(this, () => {
      this.requiresGrad = on;
    });
    return this;
  }

  /**
   * Calls `hook` with the cotangent of this tensor once a backward pass has it complete; a tensor that the hook returns
   * takes its place. As torch.Tensor.register_hook.
   * @returns a function that removes the hook
   * @throws GradError if this tensor does not require a gradient; in the backward pass, if the hook returns another shape
   * @example
   * const remove = h.registerHook((g) => g.clamp(-1, 1)); // clips the gradient that flows through h
   */
  registerHook(hook: Hook): () => void {
    if (!this.requiresGrad) throw new GradError(`registerHook: ${this.describe()} does not require a gradient`);
    this.hooks ??= new Set();
    this.hooks.add(hook);
    return () => void this.hooks?.delete(hook);
  }

  /**
   * The gradient of this leaf, in its shape: what {@link backward} has added up since the last `zeroGrad`, or undefined. Optimizers
   * take it where `step` is given no gradients. The leaf owns it: a tensor that is put here outlives its scope, and what was here is
   * freed.
   */
  get grad(): Tensor | undefined {
    const noted = notedGradients();
    return noted ? (noted.read(this, this.#grad) as Tensor | undefined) : this.#grad;
  }

  /** Puts a gradient here, which the leaf owns from then on, or none; the one before is freed. */
  set grad(g: Tensor | undefined) {
    const noted = notedGradients();
    if (noted) noted.write(this, g);
    else {
      if (this.#grad !== g) this.#grad?.dispose();
      this.#grad = g;
    }
    if (g) adopt(g, KEPT);
  }

  /** Frees and forgets the gradient in `grad`, which is undefined then: PyTorch's `zero_grad(set_to_none=True)`. */
  zeroGrad(): void {
    this.grad = undefined;
  }

  /** Names the tensor for the tape and errors, and returns it. */
  named(label: string): this {
    this.label = label;
    return this;
  }

  /**
   * Reads all values, row-major. They are those at the time of the call, also if the tensor is freed before they arrive.
   * @throws UseAfterFreeError, and DeviceError if the device was lost or refused a command
   */
  async data(): Promise<Values> {
    return this.storage.device.read(this.storage);
  }

  /** Reads the one value of a tensor of one element. @throws ShapeError unless it has one */
  async item(): Promise<number> {
    if (this.size !== 1) throw new ShapeError(`item: ${this.describe()} has ${this.size} elements; item() reads one`);
    return (await this.data())[0]!;
  }

  /** Reads all values as arrays nested like the shape; a number for a scalar. @throws as `data` */
  async array(): Promise<Nested> {
    return nest(await this.data(), this.shape);
  }

  /**
   * Overwrites the values in place, row-major. A tape that saved the old ones will refuse to use them.
   * @throws ShapeError
   */
  assign(values: ArrayLike<number>): this {
    if (values.length !== this.size) {
      throw new ShapeError(`assign: ${this.describe()} takes ${this.size} values, not ${values.length}`);
    }
    this.device.write(this.storage, values);
    return this;
  }

  /** What Node's console prints. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  /**
   * What `x + y`, `x > 0` and `x == 1` ask for: JavaScript has no operators on tensors, and would compare or add text. Text, as in a
   * template, is what `toString` gives.
   * @throws TypeError for anything but text, with what to write instead
   */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'string') return this.toString();
    throw new TypeError(
      `${this.describe()} has no value for JavaScript's operators: write x.add(y), x.mul(y), x.greater(0), ..., or read the number with await x.item() first`,
    );
  }

  /** What `JSON.stringify` writes: what the tensor is, and how to have its values, which lie on the device. */
  toJSON(): string {
    return `${this.toString()}: await its array() for the values`;
  }

  /** `Tensor(x [3], webgpu float32, requiresGrad)`: what it is, without its values. */
  toString(): string {
    return `Tensor(${this.describe()}, ${this.isDisposed ? 'freed' : `${this.device.kind} ${this.dtype}`}${this.requiresGrad ? ', requiresGrad' : ''})`;
  }
}

const someValues = kind<Nested | ArrayLike<number>>('values', 'numbers', (v) => v !== undefined);
const tensorOptions = options<TensorOptions>({
  shape: { holds: Array.isArray, says: 'a list such as [2, 3]' },
  requiresGrad: flag,
  label: text,
  device: { holds: (v) => typeof v === 'object' && v !== null && 'upload' in v, says: 'a device that init gave' },
});

guardMethods(Tensor, {
  describe: [],
  dispose: [],
  detach: [],
  requireGrad: [maybe(within<boolean>('on', flag))],
  registerHook: [aFunction('hook')],
  zeroGrad: [],
  named: [within<string>('label', text)],
  data: [],
  item: [],
  array: [],
  assign: [kind<ArrayLike<number>>('values', 'a list or a typed array of numbers', isListOfNumbers)],
});

/**
 * A promise that says so where it is used as the value itself: `x.item() > 0` would be false whatever x is, and `x.data()[0]`
 * undefined.
 */
function awaited<T>(name: string, promise: Promise<T>): Promise<T> {
  const refuse = (): never => {
    promise.catch(() => {}); // this error is the one to report
    throw new TypeError(`${name}: the values come as a promise; await it, as in await x.${name}()`);
  };
  const get = { get: refuse, configurable: true };
  const list = name === 'item' ? {} : { 0: get, length: get };
  return Object.defineProperties(promise, { [Symbol.toPrimitive]: { value: refuse }, ...list });
}

for (const name of ['data', 'item', 'array'] as const) {
  const read = Tensor.prototype[name] as (...args: unknown[]) => Promise<unknown>;
  const value = {
    [name](this: Tensor, ...args: unknown[]) {
      return awaited(name, read.apply(this, args));
    },
  }[name];
  Object.defineProperty(Tensor.prototype, name, { value, writable: true, configurable: true });
}

/**
 * Makes a tensor from numbers, which are rounded to float32 on WebGPU.
 * @param values a number, nested arrays, or flat data (an array or a typed array) with `options.shape`
 * @throws ShapeError if rows differ in length, or the data does not fill the shape
 * @throws DeviceError before `init`
 * @example
 * const w = tensor([[1, 2], [3, 4]], { requiresGrad: true, label: 'w' }); // [2,2]
 * const x = tensor(new Float32Array(28 * 28), { shape: [1, 28, 28, 1] });
 * @function
 */
export const tensor = op('tensor', [someValues, tensorOptions], (values, given = {}): Tensor => {
  const [flat, found] = flatten(values);
  const shape = given.shape ?? found;
  checkShape('tensor', shape);
  if (flat.length !== sizeOf(shape)) {
    throw new ShapeError(
      `tensor: ${flat.length} values do not fill the shape ${show(shape)} (${sizeOf(shape)} elements)`,
    );
  }
  const storage = (given.device ?? currentDevice()).upload(flat);
  return new Tensor(storage, [...shape], given.requiresGrad ?? false, given.label);
});

/** Takes a tensor out of every scope, so that it lives until `dispose()`, and returns it. @function */
export const keep = op(
  'keep',
  [kind<Tensor>('t', 'a tensor', (v) => v instanceof Tensor)],
  <T extends Tensor>(t: T): T => {
    adopt(t, KEPT);
    return t;
  },
);

function flatten(values: Nested | ArrayLike<number>): [ArrayLike<number>, Shape] {
  if (typeof values === 'number') return [[values], []];
  if (!Array.isArray(values)) {
    if (!isNumberArray(values)) throw notNumbers(values);
    return [values as ArrayLike<number>, [(values as ArrayLike<number>).length]];
  }
  const shape: number[] = [];
  for (let v: Nested | undefined = values; Array.isArray(v); v = v[0]) shape.push(v.length);
  const flat: number[] = [];
  const walk = (v: Nested, depth: number): void => {
    if (typeof v === 'number') {
      if (depth !== shape.length) throw ragged();
      flat.push(v);
    } else {
      if (!Array.isArray(v)) throw notNumbers(v);
      if (v.length !== shape[depth]) throw ragged();
      for (const inner of v) walk(inner, depth + 1);
    }
  };
  const ragged = () => new ShapeError(`tensor: nested arrays must be rectangular; the first ones say ${show(shape)}`);
  walk(values, 0);
  return [flat, shape];
}

/** Whether it is a typed array, or a list of numbers. */
function isListOfNumbers(v: unknown): boolean {
  return isNumberArray(v) || (Array.isArray(v) && v.every((n) => typeof n === 'number'));
}

/** Whether it is a typed array of numbers, not of big integers. */
function isNumberArray(v: unknown): boolean {
  return ArrayBuffer.isView(v) && !(v instanceof DataView || v instanceof BigInt64Array || v instanceof BigUint64Array);
}

const notNumbers = (v: unknown): TypeError =>
  new TypeError(
    `tensor: values are numbers, nested arrays of them or a typed array, not ${typeof v === 'string' ? JSON.stringify(v) : String(v)}`,
  );

function nest(values: Values, shape: Shape): Nested {
  let at = 0;
  const build = (depth: number): Nested =>
    depth === shape.length ? values[at++]! : Array.from({ length: shape[depth]! }, () => build(depth + 1));
  return build(0);
}
