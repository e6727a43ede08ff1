import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { manualSeed, Rng, rand, randn, type Shape, type Tensor } from '../../engine/index.ts';
import { threefry2x32 } from '../../kernels/random/random.ts';
import { openGpu, read, reference } from '../support/devices.ts';

const gpu = await openGpu();

const draw = async (device: typeof gpu | typeof reference, fn: () => Tensor): Promise<Float64Array> =>
  (await read(device, () => [fn()]))[0]!;

const largest = (list: ArrayLike<number>): number => Array.from(list).reduce((m, v) => Math.max(m, Math.abs(v)), 0);

test('Threefry-2x32 with 20 rounds gives the known answers of Random123', () => {
  // kat_vectors of Random123 1.14: counter, key -> result.
  assert.equal(threefry2x32(0, 0, 0, 0), [0x6b200159, 0x99ba4efe]);
  const ones = 0xffffffff;
  assert.equal(threefry2x32(ones, ones, ones, ones), [0x1cb996fc, 0xbb002be7]);
  assert.equal(threefry2x32(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3), [0xc4923a9c, 0x483df7a0]);
});

test('the kernel computes the same block: 24 bits of each word', async () => {
  const words = await draw(gpu, () => new Rng(0).uniform([2]));
  assert.equal(
    [...words].map((u) => u * 2 ** 24),
    [0x6b2001, 0x99ba4e],
  );
});

const places: readonly (readonly [string, () => Rng])[] = [
  ['seed 0', () => new Rng(0)],
  ['seed 12345, stream 3', () => new Rng(12345, 3)],
  ['the largest seed', () => new Rng(Number.MAX_SAFE_INTEGER)],
  ['a counter that passes 2^32', () => new Rng(7, 0, 2 ** 32 - 9)],
  ['a counter near 2^52', () => new Rng(7, 0, 2 ** 52 - 9)],
];
const SHAPES: readonly Shape[] = [[1], [5], [33, 65]];

for (const [name, generator] of places) {
  test(`the same numbers on both devices: ${name}`, async () => {
    for (const shape of SHAPES) {
      const uniform = () => generator().uniform(shape, { low: -1, high: 3 });
      const [u, v] = [await draw(gpu, uniform), await draw(reference, uniform)];
      assert.ok(largest(u.map((x, i) => x - v[i]!)) < 1e-6);
      const normal = () => generator().normal(shape);
      const [x, y] = [await draw(gpu, normal), await draw(reference, normal)];
      assert.ok(largest(x.map((a, i) => a - y[i]!)) < 2e-6, `${largest(x.map((a, i) => a - y[i]!))}`);
    }
  });
}

const N = 200_000;

/** √n · sup |F_n - F|: above 1.95 in one of a thousand fair samples. */
function kolmogorovSmirnov(sample: Float64Array, cdf: (x: number) => number): number {
  const sorted = sample.slice().sort();
  const d = sorted.reduce((worst, x, i) => {
    const f = cdf(x);
    return Math.max(worst, (i + 1) / sorted.length - f, f - i / sorted.length);
  }, 0);
  return d * Math.sqrt(sorted.length);
}

/** Abramowitz and Stegun 7.1.26, good to 1.5e-7. */
function normalCdf(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * z);
  const poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const erf = 1 - poly * Math.exp(-z * z);
  return x < 0 ? (1 - erf) / 2 : (1 + erf) / 2;
}

const average = (list: Float64Array): number => list.reduce((s, v) => s + v, 0) / list.length;

test('uniform numbers are uniform: mean, variance, distribution, range, no correlation of neighbours', async () => {
  const u = await draw(gpu, () => new Rng(1).uniform([N]));
  assert.ok(Math.abs(average(u) - 1 / 2) < 4 / Math.sqrt(12 * N));
  const centred = u.map((v) => v - 0.5);
  assert.ok(Math.abs(average(centred.map((v) => v * v)) - 1 / 12) < 4 / Math.sqrt(180 * N));
  assert.ok(kolmogorovSmirnov(u, (x) => x) < 1.95);
  assert.ok(u.every((v) => v >= 0 && v < 1));
  for (const lag of [1, 2, 4, 64]) {
    const products = centred.subarray(lag).map((v, i) => v * centred[i]!);
    assert.ok(Math.abs(average(products)) < 4 / (12 * Math.sqrt(N)), `lag ${lag}`);
  }
});

test('uniform numbers stay below the upper end, also where rounding would reach it', async () => {
  const u = await draw(gpu, () => new Rng(1).uniform([N], { low: 1e6, high: 1e6 + 1 }));
  assert.ok(u.every((v) => v >= 1e6 && v < 1e6 + 1));
});

test('normal numbers are normal: mean, variance, skew, tails, distribution', async () => {
  const x = await draw(gpu, () => new Rng(2).normal([N]));
  assert.ok(Math.abs(average(x)) < 4 / Math.sqrt(N));
  assert.ok(Math.abs(average(x.map((v) => v ** 2)) - 1) < 4 * Math.sqrt(2 / N));
  assert.ok(Math.abs(average(x.map((v) => v ** 3))) < 4 * Math.sqrt(15 / N));
  assert.ok(Math.abs(average(x.map((v) => v ** 4)) - 3) < 4 * Math.sqrt(96 / N));
  assert.ok(kolmogorovSmirnov(x, normalCdf) < 1.95);
  assert.ok(largest(x) > 4 && largest(x) < 5.43);
  const y = await draw(gpu, () => new Rng(2).normal([N], { mean: 3, std: 0.5 }));
  assert.ok(largest(y.map((v, i) => v - (3 + 0.5 * x[i]!))) < 1e-6);
});

test('streams differ by seed and by stream number, and are not correlated', async () => {
  const drawn = await Promise.all([new Rng(1), new Rng(2), new Rng(1, 1)].map((g) => draw(gpu, () => g.normal([N]))));
  for (const [a, b] of [
    [0, 1],
    [0, 2],
    [1, 2],
  ] as const) {
    const [x, y] = [drawn[a]!, drawn[b]!];
    assert.ok(x.filter((v, i) => v === y[i]).length < N / 1000);
    assert.ok(Math.abs(average(x.map((v, i) => v * y[i]!))) < 4 / Math.sqrt(N));
  }
});

test('a stream goes on where it stopped, and can be resumed', async () => {
  for (const device of [gpu, reference]) {
    const whole = await draw(device, () => new Rng(5).normal([10]));
    const g = new Rng(5);
    const first = await draw(device, () => g.normal([6]));
    assert.is(g.offset, 3);
    const second = await draw(device, () => new Rng(5, 0, g.offset).normal([4]));
    assert.equal([...first, ...second], [...whole]);
    // An odd number uses up its last block.
    const odd = new Rng(5);
    await draw(device, () => odd.normal([5]));
    assert.is(odd.offset, 3);
    assert.equal([...(await draw(device, () => odd.normal([4])))], [...whole.subarray(6)]);
  }
});

test('manualSeed restarts the shared stream', async () => {
  const both = async () => [...(await draw(gpu, () => randn([5]))), ...(await draw(gpu, () => rand([5])))];
  manualSeed(9);
  const first = await both();
  const next = await both();
  manualSeed(9);
  assert.equal(await both(), first);
  assert.not.equal(next, first);
});

test('a seed that is no whole number is refused', () => {
  for (const seed of [-1, 0.5, Number.NaN, 2 ** 53]) {
    assert.throws(() => new Rng(seed), `Rng: the seed must be a whole number from 0 to 2^53 - 1, not ${seed}`);
  }
});

test.after(() => gpu.destroy());
test.run();
