/** More functions of one tensor, elementwise. The WGSL they call is in kernels/special.ts. */

import { ATAN, ERF, EXPM1, FINITE, LOG1P, SINE, SINH } from '../../kernels/special.ts';
import { aBound, maybe, op } from '../arguments/arguments.ts';
import { tensorLike } from '../arguments/kinds.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { methods } from '../tensor/methods.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Binary, binary, like, row, type Scalars, type Unary, unary } from './define.ts';
import { affine, div, exp, mul } from './elementwise.ts';

const mul3Row: Row<Scalars, 3, 1> = row(
  'mul3',
  3,
  'p.s0 * a * b * c',
  [
    (g, { inputs: [, b, c], params }) => mul3(g, b, c, params.s0!),
    (g, { inputs: [a, , c], params }) => mul3(g, a, c, params.s0!),
    (g, { inputs: [a, b], params }) => mul3(g, a, b, params.s0!),
  ],
  { show: ({ s0 }) => `${s0}` },
);

/** scale · a · b · c in one launch: many derivatives are such a product. */
export const mul3 = (a: Tensor, b: Tensor, c: Tensor, scale = 1): Tensor => apply(mul3Row, [a, b, c], { s0: scale })[0];

/** eˣ - 1, exact also near 0. @function */
export const expm1: Unary = unary('expm1', 'expm1_(a)', (g, { inputs: [x] }) => mul(g, exp(x)), EXPM1);

/** log(1 + x), exact also near 0; -Infinity at -1, NaN below. @function */
export const log1p: Unary = unary('log1p', 'log1p_(a)', (g, { inputs: [x] }) => div(g, affine(x, 1, 1)), LOG1P);

/** 1 / x: Infinity at 0. @function */
export const reciprocal: Unary = unary('reciprocal', '1.0 / a', (g, { output: y }) => mul3(g, y, y, -1));

const mulSineRow: Row<Scalars, 2, 1> = row(
  'mulSine',
  2,
  'a * sine_(b, p.s0)',
  [
    (g, { inputs: [, x], params }) => mulSine(g, x, params.s0!),
    (g, { inputs: [h, x], params }) => mulSine(mul(g, h), x, (params.s0! + 1) % 4),
  ],
  { show: ({ s0 }) => `${s0}`, prelude: SINE },
);

/** g · sin(x + quarter · π/2), quarter 0 to 3, in one launch: the derivative of sin, of cos, and of itself. */
export const mulSine = (g: Tensor, x: Tensor, quarter: number): Tensor => apply(mulSineRow, [g, x], { s0: quarter })[0];

/** The sine of x in radians, good to 1e-6 in float32 for every finite x; NaN for ±Infinity. @function */
export const sin: Unary = unary('sin', 'sine_(a, 0.0)', (g, { inputs: [x] }) => mulSine(g, x, 1), SINE);

/** The cosine of x in radians, as exact as `sin`; NaN for ±Infinity. @function */
export const cos: Unary = unary('cos', 'sine_(a, 1.0)', (g, { inputs: [x] }) => mulSine(g, x, 2), SINE);

/** The tangent of x in radians, for every finite x; NaN for ±Infinity. @function */
export const tan: Unary = unary('tan', 'tan_(a)', (g, { output: y }) => tanGrad(g, y), SINE);

/** g · (1 + y²): the tangent's derivative in terms of its output, in one launch. */
export const tanGrad: Binary = binary('tanGrad', 'a * (1.0 + b * b)', [
  (g, { inputs: [, y] }) => tanGrad(g, y),
  (g, { inputs: [h, y] }) => mul3(g, h, y, 2),
]);

/** The hyperbolic sine, exact also near 0; in float32 infinite from |x| = 89.4 on. @function */
export const sinh: Unary = unary('sinh', 'sinh_(a)', (g, { inputs: [x] }) => mul(g, cosh(x)), SINH);

/** The hyperbolic cosine; in float32 Infinity from |x| = 89.4 on. @function */
export const cosh: Unary = unary('cosh', 'cosh_(a)', (g, { inputs: [x] }) => mul(g, sinh(x)), SINH);

/** The inverse tangent in radians, -π/2 to π/2. @function */
export const atan: Unary = unary('atan', 'atan_(a)', (g, { inputs: [x] }) => atanGrad(g, x), ATAN);

/** g / (1 + x²), in one launch. */
export const atanGrad: Binary = binary('atanGrad', 'a / (1.0 + b * b)', [
  (g, { inputs: [, x] }) => atanGrad(g, x),
  (g, { inputs: [, x], output }) => mul3(atanGrad(g, x), output, x, -2),
]);

/** The error function, 2/√π ∫₀ˣ exp(-t²) dt, from -1 to 1. @function */
export const erf: Unary = unary('erf', 'erf_(a)', (g, { inputs: [x] }) => erfGrad(g, x), ERF);

/** g · 2/√π · exp(-x²), in one launch. */
export const erfGrad: Binary = binary(
  'erfGrad',
  '1.12837916709551 * a * bell_(b)',
  [(g, { inputs: [, x] }) => erfGrad(g, x), (g, { inputs: [, x], output }) => mul3(g, output, x, -2)],
  undefined,
  ERF,
);

/** The largest whole number that is not above x. Its derivative is 0. @function */
export const floor: Unary = unary('floor', 'select(floor(a), a, isnan_(a))', null);

/** The smallest whole number that is not below x. Its derivative is 0. @function */
export const ceil: Unary = unary('ceil', 'select(ceil(a), a, isnan_(a))', null);

/** The nearest whole number; halves go to the even one, as in PyTorch. Its derivative is 0. @function */
export const round: Unary = unary('round', 'select(round(a), a, isnan_(a))', null);

/** 1 where x is NaN, else 0. Not differentiable: a gradient does not reach x through it. @function */
const isNan: Unary = unary('isNaN', 'select(T(0.0), T(1.0), isnan_(a))', undefined);

/**
 * 1 where x is neither NaN nor infinite, else 0. Not differentiable: a gradient does not reach x through it.
 * @function
 */
const isFiniteNumber: Unary = unary('isFinite', 'select(T(0.0), T(1.0), finite_(a))', undefined, FINITE);

// Inside this file the names would hide JavaScript's own.
export { isFiniteNumber as isFinite, isNan as isNaN };

const clampGradRow: Row<Scalars, 2, 1> = row(
  'clampGrad',
  2,
  'select(T(0.0), a, (b >= T(p.s0)) & (b <= T(p.s1)))',
  [(g, { inputs: [, x], params }) => clampGrad(g, x, params.s0!, params.s1!), null],
  { show: ({ s0, s1 }) => `${s0} to ${s1}` },
);

/** g where low <= x <= high, else 0: the derivative of clamp, in one launch. Bounds may be infinite. */
export const clampGrad = (g: Tensor, x: Tensor, low: number, high: number): Tensor =>
  apply(clampGradRow, [g, x], { s0: low, s1: high })[0];

const clampRow: Row<Scalars, 1, 1> = row(
  'clamp',
  1,
  'select(select(select(a, T(p.s0), a < T(p.s0)), T(p.s1), a > T(p.s1)), a, isnan_(a))',
  [(g, { inputs: [x], params }) => clampGrad(g, x, params.s0!, params.s1!)],
  { show: ({ s0, s1 }) => `${s0} to ${s1}` },
);

/**
 * x, but not below `min` and not above `max`; a bound left out (or null) does not limit. Where min > max everything
 * becomes max. The derivative at a bound is 1. NaN stays NaN. (For bounds that are tensors: `minimum`, `maximum`.)
 * @function
 */
export const clamp = op(
  'clamp',
  [tensorLike('x'), maybe(aBound('min')), maybe(aBound('max'))],
  (x, min?, max?): Tensor => {
    const high = max ?? Number.POSITIVE_INFINITY;
    return apply(clampRow, [like(x)], { s0: Math.min(min ?? Number.NEGATIVE_INFINITY, high), s1: high })[0];
  },
);

/** The rows of this file, by name. */
export const unaryRows = {
  mul3: mul3Row,
  expm1: expm1.row,
  log1p: log1p.row,
  reciprocal: reciprocal.row,
  sin: sin.row,
  cos: cos.row,
  mulSine: mulSineRow,
  tan: tan.row,
  tanGrad: tanGrad.row,
  sinh: sinh.row,
  cosh: cosh.row,
  atan: atan.row,
  atanGrad: atanGrad.row,
  erf: erf.row,
  erfGrad: erfGrad.row,
  floor: floor.row,
  ceil: ceil.row,
  round: round.row,
  isNaN: isNan.row,
  isFinite: isFiniteNumber.row,
  clamp: clampRow,
  clampGrad: clampGradRow,
};

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** One over each element. */
    reciprocal(): Tensor;
    /** eˣ - 1, exact also near 0. */
    expm1(): Tensor;
    /** log(1 + x), exact also near 0. */
    log1p(): Tensor;
    /** The sine, of radians. */
    sin(): Tensor;
    /** The cosine, of radians. */
    cos(): Tensor;
    /** The tangent, of radians. */
    tan(): Tensor;
    /** The inverse tangent, in radians. */
    atan(): Tensor;
    /** The hyperbolic sine. */
    sinh(): Tensor;
    /** The hyperbolic cosine. */
    cosh(): Tensor;
    /** The error function. */
    erf(): Tensor;
    /** The next whole number below, with derivative 0. */
    floor(): Tensor;
    /** The next whole number above, with derivative 0. */
    ceil(): Tensor;
    /** The nearest whole number, halves to the even one, with derivative 0. */
    round(): Tensor;
    /** Limits each element to the range from `min` to `max`; null is no limit. */
    clamp(min?: number | null, max?: number | null): Tensor;
    /** 1 where NaN, else 0. */
    isNaN(): Tensor;
    /** 1 where neither NaN nor infinite, else 0. */
    isFinite(): Tensor;
  }
}

methods({
  reciprocal,
  expm1,
  log1p,
  sin,
  cos,
  tan,
  atan,
  sinh,
  cosh,
  erf,
  floor,
  ceil,
  round,
  clamp,
  isNaN: isNan,
  isFinite: isFiniteNumber,
});
