/**
 * What is looked at of systems that translate images of one domain into those of another: held-out images, what they became, and what they
 * should have become.
 * @module
 */
import { sizeOf } from '../../engine/index.ts';
import type { Module } from '../../nn/index.ts';
import type { DataSource } from '../data/dataSource.ts';
import type { PairSet } from '../data/pairSet.ts';
import { distanceToTruth } from '../metrics/distanceToTruth.ts';
import { retrieval } from '../metrics/retrieval.ts';
import { metricSamples } from '../metrics/samples.ts';
import { strokes } from '../metrics/strokes.ts';
import type { SampleArray } from '../sampling/draw.ts';
import { mapSamples } from '../sampling/mapSamples.ts';
import type { System } from '../system.ts';
import type { Lab, Measure, Show } from './row.ts';

/** A system that translates images of the first domain into those of the second. */
export interface Translator extends System<string> {
  /** The network from the first domain to the second, images [N,H,W,C]. */
  readonly toY: Module;
  /** The network from the second domain to the first, of a system that translates both ways. */
  readonly toX?: Module;
}

type Images = ReturnType<typeof metricSamples>;

/** Held-out images of the first domain, and what they should become. */
const heldOut = (set: DataSource): readonly [source: Images, truth: Images] => {
  const { test, shape } = set as PairSet;
  return [metricSamples(test.x, shape), metricSamples(test.y, shape)];
};

/** What the held-out images become. All measures and pictures of one look at the system share it. */
const looks = new WeakMap<object, Promise<SampleArray>>();
function translated<T extends Translator>(lab: Lab<T>): Promise<SampleArray> {
  const there = looks.get(lab) ?? mapSamples((x) => lab.system.toY.forward(x), heldOut(lab.set)[0]);
  looks.set(lab, there);
  return there;
}

/** A measure of translations beside the true ones, and the same of what was not translated. */
function beside<T extends Translator>(
  title: string,
  better: Measure['better'],
  of: (images: SampleArray, truth: Images, source: Images) => number | Promise<number>,
): Measure<T> {
  const copy = async ({ set }: Lab<T>) => {
    const [source, truth] = heldOut(set);
    return of(source, truth, source);
  };
  const compute = async (lab: Lab<T>) => {
    const [source, truth] = heldOut(lab.set);
    return of(await translated(lab), truth, source);
  };
  return { title, better, quick: true, compute, controls: { copy: { compute: copy } } };
}

/**
 * How far the strokes have come from those of the source, 0, to those of the truth, 1: the worst of ink, runs across and down, and greyness.
 * What lies beyond the truth counts as far as it is off; what is farther off than the source is below 0.
 */
function strokesReached(images: SampleArray, truth: Images, source: Images): number {
  const [now, to, from] = [images, truth, source].map((samples) => strokes(samples));
  const reached = (['ink', 'across', 'down', 'greyness'] as const).map(
    (key) => 1 - Math.abs((now![key] - to![key]) / (from![key] - to![key])),
  );
  return reached.reduce((least, share) => Math.min(least, share));
}

/** Whether translations show what they should, are near to it, and look like it; each beside what copying the source gives. */
export const translationMeasures = <T extends Translator>(): Readonly<Record<string, Measure<T>>> => ({
  rightImage: beside<T>('right image among all held-out ones (share)', 'higher', (images, truth) =>
    retrieval(images, truth),
  ),
  distance: beside<T>('distance to the true image (share of the range)', 'lower', (images, truth) =>
    distanceToTruth(images, truth),
  ),
  strokesReached: beside<T>(
    'strokes, on the way from the source, 0, to the truth, 1 (worst of ink, runs and greyness)',
    'higher',
    strokesReached,
  ),
});

/** Held-out images side by side with what they became, the way back where there is one, and the truth. */
export const translations = <T extends Translator>(): Show<T> => ({
  title: 'held-out images of the first domain, translated, translated back, and what they should become',
  async draw(lab, count = 16) {
    const n = Math.min(count, lab.set.test.count);
    const { shape } = lab.set;
    const size = sizeOf(shape);
    const { toX } = lab.system;
    const [source, truth] = heldOut(lab.set);
    const there = { data: (await translated(lab)).data.subarray(0, n * size), shape: [n, ...shape] };
    const back = toX ? [await mapSamples((y) => toX.forward(y), there)] : [];
    const columns = [source, there, ...back, truth];
    const data = new Float32Array(columns.length * n * size);
    for (const [c, images] of columns.entries()) {
      for (let i = 0; i < n; i++) {
        // Row by row: the columns of an image lie next to each other.
        data.set(images.data.subarray(i * size, (i + 1) * size), (i * columns.length + c) * size);
      }
    }
    const [x, y] = (lab.set as PairSet).domains;
    const columnLabels = [x, `as ${y}`, ...(toX ? ['back'] : []), y];
    const layout = { columns: columns.length, columnLabels, scale: 2 };
    return { samples: { data, shape: [n * columns.length, ...shape] }, layout };
  },
});
