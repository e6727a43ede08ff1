/** What the op table's cases do not reach: NaN, ties, zeros, indices out of range, and errors. On both devices. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  argmax,
  argmin,
  argsort,
  cumprod,
  cumsum,
  diag,
  full,
  gather,
  grad,
  logSumExp,
  max,
  min,
  norm,
  oneHot,
  pad,
  prod,
  roll,
  ShapeError,
  scatterAdd,
  sort,
  split,
  std,
  type Tensor,
  take,
  tensor,
  topk,
  tril,
} from '../engine/index.ts';
import { openGpu, read, reference } from './support/devices.ts';

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

test('an index out of range reads as NaN, and what is added there is dropped', async () => {
  const bad = () => tensor([-1, 1, 3, 1e9, nan]);
  await gives(
    () => [gather(tensor([1, 2, 3]), 0, bad()), take(tensor([1, 2, 3]), bad(), 0)],
    [nan, 2, nan, nan, nan],
    [nan, 2, nan, nan, nan],
  );
  await gives(() => [scatterAdd(tensor([1, 2, 3]), 0, bad(), full([5], 1))], [1, 3, 3]);
  await gives(() => [oneHot(tensor([1, -1, 2]), 2)], [0, 1, 0, 0, 0, 0]);
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
