/** Normalisation, fused: one row forward and one backward serve batch norm, layer norm and their kin. */

import { fill as fillPlan } from '../../kernels/copy.ts';
import { type NormShape, normGrad as normGradPlan, norm as normPlan } from '../../kernels/normalization/norm.ts';
import { op, options } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { number, numberList } from '../arguments/ranges.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { ShapeError } from '../errors.ts';
import { scope } from '../tensor/scope.ts';
import { normalizeAxes, type Shape, show, sizeOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { add, mul, rsqrt, sub } from './elementwise.ts';
import { concat, reshape } from './movement.ts';
import { mean, sumTo } from './reduce.ts';

/** Options of normalisations. */
export interface NormOptions {
  /** Added to the variance. Default 1e-5, as in PyTorch. */
  readonly eps?: number;
}

const normOptions = options<NormOptions>({ eps: number });

/**
 * x is seen as [A, R, B, S] (`view`), the statistics run over R and S, and gamma and beta, seen as `affine`, broadcast
 * against the view.
 */
export interface NormParams {
  readonly view: readonly [number, number, number, number];
  readonly affine: readonly [number, number, number, number];
  readonly eps: number;
}

function normShape({ view: [a, r, b, s], affine }: NormParams): NormShape {
  const stride = (axis: number) => (affine[axis] === 1 ? 0 : sizeOf(affine.slice(axis + 1)));
  return {
    a,
    r,
    b,
    s,
    affine: { a: stride(0), r: stride(1), b: stride(2), s: stride(3) },
    affineSize: sizeOf(affine),
  };
}

/** xhat and rstd of x in its [A, R, B, S] view, in ops. */
function standardize(x: Tensor, { view, eps }: NormParams) {
  const v = reshape(x, view);
  const m = mean(v, [1, 3], { keepDims: true });
  const centred = sub(v, m);
  const rstd = rsqrt(add(mean(mul(centred, centred), [1, 3], { keepDims: true }), eps));
  return { m, rstd, xhat: mul(centred, rstd) };
}

/** A row over a pattern of its own, with kernels, composition and derivative: see `NormParams`. */
export const normRow = (name: string): Row<NormParams> => ({
  name,
  shape: ([x], { view }) => [x!, [2, view[0] * view[2]]],
  kernel: ({ inputs: [x], params, target }) =>
    sizeOf(x!) > 0 ? normPlan(target, normShape(params), params.eps) : { dispatches: [] },
  composite: ([x, gamma, beta], p) => {
    const { m, rstd, xhat } = standardize(x!, p);
    const y = add(mul(xhat, reshape(gamma!, p.affine)), reshape(beta!, p.affine));
    const groups: Shape = [1, p.view[0] * p.view[2]];
    return [reshape(y, x!.shape), concat([reshape(m, groups), reshape(rstd, groups)])];
  },
  // Derivatives of the statistics themselves are rare, and go through the composition.
  vjp: (g, { inputs: [x, gamma], outputs: [, stats], gs, params }) =>
    !g || gs[1] ? undefined : apply(normGradRow, [x!, gamma!, stats!, g], params),
  show: ({ eps }) => `eps ${eps}`,
});

/** (x, gamma, stats, g) -> (gx, ggamma, gbeta): the backward pass of every norm row, itself differentiable. */
export const normGradRow: Row<NormParams, 4, 3> = {
  name: 'normGrad',
  shape: ([x, gamma]) => [x, gamma, gamma],
  kernel: ({ inputs: [x, gamma], params, target }) =>
    sizeOf(x) > 0
      ? normGradPlan(target, normShape(params))
      : { dispatches: [5, 6].flatMap((arg) => fillPlan(sizeOf(gamma), 0, arg).dispatches) },
  // Recomputes the statistics from x, so that derivatives of this row see how they depend on x; `stats` has none.
  composite: ([x, gamma, , g], p) => {
    const { rstd, xhat } = standardize(x, p);
    const gv = reshape(g, p.view);
    const h = mul(gv, reshape(gamma, p.affine));
    const average = (t: Tensor) => mean(t, [1, 3], { keepDims: true });
    const gx = mul(rstd, sub(sub(h, average(h)), mul(xhat, average(mul(h, xhat)))));
    const toAffine = (t: Tensor) => reshape(sumTo(t, p.affine), gamma.shape);
    // With one row and one column nothing is summed, and the result must still be a tensor of its own.
    return [reshape(gx, x.shape), toAffine(mul(gv, xhat)), toAffine(mul(gv, 1))];
  },
};

const batchNormRow = normRow('batchNorm');
const layerNormRow = normRow('layerNorm');

/** What batch norm returns: the output, and the batch's statistics for running averages. */
export interface BatchNormResult {
  /** The normalised x, in its shape. */
  readonly y: Tensor;
  /** The mean, and 1/√(biased variance + eps), of each channel: [2, C]. */
  readonly stats: Tensor;
}

/**
 * Batch normalisation in training mode over all axes but the last (Ioffe and Szegedy 2015, Algorithm 1): x [..., C], gamma
 * and beta [C]. Each channel gets mean 0 and variance 1 (biased) over the batch, and then gamma · x + beta.
 * @throws ShapeError if gamma or beta do not fit, or there is one value a channel, whose variance would be 0
 * @function
 */
export const batchNorm = op(
  'batchNorm',
  [aTensor('x'), aTensor('gamma'), aTensor('beta'), normOptions],
  (x, gamma, beta, options = {}): BatchNormResult => {
    const { eps = 1e-5 } = options;
    const c = x.shape[x.rank - 1];
    if (c === undefined || gamma.size !== c || beta.size !== c) {
      throw new ShapeError(
        `batchNorm: gamma ${show(gamma.shape)} and beta ${show(beta.shape)} must have the ${c} channels of x ${show(x.shape)}, its last axis`,
      );
    }
    if (x.size <= c) {
      throw new ShapeError(
        `batchNorm: x ${show(x.shape)} has one value a channel; statistics need more, or use eval mode`,
      );
    }
    const [y, stats] = apply(batchNormRow, [x, gamma, beta], {
      view: [1, x.size / c, c, 1],
      affine: [1, 1, c, 1],
      eps,
    });
    return { y: y!, stats: stats! };
  },
);

const layerNormOptions = options<NormOptions & { axes?: number | readonly number[] }>({
  axes: numberList,
  eps: number,
});

/**
 * Layer normalisation over `axes` (default: the last), which must be the last ones (Ba et al. 2016); gamma and beta have
 * the shape of the normalised axes. The variance is the biased one.
 * @throws ShapeError if the axes are not the last ones, or gamma or beta do not fit
 * @function
 */
export const layerNorm = op(
  'layerNorm',
  [aTensor('x'), aTensor('gamma'), aTensor('beta'), layerNormOptions],
  (x, gamma, beta, options = {}): Tensor => {
    const axes = normalizeAxes('layerNorm', options.axes ?? -1, x.rank);
    const tail = x.shape.slice(x.rank - axes.length);
    if (axes[0] !== x.rank - axes.length)
      throw new ShapeError(`layerNorm: axes ${show(axes)} are not the last of ${show(x.shape)}`);
    const d = sizeOf(tail);
    if (gamma.size !== d || beta.size !== d) {
      throw new ShapeError(
        `layerNorm: gamma ${show(gamma.shape)} and beta ${show(beta.shape)} must have the shape ${show(tail)} of the normalised axes of x ${show(x.shape)}`,
      );
    }
    const params = { view: [x.size / d, d, 1, 1], affine: [1, d, 1, 1], eps: options.eps ?? 1e-5 } as const;
    return scope(() => apply(layerNormRow, [x, gamma, beta], params)[0]!);
  },
);

/** The rows of this file, by name. */
export const normRows = {
  batchNorm: batchNormRow,
  layerNorm: layerNormRow,
  normGrad: normGradRow,
};
