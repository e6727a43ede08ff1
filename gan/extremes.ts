/** Extremes of lists of any length: `Math.max(...list)` runs out of stack from some 100,000 numbers on. */

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
