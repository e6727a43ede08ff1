/** What theory says of critics between two Gaussians on the line, by quadrature. */
import { gaussian } from '../gan/data/mixtures.ts';
import { jsDivergence } from '../gan/transport/divergences.ts';

/** A Gaussian on the line. */
export interface Normal {
  readonly mean: number;
  readonly sigma: number;
}

/** The density at each place. */
export const density = (normal: Normal, xs: readonly number[]): number[] =>
  Array.from(gaussian(normal).logDensity(xs), Math.exp);

/** ∫ y dx by the trapezoidal rule over places at equal distances; where y and its derivatives vanish at both ends, exact. */
export function integral(xs: readonly number[], ys: readonly number[]): number {
  const width = (xs.at(-1)! - xs[0]!) / (xs.length - 1);
  return width * (ys.reduce((sum, y) => sum + y, 0) - (ys[0]! + ys.at(-1)!) / 2);
}

/** The Jensen-Shannon divergence in nats of two Gaussians, over places at equal distances that hold all their mass. */
export function jsdOf(p: Normal, q: Normal, xs: readonly number[]): number {
  const width = (xs.at(-1)! - xs[0]!) / (xs.length - 1);
  const masses = (normal: Normal) => density(normal, xs).map((y) => y * width);
  return jsDivergence(masses(p), masses(q));
}

/**
 * V(D, G) = E_p log D + E_q log(1 - D), Goodfellow et al. 2014, eq. 1, of a discriminator's logits at the places.
 * log D = -softplus(-logit) and log(1 - D) = -softplus(logit).
 */
export function gameValue(logits: readonly number[], p: Normal, q: Normal, xs: readonly number[]): number {
  const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  const [real, fake] = [density(p, xs), density(q, xs)];
  return integral(
    xs,
    logits.map((logit, i) => -real[i]! * softplus(-logit) - fake[i]! * softplus(logit)),
  );
}

/** What theory says of a critic under a gradient penalty; see {@link penalisedCritic}. */
export interface PenalisedCritic {
  /** f' at the places. */
  readonly slope: readonly number[];
  /** E_p f - E_q f: above W₁, by W₁² / (2 lambda) and more. */
  readonly estimate: number;
  /** W₁ of p and q. */
  readonly wasserstein: number;
  /**
   * E_p f - E_q f of the local optimum of the two-sided penalty whose slope has these signs at the places.
   * @param signs anything above 0 for a rise, below it for a fall
   */
  settled(signs: readonly number[]): number;
}

/**
 * The critic that maximises E_p f - E_q f - lambda E (|f'(x̂)| - 1)², with x̂ uniform between independent samples of p and q.
 *
 * With the distribution functions P and Q, E_p f - E_q f = ∫ f' (Q - P) dx. The slope at each place is therefore chosen by
 * itself: f' = s (1 + |Q - P| / (2 lambda ρ)) with s the sign of Q - P and ρ the density of x̂. The penalty charges nothing for
 * its first 1, so that f' is above 1 wherever there is mass to move.
 *
 * A two-sided penalty has a second, local optimum at each place, f' = -s (1 - |Q - P| / (2 lambda ρ)), with the wrong sign: between
 * the two lies slope 0, which costs lambda. The one-sided penalty charges nothing below 1 and has the first alone.
 */
export function penalisedCritic(p: Normal, q: Normal, lambda: number, xs: readonly number[]): PenalisedCritic {
  const width = (xs.at(-1)! - xs[0]!) / (xs.length - 1);
  const [real, fake] = [density(p, xs), density(q, xs)];
  let [sum, before] = [0, 0];
  const ahead = xs.map((_, i) => {
    const now = fake[i]! - real[i]!;
    sum += (width * (before + now)) / 2;
    before = now;
    return sum;
  });
  const places = 400;
  const between = xs.map(() => 0);
  for (let k = 0; k < places; k++) {
    const a = (k + 0.5) / places;
    const blend = { mean: a * p.mean + (1 - a) * q.mean, sigma: Math.hypot(a * p.sigma, (1 - a) * q.sigma) };
    density(blend, xs).forEach((y, i) => {
      between[i]! += y / places;
    });
  }
  // Where nothing is, nothing is charged: those slopes do not matter, and are left out.
  const slopeWith = (signs: readonly number[]) =>
    ahead.map((d, i) => (between[i]! < 1e-9 ? 0 : Math.sign(signs[i]!) + d / (2 * lambda * between[i]!)));
  const estimateOf = (slope: readonly number[]) =>
    integral(
      xs,
      slope.map((s, i) => s * ahead[i]!),
    );
  const slope = slopeWith(ahead);
  return {
    slope,
    estimate: estimateOf(slope),
    wasserstein: integral(xs, ahead.map(Math.abs)),
    settled: (signs) => estimateOf(slopeWith(signs)),
  };
}
