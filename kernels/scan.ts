/** Running sums and linear recurrences along one axis. */
import { flatMain, grid1d, memo, type Plan } from './kernel.ts';

/** x as [A, R, B], scanned along R. */
export interface Scan {
  readonly A: number;
  readonly R: number;
  readonly B: number;
  /** Whether it goes from the last element to the first. */
  readonly reverse: boolean;
}

const kernel = memo((linear: boolean, vector: boolean) => ({
  name: linear ? 'linearScan' : 'cumsum',
  source: /* wgsl */ `// ${linear ? 'f:[A,R,B] x:[A,R,B] -> y:[A,R,B], y[r] = f[r] * y[r-1] + x[r]' : 'x:[A,R,B] -> y:[A,R,B], y[r] = y[r-1] + x[r]'}, or r+1 in place of r-1
alias T = ${vector ? 'vec4f' : 'f32'};
struct Params { n: u32, R: u32, B: u32, first: u32, step: u32 }
@group(0) @binding(0) var<uniform> p: Params;
${linear ? '@group(0) @binding(1) var<storage, read> f: array<T>;' : ''}
@group(0) @binding(${linear ? 2 : 1}) var<storage, read> x: array<T>;
@group(0) @binding(${linear ? 3 : 2}) var<storage, read_write> y: array<T>;
${flatMain()}
  if (i >= p.n) { return; }
  var at = i / p.B * p.R * p.B + i % p.B + p.first;
  var acc = T(0.0);
  for (var r = 0u; r < p.R; r++) {
    ${linear ? 'if (r == 0u) { acc = x[at]; } else { acc = f[at] * acc + x[at]; }' : 'acc += x[at];'}
    y[at] = acc;
    at += p.step;
  }
}
`,
  access: linear ? (['read', 'read', 'write'] as const) : (['read', 'write'] as const),
}));

/** `linear`: (f, x) -> y; else x -> y. One invocation for each column. */
export function scan(linear: boolean, { A, R, B, reverse }: Scan): Plan {
  if (A * R * B === 0) return { dispatches: [] };
  const vector = B % 4 === 0;
  const b = vector ? B / 4 : B;
  const params = [A * b, R, b, reverse ? (R - 1) * b : 0, reverse ? -b : b];
  const args = linear ? [0, 1, 2] : [0, 1];
  return { dispatches: [{ kernel: kernel(linear, vector), args, params, grid: grid1d(A * b) }] };
}
