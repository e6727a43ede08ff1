import { checkedProbabilities, checkSameBins } from './masses.ts';

/*
 * Divergences compare distributions "vertically", outcome by outcome: they do not know which outcomes are near each other.
 * All are computed in float64 with natural logarithms, on p[i] and q[i] as they are given: they are not normalised again.
 */

/** Σ over the bins of term(p, q), after the checks that all divergences share. */
function summed(
  op: string,
  p: ArrayLike<number>,
  q: ArrayLike<number>,
  term: (p: number, q: number) => number,
): number {
  checkedProbabilities(op, 'p', p);
  checkedProbabilities(op, 'q', q);
  checkSameBins(op, p, q);
  let total = 0;
  for (let i = 0; i < p.length; i++) total += term(p[i]!, q[i]!);
  return total;
}

/** p log(p / q): 0 for p = 0 whatever q is (its limit), Infinity for q = 0 below p > 0. */
const relative = (p: number, q: number): number => (p === 0 ? 0 : p * Math.log(p / q));

/**
 * Kullback-Leibler divergence KL(p ‖ q) = Σ pᵢ log(pᵢ / qᵢ), in nats: what a code made for q costs beyond one made for p,
 * on messages from p. A bin with pᵢ = 0 adds 0; one with qᵢ = 0 < pᵢ makes it Infinity. It is 0 for p = q only and not
 * symmetric: minimised over q it covers all of p.
 *
 * Source: Kullback and Leibler, "On information and sufficiency", 1951.
 *
 * @param p probabilities: >= 0, of sum 1 within 1e-6
 * @param q the same, over the same bins
 * @throws RangeError for what are no probabilities, or lists of two lengths
 * @example
 * klDivergence([0.5, 0.5], [0.25, 0.75]); // 0.1438 = ½ log 2 + ½ log ⅔
 */
export const klDivergence = (p: ArrayLike<number>, q: ArrayLike<number>): number =>
  summed('klDivergence', p, q, relative);

/**
 * Reverse Kullback-Leibler divergence KL(q ‖ p) = Σ qᵢ log(qᵢ / pᵢ), in nats. Minimised over q it seeks a mode of p: mass
 * of q where p has none is infinitely dear, modes of p that q leaves out cost little. VEEGAN's and PacGAN's scores of mode
 * coverage use it, with q the generated samples.
 * @param p the true probabilities: >= 0, of sum 1 within 1e-6
 * @param q the approximation, over the same bins
 * @throws RangeError as {@link klDivergence}
 */
export const reverseKlDivergence = (p: ArrayLike<number>, q: ArrayLike<number>): number =>
  summed('reverseKlDivergence', p, q, (a, b) => relative(b, a));

/**
 * Jensen-Shannon divergence ½ KL(p ‖ m) + ½ KL(q ‖ m) with m = (p + q) / 2, in nats: from 0 (p = q) to log 2 (disjoint
 * supports, however far apart), symmetric, always finite; its root is a metric. The minimax objective of a GAN under its
 * optimal discriminator is V(D*, G) = 2 JSD - log 4.
 *
 * Source: Lin, "Divergence measures based on the Shannon entropy", 1991; Goodfellow et al. 2014, theorem 1.
 *
 * @param p probabilities: >= 0, of sum 1 within 1e-6
 * @param q the same, over the same bins
 * @throws RangeError as {@link klDivergence}
 */
export const jsDivergence = (p: ArrayLike<number>, q: ArrayLike<number>): number =>
  // 2p / (p + q) and not p / m: m of two subnormal numbers could round to 0.
  summed('jsDivergence', p, q, (a, b) => (towardsMean(a, b) + towardsMean(b, a)) / 2);

const towardsMean = (p: number, q: number): number => (p === 0 ? 0 : p * Math.log((2 * p) / (p + q)));

/**
 * Pearson's χ² divergence Σ (pᵢ - qᵢ)² / qᵢ. Bins with pᵢ = qᵢ = 0 add 0; one with qᵢ = 0 < pᵢ makes it Infinity. At least
 * exp(KL(p ‖ q)) - 1. With (p + q) / 2 below the line it is {@link chiSquareStatistic}.
 *
 * Source: Pearson 1900; as an f-divergence, Nowozin et al., "f-GAN", 2016, table 1.
 *
 * @param p probabilities: >= 0, of sum 1 within 1e-6
 * @param q the same, over the same bins
 * @throws RangeError as {@link klDivergence}
 */
export const chiSquareDivergence = (p: ArrayLike<number>, q: ArrayLike<number>): number =>
  summed('chiSquareDivergence', p, q, (a, b) => (a === b ? 0 : (a - b) ** 2 / b));

/**
 * Total variation distance ½ Σ |pᵢ - qᵢ|: the largest difference of the probabilities that p and q give to one event; from
 * 0 to 1 (disjoint supports). KL(p ‖ q) >= 2 TV² (Pinsker).
 * @param p probabilities: >= 0, of sum 1 within 1e-6
 * @param q the same, over the same bins
 * @throws RangeError as {@link klDivergence}
 */
export const totalVariation = (p: ArrayLike<number>, q: ArrayLike<number>): number =>
  summed('totalVariation', p, q, (a, b) => Math.abs(a - b)) / 2;

/**
 * Hellinger distance √(½ Σ (√pᵢ - √qᵢ)²): a metric from 0 to 1 (disjoint supports), with H² <= TV <= √2 H.
 *
 * Source: Hellinger 1909; as an f-divergence (2 H²), Nowozin et al., "f-GAN", 2016, table 1.
 *
 * @param p probabilities: >= 0, of sum 1 within 1e-6
 * @param q the same, over the same bins
 * @throws RangeError as {@link klDivergence}
 */
export const hellingerDistance = (p: ArrayLike<number>, q: ArrayLike<number>): number =>
  Math.sqrt(summed('hellingerDistance', p, q, (a, b) => (Math.sqrt(a) - Math.sqrt(b)) ** 2) / 2);
