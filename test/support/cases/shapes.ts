/** Cases of the ops that change shapes. */
import { clone, type Shape, type Tensor, transpose } from '../../../engine/index.ts';
import { type PadOptions, pad } from '../../../engine/ops/pad.ts';
import {
  chunk,
  depthToSpace,
  diag,
  flip,
  repeat,
  repeatInterleave,
  roll,
  type shapesRows,
  spaceToDepth,
  split,
  squeeze,
  stack,
  tile,
  tril,
  triu,
  unsqueeze,
} from '../../../engine/ops/shapes.ts';
import { type Case, type CasesOf, onShapes, text } from '../builders.ts';

type Many = (x: Tensor) => Tensor | readonly Tensor[];

const each = (list: readonly (readonly [string, Shape, Many])[]): Case[] =>
  list.map(([name, shape, fn]) => ({ name: `${name}, [${shape.join(',')}]`, inputs: [{ shape }], fn, tolerance: 0 }));

const triangles = (fn: (x: Tensor, k?: number) => Tensor): Case[] =>
  onShapes([
    ['main', [3, 3], (x) => fn(x)],
    ['above', [2, 3, 5], (x) => fn(x, 1)],
    ['below', [5, 3], (x) => fn(x, -2)],
    ['far', [2, 2], (x) => fn(x, 5)],
    ['zero', [0, 3], (x) => fn(x)],
    ['large', [33, 65], (x) => fn(x, -7)],
  ]);

export const shapesCases: CasesOf<typeof shapesRows> = { tril: triangles(tril), triu: triangles(triu) };

type Pads = readonly (readonly [number, number])[];
const padded = (shape: Shape, pads: Pads, options: PadOptions = {}): Case => ({
  name: `[${shape.join(',')}] by ${JSON.stringify(pads)}${text(options)}`,
  inputs: [{ shape }],
  fn: (x) => pad(x, pads, options),
  tolerance: 0,
});

const stacked = (axis: number, count: number, shape: Shape): Case => ({
  name: `${count} of [${shape.join(',')}] along ${axis}`,
  inputs: Array.from({ length: count }, () => ({ shape })),
  fn: (...xs) => stack(xs, axis),
  tolerance: 0,
});

export const shapesCompositions: Readonly<Record<string, readonly Case[]>> = {
  squeeze: each([
    ['all', [1, 3, 1], (x) => squeeze(x)],
    ['some', [1, 3, 1], (x) => squeeze(x, [-1, 1])],
    ['none', [], (x) => squeeze(x)],
  ]),
  unsqueeze: each([
    ['first', [3, 5], (x) => unsqueeze(x, 0)],
    ['last', [3], (x) => unsqueeze(x, -1)],
    ['scalar', [], (x) => unsqueeze(x, 0)],
  ]),
  stack: [
    stacked(0, 3, [5]),
    stacked(-1, 2, [2, 3]),
    stacked(0, 2, []),
    stacked(1, 2, [0, 3]),
    stacked(1, 3, [17, 33]),
  ],
  split: each([
    ['by 2', [5], (x) => split(x, 2)],
    ['sizes', [3, 5], (x) => split(x, [1, 0, 4], -1)],
    ['zero', [0], (x) => split(x, 3)],
  ]),
  transpose: each([
    ['the last two', [2, 3], (x) => transpose(x)],
    ['two of three', [2, 3, 5], (x) => transpose(x, 0, -1)],
    ['a vector with itself', [5], (x) => transpose(x, 0, 0)],
    ['large', [33, 65], (x) => transpose(x)],
  ]),
  clone: each([
    ['a vector', [5], (x) => clone(x)],
    ['a scalar', [], (x) => clone(x)],
    ['nothing', [0, 3], (x) => clone(x)],
  ]),
  chunk: each([
    ['3', [5], (x) => chunk(x, 3)],
    ['2 along the last', [3, 8], (x) => chunk(x, 2, 1)],
    ['more than there are', [2, 2], (x) => chunk(x, 5)],
  ]),
  pad: [
    padded([5], [[2, 3]]),
    padded(
      [2, 3],
      [
        [0, 1],
        [2, 0],
      ],
      { value: -1.5 },
    ),
    padded(
      [5, 3],
      [
        [-2, 1],
        [1, -1],
      ],
      { value: 2 },
    ),
    padded([5], [[-1, -2]]),
    padded([], []),
    padded([0, 2], [[1, 1]], { value: 3 }),
    padded(
      [3, 4],
      [
        [2, 1],
        [3, 3],
      ],
      { mode: 'reflect' },
    ),
    padded([5], [[0, 4]], { mode: 'reflect' }),
    padded(
      [2, 3],
      [
        [3, 0],
        [1, 2],
      ],
      { mode: 'replicate' },
    ),
    padded(
      [2, 3],
      [
        [2, 1],
        [0, 3],
      ],
      { mode: 'circular' },
    ),
    padded(
      [1, 17, 17, 5],
      [
        [0, 0],
        [3, 3],
        [2, 1],
      ],
      { mode: 'reflect' },
    ),
  ],
  flip: each([
    ['all', [2, 3], (x) => flip(x)],
    ['one', [2, 3, 4], (x) => flip(x, -2)],
    ['scalar', [], (x) => flip(x)],
    ['zero', [0, 3], (x) => flip(x, 0)],
    ['large', [33, 65], (x) => flip(x, 1)],
  ]),
  tile: each([
    ['row', [3], (x) => tile(x, [2])],
    ['new axes', [2, 3], (x) => tile(x, [2, 1, 3])],
    ['fewer counts', [2, 3], (x) => tile(x, [2])],
    ['scalar', [], (x) => tile(x, [2, 2])],
    ['none', [3], (x) => tile(x, [0])],
  ]),
  repeat: each([['twice', [2, 3], (x) => repeat(x, [2, 1, 2])]]),
  repeatInterleave: each([
    ['rows', [2, 3], (x) => repeatInterleave(x, 2, 0)],
    ['last', [2, 3], (x) => repeatInterleave(x, 3, -1)],
  ]),
  roll: each([
    ['flat', [2, 3], (x) => roll(x, 2)],
    ['back', [5], (x) => roll(x, -1, 0)],
    ['two axes', [3, 5], (x) => roll(x, [1, 7], [0, -1])],
    ['not at all', [3], (x) => roll(x, 3, 0)],
    ['zero', [0, 3], (x) => roll(x, 1, 0)],
    ['large', [33, 65], (x) => roll(x, 20, 1)],
  ]),
  diag: each([
    ['vector', [3], (x) => diag(x)],
    ['vector, above', [3], (x) => diag(x, 2)],
    ['vector, below', [2], (x) => diag(x, -1)],
    ['empty', [0], (x) => diag(x, 1)],
    ['matrix', [3, 5], (x) => diag(x)],
    ['matrix, above', [3, 5], (x) => diag(x, 3)],
    ['matrix, below', [5, 3], (x) => diag(x, -3)],
    ['matrix, outside', [2, 3], (x) => diag(x, 7)],
    ['large', [65, 33], (x) => diag(x, -5)],
  ]),
  depthToSpace: each([
    ['2', [1, 2, 3, 4], (x) => depthToSpace(x, 2)],
    ['2 to 3 channels', [2, 1, 1, 12], (x) => depthToSpace(x, 2)],
    ['3', [2, 5, 5, 9], (x) => depthToSpace(x, 3)],
  ]),
  spaceToDepth: each([
    ['2', [1, 4, 2, 3], (x) => spaceToDepth(x, 2)],
    ['inverse', [1, 6, 6, 1], (x) => depthToSpace(spaceToDepth(x, 3), 3)],
  ]),
};
