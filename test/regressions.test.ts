/** Mistakes that were made once. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { apply } from '../engine/apply.ts';
import {
  abs,
  emaStep,
  full,
  Generator,
  GradError,
  grad,
  keep,
  layerNorm,
  noGrad,
  reference,
  ShapeError,
  scope,
  type Tensor,
  tensor,
  withDevice,
} from '../engine/index.ts';
import { elementwiseRows } from '../engine/ops/elementwise.ts';
import { slicedWasserstein } from '../gan/index.ts';
import * as nn from '../nn/index.ts';
import { openGpu, read } from './support/devices.ts';

const test = suite('regressions');
const gpu = await openGpu();
test.after(() => gpu.destroy());
const onReference = (fn: () => void) => () => withDevice(reference, () => scope(fn));
const values = (t: Tensor): number[] => Array.from(reference.values(t.storage));

test(
  'a graph built with the averaged weights refuses the raw ones',
  onReference(() => {
    const layer = new nn.Linear(2, 1, { rng: new Generator(3), bias: false });
    const optimizer = new nn.Adam(layer.parameters(), { lr: 0.1 });
    const ema = new nn.EMA(layer.parameters(), 0.9);
    for (let k = 0; k < 2; k++) {
      optimizer.step(grad(layer.forward(tensor([[1, 2]])).sum(), layer.parameters()));
      ema.update();
    }
    const z = tensor([[1, 1]], { requiresGrad: true });
    const y = ema.apply(() => layer.forward(z).sum());
    assert.throws(
      () => grad(y, [z]),
      (e: Error) => e instanceof GradError && /weight/.test(e.message),
    );
    ema.dispose();
    optimizer.dispose();
    layer.dispose();
  }),
);

test(
  'a gradient with respect to a tensor that does not require one is refused, not given in part',
  onReference(() => {
    const w = tensor([2, 3], { requiresGrad: true });
    const x = tensor([1, 2]);
    assert.throws(
      () => grad(x.mul(2).mul(w).add(x.mul(w)).sum(), [x], { allowUnused: true }),
      (e: Error) => e instanceof GradError,
    );
  }),
);

test(
  'a derivative that is zero is zeros, not an error',
  onReference(() => {
    const x = tensor([1, -2], { requiresGrad: true });
    for (const f of [(t: Tensor) => abs(t), (t: Tensor) => t.relu(), (t: Tensor) => t.leakyRelu(0.2)]) {
      const [d] = grad(f(x).sum(), [x], { createGraph: true });
      assert.equal(values(grad(d!.sum(), [x])[0]!), [0, 0]);
    }
    const gamma = full([4], 1).requireGrad();
    const [gg] = grad(
      layerNorm(new Generator(1).normal([3, 4]), gamma, full([4], 0))
        .square()
        .sum(),
      [gamma],
      { createGraph: true },
    );
    assert.is(grad(gg!.square().sum(), [gamma], { allowUnused: true })[0]!.size, 4);
  }),
);

test(
  'a kept tensor in the middle of a graph does not cut off what lies behind it',
  onReference(() => {
    const x = tensor([3], { requiresGrad: true });
    const kept: Tensor[] = [];
    const y = scope(() => {
      kept.push(keep(x.square()));
      return kept[0]!.square().sum();
    });
    assert.equal(values(grad(y, [x])[0]!), [108]);
    kept[0]!.dispose();
  }),
);

test(
  'an average is a copy before its first update',
  onReference(() => {
    const w = new nn.Parameter(tensor([1, 2]), 'w');
    const ema = new nn.EMA([w], 0.9);
    assert.equal(
      ema.apply(() => values(w)),
      [1, 2],
    );
    ema.dispose();
    w.dispose();
  }),
);

test('updates in place check sizes before they write', async () => {
  withDevice(gpu, () =>
    scope(() => {
      assert.throws(
        () => emaStep(full([4_000_000], 0), full([4], 0), 0.5),
        (e: Error) => e instanceof ShapeError && /ema/.test(e.message),
      );
      const w = full([64], 1);
      assert.throws(
        () => emaStep(w, w, 0.5),
        (e: Error) => /overwrites/.test(e.message),
      );
    }),
  );
  await gpu.sync();
});

test('an empty batch has an empty layer norm, and zero gradients', async () => {
  const [y, g] = await read(gpu, () => {
    const gamma = full([4], 1).requireGrad();
    const out = layerNorm(full([0, 4], 1), gamma, full([4], 0));
    return [out, grad(out.sum(), [gamma])[0]!];
  });
  assert.equal([y!.length, Array.from(g!)], [0, [0, 0, 0, 0]]);
});

test('NaN, infinities and the edges of log come out as in float64', async () => {
  const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -1, 1];
  for (const [name, row] of Object.entries(elementwiseRows)) {
    const arity = /^(add|sub|mul|div|maximum|minimum|greaterShare|tanhGrad|sigmoidGrad|gate)$/.test(name) ? 2 : 1;
    const params = name === 'affine' ? { s0: 2, s1: 1 } : { s0: 0.2 };
    const run = () => {
      const a = tensor(special.flatMap((v) => special.map(() => v)));
      const b = tensor(special.flatMap(() => special));
      return [apply(row, arity === 2 ? [a, b] : [a], /gate|leaky|affine/.test(name) ? params : {})[0]!];
    };
    const [[found], [exact]] = await Promise.all([read(gpu, run), read(reference, run)]);
    exact!.forEach((v, i) => {
      const same = Number.isNaN(v) ? Number.isNaN(found![i]!) : Math.abs(found![i]! - v) < 1e-6 || found![i] === v;
      const [a, b] = [special[Math.floor(i / 6)], special[i % 6]];
      assert.ok(same, `${name}(${a}${arity === 2 ? `, ${b}` : ''}) is ${found![i]}, not ${v}`);
    });
  }
});

test('modes that end with their function refuse async ones', () => {
  assert.throws(
    () => noGrad(async () => 1),
    (e: Error) => e instanceof TypeError && /async/.test(e.message),
  );
});

test('directions have any number of coordinates', () => {
  const n = 200_000;
  assert.is(slicedWasserstein(new Float32Array(n), new Float32Array(n), { dimension: n, projections: 1 }), 0);
});

test.run();
