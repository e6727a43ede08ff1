import {
  indexSelect,
  matmul,
  noGrad,
  norm,
  type Rng,
  scope,
  sort,
  square,
  type Tensor,
  tensor,
} from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { checkSamples, vectors } from './sinkhornDivergence.ts';

/** Options of {@link slicedWassersteinLoss}. */
export interface SlicedWassersteinLossOptions {
  /** Draws the directions, new ones at each call and at each run of a compiled step. */
  readonly rng: Rng;
  /** Random directions; 64 unless given. */
  readonly projections?: number;
  /** The order of the distance; 2 unless given. */
  readonly p?: 1 | 2;
}

/**
 * Sliced Wasserstein distance to the power p, SW_p^p = mean over random directions t of W_p^p(⟨x, t⟩, ⟨y, t⟩), on the device: a
 * scalar to be minimised, by sorting, without its root (which has no derivative at 0). Runs inside `compile`. Derivatives
 * are those of a fixed order of the samples, right where no two projections are equal; for p = 1 the second one is 0.
 * `slicedWasserstein` measures the distance in float64 on the host.
 *
 * Source: Rabin et al. 2011; as a generator's loss, Deshpande, Zhang, Schwing, "Generative modeling using the sliced
 * Wasserstein distance", CVPR 2018.
 *
 * @param x [n, ...]; the coordinates of a sample are counted as one vector
 * @param y [m, ...], samples of the same shape; m may differ from n
 * @throws ShapeError for samples of two shapes
 * @throws RangeError for options out of their range
 */
export function slicedWassersteinLoss(x: Tensor, y: Tensor, options: SlicedWassersteinLossOptions): Tensor {
  const op = 'slicedWassersteinLoss';
  const { rng, projections = 64, p = 2 } = checked(op, options, ['rng', 'projections', 'p']);
  checkRange(op, 'projections', ranges.count, projections);
  checkRange(op, 'p', ranges.oneOf([1, 2]), p);
  checkSamples(op, x, y);
  return scope(() => {
    const [a, b] = [vectors(x), vectors(y)];
    // A normal vector's direction is uniform on the sphere.
    const directions = noGrad(() => {
      const normal = rng.normal([a.shape[1]!, projections]);
      return normal.div(norm(normal, 2, 0, { keepDims: true }));
    });
    const [lineOfA, lineOfB] = [sort(matmul(a, directions), 0).values, sort(matmul(b, directions), 0).values];
    const power = (apart: Tensor): Tensor => (p === 1 ? apart.abs() : square(apart));
    const [n, m] = [a.shape[0]!, b.shape[0]!];
    if (n === m) return power(lineOfA.sub(lineOfB)).mean();
    const { i, j, mass } = coupledQuantiles(n, m);
    const apart = indexSelect(lineOfA, i).sub(indexSelect(lineOfB, j));
    return power(apart).mul(mass).sum().div(projections);
  });
}

/** Which ranks of n and of m equally weighted samples meet, and the mass of each meeting: [n + m - gcd(n, m)] of them. */
function coupledQuantiles(n: number, m: number): { i: Tensor; j: Tensor; mass: Tensor } {
  const [is, js, masses]: [number[], number[], number[]] = [[], [], []];
  // Counted in steps of 1 / (n m), which are integers.
  for (let i = 0, j = 0, at = 0; i < n; ) {
    const [endOfI, endOfJ] = [(i + 1) * m, (j + 1) * n];
    const next = Math.min(endOfI, endOfJ);
    is.push(i);
    js.push(j);
    masses.push((next - at) / (n * m));
    at = next;
    if (endOfI === next) i++;
    if (endOfJ === next) j++;
  }
  return { i: tensor(is), j: tensor(js), mass: tensor(masses, { shape: [masses.length, 1] }) };
}
