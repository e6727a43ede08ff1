import type { Device } from '../../engine/index.ts';
import type { Modes } from '../data/sampleSet.ts';
import type { MetricSamples } from './samples.ts';

/** One set of samples, whose features and classes are computed when a metric first asks for them. */
export interface MetricSubject {
  /** The samples in random order: metrics that look at few take the first. */
  readonly samples: MetricSamples;
  /** Points as they are, or the features of images, [N,D]. */
  features(): Promise<MetricSamples>;
  /** Probabilities of the classes, [N,K]. */
  probabilities(): Promise<MetricSamples>;
}

/** What a metric of the table sees. */
export interface MetricContext {
  /** What is measured. */
  readonly samples: MetricSubject;
  /** Real samples that it is measured against. */
  readonly reference: MetricSubject;
  /** The modes of the data, of a mixture. */
  readonly modes?: Modes;
  /** The share of each class in the data, [K], where it is known. */
  readonly classShares?: readonly number[];
  /** Decides all random choices, for each metric by itself. */
  readonly seed: number;
  /** The device that computes. */
  readonly device: Device;
  /** Computes once what several metrics of this context share. */
  shared<T>(key: string, compute: () => Promise<T>): Promise<T>;
}

/** A score of a metric. */
export interface Score {
  /** The score. */
  readonly value: number;
  /** The score's standard error or deviation, as the metric says, where it has one. */
  readonly spread?: number;
  /**
   * Further scores by name, such as FID's estimate without bias; NaN where there is none. `atLeast` is true where the value is a lower
   * bound.
   */
  readonly details?: Readonly<Record<string, number | boolean>>;
}

/**
 * What a metric must be given: any samples as they are ('samples'); points, or images with a network for features ('features'); images
 * ('images'); images with a classifier ('classifier'); the modes of the data ('modes'); labels of samples and reference ('labels').
 */
export type MetricNeeds = 'samples' | 'features' | 'images' | 'classifier' | 'modes' | 'labels';

/** What the need for samples follows from. */
export interface Dimensions {
  /** Numbers in a point, or features of an image. */
  readonly features: number;
  /** Classes of the classifier, or of the labels. */
  readonly classes: number;
  /** Modes of the data. */
  readonly modes: number;
}

/** A row of the table `metrics`. */
export interface Metric {
  /** The name for headings; what it is measured on is put behind it in brackets where it needs features or a classifier. */
  readonly title: string;
  /** Whether a higher or a lower score is better. */
  readonly better: 'higher' | 'lower';
  /** The best score, where going further in the better direction is worse again. */
  readonly best?: number;
  /** What it must be given. */
  readonly needs: MetricNeeds;
  /** Samples, and reference samples, without which there is no score at all; 2 unless given. */
  readonly fewest?: number;
  /** Samples, and reference samples, below which the value says more of their number than of the generator. */
  readonly least: (of: Dimensions) => number;
  /** Whether it looks at the samples alone, however many reference samples there are. */
  readonly alone?: boolean;
  /** Measures. Looks at no more samples than its protocol asks for. */
  compute(context: MetricContext): Promise<Score>;
}

/**
 * Why a value says little, in words for behind it: the samples that there are, and how many the metric needs.
 * @param counts samples and reference samples
 * @returns undefined where there are enough
 */
export function tooFew(
  { least, alone = false }: Pick<Metric, 'least' | 'alone'>,
  counts: { readonly samples: number; readonly reference: number },
  of: Dimensions,
): string | undefined {
  const needed = least(of);
  const show = (n: number): string => n.toLocaleString('en');
  const short = [
    counts.samples < needed && `${show(counts.samples)} samples`,
    !alone && counts.reference < needed && `${show(counts.reference)} held-out ones`,
  ].filter(Boolean);
  return short.length > 0 ? `${short.join(' and ')}; it needs ${show(needed)}${alone ? '' : ' of each'}` : undefined;
}
