/** Every objective and every regulariser against its formula, and their derivatives to second order in float64. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { grad, gradcheck, gradgradcheck, init, noGrad, Rng, scope, type Tensor, tensor } from '../../engine/index.ts';
import {
  draganPenalty,
  Gan,
  gradientNorms,
  gradientPenalty,
  type Networks,
  type ObjectiveName,
  objective,
  objectiveNames,
  type Regularizer,
  type RegularizerName,
  regularizer,
  regularizerNames,
  zeroCentredPenalty,
} from '../../gan/index.ts';
import * as nn from '../../nn/index.ts';
import { openGpu, read, reference } from '../support/devices.ts';
import { distance, valuesFor } from '../support/values.ts';

await init({ adapter: 'reference' });
const gpu = await openGpu();
const test = suite('objectives');
test.after(() => gpu.destroy());

const REAL = [1.5, -0.25, 3, 0.5];
const FAKE = [-2, 0.75, 0.125, -0.5];
const mean = (values: readonly number[], f: (v: number) => number) =>
  values.reduce((sum, v) => sum + f(v), 0) / values.length;
const D = (v: number) => 1 / (1 + Math.exp(-v));

/** As the papers write them, on probabilities: t is the label of real samples. */
const PAPERS: Record<ObjectiveName, (t: number) => readonly [critic: number, generator: number]> = {
  minimax: (t) => [logistic(t), mean(FAKE, (y) => Math.log(1 - D(y)))],
  'non-saturating': (t) => [logistic(t), -mean(FAKE, (y) => Math.log(D(y)))],
  'least-squares': (t) => [
    mean(REAL, (x) => (x - t) ** 2) / 2 + mean(FAKE, (y) => y ** 2) / 2,
    mean(FAKE, (y) => (y - 1) ** 2) / 2,
  ],
  hinge: () => [mean(REAL, (x) => Math.max(0, 1 - x)) + mean(FAKE, (y) => Math.max(0, 1 + y)), -mean(FAKE, (y) => y)],
  wasserstein: () => [mean(FAKE, (y) => y) - mean(REAL, (x) => x), -mean(FAKE, (y) => y)],
  relativistic: () => [
    -mean(
      REAL.map((x, i) => D(x - FAKE[i]!)),
      Math.log,
    ),
    -mean(
      FAKE.map((y, i) => D(y - REAL[i]!)),
      Math.log,
    ),
  ],
  'relativistic-average': () => {
    const [real, fake] = [mean(REAL, (x) => x), mean(FAKE, (y) => y)];
    const [ofReal, ofFake] = [(x: number) => D(x - fake), (y: number) => D(y - real)];
    return [
      -mean(REAL, (x) => Math.log(ofReal(x))) - mean(FAKE, (y) => Math.log(1 - ofFake(y))),
      -mean(FAKE, (y) => Math.log(ofFake(y))) - mean(REAL, (x) => Math.log(1 - ofReal(x))),
    ];
  },
};
const logistic = (t: number) =>
  -mean(REAL, (x) => t * Math.log(D(x)) + (1 - t) * Math.log(1 - D(x))) - mean(FAKE, (y) => Math.log(1 - D(y)));

const column = (values: readonly number[]): Tensor => tensor([...values], { shape: [values.length, 1] });

/** Those that have labels to smooth. */
const LABELLED: readonly ObjectiveName[] = ['minimax', 'non-saturating', 'least-squares'];

for (const name of objectiveNames) {
  for (const labelSmoothing of LABELLED.includes(name) ? [0, 0.1] : [0]) {
    test(`${name}, labels smoothed by ${labelSmoothing}: values and derivatives`, async () => {
      const { criticLoss, generatorLoss, needsReal } = objective(name, { labelSmoothing });
      const [critic, generator] = PAPERS[name](1 - labelSmoothing);
      const [real, fake] = [column(REAL), column(FAKE)];
      const ofFake = (y: Tensor) => (needsReal ? generatorLoss(y, real) : generatorLoss(y));
      assert.ok(Math.abs((await criticLoss(real, fake).item()) - critic) < 1e-12);
      assert.ok(Math.abs((await ofFake(fake).item()) - generator) < 1e-12);
      await gradcheck(criticLoss, [real, fake]);
      await gradcheck(ofFake, [fake]);
      await gradgradcheck((x, y) => criticLoss(x.mul(x), y.mul(y)), [real, fake]);
      await gradgradcheck((y) => ofFake(y.mul(y)), [fake]);
      // Of a critic of patches: means over all axes.
      const patches = [real, fake].map((t) => t.reshape([2, 1, 2, 1])) as [Tensor, Tensor];
      assert.ok(Math.abs((await criticLoss(...patches).item()) - critic) < 1e-12);
      const ofPatches = needsReal ? generatorLoss(patches[1], patches[0]) : generatorLoss(patches[1]);
      assert.ok(Math.abs((await ofPatches.item()) - generator) < 1e-12);
    });
  }
}

test('logits of any size give finite losses and slopes', async () => {
  for (const name of objectiveNames) {
    const { criticLoss, generatorLoss } = objective(name);
    const y = column([-1e4, 1e4]).requireGrad();
    const losses = [criticLoss(y, y), generatorLoss(y, column([1e4, -1e4]))];
    for (const loss of losses) {
      assert.ok(Number.isFinite(await loss.item()), name);
      const [g] = grad(loss, [y]);
      assert.ok(Array.from(await g!.data()).every(Number.isFinite), name);
    }
  }
});

test('the estimate is the divergence where the critic is the best there is', async () => {
  // Two distributions on three points; means over a batch are sums over points where each loss is weighed with p or q.
  const p = [0.5, 0.25, 0.25];
  const q = [0.25, 0, 0.75];
  const repeated = (weights: readonly number[], critic: readonly number[]) =>
    column(weights.flatMap((w, i) => Array.from({ length: w * 4 }, () => critic[i]!)));
  const best: Record<string, readonly number[]> = {
    minimax: p.map((v, i) => Math.log(v / q[i]!)).map((v) => Math.min(v, 50)),
    'least-squares': p.map((v, i) => v / (v + q[i]!)),
    hinge: p.map((v, i) => Math.sign(v - q[i]!)),
  };
  best['non-saturating'] = best.minimax!;
  const m = p.map((v, i) => (v + q[i]!) / 2);
  const kl = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, v, i) => sum + (v > 0 ? v * Math.log(v / b[i]!) : 0), 0);
  const jsd = (kl(p, m) + kl(q, m)) / 2;
  const wanted: Record<string, readonly [string, number]> = {
    minimax: ['jsd', jsd],
    'non-saturating': ['jsd', jsd],
    'least-squares': ['triangular', p.reduce((sum, v, i) => sum + (v - q[i]!) ** 2 / (v + q[i]!), 0)],
    hinge: ['totalVariation', p.reduce((sum, v, i) => sum + Math.abs(v - q[i]!), 0) / 2],
  };
  for (const [name, [divergence, value]] of Object.entries(wanted)) {
    const { criticLoss, estimate } = objective(name as ObjectiveName);
    const loss = await criticLoss(repeated(p, best[name]!), repeated(q, best[name]!)).item();
    assert.is(estimate!.name, divergence);
    assert.ok(Math.abs(estimate!.fromLoss(loss) - value) < 1e-12, `${name}: ${estimate!.fromLoss(loss)}, not ${value}`);
  }
  assert.is(objective('wasserstein').estimate!.fromLoss(-2.5), 2.5);
  assert.is(objective('minimax', { labelSmoothing: 0.1 }).estimate, undefined);
});

const weights = (seed: number): Tensor[] => [
  tensor(valuesFor({ shape: [3, 5], from: -1, to: 1 }, seed), { shape: [3, 5] }),
  tensor(valuesFor({ shape: [5, 1], from: -4, to: 4 }, seed + 1), { shape: [5, 1] }),
];
/** tanh, so that there is a second derivative everywhere. */
const smooth = ([w1, w2]: readonly Tensor[]): nn.Module =>
  ({ forward: (x: Tensor) => x.matmul(w1!).tanh().matmul(w2!) }) as unknown as nn.Module;
const batch = (seed: number): Tensor => tensor(valuesFor({ shape: [4, 3] }, seed), { shape: [4, 3] });

test('penalties against slopes by hand', async () => {
  const [w1, w2] = weights(1);
  const x = batch(3).mul(tensor([[0.05], [0.3], [1], [1]]));
  const norms = Array.from(await gradientNorms(smooth([w1!, w2!]), x).data());
  // d/dx tanh(x W) w2 = W ((1 - tanh²) ⊙ w2)
  const h = await x.matmul(w1!).tanh().array();
  const [W, v] = [await w1!.array(), await w2!.array()] as [number[][], number[][]];
  const byHand = (h as number[][]).map((row) =>
    Math.hypot(...W.map((weights) => weights.reduce((sum, w, j) => sum + w * (1 - row[j]! ** 2) * v[j]![0]!, 0))),
  );
  assert.ok(distance(norms, byHand) < 1e-10);
  const critic = smooth([w1!, w2!]);
  assert.ok(Math.abs((await zeroCentredPenalty(critic, x).item()) - mean(byHand, (n) => n * n)) < 1e-10);
  // Where real and generated samples are the same, so is everything between them.
  const same = { rng: new Rng(1), value: mean(byHand, (n) => (n - 1) ** 2) };
  assert.ok(Math.abs((await gradientPenalty(critic, x, x, same.rng).item()) - same.value) < 1e-10);
  const oneSided = mean(byHand, (n) => Math.max(0, n - 1) ** 2);
  const found = await gradientPenalty(critic, x, x, same.rng, { oneSided: true }).item();
  assert.ok(oneSided > 0 && oneSided < same.value, 'slopes on both sides of 1');
  assert.ok(Math.abs(found - oneSided) < 1e-10);
});

test("DRAGAN looks between the real samples and up to half a standard deviation above them, as its authors' code", async () => {
  const seen: Tensor[] = [];
  const forward = (x: Tensor): Tensor => {
    seen.push(x);
    return x.square().sum([1]);
  };
  const spy = { forward } as unknown as nn.Module;
  const real = batch(5);
  const [n, d] = real.shape as [number, number];
  await draganPenalty(spy, real, new Rng(2)).item();
  const rng = new Rng(2);
  const [alpha, u] = await Promise.all([rng.uniform([n, 1]), rng.uniform([n, d])].map((t) => t.data()));
  const [at, from] = [Array.from(await seen[0]!.data()), Array.from(await real.data())];
  const centre = mean(from, (v) => v);
  const s = Math.sqrt(mean(from, (v) => (v - centre) ** 2));
  for (const [i, v] of at.entries()) {
    assert.ok(Math.abs(v - (from[i]! + (alpha![Math.floor(i / d)]! * u![i]! * s) / 2)) < 1e-12);
  }
});

const penalised: readonly Regularizer[] = regularizerNames.map((n) => regularizer(n)).filter((r) => r.penalty);

for (const r of penalised) {
  test(`${r.name}: derivatives with respect to the critic, to second order`, async () => {
    const loss = (...phi: Tensor[]) => r.penalty!(smooth(phi), batch(7), batch(8), new Rng(3));
    await gradcheck(loss, weights(9));
    await gradgradcheck(loss, weights(9));
  });
}

test('weight clipping bounds weights and biases after each step, spectral norm the largest singular value', async () => {
  const networks = tiny(4);
  const gan = new Gan(networks, new Rng(5), {
    objective: 'wasserstein',
    regularizers: [regularizer('weight-clipping', 0.02)],
    criticOptimizer: (p) => new nn.RMSprop(p, { lr: 0.1 }),
  });
  scope(() => gan.criticStep(batch(6)));
  const values = (await Promise.all(networks.critic.parameters().map((p) => p.data()))).flatMap((v) => Array.from(v));
  assert.is(Math.max(...values.map(Math.abs)), 0.02);
  const spectral = tiny(6);
  const sn = new Gan(spectral, new Rng(7), { objective: 'hinge', regularizers: ['spectral-norm'] });
  for (let i = 0; i < 3; i++) scope(() => sn.criticStep(batch(i)));
  for (const [, layer] of spectral.critic.namedModules()) {
    if (!(layer instanceof nn.Linear)) continue;
    const [, s] = [layer, await noGrad(() => layer.weight.matmul(layer.weight, { transposeA: true })).array()];
    const gram = s as number[][];
    assert.ok(largestEigenvalue(gram) < 1.01, `${largestEigenvalue(gram)}`);
  }
});

function largestEigenvalue(m: readonly (readonly number[])[]): number {
  let v = m.map((_, i) => 1 + i / 10);
  let size = 0;
  for (let k = 0; k < 200; k++) {
    const next = m.map((row) => row.reduce((sum, a, j) => sum + a * v[j]!, 0));
    size = Math.hypot(...next);
    v = next.map((x) => x / size);
  }
  return size;
}

/** From codes of 2 numbers to points of 3, and to a score. */
function tiny(seed: number): Networks {
  const rng = new Rng(seed);
  return {
    latent: 2,
    generator: new nn.Sequential(new nn.Linear(2, 8, { rng }), new nn.Tanh(), new nn.Linear(8, 3, { rng })),
    critic: new nn.Sequential(new nn.Linear(3, 8, { rng }), new nn.LeakyReLU(0.2), new nn.Linear(8, 1, { rng })),
  };
}

/** Two steps: what the critic measured and the generator's loss, five for each; all weights; and samples. */
function train(name: ObjectiveName, regularizers: readonly RegularizerName[]): Tensor[] {
  const networks = tiny(11);
  const gan = new Gan(networks, new Rng(12), {
    objective: name,
    regularizers,
    instanceNoise: 0.1,
    emaDecay: 0.9,
    criticOptimizer: (p) => new nn.SGD(p, { lr: 0.05 }),
  });
  const found: Tensor[] = [];
  for (let i = 0; i < 2; i++) {
    const real = [batch(20 + i), batch(30 + i)];
    const { loss, objectiveLoss, penalty, spread } = gan.criticStep(...real);
    const ofGenerator = gan.objective.needsReal ? gan.generatorStep(...real) : gan.generatorStep(4, 2);
    found.push(loss, objectiveLoss, penalty, spread, ofGenerator);
  }
  const { generator, critic } = networks;
  return [...found, ...generator.parameters(), ...critic.parameters(), gan.sample(batch(40).slice([[], [0, 2]]))];
}

for (const name of objectiveNames) {
  test(`${name} with every regulariser: the same steps on WebGPU as in float64`, async () => {
    for (const regularizers of [[], ...regularizerNames.map((n) => [n]), ['r1', 'spectral-norm'] as const]) {
      const wanted = await read(reference, () => train(name, regularizers));
      const found = await read(gpu, () => train(name, regularizers));
      for (const [loss, objectiveLoss, penalty] of [wanted, wanted.slice(5)]) {
        assert.ok(Math.abs(loss![0]! - objectiveLoss![0]! - penalty![0]!) < 1e-12, 'the loss is the sum of its parts');
      }
      wanted.forEach((values, i) => {
        const d = distance(found[i]!, values);
        assert.ok(d < 2e-4, `${regularizers}, tensor ${i}: off by ${d}`);
      });
    }
  });
}

test('gradients accumulate to those of one large batch', async () => {
  const step = async (batches: Tensor[]) => {
    const networks = tiny(13);
    const gan = new Gan(networks, new Rng(1), {
      objective: 'least-squares',
      criticOptimizer: (p) => new nn.SGD(p, { lr: 0.1 }),
    });
    // Codes are drawn batch by batch, so that both see the same ones.
    gan.latents = (n) =>
      tensor(
        valuesFor({ shape: [n, 2] }, 1).map((_, i) => Math.sin(i % 8)),
        { shape: [n, 2] },
      );
    gan.criticStep(...batches);
    return (await Promise.all(networks.critic.parameters().map((p) => p.data()))).flatMap((v) => Array.from(v));
  };
  const [a, b] = [batch(1), batch(2)];
  const both = tensor([...(await a.data()), ...(await b.data())], { shape: [8, 3] });
  assert.ok(distance(await step([a, b]), await step([both])) < 1e-12);
});

test('slips are named', () => {
  assert.throws(() => objective('wgan' as never), /no objective wgan; there are minimax, non-saturating/);
  assert.throws(() => objective('hinge', { labelSmoothing: 0.1 }), /hinge has no labels to smooth; minimax/);
  assert.throws(() => objective('minimax', { labelSmoothing: 1 }), /from 0 to less than 1, not 1/);
  assert.throws(() => objective('minimax', { smoothing: 1 } as never), /no option smoothing/);
  assert.throws(() => regularizer('gp' as never), /no regulariser gp; there are weight-clipping/);
  assert.throws(() => regularizer('spectral-norm', 2), /has no strength/);
  assert.throws(() => regularizer('r1', -1), /must be a number above 0, not -1/);
  assert.throws(() => new Gan(tiny(1), new Rng(1), { lambda: 10 } as never), /no option lambda/);
  assert.throws(() => new Gan(tiny(1), new Rng(1), { emaDecay: 1 }), /emaDecay/);
  assert.throws(() => new Gan(tiny(1), new Rng(1)).criticStep(), /one batch or more/);
});

test.run();
