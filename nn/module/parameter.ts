import { type Generator, keep, type Shape, Tensor } from '../../engine/index.ts';

/** A tensor that training changes. It requires a gradient and lives, outside every scope, until it is disposed of. */
export class Parameter extends Tensor {
  /** Takes over the values of `initial`. */
  constructor(initial: Tensor, label?: string) {
    super(initial.storage.share(), initial.shape, true, label);
    initial.dispose();
    keep(this);
  }
}

/** A tensor that belongs to a module's state but is not trained, such as a running mean: a buffer, in PyTorch's word. */
export class Buffer extends Tensor {
  /** Takes over the values of `initial`. */
  constructor(initial: Tensor, label?: string) {
    super(initial.storage.share(), initial.shape, false, label);
    initial.dispose();
    keep(this);
  }
}

/** The connections of one unit, as PyTorch counts them. */
export interface Fans {
  /** Those that lead into it. */
  readonly fanIn: number;
  /** Those that lead out of it. */
  readonly fanOut: number;
}

/** Makes the values of a new parameter. */
export type Initializer = (shape: Shape, fans: Fans, rng: Generator) => Tensor;
