import { Rng } from '../../engine/index.ts';
import { tableOf } from '../rows.ts';
import { birthdayParadox } from './birthdayParadox.ts';
import { classificationAccuracyScore } from './classificationAccuracy.ts';
import { classesOf } from './features.ts';
import { frechetInceptionDistance } from './frechet.ts';
import { inceptionScore, modeScore } from './inceptionScore.ts';
import { kernelInceptionDistance } from './kid.ts';
import type { Metric, MetricContext } from './metric.ts';
import { energyDistance, mmd } from './mmd.ts';
import { classCoverage, modeCoverage, reverseKl } from './modeCoverage.ts';
import { msSsimDiversity } from './msSsim.ts';
import { nearestNeighbourTest } from './nearestNeighbourTest.ts';
import { parzenLogLikelihood } from './parzen.ts';
import { densityCoverage, precisionRecall } from './precisionRecall.ts';
import { type MetricSamples, meanAndSpread, sliceSamples } from './samples.ts';
import { slicedWasserstein } from './slicedWasserstein.ts';

/** VEEGAN's protocol. */
const MODE_SAMPLES = 2500;
/** Samples whose pairs are all looked at. */
const PAIRED = 5000;
/** Parzen windows: Goodfellow et al. take 10,000 samples; a thousand real ones give a standard error of a few nats, as many choose sigma. */
const [WINDOWS, TESTED] = [10_000, 1000];
/** Samples among which copies are looked for. */
const BIRTHDAYS = 2000;

/** Twenty of each: one that has a thousandth of the chance of another is then still told from one that is missing. */
const each = (n: number): number => Math.max(100, 20 * n);

/** What metrics have in common that look for neighbours among features. */
const neighbourhood = { better: 'higher', needs: 'features', least: () => 1000 } as const;

/** The first of some samples, which are in random order. */
const first = (samples: MetricSamples, most: number) => sliceSamples(samples, 0, most);

const modesOf = (context: MetricContext) =>
  context.shared('modes', async () => modeCoverage(first(context.samples.samples, MODE_SAMPLES), context.modes!));

const classesIn = (context: MetricContext) =>
  context.shared('classes', async () => {
    const own = await context.samples.probabilities();
    const [count, many] = own.shape as [number, number];
    // What reverseKl says of the bias.
    const bias = (inverse: number) => ((many - 1) / 2) * inverse;
    if (context.classShares) {
      const found = classCoverage(classesOf(own), many);
      return { ...found, reverseKl: reverseKl(found.counts, context.classShares), bias: bias(1 / count) };
    }
    const real = await context.reference.probabilities();
    return { ...classCoverage(classesOf(own), many, classesOf(real)), bias: bias(1 / count + 1 / real.shape[0]!) };
  });

const featurePair = async ({ samples, reference }: MetricContext, most = Infinity) => {
  const [a, b] = [await samples.features(), await reference.features()];
  const n = Math.min(most, a.shape[0]!, b.shape[0]!);
  return [first(a, n), first(b, n)] as const;
};

const deviceOf = ({ device }: MetricContext) => ({ device });

const precisionAndRecall = (context: MetricContext) =>
  context.shared('precision', async () => precisionRecall(...(await featurePair(context, PAIRED)), deviceOf(context)));

const densityAndCoverage = (context: MetricContext) =>
  context.shared('density', async () => densityCoverage(...(await featurePair(context, PAIRED)), deviceOf(context)));

/**
 * All metrics by name. Those of features compare equally many samples and reference samples, 5,000 at most; but `fid` takes all there are
 * of both, and `kid` draws subsets of one size from all of both.
 *
 * `modes`, `highQuality`, `reverseKl`: {@link modeCoverage}. `classes`, `classKl`: {@link classCoverage}. `slicedWasserstein`.
 * `mmd`, `energyDistance`. `fid`: {@link frechetInceptionDistance}. `kid`: {@link kernelInceptionDistance}.
 * `inceptionScore`, `modeScore`. `precision`, `recall`: {@link precisionRecall}. `density`, `coverage`: {@link densityCoverage}.
 * `nearestNeighbour`: {@link nearestNeighbourTest}. `support`: {@link birthdayParadox}.
 * `parzen`: {@link parzenLogLikelihood}. `msSsim`: {@link msSsimDiversity}. `accuracy`: {@link classificationAccuracyScore}.
 */
export const metrics = tableOf<Metric>()({
  modes: {
    title: 'modes covered',
    better: 'higher',
    needs: 'modes',
    least: ({ modes }) => each(modes),
    alone: true,
    async compute(context) {
      const { covered, modes } = await modesOf(context);
      return { value: covered, details: { of: modes } };
    },
  },
  highQuality: {
    title: 'high-quality samples, share within 3 sigma of a mode',
    better: 'higher',
    needs: 'modes',
    least: () => 100,
    alone: true,
    compute: async (context) => ({ value: (await modesOf(context)).highQuality }),
  },
  reverseKl: {
    title: 'reverse KL over modes, nats',
    better: 'lower',
    needs: 'modes',
    least: ({ modes }) => each(modes),
    alone: true,
    compute: async (context) => ({ value: (await modesOf(context)).reverseKl }),
  },
  classes: {
    title: 'classes covered',
    better: 'higher',
    needs: 'classifier',
    least: ({ classes }) => each(classes),
    async compute(context) {
      const { covered, counts } = await classesIn(context);
      return { value: covered, details: { of: counts.length } };
    },
  },
  classKl: {
    title: 'reverse KL over classes, nats',
    better: 'lower',
    needs: 'classifier',
    least: ({ classes }) => each(classes),
    async compute(context) {
      const { reverseKl: value, bias, unseen } = await classesIn(context);
      return { value, details: { bias, unseen } };
    },
  },
  slicedWasserstein: {
    title: 'sliced Wasserstein distance, 256 directions',
    better: 'lower',
    needs: 'samples',
    least: () => 500,
    async compute({ samples, reference, seed }) {
      const [a, b] = [samples, reference].map(({ samples: s }) => Float32Array.from(s.data)) as [
        Float32Array,
        Float32Array,
      ];
      return { value: slicedWasserstein(a, b, { dimension: a.length / samples.samples.shape[0]!, seed }) };
    },
  },
  mmd: {
    title: 'MMD squared, mixture of 5 Gaussian kernels',
    better: 'lower',
    needs: 'features',
    least: () => 500,
    compute: async (context) => ({ value: await mmd(...(await featurePair(context, PAIRED)), deviceOf(context)) }),
  },
  energyDistance: {
    title: 'energy distance',
    better: 'lower',
    needs: 'features',
    least: () => 500,
    compute: async (context) => ({
      value: await energyDistance(...(await featurePair(context, PAIRED)), deviceOf(context)),
    }),
  },
  fid: {
    title: 'FID',
    better: 'lower',
    needs: 'features',
    least: ({ features }) => Math.max(500, 10 * features),
    async compute(context) {
      const [a, b] = [await context.samples.features(), await context.reference.features()];
      const { value, unbiased, bias } = await frechetInceptionDistance(a, b, { rng: new Rng(context.seed, 1) });
      return { value, details: { unbiased, bias } };
    },
  },
  kid: {
    title: 'KID, mean of 100 subsets and its standard error',
    better: 'lower',
    needs: 'features',
    least: () => 200,
    async compute(context) {
      const [a, b] = [await context.samples.features(), await context.reference.features()];
      const options = { rng: new Rng(context.seed, 2), device: context.device };
      const { value, standardError } = await kernelInceptionDistance(a, b, options);
      return { value, spread: standardError };
    },
  },
  inceptionScore: {
    title: 'inception score, mean and deviation of 10 splits',
    better: 'higher',
    needs: 'classifier',
    least: ({ classes }) => 100 * classes, // ten splits, each of ten samples of a class
    alone: true,
    async compute({ samples }) {
      const probabilities = await samples.probabilities();
      const splits = Math.min(10, probabilities.shape[0]!);
      const { value, standardDeviation } = inceptionScore(probabilities, { splits });
      return { value, spread: standardDeviation };
    },
  },
  modeScore: {
    title: 'mode score',
    better: 'higher',
    needs: 'classifier',
    least: ({ classes }) => each(classes),
    compute: async ({ samples, reference }) => ({
      value: modeScore(await samples.probabilities(), await reference.probabilities()),
    }),
  },
  precision: {
    title: 'precision, k = 3',
    ...neighbourhood,
    fewest: 4,
    compute: async (context) => ({ value: (await precisionAndRecall(context)).precision }),
  },
  recall: {
    title: 'recall, k = 3',
    ...neighbourhood,
    fewest: 4,
    compute: async (context) => ({ value: (await precisionAndRecall(context)).recall }),
  },
  density: {
    title: 'density, k = 5',
    ...neighbourhood,
    fewest: 6,
    compute: async (context) => ({ value: (await densityAndCoverage(context)).density }),
  },
  coverage: {
    title: 'coverage, k = 5',
    ...neighbourhood,
    fewest: 6,
    compute: async (context) => ({ value: (await densityAndCoverage(context)).coverage }),
  },
  nearestNeighbour: {
    title: '1-nearest-neighbour accuracy',
    better: 'lower',
    best: 0.5,
    needs: 'features',
    least: () => 200,
    async compute(context) {
      const pair = await featurePair(context, PAIRED);
      const { accuracy, realAccuracy, generatedAccuracy } = await nearestNeighbourTest(...pair, deviceOf(context));
      return { value: accuracy, details: { real: realAccuracy, generated: generatedAccuracy } };
    },
  },
  support: {
    title: 'support by the birthday paradox',
    better: 'higher',
    needs: 'samples',
    least: () => 300,
    async compute({ samples, reference, device }) {
      const [a, b] = [first(samples.samples, BIRTHDAYS), first(reference.samples, BIRTHDAYS)];
      const found = await birthdayParadox(a, b, { device });
      const { support, atLeast, collisions, collisionProbability, threshold } = found;
      return { value: support, details: { atLeast, collisions, collisionProbability, threshold } };
    },
  },
  parzen: {
    title: 'Parzen log-likelihood, nats',
    better: 'higher',
    needs: 'samples',
    least: () => 1000,
    async compute({ samples, reference, device }) {
      const isImage = samples.samples.shape.length === 4;
      // As papers do, images in [0, 1]; for points, sigmas that suit their spread.
      const scaled = (s: MetricSamples): MetricSamples =>
        isImage ? { ...s, data: s.data.map((v) => v / 2 + 0.5) } : s;
      const [, spread] = meanAndSpread(reference.samples.data);
      const tested = Math.min(TESTED, Math.floor(reference.samples.shape[0]! / 2));
      const options = {
        validation: scaled(sliceSamples(reference.samples, tested, 2 * tested)),
        ...(!isImage && { sigmas: Array.from({ length: 10 }, (_, i) => spread * 10 ** ((2 * i) / 9 - 2)) }),
        device,
      };
      const [a, b] = [scaled(first(samples.samples, WINDOWS)), scaled(first(reference.samples, tested))];
      const { value, standardError, sigma } = await parzenLogLikelihood(a, b, options);
      return { value, spread: standardError, details: { sigma } };
    },
  },
  msSsim: {
    title: 'MS-SSIM of 500 pairs',
    better: 'lower',
    needs: 'images',
    least: () => 100,
    alone: true,
    async compute({ samples, seed, device }) {
      const { labels } = samples.samples;
      if (labels && new Set(Array.from(labels)).size === labels.length) return { value: Number.NaN };
      const options = { rng: new Rng(seed, 3), pairs: 500, device };
      const { value, standardDeviation, scales } = await msSsimDiversity(samples.samples, options);
      return { value, spread: standardDeviation / Math.sqrt(500), details: { scales } };
    },
  },
  accuracy: {
    title: 'classification accuracy score',
    better: 'higher',
    needs: 'labels',
    least: ({ classes }) => each(classes),
    compute: async ({ samples, reference, seed, device }) => ({
      value: (await classificationAccuracyScore(samples.samples, reference.samples, { seed, device })).value,
    }),
  },
});

/** The name of a metric in {@link metrics}. */
export type MetricName = keyof typeof metrics;
