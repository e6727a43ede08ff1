import { matmul, type Rng, ShapeError, scope, type Tensor } from '../../engine/index.ts';
import { calls, checked, ranges } from '../../engine/internal.ts';
import { fanInUniform, layerGenerator } from '../init.ts';
import { guardForward } from '../module/guardForward.ts';
import { Module } from '../module/module.ts';
import { filled, type Initializer, type Parameter } from '../module/parameter.ts';
import { channelsFirst, type PyTorchRule } from '../module/pyTorchRule.ts';

/** Options that layers with weights share. */
export interface WeightOptions {
  /** Add a bias. Default true. */
  readonly bias?: boolean;
  /** Fills the weight; PyTorch's default unless given. */
  readonly init?: Initializer;
  /** Fills the bias; PyTorch's default unless given. */
  readonly initBias?: Initializer;
  /** Where the numbers come from; a generator shared by all layers unless given. */
  readonly rng?: Rng;
}

/** The names of {@link WeightOptions}. @internal */
export const WEIGHT_OPTIONS = ['bias', 'init', 'initBias', 'rng'] as const;

/** y = x·w + b: x [..., in] gives [..., out]. The weight is [in, out], the transpose of PyTorch's. */
export class Linear extends Module {
  /** [in, out]. */
  readonly weight: Parameter;
  /** [out], or undefined without one. */
  readonly bias: Parameter | undefined;
  /** The size of x's last axis. */
  readonly inFeatures: number;
  /** The size of the result's last axis. */
  readonly outFeatures: number;

  /**
   * Makes and fills the weights, on the current device.
   * @param inFeatures the size of x's last axis
   * @param outFeatures the size of the result's last axis
   */
  constructor(inFeatures: number, outFeatures: number, options: WeightOptions = {}) {
    calls.checkArguments(
      'Linear',
      [
        calls.within('inFeatures', ranges.number),
        calls.within('outFeatures', ranges.number),
        calls.maybe(calls.something('options')),
      ],
      arguments,
    );
    super();
    const {
      init = fanInUniform,
      initBias = fanInUniform,
      rng = layerGenerator(),
    } = checked('Linear', options, WEIGHT_OPTIONS);
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    const fans = { fanIn: inFeatures, fanOut: outFeatures };
    this.weight = filled('Linear', 'weight', init, [[inFeatures, outFeatures], fans, rng]);
    this.bias = options.bias === false ? undefined : filled('Linear', 'bias', initBias, [[outFeatures], fans, rng]);
  }

  override pyTorchRule(): PyTorchRule {
    return {
      axes: { weight: channelsFirst(this.weight.rank) },
      features: { weight: { input: 0, output: 1 }, bias: { output: 0 } },
    };
  }

  /** @throws ShapeError unless x is [..., in] */
  override forward(x: Tensor): Tensor {
    const { inFeatures } = this;
    if (x.shape[x.rank - 1] !== inFeatures) {
      throw new ShapeError(`Linear: x [${x.shape}] must have ${inFeatures} features in its last axis`);
    }
    const { weight, bias } = this;
    return bias ? scope(() => matmul(x, weight).add(bias)) : matmul(x, weight);
  }

  override describe(): string {
    return `${this.inFeatures}, ${this.outFeatures}${this.bias ? '' : ', no bias'}`;
  }
}

guardForward(Linear);
