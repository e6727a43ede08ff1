/** Resizing of images. */

import { op, options } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { flag, perAxis } from '../arguments/ranges.ts';
import { ShapeError } from '../errors.ts';
import { methods } from '../tensor/methods.ts';
import { show } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Pair } from './conv.ts';
import { needImages, ratioAxis, resampleRows, runWindows, type WindowKind } from './resample.ts';

/** Options of {@link resizeNearest}; give a size or a scale. */
export interface ResizeOptions {
  /** The new size, [height, width] or one number for both. */
  readonly size?: Pair;
  /** Instead of a size: how many times as large. The size is rounded down, and decides the ratio. */
  readonly scale?: Pair;
}

const resizeOptions = options<ResizeOptions>({ size: perAxis(2), scale: perAxis(2) });

/** Options of {@link resizeBilinear}. */
export interface ResizeBilinearOptions extends ResizeOptions {
  /** The centres of the corner pixels stay in place, instead of the corners of the image. Default false. */
  readonly alignCorners?: boolean;
}

const resizeBilinearOptions = options<ResizeBilinearOptions>({
  size: perAxis(2),
  scale: perAxis(2),
  alignCorners: flag,
});

const pair = (p: Pair): readonly [number, number] => (typeof p === 'number' ? [p, p] : p);

function resize(op: string, kind: WindowKind, x: Tensor, options: ResizeBilinearOptions): Tensor {
  needImages(op, x.shape);
  const { size, scale, alignCorners } = options;
  if ((size === undefined) === (scale === undefined))
    throw new ShapeError(`${op}: give a size or a scale, one of them`);
  const from = x.shape.slice(1, 3);
  const to = size !== undefined ? pair(size) : pair(scale!).map((s, i) => Math.floor(s * from[i]!));
  if (!to.every((d) => Number.isInteger(d) && d >= 1)) {
    throw new ShapeError(`${op}: cannot resize ${show(x.shape)} to ${show(to)}; sizes are whole numbers, 1 or more`);
  }
  const [h, w] = [0, 1].map((i) => ratioAxis(op, kind, from[i]!, to[i]!, alignCorners));
  return runWindows(op === 'resizeNearest' ? resampleRows.resizeNearest : resampleRows.resizeBilinear, x, {
    kind,
    h: h!,
    w: w!,
  });
}

/**
 * Images x [N,H,W,C] in another size: each pixel is the one at floor(o · H / OH), floor(o · W / OW), as
 * torch.nn.functional.interpolate has it in mode 'nearest'. The place is found in whole numbers, where PyTorch rounds; a
 * `scale` that is not a whole number acts as with PyTorch's recompute_scale_factor.
 * @returns [N,OH,OW,C]
 * @throws ShapeError unless x is [N,H,W,C] and either a size or a scale is given
 * @function
 */
export const resizeNearest = op(
  'resizeNearest',
  [aTensor('x'), resizeOptions],
  (x, options): Tensor =>
    resize('resizeNearest', 'nearest', x, {
      ...options,
      alignCorners: false,
    }),
);

/**
 * Images x [N,H,W,C] in another size, interpolated linearly along both axes, as torch.nn.functional.interpolate in mode
 * 'bilinear' without antialiasing; a `scale` that is not a whole number acts as with PyTorch's recompute_scale_factor.
 * @returns [N,OH,OW,C]
 * @throws ShapeError unless x is [N,H,W,C] and either a size or a scale is given
 * @function
 */
export const resizeBilinear = op(
  'resizeBilinear',
  [aTensor('x'), resizeBilinearOptions],
  (x, options): Tensor => resize('resizeBilinear', 'linear', x, options),
);

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** Images in another size, by the nearest pixel. */
    resizeNearest(options: ResizeOptions): Tensor;
    /** Images in another size, by linear interpolation. */
    resizeBilinear(options: ResizeBilinearOptions): Tensor;
  }
}

methods({ resizeNearest, resizeBilinear });
