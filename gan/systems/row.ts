/**
 * What the tool knows of a system beside the system itself: where its settings, data, pictures and measures stand.
 * @module
 */
import type { Rng } from '../../engine/index.ts';
import type { DataSource } from '../data/dataSource.ts';
import type { Need } from '../data/needs.ts';
import type { DigitClassifier } from '../metrics/digitClassifier.ts';
import type { LabelledGridOptions } from '../pictures/labels.ts';
import type { RandomStream } from '../randomStreams.ts';
import type { RunSettings } from '../runSettings.ts';
import type { SampleArray } from '../sampling/draw.ts';
import type { Settings } from '../settings.ts';
import type { Streams, System } from '../system.ts';
import type { StepRow } from '../train.ts';

/** What is known of the data where no data are at hand: a run folder keeps it. */
export interface DataShape {
  /** Shape of one sample. */
  readonly shape: readonly number[];
  /** Names of the classes; empty where there are none. */
  readonly classes: readonly string[];
}

/** What a system is made of. */
export interface Making<O> extends DataShape {
  /** The system's own options, checked. */
  readonly options: O;
  /** A stream of random numbers of the run's seed. */
  readonly rng: (stream: RandomStream) => Rng;
}

/** A named set of choices. */
export interface Preset<O> {
  /** What `--help` calls it. */
  readonly title: string;
  /** What differs from the defaults, by the kind of data. */
  readonly settings: Readonly<Record<'images' | 'points', Partial<O & RunSettings>>>;
}

/** A system at one moment, and the data that it is judged on. Measures and pictures that are given the same one share what they compute. */
export interface Lab<T extends System = System> {
  /** The system. */
  readonly system: T;
  /** The data set. */
  readonly set: DataSource;
  /** The seed of everything that measures and pictures draw at random. */
  readonly seed: number;
  /** How many samples measures draw that draw any; their own number unless given. */
  readonly count?: number;
  /** Reads what lies in files beside the package, such as the digit classifier; absent in a browser. */
  readonly classifier?: () => Promise<DigitClassifier>;
}

/** A picture of what a system does: images laid out, with labels. */
export interface Picture {
  /** The images one after the other, [N, H, W, C], in [-1, 1]. */
  readonly samples: SampleArray;
  /** How they are laid out, with what labels. */
  readonly layout: LabelledGridOptions;
}

/** A table of what a system does: texts, or how often what stands where. */
export interface Table {
  /** A name for each column. */
  readonly head: readonly string[];
  /** The cells, row by row; the first of each names it. */
  readonly rows: readonly (readonly (string | number)[])[];
}

/** Something to look at, by its name on the command line. */
export interface Shown {
  /** What it shows, in a line. */
  readonly title: string;
  /** Whether a data set has it to show. Default: all that the system learns from. */
  suits?(set: DataSource): boolean;
}

/** A picture to look at. */
export interface Show<T extends System = System> extends Shown {
  /** Draws the picture. @param count its rows, or its images where it has one row; what suits unless given */
  draw(lab: Lab<T>, count?: number): Promise<Picture>;
}

/** A table to look at: where a system makes what no picture shows, such as texts. */
export interface TableShow<T extends System = System> extends Shown {
  /** Makes the table. @param count its rows, or the samples that it counts; what suits unless given */
  tabulate(lab: Lab<T>, count?: number): Promise<Table>;
}

/** A score that must be worse than a measure's. */
export interface Control<T extends System = System> {
  /** Computes the score. */
  compute(lab: Lab<T>): Promise<number>;
}

/** A score that says whether a system does what it claims, with those that must be worse. */
export interface Measure<T extends System = System> {
  /** What it measures, with the unit. */
  readonly title: string;
  /** Whether a higher or a lower score is better. */
  readonly better: 'higher' | 'lower';
  /** Whether it is measured at each snapshot of a run, too. */
  readonly quick?: boolean;
  /** Whether it can be measured on a data set. Default: on all that the system learns from. */
  suits?(set: DataSource): boolean;
  /** How many samples it looks at. Default: all that are held out. */
  looksAt?(lab: Lab<T>): number;
  /** Computes the score. */
  compute(lab: Lab<T>): Promise<number>;
  /** Scores that stand beside it, such as copying. That of the untrained system stands there always. */
  readonly controls?: Readonly<Record<string, Control<T>>>;
}

/** How something is learnt. */
export interface Method {
  /** Objective, penalties and sizes in words, for the headings of reports and plots. */
  readonly words: string;
  /** What must be warned of, a sentence each. */
  readonly warnings?: readonly string[];
}

/** A system as the table of systems holds it. */
export interface SystemRow<O extends object, S extends string, T extends System<S>> {
  /** The name of the system for headings. */
  readonly title: string;
  /** Authors and year of the papers. */
  readonly paper: string;
  /** What it claims, in a line. */
  readonly about: string;
  /** The settings that only this system has. */
  readonly options: Settings<O>;
  /** The system's defaults of the settings that every run has. */
  readonly run?: Partial<RunSettings>;
  /** What it must find in its data. */
  readonly needs: readonly Need[];
  /** Sets of choices by their names; the first is the usual one. */
  readonly presets?: Readonly<Record<string, Preset<O>>>;
  /** Adjusts settings that follow from others, such as the regularisers from the objective. @param given what was asked for; what it has not stays as it would be */
  settle?(config: O & RunSettings, given: Partial<O & RunSettings>, usual: O & RunSettings): O & RunSettings;
  /** Refuses settings that do not go together. @throws RangeError that names the owner and the settings */
  check?(owner: string, config: O & RunSettings): void;
  /** Makes it with its first weights, on the current device. */
  create(making: Making<O>): T;
  /** Batches of its data, without end. @param rng gives each stream what draws its order, such as `rng('data')` */
  streams(set: DataSource, batch: number, rng: Making<O>['rng']): Streams<S>;
  /** How the system is trained, in words. */
  method(system: T, config: O & RunSettings): Method;
  /** What a progress bar shows of a row. Default: all. */
  bar?(system: T, row: StepRow): StepRow;
  /**
   * Things to look at; the first picture is drawn at each snapshot, and tables are made at the end of a run. Of a system that draws samples none
   * is needed.
   */
  readonly shows?: Readonly<Record<string, Show<T> | TableShow<T>>>;
  /** What it claims, as scores. */
  readonly measures?: Readonly<Record<string, Measure<T>>>;
}
