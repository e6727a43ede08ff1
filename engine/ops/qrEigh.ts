/** The QR factors of small matrices, and the eigenvalues and eigenvectors of small symmetric ones. */

import { eigh as eighPlan } from '../../kernels/linalg/eigh.ts';
import { qr as qrPlan } from '../../kernels/linalg/qr.ts';
import { op } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { ShapeError } from '../errors.ts';
import { scope } from '../tensor/scope.ts';
import { type Shape, show, sizeOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { square, trilInverse } from './cholesky.ts';
import { ones } from './create.ts';
import { add, affine, mul, neg, sub } from './elementwise.ts';
import { matmul } from './matmul.ts';
import { concat, slice, transpose } from './movement.ts';
import { diag, tril, unsqueeze } from './shapes.ts';
import { reciprocal } from './unary.ts';

const none: Readonly<Record<string, never>> = {};
const [left, right] = [{ transposeA: true }, { transposeB: true }];
const batchOf = (x: Shape): number => sizeOf(x.slice(0, -2));

const qrRow: Row<typeof none, 1> = {
  name: 'qr',
  shape: ([a]) => {
    const [m, n] = a.slice(-2) as [number, number];
    return [a, [...a.slice(0, -2), n, n]].slice(0, m >= n ? 2 : 0);
  },
  kernel: ({ inputs: [a] }) => qrPlan(batchOf(a), ...(a.slice(-2) as [number, number])),
  // Walter and Lehmann, "Algorithmic differentiation of linear algebra functions" (2010), for m >= n:
  // (gQ + Q mirror(R gRᵀ - gQᵀ Q)) R⁻ᵀ, where mirror copies the lower triangle to the upper.
  vjp: (_, { outputs: [q, r], gs: [gq, gr] }) => {
    const parts = [gr && matmul(r!, gr, right), gq && neg(matmul(gq, q!, left))].filter((t) => t !== undefined);
    const sum = parts.reduce((a, b) => add(a, b));
    const direct = matmul(q!, add(tril(sum), transpose(tril(sum, -1))));
    return [matmul(gq ? add(gq, direct) : direct, trilInverse(transpose(r!)))];
  },
};

/** The factors of `qr`. */
export interface QrFactors {
  /** [..., M, min(M, N)], with orthonormal columns. */
  readonly q: Tensor;
  /** [..., min(M, N), N], upper triangular. */
  readonly r: Tensor;
}

/**
 * The reduced QR factors of a [..., M, N]: q r = a, with the signs of LAPACK, as torch.linalg.qr. Meant for small matrices: one
 * thread factors one matrix, by Householder reflections. The derivative needs the first min(M, N) columns to be independent.
 * @throws ShapeError if a has fewer than two axes
 * @function
 */
export const qr = op('qr', [aTensor('a')], (a): QrFactors => {
  if (a.rank < 2) throw new ShapeError(`qr: ${show(a.shape)} has no matrix in its last two axes`);
  const [m, n] = a.shape.slice(-2) as [number, number];
  if (m >= n) {
    const [q, r] = apply(qrRow, [a], none);
    return { q: q!, r: r! };
  }
  // A wide matrix [X Y] with X square: X = q u, so that r = [u qᵀY].
  return scope(() => {
    const batch = a.shape.slice(0, -2).map(() => [] as const);
    const [x, y] = [slice(a, [...batch, [], [0, m]]), slice(a, [...batch, [], [m, n]])];
    const [q, u] = apply(qrRow, [x], none);
    return { q: q!, r: concat([u!, matmul(q!, y, left)], a.rank - 1) };
  });
});

const eighRow: Row<typeof none, 1, 2> = {
  name: 'eigh',
  shape: ([a]) => {
    square('eigh', a);
    return [a.slice(0, -1), a];
  },
  kernel: ({ inputs: [a] }) => eighPlan(batchOf(a), a[a.length - 1]!),
  // Giles, "Collected matrix derivative results" (2008), section 3.1: V (diag(gw) + F ∘ VᵀgV) Vᵀ, F = 1 / (w_j - w_i).
  vjp: (_, { outputs: [w, v], gs: [gw, gv] }) => {
    const middle = [gw && matmulDiagonal(v, gw)];
    if (gv) {
      const eye = diag(ones([v.shape[v.rank - 1]!]));
      const gaps = sub(unsqueeze(w, -2), unsqueeze(w, -1));
      const f = sub(reciprocal(add(gaps, eye)), eye);
      middle.push(matmul(v, mul(f, matmul(v, gv, left))));
    }
    const g = matmul(
      middle.filter((t) => t !== undefined).reduce((a, b) => add(a, b)),
      v,
      right,
    );
    return [affine(add(g, transpose(g)), 0.5, 0)];
  },
};

/** v diag(d). */
const matmulDiagonal = (v: Tensor, d: Tensor): Tensor => mul(v, unsqueeze(d, -2));

/** What `eigh` finds. */
export interface Eigensystem {
  /** Eigenvalues, [..., N], ascending. */
  readonly values: Tensor;
  /** Eigenvectors, [..., N, N]: column k belongs to value k, has length 1, and its largest component is positive. */
  readonly vectors: Tensor;
}

/**
 * Eigenvalues and eigenvectors of symmetric matrices a [..., N, N], of which only the lower triangle is read:
 * a = v diag(w) vᵀ. Meant for N up to a few hundred: one thread turns one matrix, by Jacobi's method. The gradient is
 * symmetric; that of the vectors is infinite where two eigenvalues are equal, as in PyTorch, and that of the values is not. A
 * matrix with a NaN or an infinity has NaN for all.
 * @throws ShapeError unless the last two axes are equal
 * @function
 */
export const eigh = op('eigh', [aTensor('a')], (a): Eigensystem => {
  const [values, vectors] = apply(eighRow, [a], none);
  return { values: values, vectors: vectors };
});

/** The rows of this file, by name. */
export const qrEighRows = { qr: qrRow, eigh: eighRow };
