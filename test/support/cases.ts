/** The table of op cases: for every row of the op table, calls on awkward sizes. A row without cases does not compile. */
import {
  add,
  batchNorm,
  broadcastTo,
  type Conv2dOptions,
  concat,
  conv2d,
  conv2dWeight,
  convTranspose2d,
  div,
  full,
  grad,
  layerNorm,
  type MatmulOptions,
  matmul,
  maximum,
  maxPool2d,
  mean,
  minimum,
  mul,
  type NormOptions,
  permute,
  type Range,
  Rng,
  relu6,
  reshape,
  type Shape,
  selu,
  slice,
  sub,
  sum,
  type Tensor,
} from '../../engine/index.ts';
import { convParams, convRows } from '../../engine/ops/conv.ts';
import { affine, gate, greaterShare, leakyRelu, sigmoidGrad, tanhGrad } from '../../engine/ops/elementwise.ts';
import { unslice } from '../../engine/ops/movement.ts';
import type { fused, primitives, views } from '../../engine/ops/table.ts';
import { show } from '../../engine/tensor/shape.ts';
import {
  binary,
  type Case,
  type CasesOf,
  exact,
  FEW,
  kink,
  made,
  onShapes,
  positive,
  RANDOM,
  reduction,
  text,
  unary,
} from './builders.ts';
import { activationCases, activationCompositions } from './cases/activations.ts';
import { aggregatesCases, aggregatesCompositions } from './cases/aggregates.ts';
import { arithmeticCases } from './cases/arithmetic.ts';
import { comparisonCases, comparisonCompositions } from './cases/comparison.ts';
import { headCases, headCompositions } from './cases/heads.ts';
import { imageCases, imageCompositions } from './cases/images.ts';
import { indexingCases, indexingCompositions } from './cases/indexing.ts';
import { linalgCases, linalgCompositions } from './cases/linalg.ts';
import { optimCases } from './cases/optim.ts';
import { shapesCases, shapesCompositions } from './cases/shapes.ts';
import { unaryCases } from './cases/unary.ts';
import { conv3dCases, convCompositions } from './cases/volumes.ts';
import type { Input } from './values.ts';

export type RowName = keyof typeof primitives | keyof typeof fused | keyof typeof views;

const sliced = (shape: Shape, ranges: readonly Range[]) =>
  [JSON.stringify(ranges), shape, (x: Tensor) => slice(x, ranges)] as const;
const permuted = (shape: Shape, axes: readonly number[] = shape.map((_, i) => shape.length - 1 - i)) =>
  [show(axes), shape, (x: Tensor) => permute(x, axes)] as const;
const spread = (shape: Shape, to: Shape) => [`to ${show(to)}`, shape, (x: Tensor) => broadcastTo(x, to)] as const;
const unsliced = (shape: Shape, to: Shape, begin: readonly number[], step: readonly number[]) =>
  [`to ${show(to)}`, shape, (x: Tensor) => unslice(x, to, { begin, size: shape, step })] as const;
const reshaped = (shape: Shape, to: Shape) => [`to ${show(to)}`, shape, (x: Tensor) => reshape(x, to)] as const;

const joined = (axis: number, ...shapes: Shape[]): Case => ({
  name: `${shapes.map(show).join(' ')} along ${axis}`,
  inputs: shapes.map((shape) => ({ shape })),
  fn: (...xs) => concat(xs, axis),
  tolerance: 0,
});

const product = (a: Shape, b: Shape, options: MatmulOptions = {}, more: Partial<Case> = {}): Case => ({
  name: `${show(a)} ${show(b)}${text(options)}`,
  inputs: [{ shape: a }, { shape: b }],
  fn: (x, y) => matmul(x, y, options),
  ...more,
});

/** m × k times k × n under all four combinations of transposes. */
const products = (m: number, k: number, n: number, batch: Shape = [], more: Partial<Case> = {}): Case[] =>
  [false, true].flatMap((transposeA) =>
    [false, true].map((transposeB) =>
      product(
        [...batch, ...(transposeA ? [k, m] : [m, k])],
        [...batch, ...(transposeB ? [n, k] : [k, n])],
        { ...(transposeA ? { transposeA } : {}), ...(transposeB ? { transposeB } : {}) },
        more,
      ),
    ),
  );

type Convolution = readonly [x: Shape, w: Shape, options?: Conv2dOptions, more?: Partial<Case>];

/** Convolutions: each is a case of conv2d, of convTranspose2d and of conv2dWeight. */
const CONVOLUTIONS: readonly Convolution[] = [
  // Small enough for central differences.
  [
    [1, 4, 4, 1],
    [3, 3, 1, 1],
  ],
  [
    [2, 3, 3, 2],
    [1, 1, 2, 3],
  ],
  [[1, 4, 3, 2], [2, 2, 2, 2], { stride: 2, padding: 1 }],
  [[1, 5, 5, 1], [2, 2, 1, 2], { dilation: 2 }],
  [[1, 3, 3, 4], [2, 2, 2, 2], { groups: 2, padding: 1 }],
  [[1, 4, 5, 1], [3, 1, 1, 2], { stride: [1, 3], padding: [2, 0] }],
  [[1, 7, 7, 1], [2, 2, 1, 1], { stride: 3 }],
  // Awkward for kernels.
  [
    [2, 5, 5, 3],
    [1, 1, 3, 4],
  ],
  [[2, 5, 4, 3], [3, 3, 3, 5], { padding: 1 }],
  [[2, 8, 8, 4], [4, 4, 4, 8], { stride: 2, padding: 1 }, { everywhere: true }],
  [[1, 7, 7, 2], [3, 3, 2, 3], { stride: 2, padding: 1 }],
  [[1, 11, 9, 2], [5, 5, 2, 3], { stride: 3, padding: 2 }],
  [[2, 8, 8, 2], [2, 2, 2, 2], { stride: 3 }],
  [[1, 9, 9, 4], [3, 3, 4, 4], { padding: 2, dilation: 2 }],
  [[1, 9, 8, 3], [3, 3, 3, 4], { stride: 2, dilation: 2, padding: 1 }],
  [[1, 10, 10, 2], [3, 2, 2, 3], { stride: 3, dilation: 2, padding: 2 }],
  [[2, 5, 5, 4], [3, 3, 2, 6], { groups: 2, padding: 1 }],
  [[2, 5, 5, 3], [3, 3, 1, 3], { groups: 3, stride: 2 }],
  [
    [2, 4, 4, 16],
    [4, 4, 16, 1],
  ],
  [[3, 28, 28, 1], [5, 5, 1, 6], { stride: 2, padding: 2 }],
  [[2, 28, 28, 1], [4, 4, 1, 33], { stride: 2, padding: 1 }, { everywhere: true }],
  [[2, 28, 28, 3], [3, 3, 3, 1], { padding: 1 }],
  [[3, 17, 17, 17], [3, 3, 17, 33], { padding: 1 }, { everywhere: true }],
  [
    [65, 1, 1, 3],
    [1, 1, 3, 65],
  ],
  [[1, 3, 3, 65], [3, 3, 65, 5], { padding: 1 }],
  [[2, 6, 9, 3], [1, 5, 3, 2], { stride: [1, 2], padding: [0, 2] }],
  [[2, 16, 16, 32], [4, 4, 32, 64], { stride: 2, padding: 1 }],
  [
    [0, 5, 5, 2],
    [3, 3, 2, 3],
  ],
];

const convolved = (list: readonly Convolution[] = CONVOLUTIONS): Case[] =>
  list.map(([x, w, options = {}, more]) => ({
    name: `x ${show(x)} w ${show(w)}${text(options)}`,
    inputs: [{ shape: x }, { shape: w }],
    fn: (a, b) => conv2d(a, b, options),
    ...more,
  }));

const outputOf = ([x, w, options = {}]: Convolution): Shape =>
  convRows.conv2d.shape([x, w], convParams('conv2d', options, x.slice(1, 3), w))[0];

const transposed = (): Case[] =>
  CONVOLUTIONS.map((c) => {
    const [x, w, options = {}, more] = c;
    const y = outputOf(c);
    const p = convParams('convTranspose2d', options, x.slice(1, 3), w);
    const extra = [0, 1].map(
      (i) => (x[i + 1]! + 2 * p.padding[i]! - p.dilation[i]! * (w[i]! - 1) - 1) % p.stride[i]!,
    ) as [number, number];
    const all = { ...options, outputPadding: extra } as Conv2dOptions & { padding?: number; outputPadding: Shape };
    return {
      name: `y ${show(y)} w ${show(w)}${text(all)}`,
      inputs: [{ shape: y }, { shape: w }],
      fn: (a, b) => convTranspose2d(a, b, { ...all, outputPadding: extra }),
      ...more,
    };
  });

const weights = (): Case[] =>
  CONVOLUTIONS.map((c) => {
    const [x, w, options = {}, more] = c;
    return {
      name: `x ${show(x)} y ${show(outputOf(c))} w ${show(w)}${text(options)}`,
      inputs: [{ shape: x }, { shape: outputOf(c) }],
      fn: (a, b) => conv2dWeight(a, b, [w[0]!, w[1]!], options),
      ...more,
    };
  });

const SAME: readonly Convolution[] = [
  [[1, 5, 6, 2], [4, 4, 2, 3], { stride: 2, padding: 'same' }],
  [[1, 4, 4, 1], [2, 2, 1, 1], { padding: 'same' }],
  [[1, 5, 5, 1], [3, 3, 1, 1], { padding: 'valid', stride: 2 }],
];

/** x, gamma and beta of a norm; gamma stays away from 0. */
const normed = (x: Shape, affineShape: Shape): Input[] => [
  { shape: x, from: -1, to: 3 },
  { shape: affineShape, from: 0.5, to: 2 },
  { shape: affineShape },
];

const batchNormed = (x: Shape, options: NormOptions = {}): Case[] => {
  const inputs = normed(x, [x[x.length - 1]!]);
  const call = (...[a, gamma, beta]: Tensor[]) => batchNorm(a!, gamma!, beta!, options);
  return [
    { name: `${show(x)}${text(options)}`, inputs, fn: (...xs) => call(...xs).y },
    {
      name: `${show(x)} and its statistics`,
      inputs,
      fn: (...xs) => [call(...xs).y, call(...xs).stats],
      tolerance: 5e-5,
    },
  ];
};

const layerNormed = (x: Shape, affineShape: Shape, axes?: readonly number[]): Case => ({
  name: `${show(x)} over ${show(affineShape)}`,
  inputs: normed(x, affineShape),
  fn: (a, gamma, beta) => layerNorm(a, gamma, beta, axes ? { axes } : {}),
});

/** The backward pass of a norm as a function of its own: x, gamma, beta and the cotangent. */
const normGrads = (x: Shape, fn: (...xs: Tensor[]) => Tensor, affineShape: Shape): Case => ({
  name: `${show(x)} with ${show(affineShape)}`,
  inputs: [...normed(x, affineShape), { shape: x }],
  fn: (a, gamma, beta, g) =>
    grad(fn(a, gamma, beta), [a, gamma, beta], { gradOutputs: [g], createGraph: true, allowUnused: true }),
  tolerance: 5e-5,
});

const batchOnly = (...[a, gamma, beta]: Tensor[]): Tensor => batchNorm(a!, gamma!, beta!).y;

/** Of the rows that are in no file of `cases/`. */
const core = {
  affine: [
    ...unary((x) => affine(x, -1.5, 0.25)),
    ...unary((x) => add(x, 2), {}, [[3]]),
    ...unary((x) => sub(2, x), {}, [[3]]),
    ...unary((x) => mul(3, x), {}, [[3]]),
  ],
  divScalar: unary((x) => div(x, 3)),
  add: binary(add),
  sub: binary(sub, {}, {}, FEW),
  mul: binary(mul),
  div: binary(div, {}, { from: 0.5, to: 2 }),
  maximum: binary(maximum, {}, {}, FEW),
  minimum: binary(minimum, {}, {}, FEW),
  greaterShare: [
    ...exact(binary(greaterShare, {}, {}, FEW)),
    { name: 'ties', inputs: [{ shape: [5] }], fn: (x: Tensor) => greaterShare(x, x), tolerance: 0 },
  ],
  neg: exact(unary((x) => x.neg())),
  square: unary((x) => x.square()),
  sqrt: unary((x) => x.sqrt(), positive),
  rsqrt: unary((x) => x.rsqrt(), positive),
  exp: unary((x) => x.exp()),
  log: unary((x) => x.log(), positive),
  sign: exact(unary((x) => x.sign(), kink)),
  abs: exact(unary((x) => x.abs(), kink)),
  tanh: unary((x) => x.tanh()),
  tanhGrad: binary(tanhGrad, {}, {}, FEW),
  sigmoid: unary((x) => x.sigmoid()),
  sigmoidGrad: binary(sigmoidGrad, {}, {}, FEW),
  gate: binary((g, x) => gate(g, x, 0.2), {}, kink, FEW),
  relu: exact(unary((x) => x.relu(), kink)),
  leakyRelu: [...unary((x) => leakyRelu(x), kink, [[5]]), ...unary((x) => leakyRelu(x, 0.2), kink)],
  permute: onShapes([
    ['transpose, the last two', [2, 3, 4], (x) => x.transpose()],
    ['transpose, 0 and -1', [2, 3, 4], (x) => x.transpose(0, -1)],
    permuted([]),
    permuted([5]),
    permuted([3, 5]),
    permuted([0, 3]),
    permuted([1, 65]),
    permuted([2, 3, 4], [0, 2, 1]),
    permuted([2, 3, 4], [1, 2, 0]),
    permuted([2, 3, 4], [-1, 0, 1]),
    permuted([3, 5, 8], [1, 0, 2]),
    permuted([2, 3, 4, 5], [0, 3, 1, 2]),
    permuted([33, 65]),
  ]),
  slice: onShapes([
    sliced([5], [[1, 4]]),
    sliced([5], [[null, null, 2]]),
    sliced([5], [[null, null, -1]]),
    sliced([5], [[-2]]),
    sliced([5], [[3, 3]]),
    sliced([17], [[15, 2, -3]]),
    sliced([3, 5], [[], [1, 3]]),
    sliced([3, 8], [[1], [4, 8]]),
    sliced([2, 5, 5, 3], [[], [1, -1], [null, null, 2]]),
    sliced(
      [33, 65],
      [
        [1, null, 3],
        [-40, -3],
      ],
    ),
    sliced([0, 3], [[], [1]]),
  ]),
  unslice: onShapes([
    unsliced([3], [5], [1], [1]),
    unsliced([3], [5], [0], [2]),
    unsliced([5], [5], [4], [-1]),
    unsliced([0], [5], [0], [1]),
    unsliced([2, 4], [3, 8], [1, 4], [1, 1]),
    unsliced([11, 21], [33, 65], [1, 2], [3, 3]),
  ]),
  concat: [
    joined(0, [3], [5]),
    joined(-1, [3, 1], [3, 4], [3, 2]),
    joined(1, [2, 4, 3], [2, 1, 3]),
    joined(0, [0, 3], [2, 3]),
    joined(0, [1]),
    joined(1, [3, 8], [3, 4]),
    joined(0, ...Array.from({ length: 12 }, (_, i) => [i + 1])),
    joined(1, [17, 33], [17, 65]),
  ],
  broadcastTo: onShapes([
    spread([], [3]),
    spread([], []),
    spread([3], [4, 3]),
    spread([4, 1], [4, 5]),
    spread([1, 5], [3, 5]),
    spread([3, 1], [3, 8]),
    spread([8], [3, 8]),
    spread([2, 1, 3], [2, 4, 3]),
    spread([1], [0]),
    spread([0], [3, 0]),
    spread([65, 1], [65, 33]),
  ]),
  sum: reduction(sum, true),
  mean: reduction(mean, false),
  reshape: onShapes([
    reshaped([2, 3], [3, 2]),
    reshaped([2, 3, 4], [-1]),
    reshaped([5], [1, 5, 1]),
    reshaped([], [1, 1]),
    reshaped([0, 3], [3, 0]),
    reshaped([33, 65], [65, -1]),
  ]),
  matmul: [
    ...products(2, 3, 4),
    ...products(1, 1, 1),
    ...products(1, 5, 3),
    ...products(3, 5, 1),
    ...products(3, 1, 5),
    ...products(2, 2, 3, [2]),
    ...products(17, 33, 65),
    ...products(33, 65, 17, [3]),
    product([64, 64], [64, 64], {}, { everywhere: true }),
    ...products(64, 64, 64).slice(1),
    ...products(65, 128, 36),
    product([3], [3]),
    product([2, 3], [3]),
    product([3], [3, 2]),
    product([3], [2, 3], { transposeB: true }),
    product([2, 3], [2], { transposeA: true }),
    product([2, 1, 2, 3], [2, 3, 2]),
    product([2, 2, 3], [3, 2]),
    product([2, 3], [2, 3, 2]),
    product([4, 1, 5, 3], [3, 3, 5]),
    product([0, 3], [3, 2]),
    product([2, 0], [0, 3]),
    product([2, 3], [3, 0]),
    product([0, 2, 3], [3, 2]),
    product([3, 8192], [8192, 5], {}, { tolerance: 2e-5 }),
    product([1, 8192], [8192, 1], {}, { tolerance: 2e-5 }),
    product([8192, 2], [8192, 3], { transposeA: true }, { tolerance: 2e-5 }),
  ],
  conv2d: [...convolved(), ...convolved(SAME)],
  convTranspose2d: transposed(),
  conv2dWeight: weights(),
  fill: RANDOM.map((shape) => made(show(shape), () => full(shape, 0.5), 0)),
  uniform: [
    ...RANDOM.map((shape) => made(show(shape), () => new Rng(7).uniform(shape), 2e-6)),
    made('-2 to 3', () => new Rng(7, 1, 99).uniform([65], { low: -2, high: 3 }), 2e-6),
  ],
  normal: [
    ...RANDOM.map((shape) => made(show(shape), () => new Rng(7).normal(shape), 2e-6)),
    made('mean 3, std 0.5', () => new Rng(7, 1, 99).normal([65], { mean: 3, std: 0.5 }), 2e-6),
  ],
  randint: [
    ...RANDOM.map((shape) => made(show(shape), () => new Rng(7).randint(10, shape), 0)),
    made('-5 to 4', () => new Rng(7, 1, 99).randint(-5, 5, [65]), 0),
    made('all that floats hold', () => new Rng(7).randint(-(2 ** 24), 2 ** 24 + 1, [1000]), 0),
  ],
  batchNorm: [
    ...batchNormed([2, 1]),
    ...batchNormed([4, 3]),
    ...batchNormed([1, 3, 2, 2], { eps: 1e-3 }),
    ...batchNormed([2, 5, 5, 3]),
    ...batchNormed([3, 3, 3, 8]),
    ...batchNormed([65, 17]),
    ...batchNormed([257, 64]),
    ...batchNormed([16, 7, 7, 65]),
  ],
  layerNorm: [
    layerNormed([2, 3], [3]),
    layerNormed([5, 4], [4], [-1]),
    layerNormed([2, 2, 3], [2, 3], [1, 2]),
    layerNormed([1, 5], [5]),
    layerNormed([3, 1, 2], [1, 2], [-2, -1]),
    layerNormed([17, 33], [33]),
    layerNormed([65, 64], [64]),
    layerNormed([3, 7, 7, 5], [7, 7, 5], [1, 2, 3]),
    layerNormed([2, 4, 4, 64], [4, 4, 64], [1, 2, 3]),
  ],
  normGrad: [
    normGrads([4, 2], batchOnly, [2]),
    normGrads([2, 3], (a, gamma, beta) => layerNorm(a, gamma, beta), [3]),
    normGrads([3, 5, 5, 4], batchOnly, [4]),
    normGrads([65, 17], batchOnly, [17]),
    normGrads([17, 33], (a, gamma, beta) => layerNorm(a, gamma, beta), [33]),
  ],
};

export const cases: CasesOf<typeof primitives & typeof fused & typeof views> = {
  ...imageCases,
  ...conv3dCases,
  ...core,
  ...shapesCases,
  ...indexingCases,
  ...aggregatesCases,
  ...optimCases,
  ...unaryCases,
  ...activationCases,
  ...arithmeticCases,
  ...comparisonCases,
  ...headCases,
  ...linalgCases,
};

/** Functions of ops, without a row of their own. */
export const compositions: Readonly<Record<string, readonly Case[]>> = {
  ...shapesCompositions,
  ...indexingCompositions,
  ...aggregatesCompositions,
  ...imageCompositions,
  ...convCompositions,
  ...activationCompositions,
  ...comparisonCompositions,
  ...headCompositions,
  ...linalgCompositions,
  selu: unary((x) => selu(x), kink, [[5], [3, 4]]),
  relu6: unary((x) => relu6(x.mul(4)), kink, [[5], [3, 4]]),
  maxPool2d: unary((x) => maxPool2d(x, 2, { stride: 1, padding: 1 }), {}, [
    [1, 3, 4, 2],
    [2, 5, 5, 1],
  ]),
};
