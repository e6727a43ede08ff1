/** Objectives and regularisers of users, those that compare with real samples, and critics of patches or under a condition. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runPanels } from '../../cli/pages/runPanels.ts';
import { setDevice } from '../../engine/device.ts';
import { grad, init, Rng, reference, type Tensor, tensor } from '../../engine/index.ts';
import {
  Gan,
  type Networks,
  type Objective,
  objective,
  objectiveNames,
  type Regularizer,
  train,
} from '../../gan/index.ts';
import { estimates } from '../../gan/objectives/objective.ts';
import * as nn from '../../nn/index.ts';
import { openGpu } from '../support/devices.ts';
import { distance, valuesFor } from '../support/values.ts';

await init({ adapter: 'reference' });
const gpu = await openGpu();
const test = suite('own objectives');
test.after(() => gpu.destroy());

const batch = (seed: number, shape = [4, 3]): Tensor => tensor(valuesFor({ shape }, seed), { shape });
const sgd = (p: readonly nn.Parameter[]) => new nn.SGD(p, { lr: 0.05 });

/** A critic that tells how often it was called. */
class Counting extends nn.Module<[Tensor]> {
  readonly body: nn.Sequential;
  calls = 0;
  constructor(rng: Rng) {
    super();
    this.body = new nn.Sequential(new nn.Linear(3, 8, { rng }), new nn.LeakyReLU(0.2), new nn.Linear(8, 1, { rng }));
  }
  forward(x: Tensor): Tensor {
    this.calls++;
    return this.body.forward(x);
  }
}

function tiny(seed: number): Networks & { readonly critic: Counting } {
  const rng = new Rng(seed);
  const generator = new nn.Sequential(new nn.Linear(2, 8, { rng }), new nn.Tanh(), new nn.Linear(8, 3, { rng }));
  return { latent: 2, generator, critic: new Counting(rng) };
}

/** The hinge loss as its user would write it. */
const mine: Objective = {
  name: 'mine',
  criticLoss: (real, fake) => real.neg().add(1).relu().mean().add(fake.add(1).relu().mean()),
  generatorLoss: (fake) => fake.mean().neg(),
  estimate: { name: 'distanceOfMine', fromLoss: (loss) => 1 - loss / 2 },
};

const drift: Regularizer = {
  name: 'drift',
  penalty: (critic, real) => critic.forward(real).square().mean().mul(0.001),
};

test("an objective and a regulariser of the user's train as those of the table, under their own names", async () => {
  const rows = async (aim: Objective | 'hinge', regularizers: readonly Regularizer[]) => {
    const gan = new Gan(tiny(1), new Rng(2), { objective: aim, regularizers, criticOptimizer: sgd, criticSteps: 2 });
    const data = new nn.ArrayDataset({ sample: { data: valuesFor({ shape: [16, 3] }, 3), shape: [3] } });
    const loader = new nn.DataLoader(data, { batchSize: 4, shuffle: true, dropLast: true, rng: new Rng(4) });
    const found: Record<string, number>[] = [];
    for await (const row of train(gan, { data: loader }, { until: 3 })) found.push({ ...row });
    return found;
  };
  const [own, hinge] = [await rows(mine, [drift]), await rows('hinge', [drift])];
  assert.equal(Object.keys(own[0]!), ['step', 'criticLoss', 'distanceOfMine', 'penalty', 'generatorLoss', 'spread']);
  const renamed = hinge.map(({ totalVariation, ...row }) => ({ ...row, distanceOfMine: totalVariation }));
  for (const [i, row] of own.entries()) assert.equal(row, renamed[i]);
  assert.ok(own.every(({ penalty }) => penalty! > 0));
});

test('types: what is missing or wrong in an objective does not compile', () => {
  // @ts-expect-error a name is missing
  const unnamed: Objective = { criticLoss: mine.criticLoss, generatorLoss: mine.generatorLoss };
  // @ts-expect-error a loss is no number
  const host: Objective = { ...mine, generatorLoss: () => 1 };
  // @ts-expect-error a regulariser has no such method
  const wrong: Regularizer = { name: 'wrong', penalise: () => 1 };
  assert.equal([unnamed.name, host.name, wrong.name], [undefined, 'mine', 'wrong']);
});

test("the generator's step makes a pass for real samples only where the objective compares", async () => {
  for (const [aim, calls] of [
    ['hinge', 1],
    [mine, 1],
    ['relativistic', 2],
    ['relativistic-average', 2],
  ] as const) {
    const networks = tiny(1);
    const gan = new Gan(networks, new Rng(2), { objective: aim, criticOptimizer: sgd });
    gan.generatorStep(batch(1));
    assert.is(networks.critic.calls, calls);
  }
  const [a, b] = [tiny(1), tiny(1)].map((n) => new Gan(n, new Rng(2), { objective: 'hinge' })) as [Gan, Gan];
  const losses = await Promise.all([a.generatorStep(4, 2), b.generatorStep(batch(1), batch(2))].map((t) => t.item()));
  assert.is(losses[0], losses[1], 'others take the number of samples from the batches');
});

for (const name of ['relativistic', 'relativistic-average'] as const) {
  test(`${name}: the generator moves along the gradient of its loss on the same real samples`, async () => {
    const networks = tiny(5);
    const { generator, critic } = networks;
    const gan = new Gan(networks, new Rng(6), { objective: name, criticOptimizer: sgd });
    const [x, y] = [batch(7), batch(8)];
    const before = generator.parameters().map((p) => p.detach().mul(1));
    const codes = new Rng(6);
    const wanted = [x, y].map((real) => {
      const fake = critic.forward(generator.forward(codes.normal([4, 2])));
      return grad(objective(name).generatorLoss(fake, critic.forward(real).detach()), generator.parameters());
    });
    gan.generatorStep(x, y);
    for (const [i, p] of generator.parameters().entries()) {
      const moved = before[i]!.sub(p.detach());
      const mean = wanted[0]![i]!.add(wanted[1]![i]!).mul(0.05 / 2);
      assert.ok(distance(await moved.data(), await mean.data()) < 1e-10, `parameter ${i}`);
    }
  });

  test(`${name}: train gives it real samples, compiled as eager`, async () => {
    const rows = async (compiled: boolean) => {
      const steps = { criticSteps: 2, accumulate: 2 };
      const gan = new Gan(tiny(9), new Rng(10), { objective: name, criticOptimizer: sgd, ...steps });
      const data = new nn.ArrayDataset({ sample: { data: valuesFor({ shape: [32, 3] }, 11), shape: [3] } });
      const loader = new nn.DataLoader(data, { batchSize: 4, shuffle: true, dropLast: true, rng: new Rng(12) });
      const found: number[][] = [];
      for await (const row of train(gan, { data: loader }, { until: 4, compiled })) found.push(Object.values(row));
      return found;
    };
    setDevice(gpu);
    const [eager, compiled] = [await rows(false), await rows(true)];
    setDevice(reference);
    assert.equal(
      eager.map((row) => row.length),
      [4, 4, 4, 4],
    );
    for (const [i, row] of eager.entries()) assert.ok(distance(compiled[i]!, row) < 1e-5, `row ${i}`);
    assert.ok(eager.flat().every(Number.isFinite));
  });
}

test('in train the generator is compared with what the critic has just seen, as constants', async () => {
  const seen: Promise<ArrayLike<number>>[] = [];
  const graphs: boolean[] = [];
  const networks = tiny(1);
  const { critic } = networks;
  const forward = critic.body.forward.bind(critic.body);
  critic.body.forward = (x: Tensor) => {
    seen.push(x.data());
    return forward(x);
  };
  const aim: Objective = {
    name: 'watching',
    needsReal: true,
    criticLoss: mine.criticLoss,
    generatorLoss: (fake, real) => {
      graphs.push(fake.requiresGrad, real!.requiresGrad);
      return real!.sub(fake).mean();
    },
  };
  const gan = new Gan(networks, new Rng(2), { objective: aim, criticOptimizer: sgd, criticSteps: 2, accumulate: 2 });
  const data = new nn.ArrayDataset({ sample: { data: valuesFor({ shape: [16, 3] }, 3), shape: [3] } });
  const loader = new nn.DataLoader(data, { batchSize: 4, dropLast: true });
  for await (const _ of train(gan, { data: loader }, { until: 1, compiled: false }));
  const inputs = (await Promise.all(seen)).map((values) => Array.from(values));
  // Four batches for the critic, each with as many generated samples behind it; then generated, real, generated, real.
  assert.equal(
    inputs.map(({ length }) => length),
    [24, 24, 24, 24, 12, 12, 12, 12],
  );
  assert.equal([inputs[5], inputs[7]], [inputs[2]!.slice(0, 12), inputs[3]!.slice(0, 12)]);
  assert.equal(graphs, [true, false, true, false]);
});

test('slips of objectives that compare are named', () => {
  const gan = new Gan(tiny(1), new Rng(1), { objective: 'relativistic' });
  assert.throws(
    () => gan.generatorStep(4),
    /^Gan: relativistic compares .*: write generatorStep\(real\), not a number$/,
  );
  assert.throws(() => gan.generatorStep(...[]), /one batch or more/);
  const { generatorLoss } = objective('relativistic-average');
  assert.throws(() => generatorLoss(batch(1)), /^relativistic-average: generatorLoss\(fake, real\) needs/);
  const forgotten: Objective = { ...mine, generatorLoss: (fake, real) => real!.sub(fake).mean() };
  assert.throws(
    () => new Gan(tiny(1), new Rng(1), { objective: forgotten }),
    /^Gan: generatorLoss of mine takes the logits of real samples too: say so with needsReal: true$/,
  );
  assert.throws(() => objective('relativistic', { labelSmoothing: 0.1 }), /no labels to smooth; minimax/);
});

test('a divergence is named in its row alone: plots and the progress bar read it there', () => {
  const names = estimates.map(({ name }) => name);
  assert.equal([...names].sort(), ['jsd', 'totalVariation', 'triangular', 'wasserstein']);
  for (const name of objectiveNames) {
    const { estimate } = objective(name);
    if (!estimate) continue;
    assert.is(
      estimates.find((e) => e.name === estimate.name),
      estimate,
    );
    const panel = runPanels.find(({ curves }) => curves.some(({ key }) => key === estimate.name));
    assert.equal([panel!.title, panel!.axis], [estimate.title, estimate.unit]);
  }
});

test.run();
