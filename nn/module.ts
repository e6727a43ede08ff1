import { type Generator, keep, type Shape, Tensor } from '../engine/index.ts';

/** A tensor that training changes. It requires a gradient and lives until it is disposed of. */
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
  constructor(initial: Tensor, label?: string) {
    super(initial.storage.share(), initial.shape, false, label);
    initial.dispose();
    keep(this);
  }
}

/** Fills a new parameter. `fanIn` and `fanOut` count the connections of one unit, as in PyTorch. */
export type Initializer = (shape: Shape, fans: { fanIn: number; fanOut: number }, rng: Generator) => Tensor;

/**
 * A function with parameters. Fields that hold a Parameter, a State, a Module or an array of Modules are found by name,
 * so a layer of one's own is a class with fields and a `forward`.
 */
export abstract class Module {
  /** Whether layers such as batch norm behave as in training. Set by `train` and `eval`. */
  training = true;

  abstract forward(...inputs: Tensor[]): Tensor;

  /** The modules directly inside, by field name; members of an array are `name.0`, `name.1`, ... */
  children(): [string, Module][] {
    return Object.entries(this).flatMap(([name, value]): [string, Module][] => {
      if (value instanceof Module) return [[name, value]];
      if (!Array.isArray(value)) return [];
      return value.flatMap((v, i): [string, Module][] => (v instanceof Module ? [[`${name}.${i}`, v]] : []));
    });
  }

  /** Parameters by dotted name, in the order of their fields. */
  namedParameters(prefix = ''): [string, Parameter][] {
    return this.#named(prefix, (v): v is Parameter => v instanceof Parameter);
  }

  parameters(): Parameter[] {
    return this.namedParameters().map(([, p]) => p);
  }

  /** States (buffers, in PyTorch's words) by dotted name. */
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

  /** Switches this module and all inside to training mode. */
  train(on = true): this {
    this.training = on;
    for (const [, m] of this.children()) m.train(on);
    return this;
  }

  /** Switches to evaluation mode. */
  eval(): this {
    return this.train(false);
  }

  /** Frees all parameters and states. */
  dispose(): void {
    for (const t of this.stateDict().values()) t.dispose();
  }

  #named<T extends Tensor>(prefix: string, is: (v: unknown) => v is T): [string, T][] {
    const own = Object.entries(this).flatMap(([name, v]): [string, T][] => (is(v) ? [[prefix + name, v]] : []));
    const inner = this.children().flatMap(([name, m]) => m.#named(`${prefix}${name}.`, is));
    return [...own, ...inner];
  }
}
