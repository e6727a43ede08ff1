/**
 * Comparisons, logic and choice. There is one dtype for each device, so that true is 1 and false is 0; as a condition
 * everything but 0 is true, NaN too, as in PyTorch. A gradient does not pass through a comparison or a logical op (their
 * results do not require one); it passes through the branches of `where`.
 */

import { TRUTH } from '../../kernels/special.ts';
import { op } from '../arguments/arguments.ts';
import { aTensor, tensorLike } from '../arguments/kinds.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { methods } from '../tensor/methods.ts';
import { scope } from '../tensor/scope.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Binary, binary, like, row, type Scalars, type TensorLike, type Unary, unary } from './define.ts';

const when = (condition: string) => `select(T(0.0), T(1.0), ${condition})`;
// Drivers may take NaN for a number, so it is asked for.
const compare = (name: string, condition: string): Binary =>
  binary(name, when(`(${condition}) & !(isnan_(a) | isnan_(b))`), undefined);
const logical = (name: string, condition: string): Binary => binary(name, when(condition), undefined, undefined, TRUTH);

/**
 * 1 where a = b, else 0 (with NaN: 0), with broadcasting.
 * @throws ShapeError if the shapes do not broadcast
 * @function
 */
export const equal: Binary = compare('equal', 'a == b');

/**
 * 1 where a differs from b (with NaN: 1), else 0, with broadcasting.
 * @throws ShapeError if the shapes do not broadcast
 * @function
 */
export const notEqual: Binary = binary('notEqual', when('(a != b) | isnan_(a) | isnan_(b)'), undefined);

/**
 * 1 where a < b, else 0 (with NaN: 0), with broadcasting.
 * @throws ShapeError if the shapes do not broadcast
 * @function
 */
export const less: Binary = compare('less', 'a < b');

/**
 * 1 where a <= b, else 0 (with NaN: 0), with broadcasting.
 * @throws ShapeError if the shapes do not broadcast
 * @function
 */
export const lessEqual: Binary = compare('lessEqual', 'a <= b');

/**
 * 1 where a > b, else 0 (with NaN: 0), with broadcasting.
 * @throws ShapeError if the shapes do not broadcast
 * @function
 */
export const greater: Binary = compare('greater', 'a > b');

/**
 * 1 where a >= b, else 0 (with NaN: 0), with broadcasting.
 * @throws ShapeError if the shapes do not broadcast
 * @function
 */
export const greaterEqual: Binary = compare('greaterEqual', 'a >= b');

/**
 * 1 where a and b are both true (not 0), else 0, with broadcasting.
 * @throws ShapeError if the shapes do not broadcast
 * @function
 */
export const logicalAnd: Binary = logical('logicalAnd', 'on_(a) & on_(b)');

/**
 * 1 where a or b is true (not 0), else 0, with broadcasting.
 * @throws ShapeError if the shapes do not broadcast
 * @function
 */
export const logicalOr: Binary = logical('logicalOr', 'on_(a) | on_(b)');

/**
 * 1 where one of a and b is true (not 0) and the other is not, else 0, with broadcasting.
 * @throws ShapeError if the shapes do not broadcast
 * @function
 */
export const logicalXor: Binary = logical('logicalXor', 'on_(a) != on_(b)');

/** 1 where x is 0, else 0 (with NaN: 0). @function */
export const logicalNot: Unary = unary('logicalNot', when('!on_(a)'), undefined, TRUTH);

const maskRow: Row<Scalars, 2, 1> = row(
  'mask',
  2,
  'select(T(0.0), a, on_(b) == B(p.s0 != 0.0))',
  [(g, { inputs: [, condition], params }) => mask(g, condition, params.s0 !== 0), null],
  { show: ({ s0 }) => (s0 ? 'true' : 'false'), prelude: TRUTH },
);

/**
 * g where the condition is as wanted, else 0 (also where g is infinite or NaN): the derivative of where, in one launch.
 */
export const mask = (g: Tensor, condition: Tensor, wanted: boolean): Tensor =>
  apply(maskRow, [g, condition], { s0: wanted ? 1 : 0 })[0];

const whereRow: Row<Scalars, 3, 1> = row(
  'where',
  3,
  'select(c, b, on_(a))',
  [
    null,
    (g, { inputs: [condition] }) => mask(g, condition, true),
    (g, { inputs: [condition] }) => mask(g, condition, false),
  ],
  { prelude: TRUTH },
);

/**
 * a where the condition is true (not 0), else b; all three broadcast, and a and b may be numbers. The side that is not
 * taken gets gradient 0 (though 0 · Infinity further back is still NaN: keep that side finite).
 * @throws ShapeError if the shapes do not broadcast
 * @example
 * const safe = where(x.greater(0), x.maximum(1e-6).log(), 0); // the log never sees 0, so no NaN comes back
 * @function
 */
export const where = op(
  'where',
  [aTensor('condition'), tensorLike('a'), tensorLike('b')],
  (condition, a, b): Tensor => scope(() => apply(whereRow, [condition, like(a, condition), like(b, condition)], {})[0]),
);

/** The rows of this file, by name. */
export const comparisonRows = {
  equal: equal.row,
  notEqual: notEqual.row,
  less: less.row,
  lessEqual: lessEqual.row,
  greater: greater.row,
  greaterEqual: greaterEqual.row,
  logicalAnd: logicalAnd.row,
  logicalOr: logicalOr.row,
  logicalXor: logicalXor.row,
  logicalNot: logicalNot.row,
  mask: maskRow,
  where: whereRow,
};

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** 1 where equal to `b`, else 0. */
    equal(b: TensorLike): Tensor;
    /** 1 where different from `b`, else 0. */
    notEqual(b: TensorLike): Tensor;
    /** 1 where less than `b`, else 0. */
    less(b: TensorLike): Tensor;
    /** 1 where less than `b` or equal, else 0. */
    lessEqual(b: TensorLike): Tensor;
    /** 1 where greater than `b`, else 0. */
    greater(b: TensorLike): Tensor;
    /** 1 where greater than `b` or equal, else 0. */
    greaterEqual(b: TensorLike): Tensor;
    /** 1 where this and `b` are both not 0, else 0. */
    logicalAnd(b: TensorLike): Tensor;
    /** 1 where this or `b` is not 0, else 0. */
    logicalOr(b: TensorLike): Tensor;
    /** 1 where just one of this and `b` is not 0, else 0. */
    logicalXor(b: TensorLike): Tensor;
    /** 1 where 0, else 0. */
    logicalNot(): Tensor;
  }
}

methods({ equal, notEqual, less, lessEqual, greater, greaterEqual, logicalAnd, logicalOr, logicalXor, logicalNot });
