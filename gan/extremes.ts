/** What is said of lists of any length: `Math.max(...list)` runs out of stack from some 100,000 numbers on. */

/** The largest number, NaN if there is one; -Infinity of none. */
export function largest(values: Iterable<number>): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const v of values) most = Math.max(most, v);
  return most;
}

/** The smallest number, NaN if there is one; Infinity of none. */
export function smallest(values: Iterable<number>): number {
  let least = Number.POSITIVE_INFINITY;
  for (const v of values) least = Math.min(least, v);
  return least;
}

/** n whole numbers below `of`, evenly spread over it from 0 on. */
export const evenly = (n: number, of: number): number[] =>
  Array.from({ length: n }, (_, i) => Math.floor((i * of) / n));

/** At most n of a list, evenly over it, with the first and the last. */
export const thinned = <T>(list: readonly T[], n: number): readonly T[] =>
  list.length <= n ? list : Array.from({ length: n }, (_, i) => list[Math.round((i * (list.length - 1)) / (n - 1))]!);
