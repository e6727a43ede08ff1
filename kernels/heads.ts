/** Small kernels of losses and attention. */
import { f32, flatMain, grid1d, memo, type Plan } from './kernel.ts';

const classTargetsKernel = memo(() => ({
  name: 'classTargets',
  source: /* wgsl */ `// index:[N] -> y:[N,C], y[n,c] = on where c = index[n], else off; NaN in rows without such a class
struct Params { n: u32, C: u32, on: f32, off: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> index: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
${flatMain()}
  if (i >= p.n) { return; }
  let word = index[i / p.C];
  let class_ = u32(bitcast<f32>(word));
  let valid = class_ < p.C && (bitcast<u32>(f32(class_)) == word || word == 0x80000000u);
  let nan = bitcast<f32>(0x7fc00000u | (p.n & 0u));
  y[i] = select(nan, select(p.off, p.on, i % p.C == class_), valid);
}
`,
  access: ['read', 'write'] as const,
}));

/** Rows of probabilities from class indices. Input index:[N]; output y:[N, classes]. */
export function classTargets(n: number, classes: number, on: number, off: number): Plan {
  const count = n * classes;
  if (count === 0) return { dispatches: [] };
  const params = [count, classes, f32(on), f32(off)];
  return { dispatches: [{ kernel: classTargetsKernel(), args: [0, 1], params, grid: grid1d(count) }] };
}

const causalKernel = memo(() => ({
  name: 'causal',
  source: /* wgsl */ `// x:[A,Q,K] -> y:[A,Q,K], y[a,q,k] = x[a,q,k] where k <= q, else value
struct Params { n: u32, Q: u32, K: u32, value: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
${flatMain()}
  if (i >= p.n) { return; }
  y[i] = select(p.value, x[i], i % p.K <= (i / p.K) % p.Q);
}
`,
  access: ['read', 'write'] as const,
}));

/** Replaces what lies above the diagonal of the last two axes of x:[A, Q, K]. */
export function causal(a: number, q: number, k: number, value: number): Plan {
  const n = a * q * k;
  if (n === 0) return { dispatches: [] };
  return { dispatches: [{ kernel: causalKernel(), args: [0, 1], params: [n, q, k, f32(value)], grid: grid1d(n) }] };
}
