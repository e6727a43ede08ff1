/** Convolution and its transpose and weight gradient: one trilinear form, closed under differentiation. */

import { conv2d as conv2dPlan } from '../../kernels/conv/conv2d.ts';
import { conv2dWeight as conv2dWeightPlan } from '../../kernels/conv/conv2dWeight.ts';
import type { ConvGeometry } from '../../kernels/conv/convGeometry.ts';
import { convTranspose2d as convTranspose2dPlan } from '../../kernels/conv/convTranspose2d.ts';
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

/** A whole number for both axes, or one for each: [height, width]. */
export type Pair = number | readonly [number, number];

/** Options of {@link conv2d}. */
export interface Conv2dOptions {
  /** How far the kernel moves from one place of the output to the next. Default 1. */
  readonly stride?: Pair;
  /**
   * Zeros put around the image: a number, [height, width], 'valid' (none) or 'same' (output ceil(size / stride)).
   * Default 0.
   */
  readonly padding?: Pair | 'same' | 'valid';
  /** Distance between neighbouring taps of the kernel. Default 1. */
  readonly dilation?: Pair;
  /** Channels are split into so many independent convolutions. Default 1. */
  readonly groups?: number;
}

export const conv2dOptions = options<Conv2dOptions>({
  stride: perAxis(2),
  padding: perAxis(2, 'same', 'valid'),
  dilation: perAxis(2),
  groups: perAxis(1),
});

export interface ConvParams {
  readonly stride: readonly [number, number];
  /** top, left, bottom, right */
  readonly padding: readonly [number, number, number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;
}

/** ConvParams with the spatial size that the op's result must have: [H, W] or [KH, KW]. */
export interface SizedConvParams extends ConvParams {
  readonly size: readonly [number, number];
}

const pair = (p: Pair): readonly [number, number] => (typeof p === 'number' ? [p, p] : p);

/** Resolves 'same' and 'valid' for an image of size [h, w] and a kernel of size [kh, kw]. */
export function convParams(
  op: string,
  options: Conv2dOptions,
  image: readonly number[],
  kernel: readonly number[],
): ConvParams {
  const stride = pair(options.stride ?? 1);
  const dilation = pair(options.dilation ?? 1);
  const groups = options.groups ?? 1;
  checkSteps(op, [...stride, ...dilation, groups]);
  const { padding = 0 } = options;
  if (padding === 'valid') return { stride, dilation, groups, padding: [0, 0, 0, 0] };
  if (padding === 'same') {
    const total = [0, 1].map((i) => samePadding(image[i]!, kernel[i]!, stride[i]!, dilation[i]!));
    const [top, left] = total.map((t) => Math.floor(t / 2)) as [number, number];
    return { stride, dilation, groups, padding: [top, left, total[0]! - top, total[1]! - left] };
  }
  const [v, h] = pair(padding);
  checkPadding(op, [v, h]);
  return { stride, dilation, groups, padding: [v, h, v, h] };
}

/** The spatial size of conv2d's output. */
export function convOutput(
  op: string,
  image: readonly number[],
  kernel: readonly number[],
  p: ConvParams,
): [number, number] {
  const [before, after] = [p.padding.slice(0, 2), p.padding.slice(2)];
  return outputSize(op, image, kernel, { ...p, before, after }) as [number, number];
}

/** The geometry shared by the three ops of one convolution, from the shapes of x, w and y. */
function geometry(x: Shape, w: Shape, y: Shape, p: ConvParams): ConvGeometry {
  const [n, h, wd, cin] = x as [number, number, number, number];
  const [kh, kw] = w as [number, number];
  const [, oh, ow, cout] = y as [number, number, number, number];
  const [strideH, strideW] = p.stride;
  const [dilationH, dilationW] = p.dilation;
  return {
    n,
    h,
    w: wd,
    cin,
    kh,
    kw,
    cout,
    oh,
    ow,
    strideH,
    strideW,
    dilationH,
    dilationW,
    padTop: p.padding[0],
    padLeft: p.padding[1],
    groups: p.groups,
  };
}

const needRank4 = (op: string, what: string, layout: string, s: Shape): void => {
  if (s.length !== 4) throw new ShapeError(`${op}: ${what} must be ${layout}, not ${show(s)}`);
};

const showConv = (p: ConvParams): string =>
  [
    p.stride.some((s) => s !== 1) ? `stride ${p.stride}` : '',
    p.padding.some((s) => s !== 0) ? `padding ${p.padding}` : '',
    p.dilation.some((s) => s !== 1) ? `dilation ${p.dilation}` : '',
    p.groups !== 1 ? `groups ${p.groups}` : '',
  ]
    .filter(Boolean)
    .join(', ');

// Convolution is one trilinear form T(x, w, y): the sum of x·w·y over matching places. The three ops are its partial
// derivatives with respect to y, x and w, so each one's rules are the other two.

const conv2dRow: Row<ConvParams, 2, 1> = {
  name: 'conv2d',
  shape: ([x, w], p) => {
    needRank4('conv2d', 'x', '[N,H,W,Cin]', x);
    needRank4('conv2d', 'w', '[KH,KW,Cin/groups,Cout]', w);
    const [n, h, wd, cin] = x as [number, number, number, number];
    const [kh, kw, wcin, cout] = w as [number, number, number, number];
    if (cin !== wcin * p.groups) {
      throw new ShapeError(
        `conv2d: x has ${cin} channels but w expects ${wcin * p.groups} (x ${show(x)}, w ${show(w)}${p.groups > 1 ? `, ${p.groups} groups` : ''}); the third axis of w is the input's channels`,
      );
    }
    splits('conv2d', cout, p.groups);
    return [[n, ...convOutput('conv2d', [h, wd], [kh, kw], p), cout]];
  },
  kernel: ({ inputs, outputs, params, target }) =>
    unlessEmpty(inputs, outputs, () => conv2dPlan(target, geometry(inputs[0], inputs[1], outputs[0], params))),
  vjp: [
    (g, { inputs: [x, w], params }) => transposeOf(g, w, { ...params, size: hw(x) }),
    (g, { inputs: [x, w], params }) => weightOf(x, g, { ...params, size: kernelSize(w) }),
  ],
  show: showConv,
};

const convTranspose2dRow: Row<SizedConvParams, 2, 1> = {
  name: 'convTranspose2d',
  shape: ([y, w], p) => {
    needRank4('convTranspose2d', 'y', '[N,OH,OW,Cout]', y);
    needRank4('convTranspose2d', 'w', '[KH,KW,Cin/groups,Cout]', w);
    const [n, oh, ow, cout] = y as [number, number, number, number];
    const [kh, kw, wcin, wcout] = w as [number, number, number, number];
    if (cout !== wcout) {
      throw new ShapeError(
        `convTranspose2d: y has ${cout} channels but w expects ${wcout} (y ${show(y)}, w ${show(w)}); the fourth axis of w is the channels of the transpose's input`,
      );
    }
    splits('convTranspose2d', cout, p.groups);
    const back = convOutput('convTranspose2d', p.size, [kh, kw], p);
    if (back[0] !== oh || back[1] !== ow) {
      throw new ShapeError(
        `convTranspose2d: an output of ${show(p.size)} belongs to an input of ${show(back)}, not ${show([oh, ow])} (kernel ${show([kh, kw])}, ${showConv(p)})`,
      );
    }
    return [[n, ...p.size, wcin * p.groups]];
  },
  kernel: ({ inputs, outputs, params, target }) =>
    unlessEmpty(inputs, outputs, () => convTranspose2dPlan(target, geometry(outputs[0], inputs[1], inputs[0], params))),
  vjp: [
    (g, { inputs: [, w], params }) => forwardOf(g, w, params),
    (g, { inputs: [y, w], params }) => weightOf(g, y, { ...params, size: kernelSize(w) }),
  ],
  show: showConv,
};

const conv2dWeightRow: Row<SizedConvParams, 2, 1> = {
  name: 'conv2dWeight',
  shape: ([x, y], p) => {
    needRank4('conv2dWeight', 'x', '[N,H,W,Cin]', x);
    needRank4('conv2dWeight', 'y', '[N,OH,OW,Cout]', y);
    splits('conv2dWeight', x[3]!, p.groups);
    splits('conv2dWeight', y[3]!, p.groups);
    const out = convOutput('conv2dWeight', x.slice(1, 3), p.size, p);
    if (x[0] !== y[0] || out[0] !== y[1] || out[1] !== y[2]) {
      throw new ShapeError(
        `conv2dWeight: x ${show(x)} under a kernel of ${show(p.size)} makes ${show([x[0]!, ...out])}, but y is ${show(y)}`,
      );
    }
    return [[...p.size, x[3]! / p.groups, y[3]!]];
  },
  kernel: ({ inputs, outputs, params, target }) =>
    unlessEmpty(inputs, outputs, () => conv2dWeightPlan(target, geometry(inputs[0], outputs[0], inputs[1], params))),
  vjp: [
    (g, { inputs: [x, y], params }) => transposeOf(y, g, { ...params, size: hw(x) }),
    (g, { inputs: [x], params }) => forwardOf(x, g, params),
  ],
  show: showConv,
};

const hw = (x: Tensor): [number, number] => [x.shape[1]!, x.shape[2]!];
const kernelSize = (w: Tensor): [number, number] => [w.shape[0]!, w.shape[1]!];
const plain = ({ stride, padding, dilation, groups }: ConvParams): ConvParams => ({
  stride,
  padding,
  dilation,
  groups,
});
const forwardOf = (x: Tensor, w: Tensor, p: ConvParams): Tensor => apply(conv2dRow, [x, w], plain(p))[0];
const transposeOf = (y: Tensor, w: Tensor, p: SizedConvParams): Tensor => apply(convTranspose2dRow, [y, w], p)[0];
const weightOf = (x: Tensor, y: Tensor, p: SizedConvParams): Tensor => apply(conv2dWeightRow, [x, y], p)[0];

/**
 * Cross-correlation of images x [N,H,W,Cin] with kernels w [KH,KW,Cin/groups,Cout], giving [N,OH,OW,Cout] with
 * OH = floor((H + 2·padding - dilation·(KH - 1) - 1) / stride) + 1, and OW likewise. As torch.nn.functional.conv2d, with
 * channels last and the weight's axes in the order of TensorFlow. The bias is added by hand: `.add(b)`.
 * @throws ShapeError if channels, groups or sizes do not fit
 * @example
 * const y = conv2d(images, w, { stride: 2, padding: 1 }); // [64,28,28,1] with [4,4,1,16] gives [64,14,14,16]
 * @function
 */
export const conv2d = op(
  'conv2d',
  [aTensor('x'), aTensor('w'), conv2dOptions],
  (x, w, options = {}): Tensor => forwardOf(x, w, convParams('conv2d', options, x.shape.slice(1, 3), w.shape)),
);

/** Options of {@link convTranspose2d}: those of the convolution that it transposes. */
export interface ConvTranspose2dOptions extends Conv2dOptions {
  /** Zeros that the convolution put around its image: a number or [height, width]. Default 0. */
  readonly padding?: Pair;
  /**
   * Rows and columns added at the bottom and right, to choose among the sizes that a strided convolution maps to y. Less than
   * the stride or the dilation of its axis; where no value of y reaches them they are 0. Default 0.
   */
  readonly outputPadding?: Pair;
}

const convTranspose2dOptions = options<ConvTranspose2dOptions>({
  stride: perAxis(2),
  padding: perAxis(2),
  dilation: perAxis(2),
  groups: perAxis(1),
  outputPadding: perAxis(2),
});

/**
 * The transpose of conv2d, Uᵀ: images y [N,OH,OW,Cout] with the same kernels w [KH,KW,Cin/groups,Cout] give
 * [N,H,W,Cin], H = (OH - 1)·stride - 2·padding + dilation·(KH - 1) + outputPadding + 1. The weight is laid out as the
 * convolution's, so that both share it. It is not the convolution's inverse; see {@link convMatrix}.
 * @throws ShapeError if channels, groups or sizes do not fit
 * @function
 */
export const convTranspose2d = op(
  'convTranspose2d',
  [aTensor('y'), aTensor('w'), convTranspose2dOptions],
  (y, w, options = {}): Tensor =>
    scope(() => {
      const p = convParams('convTranspose2d', options, y.shape.slice(1, 3), w.shape);
      const { y: from, extra } = extended('convTranspose2d', y, pair(options.outputPadding ?? 0), p);
      const size = [0, 1].map(
        (i) =>
          ((from.shape[i + 1] ?? 0) - 1) * p.stride[i]! -
          2 * p.padding[i]! +
          p.dilation[i]! * ((w.shape[i] ?? 0) - 1) +
          extra[i]! +
          1,
      ) as [number, number];
      return transposeOf(from, w, { ...p, size });
    }),
);

/**
 * The weight gradient of conv2d as an op of its own: x [N,H,W,Cin] and y [N,OH,OW,Cout] give w [KH,KW,Cin/groups,Cout].
 * It is linear in x and in y, and differentiable in both.
 * @param size [KH, KW]
 * @throws ShapeError if the sizes do not fit
 * @function
 */
export const conv2dWeight = op(
  'conv2dWeight',
  [aTensor('x'), aTensor('y'), numbersOf<readonly [number, number]>('size', 2), conv2dOptions],
  (x, y, size, options = {}): Tensor =>
    weightOf(x, y, { ...convParams('conv2dWeight', options, x.shape.slice(1, 3), size), size }),
);

/** The rows of this file, by name. */
export const convRows = { conv2d: conv2dRow, convTranspose2d: convTranspose2dRow, conv2dWeight: conv2dWeightRow };

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** Convolution of images [N,H,W,C]. */
    conv2d(w: Tensor, options?: Conv2dOptions): Tensor;
    /** The transpose of conv2d. */
    convTranspose2d(w: Tensor, options?: ConvTranspose2dOptions): Tensor;
  }
}

methods({ conv2d, convTranspose2d });
