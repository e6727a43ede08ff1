/** Pooling of images and sequences. The arithmetic of windows is in kernels/window.ts. */

import {
  poolGather as gatherPlan,
  maxPoolIndex as indexPlan,
  poolScatter as scatterPlan,
} from '../../kernels/maxPool.ts';
import { aNumber, numberOrList, op, options } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { flag, number, perAxis } from '../arguments/ranges.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { ShapeError } from '../errors.ts';
import { methods } from '../tensor/methods.ts';
import { scope } from '../tensor/scope.ts';
import { type Shape, sameShape, show } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Pair } from './conv.ts';
import { reshape } from './movement.ts';
import { mean, type ReduceOptions, reduceOptions } from './reduce.ts';
import { needImages, ratioAxis, resampleRows, runWindows, type WindowAxis, type WindowParams } from './resample.ts';

/** Options of {@link maxPool2d}. */
export interface MaxPool2dOptions {
  /** How far the window moves. Default: its size, so that windows touch. */
  readonly stride?: Pair;
  /**
   * Places around the image, at most half a window; a maximum never falls on them, an average counts them as 0. Default
   * 0.
   */
  readonly padding?: Pair;
  /** Distance between neighbouring places of a window. Default 1. */
  readonly dilation?: Pair;
  /** Round the output's size up: the last window may reach over the end. Default false. */
  readonly ceilMode?: boolean;
}

const maxPool2dOptions = options<MaxPool2dOptions>({
  stride: perAxis(2),
  padding: perAxis(2),
  dilation: perAxis(2),
  ceilMode: flag,
});

/** Options of {@link avgPool2d}. */
export interface AvgPool2dOptions extends Omit<MaxPool2dOptions, 'dilation'> {
  /** Divide by the places of the window with those on the padding, as PyTorch does by default. Default true. */
  readonly countIncludePad?: boolean;
}

const avgPool2dOptions = options<AvgPool2dOptions>({
  stride: perAxis(2),
  padding: perAxis(2),
  ceilMode: flag,
  countIncludePad: flag,
});

const pair = (p: Pair): readonly [number, number] => (typeof p === 'number' ? [p, p] : p);

interface PoolOptions extends MaxPool2dOptions {
  readonly countIncludePad?: boolean;
}

/** The windows of a pooling. */
function poolWindows(op: string, x: Shape, kernel: Pair, options: PoolOptions): WindowParams {
  needImages(op, x);
  const sizes = pair(kernel);
  const [stride, padding, dilation] = [options.stride ?? kernel, options.padding ?? 0, options.dilation ?? 1].map(pair);
  const [h, w] = [0, 1].map((i): WindowAxis => {
    const [size, a, b, c, e] = [x[i + 1]!, sizes[i]!, stride![i]!, padding![i]!, dilation![i]!];
    const whole = [a, b, e].every((v) => Number.isInteger(v) && v >= 1) && Number.isInteger(c) && c >= 0;
    const reach = (a - 1) * e + 1;
    if (!whole || 2 * c > reach) {
      throw new ShapeError(
        `${op}: window ${a}, stride ${b}, dilation ${e} and padding ${c} along axis ${i + 1} must be whole numbers, 1 or more, and the padding at most half of the window`,
      );
    }
    const span = size + 2 * c - reach;
    // A last window that would start behind the image is left out, as in PyTorch.
    const ceiled = Math.ceil(span / b) + 1;
    const out = options.ceilMode ? ceiled - ((ceiled - 1) * b >= size + c ? 1 : 0) : Math.floor(span / b) + 1;
    if (size < 1 || out < 1 || (span < 0 && !options.ceilMode)) {
      throw new ShapeError(
        `${op}: a window of ${reach} places does not fit into ${size + 2 * c} along axis ${i + 1} of ${show(x)}; pad, or take a smaller one`,
      );
    }
    const axis = { size, out, a, b, c, d: options.countIncludePad === false ? 0 : 1, e };
    if (e > 1 && !everyWindowSees(axis)) {
      throw new ShapeError(
        `${op}: along axis ${i + 1} of ${show(x)} a dilated window sees nothing but padding; pad less`,
      );
    }
    return axis;
  });
  return { kind: 'pool', h: h!, w: w! };
}

const everyWindowSees = ({ size, out, a, b, c, e }: WindowAxis): boolean =>
  Array.from({ length: out }, (_, o) => o * b - c).every((start) => {
    const first = start + Math.ceil(Math.max(0, -start) / e) * e;
    return first < size && first <= start + (a - 1) * e;
  });

function adaptiveWindows(op: string, x: Shape, size: Pair): WindowParams {
  needImages(op, x);
  const to = pair(size);
  if (!to.every((d) => Number.isInteger(d) && d >= 1)) {
    throw new ShapeError(`${op}: the output size ${show(to)} must be whole numbers, 1 or more`);
  }
  const [h, w] = [0, 1].map((i) => ratioAxis(op, 'adaptive', x[i + 1]!, to[i]!));
  return { kind: 'adaptive', h: h!, w: w! };
}

const showWindows = ({ h, w }: WindowParams): string => `${show([h.size, w.size])} to ${show([h.out, w.out])}`;

const indexRow: Row<WindowParams, 1, 1> = {
  name: 'maxPoolIndex',
  shape: ([x], { h, w }) => [[x[0]!, h.out, w.out, x[3]!]],
  kernel: ({ inputs: [x], params }) => indexPlan(params.kind, params, x[0]!, x[3]!),
  show: showWindows,
};

/** Gather and scatter read the cotangent where an index points, and put it there: each is the other's adjoint. */
const gatherRow: Row<WindowParams, 2, 1> = {
  name: 'poolGather',
  shape: ([x, index], { h, w }) => {
    if (!sameShape(index, [x[0]!, h.out, w.out, x[3]!]) || x[1] !== h.size || x[2] !== w.size) {
      throw new ShapeError(`poolGather: the index ${show(index)} does not belong to x ${show(x)}`);
    }
    return [index];
  },
  kernel: ({ inputs: [x], params }) => gatherPlan(params, x[0]!, x[3]!),
  vjp: [(g, { inputs: [, index], params }) => poolScatter(g, index, params), null],
  show: showWindows,
};

const scatterRow: Row<WindowParams, 2, 1> = {
  name: 'poolScatter',
  shape: ([y, index], { h, w }) => {
    if (!sameShape(y, index) || y[1] !== h.out || y[2] !== w.out) {
      throw new ShapeError(`poolScatter: the index ${show(index)} does not belong to y ${show(y)}`);
    }
    return [[y[0]!, h.size, w.size, y[3]!]];
  },
  kernel: ({ inputs: [y], params }) => scatterPlan(params.kind, params, y[0]!, y[3]!),
  vjp: [(g, { inputs: [, index], params }) => poolGather(g, index, params), null],
  show: showWindows,
};

/** Where each window of x [N,H,W,C] has its first maximum: h·W + w, as a float; of more than 2^24 places, for poolGather and poolScatter only. */
export const maxPoolIndex = (x: Tensor, params: WindowParams): Tensor => apply(indexRow, [x], params)[0];
/** The elements of x [N,H,W,C] that index [N,OH,OW,C] names, channel by channel. */
export const poolGather = (x: Tensor, index: Tensor, params: WindowParams): Tensor =>
  apply(gatherRow, [x, index], params)[0];
/** The adjoint of poolGather: [N,OH,OW,C] to [N,H,W,C]. */
export const poolScatter = (y: Tensor, index: Tensor, params: WindowParams): Tensor =>
  apply(scatterRow, [y, index], params)[0];

const averageOver = (x: Tensor, params: WindowParams): Tensor =>
  runWindows(params.kind === 'pool' ? resampleRows.avgPool2d : resampleRows.adaptiveAvgPool2d, x, params);

const maxOver = (x: Tensor, params: WindowParams): Tensor =>
  scope(() => poolGather(x, maxPoolIndex(x, params), params));

/**
 * The maximum of each window of images x [N,H,W,C], in every channel. Padding counts as -infinity; a NaN in a window is
 * its maximum. The gradient goes to the first of equal maxima, in row-major order, as in PyTorch.
 * @param kernel the size of the window, [height, width] or one number for both
 * @returns [N,OH,OW,C], OH = floor((H + 2·padding - dilation·(KH - 1) - 1) / stride) + 1
 * @throws ShapeError if x is not [N,H,W,C], or a window does not fit
 * @function
 */
export const maxPool2d = op(
  'maxPool2d',
  [aTensor('x'), numberOrList<Pair>('kernel', '[2, 2]'), maxPool2dOptions],
  (x, kernel, options = {}): Tensor => maxOver(x, poolWindows('maxPool2d', x.shape, kernel, options)),
);

/**
 * The average of each window of images x [N,H,W,C], in every channel; padding counts as 0.
 * @param kernel the size of the window, [height, width] or one number for both
 * @returns [N,OH,OW,C], OH = floor((H + 2·padding - KH) / stride) + 1
 * @throws ShapeError if x is not [N,H,W,C], or a window does not fit
 * @function
 */
export const avgPool2d = op(
  'avgPool2d',
  [aTensor('x'), numberOrList<Pair>('kernel', '[2, 2]'), avgPool2dOptions],
  (x, kernel, options = {}): Tensor => averageOver(x, poolWindows('avgPool2d', x.shape, kernel, options)),
);

/**
 * Averages of windows that divide images x [N,H,W,C] into `size` (they overlap where it does not divide H or W), as in
 * PyTorch: window o is the places floor(o · H / OH) to ceil((o + 1) · H / OH) - 1.
 * @param size [OH, OW] or one number for both
 * @returns [N,OH,OW,C]
 * @throws ShapeError
 * @function
 */
export const adaptiveAvgPool2d = op(
  'adaptiveAvgPool2d',
  [aTensor('x'), numberOrList<Pair>('size', '[2, 2]')],
  (x, size): Tensor => averageOver(x, adaptiveWindows('adaptiveAvgPool2d', x.shape, size)),
);

/**
 * Maxima of the windows of `adaptiveAvgPool2d`: x [N,H,W,C] to [N,OH,OW,C]. Ties and NaN as in `maxPool2d`.
 * @throws ShapeError
 * @function
 */
export const adaptiveMaxPool2d = op(
  'adaptiveMaxPool2d',
  [aTensor('x'), numberOrList<Pair>('size', '[2, 2]')],
  (x, size): Tensor => maxOver(x, adaptiveWindows('adaptiveMaxPool2d', x.shape, size)),
);

/**
 * The average over all places of images x [N,H,W,C]: [N,C], or [N,1,1,C] with keepDims. @throws ShapeError
 * @function
 */
export const globalAvgPool = op('globalAvgPool', [aTensor('x'), reduceOptions], (x, options = {}): Tensor => {
  needImages('globalAvgPool', x.shape);
  return mean(x, [1, 2], options);
});

/** A pooling of [N,L,C] as one of [N,1,L,C]. */
function alongLength(op: string, x: Tensor, pool: (x: Tensor) => Tensor): Tensor {
  if (x.rank !== 3) throw new ShapeError(`${op}: x must be [N,L,C], not ${show(x.shape)}; reshape it`);
  const [n, l, c] = x.shape as [number, number, number];
  return scope(() => {
    const y = pool(reshape(x, [n, 1, l, c]));
    return reshape(y, [n, y.shape[2]!, c]);
  });
}

/** Options of {@link maxPool1d}. */
export interface MaxPool1dOptions {
  /** How far the window moves. Default: its size. */
  readonly stride?: number;
  /** Places at both ends, at most half a window; see `MaxPool2dOptions`. Default 0. */
  readonly padding?: number;
  /** Distance between neighbouring places of a window. Default 1. */
  readonly dilation?: number;
  /** Round the output's length up. Default false. */
  readonly ceilMode?: boolean;
}

const maxPool1dOptions = options<MaxPool1dOptions>({
  stride: number,
  padding: number,
  dilation: number,
  ceilMode: flag,
});

/** Options of {@link avgPool1d}. */
export interface AvgPool1dOptions extends Omit<MaxPool1dOptions, 'dilation'> {
  /** Divide by the places of the window with those on the padding. Default true. */
  readonly countIncludePad?: boolean;
}

const avgPool1dOptions = options<AvgPool1dOptions>({
  stride: number,
  padding: number,
  ceilMode: flag,
  countIncludePad: flag,
});

const flat = (kernel: number, { stride = kernel, padding = 0, dilation = 1, ...rest }: MaxPool1dOptions) => ({
  ...({ stride: [1, stride], padding: [0, padding], dilation: [1, dilation], ...rest } as const),
});

/** `maxPool2d` of sequences: x [N,L,C] to [N,OL,C]. @throws ShapeError @function */
export const maxPool1d = op(
  'maxPool1d',
  [aTensor('x'), aNumber('kernel'), maxPool1dOptions],
  (x, kernel, options = {}): Tensor =>
    alongLength('maxPool1d', x, (t) =>
      maxOver(t, poolWindows('maxPool1d', t.shape, [1, kernel], flat(kernel, options))),
    ),
);

/** `avgPool2d` of sequences: x [N,L,C] to [N,OL,C]. @throws ShapeError @function */
export const avgPool1d = op(
  'avgPool1d',
  [aTensor('x'), aNumber('kernel'), avgPool1dOptions],
  (x, kernel, options = {}): Tensor =>
    alongLength('avgPool1d', x, (t) =>
      averageOver(t, poolWindows('avgPool1d', t.shape, [1, kernel], flat(kernel, options))),
    ),
);

/** `adaptiveAvgPool2d` of sequences: x [N,L,C] to [N,size,C]. @throws ShapeError @function */
export const adaptiveAvgPool1d = op(
  'adaptiveAvgPool1d',
  [aTensor('x'), aNumber('size')],
  (x, size): Tensor =>
    alongLength('adaptiveAvgPool1d', x, (t) =>
      averageOver(t, adaptiveWindows('adaptiveAvgPool1d', t.shape, [1, size])),
    ),
);

/** `adaptiveMaxPool2d` of sequences: x [N,L,C] to [N,size,C]. @throws ShapeError @function */
export const adaptiveMaxPool1d = op(
  'adaptiveMaxPool1d',
  [aTensor('x'), aNumber('size')],
  (x, size): Tensor =>
    alongLength('adaptiveMaxPool1d', x, (t) => maxOver(t, adaptiveWindows('adaptiveMaxPool1d', t.shape, [1, size]))),
);

/** The rows of this file, by name. */
export const poolRows = { maxPoolIndex: indexRow, poolGather: gatherRow, poolScatter: scatterRow };

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** The maximum of each window of sequences [N,L,C]. */
    maxPool1d(kernel: number, options?: MaxPool1dOptions): Tensor;
    /** The maximum of each window of images [N,H,W,C]. */
    maxPool2d(kernel: Pair, options?: MaxPool2dOptions): Tensor;
    /** The average of each window of sequences [N,L,C]. */
    avgPool1d(kernel: number, options?: AvgPool1dOptions): Tensor;
    /** The average of each window of images [N,H,W,C]. */
    avgPool2d(kernel: Pair, options?: AvgPool2dOptions): Tensor;
    /** Averages that give sequences of length `size`. */
    adaptiveAvgPool1d(size: number): Tensor;
    /** Averages that give images of the given size. */
    adaptiveAvgPool2d(size: Pair): Tensor;
    /** Maxima that give sequences of length `size`. */
    adaptiveMaxPool1d(size: number): Tensor;
    /** Maxima that give images of the given size. */
    adaptiveMaxPool2d(size: Pair): Tensor;
    /** The average over all places of images [N,H,W,C]. */
    globalAvgPool(options?: ReduceOptions): Tensor;
  }
}

methods({
  maxPool1d,
  maxPool2d,
  avgPool1d,
  avgPool2d,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  globalAvgPool,
});
