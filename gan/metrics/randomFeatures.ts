import { Rng, type Tensor } from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';

/** Numbers that describe an image in {@link RandomFeatures}. */
export const RANDOM_FEATURES = 64;

/** Pixels of the shorter side that three halvings need. */
export const LEAST_SIDE = 8;

/**
 * Convolutions with random weights that are never trained: features for images that no classifier here knows, of any size from 8 x 8
 * on and any number of channels. Naeem et al. (2020, section 4.1) find them better than ImageNet's for images of another kind. The same
 * seed makes the same network; scores of others do not compare.
 */
export class RandomFeatures extends nn.Module {
  /** The layers from images to features. */
  readonly body: nn.Sequential;

  /**
   * Makes the weights, on the current device, in evaluation mode.
   * @param shape of one image, [H,W,C]
   * @param seed of the weights; 0 unless given
   */
  constructor(shape: readonly [height: number, width: number, channels: number], seed = 0) {
    super();
    const [height, width, channels] = shape;
    const half = (n: number): number => Math.floor(n / 2);
    const plain = { bias: false, init: nn.init.kaimingNormal(), rng: new Rng(seed) };
    const stride = { stride: 2, padding: 1, ...plain };
    this.body = new nn.Sequential(
      new nn.Conv2d(channels, 16, 4, stride),
      new nn.ReLU(),
      new nn.Conv2d(16, 32, 4, stride),
      new nn.ReLU(),
      new nn.Conv2d(32, 64, 4, stride),
      new nn.ReLU(),
      new nn.Flatten(),
      new nn.Linear(half(half(half(height))) * half(half(half(width))) * 64, RANDOM_FEATURES, plain),
    );
    this.eval();
  }

  /** The features [N,64] of images [N,H,W,C] in [-1, 1]. */
  features(images: Tensor): Tensor {
    return this.body.forward(images);
  }

  /** The features; there are no classes. */
  override forward(images: Tensor): Tensor {
    return this.features(images);
  }
}
