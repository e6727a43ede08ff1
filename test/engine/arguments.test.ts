/**
 * Every public function and method of the engine, called as plain JavaScript may call it: with too few arguments and too many, with
 * misspelt options, with values of other kinds. Each such call must throw, and the message begin with the name that was called. A new
 * export needs a row in `right`.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as engine from '../../engine/index.ts';
import * as internal from '../../engine/internal.ts';
import { shown } from '../../engine/internal.ts';
import { methodNames } from '../../engine/tensor/methods.ts';

const test = suite('arguments');
await engine.init({ adapter: 'reference' });

// biome-ignore lint/suspicious/noExplicitAny: calls as JavaScript makes them, without types
type Loose = any;

const { tensor, zeros, ones } = engine;
const x = tensor(
  [
    [4, 1],
    [1, 3],
  ],
  { requiresGrad: true },
);
const index = zeros([2, 2]);
const v = ones([2]);
const sequence = ones([1, 4, 2]);
const image = ones([1, 4, 4, 2]);
const volume = ones([1, 4, 4, 4, 2]);
const total = (t: engine.Tensor) => t.sum();
const fresh = () => x.square().sum();

const rows = (names: string, ...args: readonly unknown[]) =>
  Object.fromEntries(names.split(' ').map((name) => [name, args]));

/** All arguments but options, for each function; those that could be left out too. */
const right: Readonly<Record<string, readonly unknown[] | (() => readonly unknown[])>> = {
  ...rows(
    'abs atan ceil cos cosh erf exp expm1 floor isFinite isNaN log log1p logSigmoid logicalNot neg reciprocal relu',
    x,
  ),
  ...rows('round rsqrt sigmoid sign silu sin sinh sqrt square tan tanh', x),
  ...rows(
    'add atan2 div equal greater greaterEqual less lessEqual logicalAnd logicalOr logicalXor maximum minimum',
    x,
    x,
  ),
  ...rows('mul notEqual pow remainder sub', x, x),
  ...rows('cholesky clone eigh gelu globalAvgPool instanceNorm qr relu6 selu softplus trilInverse', x),
  ...{ globalAvgPool: [image], instanceNorm: [image], groupNorm: [image, 1], batchNormInference: [x, v, v] },
  ...{ batchNorm: [x, v, v], layerNorm: [x, v, v] },
  ...rows('all any flip logSumExp max mean min prod squeeze std sum variance', x, 0),
  ...rows('argmax argmin argsort cumprod cumsum logSoftmax softmax sort unsqueeze', x, 0),
  ...{ norm: [x, 2, 0], topk: [x, 1, 0], linearScan: [x, x, 0] },
  ...{ clamp: [x, 0, 1], hardtanh: [x, 0, 1], elu: [x, 1], leakyRelu: [x, 0.2], prelu: [x, v] },
  ...{ where: [x, x, x], matmul: [x, x], outer: [v, v], dot: [v, v], einsum: ['ij,jk->ik', x, x] },
  ...rows('powerIteration spectralNorm', x, v),
  ...{ reshape: [x, [4]], broadcastTo: [x, [2, 2]], permute: [x, [1, 0]], transpose: [x, 0, 1], slice: [x, [[0, 1]]] },
  ...{ concat: [[x, x], 0], stack: [[x, x], 0], split: [x, 1, 0], chunk: [x, 2, 0], pad: [x, [[1, 1]]] },
  ...{ tile: [x, [1, 2]], repeat: [x, [1, 2]], repeatInterleave: [x, 2, 0], roll: [x, 1, 0] },
  ...{ diag: [x, 0], tril: [x, 0], triu: [x, 0], depthToSpace: [image, 1], spaceToDepth: [image, 2] },
  ...{ gather: [x, 0, index], scatterAdd: [x, 0, index, x], take: [x, index, 0], indexSelect: [x, zeros([1]), 0] },
  ...{ embedding: [x, index], oneHot: [index, 2], checkIndices: ['checkIndices', index, 2] },
  ...{ conv1d: [sequence, ones([1, 2, 2])], convTranspose1d: [sequence, ones([1, 2, 2])] },
  ...{ conv1dWeight: [sequence, sequence, 1], conv2dWeight: [image, image, [1, 1]] },
  ...{ conv2d: [image, ones([1, 1, 2, 2])], convTranspose2d: [image, ones([1, 1, 2, 2])] },
  ...{ conv3d: [volume, ones([1, 1, 1, 2, 2])], convTranspose3d: [volume, ones([1, 1, 1, 2, 2])] },
  ...{ conv3dWeight: [volume, volume, [1, 1, 1]], convMatrix: [ones([1, 1, 1, 1]), [2, 2]] },
  ...rows('avgPool1d maxPool1d adaptiveAvgPool1d adaptiveMaxPool1d', sequence, 2),
  ...rows('avgPool2d maxPool2d adaptiveAvgPool2d adaptiveMaxPool2d', image, 2),
  ...{ gridSample: [image, zeros([1, 1, 1, 2])] },
  ...{ scaledDotProductAttention: [x, x, x], attentionWeights: [x] },
  ...rows('binaryCrossEntropy binaryCrossEntropyWithLogits', zeros([2]), v),
  ...rows('crossEntropy nllLoss', x, zeros([2])),
  ...{ dropout: [x, 0.5, new engine.Rng(1)] },
  ...{ full: [[2], 1], ones: [[2]], zeros: [[2]], rand: [[2]], randn: [[2]], tensor: [[1]], manualSeed: [0] },
  ...{ arange: [0, 3, 1], linspace: [0, 1, 3], eye: [2, 3], fullLike: [x, 1], randint: [0, 5, [2]] },
  ...rows('onesLike zerosLike', x),
  ...{ clampInPlace: [zeros([1]), 0, 1], copyFrom: [zeros([1]), zeros([1])], emaStep: [zeros([1]), zeros([1]), 0.5] },
  ...{ updateRunningStats: [zeros([1]), zeros([1]), zeros([2, 1])] },
  optimizerStep: ['sgd', zeros([1]), [], [zeros([1])], { lengths: [1], offsets: [0], lr: 1, weightDecay: 0 }],
  ...{ backward: () => [fresh()], grad: () => [fresh(), [x]], valueAndGrad: [fresh, [x]], tape: [x] },
  ...{ vjp: [total, [x]], hvp: [total, x, x], vhp: [total, x, x], jacobian: [total, x], hessian: [total, x] },
  ...rows('checkpoint compile detectAnomaly eachRun enableGrad live noGrad scope trace', () => x.neg()),
  ...{ withDevice: [engine.reference, () => 1], keep: [x], memory: [], defaultRng: [] },
};

/** Functions whose arguments are needed: no object with options alone is all that they take. */
const needOptions = ['resizeBilinear', 'resizeNearest'];

/** Exports that are no functions for users to call, or are checked elsewhere, and why. */
const exceptions: Readonly<Record<string, readonly string[]>> = {
  'errors, which take any message': [
    'AnomalyError',
    'DeviceError',
    'GradcheckError',
    'KernelcheckError',
    'GradError',
    'ShapeError',
    'UseAfterFreeError',
  ],
  'classes that the engine makes': ['Live', 'Tape', 'Tensor', 'WebGpuDevice'],
  'the checks themselves': [
    'checked',
    'checkedList',
    'checkedNumber',
    'checkRange',
    'checkRanges',
    'defined',
    'refusePromise',
    'shown',
  ],
  'for kernels, which know of no tensors': ['f32', 'flatMain', 'grid1d', 'sizeOf'],
  'between this repository and itself': ['decided', 'noteDecision', 'notePlace'],
  'need a WebGPU device': ['measureRoofs'],
  'a class; below': ['Rng'],
  'open and close devices: device.test.ts': ['init', 'destroy'],
  'gradcheck.test.ts, customOp.test.ts, transforms.test.ts': [
    'customOp',
    'gradcheck',
    'gradgradcheck',
    'jvp',
    'kernelcheck',
  ],
};

/** Where a value of another kind is right after all: a number in place of a tensor, and the like. */
const LIFTED =
  /^(abs|atan2?|ceil|cosh?|erf|exp|expm1|floor|isFinite|isNaN|log|log1p|logSigmoid|logicalNot|neg|reciprocal|relu|round|rsqrt|sigmoid|sign|silu|sinh?|sqrt|square|tanh?|add|div|equal|greater|greaterEqual|less|lessEqual|logicalAnd|logicalOr|logicalXor|maximum|minimum|mul|notEqual|pow|remainder|sub)$/;
const legal = (name: string, place: number, value: unknown): boolean => {
  if (name === 'vjp' && value === x) return true;
  if (name === 'clamp') return value === null || (place === 0 && typeof value === 'number');
  if (typeof value === 'number' && (LIFTED.test(name) || (name === 'where' && place > 0))) return true;
  if (name === 'einsum') return place === 0 && typeof value === 'string';
  if (name === 'checkIndices') return place === 0 && typeof value === 'string';
  if (name === 'fullLike') return place === 1 && typeof value === 'number';
  if (name === 'full' || name === 'tensor') return typeof value === 'number';
  return name === 'optimizerStep' && place === 4 && typeof value === 'object';
};

/** Throws unless the call throws, as it should. */
async function refused(name: string, how: string, call: () => unknown): Promise<void> {
  let error: unknown;
  let got: unknown;
  try {
    got = await call();
  } catch (thrown) {
    error = thrown;
  }
  const says = error instanceof Error ? `${error.name}: ${error.message}` : `no error, but ${shown(got)}`;
  const kinds = [TypeError, RangeError, engine.ShapeError, engine.GradError];
  assert.ok(
    kinds.some((k) => error instanceof k) && (error as Error).message.startsWith(`${name}: `),
    `${how}: ${says}`,
  );
  assert.not.match((error as Error).message, /Cannot (read|destructure)|is not (a function|iterable)/, how);
}

const wrong = ['text', null, true, { zzz: 1 }, Number.NaN, 1.5, x];

const kindOf = (v: unknown): string =>
  v instanceof engine.Tensor ? 'tensor' : Number.isNaN(v) ? 'NaN' : Array.isArray(v) ? 'list' : typeof v;

/** A value of another kind in each place, one too many, one too few, an option that there is not. */
async function walk(
  name: string,
  args: readonly unknown[],
  call: (...args: unknown[]) => unknown,
  first = 0,
): Promise<void> {
  const given = args.slice(first);
  await refused(name, 'a misspelt option', () => call(...given, { zzz: 1 }));
  await refused(name, 'an option null', () => call(...given, null));
  await refused(name, 'one too many', () => call(...given, undefined, 7));
  await refused(name, 'one too many of the same', () => call(...given, ...given, 7, 7));
  for (const [i, value] of args.entries()) {
    if (i < first) continue;
    for (const other of wrong) {
      if (kindOf(other) === kindOf(value) || legal(name, i, other)) continue;
      const changed = given.map((v, k) => (k === i - first ? other : v));
      await refused(name, `${shown(other)} in place ${i}`, () => call(...changed));
    }
  }
  if (given.length > 0 && (args[first] instanceof engine.Tensor || typeof args[first] === 'function')) {
    await refused(name, 'nothing', () => call());
  }
}

const argumentsOf = (name: string): readonly unknown[] | undefined => {
  if (needOptions.includes(name)) return [image, { scale: 2 }];
  const row = Object.hasOwn(right, name) ? right[name] : undefined;
  return typeof row === 'function' ? row() : row;
};

const excepted = new Set(Object.values(exceptions).flat());
const public_: Loose = { ...internal, ...engine };
for (const name of Object.keys(public_).sort()) {
  if (typeof public_[name] !== 'function' || excepted.has(name)) continue;
  test(`${name} refuses what it does not know`, async () => {
    const args = argumentsOf(name);
    assert.ok(
      args,
      `${name} is public and has no row in this test: give it one, and declare it with op() or guarded()`,
    );
    await walk(name, args, public_[name]);
  });
}

for (const name of methodNames) {
  test(`the method ${name} refuses what it does not know`, async () => {
    const args = argumentsOf(name)!;
    const self: Loose = args[0];
    await walk(name, args, (...rest) => self[name](...rest), 1);
  });
}

/** Methods of a tensor that are no ops, and of a generator, with arguments that are right. */
const ownMethods: Readonly<Record<string, readonly unknown[]>> = {
  ...rows('array data describe detach dispose item zeroGrad'),
  ...{ assign: [[1]], named: ['x'], registerHook: [() => undefined], requireGrad: [true] },
};
const generatorMethods: Readonly<Record<string, readonly unknown[]>> = {
  ...{ bernoulli: [[2], 0.5], categorical: [v, 1], permutation: [2], restart: [0, 0], stateDict: [] },
  ...{ hostNormal: [2], hostPermutation: [2], hostUniform: [2] },
  ...{ normal: [[2]], randint: [5, [2]], truncatedNormal: [[2]], uniform: [[2]] },
};

for (const [type, make, own] of [
  ['Tensor', () => tensor([1], { requiresGrad: true }), ownMethods],
  ['Rng', () => new engine.Rng(0), generatorMethods],
] as const) {
  const { prototype }: Loose = public_[type];
  const internal = ['constructor', 'rebind', 'toString', 'toJSON', 'loadStateDict'];
  for (const name of Object.getOwnPropertyNames(prototype).sort()) {
    const { value } = Object.getOwnPropertyDescriptor(prototype, name)!;
    if (typeof value !== 'function' || internal.includes(name) || methodNames.includes(name)) continue;
    test(`${type}.${name} refuses what it does not know`, async () => {
      const args = own[name];
      assert.ok(args, `${type}.${name} is public and has no row in this test`);
      const self: Loose = make();
      await refused(name, 'one too many', () => self[name](...args, undefined, 7));
      await refused(name, 'a misspelt option', () => self[name](...args, { zzz: 1 }));
      for (const i of args.keys()) {
        await refused(name, `place ${i}`, () => self[name](...args.map((a, k) => (k === i ? null : a))));
      }
    });
  }
}

/** Ops that are made of others, where it is the other one that would refuse. */
const inner: readonly (readonly [name: string, call: () => unknown])[] = [
  ['zeros', () => zeros([-1])],
  ['ones', () => ones([1.5])],
  ['randn', () => engine.randn([-1])],
  ['rand', () => engine.rand([-1])],
  ['bernoulli', () => new engine.Rng(0).bernoulli([-1])],
  ['manualSeed', () => engine.manualSeed(-1)],
  ['std', () => x.std(5)],
  ['variance', () => x.variance(5)],
  ['repeat', () => x.repeat([1, -1])],
  ['stack', () => engine.stack([x], 7)],
  ['chunk', () => x.chunk(2, 5)],
  ['conv1d', () => sequence.conv1d(ones([1, 3, 2]))],
  ['convTranspose1d', () => sequence.convTranspose1d(ones([1, 2, 3]))],
  ['maxPool1d', () => sequence.maxPool1d(9)],
  ['adaptiveAvgPool1d', () => sequence.adaptiveAvgPool1d(-1)],
  ['outer', () => x.outer(v)],
  ['dot', () => v.dot(ones([3]))],
  ['indexSelect', () => x.indexSelect(zeros([1]), 9)],
  ['embedding', () => engine.embedding(x, [7])],
  [
    'scaledDotProductAttention',
    () => engine.scaledDotProductAttention(ones([2, 2, 2]), ones([3, 2, 2]), ones([3, 2, 2])),
  ],
  ['unsqueeze', () => x.unsqueeze(9)],
  ['hessian', () => engine.hessian((t) => t.square(), x)],
];
for (const [name, call] of inner) {
  test(`an error of what ${name} is made of is under its own name`, () => refused(name, name, call));
}

test('an argument of an op, and of no op around it, is named after the op returned', async () => {
  await refused('zeros', 'zeros', () => zeros([-1]));
  await refused('ones', 'ones, after an error', () => ones([-1]));
  await refused('add', 'in a scope', () => engine.scope(() => x.add(ones([3]))));
});

test('creation functions take requiresGrad and label', () => {
  const { arange, eye, full, fullLike, linspace, onesLike, rand, randint, randn, zerosLike } = engine;
  const options = { requiresGrad: true, label: 'w' };
  for (const t of [
    zeros([2], options),
    ones([2], options),
    full([2], 3, options),
    rand([2], options),
    randn([2], options),
    ...[arange(2, options), linspace(0, 1, 2, options), eye(2, options), randint(5, [2], options)],
    ...[zerosLike(x, options), onesLike(x, options), fullLike(x, 3, options)],
  ]) {
    assert.equal([t.requiresGrad, t.label], [true, 'w']);
  }
  assert.is(engine.grad(randn([2], options).sum(), []).length, 0);
});

test('randn and rand take what their generator does', async () => {
  engine.manualSeed(3);
  const a = await engine.randn([4], { mean: 5, std: 2 }).array();
  const b = await engine.rand([4], { low: 2, high: 4 }).array();
  const rng = new engine.Rng(3);
  assert.equal(a, await rng.normal([4], { mean: 5, std: 2 }).array());
  assert.equal(b, await rng.uniform([4], { low: 2, high: 4 }).array());
});

test('a seed is a whole number from 0 to 2^53 - 1', async () => {
  const most = Number.MAX_SAFE_INTEGER;
  engine.manualSeed(most);
  new engine.Rng(most).restart(most);
  engine.manualSeed(0);
  for (const seed of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, '1', undefined] as Loose[]) {
    await refused('manualSeed', 'manualSeed', () => engine.manualSeed(seed));
    await refused('Rng', 'Rng', () => new engine.Rng(seed));
    await refused('restart', 'restart', () => new engine.Rng(0).restart(seed));
  }
});

const said = async (call: () => unknown): Promise<string> => {
  try {
    await call();
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing';
};

test('messages say how to write it', async () => {
  const e: Loose = engine;
  const t: Loose = x;
  const words: readonly (readonly [call: () => unknown, message: string])[] = [
    [() => e.zeros(2, 3), 'zeros: the shape must be a list such as [2, 3], not 2: zeros([2, 3])'],
    [() => e.randn(2, 3), 'randn: the shape must be a list such as [2, 3], not 2: randn([2, 3])'],
    [() => e.full(2, 3, 7), 'full: the shape must be a list such as [2, 3], not 2: full([2, 3], 7)'],
    [() => t.reshape(4, 1), 'reshape: the shape must be a list such as [2, 3], not 4: x.reshape([4, 1])'],
    [() => e.arange(5, { lable: 'i' }), 'arange: there is no option lable; there are requiresGrad, label'],
    [() => e.arange(0, 3, 1, 2), 'arange: the options are an object such as { requiresGrad: 2 }, not 2'],
    [() => e.arange(), 'arange: end not given: it is called as arange(end, options?)'],
    [() => e.linspace(0, 1), 'linspace: steps not given: it is called as linspace(start, end, steps, options?)'],
    [() => e.eye(2, 3, 4), 'eye: the options are an object such as { requiresGrad: 4 }, not 4'],
    [() => e.eye([2, 3]), 'eye: n must be a whole number, 0 or more, not [2,3]'],
    [() => e.zerosLike([2, 3]), 'zerosLike: x must be a tensor, not [2,3]; make one of it with tensor(...)'],
    [() => e.randint(10), 'randint: the shape not given: it is called as randint(high, shape, options?)'],
    [() => e.randint(0, 10, 3), 'randint: the shape must be a list such as [2, 3], not 3'],
    [() => e.randint([2], 10), 'randint: low must be a whole number from -16777216 to 16777216, not [2]'],
    [() => e.full([2]), 'full: value not given: it is called as full(shape, value, options?)'],
    [() => e.full([2], 'a'), 'full: value must be a number, not "a"'],
    [() => t.clamp({ min: 0 }), 'clamp: min must be a number, or null for none, not { min: 0 }'],
    [() => t.pad([1, 1]), 'pad: for each axis there is a list of two numbers, as in [[1, 1], [0, 2]], not 1'],
    [() => t.pad([[1]]), 'pad: for each axis there is a list of two numbers, as in [[1, 1], [0, 2]], not [1]'],
    [
      () => t.pad([[1, 1, 1]]),
      'pad: for each axis there is a list of two numbers, as in [[1, 1], [0, 2]], not [1,1,1]',
    ],
    [() => e.oneHot(1.5), 'oneHot: indices must be a tensor, not 1.5; make one of it with tensor(...)'],
    [() => e.where(true, x, 0), 'where: condition must be a tensor, not true'],
    [() => e.layerNorm(x), 'layerNorm: gamma not given: it is called as layerNorm(x, gamma, beta, options?)'],
    [() => t.relu(3), 'relu: too many arguments: relu(x) has no place for 3'],
    [() => t.mul(x.data()), 'mul: b must be a tensor or a number, not a promise (write await before it)'],
    [
      () => e.valueAndGrad(async () => x, [x]),
      'valueAndGrad: the function returned a promise; it must not be async, nor end in item() or data(): return the tensor, and read it afterwards',
    ],
    [
      () => e.vjp(() => 3, [x]),
      'vjp: the function must return a tensor, not 3; compute with tensors, and read numbers afterwards',
    ],
    [() => e.jacobian(() => {}, x), 'jacobian: the function must return a tensor, not undefined; end it with return'],
  ];
  for (const [call, message] of words) assert.is(await said(call), message);
});

test("what a list's own loops add to a call is no mistake, unless it would be taken for an argument", () => {
  const { add, relu, softmax } = engine as unknown as Record<string, (...args: unknown[]) => engine.Tensor>;
  const list = [x, x.neg(), x];
  assert.is(list.map(relu!).length, 3);
  assert.equal(list.reduce(add!).shape, [2, 2]);
  assert.throws(() => list.map(add!), /^add: too many arguments: add\(a, b\) has no place for \[/);
  assert.throws(() => list.map(softmax!), /^softmax: too many arguments/);
  assert.throws(() => relu!(x, 1, list), /^relu: too many arguments: relu\(x\) has no place for 1/);
});

test.run();
