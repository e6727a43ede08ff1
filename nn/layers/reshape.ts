/** Layers that only change shapes. */
import { type Shape, ShapeError, sizeOf, type Tensor } from '../../engine/index.ts';
import { calls, checkedList, ranges } from '../../engine/internal.ts';
import { guardForward } from '../module/guardForward.ts';
import { Module } from '../module/module.ts';
import { described } from './describe.ts';

/** Gives its input back, the same tensor: where a layer is optional. */
export class Identity extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}

/** The axis of x, counted from the front. */
function axisOf(layer: string, x: Tensor, axis: number): number {
  const a = axis < 0 ? axis + x.rank : axis;
  if (!Number.isInteger(axis) || a < 0 || a >= x.rank) {
    throw new ShapeError(`${layer}: x [${x.shape}] has no axis ${axis}; its axes are ${-x.rank} to ${x.rank - 1}`);
  }
  return a;
}

/** Joins the axes from `startAxis` to `endAxis` in one: [N, ...] to [N, everything else] unless told. */
export class Flatten extends Module {
  /** The first axis that is joined. */
  readonly startAxis: number;
  /** The last one. */
  readonly endAxis: number;

  /** Flattens from the second axis to the last unless given. */
  constructor(startAxis = 1, endAxis = -1) {
    calls.checkArguments(
      'Flatten',
      [calls.maybe(calls.within('startAxis', ranges.number)), calls.maybe(calls.within('endAxis', ranges.number))],
      arguments,
    );
    super();
    this.startAxis = startAxis;
    this.endAxis = endAxis;
  }

  /** @throws ShapeError if x has no such axes, or the first lies behind the last */
  override forward(x: Tensor): Tensor {
    // [N] has nothing to join, and becomes [N, 1].
    if (x.rank === 1 && this.startAxis === 1 && this.endAxis === -1) return x.reshape([x.size, 1]);
    const [from, to] = [axisOf('Flatten', x, this.startAxis), axisOf('Flatten', x, this.endAxis)];
    if (from > to) {
      throw new ShapeError(
        `Flatten: startAxis ${this.startAxis} of x [${x.shape}] lies behind endAxis ${this.endAxis}`,
      );
    }
    const joined = sizeOf(x.shape.slice(from, to + 1));
    return x.reshape([...x.shape.slice(0, from), joined, ...x.shape.slice(to + 1)]);
  }

  override describe(): string {
    const { startAxis, endAxis } = this;
    return described(startAxis !== 1 && `startAxis ${startAxis}`, endAxis !== -1 && `endAxis ${endAxis}`);
  }
}

/** Makes several axes of one: the inverse of {@link Flatten}. */
export class Unflatten extends Module {
  /** The axis that is cut up. */
  readonly axis: number;
  /** The sizes that take its place. */
  readonly sizes: Shape;

  /** Takes an axis, from the end if negative, and what it becomes. @param sizes of the new axes; one may be -1 */
  constructor(axis: number, sizes: Shape) {
    calls.checkArguments(
      'Unflatten',
      [calls.within('axis', ranges.number), calls.within('sizes', ranges.numberList)],
      arguments,
    );
    super();
    this.axis = axis;
    this.sizes = checkedList('Unflatten', 'the sizes', sizes, '[2, 3]');
  }

  /** @throws ShapeError if x has no such axis, or the sizes do not multiply to its size */
  override forward(x: Tensor): Tensor {
    const { sizes } = this;
    const a = axisOf('Unflatten', x, this.axis);
    const d = x.shape[a]!;
    const known = sizes.reduce((n, v) => (v === -1 ? n : n * v), 1);
    const whole = sizes.map((v) => (v === -1 ? d / known : v));
    if (sizes.filter((v) => v === -1).length > 1 || !whole.every(Number.isInteger) || d !== sizeOf(whole)) {
      throw new ShapeError(
        `Unflatten: axis ${this.axis} of x [${x.shape}] cannot become [${sizes}]; the sizes must multiply to ${d}`,
      );
    }
    return x.reshape([...x.shape.slice(0, a), ...whole, ...x.shape.slice(a + 1)]);
  }

  override describe(): string {
    return `axis ${this.axis}, [${this.sizes}]`;
  }
}

/** [N, ...] to [N, ...shape]. */
export class Reshape extends Module {
  /** The sizes after the batch. */
  readonly shape: Shape;

  /** Takes the sizes after the batch; one may be -1. */
  constructor(shape: Shape) {
    calls.checkArguments('Reshape', [calls.within('shape', ranges.numberList)], arguments);
    super();
    this.shape = checkedList('Reshape', 'the shape', shape, '[7, 7, 64]');
  }

  /** @throws ShapeError unless the numbers of elements are equal */
  override forward(x: Tensor): Tensor {
    return x.reshape([x.shape[0] ?? 1, ...this.shape]);
  }

  override describe(): string {
    return `[${this.shape}]`;
  }
}

guardForward(Identity, Flatten, Unflatten, Reshape);
