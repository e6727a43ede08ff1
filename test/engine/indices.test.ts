/** What the op table's cases do not reach: NaN, ties, zeros, indices out of range, and errors. On both devices. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { apply } from '../../engine/autograd/apply.ts';
import {
  argmax,
  argmin,
  argsort,
  crossEntropy,
  cumprod,
  cumsum,
  diag,
  embedding,
  full,
  gather,
  grad,
  gridSample,
  indexSelect,
  keep,
  logSumExp,
  max,
  maxPool2d,
  min,
  nllLoss,
  norm,
  oneHot,
  pad,
  prod,
  Rng,
  roll,
  ShapeError,
  scatterAdd,
  scope,
  sort,
  split,
  std,
  type Tensor,
  take,
  tensor,
  topk,
  tril,
  withDevice,
} from '../../engine/index.ts';
import { gatherRow } from '../../engine/ops/indexing.ts';
import { sortRows, topkInPieces } from '../../engine/ops/sort.ts';
import { gather as gatherPlan, scatter as scatterPlan } from '../../kernels/gather.ts';
import { multiMarginLoss, TensorDataset } from '../../nn/index.ts';
import { openGpu, read, reference } from '../support/devices.ts';

const gpu = await openGpu();
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Runs `fn` on both devices; each result must be the list of numbers given. */
async function gives(fn: () => readonly Tensor[], ...expected: readonly (readonly number[])[]): Promise<void> {
  for (const device of [reference, gpu]) {
    const found = await read(device, fn);
    found.forEach((values, i) => {
      assert.equal([...values], expected[i], `${device.kind}, tensor ${i}`);
    });
  }
}

const slope = (fn: (x: Tensor) => Tensor, values: readonly number[]) => () => {
  const x = tensor(values, { requiresGrad: true });
  return grad(fn(x).sum(), [x]);
};

test('sort puts NaN above all, keeps equal elements in order, and takes -0 for 0', async () => {
  const values = [3, nan, -inf, 0, -0, inf, 3, -1];
  await gives(() => [argsort(tensor(values))], [2, 7, 3, 4, 0, 6, 5, 1]);
  await gives(() => [argsort(tensor(values), 0, { descending: true })], [1, 5, 0, 6, 3, 4, 7, 2]);
  await gives(() => [sort(tensor([2, nan, 1])).values], [1, 2, nan]);
  await gives(
    () => [topk(tensor([2, 5, 5, 1]), 2).indices, topk(tensor([2, 5, 1, 1]), 2, 0, { largest: false }).indices],
    [1, 2],
    [2, 3],
  );
});

test('sort of many elements', async () => {
  const n = 70_001;
  const values = Float32Array.from({ length: n }, (_, i) => ((i * 48_271) % 65_537) - 30_000);
  const [found] = await read(gpu, () => [sort(tensor(values)).values]);
  assert.equal([...found!], [...values.slice().sort()]);
});

test('argmax and argmin give the first of equal elements, and the first NaN', async () => {
  await gives(() => [argmax(tensor([1, 3, 3])), argmin(tensor([2, 1, 1]))], [1], [1]);
  await gives(() => [argmax(tensor([1, nan, 3, nan])), argmin(tensor([1, nan, 3]))], [1], [1]);
  await gives(() => [argmax(full([5000], 2)), argmin(tensor([-inf, -inf]))], [0], [0]);
});

test('max and min see NaN and infinity, and ties share the gradient', async () => {
  await gives(() => [max(tensor([1, nan, 3])), min(tensor([nan, 1])), max(tensor([-inf, -inf]))], [nan], [nan], [-inf]);
  await gives(slope(max, [2, 1, 2]), [0.5, 0, 0.5]);
  await gives(slope(min, [1, 1, 2]), [0.5, 0.5, 0]);
});

test('derivatives at zeros', async () => {
  await gives(
    slope((x) => prod(x), [0, 2, 3]),
    [6, 0, 0],
  );
  await gives(
    slope((x) => prod(x), [0, 2, 0]),
    [0, 0, 0],
  );
  await gives(
    slope((x) => cumprod(x, 0), [2, 0, 3]),
    [1, 8, 0],
  );
  await gives(
    slope((x) => norm(x), [0, 0]),
    [0, 0],
  );
  await gives(
    slope((x) => norm(x, 3), [0, 0]),
    [0, 0],
  );
  await gives(
    slope((x) => std(x), [1, 1]),
    [0, 0],
  );
});

test('logSumExp of infinities', async () => {
  await gives(
    () => [logSumExp(tensor([-inf, -inf])), logSumExp(tensor([inf, 0])), logSumExp(tensor([]))],
    [-inf],
    [inf],
    [-inf],
  );
  await gives(() => [logSumExp(tensor([-inf, 1000]))], [1000]);
});

/** No places of 3, and between them place 1. */
const WILD = [-1, 1, 3, 1e9, nan, 1.5, inf, -inf, -0.5, 2 ** 32, 3.4e38, 1e-40];
const wild = () => tensor(WILD);
const dropped = WILD.map((at) => (at === 1 ? 2 : nan));

test('on WebGPU an index that is no place reads as NaN, and what is added there is dropped', async () => {
  const x = () => tensor([1, 2, 3], { requiresGrad: true });
  const [a, b, c, sums, ones, rows, ga, gb] = await read(gpu, () => {
    const [p, q] = [x(), x()];
    const [a, b] = [gather(p, 0, wild()), take(q, wild(), 0)];
    return [
      ...[a, b, indexSelect(x(), wild())],
      ...[scatterAdd(x(), 0, wild(), full([WILD.length], 1)), oneHot(wild(), 3).sum(1)],
      embedding(tensor([[1], [2], [3]]), wild()).reshape([-1]),
      ...[grad(a.sum(), [p])[0]!, grad(b.sum(), [q])[0]!],
    ];
  });
  for (const found of [a!, b!, c!, rows!]) assert.equal([...found], dropped);
  assert.equal([...sums!], [1, 3, 3]);
  assert.equal(
    [...ones!],
    WILD.map((at) => Number(at === 1)),
  );
  assert.equal([...ga!], [0, 1, 0]);
  assert.equal([...gb!], [0, 1, 0]);
  const labels = WILD.length;
  const losses = await read(gpu, () => [
    nllLoss(full([labels, 3], -1), wild(), { reduction: 'none' }),
    crossEntropy(full([labels, 3], 0), wild(), { reduction: 'none' }),
  ]);
  for (const found of losses) {
    assert.equal(
      [...found].map((v) => !Number.isNaN(v)),
      WILD.map((at) => at === 1),
    );
  }
  assert.equal([...(await read(gpu, () => [take(tensor([5, 6]), tensor([-0, 1]), 0)]))[0]!], [5, 6]);
});

test('memory around the tensors is neither read nor written by an index', async () => {
  const guard = 64;
  const walk = { A: 1, R: 3, K: WILD.length, B: 1, shared: true };
  const [x, source, index, y, z] = withDevice(gpu, () =>
    scope(() => [3, WILD.length, 0, WILD.length, 3].map((n) => keep(full([n + 2 * guard], 777)))),
  ) as [Tensor, Tensor, Tensor, Tensor, Tensor];
  const inner = (t: Tensor) => gpu.view(t.storage, guard, t.size - 2 * guard);
  gpu.write(inner(x), [1, 2, 3]);
  gpu.write(
    inner(source),
    WILD.map(() => 1),
  );
  const at = withDevice(gpu, () => keep(wild()));
  gpu.dispatch(gatherPlan(walk).dispatches, [inner(x), at.storage, inner(y)]);
  gpu.dispatch(scatterPlan(walk).dispatches, [inner(source), at.storage, inner(z)]);
  const around = new Array<number>(guard).fill(777);
  assert.equal([...(await y.data())], [...around, ...dropped, ...around]);
  assert.equal([...(await z.data())], [...around, 0, 1, 0, ...around]);
  for (const t of [x, source, index, y, z, at]) t.dispose();
});

test('where its value lies on the host, an index that is no place is an error', () => {
  const table = tensor([[1], [2], [3]], { device: reference });
  const x = table.reshape([3]);
  const scores = tensor([0, 1, 2, 3], { shape: [1, 4], device: reference });
  const on = (v: number) => tensor([1, v], { device: reference });
  const ops: Record<string, (v: number) => unknown> = {
    gather: (v) => gather(x, 0, on(v)),
    take: (v) => take(x, on(v), 0),
    indexSelect: (v) => indexSelect(x, on(v)),
    embedding: (v) => embedding(table, on(v)),
    scatterAdd: (v) => scatterAdd(x, 0, on(v), on(1)),
    oneHot: (v) => oneHot(on(v), 3),
    crossEntropy: (v) => crossEntropy(scores.reshape([2, 2]), on(v)),
    nllLoss: (v) => nllLoss(scores.reshape([2, 2]), on(v)),
    multiMarginLoss: (v) => multiMarginLoss(scores.reshape([2, 2]), on(v)),
    take_: (v) => take(x, [1, v], 0),
    indexSelect_: (v) => indexSelect(x, [1, v]),
    embedding_: (v) => embedding(table, [1, v]),
  };
  scope(() => {
    for (const [name, fn] of Object.entries(ops)) {
      fn(0);
      for (const v of [-1, 3, 1.5, nan, inf]) {
        const says = new RegExp(
          `^${name.replace('_', '')}: index ${v} \\(element 1\\) is no place: .* from 0 to [12]$`,
        );
        assert.throws(
          () => fn(v),
          (e: Error) => e instanceof RangeError && says.test(e.message),
          `${name} of ${v}`,
        );
      }
    }
  });
  for (const t of [table, x, scores]) t.dispose();
});

test('a list of indices gives what a tensor of them does', async () => {
  await gives(
    () => [
      take(tensor([1, 2, 3]), [2, 0], 0),
      embedding(
        tensor([
          [1, 2],
          [3, 4],
        ]),
        [1],
      ),
    ],
    [3, 1],
    [3, 4],
  );
});

test('past 2^24 places a list of indices is right, and what floats would round is refused', async () => {
  const n = 2 ** 24 + 8;
  const at = [2 ** 24 + 1, 2 ** 24, 3, n - 1];
  const x = tensor(
    Float32Array.from({ length: n }, (_, i) => (i < 2 ** 24 ? 0 : i - 2 ** 24 + 1)),
    { device: gpu, requiresGrad: true },
  );
  const found = await scope(() => indexSelect(x, at).data());
  assert.equal([...found], [2, 1, 0, 8]);
  const slope = await scope(() =>
    grad(
      take(x, at, 0)
        .mul(tensor([3, 5, 7, 9], { device: gpu }))
        .sum(),
      [x],
    )[0]!.data(),
  );
  assert.equal([...slope.slice(2 ** 24 - 1)].concat(slope[3]!), [0, 5, 3, 0, 0, 0, 0, 0, 9, 7]);
  const set = new TensorDataset({ x });
  assert.equal([...(await scope(() => set.getBatch(at).x.data()))], [2, 1, 0, 8]);
  const index = tensor([0], { device: gpu });
  const rows: readonly (readonly [() => unknown, RegExp])[] = [
    [() => argmax(x), /^argmax: a place among 16777224 elements of tensor \[16777224\] is a whole number above 2\^24/],
    [() => argmin(x, 0), /^argmin: a place among/],
    [() => argsort(x), /^argsort: a place among/],
    [() => new Rng(1).categorical(x), /^categorical: a place among/],
    [
      () => take(x, index, 0),
      /^take: there are 16777224 places, and indices in a float32 tensor are exact up to 2\^24/,
    ],
    [() => gather(x, 0, index), /^gather: there are/],
    [() => scatterAdd(x, 0, index, index), /^scatterAdd: there are/],
    [() => oneHot(index, n), /^oneHot: there are/],
    [() => crossEntropy(x, index.reshape([])), /^crossEntropy: there are/],
    [() => new Rng(1).permutation(n), /^permutation: n must be at most 2\^24/],
  ];
  scope(() => {
    for (const [fn, message] of rows) {
      assert.throws(fn, (e: Error) => e instanceof RangeError && message.test(e.message), String(message));
    }
  });
  x.dispose();
  index.dispose();
});

test('an order in bits, for axes that floats cannot count, gives the values and gradients of one in floats', async () => {
  const shape = [2, 9, 3];
  const values = new Rng(3).hostNormal(54);
  const weights = new Rng(4).hostNormal(24);
  const run = (bits: boolean) => () => {
    const x = tensor(values, { shape, requiresGrad: true });
    const order = apply(sortRows.argsort, [x], { axis: 1, descending: true, ...(bits && { bits }) })[0];
    const y = bits
      ? apply(gatherRow, [x, order], { axis: 1, bits: true, first: 4 })[0]
      : gather(x, 1, order.slice([[], [0, 4], []]));
    const h = y.square().mul(tensor(weights, { shape: [2, 4, 3] }));
    const [g] = grad(h.sum(), [x], { createGraph: true });
    return [y, g!, grad(g!.square().sum(), [x])[0]!];
  };
  for (const device of [reference, gpu]) {
    assert.equal(await read(device, run(true)), await read(device, run(false)), device.kind);
  }
});

test('topk by pieces is topk, with its ties, NaN and gradients', async () => {
  const values = Float32Array.from({ length: 2 * 1003 * 2 }, (_, i) =>
    i % 97 === 5 ? nan : ((i * 48_271) % 211) - 100,
  );
  for (const [k, largest] of [
    [3, true],
    [3, false],
    [0, true],
    [7, false],
  ] as const) {
    const run = (pick: (x: Tensor) => Tensor) => () => {
      const x = tensor(values, { shape: [2, 1003, 2], requiresGrad: true });
      const y = pick(x);
      return [y, grad(y.mul(2).sum(), [x])[0]!];
    };
    for (const device of [reference, gpu]) {
      const lists = async (pick: (x: Tensor) => Tensor) => (await read(device, run(pick))).map((v) => [...v]);
      assert.equal(
        await lists((x) => topkInPieces(x, k, 1, largest)),
        await lists((x) => topk(x, k, 1, { largest }).values),
        `${device.kind}, ${k} of the ${largest ? 'largest' : 'smallest'}`,
      );
    }
  }
});

test('sizes past 65,535 workgroups and 2^24 elements', async () => {
  const n = 2 ** 24 + 8;
  const data = Float32Array.from({ length: n }, (_, i) => (i % 251) - 125);
  data[n - 2] = 500;
  const x = tensor(data, { device: gpu });
  const [end, columns, turned, most] = await read(gpu, () => [
    x.add(x).slice([[n - 3, n]]),
    x
      .reshape([n / 8, 8])
      .mul(0)
      .add(tensor([0, 1, 2, 3, 4, 5, 6, 7]))
      .mean(0),
    x.flip(0).slice([[0, 3]]),
    topk(x, 2).values,
  ]);
  assert.equal(
    [...end!],
    [...data.slice(-3)].map((v) => 2 * v),
  );
  assert.equal([...columns!].map(Math.round), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.equal([...turned!], [...data.slice(-3)].reverse());
  assert.equal([...most!], [500, 125]);
  assert.throws(() => topk(x, 2).indices, /^topk\(\)\.indices: a place among 16777224 elements/);
  const [products] = await read(gpu, () => [full([70_000, 2, 3], 1).matmul(full([70_000, 3, 2], 2))]);
  assert.ok(products!.every((v) => v === 6));
  x.dispose();
});

test('pooling and sampling keep whole numbers where an image has more places than floats count', async () => {
  const [h, w] = [4099, 4098];
  const x = tensor(new Float32Array(h * w).fill(-1), { shape: [1, h, w, 1], device: gpu, requiresGrad: true });
  const corner = new Float32Array(h * w);
  corner[h * w - 1] = 1;
  corner[h * w - 2] = 0.5;
  corner[2] = 0.25;
  x.assign(corner);
  const [y, slope] = await read(gpu, () => {
    const y = maxPool2d(x, [h, 3]);
    return [y, grad(y.sum(), [x])[0]!];
  });
  assert.is(y!.length, 1366);
  assert.equal([y![0], y![1364], y![1365]], [0.25, 0, 1]);
  assert.equal([...slope!.slice(-4)], [0, 0, 0, 1]);
  const at = (i: number, size: number) => (2 * i + 1) / size - 1; // the middle of pixel i
  const [seen, back] = await read(gpu, () => {
    const grid = tensor([at(w - 1, w), at(h - 1, h), at(w - 2, w), at(h - 1, h)], { shape: [1, 1, 2, 2] });
    const z = gridSample(x, grid);
    return [z, grad(z.sum(), [x])[0]!];
  });
  const close = (a: number, b: number) => assert.ok(Math.abs(a - b) < 2e-3, `${a}, not ${b}`);
  close(seen![0]!, 1);
  close(seen![1]!, 0.5);
  close(back![h * w - 1]!, 1);
  close(back![h * w - 2]!, 1);
  x.dispose();
});

test('a permutation of more than 2^24 is one, and draws bits for the places that 24 do not reach', () => {
  const n = 2 ** 24 + 4096;
  const rng = new Rng(5);
  const order = rng.hostPermutation(n);
  const seen = new Uint8Array(n);
  for (const i of order) seen[i] = 1;
  assert.is(seen.indexOf(0), -1);
  assert.is(rng.offset, n / 2 + 4096 / 2);
});

test('values of the movers are those of NumPy and PyTorch', async () => {
  const x = () =>
    tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
  await gives(() => [pad(tensor([1, 2, 3]), [[2, 1]], { mode: 'reflect' })], [3, 2, 1, 2, 3, 2]);
  await gives(
    () => [pad(tensor([1, 2]), [[1, 2]], { mode: 'replicate' }), pad(tensor([1, 2]), [[1, 0]], { value: inf })],
    [1, 1, 2, 2, 2],
    [inf, 1, 2],
  );
  await gives(() => [roll(x(), 1), roll(x(), [1, -1], [0, 1])], [6, 1, 2, 3, 4, 5], [5, 6, 4, 2, 3, 1]);
  await gives(() => [diag(x(), 1), diag(tensor([7, 8]), -1)], [2, 6], [0, 0, 0, 7, 0, 0, 0, 8, 0]);
  await gives(
    () => [
      tril(
        tensor([
          [1, nan],
          [2, 3],
        ]),
      ),
      cumsum(x(), 1, { reverse: true }),
    ],
    [1, 0, 2, 3],
    [6, 5, 3, 15, 11, 6],
  );
  await gives(() => split(tensor([1, 2, 3]), 2), [1, 2], [3]);
});

test('errors name the op, the shapes and the remedy', () => {
  const x = tensor([1, 2, 3], { device: reference });
  const wrong: readonly (readonly [() => unknown, RegExp])[] = [
    [() => split(x, [1, 1]), /^split: pieces \[1,1\] add up to 2, but axis 0 of \[3\] has 3/],
    [() => pad(x, [[3, 0]], { mode: 'reflect' }), /^pad: mode reflect adds 0 to 2 elements .* not 3 and 0/],
    [() => topk(x, 4), /^topk: k is 4; axis 0 .* has 0 to 3/],
    [() => max(x.slice([[0, 0]])), /^max: axis 0 of \[0\] has no elements/],
    [() => gather(x, 0, x.reshape([1, 3])), /^gather: index \[1,3\] must have as many axes as x \[3\]/],
    [() => tril(x), /^tril: x \[3\] needs two axes/],
    [() => cumsum(x, 1), /^cumsum: axis 1 is out of range/],
  ];
  for (const [fn, message] of wrong) {
    assert.throws(fn, (e: Error) => e instanceof ShapeError && message.test(e.message), String(message));
  }
  x.dispose();
});

test('a long running sum is right to the last element', async () => {
  const n = 100_003;
  const values = Float32Array.from({ length: n }, (_, i) => (i % 7) - 3);
  const [found] = await read(gpu, () => [cumsum(tensor(values), 0)]);
  let total = 0;
  values.forEach((v, i) => {
    total += v;
    if (found![i] !== total) assert.unreachable(`element ${i} is ${found![i]}, not ${total}`);
  });
});

test.after(() => gpu.destroy());
test.run();
