/** Critics of other kinds: of patches, with features beside the logit, and under a condition. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat, init, Rng, reference, scope, type Tensor, tensor } from '../../engine/index.ts';
import {
  type CriticFunction,
  Gan,
  gradientNorms,
  gradientPenalty,
  type Objective,
  objective,
  objectiveNames,
  zeroCentredPenalty,
} from '../../gan/index.ts';
import * as nn from '../../nn/index.ts';
import { openGpu, read } from '../support/devices.ts';
import { distance, valuesFor } from '../support/values.ts';

await init({ adapter: 'reference' });
const gpu = await openGpu();
const test = suite('other critics');
test.after(() => gpu.destroy());

const batch = (seed: number, shape = [4, 3]): Tensor => tensor(valuesFor({ shape }, seed), { shape });
const sgd = (p: readonly nn.Parameter[]) => new nn.SGD(p, { lr: 0.05 });

test('a critic of patches: every objective and the penalties take a map of logits', async () => {
  const patches = (rng: Rng) =>
    new nn.Sequential(
      new nn.Conv2d(1, 4, 3, { stride: 2, padding: 1, rng }),
      new nn.Tanh(),
      new nn.Conv2d(4, 1, 2, { rng }),
    );
  for (const name of objectiveNames) {
    const run = () => {
      const rng = new Rng(3);
      const generator = new nn.Sequential(new nn.Linear(2, 64, { rng }), new nn.Reshape([8, 8, 1]), new nn.Tanh());
      const gan = new Gan({ latent: 2, generator, critic: patches(rng) }, new Rng(4), {
        objective: name,
        regularizers: ['gradient-penalty', 'r1'],
        criticOptimizer: sgd,
      });
      const real = batch(5, [2, 8, 8, 1]);
      const { loss, objectiveLoss, penalty } = gan.criticStep(real);
      return [loss, objectiveLoss, penalty, gan.generatorStep(real), ...gan.networks.critic.parameters()];
    };
    const wanted = await read(reference, run);
    assert.ok(wanted[2]![0]! > 0 && wanted.every((v) => v.every(Number.isFinite)), name);
    const found = await read(gpu, run);
    for (const [i, values] of wanted.entries()) assert.ok(distance(found[i]!, values) < 1e-4, `${name}, tensor ${i}`);
  }
});

/** A critic that shows its last hidden layer beside the logit, [N, 1 + 6]. */
class WithFeatures extends nn.Module<[Tensor]> {
  readonly body: nn.Sequential;
  readonly head: nn.Linear;
  constructor(rng: Rng) {
    super();
    this.body = new nn.Sequential(new nn.Linear(3, 6, { rng }), new nn.Tanh());
    this.head = new nn.Linear(6, 1, { rng });
  }
  forward(x: Tensor): Tensor {
    const h = this.body.forward(x);
    return concat([this.head.forward(h), h], -1);
  }
}

test('feature matching is an objective of the user, on a critic that gives its features too', async () => {
  const logit = (scores: Tensor) => scores.slice([[], [0, 1]]);
  const features = (scores: Tensor) => scores.slice([[], [1]]);
  const { criticLoss } = objective('non-saturating');
  const featureMatching: Objective = {
    name: 'feature-matching',
    needsReal: true,
    criticLoss: (real, fake) => criticLoss(logit(real), logit(fake)),
    generatorLoss: (fake, real) => features(real!).mean(0).sub(features(fake).mean(0)).square().sum(),
  };
  const rng = new Rng(7);
  const critic = new WithFeatures(rng);
  const generator = new nn.Linear(2, 3, { rng });
  const gan = new Gan({ latent: 2, generator, critic }, new Rng(8), {
    objective: featureMatching,
    criticOptimizer: (p) => new nn.Adam(p, { lr: 0.02 }),
  });
  const real = batch(9, [64, 3]).mul(0.3).add(1);
  // The loss by hand, on the host.
  const at = async (x: Tensor) => (await critic.forward(x).array()) as number[][];
  const [ofReal, ofFake] = [await at(real), await at(generator.forward(new Rng(8).normal([64, 2])))];
  const mean = (rows: readonly number[][], i: number) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length;
  const wanted = [1, 2, 3, 4, 5, 6].reduce((sum, i) => sum + (mean(ofReal, i) - mean(ofFake, i)) ** 2, 0);
  const losses = [await gan.generatorStep(real).item()];
  assert.ok(Math.abs(losses[0]! - wanted) < 1e-12, `${losses[0]}, not ${wanted}`);
  const weights = async () => (await Promise.all(critic.parameters().map((p) => p.data()))).map((v) => [...v]);
  const still = await weights();
  for (let k = 0; k < 60; k++) losses.push(await scope(() => gan.generatorStep(real)).item());
  assert.equal(await weights(), still, 'the generator moves, not the critic');
  assert.ok(losses.at(-1)! < losses[0]! / 20, `${losses[0]} to ${losses.at(-1)}`);
  const { loss } = gan.criticStep(real);
  assert.ok(Number.isFinite(await loss.item()));
});

test('a condition is closed over: the penalty moves the sample and holds the label', async () => {
  const label = tensor([0, 1, 1, 0]);
  const slopes = tensor([
    [1, 2, 2],
    [0, 3, 4],
  ]);
  const critic = { forward: (x: Tensor, y: Tensor) => x.mul(slopes.take(y, 0)).sum([1]) };
  const given: CriticFunction = { forward: (x) => critic.forward(x, label) };
  const [real, fake] = [batch(1), batch(2)];
  const norms = Array.from(await gradientNorms(given, real).data());
  assert.ok(distance(norms, [3, 5, 5, 3]) < 1e-10);
  const penalty = await gradientPenalty(given, real, fake, new Rng(1)).item();
  assert.ok(Math.abs(penalty - (4 + 16) / 2) < 1e-10);
  assert.ok(Math.abs((await zeroCentredPenalty(given, real).item()) - (9 + 25) / 2) < 1e-10);
});

test.run();
