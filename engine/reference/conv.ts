import type { ConvParams, convRows } from '../ops/conv.ts';
import type { Shape } from '../tensor/shape.ts';
import type { LoopsOf } from './loop.ts';

/** Visits every product of the trilinear form T(x, w, y): offsets into x, w and y. */
function convolve(
  xs: Shape,
  ws: Shape,
  ys: Shape,
  p: ConvParams,
  visit: (x: number, w: number, y: number) => void,
): void {
  const [n, h, wd, cin] = xs as [number, number, number, number];
  const [kh, kw, cg, cout] = ws as [number, number, number, number];
  const [, oh, ow] = ys as [number, number, number];
  const og = cout / p.groups;
  for (let b = 0; b < n; b++)
    for (let i = 0; i < oh; i++)
      for (let j = 0; j < ow; j++)
        for (let k = 0; k < kh; k++) {
          const row = i * p.stride[0] - p.padding[0] + k * p.dilation[0];
          if (row < 0 || row >= h) continue;
          for (let l = 0; l < kw; l++) {
            const col = j * p.stride[1] - p.padding[1] + l * p.dilation[1];
            if (col < 0 || col >= wd) continue;
            const x0 = ((b * h + row) * wd + col) * cin;
            const w0 = (k * kw + l) * cg * cout;
            const y0 = ((b * oh + i) * ow + j) * cout;
            for (let o = 0; o < cout; o++) {
              const first = Math.floor(o / og) * cg;
              for (let c = 0; c < cg; c++) visit(x0 + first + c, w0 + c * cout + o, y0 + o);
            }
          }
        }
}

export const conv: LoopsOf<typeof convRows> = {
  conv2d: ({ inputs: [x, w], inputShapes: [xs, ws], outputs: [y], outputShapes: [ys], params }) =>
    convolve(xs, ws, ys, params, (i, j, k) => {
      y[k]! += x[i]! * w[j]!;
    }),
  convTranspose2d: ({ inputs: [y, w], inputShapes: [ys, ws], outputs: [x], outputShapes: [xs], params }) =>
    convolve(xs, ws, ys, params, (i, j, k) => {
      x[i]! += y[k]! * w[j]!;
    }),
  conv2dWeight: ({ inputs: [x, y], inputShapes: [xs, ys], outputs: [w], outputShapes: [ws], params }) =>
    convolve(xs, ws, ys, params, (i, j, k) => {
      w[j]! += x[i]! * y[k]!;
    }),
};
