import { lax, nn, numpy as np, vjp } from '@jax-js/jax';
import type { OpName, OpParams } from '../task.ts';

// Functions own their arguments: `x.ref` where an array is used again.

export const pads = (p: number): [number, number][] => [
  [p, p],
  [p, p],
];

/** Images [N,C,H,W], kernels [out,in,KH,KW]. */
export const conv = (x: np.Array, w: np.Array, { stride = 1, padding = 0 }: OpParams): np.Array =>
  lax.convGeneralDilated(x, w, [stride, stride], pads(padding));

export const convTranspose = (y: np.Array, w: np.Array, { stride = 1, padding = 0 }: OpParams): np.Array =>
  lax.convTranspose(y, w, [stride, stride], pads(padding), { transposeKernel: true });

/** Over all axes but the channels': the second of images, the last otherwise. */
export function batchNorm(x: np.Array, gamma: np.Array, beta: np.Array): np.Array {
  const axes = x.ndim === 4 ? [0, 2, 3] : [0];
  const shape = x.shape.map((n, i) => (axes.includes(i) ? 1 : n));
  return normalize(x, axes).mul(gamma.reshape(shape)).add(beta.reshape(shape));
}

function normalize(x: np.Array, axes: number[]): np.Array {
  const centred = x.ref.sub(np.mean(x, axes, { keepdims: true }));
  const variance = np.mean(np.square(centred.ref), axes, { keepdims: true });
  return centred.div(np.sqrt(variance.add(1e-5)));
}

const normalized = (x: np.Array, gamma: np.Array, beta: np.Array): np.Array =>
  nn.leakyRelu(batchNorm(x, gamma, beta), 0.2);

/** The cotangents of `inputs`; under jit, what they do not need is never computed. */
function pullBack(f: (...xs: np.Array[]) => np.Array, inputs: np.Array[], dy: np.Array): np.Array[] {
  const [y, back] = vjp(f, inputs);
  y.dispose();
  const cotangents = back(dy) as np.Array[];
  back.dispose();
  return cotangents;
}

/** Each op as JAX has it; compiled with jit. */
export const jaxjsOps: Readonly<Record<OpName, (inputs: np.Array[], params: OpParams) => np.Array[]>> = {
  matmul: ([a, b]) => [np.matmul(a!, b!)],
  conv2d: ([x, w], p) => [conv(x!, w!, p)],
  convInput: ([y, w], p) => {
    const [n, , c] = [y!.shape[0]!, 0, w!.shape[1]!];
    return pullBack((x, k) => conv(x, k, p), [np.zeros([n, c, ...p.size!]), w!], y!).slice(0, 1);
  },
  convWeight: ([x, y], p) => {
    const zeros = np.zeros([y!.shape[1]!, x!.shape[1]!, ...p.size!]);
    return pullBack((a, k) => conv(a, k, p), [x!, zeros], y!).slice(1);
  },
  convTranspose2d: ([y, w], p) => [convTranspose(y!, w!, p)],
  batchNorm: ([x, gamma, beta]) => [normalized(x!, gamma!, beta!)],
  batchNormGrad: ([x, gamma, beta, dy]) => pullBack((a, b, c) => normalized(a, b, c), [x!, gamma!, beta!], dy!),
  layerNorm: ([x, gamma, beta]) => [normalize(x!, [1]).mul(gamma!).add(beta!)],
  softmax: ([x]) => [nn.softmax(x!, -1)],
  attention: ([q, k, v]) => {
    // nn.dotProductAttention reads einsum's formula with iterator helpers, which Node 20 does not have.
    const scale = 1 / Math.sqrt(q!.shape[1]!);
    const scores = np.matmul(q!, np.transpose(k!)).mul(scale);
    return [np.matmul(nn.softmax(scores, -1), v!)];
  },
  sum: ([x], { axes }) => [np.sum(x!, [...axes!])],
  elementwise: ([x, y]) => [nn.sigmoid(np.tanh(x!.ref.mul(y!.ref).add(x!.ref)).mul(y!).sub(x!))],
};
