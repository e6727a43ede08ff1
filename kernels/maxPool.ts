import { flatMain, grid1d, memo, type Plan } from './kernel.ts';
import { type WindowKind, type Windows, windowFunctions, windowMembers, windowParams } from './window.ts';

const params = /* wgsl */ `struct Params { n: u32, channels: u32, ${windowMembers} }
@group(0) @binding(0) var<uniform> p: Params;`;

// The windows' arithmetic, apart from which comes the flat index. `H.out` or `H.size` rows make an image.
const place = (rows: string, columns: string) => /* wgsl */ `if (i >= p.n) { return; }
  let H = axisH(); let W = axisW();
  let channels = i32(p.channels);
  let pixel = i32(i) / channels; let c = i32(i) - pixel * channels;
  let line = pixel / ${columns}; let v = pixel - line * ${columns};
  let n = line / ${rows}; let u = line - n * ${rows};`;

const aliases = (vector: boolean) => /* wgsl */ `alias T = ${vector ? 'vec4f' : 'f32'};
alias U = ${vector ? 'vec4u' : 'u32'};
alias B = ${vector ? 'vec4<bool>' : 'bool'};`;

// Places are floats, whose values can be compared with other devices'; an image of more places than floats count has their bits.
const COUNTED = 2 ** 24;

const index = memo((kind: WindowKind, vector: boolean, bits: boolean) => ({
  name: `maxPoolIndex.${kind}`,
  access: ['read', 'write'] as const,
  source: /* wgsl */ `// x:[N,H,W,C] -> index:[N,OH,OW,C], h*W + w of the first maximum in a window; a NaN counts as the largest
${aliases(vector)}
${params}
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<${bits ? 'U' : 'T'}>;
${windowFunctions(kind)}
fn isnan_(x: T) -> B { return (bitcast<U>(x) & U(0x7fffffffu)) > U(0x7f800000u); }
${flatMain()}
  ${place('H.out', 'W.out')}
  let rows = span(u, H); let columns = span(v, W);
  var best = T(0.0);
  var at = ${bits ? 'U(0xffffffffu)' : 'T(-1.0)'};
  for (var ih = rows.x; ih < rows.y; ih += rows.z) {
    for (var iw = columns.x; iw < columns.y; iw += columns.z) {
      let value = x[((n * H.size + ih) * W.size + iw) * channels + c];
      let larger = (value > best) & !isnan_(best);
      let take = ${bits ? '(at == U(0xffffffffu))' : '(at < T(0.0))'} | larger | isnan_(value);
      best = select(best, value, take);
      at = select(at, ${bits ? 'U(u32(ih * W.size + iw))' : 'T(f32(ih * W.size + iw))'}, take);
    }
  }
  y[i] = at;
}
`,
}));

const gather = memo((bits: boolean) => ({
  name: 'poolGather',
  access: ['read', 'read', 'write'] as const,
  source: /* wgsl */ `// x:[N,P,C] index:[N,Q,C] -> y:[N,Q,C], y[n,q,c] = x[n,index[n,q,c],c]
struct Params { n: u32, channels: u32, places: i32, each: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> index: array<${bits ? 'i32' : 'f32'}>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
${flatMain()}
  if (i >= p.n) { return; }
  let at = i32(index[i]);
  var value = 0.0;
  if (at >= 0 && at < p.places) { value = x[(i / p.each * u32(p.places) + u32(at)) * p.channels + i % p.channels]; }
  y[i] = value;
}
`,
}));

const scatter = memo((kind: WindowKind, vector: boolean, bits: boolean) => ({
  name: `poolScatter.${kind}`,
  access: ['read', 'read', 'write'] as const,
  source: /* wgsl */ `// y:[N,OH,OW,C] index:[N,OH,OW,C] -> x:[N,H,W,C]: each place adds up the windows that chose it
${aliases(vector)}
${params}
@group(0) @binding(1) var<storage, read> y: array<T>;
@group(0) @binding(2) var<storage, read> index: array<${bits ? 'U' : 'T'}>;
@group(0) @binding(3) var<storage, read_write> x: array<T>;
${windowFunctions(kind)}
${flatMain()}
  ${place('H.size', 'W.size')}
  let rows = cover(u, H); let columns = cover(v, W);
  let here = ${bits ? 'U(u32(u * W.size + v))' : 'T(f32(u * W.size + v))'};
  var acc = T(0.0);
  for (var oh = rows.x; oh < rows.y; oh++) {
    for (var ow = columns.x; ow < columns.y; ow++) {
      let k = ((n * H.out + oh) * W.out + ow) * channels + c;
      acc += select(T(0.0), y[k], index[k] == here);
    }
  }
  x[i] = acc;
}
`,
}));

const inBits = ({ h, w }: Windows): boolean => h.size * w.size > COUNTED;

/** Where each window of x [N,H,W,C] has its first maximum: h·W + w, as a float up to 2^24 places, else as the bits of a number. */
export function maxPoolIndex(kind: WindowKind, windows: Windows, n: number, channels: number): Plan {
  const width = channels % 4 === 0 ? 4 : 1;
  const count = (n * channels * windows.h.out * windows.w.out) / width;
  if (count === 0) return { dispatches: [] };
  const params = [count, channels / width, ...windowParams(windows)];
  return {
    dispatches: [{ kernel: index(kind, width === 4, inBits(windows)), args: [0, 1], params, grid: grid1d(count) }],
  };
}

/** Takes from x [N,H,W,C] the places that index [N,OH,OW,C] names, channel by channel; 0 for a place outside. */
export function poolGather(windows: Windows, n: number, channels: number): Plan {
  const { h, w } = windows;
  const each = channels * h.out * w.out;
  if (n * each === 0) return { dispatches: [] };
  const params = [n * each, channels, h.size * w.size, each];
  return { dispatches: [{ kernel: gather(inBits(windows)), args: [0, 1, 2], params, grid: grid1d(n * each) }] };
}

/** The adjoint of `poolGather` for indices within the windows. */
export function poolScatter(kind: WindowKind, windows: Windows, n: number, channels: number): Plan {
  const width = channels % 4 === 0 ? 4 : 1;
  const count = (n * channels * windows.h.size * windows.w.size) / width;
  if (count === 0) return { dispatches: [] };
  const params = [count, channels / width, ...windowParams(windows)];
  return {
    dispatches: [{ kernel: scatter(kind, width === 4, inBits(windows)), args: [0, 1, 2], params, grid: grid1d(count) }],
  };
}
