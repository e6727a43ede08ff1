/** Reductions over any axes, and broadcasting, their adjoint. */

import { copy } from '../../kernels/copy.ts';
import { isOneRun, variance as variancePlan } from '../../kernels/normalization/variance.ts';
import { reduce, SUM } from '../../kernels/reduce.ts';
import { aShape, axes, op, options } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { flag, number } from '../arguments/ranges.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { ShapeError } from '../errors.ts';
import { methods } from '../tensor/methods.ts';
import { scope } from '../tensor/scope.ts';
import {
  broadcastStrides,
  checkShape,
  normalizeAxes,
  reducedShape,
  type Shape,
  sameShape,
  show,
  sizeOf,
  stridesOf,
} from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { affine, minimum, mul, square, sub } from './elementwise.ts';
import { reshape } from './movement.ts';

/** Options of reductions. */
export interface ReduceOptions {
  /** Keep reduced axes with size 1. Default false. */
  readonly keepDims?: boolean;
}

export const reduceOptions = options<ReduceOptions>({ keepDims: flag });

export interface SumParams {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
  readonly scale: number;
}

const sumRow = (name: string): Row<SumParams> => ({
  name,
  shape: ([x], { axes, keepDims }) => [reducedShape(x!, axes, keepDims)],
  kernel: ({ inputs: [x], params: { axes, scale }, target }) => reduce(target, SUM, x!, axes, scale),
  vjp: [
    (g, { inputs: [x], params: { axes, scale } }) => {
      const kept = reshape(g, reducedShape(x!.shape, axes, true));
      const spread = broadcastTo(scale === 1 ? kept : affine(kept, scale, 0), x!.shape);
      // The cotangent that a backward pass begins with is a constant, which the tape shows as the number that it is.
      if (spread !== g && !spread.node && g.label === '1') spread.label = `${Number(scale.toPrecision(6))}`;
      return spread;
    },
  ],
  show: ({ axes, keepDims }) => `${show(axes)}${keepDims ? ', keepDims' : ''}`,
});

const sumTable = sumRow('sum');
const meanTable = sumRow('mean');

/**
 * Sums over `axes` (all if absent; negative ones count from the end); of nothing, 0.
 * @throws ShapeError if there is no such axis
 * @function
 */
export const sum = op('sum', [aTensor('x'), axes, reduceOptions], (x, axes?, options = {}): Tensor => {
  const { keepDims = false } = options;
  return apply(sumTable, [x], { axes: normalizeAxes('sum', axes, x.rank), keepDims, scale: 1 })[0]!;
});

/**
 * Averages over `axes` (all if absent; negative ones count from the end); of nothing, NaN.
 * @throws ShapeError if there is no such axis
 * @function
 */
export const mean = op('mean', [aTensor('x'), axes, reduceOptions], (x, axes?, options = {}): Tensor => {
  const { keepDims = false } = options;
  const list = normalizeAxes('mean', axes, x.rank);
  const n = countOf(x.shape, list);
  return apply(meanTable, [x], { axes: list, keepDims, scale: 1 / n })[0]!;
});

const countOf = (shape: Shape, axes: readonly number[]): number => axes.reduce((n, a) => n * shape[a]!, 1);

/** Options of {@link variance} and {@link std}. */
export interface VarianceOptions extends ReduceOptions {
  /** What is subtracted from the number of elements that the sum of squares is divided by. 1 is unbiased. Default 0. */
  readonly correction?: number;
}

export const varianceOptions = options<VarianceOptions>({ keepDims: flag, correction: number });

const varianceRow: Row<SumParams, 1, 1> = {
  name: 'variance',
  shape: ([x], { axes, keepDims }) => [reducedShape(x, axes, keepDims)],
  kernel: ({ inputs: [x], outputs: [y], params: { axes }, target }) =>
    sizeOf(y) > 0 ? variancePlan(target, x, axes, countOf(x, axes)) : { dispatches: [] },
  composite: ([x], { axes, keepDims }) => [mean(square(centred(x, axes)), axes, { keepDims })],
  vjp: [
    (g, { inputs: [x], params: { axes, scale } }) => {
      const kept = reshape(g, reducedShape(x.shape, axes, true));
      const gd = affine(mul(affine(kept, scale, 0), centred(x, axes)), 2, 0);
      // Nothing is left over but what the mean was rounded by.
      return sub(gd, mean(gd, axes, { keepDims: true }));
    },
  ],
  show: ({ axes, keepDims }) => `${show(axes)}${keepDims ? ', keepDims' : ''}`,
};

const centred = (x: Tensor, axes: readonly number[]): Tensor => sub(x, mean(x, axes, { keepDims: true }));

/** The largest float32: Infinity, which squares overflow to, less Infinity would be NaN. */
const MOST = (2 - 2 ** -23) * 2 ** 127;

/** As the row, over axes with others between them, which its kernel does not know. */
function scatteredVariance(x: Tensor, axes: readonly number[], keepDims: boolean): Tensor {
  const d = centred(x, axes);
  const squares = mean(square(d), axes, { keepDims });
  const off = minimum(square(mean(d.detach(), axes, { keepDims })), MOST);
  // A constant, and no more than there is: the variance is not below 0, and where it is 0 it still has a second derivative.
  return sub(squares, minimum(off, squares.detach()));
}

/**
 * The variance over `axes`: the mean squared distance from the mean. Biased unless `correction` is 1, which is PyTorch's
 * default; of no more elements than the correction it is NaN or infinite, as there. It is as exact where the mean is large beside
 * the deviation as where it is small.
 * @param axes all if absent; negative ones count from the end
 * @throws ShapeError if there is no such axis
 * @function
 */
export const variance = op('variance', [aTensor('x'), axes, varianceOptions], (x, axes?, options = {}): Tensor => {
  const { correction = 0, keepDims = false } = options;
  const list = normalizeAxes('variance', axes, x.rank);
  const n = countOf(x.shape, list);
  return scope(() => {
    const biased = isOneRun(x.shape, list)
      ? apply(varianceRow, [x], { axes: list, keepDims, scale: 1 / n })[0]
      : scatteredVariance(x, list, keepDims);
    return correction === 0 ? biased : affine(biased, n / Math.max(0, n - correction), 0);
  });
});

const broadcastRow: Row<{ shape: Shape }, 1, 1> = {
  name: 'broadcastTo',
  shape: ([x], { shape }) => {
    const pad = shape.length - x.length;
    if (pad < 0 || x.some((d, i) => d !== 1 && d !== shape[pad + i])) {
      throw new ShapeError(`broadcastTo: ${show(x)} does not broadcast to ${show(shape)}`);
    }
    return [shape];
  },
  kernel: ({ inputs: [x], outputs: [y] }) => ({
    dispatches: copy({ sizes: y, from: broadcastStrides(x, y), to: stridesOf(y) }, 0, 1),
  }),
  vjp: [(g, { inputs: [x] }) => sumTo(g, x.shape)],
  show: ({ shape }) => show(shape),
};

/**
 * x in `shape`, repeated along its axes of size 1 and along new leading axes.
 * @throws ShapeError if it does not broadcast
 * @function
 */
export const broadcastTo = op('broadcastTo', [aTensor('x'), aShape], (x, shape): Tensor => {
  checkShape('broadcastTo', shape);
  return apply(broadcastRow, [x], { shape })[0];
});

/** Sums x down to a shape that broadcasts to x's: the adjoint of broadcastTo. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const pad = x.rank - shape.length;
  const axes = x.shape.flatMap((d, i) => (i < pad || (shape[i - pad] === 1 && d !== 1) ? [i] : []));
  const summed = axes.length > 0 ? sum(x, axes, { keepDims: true }) : x;
  return sameShape(summed.shape, shape) ? summed : reshape(summed, shape);
}

/** The rows of this file, by name. */
export const reduceRows = {
  broadcastTo: broadcastRow,
  sum: sumTable,
  mean: meanTable,
};
export const reduceFused = { variance: varianceRow };

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** Sums over `axes`, all unless given. */
    sum(axes?: number | readonly number[], options?: ReduceOptions): Tensor;
    /** Averages over `axes`, all unless given. */
    mean(axes?: number | readonly number[], options?: ReduceOptions): Tensor;
    /** The variance over `axes`, biased unless `correction` is 1. */
    variance(axes?: number | readonly number[], options?: VarianceOptions): Tensor;
    /** Repeats along axes of size 1 and new leading axes. */
    broadcastTo(shape: Shape): Tensor;
  }
}

methods({ sum, mean, variance, broadcastTo });
