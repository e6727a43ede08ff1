import { Rng } from '../../engine/index.ts';
import { type PointSet, pointSet } from '../../gan/data/distribution.ts';
import { gaussianGrid, gaussianRing } from '../../gan/data/mixtures.ts';
import { trainingLoader } from '../../gan/data/trainingData.ts';
import { modeCoverage } from '../../gan/metrics/modeCoverage.ts';
import { mlp } from '../../gan/networks/mlp.ts';
import type { ObjectiveName } from '../../gan/objectives/objective.ts';
import { type Regularizer, regularizer } from '../../gan/objectives/regularizer.ts';
import { randomStreams } from '../../gan/randomStreams.ts';
import { drawSamples } from '../../gan/sampling/draw.ts';
import { disposeSystem } from '../../gan/system.ts';
import { Gan } from '../../gan/systems/adversarial.ts';
import { linearDecay, train } from '../../gan/train.ts';
import { adam, type NamedOptimizer, rmsprop, wordsOf } from './methods.ts';

/** A way of training that the experiment compares. */
export interface Method {
  readonly title: string;
  readonly objective: ObjectiveName;
  readonly regularizers: () => readonly Regularizer[];
  /** Updates of the critic before each of the generator. */
  readonly criticSteps: number;
  readonly optimizer: NamedOptimizer;
}

/** What is compared, by name. */
export const methods = {
  minimax: {
    title: 'GAN, minimax',
    objective: 'minimax',
    regularizers: () => [],
    criticSteps: 1,
    optimizer: adam(1e-3, [0.5, 0.9]),
  },
  'non-saturating': {
    title: 'GAN, non-saturating',
    objective: 'non-saturating',
    regularizers: () => [],
    criticSteps: 1,
    optimizer: adam(1e-3, [0.5, 0.9]),
  },
  wgan: {
    title: 'WGAN, clipping',
    objective: 'wasserstein',
    regularizers: () => [regularizer('weight-clipping', 0.1)],
    criticSteps: 2,
    optimizer: rmsprop(5e-4),
  },
  // 0.1 is what Gulrajani et al. take for toy data, in their code.
  'wgan-gp': {
    title: 'WGAN-GP',
    objective: 'wasserstein',
    regularizers: () => [regularizer('gradient-penalty', 0.1)],
    criticSteps: 2,
    optimizer: adam(1e-3, [0.5, 0.9]),
  },
} as const satisfies Readonly<Record<string, Method>>;

/** The settings of a method in words. */
export const methodWords = (name: MethodName): string => {
  const { regularizers, optimizer, criticSteps }: Method = methods[name];
  return wordsOf(regularizers(), optimizer, criticSteps);
};

/** The name of a method. */
export type MethodName = keyof typeof methods;

/**
 * The mixtures at the scale at which the networks see them: a standard deviation of 1 along each axis, as in the code of
 * Gulrajani et al. 2017. Modes, spacing and sigma keep the published proportions, so that coverage and quality mean the same.
 */
export const mixtures = {
  ring: {
    title: 'Ring of 8 Gaussians',
    make: () => gaussianRing({ radius: Math.SQRT2, sigma: 0.01 * Math.SQRT2 }),
  },
  grid: {
    title: 'Grid of 25 Gaussians',
    make: () => gaussianGrid({ spacing: Math.SQRT1_2, sigma: 0.025 * Math.SQRT1_2 }),
  },
} as const;

/** The name of a mixture. */
export type MixtureName = keyof typeof mixtures;

/** What decides a run, beside the method. */
export interface ModesSettings {
  /** Updates of the generator. */
  readonly steps: number;
  readonly batch: number;
  readonly latent: number;
  /** Units of each of the three hidden layers of both networks. */
  readonly width: number;
  /** Of the generator's weights, from whose average is sampled. */
  readonly emaDecay: number;
  /** The learning rates fall to this share of their start in a straight line. */
  readonly rateDecay: number;
  /** How many are drawn to count modes: 2,500 by VEEGAN's protocol. */
  readonly samples: number;
  /** How often modes are counted on the way, evenly spaced; the last count is the result. */
  readonly counts: number;
}

/** Modes at one moment. */
export interface ModesRow {
  readonly step: number;
  readonly covered: number;
  /** 0 to 1. */
  readonly highQuality: number;
  /** In nats. */
  readonly reverseKl: number;
}

/** What a run found. */
export interface ModesResult {
  /** The last row is the result. */
  readonly rows: readonly ModesRow[];
  /** The first samples, x and y in turn, at the scale of {@link mixtures}, to three digits: for the picture. */
  readonly points: readonly number[];
}

/** Hidden layers of both networks. */
export const DEPTH = 3;

/** Samples that are kept for the picture. */
const SHOWN = 1000;

/** The points of a mixture that a run of this seed learns from. */
export const modesData = (mixture: MixtureName, seed: number): PointSet => pointSet(mixtures[mixture].make(), { seed });

/** Trains once and counts modes. */
export async function modesRun(
  mixture: MixtureName,
  name: MethodName,
  seed: number,
  settings: ModesSettings,
): Promise<ModesResult> {
  const { steps, batch, latent, width, emaDecay, rateDecay, samples, counts } = settings;
  const method: Method = methods[name];
  const set = modesData(mixture, seed);
  const networks = mlp({ shape: [2], latent, width, depth: DEPTH, rng: new Rng(seed, randomStreams.weights) });
  const gan = new Gan(networks, new Rng(seed, randomStreams.training), {
    objective: method.objective,
    regularizers: method.regularizers(),
    criticOptimizer: method.optimizer.make,
    emaDecay,
    criticSteps: method.criticSteps,
  });
  const data = trainingLoader(set, batch, new Rng(seed, randomStreams.data));
  using codes = new Rng(seed, randomStreams.samples).normal([samples, latent]);
  const rows: ModesRow[] = [];
  let points: number[] = [];
  const marks = new Set(Array.from({ length: counts }, (_, k) => Math.round((steps * (k + 1)) / counts)));
  const pauses = (step: number) => marks.has(step);
  for await (const row of train(gan, { data }, { until: steps, rates: linearDecay(rateDecay), pauses })) {
    const step = row.step!;
    if (!pauses(step)) continue;
    const drawn = await drawSamples(networks.generator, codes, { batchSize: samples, ema: gan.ema! });
    const { covered, highQuality, reverseKl } = modeCoverage(drawn, set.modes!);
    rows.push({ step, covered, highQuality, reverseKl });
    points = Array.from(drawn.data.subarray(0, 2 * SHOWN), (x) => Math.round(x * 1000) / 1000);
  }
  disposeSystem(gan);
  return { rows, points };
}
