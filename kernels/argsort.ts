/** Stable sorting along one axis: a merge sort in which every element finds its own place. */
import { fill } from './copy.ts';
import { type Dispatch, flatMain, grid1d, memo, type Plan } from './kernel.ts';

// Sorted runs of width w are merged in pairs. An element moves on by as many elements of the other run as go before it, which
// a binary search counts, so no two invocations write to the same place and none waits for another.
// Places are whole numbers on the way; the last pass writes them as floats, or leaves their bits for axes that floats cannot count.
const mergeKernel = memo((descending: boolean, asFloats: boolean) => ({
  name: 'argsort',
  source: /* wgsl */ `// x:[A,R,B] order:[A,R,B] -> y:[A,R,B]: places along R, sorted in runs of w before and of 2w after
struct Params { n: u32, R: u32, B: u32, w: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<${asFloats ? 'f32' : 'u32'}>;

// Whole numbers in the order of the floats: NaN above all, and -0 equal to 0.
fn key(v: f32) -> u32 {
  let word = bitcast<u32>(v);
  let size = word & 0x7fffffffu;
  var k = select(word | 0x80000000u, ~word, word > size);
  if (size == 0u) { k = 0x80000000u; }
  if (size > 0x7f800000u) { k = 0xffffffffu; }
  return ${descending ? '~k' : 'k'};
}

fn place(row: u32, r: u32, b: u32) -> u32 {
  if (p.w == 1u) { return r; }
  return order[(row + r) * p.B + b];
}

${flatMain()}
  if (i >= p.n) { return; }
  let b = i % p.B;
  let r = i / p.B % p.R;
  let row = i / p.B - r;
  let own = place(row, r, b);
  let k = key(x[(row + own) * p.B + b]);
  let run = r / p.w;
  let right = (run & 1u) == 1u;
  let start = (run ^ 1u) * p.w;
  // How many of the other run go before: on ties the left run does.
  var low = min(start, p.R);
  var high = min(start + p.w, p.R);
  while (low < high) {
    let mid = (low + high) / 2u;
    let other = key(x[(row + place(row, mid, b)) * p.B + b]);
    if (other < k || (right && other == k)) { low = mid + 1u; } else { high = mid; }
  }
  let before = low - min(start, p.R);
  let to = (run >> 1u) * 2u * p.w + (r - run * p.w) + before;
  y[(row + to) * p.B + b] = ${asFloats ? 'f32(own)' : 'own'};
}
`,
  access: ['read', 'read', 'write'] as const,
}));

/** x:[A,R,B] -> the places along R of its elements in order, as floats or as the bits of whole numbers. */
export function argsort(descending: boolean, A: number, R: number, B: number, bits = false): Plan {
  const n = A * R * B;
  if (n === 0) return { dispatches: [] };
  if (R === 1) return fill(n, 0, 1);
  const passes = Math.ceil(Math.log2(R));
  const dispatches: Dispatch[] = [];
  // The last pass writes the output, and those before it two buffers in turn. The first reads no order.
  for (let pass = 0; pass < passes; pass++) {
    const from = pass === 0 ? 0 : 2 + ((pass - 1) % 2);
    const to = pass === passes - 1 ? 1 : 2 + (pass % 2);
    const params = [n, R, B, 2 ** pass];
    const kernel = mergeKernel(descending, pass === passes - 1 && !bits);
    dispatches.push({ kernel, args: [0, from, to], params, grid: grid1d(n) });
  }
  return { temps: new Array<number>(Math.min(2, passes - 1)).fill(n), dispatches };
}
