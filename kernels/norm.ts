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
}

/** A group that lies in one piece is walked as rows of one vec4 column; else each column belongs to one group. */
function viewOf({ a, r, b, s, affine: f }: NormShape): View {
  const count = r * s;
  const merged = b === 1 && (r === 1 || s === 1 || f.r === f.s * s);
  if (merged || (r === 1 && (a === 1 || f.a === b * f.b))) {
    const step = merged && s === 1 ? f.r : f.s;
    const jump = merged ? f.a : f.b;
    const width = count % 4 === 0 && (step === 0 || (step === 1 && jump % 4 === 0)) ? 4 : 1;
    const affine = { a: jump, r: width * step, b: 0, s: step };
    return { a: a * b, rows: count / width, cols: width, period: width, b: 1, s: width, affine, width, count };
  }
  const period = b * s;
  const width = f.r === 0 && (r * period) % 4 === 0 ? 4 : 1;
  const fold = width === 1 || period % 4 === 0 ? 1 : period % 2 === 0 ? 2 : 4;
  return { a, rows: r / fold, cols: period * fold, period, b, s, affine: f, width, count };
}

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
  fa: u32, fr: u32, fb: u32, fs: u32, start: u32, step: u32, span: u32, count: f32,
}
@group(0) @binding(0) var<uniform> p: Params;`;

/** The threads of a walk over `view` in chunks, and the parameters that tell them their place. */
function walk(view: View, { chunks, start, step, span }: Split): { params: Param[]; grid: Dispatch['grid'] } {
  const { a, rows, cols, period, b, s, width, affine: f } = view;
  const total = (a * chunks * cols) / width;
  const unit = f.r === 0 ? 1 : width; // gamma is read as vectors where it changes from row to row
  const params = [total, rows, cols / width, chunks, period, b, s, a * b, f.a / unit, f.r / unit, f.b, f.s];
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

/** A walk: `before` runs once a thread, `each` for every row with `at` the index of the vector, `after` at the end. */
const walkSource = (title: string, width: number, buffers: string[], before: string, each: string, after = '') =>
  /* wgsl */ `// ${title}
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
  for (var r = k * p.start; r < end; r += p.step) {
    let at = (a * p.rows + r) * p.cols + c;
    ${each}
  }
  ${after}
}`;

/** Gamma of row r: a vector load where a row has its own, the column's otherwise. */
const perRow = (width: number, name: string) =>
  width === 4 ? `${name}[a * p.fa + r * p.fr + c]` : `${name}[affine + r * p.fr]`;

const partialStats = memo((width: number) => ({
  name: `norm/stats/${width}`,
  access: ['read', 'write', 'write'] as const,
  source: walkSource(
    'x:[A,rows,cols] -> means, squares:[A,chunks,cols] of chunks of columns; means from the first element of the group on',
    width,
    ['x V', 'means V w', 'squares V w'],
    `let e = a * p.rows * p.cols * ${width}u + (column / p.s) * p.s;
  let origin = ${width === 4 ? `V(${['x', 'y', 'z', 'w'].map((l) => `x[e.${l} / 4u][e.${l} % 4u]`).join(', ')})` : 'x[e]'};
  var mean = V(); var square = V(); var n = 0.0;`,
    'let v = x[at] - origin; let d = v - mean; n += 1.0; mean += d / n; square += d * (v - mean);',
    'means[i] = mean; squares[i] = square;',
  ),
}));

const applyNorm = memo((width: number, rowwise: boolean) => ({
  name: `norm/apply/${width}${rowwise ? '/row' : ''}`,
  access: ['read', 'read', 'read', 'read', 'write'] as const,
  source: walkSource(
    'x:[A,rows,cols] gamma, beta:[affine] stats:[2,A*B] -> y like x: (x - mean) * rstd * gamma + beta',
    width,
    ['x V', `gamma ${rowwise ? 'V' : 'f32'}`, `beta ${rowwise ? 'V' : 'f32'}`, 'stats f32', 'y V w'],
    `let mean = ${pick(width, 'stats', 'group')};
  let rstd = ${pick(width, 'stats', 'p.groups + group')};
  ${rowwise ? '' : `let scale = rstd * ${pick(width, 'gamma', 'affine')};\n  let shift = ${pick(width, 'beta', 'affine')};`}`,
    rowwise
      ? `y[at] = (x[at] - mean) * rstd * ${perRow(width, 'gamma')} + ${perRow(width, 'beta')};`
      : 'y[at] = (x[at] - mean) * scale + shift;',
  ),
}));

const partialGrad = memo((width: number, rowwise: boolean) => ({
  name: `norm/sums/${width}${rowwise ? '/row' : ''}`,
  access: [...(['read', 'read', 'read'] as const), ...(rowwise ? ['read' as const] : []), 'write', 'write'] as const,
  source: walkSource(
    `x, g:[A,rows,cols] stats:[2,A*B] -> sums of g and of g * xhat:[A,chunks,cols]${rowwise ? ', times gamma' : ''}`,
    width,
    ['x V', 'stats f32', 'g V', ...(rowwise ? ['gamma V'] : []), 'sums V w', 'dots V w'],
    `let mean = ${pick(width, 'stats', 'group')}; var sum = V(); var dot = V();`,
    `let d = g[at]${rowwise ? ` * ${perRow(width, 'gamma')}` : ''}; sum += d; dot += d * (x[at] - mean);`,
    `sums[i] = sum; dots[i] = dot * ${pick(width, 'stats', 'p.groups + group')};`,
  ),
}));

const applyGrad = memo((width: number, rowwise: boolean, scaled: boolean) => ({
  name: `norm/grad/${width}${rowwise ? '/row' : ''}${scaled ? '/scaled' : ''}`,
  access: ['read', 'read', 'read', 'read', 'read', 'read', 'write'] as const,
  source: walkSource(
    'x, g:[A,rows,cols] gamma:[affine] stats:[2,A*B] sums, dots:[A*B] -> gx like x',
    width,
    ['x V', `gamma ${rowwise ? 'V' : 'f32'}`, 'stats f32', 'g V', 'sums f32', 'dots f32', 'gx V w'],
    `let mean = ${pick(width, 'stats', 'group')};
  let rstd = ${pick(width, 'stats', 'p.groups + group')};
  ${rowwise ? '' : `let scale = rstd * ${pick(width, 'gamma', 'affine')};`}
  let share = ${scaled ? 'scale' : 'rstd'} / p.count;
  let sum = share * ${pick(width, 'sums', 'group')};
  let slope = share * rstd * ${pick(width, 'dots', 'group')};`,
    `gx[at] = g[at] * ${rowwise ? `(rstd * ${perRow(width, 'gamma')})` : 'scale'} - sum - (x[at] - mean) * slope;`,
  ),
}));

/** Gradient of an affine that follows the elements of a row (layer norm): a walk down the rows, one thread a column. */
const affineRows = memo((width: number) => ({
  name: `norm/affine/${width}`,
  access: ['read', 'read', 'read', 'write', 'write'] as const,
  source: walkSource(
    'x, g:[rows,cols] stats:[2,rows] -> sums of g * xhat and of g:[chunks,cols]',
    width,
    ['x V', 'stats f32', 'g V', 'dots V w', 'sums V w'],
    'var sum = V(); var dot = V();',
    'let d = g[at]; sum += d; dot += d * ((x[at] - stats[r]) * stats[p.rows + r]);',
    'sums[i] = sum; dots[i] = dot;',
  ),
}));

/**
 * Combines the partial results of walks, one output to an invocation, or to a workgroup where outputs are few and
 * barriers cheap. Items of output j lie at base(j) + i0 * step0 + i1 * step1 + i2.
 */
const combine = memo((mode: 'stats' | 'sums' | 'weighted', lanes: 1 | 64) => {
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
  if (lane == 0u) { sums[j] = v.x; dots[j] = v.y; }`;
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
  const out =
    mode === 'stats' ? ['x f32', 'stats f32 w'] : [...(weighted ? ['gamma f32'] : []), 'sums f32 w', 'dots f32 w'];
  const access = ['read', 'read', ...out.map((b) => (b.endsWith('w') ? 'write' : 'read'))] as ('read' | 'write')[];
  return {
    name: `norm/combine/${mode}/${lanes}`,
    access,
    source: /* wgsl */ `// first, second: partial results -> ${mode === 'stats' ? 'stats:[2,outputs]' : 'sums, dots:[outputs]'}
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
  mode: 'stats' | 'sums' | 'weighted',
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
  if (f.r !== 0 || (f.a !== 0 && a > 1)) return undefined;
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
  const chunks = split(target, view, threadsOf(target), 8);
  const partial = view.a * chunks.chunks * view.cols;
  return {
    temps: [partial, partial],
    dispatches: [
      { kernel: partialStats(view.width), args: [0, 5, 6], ...walk(view, chunks) },
      combining(target, 'stats', groupItems(view, chunks), view, [5, 6, 0, 4], chunks, eps),
      {
        kernel: applyNorm(view.width, view.affine.r !== 0),
        args: [0, 1, 2, 4, 3],
        ...walk(view, split(target, view, 4 * threadsOf(target), 4)),
      },
    ],
  };
}

/**
 * The gradient of `norm`: gx = rstd * (g * gamma - mean(g * gamma) - xhat * mean(g * gamma * xhat)), means over a group;
 * ggamma = sum g * xhat, gbeta = sum g (Ioffe and Szegedy 2015). Inputs x, gamma, stats, g; outputs gx, ggamma, gbeta.
 * Where gamma does not change inside a column, one pass over x and g serves all four sums.
 */
export function normGrad(target: Target, shape: NormShape): Plan {
  const view = viewOf(shape);
  const { a, b, s, cols, rows, width, affine: f } = view;
  const rowwise = f.r !== 0;
  const chunks = split(target, view, threadsOf(target), 8);
  const same =
    shape.affineSize === a * b &&
    !rowwise &&
    (a === 1 || f.a === b) &&
    (b === 1 || f.b === 1) &&
    (s === 1 || f.s === 0);
  const temps = Array<number>(2).fill(a * chunks.chunks * cols);
  const dispatches: Dispatch[] = [
    {
      kernel: partialGrad(width, rowwise),
      args: rowwise ? [0, 2, 3, 1, 7, 8] : [0, 2, 3, 7, 8],
      ...walk(view, chunks),
    },
  ];
  const apply = (sums: number, dots: number): Dispatch => ({
    kernel: applyGrad(width, rowwise, same),
    args: [0, 1, 2, 3, sums, dots, 4],
    ...walk(view, split(target, view, 4 * threadsOf(target), 4)),
  });
  const groups = groupItems(view, chunks);
  if (same) {
    return {
      temps,
      dispatches: [...dispatches, combining(target, 'sums', groups, view, [7, 8, 6, 5], chunks), apply(6, 5)],
    };
  }
  temps.push(a * b, a * b);
  dispatches.push(
    rowwise
      ? combining(target, 'sums', groups, view, [7, 8, 9, 10], chunks)
      : combining(target, 'weighted', groups, view, [7, 8, 1, 9, 10], chunks),
    apply(9, 10),
  );
  const items = affineItems(view, chunks, shape.affineSize);
  if (items) {
    dispatches.push(combining(target, 'sums', items, view, [7, 8, 6, 5], chunks));
  } else if (rowwise && b === 1 && f.s === 1 && (f.a === 0 || a === 1) && shape.affineSize === rows * cols) {
    const down: View = { ...view, a: 1, rows: a, cols: rows * cols, period: rows * cols };
    const parts = split(target, down, threadsOf(target), 8);
    if (parts.chunks > 1) temps.push(parts.chunks * down.cols, parts.chunks * down.cols);
    dispatches.push({
      kernel: affineRows(width),
      args: [0, 2, 3, ...(parts.chunks > 1 ? [11, 12] : [5, 6])],
      ...walk(down, parts),
    });
    const items = { outputs: down.cols, inner: down.cols, outerStep: 0, innerStep: 1, step: [down.cols, 0] as const };
    if (parts.chunks > 1)
      dispatches.push(combining(target, 'sums', { ...items, n: [parts.chunks, 1, 1] }, view, [11, 12, 5, 6], parts));
  } else {
    dispatches.push(...normGradNaive(target, shape).dispatches.slice(-1));
  }
  return { temps, dispatches };
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
