/** Cases of pooling, resizing and sampling of images. */
import { type Shape, type Tensor, tensor } from '../../../engine/index.ts';
import {
  type GridSampleOptions,
  gridCorners,
  type gridRows,
  gridSample,
  placeGather,
  placeScatter,
} from '../../../engine/ops/gridSample.ts';
import {
  type AvgPool2dOptions,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  avgPool1d,
  avgPool2d,
  globalAvgPool,
  type MaxPool2dOptions,
  maxPool1d,
  maxPool2d,
  maxPoolIndex,
  type poolRows,
  poolScatter,
} from '../../../engine/ops/pool.ts';
import { ratioAxis, resampleRows, runWindows, type WindowParams } from '../../../engine/ops/resample.ts';
import { type ResizeBilinearOptions, resizeBilinear, resizeNearest } from '../../../engine/ops/resize.ts';
import { show } from '../../../engine/tensor/shape.ts';
import { type Case, type CasesOf, exact, text } from '../builders.ts';

const one = (shape: Shape, fn: (x: Tensor) => Tensor, name = ''): Case => ({
  name: `${show(shape)}${name}`,
  inputs: [{ shape }],
  fn,
});

type Averaged = readonly [Shape, number | readonly [number, number], AvgPool2dOptions?];
const AVERAGED: readonly Averaged[] = [
  [[1, 4, 5, 2], 2],
  [[1, 5, 3, 1], [3, 2], { stride: [2, 1], padding: 1 }],
  [[1, 4, 4, 1], 3, { stride: 2, padding: 1, countIncludePad: false, ceilMode: true }],
  [[2, 5, 6, 4], 3, { stride: 2, padding: 1, ceilMode: true }],
  [[1, 17, 9, 3], [2, 5], { stride: 3, padding: [1, 2], countIncludePad: false }],
  [[0, 4, 4, 3], 2],
  [[2, 4, 4, 0], 2],
];

/** The adjoint of a linear op: what its gradient is, as a function of the cotangent of n images with c channels. */
const adjoint = (
  row: keyof typeof resampleRows,
  kind: WindowParams['kind'],
  [n, c]: readonly [number, number],
  h: readonly [size: number, out: number],
  w: readonly [size: number, out: number],
  alignCorners = false,
): Case => {
  const [down, across] = [h, w].map(([size, out]) => ratioAxis(row, kind, size, out, alignCorners));
  const params = { kind, h: down!, w: across! };
  const name = ` to ${show([h[0], w[0]])}${alignCorners ? ', corners' : ''}`;
  return one([n, h[1], w[1], c], (g) => runWindows(resampleRows[row], g, params), name);
};

const window = (size: number, a: number, b: number, c: number, d: number) => ({
  size,
  out: Math.floor((size + 2 * c - a) / b) + 1,
  a,
  b,
  c,
  d,
  e: 1,
});

const averagedBack = (n: number, c: number, h: ReturnType<typeof window>, w: ReturnType<typeof window>): Case =>
  one(
    [n, h.out, w.out, c],
    (g) => runWindows(resampleRows.avgPool2dAdjoint, g, { kind: 'pool', h, w }),
    ` to ${show([h.size, w.size])}`,
  );

const SIZES: readonly (readonly [Shape, readonly [number, number]])[] = [
  [
    [1, 3, 4, 1],
    [2, 3],
  ],
  [
    [1, 2, 3, 2],
    [3, 7],
  ],
  [
    [1, 5, 1, 1],
    [1, 2],
  ],
  [
    [2, 7, 5, 4],
    [14, 3],
  ],
  [
    [1, 17, 33, 3],
    [5, 65],
  ],
  [
    [0, 3, 3, 2],
    [2, 2],
  ],
];

const resized = (
  fn: (x: Tensor, options: ResizeBilinearOptions) => Tensor,
  options: ResizeBilinearOptions = {},
): Case[] =>
  SIZES.map(([shape, size]) => one(shape, (x) => fn(x, { size, ...options }), ` to ${show(size)}${text(options)}`));

type Maximal = readonly [Shape, number | readonly [number, number], MaxPool2dOptions?];
const MAXIMAL: readonly Maximal[] = [
  [[1, 4, 4, 2], 2],
  [[1, 5, 4, 1], 3, { stride: 2, padding: 1 }],
  [[1, 6, 5, 1], 2, { stride: 1, dilation: [3, 2], padding: [1, 0] }],
  [[2, 7, 6, 4], 3, { stride: 2, padding: 1, ceilMode: true }],
  [[1, 17, 9, 3], [2, 5], { stride: [3, 2], dilation: 2, padding: [1, 2] }],
  [[0, 4, 4, 3], 2],
];

const maxima = (): Case[] =>
  exact(
    MAXIMAL.map(([shape, kernel, options = {}]) =>
      one(shape, (x) => maxPool2d(x, kernel, options), ` in ${kernel}${text(options)}`),
    ),
  );

/** Windows of 3 with stride 2 and padding 1 over h by w, and an index that the first maxima of a tensor give. */
const overlapping = (h: number, w: number): WindowParams => ({
  kind: 'pool',
  h: window(h, 3, 2, 1, 1),
  w: window(w, 3, 2, 1, 1),
});
const scattered = ([n, h, w, c]: readonly [number, number, number, number]): Case => {
  const params = overlapping(h, w);
  return {
    name: `to ${show([n, h, w, c])}`,
    inputs: [{ shape: [n, params.h.out, params.w.out, c] }, { shape: [n, h, w, c] }],
    fn: (g, x) => poolScatter(g, maxPoolIndex(x, params), params),
  };
};

const randomGrid = (n: number, oh: number, ow: number) => ({ shape: [n, oh, ow, 2], from: -1.3, to: 1.3 });

const sampled = (x: Shape, oh: number, ow: number, options: GridSampleOptions = {}): Case => ({
  name: `${show(x)} at ${show([oh, ow])}${text(options)}`,
  inputs: [{ shape: x }, randomGrid(x[0]!, oh, ow)],
  fn: (image, grid) => gridSample(image, grid, options),
});

/** Indices with repetitions, and some outside. */
const indices = (n: number, taken: number, places: number): Tensor =>
  tensor(
    Array.from({ length: n * taken }, (_, k) => ((k * 7) % (places + 2)) - 1),
    { shape: [n, taken] },
  );

const PLACES: readonly (readonly [n: number, taken: number, places: number, c: number])[] = [
  [1, 4, 3, 1],
  [2, 3, 5, 2],
  [2, 17, 5, 4],
  [3, 5, 33, 3],
  [1, 0, 3, 2],
];

export const imageCases: CasesOf<typeof poolRows & typeof resampleRows & typeof gridRows> = {
  avgPool2d: AVERAGED.map(([shape, kernel, options = {}]) =>
    one(shape, (x) => avgPool2d(x, kernel, options), ` in ${kernel}${text(options)}`),
  ),
  avgPool2dAdjoint: [
    averagedBack(1, 2, window(4, 2, 2, 0, 1), window(5, 2, 2, 0, 1)),
    averagedBack(1, 1, window(5, 3, 2, 1, 0), window(4, 2, 1, 1, 0)),
    averagedBack(2, 4, window(9, 3, 2, 1, 1), window(8, 2, 3, 0, 1)),
  ],
  adaptiveAvgPool2d: SIZES.map(([shape, size]) => one(shape, (x) => adaptiveAvgPool2d(x, size), ` to ${show(size)}`)),
  adaptiveAvgPool2dAdjoint: [
    adjoint('adaptiveAvgPool2dAdjoint', 'adaptive', [1, 2], [5, 3], [3, 2]),
    adjoint('adaptiveAvgPool2dAdjoint', 'adaptive', [1, 1], [2, 5], [7, 1]),
    adjoint('adaptiveAvgPool2dAdjoint', 'adaptive', [2, 4], [9, 5], [7, 6]),
  ],
  resizeNearest: exact(resized(resizeNearest)),
  resizeNearestAdjoint: [
    adjoint('resizeNearestAdjoint', 'nearest', [1, 2], [5, 3], [3, 2]),
    adjoint('resizeNearestAdjoint', 'nearest', [1, 1], [2, 7], [7, 1]),
    adjoint('resizeNearestAdjoint', 'nearest', [2, 4], [9, 5], [7, 6]),
  ],
  resizeBilinear: [...resized(resizeBilinear), ...resized(resizeBilinear, { alignCorners: true })],
  resizeBilinearAdjoint: [
    adjoint('resizeBilinearAdjoint', 'linear', [1, 2], [5, 3], [3, 2]),
    adjoint('resizeBilinearAdjoint', 'linear', [1, 1], [2, 7], [7, 1], true),
    adjoint('resizeBilinearAdjoint', 'linear', [1, 1], [1, 5], [4, 2], true),
    adjoint('resizeBilinearAdjoint', 'linear', [2, 4], [9, 5], [7, 65]),
    adjoint('resizeBilinearAdjoint', 'linear', [1, 3], [33, 5], [2, 17], true),
  ],
  maxPoolIndex: exact([
    one([1, 5, 4, 2], (x) => maxPoolIndex(x, overlapping(5, 4))),
    one([2, 9, 8, 4], (x) => maxPoolIndex(x, overlapping(9, 8))),
  ]),
  poolGather: maxima(),
  poolScatter: [scattered([1, 3, 4, 1]), scattered([1, 4, 3, 2]), scattered([2, 9, 8, 4]), scattered([3, 7, 17, 5])],
  placeGather: PLACES.map(([n, taken, places, c]) =>
    one([n, places, c], (x) => placeGather(x, indices(n, taken, places)), ` at ${taken}`),
  ),
  placeScatter: PLACES.map(([n, taken, places, c]) =>
    one([n, taken, c], (y) => placeScatter(y, indices(n, taken, places), places), ` to ${places}`),
  ),
  gridCorners: [
    [1, 3, 2],
    [2, 17, 2],
    [2, 0, 2],
  ].map((shape) => ({
    name: show(shape),
    inputs: [{ shape, from: -3, to: 6 }],
    fn: (at: Tensor) => Object.values(gridCorners(at, 3, 4)),
    tolerance: 0,
  })),
};

export const imageCompositions: Readonly<Record<string, readonly Case[]>> = {
  maxPool1d: [
    one([2, 7, 2], (x) => maxPool1d(x, 3, { stride: 2, padding: 1 })),
    one([1, 6, 1], (x) => maxPool1d(x, 2)),
  ],
  avgPool1d: [one([2, 7, 2], (x) => avgPool1d(x, 3, { stride: 2, padding: 1, countIncludePad: false }))],
  adaptiveAvgPool1d: [one([2, 7, 2], (x) => adaptiveAvgPool1d(x, 3))],
  adaptiveMaxPool1d: [one([2, 7, 2], (x) => adaptiveMaxPool1d(x, 3))],
  adaptiveMaxPool2d: SIZES.slice(0, 4).map(([shape, size]) =>
    one(shape, (x) => adaptiveMaxPool2d(x, size), ` to ${show(size)}`),
  ),
  globalAvgPool: [
    one([2, 3, 4, 2], (x) => globalAvgPool(x)),
    one([1, 5, 1, 3], (x) => globalAvgPool(x, { keepDims: true })),
  ],
  gridSample: [
    sampled([1, 3, 4, 2], 2, 3),
    sampled([1, 4, 3, 1], 3, 2, { alignCorners: true }),
    sampled([2, 2, 3, 2], 2, 2, { paddingMode: 'border' }),
    sampled([1, 1, 1, 1], 1, 3, { paddingMode: 'border', alignCorners: true }),
    sampled([2, 17, 9, 4], 5, 7, { paddingMode: 'border', alignCorners: true }),
    sampled([2, 5, 3, 3], 7, 5),
  ],
};
