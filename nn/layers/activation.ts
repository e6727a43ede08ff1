import { full, ShapeError, scope, type Tensor } from '../../engine/index.ts';
import { calls, checked, checkedNumber } from '../../engine/internal.ts';
import { guardForward } from '../module/guardForward.ts';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { featureVectors, type PyTorchRule } from '../module/pyTorchRule.ts';
import { described } from './describe.ts';

/** max(x, 0), elementwise; see `relu`. */
export class ReLU extends Module {
  override forward(x: Tensor): Tensor {
    return x.relu();
  }
}

/** min(max(x, 0), 6), elementwise; see `relu6`. */
export class ReLU6 extends Module {
  override forward(x: Tensor): Tensor {
    return x.relu6();
  }
}

/** x where x > 0, else slope · x, elementwise; see `leakyRelu`. */
export class LeakyReLU extends Module {
  /** The factor of negative values. */
  readonly slope: number;

  /** The slope is 0.01 unless given, as in PyTorch; DCGAN uses 0.2. */
  constructor(slope = 0.01) {
    calls.checkArguments('LeakyReLU', [calls.maybe(calls.something('slope'))], arguments);
    super();
    this.slope = checkedNumber('LeakyReLU', 'the slope', slope);
  }

  override forward(x: Tensor): Tensor {
    return x.leakyRelu(this.slope);
  }

  override describe(): string {
    return `slope ${this.slope}`;
  }
}

/**
 * x where x > 0, else weight · x, with a weight that is learned: one for all, or one for each channel, the last axis of
 * [N,...,C] (He et al. 2015; in PyTorch the second axis). See `prelu`.
 */
export class PReLU extends Module {
  /** The slope of negative values, [1] or [C]. */
  readonly weight: Parameter;

  /**
   * Makes the weight on the current device.
   * @param numParameters 1, or the number of channels
   * @param init the weight's first value
   */
  constructor(numParameters = 1, init = 0.25) {
    calls.checkArguments(
      'PReLU',
      [calls.maybe(calls.something('numParameters')), calls.maybe(calls.something('init'))],
      arguments,
    );
    super();
    checkedNumber('PReLU', 'numParameters', numParameters);
    checkedNumber('PReLU', 'init', init);
    this.weight = new Parameter(full([numParameters], init), 'weight');
  }

  override pyTorchRule(): PyTorchRule {
    return this.weight.size === 1 ? {} : { features: featureVectors('weight') };
  }

  /** @throws ShapeError unless there is one weight, or one for each channel */
  override forward(x: Tensor): Tensor {
    const n = this.weight.size;
    if (n !== 1 && x.shape[x.rank - 1] !== n) {
      throw new ShapeError(`PReLU: x [${x.shape}] must have ${n} channels in its last axis, one for each weight`);
    }
    return x.prelu(this.weight);
  }

  override describe(): string {
    return `${this.weight.size}`;
  }
}

/** x where x > 0, else alpha · (eˣ - 1), elementwise; see `elu`. */
export class ELU extends Module {
  /** The limit for small x is -alpha. */
  readonly alpha: number;

  /** Alpha is 1 unless given. */
  constructor(alpha = 1) {
    calls.checkArguments('ELU', [calls.maybe(calls.something('alpha'))], arguments);
    super();
    this.alpha = checkedNumber('ELU', 'alpha', alpha);
  }

  override forward(x: Tensor): Tensor {
    return x.elu(this.alpha);
  }

  override describe(): string {
    return `alpha ${this.alpha}`;
  }
}

/** elu with the constants that keep mean 0 and variance 1 (Klambauer et al. 2017); see `selu`, and {@link AlphaDropout}. */
export class SELU extends Module {
  override forward(x: Tensor): Tensor {
    return x.selu();
  }
}

/** x · Φ(x), Φ being the normal distribution; see `gelu`. */
export class GELU extends Module {
  /** 'none', or 'tanh' for the approximation that GPT-2 uses. */
  readonly approximate: 'none' | 'tanh';

  /** Exact unless told. */
  constructor(options: { readonly approximate?: 'none' | 'tanh' } = {}) {
    calls.checkArguments('GELU', [calls.maybe(calls.something('options'))], arguments);
    super();
    this.approximate = checked('GELU', options, ['approximate']).approximate ?? 'none';
  }

  override forward(x: Tensor): Tensor {
    return x.gelu({ approximate: this.approximate });
  }

  override describe(): string {
    return described(this.approximate !== 'none' && `approximate ${this.approximate}`);
  }
}

/** x · sigmoid(x), also called swish; see `silu`. */
export class SiLU extends Module {
  override forward(x: Tensor): Tensor {
    return x.silu();
  }
}

/** x · tanh(softplus(x)) (Misra 2019). */
export class Mish extends Module {
  override forward(x: Tensor): Tensor {
    return scope(() => x.mul(x.softplus().tanh()));
  }
}

/** log(1 + exp(beta · x)) / beta, and x itself past the threshold; see `softplus`. */
export class Softplus extends Module {
  /** How sharply it bends. */
  readonly beta: number;
  /** The value of beta · x above which the function is x. */
  readonly threshold: number;

  /** Beta is 1 and the threshold 20 unless given. */
  constructor(options: { readonly beta?: number; readonly threshold?: number } = {}) {
    calls.checkArguments('Softplus', [calls.maybe(calls.something('options'))], arguments);
    super();
    const { beta = 1, threshold = 20 } = checked('Softplus', options, ['beta', 'threshold']);
    this.beta = beta;
    this.threshold = threshold;
  }

  override forward(x: Tensor): Tensor {
    return x.softplus({ beta: this.beta, threshold: this.threshold });
  }

  override describe(): string {
    return `beta ${this.beta}, threshold ${this.threshold}`;
  }
}

/** x / (1 + |x|), elementwise. */
export class Softsign extends Module {
  override forward(x: Tensor): Tensor {
    return scope(() => x.div(x.abs().add(1)));
  }
}

/** log(sigmoid(x)) without overflow; see `logSigmoid`. */
export class LogSigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return x.logSigmoid();
  }
}

/** x cut off below `min` and above `max`; see `hardtanh`. */
export class Hardtanh extends Module {
  /** The least value. */
  readonly min: number;
  /** The largest value. */
  readonly max: number;

  /** The bounds are -1 and 1 unless given. @throws RangeError unless min < max */
  constructor(min = -1, max = 1) {
    calls.checkArguments(
      'Hardtanh',
      [calls.maybe(calls.something('min')), calls.maybe(calls.something('max'))],
      arguments,
    );
    super();
    checkedNumber('Hardtanh', 'min', min);
    checkedNumber('Hardtanh', 'max', max);
    if (!(min < max)) throw new RangeError(`Hardtanh: min ${min} must be less than max ${max}`);
    this.min = min;
    this.max = max;
  }

  override forward(x: Tensor): Tensor {
    return x.hardtanh(this.min, this.max);
  }

  override describe(): string {
    return `min ${this.min}, max ${this.max}`;
  }
}

/** min(max(x + 3, 0), 6) / 6: a sigmoid of straight lines, with derivative 0 at its bends (Howard et al. 2019). */
export class Hardsigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return scope(() => x.add(3).relu6().div(6));
  }
}

/** x · min(max(x + 3, 0), 6) / 6 (Howard et al. 2019). The derivative at 3 is 1, that of its right side (PyTorch's is 1.5). */
export class Hardswish extends Module {
  override forward(x: Tensor): Tensor {
    return scope(() => x.mul(x.add(3).relu6()).div(6));
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

guardForward(
  ReLU,
  ReLU6,
  LeakyReLU,
  PReLU,
  ELU,
  SELU,
  GELU,
  SiLU,
  Mish,
  Softplus,
  Softsign,
  LogSigmoid,
  Hardtanh,
  Hardsigmoid,
  Hardswish,
  Tanh,
  Sigmoid,
);
