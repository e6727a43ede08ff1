/** Kernels that measure what an adapter can do at best, to hold every other kernel against. */
import { f32, flatMain, grid1d, memo, type Plan, type Target } from './kernel.ts';

/** Chains of dependent vec4 operations that one thread keeps in flight. */
const CHAINS = 8;

const fmaKernel = memo((fused: boolean) => {
  const list = Array.from({ length: CHAINS }, (_, k) => k);
  const step = (k: number) => (fused ? `c${k} = fma(c${k}, a, b);` : `c${k} = c${k} * a + b;`);
  return {
    name: `roof/${fused ? 'fma' : 'mad'}`,
    access: ['write'] as const,
    source: /* wgsl */ `// -> y:[threads, 4], the end of ${CHAINS} chains of c = c * a + b
struct Params { threads: u32, rounds: u32, scale: f32, shift: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
${flatMain()}
  if (i >= p.threads) { return; }
  let a = vec4f(p.scale);
  let b = vec4f(p.shift);
  let seed = vec4f(f32(i)) * 0x1p-20;
  ${list.map((k) => `var c${k} = seed + ${k}.0;`).join('\n  ')}
  for (var r = 0u; r < p.rounds; r++) {
    ${Array.from({ length: 4 }, () => list.map(step).join(' ')).join('\n    ')}
  }
  y[i] = ${list.map((k) => `c${k}`).join(' + ')};
}`,
  };
});

const copyKernel = memo(() => ({
  name: 'roof/copy',
  access: ['read', 'write'] as const,
  source: /* wgsl */ `// x:[n] -> y:[n]
struct Params { n4: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
${flatMain()}
  if (i >= p.n4) { return; }
  y[i] = x[i];
}`,
}));

/**
 * The float32 roof: `threads` threads of 8 independent vec4 chains, `rounds` times 4 multiply-adds each. Output
 * y:[threads * 4]. `fused` writes `fma`, else `a * b + c`, which compilers may fuse; run both, the faster is the roof.
 */
export function fmaRoof(
  target: Target,
  options: { readonly threads?: number; readonly rounds?: number; readonly fused?: boolean } = {},
): { plan: Plan; flops: number; outputSize: number } {
  const hardware = target.family === 'hardware';
  const { threads = hardware ? 2 ** 20 : 2 ** 12, rounds = hardware ? 256 : 512, fused = true } = options;
  const params = [threads, rounds, f32(0.9990234375), f32(0.0009765625)];
  const dispatch = { kernel: fmaKernel(fused), args: [0], params, grid: grid1d(threads) };
  return {
    plan: { dispatches: [dispatch] },
    flops: threads * rounds * 4 * CHAINS * 4 * 2,
    outputSize: threads * 4,
  };
}

/** Copy bandwidth: input x and output y of n elements (16 Mi = 64 MiB); `bytes` counts the read and the write. */
export function copyRoof(_target: Target, n = 2 ** 24): { plan: Plan; bytes: number } {
  const threads = Math.ceil(n / 4);
  const dispatch = { kernel: copyKernel(), args: [0, 1], params: [threads], grid: grid1d(threads) };
  return { plan: { dispatches: [dispatch] }, bytes: 8 * n };
}
