import type { Generator } from '../../engine/index.ts';
import { dcganSmall, dcganSmallDefaults } from './dcgan.ts';
import type { Networks } from './networks.ts';

/** Options of {@link mnistNetworks}. */
export interface MnistNetworksOptions {
  /** Channels of the critic at 14 x 14; doubled at 7 x 7 and again at 3 x 3. Default 8. */
  readonly criticWidth?: number;
  /** Channels of the generator at 14 x 14; twice as many at 7 x 7. Default 16. */
  readonly generatorWidth?: number;
  /** Length of a latent code. Default 64. */
  readonly latent?: number;
}

/**
 * The fast pair of `npm start` for images [N, 28, 28, 1] in [-1, 1]: {@link dcganSmall} of that shape.
 * @param rng fills the weights
 */
export function mnistNetworks(rng: Generator, options: MnistNetworksOptions = {}): Networks {
  const { criticWidth = 8, generatorWidth = dcganSmallDefaults.width, latent = dcganSmallDefaults.latent } = options;
  return dcganSmall({ shape: [28, 28, 1], criticWidth, width: generatorWidth, latent, rng });
}
