import { checked, checkRange, ranges, shown } from '../../engine/internal.ts';

/** Options of {@link pointCosts}. */
export interface PointCostsOptions {
  /** d: coordinates of a point. */
  readonly dimension: number;
  /** The power of the distance, > 0; 1 unless given. */
  readonly p?: number;
}

/**
 * The costs ‖xᵢ - yⱼ‖^p of moving a unit of mass from each point to each other, with the Euclidean norm, in float64.
 * @param x [n, d] in row-major order, finite
 * @param y [m, d]
 * @returns [n, m] in row-major order
 * @throws RangeError when a cloud is empty, not a whole number of points, or not finite, or for a power that is not above 0
 */
export function pointCosts(x: ArrayLike<number>, y: ArrayLike<number>, options: PointCostsOptions): Float64Array {
  const { dimension, p = 1 } = checked('pointCosts', options, ['dimension', 'p']);
  const [n, m] = [countPoints('pointCosts', 'x', x, dimension), countPoints('pointCosts', 'y', y, dimension)];
  checkRange('pointCosts', 'p', ranges.positive, p);
  const costs = new Float64Array(n * m);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) costs[i * m + j] = costBetween(x, i, y, j, dimension, p);
  }
  return costs;
}

/** ‖xᵢ - yⱼ‖^p. */
export function costBetween(
  x: ArrayLike<number>,
  i: number,
  y: ArrayLike<number>,
  j: number,
  dimension: number,
  p: number,
): number {
  let square = 0;
  for (let k = 0; k < dimension; k++) square += (x[i * dimension + k]! - y[j * dimension + k]!) ** 2;
  if (p === 2) return square;
  return p === 1 ? Math.sqrt(square) : square ** (p / 2);
}

/** How many points a cloud has. @throws RangeError for an empty one, a remainder, or coordinates that are not finite */
export function countPoints(op: string, name: string, cloud: ArrayLike<number>, dimension: number): number {
  if (!Number.isInteger(dimension) || dimension < 1 || !(cloud.length > 0) || cloud.length % dimension !== 0) {
    throw new RangeError(`${op}: ${name} has ${cloud.length} values, not n >= 1 points of ${shown(dimension)}`);
  }
  for (let k = 0; k < cloud.length; k++) {
    if (Number.isFinite(cloud[k])) continue;
    throw new RangeError(`${op}: point ${Math.floor(k / dimension)} of ${name} has the coordinate ${cloud[k]}`);
  }
  return cloud.length / dimension;
}
