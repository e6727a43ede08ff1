import type { Conv3dParams, conv3dRows } from '../ops/conv3d.ts';
import type { Shape } from '../tensor/shape.ts';
import { type LoopsOf, walk } from './loop.ts';

/** Visits every product of the trilinear form T(x, w, y): offsets into x, w and y. */
function convolve(
  xs: Shape,
  ws: Shape,
  ys: Shape,
  p: Conv3dParams,
  visit: (x: number, w: number, y: number) => void,
): void {
  const [n, d, h, wd, cin] = xs as [number, number, number, number, number];
  const [kd, kh, kw, cg, cout] = ws as [number, number, number, number, number];
  const [, od, oh, ow] = ys as [number, number, number, number];
  const og = cout / p.groups;
  // One coordinate an axis: its stride is 1 in its own counter and 0 in the others.
  const sizes = [n, od, oh, ow, kd, kh, kw];
  const unit = sizes.map((_, i) => sizes.map((__, k) => (i === k ? 1 : 0)));
  walk(sizes, unit, (at) => {
    const [b, i, j, k, s, t, u] = at as [number, number, number, number, number, number, number];
    const plane = i * p.stride[0] - p.before[0] + s * p.dilation[0];
    const row = j * p.stride[1] - p.before[1] + t * p.dilation[1];
    const col = k * p.stride[2] - p.before[2] + u * p.dilation[2];
    if (plane < 0 || plane >= d || row < 0 || row >= h || col < 0 || col >= wd) return;
    const x0 = (((b * d + plane) * h + row) * wd + col) * cin;
    const w0 = ((s * kh + t) * kw + u) * cg * cout;
    const y0 = (((b * od + i) * oh + j) * ow + k) * cout;
    for (let o = 0; o < cout; o++) {
      const first = Math.floor(o / og) * cg;
      for (let c = 0; c < cg; c++) visit(x0 + first + c, w0 + c * cout + o, y0 + o);
    }
  });
}

export const conv3d: LoopsOf<typeof conv3dRows> = {
  conv3d: ({ inputs: [x, w], inputShapes: [xs, ws], outputs: [y], outputShapes: [ys], params }) =>
    convolve(xs, ws, ys, params, (i, j, k) => {
      y[k]! += x[i]! * w[j]!;
    }),
  convTranspose3d: ({ inputs: [y, w], inputShapes: [ys, ws], outputs: [x], outputShapes: [xs], params }) =>
    convolve(xs, ws, ys, params, (i, j, k) => {
      x[i]! += y[k]! * w[j]!;
    }),
  conv3dWeight: ({ inputs: [x, y], inputShapes: [xs, ys], outputs: [w], outputShapes: [ws], params }) =>
    convolve(xs, ws, ys, params, (i, j, k) => {
      w[j]! += x[i]! * y[k]!;
    }),
};
