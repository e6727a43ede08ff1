/** Layers that make images larger or smaller, without parameters. */
import {
  type Pair,
  pad,
  permute,
  resizeBilinear,
  resizeNearest,
  ShapeError,
  scope,
  type Tensor,
} from '../../engine/index.ts';
import { calls, checked, checkRange, ranges } from '../../engine/internal.ts';
import { guardForward } from '../module/guardForward.ts';
import { Module } from '../module/module.ts';
import { described, size2d } from './describe.ts';

/** Options of {@link Upsample}; give a size or a scale factor. */
export interface UpsampleOptions {
  /** The new size, [height, width] or one number for both. */
  readonly size?: Pair;
  /** Instead of a size: how many times as large. */
  readonly scaleFactor?: Pair;
  /** The nearest pixel, or linear interpolation along both axes. Default 'nearest'. */
  readonly mode?: 'nearest' | 'bilinear';
  /** For 'bilinear': the centres of the corner pixels stay in place. Default false. */
  readonly alignCorners?: boolean;
}

/** Images in another size: x [N,H,W,C] to [N,OH,OW,C]; see `resizeNearest` and `resizeBilinear`. */
export class Upsample extends Module {
  /** What was given to the constructor. */
  readonly options: UpsampleOptions;

  /** @throws TypeError unless there is either a size or a scale factor, or for alignCorners in mode 'nearest' */
  constructor(options: UpsampleOptions) {
    calls.checkArguments('Upsample', [calls.something('options')], arguments);
    super();
    const {
      size,
      scaleFactor,
      mode = 'nearest',
      alignCorners,
    } = checked('Upsample', options, ['size', 'scaleFactor', 'mode', 'alignCorners']);
    if ((size === undefined) === (scaleFactor === undefined)) {
      throw new TypeError('Upsample: give a size or a scaleFactor, one of them');
    }
    if (mode === 'nearest' && alignCorners !== undefined) {
      throw new TypeError("Upsample: alignCorners is for mode 'bilinear'; leave it out");
    }
    this.options = options;
  }

  /** @throws ShapeError unless x is [N,H,W,C] */
  override forward(x: Tensor): Tensor {
    const { size, scaleFactor, mode, alignCorners = false } = this.options;
    const to = size === undefined ? { scale: scaleFactor! } : { size };
    return mode === 'bilinear' ? resizeBilinear(x, { ...to, alignCorners }) : resizeNearest(x, to);
  }

  override describe(): string {
    const { size, scaleFactor, mode = 'nearest', alignCorners } = this.options;
    const to = size === undefined ? `scaleFactor ${size2d(scaleFactor!)}` : `size ${size2d(size)}`;
    return described(to, `mode ${mode}`, alignCorners && 'alignCorners');
  }
}

/**
 * [N,H,W,C·r²] to [N,H·r,W·r,C] (Shi et al. 2016). Channel c·r² + i·r + j goes to row i and column j of channel c, as in
 * PyTorch, so that weights before it can be taken over; `depthToSpace` has another order.
 */
export class PixelShuffle extends Module {
  /** How many times as high and wide. */
  readonly upscaleFactor: number;

  /** @throws RangeError unless the factor is a whole number, 1 or more */
  constructor(upscaleFactor: number) {
    calls.checkArguments('PixelShuffle', [calls.within('upscaleFactor', ranges.number)], arguments);
    super();
    this.upscaleFactor = checkRange('PixelShuffle', 'the factor', ranges.count, upscaleFactor);
  }

  /** @throws ShapeError unless x is [N,H,W,C·r²] */
  override forward(x: Tensor): Tensor {
    const r = this.upscaleFactor;
    const [n, h, w, d] = x.shape as readonly [number, number, number, number];
    if (x.rank !== 4 || d % r ** 2 !== 0) {
      throw new ShapeError(
        `PixelShuffle: x [${x.shape}] must be images [N,H,W,C] whose channels are a multiple of upscaleFactor² = ${r ** 2}`,
      );
    }
    const c = d / r ** 2;
    return scope(() => permute(x.reshape([n, h, w, c, r, r]), [0, 1, 4, 2, 5, 3]).reshape([n, h * r, w * r, c]));
  }

  override describe(): string {
    return `upscaleFactor ${this.upscaleFactor}`;
  }
}

/** The inverse of {@link PixelShuffle}: [N,H·r,W·r,C] to [N,H,W,C·r²], in PyTorch's order of channels. */
export class PixelUnshuffle extends Module {
  /** How many times as low and narrow. */
  readonly downscaleFactor: number;

  /** @throws RangeError unless the factor is a whole number, 1 or more */
  constructor(downscaleFactor: number) {
    calls.checkArguments('PixelUnshuffle', [calls.within('downscaleFactor', ranges.number)], arguments);
    super();
    this.downscaleFactor = checkRange('PixelUnshuffle', 'the factor', ranges.count, downscaleFactor);
  }

  /** @throws ShapeError unless x is [N,H·r,W·r,C] */
  override forward(x: Tensor): Tensor {
    const r = this.downscaleFactor;
    const [n, h, w, c] = x.shape as readonly [number, number, number, number];
    if (x.rank !== 4 || h % r !== 0 || w % r !== 0) {
      throw new ShapeError(
        `PixelUnshuffle: x [${x.shape}] must be images [N,H,W,C] whose height and width are multiples of downscaleFactor = ${r}; pad first`,
      );
    }
    return scope(() =>
      permute(x.reshape([n, h / r, r, w / r, r, c]), [0, 1, 3, 5, 2, 4]).reshape([n, h / r, w / r, c * r ** 2]),
    );
  }

  override describe(): string {
    return `downscaleFactor ${this.downscaleFactor}`;
  }
}

/** Options of {@link Pad}. */
export interface PadLayerOptions {
  /** What goes there, as `pad` has it: 'constant' (default), 'reflect', 'replicate' or 'circular'. */
  readonly mode?: 'constant' | 'reflect' | 'replicate' | 'circular';
  /** For mode 'constant'. Default 0. */
  readonly value?: number;
}

/**
 * Widens the axes between batch and channels; PyTorch's ZeroPad2d, ConstantPad2d, ReflectionPad2d, ReplicationPad2d and their
 * kin for sequences. See `pad`.
 */
export class Pad extends Module {
  /** As it was given. */
  readonly padding: number | readonly (readonly [before: number, after: number])[];
  /** What goes there. */
  readonly mode: 'constant' | 'reflect' | 'replicate' | 'circular';
  /** For mode 'constant'. */
  readonly value: number;

  /**
   * Takes how much is added on each side; what a negative number cuts off is for mode 'constant'.
   * @param padding one number for every side, or [before, after] for each axis behind the batch: [[top, bottom], [left, right]]
   * (PyTorch's list begins with the last axis)
   */
  constructor(padding: number | readonly (readonly [before: number, after: number])[], options: PadLayerOptions = {}) {
    calls.checkArguments('Pad', [calls.something('padding'), calls.maybe(calls.something('options'))], arguments);
    super();
    const { mode = 'constant', value = 0 } = checked('Pad', options, ['mode', 'value']);
    this.padding = padding;
    this.mode = mode;
    this.value = value;
  }

  /** @throws ShapeError unless x is [N,...,C] with an axis to widen, or if one is too short for the mode */
  override forward(x: Tensor): Tensor {
    const { padding, mode, value } = this;
    const between = Math.max(0, x.rank - 2);
    const pads =
      typeof padding === 'number' ? Array.from({ length: between }, () => [padding, padding] as const) : padding;
    if (between === 0 || pads.length > between) {
      throw new ShapeError(
        `Pad: x [${x.shape}] must be [N,...,C] with ${Math.max(1, pads.length)} or more axes between batch and channels`,
      );
    }
    return pad(x, [[0, 0], ...pads], { mode, value });
  }

  override describe(): string {
    const { padding, mode, value } = this;
    const text = typeof padding === 'number' ? `${padding}` : JSON.stringify(padding);
    return described(text, mode !== 'constant' && `mode ${mode}`, value !== 0 && `value ${value}`);
  }
}

guardForward(Upsample, PixelShuffle, PixelUnshuffle, Pad);
