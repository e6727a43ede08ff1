/** Elementwise ops. Expressions are WGSL over T = f32 or vec4f; rules are written in ops. */

import { EXP, EXTREMA, LOG, SIGMOID, SIGN } from '../../kernels/special.ts';
import { aNumber, maybe, op } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { methods } from '../tensor/methods.ts';
import { Tensor } from '../tensor/tensor.ts';
import { type Binary, binary, row, type Scalars, type TensorLike, type Unary, unary } from './define.ts';

export type { Scalars, TensorLike } from './define.ts';

/** The row behind arithmetic with numbers: scale * x + shift. */
const affineRow: Row<Scalars, 1, 1> = row(
  'affine',
  1,
  'a * p.s0 + p.s1',
  [(g, { params }) => affine(g, params.s0!, 0)],
  {
    show: ({ s0, s1 }) => `${s0}, ${s1}`,
  },
);

/** The row as a function of one number shows itself. */
const affineAs = (called: string, shown: (params: Scalars) => string): Row<Scalars, 1, 1> => ({
  ...affineRow,
  called,
  show: shown,
});
const timesRow = affineAs('mul', ({ s0 }) => `${s0}`);
const plusRow = affineAs('add', ({ s1 }) => `${s1}`);
const minusRow = affineAs('sub', ({ s1 }) => `${-s1!}`);
const fromRow = affineAs('sub', ({ s1 }) => `from ${s1}`);
const cloneRow = affineAs('clone', () => '');

/** scale * x + shift, for numbers. */
export const affine = (x: Tensor, scale: number, shift: number, row = shift === 0 ? timesRow : affineRow): Tensor =>
  apply(row, [x], { s0: scale, s1: shift })[0];

/**
 * The same values in memory of their own: a copy that later `assign`s to x do not reach. Gradients pass through.
 * @function
 */
export const clone = op('clone', [aTensor('x')], (x): Tensor => affine(x, 1, -0, cloneRow)); // -0 + 0 would be 0

/** Division by a number. Not a product with 1/s, which rounds twice: 49 / 49 is 1, and 49 · (1/49) is not. */
const divScalarRow: Row<Scalars, 1, 1> = row(
  'divScalar',
  1,
  'a / p.s0',
  [(g, { params }) => divScalar(g, params.s0!)],
  {
    called: 'div',
    show: ({ s0 }) => `${s0}`,
  },
);

/** x / s, for a number s. */
export const divScalar = (x: Tensor, s: number): Tensor => apply(divScalarRow, [x], { s0: s })[0];

const isTensor = (x: TensorLike): x is Tensor => x instanceof Tensor;

/** a + b, with broadcasting. @throws ShapeError if the shapes do not broadcast @function */
export const add: Binary = binary('add', 'a + b', [(g) => g, (g) => g], (a, b) =>
  typeof b === 'number' && isTensor(a)
    ? affine(a, 1, b, plusRow)
    : typeof a === 'number' && isTensor(b)
      ? affine(b, 1, a, plusRow)
      : undefined,
);

/** a - b, with broadcasting. @throws ShapeError if the shapes do not broadcast @function */
export const sub: Binary = binary('sub', 'a - b', [(g) => g, (g) => neg(g)], (a, b) =>
  typeof b === 'number' && isTensor(a)
    ? affine(a, 1, -b, minusRow)
    : typeof a === 'number' && isTensor(b)
      ? affine(b, -1, a, fromRow)
      : undefined,
);

/** a · b elementwise, with broadcasting. @throws ShapeError if the shapes do not broadcast @function */
export const mul: Binary = binary(
  'mul',
  'a * b',
  [(g, { inputs: [, b] }) => mul(g, b), (g, { inputs: [a] }) => mul(g, a)],
  (a, b) =>
    typeof b === 'number' && isTensor(a)
      ? affine(a, b, 0, timesRow)
      : typeof a === 'number' && isTensor(b)
        ? affine(b, a, 0, timesRow)
        : undefined,
);

/**
 * a / b elementwise, with broadcasting. x / 0 is ±Infinity, 0 / 0 NaN. @throws ShapeError if the shapes do not broadcast
 * @function
 */
export const div: Binary = binary(
  'div',
  'a / b',
  [(g, { inputs: [, b] }) => div(g, b), (g, { inputs: [, b], output }) => neg(div(mul(g, output), b))],
  (a, b) => (typeof b === 'number' && isTensor(a) ? divScalar(a, b) : undefined),
);

/** 1 where a > b, 1/2 where a = b, else 0: the share of a tie that maximum's gradient gives to a, as in PyTorch. */
export const greaterShare: Binary = binary('greaterShare', 'select(select(T(0.0), T(0.5), a == b), T(1.0), a > b)', [
  null,
  null,
]);

/**
 * The larger of a and b elementwise, with broadcasting; NaN where either is. At ties each side receives half of the
 * cotangent, as in PyTorch. @throws ShapeError if the shapes do not broadcast
 * @function
 */
export const maximum: Binary = binary(
  'maximum',
  'max_(a, b)',
  [(g, { inputs: [a, b] }) => mul(g, greaterShare(a, b)), (g, { inputs: [a, b] }) => mul(g, greaterShare(b, a))],
  undefined,
  EXTREMA,
);

/**
 * The smaller of a and b elementwise, with broadcasting; NaN where either is. At ties each side receives half of the
 * cotangent, as in PyTorch. @throws ShapeError if the shapes do not broadcast
 * @function
 */
export const minimum: Binary = binary(
  'minimum',
  'min_(a, b)',
  [(g, { inputs: [a, b] }) => mul(g, greaterShare(b, a)), (g, { inputs: [a, b] }) => mul(g, greaterShare(a, b))],
  undefined,
  EXTREMA,
);

/** -x @function */
export const neg: Unary = unary('neg', '-a', (g) => neg(g));

/** x² @function */
export const square: Unary = unary('square', 'a * a', (g, { inputs: [x] }) => affine(mul(g, x), 2, 0));

/** √x; NaN below 0. The derivative at 0 is infinite. @function */
export const sqrt: Unary = unary('sqrt', 'sqrt(a)', (g, { output: y }) => affine(div(g, y), 0.5, 0));

/** 1/√x: Infinity at 0, NaN below. @function */
export const rsqrt: Unary = unary('rsqrt', 'inverseSqrt(a)', (g, { inputs: [x], output: y }) =>
  affine(div(mul(g, y), x), -0.5, 0),
);

/** eˣ; in float32 Infinity from x = 88.8 on. @function */
export const exp: Unary = unary('exp', 'exp_(a)', (g, { output: y }) => mul(g, y), EXP);

/** The natural logarithm: -Infinity at 0, NaN below (where the derivative is still 1/x, as in PyTorch). @function */
export const log: Unary = unary('log', 'log_(a)', (g, { inputs: [x] }) => div(g, x), LOG);

/** 1, 0 or -1, and NaN for NaN; its derivative is taken as 0 everywhere. @function */
export const sign: Unary = unary('sign', 'sign_(a)', null, SIGN);

/** |x|, with derivative 0 at 0. @function */
export const abs: Unary = unary('abs', 'abs(a)', (g, { inputs: [x] }) => mul(g, sign(x)));

// tanh from exp of a negative argument never overflows; near 0 the quotient would cancel, so a polynomial takes over.
const TANH = /* wgsl */ `fn tanh_(x: T) -> T {
  let e = exp(-2.0 * abs(x));
  let far = sign(x) * (T(1.0) - e) / (T(1.0) + e);
  let z = x * x;
  let near = x * (1.0 + z * (-0.333333333 + z * (0.133333333 + z * (-0.053968254 + z * 0.021869489))));
  return select(select(far, near, abs(x) < T(0.25)), x, isnan_(x));
}`;

/** The hyperbolic tangent, -1 to 1. @function @category Activations */
export const tanh: Unary = unary('tanh', 'tanh_(a)', (g, { output: y }) => tanhGrad(g, y), TANH);

/** g · (1 - y²): tanh's derivative in terms of its output, in one launch. */
export const tanhGrad: Binary = binary('tanhGrad', 'a * (1.0 - b * b)', [
  (g, { inputs: [, y] }) => tanhGrad(g, y),
  (g, { inputs: [h, y] }) => affine(mul(mul(g, h), y), -2, 0),
]);

/** 1 / (1 + e⁻ˣ), 0 to 1, without overflow. @function @category Activations */
export const sigmoid: Unary = unary('sigmoid', 'sigmoid_(a)', (g, { output: y }) => sigmoidGrad(g, y), SIGMOID);

/** g · y · (1 - y): the sigmoid's derivative in terms of its output, in one launch. */
export const sigmoidGrad: Binary = binary('sigmoidGrad', 'a * b * (1.0 - b)', [
  (g, { inputs: [, y] }) => sigmoidGrad(g, y),
  (g, { inputs: [h, y] }) => mul(mul(g, h), affine(y, -2, 1)),
]);

const gateRow: Row<Scalars, 2, 1> = row(
  'gate',
  2,
  'select(a * p.s0, a, b > T(0.0))',
  [(g, { inputs: [, x], params }) => gate(g, x, params.s0!), null],
  { show: ({ s0 }) => `${s0}` },
);

/** g where x > 0, else slope · g: the derivative of relu and leakyRelu, in one launch. */
export const gate = (g: Tensor, x: Tensor, slope: number): Tensor => apply(gateRow, [g, x], { s0: slope })[0];

/** max(x, 0), with derivative 0 at 0, as in PyTorch; NaN stays NaN. @function @category Activations */
export const relu: Unary = unary('relu', 'select(a, T(0.0), a <= T(0.0))', (g, { output }) => gate(g, output, 0));

const leakyRow: Row<Scalars, 1, 1> = row(
  'leakyRelu',
  1,
  'select(a * p.s0, a, a > T(0.0))',
  // Unless the slope is negative the output has x's sign, and a compiled step need not keep x.
  [(g, { inputs: [x], output, params: { s0 } }) => gate(g, s0! < 0 ? x : output, s0!)],
  { show: ({ s0 }) => `${s0}` },
);

/**
 * x where x > 0, else slope · x, with derivative `slope` at 0. The slope is 0.01 unless given, as in PyTorch; DCGAN uses 0.2.
 * @category Activations
 * @function
 */
export const leakyRelu = op(
  'leakyRelu',
  [aTensor('x'), maybe(aNumber('slope'))],
  (x, slope = 0.01): Tensor => apply(leakyRow, [x], { s0: slope })[0],
);

/** The rows of this file, by name. */
export const elementwiseRows = {
  affine: affineRow,
  divScalar: divScalarRow,
  add: add.row,
  sub: sub.row,
  mul: mul.row,
  div: div.row,
  maximum: maximum.row,
  minimum: minimum.row,
  greaterShare: greaterShare.row,
  neg: neg.row,
  square: square.row,
  sqrt: sqrt.row,
  rsqrt: rsqrt.row,
  exp: exp.row,
  log: log.row,
  sign: sign.row,
  abs: abs.row,
  tanh: tanh.row,
  tanhGrad: tanhGrad.row,
  sigmoid: sigmoid.row,
  sigmoidGrad: sigmoidGrad.row,
  gate: gateRow,
  relu: relu.row,
  leakyRelu: leakyRow,
};

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** Adds `b`, with broadcasting. */
    add(b: TensorLike): Tensor;
    /** Subtracts `b`, with broadcasting. */
    sub(b: TensorLike): Tensor;
    /** Multiplies by `b` elementwise, with broadcasting. */
    mul(b: TensorLike): Tensor;
    /** Divides by `b` elementwise, with broadcasting. */
    div(b: TensorLike): Tensor;
    /** The larger of this and `b`, elementwise. */
    maximum(b: TensorLike): Tensor;
    /** The smaller of this and `b`, elementwise. */
    minimum(b: TensorLike): Tensor;
    /** The same values in memory of their own, still connected to the tape. */
    clone(): Tensor;
    /** Changes the sign. */
    neg(): Tensor;
    /** The absolute value, with derivative 0 at 0. */
    abs(): Tensor;
    /** 1, 0 or -1, with derivative 0. */
    sign(): Tensor;
    /** The second power. */
    square(): Tensor;
    /** The square root. */
    sqrt(): Tensor;
    /** One over the square root. */
    rsqrt(): Tensor;
    /** e to the power of each element. */
    exp(): Tensor;
    /** The natural logarithm. */
    log(): Tensor;
    /** max(x, 0), with derivative 0 at 0. */
    relu(): Tensor;
    /** x where x > 0, else slope · x (0.01). */
    leakyRelu(slope?: number): Tensor;
    /** The hyperbolic tangent. */
    tanh(): Tensor;
    /** 1 / (1 + e⁻ˣ). */
    sigmoid(): Tensor;
  }
}

methods({
  add,
  sub,
  mul,
  div,
  maximum,
  minimum,
  clone,
  neg,
  abs,
  sign,
  square,
  sqrt,
  rsqrt,
  exp,
  log,
  relu,
  leakyRelu,
  tanh,
  sigmoid,
});
