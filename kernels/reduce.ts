import { TYPES } from './elementwise.ts';
import { type Dispatch, f32, flatMain, grid1d, memo, type Plan, type Target } from './kernel.ts';
import { bitwise, EXTREMA } from './special.ts';

/**
 * How a reduction combines two values (`acc`, `v`, of type T = f32 or vec4f), and the value it starts from. Both may call
 * `max_`, `min_`, `isnan_(x)`, and `bits_(word)` for a value given by its bits (special.ts).
 */
export interface Reduction {
  readonly name: string;
  readonly combine: string;
  readonly init: string;
}

export const SUM: Reduction = { name: 'sum', combine: 'acc + v', init: '0.0' };
export const PROD: Reduction = { name: 'prod', combine: 'acc * v', init: '1.0' };
export const MAX: Reduction = { name: 'max', combine: 'max_(acc, v)', init: 'bits_(0xff800000u)' };
export const MIN: Reduction = { name: 'min', combine: 'min_(acc, v)', init: 'bits_(0x7f800000u)' };

// One thread makes one partial result: it walks r = k, k + K, k + 2K, ... so that neighbouring threads read neighbouring
// elements when B = 1. No barrier: a tree in workgroup memory costs a CPU far more than a second pass.
export const partial = memo((name: string, combine: string, init: string, vector: boolean) => ({
  name,
  source: /* wgsl */ `// x:[A,R,B] -> y:[A,K,B], y[a,k,b] = scale * the reduction of x[a,r,b] over r = k (mod K)
${TYPES[vector ? 'vec4f' : 'f32']}
struct Params { n: u32, R: u32, B: u32, K: u32, scale: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<T>;
${bitwise('p.n')}
${EXTREMA}
fn combine(acc: T, v: T) -> T { return ${combine}; }
${flatMain()}
  if (i >= p.n) { return; }
  let b = i % p.B;
  let ak = i / p.B;
  let k = ak % p.K;
  var at = (ak / p.K * p.R + k) * p.B + b;
  let step = p.K * p.B;
  // Runs of 128 are added up by themselves: one long run would lose what is small beside its sum.
  var total = T(${init});
  for (var r = k; r < p.R;) {
    var acc = T(${init});
    let end = min(p.R, r + 128u * p.K);
    for (; r < end; r += p.K) {
      acc = combine(acc, x[at]);
      at += step;
    }
    total = combine(total, acc);
  }
  y[i] = total * p.scale;
}
`,
  access: ['read', 'write'] as const,
}));

/** A run of axes: reduced or kept. */
interface Run {
  size: number;
  reduced: boolean;
}

/**
 * Reduces x of `shape` over `axes` (sorted, non-negative). The result is multiplied by `scale`.
 * Each run of neighbouring reduced axes is one [A, R, B] reduction, in as many deterministic stages as keep the adapter busy.
 */
export function reduce(
  target: Target,
  op: Reduction,
  shape: readonly number[],
  axes: readonly number[],
  scale = 1,
): Plan {
  const stages = stagesOf(target, shape, axes);
  const temps: number[] = [];
  const dispatches: Dispatch[] = stages.map(({ A, R, B, K, vector }, i) => {
    const last = i === stages.length - 1;
    const width = vector ? 4 : 1;
    const threads = (A * K * B) / width;
    if (!last) temps.push(A * K * B);
    return {
      kernel: partial(op.name, op.combine, op.init, vector),
      args: [i === 0 ? 0 : i + 1, last ? 1 : i + 2],
      params: [threads, R, B / width, K, f32(last ? scale : 1)],
      grid: grid1d(threads),
    };
  });
  return { temps, dispatches };
}

/** One launch of a reduction: x:[A,R,B] -> y:[A,K,B]. */
interface Stage {
  readonly A: number;
  readonly R: number;
  readonly B: number;
  readonly K: number;
  readonly vector: boolean;
}

/** The launches that reduce x of `shape` over `axes`; the first reads x. */
export function stagesOf(target: Target, shape: readonly number[], axes: readonly number[]): Stage[] {
  const runs: Run[] = [];
  shape.forEach((size, i) => {
    if (size === 1) return;
    const reduced = axes.includes(i);
    const last = runs[runs.length - 1];
    if (last && last.reduced === reduced) last.size *= size;
    else runs.push({ size, reduced });
  });
  const stages: Stage[] = [];
  const product = (list: readonly Run[]) => list.reduce((n, r) => n * r.size, 1);
  for (let at = runs.length - 1; at >= 0; at--) {
    if (!runs[at]!.reduced) continue;
    const A = product(runs.slice(0, at));
    const B = product(runs.slice(at + 1));
    stage(target, stages, A, runs[at]!.size, B);
    runs.splice(at, 1);
  }
  if (stages.length === 0) stages.push({ A: 1, R: 1, B: product(runs), K: 1, vector: false });
  return stages;
}

function stage(target: Target, stages: Stage[], A: number, R: number, B: number): void {
  // Four neighbours of a long row are reduced side by side, and the four results in the next stage.
  if (B === 1 && R % 4 === 0 && R >= 64) {
    stage(target, stages, A, R / 4, 4);
    stages.push({ A, R: 4, B: 1, K: 1, vector: false });
    return;
  }
  const vector = B % 4 === 0;
  const wanted = target.family === 'hardware' ? 32768 : 256;
  const outputs = (A * B) / (vector ? 4 : 1);
  const K = Math.min(Math.floor(R / 16), Math.floor(wanted / outputs));
  if (K < 2) {
    stages.push({ A, R, B, K: 1, vector });
    return;
  }
  stages.push({ A, R, B, K, vector });
  stage(target, stages, A, K, B);
}
