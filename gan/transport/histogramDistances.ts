import { shown } from '../../engine/internal.ts';
import { checkedMasses, checkedProbabilities, checkSameBins, sumOf } from './masses.ts';

/*
 * Distances between histograms over the same bins, as lectures list them before optimal transport. Source of all: Rubner,
 * Tomasi, Guibas, "The earth mover's distance as a metric for image retrieval", IJCV 2000, section 2.
 */

/** Checks both histograms: masses in the same bins, probabilities where `normalized`. */
function check(op: string, p: ArrayLike<number>, q: ArrayLike<number>, normalized = false): void {
  const checked = normalized ? checkedProbabilities : checkedMasses;
  checked(op, 'p', p);
  checked(op, 'q', q);
  checkSameBins(op, p, q);
}

/**
 * Minkowski distance of order r, or ℓ_r distance: (Σ |pᵢ - qᵢ|^r)^(1/r), and max |pᵢ - qᵢ| for r = Infinity.
 * @param p masses >= 0, such as counts or probabilities
 * @param q the same, in the same bins
 * @param r the order, >= 1; 2 unless given
 * @throws RangeError for masses that are negative or not finite, lists of two lengths, or an order below 1
 */
export function minkowskiDistance(p: ArrayLike<number>, q: ArrayLike<number>, r = 2): number {
  check('minkowskiDistance', p, q);
  if (!(r >= 1)) throw new RangeError(`minkowskiDistance: the order r is ${shown(r)}; it must be >= 1`);
  const apart = Float64Array.from(p, (v, i) => Math.abs(v - q[i]!));
  const largest = apart.reduce((most, v) => Math.max(most, v), 0);
  // Powers of numbers up to 1 neither overflow nor all vanish.
  if (largest === 0 || r === Infinity) return largest;
  return largest * apart.reduce((s, v) => s + (v / largest) ** r, 0) ** (1 / r);
}

/**
 * Histogram intersection, as a distance: 1 - Σ min(pᵢ, qᵢ) / Σ qᵢ, from 0 (p covers q) to 1 (no bin in common). For
 * probabilities it is the total variation. Not symmetric where the sums differ.
 *
 * Source: Swain and Ballard, "Color indexing", 1991.
 *
 * @param p masses >= 0, such as counts or probabilities
 * @param q the same, in the same bins
 * @throws RangeError for masses that are negative, not finite or all 0, and for lists of two lengths
 */
export function histogramIntersection(p: ArrayLike<number>, q: ArrayLike<number>): number {
  check('histogramIntersection', p, q);
  const common = sumOf(Float64Array.from(p, (v, i) => Math.min(v, q[i]!)));
  return 1 - common / sumOf(q);
}

/**
 * The χ² statistic Σ (pᵢ - qᵢ)² / mᵢ with m = (p + q) / 2: symmetric, finite, from 0 to 4 for probabilities; bins that are
 * empty in both add 0. Rubner et al. have (pᵢ - mᵢ)² above the line, a quarter of it; {@link chiSquareDivergence} is
 * Pearson's, with q below the line.
 * @param p masses >= 0, such as counts or probabilities
 * @param q the same, in the same bins
 * @throws RangeError for masses that are negative, not finite or all 0, and for lists of two lengths
 */
export function chiSquareStatistic(p: ArrayLike<number>, q: ArrayLike<number>): number {
  check('chiSquareStatistic', p, q);
  return sumOf(Float64Array.from(p, (v, i) => (v === q[i] ? 0 : (2 * (v - q[i]!) ** 2) / (v + q[i]!))));
}

/**
 * Quadratic-form distance √((p - q)ᵀ A (p - q)): bins that are alike, by A, may stand in for each other. With the identity
 * it is the Minkowski distance of order 2.
 *
 * Source: Niblack et al., "The QBIC project", 1993.
 *
 * @param p masses >= 0, such as counts or probabilities
 * @param q the same, in the same bins
 * @param similarity A, [bins, bins] in row-major order, such as {@link binSimilarity} gives; positive semidefinite on
 * differences of histograms
 * @throws RangeError for wrong masses, a matrix of another size, or one that makes the form negative
 */
export function quadraticFormDistance(
  p: ArrayLike<number>,
  q: ArrayLike<number>,
  similarity: ArrayLike<number>,
): number {
  check('quadraticFormDistance', p, q);
  const n = p.length;
  if (similarity.length !== n * n) {
    throw new RangeError(`quadraticFormDistance: A has ${similarity.length} values, not ${n} x ${n}`);
  }
  const apart = Float64Array.from(p, (v, i) => v - q[i]!);
  let [form, magnitude] = [0, 0];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const term = apart[i]! * similarity[i * n + j]! * apart[j]!;
      form += term;
      magnitude += Math.abs(term);
    }
  }
  // Rounding may leave a little below 0 of a form that is 0.
  if (!(form >= -1e-12 * magnitude)) {
    throw new RangeError(`quadraticFormDistance: (p - q)ᵀ A (p - q) is ${form}; A must be positive semidefinite`);
  }
  return Math.sqrt(Math.max(0, form));
}

/**
 * How alike bins on the line are: aᵢⱼ = 1 - |xᵢ - xⱼ| / max |xₖ - xₗ|, for {@link quadraticFormDistance}. The form is
 * not negative for histograms of equal sums.
 *
 * Source: Niblack et al. 1993, as given by Rubner et al. 2000, section 2.
 *
 * @param centres where the bins are, finite
 * @returns [bins, bins] in row-major order, from 0 to 1; all 1 where the bins coincide
 * @throws RangeError for no bins, or centres that are not finite
 */
export function binSimilarity(centres: ArrayLike<number>): Float64Array {
  const x = Float64Array.from(centres);
  const wrong = x.findIndex((v) => !Number.isFinite(v));
  if (x.length === 0 || wrong >= 0) {
    throw new RangeError(
      x.length === 0 ? 'binSimilarity: there are no bins' : `binSimilarity: centre ${wrong} is ${x[wrong]}`,
    );
  }
  const width = x.reduce((a, b) => Math.max(a, b)) - x.reduce((a, b) => Math.min(a, b)) || 1;
  const n = x.length;
  return Float64Array.from({ length: n * n }, (_, k) => 1 - Math.abs(x[Math.floor(k / n)]! - x[k % n]!) / width);
}

/** The differences of the cumulated histograms: Pᵢ - Qᵢ with Pᵢ = Σ over k <= i of pₖ. */
function cumulatedDifference(p: ArrayLike<number>, q: ArrayLike<number>): Float64Array {
  let [sumOfP, sumOfQ] = [0, 0];
  return Float64Array.from(p, (v, i) => {
    sumOfP += v;
    sumOfQ += q[i]!;
    return sumOfP - sumOfQ;
  });
}

/**
 * Kolmogorov-Smirnov distance max |Pᵢ - Qᵢ| of the cumulated histograms, from 0 to 1. It sees the order of the bins, not
 * how far they are apart.
 * @param p probabilities: >= 0, of sum 1 within 1e-6; in the order of the line
 * @param q the same, in the same bins
 * @throws RangeError for what are no probabilities, or lists of two lengths
 */
export function kolmogorovSmirnov(p: ArrayLike<number>, q: ArrayLike<number>): number {
  check('kolmogorovSmirnov', p, q, true);
  return cumulatedDifference(p, q).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
}

/**
 * Match distance Σ |Pᵢ - Qᵢ| of the cumulated histograms: the earth mover's distance of histograms whose neighbouring bins
 * are 1 apart (Werman, Peleg, Rosenfeld 1985).
 * @param p probabilities: >= 0, of sum 1 within 1e-6; in the order of the line
 * @param q the same, in the same bins
 * @throws RangeError for what are no probabilities, or lists of two lengths
 */
export function matchDistance(p: ArrayLike<number>, q: ArrayLike<number>): number {
  check('matchDistance', p, q, true);
  return cumulatedDifference(p, q).reduce((total, v) => total + Math.abs(v), 0);
}
