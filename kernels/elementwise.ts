import { f32, flatMain, grid1d, type Kernel, type Plan, type Shape, sizeOf } from './kernel.ts';
import { broadcastStrides, collapse, members, offsetOf, stridesOf, unravel } from './strides.ts';

/** An elementwise function: what it computes, in WGSL that is valid for T = f32 and T = vec4f alike. */
export interface Elementwise {
  readonly name: string;
  /**
   * An expression in `a`, `b`, `c` (the inputs, of type T) and `p.s0`, `p.s1` (float parameters). It may call `isnan_(x)`,
   * and `bits_(word)` for a value given by its bits.
   */
  readonly expr: string;
  readonly arity: number;
  /** WGSL functions that the expression calls. */
  readonly prelude?: string;
}

// WGSL may assume that NaN and infinity do not occur, so they are recognised and made by their bits. `p.n & 0u` keeps the
// compiler from evaluating the bits itself, which it would refuse.
const SPECIAL = /* wgsl */ `fn isnan_(x: T) -> B { return (bitcast<U>(x) & U(0x7fffffffu)) > U(0x7f800000u); }
fn bits_(word: u32) -> T { return T(bitcast<f32>(word | (p.n & 0u))); }`;

const LETTERS = ['a', 'b', 'c', 'd'];

// `modes`: how each input is read: v(ec4), s(plat: one scalar for the four lanes), f(loat by float).
const kernels = new Map<string, Kernel>();

function generate(e: Elementwise, modes: string, rank: number, scalars: number): Kernel {
  const key = `${e.name}|${modes}|${rank}`;
  const made = kernels.get(key);
  if (made) return made;
  const vector = !modes.includes('f');
  const T = vector ? 'vec4f' : 'f32';
  const letters = LETTERS.slice(0, e.arity);
  const index = (m: string, l: string) => (rank > 0 ? offsetOf(l, rank) : m === 's' ? '0' : 'i');
  const source = /* wgsl */ `// ${letters.map((l) => `${l}:[...]`).join(' ')} -> y:[...] (elementwise, NumPy broadcasting)
alias T = ${T};
alias U = ${vector ? 'vec4u' : 'u32'};
alias B = ${vector ? 'vec4<bool>' : 'bool'};
struct Params { n: u32, ${scalars > 0 ? 's0: f32, ' : ''}${scalars > 1 ? 's1: f32, ' : ''}${rank > 0 ? members('d', rank) : ''}${
    rank > 0 ? letters.map((l) => members(l, rank)).join('') : ''
  }}
@group(0) @binding(0) var<uniform> p: Params;
${letters.map((l, k) => `@group(0) @binding(${k + 1}) var<storage, read> ${l}_in: array<${modes[k] === 'v' ? 'vec4f' : 'f32'}>;`).join('\n')}
@group(0) @binding(${e.arity + 1}) var<storage, read_write> y: array<T>;
${SPECIAL}
${e.prelude ?? ''}
fn f(${letters.map((l) => `${l}: T`).join(', ')}) -> T { return ${e.expr}; }
${flatMain()}
  if (i >= p.n) { return; }
  ${rank > 0 ? unravel(rank) : ''}
  y[i] = f(${letters.map((l, k) => `T(${l}_in[${index(modes[k]!, l)}])`).join(', ')});
}
`;
  const kernel: Kernel = { name: e.name, source, access: [...letters.map(() => 'read' as const), 'write'] };
  kernels.set(key, kernel);
  return kernel;
}

/**
 * Runs an elementwise function with broadcasting: inputs of `shapes`, output of `out` (their broadcast shape).
 * Four elements an invocation wherever the innermost loop allows.
 */
export function elementwise(
  e: Elementwise,
  shapes: readonly Shape[],
  out: Shape,
  scalars: readonly number[] = [],
): Plan {
  const n = sizeOf(out);
  if (n === 0) return { dispatches: [] };
  const args = Array.from({ length: e.arity + 1 }, (_, k) => k);
  const tail = scalars.map(f32);
  const loops = collapse({ sizes: out, strides: [stridesOf(out), ...shapes.map((s) => broadcastStrides(s, out))] });
  const inputs = loops.strides.slice(1);
  const rank = loops.sizes.length;
  const inner = inputs.map((s) => s[rank - 1]);
  const single = shapes.map((s) => sizeOf(s) === 1 && n > 1);
  if (rank === 1) {
    // One loop: buffers are padded to 16 bytes, so the last vector may be partly garbage.
    const modes = inputs.map((s, k) => (single[k] || s[0] === 0 ? 's' : 'v')).join('');
    const count = Math.ceil(n / 4);
    return {
      dispatches: [{ kernel: generate(e, modes, 0, tail.length), args, params: [count, ...tail], grid: grid1d(count) }],
    };
  }
  const vector = loops.sizes[rank - 1]! % 4 === 0;
  const modes = inner.map((s) => (vector ? (s === 0 ? 's' : 'v') : 'f')).join('');
  const count = vector ? n / 4 : n;
  const sizes = loops.sizes.map((d, k) => (vector && k === rank - 1 ? d / 4 : d));
  // An input that is read as vectors has its strides in vectors; the innermost one is 1 either way.
  const strides = inputs.map((s, i) => (modes[i] === 'v' ? s.map((v, k) => (k === rank - 1 ? v : v / 4)) : s));
  return {
    dispatches: [
      {
        kernel: generate(e, modes, rank, tail.length),
        args,
        params: [count, ...tail, ...sizes, ...strides.flat()],
        grid: grid1d(count),
      },
    ],
  };
}
