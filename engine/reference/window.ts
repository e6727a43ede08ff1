import type { WindowAxis, WindowKind } from '../../kernels/window.ts';
import type { poolRows } from '../ops/pool.ts';
import type { resampleRows, WindowParams } from '../ops/resample.ts';
import type { Loop, LoopsOf } from './loop.ts';

/** A place of x that an element of y sees, and its weight. */
type Tap = readonly [place: number, weight: number];

/** The places that element o of y sees along an axis. */
function tapsOf(kind: WindowKind, { size, a, b, c, d, e }: WindowAxis, o: number): Tap[] {
  if (kind === 'nearest') return [[Math.floor((o * a) / b), 1]];
  if (kind === 'linear') {
    const num = Math.max(0, a * o + b);
    const at = Math.floor(num / c);
    const part = (num - at * c) / c;
    return at + 1 < size
      ? [
          [at, 1 - part],
          [at + 1, part],
        ]
      : [[at, 1]];
  }
  const places: number[] = [];
  if (kind === 'adaptive') {
    const end = Math.ceil(((o + 1) * a) / b);
    for (let i = Math.floor((o * a) / b); i < end; i++) places.push(i);
    return places.map((i) => [i, 1 / places.length]);
  }
  let padded = 0;
  for (let t = 0; t < a; t++) {
    const i = o * b - c + t * e;
    if (i >= 0 && i < size) places.push(i);
    if (i < size + c) padded++;
  }
  return places.map((i) => [i, 1 / (d === 1 ? padded : places.length)]);
}

/**
 * Visits every pair of an element of x and one of y whose window sees it, in row-major order of y and of the window.
 */
function visitWindows(
  { kind, h, w }: WindowParams,
  n: number,
  channels: number,
  visit: (x: number, y: number, weight: number, place: number) => void,
): void {
  const rows = Array.from({ length: h.out }, (_, o) => tapsOf(kind, h, o));
  const columns = Array.from({ length: w.out }, (_, o) => tapsOf(kind, w, o));
  for (let b = 0; b < n; b++)
    rows.forEach((down, oh) => {
      columns.forEach((across, ow) => {
        const y = ((b * h.out + oh) * w.out + ow) * channels;
        for (const [i, u] of down)
          for (const [j, v] of across)
            for (let c = 0; c < channels; c++) {
              visit(((b * h.size + i) * w.size + j) * channels + c, y + c, u * v, i * w.size + j);
            }
      });
    });
}

const forward: Loop<WindowParams> = ({ inputs: [x], inputShapes: [xs], outputs: [y], params }) =>
  visitWindows(params, xs![0]!, xs![3]!, (i, k, weight) => {
    y![k]! += weight * x![i]!;
  });

const adjoint: Loop<WindowParams> = ({ inputs: [y], inputShapes: [ys], outputs: [x], params }) =>
  visitWindows(params, ys![0]!, ys![3]!, (i, k, weight) => {
    if (weight !== 0) x![i]! += weight * y![k]!;
  });

export const resampled: LoopsOf<typeof resampleRows> = {
  avgPool2d: forward,
  avgPool2dAdjoint: adjoint,
  adaptiveAvgPool2d: forward,
  adaptiveAvgPool2dAdjoint: adjoint,
  resizeNearest: forward,
  resizeNearestAdjoint: adjoint,
  resizeBilinear: forward,
  resizeBilinearAdjoint: adjoint,
};

/** The offset in x of the place that element k of an index [N,OH,OW,C] names. */
const chosen = (index: Float64Array, k: number, { h, w }: WindowParams, channels: number): number =>
  (Math.floor(k / (h.out * w.out * channels)) * h.size * w.size + index[k]!) * channels + (k % channels);

export const pool: LoopsOf<typeof poolRows> = {
  maxPoolIndex: ({ inputs: [x], inputShapes: [xs], outputs: [y], params }) => {
    const best = y.slice();
    y.fill(-1);
    visitWindows(params, xs[0]!, xs[3]!, (i, k, _, place) => {
      const v = x[i]!;
      if (y[k]! >= 0 && !(v > best[k]!) && !Number.isNaN(v)) return;
      best[k] = v;
      y[k] = place;
    });
  },
  poolGather: ({ inputs: [x, index], inputShapes: [xs], outputs: [y], params }) => {
    for (let k = 0; k < y.length; k++) y[k] = x[chosen(index, k, params, xs[3]!)] ?? 0;
  },
  poolScatter: ({ inputs: [y, index], inputShapes: [ys], outputs: [x], params }) => {
    for (let k = 0; k < y.length; k++) x[chosen(index, k, params, ys[3]!)]! += y[k]!;
  },
};
