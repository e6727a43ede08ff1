/** The replay pool against one in plain JavaScript that draws the same numbers, in eager and in compiled steps. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { setDevice } from '../../engine/device.ts';
import { compile, grad, memory, Rng, scope, type Tensor, tensor } from '../../engine/index.ts';
import { ReplayPool } from '../../gan/index.ts';
import * as nn from '../../nn/index.ts';
import { openGpu, reference } from '../support/devices.ts';

const test = suite('replay pool');
const gpu = await openGpu();
const devices = { webgpu: gpu, reference };
test.after(() => gpu.destroy());

/** The pool in words: samples are numbers. */
class HostPool {
  readonly samples: number[] = [];
  private readonly size: number;
  private readonly rng: Rng;

  constructor(size: number, seed: number) {
    this.size = size;
    this.rng = new Rng(seed);
  }

  exchange(fresh: readonly number[]): number[] {
    const keys = this.rng.hostUniform(this.size);
    const coins = this.rng.hostUniform(fresh.length);
    const before = this.samples.length;
    const shuffled = this.samples.map((_, i) => i).sort((a, b) => keys[a]! - keys[b]!);
    return fresh.map((sample, i) => {
      if (before + i < this.size) {
        this.samples.push(sample);
        return sample;
      }
      const place = shuffled[i - (this.size - before)]!;
      if (!(coins[i]! < 0.5)) return sample;
      const old = this.samples[place]!;
      this.samples[place] = sample;
      return old;
    });
  }
}

/** Numbers of samples that a run gives, one batch after the other; more than fit, and some that fill it half way. */
const BATCHES = [2, 2, 3, 1, 7, 2, 2, 2, 4, 1, 1, 5, 2, 2, 3];

/** Batches of samples [2, 1], each like no other: k and -k. */
const batchesOf = (counts: readonly number[]): number[][] => {
  let next = 1;
  return counts.map((n) => Array.from({ length: n }, () => next++));
};
const asTensor = (ids: readonly number[]): Tensor =>
  tensor(
    ids.flatMap((k) => [k, -k]),
    { shape: [ids.length, 2, 1] },
  );
const idsOf = async (t: Tensor): Promise<number[]> => {
  const values = Array.from(await t.data());
  assert.ok(
    values.every((v, i) => i % 2 === 0 || v === -values[i - 1]!),
    'a sample is whole',
  );
  return values.filter((_, i) => i % 2 === 0);
};

for (const [kind, device] of Object.entries(devices)) {
  for (const mode of ['eager', 'compiled'] as const) {
    test(`${kind}, ${mode}: gives and keeps what the pool in JavaScript does`, async () => {
      setDevice(device);
      const pool = new ReplayPool([2, 1], new Rng(3), { size: 7 });
      const host = new HostPool(7, 3);
      const exchange = (x: Tensor) => pool.exchange(x);
      const step = mode === 'eager' ? exchange : compile(exchange);
      let old = 0;
      for (const ids of batchesOf([...BATCHES, ...BATCHES])) {
        const before = [...host.samples];
        const wanted = host.exchange(ids);
        assert.equal(await scope(() => idsOf(step(asTensor(ids)))), wanted);
        const kept = await idsOf(pool.samples);
        assert.equal(kept.slice(0, host.samples.length), host.samples);
        assert.ok(kept.slice(host.samples.length).every((v) => v === 0));
        assert.is(await pool.filled.item(), host.samples.length);
        const free = 7 - before.length;
        assert.equal(wanted.slice(0, free), ids.slice(0, free), 'while there are free places, what is new comes back');
        old += wanted.filter((k) => !ids.includes(k)).length;
      }
      assert.ok(old > 20, `${old} old samples came back`);
      pool.dispose();
    });
  }
}

test('half of what comes back once it is full is old, from every place, and no sample is lost or doubled', async () => {
  setDevice(gpu);
  const [size, n, rounds] = [20, 5, 400];
  const pool = new ReplayPool([], new Rng(8), { size });
  const step = compile((x: Tensor) => pool.exchange(x));
  const ids = batchesOf(Array.from({ length: rounds }, () => n));
  const given = ids.map((batch) => tensor(batch));
  const outputs = await Promise.all(given.map((x) => scope(() => step(x).data())));
  const returned = outputs.flatMap((v) => Array.from(v));
  const kept = Array.from(await pool.samples.data());
  // While it fills, samples are both returned and kept; from then on what goes in or past comes out once.
  const full = size / n;
  const filling = ids.slice(0, full).flat();
  assert.equal(returned.slice(0, size), filling);
  const sorted = (v: readonly number[]) => [...v].sort((a, b) => a - b);
  assert.equal(sorted([...returned.slice(size), ...kept]), sorted(ids.flat()));
  const late = outputs.slice(full).map((v, k) => Array.from(v).map((id, i) => id !== ids[k + full]![i]));
  const share = late.flat().filter(Boolean).length / late.flat().length;
  const deviation = Math.sqrt(0.25 / late.flat().length);
  assert.ok(Math.abs(share - 0.5) < 4 * deviation, `${share} are old`);
  for (let i = 0; i < n; i++) {
    const own = late.filter((batch) => batch[i]).length / late.length;
    assert.ok(Math.abs(own - 0.5) < 4 * Math.sqrt(0.25 / late.length), `${own} at place ${i} of the batch`);
  }
  // An old sample stays for as long as it is not drawn: each of the places alike, with chance n / (2 size) a round.
  const ages = outputs.slice(full).flatMap((v, k) => {
    return Array.from(v).flatMap((id, i) => (late[k]![i] ? [k + full - Math.floor((id - 1) / n)] : []));
  });
  const mean = ages.reduce((a, b) => a + b, 0) / ages.length;
  assert.ok(Math.abs(mean - (2 * size) / n) < 1, `samples stay ${mean} rounds on average, not ${(2 * size) / n}`);
  step.dispose();
  pool.dispose();
});

/** The bits of a tensor on WebGPU. */
const bitsOf = async (t: Tensor): Promise<number[]> => {
  const { buffer } = (await t.data()) as Float32Array<ArrayBuffer>;
  return Array.from(new Uint32Array(buffer));
};

test('values keep their bits, and the same seed gives the same ones', async () => {
  setDevice(gpu);
  const odd = [-0, Number.NaN, Number.POSITIVE_INFINITY, -1e-30, 3.4e38, 0.1];
  const runs = await Promise.all(
    [4, 4, 5].map(async (seed) => {
      const pool = new ReplayPool([1], new Rng(seed), { size: 4 });
      const found: number[][] = [];
      for (let k = 0; k < 12; k++) {
        const x = tensor([odd[k % 6]!, odd[(k + 1) % 6]!, odd[(5 * k + 2) % 6]!], { shape: [3, 1] });
        found.push(await bitsOf(pool.exchange(x)));
      }
      return { found, all: await bitsOf(pool.samples) };
    }),
  );
  assert.equal(runs[0], runs[1]);
  assert.not.equal(runs[0], runs[2]);
  const known = await bitsOf(tensor(odd));
  for (const bits of [...runs.flatMap(({ found }) => found.flat()), ...runs.flatMap(({ all }) => all)]) {
    assert.ok(known.includes(bits), bits.toString(16));
  }
});

for (const mode of ['eager', 'compiled'] as const) {
  test(`${mode}: goes on from a checkpoint bit for bit, with its random numbers`, async () => {
    setDevice(gpu);
    const start = (seed: number) => {
      const pool = new ReplayPool([2, 1], new Rng(seed), { size: 6 });
      const exchange = (x: Tensor) => pool.exchange(x);
      return { pool, step: mode === 'eager' ? exchange : compile(exchange) };
    };
    const run = async ({ step }: ReturnType<typeof start>, batches: readonly number[][]) => {
      const found: number[][] = [];
      for (const ids of batches) found.push(await scope(() => idsOf(step(asTensor(ids)))));
      return found;
    };
    const batches = batchesOf([2, 2, 1, 3, 2, 2, 6, 1]);
    for (const cut of [2, 4]) {
      const straight = start(1);
      await run(straight, batches.slice(0, cut));
      const bytes = await nn.encodeCheckpoint({ pool: straight.pool });
      const wanted = await run(straight, batches.slice(cut));
      const fresh = start(2);
      await run(fresh, batches.slice(0, 3));
      await nn.decodeCheckpoint(bytes, { pool: fresh.pool });
      assert.equal(await run(fresh, batches.slice(cut)), wanted, `from step ${cut}`);
      assert.equal(await idsOf(fresh.pool.samples), await idsOf(straight.pool.samples));
      assert.is(fresh.pool.rng.offset, straight.pool.rng.offset);
      const larger = new ReplayPool([2, 1], new Rng(1), { size: 8 });
      await nn.decodeCheckpoint(bytes, { pool: larger }).then(
        () => assert.unreachable('another size was loaded'),
        (e: Error) => assert.match(e.message, /pool\.samples is \[6,2,1\], not \[8,2,1\]/),
      );
    }
  });
}

test('memory stands still, and dispose gives it back', async () => {
  setDevice(gpu);
  const start = memory();
  const pool = new ReplayPool([8], new Rng(1), { size: 10 });
  const step = compile((x: Tensor) => pool.exchange(x).sum());
  const both = () =>
    scope(() => {
      pool.exchange(tensor(new Float32Array(24), { shape: [3, 8] }));
      return step(tensor(new Float32Array(16), { shape: [2, 8] })).item();
    });
  for (let k = 0; k < 4; k++) await both();
  const before = memory();
  for (let k = 0; k < 20; k++) await both();
  assert.equal(memory(), before);
  step.dispose();
  pool.dispose();
  assert.is(memory().tensors, start.tensors);
  assert.is(memory().buffers, start.buffers);
});

test('what comes out is a constant, and what went in keeps its graph', async () => {
  setDevice(reference);
  const w = tensor([2], { requiresGrad: true });
  const pool = new ReplayPool([1], new Rng(1), { size: 2 });
  const fake = w.mul(tensor([[1], [2]]));
  const seen = pool.exchange(fake);
  assert.is(seen.requiresGrad, false);
  const [g] = grad(fake.sum(), [w]);
  assert.is(await g!.item(), 3);
  assert.equal(pool.parameters(), []);
  assert.equal(String(pool), 'ReplayPool(size 2, samples [1])');
  const twin = new ReplayPool([1], new Rng(1), { size: 2 });
  twin.forward(fake);
  for (let k = 0; k < 5; k++) {
    assert.equal(await twin.forward(tensor([[k]])).array(), await pool.exchange(tensor([[k]])).array());
  }
});

test('slips are named, and change nothing', async () => {
  setDevice(reference);
  const rng = new Rng(1);
  const pool = new ReplayPool([2], rng, { size: 3 });
  assert.throws(
    () => pool.exchange(tensor(new Float32Array(8), { shape: [4, 2] })),
    /^ReplayPool: 4 samples at once do not fit into a pool of 3: make it larger, \{ size: 4 \}, or give fewer$/,
  );
  for (const shape of [[3], [2, 3], [0, 2], [], [1, 1, 2]]) {
    const message = new RegExp(`^ReplayPool: samples \\[${shape}\\] do not fit: it takes \\[N,2\\], N of 1 or more$`);
    assert.throws(() => pool.exchange(tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), { shape })), message);
  }
  assert.equal([rng.offset, await pool.filled.item()], [0, 0]);
  assert.throws(() => new ReplayPool([2], rng, { size: 0 }), /size must be a whole number, 1 or more, not 0/);
  assert.throws(() => new ReplayPool([2], rng, { places: 3 } as never), /there is no option places; there are size/);
});

test.run();
