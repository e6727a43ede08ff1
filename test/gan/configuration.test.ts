/** What presets and options make of a run: objective, regularisers, norms; and that every preset trains. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat, init, noGrad, Rng, type Tensor } from '../../engine/index.ts';
import { Gan, gaussianRing, pointSet, type SampleSet, type StepRow, train } from '../../gan/index.ts';
import { type PresetName, presets } from '../../gan/systems/ganPresets.ts';
import { createSystem, configure as makeConfig, type RunConfig, streamsOf } from '../../gan/systems/table.ts';
import * as nn from '../../nn/index.ts';

await init({ adapter: 'reference' });
const test = suite('configuration');

const configure = (preset: PresetName, kind: SampleSet['kind'], given: Partial<RunConfig>): RunConfig =>
  makeConfig('gan', kind, given, preset);
const ganOf = (config: RunConfig, shape: readonly number[]): Gan => createSystem(config, { shape, classes: [] }) as Gan;

const points = pointSet(gaussianRing(), { seed: 1, trainSize: 64, testSize: 8 });
const pixels = (count: number) => ({ count, data: Uint8Array.from({ length: count * 784 }, (_, i) => (i * 37) % 256) });
const images: SampleSet = {
  name: 'stripes',
  title: 'Stripes',
  kind: 'images',
  shape: [28, 28, 1],
  train: pixels(16),
  test: pixels(4),
};

for (const [preset, { title }] of Object.entries(presets)) {
  for (const set of [images, points]) {
    test(`${preset} on ${set.kind}: a step changes both networks, with scores that are numbers`, async () => {
      const small = { batch: 4, width: set.kind === 'images' ? 4 : 16, criticSteps: 1 };
      const config = configure(preset as PresetName, set.kind, small);
      assert.match(title, /\(.* et al\. \d{4}\)/);
      const gan = ganOf(config, set.shape);
      const { critic, generator } = gan.networks;
      const sums = () =>
        Promise.all([critic, generator].map((m) => concat(m.parameters().map((p) => p.reshape([p.size]))).data()));
      const before = await sums();
      const rows: StepRow[] = [];
      for await (const row of train(gan, streamsOf(config, set), { until: 1 })) rows.push(row);
      assert.ok(Object.values(rows[0]!).every(Number.isFinite), JSON.stringify(rows[0]));
      const after = await sums();
      for (const k of [0, 1]) assert.not.equal([...after[k]!], [...before[k]!]);
      gan.dispose();
    });
  }
}

test('an objective brings its usual constraint, unless one is asked for', () => {
  const regularizers = (preset: PresetName, given: Partial<RunConfig>) =>
    configure(preset, 'images', given).regularizers;
  assert.equal(regularizers('wgan-gp', {}), ['gradient-penalty']);
  assert.equal(regularizers('wgan-gp', { objective: 'hinge' }), []);
  assert.equal(regularizers('wgan', { objective: 'non-saturating' }), []);
  assert.equal(regularizers('dcgan', { objective: 'wasserstein' }), ['gradient-penalty']);
  assert.equal(regularizers('r1', { objective: 'hinge' }), ['r1=1']);
  assert.equal(regularizers('sngan', { objective: 'minimax' }), ['spectral-norm']);
  assert.equal(regularizers('wgan-gp', { objective: 'hinge', regularizers: ['r2=3'] }), ['r2=3']);
  assert.equal(regularizers('wgan', { regularizers: [] }), []);
});

test('what is asked for comes before the preset, that before the defaults; time without steps leaves them open', () => {
  const config = configure('dcgan', 'images', { batch: 7, steps: undefined as never });
  assert.equal([config.batch, config.model, config.latent, config.steps], [7, 'dcgan', null, 900]);
  assert.is(configure('dcgan', 'points', {}).model, 'mlp');
  assert.is(configure('wgan-gp', 'images', { seconds: 60 }).steps, null);
  assert.is(configure('wgan-gp', 'images', { seconds: 60, steps: 5 }).steps, 5);
  assert.throws(
    () => configure('wgan', 'images', { betas: [0, 0.9] }),
    /betas are decay rates of Adam, and rmsprop has none/,
  );
});

test("the DCGAN's critic has the norm that suits its regularisers", () => {
  const norms = (...regularizers: string[]): string[] => {
    const config = configure('dcgan', 'images', { width: 4, batch: 4, regularizers });
    const names = ganOf(config, images.shape)
      .networks.critic.namedModules()
      .map(([, m]) => m.constructor.name);
    return [...new Set(names.filter((name) => /^(Batch|Group|Layer|Instance)Norm/.test(name)))];
  };
  assert.equal(norms(), ['BatchNorm2d']);
  assert.equal(norms('gradient-penalty'), ['GroupNorm']);
  assert.equal(norms('spectral-norm'), []);
  assert.equal(norms('spectral-norm', 'r1=1'), []);
});

test('a critic that mixes samples sees real and generated ones apart', async () => {
  for (const mixing of [
    new nn.BatchNorm1d(3),
    new nn.MinibatchDiscrimination(3, 1, 2, { init: nn.init.dcgan, rng: new Rng(5) }),
  ]) {
    const rng = new Rng(1);
    const width = mixing instanceof nn.BatchNorm1d ? 3 : 4;
    const critic = new nn.Sequential(new nn.Linear(2, 3, { rng }), mixing, new nn.Linear(width, 1, { rng }));
    const generator = new nn.Linear(2, 2, { rng });
    const gan = new Gan({ critic, generator, latent: 2 }, new Rng(2), { objective: 'minimax' });
    const real = new Rng(3).normal([6, 2]);
    const { objectiveLoss } = gan.measure(real);
    const fake = noGrad(() => generator.forward(new Rng(2).normal([6, 2])));
    // Not Wasserstein's, whose mean scores cannot tell: what real samples give generated ones, these give back.
    const loss = (scores: Tensor) => gan.objective.criticLoss(scores.slice([[0, 6]]), scores.slice([[6, 12]])).item();
    const apart = await loss(concat([critic.forward(real), critic.forward(fake)]));
    const together = await loss(critic.forward(concat([real, fake])));
    assert.ok(Math.abs((await objectiveLoss.item()) - apart) < 1e-12);
    assert.ok(Math.abs(apart - together) > 1e-4, `${apart}, ${together}`);
  }
});

test.run();
