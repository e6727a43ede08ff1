import { type Dispatch, f32, flatMain, grid1d, memo, type Plan, sizeOf } from './kernel.ts';
import { collapse, members, offsetOf, unravel } from './strides.ts';

const fillKernel = memo(() => ({
  name: 'fill',
  source: /* wgsl */ `// -> y:[n]
struct Params { n: u32, value: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
${flatMain()}
  if (i < p.n) { y[i] = vec4f(p.value); }
}
`,
  access: ['write'] as const,
}));

/** Sets n elements of the plan's slot `arg` to `value`. */
export function fill(n: number, value: number, arg = 0): Plan {
  const count = Math.ceil(n / 4);
  if (count === 0) return { dispatches: [] };
  return { dispatches: [{ kernel: fillKernel(), args: [arg], params: [count, f32(value)], grid: grid1d(count) }] };
}

const copyKernel = memo((rank: number, vector: boolean) => ({
  name: 'copy',
  source: /* wgsl */ `// y[yo + sum(i * ys)] = x[xo + sum(i * xs)] for every index i of a loop nest of ${rank} loops
alias T = ${vector ? 'vec4f' : 'f32'};
struct Params { n: u32, xo: u32, yo: u32, ${members('d', rank)}${members('x', rank)}${members('y', rank)}}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<T>;
${flatMain()}
  if (i >= p.n) { return; }
  ${unravel(rank)}
  y[p.yo + ${offsetOf('y', rank)}] = x[p.xo + ${offsetOf('x', rank)}];
}
`,
  access: ['read', 'write'] as const,
}));

/** A strided walk over a source and a destination, in elements; strides may be 0 (broadcast) or negative (flip). */
export interface Walk {
  readonly sizes: readonly number[];
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly fromOffset?: number;
  readonly toOffset?: number;
}

/** The one kernel of data movement: transpose, slice, broadcast, concat, pad and flip are walks. */
export function copy(walk: Walk, fromArg: number, toArg: number): Dispatch[] {
  const n = sizeOf(walk.sizes);
  if (n === 0) return [];
  let { sizes, strides } = collapse({ sizes: walk.sizes, strides: [walk.from, walk.to] });
  let offsets = [walk.fromOffset ?? 0, walk.toOffset ?? 0];
  const last = sizes.length - 1;
  const vector =
    sizes[last]! % 4 === 0 &&
    offsets.every((o) => o % 4 === 0) &&
    strides.every((s) => s[last] === 1 && s.every((v, d) => d === last || v % 4 === 0));
  if (vector) {
    sizes = sizes.map((d, k) => (k === last ? d / 4 : d));
    strides = strides.map((s) => s.map((v, k) => (k === last ? v : v / 4)));
    offsets = offsets.map((o) => o / 4);
  }
  const count = sizeOf(sizes);
  return [
    {
      kernel: copyKernel(sizes.length, vector),
      args: [fromArg, toArg],
      params: [count, ...offsets, ...sizes, ...strides.flat()],
      grid: grid1d(count),
    },
  ];
}
