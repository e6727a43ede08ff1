import type { gridRows } from '../ops/gridSample.ts';
import type { LoopsOf } from './loop.ts';

export const grid: LoopsOf<typeof gridRows> = {
  placeGather: ({ inputs: [x, index], inputShapes: [xs, is], outputs: [y] }) => {
    const [n, places, channels] = xs as [number, number, number];
    const taken = is[1]!;
    for (let k = 0; k < n * taken; k++) {
      const at = index[k]!;
      if (!(at >= 0 && at < places)) continue;
      for (let c = 0; c < channels; c++) {
        y[k * channels + c] = x[(Math.floor(k / taken) * places + at) * channels + c]!;
      }
    }
  },
  placeScatter: ({ inputs: [y, index], inputShapes: [ys], outputs: [x], params: { places } }) => {
    const [n, taken, channels] = ys as [number, number, number];
    for (let k = 0; k < n * taken; k++) {
      const at = index[k]!;
      if (!(at >= 0 && at < places)) continue;
      for (let c = 0; c < channels; c++) {
        x[(Math.floor(k / taken) * places + at) * channels + c]! += y[k * channels + c]!;
      }
    }
  },
  gridCorners: ({ inputs: [at], inputShapes: [as], outputs: [index, base], params: { h, w } }) => {
    const [n, m] = as as [number, number];
    for (let b = 0; b < n; b++)
      for (let k = 0; k < m; k++) {
        const i = b * m + k;
        const [x, y] = [Math.floor(at[2 * i]!), Math.floor(at[2 * i + 1]!)];
        base[2 * i] = x;
        base[2 * i + 1] = y;
        for (let q = 0; q < 4; q++) {
          const [r, c] = [y + (q >> 1), x + (q & 1)];
          index[(b * 4 + q) * m + k] = r >= 0 && r < h && c >= 0 && c < w ? r * w + c : -1;
        }
      }
  },
};
