import { TYPES } from '../elementwise.ts';
import { f32, flatMain, grid1d, memo, type Plan } from '../kernel.ts';
import { bitwise, EXTREMA } from '../special.ts';

const kernel = memo(() => ({
  name: 'runningStats',
  source: /* wgsl */ `// stats:[2,C] (mean, rstd) -> runningMean:[C], runningVar:[C], in place
struct Params { C: u32, momentum: f32, eps: f32, unbias: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> running_mean: array<f32>;
@group(0) @binding(2) var<storage, read_write> running_var: array<f32>;
@group(0) @binding(3) var<storage, read> stats: array<f32>;
${TYPES.f32}
${bitwise('p.C')}
${EXTREMA}
${flatMain()}
  if (i >= p.C) { return; }
  let rstd = stats[p.C + i];
  let variance = max_(1.0 / (rstd * rstd) - p.eps, 0.0) * p.unbias;
  running_mean[i] += p.momentum * (stats[i] - running_mean[i]);
  running_var[i] += p.momentum * (variance - running_var[i]);
}
`,
  access: ['write', 'write', 'read'] as const,
}));

/**
 * Moves batch norm's running averages towards the statistics of a batch of n values a channel; the variance is
 * unbiased by n / (n - 1), as in PyTorch. Slots: running mean, running variance, stats.
 */
export function runningStats(channels: number, momentum: number, eps: number, n: number): Plan {
  const params = [channels, f32(momentum), f32(eps), f32(n / (n - 1))];
  return { dispatches: [{ kernel: kernel(), args: [0, 1, 2], params, grid: grid1d(channels) }] };
}
