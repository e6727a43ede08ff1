import type { Tensor } from '../tensor/tensor.ts';

/** Options of {@link gradcheck} and {@link gradgradcheck}. */
export interface GradcheckOptions {
  /** Step of the central difference. Default 1e-6. */
  readonly eps?: number;
  /** Allowed |analytic - numeric| is atol + rtol · |numeric|. Default 1e-5, as in PyTorch. */
  readonly atol?: number;
  /** See `atol`. Default 1e-3, as in PyTorch. */
  readonly rtol?: number;
  /**
   * Compare one random projection uᵀ J v for each input instead of every element of the Jacobian J: one backward pass and
   * two evaluations an input. On a mismatch the elements are searched for the one to name. Default false.
   */
  readonly fast?: boolean;
  /** Check forward mode (`jvp`) as well. Default false, as in PyTorch. */
  readonly checkForwardAd?: boolean;
  /** The seed of the random directions, and of `gradgradcheck`'s cotangents. Default 0. */
  readonly seed?: number;
}

/** A function to check: of any number of tensors, with one output or several. */
export type Fn = (...inputs: Tensor[]) => Tensor | Tensor[];
