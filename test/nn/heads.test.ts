/** What the cases of softmax, the losses, attention and linear algebra do not say: infinities, large logits, errors. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  attentionWeights,
  batchNormInference,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  compile,
  crossEntropy,
  einsum,
  full,
  grad,
  groupNorm,
  hvp,
  instanceNorm,
  logSoftmax,
  logSumExp,
  nllLoss,
  outer,
  Rng,
  scaledDotProductAttention,
  slice,
  softmax,
  spectralNorm,
  std,
  type Tensor,
  tensor,
  variance,
  where,
  zeros,
} from '../../engine/index.ts';
import { BatchNorm2d, MultiheadAttention, TransformerEncoderLayer } from '../../nn/index.ts';
import { on, openGpu, read, reference } from '../support/devices.ts';

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
    const [dx] = await read(device, () => {
      const x = tensor([[0, 0, -INF]], { requiresGrad: true });
      return grad(crossEntropy(x, tensor([1])), [x]);
    });
    near(dx!, [0.5, -0.5, 0]);
  });

  test(`binary cross-entropy of probabilities is finite at 0 and 1, and so is its gradient, on ${device.kind}`, async () => {
    const [loss, dx, dt] = await read(device, () => {
      const x = tensor([0, 1, 0, 1, 0.5, 1e-6], { requiresGrad: true });
      const t = tensor([0, 1, 1, 0, 1, 0], { requiresGrad: true });
      const y = binaryCrossEntropy(x, t, { reduction: 'none' });
      return [y, ...grad(y.sum(), [x, t])];
    });
    near(loss!, [0, 0, 100, 100, Math.LN2, -Math.log1p(-1e-6)], 1e-6);
    assert.ok(Math.abs(loss![5]! / 1e-6 - 1) < 1e-4, `${loss![5]}`);
    near(dx!, [0, 0, -1e12, 1e12, -2, 1], 1e-5);
    near(dt!, [100, -100, 100, -100, 0, -Math.log(1e-6)], 1e-5);
    near(await values(() => binaryCrossEntropy(tensor([-0.1]), tensor([0]))), [Number.NaN]);
    near(await values(() => binaryCrossEntropy(tensor([1.1]), tensor([0]))), [Number.NaN]);
  });

  test(`indices to ignore cost nothing, whatever the logits, on ${device.kind}`, async () => {
    const [loss, dx] = await read(device, () => {
      const x = tensor(
        [
          [0, 0],
          [-INF, 0],
        ],
        { requiresGrad: true },
      );
      const y = crossEntropy(x, tensor([1, 7]), { ignoreIndex: 7 });
      return [y, ...grad(y, [x])];
    });
    near(loss!, [Math.LN2]);
    near(dx!, [0.5, -0.5, 0, 0]);
  });

  test(`a row of -Infinity that is not in the loss has gradients of 0, and so have all others, on ${device.kind}`, async () => {
    const rows = () => tensor([1, 2, 3, -INF, -INF, -INF], { shape: [2, 3], requiresGrad: true });
    const first = (t: Tensor) => slice(t, [[0, 1]]);
    const kept = () => tensor([[1], [0]]);
    const functions: Record<string, (x: Tensor) => Tensor> = {
      'softmax, a row chosen': (x) => first(softmax(x)).square().sum(),
      'softmax, where': (x) => where(kept(), softmax(x), 0).square().sum(),
      'logSoftmax, a row chosen': (x) => first(logSoftmax(x)).square().sum(),
      'logSoftmax, where': (x) => where(kept(), logSoftmax(x), 0).square().sum(),
      'logSumExp, a row chosen': (x) =>
        slice(logSumExp(x, 1), [[0, 1]])
          .square()
          .sum(),
      'logSumExp, where': (x) =>
        where(tensor([1, 0]), logSumExp(x, 1), 0)
          .square()
          .sum(),
      'crossEntropy, an index to ignore': (x) => crossEntropy(x, tensor([2, -100]), { ignoreIndex: -100 }).square(),
      'crossEntropy, probabilities of 0': (x) =>
        crossEntropy(
          x,
          tensor([
            [0, 0.5, 0.5],
            [0, 0, 0],
          ]),
          { reduction: 'sum' },
        ),
      'nllLoss, an index to ignore': (x) => nllLoss(logSoftmax(x), tensor([0, 9]), { ignoreIndex: 9 }),
    };
    for (const [name, fn] of Object.entries(functions)) {
      const [y, dx, second, alone] = await read(device, () => {
        const x = rows();
        const y = fn(x);
        const [dx] = grad(y, [x], { createGraph: true });
        const [second] = grad(dx!.square().sum(), [x]);
        // The same without the row.
        const own = tensor([1, 2, 3, 0, 0, 0], { shape: [2, 3], requiresGrad: true });
        const only = where(kept(), own, 0);
        return [y, dx!, second!, grad(fn(only), [own])[0]!];
      });
      assert.ok(Number.isFinite(y![0]!), `${name}: ${y}`);
      near(dx!, [...alone!.subarray(0, 3), 0, 0, 0], 1e-6);
      assert.ok(second!.every(Number.isFinite), `${name}, second: ${second}`);
      near(second!.subarray(3), [0, 0, 0]);
    }
  });

  test(`attention sees what it may, on ${device.kind}`, async () => {
    const v = () => tensor([[1], [10], [100]]);
    const q = () => zeros([3, 2]);
    near(await values(() => scaledDotProductAttention(q(), q(), v(), { causal: true })), [1, 5.5, 37]);
    const mask = () => tensor([0, 1, 0]);
    near(await values(() => scaledDotProductAttention(q(), q(), v(), { mask: mask() })), [10, 10, 10]);
    near(await values(() => scaledDotProductAttention(q(), q(), v(), { mask: zeros([3]) })), [0, 0, 0]);
  });

  test(`one meaning of never: causal, mask, padding and bias in every combination, on ${device.kind}`, async () => {
    const [Q, K, D] = [3, 4, 2];
    const number = (n: number) => Float64Array.from({ length: n }, (_, i) => Math.fround(Math.sin(1 + 2.3 * i)));
    const [q, k, v] = [number(Q * D), number(K * D).map((x) => x * 1.7), number(K * D).map((x) => x + 0.5)];
    const biases = [0, -INF, -1e9, -1e30, -3e38, 2.5];
    for (let round = 0; round < 96; round++) {
      const bit = (i: number, of: number) => (round * 7919 + i * 104729 + of * 31) % 5 < 2;
      const causal = round % 2 === 0;
      const mask = Array.from({ length: Q * K }, (_, i) => (bit(i, 1) ? 1 : 0));
      const padding = Array.from({ length: K }, (_, i) => (round % 3 === 0 && bit(i, 2) ? -INF : 0));
      const bias = Array.from({ length: Q * K }, (_, i) => {
        const own = biases[(round + i * 5) % biases.length]!;
        return Math.max(own + padding[i % K]!, -INF);
      });
      const [withMask, withBias] = [round % 4 !== 0, round % 5 !== 0];
      const out = await read(device, () => {
        const xs = [q, k, v, bias].map((d, i) =>
          tensor(d, {
            shape: [
              [Q, D],
              [K, D],
              [K, D],
              [Q, K],
            ][i]!,
            requiresGrad: true,
          }),
        );
        const y = scaledDotProductAttention(xs[0]!, xs[1]!, xs[2]!, {
          causal,
          ...(withMask ? { mask: tensor(mask, { shape: [Q, K] }) } : {}),
          ...(withBias ? { bias: xs[3]! } : {}),
        });
        const first = grad(y.square().sum(), xs, { createGraph: true, allowUnused: true });
        const second = grad(
          first.map((g) => g.square().sum()).reduce((a, b) => a.add(b)),
          xs,
          { allowUnused: true },
        );
        return [y, ...first, ...second];
      });
      for (let i = 0; i < Q; i++) {
        const sees = (j: number) =>
          (!causal || j <= i) && (!withMask || mask[i * K + j] === 1) && (!withBias || bias[i * K + j] !== -INF);
        const scores = Array.from({ length: K }, (_, j) => {
          const product = q[i * D]! * k[j * D]! + q[i * D + 1]! * k[j * D + 1]!;
          // As float32 adds them on the GPU: a score is lost in -1e30.
          const all = product / Math.sqrt(D) + (withBias ? bias[i * K + j]! : 0);
          return sees(j) ? all : -INF;
        });
        const most = Math.max(...scores);
        const weights = scores.map((s) => (most === -INF ? 0 : Math.exp(Math.fround(s) - Math.fround(most))));
        const total = weights.reduce((a, b) => a + b) || 1;
        // Scores of -1e9 have a distance of 64 between neighbours in float32, and none in float64 that matters here.
        if (device.kind !== 'reference' || !scores.some((s) => s < -1e8 && s > -1e29)) {
          const right = [0, 1].map((e) => weights.reduce((sum, w, j) => sum + (w / total) * v[j * D + e]!, 0));
          near(out[0]!.subarray(i * D, i * D + D), right, 2e-5);
        }
        if (most === -INF) near(out[1]!.subarray(i * D, i * D + D), [0, 0]);
      }
      out.forEach((t, i) => {
        assert.ok(t.every(Number.isFinite), `round ${round}, tensor ${i}: ${t}`);
      });
    }
  });

  test(`a NaN that a query sees stays, one that it does not see goes, on ${device.kind}`, async () => {
    const scores = () => tensor([0, Number.NaN, 0, 0, 0, INF], { shape: [2, 3] });
    const of = (mask: readonly number[]) =>
      values(() => attentionWeights(scores(), { mask: tensor(mask, { shape: [2, 3] }) }));
    const nan = Number.NaN;
    near(await of([1, 0, 1, 1, 1, 0]), [0.5, 0, 0.5, 0.5, 0.5, 0]);
    near(await of([0, 1, 0, 0, 0, 0]), [nan, nan, nan, 0, 0, 0]);
    // Neither 0 nor 1: nobody knows what is meant.
    near(await of([1, 0, 0.5, 1, 0, -0]), [nan, nan, nan, 1, 0, 0]);
    near(await of([1, 0, -INF, 1, 0, nan]), Array<number>(6).fill(nan));
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

test('attention in a compiled step gives what it gives outside, with rows that see nothing', async () => {
  const mask = [1, 0, 0, 0, 0, 0, 0, 1, 1];
  const run = (x: Tensor, seen: Tensor, bias: Tensor) => {
    const leaf = x.detach().requireGrad();
    const y = scaledDotProductAttention(leaf, leaf, leaf, { mask: seen, bias, causal: true });
    return [y, grad(y.square().sum(), [leaf])[0]!];
  };
  const inputs = () => [
    tensor([1, 0, 0, 1, 1, 1], { shape: [3, 2] }),
    tensor(mask, { shape: [3, 3] }),
    tensor([0, 0, 0, 0, 0, 0, -INF, -INF, -INF], { shape: [3, 3] }),
  ];
  const eager = await read(gpu, () => run(...(inputs() as [Tensor, Tensor, Tensor])));
  const step = on(gpu, () => compile(run));
  for (let i = 0; i < 2; i++) {
    const compiled = await read(gpu, () => step(...(inputs() as [Tensor, Tensor, Tensor])));
    compiled.forEach((t, k) => {
      near(t, [...eager[k]!], 1e-6);
    });
  }
  near(eager[0]!, [1, 0, 0, 0, 0, 0]);
});

test('MultiheadAttention: a query that may look at nothing has weights of 0, and gradients are finite', async () => {
  const [weights, odd, ...finite] = await read(gpu, () => {
    const layer = new MultiheadAttention(2, 2, { rng: new Rng(1) });
    const x = new Rng(2).normal([1, 3, 2]);
    const [y, weights] = layer.forward(x, x, x, {
      keyPaddingMask: tensor([[1, 0, 0]]),
      attnMask: tensor([0, 0, 0, 0, 0, 0, 0, 1, 0], { shape: [3, 3] }),
      attnBias: tensor([0, -INF, -INF, 0, 0, -INF, -INF, 0, 0], { shape: [3, 3] }),
    });
    const odd = layer.forward(x, x, x, { attnMask: tensor([0, -INF, 0]) })[1]!;
    const encoder = new TransformerEncoderLayer(2, 1, { dimFeedforward: 4, dropout: 0, rng: new Rng(3) });
    const z = encoder.forward(x, { srcKeyPaddingMask: tensor([[1, 1, 1]]) });
    return [weights!, odd, z, ...grad(y.square().sum(), layer.parameters())];
  });
  near(weights!, [0, 0, 0, 0, 1, 0, 0, 0, 1]);
  assert.ok(odd!.every(Number.isNaN), 'a mask of scores is no mask of 0 and 1');
  for (const t of finite) assert.ok(t.every(Number.isFinite));
});

test('a label that stands twice in an operand of einsum takes its diagonal', async () => {
  const count = (...shape: number[]) =>
    tensor(
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 1),
      { shape },
    );
  for (const device of devices) {
    const of = async (equation: string, wanted: number[], ...make: (() => Tensor)[]) =>
      assert.equal(
        [...(await read(device, () => [einsum(equation, ...make.map((m) => m()))]))[0]!],
        wanted,
        `${equation} on ${device.kind}`,
      );
    await of('ii->i', [1, 5, 9], () => count(3, 3));
    await of('ii->', [15], () => count(3, 3));
    await of('ii', [15], () => count(3, 3));
    await of('iij->j', [1 + 7, 2 + 8], () => count(2, 2, 2));
    await of('iji->j', [1 + 6, 3 + 8], () => count(2, 2, 2));
    await of('jii->ji', [1, 4, 5, 8], () => count(2, 2, 2));
    await of('iii->i', [1, 8], () => count(2, 2, 2));
    await of('...ii->...i', [1, 4, 5, 8], () => count(2, 2, 2));
    await of('...ii', [5, 13], () => count(2, 2, 2));
    await of('ijij->ij', [1, 6, 11, 16], () => count(2, 2, 2, 2));
    await of(
      'ii,i->',
      [1 * 1 + 4 * 2],
      () => count(2, 2),
      () => count(2),
    );
    await of('ii->i', [], () => zeros([0, 0]));
    // d/da of tr(a)² is 2 tr(a) on the diagonal, and its derivative along the unit matrix is 2 · 3 there.
    const [da, second] = await read(device, () => {
      const a = count(3, 3).requireGrad();
      const [first] = grad(einsum('ii->', a).square(), [a], { createGraph: true });
      return [first!, grad(einsum('ii->', first!), [a])[0]!];
    });
    assert.equal([...da!], [30, 0, 0, 0, 30, 0, 0, 0, 30]);
    assert.equal([...second!], [6, 0, 0, 0, 6, 0, 0, 0, 6]);
  }
});

test('a normalised group has mean 0 and variance 1', async () => {
  const [y, z] = await read(gpu, () => {
    const x = new Rng(1).normal([2, 5, 4], { mean: 3, std: 2 });
    return [groupNorm(x, 2).reshape([2, 5, 2, 2]).square().mean([1, 3]), instanceNorm(x).square().mean(1)];
  });
  near(y!, [1, 1, 1, 1], 1e-4);
  near(z!, Array<number>(8).fill(1), 1e-4);
});

/** The largest distance, in units of the largest magnitude. */
const off = (found: ArrayLike<number>, right: ArrayLike<number>): number => {
  const [a, b] = [Array.from(found), Array.from(right)];
  return Math.max(...a.map((v, i) => Math.abs(v - b[i]!))) / Math.max(...b.map(Math.abs), 1e-30);
};

test('a variance that float32 cannot hold is Infinity, whichever axes it is over, and NaN only of what is not finite', async () => {
  const run = (value: number) => () =>
    [[0, 2], [1], [2], [0, 1, 2]].map((axes) => {
      const x = tensor(
        Float64Array.from({ length: 60 }, (_, i) => (i % 7 === 3 ? value : i % 5)),
        { shape: [4, 3, 5] },
      );
      return variance(x, axes).max();
    });
  for (const [value, right] of [
    [3e38, Infinity],
    [-1e20, Infinity],
    [Infinity, Number.NaN],
    [Number.NaN, Number.NaN],
  ] as const) {
    assert.equal(
      (await read(gpu, run(value))).flatMap((t) => [...t]),
      [right, right, right, right],
      `${value}`,
    );
  }
});

test('the second derivative of a variance is there where the variance is 0, whichever axes it is over', async () => {
  const direction = () =>
    tensor(
      Float64Array.from({ length: 12 }, (_, i) => Math.cos(i * i)),
      { shape: [2, 3, 2] },
    );
  for (const axes of [[0, 2], [1], [1, 2]]) {
    const run = () => {
      return [hvp((t) => variance(t, axes).sum(), full([2, 3, 2], 3), direction())];
    };
    const count = axes.reduce((n, a) => n * [2, 3, 2][a]!, 1);
    for (const device of [gpu, reference]) {
      const [found] = await read(device, run);
      const [right] = await read(reference, () => {
        const v = direction();
        return [v.sub(v.mean(axes, { keepDims: true })).mul(2 / count)];
      });
      assert.ok(off(found!, right!) < 1e-6, `axes ${axes} on ${device.kind}: ${found}`);
    }
  }
});

test('variances over axes of size 1, and over axes that end in one, are taken around the mean of each', async () => {
  const found = await read(gpu, () => [
    variance(tensor([[1e20], [2], [3]]), 1),
    variance(
      tensor([
        [[1e6], [2]],
        [[1e6 + 2], [4]],
      ]),
      [0, 2],
    ),
    variance(
      tensor([
        [[Number.NaN], [2]],
        [[1], [4]],
      ]),
      [0, 2],
    ),
  ]);
  assert.equal(
    found.map((v) => [...v]),
    [
      [0, 0, 0],
      [1, 1],
      [Number.NaN, 1],
    ],
  );
});

for (const [mean, deviation] of [
  [1e4, 1],
  [-1e6, 10],
] as const) {
  const around = (shape: readonly number[]) => {
    const n = shape.reduce((a, b) => a * b, 1);
    return Float64Array.from({ length: n }, (_, i) =>
      Math.fround(mean + deviation * (Math.sin(1.7 * i * i + i) + Math.cos(3.1 * i))),
    );
  };

  test(`variances of values around ${mean} with a deviation of ${deviation}, and their gradients`, async () => {
    const rows: [shape: number[], axes: number | number[]][] = [
      [[4096], 0],
      [[5], 0],
      [[33, 300], 1],
      [[300, 64], 0],
      [[300, 33], 0],
      [
        [7, 40, 16],
        [0, 1],
      ],
      [
        [7, 40, 16],
        [0, 2],
      ],
      [[3, 1, 70, 1], [2]],
    ];
    for (const [shape, axes] of rows) {
      const run = () => {
        const x = tensor(around(shape), { shape, requiresGrad: true });
        const y = std(x, axes, { correction: 1 });
        return [variance(x, axes), y, ...grad(y.sum(), [x])];
      };
      const [found, right] = [await read(gpu, run), await read(reference, run)];
      found.forEach((t, i) => {
        assert.ok(off(t, right[i]!) < 2e-6, `[${shape}] over ${axes}, tensor ${i}: off by ${off(t, right[i]!)}`);
      });
    }
    // A constant has no variance, also where its mean is rounded.
    const [v, s, g] = await read(gpu, () => {
      const x = full([3, 1000], Math.fround(mean / 3)).requireGrad();
      const s = std(x, 1);
      return [variance(x, 1), s, ...grad(s.sum(), [x])];
    });
    assert.ok(
      [...v!, ...s!].every((d) => Math.abs(d) < 1e-3 * deviation),
      `${v} ${s}`,
    );
    assert.ok(g!.every(Number.isFinite));
  });

  test(`norms in evaluation, of values around ${mean} with a deviation of ${deviation}`, async () => {
    const C = 6;
    const [shape, cotangent] = [[50, 4, C], Float64Array.from({ length: 200 * C }, (_, i) => Math.cos(i * i))];
    const perChannel = (f: (i: number) => number) => Array.from({ length: C }, (_, i) => Math.fround(f(i)));
    const layer = (x: Tensor, affine: boolean): Tensor[] => {
      const vectors = [
        perChannel((i) => mean + i * deviation * 0.1),
        perChannel((i) => deviation ** 2 * (1 + i / 7)),
        ...(affine ? [perChannel((i) => 1 + i / 3), perChannel((i) => i - 2)] : []),
      ].map((v) => tensor(v, { requiresGrad: true }));
      const [m, v, weight, bias] = vectors;
      const y = batchNormInference(x, m!, v!, weight && bias ? { weight, bias } : {});
      return [y, ...grad(y, [x, ...vectors], { gradOutputs: [tensor(cotangent, { shape })] })];
    };
    for (const affine of [true, false]) {
      const run = () => layer(tensor(around(shape), { shape, requiresGrad: true }), affine);
      const [found, right] = [await read(gpu, run), await read(reference, run)];
      const step = on(gpu, () => compile((x: Tensor) => layer(x.detach().requireGrad(), affine)));
      const compiled = await read(gpu, () => step(tensor(around(shape), { shape })));
      right.forEach((r, i) => {
        assert.ok(off(found[i]!, r) < 2e-6, `tensor ${i}: off by ${off(found[i]!, r)}`);
        assert.ok(off(compiled[i]!, r) < 2e-6, `compiled, tensor ${i}: off by ${off(compiled[i]!, r)}`);
      });
    }
    // The layer in evaluation is as exact as in training, where it takes the statistics of the batch.
    const run = () => {
      const bn = new BatchNorm2d(C, { momentum: 1 });
      const x = tensor(around([8, 5, 5, C]), { shape: [8, 5, 5, C] });
      const trained = bn.forward(x);
      return [trained, bn.eval().forward(x)];
    };
    const [found, right] = [await read(gpu, run), await read(reference, run)];
    const [trained, evaluated] = [off(found[0]!, right[0]!), off(found[1]!, right[1]!)];
    assert.ok(evaluated < 2 * trained + 1e-5, `in evaluation off by ${evaluated}, in training by ${trained}`);
  });
}

test('shapes that do not fit are named', () => {
  const throws = (fn: () => unknown, message: RegExp) =>
    assert.throws(
      () => on(reference, fn),
      (e: Error) => e.name === 'ShapeError' && message.test(e.message),
    );
  throws(() => softmax(zeros([2]), 1), /softmax: axis 1 is out of range/);
  throws(() => crossEntropy(zeros([2, 3]), zeros([3])), /targets \[3\] for logits \[2,3\] must be indices \[2\] or/);
  throws(() => binaryCrossEntropyWithLogits(zeros([2]), zeros([1])), /targets \[1\] must have the shape \[2\]/);
  throws(() => binaryCrossEntropy(zeros([2]), zeros([1])), /targets \[1\] must have the shape \[2\] of the prob/);
  const weight = () => zeros([3, 2]);
  throws(() => binaryCrossEntropy(zeros([2]), zeros([2]), { weight: weight() }), /weight \[3,2\] must broadcast to/);
  throws(() => crossEntropy(zeros([2, 3]), zeros([2]), { weight: weight() }), /weight \[3,2\] must be \[3\]/);
  throws(() => nllLoss(zeros([2, 3]), zeros([2, 3])), /targets \[2,3\] for log-prob.* must be indices \[2\]/);
  throws(() => groupNorm(zeros([1, 2, 5]), 2), /2 groups do not divide the 5 channels/);
  throws(() => instanceNorm(zeros([4, 1, 5])), /one value for each channel/);
  throws(() => scaledDotProductAttention(zeros([2, 3]), zeros([2, 4]), zeros([2, 3])), /must be \[\.\.\.,Q,D\]/);
  const attend = (options: () => object) => () =>
    scaledDotProductAttention(zeros([5, 2, 3]), zeros([4, 3]), zeros([4, 1]), options());
  throws(
    attend(() => ({ mask: zeros([2, 3]) })),
    /: the mask \[2,3\] must broadcast against the scores \[\.\.\.,Q,K\] = \[5,2,4\]/,
  );
  throws(
    attend(() => ({ mask: zeros([3, 1, 4]) })),
    /the mask: shapes \[3,1,4\] and \[5,2,4\] do not broadcast/,
  );
  throws(
    attend(() => ({ bias: zeros([2]) })),
    /the bias \[2\] must broadcast/,
  );
  throws(() => attentionWeights(zeros([2, 1]), { mask: zeros([2, 4]) }), /the mask \[2,4\] must broadcast/);
  throws(() => attentionWeights(zeros([2])), /attentionWeights: scores \[2\] must be/);
  throws(() => outer(zeros([2, 3]), zeros([2])), /must be vectors/);
  throws(() => spectralNorm(zeros([2, 3]), zeros([2])), /u \[2\] its last axis/);
  throws(() => einsum('ii->i', zeros([2, 3])), /repeats i on axes of 2 and 3; a diagonal has equal sides/);
  throws(() => einsum('ii->i', zeros([2, 1])), /repeats i on axes of 2 and 1/);
  throws(() => einsum('i->ii', zeros([2])), /may hold each letter of the operands once/);
  throws(() => einsum('ij,jk->ik', zeros([2, 3]), zeros([4, 2])), /j has size 3 in one operand and 4 in another/);
  throws(() => einsum('ij->k', zeros([2, 3])), /k is none/);
  throws(() => einsum('i', zeros([2, 3])), /names 1 axes, and its operand is \[2,3\]/);
  throws(() => einsum('i,j', zeros([2])), /has 2 terms for 1 operands/);
});

test('options of losses that do not fit are named', () => {
  const throws = (fn: () => unknown, message: RegExp) =>
    assert.throws(
      () => on(reference, fn),
      (e: Error) => e.name === 'TypeError' && message.test(e.message),
    );
  const probabilities = () => crossEntropy(zeros([2, 3]), zeros([2, 3]), { ignoreIndex: 1 });
  const x = () => zeros([2, 2]);
  const mask = [[true, false]] as never;
  throws(() => scaledDotProductAttention(x(), x(), x(), { mask }), /: mask must be a tensor, not /);
  throws(() => attentionWeights(x(), { bias: 1 as never }), /: bias must be a tensor, not 1/);
  throws(probabilities, /ignoreIndex is for targets that are class indices/);
  throws(() => crossEntropy(zeros([2, 3]), zeros([2]), { weights: 1 } as never), /there is no option weights/);
  throws(() => nllLoss(zeros([2, 3]), zeros([2]), { reduction: 'avg' } as never), /'mean', 'sum' or 'none', not "avg"/);
});

test.after(() => gpu.destroy());
test.run();
