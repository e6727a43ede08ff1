import { type Generator, keep, type Shape, Tensor } from '../engine/index.ts';

/** A tensor that training changes. It requires a gradient and lives, outside every scope, until it is disposed of. */
export class Parameter extends Tensor {
  /** Takes over the values of `initial`. */
  constructor(initial: Tensor, label?: string) {
    super(initial.storage.share(), initial.shape, true, label);
    initial.dispose();
    keep(this);
  }
}

/** A tensor that belongs to a module's state but is not trained, such as a running mean. */
export class State extends Tensor {
  /** Takes over the values of `initial`. */
  constructor(initial: Tensor, label?: string) {
    super(initial.storage.share(), initial.shape, false, label);
    initial.dispose();
    keep(this);
  }
}

/** Makes the values of a new parameter. `fanIn` and `fanOut` count the connections of one unit, as in PyTorch. */
export type Initializer = (shape: Shape, fans: { fanIn: number; fanOut: number }, rng: Generator) => Tensor;

/**
 * A function with parameters. Fields that hold a Parameter, a State, a Module or an array of Modules are found by name,
 * so a layer of one's own is a class with fields and a `forward`.
 * @example
 * class Residual extends Module {
 *   readonly inner = new Linear(64, 64);
 *   override forward(x: Tensor): Tensor {
 *     return x.add(this.inner.forward(x).relu());
 *   }
 * }
 */
export abstract class Module {
  /** Whether layers such as batch norm behave as in training. Set by `train` and `eval`. */
  training = true;

  /** The function itself. Layers take one tensor and keep its first axis, the batch. */
  abstract forward(...inputs: Tensor[]): Tensor;

  /** The modules directly inside, by field name; members of an array are `name.0`, `name.1`, ... */
  children(): [string, Module][] {
    return Object.entries(this).flatMap(([name, value]): [string, Module][] => {
      if (value instanceof Module) return [[name, value]];
      if (!Array.isArray(value)) return [];
      return value.flatMap((v, i): [string, Module][] => (v instanceof Module ? [[`${name}.${i}`, v]] : []));
    });
  }

  /** Parameters by dotted name (`layers.0.weight`), in the order of their fields. @param prefix put before each name */
  namedParameters(prefix = ''): [string, Parameter][] {
    return this.#named(prefix, (v): v is Parameter => v instanceof Parameter);
  }

  /** All parameters, in the order of their fields: what `grad` and an optimizer take. */
  parameters(): Parameter[] {
    return this.namedParameters().map(([, p]) => p);
  }

  /** States (buffers, in PyTorch's words) by dotted name. @param prefix put before each name */
  namedStates(prefix = ''): [string, State][] {
    return this.#named(prefix, (v): v is State => v instanceof State);
  }

  /** Every parameter and state by dotted name: what a checkpoint holds. */
  stateDict(): Map<string, Tensor> {
    return new Map<string, Tensor>([...this.namedParameters(), ...this.namedStates()]);
  }

  /**
   * Overwrites parameters and states in place.
   * @throws Error naming what is missing, unexpected, or of another size; nothing is changed then
   */
  loadStateDict(values: ReadonlyMap<string, { readonly shape: Shape; readonly data: ArrayLike<number> }>): void {
    const own = this.stateDict();
    const problems: string[] = [];
    for (const [name, t] of own) {
      const given = values.get(name);
      if (!given) problems.push(`${name} is missing`);
      else if (given.shape.join() !== t.shape.join()) problems.push(`${name} is [${given.shape}], not [${t.shape}]`);
    }
    for (const name of values.keys()) if (!own.has(name)) problems.push(`${name} is unexpected`);
    if (problems.length > 0) throw new Error(`loadStateDict: ${problems.join('; ')}`);
    for (const [name, t] of own) t.assign(values.get(name)!.data);
  }

  /** Switches this module and all inside to training mode, or to evaluation with `false`. Returns it. */
  train(on = true): this {
    this.training = on;
    for (const [, m] of this.children()) m.train(on);
    return this;
  }

  /** Switches this module and all inside to evaluation mode. Returns it. */
  eval(): this {
    return this.train(false);
  }

  /** Frees all parameters and states, also those of the modules inside. */
  dispose(): void {
    for (const t of this.stateDict().values()) t.dispose();
  }

  #named<T extends Tensor>(prefix: string, is: (v: unknown) => v is T): [string, T][] {
    const own = Object.entries(this).flatMap(([name, v]): [string, T][] => (is(v) ? [[prefix + name, v]] : []));
    const inner = this.children().flatMap(([name, m]) => m.#named(`${prefix}${name}.`, is));
    return [...own, ...inner];
  }
}
