import { Rng } from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';

/** How `slicedWasserstein` measures. */
export interface SlicedWassersteinOptions {
  /** d: coordinates of a point. */
  readonly dimension: number;
  /** Random directions, at least 1; 256 unless given. The standard error falls with its square root. */
  readonly projections?: number;
  /** Chooses the directions; 0 unless given. Equal seeds give equal directions, so that two distances compare. */
  readonly seed?: number;
  /** Order of the distance; 1 unless given. */
  readonly p?: 1 | 2;
}

/**
 * Directions projected in one pass over the points: enough to keep the processor busy, few enough for its registers.
 */
const LANES = 4;

/**
 * Sliced Wasserstein distance between two clouds of equally weighted points, in the unit of their coordinates:
 * (mean over directions t of W_p(<a, t>, <b, t>)^p)^(1/p), with W_p between projections exact, in float64.
 * It is 0 for equal clouds only (as the number of directions grows), at most W_p, and about |v| / sqrt(d) * sqrt(2 / pi)
 * (p = 1) or |v| / sqrt(d) (p = 2) for a shift by v in many dimensions. NaN coordinates give NaN.
 *
 * Source: Rabin, Peyré, Delon, Bernot, "Wasserstein barycenter and its application to texture mixing", SSVM 2011;
 * Bonneel, Rabin, Peyré, Pfister, "Sliced and Radon Wasserstein barycenters of measures", JMIV 2015.
 *
 * @param a [n, d] in row-major order
 * @param b [m, d]; m may differ from n
 * @throws TypeError for an option that there is not
 * @throws RangeError when a cloud is empty or not a whole number of points, or for an option out of its range
 */
export function slicedWasserstein(a: Float32Array, b: Float32Array, options: SlicedWassersteinOptions): number {
  return slicedWassersteinTo(b, options)(a);
}

/**
 * The same distance to one cloud, many times: `b` is projected and sorted once.
 * @throws TypeError and RangeError as {@link slicedWasserstein}, which the function that it returns does too
 */
export function slicedWassersteinTo(b: Float32Array, options: SlicedWassersteinOptions): (a: Float32Array) => number {
  const op = 'slicedWasserstein';
  const known = ['dimension', 'projections', 'seed', 'p'] as const;
  const { dimension, projections = 256, seed = 0, p = 1 } = checked(op, options, known);
  checkRange(op, 'projections', ranges.count, projections);
  checkRange(op, 'p', ranges.oneOf([1, 2]), p);
  const check = (name: string, cloud: Float32Array): void => {
    if (!Number.isInteger(dimension) || dimension < 1 || cloud.length === 0 || cloud.length % dimension !== 0) {
      throw new RangeError(`${op}: ${name} has ${cloud.length} values, not n >= 1 points of ${dimension}`);
    }
  };
  check('b', b);
  const rng = new Rng(seed);
  const directions = Array.from({ length: Math.ceil(projections / LANES) }, () =>
    Array.from({ length: LANES }, () => unitVector(rng.hostNormal(dimension))),
  );
  const sorted = (cloud: Float32Array, k: number) => project(cloud, directions[k]!).map((line) => line.sort());
  const linesOfB = directions.map((_, k) => sorted(b, k));
  return (a) => {
    check('a', a);
    let total = 0;
    for (let k = 0; k < directions.length; k++) {
      const linesOfA = sorted(a, k);
      for (let lane = 0; lane < Math.min(LANES, projections - k * LANES); lane++) {
        total += transport(linesOfA[lane]!, linesOfB[k]![lane]!, p);
      }
    }
    return p === 1 ? total / projections : Math.sqrt(total / projections);
  };
}

/** The coordinate of each point along each of LANES directions: LANES arrays [n]. */
function project(cloud: Float32Array, directions: readonly Float64Array[]): Float64Array[] {
  const [d0, d1, d2, d3] = directions as [Float64Array, Float64Array, Float64Array, Float64Array];
  const [dimension, n] = [d0.length, cloud.length / d0.length];
  const out = Array.from({ length: LANES }, () => new Float64Array(n));
  const [o0, o1, o2, o3] = out as [Float64Array, Float64Array, Float64Array, Float64Array];
  for (let i = 0, at = 0; i < n; i++) {
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    for (let j = 0; j < dimension; j++) {
      const x = cloud[at++]!;
      s0 += x * d0[j]!;
      s1 += x * d1[j]!;
      s2 += x * d2[j]!;
      s3 += x * d3[j]!;
    }
    o0[i] = s0;
    o1[i] = s1;
    o2[i] = s2;
    o3[i] = s3;
  }
  return out;
}

/**
 * W_p^p of two sorted samples on the line: the integral over q in [0, 1] of |F^-1(q) - G^-1(q)|^p, exact also for n != m.
 * Quantiles are counted in steps of 1 / (n m), which are integers.
 */
function transport(a: Float64Array, b: Float64Array, p: 1 | 2): number {
  const [n, m] = [a.length, b.length];
  let total = 0;
  for (let i = 0, j = 0, q = 0; i < n && j < m; ) {
    const [endOfA, endOfB] = [(i + 1) * m, (j + 1) * n];
    const next = Math.min(endOfA, endOfB);
    const distance = Math.abs(a[i]! - b[j]!);
    total += (next - q) * (p === 1 ? distance : distance * distance);
    q = next;
    if (endOfA === next) i++;
    if (endOfB === next) j++;
  }
  return total / (n * m);
}

/** A normal vector's direction is uniform on the unit sphere. */
function unitVector(normal: Float64Array): Float64Array {
  const norm = Math.sqrt(normal.reduce((s, x) => s + x * x, 0));
  return normal.map((x) => x / norm);
}
