/** Cases of scans, extrema, sorting, deviations and norms. */
import { concat, type ReduceOptions, type Shape, type Tensor, tensor, variance } from '../../../engine/index.ts';
import { all, any, argmax, argmin, type extremaRows, max, min, truth } from '../../../engine/ops/extrema.ts';
import {
  absPow,
  divOrZero,
  finiteOrZero,
  logOrNone,
  logSumExp,
  norm,
  type normsFused,
  type normsRows,
  powerScale,
  root,
  signedPow,
  std,
} from '../../../engine/ops/norms.ts';
import type { reduceFused } from '../../../engine/ops/reduce.ts';
import { cumprod, cumsum, linearScan, prod, type scanRows } from '../../../engine/ops/scan.ts';
import { argsort, sort, type sortRows, topk } from '../../../engine/ops/sort.ts';
import { show } from '../../../engine/tensor/shape.ts';
import {
  binary,
  type Case,
  type CasesOf,
  exact,
  FEW,
  kink,
  type Op1,
  positive,
  type Range2,
  unary,
} from '../builders.ts';

type Reducing = (x: Tensor, axes?: number | readonly number[], options?: ReduceOptions) => Tensor;

/** A few reductions: the kernel that they share has its own cases under sum. */
const over = (fn: Reducing, range: Range2 = {}): Case[] => {
  const list: [Shape, (number | readonly number[])?, ReduceOptions?][] = [
    [[]],
    [[5]],
    [[3, 5], -1, { keepDims: true }],
    [[3, 4], 0],
    [
      [2, 3, 4],
      [0, 2],
    ],
    [[3, 0], 0],
    [[33, 65], 1],
    [[257, 4], 0],
  ];
  return list.map(([shape, axes, options]) => ({
    name: `${show(shape)} over ${JSON.stringify(axes)}`,
    inputs: [{ shape, ...range }],
    fn: (x) => fn(x, axes, options),
  }));
};

const one = (name: string, shape: Shape, fn: Op1, more: Range2 = {}): Case => ({
  name: `${name}, ${show(shape)}`,
  inputs: [{ shape, ...more }],
  fn,
});

/** A function of values half of which are 0. */
const withZeros = (name: string, fn: Op1): Case => ({
  name: `${name}, with zeros`,
  inputs: [{ shape: [2, 2] }, { shape: [2, 2], from: 0, to: 0 }, { shape: [2, 1] }],
  fn: (a, z, b) => fn(concat([a, z, b], 1)),
});

const recurrence = (shape: Shape, axis: number, reverse = false): Case => ({
  name: `${show(shape)} along ${axis}${reverse ? ', reverse' : ''}`,
  inputs: [{ shape, from: -1, to: 1 }, { shape }],
  fn: (f, x) => linearScan(f, x, axis, { reverse }),
});

const places = (fn: (x: Tensor, axis?: number, options?: ReduceOptions) => Tensor): Case[] =>
  exact([
    one('all', [], (x) => fn(x)),
    one('all', [3, 5], (x) => fn(x, undefined, { keepDims: true })),
    one('last', [17, 33], (x) => fn(x, -1)),
    one('first', [65, 5], (x) => fn(x, 0, { keepDims: true })),
    one('none', [0, 3], (x) => fn(x, 1)),
    one('long', [2, 4099, 3], (x) => fn(x, 1)),
  ]);

export const aggregatesCases: CasesOf<
  typeof scanRows & typeof extremaRows & typeof sortRows & typeof normsRows & typeof normsFused & typeof reduceFused
> = {
  cumsum: [
    one('all of it', [5], (x) => cumsum(x, 0)),
    one('reverse', [3, 5], (x) => cumsum(x, -1, { reverse: true })),
    one('vectors', [3, 4], (x) => cumsum(x, 0)),
    one('middle', [2, 3, 5], (x) => cumsum(x, 1)),
    one('zero', [0, 3], (x) => cumsum(x, 0)),
    one('large', [33, 65], (x) => cumsum(x, 1)),
    one('long', [2, 4097], (x) => cumsum(x, 1, { reverse: true })),
    one('long', [5000], (x) => cumsum(x, 0)),
  ],
  linearScan: [
    recurrence([5], 0),
    recurrence([3, 4], 0, true),
    recurrence([2, 3, 3], -2),
    recurrence([0, 3], 0),
    recurrence([17, 33], 1, true),
  ],
  prod: [...over(prod, { from: 0.6, to: 1.5 }), withZeros('rows', (x) => prod(x, 1)), withZeros('all', (x) => prod(x))],
  max: over(max).filter(({ name }) => !name.startsWith('[3,0]')),
  min: over(min).filter(({ name }) => !name.startsWith('[3,0]')),
  argmax: places(argmax),
  argmin: places(argmin),
  argsort: exact([
    one('last', [5], (x) => argsort(x)),
    one('first, descending', [17, 3], (x) => argsort(x, 0, { descending: true })),
    one('one', [3, 1], (x) => argsort(x)),
    one('zero', [0, 3], (x) => argsort(x, 0)),
    one('ties', [65], (x) => argsort(truth(x.relu()))),
    one('ties, descending', [2, 33], (x) => argsort(truth(x.relu()), 1, { descending: true })),
    one('large', [5, 1025, 3], (x) => argsort(x, 1)),
  ]),
  divOrZero: binary(divOrZero, {}, { from: 0.5, to: 2 }, FEW),
  logOrNone: unary(logOrNone, positive, [[3], [5], [17]]),
  root: unary(root, positive, [[3], [5], [17]]),
  absPow: [0.5, 3, 2.5].flatMap((p) => unary((x) => absPow(x, p), { ...kink, away: 0.3 }, [[3], [17]])),
  signedPow: [0.5, 2, 2.5].flatMap((p) => unary((x) => signedPow(x, p), { ...kink, away: 0.3 }, [[3], [17]])),
  finiteOrZero: exact(unary(finiteOrZero, {}, [[5]])),
  powerScale: exact([
    one('of all sizes', [3, 5], (x) => powerScale(x.mul(tensor([2 ** 20, 2 ** -20, 1, 0, -(2 ** 18)])), 15)),
  ]),
  variance: [
    ...over(variance).filter(({ name }) => !name.startsWith('[3,0]') && !name.includes('[0,2]')),
    one('columns', [257, 8], (x) => variance(x, 0)),
    one('a middle run', [2, 3, 33, 4], (x) => variance(x, [1, 2])),
    one('unbiased', [5], (x) => variance(x, undefined, { correction: 1 })),
    one('unbiased rows', [3, 4], (x) => variance(x, -1, { correction: 1, keepDims: true })),
    one('unbiased', [33, 65], (x) => variance(x, 1, { correction: 1 })),
  ],
  norm2: over((x, axes, options) => norm(x, 2, axes, options), { away: 0.2 }),
};

const norms = [1, 2, 3, 1.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];

export const aggregatesCompositions: Readonly<Record<string, readonly Case[]>> = {
  cumprod: [
    one('all of it', [5], (x) => cumprod(x, 0)),
    one('reverse', [3, 4], (x) => cumprod(x, 0, { reverse: true })),
    one('zero', [0, 3], (x) => cumprod(x, 0)),
    one('large', [17, 33], (x) => cumprod(x, -1), { from: 0.6, to: 1.5 }),
    withZeros('rows', (x) => cumprod(x, 1)),
    withZeros('rows, reverse', (x) => cumprod(x, 1, { reverse: true })),
  ],
  any: exact([
    one('all of it', [5], (x) => any(x)),
    one('rows', [3, 5], (x) => any(truth(x.relu()), 1, { keepDims: true })),
    one('of zeros', [17], (x) => any(x), { from: 0, to: 0 }),
    one('nothing', [0], (x) => any(x)),
  ]),
  all: exact([
    one('all of it', [5], (x) => all(x)),
    one('columns', [2, 5], (x) => all(truth(x.relu()), 0)),
    one('nothing', [0, 3], (x) => all(x, 0)),
  ]),
  'variance over axes that do not lie beside each other': [
    one('biased', [2, 3, 5], (x) => variance(x, [0, 2])),
    one('unbiased', [3, 33, 65], (x) => variance(x, [0, 2], { correction: 1, keepDims: true })),
  ],
  std: [
    one('biased', [5], (x) => std(x)),
    one('unbiased rows', [3, 4], (x) => std(x, 1, { correction: 1, keepDims: true })),
    one('unbiased', [33, 65], (x) => std(x, 0, { correction: 1 })),
  ],
  norm: [
    ...norms.map((p) => one(`p = ${p}`, [2, 5], (x) => norm(x, p, -1), { away: 0.2 })),
    one('all', [3, 4], (x) => norm(x)),
    one('scalar', [], (x) => norm(x), { away: 0.2 }),
    one('zero', [0, 3], (x) => norm(x, 2, 0)),
    one('large', [33, 65], (x) => norm(x, 3, 1, { keepDims: true })),
  ],
  logSumExp: [
    ...over(logSumExp).filter(({ name }) => !name.startsWith('[3,0]')),
    { ...one('large arguments', [2, 5], (x) => logSumExp(x.mul(1000), 1), { from: 0.5, to: 0.6 }), orders: 2 },
  ],
  sort: [
    one('last', [5], (x) => sort(x).values),
    one('first, descending', [5, 3], (x) => sort(x, 0, { descending: true }).values),
    one('large', [17, 65], (x) => sort(x, 1).values),
  ].map((c) => ({ ...c, tolerance: 0 })),
  topk: [
    one('largest', [3, 5], (x) => topk(x, 2).values),
    one('smallest', [5, 3], (x) => topk(x, 3, 0, { largest: false }).values),
    one('indices', [17, 33], (x) => topk(x, 5, -1).indices),
    one('none', [2, 3], (x) => topk(x, 0).values),
  ].map((c) => ({ ...c, tolerance: 0 })),
};
