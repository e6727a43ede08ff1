/** Parametrisations: a layer's weight as a function of the parameter that is trained. */

import { copyFrom, noGrad, ShapeError, scope, type Tensor } from '../../engine/index.ts';
import { calls, checked } from '../../engine/internal.ts';
import { aModule } from './aModule.ts';
import type { AnyModule } from './anyModule.ts';
import { type Around, setAround } from './callStep.ts';
import { put } from './contents.ts';
import { Module } from './module.ts';
import { Parameter } from './parameter.ts';
import { withoutTracking } from './tracking.ts';

/** A function of a weight, with state of its own if it likes, that gives another tensor of the same shape. */
export type Parametrization = Module<[weight: Tensor], Tensor>;

/** The parameter behind a tensor of a layer, and the functions through which it goes, as fields `0`, `1`, ... */
class ParametrizedTensor extends Module<[], Tensor> {
  readonly original: Parameter;

  constructor(original: Parameter) {
    super();
    this.original = original;
  }

  get steps(): Parametrization[] {
    return this.children().map(([, step]) => step as Parametrization);
  }

  add(step: Parametrization): void {
    put(this, this.steps.length, step);
  }

  override forward(): Tensor {
    return this.steps.reduce((w: Tensor, step) => step.forward(w), this.original);
  }
}

/** A layer's parametrised tensors by name. */
class Parametrizations extends Module<[name: string], Tensor> {
  of(name: string): ParametrizedTensor | undefined {
    return this.tensors().find(([own]) => own === name)?.[1];
  }

  tensors(): [name: string, ParametrizedTensor][] {
    return Object.entries(this).filter((e): e is [string, ParametrizedTensor] => e[1] instanceof ParametrizedTensor);
  }

  override forward(name: string): Tensor {
    return this.of(name)!.forward();
  }
}

const FIELD = 'parametrizations';

/** The module in a layer that holds its parametrisations, if it has any. @internal */
export function parametrizationsOf(m: AnyModule): Parametrizations | undefined {
  const found: unknown = Reflect.get(m, FIELD);
  return found instanceof Parametrizations ? found : undefined;
}

/** Tensors of layers whose `forward` is under way: each is made once a call. */
const underWay = new WeakMap<ParametrizedTensor, Tensor | undefined>();

/** Reading a parametrised tensor gives what its functions make, and `forward` makes it once. */
const parametrized: Around = {
  run: (m, forward) =>
    scope(() => {
      const outer = parametrizationsOf(m)!
        .tensors()
        .map(([, t]) => [t, underWay.get(t)] as const);
      try {
        for (const [t] of outer) underWay.set(t, t.forward());
        return forward();
      } finally {
        for (const [t, made] of outer) underWay.set(t, made);
      }
    }),
  attach(m) {
    setAround(m, parametrized);
    for (const [name] of parametrizationsOf(m)!.tensors()) {
      const get = (): Tensor => {
        const t = parametrizationsOf(m)!.of(name)!;
        // Only a forward pass moves what a parametrisation keeps.
        return underWay.get(t) ?? withoutTracking(() => t.forward());
      };
      Object.defineProperty(m, name, { get, configurable: true, enumerable: false });
    }
  },
};

/**
 * Puts a function between a parameter of a module and the `forward` that uses it, as
 * torch.nn.utils.parametrize.register_parametrization: `module[name]` is from then on what `parametrization` makes of the
 * parameter, worked out once for each forward pass, and `parametrizations.<name>.original` in the state is what is trained. It is
 * the same Parameter as before, so an optimizer that has it keeps it. Several go one after the other, with state
 * `parametrizations.<name>.0`, `.1`, ...
 * @param name of a field that holds a parameter
 * @returns the module itself, changed
 * @throws Error if there is no such parameter
 * @throws ShapeError if the function gives another shape
 * @example
 * class Symmetric extends Module {
 *   override forward(w: Tensor): Tensor {
 *     return w.triu().add(w.triu(1).transpose());
 *   }
 * }
 * const layer = registerParametrization(new Linear(8, 8), 'weight', new Symmetric());
 */
export function registerParametrization<M extends AnyModule>(
  module: M,
  name: string,
  parametrization: Parametrization,
): M {
  calls.checkArguments(
    'registerParametrization',
    [aModule, calls.aString('name'), calls.something('parametrization')],
    arguments,
  );
  const all = parametrizationsOf(module);
  const tensor = all?.of(name);
  const original: unknown = tensor?.original ?? Reflect.get(module, name);
  if (!(original instanceof Parameter)) {
    const own = Object.entries(module).flatMap(([key, v]) => (v instanceof Parameter ? [key] : []));
    throw new Error(
      `registerParametrization: ${module.constructor.name} has no parameter ${name}; it has ${own.join(', ') || 'none'}`,
    );
  }
  parametrization.train(module.training);
  scope(() => {
    const given = noGrad(() => withoutTracking(() => parametrization.forward(tensor?.forward() ?? original)));
    if (given.shape.join() === original.shape.join()) return;
    throw new ShapeError(
      `registerParametrization: ${parametrization.constructor.name} makes [${given.shape}] of ${name} [${original.shape}]; it must keep the shape`,
    );
  });
  if (tensor) {
    tensor.add(parametrization);
    return module;
  }
  const first = new ParametrizedTensor(original);
  first.add(parametrization);
  const holder = all ?? new Parametrizations();
  put(holder, name, first);
  holder.train(module.training);
  put(module, FIELD, holder);
  parametrized.attach(module);
  return module;
}

/** Whether a module has parametrised tensors, or one of that name. */
export const isParametrized = (module: AnyModule, name?: string): boolean => {
  const all = parametrizationsOf(module);
  return name === undefined ? all !== undefined : all?.of(name) !== undefined;
};

/**
 * Takes a parametrisation away again, as torch.nn.utils.parametrize.remove_parametrizations: for networks whose training is
 * over. What the parametrisation kept is freed.
 * @param name as it was registered; 'weight' unless given
 * @param options with `leaveParametrized: false` the parameter keeps the values that were trained; otherwise it takes those that
 * `forward` used
 * @returns the module itself, changed
 * @throws Error if it is not parametrised
 */
export function removeParametrizations<M extends AnyModule>(
  module: M,
  name = 'weight',
  options: { readonly leaveParametrized?: boolean } = {},
): M {
  calls.checkArguments(
    'removeParametrizations',
    [aModule, calls.maybe(calls.something('name')), calls.maybe(calls.something('options'))],
    arguments,
  );
  const { leaveParametrized = true } = checked('removeParametrizations', options, ['leaveParametrized']);
  const all = parametrizationsOf(module);
  const tensor = all?.of(name);
  if (!all || !tensor) throw new Error(`removeParametrizations: ${name} of ${module.constructor.name} has none`);
  const { original } = tensor;
  if (leaveParametrized)
    scope(() =>
      noGrad(() =>
        copyFrom(
          original,
          withoutTracking(() => tensor.forward()),
        ),
      ),
    );
  for (const step of tensor.steps) step.dispose();
  Reflect.deleteProperty(all, name);
  Reflect.deleteProperty(module, name);
  put(module, name, original);
  if (all.tensors().length > 0) return module;
  Reflect.deleteProperty(module, FIELD);
  setAround(module, undefined);
  return module;
}
