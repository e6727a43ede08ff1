import { flatMain, grid1d, type Kernel, memo, type Plan } from './kernel.ts';

const header = (
  from: string,
  to: string,
  vector: boolean,
  index = 'f32',
) => /* wgsl */ `alias T = ${vector ? 'vec4f' : 'f32'};
struct Params { n: u32, channels: u32, places: u32, taken: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> ${from}: array<T>;
@group(0) @binding(2) var<storage, read> index: array<${index}>;
@group(0) @binding(3) var<storage, read_write> ${to}: array<T>;`;

// Places are floats, whose values can be compared with other devices'; where there are more than floats count, their bits.
const COUNTED = 2 ** 24;

const gather = memo((vector: boolean, bits: boolean) => ({
  name: 'placeGather',
  access: ['read', 'read', 'write'] as const,
  source: /* wgsl */ `// x:[N,P,C] index:[N,K] -> y:[N,K,C], y[n,k] = x[n,index[n,k]], or 0 for a place outside
${header('x', 'y', vector, bits ? 'i32' : 'f32')}
${flatMain()}
  if (i >= p.n) { return; }
  let row = i / p.channels; let c = i - row * p.channels;
  let at = i32(index[row]);
  var value = T(0.0);
  if (at >= 0 && at < i32(p.places)) { value = x[(row / p.taken * p.places + u32(at)) * p.channels + c]; }
  y[i] = value;
}
`,
}));

const scatterIndex = (bits: boolean, fours: boolean): string => {
  const one = bits ? 'u32' : 'f32';
  return fours ? `vec4<${one}>` : one;
};

// Looking is nearly all that a place does, so it looks at four indices at once where they come in fours.
const scatter = memo((vector: boolean, bits: boolean, fours: boolean) => ({
  name: 'placeScatter',
  access: ['read', 'read', 'write'] as const,
  source: /* wgsl */ `// y:[N,K,C] index:[N,K] -> x:[N,P,C], x[n,q] = the sum of y[n,k] over all k with index[n,k] = q
${header('y', 'x', vector, scatterIndex(bits, fours))}
${flatMain()}
  if (i >= p.n) { return; }
  let row = i / p.channels; let c = i - row * p.channels;
  let n = row / p.places;
  let here = ${bits ? 'row - n * p.places' : 'f32(row - n * p.places)'};
  let steps = p.taken / ${fours ? 4 : 1};
  var acc = T(0.0);
  for (var k = n * steps; k < (n + 1u) * steps; k++) {
    let hit = index[k] == ${fours ? `vec4${bits ? 'u' : 'f'}(here)` : 'here'};
    ${fours ? FOURS : 'if (hit) { acc += y[k * p.channels + c]; }'}
  }
  x[i] = acc;
}
`,
}));

const FOURS = /* wgsl */ `if (!any(hit)) { continue; }
    if (hit.x) { acc += y[4u * k * p.channels + c]; }
    if (hit.y) { acc += y[(4u * k + 1u) * p.channels + c]; }
    if (hit.z) { acc += y[(4u * k + 2u) * p.channels + c]; }
    if (hit.w) { acc += y[(4u * k + 3u) * p.channels + c]; }`;

function plan(
  kernel: (vector: boolean, bits: boolean) => Kernel,
  elements: number,
  channels: number,
  places: number,
  taken: number,
): Plan {
  if (elements === 0) return { dispatches: [] };
  const width = channels % 4 === 0 ? 4 : 1;
  const params = [elements / width, channels / width, places, taken];
  const grid = grid1d(elements / width);
  return { dispatches: [{ kernel: kernel(width === 4, places > COUNTED), args: [0, 1, 2], params, grid }] };
}

/** Takes from x [n,places,channels] the rows that index [n,taken] names. */
export const placeGather = (n: number, channels: number, places: number, taken: number): Plan =>
  plan(gather, n * taken * channels, channels, places, taken);

/**
 * The adjoint of `placeGather`: every place looks through all `taken` indices of its image, so that no atomics are
 * needed.
 */
export const placeScatter = (n: number, channels: number, places: number, taken: number): Plan =>
  plan((vector, bits) => scatter(vector, bits, taken % 4 === 0), n * places * channels, channels, places, taken);

const corners = memo((bits: boolean) => ({
  name: 'gridCorners',
  access: ['read', 'write', 'write'] as const,
  source: /* wgsl */ `// at:[N,M,2] -> index:[N,4,M] base:[N,M,2]: the four places around (x, y), or -1 outside; base = floor(at)
struct Params { n: u32, m: u32, h: i32, w: i32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> at: array<f32>;
@group(0) @binding(2) var<storage, read_write> index: array<${bits ? 'i32' : 'f32'}>;
@group(0) @binding(3) var<storage, read_write> base: array<f32>;
${flatMain()}
  if (i >= p.n) { return; }
  let x = floor(at[2u * i]); let y = floor(at[2u * i + 1u]);
  base[2u * i] = x;
  base[2u * i + 1u] = y;
  let n = i / p.m;
  // Clamped as floats: what is far outside has no integer.
  let column = i32(clamp(x, -2.0, f32(p.w))); let row = i32(clamp(y, -2.0, f32(p.h)));
  for (var k = 0; k < 4; k++) {
    let r = row + k / 2; let c = column + k % 2;
    let inside = r >= 0 && r < p.h && c >= 0 && c < p.w;
    index[(n * 4u + u32(k)) * p.m + i - n * p.m] = select(${bits ? '-1, r * p.w + c' : '-1.0, f32(r * p.w + c)'}, inside);
  }
}
`,
}));

/** The corners of the cells in which m points of each of n images of h by w places lie. */
export function gridCorners(n: number, m: number, h: number, w: number): Plan {
  if (n * m === 0) return { dispatches: [] };
  return {
    dispatches: [{ kernel: corners(h * w > COUNTED), args: [0, 1, 2], params: [n * m, m, h, w], grid: grid1d(n * m) }],
  };
}
