/** Cases of an op, and shorthands that write them. */
import type { ReduceOptions, Shape, Tensor } from '../../engine/index.ts';
import { show, sizeOf } from '../../engine/tensor/shape.ts';
import type { Input } from './values.ts';

export interface Case {
  readonly name: string;
  readonly inputs: readonly Input[];
  readonly fn: (...xs: Tensor[]) => Tensor | readonly Tensor[];
  /** How far a kernel may be from float64, in units of the tensor's scale. Default 1e-5; 0 for ops that only move data. */
  readonly tolerance?: number;
  /** 2 where a third central difference drowns in rounding. */
  readonly orders?: 2;
  /** Run with the hardware family also where its shaders take seconds to compile. */
  readonly everywhere?: boolean;
}

/** Elements that a case puts in: central differences cost two runs for each. */
export const elementsOf = (c: Case): number => c.inputs.reduce((n, i) => n + sizeOf(i.shape), 0);

/** Cases for each row of a family: a row without cases does not compile. */
export type CasesOf<Rows> = { readonly [K in keyof Rows]: readonly Case[] };

export type Range2 = Omit<Input, 'shape'>;
export type Op1 = (x: Tensor) => Tensor;
export type Op2 = (a: Tensor, b: Tensor) => Tensor;

export const text = (v: object): string => (Object.keys(v).length > 0 ? ` ${JSON.stringify(v)}` : '');

export const positive = { from: 0.2, to: 3 };
export const kink = { away: 0.05 };

export const SHAPES: readonly Shape[] = [[], [1], [3], [5], [0], [2, 0, 3], [17], [2, 3, 5], [33, 65]];

export const unary = (fn: Op1, range: Range2 = {}, shapes = SHAPES): Case[] =>
  shapes.map((shape) => ({ name: show(shape), inputs: [{ shape, ...range }], fn }));

/** Broadcasting of every kind. */
export const PAIRS: readonly (readonly [string, Shape, Shape])[] = [
  ['equal', [17], [17]],
  ['scalars', [], []],
  ['zero', [0], [0]],
  ['zero and row', [2, 0], [1, 1]],
  ['scalar right', [3, 5], []],
  ['scalar left', [], [17]],
  ['row', [3, 17], [17]],
  ['row of vectors', [3, 8], [8]],
  ['column', [5, 3], [5, 1]],
  ['column of vectors', [3, 8], [3, 1]],
  ['both sides', [3, 1], [1, 5]],
  ['both sides, three axes', [3, 1, 5], [1, 4, 1]],
  ['middle', [2, 3, 4], [2, 1, 4]],
  ['outer', [3, 2, 4], [1, 2, 4]],
  ['ranks', [4], [2, 3, 4]],
  ['ones', [1, 1, 1], [3]],
  ['large', [33, 65], [65]],
  ['large, both sides', [65, 1], [1, 33]],
];
export const FEW = ['equal', 'scalars', 'zero', 'row', 'column of vectors', 'both sides'];

export const binary = (fn: Op2, a: Range2 = {}, b: Range2 = {}, only?: readonly string[]): Case[] =>
  PAIRS.filter(([name]) => !only || only.includes(name)).map(([name, left, right]) => ({
    name: `${name}, ${show(left)} ${show(right)}`,
    inputs: [
      { shape: left, ...a },
      { shape: right, ...b },
    ],
    fn,
  }));

export const reduction = (
  fn: (x: Tensor, axes?: number | readonly number[], options?: ReduceOptions) => Tensor,
  empty: boolean,
): Case[] => {
  const list: [Shape, (number | readonly number[])?, ReduceOptions?][] = [
    [[]],
    [[1]],
    [[65]],
    [[3, 5], 0],
    [[3, 5], 1],
    [[3, 5], -1, { keepDims: true }],
    [
      [3, 5],
      [-2, -1],
    ],
    [[3, 5], []],
    [[2, 3, 4], 1],
    [[2, 3, 4], [0, 2], { keepDims: true }],
    [
      [1, 3, 1],
      [0, 2],
    ],
    [
      [2, 3, 4, 5],
      [1, 2],
    ],
    [
      [2, 5, 5, 8],
      [0, 1, 2],
    ],
    [[33, 65], 0],
    [[33, 65], 1],
    [[4097, 3], 0],
    [[3, 4097], 1],
    [[2, 4096], 1],
    [[257, 64], 0],
    ...(empty ? ([[[0]], [[0, 3], 0], [[0, 3], 1], [[3, 0], 1, { keepDims: true }]] as [Shape, number?][]) : []),
  ];
  return list.map(([shape, axes, options = {}]) => ({
    name: `${show(shape)} over ${JSON.stringify(axes)}${text(options)}`,
    inputs: [{ shape }],
    fn: (x) => fn(x, axes, options),
  }));
};

export const exact = (cases: readonly Case[]): Case[] => cases.map((c) => ({ ...c, tolerance: 0 }));

export const onShapes = (list: readonly (readonly [string, Shape, Op1])[]): Case[] =>
  exact(list.map(([name, shape, fn]) => ({ name: `${name}, ${show(shape)}`, inputs: [{ shape }], fn })));

export const made = (name: string, fn: () => Tensor, tolerance: number): Case => ({ name, inputs: [], fn, tolerance });
export const RANDOM: readonly Shape[] = [[], [0], [1], [5], [33, 65]];
