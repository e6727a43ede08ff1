/** Convolution of sequences: conv2d over images of height 1. */

import { aNumber, op, options } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { perAxis } from '../arguments/ranges.ts';
import { ShapeError } from '../errors.ts';
import { methods } from '../tensor/methods.ts';
import { scope } from '../tensor/scope.ts';
import { show } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Conv2dOptions, conv2d, conv2dWeight, convTranspose2d } from './conv.ts';
import { reshape } from './movement.ts';
import { extended } from './outputPadding.ts';

/** Options of {@link conv1d}. */
export interface Conv1dOptions {
  /** How far the kernel moves from one place of the output to the next. Default 1. */
  readonly stride?: number;
  /** Zeros put at both ends: a number, 'valid' (none) or 'same' (output ceil(L / stride)). Default 0. */
  readonly padding?: number | 'same' | 'valid';
  /** Distance between neighbouring taps of the kernel. Default 1. */
  readonly dilation?: number;
  /** Channels are split into so many independent convolutions. Default 1. */
  readonly groups?: number;
}

const conv1dOptions = options<Conv1dOptions>({
  stride: perAxis(1),
  padding: perAxis(1, 'same', 'valid'),
  dilation: perAxis(1),
  groups: perAxis(1),
});

/** Options of {@link convTranspose1d}: those of the convolution that it transposes. */
export interface ConvTranspose1dOptions extends Conv1dOptions {
  /** Zeros that the convolution put at both ends. Default 0. */
  readonly padding?: number;
  /**
   * Places added at the end, to choose among the lengths that a strided convolution maps to y. Less than the stride or the
   * dilation; where no value of y reaches them they are 0. Default 0.
   */
  readonly outputPadding?: number;
}

const convTranspose1dOptions = options<ConvTranspose1dOptions>({
  stride: perAxis(1),
  padding: perAxis(1),
  dilation: perAxis(1),
  groups: perAxis(1),
  outputPadding: perAxis(1),
});

const flat = ({ padding = 0, stride = 1, dilation = 1, groups = 1 }: Conv1dOptions): Conv2dOptions => ({
  stride: [1, stride],
  dilation: [1, dilation],
  groups,
  padding: typeof padding === 'number' ? [0, padding] : padding,
});

/** [N,L,C] as an image of height 1. */
function image(op: string, what: string, layout: string, x: Tensor): Tensor {
  if (x.rank !== 3) throw new ShapeError(`${op}: ${what} must be ${layout}, not ${show(x.shape)}`);
  const [n, l, c] = x.shape as [number, number, number];
  return reshape(x, [n, 1, l, c]);
}

function kernel(op: string, w: Tensor): Tensor {
  if (w.rank !== 3) throw new ShapeError(`${op}: w must be [K,Cin/groups,Cout], not ${show(w.shape)}`);
  return reshape(w, [1, ...w.shape]);
}

const sequence = (y: Tensor): Tensor => reshape(y, [y.shape[0]!, y.shape[2]!, y.shape[3]!]);

/**
 * Cross-correlation of sequences x [N,L,Cin] with kernels w [K,Cin/groups,Cout], giving [N,OL,Cout] with
 * OL = floor((L + 2·padding - dilation·(K - 1) - 1) / stride) + 1.
 * @throws ShapeError if channels, groups or sizes do not fit
 * @function
 */
export const conv1d = op(
  'conv1d',
  [aTensor('x'), aTensor('w'), conv1dOptions],
  (x, w, options = {}): Tensor =>
    scope(() => sequence(conv2d(image('conv1d', 'x', '[N,L,Cin]', x), kernel('conv1d', w), flat(options)))),
);

/**
 * The transpose of conv1d, Uᵀ: sequences y [N,OL,Cout] with the same kernels w [K,Cin/groups,Cout] give [N,L,Cin],
 * L = (OL - 1)·stride - 2·padding + dilation·(K - 1) + outputPadding + 1.
 * @throws ShapeError if channels, groups or sizes do not fit
 * @function
 */
export const convTranspose1d = op(
  'convTranspose1d',
  [aTensor('y'), aTensor('w'), convTranspose1dOptions],
  (y, w, options = {}): Tensor =>
    scope(() => {
      const { padding = 0, outputPadding = 0, stride = 1, dilation = 1 } = options;
      const long = extended('convTranspose1d', y, [outputPadding], { stride: [stride], dilation: [dilation] });
      const from = image('convTranspose1d', 'y', '[N,OL,Cout]', long.y);
      const size = { ...flat(options), padding: [0, padding], outputPadding: [0, long.extra[0]!] } as const;
      return sequence(convTranspose2d(from, kernel('convTranspose1d', w), size));
    }),
);

/**
 * The weight gradient of conv1d as an op of its own: x [N,L,Cin] and y [N,OL,Cout] give w [K,Cin/groups,Cout].
 * @param size K
 * @throws ShapeError if channels, groups or sizes do not fit
 * @function
 */
export const conv1dWeight = op(
  'conv1dWeight',
  [aTensor('x'), aTensor('y'), aNumber('size'), conv1dOptions],
  (x, y, size, options = {}): Tensor =>
    scope(() => {
      const [a, b] = [image('conv1dWeight', 'x', '[N,L,Cin]', x), image('conv1dWeight', 'y', '[N,OL,Cout]', y)];
      const w = conv2dWeight(a, b, [1, size], flat(options));
      return reshape(w, w.shape.slice(1));
    }),
);

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** Convolution of sequences [N,L,C]. */
    conv1d(w: Tensor, options?: Conv1dOptions): Tensor;
    /** The transpose of conv1d. */
    convTranspose1d(w: Tensor, options?: ConvTranspose1dOptions): Tensor;
  }
}

methods({ conv1d, convTranspose1d });
