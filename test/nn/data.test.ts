/** Data sets and loaders: order, epochs, rests, resumption, prefetch, errors, leaving early, memory. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memory, Rng, ShapeError, scope, type Tensor, tensor } from '../../engine/index.ts';
import { ArrayDataset, collate, DataLoader, type DataLoaderError, TensorDataset } from '../../nn/index.ts';
import { on, openGpu, read, reference } from '../support/devices.ts';
import { rejection } from '../support/rejection.ts';

const test = suite('data');
const gpu = await openGpu();
const device = reference;

const numbers = (n: number) => Array.from({ length: n }, (_, i) => i);
const valuesOf = (t: Tensor): number[] => Array.from(reference.values(t.storage));
const pause = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));

/** All batches of a loop, as numbers. */
async function batches(loop: AsyncIterable<Tensor>, most = Number.POSITIVE_INFINITY): Promise<number[][]> {
  const found: number[][] = [];
  for await (const b of loop) {
    found.push(valuesOf(b));
    if (found.length === most) break;
  }
  return found;
}

function batchesNow(loop: Iterable<Tensor>, most = Number.POSITIVE_INFINITY): number[][] {
  return scope(() => {
    const found: number[][] = [];
    for (const b of loop) {
      found.push(valuesOf(b));
      if (found.length === most) break;
    }
    return found;
  });
}

test('batches come in order, the rest last, or left out; both loops agree', async () => {
  for (const [dropLast, wanted] of [
    [false, [[0, 1, 2], [3, 4, 5], [6]]],
    [
      true,
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
    ],
  ] as const) {
    const loader = new DataLoader(numbers(7), { batchSize: 3, dropLast, device });
    assert.is(loader.length, wanted.length);
    assert.equal(await batches(loader), wanted);
    assert.equal(batchesNow(loader), wanted);
    assert.equal(await batches(loader.epochs(2)), [...wanted, ...wanted]);
  }
});

test('shuffled epochs are permutations, each another, the same for the same seed', async () => {
  const made = (seed: number) =>
    new DataLoader(numbers(50), { batchSize: 8, shuffle: true, rng: new Rng(seed), device });
  const loader = made(1);
  const epochs = [await batches(loader), await batches(loader), await batches(loader)].map((e) => e.flat());
  for (const e of epochs)
    assert.equal(
      [...e].sort((a, b) => a - b),
      numbers(50),
    );
  assert.is(new Set([...epochs, numbers(50)].map(String)).size, 4);
  assert.equal((await batches(made(1).epochs(3))).flat(), epochs.flat());
  assert.equal(batchesNow(made(1).epochs(3)).flat(), epochs.flat());
  assert.is.not(String((await batches(made(2))).flat()), String(epochs[0]));
});

for (const prefetch of [0, 1, 3]) {
  test(`a state saved in the middle of an epoch goes on as if nothing had happened, prefetch ${prefetch}`, async () => {
    const made = () => new DataLoader(numbers(23), { batchSize: 4, shuffle: true, rng: new Rng(3), prefetch, device });
    const whole = await batches(made().epochs(3));
    assert.is(whole.length, 18);
    for (const stop of [1, 5, 6, 7, 13]) {
      const first = made();
      const begun = await batches(first.epochs(3), stop);
      await pause(5);
      const saved = JSON.parse(JSON.stringify(first.stateDict()));
      // A loop that was left ends its epoch only when another begins.
      assert.equal([saved.epoch, saved.batch], [Math.floor((stop - 1) / 6), ((stop - 1) % 6) + 1]);
      const second = made();
      second.loadStateDict(saved);
      assert.equal(second.stateDict(), saved);
      const rest = await batches(second.epochs(3 - saved.epoch));
      assert.equal([...begun, ...rest], whole);
      const third = made();
      third.loadStateDict(saved);
      assert.equal([...begun, ...batchesNow(third.epochs(3 - saved.epoch))], whole);
    }
  });
}

test('between epochs, the state is that of the next; a loop that is left early has had its epoch', async () => {
  const made = () => new DataLoader(numbers(6), { batchSize: 2, shuffle: true, rng: new Rng(5), device });
  const loader = made();
  const [one, two] = [await batches(loader), await batches(loader)];
  const again = made();
  await batches(again);
  const saved = again.stateDict();
  assert.equal([saved.epoch, saved.batch], [1, 0]);
  const restored = made();
  restored.loadStateDict(saved);
  assert.equal(await batches(restored), two);
  const left = made();
  assert.equal(await batches(left, 1), one.slice(0, 1));
  assert.is(left.stateDict().epoch, 0);
  assert.equal(await batches(left), two);
  assert.equal([left.stateDict().epoch, left.stateDict().batch], [2, 0]);
});

test('no more than `prefetch` batches are under way or ready, and that many are', async () => {
  for (const prefetch of [0, 1, 2, 5]) {
    let [asked, handed, most] = [0, 0, 0];
    const set = {
      length: 60,
      get: async (i: number) => {
        asked++;
        most = Math.max(most, Math.ceil((asked - handed) / 3));
        await pause(i % 3);
        return i;
      },
    };
    const seen: number[] = [];
    for await (const b of new DataLoader(set, { batchSize: 3, prefetch, device })) {
      handed += 3;
      seen.push(...valuesOf(b));
      await pause(6);
      if (handed === 30) assert.is(asked - handed, 3 * prefetch);
    }
    assert.equal(seen, numbers(60));
    assert.is(most, Math.max(1, prefetch));
  }
});

test('an error names the sample and keeps its cause; it comes when its batch is the next', async () => {
  const cause = new Error('bad file');
  const failing = (async: boolean) => ({
    length: 10,
    get: (i: number): number | Promise<number> => {
      if (i !== 5) return async ? Promise.resolve(i) : i;
      if (async) return Promise.reject(cause);
      throw cause;
    },
  });
  const transform = (s: number) => {
    if (s === 5) throw cause;
    return s;
  };
  const before = on(device, memory).tensors;
  const loaders: readonly DataLoader<number>[] = [
    new DataLoader(failing(true), { batchSize: 2, prefetch: 4, device }),
    new DataLoader(failing(false), { batchSize: 2, prefetch: 4, device }),
    new DataLoader(numbers(10), { batchSize: 2, transform, device }),
    new DataLoader(numbers(10), { batchSize: 2, transform: async (s: number) => transform(s), device }),
    new DataLoader(() => numbers(10), { batchSize: 2, transform, device }),
  ];
  for (const loader of loaders) {
    const seen: number[][] = [];
    const error = (await rejection(
      (async () => {
        for await (const b of loader) {
          seen.push(valuesOf(b));
          await pause(2);
        }
      })(),
    )) as DataLoaderError;
    assert.is(error.name, 'DataLoaderError');
    assert.is(error.message, 'DataLoader: sample 5, of batch 2: bad file');
    assert.equal([error.index, error.batch, error.cause], [5, 2, cause]);
    assert.equal(seen, [
      [0, 1],
      [2, 3],
    ]);
  }
  assert.throws(() => batchesNow(loaders[1]!), /sample 5, of batch 2: bad file/);
  assert.is(on(device, memory).tensors, before);
  const stream = function* () {
    yield 1;
    throw cause;
  };
  const error = (await rejection(batches(new DataLoader(stream, { batchSize: 2, device })))) as DataLoaderError;
  assert.is(error.index, 1);
});

test('leaving early asks for nothing more and closes a stream', async () => {
  let asked = 0;
  const set = {
    length: 100,
    get: async (i: number) => {
      asked++;
      return i;
    },
  };
  await batches(new DataLoader(set, { batchSize: 2, prefetch: 3, device }), 2);
  const then = asked;
  assert.ok(then <= 10, `${then}`);
  await pause(10);
  assert.is(asked, then);
  for (const limit of [1, 3]) {
    let [read, closed] = [0, 0];
    const stream = async function* () {
      try {
        for (;;) {
          await pause();
          yield read++;
        }
      } finally {
        closed++;
      }
    };
    const loader = new DataLoader(stream, { batchSize: 2, prefetch: 2, device });
    assert.equal((await batches(loader, limit)).length, limit);
    assert.is(closed, 1);
    const then = read;
    await pause(10);
    assert.is(read, then);
  }
});

test('streams: sync, async, begun anew each epoch; resumed; transforms beside one another', async () => {
  const epochs: number[] = [];
  const stream = async function* (epoch: number) {
    epochs.push(epoch);
    for (let i = 0; i < 7; i++) {
      await pause();
      yield 10 * epoch + i;
    }
  };
  let [running, most] = [0, 0];
  const transform = async (s: number) => {
    most = Math.max(most, ++running);
    await pause(3 - (s % 3));
    running--;
    return -s;
  };
  const made = () => new DataLoader(stream, { batchSize: 3, transform, device });
  const loader = made();
  assert.is(loader.length, undefined);
  const whole = await batches(loader.epochs(2));
  assert.equal(whole, [[-0, -1, -2], [-3, -4, -5], [-6], [-10, -11, -12], [-13, -14, -15], [-16]]);
  assert.equal(epochs, [0, 1]);
  assert.ok(most >= 2);
  const stopped = made();
  await batches(stopped.epochs(), 4);
  const resumed = made();
  const state = stopped.stateDict();
  const wrong: [object, RegExp][] = [
    [{ ...state, batch: 1000 }, /^DataLoader\.loadStateDict: batch must be a whole number from 0 to \d+, not 1000$/],
    [{ ...state, epoch: -1 }, /^DataLoader\.loadStateDict: epoch must be a whole number, 0 or more, not -1$/],
    [{ ...state, rng: { seed: [1], offset: 0 } }, /: a state is two whole numbers/],
    [{ ...state, step: 3 }, /^DataLoader\.loadStateDict: there is no option step/],
  ];
  const fixed = new DataLoader([1, 2, 3], { device });
  for (const [given, message] of wrong) assert.throws(() => fixed.loadStateDict(given as never), message);
  resumed.loadStateDict(stopped.stateDict());
  assert.equal(await batches(resumed), whole.slice(4));
  assert.equal(await batches(new DataLoader(new Set([1, 2, 3]), { batchSize: 2, dropLast: true, device })), [[1, 2]]);
  assert.equal(batchesNow(new DataLoader(() => numbers(3), { batchSize: 2, device })), [[0, 1], [2]]);
});

const bytes = Uint8Array.from({ length: 5 * 6 }, (_, i) => (i * 37) % 256);

for (const where of [reference, gpu]) {
  test(`arrays of bytes become scaled images with labels, on ${where.kind}`, async () => {
    const set = new ArrayDataset({
      image: { data: bytes, shape: [2, 3, 1], scale: 1 / 127.5, shift: -1 },
      label: { data: Uint8Array.of(4, 3, 2, 1, 0) },
    });
    assert.is(set.length, 5);
    const before = on(where, memory).tensors;
    const images: number[] = [];
    const labels: number[] = [];
    for await (const { image, label } of new DataLoader(set, { batchSize: 2, device: where })) {
      assert.equal(image.shape.slice(1), [2, 3, 1]);
      assert.equal(label.shape, image.shape.slice(0, 1));
      images.push(...(await image.data()));
      labels.push(...(await label.data()));
    }
    assert.is(on(where, memory).tensors, before);
    assert.equal(labels, [4, 3, 2, 1, 0]);
    const right = [...bytes].map((v) => (where.dtype === 'float32' ? Math.fround(v / 127.5 - 1) : v * (1 / 127.5) - 1));
    assert.equal(images, right);
    // The same over and over leaves the same memory.
    const loader = new DataLoader(set, { batchSize: 2, shuffle: true, device: where });
    const count = async () => {
      for await (const { image } of loader.epochs(2)) scope(() => void image.square().sum());
      const { tensors, buffers, bytes: used } = on(where, memory);
      return [tensors, buffers, used];
    };
    const once = await count();
    assert.equal(await count(), once);
  });

  test(`tensors make batches on their device, ${where.kind}`, async () => {
    const x = tensor(Float32Array.from(numbers(10)), { shape: [5, 2], device: where });
    const y = tensor(numbers(5), { device: where });
    const set = new TensorDataset({ x, y });
    const before = on(where, memory).tensors;
    const loader = new DataLoader(set, { batchSize: 2, shuffle: true, rng: new Rng(2), device: where });
    const order: number[] = [];
    for await (const b of loader) {
      const ys = [...(await b.y.data())];
      order.push(...ys);
      assert.equal(
        [...(await b.x.data())],
        ys.flatMap((i) => [2 * i, 2 * i + 1]),
      );
    }
    assert.equal([...order].sort(), numbers(5));
    assert.is.not(String(order), String(numbers(5)));
    assert.is(on(where, memory).tensors, before);
    const [one] = await read(where, () => [set.get(3).x]);
    assert.equal([...one!], [6, 7]);
    assert.throws(() => new DataLoader(set, { transform: (s) => s }), /makes whole batches/);
    x.dispose();
    y.dispose();
  });
}

test('who frees batches: the loader, the scope of a plain loop, or with keepBatches the caller', async () => {
  const before = on(device, memory).tensors;
  const held: Tensor[] = [];
  for await (const b of new DataLoader(numbers(4), { batchSize: 2, device })) {
    if (held.length > 0) assert.ok(held[0]!.isDisposed);
    held.push(b);
    assert.not(b.isDisposed);
  }
  assert.ok(held[1]!.isDisposed);
  const kept: Tensor[] = [];
  for await (const b of new DataLoader(numbers(4), { batchSize: 2, keepBatches: true, device })) kept.push(b);
  assert.equal(kept.map(valuesOf), [
    [0, 1],
    [2, 3],
  ]);
  for (const t of kept) t.dispose();
  const two = new DataLoader(numbers(4), { batchSize: 2, device })[Symbol.iterator]();
  scope(() => {
    const [a, b] = [two.next().value as Tensor, two.next().value as Tensor];
    assert.equal(
      [valuesOf(a), valuesOf(b)],
      [
        [0, 1],
        [2, 3],
      ],
    );
  });
  assert.is(on(device, memory).tensors, before);
});

test('samples of every kind are stacked; others are refused, by name', () => {
  scope(() =>
    on(device, () => {
      assert.equal(valuesOf(collate([1, 2])), [1, 2]);
      assert.equal(collate([Float32Array.of(1, 2), Float32Array.of(3, 4)]).shape, [2, 2]);
      assert.equal(collate([tensor([[1, 2]])]).shape, [1, 1, 2]);
      const made = collate([{ a: 1, b: { data: Int8Array.of(-1, 2), shape: [2, 1], shift: 1 }, c: tensor([5]) }]);
      assert.equal(valuesOf(made.b), [0, 3]);
      assert.equal([made.a.shape, made.b.shape, made.c.shape], [[1], [1, 2, 1], [1, 1]]);
      const throws = (fn: () => unknown, type: string, message: RegExp) =>
        assert.throws(fn, (e: Error) => e.name === type && message.test(e.message));
      throws(() => collate([]), 'TypeError', /there are no samples/);
      throws(() => collate(['a']), 'TypeError', /a sample is a number, an array, a tensor, or a record/);
      throws(() => collate([{ a: 1 }, { b: 1 }]), 'TypeError', /one has a, another b/);
      throws(() => collate([{ a: 1 }, 2] as unknown[]), 'TypeError', /one has a, another no names/);
      throws(() => collate([{ a: [1] }]), 'TypeError', /a is an array; a value is a number, a typed array/);
      throws(() => collate([{ a: 1 }, { a: tensor([1]) }]), 'TypeError', /a is a tensor among others/);
      const image = (n: number) => ({ image: { data: new Uint8Array(n), shape: [n, 1] } });
      throws(
        () => collate([image(2), image(3)]),
        'ShapeError',
        /image of samples differ in shape: \[2,1\] and \[3,1\]/,
      );
      throws(
        () => collate([{ data: new Uint8Array(3), shape: [2] }]),
        'ShapeError',
        /3 numbers do not fill the shape \[2\]/,
      );
      throws(() => collate([{ data: new Uint8Array(3), label: 1 }]), 'TypeError', /\{ data, label \}: .* rename data/);
    }),
  );
});

test("a collate of one's own makes any batch; what it leaves behind is freed", async () => {
  const before = on(device, memory).tensors;
  const pad = (words: readonly number[][]) => {
    const length = Math.max(...words.map((w) => w.length));
    const rows = words.map((w) => [...w, ...Array<number>(length - w.length).fill(0)]);
    return { words: tensor(rows).add(0), lengths: [tensor(words.map((w) => w.length))] as const, n: words.length };
  };
  const loader = new DataLoader([[1], [2, 3], [4]], { batchSize: 2, collate: pad, device });
  const seen: unknown[] = [];
  for await (const { words, lengths, n } of loader) seen.push([valuesOf(words), valuesOf(lengths[0]), n]);
  assert.equal(seen, [
    [[1, 0, 2, 3], [1, 2], 2],
    [[4], [1], 1],
  ]);
  assert.is(on(device, memory).tensors, before);
});

test('options that do not fit are named', async () => {
  const throws = (fn: () => unknown, message: RegExp) => assert.throws(fn, message);
  throws(() => new DataLoader([1], { batchSize: 0 }), /batchSize must be a whole number, 1 or more, not 0/);
  throws(() => new DataLoader([1], { prefetch: 1.5 }), /prefetch must be a whole number, 0 or more, not 1.5/);
  throws(
    () => new DataLoader([1], { batchSize: 2, dropLast: true }),
    /a batch of 2 needs as many samples, and there are 1/,
  );
  throws(() => new DataLoader(() => [1], { shuffle: true }), /a stream has no order to shuffle/);
  throws(() => new DataLoader([1], { workers: 2 } as never), /there is no option workers/);
  const later = { length: 1, get: () => Promise.resolve(1) };
  throws(() => batchesNow(new DataLoader(later, { device })), /samples come as promises; loop with `for await`/);
  assert.match(
    (await rejection(batches(new DataLoader<number>([], { device }).epochs()))).message,
    /would look .* for ever/,
  );
  assert.equal(await batches(new DataLoader<number>([], { device })), []);
  throws(
    () => new ArrayDataset({ a: { data: new Uint8Array(5), shape: [2] } }),
    /5 numbers, no whole number of samples/,
  );
  throws(
    () => new ArrayDataset({ a: { data: new Uint8Array(2) }, b: { data: new Uint8Array(3) } }),
    /a has 2 .* b has 3/,
  );
  const scalar = tensor(1, { device });
  assert.throws(
    () => new TensorDataset({ scalar }),
    (e: Error) => e instanceof ShapeError && /is a scalar/.test(e.message),
  );
  scalar.dispose();
});

test('a sample that does not exist is an error, not an empty one', () => {
  const bytes = new ArrayDataset({ x: { data: new Uint8Array(6), shape: [2] } });
  const t = tensor([1, 2, 3], { device });
  const rows = new TensorDataset({ t });
  for (const index of [-1, 3, 0.5, Number.NaN]) {
    const says = (op: string) => new RegExp(`^${op}: index ${index} .* whole numbers from 0 to 2$`);
    assert.throws(() => bytes.get(index), says('ArrayDataset'));
    assert.throws(() => rows.get(index), says('TensorDataset'));
    assert.throws(() => rows.getBatch([0, index]), says('TensorDataset'));
  }
  assert.is(bytes.get(2).x.data.length, 2);
  t.dispose();
});

test.after(() => gpu.destroy());
test.run();
