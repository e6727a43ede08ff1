import { keep, type Rng, type Shape, ShapeError, Tensor } from '../../engine/index.ts';
import { shown } from '../../engine/internal.ts';

function needTensor(owner: string, initial: unknown): Tensor {
  if (initial instanceof Tensor) return initial;
  throw new TypeError(`${owner}: takes over the values of a tensor, as in tensor([1, 2]), not ${shown(initial)}`);
}

/** A tensor that training changes. It requires a gradient and lives, outside every scope, until it is disposed of. */
export class Parameter extends Tensor {
  /** Takes over the values of `initial`. */
  constructor(initial: Tensor, label?: string) {
    super(needTensor(new.target.name, initial).storage.share(), initial.shape, true, label);
    initial.dispose();
    keep(this);
  }
}

/** A tensor that belongs to a module's state but is not trained, such as a running mean: a buffer, in PyTorch's word. */
export class Buffer extends Tensor {
  /** Takes over the values of `initial`. */
  constructor(initial: Tensor, label?: string) {
    super(needTensor(new.target.name, initial).storage.share(), initial.shape, false, label);
    initial.dispose();
    keep(this);
  }
}

/** The connections of one unit, as PyTorch counts them. */
export interface Fans {
  /** How many connections lead into an output. */
  readonly fanIn: number;
  /** How many connections lead out of an input. */
  readonly fanOut: number;
}

/** Makes the values of a new parameter. */
export type Initializer = (shape: Shape, fans: Fans, rng: Rng) => Tensor;

/**
 * The values that an initialiser makes for a parameter.
 * @param owner the layer or function that asks, for messages
 * @param name the parameter's, for messages
 * @throws TypeError if it is no initialiser, such as `init.xavierUniform` for `init.xavierUniform()`; ShapeError if it gives
 * another shape
 * @internal
 */
export function initialValues(
  owner: string,
  name: string,
  initializer: Initializer,
  [shape, fans, rng]: Parameters<Initializer>,
): Tensor {
  if (typeof initializer !== 'function') {
    throw new TypeError(
      `${owner}: ${name} is filled by an initialiser, as in init.normal(0.02), not ${shown(initializer)}`,
    );
  }
  const values: unknown = initializer(shape, fans, rng);
  if (!(values instanceof Tensor)) {
    const remedy =
      typeof values === 'function'
        ? `${initializer.name || 'it'} makes an initialiser; call it: ${initializer.name || 'init'}()`
        : 'an initialiser returns a tensor';
    throw new TypeError(`${owner}: the initialiser ${initializer.name} gave ${shown(values)} for ${name}; ${remedy}`);
  }
  if (values.shape.join() !== shape.join()) {
    throw new ShapeError(`${owner}: the initialiser gave [${values.shape}] for ${name} [${shape}]`);
  }
  return values;
}

/** The parameter that an initialiser makes; as {@link initialValues}, with the parameter's name for its label. @internal */
export const filled = (owner: string, name: string, init: Initializer, of: Parameters<Initializer>): Parameter =>
  new Parameter(initialValues(owner, name, init, of), name);
