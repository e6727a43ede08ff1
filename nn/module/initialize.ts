import { copyFrom, noGrad, type Rng, type Shape, scope, withDevice } from '../../engine/index.ts';
import { calls, checked } from '../../engine/internal.ts';
import { fansOf, layerGenerator } from '../init.ts';
import { aModule } from './aModule.ts';
import type { AnyModule } from './anyModule.ts';
import { ownParameters } from './module.ts';
import { type Initializer, initialValues, Parameter } from './parameter.ts';

/** Options of {@link initialize}. */
export interface InitializeOptions {
  /**
   * Which parameters are filled: called with a parameter's own name, such as `weight` or `bias`, and the module that has it.
   * Default: all.
   */
  readonly filter?: (name: string, module: AnyModule, parameter: Parameter) => boolean;
  /** Where the numbers come from; the generator that all layers share unless given. */
  readonly rng?: Rng;
}

/**
 * Fills parameters of a module and of those inside anew, in place, in the order of {@link Module.namedParameters}. Fans are
 * counted from the shape, and those of a vector, such as a bias, from its module's `weight`, as when layers are made. A
 * parameter that is shared is filled once.
 * @returns the dotted names of the parameters that were filled
 * @throws ShapeError if the initialiser gives another shape, or does not fit the parameter
 * @example
 * // As in DCGAN: convolutions N(0, 0.02), batch norm N(1, 0.02), biases 0.
 * const convolution = (m: AnyModule) => m instanceof Conv2d || m instanceof ConvTranspose2d;
 * initialize(model, init.dcgan, { filter: (name, m) => name === 'weight' && convolution(m) });
 * initialize(model, init.normal(0.02, 1), { filter: (name, m) => name === 'weight' && m instanceof BatchNorm2d });
 * initialize(model, init.zeros, { filter: (name, m) => name === 'bias' && m instanceof BatchNorm2d });
 */
export function initialize(module: AnyModule, initializer: Initializer, options: InitializeOptions = {}): string[] {
  calls.checkArguments(
    'initialize',
    [aModule, calls.something('initializer'), calls.maybe(calls.something('options'))],
    arguments,
  );
  const { filter = () => true, rng = layerGenerator() } = checked('initialize', options, ['filter', 'rng']);
  const names = new Map(module.namedParameters().map(([name, p]) => [p, name]));
  const filled = new Set<Parameter>();
  for (const [, m] of module.namedModules()) {
    for (const [name, p] of ownParameters(m)) {
      if (filled.has(p) || !filter(name, m, p)) continue;
      filled.add(p);
      noGrad(() =>
        scope(() => {
          const wanted = [p.shape, fansIn(m, p.shape), rng] as const;
          const values = withDevice(p.device, () =>
            initialValues('initialize', names.get(p)!, initializer, [...wanted]),
          );
          copyFrom(p, values);
        }),
      );
    }
  }
  return [...filled].map((p) => names.get(p)!);
}

/** The fans of a parameter of this shape: from the shape, or from the module's weight; the size of a vector where there is none. */
function fansIn(m: AnyModule, shape: Shape): { fanIn: number; fanOut: number } {
  const { weight } = m as { weight?: unknown };
  const counted = shape.length < 2 && weight instanceof Parameter ? weight.shape : shape;
  const [n = 1] = counted;
  return counted.length < 2 ? { fanIn: n, fanOut: n } : fansOf(counted);
}
