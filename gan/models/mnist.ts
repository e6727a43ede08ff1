import type { Generator } from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';
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

/** He et al. 2015, as before a relu. */
const he = { init: nn.init.kaimingNormal(), initBias: nn.init.constant(0) };
/** Radford et al. 2016. */
const dcgan = { init: nn.init.normal(0.02), initBias: nn.init.constant(0) };

/**
 * Convolutional critic and transposed-convolution generator for images [N, 28, 28, 1] in [-1, 1], after DCGAN (Radford et
 * al. 2016): strides instead of pooling, batch norm in the generator; none in the critic, whose gradient penalty is taken
 * for each sample by itself.
 * @param rng fills the weights
 */
export function mnistNetworks(rng: Generator, options: MnistNetworksOptions = {}): Networks {
  const { criticWidth: c = 8, generatorWidth: g = 16, latent = 64 } = options;
  const down = { stride: 2, padding: 1, rng, ...he };
  const up = { stride: 2, padding: 1, rng, ...dcgan };
  const generator = new nn.Sequential(
    // A bias in front of batch norm would be subtracted again.
    new nn.Linear(latent, 7 * 7 * 2 * g, { bias: false, rng, ...dcgan }),
    new nn.Reshape([7, 7, 2 * g]),
    new nn.BatchNorm2d(2 * g),
    new nn.ReLU(),
    new nn.ConvTranspose2d(2 * g, g, 4, { ...up, bias: false }),
    new nn.BatchNorm2d(g),
    new nn.ReLU(),
    new nn.ConvTranspose2d(g, 1, 4, up),
    new nn.Tanh(),
  );
  const critic = new nn.Sequential(
    new nn.Conv2d(1, c, 4, down),
    new nn.LeakyReLU(0.2),
    new nn.Conv2d(c, 2 * c, 4, down),
    new nn.LeakyReLU(0.2),
    new nn.Conv2d(2 * c, 4 * c, 4, down),
    new nn.LeakyReLU(0.2),
    new nn.Flatten(),
    new nn.Linear(3 * 3 * 4 * c, 1, { rng, ...he }),
  );
  return { generator, critic, latent };
}
