import type { Normal } from './line.ts';

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
}

/** Real samples and generated ones of the picture. */
export const real: Normal = { mean: -1, sigma: 0.4 };
export const fake: Normal = { mean: 1, sigma: 0.4 };
/** The weight of the gradient penalty. */
export const LAMBDA = 10;
/** V at the equilibrium, where D = 1/2 everywhere. */
export const EQUILIBRIUM = -Math.log(4);

/** What `two-gaussians` measures. */
export interface TwoGaussiansFigures {
  readonly sizes: TwoGaussiansSizes;
  readonly x: readonly number[];
  /** Densities at x. */
  readonly density: { readonly real: readonly number[]; readonly generated: readonly number[] };
  /** D* = p_r / (p_r + p_g) and the trained D, at x. */
  readonly discriminator: { readonly best: readonly number[]; readonly trained: readonly number[] };
  /** The critics at x, 0 in the middle; the clipped one is divided by its steepest slope there, which is `scale`. */
  readonly critic: {
    readonly penalised: readonly number[];
    readonly clipped: readonly number[];
    readonly scale: number;
  };
  /** E f(x) - E f(y) of the critic with a penalty; what theory says it is; and W₁. */
  readonly estimate: { readonly trained: number; readonly optimum: number; readonly wasserstein: number };
  /** The critic's slope between the means: mean, and the largest distance of its values from the straight line. */
  readonly between: { readonly slope: number; readonly bend: number };
  /** V(D, G) of trained discriminators, and 2 JSD - log 4, for unit Gaussians so far apart. */
  readonly values: readonly { readonly shift: number; readonly trained: number; readonly theory: number }[];
  /** V of a discriminator trained against a generator that was trained to the equilibrium, and what that generator makes. */
  readonly equilibrium: { readonly value: number; readonly mean: number; readonly deviation: number };
}
