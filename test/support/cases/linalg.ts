/** Linear algebra, composed. */
import { matmul, type Shape, type Tensor, tensor } from '../../../engine/index.ts';
import { cholesky, type choleskyRows, trilInverse } from '../../../engine/ops/cholesky.ts';
import { einsum } from '../../../engine/ops/einsum.ts';
import { dot, outer } from '../../../engine/ops/linalg.ts';
import { eigh, qr, type qrEighRows } from '../../../engine/ops/qrEigh.ts';
import { show } from '../../../engine/tensor/shape.ts';
import type { Case, CasesOf } from '../builders.ts';

const summed = (equation: string, ...shapes: Shape[]): Case => ({
  name: `${equation} of ${shapes.map(show).join(' ')}`,
  inputs: shapes.map((shape) => ({ shape })),
  fn: (...xs: Tensor[]) => einsum(equation, ...xs),
});

export const linalgCompositions: Readonly<Record<string, readonly Case[]>> = {
  outer: [
    { name: '[3] [5]', inputs: [{ shape: [3] }, { shape: [5] }], fn: outer },
    { name: '[0] [3]', inputs: [{ shape: [0] }, { shape: [3] }], fn: outer },
  ],
  dot: [
    { name: '[5]', inputs: [{ shape: [5] }, { shape: [5] }], fn: dot },
    { name: '[0]', inputs: [{ shape: [0] }, { shape: [0] }], fn: dot },
  ],
  einsum: [
    summed('ij->ji', [2, 3]),
    summed('ij->', [2, 3]),
    summed('ij->i', [2, 3]),
    summed('ba', [2, 3]),
    summed('ij->ij', [2, 3]),
    summed('...i->i...', [2, 3, 2]),
    summed('i,i->', [5], [5]),
    summed('i,j->ij', [3], [5]),
    summed('i, j', [3], [2]),
    summed('ij,jk->ik', [2, 3], [3, 4]),
    summed('ij,kj->ik', [2, 3], [4, 3]),
    summed('ji,jk->ki', [3, 2], [3, 4]),
    summed('ij,ij->ij', [2, 3], [2, 3]),
    summed('bij,bjk->bik', [2, 2, 3], [2, 3, 2]),
    summed('bhqd,bhkd->bhqk', [1, 2, 3, 2], [1, 2, 2, 2]),
    summed('...ij,jk->...ik', [2, 2, 3], [3, 2]),
    summed('...i,...i->...', [2, 3], [1, 3]),
    summed('ab,cd->', [2, 3], [1, 2]),
    summed('ij,jk,kl->il', [2, 3], [3, 2], [2, 3]),
    summed('i,ij,j->', [2], [2, 3], [3]),
    summed('ijk,jil->kl', [2, 3, 4], [3, 2, 2]),
    summed('ij,j->i', [2, 3], [1]),
    summed(',i->i', [], [3]),
    summed('ij,jk->ik', [2, 0], [0, 3]),
    summed('ii->i', [3, 3]),
    summed('ii', [3, 3]),
    summed('iij->j', [3, 3, 2]),
    summed('iji->ji', [2, 3, 2]),
    summed('iii->i', [2, 2, 2]),
    summed('iijj->ij', [2, 2, 3, 3]),
    summed('...ii->...', [2, 3, 3]),
    summed('ii,ij->j', [3, 3], [3, 2]),
    summed('ii->i', [0, 0]),
    summed('bii->b', [2, 65, 65]),
    summed('bqhd,bkhd->bhqk', [2, 17, 3, 8], [2, 33, 3, 8]),
  ],
};

/** m × n with `value(k)` in row k and column k. */
const diagonal = (m: number, n: number, value: (k: number) => number): Tensor =>
  tensor(
    Array.from({ length: m * n }, (_, i) => (Math.floor(i / n) === i % n ? value(i % n) : 0)),
    { shape: [m, n] },
  );

const eye = (n: number): Tensor => diagonal(n, n, () => 1);

/** A symmetric matrix, from any, whose eigenvalues lie about 1 apart. */
const spread = (x: Tensor): Tensor => {
  const n = x.shape[x.rank - 1]!;
  return x
    .add(x.transpose())
    .mul(0.3 / Math.max(n, 1))
    .add(diagonal(n, n, (k) => (k * 7) % n));
};

/** A well-conditioned symmetric matrix from any. */
const definite = (x: Tensor): Tensor => {
  const n = x.shape[x.rank - 1]!;
  return matmul(x, x, { transposeB: true })
    .mul(1 / Math.max(n, 1))
    .add(eye(n));
};

const MATRICES: readonly Shape[] = [
  [1, 1],
  [3, 3],
  [2, 2, 2],
  [0, 0],
  [0, 3, 3],
  [17, 17],
  [3, 33, 33],
];

const TALL_AND_WIDE: readonly Shape[] = [
  ...MATRICES,
  [5, 3],
  [2, 4, 2],
  [3, 5],
  [2, 1, 3],
  [3, 0],
  [0, 3],
  [2, 40, 17],
  [17, 40],
];

export const linalgCases: CasesOf<typeof choleskyRows & typeof qrEighRows> = {
  qr: TALL_AND_WIDE.map((shape) => ({
    name: show(shape),
    inputs: [{ shape, from: -0.5, to: 0.5 }],
    fn: (x) => {
      const [m, n] = shape.slice(-2) as [number, number];
      const { q, r } = qr(x.add(diagonal(m, n, () => 2)));
      return [q, r];
    },
  })),
  eigh: MATRICES.map((shape) => ({
    name: show(shape),
    inputs: [{ shape }],
    fn: (x) => {
      const { values, vectors } = eigh(spread(x));
      return [values, vectors];
    },
    tolerance: 2e-5,
  })),
  cholesky: MATRICES.map((shape) => ({ name: show(shape), inputs: [{ shape }], fn: (x) => cholesky(definite(x)) })),
  trilInverse: MATRICES.map((shape) => ({
    name: show(shape),
    inputs: [{ shape, from: -0.2, to: 0.2 }],
    fn: (x) => trilInverse(x.add(eye(shape[shape.length - 1]!))),
    tolerance: 2e-5,
  })),
};
