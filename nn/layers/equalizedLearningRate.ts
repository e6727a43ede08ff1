import { copyFrom, noGrad, type Rng, scope, type Tensor, withDevice } from '../../engine/index.ts';
import { calls, checked } from '../../engine/internal.ts';
import { layerGenerator } from '../init.ts';
import { aModule } from '../module/aModule.ts';
import { Module } from '../module/module.ts';
import { registerParametrization } from '../module/parametrize.ts';
import { ConvTransposeNd } from './convNd.ts';
import { parameterOf, unitAxisOf, type WeightedModule } from './weighted.ts';

/** Options of {@link equalizedLearningRate}. */
export interface EqualizedLearningRateOptions {
  /** The standard deviation of the outputs for inputs of mean square 1: √2 (the default) before a relu, 1 for a last layer. */
  readonly gain?: number;
  /** The name of the parameter. Default 'weight'. */
  readonly name?: string;
  /** Where the new weights come from; a generator shared by all layers unless given. */
  readonly rng?: Rng;
}

/** c · w. */
class Scaled extends Module<[weight: Tensor], Tensor> {
  readonly factor: number;

  constructor(factor: number) {
    super();
    this.factor = factor;
  }

  override forward(weight: Tensor): Tensor {
    return weight.mul(this.factor);
  }

  override describe(): string {
    return this.factor.toPrecision(4);
  }
}

/**
 * Equalised learning rate (Karras et al. 2018, section 4.1): the layer's weight is drawn anew from N(0, 1) and multiplied, each
 * time it is used, by He's constant gain / √fanIn, so that Adam's steps are as large for every layer, measured by its weights. The
 * inputs of one output are counted, in a transposed convolution without regard to its stride. The bias is left as it is; the
 * paper starts with 0, the option `initBias: init.constant(0)`.
 * @param module a layer with a weight: Linear, a convolution or the transpose of one
 * @returns the layer itself, changed
 * @throws Error if the layer has no such parameter
 */
export function equalizedLearningRate<M extends WeightedModule>(
  module: M,
  options: EqualizedLearningRateOptions = {},
): M {
  calls.checkArguments('equalizedLearningRate', [aModule, calls.maybe(calls.something('options'))], arguments);
  checked('equalizedLearningRate', options, ['gain', 'name', 'rng']);
  const { gain = Math.SQRT2, name = 'weight', rng = layerGenerator() } = options;
  const weight = parameterOf('equalizedLearningRate', module, name);
  const units = weight.shape[unitAxisOf('equalizedLearningRate', module, weight)]!;
  const fanIn = weight.size / units / (module instanceof ConvTransposeNd ? module.groups : 1);
  scope(() => noGrad(() => withDevice(weight.device, () => copyFrom(weight, rng.normal(weight.shape)))));
  return registerParametrization(module, name, new Scaled(gain / Math.sqrt(fanIn)));
}
