import { type ConvGeometry, convParams, naiveHeader, naiveParams } from './convGeometry.ts';
import { gemm, type Phase } from './gemm.ts';
import { flatMain, grid1d, type Kernel, type Plan, type Target } from './kernel.ts';
import { matmul } from './matmul.ts';

/**
 * The transposed convolution: the adjoint of `conv2d` in x, hence also the gradient of its input.
 * Inputs y [N,OH,OW,Cout], w [KH,KW,Cin/groups,Cout]; output x [N,H,W,Cin]. Places of x that no window reaches are zero.
 *
 * Rows of x that are equal modulo the stride are reached by the same taps. Each such phase is a dense product of its own,
 * so that no multiplication is spent on the zeros that a textbook puts between the elements of y.
 */
export function convTranspose2d(target: Target, g: ConvGeometry): Plan {
  const cin = g.cin / g.groups;
  const cout = g.cout / g.groups;
  const spread = g.n * g.oh * g.ow * g.kh * g.kw * g.cin;
  if (cin <= 4 && g.groups === 1 && spread <= MAX_SPREAD) return viaTaps(target, g, spread);
  const down = g.ow * g.cout;
  const rows = axis(g.h, g.kh, g.strideH, g.dilationH, g.padTop, g.kw * cin * g.cout);
  const columns = axis(g.w, g.kw, g.strideW, g.dilationW, g.padLeft, cin * g.cout);
  return gemm(target, {
    name: 'convTranspose2d',
    // Rows are the pixels of one phase of x, k its taps, columns the channels of x; groups are a batch.
    m0: g.n,
    k2: cout,
    n: cin,
    a: {
      m: [g.oh * down, down, g.cout],
      k: [-rows.back * down, -columns.back * g.cout, 1],
      h: down,
      w: g.cout,
      batch: cout,
    },
    b: { k: [rows.tapStride, columns.tapStride, 1], n: g.cout, batch: cout },
    c: {
      m: [g.h * g.w * g.cin, g.strideH * g.w * g.cin, g.strideW * g.cin],
      h: g.w * g.cin,
      w: g.cin,
      batch: cin,
    },
    size: g.n * g.h * g.w * g.cin,
    batch: g.groups,
    place: {
      height: g.oh,
      width: g.ow,
      m: { h: [0, 1], w: [0, 1] },
      k: { h: [-rows.back, 0], w: [-columns.back, 0] },
    },
    h: rows.phases,
    w: columns.phases,
  });
}

/** Elements that the scratch buffer of `viaTaps` may have. */
const MAX_SPREAD = 2 ** 24;

/**
 * With few channels in x a product has too few columns to reuse what it loads. Then every pixel of y is multiplied with
 * all taps at once, y w^T [N*OH*OW, KH*KW*Cin], and each element of x adds up the few products that belong to it.
 */
function viaTaps(target: Target, g: ConvGeometry, spread: number): Plan {
  const product = matmul(target, {
    batch: 1,
    m: g.n * g.oh * g.ow,
    n: g.kh * g.kw * g.cin,
    k: g.cout,
    transposeA: false,
    transposeB: true,
    batchStrideA: 0,
    batchStrideB: 0,
  });
  // The product's output is our scratch (3); its own scratch comes after.
  const slots = [0, 1, 3, 4];
  return {
    temps: [spread, ...(product.temps ?? [])],
    dispatches: [
      ...product.dispatches.map((d) => ({ ...d, args: d.args.map((a) => slots[a]!) })),
      { kernel: gather, args: [3, 2], params: naiveParams(g), grid: grid1d(g.n * g.h * g.w * g.cin) },
    ],
  };
}

const gather: Kernel = {
  name: 'convTranspose2d.gather',
  access: ['read', 'write'],
  source: /* wgsl */ `// products:[N,OH,OW,KH,KW,Cin] -> x:[N,H,W,Cin]
${convParams}
@group(0) @binding(1) var<storage, read> products: array<f32>;
@group(0) @binding(2) var<storage, read_write> x: array<f32>;
// The first tap that reaches a place v, and from how far: steps of both follow.
fn first(v: i32, taps: i32, stride: i32, dilation: i32) -> i32 {
  var tap = 0;
  while (tap < taps && (v - tap * dilation) % stride != 0) { tap++; }
  return tap;
}
fn gcd(a: i32, b: i32) -> i32 { var x = a; var y = b; while (y != 0) { let r = x % y; x = y; y = r; } return x; }
${flatMain()}
  if (i >= u32(p.n * p.h * p.w * p.cin)) { return; }
  let pixel = i32(i) / p.cin; let ci = i32(i) - pixel * p.cin;
  let row = pixel / p.w; let n = row / p.h;
  let h = row - n * p.h + p.padTop; let w = pixel - row * p.w + p.padLeft;
  let stepH = p.strideH / gcd(p.strideH, p.dilationH); let stepW = p.strideW / gcd(p.strideW, p.dilationW);
  let firstH = first(h, p.kh, p.strideH, p.dilationH); let firstW = first(w, p.kw, p.strideW, p.dilationW);
  let backH = stepH * p.dilationH / p.strideH; let backW = stepW * p.dilationW / p.strideW;
  let startW = (w - firstW * p.dilationW) / p.strideW;
  var oh = (h - firstH * p.dilationH) / p.strideH;
  var sum = 0.0;
  for (var kh = firstH; kh < p.kh; kh += stepH) {
    if (oh >= 0 && oh < p.oh) {
      let line = (n * p.oh + oh) * p.ow;
      var ow = startW;
      for (var kw = firstW; kw < p.kw; kw += stepW) {
        if (ow >= 0 && ow < p.ow) { sum += products[(((line + ow) * p.kh + kh) * p.kw + kw) * p.cin + ci]; }
        ow -= backW;
      }
    }
    oh -= backH;
  }
  x[i] = sum;
}
`,
};

/** The phases along one axis, how far a step of the taps goes back in y, and a step's stride in w. */
function axis(size: number, taps: number, stride: number, dilation: number, pad: number, tapStride: number) {
  const common = gcd(stride, dilation);
  const step = stride / common;
  const phases = Array.from({ length: Math.min(stride, size) }, (_, phase): Phase => {
    const m = Math.ceil((size - phase) / stride);
    for (let tap = 0; tap < Math.min(step, taps); tap++) {
      const origin = (phase + pad - tap * dilation) / stride;
      if (Number.isInteger(origin)) return { m, k: Math.ceil((taps - tap) / step), origin, b: tap * tapStride };
    }
    return { m, k: 0, origin: 0, b: 0 };
  });
  return { phases, back: dilation / common, tapStride: step * tapStride };
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** `convTranspose2d` with one invocation for each element of x: what the fast one is tested against. */
export const convTranspose2dNaive = (_target: Target, g: ConvGeometry): Plan => ({
  dispatches: [{ kernel: naive, args: [0, 1, 2], params: naiveParams(g), grid: grid1d(g.n * g.h * g.w * g.cin) }],
});

const naive: Kernel = {
  name: 'convTranspose2d.naive',
  access: ['read', 'read', 'write'],
  source: /* wgsl */ `// y:[N,OH,OW,Cout] w:[KH,KW,Cin/G,Cout] -> x:[N,H,W,Cin]
${naiveHeader('y', 'w', 'x')}
${flatMain()}
  if (i >= u32(p.n * p.h * p.w * p.cin)) { return; }
  let ci = i32(i) % p.cin;
  let iw = i32(i) / p.cin % p.w;
  let ih = i32(i) / (p.cin * p.w) % p.h;
  let n = i32(i) / (p.cin * p.w * p.h);
  let cin = p.cin / p.groups;
  let cout = p.cout / p.groups;
  let group = ci / cin;
  var sum = 0.0;
  for (var kh = 0; kh < p.kh; kh++) {
    let h = ih + p.padTop - kh * p.dilationH;
    if (h < 0 || h % p.strideH != 0 || h / p.strideH >= p.oh) { continue; }
    for (var kw = 0; kw < p.kw; kw++) {
      let v = iw + p.padLeft - kw * p.dilationW;
      if (v < 0 || v % p.strideW != 0 || v / p.strideW >= p.ow) { continue; }
      let start = ((n * p.oh + h / p.strideH) * p.ow + v / p.strideW) * p.cout + group * cout;
      let tap = ((kh * p.kw + kw) * cin + ci % cin) * p.cout + group * cout;
      for (var co = 0; co < cout; co++) { sum += y[start + co] * w[tap + co]; }
    }
  }
  x[i] = sum;
}
`,
};
