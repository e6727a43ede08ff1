/**
 * Softmax and its logarithm along the middle axis of [A, R, B], and their backward passes. A row is one thread's work, or
 * that of K threads in two launches where rows are few and long: each reduces r = k, k + K, ..., and then writes the same
 * elements after it has combined the K partial results. No barrier, and a fixed order.
 */
import { TYPES } from './elementwise.ts';
import { flatMain, grid1d, memo, type Plan, type Target } from './kernel.ts';
import { bitwise, EXP, LOG, WEIGHTED } from './special.ts';

export type SoftmaxKind = 'softmax' | 'logSoftmax';

/** The sizes before, of and after the axis. */
export interface SoftmaxShape {
  readonly a: number;
  readonly r: number;
  readonly b: number;
}

type Stage = 'whole' | 'partial' | 'apply';

// Starting from the lowest finite number, a row of -infinity alone gives 0/0 and part of a row gives exp(-inf) = 0.
// A NaN that max passes over is found by the sum.
const LOWEST = '-0x1.fffffep+127';

const head = (vector: boolean, buffers: readonly string[]) => /* wgsl */ `${TYPES[vector ? 'vec4f' : 'f32']}
struct Params { n: u32, R: u32, B: u32, K: u32 }
@group(0) @binding(0) var<uniform> p: Params;
${buffers
  .map((b, k) => {
    const write = b.endsWith(' w');
    return `@group(0) @binding(${k + 1}) var<storage, ${write ? 'read_write' : 'read'}> ${b.replace(' w', '')}: array<T>;`;
  })
  .join('\n')}
${bitwise('p.n')}
${EXP}
${LOG}
${WEIGHTED}
${flatMain()}
  if (i >= p.n) { return; }
  let b = i % p.B;
  let k = (i / p.B) % p.K;
  let a = i / p.B / p.K;
  let row = a * p.R * p.B + b;
  let parts = a * p.K * p.B + b;`;

/** WGSL of a loop over this thread's elements, at index \`at\`. */
const mine = (body: string) => `for (var r = k; r < p.R; r += p.K) { let at = row + r * p.B; ${body} }`;
const all = (body: string) => `for (var q = 0u; q < p.K; q++) { let at = parts + q * p.B; ${body} }`;
const accessOf = (buffers: readonly string[]) => buffers.map((b) => (b.endsWith(' w') ? 'write' : 'read'));

const forward = memo((kind: SoftmaxKind | 'softmaxOrZero', stage: Stage, vector: boolean) => {
  const buffers = { whole: ['x', 'y w'], partial: ['x', 'ms w', 'ss w'], apply: ['x', 'ms', 'ss', 'y w'] }[stage];
  const stats = `var m = T(${LOWEST});
  var s = T(0.0);
  ${
    stage === 'apply'
      ? `${all('m = max(m, ms[at]);')}
  ${all('s += ss[at] * exp_(ms[at] - m);')}`
      : `${mine('m = max(m, x[at]);')}
  ${mine('s += exp_(x[at] - m);')}`
  }`;
  const write = kind === 'logSoftmax' ? mine('y[at] = x[at] - m - z;') : mine('y[at] = exp_(x[at] - m) / s;');
  const before = { softmax: '', logSoftmax: 'let z = log_(s);', softmaxOrZero: 's = select(s, T(1.0), s == T(0.0));' }[
    kind
  ];
  return {
    name: `${kind}/${stage}`,
    access: accessOf(buffers),
    source: /* wgsl */ `// x:[A,R,B] -> ${stage === 'partial' ? 'largest values and sums of exp(x - largest):[A,K,B]' : `y:[A,R,B], ${kind} over R`}
${head(vector, buffers)}
  ${stats}
  ${stage === 'partial' ? 'ms[i] = m; ss[i] = s;' : `${before} ${write}`}
}
`,
  };
});

const backward = memo((kind: SoftmaxKind, stage: Stage, vector: boolean) => {
  const buffers = { whole: ['g', 'y', 'gx w'], partial: ['g', 'y', 'ss w'], apply: ['g', 'y', 'ss', 'gx w'] }[stage];
  const term = kind === 'softmax' ? 'weighted_(g[at], y[at])' : 'g[at]';
  const write =
    kind === 'softmax' ? 'gx[at] = weighted_(g[at] - s, y[at]);' : 'gx[at] = g[at] - weighted_(s, exp_(y[at]));';
  // The log-softmax's sum does not need y, but a binding that the shader does not use would be refused.
  const used = kind === 'logSoftmax' && stage === 'partial' ? 'if (p.R == 0u) { s = y[0]; }' : '';
  return {
    name: `${kind}Grad/${stage}`,
    access: accessOf(buffers),
    source: /* wgsl */ `// g, y:[A,R,B] -> ${stage === 'partial' ? 'sums:[A,K,B]' : `gx:[A,R,B], the gradient of ${kind} over R`}
${head(vector, buffers)}
  var s = T(0.0);
  ${used}
  ${stage === 'apply' ? all('s += ss[at];') : mine(`s += ${term};`)}
  ${stage === 'partial' ? 'ss[i] = s;' : mine(write)}
}
`,
  };
});

function launch(
  target: Target,
  { a, r, b }: SoftmaxShape,
  make: (stage: Stage, vector: boolean) => ReturnType<typeof forward>,
  inputs: number,
  partials: number,
): Plan {
  if (a * r * b === 0) return { dispatches: [] };
  const vector = b % 4 === 0;
  const width = vector ? 4 : 1;
  const rows = (a * b) / width;
  const wanted = target.family === 'hardware' ? 32768 : 256;
  const k = r < 64 ? 1 : Math.min(Math.floor(Math.sqrt(r)), Math.floor(wanted / rows));
  const ins = Array.from({ length: inputs }, (_, i) => i);
  const at = (threads: number, chunks: number) => ({
    params: [threads, r, b / width, chunks],
    grid: grid1d(threads),
  });
  if (k < 2) return { dispatches: [{ kernel: make('whole', vector), args: [...ins, inputs], ...at(rows, 1) }] };
  const temps = Array.from({ length: partials }, (_, i) => inputs + 1 + i);
  return {
    temps: temps.map(() => a * k * b),
    dispatches: [
      { kernel: make('partial', vector), args: [...ins, ...temps], ...at(rows * k, k) },
      { kernel: make('apply', vector), args: [...ins, ...temps, inputs], ...at(rows * k, k) },
    ],
  };
}

/** x -> y, both [A, R, B]. Input x; output y. */
export const softmax = (target: Target, kind: SoftmaxKind, shape: SoftmaxShape): Plan =>
  launch(target, shape, (stage, vector) => forward(kind, stage, vector), 1, 2);

/** Softmax, and 0 in rows of nothing but -infinity: x -> y, both [A, R, B]. Input x; output y. */
export const softmaxOrZero = (target: Target, shape: SoftmaxShape): Plan =>
  launch(target, shape, (stage, vector) => forward('softmaxOrZero', stage, vector), 1, 2);

/** The gradient in terms of the output: inputs g, y; output gx. */
export const softmaxGrad = (target: Target, kind: SoftmaxKind, shape: SoftmaxShape): Plan =>
  launch(target, shape, (stage, vector) => backward(kind, stage, vector), 2, 1);
