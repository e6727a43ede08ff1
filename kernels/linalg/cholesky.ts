/** Small dense factorisations: a thread to a matrix or a column, no barriers. */
import { flatMain, grid1d, memo, type Plan } from '../kernel.ts';

const head = (title: string, inputs: string) => /* wgsl */ `// ${title}
struct Params { count: u32, n: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> ${inputs}: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
${flatMain()}
  if (i >= p.count) { return; }
  let n = p.n;`;

const choleskyKernel = memo(() => ({
  name: 'cholesky',
  source: /* wgsl */ `${head('a:[B,n,n], symmetric -> y:[B,n,n], lower triangular with y yT = a; NaN where there is none', 'a')}
  let base = i * n * n;
  let nan = bitcast<f32>(0x7fc00000u | (p.n & 0u));
  for (var r = 0u; r < n; r++) {
    for (var c = 0u; c < n; c++) {
      let at = base + r * n + c;
      if (c > r) { y[at] = 0.0; continue; }
      var s = a[at];
      for (var k = 0u; k < c; k++) { s -= y[base + r * n + k] * y[base + c * n + k]; }
      if (c < r) { y[at] = s / y[base + c * n + c]; } else { y[at] = select(nan, sqrt(s), s > 0.0); }
    }
  }
}
`,
  access: ['read', 'write'] as const,
}));

const inverseKernel = memo(() => ({
  name: 'trilInverse',
  source: /* wgsl */ `${head('l:[B,n,n], lower triangular -> y:[B,n,n], its inverse; a thread to a column', 'l')}
  let base = (i / n) * n * n;
  let c = i % n;
  for (var r = 0u; r < n; r++) {
    let at = base + r * n + c;
    if (r < c) { y[at] = 0.0; continue; }
    var s = select(0.0, 1.0, r == c);
    for (var k = c; k < r; k++) { s -= l[base + r * n + k] * y[base + k * n + c]; }
    y[at] = s / l[base + r * n + r];
  }
}
`,
  access: ['read', 'write'] as const,
}));

const plan = (kernel: ReturnType<typeof choleskyKernel>, threads: number, n: number): Plan => ({
  dispatches: threads === 0 ? [] : [{ kernel, args: [0, 1], params: [threads, n], grid: grid1d(threads) }],
});

/** a:[batch, n, n] to its Cholesky factor. Reads the lower triangle. */
export const cholesky = (batch: number, n: number): Plan => plan(choleskyKernel(), n === 0 ? 0 : batch, n);

/** The inverse of l:[batch, n, n], of which it reads the lower triangle. */
export const trilInverse = (batch: number, n: number): Plan => plan(inverseKernel(), batch * n, n);
