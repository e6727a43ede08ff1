/**
 * Training-mode normalisation over a pattern x:[A, R, B, S]: the statistics of group (a, b) run over the axes R and S.
 * Batch norm on [N,H,W,C] is A=1 R=NHW B=C S=1, layer norm A=rows R=D B=1 S=1, instance norm A=N R=HW B=C S=1,
 * group norm A=N R=HW B=groups S=C/groups.
 *
 * Both directions walk x as [A, rows, cols], a thread to a (vec4) column and a chunk of rows: what a column needs is
 * loaded once, not once an element. Partial results of the chunks are combined by a second, small kernel (Chan, Golub
 * and LeVeque 1979; Welford 1962 inside a chunk), so that no barrier, atomic or tree is needed and the order is fixed.
 */
import { type Dispatch, f32, flatMain, grid1d, memo, type Param, type Plan, type Target } from './kernel.ts';

/** A pattern and the element strides by which gamma and beta follow (a, r, b, s): batch norm has {a:0, r:0, b:1, s:0}. */
export interface NormShape {
  readonly a: number;
  readonly r: number;
  readonly b: number;
  readonly s: number;
  readonly affine: { readonly a: number; readonly r: number; readonly b: number; readonly s: number };
  /** Elements of gamma and of beta. */
  readonly affineSize: number;
}

/** How the kernels walk x: `a` blocks of [rows, cols]; column c is (b, s) = ((c % period) / s, (c % period) % s). */
interface View {
  readonly a: number;
  readonly rows: number;
  readonly cols: number;
  readonly period: number;
  readonly b: number;
  readonly s: number;
  readonly affine: NormShape['affine'];
  readonly width: 1 | 4;
  /** Elements of a group. */
  readonly count: number;
  /** Gamma and beta follow the elements of a group that lies in one piece (layer norm). */
  readonly rowwise: boolean;
}

/**
 * A group that lies in one piece is walked as rows of one vec4 column; else each column belongs to one group, and two or
 * four rows make one of the walk where that lets columns be read as vec4. Undefined where no known layer has the pattern.
 */
function viewOf({ a, r, b, s, affine: f, affineSize }: NormShape): View | undefined {
  const count = r * s;
  const merged = b === 1 && (r === 1 || s === 1 || f.r === f.s * s);
  if (merged || (r === 1 && (a === 1 || f.a === b * f.b))) {
    const step = merged && s === 1 ? f.r : f.s;
    const jump = merged ? f.a : f.b;
    const rowwise = step === 1 && (jump === 0 || a * b === 1) && affineSize === count;
    if (step === 0 || rowwise) {
      const width = count % 4 === 0 ? 4 : 1;
      const affine = { a: rowwise ? 0 : jump, r: 0, b: 0, s: 0 };
      return {
        a: a * b,
        rows: count / width,
        cols: width,
        period: width,
        b: 1,
        s: width,
        affine,
        width,
        count,
        rowwise,
      };
    }
  }
  if (f.r !== 0) return undefined;
  const period = b * s;
  const width = (r * period) % 4 === 0 ? 4 : 1;
  const fold = width === 1 || period % 4 === 0 ? 1 : period % 2 === 0 ? 2 : 4;
  return { a, rows: r / fold, cols: period * fold, period, b, s, affine: f, width, count, rowwise: false };
}

/** Rowwise groups seen as columns: what one element of gamma meets. */
const down = (view: View): View => ({ ...view, a: 1, rows: view.a, cols: view.count, period: view.count });

/** The rows of chunk k: from k * start in steps of `step`, below k * start + span. */
interface Split {
  readonly chunks: number;
  readonly start: number;
  readonly step: number;
  readonly span: number;
}

/**
 * Splits the rows so that there are about `threads` threads, with `least` rows or more. On hardware neighbouring threads
 * take neighbouring rows (coalescing); on a CPU each keeps to its own run of memory (caches, pages, prefetching).
 */
function split(target: Target, { a, rows, cols, width }: View, threads: number, least: number): Split {
  const chunks = Math.max(1, Math.min(Math.ceil((threads * width) / (a * cols)), Math.floor(rows / least)));
  if (target.family === 'hardware') return { chunks, start: 1, step: chunks, span: rows };
  const span = Math.ceil(rows / chunks);
  return { chunks: Math.ceil(rows / span), start: span, step: 1, span };
}

const WALK_PARAMS = /* wgsl */ `
struct Params {
  total: u32, rows: u32, cols: u32, chunks: u32, period: u32, b: u32, s: u32, groups: u32,
  fa: u32, fb: u32, fs: u32, start: u32, step: u32, span: u32, count: f32,
}
@group(0) @binding(0) var<uniform> p: Params;`;

/** The threads of a walk over `view` in chunks, and the parameters that tell them their place. */
function walk(view: View, { chunks, start, step, span }: Split): { params: Param[]; grid: Dispatch['grid'] } {
  const { a, rows, cols, period, b, s, width, affine: f } = view;
  const total = (a * chunks * cols) / width;
  const params = [total, rows, cols / width, chunks, period, b, s, a * b, f.a, f.b, f.s];
  return { params: [...params, start, step, span, f32(view.count)], grid: grid1d(total) };
}

/** WGSL types of a walk in vectors of `width`, and the reading of a small array at a vector of indices. */
const types = (width: number) =>
  width === 4
    ? 'alias V = vec4f;\nalias U = vec4u;\nfn lanes(c: u32) -> U { return 4u * c + vec4u(0u, 1u, 2u, 3u); }'
    : 'alias V = f32;\nalias U = u32;\nfn lanes(c: u32) -> U { return c; }';
const pick = (width: number, name: string, at: string) =>
  width === 4 ? `V(${['x', 'y', 'z', 'w'].map((l) => `${name}[(${at}).${l}]`).join(', ')})` : `${name}[${at}]`;
const bind = (list: readonly string[]) =>
  list.map((b, i) => {
    const [name, type, mode] = b.split(' ');
    return `@group(0) @binding(${i + 1}) var<storage, ${mode ? 'read_write' : 'read'}> ${name}: array<${type}>;`;
  });

/**
 * A walk: `before` runs once a thread, `each` for every row r with `at` the index of the vector, `after` at the end.
 * `four`, if given, takes four rows at once, at `at`, `at + hop` ..., as long as there are four.
 */
const walkSource = (
  title: string,
  width: number,
  buffers: string[],
  { before, each, four, after }: { before: string; each: string; four?: string; after?: string },
) => /* wgsl */ `// ${title}
${types(width)}${WALK_PARAMS}
${bind(buffers).join('\n')}
${flatMain()}
  if (i >= p.total) { return; }
  let c = i % p.cols;
  let k = (i / p.cols) % p.chunks;
  let a = i / (p.cols * p.chunks);
  let column = lanes(c) % p.period;
  let group = a * p.b + column / p.s;
  let affine = a * p.fa + (column / p.s) * p.fb + (column % p.s) * p.fs;
  ${before}
  let end = min(p.rows, k * p.start + p.span);
  let hop = p.step * p.cols;
  var r = k * p.start;
  var at = (a * p.rows + r) * p.cols + c;
  ${four ? `for (; r + 3u * p.step < end; r += 4u * p.step) {\n    ${four}\n    at += 4u * hop;\n  }` : ''}
  for (; r < end; r += p.step) {
    ${each}
    at += hop;
  }
  ${after ?? ''}
}`;

const partialStats = memo((width: number) => ({
  name: `norm/stats/${width}`,
  access: ['read', 'write', 'write'] as const,
  source: walkSource(
    'x:[A,rows,cols] -> means, squares:[A,chunks,cols] of chunks of columns; means from the first element of the group on',
    width,
    ['x V', 'means V w', 'squares V w'],
    {
      before: `let e = a * p.rows * p.cols * ${width}u + (column / p.s) * p.s;
  let origin = ${width === 4 ? `V(${['x', 'y', 'z', 'w'].map((l) => `x[e.${l} / 4u][e.${l} % 4u]`).join(', ')})` : 'x[e]'};
  var mean = V(); var square = V(); var n = 0.0;`,
      four: `let v0 = x[at] - origin; let v1 = x[at + hop] - origin;
    let v2 = x[at + 2u * hop] - origin; let v3 = x[at + 3u * hop] - origin;
    let m = 0.25 * ((v0 + v1) + (v2 + v3));
    let d0 = v0 - m; let d1 = v1 - m; let d2 = v2 - m; let d3 = v3 - m;
    let d = m - mean;
    let share = 4.0 / (n + 4.0);
    mean += d * share;
    square += ((d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3)) + d * d * (n * share);
    n += 4.0;`,
      each: 'let v = x[at] - origin; let d = v - mean; n += 1.0; mean += d * (1.0 / n); square += d * (v - mean);',
      after: 'means[i] = mean; squares[i] = square;',
    },
  ),
}));

const applyNorm = memo((width: number) => ({
  name: `norm/apply/${width}`,
  access: ['read', 'read', 'read', 'read', 'write'] as const,
  source: walkSource(
    'x:[A,rows,cols] gamma, beta:[affine] stats:[2,A*B] -> y like x: (x - mean) * rstd * gamma + beta',
    width,
    ['x V', 'gamma f32', 'beta f32', 'stats f32', 'y V w'],
    {
      before: `let mean = ${pick(width, 'stats', 'group')};
  let scale = ${pick(width, 'stats', 'p.groups + group')} * ${pick(width, 'gamma', 'affine')};
  let shift = ${pick(width, 'beta', 'affine')};`,
      each: 'y[at] = (x[at] - mean) * scale + shift;',
    },
  ),
}));

const applyRows = memo((width: number) => ({
  name: `norm/rows/${width}`,
  access: ['read', 'read', 'read', 'read', 'write'] as const,
  source: walkSource(
    'x:[rows,cols] gamma, beta:[cols] stats:[2,rows] -> y:[rows,cols], down the columns',
    width,
    ['x V', 'gamma V', 'beta V', 'stats f32', 'y V w'],
    {
      before: 'let scale = gamma[c]; let shift = beta[c];',
      each: 'y[at] = ((x[at] - stats[r]) * stats[p.rows + r]) * scale + shift;',
    },
  ),
}));

const partialGrad = memo((width: number, rowwise: boolean) => ({
  name: `norm/sums/${width}${rowwise ? '/rows' : ''}`,
  access: [...(['read', 'read', 'read'] as const), ...(rowwise ? ['read' as const] : []), 'write', 'write'] as const,
  source: walkSource(
    `x, g:[A,rows,cols] stats:[2,A*B] -> sums of g and of g * xhat:[A,chunks,cols]${rowwise ? ', times gamma' : ''}`,
    width,
    ['x V', 'stats f32', 'g V', ...(rowwise ? ['gamma V'] : []), 'sums V w', 'dots V w'],
    {
      before: `let mean = ${pick(width, 'stats', 'group')}; var sum = V(); var dot = V();`,
      each: `let d = g[at]${rowwise ? ' * gamma[r]' : ''}; sum += d; dot += d * (x[at] - mean);`,
      after: `sums[i] = sum; dots[i] = dot * ${pick(width, 'stats', 'p.groups + group')};`,
    },
  ),
}));

/** `scaled`: the sums are those of g and g * xhat (gbeta, ggamma), still to be multiplied by gamma. */
const applyGrad = memo((width: number, scaled: boolean) => ({
  name: `norm/grad/${width}${scaled ? '/scaled' : ''}`,
  access: [...Array<'read'>(scaled ? 6 : 5).fill('read'), 'write' as const],
  source: walkSource(
    `x, g:[A,rows,cols] gamma:[affine] stats:[2,A*B] sums:${scaled ? '[A*B] dots:[A*B]' : '[2,A*B]'} -> gx like x`,
    width,
    ['x V', 'gamma f32', 'stats f32', 'g V', 'sums f32', ...(scaled ? ['dots f32'] : []), 'gx V w'],
    {
      before: `let mean = ${pick(width, 'stats', 'group')};
  let rstd = ${pick(width, 'stats', 'p.groups + group')};
  let scale = rstd * ${pick(width, 'gamma', 'affine')};
  let share = ${scaled ? 'scale' : 'rstd'} / p.count;
  let sum = share * ${pick(width, 'sums', 'group')};
  let slope = share * rstd * ${scaled ? pick(width, 'dots', 'group') : pick(width, 'sums', 'p.groups + group')};`,
      each: 'gx[at] = g[at] * scale - sum - (x[at] - mean) * slope;',
    },
  ),
}));

/** All that is left of a rowwise gradient once the sums of the rows are known, in one pass down the columns. */
const gradRows = memo((width: number) => ({
  name: `norm/grad/${width}/rows`,
  access: [...Array<'read'>(5).fill('read'), ...Array<'write'>(3).fill('write')],
  source: walkSource(
    'x, g:[rows,cols] gamma:[cols] stats, sums:[2,rows] -> gx:[rows,cols], sums of g * xhat and of g:[chunks,cols]',
    width,
    ['x V', 'gamma V', 'stats f32', 'g V', 'sums f32', 'gx V w', 'ggamma V w', 'gbeta V w'],
    {
      before: 'let scale = gamma[c]; let share = 1.0 / p.count; var sum = V(); var dot = V();',
      each: `let d = g[at];
    let rstd = stats[p.rows + r];
    let xhat = (x[at] - stats[r]) * rstd;
    sum += d;
    dot += d * xhat;
    gx[at] = rstd * (d * scale - sums[r] * share - xhat * (sums[p.rows + r] * share));`,
      after: 'ggamma[i] = dot; gbeta[i] = sum;',
    },
  ),
}));

/** `stats`: [2, outputs] of means and rstd; `sums`: two buffers; `pair`: [2, outputs] of sums; `weighted`: by gamma. */
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

/** Where the items of an output lie; `inner` outputs follow each other at `innerStep`, blocks of them at `outerStep`. */
interface Items {
  readonly outputs: number;
  readonly inner: number;
  readonly outerStep: number;
  readonly innerStep: number;
  readonly n: readonly [number, number, number];
  readonly step: readonly [number, number];
}

function combining(
  target: Target,
  mode: Mode,
  items: Items,
  view: View,
  args: number[],
  { start, step: stride, span }: Split,
  eps = 0,
): Dispatch {
  const { outputs, inner, outerStep, innerStep, n, step } = items;
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

/** y = (x - mean) * rstd * gamma + beta. Inputs x, gamma, beta; outputs y like x and stats:[2, A*B] = (mean, rstd). */
export function norm(target: Target, shape: NormShape, eps: number): Plan {
  const view = viewOf(shape);
  if (!view) return normNaive(target, shape, eps);
  const { a, cols, width, rowwise } = view;
  const parts = split(target, view, threadsOf(target), 8);
  const over = rowwise ? down(view) : view;
  return {
    temps: Array<number>(2).fill(a * parts.chunks * cols),
    dispatches: [
      { kernel: partialStats(width), args: [0, 5, 6], ...walk(view, parts) },
      combining(target, 'stats', groupItems(view, parts), view, [5, 6, 0, 4], parts, eps),
      {
        kernel: rowwise ? applyRows(width) : applyNorm(width),
        args: [0, 1, 2, 4, 3],
        ...walk(over, split(target, over, 4 * threadsOf(target), 4)),
      },
    ],
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
        combining(target, 'pair', groups, view, [7, 8, 9], parts),
        { kernel: gradRows(width), args: [0, 1, 2, 3, 9, 4, ...(one ? [5, 6] : [10, 11])], ...walk(over, chunks) },
        ...(one ? [] : [combining(target, 'sums', last, over, [10, 11, 5, 6], chunks)]),
      ],
    };
  }
  const items = affineItems(view, parts, shape.affineSize);
  if (!items) return normGradNaive(target, shape);
  const affine = combining(target, 'sums', items, view, [7, 8, 6, 5], parts);
  const same = items.outputs === a * b && (a === 1 || f.a === b) && (b === 1 || f.b === 1) && (s === 1 || f.s === 0);
  const apply = { kernel: applyGrad(width, same), ...walk(view, split(target, view, 4 * threadsOf(target), 4)) };
  if (same) return { temps: partial, dispatches: [first, affine, { ...apply, args: [0, 1, 2, 3, 6, 5, 4] }] };
  const sums = combining(target, 'weighted', groups, view, [7, 8, 1, 9], parts);
  return { temps: [...partial, 2 * a * b], dispatches: [first, sums, affine, { ...apply, args: [0, 1, 2, 3, 9, 4] }] };
}

const naive = (title: string, buffers: string[], body: string) => /* wgsl */ `// ${title}
struct Params { a: u32, r: u32, b: u32, s: u32, fa: u32, fr: u32, fb: u32, fs: u32, size: u32, eps: f32 }
@group(0) @binding(0) var<uniform> p: Params;
${bind(buffers).join('\n')}
fn at(a: u32, r: u32, b: u32, s: u32) -> u32 { return ((a * p.r + r) * p.b + b) * p.s + s; }
fn affine(a: u32, r: u32, b: u32, s: u32) -> u32 { return a * p.fa + r * p.fr + b * p.fb + s * p.fs; }
${flatMain()}
  ${body}
}`;

/** A loop over the elements of group i. */
const overGroup = (each: string) => `for (var r = 0u; r < p.r; r++) { for (var s = 0u; s < p.s; s++) {
    let e = at(a, r, b, s); ${each}
  } }`;
const oneGroup = 'if (i >= p.a * p.b) { return; }\n  let a = i / p.b; let b = i % p.b; let n = f32(p.r * p.s);';
const oneElement = `if (i >= p.a * p.r * p.b * p.s) { return; }
  let s = i % p.s; let b = (i / p.s) % p.b; let r = (i / (p.s * p.b)) % p.r; let a = i / (p.s * p.b * p.r);
  let group = a * p.b + b; let f = affine(a, r, b, s); let n = f32(p.r * p.s); 
  let mean = stats[group]; let rstd = stats[p.a * p.b + group];`;

const naiveStats = memo(() => ({
  name: 'norm/naive/stats',
  access: ['read', 'write'] as const,
  source: naive(
    'x:[A,R,B,S] -> stats:[2,A*B]',
    ['x f32', 'stats f32 w'],
    `${oneGroup}
  var mean = 0.0;
  ${overGroup('mean += x[e];')}
  mean /= n;
  var error = 0.0;
  ${overGroup('error += x[e] - mean;')}
  mean += error / n;
  var square = 0.0;
  ${overGroup('square += (x[e] - mean) * (x[e] - mean);')}
  stats[i] = mean; stats[p.a * p.b + i] = 1.0 / sqrt(square / n + p.eps);`,
  ),
}));

const naiveApply = memo(() => ({
  name: 'norm/naive/apply',
  access: ['read', 'read', 'read', 'read', 'write'] as const,
  source: naive(
    'x:[A,R,B,S] gamma, beta:[affine] stats:[2,A*B] -> y:[A,R,B,S]',
    ['x f32', 'gamma f32', 'beta f32', 'stats f32', 'y f32 w'],
    `${oneElement}\n  y[i] = (x[i] - mean) * rstd * gamma[f] + beta[f];`,
  ),
}));

const naiveSums = memo(() => ({
  name: 'norm/naive/sums',
  access: ['read', 'read', 'read', 'read', 'write', 'write'] as const,
  source: naive(
    'x, g:[A,R,B,S] gamma:[affine] stats:[2,A*B] -> sums of g * gamma and of g * gamma * xhat:[A*B]',
    ['x f32', 'gamma f32', 'stats f32', 'g f32', 'sums f32 w', 'dots f32 w'],
    `${oneGroup}
  var sum = 0.0; var dot = 0.0;
  ${overGroup('let d = g[e] * gamma[affine(a, r, b, s)]; sum += d; dot += d * (x[e] - stats[i]);')}
  sums[i] = sum / n; dots[i] = dot * stats[p.a * p.b + i] / n;`,
  ),
}));

const naiveGrad = memo(() => ({
  name: 'norm/naive/grad',
  access: ['read', 'read', 'read', 'read', 'read', 'read', 'write'] as const,
  source: naive(
    'x, g:[A,R,B,S] gamma:[affine] stats:[2,A*B] sums, dots:[A*B] -> gx:[A,R,B,S]',
    ['x f32', 'gamma f32', 'stats f32', 'g f32', 'sums f32', 'dots f32', 'gx f32 w'],
    `${oneElement}\n  gx[i] = rstd * (g[i] * gamma[f] - sums[group] - (x[i] - mean) * rstd * dots[group]);`,
  ),
}));

const naiveAffine = memo(() => ({
  name: 'norm/naive/affine',
  access: ['read', 'read', 'read', 'write', 'write'] as const,
  source: naive(
    'x, g:[A,R,B,S] stats:[2,A*B] -> ggamma, gbeta:[affine]; an axis without a stride is summed, others are digits of i',
    ['x f32', 'stats f32', 'g f32', 'ggamma f32 w', 'gbeta f32 w'],
    `if (i >= p.size) { return; }
  let size = vec4u(p.a, p.r, p.b, p.s);
  let step = vec4u(p.fa, p.fr, p.fb, p.fs);
  let begin = select((i / max(step, vec4u(1u))) % size, vec4u(), step == vec4u());
  let end = select(begin + 1u, size, step == vec4u());
  var dot = 0.0; var sum = 0.0;
  for (var a = begin.x; a < end.x; a++) { for (var r = begin.y; r < end.y; r++) {
    for (var b = begin.z; b < end.z; b++) { for (var s = begin.w; s < end.w; s++) {
      let e = at(a, r, b, s); let group = a * p.b + b;
      sum += g[e]; dot += g[e] * (x[e] - stats[group]) * stats[p.a * p.b + group];
    } }
  } }
  ggamma[i] = dot; gbeta[i] = sum;`,
  ),
}));

const naiveParams = ({ a, r, b, s, affine: f, affineSize }: NormShape, eps: number): Param[] => [
  ...[a, r, b, s, f.a, f.r, f.b, f.s, affineSize],
  f32(eps),
];

/** What `norm` is tested against: a thread to a group, then a thread to an element. */
export function normNaive(_target: Target, shape: NormShape, eps: number): Plan {
  const params = naiveParams(shape, eps);
  const groups = shape.a * shape.b;
  return {
    dispatches: [
      { kernel: naiveStats(), args: [0, 4], params, grid: grid1d(groups) },
      { kernel: naiveApply(), args: [0, 1, 2, 4, 3], params, grid: grid1d(groups * shape.r * shape.s) },
    ],
  };
}

/** What `normGrad` is tested against: a thread to a group, to an element, to an affine element. */
export function normGradNaive(_target: Target, shape: NormShape): Plan {
  const params = naiveParams(shape, 0);
  const groups = shape.a * shape.b;
  return {
    temps: [groups, groups],
    dispatches: [
      { kernel: naiveSums(), args: [0, 1, 2, 3, 7, 8], params, grid: grid1d(groups) },
      { kernel: naiveGrad(), args: [0, 1, 2, 3, 7, 8, 4], params, grid: grid1d(groups * shape.r * shape.s) },
      { kernel: naiveAffine(), args: [0, 2, 3, 5, 6], params, grid: grid1d(shape.affineSize) },
    ],
  };
}
