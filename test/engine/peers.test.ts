/**
 * What cannot be trained elsewhere in JavaScript: gradient penalties and Hessian products through every kind of op that
 * throws in tfjs 4.22, and an unrolled GAN. Checked against central differences in float64.
 */
import { suite } from 'uvu';
import * as wg from '../../engine/index.ts';
import { grad, gradcheck, init, type Tensor, tensor } from '../../engine/index.ts';
import { critic, criticBatch, criticParameters } from '../support/critic.ts';
import { valuesFor } from '../support/values.ts';

const test = suite('peers');
await init({ adapter: 'reference' });

type Op = (h: Tensor) => Tensor;
const draw = (shape: readonly number[], seed: number): Tensor =>
  tensor(valuesFor({ shape, from: -1.3, to: 1.4 }, seed), { shape });
const index = tensor([2, 0, 1, 1], { shape: [1, 2, 2, 1] });

/** Each op between two products with the parameters, on images [1,4,4,2] unless it says otherwise. */
const OPS: Readonly<Record<string, Op>> = {
  leakyRelu: (h) => h.leakyRelu(0.2),
  selu: (h) => wg.selu(h),
  elu: (h) => wg.elu(h),
  relu6: (h) => wg.relu6(h.mul(4)),
  prelu: (h) => wg.prelu(h, tensor([0.1, 0.3])),
  maxPool2d: (h) => wg.maxPool2d(h, 2),
  avgPool2d: (h) => wg.avgPool2d(h, 2),
  resizeNearest: (h) => wg.resizeNearest(h, { size: [8, 6] }),
  resizeBilinear: (h) => wg.resizeBilinear(h, { size: [7, 5] }),
  'depthwise conv2d': (h) => wg.conv2d(h, draw([3, 3, 1, 2], 5), { groups: 2, padding: 1 }),
  'conv2d, dilated': (h) => wg.conv2d(h, draw([2, 2, 2, 3], 6), { dilation: 2 }),
  conv3d: (h) => wg.conv3d(h.reshape([1, 2, 2, 4, 2]), draw([2, 2, 2, 2, 1], 7)),
  max: (h) => wg.max(h, [1, 2]),
  min: (h) => wg.min(h, -1),
  maximum: (h) => h.maximum(h.mul(-0.5)),
  minimum: (h) => h.minimum(0.3),
  clamp: (h) => wg.clamp(h, -0.8, 0.9),
  'where with a comparison': (h) => wg.where(wg.greater(h, 0.1), h.square(), h.mul(0.2)),
  logSumExp: (h) => wg.logSumExp(h, -1),
  prod: (h) => wg.prod(h, -1),
  cumprod: (h) => wg.cumprod(h, 1),
  'huber loss': (h) => wg.where(wg.less(h.abs(), 1), h.square().mul(0.5), h.abs().sub(0.5)),
  einsum: (h) => wg.einsum('nhwc,nhwd->ncd', h, h),
  'strided slice': (h) => h.slice([[], [null, null, 2], [3, null, -2]]),
  gather: (h) => wg.gather(h, 2, index),
  scatterAdd: (h) => wg.scatterAdd(h, 2, index, h.slice([[], [0, 2], [0, 2], [0, 1]])),
  depthToSpace: (h) => wg.depthToSpace(h.reshape([1, 4, 2, 4]), 2),
  topk: (h) => wg.topk(h, 2, 1).values,
  gridSample: (h) => wg.gridSample(h, tensor([-0.3, 0.2, 0.7, -0.6], { shape: [1, 1, 2, 2] })),
  softmax: (h) => wg.softmax(h),
  batchNorm: (h) => wg.batchNorm(h, tensor([1.2, 0.7]), tensor([0.1, -0.2])).y,
  layerNorm: (h) => wg.layerNorm(h.reshape([4, 8]), draw([8], 8), draw([8], 9)),
  convTranspose2d: (h) => wg.convTranspose2d(h, draw([3, 3, 1, 2], 10), { stride: 2, padding: 1 }),
};

const x0 = draw([1, 4, 4, 2], 1);
const p0 = draw([4, 2], 2);

/** f(x; p): the op after a product with the parameters, made a number that is not linear in it. */
const score = (op: Op, x: Tensor, p: Tensor): Tensor =>
  op(x.mul(p).add(p.square().mul(0.3)))
    .tanh()
    .square()
    .sum();

for (const [name, op] of Object.entries(OPS)) {
  test(`${name}: gradient penalty ∂/∂p‖∂f/∂x‖² and Hessian product ∂/∂p‖∂f/∂p‖²`, async () => {
    const penalty = (x: Tensor, p: Tensor) =>
      grad(score(op, x, p), [x], { createGraph: true })[0]!
        .square()
        .sum();
    const curvature = (x: Tensor, p: Tensor) =>
      grad(score(op, x, p), [p], { createGraph: true })[0]!
        .square()
        .sum();
    const tight = { atol: 1e-6, rtol: 1e-5 };
    await gradcheck((x, p) => penalty(x, p), [x0, p0], tight);
    await gradcheck((x, p) => curvature(x, p), [x0, p0], tight);
  });
}

test('unrolled GAN: through five SGD steps of a convolutional critic with leakyRelu', async () => {
  const [real, fake] = criticBatch(2);
  const initial = criticParameters();
  const loss = (theta: Tensor, phi: readonly Tensor[]): Tensor => {
    const made = fake.mul(theta).tanh();
    return critic(made, phi).sigmoid().log().mean().neg().add(critic(real, phi).tanh().mean());
  };
  const unrolled = (theta: Tensor): Tensor => {
    let phi: Tensor[] = initial.map((t) => t.detach().requireGrad());
    for (let k = 0; k < 5; k++) {
      const g = grad(loss(theta, phi), phi, { createGraph: true });
      phi = phi.map((t, i) => t.sub(g[i]!.mul(0.3)));
    }
    return loss(theta, phi).neg();
  };
  await gradcheck((theta) => unrolled(theta), [draw([8, 8, 1], 3)], { atol: 1e-7, rtol: 1e-5 });
});

test.run();
