import { gemm } from '../gemm/gemm.ts';
import { flatMain, grid1d, type Kernel, type Plan, type Target } from '../kernel.ts';
import { type ConvGeometry, naiveHeader, naiveParams, windowsInside } from './convGeometry.ts';

/** y = x * w. Inputs x [N,H,W,Cin], w [KH,KW,Cin/groups,Cout]; output y [N,OH,OW,Cout]. */
export function conv2d(target: Target, g: ConvGeometry): Plan {
  const cin = g.cin / g.groups;
  const cout = g.cout / g.groups;
  const down = g.w * g.cin;
  // With one channel the innermost loop runs over the columns of the filter instead, not over one element.
  const single = cin === 1;
  return gemm(target, {
    name: 'conv2d',
    // Rows are the pixels of y, k the taps of the filter, columns the channels of y; groups are a batch.
    m0: g.n,
    k2: single ? g.kw : cin,
    n: cout,
    a: {
      m: [g.h * down, g.strideH * down, g.strideW * g.cin],
      k: single ? [0, g.dilationH * down, g.dilationW * g.cin] : [g.dilationH * down, g.dilationW * g.cin, 1],
      h: down,
      w: g.cin,
      batch: cin,
    },
    b: { k: single ? [0, g.kw * g.cout, g.cout] : [g.kw * cin * g.cout, cin * g.cout, g.cout], n: 1, batch: cout },
    c: { m: [g.oh * g.ow * g.cout, g.ow * g.cout, g.cout], h: 0, w: 0, batch: cout },
    size: g.n * g.oh * g.ow * g.cout,
    batch: g.groups,
    ...(!windowsInside(g) && {
      place: {
        height: g.h,
        width: g.w,
        m: { h: [0, g.strideH], w: [0, g.strideW] },
        k: single ? { h: [0, g.dilationH], w: [0, g.dilationW] } : { h: [g.dilationH, 0], w: [g.dilationW, 0] },
      },
    }),
    h: [{ m: g.oh, k: single ? 1 : g.kh, origin: -g.padTop, b: 0 }],
    w: [{ m: g.ow, k: single ? g.kh : g.kw, origin: -g.padLeft, b: 0 }],
  });
}

/** `conv2d` with one invocation for each element of y: what the fast one is tested against. */
export const conv2dNaive = (_target: Target, g: ConvGeometry): Plan => ({
  dispatches: [{ kernel: naive, args: [0, 1, 2], params: naiveParams(g), grid: grid1d(g.n * g.oh * g.ow * g.cout) }],
});

const naive: Kernel = {
  name: 'conv2d.naive',
  access: ['read', 'read', 'write'],
  source: /* wgsl */ `// x:[N,H,W,Cin] w:[KH,KW,Cin/G,Cout] -> y:[N,OH,OW,Cout]
${naiveHeader('x', 'w', 'y')}
${flatMain()}
  if (i >= u32(p.n * p.oh * p.ow * p.cout)) { return; }
  let co = i32(i) % p.cout;
  let ow = i32(i) / p.cout % p.ow;
  let oh = i32(i) / (p.cout * p.ow) % p.oh;
  let n = i32(i) / (p.cout * p.ow * p.oh);
  let cin = p.cin / p.groups;
  let group = co / (p.cout / p.groups);
  var sum = 0.0;
  for (var kh = 0; kh < p.kh; kh++) {
    let ih = oh * p.strideH - p.padTop + kh * p.dilationH;
    if (ih < 0 || ih >= p.h) { continue; }
    for (var kw = 0; kw < p.kw; kw++) {
      let iw = ow * p.strideW - p.padLeft + kw * p.dilationW;
      if (iw < 0 || iw >= p.w) { continue; }
      for (var ci = 0; ci < cin; ci++) {
        sum += x[((n * p.h + ih) * p.w + iw) * p.cin + group * cin + ci] * w[((kh * p.kw + kw) * cin + ci) * p.cout + co];
      }
    }
  }
  y[i] = sum;
}
`,
};
