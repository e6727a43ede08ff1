import { flatMain, grid1d, type Kernel, type Plan, type Target } from '../kernel.ts';
import { gemm } from './gemm.ts';

export interface MatmulSizes {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** a is [k,m] instead of [m,k]. */
  readonly transposeA: boolean;
  /** b is [n,k] instead of [k,n]. */
  readonly transposeB: boolean;
  /** Elements from one matrix of the batch to the next; 0 where one matrix serves the whole batch. */
  readonly batchStrideA: number;
  readonly batchStrideB: number;
}

/** c = a b for each of the batch. Inputs a [batch,m,k], b [batch,k,n]; output c [batch,m,n]. */
export function matmul(target: Target, s: MatmulSizes): Plan {
  return gemm(target, {
    name: 'matmul',
    m0: 1,
    k2: s.k,
    n: s.n,
    a: {
      m: [0, 0, s.transposeA ? 1 : s.k],
      k: [0, 0, s.transposeA ? s.m : 1],
      h: 0,
      w: 0,
      batch: s.batchStrideA,
    },
    b: { k: [0, 0, s.transposeB ? 1 : s.n], n: s.transposeB ? s.k : 1, batch: s.batchStrideB },
    c: { m: [0, 0, s.n], h: 0, w: 0, batch: s.m * s.n },
    size: s.batch * s.m * s.n,
    batch: s.batch,
    h: [{ m: 1, k: 1, origin: 0, b: 0 }],
    w: [{ m: s.m, k: 1, origin: 0, b: 0 }],
  });
}

/** `matmul` with one invocation for each element of c: what the fast one is tested against. */
export const matmulNaive = (_target: Target, s: MatmulSizes): Plan => ({
  dispatches: [
    {
      kernel: naive,
      args: [0, 1, 2],
      params: [
        ...[s.batch, s.m, s.n, s.k],
        ...(s.transposeA ? [1, s.m] : [s.k, 1]),
        ...(s.transposeB ? [1, s.k] : [s.n, 1]),
        ...[s.batchStrideA, s.batchStrideB],
      ],
      grid: grid1d(s.batch * s.m * s.n),
    },
  ],
});

const naive: Kernel = {
  name: 'matmul.naive',
  access: ['read', 'read', 'write'],
  source: /* wgsl */ `// a:[B,M,K] b:[B,K,N] -> c:[B,M,N], rows, columns and batches of a and b at any stride
struct Params { batch: u32, m: u32, n: u32, k: u32, am: u32, ak: u32, bk: u32, bn: u32, aBatch: u32, bBatch: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;
${flatMain()}
  if (i >= p.batch * p.m * p.n) { return; }
  let n = i % p.n;
  let m = i / p.n % p.m;
  let batch = i / (p.n * p.m);
  var sum = 0.0;
  for (var k = 0u; k < p.k; k++) {
    sum += a[batch * p.aBatch + m * p.am + k * p.ak] * b[batch * p.bBatch + k * p.bk + n * p.bn];
  }
  c[i] = sum;
}
`,
};
