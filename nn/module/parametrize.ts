/** Parametrisations: a layer's weight as a function of the parameter that is trained. */

import { copyFrom, noGrad, ShapeError, scope, type Tensor } from '../../engine/index.ts';
import { calls, checked } from '../../engine/internal.ts';
import { aModule } from './aModule.ts';
import { type AnyModule, Module } from './module.ts';
import { Parameter } from './parameter.ts';
import { withoutTracking } from './tracking.ts';

/** A function of a weight, with state of its own if it likes, that gives another tensor of the same shape. */
export type Parametrization = Module<[weight: Tensor], Tensor>;

type Fields = Record<string, unknown>;

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
    (this as unknown as Fields)[this.steps.length] = step;
  }

  override forward(): Tensor {
    return this.steps.reduce((w: Tensor, step) => step.forward(w), this.original);
  }
}

/** A layer's parametrised tensors by name. */
class Parametrizations extends Module<[name: string], Tensor> {
  of(name: string): ParametrizedTensor | undefined {
    const found = Object.hasOwn(this, name) ? (this as unknown as Fields)[name] : undefined;
    return found instanceof ParametrizedTensor ? found : undefined;
  }

  override forward(name: string): Tensor {
    return this.of(name)!.forward();
  }
}

const FIELD = 'parametrizations';

/** The module in a layer that holds its parametrisations, if it has any. @internal */
export function parametrizationsOf(m: AnyModule): Parametrizations | undefined {
  const found = (m as unknown as Fields)[FIELD];
  return found instanceof Parametrizations ? found : undefined;
}

/** Tensors of layers whose `forward` is under way: each is made once a call. */
const underWay = new WeakMap<ParametrizedTensor, Tensor>();

/** The class behind each class that `classFor` made, and its name. */
const made = new WeakMap<object, { readonly behind: object; readonly name: string }>();
const known = new WeakMap<object, Map<string, object>>();

/**
 * The class of a layer with one of its tensors parametrised, as a prototype: reading the tensor gives what the parametrisation
 * makes, and `forward` makes it once. A class rather than a hook, so that copies of the layer have it too.
 */
function classFor(behind: object, name: string): object {
  const before = known.get(behind)?.get(name);
  if (before) return before;
  const { forward } = behind as { forward: (...inputs: unknown[]) => unknown };
  const prototype = Object.create(behind, {
    [name]: {
      configurable: true,
      get(this: AnyModule) {
        const p = parametrizationsOf(this)!.of(name)!;
        // Only a forward pass moves what a parametrisation keeps.
        return underWay.get(p) ?? withoutTracking(() => p.forward());
      },
    },
    forward: {
      configurable: true,
      writable: true,
      value(this: AnyModule, ...inputs: unknown[]) {
        const p = parametrizationsOf(this)!.of(name)!;
        const outer = underWay.get(p);
        return scope(() => {
          underWay.set(p, p.forward());
          try {
            return Reflect.apply(forward, this, inputs);
          } finally {
            if (outer) underWay.set(p, outer);
            else underWay.delete(p);
          }
        });
      },
    },
  }) as object;
  made.set(prototype, { behind, name });
  known.set(behind, (known.get(behind) ?? new Map<string, object>()).set(name, prototype));
  return prototype;
}

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
  const fields = module as unknown as Fields;
  const all = parametrizationsOf(module);
  const tensor = all?.of(name);
  const original = tensor?.original ?? fields[name];
  if (!(original instanceof Parameter)) {
    const own = Object.entries(fields).flatMap(([key, v]) => (v instanceof Parameter ? [key] : []));
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
  (holder as unknown as Fields)[name] = first;
  holder.train(module.training);
  fields[FIELD] = holder;
  delete fields[name];
  Object.setPrototypeOf(module, classFor(Object.getPrototypeOf(module) as object, name));
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
  const fields = module as unknown as Fields;
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
  delete (all as unknown as Fields)[name];
  if (all.children().length === 0) delete fields[FIELD];
  const others: string[] = [];
  let prototype = Object.getPrototypeOf(module) as object;
  for (let own = made.get(prototype); own; own = made.get(prototype)) {
    if (own.name !== name) others.unshift(own.name);
    prototype = own.behind;
  }
  Object.setPrototypeOf(module, others.reduce(classFor, prototype));
  fields[name] = original;
  return module;
}
