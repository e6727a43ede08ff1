/** Players: whose gradients, in which order, and what is done around an update; and samples mapped in batches. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { grad, init, Rng, type Tensor, tensor } from '../../engine/index.ts';
import { mapSamples, minimiseTogether, Player } from '../../gan/index.ts';
import { BatchNorm1d, Linear, SGD } from '../../nn/index.ts';

await init({ adapter: 'reference' });
const test = suite('player');

const RATE = 0.1;
const sgd = (parameters: Player['parameters']) => new SGD(parameters, { lr: RATE });
const layer = (seed: number) => new Linear(2, 1, { rng: new Rng(seed), bias: false });
const x = tensor([
  [1, -2],
  [0.5, 3],
]);
const values = (t: Tensor): Promise<number[]> => t.data().then((v) => [...v]);
const close = (found: readonly number[], wanted: readonly number[]): void => {
  assert.is(found.length, wanted.length);
  for (const [i, v] of found.entries()) assert.ok(Math.abs(v - wanted[i]!) < 1e-12, `${found} is not ${wanted}`);
};
const moved = (w: readonly number[], g: readonly number[], scale = 1) => w.map((v, i) => v - RATE * scale * g[i]!);

test('a player moves down its loss, and nobody else does', async () => {
  const [a, b] = [layer(1), layer(2)];
  const [one, other] = [new Player({ a }, sgd), new Player({ b }, sgd)];
  const loss = a.forward(x).mul(b.forward(x)).sum();
  const [g] = grad(loss, [a.weight], { retainGraph: true });
  const [before, theirs] = [await values(a.weight), await values(b.weight)];
  one.minimise(loss);
  close(await values(a.weight), moved(before, await values(g!)));
  assert.equal(await values(b.weight), theirs);
  other.dispose();
});

test('a loss may leave parameters out where the player says so', async () => {
  const [a, b] = [layer(1), layer(2)];
  const strict = new Player({ a, b }, sgd);
  assert.throws(() => strict.gradients(a.forward(x).sum()), /no output depends on/);
  strict.dispose();
  const growing = new Player({ a, b }, sgd, { allowUnused: true });
  const [before, theirs] = [await values(a.weight), await values(b.weight)];
  const [, gb] = growing.gradients(a.forward(x).sum());
  assert.equal(await values(gb!), [0, 0]);
  growing.minimise(a.forward(x).sum());
  close(await values(a.weight), moved(before, [1.5, 1]));
  assert.equal(await values(b.weight), theirs);
  const other = new Player({ c: layer(3) }, sgd);
  minimiseTogether([growing, b.forward(x).sum()], [other, other.modules.c.forward(x).sum()]);
  close(await values(b.weight), moved(theirs, [1.5, 1]));
  for (const player of [growing, other]) player.dispose();
});

test('together: all gradients are taken before anyone moves', async () => {
  const [a, b] = [layer(1), layer(2)];
  const [one, other] = [new Player({ a }, sgd), new Player({ b }, sgd)];
  const shared = a.forward(x).mul(b.forward(x)).sum();
  const losses = [shared, shared.square().mul(0.1)] as const;
  const [ga] = grad(losses[0], [a.weight], { retainGraph: true });
  const [gb] = grad(losses[1], [b.weight], { retainGraph: true });
  const before = [await values(a.weight), await values(b.weight)] as const;
  minimiseTogether([one, losses[0]], [other, losses[1]]);
  close(await values(a.weight), moved(before[0], await values(ga!)));
  close(await values(b.weight), moved(before[1], await values(gb!)));
});

test('gradients are clipped before an update; weights are projected, then averaged, after it', async () => {
  const a = layer(1);
  const before = await values(a.weight);
  const player = new Player({ a }, sgd, {
    clipNorm: 0.5,
    emaDecay: 0.9,
    project: ([w]) => void w!.assign([7, 8]),
  });
  const reads: Promise<number[]>[] = [];
  const watched = new Player({ a: layer(1) }, sgd, { clipNorm: 0.5, project: ([w]) => void reads.push(values(w!)) });
  const g = [3, 4];
  watched.update([tensor(g, { shape: [...a.weight.shape] })]);
  const [found] = await Promise.all(reads);
  // The clip's factor has 1e-6 in its denominator, as PyTorch's.
  close(found!, moved(before, g, 0.5 / (5 + 1e-6)));
  player.update([tensor(g, { shape: [...a.weight.shape] })]);
  assert.equal(await values(a.weight), [7, 8]);
  a.weight.assign([1, 1]);
  const averaged = player.averaged(() => a.forward(tensor([[1, 0]])));
  assert.equal(await values(averaged), [7]); // the first update takes the average to where the weights are
  player.settle();
  assert.equal(await values(a.weight), [7, 8]);
});

test('a schedule keeps the rates of groups apart', () => {
  const [a, b] = [layer(1), layer(2)];
  const player = new Player(
    { a, b },
    () =>
      new SGD(
        [
          { params: [a.weight], lr: 0.2 },
          { params: [b.weight], lr: 0.002 },
        ],
        { lr: 1 },
      ),
  );
  for (const share of [0.5, 1, 0]) {
    player.schedule(share);
    assert.equal(
      player.optimizer.groups.map(({ lr }) => lr),
      [0.2 * share, 0.002 * share],
    );
  }
  assert.throws(() => player.schedule(-1), /^schedule: share/);
});

test('options that there are not, or out of range', () => {
  const message = (options: object): string => {
    try {
      new Player({ a: layer(1) }, sgd, options);
      return 'accepted';
    } catch (e) {
      return (e as Error).message;
    }
  };
  assert.is(message({ emaDecay: 1 }), 'Player: emaDecay must be a number from 0 to less than 1, not 1');
  assert.is(message({ clipNorm: 0 }), 'Player: clipNorm must be a number above 0, not 0');
  assert.match(message({ ema: 0.9 }), /^Player: there is no option ema/);
});

test('samples are mapped in batches, the last a short one, in their order', async () => {
  const data = Float32Array.from({ length: 14 }, (_, i) => i);
  const sizes: number[] = [];
  const sums = (t: Tensor): Tensor => {
    sizes.push(t.shape[0]!);
    return t.sum([1]);
  };
  const found = await mapSamples(sums, { data, shape: [7, 2] }, { batchSize: 3 });
  assert.equal(sizes, [3, 3, 1]);
  assert.equal([...found.data], [1, 5, 9, 13, 17, 21, 25]);
  assert.equal(found.shape, [7]);
  const error = await mapSamples((t) => t.sum([0], { keepDims: true }), { data, shape: [7, 2] }).catch((e: Error) => e);
  assert.is((error as Error).message, 'mapSamples: [1,2] was made of 7 samples');
});

test('mapping samples moves no running statistics', async () => {
  const norm = new BatchNorm1d(2);
  await mapSamples((t) => norm.forward(t), { data: Float32Array.from([1, 2, 3, 5]), shape: [2, 2] });
  assert.equal(await values(norm.runningMean!), [0, 0]);
});

test.run();
