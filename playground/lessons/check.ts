/**
 * How a number that is handed in is checked.
 * @module
 */

/** The numbers in a text, between spaces, commas or semicolons; what is none of them is NaN. A typed minus sign counts as one. */
export const numbersIn = (text: string): readonly number[] =>
  text
    .replaceAll('−', '-')
    .split(/[\s,;]+/)
    .filter((part) => part !== '')
    .map(Number);

/** Whether all numbers lie within the tolerance of those that are wanted, in their order. */
export const isRight = (given: readonly number[], wanted: readonly number[], tolerance: number): boolean =>
  given.length === wanted.length && given.every((v, i) => Math.abs(v - wanted[i]!) <= tolerance);
