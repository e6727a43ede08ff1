/** What parametrisations need to know of a layer's weight. */
import { ShapeError, type Tensor } from '../../engine/index.ts';
import type { AnyModule } from '../module/anyModule.ts';
import { Parameter } from '../module/parameter.ts';
import { parametrizationsOf } from '../module/parametrize.ts';

/** A layer with a weight. */
export interface WeightedModule extends AnyModule {
  /** The weight. */
  readonly weight?: Tensor | undefined;
  /** The axis of the weight along which the layer's outputs lie; the last unless the layer says so. */
  readonly unitAxis?: number;
}

/** The parameter of that name, or the one behind it. @throws Error if there is none */
export function parameterOf(op: string, module: AnyModule, name: string): Parameter {
  const found = parametrizationsOf(module)?.of(name)?.original ?? (module as unknown as Record<string, unknown>)[name];
  if (found instanceof Parameter) return found;
  const own = module.namedParameters().map(([key]) => key);
  throw new Error(`${op}: ${module.constructor.name} has no parameter ${name}; it has ${own.join(', ') || 'none'}`);
}

/** An axis of the weight, counted from its start: `dim`, or that of the outputs. @throws ShapeError if there is none */
export function unitAxisOf(op: string, module: WeightedModule, weight: Tensor, dim = module.unitAxis ?? -1): number {
  const axis = dim < 0 ? dim + weight.rank : dim;
  if (Number.isInteger(axis) && axis >= 0 && axis < weight.rank) return axis;
  throw new ShapeError(`${op}: dim ${dim} is no axis of [${weight.shape}]; give one from 0 to ${weight.rank - 1}`);
}
