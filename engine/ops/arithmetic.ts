/** Powers, angles and remainders. */

import { ATAN, LOG, POW, REMAINDER } from '../../kernels/special.ts';
import { op } from '../arguments/arguments.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { methods } from '../tensor/methods.ts';
import { scope } from '../tensor/scope.ts';
import { Tensor } from '../tensor/tensor.ts';
import { type Binary, binary, like, row, type Scalars, type TensorLike, TWO } from './define.ts';
import { add, affine, div, elementwiseRows, mul, neg, square, sub } from './elementwise.ts';
import { floor, reciprocal } from './unary.ts';

const powGradRow: Row<Scalars, 2, 1> = row(
  'powScalarGrad',
  2,
  'a * p.s0 * powf_(b, p.s1)',
  (g, { inputs: [h, x], params: { s0, s1 }, needs }) => [
    needs[0] ? powScalarGrad(g!, x, s0!) : null,
    needs[1] && s1 !== 0 ? affine(powScalarGrad(mul(g!, h), x, s1!), s0!, 0) : null,
  ],
  { show: ({ s0 }) => `${s0}`, prelude: POW },
);

/** g · p · xᵖ⁻¹, in one launch. */
export const powScalarGrad = (g: Tensor, x: Tensor, p: number): Tensor =>
  apply(powGradRow, [g, x], { s0: p, s1: p - 1 })[0];

const powScalarRow: Row<Scalars, 1, 1> = row(
  'powScalar',
  1,
  'powf_(a, p.s0)',
  (g, { inputs: [x], output, params: { s0 } }) => {
    if (s0 === 0.5) return [affine(div(g!, output), 0.5, 0)]; // as of sqrt
    return [s0 === 0 ? null : powScalarGrad(g!, x, s0!)];
  },
  { called: 'pow', show: ({ s0 }) => `${s0}`, prelude: POW },
);

/** The row of another op that gives a power, as the tape shows it. */
const powAs = (row: Row<Scalars>, power: number): Row<Scalars> => ({ ...row, called: 'pow', show: () => `${power}` });
const firstRow = powAs(elementwiseRows.affine, 1);
const secondRow = powAs(square.row, 2);
const inverseRow = powAs(reciprocal.row, -1);

/** xᵖ for a number p: by products where p is whole and not large. */
export const powScalar = (x: Tensor, p: number): Tensor => {
  if (p === 1) return apply(firstRow, [x], { s0: 1, s1: -0 })[0]!; // a clone
  if (p === 2) return apply(secondRow, [x], {})[0]!;
  if (p === -1) return apply(inverseRow, [x], {})[0]!;
  return apply(powScalarRow, [x], { s0: p })[0];
};

// d²/da db of aᵇ is the same from both sides: aᵇ⁻¹ + b · aᵇ⁻¹ · log a.
const mixed = (g: Tensor, a: Tensor, b: Tensor): Tensor => {
  const less = affine(b, 1, -1);
  return add(mul(g, pow(a, less)), mul(b, powLog(g, a, less)));
};

const powBaseRow: Row<Scalars, 3, 1> = row(
  'powBase',
  3,
  'select(a * c * pow_(b, c - 1.0), T(0.0), c == T(0.0))',
  [
    (g, { inputs: [, a, b] }) => powBase(g, a, b),
    (g, { inputs: [h, a, b] }) => powBase(mul(mul(g, h), b), a, affine(b, 1, -1)),
    (g, { inputs: [h, a, b] }) => mixed(mul(g, h), a, b),
  ],
  { prelude: POW },
);

/** g · b · aᵇ⁻¹, and 0 where b = 0, in one launch. */
export const powBase = (g: Tensor, a: Tensor, b: Tensor): Tensor => apply(powBaseRow, [g, a, b], {})[0];

const powLogRow: Row<Scalars, 3, 1> = row(
  'powLog',
  3,
  'select(a * pow_(b, c) * log_(b), T(0.0), (b == T(0.0)) & (c >= T(0.0)))',
  [
    (g, { inputs: [, a, b] }) => powLog(g, a, b),
    (g, { inputs: [h, a, b] }) => mixed(mul(g, h), a, b),
    // aᵇ log² a in two halves, so that a = 0 gives 0 and not 0 · Infinity.
    (g, { inputs: [h, a, b] }) => {
      const half = affine(b, 0.5, 0);
      return powLog(powLog(mul(g, h), a, half), a, half);
    },
  ],
  { prelude: `${LOG}\n${POW}` },
);

/** g · aᵇ · log a, and 0 where a = 0 and b >= 0, in one launch. */
export const powLog = (g: Tensor, a: Tensor, b: Tensor): Tensor => apply(powLogRow, [g, a, b], {})[0];

const powRow: Row<Scalars, 2, 1> = row(
  'pow',
  2,
  'pow_(a, b)',
  [(g, { inputs: [a, b] }) => powBase(g, a, b), (g, { inputs: [a, b] }) => powLog(g, a, b)],
  { prelude: POW },
);

/**
 * aᵇ elementwise, with broadcasting; either may be a number. At zeros, infinities and NaN it is C's pow: anything to the
 * power 0 is 1, also NaN; 1 to any power is 1, and so is -1 to a power of ±Infinity; -0 to the power -1 is -Infinity. A negative
 * base has whole powers, and NaN for others; -Infinity counts as even there. As in PyTorch the derivative by a is 0 where b = 0, that by
 * b is 0 where a = 0 and b >= 0, and NaN where a < 0.
 * @throws ShapeError if the shapes do not broadcast
 * @function
 */
export const pow: Binary = Object.assign(
  op(
    'pow',
    TWO,
    (a, b): Tensor =>
      typeof b === 'number' && a instanceof Tensor
        ? powScalar(a, b)
        : scope(() => apply(powRow, [like(a, b), like(b, a)], {})[0]),
  ),
  { row: powRow },
);

const polarRow: Row<Scalars, 3, 1> = row(
  'atan2Grad',
  3,
  'p.s0 * a * c / (b * b + c * c)',
  [
    (g, { inputs: [, y, x], params }) => atan2Grad(g, y, x, params.s0!),
    (g, { inputs: [h, y, x], params }) => atan2Grad(atan2Grad(mul(g, h), y, x, 1), x, y, -2 * params.s0!),
    (g, { inputs: [h, y, x], params: { s0 } }) => {
      const gh = mul(g, h);
      return sub(atan2Grad(atan2Grad(gh, x, y, 1), x, y, s0!), atan2Grad(atan2Grad(gh, y, x, 1), y, x, s0!));
    },
  ],
  { show: ({ s0 }) => `${s0}` },
);

/** scale · g · x / (x² + y²), in one launch. */
export const atan2Grad = (g: Tensor, y: Tensor, x: Tensor, scale: number): Tensor =>
  apply(polarRow, [g, y, x], { s0: scale })[0];

/**
 * The angle of the point (x, y), given y first, in radians from -π to π, with broadcasting. Its derivative at (0, 0) is NaN.
 * @throws ShapeError if the shapes do not broadcast
 * @function
 */
export const atan2: Binary = binary(
  'atan2',
  'atan2_(a, b)',
  [(g, { inputs: [y, x] }) => atan2Grad(g, y, x, 1), (g, { inputs: [y, x] }) => atan2Grad(g, x, y, -1)],
  undefined,
  ATAN,
);

/**
 * a - b · floor(a / b), with broadcasting, exact up to one rounding whatever the quotient: it has the sign of b, as in Python.
 * As in PyTorch it is NaN where b = 0 or a is infinite; where b is infinite it is a, or b if a has the other sign. In float32 a b
 * below 1.2e-38 counts as 0. The derivative by b is -floor(a / b), that by a is 1.
 * @throws ShapeError if the shapes do not broadcast
 * @function
 */
export const remainder: Binary = binary(
  'remainder',
  'remainder_(a, b)',
  [(g) => g, (g, { inputs: [a, b] }) => neg(mul(g, floor(div(a, b))))],
  undefined,
  REMAINDER,
);

/** The rows of this file, by name. */
export const arithmeticRows = {
  pow: pow.row,
  powBase: powBaseRow,
  powLog: powLogRow,
  powScalar: powScalarRow,
  powScalarGrad: powGradRow,
  atan2: atan2.row,
  atan2Grad: polarRow,
  remainder: remainder.row,
};

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** Raises each element to the power `b`, with broadcasting. */
    pow(b: TensorLike): Tensor;
    /** The remainder of the division by `b`, with the sign of `b`. */
    remainder(b: TensorLike): Tensor;
    /** The angle of the point (x, this), from -π to π. */
    atan2(x: TensorLike): Tensor;
  }
}

methods({ pow, remainder, atan2 });
