import type { Shape, Tensor } from '../engine/index.ts';
import { Module } from './module.ts';

/** Modules one after another. */
export class Sequential extends Module {
  readonly layers: readonly Module[];

  constructor(...layers: Module[]) {
    super();
    this.layers = layers;
  }

  override forward(x: Tensor): Tensor {
    return this.layers.reduce((h, layer) => layer.forward(h), x);
  }
}

/** [N, ...] to [N, everything else]. */
export class Flatten extends Module {
  override forward(x: Tensor): Tensor {
    return x.reshape([x.shape[0] ?? 1, -1]);
  }
}

/** [N, ...] to [N, ...shape]. */
export class Reshape extends Module {
  readonly shape: Shape;

  constructor(shape: Shape) {
    super();
    this.shape = shape;
  }

  override forward(x: Tensor): Tensor {
    return x.reshape([x.shape[0] ?? 1, ...this.shape]);
  }
}
