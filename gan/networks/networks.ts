import type { Module } from '../../nn/index.ts';

/** A generator from latent codes [N, latent] and a critic (or discriminator) from samples to logits [N, 1]. */
export interface Networks {
  /** Latent codes [N, latent] to samples [N, ...]. */
  readonly generator: Module;
  /** Samples [N, ...] to logits or scores [N, 1]. */
  readonly critic: Module;
  /** Length of a latent code. */
  readonly latent: number;
}
