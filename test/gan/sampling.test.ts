/** Samples of a generator: drawn in batches, beside their nearest neighbours, and found again from pictures. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { destroy, init, Rng, type Tensor, tensor } from '../../engine/index.ts';
import {
  drawSamples,
  invertSamples,
  type LatentGenerator,
  nearestNeighbours,
  samplesAt,
  standingStatistics,
  withNeighbours,
} from '../../gan/index.ts';
import * as nn from '../../nn/index.ts';
import { on, openGpu, reference } from '../support/devices.ts';
import { rejection } from '../support/rejection.ts';

const test = suite('sampling');
await init({ adapter: 'reference' });
const gpu = await openGpu();
test.after(() => {
  gpu.destroy();
  destroy();
});
const devices = [
  ['reference', reference],
  ['webgpu', gpu],
] as const;

/** Codes [N,3] to images [N,2,2,1], through batch norm. */
const smallGenerator = (seed = 1): nn.Sequential => {
  const rng = new Rng(seed);
  const init = nn.init.normal(1);
  return new nn.Sequential(
    new nn.Linear(3, 8, { rng, init, bias: false }),
    new nn.BatchNorm1d(8),
    new nn.LeakyReLU(0.2),
    new nn.Linear(8, 4, { rng, init: nn.init.normal(0.5) }),
    new nn.Tanh(),
    new nn.Reshape([2, 2, 1]),
  );
};
const close = (a: ArrayLike<number>, b: ArrayLike<number>, tolerance = 1e-6): void => {
  assert.is(a.length, b.length);
  for (let i = 0; i < a.length; i++) assert.ok(Math.abs(a[i]! - b[i]!) <= tolerance, `${i}: ${a[i]} against ${b[i]}`);
};

test('batches that do not divide the codes give the same samples', async () => {
  const generator: LatentGenerator = { forward: (z) => z.mul(2).reshape([z.shape[0]!, 1, 3]) };
  const codes = new Rng(1).normal([7, 3]);
  const whole = await drawSamples(generator, codes);
  assert.equal(whole.shape, [7, 1, 3]);
  close(whole.data, await codes.mul(2).data());
  for (const batchSize of [1, 2, 3, 7]) assert.equal(await drawSamples(generator, codes, { batchSize }), whole);
});

test('batch statistics: of full batches, the last filled up with the first codes; layers stay as they were', async () => {
  const generator = smallGenerator();
  generator.children()[1]![1].training = false; // a mode of its own, which must survive
  const codes = new Rng(2).normal([7, 3]);
  const before = await Promise.all([...generator.stateDict().values()].map((t) => t.data()));
  const { data } = await drawSamples(generator, codes, { batchSize: 4 });
  const after = await Promise.all([...generator.stateDict().values()].map((t) => t.data()));
  assert.equal(after, before, 'no statistics were moved');
  assert.is(generator.children()[1]![1].training, false);
  assert.is(generator.training, true);
  generator.train();
  const first = await nn.withoutTracking(() => generator.forward(codes.slice([[0, 4]]))).data();
  const order = tensor([4, 5, 6, 0]);
  const second = await nn.withoutTracking(() => generator.forward(codes.indexSelect(order))).data();
  close(data, [...first, ...second.subarray(0, 12)]);
});

test('standing statistics: the mean over batches, after which a sample depends on its own code alone', async () => {
  const generator = smallGenerator();
  const norm = generator.children()[1]![1] as nn.BatchNorm1d;
  assert.is(standingStatistics(generator, { latent: 3, rng: new Rng(4), batches: 5, batchSize: 16 }), 1);
  assert.is(norm.momentum, 0.1);
  assert.is(generator.training, true);
  // By hand: the means and unbiased variances of the first layer's outputs.
  const rng = new Rng(4);
  const first = generator.children()[0]![1] as nn.Linear;
  const batches = Array.from({ length: 5 }, () => first.forward(rng.normal([16, 3])));
  const mean = batches
    .map((y) => y.mean(0))
    .reduce((a, b) => a.add(b))
    .div(5);
  const variance = batches
    .map((y) => y.variance(0, { correction: 1 }))
    .reduce((a, b) => a.add(b))
    .div(5);
  close(await norm.runningMean!.data(), await mean.data(), 1e-12);
  close(await norm.runningVar!.data(), await variance.data(), 1e-12);

  const codes = new Rng(2).normal([6, 3]);
  const together = await drawSamples(generator, codes, { statistics: 'running' });
  assert.equal(await drawSamples(generator, codes, { statistics: 'running', batchSize: 1 }), together);
  const alone = await drawSamples(generator, codes, { statistics: 'batch', batchSize: 3 });
  assert.not.equal(alone.data, together.data);
});

test('the statistics of a truncation are those of its codes', async () => {
  const norm = new nn.BatchNorm1d(3);
  standingStatistics(new nn.Sequential(norm), { latent: 3, rng: new Rng(4), psi: 0.5, batches: 40 });
  // A normal within ±0.5 is nearly uniform: variance 1 - 2 · 0.5 φ(0.5) / (2 Φ(0.5) - 1).
  close(await norm.runningVar!.data(), [0.08059, 0.08059, 0.08059], 0.08059 * 0.06);
});

test('a layer that counts its batches, and a generator without statistics', async () => {
  const rng = new Rng(1);
  const norm = new nn.BatchNorm1d(3, { momentum: null });
  norm.forward(rng.normal([4, 3]));
  standingStatistics(new nn.Sequential(norm), { latent: 3, rng: new Rng(2), batches: 4, batchSize: 8 });
  assert.is(await norm.numBatchesTracked!.item(), 4);
  const again = new Rng(2);
  const means = Array.from({ length: 4 }, () => again.normal([8, 3]).mean(0));
  close(
    await norm.runningMean!.data(),
    await means
      .reduce((a, b) => a.add(b))
      .div(4)
      .data(),
    1e-12,
  );
  assert.is(standingStatistics(new nn.Linear(3, 2), { latent: 3, rng }), 0);
});

test('averaged weights are drawn from, and the current ones stay', async () => {
  const generator = new nn.Linear(3, 2, { rng: new Rng(1) });
  const codes = new Rng(2).normal([5, 3]);
  const old = await drawSamples(generator, codes);
  const ema = new nn.EMA(generator.parameters(), 0.9);
  generator.weight.assign(new Float64Array(6));
  assert.equal(await drawSamples(generator, codes, { ema }), old);
  assert.not.equal(await drawSamples(generator, codes), old);
});

/** Neighbours by brute force in float64, first of equals first. */
function bruteForce(queries: ArrayLike<number>, pool: ArrayLike<number>, size: number, k: number) {
  const rows = (values: ArrayLike<number>) =>
    Array.from({ length: values.length / size }, (_, i) =>
      Array.from({ length: size }, (_, d) => values[i * size + d]!),
    );
  return rows(queries).map((q) =>
    rows(pool)
      .map((x, index) => ({ index, distance: Math.hypot(...x.map((v, d) => v - q[d]!)) }))
      .sort((a, b) => a.distance - b.distance || a.index - b.index)
      .slice(0, k),
  );
}

for (const [name, device] of devices) {
  test(`neighbours are those of brute force, in blocks that do not divide the data, on ${name}`, async () => {
    const rng = new Rng(7);
    const pool = Float32Array.from(rng.hostNormal(53 * 6), (v) => v + 1000); // far from 0
    const samples = { data: Float32Array.from(rng.hostNormal(5 * 6), (v) => v + 1000), shape: [5, 3, 2] };
    for (const [k, blockSize] of [
      [1, 53],
      [3, 10],
      [4, 7],
      [53, 16],
      [2, 1],
    ] as const) {
      const found = await on(device, () => nearestNeighbours(samples, { count: 53, data: pool }, { k, blockSize }));
      const truth = bruteForce(samples.data, pool, 6, k).flat();
      assert.equal(
        [...found.indices],
        truth.map(({ index }) => index),
        `k ${k}, blocks of ${blockSize}`,
      );
      close(
        found.distances,
        truth.map(({ distance }) => distance),
        1e-9,
      );
    }
  });

  test(`copies are at distance 0, and of equal ones the first comes first, on ${name}`, async () => {
    const images = Uint8Array.from({ length: 40 * 4 }, (_, i) => ((i >> 2) % 10) * 25 + (i % 4)); // ten images, four times each
    const pool = { count: 40, data: images };
    const samples = samplesAt(pool, [2, 2, 1], [13, 29]);
    const { indices, distances } = await on(device, () => nearestNeighbours(samples, pool, { k: 5, blockSize: 16 }));
    assert.equal([...indices.subarray(0, 4)], [3, 13, 23, 33]);
    assert.equal([...indices.subarray(5, 9)], [9, 19, 29, 39]);
    assert.equal([...distances.subarray(0, 4)], [0, 0, 0, 0]);
    close([distances[4]!], [(25 / 127.5) * 2], 1e-6);
  });

  test(`neighbours in features: of the sum alone, on ${name}`, async () => {
    const pool = { count: 4, data: Float32Array.of(1, 1, 9, -8, 5, 5, 2, 2) };
    const samples = { data: Float32Array.of(0, 1), shape: [1, 2] };
    const features = (x: Tensor) => x.sum(1, { keepDims: true });
    const { indices, distances } = await on(device, () =>
      nearestNeighbours(samples, pool, { k: 4, features, blockSize: 3 }),
    );
    assert.equal([...indices], [1, 0, 3, 2]);
    assert.equal([...distances], [0, 1, 3, 9]);
  });

  test(`codes are found again from their samples, on ${name}`, async () => {
    const generator = on(device, () => new nn.Linear(3, 5, { rng: new Rng(3), init: nn.init.normal(1) }));
    const codes = on(device, () => new Rng(4).normal([4, 3]));
    const samples = await on(device, () => drawSamples(generator, codes));
    const options = { latent: 3, rng: new Rng(5), steps: 400, lr: 0.1 };
    const found = await on(device, () => invertSamples(generator, samples, options));
    assert.is(found.errors.length, 4);
    assert.ok(Math.max(...found.errors) < 1e-6, String(found.errors));
    close(await found.codes.data(), await codes.data(), 2e-3);
  });
}

test('inversion through batch norm takes the running statistics, and the best of its searches', async () => {
  const generator = smallGenerator();
  standingStatistics(generator, { latent: 3, rng: new Rng(4) });
  const codes = new Rng(6).normal([3, 3]);
  const samples = await drawSamples(generator, codes, { statistics: 'running' });
  const invert = async (restarts: number, steps: number) => {
    const found = await invertSamples(generator, samples, { latent: 3, rng: new Rng(1), restarts, steps });
    const again = await drawSamples(generator, found.codes, { statistics: 'running' });
    for (let i = 0; i < 3; i++) {
      const error = [0, 1, 2, 3].reduce((s, p) => s + (again.data[i * 4 + p]! - samples.data[i * 4 + p]!) ** 2 / 4, 0);
      close([error], [found.errors[i]!], 1e-6);
    }
    return [...found.errors];
  };
  const [far, one, six] = [await invert(1, 1), await invert(1, 300), await invert(6, 300)];
  const sum = (list: number[]) => list.reduce((a, b) => a + b, 0);
  assert.ok(sum(one) < sum(far) / 2, `${one} against ${far} after one step`);
  assert.ok(sum(six) < 1e-4, `errors ${six}`);
  assert.is(generator.training, true);
});

test('the prior shortens the codes', async () => {
  const generator = new nn.Linear(2, 2, { rng: new Rng(3) });
  const samples = { data: Float32Array.of(3, -3), shape: [1, 2] };
  const norm = async (prior: number) => {
    const { codes } = await invertSamples(generator, samples, { latent: 2, rng: new Rng(1), prior, restarts: 1 });
    return Math.hypot(...(await codes.data()));
  };
  const [free, held] = [await norm(0), await norm(10)];
  assert.ok(held < free / 2, `${held} against ${free}`);
});

test('inversion frees all but the codes', async () => {
  const generator = new nn.Linear(2, 2, { rng: new Rng(3) });
  const before = reference.memory().tensors;
  const samples = { data: Float32Array.of(3, -3), shape: [1, 2] };
  const { codes } = await invertSamples(generator, samples, { latent: 2, rng: new Rng(1), steps: 2 });
  await nearestNeighbours(samples, { count: 2, data: Float32Array.of(1, 2, 3, 4) });
  codes.dispose();
  assert.is(reference.memory().tensors, before);
});

test('samples and their neighbours in rows', () => {
  const pool = { count: 3, data: Uint8Array.of(0, 255, 51) };
  const samples = { data: Float32Array.of(0.5, -0.5), shape: [2, 1, 1, 1] };
  const rows = withNeighbours(samples, pool, {
    k: 2,
    indices: Uint32Array.of(1, 2, 0, 1),
    distances: new Float64Array(4),
  });
  assert.equal(rows.shape, [6, 1, 1, 1]);
  close(rows.data, [0.5, 1, -0.6, -0.5, -1, 1]);
});

const generator: LatentGenerator = { forward: (z) => z };
const codes = new Rng(1).normal([2, 3]);
const samples = { data: new Float32Array(6), shape: [2, 3] };
const pool = { count: 2, data: new Float32Array(6) };
const rng = new Rng(1);
const wrong = <T>(value: unknown): T => value as T;
for (const [name, call, message] of [
  [
    'a batch of none',
    () => drawSamples(generator, codes, { batchSize: 0 }),
    /batchSize must be a whole number, 1 or more/,
  ],
  ['unknown statistics', () => drawSamples(generator, codes, { statistics: wrong('eval') }), /one of batch, running/],
  ['codes of one axis', () => drawSamples(generator, tensor([1])), /must be \[N, latent\]/],
  ['an unknown option', () => drawSamples(generator, codes, wrong({ batch: 3 })), /no option batch;/],
  ['a generator that mixes codes', () => drawSamples({ forward: (z) => z.sum(0) }, codes), /made \[3\] of 2 codes/],
  ['no neighbours', () => nearestNeighbours(samples, pool, { k: 0 }), /k must be a whole number from 1 to 2, not 0/],
  ['too many neighbours', () => nearestNeighbours(samples, pool, { k: 3 }), /from 1 to 2, not 3/],
  ['an empty block', () => nearestNeighbours(samples, pool, { blockSize: 0 }), /blockSize must be/],
  ['a pool of another shape', () => nearestNeighbours(samples, { count: 1, data: pool.data }), /do not fit/],
  [
    'features of the whole batch',
    () => nearestNeighbours(samples, pool, { features: (x) => x.sum(0) }),
    /not of 2 samples/,
  ],
  ['no steps', () => invertSamples(generator, samples, { latent: 3, rng, steps: 0 }), /steps must be/],
  ['no rate', () => invertSamples(generator, samples, { latent: 3, rng, lr: 0 }), /lr must be a number above 0/],
  ['a negative prior', () => invertSamples(generator, samples, { latent: 3, rng, prior: -1 }), /prior must be/],
  ['half a restart', () => invertSamples(generator, samples, { latent: 3, rng, restarts: 0.5 }), /restarts must be/],
  [
    'samples of another shape',
    () => invertSamples(generator, samples, { latent: 4, rng }),
    /the generator makes \[8,4\]/,
  ],
  [
    'no samples',
    () => invertSamples(generator, { data: new Float32Array(0), shape: [0, 3] }, { latent: 3, rng }),
    /must be \[N, ...\]/,
  ],
] as const) {
  test(`refuses ${name}`, async () => {
    assert.match((await rejection(Promise.resolve().then(call as () => Promise<unknown>))).message, message);
  });
}
for (const [name, call, message] of [
  ['a sample that is not there', () => samplesAt(pool, [3], [2]), /there is no sample 2; there are 0 to 1/],
  ['data of another shape', () => samplesAt(pool, [2], [0]), /are not 2 samples of \[2\]/],
  [
    'others’ neighbours',
    () => withNeighbours(samples, pool, { k: 1, indices: new Uint32Array(1), distances: new Float64Array(1) }),
    /are not 1 of each of 2/,
  ],
  [
    'statistics of a batch of 1',
    () => standingStatistics(smallGenerator(), { latent: 3, rng, batchSize: 1 }),
    /batch of 1/,
  ],
  [
    'statistics of no batches',
    () => standingStatistics(smallGenerator(), { latent: 3, rng, batches: 0 }),
    /batches must be/,
  ],
] as const) {
  test(`refuses ${name}`, () => {
    assert.throws(call as () => unknown, message);
  });
}

test.run();
