import { currentDevice, type Device, type Storage, type Values } from './device.ts';
import { GradError, ShapeError, UseAfterFreeError } from './errors.ts';
import { adopt, born, died, type Owned, type Owner } from './lifetime.ts';
import type { Methods } from './methodTypes.ts';
import type { Node } from './node.ts';
import { checkShape, type Shape, show, sizeOf } from './shape.ts';

/** Numbers nested to any depth, as `tensor([[1, 2], [3, 4]])` takes them. */
export type Nested = number | readonly Nested[];

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

// The chained ops (`x.mul(y)`) are put on the prototype by methods.ts, which knows the op table.
export interface Tensor extends Methods {}

/** Sees a cotangent, and may return another in its place. */
export type Hook = (g: Tensor) => Tensor | undefined;

/**
 * An immutable array of numbers on a device: float32 on WebGPU, float64 on the reference device.
 *
 * A tensor belongs to the `scope` in which it was made and is freed when that scope ends, unless it is returned from the
 * scope or kept with `keep`. `using x = ...` and `x.dispose()` free it sooner.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: see above
export class Tensor implements Owned {
  readonly shape: Shape;
  /** A name that the tape and errors show. */
  label: string | undefined;
  /** Whether ops on this tensor are recorded. */
  requiresGrad: boolean;
  /** The op that made it, if it was recorded. */
  node: Node | undefined;
  owner: Owner | undefined;
  /** What `backward` accumulated for this leaf. */
  grad: Tensor | undefined;
  /** Functions that see, and may replace, this tensor's cotangent; see `registerHook`. */
  hooks: Set<Hook> | undefined;
  #storage: Storage | undefined;

  /** Engine use; users call `tensor`. Takes over the storage. */
  constructor(storage: Storage, shape: Shape, requiresGrad = false, label?: string) {
    this.shape = shape;
    this.label = label;
    this.requiresGrad = requiresGrad;
    this.node = undefined;
    this.owner = undefined;
    this.grad = undefined;
    this.hooks = undefined;
    this.#storage = storage;
    born(this);
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  get rank(): number {
    return this.shape.length;
  }

  get device(): Device {
    return this.storage.device;
  }

  get dtype(): 'float32' | 'float64' {
    return this.device.dtype;
  }

  get isDisposed(): boolean {
    return this.#storage === undefined;
  }

  /** The memory behind the tensor. @throws UseAfterFreeError */
  get storage(): Storage {
    if (!this.#storage) {
      throw new UseAfterFreeError(
        `${this.describe()} was freed: its scope ended, or dispose() was called. Return it from the scope, or keep(t) it`,
      );
    }
    return this.#storage;
  }

  /** Replaces the memory behind a leaf, for optimizers that lay parameters out in one arena. Takes over the storage. */
  rebind(storage: Storage): void {
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

  /** Frees the memory. Safe to call twice. A backward pass that needs the value afterwards throws. */
  dispose(): void {
    if (!this.#storage) return;
    this.#storage.release();
    this.#storage = undefined;
    died(this);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The same values as a new leaf that does not require a gradient. Shares memory. */
  detach(): Tensor {
    return new Tensor(this.storage.share(), this.shape, false, this.label);
  }

  /** Makes this leaf require a gradient, and returns it. @throws GradError for the result of a recorded op. */
  requireGrad(on = true): this {
    if (this.node) {
      throw new GradError(
        `${this.describe()} is the result of ${this.node.row.name}; detach() it before requireGrad()`,
      );
    }
    this.requiresGrad = on;
    return this;
  }

  /**
   * Calls `hook` with the cotangent of this tensor once a backward pass has it complete; a tensor that the hook returns
   * takes its place. @returns a function that removes the hook
   */
  registerHook(hook: Hook): () => void {
    if (!this.requiresGrad) throw new GradError(`registerHook: ${this.describe()} does not require a gradient`);
    this.hooks ??= new Set();
    this.hooks.add(hook);
    return () => void this.hooks?.delete(hook);
  }

  /** Frees and forgets what `backward` accumulated. */
  zeroGrad(): void {
    this.grad?.dispose();
    this.grad = undefined;
  }

  /** Names the tensor for the tape and errors, and returns it. */
  named(label: string): this {
    this.label = label;
    return this;
  }

  /** Reads all values, row-major. The values are those at the time of the call, also if the tensor is freed before they arrive. */
  async data(): Promise<Values> {
    return this.storage.device.read(this.storage);
  }

  /** Reads the one value of a tensor of one element. @throws ShapeError if it has more. */
  async item(): Promise<number> {
    if (this.size !== 1) throw new ShapeError(`item: ${this.describe()} has ${this.size} elements; item() reads one`);
    return (await this.data())[0]!;
  }

  /** Reads all values as nested arrays. */
  async array(): Promise<Nested> {
    return nest(await this.data(), this.shape);
  }

  /** Overwrites the values in place. A tape that saved the old ones will refuse to use them. */
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

  toString(): string {
    return `Tensor(${this.describe()}, ${this.isDisposed ? 'freed' : `${this.device.kind} ${this.dtype}`}${this.requiresGrad ? ', requiresGrad' : ''})`;
  }
}

/**
 * Makes a tensor from numbers.
 * @param values a number, nested arrays, or flat data with `options.shape`
 * @throws ShapeError if rows differ in length, or the data does not fill the shape
 */
export function tensor(values: Nested | ArrayLike<number>, options: TensorOptions = {}): Tensor {
  const [flat, found] = flatten(values);
  const shape = options.shape ?? found;
  checkShape('tensor', shape);
  if (flat.length !== sizeOf(shape)) {
    throw new ShapeError(
      `tensor: ${flat.length} values do not fill the shape ${show(shape)} (${sizeOf(shape)} elements)`,
    );
  }
  const storage = (options.device ?? currentDevice()).upload(flat);
  return new Tensor(storage, [...shape], options.requiresGrad ?? false, options.label);
}

/** Takes a tensor out of every scope: it lives until `dispose()`. Returns it. */
export function keep<T extends Tensor>(t: T): T {
  adopt(t, undefined);
  return t;
}

function flatten(values: Nested | ArrayLike<number>): [ArrayLike<number>, Shape] {
  if (typeof values === 'number') return [[values], []];
  if (!Array.isArray(values)) return [values as ArrayLike<number>, [(values as ArrayLike<number>).length]];
  const shape: number[] = [];
  for (let v: Nested | undefined = values; Array.isArray(v); v = v[0]) shape.push(v.length);
  const flat: number[] = [];
  const walk = (v: Nested, depth: number): void => {
    if (typeof v === 'number') {
      if (depth !== shape.length) throw ragged();
      flat.push(v);
    } else {
      if (v.length !== shape[depth]) throw ragged();
      for (const inner of v) walk(inner, depth + 1);
    }
  };
  const ragged = () => new ShapeError(`tensor: nested arrays must be rectangular; the first ones say ${show(shape)}`);
  walk(values, 0);
  return [flat, shape];
}

function nest(values: Values, shape: Shape): Nested {
  let at = 0;
  const build = (depth: number): Nested =>
    depth === shape.length ? values[at++]! : Array.from({ length: shape[depth]! }, () => build(depth + 1));
  return build(0);
}
