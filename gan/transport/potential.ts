import { checked } from '../../engine/internal.ts';
import { costBetween, countPoints } from './pointCosts.ts';

/**
 * The c-transform of a potential: (vᶜ)ᵢ = minⱼ (cᵢⱼ - vⱼ), the largest u with uᵢ + vⱼ <= cᵢⱼ. Of an optimal v it is an
 * optimal u, and no pair of potentials is worse for it: (u, v) -> (vᶜ, v) only raises the dual value.
 *
 * Source: Villani 2003, section 2.4; Peyré and Cuturi 2019, section 3.2.
 *
 * @param costs c, [n, m] in row-major order
 * @param v [m]; with the costs transposed, the transform of a u
 * @returns [n]
 * @throws RangeError for costs that are no whole number of rows
 */
export function cTransform(costs: ArrayLike<number>, v: ArrayLike<number>): Float64Array {
  const m = v.length;
  if (!(m > 0) || costs.length === 0 || costs.length % m !== 0) {
    throw new RangeError(`cTransform: ${costs.length} costs are not n >= 1 rows of ${m}, one for each value of v`);
  }
  const u = new Float64Array(costs.length / m).fill(Infinity);
  for (let k = 0; k < costs.length; k++) u[Math.floor(k / m)] = Math.min(u[Math.floor(k / m)]!, costs[k]! - v[k % m]!);
  return u;
}

/** Options of {@link potentialFrom}. */
export interface PotentialOptions {
  /** d: coordinates of a point. */
  readonly dimension: number;
  /** The power of the distance in the cost; 1 unless given. */
  readonly p?: number;
}

/**
 * A dual potential of points made a function of the whole space: f(z) = minⱼ (‖z - yⱼ‖^p - vⱼ), its c-transform. For p = 1 it
 * is 1-Lipschitz, whatever v is, with f(yⱼ) <= -vⱼ: with an optimal v it attains the supremum of Kantorovich and
 * Rubinstein, W₁ = E f(x) - E f(y). It is what a WGAN's critic is to learn.
 * @param y the points of the second measure, [m, d] in row-major order
 * @param v their dual potential, [m], such as `v` of what `solveTransport` finds
 * @returns f, of a point [d]
 * @throws RangeError for points that do not fit the dimension or the potential
 */
export function potentialFrom(
  y: ArrayLike<number>,
  v: ArrayLike<number>,
  options: PotentialOptions,
): (z: ArrayLike<number>) => number {
  const { dimension, p = 1 } = checked('potentialFrom', options, ['dimension', 'p']);
  const m = countPoints('potentialFrom', 'y', y, dimension);
  if (v.length !== m) throw new RangeError(`potentialFrom: there are ${m} points and ${v.length} values of v`);
  return (z) => {
    if (z.length !== dimension)
      throw new RangeError(`potential: the point has ${z.length} coordinates, not ${dimension}`);
    let least = Infinity;
    for (let j = 0; j < m; j++) least = Math.min(least, costBetween(z, 0, y, j, dimension, p) - v[j]!);
    return least;
  };
}
