import {
  copyFrom,
  dot,
  logicalNot,
  matmul,
  noGrad,
  powerIteration,
  type Rng,
  ShapeError,
  scope,
  type Tensor,
  withDevice,
} from '../../engine/index.ts';
import { calls, checked, checkRange, ranges } from '../../engine/internal.ts';
import { layerGenerator } from '../init.ts';
import { aModule } from '../module/aModule.ts';
import { Module } from '../module/module.ts';
import { Buffer } from '../module/parameter.ts';
import { registerParametrization } from '../module/parametrize.ts';
import type { PyTorchRule } from '../module/pyTorchRule.ts';
import { isTracking } from '../module/tracking.ts';
import { parameterOf, unitAxisOf, type WeightedModule } from './weighted.ts';

/** Options of {@link spectralNorm}. */
export interface SpectralNormOptions {
  /** Steps of power iteration in each forward pass in training mode, 1 or more. Default 1, as in the paper. */
  readonly iterations?: number;
  /** What a vector is divided by if its length is less. Default 1e-12. */
  readonly eps?: number;
  /** The axis of the weight that u lies along; the others are flattened into one. Default: that of the layer's outputs. */
  readonly dim?: number;
  /** The name of the parameter. Default 'weight'. */
  readonly name?: string;
  /** Where the first u comes from; a generator shared by all layers unless given. */
  readonly rng?: Rng;
}

/** Steps with which u and v start, as in PyTorch's newer parametrizations: from then on one a forward pass keeps up. */
const FIRST = 15;

/** w / σ(w), with the singular vectors that estimate σ. */
class SpectralNorm extends Module<[weight: Tensor], Tensor> {
  readonly u: Buffer;
  readonly v: Buffer;
  readonly iterations: number;
  readonly eps: number;
  private readonly dim: number;
  /** The axes of the weight. */
  private readonly axes: readonly number[];

  constructor(weight: Tensor, dim: number, iterations: number, eps: number, rng: Rng) {
    super();
    this.dim = dim;
    this.axes = weight.shape.map((_, i) => i);
    this.iterations = iterations;
    this.eps = eps;
    const { u, v } = scope(() => {
      const m = this.matrix(weight);
      return powerIteration(m, rng.normal([m.shape[1]!]), { iterations: FIRST, eps });
    });
    this.u = new Buffer(u, 'u');
    this.v = new Buffer(v, 'v');
  }

  override forward(weight: Tensor): Tensor {
    const { u, v, iterations, eps } = this;
    return scope(() => {
      const m = this.matrix(weight);
      // Not the buffers themselves: the next forward pass moves them, and the backward pass of this one needs its own.
      const moves = this.training && isTracking();
      const now = noGrad(() => (moves ? powerIteration(m, u, { iterations, eps }) : { u: u.clone(), v: v.clone() }));
      if (moves) {
        noGrad(() => copyFrom(u, now.u));
        noGrad(() => copyFrom(v, now.v));
      }
      const sigma = dot(now.v, matmul(m, now.u));
      // A weight of zeros is divided by 1.
      return weight.div(sigma.add(logicalNot(sigma)));
    });
  }

  override describe(): string {
    return this.iterations === 1 ? '' : `iterations ${this.iterations}`;
  }

  override pyTorchRule(): PyTorchRule {
    return {
      parametrized: {
        original: { suffix: '_orig', newer: 'original', axes: this.axes, keepDims: true },
        u: { suffix: '_u', newer: '0._u', axes: [this.dim] },
        v: { suffix: '_v', newer: '0._v', axes: this.others() },
      },
    };
  }

  /** The axes that v runs over. */
  private others(): number[] {
    return this.axes.filter((i) => i !== this.dim);
  }

  /** The weight with the axis of u last, and the others flattened into one. */
  private matrix(w: Tensor): Tensor {
    const last = this.dim === w.rank - 1 ? w : w.permute([...this.others(), this.dim]);
    return last.reshape([-1, w.shape[this.dim]!]);
  }
}

/**
 * Spectral normalisation (Miyato et al. 2018): the layer's weight is divided by an estimate of its largest singular value,
 * which makes the layer's Lipschitz constant about 1. As torch.nn.utils.spectral_norm: the weight is seen as a
 * matrix, outputs by all the rest; σ = uᵀWv, with u and v from power iteration (Algorithm 1), which goes on from where it was
 * in each forward pass in training mode and stands still in evaluation. u and v count as constants in derivatives of any order. A weight of zeros stays 0, with finite gradients, where
 * PyTorch has NaN.
 *
 * The state has `parametrizations.weight.original`, which is trained, and the buffers `parametrizations.weight.0.u` and `.v`.
 * @param module a layer with a weight: Linear, a convolution or the transpose of one
 * @returns the layer itself, changed
 * @throws Error if the layer has no such parameter; ShapeError if it has fewer than two axes
 * @example
 * const critic = new Sequential(spectralNorm(new Conv2d(3, 64, 4)), new LeakyReLU(0.2));
 */
export function spectralNorm<M extends WeightedModule>(module: M, options: SpectralNormOptions = {}): M {
  calls.checkArguments('spectralNorm', [aModule, calls.maybe(calls.something('options'))], arguments);
  checked('spectralNorm', options, ['iterations', 'eps', 'dim', 'name', 'rng']);
  const { iterations = 1, eps = 1e-12, name = 'weight', rng = layerGenerator() } = options;
  checkRange('spectralNorm', 'iterations', ranges.count, iterations);
  const weight = parameterOf('spectralNorm', module, name);
  if (weight.rank < 2) {
    throw new ShapeError(
      `spectralNorm: ${name} [${weight.shape}] of ${module.constructor.name} must have two axes or more to be a matrix`,
    );
  }
  const dim = unitAxisOf('spectralNorm', module, weight, options.dim);
  const current = () => (module as unknown as Record<string, Tensor>)[name]!;
  const step = withDevice(weight.device, () =>
    scope(() => noGrad(() => new SpectralNorm(current(), dim, iterations, eps, rng))),
  );
  return registerParametrization(module, name, step);
}
