import type { Rng, Tensor } from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';

/** Numbers that describe a digit in {@link DigitClassifier.features}. */
export const DIGIT_FEATURES = 64;

/**
 * A convolutional classifier of handwritten digits [N,28,28,1] in [-1, 1]. Its features are what metrics of generated digits
 * compare, as those of ImageNet's photographs compare Inception's. Trained by `npm run example:classifier`.
 *
 * Three strided convolutions with batch norm, a hidden layer and ten logits: 65,266 parameters.
 */
export class DigitClassifier extends nn.Module {
  /** The layers from images to features. */
  readonly body: nn.Sequential;
  /** The layer from features to the logits of the ten digits. */
  readonly head: nn.Linear;

  /** Makes the weights, on the current device. @param rng fills them; the layers' own unless given */
  constructor(rng?: Rng) {
    super();
    const source = rng ? { rng } : {};
    // A bias in front of batch norm would be subtracted again; He et al. 2015 for the weights before a relu.
    const plain = { bias: false, init: nn.init.kaimingNormal(), ...source };
    this.body = new nn.Sequential(
      new nn.Conv2d(1, 12, 4, { stride: 2, padding: 1, ...plain }), // 14 x 14
      new nn.BatchNorm2d(12),
      new nn.ReLU(),
      new nn.Conv2d(12, 24, 4, { stride: 2, padding: 1, ...plain }), // 7 x 7
      new nn.BatchNorm2d(24),
      new nn.ReLU(),
      new nn.Conv2d(24, 48, 3, { stride: 2, padding: 1, ...plain }), // 4 x 4
      new nn.BatchNorm2d(48),
      new nn.ReLU(),
      new nn.Flatten(),
      new nn.Linear(4 * 4 * 48, DIGIT_FEATURES, plain),
      new nn.BatchNorm1d(DIGIT_FEATURES),
      new nn.ReLU(),
    );
    this.head = new nn.Linear(DIGIT_FEATURES, 10, source);
  }

  /** The features [N,64] of images [N,28,28,1] in [-1, 1]. */
  features(images: Tensor): Tensor {
    return this.body.forward(images);
  }

  /** The logits [N,10] of images [N,28,28,1] in [-1, 1]. */
  override forward(images: Tensor): Tensor {
    return this.head.forward(this.features(images));
  }
}
