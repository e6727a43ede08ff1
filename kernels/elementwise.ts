import type { Elementwise, Link } from './functions.ts';
import { f32, flatMain, grid1d, type Kernel, type Param, type Plan, type Shape, sizeOf } from './kernel.ts';
import { bitwise } from './special.ts';
import { broadcastStrides, collapse, members, offsetOf, stridesOf, unravel } from './strides.ts';

/** The types that expressions are written in, for one element or a vector of them. */
export const TYPES = {
  f32: 'alias T = f32; alias U = u32; alias B = bool;',
  vec2f: 'alias T = vec2f; alias U = vec2u; alias B = vec2<bool>;',
  vec4f: 'alias T = vec4f; alias U = vec4u; alias B = vec4<bool>;',
} as const;

/** What a chain works on at a time. */
export type ChainType = keyof typeof TYPES;

/** Elementwise functions of a common shape, each applied to inputs and to results of earlier ones. */
export interface Chain {
  readonly inputs: number;
  readonly links: readonly Link[];
  /** The links whose results are wanted. */
  readonly outputs: readonly number[];
}

const HIDE = /* wgsl */ `fn hide_(x: T) -> T { return bitcast<T>(bitcast<U>(x) ^ U(bitcast<u32>(p.none))); }`;

const LETTERS = 'abcd';

/** WGSL functions of several preludes, each once: a name stands for one function throughout. */
function functionsOf(links: readonly Link[]): string {
  const byName = new Map<string, string>();
  for (const text of links.flatMap(({ e }) => e.prelude?.split(/^(?=fn |const |struct )/m) ?? [])) {
    byName.set(/^\w+ (\w+)/.exec(text)?.[1] ?? text, text.trimEnd());
  }
  return [...byName.values()].join('\n');
}

/** Links that a compiler shortens by algebra where both sides are made of the same value: y - y is not 0 where y is NaN. */
const SHORTENED = ['add', 'sub', 'mul', 'mul3', 'div', 'divOrZero'];

/**
 * Whether the first operand of each link is hidden from the compiler: drivers take 1/x · x for 1 and the square of a root for
 * its argument, and lose NaN, infinities and what rounding left.
 * @param inputs how many values the operands count before the results of links
 */
export function hidden(links: readonly Link[], inputs: number): readonly boolean[] {
  if (links.length < 2) return [false]; // each operand is a binding of its own
  const sources = Array.from({ length: inputs }, (_, k) => new Set([k]));
  return links.map(({ e, operands }, k) => {
    const own = operands.map((o) => sources[o]!);
    sources.push(new Set([inputs + k, ...own.flatMap((s) => [...s])]));
    if (e.name === 'square') return operands[0]! >= inputs;
    return SHORTENED.includes(e.name) && own.some((s, i) => own.slice(i + 1).some((t) => [...s].some((v) => t.has(v))));
  });
}

/** Members `s0: f32, s1: f32, ...` of a uniform block, for the scalars of all links, and `none: f32` if a value is hidden. */
export const scalarMembers = (links: readonly Link[], inputs: number): string =>
  [...links.flatMap((l) => l.scalars).map((_, k) => `s${k}`), ...(hidden(links, inputs).includes(true) ? ['none'] : [])]
    .map((name) => `${name}: f32, `)
    .join('');

/** The words of those members. `none` is 0, which only the host knows. */
export const scalarParams = (links: readonly Link[], inputs: number): Param[] => [
  ...links.flatMap((l) => l.scalars.map(f32)),
  ...(hidden(links, inputs).includes(true) ? [f32(0)] : []),
];

/** The calls of all links: `operand` names a value by its index. */
export function linkCalls(links: readonly Link[], inputs: number, operand: (k: number) => string): string[] {
  const hides = hidden(links, inputs);
  return links.map(({ operands }, k) => {
    const list = operands.map((o, i) => (hides[k] && i === 0 ? `hide_(${operand(o)})` : operand(o)));
    return `link${k}(${list.join(', ')})`;
  });
}

/**
 * WGSL of the functions `link0`, `link1`, ... and of all that they call. Their scalars are `p.s0`, `p.s1`, ... throughout.
 * @param inputs as for `hidden`
 * @param parameter a u32 of the uniform block, whatever its value
 */
export function linkFunctions(links: readonly Link[], inputs: number, type: ChainType, parameter: string): string {
  let scalars = 0;
  const functions = links.map(({ e, scalars: own }, k) => {
    const from = scalars;
    scalars += own.length;
    const parameters = LETTERS.slice(0, e.arity)
      .split('')
      .map((l) => `${l}: T`);
    return `fn link${k}(${parameters.join(', ')}) -> T { return ${e.expr.replace(/\bp\.s(\d)/g, (_, s) => `p.s${from + Number(s)}`)}; }`;
  });
  const hide = hidden(links, inputs).includes(true) ? [HIDE] : [];
  return [TYPES[type], bitwise(parameter), ...hide, functionsOf(links), ...functions].join('\n');
}

// `modes`: how each input is read: v(ec4), s(plat: one scalar for the four lanes), f(loat by float).
const kernels = new Map<string, Kernel>();

function generate({ inputs, links, outputs }: Chain, modes: string, rank: number): Kernel {
  const name = links.map((l) => l.e.name).join('+');
  const places = links.map((l) => `${l.operands},${l.scalars.length}`).join(';');
  const key = `${name}|${places}|${outputs}|${modes}|${rank}`;
  const made = kernels.get(key);
  if (made) return made;
  const vector = !modes.includes('f');
  const letters = Array.from({ length: inputs }, (_, k) => `x${k}_`);
  const index = (m: string, l: string) => (rank > 0 ? offsetOf(l, rank) : m === 's' ? '0' : 'i');
  const operand = (k: number) => letters[k] ?? `r${k - inputs}`;
  const source = /* wgsl */ `// ${letters.map((_, k) => `x${k}:[...]`).join(' ')} -> ${outputs.map((_, k) => `y${k}:[...]`).join(' ')} (elementwise, NumPy broadcasting)
struct Params { n: u32, ${scalarMembers(links, inputs)}${rank > 0 ? members('d', rank) : ''}${
    rank > 0 ? letters.map((l) => members(l, rank)).join('') : ''
  }}
@group(0) @binding(0) var<uniform> p: Params;
${letters.map((l, k) => `@group(0) @binding(${k + 1}) var<storage, read> ${l}in: array<${modes[k] === 'v' ? 'vec4f' : 'f32'}>;`).join('\n')}
${outputs.map((_, k) => `@group(0) @binding(${inputs + k + 1}) var<storage, read_write> y${k}: array<T>;`).join('\n')}
${linkFunctions(links, inputs, vector ? 'vec4f' : 'f32', 'p.n')}
${flatMain()}
  if (i >= p.n) { return; }
  ${rank > 0 ? unravel(rank) : ''}
${letters.map((l, k) => `  let ${l} = T(${l}in[${index(modes[k]!, l)}]);`).join('\n')}
${linkCalls(links, inputs, operand)
  .map((call, k) => `  let r${k} = ${call};`)
  .join('\n')}
${outputs.map((r, k) => `  y${k}[i] = r${r};`).join('\n')}
}
`;
  const kernel: Kernel = {
    name,
    source,
    access: [...letters.map(() => 'read' as const), ...outputs.map(() => 'write' as const)],
  };
  kernels.set(key, kernel);
  return kernel;
}

/**
 * Runs a chain with broadcasting in one launch: inputs of `shapes`, outputs of `out` (their broadcast shape).
 * Four elements an invocation wherever the innermost loop allows. Buffers: the inputs, then the outputs.
 */
export function elementwiseChain(chain: Chain, shapes: readonly Shape[], out: Shape): Plan {
  const n = sizeOf(out);
  if (n === 0) return { dispatches: [] };
  const args = Array.from({ length: chain.inputs + chain.outputs.length }, (_, k) => k);
  const tail = scalarParams(chain.links, chain.inputs);
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
      dispatches: [{ kernel: generate(chain, modes, 0), args, params: [count, ...tail], grid: grid1d(count) }],
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
        kernel: generate(chain, modes, rank),
        args,
        params: [count, ...tail, ...sizes, ...strides.flat()],
        grid: grid1d(count),
      },
    ],
  };
}

/** Runs one elementwise function with broadcasting. */
export const elementwise = (
  e: Elementwise,
  shapes: readonly Shape[],
  out: Shape,
  scalars: readonly number[] = [],
): Plan =>
  elementwiseChain(
    {
      inputs: e.arity,
      links: [{ e, operands: Array.from({ length: e.arity }, (_, k) => k), scalars }],
      outputs: [0],
    },
    shapes,
    out,
  );
