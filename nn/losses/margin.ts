/** Losses that ask for a margin: between classes, and between distances. */
import {
  checkIndices,
  gather,
  logicalNot,
  maximum,
  minimum,
  norm,
  oneHot,
  relu,
  ShapeError,
  scope,
  square,
  sub,
  sum,
  type Tensor,
  take,
  where,
} from '../../engine/index.ts';
import { calls, ranges } from '../../engine/internal.ts';
import { checkSame, type LossOptions, reduced, sameShape } from './reduction.ts';

const { reduction } = ranges;

/** Options of {@link multiMarginLoss}. */
export interface MultiMarginOptions extends LossOptions {
  /** 1, or 2 to square each violation. Default 1. */
  readonly p?: 1 | 2;
  /** By how much the score of the right class must exceed the others. Default 1. */
  readonly margin?: number;
  /** Multiplies the losses of samples of each class, [C]. 'mean' does not divide by it. Default: 1 for all. */
  readonly weight?: Tensor;
}

const multiMarginOptions = calls.options<MultiMarginOptions>({
  p: { holds: (v) => v === 1 || v === 2, says: '1 or 2' },
  margin: ranges.number,
  weight: calls.tensorRange,
  reduction,
});

/**
 * The hinge loss of a classifier of C classes (Crammer and Singer 2001, summed over the classes):
 * Σ max(0, margin - score of the right class + score of class j)^p / C over the wrong classes j. As
 * torch.nn.functional.multi_margin_loss, with classes along the last axis.
 * @param scores [..., C]
 * @param targets class indices [...]; one that is no class gives NaN on WebGPU, and is a RangeError on the reference device
 * @throws ShapeError if targets or weight have another shape; RangeError for another p
 * @function
 */
export const multiMarginLoss = calls.op(
  'multiMarginLoss',
  [calls.aTensor('scores'), calls.aTensor('targets'), multiMarginOptions],
  (scores, targets, options: MultiMarginOptions = {}): Tensor => {
    const op = 'multiMarginLoss';
    const { p = 1, margin = 1, weight, reduction } = options;
    const classes = scores.shape[scores.rank - 1];
    const rows = scores.shape.slice(0, -1);
    if (!classes || !sameShape(targets.shape, rows)) {
      throw new ShapeError(
        `${op}: targets [${targets.shape}] for scores [${scores.shape}] must be indices [${rows}], with classes along the last axis`,
      );
    }
    if (weight && !sameShape(weight.shape, [classes])) {
      throw new ShapeError(`${op}: weight [${weight.shape}] must be [${classes}], a number for each class`);
    }
    checkIndices(op, targets, classes);
    return scope(() => {
      const right = gather(scores, -1, targets.reshape([...rows, 1]));
      const violation = relu(sub(scores, right).add(margin));
      const wrong = where(oneHot(targets, classes), 0, p === 2 ? square(violation) : violation);
      const loss = sum(wrong, -1).mul(1 / classes);
      return reduced(weight ? loss.mul(take(weight, targets, 0)) : loss, reduction);
    });
  },
);

/** Options of {@link cosineSimilarity}. */
export interface CosineSimilarityOptions {
  /** The axis of the vectors. Default -1 (PyTorch: 1). */
  readonly axis?: number;
  /** The least norm that is divided by. Default 1e-8. */
  readonly eps?: number;
}

const cosineSimilarityOptions = calls.options<CosineSimilarityOptions>({ axis: ranges.number, eps: ranges.number });

/**
 * The cosine of the angle between vectors: x1·x2 / (max(|x1|, eps) · max(|x2|, eps)), without their axis. As
 * torch.nn.functional.cosine_similarity. At a vector of zeros it is 0.
 * @throws ShapeError if the shapes do not broadcast
 * @function
 */
export const cosineSimilarity = calls.op(
  'cosineSimilarity',
  [calls.aTensor('x1'), calls.aTensor('x2'), cosineSimilarityOptions],
  (x1, x2, options: CosineSimilarityOptions = {}): Tensor => {
    const { axis = -1, eps = 1e-8 } = options;
    return scope(() => {
      // Each is divided by its own norm: the product of the norms of large vectors would overflow.
      const unit = (x: Tensor) => {
        const length = norm(x, 2, axis, { keepDims: true });
        // Where there is no eps, or float32 has no number so small, zeros are divided by 1.
        return x.div(eps < 2 ** -126 ? length.add(logicalNot(length)) : maximum(length, eps));
      };
      return sum(unit(x1).mul(unit(x2)), axis);
    });
  },
);

/** Options of {@link cosineEmbeddingLoss}. */
export interface CosineEmbeddingOptions extends LossOptions {
  /** How alike, from -1 to 1, vectors may be that should differ. Default 0. */
  readonly margin?: number;
}

const cosineEmbeddingOptions = calls.options<CosineEmbeddingOptions>({ margin: ranges.number, reduction });

/**
 * The loss of vectors x1 and x2 [..., D] and y [...]: 1 - cos where y is 1 (they should be alike), max(0, cos - margin) where y is -1.
 * As torch.nn.functional.cosine_embedding_loss.
 * @throws ShapeError if the shapes do not fit
 * @function
 */
export const cosineEmbeddingLoss = calls.op(
  'cosineEmbeddingLoss',
  [calls.aTensor('x1'), calls.aTensor('x2'), calls.aTensor('y'), cosineEmbeddingOptions],
  (x1, x2, y, options: CosineEmbeddingOptions = {}): Tensor => {
    const op = 'cosineEmbeddingLoss';
    const { margin = 0, reduction } = options;
    checkSame(op, ['x1', x1], ['x2', x2]);
    const rows = x1.shape.slice(0, -1);
    if (x1.rank === 0 || !sameShape(y.shape, rows)) {
      throw new ShapeError(`${op}: y [${y.shape}] for vectors [${x1.shape}] must be [${rows}], 1 or -1 for each pair`);
    }
    return scope(() => {
      const cosine = cosineSimilarity(x1, x2);
      return reduced(where(y.greater(0), cosine.neg().add(1), relu(cosine.sub(margin))), reduction);
    });
  },
);

/** Options of {@link tripletMarginLoss}. */
export interface TripletMarginOptions extends LossOptions {
  /** By how much the negative must be farther than the positive. Default 1. */
  readonly margin?: number;
  /** The exponent p of the norm that measures distances. Default 2. */
  readonly p?: number;
  /** Added to each difference, so that the distance of equal vectors has a derivative. Default 1e-6. */
  readonly eps?: number;
  /** Use the distance of the positive to the negative where that is smaller (Balntas et al. 2016). Default false. */
  readonly swap?: boolean;
}

const tripletMarginOptions = calls.options<TripletMarginOptions>({
  margin: ranges.number,
  p: ranges.number,
  eps: ranges.number,
  swap: ranges.flag,
  reduction,
});

/**
 * max(0, d(anchor, positive) - d(anchor, negative) + margin) of vectors [..., D], with d(a, b) = ‖a - b + eps‖ₚ (Schroff et al.
 * 2015). As torch.nn.functional.triplet_margin_loss.
 * @throws ShapeError if the shapes differ
 * @function
 */
export const tripletMarginLoss = calls.op(
  'tripletMarginLoss',
  [calls.aTensor('anchor'), calls.aTensor('positive'), calls.aTensor('negative'), tripletMarginOptions],
  (anchor, positive, negative, options: TripletMarginOptions = {}): Tensor => {
    const op = 'tripletMarginLoss';
    const { margin = 1, p = 2, eps = 1e-6, swap = false, reduction } = options;
    checkSame(op, ['the anchor', anchor], ['the positive', positive], ['the negative', negative]);
    if (anchor.rank === 0) throw new ShapeError(`${op}: the anchor [] must be [..., D], vectors along the last axis`);
    return scope(() => {
      const distance = (a: Tensor, b: Tensor) => norm(sub(a, b).add(eps), p, -1);
      const far = distance(anchor, negative);
      const least = swap ? minimum(far, distance(positive, negative)) : far;
      return reduced(relu(distance(anchor, positive).sub(least).add(margin)), reduction);
    });
  },
);
