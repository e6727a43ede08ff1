import { MASS_TOLERANCE, type Segment } from './line.ts';

/** A piecewise-linear function on the line. */
export interface LinePotential {
  /** The places where the potential's slope changes, ascending. */
  readonly knots: Float64Array;
  /** The potential's value at each knot, in the unit of the line; 0 at the first. */
  readonly values: Float64Array;
  /** f(x): between knots linear, beyond them constant. */
  at(x: number): number;
}

/**
 * The potential f of W₁ between two measures. E_a f - E_b f = ∫ f d(F - G) = ∫ f' (G - F) dx, at most ∫ |F - G| dx = W₁,
 * which f' = sign(G - F) attains. Between the segments' ends F and G are linear, so that G - F changes its sign once at most.
 */
export function linePotential(a: readonly Segment[], b: readonly Segment[]): LinePotential {
  const ends = Float64Array.from([...a, ...b].flatMap(({ from, to }) => [from, to])).sort();
  const places = ends.filter((x, i) => i === 0 || x !== ends[i - 1]);
  const [knots, values] = [[places[0]!], [0]];
  const climb = (to: number, slope: number): void => {
    values.push(values.at(-1)! + slope * (to - knots.at(-1)!));
    knots.push(to);
  };
  const [massOfA, massOfB] = [massesBetween(a, places), massesBetween(b, places)];
  let ahead = 0; // G - F
  for (let k = 0; k + 1 < places.length; k++) {
    ahead += massOfB.at[k]! - massOfA.at[k]!;
    const before = snapped(ahead);
    ahead += massOfB.after[k]! - massOfA.after[k]!;
    const after = snapped(ahead);
    const [left, right] = [places[k]!, places[k + 1]!];
    const crossing = left + (right - left) * (before / (before - after));
    if (before * after < 0 && left < crossing && crossing < right) climb(crossing, Math.sign(before));
    climb(right, Math.sign(before * after < 0 ? after : before || after));
  }
  const [x, y] = [Float64Array.from(knots), Float64Array.from(values)];
  return { knots: x, values: y, at: (at) => interpolated(x, y, at) };
}

const snapped = (difference: number): number => (Math.abs(difference) <= MASS_TOLERANCE ? 0 : difference);

/** The mass of atoms at each place, and of even segments between each place and the next. */
function massesBetween(segments: readonly Segment[], places: Float64Array): { at: Float64Array; after: Float64Array } {
  const [at, after] = [new Float64Array(places.length), new Float64Array(places.length)];
  let [k, start] = [0, 0];
  for (const { from, to, end } of segments) {
    while (places[k]! < from) k++;
    if (from === to) at[k]! += end - start;
    // Segments with an inside do not overlap: all together visit each place once.
    else for (; places[k]! < to; k++) after[k]! += ((end - start) * (places[k + 1]! - places[k]!)) / (to - from);
    start = end;
  }
  return { at, after };
}

function interpolated(knots: Float64Array, values: Float64Array, x: number): number {
  if (Number.isNaN(x)) return x;
  let [low, high] = [0, knots.length - 1];
  if (x <= knots[low]!) return values[low]!;
  if (x >= knots[high]!) return values[high]!;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (knots[middle]! <= x) low = middle;
    else high = middle;
  }
  const t = (x - knots[low]!) / (knots[high]! - knots[low]!);
  return values[low]! + t * (values[high]! - values[low]!);
}
