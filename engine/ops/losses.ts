/** Classification losses on logits. */
import { type Elementwise, elementwise } from '../../kernels/elementwise.ts';
import { classTargets as classTargetsPlan } from '../../kernels/heads.ts';
import { apply, checkTensors } from '../apply.ts';
import { withDevice } from '../device.ts';
import { ShapeError } from '../errors.ts';
import type { Row } from '../row.ts';
import { scope } from '../scope.ts';
import { broadcastShapes, sameShape, show, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { full } from './create.ts';
import { add, affine, mul, neg, sigmoid, sub, type TensorLike } from './elementwise.ts';
import { mean, sum } from './reduce.ts';
import { logSoftmax } from './softmax.ts';

/** What is done with the losses of the elements: their average, their sum, or nothing. */
export type LossReduction = 'mean' | 'sum' | 'none';

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions {
  /** The share of each target that is spread evenly over all classes, from 0 to 1. Default 0. */
  readonly labelSmoothing?: number;
  /** Default 'mean', over all positions. */
  readonly reduction?: LossReduction;
}

function reduced(loss: Tensor, reduction: LossReduction): Tensor {
  return reduction === 'none' ? loss : reduction === 'sum' ? sum(loss) : mean(loss);
}

const none: Readonly<Record<string, never>> = {};
type None = typeof none;

const rowOf = (e: Elementwise): Pick<Row<None>, 'name' | 'shape' | 'kernel'> => ({
  name: e.name,
  shape: (inputs) => [broadcastShapes(e.name, ...inputs)],
  kernel: ({ inputs, outputs }) => elementwise(e, inputs, outputs[0]!),
});

const weightedRow: Row<None> = {
  ...rowOf({ name: 'weighted', arity: 2, expr: 'select(a * b, T(0.0), a == T(0.0))' }),
  vjp: [(g, { inputs: [, x] }) => mul(g, x!), (g, { inputs: [w] }) => mul(g, w!)],
};

/** w · x, and 0 where w is 0 whatever x is: an impossible class (-∞) costs nothing where it has no weight. */
export const weighted = (w: Tensor, x: Tensor): Tensor => apply(weightedRow, [w, x], none)[0]!;

export interface ClassTargetsParams {
  readonly classes: number;
  readonly smoothing: number;
}

const classTargetsRow: Row<ClassTargetsParams> = {
  name: 'classTargets',
  shape: ([index], { classes }) => [[...index!, classes]],
  kernel: ({ inputs: [index], params: { classes, smoothing } }) =>
    classTargetsPlan(sizeOf(index!), classes, 1 - smoothing + smoothing / classes, smoothing / classes),
  show: ({ classes }) => `${classes}`,
};

/** Class indices [...] to smoothed probabilities [..., classes]; NaN where an index is not from 0 to classes - 1. */
export const classTargets = (index: Tensor, classes: number, smoothing = 0): Tensor =>
  apply(classTargetsRow, [index], { classes, smoothing })[0]!;

/**
 * The cross-entropy of softmax(logits) relative to the targets.
 *
 * Classes lie along the last axis (PyTorch has them on axis 1): logits [..., C]; targets are class indices [...], whole
 * numbers held in floats, or probabilities [..., C]. The result is a scalar, or [...] without reduction. 'mean' divides by
 * the number of positions. An index that is no class gives NaN; there is no ignoreIndex.
 * @throws ShapeError if the targets have neither shape; RangeError for a labelSmoothing outside 0 to 1
 */
export function crossEntropy(logits: Tensor, targets: Tensor, options: CrossEntropyOptions = {}): Tensor {
  checkTensors('crossEntropy', [logits, targets]);
  const { labelSmoothing: s = 0, reduction = 'mean' } = options;
  const classes = logits.shape[logits.rank - 1];
  const indices = sameShape(targets.shape, logits.shape.slice(0, -1));
  if (!classes || !(indices || sameShape(targets.shape, logits.shape))) {
    throw new ShapeError(
      `crossEntropy: targets ${show(targets.shape)} for logits ${show(logits.shape)} must be indices ${show(logits.shape.slice(0, -1))} or probabilities ${show(logits.shape)}, with classes along the last axis`,
    );
  }
  if (!(s >= 0 && s <= 1)) throw new RangeError(`crossEntropy: labelSmoothing must be from 0 to 1, not ${s}`);
  return scope(() => {
    const smooth = (t: Tensor) => (s === 0 ? t : affine(t, 1 - s, s / classes));
    const q = indices ? classTargets(targets, classes, s) : smooth(targets);
    return reduced(neg(sum(weighted(q, logSoftmax(logits)), -1)), reduction);
  });
}

// log1p(e) = 2 atanh(e / (2 + e)), by its series: e is at most 1, so the argument is at most 1/3.
const BCE = /* wgsl */ `fn bce_(x: T, t: T) -> T {
  let e = exp(-abs(x));
  let z = e / (2.0 + e);
  let w = z * z;
  let log1p = 2.0 * z * (1.0 + w * (0.333333333 + w * (0.2 + w * (0.142857143 + w * (0.111111111 + w * (0.0909090909 + w * 0.0769230769))))));
  return select(max(x, T(0.0)) - x * t + log1p, x + t, isnan_(x) | isnan_(t));
}`;

const bceLogitsRow: Row<None> = {
  ...rowOf({ name: 'bceLogits', arity: 2, expr: 'bce_(a, b)', prelude: BCE }),
  vjp: [(g, { inputs: [x, t] }) => bceLogitsGrad(g, x!, t!), (g, { inputs: [x] }) => neg(mul(g, x!))],
};

const bceLogitsGradRow: Row<None> = {
  ...rowOf({
    name: 'bceLogitsGrad',
    arity: 3,
    expr: 'bceGrad_(a, b, c)',
    prelude: /* wgsl */ `fn bceGrad_(g: T, x: T, t: T) -> T {
  let e = exp(-abs(x));
  return g * (select(select(e, T(1.0), x >= T(0.0)) / (T(1.0) + e), x, isnan_(x)) - t);
}`,
  }),
  composite: ([g, x, t]) => [mul(g!, sub(sigmoid(x!), t!))],
};

/** log(1 + eˣ) - x·t elementwise, with broadcasting. */
export const bceLogits = (x: Tensor, t: Tensor): Tensor => apply(bceLogitsRow, [x, t], none)[0]!;

/** g · (sigmoid(x) - t): the derivative of bceLogits, in one launch. */
export const bceLogitsGrad = (g: Tensor, x: Tensor, t: Tensor): Tensor => apply(bceLogitsGradRow, [g, x, t], none)[0]!;

/** Options of {@link binaryCrossEntropyWithLogits}. */
export interface BinaryCrossEntropyOptions {
  /** Multiplies the loss of positive targets; broadcasts against the logits. Default 1. */
  readonly posWeight?: TensorLike;
  /** Default 'mean'. */
  readonly reduction?: LossReduction;
}

/**
 * The binary cross-entropy of sigmoid(logits) relative to targets from 0 to 1 of the same shape, without overflow:
 * max(x, 0) - x·t + log(1 + e^-|x|). Differentiable in the targets and in posWeight too. A scalar, or the shape of the logits
 * without reduction.
 * @throws ShapeError if the shapes differ
 */
export function binaryCrossEntropyWithLogits(
  logits: Tensor,
  targets: Tensor,
  { posWeight = 1, reduction = 'mean' }: BinaryCrossEntropyOptions = {},
): Tensor {
  if (!sameShape(logits.shape, targets.shape)) {
    throw new ShapeError(
      `binaryCrossEntropyWithLogits: targets ${show(targets.shape)} must have the shape ${show(logits.shape)} of the logits`,
    );
  }
  return scope(() => {
    const plain = bceLogits(logits, targets);
    if (posWeight === 1) return reduced(plain, reduction);
    // softplus(-x), the loss of a positive, is bceLogits(-x, 0); the loss grows by (posWeight - 1) · t · softplus(-x).
    const positive = bceLogits(
      neg(logits),
      withDevice(logits.device, () => full([], 0)),
    );
    const more = typeof posWeight === 'number' ? affine(targets, posWeight - 1, 0) : mul(targets, sub(posWeight, 1));
    return reduced(add(plain, mul(more, positive)), reduction);
  });
}

/** The rows of this file, by name. */
export const lossRows = {
  weighted: weightedRow,
  classTargets: classTargetsRow,
  bceLogits: bceLogitsRow,
};
export const lossFused = { bceLogitsGrad: bceLogitsGradRow };
