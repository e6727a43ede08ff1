/** The programs of README.md and of docs/guide run as they stand, on the built package, and print what the pages say. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-web';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as engine from '../../engine/index.ts';
import { loadSafetensors, saveSafetensors } from '../../nn/index.node.ts';
import * as nn from '../../nn/index.ts';

const test = suite('readme');

/** Runs a program of the pages in this folder, so that 'wgrad' is found. */
function run(program: string): string {
  assert.ok(existsSync('dist/engine/index.js'), 'dist is missing: run `npm run build`');
  const file = `.readme-${process.pid}.mjs`;
  try {
    writeFileSync(file, program);
    return execFileSync(process.execPath, [file], { encoding: 'utf8' });
  } finally {
    rmSync(file, { force: true });
  }
}

const guide = readdirSync('docs/guide').map((name) => `docs/guide/${name}`);
const pages = ['README.md', ...guide.filter((path) => path.endsWith('.md'))];
const textOf = (page: string) => readFileSync(page, 'utf8');

/** Every program of the pages, once, also where two pages show it. */
const programs = new Set(
  pages.flatMap((page) => [...textOf(page).matchAll(/```js\n([\s\S]*?)```/g)].map((m) => m[1]!)),
);
const tested = new Set<string>();

/** The one program of the pages that has these words. */
function programWith(words: string): string {
  const found = [...programs].filter((program) => program.includes(words));
  assert.is(found.length, 1, `programs with ${words}`);
  tested.add(found[0]!);
  return found[0]!;
}

/** What each row of the table for those who come from PyTorch says, by words that it has. */
const rows: readonly (readonly [words: string, holds: () => unknown])[] = [
  [
    '`model.forward(x)`, `new nn.Linear(3, 4, { bias: false })`',
    () => {
      assert.equal(new nn.Linear(3, 4, { bias: false }).forward(engine.ones([2, 3])).shape, [2, 4]);
      assert.throws(() => new nn.Linear(3, 4, { biass: false } as never), /there is no option biass/);
    },
  ],
  [
    '`[N,H,W,C]`; sequences `[N,L,C]`',
    () => {
      assert.equal(new nn.Conv2d(3, 4, 3).forward(engine.ones([2, 5, 6, 3])).shape, [2, 3, 4, 4]);
      assert.equal(new nn.Conv1d(3, 4, 3).forward(engine.ones([2, 5, 3])).shape, [2, 3, 4]);
      assert.equal(new nn.GRU(3, 4).forward(engine.ones([2, 5, 3]))[0].shape, [2, 5, 4]);
    },
  ],
  [
    '`x.sum(0)` or `x.sum([0])`, `x.reshape([4, 1])`',
    async () => {
      const x = engine.tensor([
        [1, 2],
        [3, 4],
      ]);
      assert.equal(
        [await x.sum(0).array(), await x.sum([0]).array()],
        [
          [4, 6],
          [4, 6],
        ],
      );
      assert.equal(x.reshape([4, 1]).shape, [4, 1]);
      assert.throws(() => (x.reshape as (...sizes: unknown[]) => unknown).call(x, 4, 1), /x\.reshape\(\[4, 1\]\)/);
    },
  ],
  [
    '`x.variance()`, `x.std()`, biased unless `{ correction: 1 }`',
    async () => {
      const x = engine.tensor([1, 2, 3]);
      assert.equal(await Promise.all([x.variance(), x.std()].map((t) => t.item())), [2 / 3, Math.sqrt(2 / 3)]);
      assert.is(await x.variance(0, { correction: 1 }).item(), 1);
      assert.is(await x.std(0, { correction: 1 }).item(), 1);
    },
  ],
  [
    '`zeros([2, 3])`, `arange(5)`, `zerosLike(x)`, `randint(10, [3])`',
    () => {
      const { arange, eye, full, fullLike, linspace, ones, onesLike, rand, randint, randn, zeros, zerosLike } = engine;
      const x = ones([2, 3]);
      const options = { requiresGrad: true, label: 'w' };
      const made = [
        ...[zeros([2, 3], options), arange(5, options), zerosLike(x, options), randint(10, [3], options)],
        ...[ones([1], options), full([1], 2, options), rand([1], options), randn([1], options)],
        ...[linspace(0, 1, 3, options), eye(2, options), onesLike(x, options), fullLike(x, 2, options)],
      ];
      assert.ok(made.every((t) => t.requiresGrad && t.label === 'w'));
    },
  ],
  [
    '`loss.backward(); opt.step(); opt.zeroGrad()`, or without `.grad`: `opt.step(grad(loss, opt.parameters))`',
    async () => {
      const values = [];
      for (const byGrad of [false, true]) {
        const layer = new nn.Linear(2, 1, { rng: new engine.Rng(1) });
        const opt = new nn.Adam(layer.parameters());
        const loss = layer
          .forward(engine.ones([3, 2]))
          .square()
          .mean();
        if (byGrad) opt.step(engine.grad(loss, opt.parameters));
        else {
          loss.backward();
          opt.step();
          opt.zeroGrad();
        }
        assert.is(layer.weight.grad, undefined);
        values.push(await layer.weight.array());
      }
      assert.equal(values[0], values[1]);
    },
  ],
  [
    '`new nn.CrossEntropyLoss().forward(y, t)`, `nn.mseLoss(y, t)`',
    async () => {
      const y = engine.zeros([2, 4]);
      assert.is(await new nn.CrossEntropyLoss().forward(y, engine.tensor([0, 3])).item(), Math.log(4));
      assert.is(await nn.mseLoss(y, engine.ones([2, 4])).item(), 1);
    },
  ],
  [
    '`noGrad(() => ...)`',
    () => {
      const x = engine.ones([1], { requiresGrad: true });
      assert.not(engine.noGrad(() => x.mul(2)).requiresGrad);
      const inner: engine.Tensor[] = [];
      const y = engine.scope(() => {
        inner.push(x.mul(2));
        return inner[0]!.mul(3);
      });
      assert.equal([y.isDisposed, engine.scope(() => engine.ones([1])).isDisposed], [false, false]);
    },
  ],
  [
    '`manualSeed`, for `rand`, weights and dropout alike; a `DataLoader` has an `rng`',
    async () => {
      const draw = () => {
        engine.manualSeed(3);
        const dropped = new nn.Dropout(0.5).forward(engine.ones([9]));
        return Promise.all([engine.rand([2]), new nn.Linear(1, 2).weight, dropped].map((t) => t.array()));
      };
      assert.equal(await draw(), await draw());
      const data = new nn.ArrayDataset({ x: { data: new Float32Array(4) } });
      new nn.DataLoader(data, { batchSize: 2, shuffle: true, rng: new engine.Rng(1) });
    },
  ],
  [
    '`compile(step)`',
    async () =>
      assert.is(
        await engine
          .compile((x: engine.Tensor) => x.mul(2))(engine.ones([1]))
          .item(),
        2,
      ),
  ],
  [
    '`model.loadStateDict(nn.fromPyTorch(model, (await loadSafetensors(f)).tensors))`',
    async () => {
      const [from, model] = [1, 2].map((seed) => new nn.Linear(2, 3, { rng: new engine.Rng(seed) }));
      const f = `.readme-${process.pid}.safetensors`;
      try {
        await saveSafetensors(f, await nn.toPyTorch(from!));
        model!.loadStateDict(nn.fromPyTorch(model!, (await loadSafetensors(f)).tensors));
      } finally {
        rmSync(f, { force: true });
      }
      assert.equal(await model!.weight.array(), await from!.weight.array());
    },
  ],
  [
    '`nn.clipGradNorm`, of parameters or of what `grad` gives',
    async () => {
      const p = new nn.Parameter(engine.ones([4]));
      p.mul(3).sum().backward();
      nn.clipGradNorm([p], 1);
      const { gradients } = nn.clipGradNorm(engine.grad(p.mul(3).sum(), [p]), 1);
      assert.equal(await p.grad!.array(), await gradients[0]!.array());
      assert.ok([nn.CosineAnnealingLR, nn.EMA].every((c) => typeof c === 'function'));
    },
  ],
];

test('the table for those who come from PyTorch has no row that is not so', async () => {
  const table = /\| PyTorch \| wgrad \|\n.*\n((?:\|.*\n)+)/
    .exec(textOf('docs/guide/pytorch.md'))![1]!
    .trim()
    .split('\n');
  assert.is(table.length, rows.length);
  await engine.init({ adapter: 'reference' });
  for (const [k, [words, holds]] of rows.entries()) {
    assert.ok(table[k]!.includes(words), `row ${k + 1} does not say ${words}`);
    await holds();
  }
});

test('the first program prints the tape and both derivatives', () => {
  const printed = run(programWith('createGraph: true'));
  assert.match(printed, '%1:[3] = x\n%2:[3] = mul(%1, %1)\n%3:[3] = mul(%2, %1)\n%4:[] = sum(%3)\n');
  assert.match(printed, /\[ 3, 12, 27 \] \[ 6, 12, 18 \]/);
});

test('the program of XOR learns it', () => {
  const error = /mean squared error ([\d.]+)/.exec(run(programWith("'XOR, mean squared error'")))?.[1];
  assert.ok(Number(error) < 0.01, `mean squared error ${error}`);
});

test('the program of layers trains a classifier with layers of its own, and saves and loads it', () => {
  try {
    const printed = run(programWith("'stripes.safetensors', {"));
    assert.match(printed, /layers\.1\.conv \(Conv2d\) +\[1,4,4,8\] +584/);
    assert.ok(Number(/cross-entropy ([\d.]+)/.exec(printed)?.[1]) < 0.1, printed);
    assert.match(printed, 'after epochs: 10');
  } finally {
    rmSync('stripes.safetensors', { force: true });
  }
});

test('the program of GANs trains a GAN on a ring, and counts its modes', () => {
  const printed = run(programWith('gaussianRing()'));
  assert.match(printed, /^50 -?[\d.]+\n100 -?[\d.]+\nmodes \d of 8\n$/);
});

test('the program of an own op runs its own shader, and checks its derivatives', () => {
  const printed = run(programWith('kernelcheck('));
  const numbers = (/\[ ([^\]]*) \] \[ ([^\]]*) \]/.exec(printed) ?? [])
    .slice(1)
    .flatMap((t) => t.split(',').map(Number));
  [0.027, -1.728, 0.27, 4.32].forEach((v, i) => {
    assert.ok(Math.abs(numbers[i]! - v) < 1e-6, printed);
  });
  const errors = (/largest errors (\S+) (\S+) (\S+)/.exec(printed) ?? []).slice(1).map(Number);
  assert.ok(errors.length === 3 && errors.every((e, i) => e < (i === 2 ? 1e-6 : 1e-7)), printed);
});

test('the program of docs/systems.md trains a system of the table, and measures it', () => {
  const [, program] = /```js\n([\s\S]*?)```/.exec(readFileSync('docs/systems.md', 'utf8'))!;
  const printed = run(program!);
  assert.match(printed, /^25 0\.\d+\n50 0\.\d+\nlargest principal angle to the PCA subspace, degrees \d+\.\d+\n$/);
});

test('the example of an op with two inputs and a sum checks its derivatives and its shader', () => {
  const command = ['--import', 'tsx', 'examples/customOp.ts'];
  const printed = execFileSync(process.execPath, command, { encoding: 'utf8' });
  const errors = (/^derivatives (\S+) (\S+)\nshader (\S+)\n$/.exec(printed) ?? []).slice(1).map(Number);
  assert.ok(errors.length === 3 && errors.every((e, i) => e < (i === 2 ? 1e-4 : 1e-7)), printed);
});

test('the program of ONNX writes an ONNX file, which onnxruntime runs with a batch of any size', async () => {
  const file = 'generator.onnx';
  try {
    assert.match(run(programWith('exportOnnx(')), /^generator\.onnx: \d+ bytes$/m);
    const session = await InferenceSession.create(readFileSync(file), { logSeverityLevel: 3 });
    const z = Float32Array.from({ length: 3 * 16 }, (_, i) => Math.sin(i));
    const { images } = await session.run({ z: new OrtTensor('float32', z, [3, 16]) });
    assert.equal([...images!.dims], [3, 28, 28, 1]);
    const pixels = images!.data as Float32Array;
    assert.ok(pixels.every((v) => Math.abs(v) < 1) && pixels.some((v) => Math.abs(v) > 0.01));
    await session.release();
  } finally {
    rmSync(file, { force: true });
  }
});

test('no program of the pages is left out', () => {
  assert.equal(
    [...programs].filter((program) => !tested.has(program)),
    [],
  );
});

test('every command of package.json that the pages name exists', () => {
  const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
  for (const page of [...pages, 'CONTRIBUTING.md'])
    for (const [, name] of textOf(page).matchAll(/`npm (?:run )?((?!ci\b|install\b)[a-z:]+)/g))
      assert.ok(scripts[name!], `${page}: ${name}`);
});

test.run();
