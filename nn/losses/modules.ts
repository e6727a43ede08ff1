/** The losses under the names of PyTorch's classes: each the function that its docstring names, with its options given once. */
import {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  type CrossEntropyOptions,
  crossEntropy,
  type NllOptions,
  nllLoss,
  type Tensor,
  type WeightedLossOptions,
} from '../../engine/index.ts';
import type { Buffer } from '../module/parameter.ts';
import { type KlDivOptions, klDiv } from './divergence.ts';
import { Loss } from './loss.ts';
import {
  type CosineEmbeddingOptions,
  type CosineSimilarityOptions,
  cosineEmbeddingLoss,
  cosineSimilarity,
  type MultiMarginOptions,
  multiMarginLoss,
  type TripletMarginOptions,
  tripletMarginLoss,
} from './margin.ts';
import type { LossOptions } from './reduction.ts';
import {
  type GaussianNllOptions,
  gaussianNllLoss,
  type HuberOptions,
  huberLoss,
  l1Loss,
  mseLoss,
  type PoissonNllOptions,
  poissonNllLoss,
  type SmoothL1Options,
  smoothL1Loss,
} from './regression.ts';

/**
 * The squared error of an input and a target of one shape, their mean by default: {@link mseLoss} as a module.
 * @example
 * const criterion = new MSELoss();
 * const loss = criterion.forward(model.forward(x), y);
 */
export class MSELoss extends Loss<[input: Tensor, target: Tensor], LossOptions> {
  /** @throws TypeError for an option that there is not, or another word for the reduction */
  constructor(options: LossOptions = {}) {
    super(mseLoss, options, arguments);
  }
}

/** The absolute error of an input and a target of one shape, their mean by default: {@link l1Loss} as a module. */
export class L1Loss extends Loss<[input: Tensor, target: Tensor], LossOptions> {
  /** @throws TypeError for an option that there is not, or another word for the reduction */
  constructor(options: LossOptions = {}) {
    super(l1Loss, options, arguments);
  }
}

/** Squared where the error is below `beta`, absolute above: {@link smoothL1Loss} as a module. */
export class SmoothL1Loss extends Loss<[input: Tensor, target: Tensor], SmoothL1Options> {
  /** @throws TypeError for an option that there is not; RangeError for a negative beta */
  constructor(options: SmoothL1Options = {}) {
    super(smoothL1Loss, options, arguments);
  }
}

/** Squared where the error is below `delta`, a line above: {@link huberLoss} as a module. */
export class HuberLoss extends Loss<[input: Tensor, target: Tensor], HuberOptions> {
  /** @throws TypeError for an option that there is not; RangeError unless delta is above 0 */
  constructor(options: HuberOptions = {}) {
    super(huberLoss, options, arguments);
  }
}

/** Counts under Poisson distributions, whose log-rates are the input: {@link poissonNllLoss} as a module. */
export class PoissonNLLLoss extends Loss<[input: Tensor, target: Tensor], PoissonNllOptions> {
  /** @throws TypeError for an option that there is not */
  constructor(options: PoissonNllOptions = {}) {
    super(poissonNllLoss, options, arguments);
  }
}

/** Targets under normal distributions of given means and variances: {@link gaussianNllLoss} as a module. */
export class GaussianNLLLoss extends Loss<[input: Tensor, target: Tensor, variance: Tensor], GaussianNllOptions> {
  /** @throws TypeError for an option that there is not */
  constructor(options: GaussianNllOptions = {}) {
    super(gaussianNllLoss, options, arguments);
  }
}

/** Targets from 0 to 1 under probabilities of the same shape: {@link binaryCrossEntropy} as a module. */
export class BCELoss extends Loss<[probabilities: Tensor, targets: Tensor], WeightedLossOptions> {
  /** The weight, if it is a tensor. */
  declare readonly weight?: Buffer;

  /** @throws TypeError for an option that there is not */
  constructor(options: WeightedLossOptions = {}) {
    super(binaryCrossEntropy, options, arguments);
  }
}

/** Targets from 0 to 1 under sigmoid(logits), of the same shape: {@link binaryCrossEntropyWithLogits} as a module. */
export class BCEWithLogitsLoss extends Loss<[logits: Tensor, targets: Tensor], BinaryCrossEntropyOptions> {
  /** The weight, if it is a tensor. */
  declare readonly weight?: Buffer;
  /** The weight of positive targets, if it is a tensor. */
  declare readonly posWeight?: Buffer;

  /** @throws TypeError for an option that there is not */
  constructor(options: BinaryCrossEntropyOptions = {}) {
    super(binaryCrossEntropyWithLogits, options, arguments);
  }
}

/**
 * Class indices [...], or probabilities [..., C], under softmax of logits [..., C], with the classes along the last axis:
 * {@link crossEntropy} as a module.
 * @example
 * const criterion = new CrossEntropyLoss({ labelSmoothing: 0.1 });
 * const loss = criterion.forward(model.forward(x), labels);
 */
export class CrossEntropyLoss extends Loss<[logits: Tensor, targets: Tensor], CrossEntropyOptions> {
  /** A number for each class, [C], if they were given. */
  declare readonly weight?: Buffer;

  /** @throws TypeError for an option that there is not; RangeError for a labelSmoothing outside 0 to 1 */
  constructor(options: CrossEntropyOptions = {}) {
    super(crossEntropy, options, arguments);
  }
}

/** Class indices [...] under log-probabilities [..., C], such as `LogSoftmax` gives: {@link nllLoss} as a module. */
export class NLLLoss extends Loss<[logProbabilities: Tensor, targets: Tensor], NllOptions> {
  /** A number for each class, [C], if they were given. */
  declare readonly weight?: Buffer;

  /** @throws TypeError for an option that there is not */
  constructor(options: NllOptions = {}) {
    super(nllLoss, options, arguments);
  }
}

/** The Kullback-Leibler divergence of a target from an input of log-probabilities: {@link klDiv} as a module. */
export class KLDivLoss extends Loss<[input: Tensor, target: Tensor], KlDivOptions> {
  /** @throws TypeError for an option that there is not, or another word for the reduction */
  constructor(options: KlDivOptions = {}) {
    super(klDiv, options, arguments);
  }
}

/** The hinge loss of a classifier, of scores [..., C] and class indices [...]: {@link multiMarginLoss} as a module. */
export class MultiMarginLoss extends Loss<[scores: Tensor, targets: Tensor], MultiMarginOptions> {
  /** A number for each class, [C], if they were given. */
  declare readonly weight?: Buffer;

  /** @throws TypeError for an option that there is not; RangeError for a p that is neither 1 nor 2 */
  constructor(options: MultiMarginOptions = {}) {
    super(multiMarginLoss, options, arguments);
  }
}

/** How alike pairs of vectors [..., D] are that should be, or should not: {@link cosineEmbeddingLoss} as a module. */
export class CosineEmbeddingLoss extends Loss<[x1: Tensor, x2: Tensor, y: Tensor], CosineEmbeddingOptions> {
  /** @throws TypeError for an option that there is not */
  constructor(options: CosineEmbeddingOptions = {}) {
    super(cosineEmbeddingLoss, options, arguments);
  }
}

/** How much a negative [..., D] is farther than a positive, up to a margin: {@link tripletMarginLoss} as a module. */
export class TripletMarginLoss extends Loss<
  [anchor: Tensor, positive: Tensor, negative: Tensor],
  TripletMarginOptions
> {
  /** @throws TypeError for an option that there is not */
  constructor(options: TripletMarginOptions = {}) {
    super(tripletMarginLoss, options, arguments);
  }
}

/** The cosine of the angle between vectors, which lie along `axis`, by default the last: {@link cosineSimilarity} as a module. */
export class CosineSimilarity extends Loss<[x1: Tensor, x2: Tensor], CosineSimilarityOptions> {
  /** @throws TypeError for an option that there is not */
  constructor(options: CosineSimilarityOptions = {}) {
    super(cosineSimilarity, options, arguments);
  }
}
