/** Activations that look along an axis. */
import { chunk, ShapeError, scope, type Tensor } from '../../engine/index.ts';
import { calls, checked, checkedNumber, checkRange, ranges } from '../../engine/internal.ts';
import { guardForward } from '../module/guardForward.ts';
import { Module } from '../module/module.ts';
import { Linear, WEIGHT_OPTIONS, type WeightOptions } from './linear.ts';

/** eˣ / Σ eˣ over an axis; see `softmax`. Losses on logits include it: see `crossEntropy`. */
export class Softmax extends Module {
  /** The axis over which the outputs sum to 1. */
  readonly axis: number;

  /** The last axis, that of the channels, unless given. */
  constructor(axis = -1) {
    calls.checkArguments('Softmax', [calls.maybe(calls.something('axis'))], arguments);
    super();
    this.axis = checkedNumber('Softmax', 'the axis', axis);
  }

  override forward(x: Tensor): Tensor {
    return x.softmax(this.axis);
  }

  override describe(): string {
    return `axis ${this.axis}`;
  }
}

/** The logarithm of softmax over an axis, without overflow; see `logSoftmax`. */
export class LogSoftmax extends Module {
  /** The axis over which the exponentials sum to 1. */
  readonly axis: number;

  /** The last axis, that of the channels, unless given. */
  constructor(axis = -1) {
    calls.checkArguments('LogSoftmax', [calls.maybe(calls.something('axis'))], arguments);
    super();
    this.axis = checkedNumber('LogSoftmax', 'the axis', axis);
  }

  override forward(x: Tensor): Tensor {
    return x.logSoftmax(this.axis);
  }

  override describe(): string {
    return `axis ${this.axis}`;
  }
}

/** a · sigmoid(b), a and b being the halves of x along an axis (Dauphin et al. 2017): the axis becomes half as long. */
export class GLU extends Module {
  /** The axis that is cut in two. */
  readonly axis: number;

  /** The last axis, that of the channels, unless given. */
  constructor(axis = -1) {
    calls.checkArguments('GLU', [calls.maybe(calls.something('axis'))], arguments);
    super();
    this.axis = checkedNumber('GLU', 'the axis', axis);
  }

  /** @throws ShapeError if the axis is of odd size */
  override forward(x: Tensor): Tensor {
    const d = x.shape[this.axis < 0 ? this.axis + x.rank : this.axis];
    if (d === undefined || d % 2 !== 0) {
      throw new ShapeError(
        `GLU: axis ${this.axis} of x [${x.shape}] must be of even size; its halves are value and gate`,
      );
    }
    return scope(() => {
      const [a, b] = chunk(x, 2, this.axis) as [Tensor, Tensor];
      return a.mul(b.sigmoid());
    });
  }

  override describe(): string {
    return `axis ${this.axis}`;
  }
}

/**
 * The largest of several linear functions, for each unit (Goodfellow et al. 2013): x [..., in] gives [..., out],
 * y_i = max_j (x·w_ij + b_ij). Where several are largest, the gradient is shared among them.
 */
export class Maxout extends Module {
  /** All linear functions: its outputs are [out, pieces], flattened. */
  readonly linear: Linear;
  /** How many functions each unit chooses from. */
  readonly pieces: number;

  /**
   * Makes and fills the weights, on the current device.
   * @param inFeatures the size of x's last axis
   * @param outFeatures the size of the result's last axis
   * @param pieces linear functions for each unit, 2 or more
   * @throws RangeError unless pieces is a whole number, 1 or more
   */
  constructor(inFeatures: number, outFeatures: number, pieces: number, options: WeightOptions = {}) {
    calls.checkArguments(
      'Maxout',
      [
        calls.within('inFeatures', ranges.number),
        calls.within('outFeatures', ranges.number),
        calls.within('pieces', ranges.number),
        calls.maybe(calls.something('options')),
      ],
      arguments,
    );
    super();
    checked('Maxout', options, WEIGHT_OPTIONS);
    checkRange('Maxout', 'pieces', ranges.count, pieces);
    this.linear = new Linear(inFeatures, outFeatures * pieces, options);
    this.pieces = pieces;
  }

  /** @throws ShapeError unless x is [..., in] */
  override forward(x: Tensor): Tensor {
    const [inFeatures, all] = this.linear.weight.shape as [number, number];
    if (x.shape[x.rank - 1] !== inFeatures) {
      throw new ShapeError(`Maxout: x [${x.shape}] must have ${inFeatures} features in its last axis`);
    }
    return scope(() =>
      this.linear
        .forward(x)
        .reshape([...x.shape.slice(0, -1), all / this.pieces, this.pieces])
        .max(-1),
    );
  }

  override describe(): string {
    const [inFeatures, all] = this.linear.weight.shape as [number, number];
    return `${inFeatures}, ${all / this.pieces}, pieces ${this.pieces}`;
  }
}

guardForward(Softmax, LogSoftmax, GLU, Maxout);
