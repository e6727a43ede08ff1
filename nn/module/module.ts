import { noGrad, type Tensor } from '../../engine/index.ts';
import { calls, checked, decided, noteDecision, shown } from '../../engine/internal.ts';
import type { AnyModule } from './anyModule.ts';
import { type ForwardHook, type ForwardPreHook, hookForward, hookInputs, needFunction } from './callStep.ts';
import { type Contents, contentsOf, refuseHidden } from './contents.ts';
import { copyOf, refuseShared } from './copy.ts';
import { Buffer, Parameter } from './parameter.ts';
import type { PyTorchRule } from './pyTorchRule.ts';
import { compareState, overwriting, refuseDifferences, type StateValue, stateMap } from './state.ts';

/**
 * A function with parameters. A Parameter, a Buffer or a Module in a field is found by the field's name, and in arrays, plain
 * objects and Maps with text as keys, nested as one likes, by dotted names (`blocks.0.1`, `heads.small`), so a layer of one's
 * own is a class with fields and a `forward`. Elsewhere, such as in a Set or inside an object of another class, it would have no
 * name: that is a TypeError once the module is asked for its parameters, its state or its modules. Fields must not be `#private`
 * (TypeScript's `private` is fine): what they hold is neither found nor copied.
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
  private isTraining = true;

  /** A class without a constructor of its own passes on all arguments, which nobody would look at: `new ReLU(true)`. */
  constructor() {
    if (arguments.length > 0) calls.checkArguments(new.target.name.replace(/^_/, ''), [], arguments);
  }

  /**
   * Whether layers such as batch norm behave as in training. Set by `train` and `eval`; a compiled step that read it notices when
   * it is another, and records again.
   */
  get training(): boolean {
    return decided(this, () => this.isTraining);
  }

  set training(on: boolean) {
    noteDecision(this, () => {
      this.isTraining = on;
    });
  }

  /** The function itself. Layers keep the first axis, the batch. */
  abstract forward(...inputs: In): Out;

  /** The modules directly inside, by field name; members of an array are `name.0`, `name.1`, ..., others `name.key`. */
  children(): [string, AnyModule][] {
    return childrenIn(contents(this));
  }

  /**
   * This module (named '') and all inside, by dotted name, each once, a module before those inside it.
   * @throws TypeError naming the field of a module, parameter or buffer that cannot be named, or of a module inside itself
   */
  namedModules(): [string, AnyModule][] {
    return [...insideOf(this)].map(([m, { name }]) => [name, m]);
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
   * @param options with `strict: false`, names that only one side has are left alone, and returned; one name at least must fit
   * @returns the names that were missing from `values` and those that were unexpected: none in strict mode
   * @throws Error naming what is missing, unexpected, or of another shape; nothing is changed then
   */
  loadStateDict(
    values: ReadonlyMap<string, StateValue>,
    options: { readonly strict?: boolean } = {},
  ): {
    /** Names of the module that `values` did not have. */
    missing: string[];
    /** Names in `values` that the module does not have. */
    unexpected: string[];
  } {
    stateMap('', values);
    checked('loadStateDict', options, ['strict']);
    const { strict = true } = options;
    const own = this.stateDict();
    const { missing, unexpected, problems } = compareState(own, values);
    const isStranger = missing.length === own.size && own.size > 0 && values.size > 0;
    refuseDifferences(
      strict || isStranger ? { missing, unexpected, problems } : { missing: [], unexpected: [], problems },
      values,
    );
    const writes = [...own].flatMap(([name, t]) => {
      const given = values.get(name);
      return given ? [overwriting(name, t, given)] : [];
    });
    for (const write of writes) write();
    return { missing, unexpected };
  }

  /** Calls `fn` with every module inside, innermost first, then with this one. Returns this one. */
  apply(fn: (module: AnyModule) => void): this {
    needFunction('apply', fn);
    const inside = insideOf(this);
    const seen = new Set<AnyModule>();
    const visit = (m: AnyModule): void => {
      if (seen.has(m)) return;
      seen.add(m);
      for (const [, inner] of childrenIn(inside.get(m)!.contents)) visit(inner);
      fn(m);
    };
    visit(this);
    return this;
  }

  /** Switches this module and all inside to training mode, or to evaluation with `false`. Returns it. */
  train(on = true): this {
    needFlag('train', on);
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
    needFlag('requireGrad', on);
    for (const p of this.parameters()) p.requireGrad(on);
    return this;
  }

  /** Frees and forgets the gradient in `.grad` of each parameter, which `backward` put there: PyTorch's `zero_grad`. */
  zeroGrad(): void {
    calls.checkArguments('zeroGrad', [], arguments);
    for (const p of this.parameters()) p.zeroGrad();
  }

  /**
   * Calls `hook` after each `forward` of this module: to look at activations, or to change them.
   * @returns a function that removes the hook
   * @example
   * const remove = model.layers[0]!.registerForwardHook((_, __, y) => console.log(y.shape));
   */
  registerForwardHook(hook: ForwardHook<In, Out>): () => void {
    return hookForward(this, hook);
  }

  /** Calls `hook` before each `forward` of this module, as {@link registerForwardHook} after it. */
  registerForwardPreHook(hook: ForwardPreHook<In>): () => void {
    return hookInputs(this, hook);
  }

  /**
   * A deep copy with parameters and buffers of its own, such as the network that an average of weights is sampled with.
   * What is shared inside stays shared, arrays, plain objects and Maps that hold parts too. Hooks are not copied.
   * @throws TypeError for a part inside a Set or an object of another class: the copy would use this module's
   */
  copy(): this {
    for (const { name, contents } of insideOf(this).values()) refuseShared(this, name, contents);
    return noGrad(() => copyOf(this, contents));
  }

  /** Frees all parameters and buffers, also those of the modules inside, and the gradients that `backward` left in them. */
  dispose(): void {
    for (const t of this.stateDict().values()) {
      t.zeroGrad();
      t.dispose();
    }
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
    const found = new Map<object, [string, T]>();
    for (const { name, contents } of insideOf(this).values()) {
      for (const { path, part, value } of contents.held) {
        if (is(part) && !found.has(part)) found.set(part, [name ? `${name}.${path}` : path, value as T]);
      }
    }
    return [...found.values()];
  }
}

const isModule = (v: unknown): v is AnyModule => v instanceof Module;

/** What a module holds itself. @internal */
export const contents = (m: AnyModule): Contents => contentsOf(m, isModule);

const childrenIn = ({ held }: Contents): [string, AnyModule][] =>
  held.flatMap(({ path, value }): [string, AnyModule][] => (isModule(value) ? [[path, value]] : []));

/**
 * A module and all inside, each once, a module before those inside it, with their dotted names and what they hold.
 * @throws TypeError naming the field of what cannot be named, or of a module inside itself
 * @internal
 */
export function insideOf(outermost: AnyModule): Map<AnyModule, { readonly name: string; readonly contents: Contents }> {
  const found = new Map<AnyModule, { readonly name: string; readonly contents: Contents }>();
  const walk = (name: string, m: AnyModule, within: readonly AnyModule[]): void => {
    if (within.includes(m)) {
      throw new TypeError(
        `${outermost.constructor.name}: ${name} is a module that it is inside of; hold the outer one as a function that returns it`,
      );
    }
    if (found.has(m)) return;
    const own = contents(m);
    found.set(m, { name, contents: own });
    for (const [child, inner] of childrenIn(own)) walk(name ? `${name}.${child}` : child, inner, [...within, m]);
  };
  walk('', outermost, []);
  refuseHidden(
    outermost,
    [...found.values()].map((i) => [i.name, i.contents]),
  );
  return found;
}

/** The parameters of a module without those of the modules inside, by field name. @internal */
export const ownParameters = (m: AnyModule): [string, Parameter][] =>
  contents(m).held.flatMap(({ path, part, value }): [string, Parameter][] =>
    part instanceof Parameter ? [[path, value as Parameter]] : [],
  );

/** The text 'false' would count as true. */
function needFlag(op: string, on: unknown): void {
  if (typeof on !== 'boolean') throw new TypeError(`${op}: takes true or false, not ${shown(on)}`);
}
