/** Reading and adding by index along one axis. Either kernel is the adjoint of the other. */
import { flatMain, grid1d, memo, type Plan } from './kernel.ts';

/**
 * x and y as [A, R, B] and [A, K, B]; the index is one for every element, or one list of K for all rows and columns.
 */
export interface IndexWalk {
  readonly A: number;
  readonly R: number;
  readonly K: number;
  readonly B: number;
  readonly shared: boolean;
  /** The index holds the bits of whole numbers instead of floats: for axes that floats cannot count. */
  readonly bits?: boolean | undefined;
  /** The length of the index along K, where only its first K elements are used. Default K. */
  readonly length?: number | undefined;
}

// ia, ik and ib are the steps of the index along A, K and B: 0 where it is the same for all.
const PARAMS = /* wgsl */ `struct Params { n: u32, R: u32, K: u32, B: u32, ia: u32, ik: u32, ib: u32 }
@group(0) @binding(0) var<uniform> p: Params;`;

// What is no whole number becomes an index out of every range. It is told by its bits, so that no driver takes NaN for a number.
const PLACE = (bits: boolean) =>
  bits
    ? /* wgsl */ `fn place(word: u32) -> u32 { return word; }`
    : /* wgsl */ `fn place(word: u32) -> u32 {
  let at = u32(bitcast<f32>(word));
  return select(0xffffffffu, at, bitcast<u32>(f32(at)) == word || word == 0x80000000u);
}`;

const gatherKernel = memo((vector: boolean, bits: boolean) => ({
  name: 'gather',
  source: /* wgsl */ `// x:[A,R,B] index:[A,K,B] or [K] -> y:[A,K,B], y[a,k,b] = x[a,index,b], NaN where index is none of 0..R-1
alias T = ${vector ? 'vec4f' : 'f32'};
${PARAMS}
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<T>;
${PLACE(bits)}
${flatMain()}
  if (i >= p.n) { return; }
  let b = i % p.B;
  let k = i / p.B % p.K;
  let a = i / p.B / p.K;
  let r = place(index[a * p.ia + k * p.ik + b * p.ib]);
  if (r < p.R) { y[i] = x[(a * p.R + r) * p.B + b]; } else { y[i] = T(bitcast<f32>(0x7fc00000u | (p.n & 0u))); }
}
`,
  access: ['read', 'read', 'write'] as const,
}));

// A place is looked for among the indices by the bits of its number; -0 is 0.
const scatterKernel = memo((vector: boolean, bits: boolean) => ({
  name: 'scatter',
  source: /* wgsl */ `// source:[A,K,B] index:[A,K,B] or [K] -> y:[A,R,B], y[a,r,b] = sum of source[a,k,b] over the k whose index is r
alias T = ${vector ? 'vec4f' : 'f32'};
${PARAMS}
@group(0) @binding(1) var<storage, read> source: array<T>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<T>;
${flatMain()}
  if (i >= p.n) { return; }
  let b = i % p.B;
  let r = i / p.B % p.R;
  let a = i / p.B / p.R;
  var at = a * p.ia + b * p.ib;
  let here = ${bits ? 'r' : 'bitcast<u32>(f32(r))'};
  let mask = select(0xffffffffu, 0x7fffffffu, r == 0u);
  var acc = T(0.0);
  for (var k = 0u; k < p.K; k++) {
    if ((index[at] & mask) == here) { acc += source[(a * p.K + k) * p.B + b]; }
    at += p.ik;
  }
  y[i] = acc;
}
`,
  access: ['read', 'read', 'write'] as const,
}));

function launch(kernel: typeof gatherKernel, out: number, walk: IndexWalk): Plan {
  const { A, R, K, B, shared, bits = false, length = K } = walk;
  // Four neighbours share an index only where all columns do.
  const vector = shared && B % 4 === 0;
  const width = vector ? 4 : 1;
  const n = (A * out * B) / width;
  if (n === 0) return { dispatches: [] };
  const index = shared ? [0, 1, 0] : [length * B, B, 1];
  const params = [n, R, K, B / width, ...index];
  return { dispatches: [{ kernel: kernel(vector, bits), args: [0, 1, 2], params, grid: grid1d(n) }] };
}

/** (x, index) -> y */
export const gather = (walk: IndexWalk): Plan => launch(gatherKernel, walk.K, walk);

/** (source, index) -> y. One invocation for each element of y, so that no two add to the same place. */
export const scatter = (walk: IndexWalk): Plan => launch(scatterKernel, walk.R, walk);
