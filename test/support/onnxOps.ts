/** A function for each row of the ONNX mapping table, or several: by what they show, with the inputs that they take. */
import * as e from '../../engine/index.ts';
import type { Agreement, Input } from './onnx.ts';

type T = e.Tensor;

/** What is exported and compared. */
export interface OnnxCase {
  readonly fn: (...x: T[]) => T | T[];
  readonly inputs: readonly Input[];
  readonly agreement?: Agreement;
}

const rng = new e.Rng(5);
const IMAGE = [2, 4, 6, 4];
const cases: Record<string, OnnxCase> = {};

/** Functions of an image. */
const ofImage = (fns: Record<string, (x: T) => T | T[]>, agreement: Agreement = {}): void => {
  for (const [name, fn] of Object.entries(fns)) cases[name] = { fn, inputs: [IMAGE], agreement };
};
const of = (name: string, inputs: readonly Input[], fn: OnnxCase['fn'], agreement: Agreement = {}): void => {
  cases[name] = { fn, inputs, agreement };
};
const fixed = { fixed: true } as const;
/** A constant, the same in each run. */
const weight = (...shape: number[]): T => e.keep(e.withDevice(e.reference, () => rng.normal(shape)));

ofImage({
  affine: (x) => x.mul(2).add(1).mul(-1),
  'affine that does nothing': (x) => e.clone(x),
  divScalar: (x) => x.div(3),
  neg: (x) => x.neg(),
  square: (x) => x.square(),
  sqrt: (x) => x.abs().sqrt(),
  rsqrt: (x) => x.abs().add(0.1).rsqrt(),
  reciprocal: (x) => x.abs().add(0.5).reciprocal(),
  exp: (x) => x.exp(),
  expm1: (x) => x.expm1(),
  log: (x) => x.abs().add(0.1).log(),
  log1p: (x) => x.abs().log1p(),
  sign: (x) => x.sign(),
  abs: (x) => x.abs(),
  sin: (x) => x.sin(),
  cos: (x) => x.cos(),
  tan: (x) => x.tanh().tan(),
  sinh: (x) => x.sinh(),
  cosh: (x) => x.cosh(),
  atan: (x) => x.atan(),
  erf: (x) => x.erf(),
  floor: (x) => x.mul(3).floor(),
  ceil: (x) => x.mul(3).ceil(),
  round: (x) => x.mul(3).round(),
  'powScalar, whole': (x) => x.pow(3),
  powScalar: (x) => x.abs().add(0.1).pow(1.7),
  isNaN: (x) => e.isNaN(x.log()),
  isFinite: (x) => e.isFinite(x.relu().log()),
  clamp: (x) => x.clamp(-0.5, 0.7),
  'clamp below': (x) => x.clamp(0.1),
  'clamp above': (x) => x.clamp(null, 0.3),
  'clamp without bounds': (x) => x.clamp(),
  tanh: (x) => x.tanh(),
  sigmoid: (x) => x.sigmoid(),
  relu: (x) => x.relu(),
  leakyRelu: (x) => x.leakyRelu(0.2),
  elu: (x) => e.elu(x, 0.7),
  selu: (x) => e.selu(x),
  silu: (x) => e.silu(x),
  gelu: (x) => e.gelu(x),
  'gelu by tanh': (x) => e.gelu(x, { approximate: 'tanh' }),
  softplus: (x) => e.softplus(x.mul(10)),
  'softplus with a threshold': (x) => e.softplus(x, { beta: 2, threshold: 1 }),
  logSigmoid: (x) => e.logSigmoid(x.mul(5)),
  hardtanh: (x) => e.hardtanh(x),
  relu6: (x) => e.relu6(x.mul(5)),
  logicalNot: (x) => e.logicalNot(x.relu()),
  'norm of order 3 (absPow)': (x) => e.norm(x, 3, -1),
  'norm (root)': (x) => e.norm(x, 2, [1, 2]),
  'logSumExp (finiteOrZero)': (x) => e.logSumExp(x.mul(50), -1),
  'numbers on the left': (x) => e.sub(2, x).add(e.div(1, x.square().add(1))),
});

const preluWeights = { number: weight(), channels: weight(4), places: weight(6, 1), larger: weight(3, 1, 4, 6, 4) };
for (const [name, w] of Object.entries(preluWeights)) of(`prelu, ${name}`, [IMAGE], (x) => e.prelu(x, w));

const binary: Record<string, (a: T, b: T) => T> = {
  add: e.add,
  sub: e.sub,
  mul: e.mul,
  maximum: e.maximum,
  minimum: e.minimum,
  atan2: e.atan2,
  div: (a, b) => a.div(b.abs().add(0.5)),
  pow: (a, b) => e.pow(a.abs().add(0.2), b),
  remainder: (a, b) => e.remainder(a.mul(3), b.abs().add(0.5)),
  equal: (a, b) => e.equal(a.round(), b.round()),
  notEqual: (a, b) => e.notEqual(a.round(), b.round()),
  less: e.less,
  lessEqual: (a, b) => e.lessEqual(a.round(), b.round()),
  greater: e.greater,
  greaterEqual: (a, b) => e.greaterEqual(a.round(), b.round()),
  logicalAnd: (a, b) => e.logicalAnd(a.relu(), b.relu()),
  logicalOr: (a, b) => e.logicalOr(a.relu(), b.relu()),
  logicalXor: (a, b) => e.logicalXor(a.relu(), b.relu()),
  where: (a, b) => e.where(a.greater(0), b, a.mul(2)),
};
for (const [name, fn] of Object.entries(binary)) of(name, [IMAGE, [2, 4, 1, 4]], (a, b) => fn(a, b));
for (const shape of [[4], [6, 1], [6, 4], [4, 6, 4], [1, 1, 1, 1], [1, 4, 1, 4], [3, 1, 4, 6, 4]]) {
  const w = weight(...shape);
  of(`broadcasting against [${shape}]`, [IMAGE], (x) => e.add(w, x).mul(w));
}
of('where a scalar is an input', [[2], [2]], (a, b) => a.mul(b).sum());
of('atan2 at the origin', [[2, 3]], (x) => e.atan2(x.sign().add(x.sign().neg()), x.relu().sign()));

ofImage({
  'reshape, places': (x) => x.reshape([x.shape[0]!, 24, 4]),
  'reshape, channels': (x) => x.reshape([x.shape[0]!, 4, 24]),
  'reshape, flat': (x) => x.reshape([x.shape[0]!, -1]),
  'reshape, batch and places': (x) => x.reshape([x.shape[0]! * 24, 4]),
  'reshape to places of size 1': (x) => x.mean([1, 2]).reshape([x.shape[0]!, 1, 1, 4]),
  'permute to channels first': (x) => x.permute([0, 3, 1, 2]),
  'permute there and back': (x) => x.permute([0, 3, 1, 2]).exp().permute([0, 2, 3, 1]).tanh(),
  'permute to channels last': (x) => x.permute([0, 2, 3, 1]),
  'permute all': (x) => x.permute([0, 2, 1, 3]).add(1),
  slice: (x) => x.slice([[], [1, 3], [null, null, 2], [null, null, -1]]),
  'slice, backwards to the first': (x) => x.slice([[], [2, null, -1]]),
  'flip of the batch': (x) => e.flip(x, 0),
  split: (x) => e.split(x, [1, 3], -1).map((t) => t.mul(2)),
  unslice: (x) =>
    e.pad(x, [
      [0, 0],
      [1, 2],
      [0, 0],
      [3, 0],
    ]),
  'pad that cuts': (x) =>
    e.pad(x, [
      [0, 0],
      [-1, 2],
    ]),
  'pad with a value': (x) =>
    e.pad(
      x,
      [
        [0, 0],
        [1, 1],
        [2, 0],
      ],
      { value: 3 },
    ),
  'pad, reflect': (x) =>
    e.pad(
      x,
      [
        [0, 0],
        [1, 2],
        [3, 1],
      ],
      { mode: 'reflect' },
    ),
  'pad, replicate': (x) =>
    e.pad(
      x,
      [
        [0, 0],
        [1, 2],
        [3, 1],
      ],
      { mode: 'replicate' },
    ),
  'pad, circular': (x) =>
    e.pad(
      x,
      [
        [0, 0],
        [1, 2],
        [3, 1],
      ],
      { mode: 'circular' },
    ),
  'concat of channels': (x) => e.concat([x, x.mul(2)], -1),
  'concat of rows': (x) => e.concat([x, x.exp(), x], 1),
  'concat with a constant': (x) => e.concat([x, e.ones([x.shape[0]!, 4, 6, 1])], 3),
  stack: (x) => e.stack([x, x.exp()], 1),
  'tile (broadcastTo)': (x) => e.tile(x, [1, 2, 1, 3]),
  broadcastTo: (x) => e.broadcastTo(x.mean([1, 2], { keepDims: true }), x.shape),
  'broadcastTo, more axes': (x) => e.broadcastTo(x.mean([0, 1, 2]), [x.shape[0]!, 3, 4]),
  'broadcastTo the same': (x) => e.broadcastTo(x, x.shape).exp(),
  repeatInterleave: (x) => e.repeatInterleave(x, 2, 2),
  roll: (x) => e.roll(x, [1, -2], [1, 3]),
  'fill, with the batch': (x) => x.mul(e.full([x.shape[0]!, 1, 1, 1], 1.5)),
  'shapes that grow with the batch twice': (x) => e.ones([x.shape[0]! * 2 + 1, x.shape[0]!]).mul(x.sum()),
  depthToSpace: (x) => e.depthToSpace(x, 2).add(1),
  spaceToDepth: (x) => e.spaceToDepth(x, 2).add(1),
  tril: (x) => e.tril(x, 1),
  triu: (x) => e.triu(x.reshape([x.shape[0]!, 8, 12]), -2),
  sum: (x) => [x.sum(), x.sum(-1), x.sum([1, 3]), x.sum([1, 2], { keepDims: true }), x.sum(0), x.sum([])],
  mean: (x) => [x.mean(), x.mean([1, 2]), x.mean(2), x.mean(-1, { keepDims: true }), x.mean(0)],
  max: (x) => [x.max(), x.max([1, 2]), x.max(2), x.max(-1, { keepDims: true })],
  min: (x) => [x.min(), x.min([1, 2]), x.min([0, 2])],
  prod: (x) => [e.prod(x, [1, 2]), e.prod(x, -1, { keepDims: true })],
  'any and all': (x) => [e.any(x.relu(), -1), e.all(x.relu(), 1)],
  std: (x) => e.std(x, [1, 2], { correction: 1 }),
  argmax: (x) => [x.argmax(-1), x.argmax(1, { keepDims: true })],
  argmin: (x) => [x.argmin(2), x.argmin(0)],
  cumsum: (x) => [e.cumsum(x, 1), e.cumsum(x, -1, { reverse: true })],
  argsort: (x) => [e.argsort(x, -1), e.argsort(x, 1, { descending: true })],
  'sort and topk (gather)': (x) => [e.sort(x, 2).values, e.topk(x, 2, 1).values],
  softmax: (x) => [e.softmax(x), e.softmax(x, 1)],
  logSoftmax: (x) => [e.logSoftmax(x), e.logSoftmax(x, 2)],
});
of('depthToSpace to several channels', [[2, 3, 2, 8]], (x) => e.depthToSpace(x, 2));
of('spaceToDepth of a wide image', [[2, 2, 6, 3]], (x) => e.spaceToDepth(x, 2));
of('roll of the batch', [IMAGE], (x) => e.roll(x, 1, 0), fixed);
of('argsort along the batch', [[3, 4]], (x) => e.argsort(x, 0));

const square = weight(4, 4);
of('matmul', [[2, 3, 4]], (x) => x.matmul(square));
of('matmul of matrices', [[3, 4]], (x) => [x.matmul(square), x.matmul(square, { transposeB: true })]);
of('matmul, transposed by both', [[3, 4]], (x) => [
  e.matmul(x, x, { transposeA: true }),
  e.matmul(x, x, { transposeB: true }),
]);
of(
  'matmul of batches',
  [
    [2, 3, 4, 5],
    [2, 3, 5, 2],
  ],
  (a, b) => [a.matmul(b), a.matmul(b.mean(0))],
);
of(
  'matmul of batches, transposed',
  [
    [2, 3, 5, 4],
    [2, 3, 2, 5],
  ],
  (a, b) => e.matmul(a, b, { transposeA: true, transposeB: true }),
);
of('matmul of a transposed constant', [[2, 4, 3]], (x) => e.matmul(x, weight5, { transposeA: true, transposeB: true }));
const weight5 = weight(2, 4);
of(
  'einsum',
  [
    [2, 3, 4],
    [2, 5, 4],
  ],
  (q, k) => e.einsum('bqd,bkd->bqk', q, k),
);
of('attention (causal)', [[2, 2, 5, 4]], (x) => e.scaledDotProductAttention(x, x.mul(0.5), x.exp(), { causal: true }));
const seen = e.keep(e.withDevice(e.reference, () => e.tensor([[1, 1, 0, 1, 0]])));
of('attention with a mask', [[2, 5, 4]], (x) => e.scaledDotProductAttention(x, x, x, { mask: seen }));

const convs: Record<string, [number[], e.Conv2dOptions]> = {
  plain: [[3, 3, 4, 5], {}],
  strided: [[4, 4, 4, 3], { stride: 2, padding: 1 }],
  'of unequal axes': [[3, 2, 4, 3], { stride: [1, 2], padding: [2, 0], dilation: [2, 1] }],
  'same, more behind than before': [[2, 4, 4, 3], { padding: 'same' }],
  grouped: [[3, 3, 2, 6], { groups: 2, padding: 1 }],
};
for (const [name, [shape, options]] of Object.entries(convs)) {
  const [w, b] = [weight(...shape), weight(shape[3]!)];
  of(`conv2d, ${name}`, [IMAGE], (x) => e.conv2d(x, w, options).add(b));
}
const transposed: Record<string, [number[], e.ConvTranspose2dOptions]> = {
  plain: [[3, 3, 5, 4], {}],
  strided: [[4, 4, 3, 4], { stride: 2, padding: 1 }],
  'with outputPadding': [[3, 3, 3, 4], { stride: [2, 3], padding: 1, outputPadding: [1, 2] }],
  'grouped and dilated': [[3, 2, 3, 4], { groups: 2, dilation: 2 }],
};
for (const [name, [shape, options]] of Object.entries(transposed)) {
  const w = weight(...shape);
  of(`convTranspose2d, ${name}`, [IMAGE], (y) => e.convTranspose2d(y, w, options));
}
const line = weight(3, 4, 4);
of('conv1d', [[2, 9, 4]], (x) => e.conv1d(e.conv1d(x, line, { stride: 2 }).relu(), line, { padding: 1 }));
of('convTranspose1d', [[2, 5, 4]], (x) => e.convTranspose1d(x, line, { stride: 2, padding: 1, outputPadding: 1 }));
const [volume, deep] = [weight(3, 2, 2, 2, 4), weight(2, 3, 2, 1, 4)];
of('conv3d', [[2, 5, 4, 4, 2]], (x) => e.conv3d(x, volume, { stride: [2, 1, 1], padding: [1, 0, 1] }));
of('conv3d, grouped', [[2, 4, 5, 4, 2]], (x) => e.conv3d(x, deep, { groups: 2, padding: 'same' }));
of('convTranspose3d', [[2, 3, 3, 3, 4]], (x) => e.convTranspose3d(x, volume, { stride: 2, outputPadding: [1, 0, 0] }));
of('conv2d with a weight that is worked out', [IMAGE, [2, 3]], (x, z) =>
  e.conv2d(x, z.mean(0).reshape([1, 1, 1, 3]).broadcastTo([2, 2, 4, 3])),
);

const table = weight(7, 3);
of('embedding (take)', [{ shape: [2, 5], below: 7 }], (i) => e.embedding(table, i));
of('indexSelect', [[2, 5, 3]], (x) => e.indexSelect(x, e.tensor([4, 0, 4]), 1));
of('gather', [[2, 5, 3], { shape: [2, 2, 3], below: 5 }], (x, i) => e.gather(x, 1, i));
of('oneHot (scatter)', [{ shape: [2, 3], below: 4 }], (i) => e.oneHot(i, 4));
of('scatterAdd', [[2, 5, 3], { shape: [2, 4, 3], below: 5 }, [2, 4, 3]], (x, i, s) => e.scatterAdd(x, 1, i, s));

const [gamma, beta] = [weight(4), weight(4)];
const [whole, shift] = [weight(4, 6, 4), weight(4, 6, 4)];
const [rows, rowShift] = [weight(6, 4), weight(6, 4)];
ofImage({
  batchNorm: (x) => e.batchNorm(x, gamma, beta).y,
  layerNorm: (x) => e.layerNorm(x, gamma, beta),
  'layerNorm over two axes': (x) => e.layerNorm(x, rows, rowShift, { axes: [-2, -1], eps: 1e-3 }),
  'layerNorm over all axes': (x) => e.layerNorm(x, whole, shift, { axes: [1, 2, 3] }),
  groupNorm: (x) => e.groupNorm(x, 2, { weight: gamma, bias: beta }),
  'groupNorm without weights': (x) => e.groupNorm(x, 4, { eps: 1e-2 }),
  instanceNorm: (x) => e.instanceNorm(x, { weight: gamma, bias: beta }),
  batchNormInference: (x) => e.batchNormInference(x, gamma, beta.abs(), { weight: beta, bias: gamma }),
  'batchNormInference without weights': (x) => e.batchNormInference(x, gamma, beta.abs()),
});
of('layerNorm of rows', [[3, 4]], (x) => e.layerNorm(x, gamma, beta));
of('groupNorm of vectors', [[3, 4]], (x) => e.groupNorm(x, 2, { weight: gamma, bias: beta }));
of('instanceNorm of sequences', [[2, 7, 4]], (x) => e.instanceNorm(x));

ofImage({
  'maxPool2d (poolGather)': (x) => e.maxPool2d(x, 2),
  'maxPool2d, padded': (x) => e.maxPool2d(x, [3, 2], { stride: [2, 1], padding: 1 }),
  'maxPool2d, ceilMode': (x) => e.maxPool2d(x, 3, { stride: 2, ceilMode: true }),
  'maxPool2d, dilated': (x) => e.maxPool2d(x, 2, { dilation: 2, stride: 1, padding: 1 }),
  adaptiveMaxPool2d: (x) => e.adaptiveMaxPool2d(x, [2, 3]),
  'adaptiveMaxPool2d, uneven': (x) => e.adaptiveMaxPool2d(x, [3, 4]),
  avgPool2d: (x) => e.avgPool2d(x, 2),
  'avgPool2d, padded': (x) => e.avgPool2d(x, 3, { stride: 2, padding: 1 }),
  'avgPool2d, padding not counted': (x) => e.avgPool2d(x, 3, { padding: 1, stride: 2, countIncludePad: false }),
  'avgPool2d, ceilMode': (x) => e.avgPool2d(x, 3, { stride: 2, ceilMode: true }),
  'avgPool2d, ceilMode and padded': (x) => e.avgPool2d(x, [2, 3], { stride: 3, padding: 1, ceilMode: true }),
  adaptiveAvgPool2d: (x) => e.adaptiveAvgPool2d(x, [2, 3]),
  'adaptiveAvgPool2d, uneven': (x) => e.adaptiveAvgPool2d(x, [3, 4]),
  globalAvgPool: (x) => e.globalAvgPool(x),
  resizeNearest: (x) => e.resizeNearest(x, { scale: 2 }),
  'resizeNearest, uneven': (x) => e.resizeNearest(x, { size: [5, 11] }),
  resizeBilinear: (x) => e.resizeBilinear(x, { scale: 2 }),
  'resizeBilinear, uneven': (x) => e.resizeBilinear(x, { size: [5, 4] }),
  'resizeBilinear, corners': (x) => e.resizeBilinear(x, { size: [7, 12], alignCorners: true }),
  'resizeBilinear, one axis': (x) => e.resizeBilinear(x, { size: [4, 9] }),
});
of('maxPool1d', [[2, 9, 4]], (x) => e.maxPool1d(x, 3, { stride: 2 }));
of('avgPool1d', [[2, 9, 4]], (x) => e.avgPool1d(x, 3, { padding: 1 }));

/** By name. */
export const onnxCases: Readonly<Record<string, OnnxCase>> = cases;
