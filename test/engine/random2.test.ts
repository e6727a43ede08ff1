import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dropout, grad, Rng, type Tensor, tensor } from '../../engine/index.ts';
import { upperTail } from '../../kernels/random/truncatedNormal.ts';
import { openGpu, read, reference } from '../support/devices.ts';

const gpu = await openGpu();
const devices = [gpu, reference];
const draw = async (device: (typeof devices)[number], fn: () => Tensor): Promise<Float64Array> =>
  (await read(device, () => [fn()]))[0]!;

const N = 40_000;
const average = (list: ArrayLike<number>): number => Array.from(list).reduce((s, v) => s + v, 0) / list.length;

/** √n · sup |F_n - F|: above 1.95 in one of a thousand fair samples. */
function kolmogorovSmirnov(sample: Float64Array, cdf: (x: number) => number): number {
  const sorted = sample.slice().sort();
  const d = sorted.reduce((worst, x, i) => {
    const f = cdf(x);
    return Math.max(worst, (i + 1) / sorted.length - f, f - i / sorted.length);
  }, 0);
  return d * Math.sqrt(sorted.length);
}

/** Pearson's statistic less its mean, in standard deviations. */
function pearson(counts: readonly number[], probabilities: readonly number[]): number {
  const n = counts.reduce((s, v) => s + v, 0);
  const chi2 = counts.reduce((s, c, i) => s + (c - n * probabilities[i]!) ** 2 / (n * probabilities[i]!), 0);
  const freedom = counts.length - 1;
  return (chi2 - freedom) / Math.sqrt(2 * freedom);
}

for (const [mean, std, low, high] of [
  [0, 1, -2, 2],
  [0, 1, 2, 4],
  [1, 0.5, -1, 0.5],
  [0, 1, 0.5, Number.POSITIVE_INFINITY],
] as const) {
  test(`truncated normal numbers of mean ${mean} and std ${std} from ${low} to ${high}`, async () => {
    const options = { mean, std, low, high };
    const x = await draw(gpu, () => new Rng(3).truncatedNormal([N], options));
    assert.ok(x.every((v) => v >= low && v <= high));
    const above = (v: number) => upperTail((v - mean) / std);
    assert.ok(kolmogorovSmirnov(x, (v) => (above(low) - above(v)) / (above(low) - above(high))) < 1.95);
    const y = await draw(reference, () => new Rng(3).truncatedNormal([N], options));
    assert.ok(x.every((v, i) => Math.abs(v - y[i]!) < 1e-5));
  });
}

test('bernoulli: as many ones as p says, the same ones on both devices, and never where p is 0', async () => {
  for (const p of [0, 0.1, 0.5, 0.7, 1]) {
    const [x, y] = await Promise.all(devices.map((d) => draw(d, () => new Rng(4).bernoulli([N], p))));
    assert.equal([...x!], [...y!]);
    assert.ok(x!.every((v) => v === 0 || v === 1));
    assert.ok(Math.abs(average(x!) - p) <= 4 * Math.sqrt((p * (1 - p)) / N), `${p}: ${average(x!)}`);
  }
  const probabilities = Float64Array.from({ length: 10_000 }, (_, i) => [0, 0.25, 0.75, 1][i % 4]!);
  for (const d of devices) {
    const x = await draw(d, () => new Rng(5).bernoulli(tensor(probabilities)));
    [0, 0.25, 0.75, 1].forEach((p, k) => {
      assert.ok(Math.abs(average(x.filter((_, i) => i % 4 === k)) - p) <= 4 * Math.sqrt((p * (1 - p)) / 2500));
    });
  }
});

test('categorical: classes as often as softmax says, the same on both devices, and none that is ruled out', async () => {
  const p = [0.5, 0.2, 0.1, 0.1, 0.06, 0.04];
  const logits = () => tensor([...p.map((v) => Math.log(v) + 3), Number.NEGATIVE_INFINITY]);
  const [x, y] = await Promise.all(devices.map((d) => draw(d, () => new Rng(6).categorical(logits(), N))));
  assert.ok(x!.filter((v, i) => v !== y![i]).length <= 2);
  const counts = p.map((_, c) => x!.filter((v) => v === c).length);
  assert.is(
    counts.reduce((s, v) => s + v),
    N,
  );
  assert.ok(Math.abs(pearson(counts, p)) < 4, counts.join());
  // A class of one in ten thousand: the tail of the Gumbel numbers.
  const rare = await draw(gpu, () => new Rng(7).categorical(tensor([0, Math.log(1e-4)]), 400_000));
  const found = rare.filter((v) => v === 1).length;
  assert.ok(Math.abs(found - 40) < 4 * Math.sqrt(40), `${found}`);
});

test('permutation: every number once, every order equally often, the same on both devices', async () => {
  const [x, y] = await Promise.all(devices.map((d) => draw(d, () => new Rng(8).permutation(1000))));
  assert.equal([...x!], [...y!]);
  assert.equal(
    [...x!].sort((a, b) => a - b),
    Array.from({ length: 1000 }, (_, i) => i),
  );
  const g = new Rng(9);
  const orders = new Map<string, number>();
  for (let i = 0; i < 2400; i++) {
    const order = [...(await draw(reference, () => g.permutation(4)))].join('');
    orders.set(order, (orders.get(order) ?? 0) + 1);
  }
  assert.is(orders.size, 24);
  assert.ok(Math.abs(pearson([...orders.values()], Array<number>(24).fill(1 / 24))) < 4);
});

test('dropout keeps the mean, and drops the gradient where it drops the value', async () => {
  for (const p of [0, 0.4, 1]) {
    const [y, dx] = await read(gpu, () => {
      const x = tensor(new Float64Array(N).fill(1), { requiresGrad: true });
      const out = dropout(x, p, new Rng(1));
      return [out, grad(out.sum(), [x])[0]!];
    });
    const kept = p === 1 ? 0 : 1 / (1 - p);
    assert.ok(y!.every((v) => v === 0 || Math.abs(v - kept) < 1e-6));
    assert.equal([...y!], [...dx!]);
    assert.ok(Math.abs(average(y!) - (p === 1 ? 0 : 1)) <= 4 * Math.sqrt(p / Math.max(1 - p, 1e-9) / N) || p === 1);
  }
});

test('bad options are refused', () => {
  const g = new Rng(0);
  assert.throws(() => g.truncatedNormal([1], { low: 2, high: 2 }), /truncatedNormal: low 2 must be less than high 2/);
  assert.throws(() => g.bernoulli([1], 1.5), /bernoulli: p must be from 0 to 1, not 1.5/);
  assert.throws(() => g.permutation(-1), /permutation: \[-1\] is not a shape/);
});

test.after(() => gpu.destroy());
test.run();
