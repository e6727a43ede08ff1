/** Losses of classifiers that choose one of several classes. */

import { elementwise } from '../../kernels/elementwise.ts';
import type { Elementwise } from '../../kernels/functions.ts';
import { classTargets as classTargetsPlan } from '../../kernels/heads.ts';
import { op, options } from '../arguments/arguments.ts';
import { aTensor, tensorRange } from '../arguments/kinds.ts';
import { number, reduction, share } from '../arguments/ranges.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { ShapeError } from '../errors.ts';
import { scope } from '../tensor/scope.ts';
import { broadcastShapes, sameShape, show, sizeOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { notEqual, where } from './comparison.ts';
import { affine, div, mul, neg } from './elementwise.ts';
import { checkIndices, take } from './indexing.ts';
import { mean, sum } from './reduce.ts';
import { logSoftmax } from './softmax.ts';
import { weighted, weightedRow } from './weighted.ts';

export { weighted } from './weighted.ts';

/** What is done with the losses of the elements: their average, their sum, or nothing. */
export type LossReduction = 'mean' | 'sum' | 'none';

/** Options of {@link nllLoss}. */
export interface NllOptions {
  /** Multiplies the losses of each class, [C]; 'mean' then divides by the weights of the targets. Default: 1 for all. */
  readonly weight?: Tensor;
  /** Positions whose index is this cost nothing and do not count in 'mean'. Default: none are left out (PyTorch: -100). */
  readonly ignoreIndex?: number;
  /** Default 'mean', over all positions. */
  readonly reduction?: LossReduction;
}

const nllOptions = options<NllOptions>({ weight: tensorRange, ignoreIndex: number, reduction });

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions extends NllOptions {
  /** The share of each target that is spread evenly over all classes, from 0 to 1. Default 0. */
  readonly labelSmoothing?: number;
}

const crossEntropyOptions = options<CrossEntropyOptions>({
  weight: tensorRange,
  labelSmoothing: share,
  ignoreIndex: number,
  reduction,
});

/** The losses of the elements as an option asks for them. */
export const reduced = (loss: Tensor, how: LossReduction): Tensor =>
  how === 'none' ? loss : how === 'sum' ? sum(loss) : mean(loss);

const none: Readonly<Record<string, never>> = {};
export type None = typeof none;

/** What the rows of losses of elements share. */
export const rowOf = (e: Elementwise): Pick<Row<None>, 'name' | 'shape' | 'kernel'> => ({
  name: e.name,
  shape: (inputs) => [broadcastShapes(e.name, ...inputs)],
  kernel: ({ inputs, outputs }) => elementwise(e, inputs, outputs[0]!),
});

export interface ClassTargetsParams {
  readonly classes: number;
  readonly smoothing: number;
}

const classTargetsRow: Row<ClassTargetsParams, 1, 1> = {
  name: 'classTargets',
  shape: ([index], { classes }) => [[...index, classes]],
  kernel: ({ inputs: [index], params: { classes, smoothing } }) =>
    classTargetsPlan(sizeOf(index), classes, 1 - smoothing + smoothing / classes, smoothing / classes),
  show: ({ classes }) => `${classes}`,
};

/** Class indices [...] to smoothed probabilities [..., classes]; NaN where an index is not from 0 to classes - 1. */
export const classTargets = (index: Tensor, classes: number, smoothing = 0): Tensor =>
  apply(classTargetsRow, [index], { classes, smoothing })[0];

/**
 * What indices of classes choose: -Σ q·w·log p with one-hot or smoothed q; with no index of a class left out but those to ignore.
 * @param logP [..., C]
 */
function ofIndices(op: string, logP: Tensor, targets: Tensor, options: CrossEntropyOptions): Tensor {
  const { labelSmoothing = 0, weight, ignoreIndex, reduction = 'mean' } = options;
  const counted = ignoreIndex === undefined ? undefined : notEqual(targets, ignoreIndex);
  const index = counted ? where(counted, targets, 0) : targets;
  const classes = logP.shape[logP.rank - 1]!;
  checkIndices(op, index, classes);
  const q = classTargets(index, classes, labelSmoothing);
  const all = neg(sum(weighted(weight ? mul(q, weight) : q, logP), -1));
  const loss = counted ? where(counted, all, 0) : all;
  if (reduction !== 'mean' || !(weight || counted)) return reduced(loss, reduction);
  const own = weight ? take(weight, index, 0) : undefined;
  return div(sum(loss), sum(own && counted ? where(counted, own, 0) : (own ?? counted!)));
}

function checkWeight(op: string, { weight }: NllOptions, classes: number): void {
  if (weight && !sameShape(weight.shape, [classes])) {
    throw new ShapeError(`${op}: weight ${show(weight.shape)} must be [${classes}], a number for each class`);
  }
}

/**
 * The cross-entropy of softmax(logits) relative to the targets.
 *
 * Classes lie along the last axis (PyTorch has them on axis 1): logits [..., C]; targets are class indices [...], whole
 * numbers held in floats, or probabilities [..., C]. The result is a scalar, or [...] without reduction. 'mean' divides by
 * the number of positions; for indices with a weight for each class or with `ignoreIndex`, by the sum of the weights of the
 * targets that count (NaN if there are none), all as in PyTorch. An index that is no class gives NaN on WebGPU.
 * @throws ShapeError if targets or weight have another shape; RangeError for a labelSmoothing outside 0 to 1, and for an index
 * that is no class on the reference device; TypeError for `ignoreIndex` with probabilities
 * @function
 */
export const crossEntropy = op(
  'crossEntropy',
  [aTensor('logits'), aTensor('targets'), crossEntropyOptions],
  (logits, targets, options = {}): Tensor => {
    const { labelSmoothing: s = 0, weight, ignoreIndex, reduction = 'mean' } = options;
    const classes = logits.shape[logits.rank - 1];
    const indices = sameShape(targets.shape, logits.shape.slice(0, -1));
    if (!classes || !(indices || sameShape(targets.shape, logits.shape))) {
      throw new ShapeError(
        `crossEntropy: targets ${show(targets.shape)} for logits ${show(logits.shape)} must be indices ${show(logits.shape.slice(0, -1))} or probabilities ${show(logits.shape)}, with classes along the last axis`,
      );
    }
    if (!indices && ignoreIndex !== undefined) {
      throw new TypeError(
        `crossEntropy: ignoreIndex is for targets that are class indices, and these are probabilities ${show(targets.shape)}; give a position probabilities of 0 to ignore it`,
      );
    }
    checkWeight('crossEntropy', options, classes);
    return scope(() => {
      if (indices) return ofIndices('crossEntropy', logSoftmax(logits), targets, options);
      const smooth = s === 0 ? targets : affine(targets, 1 - s, s / classes);
      const q = weight ? mul(smooth, weight) : smooth;
      return reduced(neg(sum(weighted(q, logSoftmax(logits)), -1)), reduction);
    });
  },
);

/**
 * The negative log-likelihood of class indices [...] under log-probabilities [..., C], such as {@link logSoftmax} gives, with
 * classes along the last axis: -logP[index]. Options, 'mean' and indices out of range as in {@link crossEntropy}, which is this
 * of logSoftmax.
 * @throws ShapeError if targets or weight have another shape
 * @function
 */
export const nllLoss = op(
  'nllLoss',
  [aTensor('logProbabilities'), aTensor('targets'), nllOptions],
  (logProbabilities, targets, options = {}): Tensor => {
    const { shape } = logProbabilities;
    const classes = shape[shape.length - 1];
    if (!classes || !sameShape(targets.shape, shape.slice(0, -1))) {
      throw new ShapeError(
        `nllLoss: targets ${show(targets.shape)} for log-probabilities ${show(shape)} must be indices ${show(shape.slice(0, -1))}, with classes along the last axis`,
      );
    }
    checkWeight('nllLoss', options, classes);
    return scope(() => ofIndices('nllLoss', logProbabilities, targets, options));
  },
);

/** The rows of this file, by name. */
export const lossRows = {
  weighted: weightedRow,
  classTargets: classTargetsRow,
};
