/** The experiments on what critics estimate, at small sizes in float64: what theory says must hold for every critic. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { currentDevice, setDevice } from '../../engine/device.ts';
import { Rng, reference, scope, tensor } from '../../engine/index.ts';
import { trainCritic } from '../../experiments/critics.ts';
import { clouds, measureClouds } from '../../experiments/kantorovich/kantorovich.node.ts';
import { density, gameValue, integral, jsdOf, penalisedCritic } from '../../experiments/line.ts';
import { estimatedLine, exactLine } from '../../experiments/parallelLines/parallelLines.node.ts';
import { Cloud, drawRows, gaussianGenerator, SegmentGenerator } from '../../experiments/sources.ts';
import { criticBetween, equilibrium, valueAt } from '../../experiments/twoGaussians/twoGaussians.node.ts';
import { gradientNorms, measureStage, places } from '../../experiments/vanishing/vanishing.node.ts';
import { pointSet } from '../../gan/data/distribution.ts';
import { gaussianRing } from '../../gan/data/mixtures.ts';
import { wassersteinLp } from '../../gan/index.node.ts';
import { DivergenceError, Gan, mlp, wasserstein1d } from '../../gan/index.ts';
import { Adam, type Linear } from '../../nn/index.ts';

const test = suite('experiments, theory');
const before = currentDevice;
test.before(() => setDevice(reference));

const near = (actual: number, expected: number, tolerance: number, what = ''): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what} ${actual}, not ${expected} ± ${tolerance}`);
const read = async (values: Promise<ArrayLike<number>>): Promise<number[]> => Array.from(await values);
const xs = Array.from({ length: 3201 }, (_, i) => -8 + i / 200);
const sizes = { steps: 30, batch: 32, width: 8 };

test('quadrature: masses are 1, JSD is 0 of equal and log 2 of distant Gaussians', () => {
  const unit = { mean: 0, sigma: 1 };
  near(integral(xs, density(unit, xs)), 1, 1e-12);
  near(jsdOf(unit, unit, xs), 0, 1e-15);
  near(jsdOf({ mean: -4, sigma: 0.2 }, { mean: 4, sigma: 0.2 }, xs), Math.log(2), 1e-9);
});

test('V of the best discriminator is 2 JSD - log 4, and no other logit has more', () => {
  const [p, q] = [
    { mean: -0.7, sigma: 0.5 },
    { mean: 0.9, sigma: 0.8 },
  ];
  const [real, fake] = [density(p, xs), density(q, xs)];
  const best = xs.map((_, i) => Math.log(real[i]! / fake[i]!)).map((l) => (Number.isFinite(l) ? l : 0));
  const most = gameValue(best, p, q, xs);
  near(most, 2 * jsdOf(p, q, xs) - Math.log(4), 1e-9);
  for (const change of [0.1, -0.1]) {
    assert.ok(
      gameValue(
        best.map((l) => l + change),
        p,
        q,
        xs,
      ) < most,
    );
    assert.ok(
      gameValue(
        best.map((l) => l * (1 + change)),
        p,
        q,
        xs,
      ) < most,
    );
  }
});

test('the penalised critic: W1 as lambda grows, and its optimum is one', () => {
  const [p, q] = [
    { mean: -1, sigma: 0.4 },
    { mean: 1, sigma: 0.4 },
  ];
  const { slope, estimate, wasserstein } = penalisedCritic(p, q, 10, xs);
  near(wasserstein, 2, 1e-6, 'W1 of a shift');
  near(penalisedCritic(p, q, 1e9, xs).estimate, 2, 1e-6, 'without slack');
  // Cauchy and Schwarz, with ∫ ρ = 1: W1² / (2 lambda) at least is added.
  assert.ok(estimate > 2 + 4 / 20, `${estimate}`);
  assert.ok(slope[xs.indexOf(0)]! < -1, 'falls from the real samples to the generated ones');
});

test('the penalised critic: with the signs of a two-sided penalty it settles at the optimum, or below it behind a wall', () => {
  const narrow = { sigma: 0.02 };
  const { estimate, settled } = penalisedCritic({ mean: -0.5, ...narrow }, { mean: 0.5, ...narrow }, 10, xs);
  near(settled(xs.map(() => -1)), estimate, 1e-12, 'falling everywhere');
  // Of slope 1 - 1/20 the wrong way: between two points 1 apart f(y) - f(x) = 0.95.
  near(settled(xs.map(() => 1)), -0.95, 2e-3, 'rising everywhere');
  near(settled(xs.map((x) => (x < 0 ? 1 : -1))), 0.05, 2e-2, 'half and half');
});

test('the penalised critic between two narrow Gaussians is that of two points', () => {
  // Between points a apart the density of x̂ is 1 / a and the mass ahead 1: f' = 1 + a / (2 lambda), as in parallel-lines.
  const narrow = { sigma: 0.02 };
  const { estimate } = penalisedCritic({ mean: -0.5, ...narrow }, { mean: 0.5, ...narrow }, 10, xs);
  near(estimate, 1 + 1 / 20, 2e-3);
});

test('drawn rows are rows of the table, a cloud gives each of its points once, and a segment stands at theta', async () => {
  const rng = new Rng(3);
  const rows = await read(
    scope(() =>
      drawRows(
        tensor([
          [0, 10],
          [1, 11],
          [2, 12],
        ]),
        64,
        rng,
      ).data(),
    ),
  );
  const firsts = rows.filter((_, i) => i % 2 === 0);
  assert.equal([...new Set(firsts)].sort(), [0, 1, 2]);
  assert.ok(firsts.every((v, i) => rows[2 * i + 1] === v + 10));

  const cloud = new Cloud(
    Float32Array.from({ length: 20 }, (_, i) => i),
    2,
    rng,
  );
  const codes = () => rng.normal([10, 1]);
  const [once, again] = [
    await read(scope(() => cloud.forward(codes()).data())),
    await read(scope(() => cloud.forward(codes()).data())),
  ];
  assert.not.equal(once, again);
  for (const points of [once, again])
    assert.equal(
      [...points].sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, i) => i),
    );
  assert.throws(() => scope(() => cloud.forward(rng.normal([9, 1]))), /gives all its 10 points at once, not 9/);

  const segment = new SegmentGenerator(-0.25, rng);
  const points = await read(scope(() => segment.forward(codes()).data()));
  assert.ok(points.every((v, i) => (i % 2 === 0 ? v === -0.25 : v >= 0 && v < 1)));
  for (const module of [cloud, segment]) module.dispose();
});

test('training a critic: measures when asked, falls to the last rate, gives the rate back, and stops at losses without end', async () => {
  const [generator, critic] = [gaussianGenerator(1, 0.5), mlp({ shape: [1], width: 4, rng: new Rng(1) }).critic];
  const rng = new Rng(2);
  const rates: number[] = [];
  const gan = new Gan({ generator, critic, latent: 1 }, rng, { criticOptimizer: (p) => new Adam(p, { lr: 0.01 }) });
  const weights = () => reference.values((critic.parameters()[0] as Linear['weight']).storage).slice();
  const start = weights();
  const seen: number[] = [];
  await trainCritic(gan, () => rng.normal([8, 1]), {
    steps: 10,
    lastRate: 0.1,
    at: [0, 4, 10],
    measure: async (step) => {
      seen.push(step);
      rates.push(gan.criticOptimizer.lr);
      if (step === 0) assert.equal(weights(), start);
    },
  });
  assert.equal(seen, [0, 4, 10]);
  near(rates[2]!, 0.01 * (1 - 0.9 * 0.9), 1e-12, 'the rate of the last step');
  assert.is(gan.criticOptimizer.lr, 0.01);
  assert.not.equal(weights(), start);
  gan.dispose();

  const wild = new Gan({ generator, critic, latent: 1 }, rng);
  let error: unknown;
  await trainCritic(wild, () => rng.normal([8, 1]).add(Number.POSITIVE_INFINITY), { steps: 50 }).catch((e) => {
    error = e;
  });
  assert.instance(error, DivergenceError);
  wild.dispose();
});

test('two-gaussians: no trained discriminator has more V than theory, and with equal distributions none beats a coin', async () => {
  const apart = await valueAt(2, { ...sizes, shifts: [], generatorSteps: 1, seeds: [] }, 1);
  const theory = 2 * jsdOf({ mean: -1, sigma: 1 }, { mean: 1, sigma: 1 }, xs) - Math.log(4);
  assert.ok(apart <= theory + 1e-4 && apart > -Math.log(4), `${apart} against ${theory}`);
  const same = await valueAt(0, { ...sizes, shifts: [], generatorSteps: 1, seeds: [] }, 1);
  assert.ok(same <= -Math.log(4) + 1e-4 && same > -1.5, `${same}`);
  const unit = (mean: number) => ({ mean, sigma: 1 });
  const a = await criticBetween('clipped', unit(-1), unit(1), sizes, 1, [[0], [0, 1]]);
  assert.equal([a.length, a[0]!.length, a[1]!.length], [2, 1, 2], 'outputs at each list of places');
  assert.is(a[0]![0], a[1]![0], 'one critic for all places');
  const settled = await equilibrium({ ...sizes, shifts: [], generatorSteps: 3, seeds: [] }, 1);
  assert.ok(Number.isFinite(settled.value) && settled.deviation > 0);
});

test('parallel-lines: exact, and what no critic can exceed', async () => {
  for (const theta of [-1, -0.1, 0.3]) {
    const { kl, jsd, wasserstein } = await exactLine(theta);
    assert.is(kl, null);
    near(jsd, Math.log(2), 1e-12);
    near(wasserstein, Math.abs(theta), 1e-9);
  }
  const { kl, jsd, wasserstein } = await exactLine(0);
  assert.equal([kl, jsd, wasserstein], [0, 0, 0]);
  const apart = await estimatedLine(1, 1, sizes);
  assert.ok(apart.jsd <= Math.log(2), `${apart.jsd}`);
  const same = await estimatedLine(0, 1, sizes);
  assert.is(same.wasserstein, 0);
  assert.ok(same.jsd <= 1e-6, 'V of equal distributions is at most -log 4');
});

test('kantorovich: the exact distance is that of the linear program, and the normalised estimate is below it', async () => {
  const small = { points: 16, steps: 20, width: 8 };
  for (const method of ['gradient penalty, λ = 10', 'spectral norm', 'weights clipped to ±0.1'] as const) {
    const r = await measureClouds('shifted Gaussians', method, 1, small);
    const [x, y] = clouds('shifted Gaussians', small.points, 1);
    const { distance } = await wassersteinLp(x, y, { dimension: 2 });
    near(r.exact, distance, 5e-4 * distance);
    assert.ok(r.steepest > 0 && r.estimate / r.steepest <= r.exact * 1.001, JSON.stringify(r));
    // The projection to the first axis is 1-Lipschitz: W1 in the plane is at least that on the line.
    const along = (c: Float32Array) => c.filter((_, i) => i % 2 === 0);
    assert.ok(wasserstein1d(along(x), along(y)) <= r.exact * 1.001);
  }
});

test('vanishing: places are spread over powers of ten', () => {
  assert.equal(places(10), [0, 1, 2, 3, 4, 6, 10]);
  const many = places(2000);
  assert.is(many.at(-1), 2000);
  assert.ok(many.every((p, i) => i === 0 || p > many[i - 1]!));
});

test('vanishing: norms are of the same codes each time, and twice the critic has twice the Wasserstein gradient', async () => {
  const networks = mlp({ shape: [2], width: 8, rng: new Rng(1) });
  const once = await gradientNorms(networks, 'wasserstein');
  assert.is(once.length, 8);
  assert.ok(once.every((n) => n > 0));
  const last = networks.critic.parameters().slice(-2);
  for (const p of last) reference.values(p.storage).set(reference.values(p.storage).map((v) => 2 * v));
  const twice = await gradientNorms(networks, 'wasserstein');
  for (const [i, n] of once.entries()) near(twice[i]!, 2 * n, 1e-9 * n);
  // A discriminator that is sure of itself: the minimax gradient is D times that of the logit, the other 1 - D times.
  for (const p of last.slice(-1)) reference.values(p.storage).fill(-30);
  const [minimax, other] = [await gradientNorms(networks, 'minimax'), await gradientNorms(networks, 'non-saturating')];
  for (const [i, n] of minimax.entries())
    assert.ok(n < 1e-9 && Math.abs(other[i]! / twice[i]! - 1) < 1e-6, `${n} ${other[i]}`);
  for (const module of [networks.generator, networks.critic]) module.dispose();
});

test('vanishing: the minimax gradient falls on points too', async () => {
  const set = pointSet(gaussianRing(), { trainSize: 256, testSize: 1 });
  const tiny = { stages: [2], steps: 400, batch: 32, width: 16, samples: 256 };
  const [discriminator, penalty, clipping] = await measureStage(set, 2, tiny);
  const norms = discriminator!.norms.map((n) => n.loss);
  assert.equal(norms, ['minimax', 'non-saturating']);
  const at = places(tiny.steps);
  for (const c of [discriminator!, penalty!, clipping!]) {
    assert.is(c.doubt.length, at.length);
    assert.is(c.estimate!.length, at.length);
    for (const n of c.norms) for (const [i, m] of n.mean.entries()) assert.ok(n.low[i]! <= m && m <= n.high[i]!);
  }
  const { mean } = discriminator!.norms[0]!;
  assert.ok(mean.at(-1)! < mean[0]!, `${mean}`);
  assert.ok(discriminator!.doubt.at(-1)! < discriminator!.doubt[0]!);
  // Every critic learns to tell real from generated samples: from its second value on, since the first is before any clipping.
  for (const { kind, estimate } of [discriminator!, penalty!, clipping!]) {
    assert.ok(estimate!.at(-1)! > estimate![1]!, `${kind}: ${estimate}`);
  }
});

test.after(() => setDevice(before()));
test.run();
