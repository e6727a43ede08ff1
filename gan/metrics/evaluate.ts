import { type Device, Rng, sizeOf } from '../../engine/index.ts';
import { checked } from '../../engine/internal.ts';
import type { SampleSet } from '../data/sampleSet.ts';
import { randomStreams } from '../randomStreams.ts';
import { classProbabilities, type FeatureClassifier, type FeatureNetwork, featuresOf } from './features.ts';
import { type Metric, type MetricContext, type MetricSubject, type Score, tooFew } from './metric.ts';
import { deviceFor } from './read.ts';
import { noiseLike, realSamples, shuffled } from './references.ts';
import { bothRows, type MetricSamples, rowsOf } from './samples.ts';
import { type MetricName, metrics } from './table.ts';

/** The network that images are compared by. */
export interface FeatureSource {
  /** What titles call it, such as 'digit classifier'. */
  readonly title: string;
  /** The network, in evaluation mode. */
  readonly network: FeatureNetwork | FeatureClassifier;
  /** How many classes its `forward` gives logits of, if it is a classifier. */
  readonly classes?: number;
  /** The share of real samples in each class, [classes], of sum 1; those of the reference, as `forward` reads it, unless given. */
  readonly classShares?: readonly number[];
  /** What readers of its scores must know. */
  readonly note?: string;
}

/** Options of {@link evaluate}. */
export interface EvaluateOptions {
  /** What is measured, [N, ...]: 10,000 for scores to report; with labels, where the generator is told the class. */
  readonly samples: MetricSamples;
  /** Real samples to measure against; the set's test samples unless given. One of `reference` and `set` is needed. */
  readonly reference?: MetricSamples;
  /** The data set, for its modes, and for training samples that show what real samples score. */
  readonly set?: SampleSet;
  /** What images are compared by; without it they are measured in pixels only. */
  readonly features?: FeatureSource;
  /** The metrics to measure, of {@link metrics}, in this order; all for which everything needed is there unless given. */
  readonly names?: readonly MetricName[];
  /** Decides all random choices; 0 unless given. A score does not depend on which others are asked for. */
  readonly seed?: number;
  /** Whether real samples and noise are measured too, which takes three times as long. Default true. */
  readonly baselines?: boolean;
  /** The device that computes, and where the network of `features` is; the current device unless given. */
  readonly device?: Device;
  /** Called before each score is computed. */
  readonly onProgress?: (progress: EvaluateProgress) => void;
}

/** How far {@link evaluate} is. */
export interface EvaluateProgress {
  /** The metric that comes next. */
  readonly name: MetricName;
  /** The metric's title. */
  readonly title: string;
  /** Metrics that are done. */
  readonly done: number;
  /** Metrics asked for. */
  readonly total: number;
}

/** A score with what is needed to read it. */
export interface EvaluatedScore extends Score {
  /** The metric's title, and what it was measured on: 'FID (digit classifier, 64 features)'. */
  readonly title: string;
  /** Whether a higher or a lower score is better. */
  readonly better: 'higher' | 'lower';
  /** The best score, where going further in the better direction is worse again. */
  readonly best?: number;
  /** Samples that were handed in; the metric may look at fewer. */
  readonly count: number;
  /** The score of as many other real samples: about the best that a generator can reach. */
  readonly real?: Score;
  /** How many real samples that was, where there were fewer than `count`: scores of few are worse. */
  readonly realCount?: number;
  /** Why the score says little, where there are fewer samples or reference samples than the metric needs: how many of them. */
  readonly tooFew?: string;
  /** Scores that must be worse, by what they are of, such as the untrained system. */
  readonly controls?: Readonly<Record<string, Score>>;
  /** The score of as many samples of uniform noise, in [-1, 1] or the box that the reference points span. */
  readonly noise?: Score;
}

/** Scores by metric, in the order in which they were asked for. */
export type Evaluation = Partial<Record<MetricName, EvaluatedScore>>;

/**
 * Measures samples by all metrics asked for, each beside what real samples and noise score. Features are computed once.
 *
 * The order of what it is given does not matter: metrics that look at few samples look at random ones. Those of the reference are the
 * same for every seed. Real samples are drawn from all of the set's training samples; without a set a random half of the reference
 * takes their part, unless `baselines` is false.
 * @throws TypeError that says what a metric of `names` lacks; RangeError for samples that do not fit or are not finite
 * @example
 * const features = { title: 'digit classifier', network: await loadDigitClassifier(), classes: 10 };
 * const { fid } = await evaluate({ samples, set, features, names: ['fid'] });
 * console.log(scoreLine(fid));
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const known = [
    'samples',
    'reference',
    'set',
    'features',
    'names',
    'seed',
    'baselines',
    'device',
    'onProgress',
  ] as const;
  const { samples, set, seed = 0, baselines = true, onProgress, ...given } = checked('evaluate', options, known);
  const device = deviceFor(given.device);
  const { count } = rowsOf('evaluate', 'samples', samples, 2);
  const { reference, real } = realSamples({ reference: given.reference, set, seed, count: baselines ? count : 0 });
  bothRows('evaluate', samples, reference, 2);
  const fewest = Math.min(count, reference.shape[0]!, real?.shape[0] ?? count);
  const names =
    given.names ?? availableMetrics(options, reference).filter((name) => fewest >= (metrics[name].fewest ?? 2));
  for (const name of names) {
    const lacks = missing(name, options, reference);
    if (lacks) throw new TypeError(`evaluate: ${name} needs ${lacks}`);
    const { fewest: needed = 2 } = metrics[name];
    if (fewest < needed)
      throw new RangeError(`evaluate: ${name} needs ${needed} samples and as many real ones, not ${fewest}`);
  }
  const subject = (s: MetricSamples) => subjectOf(s, given.features, device);
  const { classes, classShares } = given.features ?? {};
  if (classShares && classShares.length !== classes) {
    throw new RangeError(`evaluate: features have ${classes} classes and ${classShares.length} classShares`);
  }
  const common = {
    reference: subject(reference),
    seed,
    device,
    ...(set?.modes && { modes: set.modes }),
    ...(classShares && { classShares }),
  };
  const context = (of: MetricSubject): MetricContext => ({ ...common, samples: of, shared: sharing() });
  const own = context(subject(shuffled(samples, new Rng(seed, randomStreams.sampleOrder))));
  const realCount = real?.shape[0];
  // What stands beside samples without labels has none either: diversity would be that within classes.
  const alike = ({ labels, ...rest }: MetricSamples): MetricSamples =>
    samples.labels && labels ? { ...rest, labels } : rest;
  const beside = real && {
    real: context(subject(alike(real))),
    noise: context(subject(alike(noiseLike(reference, count, new Rng(seed, randomStreams.noise))))),
  };
  const evaluation: Evaluation = {};
  const counts = { samples: count, reference: reference.shape[0]! };
  for (const [done, name] of names.entries()) {
    const metric: Metric = metrics[name];
    const { title, better, best, needs, compute } = metric;
    onProgress?.({ name, title, done, total: names.length });
    const score = await compute(own);
    const few = tooFew(metric, counts, {
      features: needs === 'features' ? (await own.samples.features()).shape[1]! : 0,
      classes: classes ?? new Set(Array.from(reference.labels ?? [])).size,
      modes: set?.modes ? set.modes.centres.length / sizeOf(set.shape) : 0,
    });
    evaluation[name] = {
      title: await titleOn(title, needs, own, given.features),
      better,
      ...(best !== undefined && { best }),
      count,
      ...score,
      ...(beside && { real: await compute(beside.real), noise: await compute(beside.noise) }),
      ...(realCount !== undefined && realCount < count && { realCount }),
      ...(few !== undefined && { tooFew: few }),
    };
  }
  return evaluation;
}

/**
 * A score in one line: 'FID (digit classifier, 64 features): 12.3 (real 0.9, noise 410; lower is better)'. A lower bound has '>= ' before
 * it; '-' is a score that there is not. Of too few samples it says so at the end.
 */
export function scoreLine(score: EvaluatedScore): string {
  const { title, spread, better, best, real, realCount, noise, controls = {} } = score;
  const digits = (x: number) => (Number.isNaN(x) ? '-' : Number.isInteger(x) ? String(x) : x.toPrecision(3));
  const bounded = ({ value: v, details }: Score) => `${details?.atLeast === true ? '>= ' : ''}${digits(v)}`;
  const of = realCount === undefined ? '' : ` of ${realCount} samples`;
  const others = Object.entries(controls).map(([name, control]) => `${name} ${bounded(control)}`);
  const beside = [real && `real ${bounded(real)}${of}`, noise && `noise ${bounded(noise)}`, ...others]
    .filter(Boolean)
    .join(', ');
  const rule = best === undefined ? `${better} is better` : `best at ${best}`;
  const deviation = spread === undefined ? '' : ` ± ${digits(spread)}`;
  const { bias, unbiased, unseen } = score.details ?? {};
  const rest = [
    typeof unbiased === 'number' && `without bias ${digits(unbiased)}`,
    typeof bias === 'number' && unbiased === undefined && `few samples alone make it about ${digits(bias)}`,
    typeof unseen === 'number' && unseen > 0 && `a guess: the reference misses ${unseen} of its classes`,
  ].filter(Boolean);
  const more = rest.map((text) => `${text}; `).join('');
  const few = score.tooFew === undefined ? '' : `; too few samples: ${score.tooFew}`;
  return `${title}: ${bounded(score)}${deviation} (${more}${beside ? `${beside}; ` : ''}${rule})${few}`;
}

/** The names of the metrics for which everything needed is there, as {@link evaluate} takes them. */
export function availableMetrics(options: EvaluateOptions, reference?: MetricSamples): MetricName[] {
  return (Object.keys(metrics) as MetricName[]).filter((name) => !missing(name, options, reference));
}

/** What a metric lacks, for messages. */
function missing(name: MetricName, options: EvaluateOptions, reference?: MetricSamples): string | undefined {
  const metric: Metric | undefined = Object.hasOwn(metrics, name) ? metrics[name] : undefined;
  if (!metric)
    throw new TypeError(`evaluate: there is no metric ${name}; there are ${Object.keys(metrics).join(', ')}`);
  const { samples, set, features } = options;
  const isImage = samples.shape.length === 4;
  const hasLabels = samples.labels && (reference ?? options.reference ?? set?.test)?.labels;
  const lacks: Readonly<Record<Metric['needs'], string | false>> = {
    samples: false,
    features: isImage && !features && 'a network for the features of images (option `features`)',
    images: !isImage && 'images [N,H,W,C]',
    classifier:
      !(features?.classes && 'forward' in features.network) &&
      'a classifier of such samples (option `features`, with its number of `classes`)',
    modes: !set?.modes && 'a data set that knows its modes, such as ring or grid (option `set`)',
    labels: !hasLabels && 'labels, of the samples and of the reference',
  };
  // The window of MS-SSIM.
  if (name === 'msSsim' && isImage && Math.min(samples.shape[1]!, samples.shape[2]!) < 11)
    return 'images of 11 x 11 or more';
  return lacks[metric.needs] || undefined;
}

function subjectOf(samples: MetricSamples, source: FeatureSource | undefined, device: Device): MetricSubject {
  const once = sharing();
  const isImage = samples.shape.length === 4;
  return {
    samples,
    features: async () =>
      isImage ? once('features', () => featuresOf(source!.network, samples, { device })) : samples,
    probabilities: () =>
      once('classes', () => classProbabilities(source!.network as FeatureClassifier, samples, { device })),
  };
}

/** Keeps what was computed under a key. */
function sharing(): <T>(key: string, compute: () => Promise<T>) => Promise<T> {
  const kept = new Map<string, Promise<unknown>>();
  return <T>(key: string, compute: () => Promise<T>) => {
    const value = (kept.get(key) as Promise<T> | undefined) ?? compute();
    kept.set(key, value);
    return value;
  };
}

async function titleOn(
  title: string,
  needs: Metric['needs'],
  { samples }: MetricContext,
  source: FeatureSource | undefined,
) {
  if (needs === 'classifier') return `${title} (${source!.title}, ${source!.classes} classes)`;
  const isImage = samples.samples.shape.length === 4;
  if (needs === 'samples' && isImage) return `${title} (pixels)`;
  if (needs !== 'features' || !isImage) return title;
  return `${title} (${source!.title}, ${(await samples.features()).shape[1]} features)`;
}
