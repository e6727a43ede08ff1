import type { Generator } from '../engine/index.ts';
import * as nn from '../nn/index.ts';
import type { Networks } from './wganGp.ts';

export interface MnistNetworksOptions {
  /** Channels of the 14x14 and 7x7 layers of the critic and of the generator. */
  readonly width?: number;
  readonly latent?: number;
}

/**
 * Convolutional critic and transposed-convolution generator for images [N, 28, 28, 1] in [-1, 1], after DCGAN (Radford et
 * al. 2016): strides instead of pooling, batch norm in the generator, none in the critic (as WGAN-GP needs).
 */
export function mnistNetworks(rng: Generator, { width = 16, latent = 64 }: MnistNetworksOptions = {}): Networks {
  const half = { stride: 2, padding: 1, rng };
  const double = { stride: 2, padding: 1, rng };
  const generator = new nn.Sequential(
    new nn.Linear(latent, 7 * 7 * 2 * width, { bias: false, rng }),
    new nn.Reshape([7, 7, 2 * width]),
    new nn.BatchNorm2d(2 * width),
    new nn.ReLU(),
    new nn.ConvTranspose2d(2 * width, width, 4, { ...double, bias: false }),
    new nn.BatchNorm2d(width),
    new nn.ReLU(),
    new nn.ConvTranspose2d(width, 1, 4, double),
    new nn.Tanh(),
  );
  const critic = new nn.Sequential(
    new nn.Conv2d(1, width, 4, half),
    new nn.LeakyReLU(0.2),
    new nn.Conv2d(width, 2 * width, 4, half),
    new nn.LeakyReLU(0.2),
    new nn.Flatten(),
    new nn.Linear(7 * 7 * 2 * width, 1, { rng }),
  );
  return { generator, critic, latent };
}
