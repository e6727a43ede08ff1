/** Losses as functions of predictions and targets, named and with defaults as in torch.nn.functional. */
export {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  type CrossEntropyOptions,
  crossEntropy,
  type LossReduction,
  type NllOptions,
  nllLoss,
  type WeightedLossOptions,
} from '../../engine/index.ts';
export { type GaussianKlOptions, gaussianKl, gaussianKlBetween, type KlDivOptions, klDiv } from './divergence.ts';
export {
  type CosineEmbeddingOptions,
  type CosineSimilarityOptions,
  cosineEmbeddingLoss,
  cosineSimilarity,
  type MultiMarginOptions,
  multiMarginLoss,
  type TripletMarginOptions,
  tripletMarginLoss,
} from './margin.ts';
export type { BatchReduction, LossOptions } from './reduction.ts';
export {
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
