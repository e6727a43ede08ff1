import { matmul, ShapeError, scope, type Tensor } from '../../engine/index.ts';
import { calls, checked, ranges } from '../../engine/internal.ts';
import { fanInUniform, layerGenerator } from '../init.ts';
import { Module } from '../module/module.ts';
import { filled, type Parameter } from '../module/parameter.ts';
import type { PyTorchRule } from '../module/pyTorchRule.ts';
import { described } from './describe.ts';
import { WEIGHT_OPTIONS, type WeightOptions } from './linear.ts';

/**
 * y_k = x1ᵀ W_k x2 + b_k: x1 [..., in1] and x2 [..., in2], with equal leading axes, give [..., out]. The weight is
 * [in1,in2,out]; PyTorch's has its last axis first.
 */
export class Bilinear extends Module<[x1: Tensor, x2: Tensor]> {
  /** [in1,in2,out]. */
  readonly weight: Parameter;
  /** [out], or undefined without one. */
  readonly bias: Parameter | undefined;

  /**
   * Makes and fills the weights, on the current device.
   * @param in1Features the size of x1's last axis
   * @param in2Features the size of x2's last axis
   * @param outFeatures the size of the result's last axis
   */
  constructor(in1Features: number, in2Features: number, outFeatures: number, options: WeightOptions = {}) {
    calls.checkArguments(
      'Bilinear',
      [
        calls.within('in1Features', ranges.number),
        calls.within('in2Features', ranges.number),
        calls.within('outFeatures', ranges.number),
        calls.maybe(calls.something('options')),
      ],
      arguments,
    );
    super();
    const {
      bias = true,
      init = fanInUniform,
      initBias = fanInUniform,
      rng = layerGenerator(),
    } = checked('Bilinear', options, WEIGHT_OPTIONS);
    const fans = { fanIn: in1Features, fanOut: outFeatures };
    this.weight = filled('Bilinear', 'weight', init, [[in1Features, in2Features, outFeatures], fans, rng]);
    this.bias = bias ? filled('Bilinear', 'bias', initBias, [[outFeatures], fans, rng]) : undefined;
  }

  override pyTorchRule(): PyTorchRule {
    return { axes: { weight: [2, 0, 1] }, features: { weight: { output: 2 }, bias: { output: 0 } } };
  }

  /** @throws ShapeError unless x1 is [..., in1] and x2 [..., in2] */
  override forward(x1: Tensor, x2: Tensor): Tensor {
    const [i, j, k] = this.weight.shape as [number, number, number];
    const lead = x1.shape.slice(0, -1);
    if (x1.shape.at(-1) !== i || x2.shape.at(-1) !== j || x2.shape.slice(0, -1).join() !== lead.join()) {
      throw new ShapeError(
        `Bilinear: x1 [${x1.shape}] and x2 [${x2.shape}] must be [...,${i}] and [...,${j}], with the same leading axes`,
      );
    }
    return scope(() => {
      const products = x1.reshape([...lead, i, 1]).mul(x2.reshape([...lead, 1, j]));
      const y = matmul(products.reshape([...lead, i * j]), this.weight.reshape([i * j, k]));
      return this.bias ? y.add(this.bias) : y;
    });
  }

  override describe(): string {
    const [i, j, k] = this.weight.shape as [number, number, number];
    return described(i, j, k, !this.bias && 'no bias');
  }
}
