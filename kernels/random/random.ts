/**
 * Counter-based random numbers: Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror and Shaw, "Parallel random numbers:
 * as easy as 1, 2, 3", 2011). Element i of a stream is word i & 1 of the block with key `seed` and the 64-bit counter
 * `offset + (i >> 1)`, so the numbers depend on nothing but (seed, offset, i): not on the adapter, the grid or the order.
 * A stream of n elements uses ceil(n / 2) counters; the next stream of the same seed starts at offset + ceil(n / 2).
 * The functions in float64 below make the same streams in JavaScript.
 */
import { f32, flatMain, grid1d, memo, type Param, type Plan, type Target } from '../kernel.ts';

/** Where a stream starts: two 32-bit words of key, and a counter below 2^53. */
export interface Stream {
  readonly seed: readonly [number, number];
  readonly offset: number;
}

export interface Uniform extends Stream {
  readonly low: number;
  readonly high: number;
}

export interface Normal extends Stream {
  readonly mean: number;
  readonly std: number;
}

const PARITY = 0x1bd11bda;
const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;

/** One block of Threefry-2x32-20: two words of key and two of counter give two random words. */
export function threefry2x32(k0: number, k1: number, c0: number, c1: number): [number, number] {
  const keys = [k0, k1, PARITY ^ k0 ^ k1] as const;
  let x = (c0 + k0) | 0;
  let y = (c1 + k1) | 0;
  for (let round = 0; round < 20; round++) {
    const r = ROTATIONS[round % 8]!;
    x = (x + y) | 0;
    y = ((y << r) | (y >>> (32 - r))) ^ x;
    if (round % 4 === 3) {
      const s = (round + 1) / 4;
      x = (x + keys[s % 3]!) | 0;
      y = (y + keys[(s + 1) % 3]! + s) | 0;
    }
  }
  return [x >>> 0, y >>> 0];
}

const ROUNDS = Array.from({ length: 20 }, (_, round) => {
  const r = ROTATIONS[round % 8]!;
  const s = (round + 1) / 4;
  const mix = `x += y; y = ((y * ${2 ** r}u) | (y >> vec2u(${32 - r}u))) ^ x;`; // SwiftShader shifts lane by lane
  return round % 4 === 3 ? `${mix}\n  x += key${s % 3}; y += key${(s + 1) % 3} + ${s}u;` : mix;
}).join('\n  ');

/**
 * Coefficients of the central and the outer branch of erfinv, highest power first (Giles, "Approximating the erfinv
 * function", GPU Computing Gems 2, 2011, single precision).
 */
export const CENTRE = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
  0.246640727, 1.50140941,
] as const;
export const TAIL = [
  -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
  1.00167406, 2.83297682,
] as const;

export const horner = (terms: readonly number[]) =>
  terms.reduce((sum, c) => (sum ? `(${sum} * w + ${c})` : `${c}`), '');

export const HEAD = (title: string, extra: string) => /* wgsl */ `// ${title}
struct Params { n4: u32, k0: u32, k1: u32, low: u32, high: u32, ${extra} }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
// Blocks of two consecutive counters: words of the first in x, z, of the second in y, w of the result.
fn random(counter: vec2u, carry: vec2u) -> vec4u {
  let key0 = p.k0;
  let key1 = p.k1;
  let key2 = ${PARITY}u ^ key0 ^ key1;
  var x = counter + key0;
  var y = carry + key1;
  ${ROUNDS}
  return vec4u(x.x, y.x, x.y, y.y);
}
${flatMain()}
  if (i >= p.n4) { return; }
  let counter = p.low + 2u * i + vec2u(0u, 1u);
  let bits = random(counter, p.high + select(vec2u(), vec2u(1u), counter < vec2u(p.low)));`;

const uniformKernel = memo(() => ({
  name: 'random/uniform',
  access: ['write'] as const,
  source: /* wgsl */ `${HEAD('-> y:[n] uniform in [low, high)', 'base: f32, span: f32, top: f32')}
  y[i] = min(p.base + p.span * (vec4f(bits >> vec4u(8u)) * 0x1p-24), vec4f(p.top));
}`,
}));

const normalKernel = memo(() => ({
  name: 'random/normal',
  access: ['write'] as const,
  source: /* wgsl */ `${HEAD('-> y:[n] normal', 'mean: f32, deviation: f32')}
  let u = (vec4f(bits >> vec4u(9u)) + 0.5) * 0x1p-23;
  var w = -log(4.0 * u * (1.0 - u)) - 2.5;
  let centre = ${horner(CENTRE)};
  let far = w > vec4f(2.5);
  w = sqrt(max(w + 2.5, vec4f())) - 3.0;
  let tail = ${horner(TAIL)};
  y[i] = p.mean + p.deviation * (${Math.SQRT2} * (2.0 * u - 1.0) * select(centre, tail, far));
}`,
}));

export const start = (n: number, { seed, offset }: Stream): Param[] => [
  ...[Math.ceil(n / 4), seed[0] >>> 0, seed[1] >>> 0, offset % 2 ** 32, Math.floor(offset / 2 ** 32)],
];

/** The largest float32 below `high`: where low + span * u would round up to `high`. */
function below(high: number): number {
  const word = new Int32Array(1);
  const float = new Float32Array(word.buffer);
  float[0] = high;
  if (float[0] === 0) return -(2 ** -126);
  word[0]! += float[0] > 0 ? -1 : 1;
  return float[0];
}

/** y[n] uniform in [low, high): low + (high - low) * k / 2^24, k the upper 24 bits of a word. Output y. */
export function uniform(_target: Target, n: number, options: Uniform): Plan {
  const { low, high } = options;
  const top = high > low ? below(high) : high;
  const params = [...start(n, options), f32(low), f32(high - low), f32(top)];
  return { dispatches: [{ kernel: uniformKernel(), args: [0], params, grid: grid1d(Math.ceil(n / 4)) }] };
}

/**
 * y[n] normal, by inversion: sqrt(2) * erfinv(2u - 1) with u = (k + 1/2) / 2^23, k the upper 23 bits of a word; u and
 * 1 - u are exact, and |y - mean| stays below 5.42 std. Output y.
 */
export function normal(_target: Target, n: number, options: Normal): Plan {
  const params = [...start(n, options), f32(options.mean), f32(options.std)];
  return { dispatches: [{ kernel: normalKernel(), args: [0], params, grid: grid1d(Math.ceil(n / 4)) }] };
}

/** The two words of block `index` of a stream. */
function blockAt(index: number, { seed, offset }: Stream): [number, number] {
  const counter = offset + index;
  return threefry2x32(seed[0], seed[1], counter % 2 ** 32, Math.floor(counter / 2 ** 32));
}

const toUniform = (word: number, { low, high }: Uniform): number => low + (high - low) * ((word >>> 8) / 2 ** 24);

function toNormal(word: number, { mean, std }: Normal): number {
  const u = ((word >>> 9) + 0.5) / 2 ** 23;
  const w = -Math.log(4 * u * (1 - u));
  const far = w > 5;
  const terms = far ? TAIL : CENTRE;
  const v = far ? Math.sqrt(w) - 3 : w - 2.5;
  let sum = 0;
  for (let k = 0; k < terms.length; k++) sum = sum * v + terms[k]!;
  return mean + std * Math.SQRT2 * (2 * u - 1) * sum;
}

export function fill<O extends Stream>(
  out: Float64Array,
  options: O,
  make: (word: number, options: O) => number,
): void {
  for (let i = 0; i < out.length; i += 2) {
    const [first, second] = blockAt(i / 2, options);
    out[i] = make(first, options);
    if (i + 1 < out.length) out[i + 1] = make(second, options);
  }
}

/** Fills `out` with what `uniform` makes. */
export const fillUniform = (out: Float64Array, options: Uniform): void => fill(out, options, toUniform);

/** Fills `out` with what `normal` makes. */
export const fillNormal = (out: Float64Array, options: Normal): void => fill(out, options, toNormal);
