/** Pooling of sequences [N,L,C] and images [N,H,W,C]. None has parameters; sizes and edge cases are those of the ops. */
import {
  type AvgPool1dOptions,
  type AvgPool2dOptions,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  avgPool1d,
  avgPool2d,
  globalAvgPool,
  type MaxPool1dOptions,
  type MaxPool2dOptions,
  maxPool1d,
  maxPool2d,
  type Pair,
  type Tensor,
} from '../../engine/index.ts';
import { calls, checked, ranges } from '../../engine/internal.ts';
import { guardForward } from '../module/guardForward.ts';
import { Module } from '../module/module.ts';
import { described, size2d } from './describe.ts';

const MAX = ['stride', 'padding', 'dilation', 'ceilMode'] as const;
const AVERAGE = ['stride', 'padding', 'ceilMode', 'countIncludePad'] as const;

/** `kernel 2x2, stride 1x1, ceilMode true`: the window, and what was given beside it. */
const windowOf = (kernel: Pair, options: MaxPool1dOptions | MaxPool2dOptions, text: (size: Pair) => string): string =>
  described(
    `kernel ${text(kernel)}`,
    ...Object.entries(options).map(([name, v]) => `${name} ${typeof v === 'boolean' ? v : text(v as Pair)}`),
  );

/** The maximum of each window of sequences: x [N,L,C] to [N,OL,C]; see `maxPool1d`. */
export class MaxPool1d extends Module {
  /** The size of the window. */
  readonly kernel: number;
  /** Stride, padding, dilation and ceilMode, as they were given. */
  readonly options: MaxPool1dOptions;

  /** Takes the size of the window. @param options the stride is the window's size unless given */
  constructor(kernel: number, options: MaxPool1dOptions = {}) {
    calls.checkArguments(
      'MaxPool1d',
      [calls.within('kernel', ranges.number), calls.maybe(calls.something('options'))],
      arguments,
    );
    super();
    this.kernel = kernel;
    this.options = checked('MaxPool1d', options, MAX);
  }

  /** @throws ShapeError unless x is [N,L,C] and the window fits */
  override forward(x: Tensor): Tensor {
    return maxPool1d(x, this.kernel, this.options);
  }

  override describe(): string {
    return windowOf(this.kernel, this.options, String);
  }
}

/** The maximum of each window of images: x [N,H,W,C] to [N,OH,OW,C]; see `maxPool2d`. */
export class MaxPool2d extends Module {
  /** The size of the window. */
  readonly kernel: Pair;
  /** Stride, padding, dilation and ceilMode, as they were given. */
  readonly options: MaxPool2dOptions;

  /** Takes the size of the window. @param options the stride is the window's size unless given */
  constructor(kernel: Pair, options: MaxPool2dOptions = {}) {
    calls.checkArguments(
      'MaxPool2d',
      [calls.within('kernel', ranges.perAxis(2)), calls.maybe(calls.something('options'))],
      arguments,
    );
    super();
    this.kernel = kernel;
    this.options = checked('MaxPool2d', options, MAX);
  }

  /** @throws ShapeError unless x is [N,H,W,C] and the window fits */
  override forward(x: Tensor): Tensor {
    return maxPool2d(x, this.kernel, this.options);
  }

  override describe(): string {
    return windowOf(this.kernel, this.options, size2d);
  }
}

/** The average of each window of sequences: x [N,L,C] to [N,OL,C]; see `avgPool1d`. */
export class AvgPool1d extends Module {
  /** The size of the window. */
  readonly kernel: number;
  /** Stride, padding, ceilMode and countIncludePad, as they were given. */
  readonly options: AvgPool1dOptions;

  /** Takes the size of the window. @param options the stride is the window's size unless given */
  constructor(kernel: number, options: AvgPool1dOptions = {}) {
    calls.checkArguments(
      'AvgPool1d',
      [calls.within('kernel', ranges.number), calls.maybe(calls.something('options'))],
      arguments,
    );
    super();
    this.kernel = kernel;
    this.options = checked('AvgPool1d', options, AVERAGE);
  }

  /** @throws ShapeError unless x is [N,L,C] and the window fits */
  override forward(x: Tensor): Tensor {
    return avgPool1d(x, this.kernel, this.options);
  }

  override describe(): string {
    return windowOf(this.kernel, this.options, String);
  }
}

/** The average of each window of images: x [N,H,W,C] to [N,OH,OW,C]; see `avgPool2d`. */
export class AvgPool2d extends Module {
  /** The size of the window. */
  readonly kernel: Pair;
  /** Stride, padding, ceilMode and countIncludePad, as they were given. */
  readonly options: AvgPool2dOptions;

  /** Takes the size of the window. @param options the stride is the window's size unless given */
  constructor(kernel: Pair, options: AvgPool2dOptions = {}) {
    calls.checkArguments(
      'AvgPool2d',
      [calls.within('kernel', ranges.perAxis(2)), calls.maybe(calls.something('options'))],
      arguments,
    );
    super();
    this.kernel = kernel;
    this.options = checked('AvgPool2d', options, AVERAGE);
  }

  /** @throws ShapeError unless x is [N,H,W,C] and the window fits */
  override forward(x: Tensor): Tensor {
    return avgPool2d(x, this.kernel, this.options);
  }

  override describe(): string {
    return windowOf(this.kernel, this.options, size2d);
  }
}

/** Averages that give sequences of one length: x [N,L,C] to [N,size,C]; see `adaptiveAvgPool1d`. */
export class AdaptiveAvgPool1d extends Module {
  /** The length of the result. */
  readonly outputSize: number;

  /** Takes the length of the result. */
  constructor(outputSize: number) {
    calls.checkArguments('AdaptiveAvgPool1d', [calls.within('outputSize', ranges.number)], arguments);
    super();
    this.outputSize = outputSize;
  }

  /** @throws ShapeError unless x is [N,L,C] */
  override forward(x: Tensor): Tensor {
    return adaptiveAvgPool1d(x, this.outputSize);
  }

  override describe(): string {
    return `${this.outputSize}`;
  }
}

/** Averages that give images of one size: x [N,H,W,C] to [N,OH,OW,C]; see `adaptiveAvgPool2d`. */
export class AdaptiveAvgPool2d extends Module {
  /** [OH,OW], or one number for both. */
  readonly outputSize: Pair;

  /** Takes the size of the result. */
  constructor(outputSize: Pair) {
    calls.checkArguments('AdaptiveAvgPool2d', [calls.within('outputSize', ranges.perAxis(2))], arguments);
    super();
    this.outputSize = outputSize;
  }

  /** @throws ShapeError unless x is [N,H,W,C] */
  override forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.outputSize);
  }

  override describe(): string {
    return size2d(this.outputSize);
  }
}

/** Maxima that give sequences of one length: x [N,L,C] to [N,size,C]; see `adaptiveMaxPool1d`. */
export class AdaptiveMaxPool1d extends Module {
  /** The length of the result. */
  readonly outputSize: number;

  /** Takes the length of the result. */
  constructor(outputSize: number) {
    calls.checkArguments('AdaptiveMaxPool1d', [calls.within('outputSize', ranges.number)], arguments);
    super();
    this.outputSize = outputSize;
  }

  /** @throws ShapeError unless x is [N,L,C] */
  override forward(x: Tensor): Tensor {
    return adaptiveMaxPool1d(x, this.outputSize);
  }

  override describe(): string {
    return `${this.outputSize}`;
  }
}

/** Maxima that give images of one size: x [N,H,W,C] to [N,OH,OW,C]; see `adaptiveMaxPool2d`. */
export class AdaptiveMaxPool2d extends Module {
  /** [OH,OW], or one number for both. */
  readonly outputSize: Pair;

  /** Takes the size of the result. */
  constructor(outputSize: Pair) {
    calls.checkArguments('AdaptiveMaxPool2d', [calls.within('outputSize', ranges.perAxis(2))], arguments);
    super();
    this.outputSize = outputSize;
  }

  /** @throws ShapeError unless x is [N,H,W,C] */
  override forward(x: Tensor): Tensor {
    return adaptiveMaxPool2d(x, this.outputSize);
  }

  override describe(): string {
    return size2d(this.outputSize);
  }
}

/** The average over all places of images: x [N,H,W,C] to [N,C], or [N,1,1,C] with keepDims; see `globalAvgPool`. */
export class GlobalAvgPool extends Module {
  /** Keep the averaged axes, with size 1. */
  readonly keepDims: boolean;

  /** Gives [N,C] unless told. */
  constructor(options: { readonly keepDims?: boolean } = {}) {
    calls.checkArguments('GlobalAvgPool', [calls.maybe(calls.something('options'))], arguments);
    super();
    this.keepDims = checked('GlobalAvgPool', options, ['keepDims']).keepDims ?? false;
  }

  /** @throws ShapeError unless x is [N,H,W,C] */
  override forward(x: Tensor): Tensor {
    return globalAvgPool(x, { keepDims: this.keepDims });
  }

  override describe(): string {
    return described(this.keepDims && 'keepDims');
  }
}

guardForward(
  MaxPool1d,
  MaxPool2d,
  AvgPool1d,
  AvgPool2d,
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  GlobalAvgPool,
);
