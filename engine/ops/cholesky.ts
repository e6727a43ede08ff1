/** The Cholesky factor of small matrices, and the inverse of triangular ones, which its derivative needs. */

import { cholesky as choleskyPlan, trilInverse as inversePlan } from '../../kernels/linalg/cholesky.ts';
import { op } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { ShapeError } from '../errors.ts';
import { type Shape, show, sizeOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { add, affine, neg } from './elementwise.ts';
import { matmul } from './matmul.ts';
import { transpose } from './movement.ts';
import { tril } from './shapes.ts';

const none: Readonly<Record<string, never>> = {};

/** The shape of a stack of square matrices, back as it came. @throws ShapeError */
export function square(op: string, x: Shape): readonly [Shape] {
  if (x.length < 2 || x[x.length - 1] !== x[x.length - 2]) {
    throw new ShapeError(`${op}: ${show(x)} must hold square matrices in its last two axes`);
  }
  return [x];
}

const batchOf = (x: Shape): [number, number] => [sizeOf(x.slice(0, -2)), x[x.length - 1]!];
const left = { transposeA: true };

const trilInverseRow: Row<typeof none, 1> = {
  name: 'trilInverse',
  shape: ([l]) => square('trilInverse', l),
  kernel: ({ inputs: [l] }) => inversePlan(...batchOf(l)),
  vjp: [(g, { output: y }) => neg(tril(matmul(matmul(y, tril(g), left), y, { transposeB: true })))],
};

/**
 * The inverse of lower triangular matrices l [..., N, N], of which only the lower triangle is read.
 * @throws ShapeError unless the last two axes are equal
 * @function
 */
export const trilInverse = op('trilInverse', [aTensor('l')], (l): Tensor => apply(trilInverseRow, [l], none)[0]!);

const choleskyRow: Row<typeof none, 1> = {
  name: 'cholesky',
  shape: ([a]) => square('cholesky', a),
  kernel: ({ inputs: [a] }) => choleskyPlan(...batchOf(a)),
  // Murray, "Differentiation of the Cholesky decomposition" (2016), equation 9.
  vjp: [
    (g, { output: l }) => {
      const p = matmul(l, tril(g), left);
      // The lower triangle with half of the diagonal: the mean of the triangles with and without it.
      const half = affine(add(tril(p), tril(p, -1)), 0.5, 0);
      const inverse = trilInverse(l);
      const s = matmul(matmul(inverse, half, left), inverse);
      return affine(add(s, transpose(s)), 0.5, 0);
    },
  ],
};

/**
 * The lower triangular L with L Lᵀ = a, for symmetric positive definite a [..., N, N] of which only the lower triangle is
 * read; its gradient is symmetric, as in PyTorch. Meant for N up to a few hundred: one thread makes one matrix. A matrix
 * that is not positive definite gives NaN, where PyTorch throws.
 * @throws ShapeError unless the last two axes are equal
 * @function
 */
export const cholesky = op('cholesky', [aTensor('a')], (a): Tensor => apply(choleskyRow, [a], none)[0]!);

/** The rows of this file, by name. */
export const choleskyRows = { cholesky: choleskyRow, trilInverse: trilInverseRow };
