/** Mistakes of nn that were made once. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { defaultRng, init, manualSeed, Rng, reference, scope, type Tensor, tensor } from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';

const test = suite('nn regressions');
await init({ adapter: 'reference' });
const values = (t: Tensor): number[] => Array.from(reference.values(t.storage));
const said = (pattern: RegExp) => (e: Error) => pattern.test(e.message);

test('loadStateDict looks at all values before it writes the first', () => {
  const m = new nn.Linear(1, 2);
  m.weight.assign([1, 2]);
  const wrong = (bias: ArrayLike<number> | ArrayLike<bigint>) =>
    new Map([
      ['weight', { shape: [1, 2], data: [8, 9] }],
      ['bias', { shape: [2], data: bias }],
    ]);
  assert.throws(() => m.loadStateDict(wrong([1])), said(/bias \[2\] takes 2 numbers, not 1/));
  assert.throws(() => m.loadStateDict(wrong([1n, 2n ** 60n + 1n])));
  assert.equal(values(m.weight), [1, 2]);
  assert.throws(() => m.loadStateDict({ weight: [1, 2] } as never), said(/a Map by name/));
});

test('an optimizer state with impossible numbers changes nothing', () => {
  const m = new nn.Linear(1, 1, { bias: false });
  const adam = new nn.Adam([m.weight]);
  const before = adam.stateDict();
  assert.throws(
    () => adam.loadStateDict(new Map([...before, ['steps', -1]])),
    said(/Adam: steps must be a whole number/),
  );
  assert.is(adam.steps, 0);
});

test('an optimizer is not made of parameters that stand for their averages', () => {
  const m = new nn.Linear(1, 1, { bias: false });
  const ema = new nn.EMA([m.weight], 0.5);
  assert.throws(() => ema.apply(() => void new nn.SGD([m.weight])), said(/stands for its average .* outside of it/));
  const sgd = new nn.SGD([m.weight], { lr: 1 });
  const before = values(m.weight)[0]!;
  scope(() => sgd.step([tensor([[1]])]));
  assert.is(values(m.weight)[0], before - 1);
});

test('a convolution of groups has the fans that PyTorch counts', () => {
  const seen: nn.Fans[] = [];
  const note: nn.Initializer = (shape, fans, rng) => {
    seen.push(fans);
    return rng.normal(shape);
  };
  for (const make of [
    () => new nn.Conv2d(64, 64, 3, { groups: 64, bias: false, init: note }),
    () => new nn.ConvTranspose2d(8, 4, 2, { groups: 2, bias: false, init: note }),
    () => new nn.Embedding(1000, 4, { init: note }),
  ]) {
    make().dispose();
  }
  assert.equal(seen, [
    { fanIn: 9, fanOut: 576 },
    { fanIn: 8, fanOut: 32 },
    { fanIn: 4, fanOut: 1000 },
  ]);
});

test('an option that is undefined is one that is not given', () => {
  const m = new nn.BatchNorm2d(3, { affine: undefined, trackRunningStats: undefined } as object);
  assert.is(m.stateDict().size, 4);
});

test('apply goes through modules as PyTorch does: inner ones first, in order', () => {
  const order: string[] = [];
  new nn.Sequential(new nn.ReLU(), new nn.Tanh()).apply((m) => void order.push(m.constructor.name));
  assert.equal(order, ['ReLU', 'Tanh', 'Sequential']);
});

test('initialize fills parameters in arrays too', () => {
  const m = new nn.GRU(2, 3);
  assert.equal(nn.initialize(m, nn.init.zeros), [...m.stateDict().keys()]);
  assert.ok(m.parameters().every((p) => values(p).every((v) => v === 0)));
});

test('a module whose forward is a field is not copied', () => {
  class Odd extends nn.Module {
    readonly w = new nn.Parameter(tensor([2]));
    override forward = (x: Tensor): Tensor => x.mul(this.w);
  }
  assert.throws(() => new Odd().copy(), said(/forward of Odd is a field/));
});

test('pairs of image and label come in batches of pairs', () => {
  const data: [Float32Array, number][] = [
    [Float32Array.of(1, 2), 0],
    [Float32Array.of(3, 4), 1],
  ];
  for (const [x, y] of new nn.DataLoader(data, { batchSize: 2 })) {
    assert.equal(
      [x.shape, values(x), values(y)],
      [
        [2, 2],
        [1, 2, 3, 4],
        [0, 1],
      ],
    );
  }
});

test('OneCycleLR refuses a cycle without a rise or a fall', () => {
  const sgd = new nn.SGD([new nn.Parameter(tensor([1]))], { momentum: 0.9 });
  for (const [pctStart, what] of [
    [0.1, 'rise'],
    [1, 'fall'],
  ] as const) {
    const make = () => new nn.OneCycleLR(sgd, { maxLr: 1, totalSteps: 10, pctStart });
    assert.throws(make, (e: Error) => e instanceof RangeError && e.message.includes(`no step to ${what} in`));
  }
});

test('dropout and weights follow manualSeed, and a checkpoint holds the place of their stream', async () => {
  const make = () => new nn.Sequential(new nn.Linear(2, 8), new nn.Dropout(0.5));
  const run = (m: nn.Sequential) => scope(() => values(m.forward(tensor([[1, 2]]))));
  manualSeed(7);
  const first = make();
  run(first);
  const bytes = await nn.encodeCheckpoint({ m: first });
  const next = run(first);
  manualSeed(99);
  const other = make();
  await nn.decodeCheckpoint(bytes, { m: other });
  assert.equal(run(other), next);
  manualSeed(7);
  assert.is(make().at(1) instanceof nn.Dropout && defaultRng() instanceof Rng, true);
  manualSeed(7);
  const again = make();
  run(again);
  assert.equal(run(again), next);
});

test('a part of a checkpoint that has no state is named, as it is saved and as it is loaded', async () => {
  const parts = { names: new Map() as never };
  const bytes = await nn.encodeCheckpoint({ names: new Rng(1) });
  for (const act of [() => nn.encodeCheckpoint(parts), () => nn.decodeCheckpoint(bytes, parts)]) {
    const error = await act().then(
      () => undefined,
      (e: Error) => e,
    );
    assert.match(error!.message, /part names is object without stateDict\(\)/);
  }
});

test.run();
