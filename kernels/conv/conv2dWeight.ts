import { gemm } from '../gemm/gemm.ts';
import { flatMain, grid1d, type Kernel, type Plan, type Target } from '../kernel.ts';
import { type ConvGeometry, naiveHeader, naiveParams, windowsInside } from './convGeometry.ts';

/** The gradient of `conv2d` in w. Inputs x [N,H,W,Cin], y [N,OH,OW,Cout]; output w [KH,KW,Cin/groups,Cout]. */
export function conv2dWeight(target: Target, g: ConvGeometry): Plan {
  const cin = g.cin / g.groups;
  const cout = g.cout / g.groups;
  const down = g.w * g.cin;
  const [pixelX, pixelY] = [g.strideW * g.cin, g.cout];
  const [lineX, lineY] = [g.strideH * down, g.ow * g.cout];
  const [imageX, imageY] = [g.h * down, g.oh * g.ow * g.cout];
  // On a CPU the innermost loop runs over the images (a tap at a pixel is inside all of them or none), unless a tile takes
  // part of a cache line only (few channels) and large images leave nothing of it in the cache for the next pixel.
  const images = target.family === 'software' && cin >= 16 && g.h * down <= 2 ** 12;
  return gemm(target, {
    name: 'conv2dWeight',
    // Rows are the taps of the filter, k the pixels of y, columns the channels of y; groups are a batch.
    m0: g.kh,
    k2: images ? g.n : g.ow,
    n: cout,
    a: {
      m: [g.dilationH * down, g.dilationW * g.cin, 1],
      k: images ? [lineX, pixelX, imageX] : [imageX, lineX, pixelX],
      h: down,
      w: g.cin,
      batch: cin,
    },
    b: { k: images ? [lineY, pixelY, imageY] : [imageY, lineY, pixelY], n: 1, batch: cout },
    c: { m: [g.kw * cin * g.cout, cin * g.cout, g.cout], h: 0, w: 0, batch: cout },
    size: g.kh * g.kw * cin * g.cout,
    batch: g.groups,
    ...(!windowsInside(g) && {
      place: {
        height: g.h,
        width: g.w,
        m: { h: [g.dilationH, 0], w: [g.dilationW, 0] },
        k: images ? { h: [g.strideH, 0], w: [g.strideW, 0] } : { h: [0, g.strideH], w: [0, g.strideW] },
      },
    }),
    h: [{ m: g.kw, k: images ? g.oh : g.n, origin: -g.padTop, b: 0 }],
    w: [{ m: cin, k: images ? g.ow : g.oh, origin: -g.padLeft, b: 0 }],
  });
}

/** `conv2dWeight` with one invocation for each weight: what the fast one is tested against. */
export const conv2dWeightNaive = (_target: Target, g: ConvGeometry): Plan => ({
  dispatches: [
    { kernel: naive, args: [0, 1, 2], params: naiveParams(g), grid: grid1d((g.kh * g.kw * g.cin * g.cout) / g.groups) },
  ],
});

const naive: Kernel = {
  name: 'conv2dWeight.naive',
  access: ['read', 'read', 'write'],
  source: /* wgsl */ `// x:[N,H,W,Cin] y:[N,OH,OW,Cout] -> w:[KH,KW,Cin/G,Cout]
${naiveHeader('x', 'y', 'w')}
${flatMain()}
  let cin = p.cin / p.groups;
  if (i >= u32(p.kh * p.kw * cin * p.cout)) { return; }
  let co = i32(i) % p.cout;
  let ci = co / (p.cout / p.groups) * cin + i32(i) / p.cout % cin;
  let kw = i32(i) / (p.cout * cin) % p.kw;
  let kh = i32(i) / (p.cout * cin * p.kw);
  var sum = 0.0;
  for (var n = 0; n < p.n; n++) {
    for (var oh = 0; oh < p.oh; oh++) {
      let ih = oh * p.strideH - p.padTop + kh * p.dilationH;
      if (ih < 0 || ih >= p.h) { continue; }
      for (var ow = 0; ow < p.ow; ow++) {
        let iw = ow * p.strideW - p.padLeft + kw * p.dilationW;
        if (iw < 0 || iw >= p.w) { continue; }
        sum += x[((n * p.h + ih) * p.w + iw) * p.cin + ci] * y[((n * p.oh + oh) * p.ow + ow) * p.cout + co];
      }
    }
  }
  w[i] = sum;
}
`,
};
