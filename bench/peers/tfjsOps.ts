import * as tf from '@tensorflow/tfjs-core';
import type { OpName, OpParams } from '../task.ts';

type Tensor = tf.Tensor;
type Padding = [[number, number], [number, number], [number, number], [number, number]];

/** Explicit padding, for NHWC. */
export const padding = (p: number): Padding => [
  [0, 0],
  [p, p],
  [p, p],
  [0, 0],
];

export const leakyRelu = (x: Tensor): Tensor => tf.leakyRelu(x, 0.2);

/** In training, as tfjs-layers does it: moments, then tf.batchNorm. */
export function batchNorm(x: Tensor, gamma: Tensor, beta: Tensor): Tensor {
  const { mean, variance } = tf.moments(
    x,
    x.shape.slice(0, -1).map((_, i) => i),
  );
  return tf.batchNorm(x, mean as tf.Tensor1D, variance as tf.Tensor1D, beta as tf.Tensor1D, gamma as tf.Tensor1D, 1e-5);
}

/** The kernel that tf.grad would run, without the forward pass in front of it. */
function weightGradient(
  x: Tensor,
  dy: Tensor,
  filterShape: number[],
  { stride = 1, padding: p = 0 }: OpParams,
): Tensor {
  return tf
    .engine()
    .runKernel(
      tf.Conv2DBackpropFilter,
      { x, dy },
      { strides: [stride, stride], pad: padding(p), dataFormat: 'NHWC', dimRoundingMode: null as never, filterShape },
    );
}

const transposed = (y: Tensor, w: Tensor, [h, wide]: readonly number[], { stride = 1, padding: p = 0 }: OpParams) =>
  tf.conv2dTranspose(
    y as tf.Tensor4D,
    w as tf.Tensor4D,
    [y.shape[0], h!, wide!, w.shape[2]!],
    stride,
    padding(p) as never,
  );

/** Each op as tfjs's documentation has it; called inside tf.tidy. */
export const tfjsOps: Readonly<Record<OpName, (inputs: readonly Tensor[], params: OpParams) => Tensor[]>> = {
  matmul: ([a, b]) => [tf.matMul(a!, b!)],
  conv2d: ([x, w], { stride = 1, padding: p = 0 }) => [
    tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, padding(p)),
  ],
  convInput: ([y, w], p) => [transposed(y!, w!, p.size!, p)],
  convWeight: ([x, y], p) => [weightGradient(x!, y!, [...p.size!, x!.shape[3]!, y!.shape[3]!], p)],
  convTranspose2d: ([y, w], p) => {
    const size = [1, 2].map((i) => (y!.shape[i]! - 1) * p.stride! - 2 * p.padding! + w!.shape[i - 1]!);
    return [transposed(y!, w!, size, p)];
  },
  batchNorm: ([x, gamma, beta]) => [leakyRelu(batchNorm(x!, gamma!, beta!))],
  batchNormGrad: ([x, gamma, beta, dy]) =>
    tf.grads((a: Tensor, b: Tensor, c: Tensor) => leakyRelu(batchNorm(a, b, c)))([x!, gamma!, beta!], dy!),
  layerNorm: ([x, gamma, beta]) => {
    const { mean, variance } = tf.moments(x!, -1, true);
    const xhat = tf.mul(tf.sub(x!, mean), tf.rsqrt(tf.add(variance, 1e-5)));
    return [tf.add(tf.mul(xhat, gamma!), beta!)];
  },
  softmax: ([x]) => [tf.softmax(x!)],
  attention: ([q, k, v]) => {
    const scores = tf.mul(tf.matMul(q!, k!, false, true), 1 / Math.sqrt(q!.shape[1]!));
    return [tf.matMul(tf.softmax(scores), v!)];
  },
  sum: ([x], { axes }) => [tf.sum(x!, [...axes!])],
  elementwise: ([x, y]) => [tf.sigmoid(tf.sub(tf.mul(tf.tanh(tf.add(tf.mul(x!, y!), x!)), y!), x!))],
};
