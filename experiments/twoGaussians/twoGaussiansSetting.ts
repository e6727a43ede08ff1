import type { Normal } from '../line.ts';

/** How much is trained. */
export interface TwoGaussiansSizes {
  /** Updates of each critic. */
  readonly steps: number;
  readonly batch: number;
  readonly width: number;
  /** Distances between the means at which V is measured, in standard deviations. */
  readonly shifts: readonly number[];
  /** Updates of the generator that is trained to the equilibrium. */
  readonly generatorSteps: number;
  /** Everything is trained once for each: first weights, samples and codes are others. */
  readonly seeds: readonly number[];
}

/** Real samples and generated ones of the picture. */
export const real: Normal = { mean: -1, sigma: 0.4 };
export const fake: Normal = { mean: 1, sigma: 0.4 };
/** The weight of the gradient penalty. */
export const LAMBDA = 10;
/** V at the equilibrium, where D = 1/2 everywhere. */
export const EQUILIBRIUM = -Math.log(4);

/** Two critics of a seed, at the places of the picture and 0 in its middle, and what they say the distance is. */
export interface PenalisedPair {
  readonly seed: number;
  readonly oneSided: PenalisedFindings;
  readonly twoSided: PenalisedFindings;
}

/** What one critic with a penalty has learnt. */
export interface PenalisedFindings {
  readonly scores: readonly number[];
  /** E f(x) - E f(y). */
  readonly estimate: number;
  /**
   * What the estimate is at the local optimum of the two-sided penalty that has the signs which this critic's slopes have: the
   * optimum itself where they are right everywhere.
   */
  readonly settled: number;
}

/** What `two-gaussians` measures. */
export interface TwoGaussiansFindings {
  readonly sizes: TwoGaussiansSizes;
  readonly x: readonly number[];
  /** Densities at x. */
  readonly density: { readonly real: readonly number[]; readonly generated: readonly number[] };
  /** D* = p_r / (p_r + p_g) at x, and the trained D of each seed. */
  readonly discriminator: { readonly best: readonly number[]; readonly trained: readonly (readonly number[])[] };
  /** Critics under a gradient penalty, for each seed. */
  readonly penalised: readonly PenalisedPair[];
  /** A critic of clipped weights at x, 0 in the middle, divided by its steepest slope there, which is `scale`. */
  readonly clipped: { readonly scores: readonly number[]; readonly scale: number };
  /** The estimate at the optimum under a penalty, by quadrature; and W₁. */
  readonly theory: { readonly optimum: number; readonly wasserstein: number };
  /** V(D, G) of the trained discriminators of all seeds, and 2 JSD - log 4, for unit Gaussians so far apart. */
  readonly values: readonly { readonly shift: number; readonly trained: readonly number[]; readonly theory: number }[];
  /**
   * V of a discriminator trained against a generator that was trained to the equilibrium, and what that generator makes, for each
   * seed.
   */
  readonly equilibria: readonly { readonly value: number; readonly mean: number; readonly deviation: number }[];
}
