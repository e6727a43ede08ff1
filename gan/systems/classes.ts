/**
 * What is looked at of systems that are told a class: a picture of all classes, and whether the class that was asked for is the one that is seen.
 * @module
 */
import { Rng } from '../../engine/index.ts';
import type { DataSource } from '../data/dataSource.ts';
import { largest } from '../extremes.ts';
import { classesOf, classProbabilities } from '../metrics/features.ts';
import { randomStreams } from '../randomStreams.ts';
import type { Drawing, System } from '../system.ts';
import type { Lab, Measure, Show, TableShow } from './row.ts';

/** A system that makes samples of the class that it is asked for. */
export interface ClassConditional extends System<string> {
  /** Draws n samples with the class that was asked for of each. */
  draw(n: number, rng: Rng): Promise<Drawing>;
  /** Draws a row for each code and a column for each class. */
  classGrid(rows: number, rng: Rng): Promise<Drawing>;
}

/** A column for each class, a row for each code. */
export const classGrid = <T extends ClassConditional>(): Show<T> => ({
  title: 'a column for each class, a row for each code',
  async draw({ system, set, seed }, count = 8) {
    const { samples } = await system.classGrid(count, new Rng(seed, randomStreams.samples));
    const names = set.classes ?? [];
    return { samples, layout: { columns: names.length, columnLabels: names, scale: set.shape[0]! < 48 ? 2 : 1 } };
  },
});

/** Samples that the measure looks at, unless it is told how many. */
const seen = ({ count = 1000 }: Pick<Lab, 'count'>): number => count;

/** Samples with the class that was asked for of each, and what the classifier takes them for. */
async function judged(lab: Lab<ClassConditional>) {
  const { system, seed, classifier } = lab;
  if (!classifier) throw new Error('the classifier is read from a file, which this place cannot');
  const { samples, labels } = await system.draw(seen(lab), new Rng(seed, randomStreams.measurements));
  if (!labels) throw new TypeError('what was drawn does not say which class was asked for');
  return { labels, probabilities: await classProbabilities(await classifier(), samples) };
}

/** Whether the classifier knows such samples: digits. */
const suits = ({ shape, classes }: Pick<DataSource, 'shape' | 'classes'>): boolean =>
  String(shape) === '28,28,1' && classes?.length === 10;

/** The share of samples in which a classifier that has never seen a generated one reads the class that was asked for. */
async function asked(lab: Lab<ClassConditional>, shift = 0): Promise<number> {
  const { labels, probabilities } = await judged(lab);
  const { data, shape } = probabilities;
  const classes = shape[1]!;
  const right = labels.filter((label, i) => {
    const row = data.subarray(i * classes, (i + 1) * classes);
    return row[(label + shift) % classes] === largest(row);
  });
  return right.length / labels.length;
}

/** Whether the digit that was asked for is the one that a classifier sees; beside it how often it sees the next one. */
export const classSeen = <T extends ClassConditional>(): Measure<T> => ({
  title: 'class that was asked for, as the digit classifier sees it (share)',
  better: 'higher',
  suits,
  looksAt: seen,
  compute: (lab) => asked(lab),
  controls: { 'next class': { compute: (lab) => asked(lab, 1) } },
});

/** How often the digit classifier sees each class where each was asked for. */
export const confusion = <T extends ClassConditional>(): TableShow<T> => ({
  title: 'classes that were asked for, and how often the digit classifier sees each',
  suits,
  async tabulate(lab, count = 500) {
    const { labels, probabilities } = await judged({ ...lab, count });
    const names = lab.set.classes ?? [];
    const counts = names.map(() => names.map(() => 0));
    for (const [i, found] of classesOf(probabilities).entries()) counts[labels[i]!]![found]!++;
    return { head: ['asked for', ...names], rows: names.map((name, asked) => [name, ...counts[asked]!]) };
  },
});
