/** What a compiled step refuses to take, by name and place; what of its inputs decides a capture; limits and types. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { setDevice } from '../../engine/device.ts';
import {
  compile,
  DeviceError,
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
import { counted } from '../support/counted.ts';
import { openGpu } from '../support/devices.ts';

const test = suite('compile of trees, decided and refused');
const gpu = await openGpu();
setDevice(gpu);

interface Batch {
  readonly sample: Tensor;
  readonly label?: Tensor;
}

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
