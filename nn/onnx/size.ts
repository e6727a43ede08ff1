/** Sizes and numbers that follow the batch: what a model with a symbolic batch axis needs to know of its shapes. */

/** A size that is `times` the batch and `plus` more. */
export class Batch {
  readonly times: number;
  readonly plus: number;

  constructor(times: number, plus: number) {
    this.times = times;
    this.plus = plus;
  }
}

/** A size that is known, or one that follows the batch. */
export type Size = number | Batch;

/** Why the batch axis cannot be symbolic. */
export class FixedBatch extends Error {}

/** Stands for a number that changes with the batch in another way than by a line. */
export const VARIES = Symbol('varies');

/** How many samples more than n there are in the runs after the first: the last one is there for sizes that have a limit. */
export const more = (n: number): readonly [number, number, number] => [1, 2, 7 * n];

/** One number of a graph from those that it has at batches n, n + 1, n + 2 and 8 n. */
export function follow(n: number, values: readonly number[]): Size | typeof VARIES {
  const [a, b, c, d] = values as [number, number, number, number];
  if (values.every((v) => Object.is(v, a))) return a;
  const times = b - a;
  if (c - b !== times || d - a !== times * more(n)[2] || !Number.isInteger(times)) return VARIES;
  return new Batch(times, a - n * times);
}

/** Whether two sizes are one for every batch. */
export const sameSize = (a: Size, b: Size): boolean =>
  a instanceof Batch ? b instanceof Batch && a.times === b.times && a.plus === b.plus : a === b;

/** a - b, where that is one number for every batch. @throws FixedBatch */
export function minus(a: Size, b: Size): number {
  const [x, y] = [a, b].map((s) => (s instanceof Batch ? s : new Batch(0, s))) as [Batch, Batch];
  if (x.times !== y.times) throw new FixedBatch('a distance grows with the batch');
  return x.plus - y.plus;
}

/** The sizes as plain numbers. @throws FixedBatch if one follows the batch */
export const known = (sizes: readonly Size[]): number[] =>
  sizes.map((s) => {
    if (s instanceof Batch) throw new FixedBatch('a size that must be known grows with the batch');
    return s;
  });
