import type { Shape, Tensor } from '../../engine/index.ts';
import { Module } from '../module/module.ts';
import type { PyTorchRule } from '../module/pyTorchRule.ts';

/** Modules one after another. */
export class Sequential extends Module {
  /** The modules, in order. */
  readonly layers: readonly Module[];

  /** Takes the modules in order: each gets what the one before it gives. */
  constructor(...layers: Module[]) {
    super();
    this.layers = layers;
  }

  override pyTorchRule(): PyTorchRule {
    return { names: { layers: '' } };
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
  /** The sizes after the batch. */
  readonly shape: Shape;

  /** Takes the sizes after the batch; one may be -1. */
  constructor(shape: Shape) {
    super();
    this.shape = shape;
  }

  override forward(x: Tensor): Tensor {
    return x.reshape([x.shape[0] ?? 1, ...this.shape]);
  }
}
