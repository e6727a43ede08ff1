import { checked, noGrad, scope, type Tensor } from '../../engine/index.ts';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { registerParametrization } from '../module/parametrize.ts';
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

/** g · v / |v|. */
class WeightNorm extends Module<[v: Tensor], Tensor> {
  readonly g: Parameter;
  private readonly dim: number | undefined;

  constructor(v: Tensor, dim: number | undefined) {
    super();
    this.dim = dim;
    this.g = new Parameter(
      noGrad(() =>
        scope(() =>
          this.squares(v)
            .sqrt()
            .reshape(dim === undefined ? [] : [-1]),
        ),
      ),
      'g',
    );
  }

  override forward(v: Tensor): Tensor {
    return scope(() => {
      const squares = this.squares(v);
      return v.mul(this.g.reshape(squares.shape).mul(squares.rsqrt()));
    });
  }

  override describe(): string {
    return '';
  }

  /** The squared length of each part, to go with v. */
  private squares(v: Tensor): Tensor {
    const others = v.shape.map((_, i) => i).filter((i) => i !== this.dim);
    return v.square().sum(others, { keepDims: true });
  }
}

/**
 * Weight normalisation (Salimans and Kingma 2016, eq. 2): the layer's weight is g · v / |v|, its length and its direction apart.
 * Both are trained; the layer's function is at first what it was. As torch.nn.utils.weight_norm, whose `weight_v` is
 * `parametrizations.weight.original` in the state, and `weight_g` is `parametrizations.weight.0.g`, a vector.
 * @param module a layer with a weight: Linear, a convolution or the transpose of one
 * @returns the layer itself, changed. An optimizer made before does not know g
 * @throws Error if the layer has no such parameter; ShapeError if it has no such axis
 */
export function weightNorm<M extends WeightedModule>(module: M, options: WeightNormOptions = {}): M {
  const { name = 'weight', dim = module instanceof ConvTransposeNd ? -1 : undefined } = checked('weightNorm', options, [
    'dim',
    'name',
  ]);
  const v = parameterOf('weightNorm', module, name);
  const axis = dim === null ? undefined : unitAxisOf('weightNorm', module, v, dim);
  return registerParametrization(module, name, new WeightNorm(v, axis));
}
