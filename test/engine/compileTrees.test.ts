/** What a compiled step takes: tensors in lists, Maps, Sets and objects, and what of them a capture depends on. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { setDevice } from '../../engine/device.ts';
import {
  compile,
  DeviceError,
  grad,
  matmul,
  memory,
  ones,
  Rng,
  reference,
  scope,
  type Tensor,
  tensor,
  UseAfterFreeError,
  withDevice,
} from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';
import { openGpu } from '../support/devices.ts';

const test = suite('compile of trees');
const gpu = await openGpu();
setDevice(gpu);

interface Batch {
  readonly sample: Tensor;
  readonly label?: Tensor;
}

/** A step that counts how often it is captured. */
function counted<A extends readonly unknown[], R>(step: (...inputs: A) => R) {
  const count = { captured: 0 };
  const compiled = compile((...inputs: A): R => {
    count.captured++;
    return step(...inputs);
  });
  return Object.assign(compiled, { count });
}

/** All numbers of the tensors that `fn` gives, in order. */
const numbers = async (fn: () => Iterable<Tensor>): Promise<number[]> => {
  const read = await scope(() => Promise.all([...fn()].map((t) => t.data())));
  return read.flatMap((values) => [...values]);
};

test('nested inputs: the numbers of the step as it is, and of the same step on a list of tensors', async () => {
  const net = new nn.Linear(3, 2, { rng: new Rng(1) });
  const parameters = net.parameters();
  const whole = new Rng(2);
  // Whole numbers, of which every sum is exact, so that fused chains cannot round differently.
  const draw = (shape: number[]) => whole.bernoulli(shape).mul(4).add(1);
  for (const p of parameters) p.assign(Float32Array.from({ length: p.size }, (_, i) => i - 2));
  type Inputs = { pair: readonly [Batch, Batch]; weights: ReadonlyMap<string, Tensor> };
  const step = ({ pair, weights }: Inputs, scale: Tensor) => {
    const errors = pair.map(({ sample, label }) => net.forward(sample).sub(label!).square().sum());
    const loss = errors[0]!
      .mul(weights.get('first')!)
      .add(errors[1]!.mul(weights.get('second')!))
      .mul(scale);
    return { loss, slopes: new Map([['w', grad(loss, parameters)]]) };
  };
  const flat = compile((...[a, b, c, d, e, f, g]: Tensor[]) => {
    const pair = [
      { sample: a!, label: b! },
      { sample: c!, label: d! },
    ] as const;
    return step(
      {
        pair,
        weights: new Map([
          ['first', e!],
          ['second', f!],
        ]),
      },
      g!,
    );
  });
  const compiled = counted(step);
  const all = ({ loss, slopes }: ReturnType<typeof step>) => [loss, ...slopes.get('w')!];
  for (let k = 0; k < 4; k++) {
    const ts = [[5, 3], [5, 2], [4, 3], [4, 2], [], [], []].map(draw);
    const [a, b, c, d, e, f, g] = ts as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
    const pair = [
      { sample: a, label: b },
      { sample: c, label: d },
    ] as const;
    const inputs = {
      pair,
      weights: new Map([
        ['first', e],
        ['second', f],
      ]),
    };
    const wanted = await numbers(() => all(step(inputs, g)));
    assert.ok(wanted.some((v) => v !== 0));
    assert.equal(await numbers(() => all(compiled(inputs, g))), wanted, `run ${k}`);
    assert.equal(await numbers(() => all(flat(...ts))), wanted, `run ${k}, from a list`);
    for (const t of ts) t.dispose();
  }
  assert.is(compiled.count.captured, 1);
  flat.dispose();
  compiled.dispose();
});

test('the order of names does not matter, unless the step asks for it; that of a Map does', async () => {
  const [a, b] = [tensor([7]), tensor([2])];
  const byName = counted((t: { a: Tensor; b: Tensor }) => t.a.sub(t.b));
  for (const t of [
    { a, b },
    { b, a },
    { a: b, b: a },
  ]) {
    assert.equal(await numbers(() => [byName(t)]), [t.a === a ? 5 : -5]);
  }
  assert.is(byName.count.captured, 1);
  const steps = [
    (t: Record<string, Tensor>) => Object.values(t).reduce((x, y) => x.sub(y)),
    (t: Record<string, Tensor>) => {
      let sum: Tensor | undefined;
      for (const name in t) sum = sum ? sum.sub(t[name]!) : t[name]!.mul(1);
      return sum!;
    },
    (t: Record<string, Tensor>) => Object.values({ ...t }).reduce((x, y) => x.sub(y)),
  ];
  for (const ordered of steps) {
    const step = counted(ordered);
    for (const t of [
      { a, b },
      { b, a },
      { a, b },
    ]) {
      assert.equal(await numbers(() => [step(t)]), await numbers(() => [ordered(t)]), ordered.toString());
    }
    assert.is(step.count.captured, 2);
  }
  const returned = compile((t: Record<string, Tensor>) => t);
  assert.equal(Object.keys(returned({ a, b })), ['a', 'b']);
  assert.equal(Object.keys(returned({ b, a })), ['b', 'a'], 'a result is in the order of its own call');
  const map = counted((t: ReadonlyMap<number, Tensor>) => [...t.values()].reduce((x, y) => x.sub(y)));
  const entries: [number, Tensor][] = [
    [0, a],
    [1, b],
  ];
  assert.equal(await numbers(() => [map(new Map(entries)), map(new Map([...entries].reverse()))]), [5, -5]);
  assert.is(map.count.captured, 2);
});

test('a name, entry or item more or less is captured again, and going back costs nothing', async () => {
  const [sample, label] = [tensor([3]), tensor([5])];
  const step = counted(({ sample: x, label: y }: Batch) => (y ? x.mul(y) : x.neg()));
  const at = async (batch: Batch) => (await numbers(() => [step(batch)]))[0];
  assert.is(await at({ sample, label }), 15);
  assert.is(await at({ sample }), -3);
  assert.is(await at({ sample, label }), 15);
  assert.is(step.count.captured, 2);
  const sum = counted((list: readonly Tensor[], more: ReadonlySet<Tensor>, last?: Tensor) =>
    [...list, ...more, ...(last ? [last] : [])].reduce((x, y) => x.add(y)),
  );
  const total = async (...inputs: Parameters<typeof sum>) => (await numbers(() => [sum(...inputs)]))[0];
  assert.is(await total([sample], new Set()), 3);
  assert.is(await total([sample, label], new Set()), 8);
  assert.is(await total([sample], new Set([label])), 8);
  assert.is(await total([sample], new Set(), label), 8);
  assert.is(await total([label], new Set()), 5);
  assert.is(sum.count.captured, 4);
  const wrong = compile(({ sample: x, label: y }: Batch) => x.mul(y!));
  assert.is((await numbers(() => [wrong({ sample, label })]))[0], 15);
  assert.throws(() => wrong({ sample }), /mul/, 'the step that needs it says so, and no old value is used');
});

test('a tensor at two places of a tree is one tensor', async () => {
  const slope = counted(({ x, ys }: { x: Tensor; ys: readonly Tensor[] }) => grad(x.mul(ys[0]!).sum(), [x])[0]!);
  const [r, s] = [tensor([3], { requiresGrad: true }), tensor([5], { requiresGrad: true })];
  const at = async (x: Tensor, y: Tensor) => (await numbers(() => [slope({ x, ys: [y] })]))[0];
  assert.is(await at(r, r), 6);
  assert.is(await at(r, s), 5);
  assert.is(await at(s, s), 10);
  assert.is(await at(s, r), 3);
  assert.is(slope.count.captured, 2);
  const three = counted((...ts: Tensor[]) => ts.map((t) => ts.indexOf(t)).join(''));
  const [t, u] = [ones([1]), ones([1])];
  const seen = [three(t, t, u), three(t, u, t), three(u, u, t), three(u, t, u), three(t, t, t), three(u, t, t)];
  assert.equal(seen, ['002', '010', '002', '010', '000', '011']);
  assert.is(three.count.captured, 4);
  const asked = counted(({ x }: { x: Tensor }) => x.requiresGrad);
  assert.equal([asked({ x: r }), asked({ x: t }), asked({ x: r })], [true, false, true]);
  assert.is(asked.count.captured, 2);
});

test('Maps and Sets come in and go out', async () => {
  const step = counted((named: ReadonlyMap<string | number, Tensor>, some: ReadonlySet<Tensor>) => {
    const [first, second] = some;
    return new Set([named.get('a')!.mul(first!), named.get(7)!.add(second!)]);
  });
  const [a, b] = [tensor([2]), tensor([3])];
  for (let k = 1; k < 4; k++) {
    const c = tensor([k]);
    const run = () =>
      step(
        new Map<string | number, Tensor>([
          ['a', a],
          [7, b],
        ]),
        new Set([c, a]),
      );
    assert.equal(await numbers(run), [2 * k, 5], 'results in a Set have memory of their own');
  }
  assert.is(step.count.captured, 1);
  const other = () =>
    step(
      new Map<string | number, Tensor>([
        ['a', a],
        ['7', b],
      ]),
      new Set([b, a]),
    );
  assert.throws(other, TypeError, "a text is another key than the number: named.get(7) isn't there");
});

test('values of the host decide, and others are captured again', async () => {
  type Options = { phase: string; deep: boolean | undefined; at: number; none: null };
  const step = counted((x: Tensor, { phase, deep, at }: Options) => {
    const y = phase === 'warm' ? x.mul(2) : x.neg();
    return { y: deep ? y.add(at) : y, phase, at };
  });
  const x = tensor([3]);
  const run = async (phase: string, deep: boolean | undefined, at: number) => {
    const made = step(x, { phase, deep, at, none: null });
    const value = await made.y.item();
    made.y.dispose();
    return [value, made.phase, made.at];
  };
  assert.equal(await run('warm', true, 1), [7, 'warm', 1]);
  assert.equal(await run('full', true, 1), [-2, 'full', 1]);
  assert.equal(await run('full', undefined, 1), [-3, 'full', 1]);
  assert.equal(await run('full', true, 2), [-1, 'full', 2]);
  assert.is(step.count.captured, 4);
  assert.equal(await run('warm', true, 1), [7, 'warm', 1]);
  for (let k = 0; k < 2; k++) assert.ok(Number.isNaN((await run('warm', true, Number.NaN))[0]));
  assert.is(step.count.captured, 5, 'NaN is equal to itself here');
});

/** Runs `fn` and gives what it wrote on the console as warnings. */
async function warnings(fn: () => Promise<void>): Promise<string[]> {
  const { warn } = console;
  const said: string[] = [];
  console.warn = (...words: unknown[]) => void said.push(words.join(' '));
  try {
    await fn();
  } finally {
    console.warn = warn;
  }
  return said;
}

test('a number that moves is warned of, once, under its path; a tensor and a few phases are not', async () => {
  const x = tensor([3]);
  const step = counted((t: Tensor, knobs: { fade: { alpha: number } }) => t.mul(knobs.fade.alpha));
  const start = memory();
  const said = await warnings(async () => {
    for (let k = 0; k < 40; k++) {
      assert.is(await scope(() => step(x, { fade: { alpha: k / 64 } }).item()), (3 * k) / 64);
    }
  });
  assert.is(said.length, 1);
  assert.match(said[0]!, /captured 16 times more .* input 1\.fade\.alpha from 0\.234375 to 0\.25\..*tensor\(0\.25\)/);
  assert.is(step.count.captured, 40);
  step.dispose();
  assert.is(memory().tensors, start.tensors);
  const fine = counted((t: Tensor, knobs: { alpha: Tensor }, phase: number) => t.mul(knobs.alpha).add(phase));
  const quiet = await warnings(async () => {
    for (let k = 0; k < 48; k++) {
      const run = () => fine(x, { alpha: tensor(k / 64) }, k % 16).item();
      assert.is(await scope(run), (3 * k) / 64 + (k % 16));
    }
  });
  assert.equal(quiet, []);
  assert.is(fine.count.captured, 16);
  fine.dispose();
});

test('what a step cannot take is refused by name and place, on every device', () => {
  const rng = new Rng(1);
  const linear = new nn.Linear(1, 1, { rng });
  const x = ones([1]);
  const loop: Record<string, unknown> = { x };
  loop.inner = [loop];
  class Pair {
    readonly a = x;
  }
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [{ net: linear }, /^compile: input 1\.net is a Linear; a step takes .*: let the step use it from outside$/],
    [{ of: [{ pair: new Pair() }] }, /^compile: input 1\.of\[0\]\.pair is a Pair;/],
    [new Map([['a b', rng]]), /^compile: input 1\.get\("a b"\) is an Rng;/],
    [new Set([x, rng]), /^compile: input 1\{1\} is an Rng;/],
    [{ 'a b': rng }, /^compile: input 1\["a b"\] is an Rng;/],
    [[new Float32Array(3)], /^compile: input 1\[0\] is a Float32Array; .*: tensor\(\.\.\.\) makes a tensor of it$/],
    [Math.sin, /^compile: input 1 is the function sin;/],
    [{ later: x.data() }, /^compile: input 1\.later is a promise \(write await before it\);/],
    [[Symbol('s')], /^compile: input 1\[0\] is Symbol\(s\);/],
    [
      new Map([[x, 1]]),
      /^compile: a key of input 1 is a Tensor \[1\]; Maps that a step takes have texts or numbers as keys$/,
    ],
    [loop, /^compile: input 1\.inner\[0\] is an object that input 1\.inner\[0\] lies in/],
  ];
  for (const device of [gpu, reference]) {
    withDevice(device, () => {
      let ran = 0;
      const step = compile((t: Tensor, _other: unknown) => {
        ran++;
        return t.mul(2);
      });
      const y = ones([1]);
      step(y, { a: 1 });
      for (const [value, message] of cases) {
        assert.throws(
          () => step(y, value),
          (e: Error) => e instanceof TypeError && message.test(e.message),
          String(message),
        );
      }
      assert.is(ran, 1, 'nothing has happened');
    });
  }
});

test('tensors that were freed, live elsewhere or are used from outside are named by their place', () => {
  const step = compile(({ batch }: { batch: Batch }) => batch.sample.mul(batch.label!));
  const [sample, label] = [ones([2]).named('x'), ones([2]).named('y')];
  step({ batch: { sample, label } });
  label.dispose();
  assert.throws(
    () => step({ batch: { sample, label } }),
    (e: Error) =>
      e instanceof UseAfterFreeError && /^compile: input 0\.batch\.label, y \[2\], was freed/.test(e.message),
  );
  const far = withDevice(reference, () => ones([2]));
  assert.throws(
    () => step({ batch: { sample, label: far } }),
    (e: Error) =>
      e instanceof DeviceError &&
      /^compile: input 0\.batch\.label, .* lives on .*, and input 0\.batch\.sample on/.test(e.message),
  );
  const w = ones([2], { requiresGrad: true });
  const both = compile(({ list }: { list: readonly Tensor[] }) => list[0]!.mul(w));
  assert.throws(() => both({ list: [w] }), /^compile: input 0\.list\[0\], .* is also used by the step from outside/);
});

test('memory stands still, and the limits of captures hold for trees', async () => {
  const start = memory();
  const step = counted(({ xs, k }: { xs: readonly Tensor[]; k: number }) => ({ y: matmul(xs[0]!, xs[1]!).mul(k) }));
  const run = (n: number, k = 1) =>
    scope(() =>
      step({ xs: [ones([n, n]), ones([n, n])], k })
        .y.sum()
        .item(),
    );
  for (let n = 1; n <= 40; n++) assert.is(await run(n), n ** 3);
  const before = memory();
  for (let n = 41; n <= 60; n++) await run(n);
  assert.ok(memory().buffers <= before.buffers, `${memory().buffers} buffers, ${before.buffers} before`);
  assert.is(step.count.captured, 60);
  await run(60);
  await run(45);
  assert.is(step.count.captured, 60, 'the last 16 are kept');
  await run(44);
  assert.is(step.count.captured, 61);
  const still = memory();
  for (let k = 0; k < 20; k++) await run(60);
  assert.equal(memory(), still);
  step.dispose();
  assert.is(memory().tensors, start.tensors);
  assert.is(memory().buffers, start.buffers);
});

test('types: a step is called as the function it was made from', () => {
  const typed = compile((batch: Batch, { scale }: { scale: Tensor }) => ({ y: batch.sample.mul(scale) }));
  const untyped = compile((x, y) => x.add(y)); // tensors, where nothing is said
  const x = ones([1]);
  const shapes: (readonly number[])[] = [typed({ sample: x }, { scale: x }).y.shape, untyped(x, x).shape];
  assert.equal(shapes, [[1], [1]]);
  // @ts-expect-error a number in place of a tensor
  assert.throws(() => typed({ sample: 3 }, { scale: x }));
  // @ts-expect-error an input is missing
  assert.throws(() => typed({ sample: x }));
  // @ts-expect-error a tensor in place of an object
  assert.throws(() => typed(x, { scale: x }));
});

test.after(() => gpu.destroy());
test.run();
