/** Vector norms, the standard deviation and logSumExp: compositions, safe where their parts have no derivative. */

import { euclid } from '../../kernels/euclid.ts';
import { FINITE, LOG, POW } from '../../kernels/special.ts';
import { aValue, axes, maybe, op } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { ShapeError } from '../errors.ts';
import { methods } from '../tensor/methods.ts';
import { scope } from '../tensor/scope.ts';
import { normalizeAxes, reducedShape, show, sizeOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Binary, binary, row, type Scalars, type Unary, unary } from './define.ts';
import { abs, add, affine, div, exp, mul, neg, square, sub } from './elementwise.ts';
import { all, type ExtremumParams, max, min, truth } from './extrema.ts';
import { reshape } from './movement.ts';
import { type ReduceOptions, reduceOptions, sum, type VarianceOptions, variance, varianceOptions } from './reduce.ts';

/** a / b, and 0 where b = 0. */
export const divOrZero: Binary = binary('divOrZero', 'select(a / b, T(0.0), b == T(0.0))', [
  (g, { inputs: [, b] }) => divOrZero(g, b),
  (g, { inputs: [, b], output }) => neg(divOrZero(mul(g, output), b)),
]);

/** log x with derivative 0 at 0: how logSumExp ends. */
export const logOrNone: Unary = unary('logOrNone', 'log_(a)', (g, { inputs: [x] }) => divOrZero(g, x), LOG);

/** √x with derivative 0 at 0: how norms and deviations end. */
export const root: Unary = unary('root', 'sqrt(a)', (g, { output: y }) => affine(divOrZero(g, y), 0.5, 0));

const powers = (name: string, expr: string, other: () => Row<Scalars>): Row<Scalars> =>
  row(
    name,
    1,
    expr,
    [
      (g, { inputs: [x], params: { s0 } }) =>
        s0 === 0 ? affine(g, 0, 0) : affine(mul(g, apply(other(), [x], { s0: s0! - 1 })[0]!), s0!, 0),
    ],
    { prelude: POW, show: ({ s0 }) => `${s0}` },
  );

const absPowRow: Row<Scalars> = powers(
  'absPow',
  'select(powf_(abs(a), p.s0), select(T(0.0), T(1.0), T(p.s0) == T(0.0)), a == T(0.0))',
  () => signedPowRow,
);
const signedPowRow: Row<Scalars> = powers(
  'signedPow',
  'select(select(powf_(abs(a), p.s0), -powf_(abs(a), p.s0), a < T(0.0)), T(0.0), a == T(0.0))',
  () => absPowRow,
);

/** |x|^p, and 0 at 0 whatever p is, but 1 for p = 0. */
export const absPow = (x: Tensor, p: number): Tensor => apply(absPowRow, [x], { s0: p })[0]!;

/** |x|^p with the sign of x, and 0 at 0 whatever p is: the derivative of absPow, but for a factor. */
export const signedPow = (x: Tensor, p: number): Tensor => apply(signedPowRow, [x], { s0: p })[0]!;

/** x, and 0 where it is NaN or infinite. */
export const finiteOrZero: Unary = unary('finiteOrZero', 'select(T(0.0), a, finite_(a))', undefined, FINITE);

/**
 * The standard deviation over `axes`: the root of `variance`, with its options, and derivative 0 where it is 0. `correction`
 * is 0 unless given, as for `variance`; PyTorch's default is 1.
 * @param axes all if absent; negative ones count from the end
 * @throws ShapeError if there is no such axis
 * @function
 */
export const std = op('std', [aTensor('x'), axes, varianceOptions], (x, axes?, options = {}): Tensor => {
  return scope(() => root(variance(x, axes, options)));
});

const norm2Row: Row<ExtremumParams, 1, 1> = {
  name: 'norm2',
  shape: ([x], { axes, keepDims }) => [reducedShape(x, axes, keepDims)],
  kernel: ({ inputs: [x], outputs: [y], params: { axes }, target }) =>
    sizeOf(y) > 0 ? euclid(target, x, axes) : { dispatches: [] },
  composite: ([x], { axes, keepDims }) => [root(sum(square(x), axes, { keepDims }))],
  vjp: [
    (g, { inputs: [x], output: y, params: { axes } }) => {
      const kept = reducedShape(x.shape, axes, true);
      // g · x / y, of which neither g / y is lost nor, in second derivatives, 1 / y² overflows: x and y over a power of two.
      const scale = powerScale(y.detach(), 60);
      return mul(div(x, reshape(scale, kept)), reshape(divOrZero(g, div(y, scale)), kept));
    },
  ],
  show: ({ axes, keepDims }) => `${show(axes)}${keepDims ? ', keepDims' : ''}`,
};

const powerScaleRow: Row<Scalars, 1, 1> = row('powerScale', 1, 'scale_(a, p.s0)', undefined, {
  // Exponents, biased by 127, as they lie in the bits.
  prelude: /* wgsl */ `fn scale_(x: T, bound: f32) -> T {
  let e = bitcast<U>(x) & U(0x7f800000u);
  let usual = (e >= U(u32(127.0 - bound) << 23u)) & (e <= U(u32(127.0 + bound) << 23u));
  return select(bitcast<T>(e), T(1.0), usual | (e == U(0u)) | (e == U(0x7f800000u)));
}`,
  show: ({ s0 }) => `${s0}`,
});

/** The power of two below |x| where |x| is outside 2^±bound, and 1 where it is inside, 0 or no number. No derivative. */
export const powerScale = (x: Tensor, bound: number): Tensor => apply(powerScaleRow, [x], { s0: bound })[0];

/** (Σ|x|^p)^(1/p), p neither 0 nor infinite, without a power that overflows or is lost where the norm itself is a number. */
function powerNorm(x: Tensor, p: number, axes: readonly number[], options: ReduceOptions): Tensor {
  // What the sum consists of: the largest magnitudes, or for p < 0 the smallest. The scale cancels, and may count as a constant;
  // it is a power of two, and 1 unless those are so large or small that x^p or its derivative leave float32's range.
  const most = (p < 0 ? min : max)(abs(x.detach()), axes, { keepDims: true });
  const bound = Math.min(Math.floor(80 / Math.max(Math.abs(p), Math.abs(p - 1))), 120);
  const scale = powerScale(most, bound);
  const y = mul(absPow(sum(absPow(div(x, scale), p), axes, { keepDims: true }), 1 / p), scale);
  return reshape(y, reducedShape(x.shape, axes, options.keepDims ?? false));
}

/**
 * The p-norm over `axes` (all if absent): (Σ|x|^p)^(1/p). p = 2 unless given; Infinity and -Infinity are the largest and the
 * smallest magnitude, and 0 counts the elements that are not 0. Where a norm has no derivative it is taken as 0: for p = 2
 * at the zero vector; ties for the largest share theirs. As torch.linalg.vector_norm, but for elements of any size: no power of
 * them overflows, nor is lost.
 * @throws ShapeError if there is no such axis, or p is NaN
 * @function
 */
export const norm = op(
  'norm',
  [aTensor('x'), maybe(aValue('p')), axes, reduceOptions],
  (x, p = 2, axes?, options = {}): Tensor => {
    if (Number.isNaN(p)) throw new ShapeError('norm: p is NaN; it must be a number, Infinity or -Infinity');
    const list = normalizeAxes('norm', axes, x.rank);
    return scope(() => {
      if (p === 0) return sum(truth(x), axes, options);
      if (p === 1) return sum(abs(x), axes, options);
      if (p === 2) return apply(norm2Row, [x], { axes: list, keepDims: options.keepDims ?? false })[0];
      if (p === Number.POSITIVE_INFINITY) return max(abs(x), axes, options);
      if (p === Number.NEGATIVE_INFINITY) return min(abs(x), axes, options);
      // Of nothing there is no largest element.
      const empty = list.some((a) => x.shape[a] === 0);
      const y = empty ? absPow(sum(absPow(x, p), axes, options), 1 / p) : powerNorm(x, p, list, options);
      // |0|^p is infinite for p < 0, and absPow leaves it out: a zero makes the norm 0.
      return p < 0 ? mul(y, all(x, axes, options)) : y;
    });
  },
);

/**
 * log Σ eˣ over `axes` (all if absent), for arguments of any size: the largest is taken out first. Of nothing, and of
 * nothing but -∞, it is -∞, with derivatives of 0.
 * @throws ShapeError if there is no such axis
 * @function
 */
export const logSumExp = op('logSumExp', [aTensor('x'), axes, reduceOptions], (x, axes?, options = {}): Tensor => {
  const { keepDims = false } = options;
  const list = normalizeAxes('logSumExp', axes, x.rank);
  // Not log(0), whose derivative of second order would be 0/0.
  if (list.some((a) => x.shape[a] === 0)) return scope(() => add(sum(x, list, { keepDims }), Number.NEGATIVE_INFINITY));
  return scope(() => {
    // The shift cancels, so that it may count as a constant.
    const shift = finiteOrZero(max(x.detach(), list, { keepDims: true }));
    const y = add(logOrNone(sum(exp(sub(x, shift)), list, { keepDims: true })), shift);
    return reshape(y, reducedShape(x.shape, list, keepDims));
  });
});

/** The rows of this file, by name. */
export const normsRows = {
  divOrZero: divOrZero.row,
  logOrNone: logOrNone.row,
  root: root.row,
  absPow: absPowRow,
  signedPow: signedPowRow,
  finiteOrZero: finiteOrZero.row,
  powerScale: powerScaleRow,
};
export const normsFused = { norm2: norm2Row };

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** The standard deviation over `axes`, biased unless `correction` is 1. */
    std(axes?: number | readonly number[], options?: VarianceOptions): Tensor;
    /** The p-norm over `axes`; p is 2 unless given. */
    norm(p?: number, axes?: number | readonly number[], options?: ReduceOptions): Tensor;
    /** log Σ eˣ over `axes`, without overflow. */
    logSumExp(axes?: number | readonly number[], options?: ReduceOptions): Tensor;
  }
}

methods({ std, norm, logSumExp });
