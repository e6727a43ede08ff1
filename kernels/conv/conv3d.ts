import { flatMain, grid1d, memo, type Plan } from '../kernel.ts';

/**
 * The geometry of x [n,d,h,w,cin], weights [kd,kh,kw,cin/groups,cout] and y [n,od,oh,ow,cout]; triples are depth,
 * height, width.
 */
export interface Conv3dGeometry {
  readonly n: number;
  readonly cin: number;
  readonly cout: number;
  readonly groups: number;
  readonly image: readonly [number, number, number];
  readonly kernel: readonly [number, number, number];
  readonly out: readonly [number, number, number];
  readonly stride: readonly [number, number, number];
  /** How many zeros stand before the image; how many behind it follows from `out`. */
  readonly padding: readonly [number, number, number];
  readonly dilation: readonly [number, number, number];
}

const words = (g: Conv3dGeometry): number[] => [
  ...[g.n, g.cin, g.cout, g.groups, ...g.image, ...g.kernel, ...g.out],
  ...[...g.stride, ...g.padding, ...g.dilation],
];

const header = (
  ins: readonly [string, string],
  types: readonly [string, string, string],
  out: string,
) => /* wgsl */ `struct Params {
  count: u32, n: i32, cin: i32, cout: i32, groups: i32, d: i32, h: i32, w: i32, kd: i32, kh: i32, kw: i32,
  od: i32, oh: i32, ow: i32, sd: i32, sh: i32, sw: i32, pd: i32, ph: i32, pw: i32, dd: i32, dh: i32, dw: i32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> ${ins[0]}: array<${types[0]}>;
@group(0) @binding(2) var<storage, read> ${ins[1]}: array<${types[1]}>;
@group(0) @binding(3) var<storage, read_write> ${out}: array<${types[2]}>;`;

const type = (vector: boolean): string => (vector ? 'vec4f' : 'f32');

const forward = memo((vector: boolean) => ({
  name: 'conv3d',
  access: ['read', 'read', 'write'] as const,
  source: /* wgsl */ `// x:[N,D,H,W,Cin] w:[KD,KH,KW,Cin/G,Cout] -> y:[N,OD,OH,OW,Cout]
alias T = ${type(vector)};
${header(['x', 'w'], ['f32', 'T', 'T'], 'y')}
${flatMain()}
  if (i >= p.count) { return; }
  let columns = p.cout / ${vector ? 4 : 1};
  let pixel = i32(i) / columns; let co = i32(i) - pixel * columns;
  let ow = pixel % p.ow; let oh = pixel / p.ow % p.oh; let plane = pixel / (p.ow * p.oh);
  let n = plane / p.od; let od = plane - n * p.od;
  let cin = p.cin / p.groups;
  let first = co / (columns / p.groups) * cin;
  var sum = T(0.0);
  for (var kd = 0; kd < p.kd; kd++) {
    let id = od * p.sd - p.pd + kd * p.dd;
    if (id < 0 || id >= p.d) { continue; }
    for (var kh = 0; kh < p.kh; kh++) {
      let ih = oh * p.sh - p.ph + kh * p.dh;
      if (ih < 0 || ih >= p.h) { continue; }
      for (var kw = 0; kw < p.kw; kw++) {
        let iw = ow * p.sw - p.pw + kw * p.dw;
        if (iw < 0 || iw >= p.w) { continue; }
        let start = (((n * p.d + id) * p.h + ih) * p.w + iw) * p.cin + first;
        let tap = ((kd * p.kh + kh) * p.kw + kw) * cin;
        for (var ci = 0; ci < cin; ci++) { sum += x[start + ci] * w[(tap + ci) * columns + co]; }
      }
    }
  }
  y[i] = sum;
}
`,
}));

const transposed = memo((vector: boolean) => ({
  name: 'convTranspose3d',
  access: ['read', 'read', 'write'] as const,
  source: /* wgsl */ `// y:[N,OD,OH,OW,Cout] w:[KD,KH,KW,Cin/G,Cout] -> x:[N,D,H,W,Cin]
alias T = ${type(vector)};
${header(['y', 'w'], ['T', 'T', 'f32'], 'x')}
${flatMain()}
  if (i >= p.count) { return; }
  let pixel = i32(i) / p.cin; let ci = i32(i) - pixel * p.cin;
  let iw = pixel % p.w; let ih = pixel / p.w % p.h; let plane = pixel / (p.w * p.h);
  let n = plane / p.d; let id = plane - n * p.d;
  let cin = p.cin / p.groups;
  let columns = p.cout / ${vector ? 4 : 1};
  let cout = columns / p.groups;
  let first = ci / cin * cout;
  var sum = T(0.0);
  for (var kd = 0; kd < p.kd; kd++) {
    let a = id + p.pd - kd * p.dd;
    if (a < 0 || a % p.sd != 0 || a / p.sd >= p.od) { continue; }
    for (var kh = 0; kh < p.kh; kh++) {
      let b = ih + p.ph - kh * p.dh;
      if (b < 0 || b % p.sh != 0 || b / p.sh >= p.oh) { continue; }
      for (var kw = 0; kw < p.kw; kw++) {
        let c = iw + p.pw - kw * p.dw;
        if (c < 0 || c % p.sw != 0 || c / p.sw >= p.ow) { continue; }
        let start = (((n * p.od + a / p.sd) * p.oh + b / p.sh) * p.ow + c / p.sw) * columns + first;
        let tap = (((kd * p.kh + kh) * p.kw + kw) * cin + ci % cin) * columns + first;
        for (var co = 0; co < cout; co++) { sum += y[start + co] * w[tap + co]; }
      }
    }
  }
  x[i] = ${vector ? 'dot(sum, vec4f(1.0))' : 'sum'};
}
`,
}));

const weights = memo((vector: boolean) => ({
  name: 'conv3dWeight',
  access: ['read', 'read', 'write'] as const,
  source: /* wgsl */ `// x:[N,D,H,W,Cin] y:[N,OD,OH,OW,Cout] -> w:[KD,KH,KW,Cin/G,Cout]
alias T = ${type(vector)};
${header(['x', 'y'], ['f32', 'T', 'T'], 'w')}
${flatMain()}
  if (i >= p.count) { return; }
  let columns = p.cout / ${vector ? 4 : 1};
  let cin = p.cin / p.groups;
  let co = i32(i) % columns; let row = i32(i) / columns;
  let ci = co / (columns / p.groups) * cin + row % cin;
  let tap = row / cin;
  let kw = tap % p.kw; let kh = tap / p.kw % p.kh; let kd = tap / (p.kw * p.kh);
  var sum = T(0.0);
  for (var n = 0; n < p.n; n++) {
    for (var od = 0; od < p.od; od++) {
      let id = od * p.sd - p.pd + kd * p.dd;
      if (id < 0 || id >= p.d) { continue; }
      for (var oh = 0; oh < p.oh; oh++) {
        let ih = oh * p.sh - p.ph + kh * p.dh;
        if (ih < 0 || ih >= p.h) { continue; }
        let line = ((n * p.od + od) * p.oh + oh) * p.ow;
        let source = ((n * p.d + id) * p.h + ih) * p.w;
        for (var ow = 0; ow < p.ow; ow++) {
          let iw = ow * p.sw - p.pw + kw * p.dw;
          if (iw < 0 || iw >= p.w) { continue; }
          sum += x[(source + iw) * p.cin + ci] * y[(line + ow) * columns + co];
        }
      }
    }
  }
  w[i] = sum;
}
`,
}));

// A vector of four channels of y must lie within one group.
const width = (g: Conv3dGeometry): 4 | 1 => ((g.cout / g.groups) % 4 === 0 ? 4 : 1);
const volume = ([d, h, w]: readonly [number, number, number]): number => d * h * w;

const plan = (
  kernel: (vector: boolean) => Plan['dispatches'][number]['kernel'],
  g: Conv3dGeometry,
  count: number,
): Plan => ({
  dispatches:
    count === 0
      ? []
      : [{ kernel: kernel(width(g) === 4), args: [0, 1, 2], params: [count, ...words(g)], grid: grid1d(count) }],
});

/**
 * y = x * w: x [N,D,H,W,Cin], w [KD,KH,KW,Cin/groups,Cout] to y [N,OD,OH,OW,Cout]. One thread for each element or
 * vector of y.
 */
export const conv3d = (g: Conv3dGeometry): Plan => plan(forward, g, (g.n * volume(g.out) * g.cout) / width(g));

/** The adjoint of `conv3d` in x. One thread for each element of x. */
export const convTranspose3d = (g: Conv3dGeometry): Plan => plan(transposed, g, g.n * volume(g.image) * g.cin);

/** The gradient of `conv3d` in w. One thread for each element or vector of w. */
export const conv3dWeight = (g: Conv3dGeometry): Plan =>
  plan(weights, g, (volume(g.kernel) * (g.cin / g.groups) * g.cout) / width(g));
