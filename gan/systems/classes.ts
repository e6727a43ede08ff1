/**
 * What is looked at of systems that are told a class: a picture of all classes, and whether the class that was asked for is the one that is seen.
 * @module
 */
import { Rng } from '../../engine/index.ts';
import { largest } from '../extremes.ts';
import { classProbabilities } from '../metrics/features.ts';
import { randomStreams } from '../randomStreams.ts';
import type { Drawing, System } from '../system.ts';
import type { Lab, Measure, Show } from './row.ts';

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

/** Samples that the measure looks at. */
const SEEN = 1000;

/** The share of samples in which a classifier that has never seen a generated one reads the class that was asked for. */
async function asked({ system, seed, classifier }: Lab<ClassConditional>, shift = 0): Promise<number> {
  if (!classifier) throw new Error('classSeen: the classifier is read from a file, which this place cannot');
  const { samples, labels } = await system.draw(SEEN, new Rng(seed, randomStreams.measurements));
  if (!labels) throw new TypeError('classSeen: what was drawn does not say which class was asked for');
  const { data, shape } = await classProbabilities(await classifier(), samples);
  const classes = shape[1]!;
  const right = labels.filter((label, i) => {
    const row = data.subarray(i * classes, (i + 1) * classes);
    return row[(label + shift) % classes] === largest(row);
  });
  return right.length / SEEN;
}

/** Whether the digit that was asked for is the one that a classifier sees; beside it how often it sees the next one. */
export const classSeen = <T extends ClassConditional>(): Measure<T> => ({
  title: 'class that was asked for, as the digit classifier sees it (share of 1,000)',
  better: 'higher',
  suits: ({ shape, classes }) => String(shape) === '28,28,1' && classes?.length === 10,
  compute: (lab) => asked(lab),
  controls: { 'next class': { compute: (lab) => asked(lab, 1) } },
});
