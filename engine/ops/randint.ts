/** Random whole numbers: the row, and the two ways to ask for them. */
import { randint as randintPlan } from '../../kernels/randint.ts';
import { checkArguments, type Kind, kind, options, within } from '../arguments/arguments.ts';
import { whole } from '../arguments/ranges.ts';
import type { Row } from '../autograd/row.ts';
import { type Shape, show, sizeOf } from '../tensor/shape.ts';
import { type CreateOptions, createRanges, type StreamPlace } from './create.ts';

export interface RandintParams extends StreamPlace {
  readonly shape: Shape;
  readonly low: number;
  readonly high: number;
}

export const randintRow: Row<RandintParams> = {
  name: 'randint',
  shape: (_, { shape }) => [shape],
  kernel: ({ params }) => randintPlan(sizeOf(params.shape), params),
  show: ({ low, high, shape }) => `${low} to ${high}, ${show(shape)}`,
};

/** Whole numbers from low to high - 1: with a shape in second place, low is 0. */
export type RandintArguments =
  | [high: number, shape: Shape, options?: CreateOptions]
  | [low: number, high: number, shape: Shape, options?: CreateOptions];

/** Floats hold the whole numbers up to here. */
const MOST = 2 ** 24;
const low = within<number>('low', whole(-MOST, MOST));
const high = within<number>('high', whole(1 - MOST, MOST + 1));
const rest = [
  kind<Shape>('the shape', 'a list such as [2, 3]', Array.isArray),
  options<CreateOptions>(createRanges),
] as const;
const kinds: readonly (readonly Kind<unknown>[])[] = [
  [high, ...rest],
  [low, high, ...rest],
];

/** What was asked for, checked. @throws TypeError, or RangeError for an empty range */
export function integers(args: RandintArguments): Omit<RandintParams, keyof StreamPlace> & { given: CreateOptions } {
  const isShort = args.length < 2 || Array.isArray(args[1]);
  checkArguments('randint', kinds[isShort ? 0 : 1]!, args);
  const [from, to, shape, given = {}] = (isShort ? [0, ...args] : args) as [number, number, Shape, CreateOptions?];
  if (from >= to) throw new RangeError(`randint: low ${from} must be less than high ${to}`);
  return { low: from, high: to, shape, given };
}

/** The rows of this file, by name. */
export const randintRows = { randint: randintRow };
