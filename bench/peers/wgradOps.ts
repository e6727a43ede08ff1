import * as wg from '../../engine/index.ts';
import type { OpName, OpParams } from '../task.ts';

type Tensor = wg.Tensor;

const geometry = ({ stride = 1, padding = 0 }: OpParams) => ({ stride, padding });
const normalized = ([x, gamma, beta]: readonly Tensor[]): Tensor => wg.batchNorm(x!, gamma!, beta!).y.leakyRelu(0.2);

/** Each op as a user of wgrad writes it. */
export const wgradOps: Readonly<Record<OpName, (inputs: readonly Tensor[], params: OpParams) => Tensor[]>> = {
  matmul: ([a, b]) => [wg.matmul(a!, b!)],
  conv2d: ([x, w], p) => [wg.conv2d(x!, w!, geometry(p))],
  convInput: ([y, w], p) => [wg.convTranspose2d(y!, w!, { ...geometry(p), ...outputPadding(y!, w!, p) })],
  convWeight: ([x, y], p) => [wg.conv2dWeight(x!, y!, p.size!, geometry(p))],
  convTranspose2d: ([y, w], p) => [wg.convTranspose2d(y!, w!, geometry(p))],
  batchNorm: (inputs) => [normalized(inputs)],
  batchNormGrad: ([x, gamma, beta, dy]) => {
    const leaves = [x!, gamma!, beta!].map((t) => t.detach().requireGrad());
    return wg.grad(normalized(leaves), leaves, { gradOutputs: [dy!] });
  },
  layerNorm: ([x, gamma, beta]) => [wg.layerNorm(x!, gamma!, beta!)],
  softmax: ([x]) => [wg.softmax(x!)],
  attention: ([q, k, v]) => [wg.scaledDotProductAttention(q!, k!, v!)],
  sum: ([x], { axes }) => [x!.sum(axes)],
  elementwise: ([x, y]) => [x!.mul(y!).add(x!).tanh().mul(y!).sub(x!).sigmoid()],
};

/** What the transposed convolution must add to reach the size asked for. */
function outputPadding(y: Tensor, w: Tensor, { stride = 1, padding = 0, size }: OpParams) {
  const reached = ([1, 2] as const).map((i) => (y.shape[i]! - 1) * stride - 2 * padding + w.shape[i - 1]!);
  return { outputPadding: [size![0] - reached[0]!, size![1] - reached[1]!] as const };
}
