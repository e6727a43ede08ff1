import { logicalNot, noGrad, norm, scope, type Tensor } from '../../engine/index.ts';
import { calls, checked } from '../../engine/internal.ts';
import { aModule } from '../module/aModule.ts';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { registerParametrization } from '../module/parametrize.ts';
import type { PyTorchRule } from '../module/pyTorchRule.ts';
import { ConvTransposeNd } from './convNd.ts';
import { parameterOf, unitAxisOf, type WeightedModule } from './weighted.ts';

/** Options of {@link weightNorm}. */
export interface WeightNormOptions {
  /**
   * The axis of the weight that keeps a length for each place; null for one length of the whole. Default: that of the layer's
   * outputs, but of a transposed convolution that of its inputs, which is what PyTorch's default comes to.
   */
  readonly dim?: number | null;
  /** The name of the parameter. Default 'weight'. */
  readonly name?: string;
}

/** g · v / |v|, and g · v where v is 0. */
class WeightNorm extends Module<[v: Tensor], Tensor> {
  readonly g: Parameter;
  private readonly dim: number | undefined;
  /** The axes of the weight. */
  private readonly axes: readonly number[];

  constructor(v: Tensor, dim: number | undefined) {
    super();
    this.dim = dim;
    this.axes = v.shape.map((_, i) => i);
    this.g = new Parameter(
      noGrad(() => scope(() => this.lengths(v).reshape(dim === undefined ? [] : [-1]))),
      'g',
    );
  }

  override forward(v: Tensor): Tensor {
    return scope(() => {
      const lengths = this.lengths(v);
      // A unit of zeros is divided by 1.
      return v.mul(this.g.reshape(lengths.shape).div(lengths.add(logicalNot(lengths))));
    });
  }

  override describe(): string {
    return '';
  }

  override pyTorchRule(): PyTorchRule {
    const { dim } = this;
    const length = { suffix: '_g', newer: 'original0' };
    return {
      parametrized: {
        original: { suffix: '_v', newer: 'original1', axes: this.axes, keepDims: true },
        g: dim === undefined ? { ...length, axes: [] } : { ...length, axes: [dim], keepDims: true },
      },
    };
  }

  /** The length of each part, to go with v. */
  private lengths(v: Tensor): Tensor {
    return norm(
      v,
      2,
      this.axes.filter((i) => i !== this.dim),
      { keepDims: true },
    );
  }
}

/**
 * Weight normalisation (Salimans and Kingma 2016, eq. 2): the layer's weight is g · v / |v|, its length and its direction apart.
 * Both are trained; the layer's function is at first what it was. As torch.nn.utils.weight_norm, whose `weight_v` is
 * `parametrizations.weight.original` in the state, and `weight_g` is `parametrizations.weight.0.g`, a vector. A unit whose v is 0
 * has weights of 0 and finite gradients, where PyTorch has NaN.
 * @param module a layer with a weight: Linear, a convolution or the transpose of one
 * @returns the layer itself, changed. An optimizer made before does not know g
 * @throws Error if the layer has no such parameter; ShapeError if it has no such axis
 */
export function weightNorm<M extends WeightedModule>(module: M, options: WeightNormOptions = {}): M {
  calls.checkArguments('weightNorm', [aModule, calls.maybe(calls.something('options'))], arguments);
  const { name = 'weight', dim = module instanceof ConvTransposeNd ? -1 : undefined } = checked('weightNorm', options, [
    'dim',
    'name',
  ]);
  const v = parameterOf('weightNorm', module, name);
  const axis = dim === null ? undefined : unitAxisOf('weightNorm', module, v, dim);
  return registerParametrization(module, name, new WeightNorm(v, axis));
}
