/** Tensors made on the device: constants and random numbers. */
import { fill as fillPlan } from '../../kernels/copy.ts';
import { normal as normalPlan, uniform as uniformPlan } from '../../kernels/random.ts';
import { apply } from '../apply.ts';
import type { Row } from '../row.ts';
import { checkShape, type Shape, show, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

export interface FillParams {
  readonly shape: Shape;
  readonly value: number;
}

export const fillRow: Row<FillParams> = {
  name: 'fill',
  shape: (_, { shape }) => [shape],
  kernel: ({ params: { shape, value } }) => fillPlan(sizeOf(shape), value),
};

/** A tensor of one value on the current device. @throws ShapeError unless all sizes are whole numbers, 0 or more */
export function full(shape: Shape, value: number): Tensor {
  checkShape('full', shape);
  return apply(fillRow, [], { shape: [...shape], value })[0]!;
}

/** A tensor of zeros on the current device. @throws ShapeError as `full` */
export const zeros = (shape: Shape): Tensor => full(shape, 0);
/** A tensor of ones on the current device. @throws ShapeError as `full` */
export const ones = (shape: Shape): Tensor => full(shape, 1);

/** A place in the random stream of a seed: the same numbers on every device. */
export interface StreamPlace {
  readonly seed: readonly [number, number];
  readonly offset: number;
}

export interface UniformParams extends StreamPlace {
  readonly shape: Shape;
  readonly low: number;
  readonly high: number;
}

export const uniformRow: Row<UniformParams> = {
  name: 'uniform',
  shape: (_, { shape }) => [shape],
  kernel: ({ params: { shape, seed, offset, low, high }, target }) =>
    uniformPlan(target, sizeOf(shape), { seed, offset, low, high }),
  show: ({ low, high, shape }) => `${low} to ${high}, ${show(shape)}`,
};

export interface NormalParams extends StreamPlace {
  readonly shape: Shape;
  readonly mean: number;
  readonly std: number;
}

export const normalRow: Row<NormalParams> = {
  name: 'normal',
  shape: (_, { shape }) => [shape],
  kernel: ({ params: { shape, seed, offset, mean, std }, target }) =>
    normalPlan(target, sizeOf(shape), { seed, offset, mean, std }),
  show: ({ mean, std, shape }) => `${mean}, ${std}, ${show(shape)}`,
};

/** The rows of this file, by name. */
export const createRows = {
  fill: fillRow,
  uniform: uniformRow,
  normal: normalRow,
};
