/**
 * Activation functions with kernels of their own, and their derivatives. relu, leakyRelu, tanh, sigmoid:
 * elementwise.ts.
 */

import { ERF, EXPM1, LOG1P, SIGMOID } from '../../kernels/special.ts';
import { aNumber, maybe, op, options } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { number, oneOf } from '../arguments/ranges.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { methods } from '../tensor/methods.ts';
import { scope } from '../tensor/scope.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Binary, binary, row, type Scalars, type Unary, unary } from './define.ts';
import { affine, mul, sigmoid, sigmoidGrad, square } from './elementwise.ts';
import { clamp, clampGrad, erfGrad } from './unary.ts';

const { NEGATIVE_INFINITY, POSITIVE_INFINITY } = Number;
const both = ({ s0, s1 }: Scalars) => `${s0}, ${s1}`;

const softplusGradRow: Row<Scalars, 2, 1> = row(
  'softplusGrad',
  2,
  'select(a * sigmoid_(b * p.s0), a, b * p.s0 > T(p.s1))',
  [
    (g, { inputs: [, x], params }) => softplusGrad(g, x, params),
    (g, { inputs: [h, x], params: { s0, s1 } }) => {
      const z = affine(x, s0!, 0);
      return clampGrad(affine(sigmoidGrad(mul(g, h), sigmoid(z)), s0!, 0), z, NEGATIVE_INFINITY, s1!);
    },
  ],
  { show: both, prelude: SIGMOID },
);

/** g · sigmoid(beta · x), and g past the threshold (beta s0, threshold s1), in one launch. */
export const softplusGrad = (g: Tensor, x: Tensor, params: Scalars): Tensor =>
  apply(softplusGradRow, [g, x], params)[0];

const softplusRow: Row<Scalars, 1, 1> = row(
  'softplus',
  1,
  'select((max(a * p.s0, T(0.0)) + log1p_(exp(-abs(a * p.s0)))) / p.s0, a, (a * p.s0 > T(p.s1)) | isnan_(a))',
  [(g, { inputs: [x], params }) => softplusGrad(g, x, params)],
  { show: both, prelude: LOG1P },
);

const softplusOptions = options<{ readonly beta?: number; readonly threshold?: number }>({
  beta: number,
  threshold: number,
});

/**
 * log(1 + exp(beta · x)) / beta, without overflow; x itself where beta · x > threshold.
 * Defaults 1 and 20, as in PyTorch.
 * @function
 */
export const softplus = op('softplus', [aTensor('x'), softplusOptions], (x, options = {}): Tensor => {
  const { beta = 1, threshold = 20 } = options;
  return apply(softplusRow, [x], { s0: beta, s1: threshold })[0];
});

/** log(sigmoid(x)), never above 0, without overflow and exact for large and small x. @function */
export const logSigmoid: Unary = unary(
  'logSigmoid',
  'select(min(a, T(0.0)) - log1p_(exp(-abs(a))), a, isnan_(a))',
  (g, { inputs: [x] }) => softplusGrad(g, x, { s0: -1, s1: POSITIVE_INFINITY }),
  LOG1P,
);

const eluGradRow: Row<Scalars, 2, 1> = row(
  'eluGrad',
  2,
  'a * p.s1 * select(select(p.s0 * exp(min(b, T(0.0))), T(1.0), b > T(0.0)), b, isnan_(b))',
  [
    (g, { inputs: [, x], params }) => eluGrad(g, x, params),
    (g, { inputs: [h, x], params }) => clampGrad(eluGrad(mul(g, h), x, params), x, NEGATIVE_INFINITY, 0),
  ],
  { show: both },
);

/** The derivative of elu (alpha s0, scale s1), times g, in one launch. */
export const eluGrad = (g: Tensor, x: Tensor, params: Scalars): Tensor => apply(eluGradRow, [g, x], params)[0];

const eluRow: Row<Scalars, 1, 1> = row(
  'elu',
  1,
  'p.s1 * select(p.s0 * expm1_(min(a, T(0.0))), a, (a > T(0.0)) | isnan_(a))',
  [(g, { inputs: [x], params }) => eluGrad(g, x, params)],
  { show: both, prelude: EXPM1 },
);

/**
 * x where x > 0, else alpha · (eˣ - 1) (Clevert et al. 2016). The derivative at 0 is alpha, as in PyTorch. Default
 * alpha 1.
 * @function
 */
export const elu = op(
  'elu',
  [aTensor('x'), maybe(aNumber('alpha'))],
  (x, alpha = 1): Tensor => apply(eluRow, [x], { s0: alpha, s1: 1 })[0],
);

/**
 * elu with the constants that keep mean 0 and variance 1 (Klambauer et al. 2017, eq. 2): 1.0507 · elu(x, 1.6733).
 * @function
 */
export const selu = op(
  'selu',
  [aTensor('x')],
  (x): Tensor => apply(eluRow, [x], { s0: 1.6732632423543772, s1: 1.0507009873554805 })[0],
);

/** The derivative of silu, times g, in one launch. */
export const siluGrad: Binary = binary(
  'siluGrad',
  'a * sigmoid_(b) * (1.0 + b * sigmoid_(-b))',
  [
    (g, { inputs: [, x] }) => siluGrad(g, x),
    (g, { inputs: [h, x] }) => {
      const s = sigmoid(x);
      return mul(sigmoidGrad(mul(g, h), s), affine(mul(x, affine(s, -2, 1)), 1, 2));
    },
  ],
  undefined,
  SIGMOID,
);

/** x · sigmoid(x) (Hendrycks and Gimpel 2016), also called swish. @function */
export const silu: Unary = unary('silu', 'a * sigmoid_(a)', (g, { inputs: [x] }) => siluGrad(g, x), SIGMOID);

/** The derivative of gelu, times g, in one launch. */
export const geluGrad: Binary = binary(
  'geluGrad',
  'a * (phi_(b) + b * 0.398942280401433 * bell_(0.707106781186548 * b))',
  [
    (g, { inputs: [, x] }) => geluGrad(g, x),
    // The density of the normal distribution times (2 - x²), whose square must not overflow where the density is 0.
    (g, { inputs: [h, x] }) => {
      const density = affine(erfGrad(mul(g, h), affine(x, Math.SQRT1_2, 0)), Math.SQRT1_2 / 2, 0);
      return mul(density, affine(square(clamp(x, -1e9, 1e9)), -1, 2));
    },
  ],
  undefined,
  ERF,
);

const geluRow = unary('gelu', 'a * phi_(a)', (g, { inputs: [x] }) => geluGrad(g, x), ERF);

const geluOptions = options<{ readonly approximate?: 'none' | 'tanh' }>({ approximate: oneOf(['none', 'tanh']) });

/**
 * x · Φ(x), Φ being the normal distribution. `approximate: 'tanh'` gives the approximation with tanh that GPT-2 uses
 * (Hendrycks and Gimpel 2016), which is composed of six ops.
 * @function
 */
export const gelu = op('gelu', [aTensor('x'), geluOptions], (x, options = {}): Tensor => {
  const { approximate = 'none' } = options;
  if (approximate === 'none') return geluRow(x);
  // (1 + tanh(u)) / 2 is the sigmoid of 2u, which is 0 or 1 long before the bounds; no cube overflows within.
  const c = 2 * Math.sqrt(2 / Math.PI);
  return scope(() => {
    const near = clamp(x, -1e4, 1e4);
    return mul(x, sigmoid(mul(near, affine(square(near), c * 0.044715, c))));
  });
});

const preluGradRow: Row<Scalars, 3, 1> = row('preluGrad', 3, 'select(a * c, a, b > T(0.0))', [
  (g, { inputs: [, x, w] }) => preluGrad(g, x, w),
  null,
  (g, { inputs: [h, x] }) => clampGrad(mul(g, h), x, NEGATIVE_INFINITY, 0),
]);

/** g where x > 0, else g · weight, in one launch. */
export const preluGrad = (g: Tensor, x: Tensor, weight: Tensor): Tensor => apply(preluGradRow, [g, x, weight], {})[0];

const preluRow: Row<Scalars, 2, 1> = row('prelu', 2, 'select(a * b, a, a > T(0.0))', [
  (g, { inputs: [x, w] }) => preluGrad(g, x, w),
  (g, { inputs: [x] }) => clampGrad(mul(g, x), x, NEGATIVE_INFINITY, 0),
]);

/**
 * x where x > 0, else weight · x, with a learned weight: a scalar, or `[C]` for the channels of `[..., C]` (in PyTorch they
 * are the second axis), or any shape that broadcasts with x (He et al. 2015). The derivative at 0 is the weight.
 * @throws ShapeError if the shapes do not broadcast
 * @function
 */
export const prelu = op(
  'prelu',
  [aTensor('x'), aTensor('weight')],
  (x, weight): Tensor => apply(preluRow, [x, weight], {})[0],
);

const hardtanhGradRow: Row<Scalars, 2, 1> = row(
  'hardtanhGrad',
  2,
  'select(T(0.0), a, (b > T(p.s0)) & (b < T(p.s1)))',
  [(g, { inputs: [, x], params }) => hardtanhGrad(g, x, params), null],
  { show: both },
);

/** g where s0 < x < s1, else 0, in one launch. */
export const hardtanhGrad = (g: Tensor, x: Tensor, params: Scalars): Tensor =>
  apply(hardtanhGradRow, [g, x], params)[0];

const hardtanhRow: Row<Scalars, 1, 1> = row(
  'hardtanh',
  1,
  'select(clamp(a, T(p.s0), T(p.s1)), a, isnan_(a))',
  [(g, { inputs: [x], params }) => hardtanhGrad(g, x, params)],
  { show: both },
);

/**
 * x cut off below `min` and above `max`, -1 and 1 unless given. The derivative at the bounds is 0 (that of clamp is 1).
 * @function
 */
export const hardtanh = op(
  'hardtanh',
  [aTensor('x'), maybe(aNumber('min')), maybe(aNumber('max'))],
  (x, min = -1, max = 1): Tensor =>
    apply(hardtanhRow, [x], {
      s0: min,
      s1: max,
    })[0],
);

/** min(max(x, 0), 6), with derivative 0 at 0 and at 6. @function */
export const relu6 = op('relu6', [aTensor('x')], (x): Tensor => hardtanh(x, 0, 6));

/** The rows of this file, by name. */
export const activationRows = {
  softplus: softplusRow,
  softplusGrad: softplusGradRow,
  logSigmoid: logSigmoid.row,
  elu: eluRow,
  eluGrad: eluGradRow,
  silu: silu.row,
  siluGrad: siluGrad.row,
  gelu: geluRow.row,
  geluGrad: geluGrad.row,
  prelu: preluRow,
  preluGrad: preluGradRow,
  hardtanh: hardtanhRow,
  hardtanhGrad: hardtanhGradRow,
};

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** min(max(x, 0), 6). */
    relu6(): Tensor;
    /** x where x > 0, else weight · x with a weight that is learned. */
    prelu(weight: Tensor): Tensor;
    /** Limits each element to -1 to 1, or to the given bounds. */
    hardtanh(min?: number, max?: number): Tensor;
    /** x where x > 0, else alpha · (eˣ - 1). */
    elu(alpha?: number): Tensor;
    /** The self-normalising elu. */
    selu(): Tensor;
    /** x · sigmoid(x). */
    silu(): Tensor;
    /** x · Φ(x), or its approximation by tanh. */
    gelu(options?: { readonly approximate?: 'none' | 'tanh' }): Tensor;
    /** log(1 + exp(beta · x)) / beta. */
    softplus(options?: { readonly beta?: number; readonly threshold?: number }): Tensor;
    /** log(sigmoid(x)). */
    logSigmoid(): Tensor;
  }
}

methods({ relu6, prelu, hardtanh, elu, selu, silu, gelu, softplus, logSigmoid });
