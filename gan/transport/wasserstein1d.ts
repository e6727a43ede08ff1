import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { type LineMeasure, MASS_TOLERANCE, type Segment, segmentsOf } from './line.ts';
import { type LinePotential, linePotential } from './linePotential.ts';

/** Options of {@link wasserstein1d} and {@link transport1d}. */
export interface Wasserstein1dOptions {
  /** The order of the distance, >= 1 and finite; 1 unless given. */
  readonly p?: number;
}

/** Mass that moves along the line, in order: evenly from the interval `from` to the interval `to`; an atom has equal ends. */
export interface MovedMass {
  /** Above 0; all masses sum to 1. */
  readonly mass: number;
  /** The interval that the mass comes from: left and right end. */
  readonly from: readonly [number, number];
  /** The interval that the mass goes to, the left end to the left end. */
  readonly to: readonly [number, number];
}

/** The optimal transport of one measure on the line to another. */
export interface LineTransport {
  /** W_p, in the unit of the line. */
  readonly distance: number;
  /** Kantorovich's optimal plan, from left to right: the monotone rearrangement, the same for every p. */
  readonly plan: readonly MovedMass[];
  /**
   * Monge's optimal map T(x) = G⁻¹(F(x)), which pushes the first measure forward to the second.
   * @throws RangeError where the first measure has no mass, and at an atom whose mass has to be split: there is no map
   */
  map(x: number): number;
  /**
   * A 1-Lipschitz f that attains W₁ = E[f(x)] - E[f(y)], x from the first measure and y from the second
   * (Kantorovich-Rubinstein): f' = sign(G - F), and 0 where the distribution functions agree.
   */
  readonly potential: LinePotential;
}

/**
 * Wasserstein distance of order p on the line, exact in float64 and in closed form:
 * W_p = (∫ over u in [0, 1] of |F⁻¹(u) - G⁻¹(u)|^p)^(1/p), by sorting, in O(n log n). Samples of unequal number, weights and
 * densities may meet each other.
 *
 * Source: Villani, "Topics in optimal transportation", 2003, theorem 2.18; Peyré and Cuturi, "Computational optimal
 * transport", 2019, remark 2.30.
 *
 * @param a samples, weighted samples, or a piecewise-constant density
 * @param b the same, of any of these kinds
 * @returns in the unit of the line; 0 for equal measures only, up to 1e-12 of the mass
 * @throws RangeError for an order below 1, numbers that are not finite, negative masses, edges that do not ascend
 * @example
 * const p = { edges: [1, 2, 3, 4, 9, 10], masses: [0.25, 0, 0.25, 0, 0.5] };
 * const q = { edges: [5, 7], masses: [1] };
 * wasserstein1d(p, q); // 3
 */
export function wasserstein1d(a: LineMeasure, b: LineMeasure, options: Wasserstein1dOptions = {}): number {
  const p = checkedOrder('wasserstein1d', options);
  const rearranged = rearrangement(segmentsOf('wasserstein1d', 'a', a), segmentsOf('wasserstein1d', 'b', b));
  return distanceOf(rearranged, p);
}

/**
 * The same with how it comes about: plan, map and potential.
 * @param a samples, weighted samples, or a piecewise-constant density
 * @param b the same, of any of these kinds
 * @throws RangeError as {@link wasserstein1d}
 */
export function transport1d(a: LineMeasure, b: LineMeasure, options: Wasserstein1dOptions = {}): LineTransport {
  const p = checkedOrder('transport1d', options);
  const [source, target] = [segmentsOf('transport1d', 'a', a), segmentsOf('transport1d', 'b', b)];
  const plan = rearrangement(source, target);
  return {
    distance: distanceOf(plan, p),
    plan,
    map: (x) => mapped(plan, x),
    potential: linePotential(source, target),
  };
}

function checkedOrder(op: string, options: Wasserstein1dOptions): number {
  const { p = 1 } = checked(op, options, ['p']);
  return checkRange(op, 'p', ranges.atLeast(1), p);
}

/** Couples quantiles: walks through both measures at once, and cuts wherever a segment of either ends. */
function rearrangement(a: readonly Segment[], b: readonly Segment[]): MovedMass[] {
  const plan: MovedMass[] = [];
  let [i, j, done] = [0, 0, 0];
  let [x, y] = [a[0]!.from, b[0]!.from];
  while (i < a.length && j < b.length) {
    const [s, t] = [a[i]!, b[j]!];
    const both = Math.abs(s.end - t.end) <= MASS_TOLERANCE;
    const end = Math.min(s.end, t.end);
    const [sEnds, tEnds] = [both || s.end < t.end, both || t.end < s.end];
    // The rest of a segment is even too: the part of it that moves now is a fraction of what is left.
    const mass = Math.max(0, end - done);
    const nextX = sEnds ? s.to : x + (s.to - x) * (mass / (s.end - done));
    const nextY = tEnds ? t.to : y + (t.to - y) * (mass / (t.end - done));
    if (mass > 0) plan.push({ mass, from: [x, nextX], to: [y, nextY] });
    [x, y, done] = [nextX, nextY, both ? Math.max(s.end, t.end) : end];
    if (sEnds) x = a[++i]?.from ?? x;
    if (tEnds) y = b[++j]?.from ?? y;
  }
  return plan;
}

function distanceOf(plan: readonly MovedMass[], p: number): number {
  let cost = 0;
  for (const { mass, from, to } of plan) cost += mass * meanPower(to[0] - from[0], to[1] - from[1], p);
  return p === 1 ? cost : cost ** (1 / p);
}

/** The mean of |x|^p for x even between a and b. */
function meanPower(a: number, b: number, p: number): number {
  if (a === b) return Math.abs(a) ** p;
  if (a < 0 !== b < 0 && a !== 0 && b !== 0) {
    const [left, right] = [Math.abs(a), Math.abs(b)];
    return (left ** (p + 1) + right ** (p + 1)) / ((p + 1) * (left + right));
  }
  const [low, high] = [Math.min(Math.abs(a), Math.abs(b)), Math.max(Math.abs(a), Math.abs(b))];
  // Nearly equal ends would cancel in the antiderivative. Gauss's rule with three nodes is exact for polynomials up to
  // degree 5, and for all powers where the interval is this narrow.
  if ((Number.isInteger(p) && p <= 5) || high - low < 0.02 * high) {
    const [centre, offset] = [(low + high) / 2, ((high - low) / 2) * Math.sqrt(0.6)];
    return (5 * (centre - offset) ** p + 8 * centre ** p + 5 * (centre + offset) ** p) / 18;
  }
  return (high ** (p + 1) - low ** (p + 1)) / ((p + 1) * (high - low));
}

function mapped(plan: readonly MovedMass[], x: number): number {
  // The first piece that does not lie to the left of x.
  let [low, high] = [0, plan.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (plan[middle]!.from[1] < x) low = middle + 1;
    else high = middle;
  }
  const piece = plan[low];
  if (!piece || !(piece.from[0] <= x)) throw new RangeError(`map: the first measure has no mass at ${x}`);
  const [left, right] = piece.from;
  if (left < right) return piece.to[0] + (piece.to[1] - piece.to[0]) * ((x - left) / (right - left));
  let last = low;
  while (plan[last + 1]?.from[1] === x) last++;
  if (piece.to[0] !== plan[last]!.to[1]) {
    throw new RangeError(
      `map: the atom at ${x} has to be split between ${piece.to[0]} and ${plan[last]!.to[1]}: there is a plan, but no map`,
    );
  }
  return piece.to[0];
}
