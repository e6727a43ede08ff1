/** Convolution of volumes, its transpose and weight gradient: one trilinear form, as for images in conv.ts. */

import {
  type Conv3dGeometry,
  conv3d as conv3dPlan,
  conv3dWeight as conv3dWeightPlan,
  convTranspose3d as convTranspose3dPlan,
} from '../../kernels/conv/conv3d.ts';
import { numbersOf, op, options } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { perAxis } from '../arguments/ranges.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { ShapeError } from '../errors.ts';
import { methods } from '../tensor/methods.ts';
import { scope } from '../tensor/scope.ts';
import { type Shape, show } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkPadding, checkSteps, outputSize, samePadding, splits } from './convSizes.ts';
import { unlessEmpty } from './empty.ts';
import { extended } from './outputPadding.ts';

/** A whole number for all axes, or one for each: [depth, height, width]. */
export type Triple = number | readonly [number, number, number];

type Three = Exclude<Triple, number>;

/** Options of {@link conv3d}. */
export interface Conv3dOptions {
  /** How far the kernel moves from one place of the output to the next. Default 1. */
  readonly stride?: Triple;
  /**
   * Zeros put around: a number, [depth, height, width], 'valid' (none) or 'same' (output ceil(size / stride)). Default
   * 0.
   */
  readonly padding?: Triple | 'same' | 'valid';
  /** Distance between neighbouring taps of the kernel. Default 1. */
  readonly dilation?: Triple;
  /** Channels are split into so many independent convolutions. Default 1. */
  readonly groups?: number;
}

const conv3dOptions = options<Conv3dOptions>({
  stride: perAxis(3),
  padding: perAxis(3, 'same', 'valid'),
  dilation: perAxis(3),
  groups: perAxis(1),
});

export interface Conv3dParams {
  readonly stride: Three;
  /** Before the volume and behind it. */
  readonly before: Three;
  readonly after: Three;
  readonly dilation: Three;
  readonly groups: number;
}

/** Conv3dParams with the size that the op's result must have: [D, H, W] or [KD, KH, KW]. */
export interface SizedConv3dParams extends Conv3dParams {
  readonly size: Three;
}

const triple = (t: Triple): Three => (typeof t === 'number' ? [t, t, t] : t);
const map3 = (f: (i: number) => number): Three => [f(0), f(1), f(2)];
const three = (list: readonly number[]): Three => map3((i) => list[i]!);

function conv3dParams(op: string, options: Conv3dOptions, image: Shape, kernel: Shape): Conv3dParams {
  const stride = triple(options.stride ?? 1);
  const dilation = triple(options.dilation ?? 1);
  const { groups = 1, padding = 0 } = options;
  checkSteps(op, [...stride, ...dilation, groups]);
  if (padding === 'same') {
    const total = map3((i) => samePadding(image[i]!, kernel[i]!, stride[i]!, dilation[i]!));
    const before = map3((i) => Math.floor(total[i]! / 2));
    return { stride, dilation, groups, before, after: map3((i) => total[i]! - before[i]!) };
  }
  const before = padding === 'valid' ? triple(0) : triple(padding);
  checkPadding(op, before);
  return { stride, dilation, groups, before, after: before };
}

const outputOf = (op: string, image: Three, kernel: Three, p: Conv3dParams): Three =>
  three(outputSize(op, image, kernel, p));

const geometry = (x: Shape, w: Shape, y: Shape, p: Conv3dParams): Conv3dGeometry => ({
  n: x[0]!,
  cin: x[4]!,
  cout: y[4]!,
  groups: p.groups,
  image: volume(x),
  kernel: three(w),
  out: volume(y),
  stride: p.stride,
  padding: p.before,
  dilation: p.dilation,
});

const volume = (s: Shape): Three => three(s.slice(1, 4));

const needRank5 = (op: string, what: string, layout: string, s: Shape): void => {
  if (s.length !== 5) throw new ShapeError(`${op}: ${what} must be ${layout}, not ${show(s)}`);
};

const showConv = (p: Conv3dParams): string =>
  [
    p.stride.some((s) => s !== 1) ? `stride ${p.stride}` : '',
    [...p.before, ...p.after].some((s) => s !== 0) ? `padding ${[...p.before, ...p.after]}` : '',
    p.dilation.some((s) => s !== 1) ? `dilation ${p.dilation}` : '',
    p.groups !== 1 ? `groups ${p.groups}` : '',
  ]
    .filter(Boolean)
    .join(', ');

const conv3dRow: Row<Conv3dParams, 2, 1> = {
  name: 'conv3d',
  shape: ([x, w], p) => {
    needRank5('conv3d', 'x', '[N,D,H,W,Cin]', x);
    needRank5('conv3d', 'w', '[KD,KH,KW,Cin/groups,Cout]', w);
    if (x[4] !== w[3]! * p.groups) {
      throw new ShapeError(
        `conv3d: x has ${x[4]} channels but w expects ${w[3]! * p.groups} (x ${show(x)}, w ${show(w)}${p.groups > 1 ? `, ${p.groups} groups` : ''}); the fourth axis of w is the input's channels`,
      );
    }
    splits('conv3d', w[4]!, p.groups);
    return [[x[0]!, ...outputOf('conv3d', volume(x), three(w), p), w[4]!]];
  },
  kernel: ({ inputs, outputs, params }) =>
    unlessEmpty(inputs, outputs, () => conv3dPlan(geometry(inputs[0], inputs[1], outputs[0], params))),
  vjp: [
    (g, { inputs: [x, w], params }) => transposeOf(g, w, { ...params, size: volume(x.shape) }),
    (g, { inputs: [x, w], params }) => weightOf(x, g, { ...params, size: three(w.shape) }),
  ],
  show: showConv,
};

const convTranspose3dRow: Row<SizedConv3dParams, 2, 1> = {
  name: 'convTranspose3d',
  shape: ([y, w], p) => {
    needRank5('convTranspose3d', 'y', '[N,OD,OH,OW,Cout]', y);
    needRank5('convTranspose3d', 'w', '[KD,KH,KW,Cin/groups,Cout]', w);
    if (y[4] !== w[4]) {
      throw new ShapeError(
        `convTranspose3d: y has ${y[4]} channels but w expects ${w[4]} (y ${show(y)}, w ${show(w)}); the fifth axis of w is the channels of the transpose's input`,
      );
    }
    splits('convTranspose3d', y[4]!, p.groups);
    const back = outputOf('convTranspose3d', p.size, three(w), p);
    if (back.some((d, i) => d !== y[i + 1])) {
      throw new ShapeError(
        `convTranspose3d: an output of ${show(p.size)} belongs to an input of ${show(back)}, not ${show(volume(y))} (kernel ${show(three(w))}, ${showConv(p)}); outputPadding must be less than the stride`,
      );
    }
    return [[y[0]!, ...p.size, w[3]! * p.groups]];
  },
  kernel: ({ inputs, outputs, params }) =>
    unlessEmpty(inputs, outputs, () => convTranspose3dPlan(geometry(outputs[0], inputs[1], inputs[0], params))),
  vjp: [
    (g, { inputs: [, w], params }) => forwardOf(g, w, params),
    (g, { inputs: [y, w], params }) => weightOf(g, y, { ...params, size: three(w.shape) }),
  ],
  show: showConv,
};

const conv3dWeightRow: Row<SizedConv3dParams, 2, 1> = {
  name: 'conv3dWeight',
  shape: ([x, y], p) => {
    needRank5('conv3dWeight', 'x', '[N,D,H,W,Cin]', x);
    needRank5('conv3dWeight', 'y', '[N,OD,OH,OW,Cout]', y);
    splits('conv3dWeight', x[4]!, p.groups);
    splits('conv3dWeight', y[4]!, p.groups);
    const made = [x[0]!, ...outputOf('conv3dWeight', volume(x), p.size, p)];
    if (made.some((d, i) => d !== y[i])) {
      throw new ShapeError(
        `conv3dWeight: x ${show(x)} under a kernel of ${show(p.size)} makes ${show([...made, y[4]!])}, but y is ${show(y)}; pass the options of the convolution`,
      );
    }
    return [[...p.size, x[4]! / p.groups, y[4]!]];
  },
  kernel: ({ inputs, outputs, params }) =>
    unlessEmpty(inputs, outputs, () => conv3dWeightPlan(geometry(inputs[0], outputs[0], inputs[1], params))),
  vjp: [
    (g, { inputs: [x, y], params }) => transposeOf(y, g, { ...params, size: volume(x.shape) }),
    (g, { inputs: [x], params }) => forwardOf(x, g, params),
  ],
  show: showConv,
};

const plain = ({ stride, before, after, dilation, groups }: Conv3dParams): Conv3dParams => ({
  stride,
  before,
  after,
  dilation,
  groups,
});
const forwardOf = (x: Tensor, w: Tensor, p: Conv3dParams): Tensor => apply(conv3dRow, [x, w], plain(p))[0];
const transposeOf = (y: Tensor, w: Tensor, p: SizedConv3dParams): Tensor => apply(convTranspose3dRow, [y, w], p)[0];
const weightOf = (x: Tensor, y: Tensor, p: SizedConv3dParams): Tensor => apply(conv3dWeightRow, [x, y], p)[0];

/**
 * Cross-correlation of volumes x [N,D,H,W,Cin] with kernels w [KD,KH,KW,Cin/groups,Cout], giving [N,OD,OH,OW,Cout] with
 * OD = floor((D + 2·padding - dilation·(KD - 1) - 1) / stride) + 1, and OH, OW likewise.
 * @throws ShapeError if channels, groups or sizes do not fit
 * @function
 */
export const conv3d = op(
  'conv3d',
  [aTensor('x'), aTensor('w'), conv3dOptions],
  (x, w, options = {}): Tensor => forwardOf(x, w, conv3dParams('conv3d', options, x.shape.slice(1, 4), w.shape)),
);

/** Options of {@link convTranspose3d}: those of the convolution that it transposes. */
export interface ConvTranspose3dOptions extends Conv3dOptions {
  /** Zeros that the convolution put around its volume: a number or [depth, height, width]. Default 0. */
  readonly padding?: Triple;
  /**
   * Places added behind, to choose among the sizes that a strided convolution maps to y. Less than the stride or the dilation of
   * its axis; where no value of y reaches them they are 0. Default 0.
   */
  readonly outputPadding?: Triple;
}

const convTranspose3dOptions = options<ConvTranspose3dOptions>({
  stride: perAxis(3),
  padding: perAxis(3),
  dilation: perAxis(3),
  groups: perAxis(1),
  outputPadding: perAxis(3),
});

/**
 * The transpose of conv3d, Uᵀ: volumes y [N,OD,OH,OW,Cout] with the same kernels w [KD,KH,KW,Cin/groups,Cout] give
 * [N,D,H,W,Cin], D = (OD - 1)·stride - 2·padding + dilation·(KD - 1) + outputPadding + 1, and H, W likewise.
 * @throws ShapeError if channels, groups or sizes do not fit
 * @function
 */
export const convTranspose3d = op(
  'convTranspose3d',
  [aTensor('y'), aTensor('w'), convTranspose3dOptions],
  (y, w, options = {}): Tensor =>
    scope(() => {
      const p = conv3dParams('convTranspose3d', options, y.shape.slice(1, 4), w.shape);
      const { y: from, extra } = extended('convTranspose3d', y, triple(options.outputPadding ?? 0), p);
      const size = map3(
        (i) =>
          ((from.shape[i + 1] ?? 0) - 1) * p.stride[i]! -
          2 * p.before[i]! +
          p.dilation[i]! * ((w.shape[i] ?? 0) - 1) +
          extra[i]! +
          1,
      );
      return transposeOf(from, w, { ...p, size });
    }),
);

/**
 * The weight gradient of conv3d as an op of its own: x [N,D,H,W,Cin] and y [N,OD,OH,OW,Cout] give
 * w [KD,KH,KW,Cin/groups,Cout].
 * @param size [KD, KH, KW]
 * @throws ShapeError if channels, groups or sizes do not fit
 * @function
 */
export const conv3dWeight = op(
  'conv3dWeight',
  [aTensor('x'), aTensor('y'), numbersOf<readonly [number, number, number]>('size', 3), conv3dOptions],
  (x, y, size, options = {}): Tensor =>
    weightOf(x, y, { ...conv3dParams('conv3dWeight', options, x.shape.slice(1, 4), size), size }),
);

/** The rows of this file, by name. */
export const conv3dRows = {
  conv3d: conv3dRow,
  convTranspose3d: convTranspose3dRow,
  conv3dWeight: conv3dWeightRow,
};

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** Convolution of volumes [N,D,H,W,C]. */
    conv3d(w: Tensor, options?: Conv3dOptions): Tensor;
    /** The transpose of conv3d. */
    convTranspose3d(w: Tensor, options?: ConvTranspose3dOptions): Tensor;
  }
}

methods({ conv3d, convTranspose3d });
