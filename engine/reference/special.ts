/** Special functions in float64, good to a few units in the last place. */

/**
 * The error function. Below 2 its series with positive terms (Abramowitz and Stegun 7.1.6), above that the continued
 * fraction of erfc.
 */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (Math.abs(x) >= 2) return x < 0 ? erfc(-x) - 1 : 1 - erfc(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** 1 - erf(x), also where that would cancel (Abramowitz and Stegun 7.1.14). */
export function erfc(x: number): number {
  if (!(x >= 2)) return 1 - erf(x);
  let tail = 0;
  for (let n = 120; n > 0; n--) tail = n / 2 / (x + tail);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + tail);
}

/** The distribution function of the standard normal distribution. */
export const phi = (x: number): number => erfc(-x * Math.SQRT1_2) / 2;

export const sigmoid = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

/** The nearest whole number, halves to the even one. */
export function roundEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest === 0.5) return 2 * Math.round(below / 2);
  return rest < 0.5 ? below : below + 1;
}

/** As C's pow, where JavaScript's has NaN: 1 to any power is 1, and so is -1 to an infinite one. */
export const power = (a: number, b: number): number =>
  a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b;

/** As Python's %: the sign of b. */
export function remainder(a: number, b: number): number {
  const r = a % b;
  return r !== 0 && r < 0 !== b < 0 ? r + b : r;
}
