/** What the cases of softmax, the losses, attention and linear algebra do not say: infinities, large logits, errors. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  binaryCrossEntropyWithLogits,
  crossEntropy,
  einsum,
  Generator,
  grad,
  groupNorm,
  instanceNorm,
  logSoftmax,
  outer,
  scaledDotProductAttention,
  softmax,
  spectralNorm,
  type Tensor,
  tensor,
  zeros,
} from '../engine/index.ts';
import { on, openGpu, read, reference } from './support/devices.ts';

const gpu = await openGpu();
const devices = [gpu, reference] as const;
const INF = Number.POSITIVE_INFINITY;

const near = (found: ArrayLike<number>, right: readonly number[], eps = 1e-6): void => {
  assert.is(found.length, right.length);
  right.forEach((v, i) => {
    const ok = Number.isNaN(v)
      ? Number.isNaN(found[i]!)
      : found[i] === v || Math.abs(found[i]! - v) <= eps * Math.max(1, Math.abs(v));
    assert.ok(ok, `element ${i} is ${found[i]}, not ${v}`);
  });
};

for (const device of devices) {
  const values = async (fn: () => Tensor) => (await read(device, () => [fn()]))[0]!;

  test(`softmax and logSoftmax of large, infinite and NaN values, on ${device.kind}`, async () => {
    near(await values(() => softmax(tensor([1e30, 0, -1e30]))), [1, 0, 0]);
    near(await values(() => softmax(tensor([-1e38, -1e38]))), [0.5, 0.5]);
    near(await values(() => softmax(tensor([-INF, 0, 0]))), [0, 0.5, 0.5]);
    near(await values(() => logSoftmax(tensor([-INF, 0]))), [-INF, 0]);
    near(await values(() => logSoftmax(tensor([1000, 0]))), [0, -1000]);
    near(await values(() => softmax(tensor([-INF, -INF]))), [Number.NaN, Number.NaN]);
    near(await values(() => softmax(tensor([Number.NaN, 0]))), [Number.NaN, Number.NaN]);
    // Long rows are worked on in parts, and a part may be all -∞.
    const long = Float64Array.from({ length: 1000 }, (_, i) => (i % 31 === 5 ? 2 : -INF));
    const y = await values(() => softmax(tensor(long)));
    near(
      y,
      Array.from(long, (v) => (v === 2 ? 1 / 33 : 0)),
      1e-6,
    );
  });

  test(`losses of large logits and impossible classes, on ${device.kind}`, async () => {
    const bce = (x: number, t: number) =>
      values(() => binaryCrossEntropyWithLogits(tensor([x]), tensor([t]), { reduction: 'none' }));
    near(await bce(200, 0), [200]);
    near(await bce(-200, 1), [200]);
    near(await bce(200, 1), [0]);
    const tiny = await bce(20, 1);
    assert.ok(Math.abs(tiny[0]! / Math.log1p(Math.exp(-20)) - 1) < 1e-5, `${tiny[0]}`);
    near(await values(() => crossEntropy(tensor([[0, 0, -INF]]), tensor([1]))), [Math.LN2]);
    near(await values(() => crossEntropy(tensor([[0, 0]]), tensor([2]))), [Number.NaN]);
    const [dx] = await read(device, () => {
      const x = tensor([[0, 0, -INF]], { requiresGrad: true });
      return grad(crossEntropy(x, tensor([1])), [x]);
    });
    near(dx!, [0.5, -0.5, 0]);
  });

  test(`attention sees what it may, on ${device.kind}`, async () => {
    const v = () => tensor([[1], [10], [100]]);
    const q = () => zeros([3, 2]);
    near(await values(() => scaledDotProductAttention(q(), q(), v(), { causal: true })), [1, 5.5, 37]);
    const mask = () => tensor([0, 1, 0]);
    near(await values(() => scaledDotProductAttention(q(), q(), v(), { mask: mask() })), [10, 10, 10]);
    near(await values(() => scaledDotProductAttention(q(), q(), v(), { mask: zeros([3]) })), [37, 37, 37]);
  });

  test(`spectralNorm finds the largest singular value, and its derivative v uᵀ, on ${device.kind}`, async () => {
    // Of diag(3, 1) rotated on both sides: sigma = 3.
    const [c, s] = [Math.cos(0.7), Math.sin(0.7)];
    const [sigma, dw, u, v] = await read(device, () => {
      const w = tensor([3 * c, -s, 3 * s, c], { shape: [2, 2], requiresGrad: true });
      const found = spectralNorm(w, tensor([0.6, 0.8]), { iterations: 30 });
      return [found.sigma, grad(found.sigma, [w])[0]!, found.u, found.v];
    });
    near(sigma!, [3], 1e-5);
    near(u!, [1, 0], 1e-5);
    near(v!, [c, s], 1e-5);
    near(dw!, [c, 0, s, 0], 1e-5);
  });
}

test('a normalised group has mean 0 and variance 1', async () => {
  const [y, z] = await read(gpu, () => {
    const x = new Generator(1).normal([2, 5, 4], { mean: 3, std: 2 });
    return [groupNorm(x, 2).reshape([2, 5, 2, 2]).square().mean([1, 3]), instanceNorm(x).square().mean(1)];
  });
  near(y!, [1, 1, 1, 1], 1e-4);
  near(z!, Array<number>(8).fill(1), 1e-4);
});

test('shapes that do not fit are named', () => {
  const throws = (fn: () => unknown, message: RegExp) =>
    assert.throws(
      () => on(reference, fn),
      (e: Error) => e.name === 'ShapeError' && message.test(e.message),
    );
  throws(() => softmax(zeros([2]), 1), /softmax: axis 1 is out of range/);
  throws(() => crossEntropy(zeros([2, 3]), zeros([3])), /targets \[3\] for logits \[2,3\] must be indices \[2\] or/);
  throws(() => binaryCrossEntropyWithLogits(zeros([2]), zeros([1])), /targets \[1\] must have the shape \[2\]/);
  throws(() => groupNorm(zeros([1, 2, 5]), 2), /2 groups do not divide the 5 channels/);
  throws(() => instanceNorm(zeros([4, 1, 5])), /one value for each channel/);
  throws(() => scaledDotProductAttention(zeros([2, 3]), zeros([2, 4]), zeros([2, 3])), /must be \[\.\.\.,Q,D\]/);
  throws(() => outer(zeros([2, 3]), zeros([2])), /must be vectors/);
  throws(() => spectralNorm(zeros([2, 3]), zeros([2])), /u \[2\] its last axis/);
  throws(() => einsum('ii->i', zeros([2, 2])), /repeats i: diagonals/);
  throws(() => einsum('ij,jk->ik', zeros([2, 3]), zeros([4, 2])), /j has size 3 in one operand and 4 in another/);
  throws(() => einsum('ij->k', zeros([2, 3])), /k is none/);
  throws(() => einsum('i', zeros([2, 3])), /names 1 axes, and its operand is \[2,3\]/);
  throws(() => einsum('i,j', zeros([2])), /has 2 terms for 1 operands/);
});

test.after(() => gpu.destroy());
test.run();
