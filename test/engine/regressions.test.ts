/** Mistakes that were made once. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { apply } from '../../engine/autograd/apply.ts';
import {
  abs,
  checkpoint,
  compile,
  concat,
  conv2d,
  customOp,
  detectAnomaly,
  enableGrad,
  full,
  GradError,
  grad,
  gradcheck,
  gradgradcheck,
  hessian,
  hvp,
  jacobian,
  jvp,
  keep,
  layerNorm,
  noGrad,
  ones,
  Rng,
  reference,
  ShapeError,
  scope,
  type Tensor,
  tensor,
  trace,
  valueAndGrad,
  vhp,
  vjp,
  withDevice,
} from '../../engine/index.ts';
import { emaStep } from '../../engine/internal.ts';
import { elementwiseRows } from '../../engine/ops/elementwise.ts';
import { slicedWasserstein } from '../../gan/index.ts';
import { type Dispatch, flatMain } from '../../kernels/index.ts';
import * as nn from '../../nn/index.ts';
import { on, openGpu, read } from '../support/devices.ts';
import { rejection } from '../support/rejection.ts';

const test = suite('regressions');
const gpu = await openGpu();
test.after(() => gpu.destroy());
const onReference = (fn: () => void) => () => withDevice(reference, () => scope(fn));
const values = (t: Tensor): number[] => Array.from(reference.values(t.storage));

test(
  'a graph built with the averaged weights refuses the raw ones',
  onReference(() => {
    const layer = new nn.Linear(2, 1, { rng: new Rng(3), bias: false });
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
      layerNorm(new Rng(1).normal([3, 4]), gamma, full([4], 0))
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
      return [apply(row, arity === 2 ? [a, b] : [a], /gate|leaky|affine|divScalar/.test(name) ? params : {})[0]];
    };
    const [[found], [exact]] = await Promise.all([read(gpu, run), read(reference, run)]);
    exact!.forEach((v, i) => {
      const same = Number.isNaN(v) ? Number.isNaN(found![i]!) : Math.abs(found![i]! - v) < 1e-6 || found![i] === v;
      const [a, b] = [special[Math.floor(i / 6)], special[i % 6]];
      assert.ok(same, `${name}(${a}${arity === 2 ? `, ${b}` : ''}) is ${found![i]}, not ${v}`);
    });
  }
});

test('functions that must be done when they return are neither async nor generators', async () => {
  const x = on(reference, () => tensor([1, 2], { requiresGrad: true }));
  type Bad = () => never;
  const takers: readonly (readonly [string, (f: Bad) => unknown])[] = [
    ['scope', (f) => scope(f)],
    ['compile', (f) => compile(f)()],
    ['noGrad', (f) => noGrad(f)],
    ['enableGrad', (f) => enableGrad(f)],
    ['withDevice', (f) => withDevice(reference, f)],
    ['trace', (f) => trace(f)],
    ['valueAndGrad', (f) => valueAndGrad(f, [x])],
    ['vjp', (f) => vjp(f, x)],
    ['jvp', (f) => jvp(f, [x], [x])],
    ['hvp', (f) => hvp(f, x, x)],
    ['vhp', (f) => vhp(f, x, x)],
    ['hessian', (f) => hessian(f, x)],
    ['jacobian', (f) => jacobian(f, x)],
    ['checkpoint', (f) => checkpoint(f)(x)],
    ['gradcheck', (f) => gradcheck(f, [x])],
    ['gradgradcheck', (f) => gradgradcheck(f, [x])],
    ['detectAnomaly', (f) => detectAnomaly(f)],
  ];
  const functions: readonly (readonly [RegExp, () => unknown])[] = [
    [/must not be async/, async () => 1],
    [/must not be a generator/, function* () {}],
    [/must not be a generator/, async function* () {}],
  ];
  for (const device of [gpu, reference]) {
    for (const [name, take] of takers) {
      for (const [message, f] of functions) {
        const error = await rejection(on(device, async () => take(f as Bad)));
        assert.ok(error instanceof TypeError && message.test(error.message), `${name}: ${error.message}`);
        assert.ok(error.message.startsWith(`${name}: `), `${name}: ${error.message}`);
      }
    }
  }
});

test('directions have any number of coordinates', () => {
  const n = 200_000;
  assert.is(slicedWasserstein(new Float32Array(n), new Float32Array(n), { dimension: n, projections: 1 }), 0);
});

test('a number divided by itself is 1', async () => {
  for (const device of [gpu, reference]) {
    const values = await on(device, () =>
      scope(() =>
        Promise.all(
          Array.from({ length: 200 }, (_, k) =>
            tensor([k + 1])
              .div(k + 1)
              .item(),
          ),
        ),
      ),
    );
    assert.equal(values, Array(200).fill(1), device.kind);
    assert.ok(Math.abs((await on(device, () => scope(() => tensor([1e38]).div(3e38).item()))) - 1 / 3) < 1e-7);
  }
});

test('long sums do not drift', async () => {
  const [mean, columns] = await on(gpu, () =>
    scope(() => Promise.all([full([4e6], 0.1).mean().item(), full([4e6, 2], 0.1).sum(0).data()])),
  );
  assert.ok(Math.abs(mean / 0.1 - 1) < 5e-6, `${mean}`);
  for (const v of columns) assert.ok(Math.abs(v / 4e5 - 1) < 5e-6, `${v}`);
});

test('a launch that WebGPU would refuse is refused at once, and spoils nothing', async () => {
  const source = `struct Params { n: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
${flatMain()}
  if (i < p.n) { y[i] = x[i]; }
}`;
  const kernel = { name: 'copies', source, access: ['read', 'write'] as const };
  const made = (launch: Partial<Dispatch>) =>
    customOp({
      name: 'copies',
      forward: (x) => x.mul(1),
      kernel: {
        shape: (x) => x,
        plan: () => ({ dispatches: [{ kernel, args: [0, 1], params: [2], grid: [1, 1, 1], ...launch }] }),
      },
    });
  const wrong: [Partial<Dispatch>, RegExp][] = [
    [{ args: [0] }, /^copies: the kernel binds 2 storage buffers \(access\), and its launch gives 1/],
    [{ params: [1.5] }, /^copies: params\[0\]: 1\.5 is not a whole number of 32 bits; f32\(1\.5\)/],
    [{ grid: [70_000, 1, 1] }, /^copies: a grid of 70000 x 1 x 1/],
  ];
  const before = gpu.memory();
  for (const [launch, message] of wrong) {
    on(gpu, () => assert.throws(() => scope(() => made(launch)(tensor([1, 2]))), message));
  }
  assert.is(gpu.memory().buffers, before.buffers, 'a refused launch kept its output');
  assert.equal(
    [
      ...(await on(gpu, () =>
        scope(() =>
          made({})(tensor([1, 2]))
            .mul(2)
            .data(),
        ),
      )),
    ],
    [2, 4],
  );
});

test('rules of a custom op are checked', () => {
  const named = (vjp: unknown, message: RegExp) =>
    on(reference, () => {
      const x = tensor([1, 2, 3], { requiresGrad: true });
      assert.throws(() => {
        const op = customOp({ name: 'mine', forward: (a, b) => a.mul(b), vjp: vjp as [] });
        grad(op(x, x).sum(), [x]);
      }, message);
    });
  named((g: Tensor) => g, /^customOp mine: vjp must be a list with a rule, or null, for each input, not a function/);
  named([(g: Tensor) => g], /^customOp mine: vjp has 1 rules, and forward has 2 parameters/);
  named([() => undefined, null], /^customOp mine: the rule for input 0 gave undefined, not a tensor/);
  named([() => ones([5, 3]), null], /^customOp mine: the rule for input 0 gave \[5,3\]; the input is \[3\]/);
});

test('an option that nobody knows is an error', () => {
  const wrong: [() => unknown, RegExp][] = [
    [
      () => conv2d(ones([1, 4, 4, 1]), ones([2, 2, 1, 1]), { strides: 2 } as object),
      /^conv2d: there is no option strides; there are stride/,
    ],
    [
      () => conv2d(ones([1, 4, 4, 1]), ones([2, 2, 1, 1]), 2 as unknown as object),
      /^conv2d: the options are an object such as \{ stride: 2 \}, not 2/,
    ],
    [() => ones([2]).sum(0, { keepdim: true } as object), /^sum: there is no option keepdim; there are keepDims/],
    [() => ones([2, 2]).mean(0, 1 as unknown as object), /^mean: the options are an object/],
    [() => tensor([1], { requires_grad: true } as object), /^tensor: there is no option requires_grad/],
    [() => grad(ones([]), [], { create_graph: true } as object), /^grad: there is no option create_graph/],
    [() => customOp({ name: 'x', forward: (x: Tensor) => x, vpj: [] } as never), /^customOp: there is no option vpj/],
    [() => new nn.Adam([], { learningRate: 1 } as object), /^Adam: there is no option learningRate; there are lr/],
  ];
  on(reference, () => {
    for (const [fn, message] of wrong) assert.throws(() => scope(fn), message);
  });
});

test('a list written without its brackets, and values that are no numbers, are named', () => {
  type Loose = Record<string, (...args: unknown[]) => Tensor>;
  const engine = { full, concat, tensor } as unknown as Loose;
  const method = (name: string, ...args: unknown[]) =>
    [() => (ones([2, 2]) as unknown as Loose)[name]!(...args), name] as const;
  const slips: (readonly [() => unknown, string])[] = [
    ...[method('reshape', 4, 1), method('permute', 1, 0), method('broadcastTo', 2, 2), method('tile', 2)],
    ...[method('pad', 1), method('slice', 0, 1), method('matmul', 3)],
    [() => engine.full!(3, 1), 'full: the shape must be a list such as [2, 3], not 3'],
    [() => (new Rng(1) as unknown as Loose).normal!(2, 3), 'normal: the shape must be a list'],
    [() => engine.concat!(ones([1]), ones([1])), 'concat: the tensors must be a list such as [a, b], not a Tensor [1]'],
    ...[[true], 'a', null, [[1], [null]], { length: 1 }].map(
      (v) => [() => engine.tensor!(v), 'tensor: values are numbers, nested arrays of them or a typed array'] as const,
    ),
  ];
  on(reference, () => {
    for (const [fn, message] of slips) {
      const said = (e: Error) => e instanceof TypeError && e.message.startsWith(message);
      assert.throws(() => scope(fn as () => Tensor), said, message);
    }
  });
});

test('the gradient at NaN is what it is in float64', async () => {
  for (const name of ['tanh', 'sigmoid', 'exp', 'erf', 'elu', 'selu', 'gelu', 'silu', 'softplus', 'sin'] as const) {
    const run = () => {
      const x = tensor([Number.NaN, 1], { requiresGrad: true });
      return grad(x[name]().sum(), [x]);
    };
    const [[found], [exact]] = [await read(gpu, run), await read(reference, run)];
    assert.is(Number.isNaN(found![0]), Number.isNaN(exact![0]), name);
    assert.ok(Number.isNaN(exact![0]) && Math.abs(found![1]! - exact![1]!) < 1e-6, name);
  }
});

test('derivatives of gelu, both orders of both forms, of numbers whose squares and cubes overflow', async () => {
  for (const approximate of ['none', 'tanh'] as const) {
    const [first, second] = await read(gpu, () => {
      const x = tensor([1e20, -1e20, 3e38, -3e38], { requiresGrad: true });
      const [g] = grad(x.gelu({ approximate }).sum(), [x], { createGraph: true });
      return [g!, ...grad(g!.sum(), [x])];
    });
    assert.equal([...first!], [1, 0, 1, 0], approximate);
    assert.ok(
      second!.every((v) => v === 0),
      `${approximate}: ${second}`,
    );
  }
});

test('backward says what it lacks in its own words', () => {
  on(reference, () => {
    const x = tensor([1, 2], { requiresGrad: true });
    assert.throws(() => x.mul(2).backward(), /^backward: .* backward\(\{ gradOutput \}\)/);
    assert.throws(() => ones([2]).sum().backward(), /^backward: .* depends on no tensor that requires a gradient/);
  });
});

test.run();
