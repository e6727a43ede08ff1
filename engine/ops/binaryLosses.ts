/** Losses of yes and no: targets from 0 to 1 against logits or probabilities. */

import { LOG1P } from '../../kernels/special.ts';
import { op, options } from '../arguments/arguments.ts';
import { aTensor, likeRange } from '../arguments/kinds.ts';
import { reduction } from '../arguments/ranges.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { ShapeError } from '../errors.ts';
import { scope } from '../tensor/scope.ts';
import { broadcastShapes, sameShape, show } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { like } from './define.ts';
import { add, affine, div, mul, neg, sigmoid, sub, type TensorLike } from './elementwise.ts';
import { type LossReduction, type None, reduced, rowOf } from './losses.ts';
import { clamp } from './unary.ts';

const none: Readonly<Record<string, never>> = {};

// log1p(e) = 2 atanh(e / (2 + e)), by its series: e is at most 1, so the argument is at most 1/3.
const BCE = /* wgsl */ `fn bce_(x: T, t: T) -> T {
  let e = exp(-abs(x));
  let z = e / (2.0 + e);
  let w = z * z;
  let log1p = 2.0 * z * (1.0 + w * (0.333333333 + w * (0.2 + w * (0.142857143 + w * (0.111111111 + w * (0.0909090909 + w * 0.0769230769))))));
  return select(max(x, T(0.0)) - x * t + log1p, x + t, isnan_(x) | isnan_(t));
}`;

const bceLogitsRow: Row<None, 2> = {
  ...rowOf({ name: 'bceLogits', arity: 2, expr: 'bce_(a, b)', prelude: BCE }),
  vjp: [(g, { inputs: [x, t] }) => bceLogitsGrad(g, x, t), (g, { inputs: [x] }) => neg(mul(g, x))],
};

const bceLogitsGradRow: Row<None, 3> = {
  ...rowOf({
    name: 'bceLogitsGrad',
    arity: 3,
    expr: 'bceGrad_(a, b, c)',
    prelude: /* wgsl */ `fn bceGrad_(g: T, x: T, t: T) -> T {
  let e = exp(-abs(x));
  return g * (select(select(e, T(1.0), x >= T(0.0)) / (T(1.0) + e), x, isnan_(x)) - t);
}`,
  }),
  composite: ([g, x, t]) => [mul(g, sub(sigmoid(x), t))],
};

/** log(1 + eˣ) - x·t elementwise, with broadcasting. */
export const bceLogits = (x: Tensor, t: Tensor): Tensor => apply(bceLogitsRow, [x, t], none)[0]!;

/** g · (sigmoid(x) - t): the derivative of bceLogits, in one launch. */
export const bceLogitsGrad = (g: Tensor, x: Tensor, t: Tensor): Tensor => apply(bceLogitsGradRow, [g, x, t], none)[0]!;

// -100 bounds the logarithms, as in PyTorch: at x = 0 and 1 the loss is finite.
const BCE_OF_PROBABILITIES = /* wgsl */ `${LOG1P}
fn bceProbabilities_(x: T, t: T) -> T {
  let yes = log_(x);
  let no = log1p_(-x);
  let y = -(t * max(yes, T(-100.0)) + (1.0 - t) * max(no, T(-100.0)));
  return select(y, yes + no + t, isnan_(yes) | isnan_(no) | isnan_(t));
}`;

const bceProbabilitiesRow: Row<None, 2> = {
  ...rowOf({ name: 'bceProbabilities', arity: 2, expr: 'bceProbabilities_(a, b)', prelude: BCE_OF_PROBABILITIES }),
  vjp: [
    (g, { inputs: [x, t] }) => mul(g, div(sub(x, t), clamp(mul(x, affine(x, -1, 1)), 1e-12))),
    // The loss is linear in t. Its own derivatives at t = 1 and 0 are bounded where those of the logarithms are not.
    (g, { inputs: [x] }) => mul(g, sub(bceProbabilities(x, like(1, x)), bceProbabilities(x, like(0, x)))),
  ],
};

/** -(t · log x + (1 - t) · log(1 - x)) elementwise, with broadcasting, each logarithm at least -100. */
export const bceProbabilities = (x: Tensor, t: Tensor): Tensor => apply(bceProbabilitiesRow, [x, t], none)[0]!;

/** Options of {@link binaryCrossEntropy}. */
export interface WeightedLossOptions {
  /** Multiplies the losses; broadcasts against them. 'mean' does not divide by it. Default 1. */
  readonly weight?: TensorLike;
  /** Default 'mean'. */
  readonly reduction?: LossReduction;
}

const weightedLossOptions = options<WeightedLossOptions>({ weight: likeRange, reduction });

/** Options of {@link binaryCrossEntropyWithLogits}. */
export interface BinaryCrossEntropyOptions extends WeightedLossOptions {
  /** Multiplies the loss of positive targets; broadcasts against the logits. Default 1. */
  readonly posWeight?: TensorLike;
}

const binaryCrossEntropyOptions = options<BinaryCrossEntropyOptions>({
  weight: likeRange,
  posWeight: likeRange,
  reduction,
});

function checkBinary(op: string, x: Tensor, targets: Tensor, what: string, weight: TensorLike): void {
  if (!sameShape(x.shape, targets.shape)) {
    throw new ShapeError(`${op}: targets ${show(targets.shape)} must have the shape ${show(x.shape)} of the ${what}`);
  }
  if (typeof weight !== 'number' && !sameShape(broadcastShapes(op, weight.shape, x.shape), x.shape)) {
    throw new ShapeError(
      `${op}: weight ${show(weight.shape)} must broadcast to the shape ${show(x.shape)} of the ${what}`,
    );
  }
}

const weigh = (loss: Tensor, weight: TensorLike): Tensor => (weight === 1 ? loss : mul(loss, weight));

/**
 * The binary cross-entropy of probabilities from 0 to 1 relative to targets from 0 to 1 of the same shape: -(t · log x +
 * (1 - t) · log(1 - x)) with logarithms of at least -100, as in PyTorch; its derivative by x divides by x · (1 - x), or 1e-12 if
 * that is larger. Probabilities outside 0 to 1 give NaN. {@link binaryCrossEntropyWithLogits} is more exact. A scalar, or the
 * shape of the probabilities without reduction.
 * @throws ShapeError if the shapes differ
 * @function
 */
export const binaryCrossEntropy = op(
  'binaryCrossEntropy',
  [aTensor('probabilities'), aTensor('targets'), weightedLossOptions],
  (probabilities, targets, options = {}): Tensor => {
    const op = 'binaryCrossEntropy';
    const { weight = 1, reduction = 'mean' } = options;
    checkBinary(op, probabilities, targets, 'probabilities', weight);
    return scope(() => reduced(weigh(bceProbabilities(probabilities, targets), weight), reduction));
  },
);

/**
 * The binary cross-entropy of sigmoid(logits) relative to targets from 0 to 1 of the same shape, without overflow:
 * max(x, 0) - x·t + log(1 + e^-|x|). Differentiable in the targets and in the weights too. A scalar, or the shape of the logits
 * without reduction.
 * @throws ShapeError if the shapes differ
 * @function
 */
export const binaryCrossEntropyWithLogits = op(
  'binaryCrossEntropyWithLogits',
  [aTensor('logits'), aTensor('targets'), binaryCrossEntropyOptions],
  (logits, targets, options = {}): Tensor => {
    const op = 'binaryCrossEntropyWithLogits';
    const { posWeight = 1, weight = 1, reduction = 'mean' } = options;
    checkBinary(op, logits, targets, 'logits', weight);
    return scope(() => {
      const plain = bceLogits(logits, targets);
      if (posWeight === 1) return reduced(weigh(plain, weight), reduction);
      // softplus(-x), the loss of a positive, is bceLogits(-x, 0); the loss grows by (posWeight - 1) · t · softplus(-x).
      const positive = bceLogits(neg(logits), like(0, logits));
      const more = typeof posWeight === 'number' ? affine(targets, posWeight - 1, 0) : mul(targets, sub(posWeight, 1));
      return reduced(weigh(add(plain, mul(more, positive)), weight), reduction);
    });
  },
);

/** The rows of this file, by name. */
export const binaryLossRows = {
  bceLogits: bceLogitsRow,
  bceProbabilities: bceProbabilitiesRow,
};
export const binaryLossFused = { bceLogitsGrad: bceLogitsGradRow };
