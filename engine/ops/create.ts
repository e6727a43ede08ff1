/** Tensors made on the device: constants and random numbers. */

import { fill as fillPlan } from '../../kernels/copy.ts';
import { normal as normalPlan, uniform as uniformPlan } from '../../kernels/random/random.ts';
import { aShape, aValue, calledAs, op, options, shapeBefore } from '../arguments/arguments.ts';
import { flag, text } from '../arguments/ranges.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { checkShape, type Shape, show, sizeOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

export interface FillParams {
  readonly shape: Shape;
  readonly value: number;
}

export const fillRow: Row<FillParams> = {
  name: 'fill',
  shape: (_, { shape }) => [shape],
  kernel: ({ params: { shape, value } }) => fillPlan(sizeOf(shape), value),
};

/** Options of everything that makes a tensor of a shape. */
export interface CreateOptions {
  /** Record the ops that use this tensor, so that `grad` can reach it. Default false. */
  readonly requiresGrad?: boolean;
  /** A name that the tape and errors show. */
  readonly label?: string;
}

/** The ranges of {@link CreateOptions}. */
export const createRanges = { requiresGrad: flag, label: text } as const;

const createOptions = options<CreateOptions>(createRanges);

/** A new tensor as its options say. */
export function created(t: Tensor, { requiresGrad = false, label }: CreateOptions): Tensor {
  t.requiresGrad = requiresGrad;
  t.label = label;
  return t;
}

const filled = (shape: Shape, value: number, given: CreateOptions): Tensor => {
  checkShape(calledAs('full'), shape);
  return created(apply(fillRow, [], { shape: [...shape], value })[0]!, given);
};

/**
 * A tensor of one value on the current device. @throws ShapeError unless all sizes are whole numbers, 0 or more
 * @function
 */
export const full = op(
  'full',
  [shapeBefore(1), aValue('value'), createOptions],
  (shape, value, given = {}): Tensor => filled(shape, value, given),
);

/** A tensor of zeros on the current device. @throws ShapeError as `full` @function */
export const zeros = op('zeros', [aShape, createOptions], (shape, given = {}): Tensor => filled(shape, 0, given));
/** A tensor of ones on the current device. @throws ShapeError as `full` @function */
export const ones = op('ones', [aShape, createOptions], (shape, given = {}): Tensor => filled(shape, 1, given));

/** A place in the stream of random numbers of a seed: the same numbers follow it on every device. */
export interface StreamPlace {
  /** The words of the seed. */
  readonly seed: readonly [number, number];
  /** Numbers drawn before, in blocks. */
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
