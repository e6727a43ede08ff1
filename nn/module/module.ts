import { noGrad, scope, type Tensor } from '../../engine/index.ts';
import { Buffer, Parameter } from './parameter.ts';
import type { PyTorchRule } from './pyTorchRule.ts';
import { compareState, overwriting, refuseDifferences, type StateValue } from './state.ts';

/** Any module, whatever it takes and gives: what a module knows of those inside it. See {@link Module} for each member. */
export interface AnyModule {
  /** Whether layers such as batch norm behave as in training. */
  training: boolean;
  /** The function itself. */
  forward(...inputs: never): unknown;
  /** The modules directly inside. */
  children(): [string, AnyModule][];
  /** This module and all inside. */
  namedModules(): [string, AnyModule][];
  /** Parameters by dotted name. */
  namedParameters(): [string, Parameter][];
  /** All parameters. */
  parameters(): Parameter[];
  /** Buffers by dotted name. */
  namedBuffers(): [string, Buffer][];
  /** All buffers. */
  buffers(): Buffer[];
  /** Every parameter and buffer by dotted name. */
  stateDict(): Map<string, Tensor>;
  /** Sizes and options, for the printed form. */
  describe(): string;
  /** How PyTorch names and lays out this module's own tensors. */
  pyTorchRule(): PyTorchRule;
}

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

type AnyForwardHook = ForwardHook<readonly unknown[], unknown>;
type AnyForwardPreHook = ForwardPreHook<readonly unknown[]>;

interface Hooks {
  readonly before: Set<AnyForwardPreHook>;
  readonly after: Set<AnyForwardHook>;
}

/** Kept beside the modules: hooks are no part of what a module is, and its copies have none. */
const hooksOf = new WeakMap<AnyModule, Hooks>();

/**
 * A function with parameters. Fields that hold a Parameter, a Buffer, a Module or an array of those are found by name, so a
 * layer of one's own is a class with fields and a `forward`. Fields must not be `#private` (TypeScript's `private` is
 * fine): {@link Module.copy} could not copy them.
 *
 * `In` and `Out` say what `forward` takes and gives: one tensor each unless told.
 * @example
 * class Residual extends Module {
 *   readonly inner = new Linear(64, 64);
 *   override forward(x: Tensor): Tensor {
 *     return x.add(this.inner.forward(x).relu());
 *   }
 * }
 */
export abstract class Module<In extends readonly unknown[] = [x: Tensor], Out = Tensor> implements AnyModule {
  /** Whether layers such as batch norm behave as in training. Set by `train` and `eval`. */
  training = true;

  /** The function itself. Layers keep the first axis, the batch. */
  abstract forward(...inputs: In): Out;

  /** The modules directly inside, by field name; members of an array are `name.0`, `name.1`, ... */
  children(): [string, AnyModule][] {
    return Object.entries(this).flatMap(([name, value]): [string, AnyModule][] => {
      if (value instanceof Module) return [[name, value]];
      if (!Array.isArray(value)) return [];
      return value.flatMap((v, i): [string, AnyModule][] => (v instanceof Module ? [[`${name}.${i}`, v]] : []));
    });
  }

  /** This module (named '') and all inside, by dotted name, each once, a module before those inside it. */
  namedModules(): [string, AnyModule][] {
    const found = new Map<AnyModule, string>();
    const walk = (name: string, m: AnyModule): void => {
      if (found.has(m)) return;
      found.set(m, name);
      for (const [child, inner] of m.children()) walk(name ? `${name}.${child}` : child, inner);
    };
    walk('', this);
    return [...found].map(([m, name]) => [name, m]);
  }

  /**
   * Parameters by dotted name (`layers.0.weight`), in the order of their fields; a module's own before those inside, members of
   * an array as `name.0`, `name.1`, ... One that is shared counts once, under its first name.
   */
  namedParameters(): [string, Parameter][] {
    return this.namedTensors((v): v is Parameter => v instanceof Parameter);
  }

  /** All parameters, in the order of {@link namedParameters}: what `grad` and an optimizer take. */
  parameters(): Parameter[] {
    return this.namedParameters().map(([, p]) => p);
  }

  /** Buffers by dotted name, in the order of their fields. */
  namedBuffers(): [string, Buffer][] {
    return this.namedTensors((v): v is Buffer => v instanceof Buffer);
  }

  /** All buffers, such as running statistics. */
  buffers(): Buffer[] {
    return this.namedBuffers().map(([, b]) => b);
  }

  /** Every parameter and buffer by dotted name: what a checkpoint holds. */
  stateDict(): Map<string, Tensor> {
    return new Map<string, Tensor>([...this.namedParameters(), ...this.namedBuffers()]);
  }

  /**
   * Overwrites parameters and buffers in place.
   * @param values as another module's `stateDict()` or a checkpoint gives them
   * @param options with `strict: false`, names that only one side has are left alone, and returned
   * @returns the names that were missing from `values` and those that were unexpected: none in strict mode
   * @throws Error naming what is missing, unexpected, or of another shape; nothing is changed then
   */
  loadStateDict(
    values: ReadonlyMap<string, StateValue>,
    { strict = true }: { readonly strict?: boolean } = {},
  ): {
    /** Names of the module that `values` did not have. */
    missing: string[];
    /** Names in `values` that the module does not have. */
    unexpected: string[];
  } {
    if (!(values instanceof Map)) {
      throw new TypeError(
        'loadStateDict: the values are a Map by name, as stateDict() gives it; of a file, `(await loadSafetensors(path)).tensors`',
      );
    }
    const own = this.stateDict();
    const { missing, unexpected, problems } = compareState(own, values);
    refuseDifferences(strict ? { missing, unexpected, problems } : { missing: [], unexpected: [], problems });
    const writes = [...own].flatMap(([name, t]) => {
      const given = values.get(name);
      return given ? [overwriting(name, t, given)] : [];
    });
    for (const write of writes) write();
    return { missing, unexpected };
  }

  /** Calls `fn` with every module inside, innermost first, then with this one. Returns this one. */
  apply(fn: (module: AnyModule) => void): this {
    const seen = new Set<AnyModule>();
    const visit = (m: AnyModule): void => {
      if (seen.has(m)) return;
      seen.add(m);
      for (const [, inner] of m.children()) visit(inner);
      fn(m);
    };
    visit(this);
    return this;
  }

  /** Switches this module and all inside to training mode, or to evaluation with `false`. Returns it. */
  train(on = true): this {
    return this.apply((m) => {
      m.training = on;
    });
  }

  /** Switches this module and all inside to evaluation mode. Returns it. */
  eval(): this {
    return this.train(false);
  }

  /** Makes all parameters require gradients, or none of them: `requireGrad(false)` freezes the module. Returns it. */
  requireGrad(on = true): this {
    for (const p of this.parameters()) p.requireGrad(on);
    return this;
  }

  /**
   * Calls `hook` after each `forward` of this module: to look at activations, or to change them.
   * @returns a function that removes the hook
   * @example
   * const remove = model.layers[0]!.registerForwardHook((_, __, y) => console.log(y.shape));
   */
  registerForwardHook(hook: ForwardHook<In, Out>): () => void {
    return hookForward(this, hook as unknown as AnyForwardHook);
  }

  /** Calls `hook` before each `forward` of this module, as {@link registerForwardHook} after it. */
  registerForwardPreHook(hook: ForwardPreHook<In>): () => void {
    return hookInputs(this, hook as unknown as AnyForwardPreHook);
  }

  /**
   * A deep copy with parameters and buffers of its own, such as the network that an average of weights is sampled with.
   * What is shared inside stays shared. Hooks are not copied.
   */
  copy(): this {
    const copies = new Map<object, unknown>();
    const copied = (v: unknown): unknown => {
      if (Array.isArray(v)) return v.map(copied);
      if (!(v instanceof Module || v instanceof Parameter || v instanceof Buffer)) return v;
      if (!copies.has(v)) copies.set(v, v instanceof Module ? copyOf(v) : twin(v));
      return copies.get(v);
    };
    const copyOf = (m: AnyModule): AnyModule => {
      const made = Object.create(Object.getPrototypeOf(m) as object) as AnyModule;
      copies.set(m, made);
      for (const [name, v] of Object.entries(m)) {
        if (name === 'forward') {
          throw new TypeError(
            `copy: forward of ${m.constructor.name} is a field, which may hold on to this module; make it a method`,
          );
        }
        Object.defineProperty(made, name, { ...PLAIN, value: copied(v) });
      }
      return made;
    };
    return noGrad(() => copied(this)) as this;
  }

  /** Frees all parameters and buffers, also those of the modules inside. */
  dispose(): void {
    for (const t of this.stateDict().values()) t.dispose();
  }

  /** Frees them at the end of a block that began with `using model = ...`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** What a line of {@link toString} says of the layer beside its name: sizes and options. */
  describe(): string {
    return ownParameters(this)
      .map(([name, p]) => `${name} [${p.shape}]`)
      .join(', ');
  }

  /**
   * How PyTorch's twin of this layer names and lays out its tensors, for `fromPyTorch` and `toPyTorch`: a layer overrides it
   * where that is not its own fields in snake_case and its own layout.
   */
  pyTorchRule(): PyTorchRule {
    return {};
  }

  /** The modules inside, one a line, indented, as PyTorch prints them. */
  toString(): string {
    const inner = this.children().map(([name, m]) => `  ${name}: ${String(m).replaceAll('\n', '\n  ')}`);
    const text = `${this.constructor.name}(${this.describe()}`;
    return inner.length > 0 ? `${text}\n${inner.join('\n')}\n)` : `${text})`;
  }

  /** What Node's console prints. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  private namedTensors<T extends Tensor>(is: (v: unknown) => v is T): [string, T][] {
    const found = new Map<T, string>();
    for (const [path, m] of this.namedModules()) {
      for (const [name, v] of ownTensors(m, is)) if (!found.has(v)) found.set(v, path ? `${path}.${name}` : name);
    }
    return [...found].map(([t, name]) => [name, t]);
  }
}

/** What a module holds itself, by field name, also in arrays. */
function ownTensors<T extends Tensor>(m: AnyModule, is: (v: unknown) => v is T): [string, T][] {
  return Object.entries(m).flatMap(([name, value]): [string, T][] => {
    if (is(value)) return [[name, value]];
    if (!Array.isArray(value)) return [];
    return value.flatMap((v: unknown, i): [string, T][] => (is(v) ? [[`${name}.${i}`, v]] : []));
  });
}

/** The parameters of a module without those of the modules inside, by field name. @internal */
export const ownParameters = (m: AnyModule): [string, Parameter][] =>
  ownTensors(m, (v): v is Parameter => v instanceof Parameter);

const PLAIN = { writable: true, enumerable: true, configurable: true } as const;

function twin(t: Parameter | Buffer): Parameter | Buffer {
  const values = scope(() => t.detach().clone());
  if (t instanceof Buffer) return new Buffer(values, t.label);
  return new Parameter(values, t.label).requireGrad(t.requiresGrad);
}

/** `registerForwardHook` of a module whose types are not known. @internal */
export function hookForward(m: AnyModule, hook: AnyForwardHook): () => void {
  const { after } = hooked(m);
  after.add(hook);
  return () => void after.delete(hook);
}

/** `registerForwardPreHook` of a module whose types are not known. @internal */
export function hookInputs(m: AnyModule, hook: AnyForwardPreHook): () => void {
  const { before } = hooked(m);
  before.add(hook);
  return () => void before.delete(hook);
}

/** The module's hooks. The first one puts a `forward` that calls them in front of the class's own. */
function hooked(m: AnyModule): Hooks {
  const known = hooksOf.get(m);
  if (known) return known;
  const hooks: Hooks = { before: new Set(), after: new Set() };
  hooksOf.set(m, hooks);
  const assigned = Object.hasOwn(m, 'forward') ? m.forward : undefined;
  const value = (...given: unknown[]): unknown => {
    // Looked up for each call: a parametrisation gives the module another class.
    const forward = assigned ?? (Object.getPrototypeOf(m) as AnyModule).forward;
    let inputs: readonly unknown[] = given;
    for (const hook of hooks.before) inputs = hook(m, inputs) ?? inputs;
    let output = Reflect.apply(forward, m, inputs) as unknown;
    for (const hook of hooks.after) output = hook(m, inputs, output) ?? output;
    return output;
  };
  Object.defineProperty(m, 'forward', { value, configurable: true, writable: true, enumerable: false });
  return hooks;
}
