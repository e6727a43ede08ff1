/** The place of the largest or smallest element along one axis. */
import { flatMain, grid1d, memo, type Plan } from './kernel.ts';

// NaN is told by its bits, and counts as the largest and the smallest of all.
const BETTER = (
  less: boolean,
) => /* wgsl */ `fn isnan_(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }
fn better(v: f32, best: f32) -> bool { return !isnan_(best) && (isnan_(v) || v ${less ? '<' : '>'} best); }`;

const chunkKernel = memo((less: boolean) => ({
  name: less ? 'argmin' : 'argmax',
  source: /* wgsl */ `// x:[A,R,B] -> y:[A,K,B], y[a,k,b] = the first r in kL..(k+1)L-1 with the ${less ? 'smallest' : 'largest'} x[a,r,b]
struct Params { n: u32, R: u32, B: u32, K: u32, L: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
${BETTER(less)}
${flatMain()}
  if (i >= p.n) { return; }
  let b = i % p.B;
  let k = i / p.B % p.K;
  let row = i / p.B / p.K * p.R;
  var at = k * p.L;
  var best = x[(row + at) * p.B + b];
  let end = min(p.R, at + p.L);
  for (var r = at + 1u; r < end; r++) {
    let v = x[(row + r) * p.B + b];
    if (better(v, best)) { best = v; at = r; }
  }
  y[i] = f32(at);
}
`,
  access: ['read', 'write'] as const,
}));

const chooseKernel = memo((less: boolean) => ({
  name: less ? 'argmin.2' : 'argmax.2',
  source: /* wgsl */ `// x:[A,R,B] found:[A,K,B] -> y:[A,B]: the first of the places found with the ${less ? 'smallest' : 'largest'} x
struct Params { n: u32, R: u32, B: u32, K: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> found: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
${BETTER(less)}
${flatMain()}
  if (i >= p.n) { return; }
  let b = i % p.B;
  let a = i / p.B;
  var at = u32(found[a * p.K * p.B + b]);
  var best = x[(a * p.R + at) * p.B + b];
  for (var k = 1u; k < p.K; k++) {
    let r = u32(found[(a * p.K + k) * p.B + b]);
    let v = x[(a * p.R + r) * p.B + b];
    if (better(v, best)) { best = v; at = r; }
  }
  y[i] = f32(at);
}
`,
  access: ['read', 'read', 'write'] as const,
}));

/** x:[A,R,B] -> [A,B]. Long axes of few columns are searched in about √R pieces. */
export function argReduce(less: boolean, A: number, R: number, B: number): Plan {
  const n = A * B;
  if (n === 0) return { dispatches: [] };
  const pieces = R >= 1024 && n < 4096 ? Math.ceil(Math.sqrt(R)) : 1;
  const L = Math.ceil(R / pieces);
  const K = Math.ceil(R / L);
  const first = { kernel: chunkKernel(less), params: [n * K, R, B, K, L], grid: grid1d(n * K) };
  if (K === 1) return { dispatches: [{ ...first, args: [0, 1] }] };
  const second = { kernel: chooseKernel(less), params: [n, R, B, K], grid: grid1d(n) };
  return {
    temps: [n * K],
    dispatches: [
      { ...first, args: [0, 2] },
      { ...second, args: [0, 2, 1] },
    ],
  };
}
