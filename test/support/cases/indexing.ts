/** Cases of reading and adding by index. */
import { apply } from '../../../engine/autograd/apply.ts';
import { type Shape, type Tensor, tensor } from '../../../engine/index.ts';
import {
  embedding,
  gather,
  indexingRows,
  indexSelect,
  oneHot,
  scatterAdd,
  take,
} from '../../../engine/ops/indexing.ts';
import { show, sizeOf } from '../../../engine/tensor/shape.ts';
import { type Case, type CasesOf, made } from '../builders.ts';
import { numbers } from '../values.ts';

/** Indices below `n`, some of them equal. */
const indices = (shape: Shape, n: number): Tensor => {
  const next = numbers(5);
  return tensor(
    Float64Array.from({ length: sizeOf(shape) }, () => Math.floor(next() * n)),
    { shape },
  );
};

const gathered = (x: Shape, axis: number, index: Shape): Case => ({
  name: `${show(x)} at ${show(index)} along ${axis}`,
  inputs: [{ shape: x }],
  fn: (a) => gather(a, axis, indices(index, a.shape.at(axis)!)),
  tolerance: 0,
});

const scattered = (source: Shape, axis: number, size: number): Case => ({
  name: `${show(source)} into ${size} along ${axis}`,
  inputs: [{ shape: source }],
  fn: (a) => apply(indexingRows.scatter, [a, indices(source, size)], { axis, size })[0],
});

const taken = (x: Shape, axis: number, index: Shape): Case => ({
  name: `${show(x)} at ${show(index)} along ${axis}`,
  inputs: [{ shape: x }],
  fn: (a) => take(a, indices(index, a.shape.at(axis)!), axis),
  tolerance: 0,
});

const takeAdded = (source: Shape, axis: number, size: number): Case => ({
  name: `${show(source)} into ${size} along ${axis}`,
  inputs: [{ shape: source }],
  fn: (a) => apply(indexingRows.takeAdd, [a, indices([source[axis]!], size)], { axis, size })[0],
});

export const indexingCases: CasesOf<typeof indexingRows> = {
  gather: [
    gathered([5], 0, [3]),
    gathered([5], 0, [8]),
    gathered([3, 5], 1, [3, 2]),
    gathered([3, 5], 0, [7, 5]),
    gathered([2, 3, 4], -2, [2, 5, 4]),
    gathered([4, 5], 1, [2, 3]),
    gathered([3, 5], 1, [3, 0]),
    gathered([33, 65], 0, [17, 65]),
  ],
  scatter: [
    scattered([5], 0, 3),
    scattered([3, 4], 1, 2),
    scattered([2, 3, 4], 1, 5),
    scattered([0, 3], 0, 4),
    scattered([65, 33], 0, 17),
  ],
  take: [
    taken([5], 0, [3]),
    taken([3, 4], 0, [2, 2]),
    taken([3, 5], -1, [7]),
    taken([2, 3, 4], 1, []),
    taken([3, 2], 0, [0]),
    taken([65, 8], 0, [33]),
    taken([17, 33], 1, [5, 3]),
  ],
  takeAdd: [
    takeAdded([5], 0, 3),
    takeAdded([3, 4], 0, 2),
    takeAdded([2, 3], 1, 5),
    takeAdded([0, 3], 0, 2),
    takeAdded([65, 8], 0, 17),
  ],
};

const added = (x: Shape, axis: number, index: Shape, source: Shape): Case => ({
  name: `${show(source)} at ${show(index)} into ${show(x)} along ${axis}`,
  inputs: [{ shape: x }, { shape: source }],
  fn: (a, s) => scatterAdd(a, axis, indices(index, a.shape.at(axis)!), s),
});

export const indexingCompositions: Readonly<Record<string, readonly Case[]>> = {
  scatterAdd: [
    added([5], 0, [8], [8]),
    added([3, 5], -1, [3, 2], [3, 2]),
    added([4, 5], 1, [2, 3], [3, 4]),
    added([17, 33], 0, [65, 33], [65, 33]),
  ],
  indexSelect: [
    { name: 'rows', inputs: [{ shape: [5, 3] }], fn: (x) => indexSelect(x, tensor([4, 0, 4])), tolerance: 0 },
    { name: 'columns', inputs: [{ shape: [2, 5] }], fn: (x) => indexSelect(x, tensor([1]), 1), tolerance: 0 },
  ],
  embedding: [
    {
      name: '[5,4]',
      inputs: [{ shape: [5, 4] }],
      fn: (w) =>
        embedding(
          w,
          tensor([
            [3, 0],
            [3, 4],
          ]),
        ),
      tolerance: 0,
    },
    { name: '[3,2], one', inputs: [{ shape: [3, 2] }], fn: (w) => embedding(w, tensor(2)), tolerance: 0 },
  ],
  oneHot: [
    made('[5] of 3', () => oneHot(tensor([0, 2, 1, 2, 0]), 3), 0),
    made('[] of 4', () => oneHot(tensor(3), 4), 0),
    made(
      '[2,3] of 65',
      () =>
        oneHot(
          tensor([
            [0, 64, 5],
            [7, 33, 63],
          ]),
          65,
        ),
      0,
    ),
    made('[0] of 3', () => oneHot(tensor([]), 3), 0),
  ],
};
