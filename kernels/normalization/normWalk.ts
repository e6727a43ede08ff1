/** How the norm kernels walk x, and the kernels that do; see norm.ts. */

import { type EpilogueCode, epilogueCode } from '../epilogue.ts';
import type { Epilogue } from '../functions.ts';
import { type Dispatch, f32, flatMain, grid1d, memo, type Param, type Target } from '../kernel.ts';

/**
 * A pattern and the element strides by which gamma and beta follow (a, r, b, s): batch norm has {a:0, r:0, b:1, s:0}.
 */
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
export interface View {
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
export function viewOf({ a, r, b, s, affine: f, affineSize }: NormShape): View | undefined {
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
export const down = (view: View): View => ({ ...view, a: 1, rows: view.a, cols: view.count, period: view.count });

/** The rows of chunk k: from k * start in steps of `step`, below k * start + span. */
export interface Split {
  readonly chunks: number;
  readonly start: number;
  readonly step: number;
  readonly span: number;
}

/**
 * Splits the rows so that there are about `threads` threads, with `least` rows or more. On hardware neighbouring threads
 * take neighbouring rows (coalescing); on a CPU each keeps to its own run of memory (caches, pages, prefetching).
 */
export function split(target: Target, { a, rows, cols, width }: View, threads: number, least: number): Split {
  const chunks = Math.max(1, Math.min(Math.ceil((threads * width) / (a * cols)), Math.floor(rows / least)));
  if (target.family === 'hardware') return { chunks, start: 1, step: chunks, span: rows };
  const span = Math.ceil(rows / chunks);
  return { chunks: Math.ceil(rows / span), start: span, step: 1, span };
}

const walkParams = (members: string) => /* wgsl */ `
struct Params {
  total: u32, rows: u32, cols: u32, chunks: u32, period: u32, b: u32, s: u32, groups: u32,
  fa: u32, fb: u32, fs: u32, start: u32, step: u32, span: u32, count: f32, ${members}
}
@group(0) @binding(0) var<uniform> p: Params;`;

/** Words of the uniform block of a walk. */
export const WALK_WORDS = 15;

/** The threads of a walk over `view` in chunks, and the parameters that tell them their place. */
export function walk(view: View, { chunks, start, step, span }: Split): { params: Param[]; grid: Dispatch['grid'] } {
  const { a, rows, cols, period, b, s, width, affine: f } = view;
  const total = (a * chunks * cols) / width;
  const params = [total, rows, cols / width, chunks, period, b, s, a * b, f.a, f.b, f.s];
  return { params: [...params, start, step, span, f32(view.count)], grid: grid1d(total) };
}

/** WGSL types of a walk in vectors of `width`, and the reading of a small array at a vector of indices. */
const types = (width: number) =>
  width === 4
    ? 'alias V = vec4f;\nfn lanes(c: u32) -> vec4u { return 4u * c + vec4u(0u, 1u, 2u, 3u); }'
    : 'alias V = f32;\nfn lanes(c: u32) -> u32 { return c; }';
const pick = (width: number, name: string, at: string) =>
  width === 4 ? `V(${['x', 'y', 'z', 'w'].map((l) => `${name}[(${at}).${l}]`).join(', ')})` : `${name}[${at}]`;
export const bind = (list: readonly string[]) =>
  list.map((b, i) => {
    const [name, type, mode] = b.split(' ');
    return `@group(0) @binding(${i + 1}) var<storage, ${mode ? 'read_write' : 'read'}> ${name}: array<${type}>;`;
  });

/**
 * A walk: `before` runs once a thread, `each` for every row r with `at` the index of the vector, `after` at the end.
 * `four`, if given, takes four rows at once, at `at`, `at + hop` ..., as long as there are four. `epilogue`: what `each` stores with.
 */
const walkSource = (
  title: string,
  width: number,
  buffers: string[],
  { before, each, four, after }: { before: string; each: string; four?: string; after?: string },
  epilogue?: EpilogueCode,
) => /* wgsl */ `// ${title}
${types(width)}${walkParams(epilogue?.members ?? '')}
${bind(buffers).join('\n')}
${epilogue?.head(1 + buffers.length, 'p.total') ?? ''}
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

export const partialStats = memo((width: number) => ({
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

/** The last kernel of a forward pass: `y` is a value of type V at `at`, in column c of the output's last axis. */
const forward = (name: string, title: string, affine: 'f32' | 'V', before: (width: number) => string, y: string) =>
  memo((width: number, epilogue?: Epilogue) => {
    const code = epilogueCode(epilogue, width === 4 ? 'vec4f' : 'f32', 'y');
    return {
      name: `norm/${name}/${width}${code.name}`,
      access: ['read', 'read', 'read', 'read', 'write', ...code.access] as const,
      source: walkSource(
        title,
        width,
        ['x V', `gamma ${affine}`, `beta ${affine}`, 'stats f32', 'y V w'],
        {
          before: `${before(width)}\n  ${code.columns(`c * ${width}u`)}`,
          each: code.store(y, `at * ${width}u`),
        },
        code,
      ),
    };
  });

export const applyNorm = forward(
  'apply',
  'x:[A,rows,cols] gamma, beta:[affine] stats:[2,A*B] -> y like x: (x - mean) * rstd * gamma + beta',
  'f32',
  (width) => `let mean = ${pick(width, 'stats', 'group')};
  let scale = ${pick(width, 'stats', 'p.groups + group')} * ${pick(width, 'gamma', 'affine')};
  let shift = ${pick(width, 'beta', 'affine')};`,
  '(x[at] - mean) * scale + shift',
);

export const applyRows = forward(
  'rows',
  'x:[rows,cols] gamma, beta:[cols] stats:[2,rows] -> y:[rows,cols], down the columns',
  'V',
  () => 'let scale = gamma[c]; let shift = beta[c];',
  '((x[at] - stats[r]) * stats[p.rows + r]) * scale + shift',
);

export const partialGrad = memo((width: number, rowwise: boolean) => ({
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
export const applyGrad = memo((width: number, scaled: boolean) => ({
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
export const gradRows = memo((width: number) => ({
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
