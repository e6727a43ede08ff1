import type { Tensor } from '../../engine/index.ts';
import { Module } from '../module/module.ts';

/** max(x, 0), elementwise; see `relu`. */
export class ReLU extends Module {
  override forward(x: Tensor): Tensor {
    return x.relu();
  }
}

/** x where x > 0, else slope · x, elementwise; see `leakyRelu`. */
export class LeakyReLU extends Module {
  /** The factor of negative values. */
  readonly slope: number;

  /** The slope is 0.01 unless given, as in PyTorch; DCGAN uses 0.2. */
  constructor(slope = 0.01) {
    super();
    this.slope = slope;
  }

  override forward(x: Tensor): Tensor {
    return x.leakyRelu(this.slope);
  }
}

/** The hyperbolic tangent, elementwise: the last layer of generators of images in [-1, 1]. */
export class Tanh extends Module {
  override forward(x: Tensor): Tensor {
    return x.tanh();
  }
}

/** 1 / (1 + e⁻ˣ), elementwise. Losses on logits include it: see `binaryCrossEntropyWithLogits`. */
export class Sigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return x.sigmoid();
  }
}
