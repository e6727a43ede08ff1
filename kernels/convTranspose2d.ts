import { type ConvGeometry, naiveHeader, naiveParams } from './convGeometry.ts';
import { gemm, type Phase } from './gemm.ts';
import { flatMain, grid1d, type Kernel, type Plan, type Target } from './kernel.ts';

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
