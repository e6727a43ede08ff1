/** One triangle of matrices. */
import { flatMain, grid1d, memo, type Plan } from '../kernel.ts';

const kernel = memo((upper: boolean) => ({
  name: upper ? 'triu' : 'tril',
  source: /* wgsl */ `// x:[A,M,N] -> y:[A,M,N], x where column - row ${upper ? '>=' : '<='} k, else 0
struct Params { n: u32, M: u32, N: u32, k: i32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
${flatMain()}
  if (i >= p.n) { return; }
  let distance = i32(i % p.N) - i32(i / p.N % p.M);
  if (distance ${upper ? '>=' : '<='} p.k) { y[i] = x[i]; } else { y[i] = 0.0; }
}
`,
  access: ['read', 'write'] as const,
}));

export function triangle(upper: boolean, n: number, M: number, N: number, k: number): Plan {
  if (n === 0) return { dispatches: [] };
  return { dispatches: [{ kernel: kernel(upper), args: [0, 1], params: [n, M, N, k], grid: grid1d(n) }] };
}
