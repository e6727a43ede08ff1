/** The matrix product. */

import { matmul as matmulPlan } from '../../kernels/gemm/matmul.ts';
import { op, options } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { flag } from '../arguments/ranges.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { ShapeError } from '../errors.ts';
import { methods } from '../tensor/methods.ts';
import { scope } from '../tensor/scope.ts';
import { broadcastShapes, type Shape, sameShape, show, sizeOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { unlessEmpty } from './empty.ts';
import { reshape } from './movement.ts';
import { broadcastTo } from './reduce.ts';

/** Options of {@link matmul}. */
export interface MatmulOptions {
  /** Swap a's last two axes, without a copy. Default false. */
  readonly transposeA?: boolean;
  /** Swap b's last two axes, without a copy. Default false. */
  readonly transposeB?: boolean;
}

const matmulOptions = options<MatmulOptions>({ transposeA: flag, transposeB: flag });

export interface MatmulParams {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** The sizes behind a matmul of operands whose batches are equal, or one of which has no batch. */
export function matmulSizes(a: Shape, b: Shape, { transposeA, transposeB }: MatmulParams) {
  const [a0, a1] = a.slice(-2) as [number, number];
  const [b0, b1] = b.slice(-2) as [number, number];
  const [m, ka] = transposeA ? [a1, a0] : [a0, a1];
  const [kb, n] = transposeB ? [b1, b0] : [b0, b1];
  const batchA = sizeOf(a.slice(0, -2));
  const batchB = sizeOf(b.slice(0, -2));
  const batch = Math.max(batchA, batchB);
  return {
    batch,
    m,
    n,
    k: ka,
    kb,
    transposeA,
    transposeB,
    batchStrideA: batchA === 1 ? 0 : m * ka,
    batchStrideB: batchB === 1 ? 0 : kb * n,
  };
}

const matmulRow: Row<MatmulParams, 2, 1> = {
  name: 'matmul',
  shape: ([a, b], params) => {
    const { m, n, k, kb } = matmulSizes(a, b, params);
    if (k !== kb) {
      const t = (s: Shape, on: boolean) => `${show(s)}${on ? ' transposed' : ''}`;
      throw new ShapeError(
        `matmul: ${t(a, params.transposeA)} times ${t(b, params.transposeB)}: the inner sizes ${k} and ${kb} must be equal`,
      );
    }
    return [[...(a.length >= b.length ? a : b).slice(0, -2), m, n]];
  },
  kernel: ({ inputs, outputs, params, target }) =>
    unlessEmpty(inputs, outputs, () => matmulPlan(target, matmulSizes(inputs[0], inputs[1], params))),
  vjp: [
    (g, { inputs: [, b], params: { transposeA: tA, transposeB: tB } }) =>
      tA ? matmul(b, g, { transposeA: tB, transposeB: true }) : matmul(g, b, { transposeB: !tB }),
    (g, { inputs: [a], params: { transposeA: tA, transposeB: tB } }) =>
      tB ? matmul(g, a, { transposeA: true, transposeB: tA }) : matmul(a, g, { transposeA: !tA }),
  ],
  show: ({ transposeA, transposeB }) => [transposeA ? 'aᵀ' : '', transposeB ? 'bᵀ' : ''].filter(Boolean).join(', '),
};

/**
 * The matrix product of the last two axes: [..., M, K] times [..., K, N] gives [..., M, N]; leading axes are batches and
 * broadcast. A vector is a row on the left and a column on the right, as in PyTorch, and its axis goes away.
 * @throws ShapeError if the inner sizes differ, the batches do not broadcast, or an operand is a scalar
 * @function
 */
export const matmul = op('matmul', [aTensor('a'), aTensor('b'), matmulOptions], (a, b, options = {}): Tensor => {
  const { transposeA = false, transposeB = false } = options;
  return scope(() => product(a, b, { transposeA, transposeB }));
});

function product(a: Tensor, b: Tensor, { transposeA, transposeB }: MatmulParams): Tensor {
  if (a.rank === 0 || b.rank === 0) throw new ShapeError('matmul: a scalar has no matrix product; use mul');
  if (a.rank === 1 || b.rank === 1) {
    const row = a.rank === 1 ? reshape(a, transposeA ? [a.size, 1] : [1, a.size]) : a;
    const column = b.rank === 1 ? reshape(b, transposeB ? [1, b.size] : [b.size, 1]) : b;
    const y = product(row, column, { transposeA, transposeB });
    const kept = [...(a.rank === 1 ? [] : [y.shape[y.rank - 2]!]), ...(b.rank === 1 ? [] : [y.shape[y.rank - 1]!])];
    return reshape(y, [...y.shape.slice(0, -2), ...kept]);
  }
  if (b.rank === 2 && a.rank > 2 && !transposeA) {
    // One product of all rows, instead of one a batch: b's gradient is summed inside it.
    const rows = reshape(a, [sizeOf(a.shape.slice(0, -1)), a.shape[a.rank - 1]!]);
    const y = product(rows, b, { transposeA, transposeB });
    return reshape(y, [...a.shape.slice(0, -1), y.shape[1]!]);
  }
  const batchA = a.shape.slice(0, -2);
  const batchB = b.shape.slice(0, -2);
  let [left, right] = [a, b];
  if (!sameShape(batchA, batchB) && batchA.length > 0 && batchB.length > 0) {
    const batch = broadcastShapes('matmul', batchA, batchB);
    left = spread(a, batch);
    right = spread(b, batch);
  }
  return apply(matmulRow, [left, right], { transposeA, transposeB })[0];
}

const spread = (x: Tensor, batch: Shape): Tensor => {
  const shape = [...batch, ...x.shape.slice(-2)];
  return sameShape(x.shape, shape) ? x : broadcastTo(x, shape);
};

/** The rows of this file, by name. */
export const matmulRows = { matmul: matmulRow };

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** The matrix product; leading axes are batches. */
    matmul(b: Tensor, options?: MatmulOptions): Tensor;
  }
}

methods({ matmul });
