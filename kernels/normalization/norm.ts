/**
 * Training-mode normalisation over a pattern x:[A, R, B, S]: the statistics of group (a, b) run over the axes R and S.
 * Batch norm on [N,H,W,C] is A=1 R=NHW B=C S=1, layer norm A=rows R=D B=1 S=1, instance norm A=N R=HW B=C S=1,
 * group norm A=N R=HW B=groups S=C/groups.
 *
 * Both directions walk x as [A, rows, cols], a thread to a (vec4) column and a chunk of rows: what a column needs is
 * loaded once, not once an element. Partial results of the chunks are combined by a second, small kernel (Chan, Golub
 * and LeVeque 1979; Welford 1962 inside a chunk), so that no barrier, atomic or tree is needed and the order is fixed.
 */

import { epilogueParams, epilogueSlots, takesEpilogue } from '../epilogue.ts';
import type { Epilogue } from '../functions.ts';
import { type Dispatch, f32, flatMain, grid1d, memo, type Plan, type Target } from '../kernel.ts';
import { normGradNaive, normNaive } from './normNaive.ts';
import {
  applyGrad,
  applyNorm,
  applyRows,
  bind,
  down,
  gradRows,
  type NormShape,
  partialGrad,
  partialStats,
  type Split,
  split,
  type View,
  viewOf,
  WALK_WORDS,
  walk,
} from './normWalk.ts';

export { normGradNaive, normNaive } from './normNaive.ts';
export type { NormShape } from './normWalk.ts';

type Mode = 'stats' | 'sums' | 'pair' | 'weighted';

/**
 * Combines the partial results of walks, one output to an invocation, or to a workgroup where outputs are few and
 * barriers cheap. Items of output j lie at base(j) + i0 * step0 + i1 * step1 + i2.
 */
const combine = memo((mode: Mode, lanes: 1 | 64) => {
  const weighted = mode === 'weighted';
  const loop = (each: string) => `for (var q = lane; q < p.n0 * p.n1 * p.n2; q += ${lanes}u) {
    let i0 = q / (p.n1 * p.n2);
    let i2 = q % p.n2;
    let at = base + i0 * p.step0 + ((q / p.n2) % p.n1) * p.step1 + i2;
    ${each}
  }`;
  const all = (v: string) => (lanes === 1 ? v : `total(lane, ${v})`);
  const size = 'let n = f32((min(p.rows - i0 * p.start, p.span) + p.step - 1u) / p.step);'; // rows of chunk i0
  const stats = `var v = vec2f();
  ${loop(`${size} v.x += n * first[at];`)}
  let mean = ${all('v')}.x / p.count;
  v = vec2f();
  ${loop(`${size} let d = first[at] - mean; v.x += second[at] + n * d * d;`)}
  v = ${all('v')};
  if (lane == 0u) {
    stats[j] = x[(j / p.inner) * p.fa + (j % p.inner) * p.innerStep] + mean;
    stats[p.outputs + j] = 1.0 / sqrt(v.x / p.count + p.eps);
  }`;
  const weight = weighted ? 'gamma[(j / p.inner) * p.fa + (j % p.inner) * p.fb + i2 * p.fs] * ' : '';
  const sums = `var v = vec2f();
  ${loop(`v += ${weight}vec2f(first[at], second[at]);`)}
  v = ${all('v')};
  if (lane == 0u) { sums[j] = v.x; ${mode === 'sums' ? 'dots[j]' : 'sums[p.outputs + j]'} = v.y; }`;
  const tree = /* wgsl */ `var<workgroup> part: array<vec2f, 64>;
fn total(lane: u32, v: vec2f) -> vec2f {
  part[lane] = v;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { part[lane] += part[lane + half]; }
  }
  workgroupBarrier();
  let sum = part[0];
  workgroupBarrier();
  return sum;
}
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) lid: vec3u) {
  let j = wid.y * groups.x + wid.x;
  let lane = lid.x;`;
  const out = {
    stats: ['x f32', 'stats f32 w'],
    sums: ['sums f32 w', 'dots f32 w'],
    pair: ['sums f32 w'],
    weighted: ['gamma f32', 'sums f32 w'],
  }[mode];
  const access = ['read', 'read', ...out.map((b) => (b.endsWith('w') ? 'write' : 'read'))] as ('read' | 'write')[];
  return {
    name: `norm/combine/${mode}/${lanes}`,
    access,
    source: /* wgsl */ `// first, second: partial results -> ${mode}, [outputs] or [2,outputs]
struct Params {
  outputs: u32, inner: u32, outerStep: u32, innerStep: u32, n0: u32, step0: u32, n1: u32, step1: u32, n2: u32,
  fa: u32, fb: u32, fs: u32, rows: u32, start: u32, step: u32, span: u32, count: f32, eps: f32,
}
@group(0) @binding(0) var<uniform> p: Params;
${bind(['first f32', 'second f32', ...out]).join('\n')}
${lanes === 64 ? tree : `${flatMain()}\n  let j = i;\n  let lane = 0u;`}
  if (j >= p.outputs) { return; }
  let base = (j / p.inner) * p.outerStep + (j % p.inner) * p.innerStep;
  ${mode === 'stats' ? stats : sums}
}`,
  };
});

/**
 * Where the items of an output lie; `inner` outputs follow each other at `innerStep`, blocks of them at `outerStep`.
 */
interface Items {
  readonly outputs: number;
  readonly inner: number;
  readonly outerStep: number;
  readonly innerStep: number;
  readonly n: readonly [number, number, number];
  readonly step: readonly [number, number];
}

interface Combining {
  readonly mode: Mode;
  readonly items: Items;
  /** What was walked, and how it was cut. */
  readonly view: View;
  readonly parts: Split;
  readonly args: readonly number[];
  readonly eps?: number;
}

function combining(target: Target, { mode, items, view, parts, args, eps = 0 }: Combining): Dispatch {
  const { outputs, inner, outerStep, innerStep, n, step } = items;
  const { start, step: stride, span } = parts;
  const lanes = target.family === 'hardware' && n[0] * n[1] * n[2] >= 64 ? 64 : 1;
  const { b, s } = view.affine;
  const a = mode === 'stats' ? view.rows * view.cols : view.affine.a;
  const params = [outputs, inner, outerStep, innerStep, n[0], step[0], n[1], step[1], n[2], a, b, s, view.rows];
  const grid = lanes === 1 ? grid1d(outputs) : grid1d(outputs * 64, 64);
  return {
    kernel: combine(mode, lanes),
    args,
    params: [...params, start, stride, span, f32(view.count), f32(eps)],
    grid,
  };
}

/** The partial results of group (a, b). */
const groupItems = ({ a, b, s, cols, period }: View, { chunks }: Split): Items => ({
  outputs: a * b,
  inner: b,
  outerStep: chunks * cols,
  innerStep: s,
  n: [chunks, cols / period, s],
  step: [cols, period],
});

/** The partial results that share an affine element, or undefined if the strides follow no pattern of a known layer. */
function affineItems(view: View, { chunks }: Split, size: number): Items | undefined {
  const { a, b, s, cols, period, affine: f } = view;
  if (f.a !== 0 && a > 1) return undefined;
  const common = { outputs: size, inner: size, outerStep: 0, step: [cols, period] as const };
  if (size === b && (b === 1 || f.b === 1) && (s === 1 || f.s === 0)) {
    return { ...common, innerStep: s, n: [a * chunks, cols / period, s] };
  }
  if (size === b * s && (b === 1 || f.b === s) && f.s === 1) {
    return { ...common, innerStep: 1, n: [a * chunks, cols / period, 1] };
  }
  return undefined;
}

const threadsOf = (target: Target) => (target.family === 'hardware' ? 16384 : 512);

/**
 * y = (x - mean) * rstd * gamma + beta. Inputs x, gamma, beta; outputs y like x and stats:[2, A*B] = (mean, rstd).
 * @param epilogue is applied to y
 */
export function norm(target: Target, shape: NormShape, eps: number, epilogue?: Epilogue): Plan {
  const view = viewOf(shape);
  if (!view) return normNaive(target, shape, eps);
  const { a, cols, width, rowwise } = view;
  const parts = split(target, view, threadsOf(target), 8);
  const over = rowwise ? down(view) : view;
  const { output, next: stats } = epilogueSlots(3, epilogue);
  const [means, squares] = [stats + 1, stats + 2];
  const { params, grid } = walk(over, split(target, over, 4 * threadsOf(target), 4));
  // A column of the walk is one of the output's last axis, or an epilogue's rows would be read beside it.
  const fits = (next: Epilogue) =>
    takesEpilogue(target, 4, WALK_WORDS, next) && (next.row === over.cols || !next.operands.includes('row'));
  return {
    temps: Array<number>(2).fill(a * parts.chunks * cols),
    dispatches: [
      { kernel: partialStats(width), args: [0, means, squares], ...walk(view, parts) },
      combining(target, {
        mode: 'stats',
        items: groupItems(view, parts),
        view,
        parts,
        args: [means, squares, 0, stats],
        eps,
      }),
      {
        kernel: (rowwise ? applyRows : applyNorm)(width, epilogue),
        args: [0, 1, 2, stats, ...output],
        params: [...params, ...epilogueParams(epilogue)],
        grid,
      },
    ],
    withEpilogue: (next) => (!epilogue && fits(next) ? norm(target, shape, eps, next) : undefined),
  };
}

/**
 * The gradient of `norm`: gx = rstd * (g * gamma - mean(g * gamma) - xhat * mean(g * gamma * xhat)), means over a group;
 * ggamma = sum g * xhat, gbeta = sum g (Ioffe and Szegedy 2015). Inputs x, gamma, stats, g; outputs gx, ggamma, gbeta.
 * Two passes over x and g: sums, then gx. The sums serve ggamma and gbeta too where gamma does not change down a column
 * of the walk; where it does (layer norm), the second pass takes them along.
 */
export function normGrad(target: Target, shape: NormShape): Plan {
  const view = viewOf(shape);
  if (!view) return normGradNaive(target, shape);
  const { a, b, s, cols, width, rowwise, affine: f } = view;
  const parts = split(target, view, threadsOf(target), 8);
  const groups = groupItems(view, parts);
  const partial = Array<number>(2).fill(a * parts.chunks * cols);
  const first: Dispatch = {
    kernel: partialGrad(width, rowwise),
    args: rowwise ? [0, 2, 3, 1, 7, 8] : [0, 2, 3, 7, 8],
    ...walk(view, parts),
  };
  if (rowwise) {
    const over = down(view);
    const chunks = split(target, over, threadsOf(target), 8);
    const one = chunks.chunks === 1;
    const size = over.cols;
    const items = { outputs: size, inner: size, outerStep: 0, innerStep: 1, step: [size, 0] as const };
    const last = { ...items, n: [chunks.chunks, 1, 1] as const };
    return {
      temps: [...partial, 2 * a, ...(one ? [] : [chunks.chunks * size, chunks.chunks * size])],
      dispatches: [
        first,
        combining(target, { mode: 'pair', items: groups, view, parts, args: [7, 8, 9] }),
        { kernel: gradRows(width), args: [0, 1, 2, 3, 9, 4, ...(one ? [5, 6] : [10, 11])], ...walk(over, chunks) },
        ...(one
          ? []
          : [combining(target, { mode: 'sums', items: last, view: over, parts: chunks, args: [10, 11, 5, 6] })]),
      ],
    };
  }
  const items = affineItems(view, parts, shape.affineSize);
  if (!items) return normGradNaive(target, shape);
  const affine = combining(target, { mode: 'sums', items, view, parts, args: [7, 8, 6, 5] });
  const same = items.outputs === a * b && (a === 1 || f.a === b) && (b === 1 || f.b === 1) && (s === 1 || f.s === 0);
  const apply = { kernel: applyGrad(width, same), ...walk(view, split(target, view, 4 * threadsOf(target), 4)) };
  if (same) return { temps: partial, dispatches: [first, affine, { ...apply, args: [0, 1, 2, 3, 6, 5, 4] }] };
  const sums = combining(target, { mode: 'weighted', items: groups, view, parts, args: [7, 8, 1, 9] });
  return { temps: [...partial, 2 * a * b], dispatches: [first, sums, affine, { ...apply, args: [0, 1, 2, 3, 9, 4] }] };
}
