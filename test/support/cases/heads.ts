/** Softmax, losses on logits, instance and group norm, dropout, attention; random draws. */
import { grad, Rng, type Shape, type Tensor, tensor } from '../../../engine/index.ts';
import type { attentionRows } from '../../../engine/ops/attention.ts';
import {
  type AttentionOptions,
  attentionWeights,
  causal,
  hide,
  scaledDotProductAttention,
} from '../../../engine/ops/attention.ts';
import {
  bceLogits,
  bceLogitsGrad,
  bceProbabilities,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  type binaryLossFused,
  type binaryLossRows,
} from '../../../engine/ops/binaryLosses.ts';
import { dropout } from '../../../engine/ops/dropout.ts';
import {
  batchNormInference,
  groupNorm,
  type groupNormFused,
  type groupNormRows,
  instanceNorm,
  scaledDifference,
  standardize,
} from '../../../engine/ops/groupNorm.ts';
import {
  type CrossEntropyOptions,
  classTargets,
  crossEntropy,
  type lossRows,
  nllLoss,
  weighted,
} from '../../../engine/ops/losses.ts';
import { gumbelMax, type samplingRows } from '../../../engine/ops/sampling.ts';
import {
  logSoftmax,
  logSoftmaxGrad,
  softmax,
  type softmaxFused,
  softmaxGrad,
  softmaxOrZero,
  type softmaxRows,
} from '../../../engine/ops/softmax.ts';
import { show } from '../../../engine/tensor/shape.ts';
import { binary, type Case, type CasesOf, exact, FEW, kink, made, positive, RANDOM, text } from '../builders.ts';

const AXES: readonly (readonly [Shape, number, Partial<Case>?])[] = [
  [[3], 0],
  [[2, 3, 4], 1],
  [[3, 5], -1],
  [[3, 5], 0],
  [[5, 1], 1],
  [[0, 3], 1],
  [[3, 0], 1],
  [[33, 65], 1],
  [[33, 65], 0],
  [[2, 1000], 1],
  [[3, 257, 8], 1],
];

const along = (fn: (x: Tensor, axis: number) => Tensor): Case[] =>
  AXES.map(([shape, axis]) => ({
    name: `${show(shape)} over ${axis}`,
    inputs: [{ shape }],
    fn: (x) => fn(x, axis),
  }));

const alongGrad = (fn: (g: Tensor, y: Tensor, axis: number) => Tensor): Case[] =>
  AXES.map(([shape, axis]) => ({
    name: `${show(shape)} over ${axis}`,
    inputs: [{ shape }, { shape, from: 0.1, to: 1 }],
    fn: (g, y) => fn(g, y, axis < 0 ? axis + shape.length : axis),
    tolerance: 5e-5,
  }));

/** 1, 0, 1, 0, 0 and so on from the last axis on, and rows of zeros alone. */
const seenIn = (shape: Shape): Tensor => {
  const k = shape[shape.length - 1] ?? 1;
  const all = shape.reduce((n, d) => n * d, 1);
  return tensor(
    Array.from({ length: all }, (_, i) => (Math.floor(i / k) % 3 === 1 || i % 5 > 2 ? 0 : (i + 1) % 2)),
    { shape },
  );
};

const indices = (...list: number[]): Tensor => tensor(list);

const affineOf = (c: number): Case['inputs'] => [{ shape: [c], from: 0.5, to: 2 }, { shape: [c] }];

const instances = (shape: Shape, more: Partial<Case> = {}): Case => ({
  name: show(shape),
  inputs: [{ shape, from: -1, to: 3 }, ...affineOf(shape[shape.length - 1]!)],
  fn: (x, weight, bias) => instanceNorm(x, { weight, bias }),
  ...more,
});

const groupsOf = (shape: Shape, groups: number, more: Partial<Case> = {}): Case => ({
  name: `${show(shape)}, ${groups} groups`,
  inputs: [{ shape, from: -1, to: 3 }, ...affineOf(shape[shape.length - 1]!)],
  fn: (x, weight, bias) => groupNorm(x, groups, { weight, bias }),
  ...more,
});

/** Of the rows of softmax, losses, group norm, attention and sampling. */
export const headCases: CasesOf<
  typeof softmaxRows &
    typeof softmaxFused &
    typeof lossRows &
    typeof binaryLossRows &
    typeof binaryLossFused &
    typeof groupNormFused &
    typeof attentionRows &
    typeof groupNormRows &
    typeof samplingRows
> = {
  softmax: [{ name: 'a scalar', inputs: [{ shape: [] }], fn: (x) => softmax(x) }, ...along(softmax)],
  softmaxOrZero: [[3], [3, 5], [6, 4], [0, 3], [3, 0], [33, 65], [5, 1000]].map((shape) => ({
    name: show(shape),
    inputs: [{ shape }],
    fn: (x) => softmaxOrZero(hide(x, seenIn(shape))),
  })),
  softmaxGrad: alongGrad(softmaxGrad),
  logSoftmax: along(logSoftmax),
  logSoftmaxGrad: alongGrad(logSoftmaxGrad),
  weighted: binary(weighted, kink, {}, FEW),
  classTargets: [
    made('three of three', () => classTargets(indices(0, 2, 1), 3), 0),
    made('smoothed', () => classTargets(indices(4, 0), 5, 0.1), 1e-6),
    made('none', () => classTargets(tensor([], { shape: [0] }), 3), 0),
  ],
  bceLogits: binary(bceLogits, {}, { from: 0, to: 1 }, FEW),
  bceProbabilities: binary(bceProbabilities, { from: 0.05, to: 0.95 }, { from: 0, to: 1 }, FEW),
  bceLogitsGrad: [[3], [2, 3], [33, 65]].map((shape) => ({
    name: show(shape),
    inputs: [{ shape }, { shape }, { shape }],
    fn: (g, x, t) => bceLogitsGrad(g, x, t),
  })),
  instanceNorm: [instances([2, 3, 2]), instances([1, 2, 2, 3]), instances([3, 5, 5, 8]), instances([2, 7, 7, 17])],
  groupNorm: [
    groupsOf([1, 3, 4], 2),
    groupsOf([2, 4], 2, { tolerance: 5e-5 }),
    groupsOf([2, 5, 5, 6], 3),
    groupsOf([3, 7, 7, 64], 8),
    groupsOf([2, 3, 3, 5], 1),
    groupsOf([2, 3, 3, 5], 5),
  ],
  scaledDifference: [[3], [2, 3], [5, 8], [33, 65]].map((shape) => {
    const c = [shape[shape.length - 1]!];
    return {
      name: show(shape),
      inputs: [{ shape }, { shape: c }, { shape: c }],
      fn: (x, m, s) => scaledDifference(x, m, s),
    };
  }),
  standardize: [[3], [2, 3], [5, 8], [33, 65]].map((shape) => {
    const c = [shape[shape.length - 1]!];
    return {
      name: show(shape),
      inputs: [{ shape }, { shape: c }, { shape: c }, { shape: c }],
      fn: (x, m, s, b) => standardize(x, m, s, b),
    };
  }),
  // The exponential, since -Infinity has no distance from -Infinity.
  hide: binary((x, m) => hide(x, seenIn(m.shape)).exp(), {}, {}, FEW),
  causal: [
    [1, 1],
    [3, 3],
    [2, 3, 5],
    [5, 3],
    [0, 3],
    [2, 33, 65],
  ].map((shape) => ({
    name: show(shape),
    inputs: [{ shape }],
    fn: (x) => causal(x, -2),
    tolerance: 0,
  })),
  truncatedNormal: [
    ...RANDOM.map((shape) => made(show(shape), () => new Rng(7).truncatedNormal(shape), 5e-6)),
    made('a tail', () => new Rng(7).truncatedNormal([65], { low: 2, high: 5 }), 1e-5),
    made('a lower tail', () => new Rng(7).truncatedNormal([65], { mean: 1, std: 0.5, low: -1, high: 0 }), 1e-5),
    made('one side', () => new Rng(7).truncatedNormal([65], { low: 1, high: Number.POSITIVE_INFINITY }), 1e-5),
  ],
  gumbelMax: [
    made('[5,3]', () => gumbelMax(new Rng(8).normal([5, 3]), new Rng(7).uniform([5, 3])), 0),
    made('[2,17,33]', () => gumbelMax(new Rng(8).normal([2, 17, 33]), new Rng(7).uniform([2, 17, 33])), 0),
    made('[0,3]', () => gumbelMax(new Rng(8).normal([0, 3]), new Rng(7).uniform([0, 3])), 0),
  ],
};

const entropies = (shape: Shape, options: CrossEntropyOptions = {}): Case => ({
  name: `indices, ${show(shape)}${text(options)}`,
  inputs: [{ shape }],
  fn: (x) => {
    const c = shape[shape.length - 1]!;
    const n = x.size / c;
    const index = Array.from({ length: n }, (_, i) => (i * 7) % c);
    return crossEntropy(x, tensor(index, { shape: shape.slice(0, -1) }), options);
  },
});

const attends = (q: Shape, k: Shape, v: Shape, options: AttentionOptions = {}): Case => ({
  name: `${show(q)} ${show(k)} ${show(v)}${text(options)}`,
  inputs: [{ shape: q }, { shape: k }, { shape: v }],
  fn: (a, b, c) => scaledDotProductAttention(a, b, c, options),
  tolerance: 2e-5,
});

export const headCompositions: Readonly<Record<string, readonly Case[]>> = {
  crossEntropy: [
    entropies([2, 3]),
    entropies([3]),
    entropies([2, 2, 5], { labelSmoothing: 0.1, reduction: 'none' }),
    entropies([17, 33], { reduction: 'sum' }),
    {
      name: 'probabilities, [2,3]',
      inputs: [{ shape: [2, 3] }, { shape: [2, 3], ...positive }],
      fn: (x, q) => crossEntropy(x, q, { labelSmoothing: 0.2 }),
    },
    {
      name: 'weights and an index to ignore, [3,4]',
      inputs: [{ shape: [3, 4] }, { shape: [4], ...positive }],
      fn: (x, weight) => crossEntropy(x, tensor([2, 9, 0]), { weight, ignoreIndex: 9, labelSmoothing: 0.1 }),
    },
  ],
  nllLoss: [
    {
      name: '[2,3]',
      inputs: [{ shape: [2, 3] }],
      fn: (x) => nllLoss(x, tensor([2, 0])),
    },
  ],
  binaryCrossEntropy: [
    {
      name: '[2,3], a weight for each row',
      inputs: [
        { shape: [2, 3], from: 0.05, to: 0.95 },
        { shape: [2, 3], from: 0, to: 1 },
        { shape: [2, 1], ...positive },
      ],
      fn: (x, t, weight) => binaryCrossEntropy(x, t, { weight }),
    },
  ],
  binaryCrossEntropyWithLogits: [
    {
      name: '[5]',
      inputs: [{ shape: [5] }, { shape: [5], from: 0, to: 1 }],
      fn: (x, t) => binaryCrossEntropyWithLogits(x, t),
    },
    {
      name: '[2,3], a weight for each column, none',
      inputs: [{ shape: [2, 3] }, { shape: [2, 3], from: 0, to: 1 }, { shape: [3], ...positive }],
      fn: (x, t, posWeight) => binaryCrossEntropyWithLogits(x, t, { posWeight, reduction: 'none' }),
    },
    {
      name: '[17], weight 3, sum',
      inputs: [{ shape: [17] }, { shape: [17], from: 0, to: 1 }],
      fn: (x, t) => binaryCrossEntropyWithLogits(x, t, { posWeight: 3, reduction: 'sum' }),
    },
  ],
  'instanceNorm and groupNorm, without affine': [
    { name: 'instance', inputs: [{ shape: [2, 3, 2] }], fn: (x) => instanceNorm(x, { eps: 1e-2 }), tolerance: 5e-5 },
    { name: 'group', inputs: [{ shape: [2, 3, 4] }], fn: (x) => groupNorm(x, 2), tolerance: 5e-5 },
  ],
  'the gradient of groupNorm': [
    {
      name: '[2,3,3,6], 3 groups',
      inputs: [{ shape: [2, 3, 3, 6], from: -1, to: 3 }, ...affineOf(6), { shape: [2, 3, 3, 6] }],
      fn: (x, weight, bias, g) =>
        grad(groupNorm(x, 3, { weight, bias }), [x, weight], { gradOutputs: [g], createGraph: true }),
      tolerance: 5e-5,
    },
  ],
  batchNormInference: [
    {
      name: '[3,2]',
      inputs: [{ shape: [3, 2] }, { shape: [2] }, { shape: [2], ...positive }, ...affineOf(2)],
      fn: (x, mean, variance, weight, bias) => batchNormInference(x, mean, variance, { weight, bias }),
    },
    {
      name: '[2,5,5,17], without affine',
      inputs: [{ shape: [2, 5, 5, 17] }, { shape: [17] }, { shape: [17], ...positive }],
      fn: (x, mean, variance) => batchNormInference(x, mean, variance),
    },
  ],
  dropout: [[5], [33, 65]].map((shape) => ({
    name: show(shape),
    inputs: [{ shape }],
    fn: (x) => dropout(x, 0.3, new Rng(3)),
  })),
  attentionWeights: [
    ...[
      [2, 3],
      [2, 2, 3, 3],
      [3, 17, 33],
    ].map(
      (shape): Case => ({
        name: `${show(shape)}, causal`,
        inputs: [{ shape }],
        fn: (scores) => attentionWeights(scores, { causal: true }),
        tolerance: 2e-5,
      }),
    ),
    {
      name: 'a mask, in which one query sees nothing, and a bias',
      inputs: [{ shape: [2, 3] }, { shape: [2, 3] }],
      fn: (scores, bias) => attentionWeights(scores, { bias, mask: tensor([1, 0, 1, 0, 0, 0], { shape: [2, 3] }) }),
      tolerance: 2e-5,
    },
  ],
  scaledDotProductAttention: [
    attends([2, 3], [4, 3], [4, 2]),
    attends([2, 3, 2], [2, 3, 2], [2, 3, 1], { causal: true }),
    attends([2, 1, 3, 2], [4, 2], [4, 3], { scale: 0.3 }),
    attends([2, 3, 17, 8], [2, 3, 33, 8], [2, 3, 33, 5], { causal: true }),
    {
      name: 'a mask and a bias',
      inputs: [{ shape: [2, 3] }, { shape: [3, 3] }, { shape: [3, 2] }, { shape: [2, 3] }],
      fn: (q, k, v, bias) =>
        scaledDotProductAttention(q, k, v, { bias, mask: tensor([1, 0, 1, 0, 0, 1], { shape: [2, 3] }) }),
      tolerance: 2e-5,
    },
  ],
  'bernoulli, categorical and permutation': exact([
    made('bernoulli', () => new Rng(7).bernoulli([33, 65], 0.3), 0),
    made('categorical', () => new Rng(7).categorical(new Rng(8).normal([5, 4]), 17), 0),
    made('permutation', () => new Rng(7).permutation(65), 0),
  ]),
};
