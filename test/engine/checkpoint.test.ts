/** Recomputing in the backward pass, and finding the first op that makes a NaN. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AnomalyError,
  checkpoint,
  detectAnomaly,
  grad,
  gradgradcheck,
  init,
  memory,
  Rng,
  reference,
  scope,
  type Tensor,
  tensor,
} from '../../engine/index.ts';

const test = suite('checkpoint');
await init({ adapter: 'reference' });
const values = (t: Tensor): number[] => Array.from(reference.values(t.storage));

test('gradients are those without it, also of captured parameters and with random numbers', () => {
  const rng = new Rng(1);
  const [w, x] = [tensor([2, -1], { requiresGrad: true }), tensor([0.3, 0.5], { requiresGrad: true })];
  const f = (t: Tensor) =>
    t
      .mul(w)
      .tanh()
      .mul(rng.uniform([2]))
      .mul(w.mul(2))
      .sum();
  const plain = grad(f(x), [x, w]).map(values);
  const after = rng.offset;
  rng.offset = 0;
  assert.equal(grad(checkpoint(f)(x), [x, w]).map(values), plain);
  assert.is(rng.offset, after, 'the backward pass must not move the stream on');
});

test('a captured tensor that has a graph of its own is counted once', async () => {
  await gradgradcheck(
    (x, a) => {
      const b = a.mul(2);
      return checkpoint((t) => t.mul(a).tanh().mul(b))(x.mul(2));
    },
    [tensor([0.3, 0.5]), tensor([1, 2])],
  );
});

test('nothing inside is kept for the backward pass', () => {
  const x = tensor(new Float64Array(1000).fill(0.5), { requiresGrad: true });
  const deep = (t: Tensor) =>
    Array.from({ length: 20 })
      .reduce((h: Tensor) => h.mul(1.1).tanh(), t)
      .sum();
  const held = (f: (t: Tensor) => Tensor) =>
    scope(() => {
      const before = memory().bytes;
      const y = scope(() => f(x));
      const kept = memory().bytes - before;
      assert.ok(y.requiresGrad);
      return kept;
    });
  assert.ok(held(deep) > 20 * 8000);
  assert.ok(held(checkpoint(deep)) < 1000);
});

const message = async (fn: () => unknown): Promise<string> => {
  try {
    await detectAnomaly(fn);
    return '';
  } catch (error) {
    assert.ok(error instanceof AnomalyError, String(error));
    return error.message;
  }
};

test('the first op forward that makes a NaN is named, with the line that called it', async () => {
  const x = tensor([1, -1], { requiresGrad: true });
  const found = await message(() => x.log().exp().sum());
  assert.match(found, /^log holds NaN or infinity in 1 of 2 elements; called at .*checkpoint\.test\.ts:\d+/);
});

test('so is the backward pass of an op, and an input that was bad from the start', async () => {
  const x = tensor([0, 4], { requiresGrad: true });
  assert.match(
    await message(() => grad(x.sqrt().sum(), [x])),
    /^the backward pass of sqrt \(in div\) holds NaN or infinity/,
  );
  const bad = tensor([Number.NaN], { label: 'bad' });
  assert.match(await message(() => bad.mul(2)), /^bad \[1\], an input of affine, holds NaN/);
  assert.is(await message(() => x.add(1).sqrt().sum()), '');
});

test.run();
