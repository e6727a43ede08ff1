import { grad, Rng, scope } from '../../engine/index.ts';
import { mlp } from '../../gan/networks/mlp.ts';
import { type ObjectiveName, objective } from '../../gan/objectives/objective.ts';
import { regularizer } from '../../gan/objectives/regularizer.ts';
import { plot } from '../../gan/pictures/plot.ts';
import { randomStreams } from '../../gan/randomStreams.ts';
import { Gan } from '../../gan/systems/adversarial.ts';
import { jsDivergence, klDivergence } from '../../gan/transport/divergences.ts';
import { wassersteinLp } from '../../gan/transport/linearProgram.node.ts';
import { Adam } from '../../nn/index.ts';
import { atMost, over } from '../claims.ts';
import { largest, mean, rounded, scoresOf, spaced, trainCritic } from '../critics.ts';
import type { Experiment } from '../experiment.ts';
import { fixed, picture, section, table } from '../markdown.ts';
import { SegmentGenerator } from '../sources.ts';
import { inTurn, meanAndEnds } from '../tables.ts';

interface Sizes {
  readonly thetas: readonly number[];
  readonly steps: number;
  readonly batch: number;
  readonly width: number;
  readonly seeds: readonly number[];
}
const full: Sizes = {
  thetas: [-1, -0.75, -0.5, -0.25, -0.1, 0, 0.1, 0.25, 0.5, 0.75, 1],
  steps: 800,
  batch: 128,
  width: 64,
  seeds: [1, 2, 3],
};
const quick: Sizes = { thetas: [-1, 0, 1], steps: 60, batch: 64, width: 32, seeds: [1] };

/** What one critic needs of them. */
type Training = Pick<Sizes, 'steps' | 'batch' | 'width'>;

/** How both critics learn. */
const training = { lr: 1e-3, betas: [0.5, 0.9], lastRate: 0.01 } as const;
/** The weight of the gradient penalty. */
const LAMBDA = 10;
/** Points that stand for each segment in the linear program. */
const ATOMS = 64;
/** Points on each segment at which a critic is measured. */
const MEASURED = 2048;

/** KL and JSD (nats) and W₁ of two segments that stand theta apart; JSON has no Infinity, which is null there. */
export interface ExactLine {
  readonly theta: number;
  readonly kl: number | null;
  readonly jsd: number;
  readonly wasserstein: number;
}

/** What critics say that were trained between the segments. */
export interface EstimatedLine {
  readonly theta: number;
  readonly seed: number;
  /** By the discriminator: log 2 - loss / 2, at most the JSD. */
  readonly jsd: number;
  /** By the critic with a gradient penalty. */
  readonly wasserstein: number;
  /** How the generator's loss changes with theta: minimax, and Wasserstein. */
  readonly minimaxSlope: number;
  readonly wassersteinSlope: number;
}

/** What `parallel-lines` measures. */
export interface ParallelLinesFindings {
  readonly sizes: Sizes;
  readonly exact: readonly ExactLine[];
  readonly estimated: readonly EstimatedLine[];
}

/** The segments as atoms, the same heights on both, exactly: KL, JSD and W₁ do not depend on how many there are. */
export async function exactLine(theta: number): Promise<ExactLine> {
  const heights = spaced(0, 1, ATOMS);
  const at = (x: number) => heights.flatMap((y) => [x, y]);
  // Outcomes: the atoms of the one and of the other, which are the same where theta is 0.
  const uniform = (first: boolean, second: boolean) =>
    [first, second].flatMap((has) => heights.map(() => (has ? 1 / ATOMS : 0)));
  const [p, q] = [uniform(true, false), uniform(theta === 0, theta !== 0)];
  const kl = klDivergence(q, p);
  const { distance } = await wassersteinLp(at(0), at(theta), { dimension: 2 });
  return { theta, kl: Number.isFinite(kl) ? kl : null, jsd: jsDivergence(p, q), wasserstein: rounded(distance, 12) };
}

/** Trains a discriminator and a critic between the segments, and measures them and the gradient that theta gets from them. */
export async function estimatedLine(theta: number, seed: number, sizes: Training): Promise<EstimatedLine> {
  const discriminator = await measureCritic('minimax', theta, seed, sizes);
  const critic = await measureCritic('wasserstein', theta, seed, sizes);
  return {
    theta,
    seed,
    jsd: discriminator.estimate,
    minimaxSlope: discriminator.slope,
    wasserstein: critic.estimate,
    wassersteinSlope: critic.slope,
  };
}

async function measureCritic(
  name: ObjectiveName,
  theta: number,
  seed: number,
  { steps, batch, width }: Training,
): Promise<{ estimate: number; slope: number }> {
  const rng = new Rng(seed, randomStreams.training);
  const { critic, generator: unused } = mlp({ shape: [2], width, rng: new Rng(seed, randomStreams.weights) });
  unused.dispose();
  const [real, generator] = [new SegmentGenerator(0, rng), new SegmentGenerator(theta, rng)];
  const gan = new Gan({ generator, critic, latent: 1 }, rng, {
    objective: name,
    criticOptimizer: (parameters) => new Adam(parameters, { lr: training.lr, betas: training.betas }),
    regularizers: name === 'wasserstein' ? [regularizer('gradient-penalty', LAMBDA)] : [],
  });
  try {
    await trainCritic(gan, () => real.forward(gan.latents(batch)), { steps, lastRate: training.lastRate });
    const heights = spaced(0, 1, MEASURED);
    const scores = async (x: number) => scoresOf(critic, Float32Array.from(heights.flatMap((y) => [x, y])), 2);
    const [onReal, onFake] = [await scores(0), await scores(theta)];
    const { generatorLoss } = objective(name);
    const slope = await scope(() => {
      const loss = generatorLoss(critic.forward(generator.forward(gan.latents(MEASURED))));
      return grad(loss, [generator.theta])[0]!.item();
    });
    // The loss of the discriminator, in float64: E softplus(-x) + E softplus(y).
    const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    const estimate =
      name === 'wasserstein'
        ? mean(onReal) - mean(onFake)
        : Math.log(2) - (mean(onReal.map((x) => softplus(-x))) + mean(onFake.map(softplus))) / 2;
    return { estimate: rounded(estimate), slope: rounded(slope) };
  } finally {
    gan.dispose();
    for (const module of [critic, generator, real]) module.dispose();
  }
}

/** What the critic with a gradient penalty says at its optimum: f' = 1 + θ / (2 λ) between the segments, nothing along them. */
const penalised = (theta: number): number => Math.abs(theta) * (1 + Math.abs(theta) / (2 * LAMBDA));

/** Experiment 4. */
export const parallelLines: Experiment<ParallelLinesFindings> = {
  name: 'parallel-lines',
  title: 'Learning parallel lines',
  code: import.meta.url,
  about:
    'Between the uniform distributions on {0} x [0, 1] and on {θ} x [0, 1], KL is infinite and the Jensen-Shannon divergence log 2 for every θ but 0, while W₁ is |θ|: of the three only W₁ tells a generator where to go (Arjovsky et al. 2017, example 1 and Fig. 1).',
  async run(session) {
    const sizes = session.quick ? quick : full;
    const { thetas, seeds, ...rest } = sizes;
    const settings = { ...rest, training, lambda: LAMBDA, measured: MEASURED };
    const exact = await Promise.all(thetas.map(exactLine));
    const all = thetas.flatMap((theta) => seeds.map((seed) => [theta, seed] as const));
    const estimated = await inTurn(all, ([theta, seed]) =>
      session.part(`theta-${theta}/seed-${seed}`, settings, () => estimatedLine(theta, seed, sizes)),
    );
    return { findings: { sizes, exact, estimated }, pictures: { 'lines.svg': draw(sizes, exact, estimated) } };
  },
  claims({ sizes, exact, estimated }) {
    const apart = (e: { theta: number }) => e.theta !== 0;
    const off = exact.map((e) =>
      Math.max(Math.abs(e.wasserstein - Math.abs(e.theta)), Math.abs(e.jsd - (apart(e) ? Math.log(2) : 0))),
    );
    const errors = estimated.filter(apart).map((e) => Math.abs(e.wasserstein / Math.abs(e.theta) - 1));
    const far = estimated.filter((e) => Math.abs(e.theta) >= 0.25).map((e) => Math.abs(e.jsd - Math.log(2)));
    const flat = estimated.filter((e) => Math.abs(e.theta) >= 0.5).map((e) => Math.abs(e.minimaxSlope));
    const steep = estimated.filter(apart).map((e) => Math.abs(e.wassersteinSlope - Math.sign(e.theta)));
    return [
      ...over(0, [atMost('JSD = log 2 and W₁ = |θ| by linear program (largest difference)', largest(off), 1e-9)]),
      ...over(sizes.seeds.length, [
        atMost("the critic's W₁ is within 10 % of |θ| (largest relative error)", largest(errors), 0.1),
        atMost(
          "the discriminator's JSD is within 0.02 of log 2 for |θ| of 0.25 and more (largest difference)",
          largest(far),
          0.02,
        ),
        atMost(
          'the minimax loss changes with θ by at most 0.01 for |θ| of 0.5 and more (largest slope)',
          largest(flat),
          0.01,
        ),
        atMost(
          'the Wasserstein loss changes with θ as |θ| does: its slope is within 0.1 of the sign of θ, at every θ but 0 (largest difference)',
          largest(steep),
          0.1,
        ),
      ]),
    ];
  },
  page({ sizes, exact, estimated }) {
    const rows = exact.map((e) => {
      const of = estimated.filter(({ theta }) => theta === e.theta);
      const spread = (value: (line: EstimatedLine) => number, digits: number) => meanAndEnds(of.map(value), digits);
      const steepest = largest(of.map((line) => Math.abs(line.minimaxSlope)));
      return [
        ...[e.theta, e.kl ?? '∞', fixed(e.jsd, 4), fixed(largest(of.map((line) => line.jsd)), 4)],
        ...[fixed(e.wasserstein, 4), spread((line) => line.wasserstein, 4), fixed(penalised(e.theta), 4)],
        ...[steepest.toExponential(1), spread((line) => line.wassersteinSlope, 3)],
      ];
    });
    return section(
      [
        picture(
          'parallel-lines',
          'lines.svg',
          'JSD and W₁ of two segments against their distance, exact and estimated',
        ),
        `Exact: ${ATOMS} atoms on each segment. Estimated: a critic with three layers of ${sizes.width} units for each θ, ${sizes.steps} updates on batches of ${sizes.batch}, for each of ${sizes.seeds.length} seeds: means, and in brackets the ends; of the discriminators the largest. The published figure shows the exact curves alone: |θ|, and log 2 with 0 at θ = 0.`,
        table(
          [
            'θ',
            'KL',
            'JSD',
            'discriminator',
            'W₁',
            `critic, λ = ${LAMBDA}`,
            'its optimum |θ| (1 + |θ| / 2λ)',
            '|d minimax / dθ|, largest',
            'd Wasserstein / dθ',
          ],
          rows,
        ),
      ],
      [
        'The discriminator has found all that there is to find, log 2, and says the same at every distance: the slope of its loss with θ, which is what the generator descends, is nothing.',
        "The critic's slope with θ is the same at every distance, and its sign says on which side the other line is: descending it moves θ to 0.",
        'The critic says a little more than |θ|, by exactly what the penalty at a finite λ lets through: the slope between the lines is 1 + |θ| / (2 λ).',
        'At θ = 0 the two distributions are the same, and both critics say so. Their slopes there are left over from the first weights and mean nothing.',
      ],
    );
  },
};

function draw({ steps, seeds }: Sizes, exact: readonly ExactLine[], estimated: readonly EstimatedLine[]): string {
  const x = { label: 'θ' };
  const points = (of: (e: EstimatedLine) => number) => estimated.map((e) => [e.theta, of(e)] as const);
  const ends = [exact[0]!.theta, exact.at(-1)!.theta] as const;
  return plot({
    title: 'Two parallel segments, θ apart',
    subtitle: `lines: exact; points: critics trained for ${steps} updates, for each θ and each of ${seeds.length} seeds`,
    columns: 3,
    width: 1100,
    panels: [
      {
        title: 'Jensen-Shannon divergence',
        x,
        y: { label: 'nats', min: 0, max: 0.8 },
        series: [
          {
            kind: 'line',
            label: 'exact: log 2, and 0 at θ = 0',
            points: [
              [ends[0], Math.log(2)],
              [ends[1], Math.log(2)],
            ],
          },
          { kind: 'scatter', label: 'exact: log 2, and 0 at θ = 0', points: [[0, 0]], size: 9 },
          { kind: 'scatter', label: 'discriminator', points: points((e) => e.jsd), size: 8 },
        ],
      },
      {
        title: 'Wasserstein distance',
        x,
        y: { label: 'distance', min: 0, max: 1.2 },
        series: [
          { kind: 'line', label: 'exact: |θ|', points: exact.map((e) => [e.theta, e.wasserstein]) },
          { kind: 'scatter', label: 'critic', points: points((e) => e.wasserstein), size: 8 },
          {
            kind: 'line',
            label: `penalised, λ = ${LAMBDA}`,
            dash: 'dashed',
            points: spaced(...ends, 41).map((t) => [t, penalised(t)]),
          },
        ],
      },
      {
        title: "Slope of the generator's loss with θ",
        x,
        y: { label: 'd loss / dθ' },
        series: [
          { kind: 'scatter', label: 'minimax', points: points((e) => e.minimaxSlope), size: 8 },
          { kind: 'scatter', label: 'Wasserstein', points: points((e) => e.wassersteinSlope), size: 8 },
        ],
      },
    ],
  });
}
