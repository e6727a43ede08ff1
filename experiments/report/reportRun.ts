import { Rng, sizeOf } from '../../engine/index.ts';
import type { SampleSet, Samples } from '../../gan/data/sampleSet.ts';
import { trainingLoader } from '../../gan/data/trainingData.ts';
import { metricSamples } from '../../gan/metrics/samples.ts';
import { slicedWassersteinTo } from '../../gan/metrics/slicedWasserstein.ts';
import { dcganSmall } from '../../gan/networks/dcgan.ts';
import { type Regularizer, regularizer } from '../../gan/objectives/regularizer.ts';
import { randomStreams } from '../../gan/randomStreams.ts';
import { drawSamples, type SampleArray } from '../../gan/sampling/draw.ts';
import { disposeSystem } from '../../gan/system.ts';
import { Gan } from '../../gan/systems/adversarial.ts';
import { linearDecay, type StepRow, train } from '../../gan/train.ts';
import { adam, type NamedOptimizer, rmsprop, wordsOf } from '../modes/methods.ts';

/** How the critic of a Wasserstein GAN is kept Lipschitz. */
export interface Constraint {
  readonly title: string;
  readonly regularizer: () => Regularizer;
  readonly optimizer: NamedOptimizer;
}

/**
 * What is compared: two ways of training, with a constraint, and the optimizer and rate that go with it. Networks, data and first
 * weights are the same.
 */
export const constraints = {
  clipping: {
    title: 'clipping',
    // The paper's 0.01 belongs to critics eight times as wide: here it would leave no gradient for the generator.
    regularizer: () => regularizer('weight-clipping', 0.05),
    optimizer: rmsprop(5e-4),
  },
  penalty: {
    title: 'penalty',
    regularizer: () => regularizer('gradient-penalty', 10),
    optimizer: adam(2e-3, [0.5, 0.9]),
  },
} as const satisfies Readonly<Record<string, Constraint>>;

/** The settings of a constraint in words. */
export const constraintWords = (name: ConstraintName): string =>
  wordsOf([constraints[name].regularizer()], constraints[name].optimizer);

/** The name of a constraint. */
export type ConstraintName = keyof typeof constraints;

/** What decides a run, beside the data and the constraint. */
export interface ReportSettings {
  /** Training images, the first ones of the class. */
  readonly images: number;
  readonly batch: number;
  readonly criticSteps: number;
  /** The learning rates fall to this share of their start in a straight line. */
  readonly rateDecay: number;
  /** Channels of the generator's last hidden layer; the critic's first has half of them. */
  readonly width: number;
  readonly latent: number;
  /** When samples are kept and measured; the last one ends the run. An epoch has images / batch generator steps. */
  readonly epochs: readonly number[];
  /** Samples that are measured. */
  readonly samples: number;
  /** The first of them, which the grids show. */
  readonly shown: number;
  readonly seed: number;
}

/** A run at the end of an epoch. */
export interface EpochFindings {
  readonly epoch: number;
  /** Sliced Wasserstein distance to the held-out images of the class, in pixel units of [-1, 1]. */
  readonly slicedWasserstein: number;
  /** Mean distance between two samples, divided by that between two held-out images: below 1 they are too much alike. */
  readonly diversity: number;
  /** Fréchet distance to the held-out images on the features of a classifier, where there is one for such images. */
  readonly fid?: number;
}

/** What a run found. */
export interface ReportResult {
  /** Every generator step. */
  readonly rows: readonly StepRow[];
  readonly epochs: readonly EpochFindings[];
  /** The pixels of the shown samples, 0 to 255, of each measured epoch. */
  readonly grids: readonly (readonly number[])[];
}

/** The Fréchet distance of samples [N,H,W,C] to the held-out images, on the features of a classifier. */
export type Judge = (samples: SampleArray) => Promise<number>;

/** Trains on a set of one class, and keeps samples on the way. */
export async function reportRun(
  set: SampleSet,
  name: ConstraintName,
  settings: ReportSettings,
  judge?: Judge,
): Promise<ReportResult> {
  const { batch, criticSteps, rateDecay, width, latent, epochs, samples, shown, seed } = settings;
  const constraint: Constraint = constraints[name];
  const images = first(set.train, settings.images);
  const networks = dcganSmall({ shape: set.shape, width, latent, rng: new Rng(seed, randomStreams.weights) });
  const gan = new Gan(networks, new Rng(seed, randomStreams.training), {
    regularizers: [constraint.regularizer()],
    criticOptimizer: constraint.optimizer.make,
    criticSteps,
  });
  const data = trainingLoader({ ...set, train: images }, batch, new Rng(seed, randomStreams.data));
  const measure = epochMeasure(set, samples, judge);
  using codes = new Rng(seed, randomStreams.samples).normal([samples, latent]);
  const rows: StepRow[] = [];
  const findings: EpochFindings[] = [];
  const grids: number[][] = [];
  const pixels = shown * sizeOf(set.shape);
  const perEpoch = Math.floor(images.count / batch);
  const pauses = (step: number) => epochs.includes(step / perEpoch);
  const until = epochs.at(-1)! * perEpoch;
  for await (const row of train(gan, { data }, { until, rates: linearDecay(rateDecay), pauses })) {
    rows.push(row);
    if (!pauses(row.step!)) continue;
    const epoch = row.step! / perEpoch;
    const drawn = await drawSamples(networks.generator, codes, { batchSize: batch });
    findings.push({ epoch, ...(await measure(drawn)) });
    grids.push(Array.from(drawn.data.subarray(0, pixels), (v) => Math.round((v + 1) * 127.5)));
  }
  disposeSystem(gan);
  return { rows, epochs: findings, grids };
}

/** Measures samples against the held-out images of a set; `fid` where there is a judge. */
export function epochMeasure(
  set: SampleSet,
  count: number,
  judge?: Judge,
): (samples: SampleArray) => Promise<Omit<EpochFindings, 'epoch'>> {
  const dimension = sizeOf(set.shape);
  const real = metricSamples(set.test, set.shape, set.test.count).data;
  const distance = slicedWassersteinTo(real, { dimension });
  const apart = meanDistance(real.subarray(0, count * dimension), dimension);
  return async (samples) => ({
    slicedWasserstein: distance(samples.data),
    diversity: meanDistance(samples.data, dimension) / apart,
    ...(judge && { fid: await judge(samples) }),
  });
}

/** Mean Euclidean distance between each point and the following one: n pairs stand for all. */
export function meanDistance(points: Float32Array, dimension: number): number {
  const n = points.length / dimension;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const [a, b] = [i * dimension, ((i + 1) % n) * dimension];
    let square = 0;
    for (let j = 0; j < dimension; j++) square += (points[a + j]! - points[b + j]!) ** 2;
    sum += Math.sqrt(square);
  }
  return sum / n;
}

function first(split: Samples, count: number): Samples {
  const n = Math.min(count, split.count);
  const size = split.data.length / split.count;
  const { data, labels } = split;
  return { count: n, data: data.subarray(0, n * size), ...(labels && { labels: labels.subarray(0, n) }) };
}
