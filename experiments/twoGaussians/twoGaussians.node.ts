import { Rng, scope } from '../../engine/index.ts';
import { pointSet } from '../../gan/data/distribution.ts';
import { gaussian } from '../../gan/data/mixtures.ts';
import { trainingLoader } from '../../gan/data/trainingData.ts';
import { mlp } from '../../gan/networks/mlp.ts';
import { type RegularizerName, regularizer } from '../../gan/objectives/regularizer.ts';
import { randomStreams } from '../../gan/randomStreams.ts';
import { Gan } from '../../gan/systems/adversarial.ts';
import { linearDecay, train } from '../../gan/train.ts';
import { largest, rounded, scoresOf, spaced, trainCritic } from '../critics.ts';
import type { Experiment } from '../experiment.ts';
import { density, gameValue, integral, jsdOf, type Normal, penalisedCritic } from '../line.ts';
import { adam as adamOf } from '../modes/methods.ts';
import { gaussianGenerator } from '../sources.ts';
import { inTurn } from '../tables.ts';
import { twoGaussiansClaims } from './twoGaussiansClaims.ts';
import { drawTwoGaussians, twoGaussiansPage } from './twoGaussiansPage.node.ts';
import {
  EQUILIBRIUM,
  fake,
  LAMBDA,
  type PenalisedFindings,
  real,
  type TwoGaussiansFindings,
  type TwoGaussiansSizes,
} from './twoGaussiansSetting.ts';

const full: TwoGaussiansSizes = {
  steps: 1200,
  batch: 256,
  width: 64,
  generatorSteps: 1500,
  shifts: [0, 0.5, 1, 1.5, 2, 3, 4],
  seeds: [1, 2, 3, 4, 5],
};
const quick: TwoGaussiansSizes = { steps: 60, batch: 128, width: 32, shifts: [0, 2], generatorSteps: 60, seeds: [1] };

/** The places of the picture. */
const shown = spaced(-2.5, 2.5, 101);
/** The places of integrals: wide and dense enough for 12 digits. */
const everywhere = spaced(-8, 8, 3201);

/** The critics that are trained between the two Gaussians. */
const critics = {
  discriminator: ['minimax', undefined, undefined],
  'one-sided': ['wasserstein', 'one-sided-penalty', LAMBDA],
  'two-sided': ['wasserstein', 'gradient-penalty', LAMBDA],
  clipped: ['wasserstein', 'weight-clipping', 0.1],
} as const satisfies Record<
  string,
  readonly ['minimax' | 'wasserstein', RegularizerName | undefined, number | undefined]
>;

/** How each critic learns. */
const training = { lr: 2e-3, betas: [0.5, 0.9], lastRate: 0.01 } as const;

const { make: adam } = adamOf(training.lr, training.betas);

/** Trains a critic between two Gaussians, on new samples in each step, and returns its outputs at places. */
export async function criticBetween(
  kind: keyof typeof critics,
  p: Normal,
  q: Normal,
  { steps, batch, width }: Pick<TwoGaussiansSizes, 'steps' | 'batch' | 'width'>,
  seed: number,
  places: readonly (readonly number[])[],
): Promise<number[][]> {
  const rng = new Rng(seed, randomStreams.training);
  const { critic, generator: unused } = mlp({ shape: [1], width, rng: new Rng(seed, randomStreams.weights) });
  unused.dispose();
  const generator = gaussianGenerator(q.mean, q.sigma);
  const [objective, name, strength] = critics[kind];
  const gan = new Gan({ generator, critic, latent: 1 }, rng, {
    objective,
    regularizers: name ? [regularizer(name, strength)] : [],
    criticOptimizer: adam,
  });
  try {
    await trainCritic(gan, () => rng.normal([batch, 1], { mean: p.mean, std: p.sigma }), {
      steps,
      lastRate: training.lastRate,
    });
    const outputs: number[][] = [];
    for (const xs of places) outputs.push(await scoresOf(critic, Float32Array.from(xs), 1));
    return outputs;
  } finally {
    gan.dispose();
    for (const module of [critic, generator]) module.dispose();
  }
}

/** The scores of a critic at the places of the picture. */
async function scoresBetween(kind: keyof typeof critics, sizes: TwoGaussiansSizes, seed: number): Promise<number[]> {
  const [scores] = await criticBetween(kind, real, fake, sizes, seed, [shown]);
  return scores!.map((v) => rounded(v));
}

/** What a critic under a gradient penalty has learnt. */
export async function penalisedBetween(
  kind: 'one-sided' | 'two-sided',
  sizes: TwoGaussiansSizes,
  seed: number,
): Promise<PenalisedFindings> {
  const [scores, all] = (await criticBetween(kind, real, fake, sizes, seed, [shown, everywhere])) as [
    number[],
    number[],
  ];
  const [p, q] = [density(real, everywhere), density(fake, everywhere)];
  const estimate = integral(
    everywhere,
    all.map((f, i) => f * (p[i]! - q[i]!)),
  );
  // The slope at a place is that between its neighbours; outside of the places there is no mass.
  const signs = all.map((_, i) => (all[i + 1] ?? all[i]!) - (all[i - 1] ?? all[i]!));
  return {
    scores: centred(scores, 1),
    estimate: rounded(estimate),
    settled: rounded(theory().settled(signs)),
  };
}

/** What theory says of a critic with a penalty between both. */
const theory = () => penalisedCritic(real, fake, LAMBDA, everywhere);

/** V(D, G) of a discriminator trained between unit Gaussians `shift` apart: on the exact densities, by quadrature. */
export async function valueAt(shift: number, sizes: TwoGaussiansSizes, seed: number): Promise<number> {
  const [p, q] = apart(shift);
  const [logits] = await criticBetween('discriminator', p, q, sizes, seed, [everywhere]);
  return rounded(gameValue(logits!, p, q, everywhere));
}

/** Unit Gaussians so far apart. */
const apart = (shift: number) => [-shift / 2, shift / 2].map((mean) => ({ mean, sigma: 1 })) as [Normal, Normal];

/** How generator and discriminator are trained together. */
const game = { criticSteps: 3, lr: 1e-3, betas: [0.5, 0.9], lastRate: 0.01 } as const;

/** Trains a generator on a Gaussian, then a new discriminator against it alone, and takes V over new samples. */
export async function equilibrium(
  sizes: TwoGaussiansSizes,
  seed: number,
): Promise<TwoGaussiansFindings['equilibria'][number]> {
  const { batch, width, steps } = sizes;
  const rng = new Rng(seed, randomStreams.training);
  const shape = { shape: [1], latent: 1, width } as const;
  const weights = new Rng(seed, randomStreams.weights);
  const { generator, critic, latent } = mlp({ ...shape, rng: weights });
  const fresh = mlp({ ...shape, rng: weights });
  fresh.generator.dispose();
  try {
    await play(
      new Gan({ generator, critic, latent }, rng, {
        objective: 'non-saturating',
        criticOptimizer: adamOf(game.lr, game.betas).make,
        criticSteps: game.criticSteps,
      }),
      sizes,
      seed,
    );
    const gan = new Gan({ generator, critic: fresh.critic, latent }, rng, {
      objective: 'minimax',
      criticOptimizer: adam,
    });
    const draw = (n: number) => rng.normal([n, 1], { mean: real.mean, std: real.sigma });
    try {
      await trainCritic(gan, () => draw(batch), { steps, lastRate: training.lastRate });
      const many = 2 ** 15;
      const [value, average, deviation] = await Promise.all(
        scope(() => {
          const made = gan.sample(gan.latents(many));
          const { objectiveLoss } = gan.measure(draw(many));
          const centred = made.sub(made.mean());
          return [objectiveLoss.neg().item(), made.mean().item(), centred.square().mean().sqrt().item()];
        }),
      );
      return { value: rounded(value), mean: rounded(average), deviation: rounded(deviation) };
    } finally {
      gan.dispose();
    }
  } finally {
    for (const module of [generator, critic, fresh.critic]) module.dispose();
  }
}

/** Trains both networks on the Gaussian of real samples, and frees the GAN. */
async function play(gan: Gan, { batch, generatorSteps }: TwoGaussiansSizes, seed: number): Promise<void> {
  const set = pointSet(gaussian(real), { trainSize: 2 ** 16, testSize: 1, seed });
  const data = trainingLoader(set, batch, new Rng(seed, randomStreams.data));
  try {
    const rows = train(gan, { data }, { until: generatorSteps, rates: linearDecay(game.lastRate) });
    for await (const _ of rows);
  } finally {
    gan.dispose();
  }
}

/** Experiment 3. */
export const twoGaussians: Experiment<TwoGaussiansFindings> = {
  name: 'two-gaussians',
  title: 'Optimal discriminator and critic between two Gaussians',
  code: import.meta.url,
  about:
    'The best discriminator is D* = p_r / (p_r + p_g), and V(D*, G) = 2 JSD - log 4, which is -log 4 where the distributions are the same (Goodfellow et al. 2014, proposition 1 and theorem 1). Between two Gaussians that hardly overlap it is flat where the generator is, while the critic of a WGAN is a straight line with a slope everywhere in between (Arjovsky et al. 2017, Fig. 2).',
  async run(session) {
    const sizes = session.quick ? quick : full;
    const { steps, batch, width, generatorSteps, seeds } = sizes;
    const settings = { steps, batch, width, training };
    const part = <T>(kind: keyof typeof critics, seed: number, work: () => Promise<T>): Promise<T> =>
      session.part(`${kind}/seed-${seed}`, { ...settings, critic: critics[kind], real, fake }, work);
    const discriminators = await inTurn(seeds, (seed) =>
      part('discriminator', seed, () => scoresBetween('discriminator', sizes, seed)),
    );
    const penalised = await inTurn(seeds, async (seed) => {
      const one = (kind: 'one-sided' | 'two-sided') => part(kind, seed, () => penalisedBetween(kind, sizes, seed));
      return { seed, oneSided: await one('one-sided'), twoSided: await one('two-sided') };
    });
    const first = seeds[0]!;
    const clipped = await part('clipped', first, () => scoresBetween('clipped', sizes, first));
    const values = await inTurn(sizes.shifts, async (shift) => {
      const trained = await inTurn(seeds, (seed) =>
        session.part(`shift-${shift}/seed-${seed}`, settings, () => valueAt(shift, sizes, seed)),
      );
      return { shift, trained, theory: rounded(2 * jsdOf(...apart(shift), everywhere) + EQUILIBRIUM) };
    });
    const decides = { ...settings, real, generatorSteps, game };
    const equilibria = await inTurn(seeds, (seed) =>
      session.part(`equilibrium/seed-${seed}`, decides, () => equilibrium(sizes, seed)),
    );
    const [p, q] = [density(real, shown), density(fake, shown)];
    const scale = steepestOf(clipped);
    const { estimate, wasserstein } = theory();
    const findings: TwoGaussiansFindings = {
      sizes,
      x: shown.map((x) => rounded(x)),
      density: { real: p.map((v) => rounded(v)), generated: q.map((v) => rounded(v)) },
      discriminator: {
        best: p.map((v, i) => rounded(v / (v + q[i]!))),
        trained: discriminators.map((scores) => scores.map((s) => rounded(1 / (1 + Math.exp(-s))))),
      },
      penalised,
      clipped: { scores: centred(clipped, scale), scale: rounded(scale) },
      theory: { optimum: rounded(estimate), wasserstein: rounded(wasserstein) },
      values,
      equilibria,
    };
    return { findings, pictures: drawTwoGaussians(findings) };
  },
  claims: twoGaussiansClaims,
  page: twoGaussiansPage,
};

/** The steepest slope between neighbouring places of the picture. */
const steepestOf = (scores: readonly number[]): number =>
  largest(scores.slice(1).map((s, i) => Math.abs((s - scores[i]!) / (shown[i + 1]! - shown[i]!))));

/** Divided, and 0 in the middle. */
const centred = (scores: readonly number[], by: number): number[] =>
  scores.map((s) => rounded((s - scores[(scores.length - 1) / 2]!) / by));
