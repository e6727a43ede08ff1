/** Cases of convolutions other than the plain two-dimensional one. */
import { conv2d, convTranspose2d, type Shape, type Tensor } from '../../../engine/index.ts';
import { conv1d, conv1dWeight, convTranspose1d } from '../../../engine/ops/conv1d.ts';
import {
  type Conv3dOptions,
  conv3d,
  type conv3dRows,
  conv3dWeight,
  convTranspose3d,
  type Triple,
} from '../../../engine/ops/conv3d.ts';
import { show } from '../../../engine/tensor/shape.ts';
import { type Case, type CasesOf, text } from '../builders.ts';

interface Convolution {
  readonly x: Shape;
  readonly w: Shape;
  readonly y: Shape;
  readonly options: Conv3dOptions & { readonly padding?: Triple };
  readonly outputPadding: Three;
}

type Three = readonly [number, number, number];

const list = (t: Triple): readonly number[] => (typeof t === 'number' ? [t, t, t] : t);

/** A convolution of x with w, and what its transpose needs to get back to the size of x. */
function convolution(x: Shape, w: Shape, options: Convolution['options'] = {}): Convolution {
  const [s, d, p] = [options.stride ?? 1, options.dilation ?? 1, options.padding ?? 0].map(list);
  const spans = [0, 1, 2].map((i) => x[i + 1]! + 2 * p![i]! - d![i]! * (w[i]! - 1) - 1);
  const y = [x[0]!, ...spans.map((v, i) => Math.floor(v / s![i]!) + 1), w[4]!];
  return { x, w, y, options, outputPadding: spans.map((v, i) => v % s![i]!) as unknown as Three };
}

/** Each is a case of conv3d, of convTranspose3d and of conv3dWeight. */
const VOLUMES: readonly Convolution[] = [
  convolution([1, 2, 3, 2, 1], [2, 1, 2, 1, 2]),
  convolution([1, 3, 2, 3, 2], [1, 1, 1, 2, 2]),
  convolution([1, 3, 3, 2, 1], [2, 2, 2, 1, 2], { stride: 2, padding: 1 }),
  convolution([1, 3, 3, 2, 2], [2, 2, 1, 1, 2], {
    groups: 2,
    dilation: [2, 2, 1],
    stride: [1, 1, 2],
    padding: [1, 1, 0],
  }),
  convolution([2, 5, 4, 7, 3], [3, 3, 3, 3, 5], { padding: 1 }),
  convolution([2, 5, 6, 6, 4], [4, 4, 4, 4, 8], { stride: 2, padding: 1 }),
  convolution([1, 9, 5, 7, 4], [3, 2, 3, 2, 8], { stride: [3, 1, 2], dilation: [1, 2, 2], padding: 1, groups: 2 }),
  convolution([0, 3, 3, 3, 2], [2, 2, 2, 2, 3]),
];

const convolved = (name: 'x w' | 'y w' | 'x y', fn: (a: Tensor, b: Tensor, c: Convolution) => Tensor): Case[] =>
  VOLUMES.map((c) => {
    const [a, b] = name.split(' ') as ['x' | 'y', 'w' | 'y'];
    return {
      name: `${a} ${show(c[a])} ${b} ${show(c[b])}${text(c.options)}`,
      inputs: [{ shape: c[a] }, { shape: c[b] }],
      fn: (s, t) => fn(s, t, c),
    };
  });

const same: Case = {
  name: 'x [1,3,4,2,1], stride 2, same',
  inputs: [{ shape: [1, 3, 4, 2, 1] }, { shape: [2, 3, 2, 1, 1] }],
  fn: (x, w) => conv3d(x, w, { stride: 2, padding: 'same' }),
};

export const conv3dCases: CasesOf<typeof conv3dRows> = {
  conv3d: [...convolved('x w', (x, w, c) => conv3d(x, w, c.options)), same],
  convTranspose3d: convolved('y w', (y, w, c) =>
    convTranspose3d(y, w, { ...c.options, outputPadding: c.outputPadding }),
  ),
  conv3dWeight: convolved('x y', (x, y, c) => conv3dWeight(x, y, c.w.slice(0, 3) as unknown as Three, c.options)),
};

const two = (a: Shape, b: Shape, name: string, fn: (x: Tensor, w: Tensor) => Tensor): Case => ({
  name: `${show(a)} ${show(b)}${name}`,
  inputs: [{ shape: a }, { shape: b }],
  fn,
});

export const convCompositions: Readonly<Record<string, readonly Case[]>> = {
  conv1d: [
    two([2, 5, 2], [3, 2, 2], ', padding 1', (x, w) => conv1d(x, w, { padding: 1 })),
    two([1, 8, 2], [3, 1, 4], ', groups 2, stride 2, dilation 2', (x, w) =>
      conv1d(x, w, { groups: 2, stride: 2, dilation: 2, padding: 2 }),
    ),
    two([3, 65, 3], [5, 3, 8], ', same', (x, w) => conv1d(x, w, { padding: 'same', stride: 2 })),
  ],
  convTranspose1d: [
    two([1, 3, 2], [4, 2, 2], ', stride 2', (y, w) =>
      convTranspose1d(y, w, { stride: 2, padding: 1, outputPadding: 1 }),
    ),
    two([2, 17, 8], [4, 3, 8], ', stride 2', (y, w) => convTranspose1d(y, w, { stride: 2, padding: 1 })),
  ],
  'outputPadding of a stride and more, below the dilation': [
    two([2, 3, 2], [2, 3, 2], ', 2 of 3', (y, w) => convTranspose1d(y, w, { dilation: 3, outputPadding: 2 })),
    two([1, 3, 2, 2], [2, 2, 2, 2], ', unlike axes', (y, w) =>
      convTranspose2d(y, w, { stride: [2, 1], dilation: [4, 3], padding: [1, 0], outputPadding: [3, 1] }),
    ),
    two([1, 17, 9, 8], [3, 2, 8, 8], ', padding', (y, w) =>
      convTranspose2d(y, w, { stride: 2, dilation: 5, padding: 4, outputPadding: 4 }),
    ),
    two([1, 2, 1, 2, 2], [2, 2, 1, 1, 2], ', volumes', (y, w) =>
      convTranspose3d(y, w, { stride: [1, 2, 1], dilation: [3, 1, 2], outputPadding: [2, 1, 1] }),
    ),
  ],
  conv1dWeight: [two([1, 5, 2], [1, 3, 2], ', dilation 2', (x, y) => conv1dWeight(x, y, 2, { dilation: 2 }))],
  'depthwise conv2d': [
    two([1, 3, 4, 3], [2, 2, 1, 3], ', groups 3', (x, w) => conv2d(x, w, { groups: 3 })),
    two([1, 4, 3, 2], [2, 2, 1, 4], ', groups 2, two filters a channel', (x, w) =>
      conv2d(x, w, { groups: 2, stride: 2, padding: 1 }),
    ),
    two([2, 9, 9, 17], [3, 3, 1, 17], ', groups 17', (x, w) => conv2d(x, w, { groups: 17, padding: 1 })),
  ],
};
