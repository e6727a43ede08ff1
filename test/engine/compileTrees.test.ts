/** What a compiled step takes: tensors in lists, Maps, Sets and objects, and what of them a capture depends on. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { setDevice } from '../../engine/device.ts';
import { compile, grad, ones, Rng, scope, type Tensor, tensor } from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';
import { counted } from '../support/counted.ts';
import { openGpu } from '../support/devices.ts';

const test = suite('compile of trees');
const gpu = await openGpu();
setDevice(gpu);

interface Batch {
  readonly sample: Tensor;
  readonly label?: Tensor;
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

test.after(() => gpu.destroy());
test.run();
