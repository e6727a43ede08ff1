import type { Device } from '../../engine/index.ts';
import type { Modes } from '../data/sampleSet.ts';
import type { MetricSamples } from './samples.ts';

/** One set of samples, whose features and classes are computed when a metric first asks for them. */
export interface MetricSubject {
  /** In random order: metrics that look at few take the first. */
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
  /** Where it computes. */
  readonly device: Device;
  /** Computes once what several metrics of this context share. */
  shared<T>(key: string, compute: () => Promise<T>): Promise<T>;
}

/** A figure of a metric. */
export interface Figure {
  /** The figure. */
  readonly value: number;
  /** Its standard error or deviation, as the metric says, where it has one. */
  readonly spread?: number;
  /**
   * Further figures by name, such as FID's estimate without bias; NaN where there is none. `atLeast` is true where the value is a lower
   * bound.
   */
  readonly details?: Readonly<Record<string, number | boolean>>;
}

/**
 * What a metric must be given: any samples as they are ('samples'); points, or images with a network for features ('features'); images
 * ('images'); images with a classifier ('classifier'); the modes of the data ('modes'); labels of samples and reference ('labels').
 */
export type MetricNeeds = 'samples' | 'features' | 'images' | 'classifier' | 'modes' | 'labels';

/** A row of the table `metrics`. */
export interface Metric {
  /** For headings; what it is measured on is put behind it in brackets where it needs features or a classifier. */
  readonly title: string;
  /** Whether a higher or a lower figure is better. */
  readonly better: 'higher' | 'lower';
  /** The best figure, where going further in the better direction is worse again. */
  readonly best?: number;
  /** What it must be given. */
  readonly needs: MetricNeeds;
  /** Samples, and reference samples, without which there is no figure at all; 2 unless given. */
  readonly fewest?: number;
  /** Measures. Looks at no more samples than its protocol asks for. */
  compute(context: MetricContext): Promise<Figure>;
}
