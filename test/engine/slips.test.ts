/** Slips of those who write plain JavaScript: each is a TypeError that names the culprit, what was given and the remedy. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as engine from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';

const test = suite('slips');
await engine.init({ adapter: 'reference' });

// biome-ignore lint/suspicious/noExplicitAny: calls as JavaScript makes them, without types
type Loose = any;
const e: Loose = engine;
const n: Loose = nn;

const x: Loose = engine.tensor([1, 2, 3, 4], { shape: [2, 2], requiresGrad: true });
const mask: Loose = engine.tensor([0, 1, 0, 0], { shape: [2, 2] });
const image: Loose = engine.zeros([1, 4, 4, 2]);
const sequence: Loose = engine.zeros([1, 2, 4]);
const linear: Loose = new nn.Linear(2, 2);
const attention: Loose = new nn.MultiheadAttention(4, 2);
const encoder: Loose = new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 4 });
const sgd: Loose = new nn.SGD(new nn.Linear(2, 2).parameters(), { lr: 0.1 });
const rng: Loose = new engine.Rng(1);

/** What each call's message must have. */
const slips: readonly (readonly [name: string, call: () => unknown, ...parts: string[]])[] = [
  ['a positional bias', () => new n.Linear(3, 4, false), 'Linear:', '{ bias: false }', 'not false'],
  ['an unknown option of Linear', () => new n.Linear(3, 4, { biass: false }), 'Linear:', 'biass', 'bias'],
  ['null options', () => new n.Linear(3, 4, null), 'Linear:', 'not null'],
  ['Maxout', () => new n.Maxout(3, 4, 2, { biass: false }), 'Maxout:', 'biass'],
  ['Bilinear', () => new n.Bilinear(3, 4, 2, false), 'Bilinear:', '{ bias: false }'],
  ['Embedding', () => new n.Embedding(3, 4, { padding_idx: 0 }), 'Embedding:', 'padding_idx', 'paddingIdx'],
  ['Embedding with an index', () => new n.Embedding(3, 4, 0), 'Embedding:', '{ paddingIdx: 0 }'],
  ['Dropout in braces', () => new n.Dropout({ p: 0.2 }), 'Dropout:', 'Dropout(0.2)', '{ p: 0.2 }'],
  ['Dropout2d', () => new n.Dropout2d(0.5, { inplace: true }), 'Dropout2d:', 'inplace'],
  ['a generator for options', () => new n.AlphaDropout(0.5, rng), 'AlphaDropout:', '{ rng: ... }', 'an Rng'],
  ['MaxPool1d', () => new n.MaxPool1d(3, 2), 'MaxPool1d:', '{ stride: 2 }'],
  ['MaxPool2d', () => new n.MaxPool2d(3, 2), 'MaxPool2d:', '{ stride: 2 }', 'not 2'],
  ['AvgPool1d', () => new n.AvgPool1d(3, { dilation: 2 }), 'AvgPool1d:', 'dilation'],
  ['AvgPool2d', () => new n.AvgPool2d(3, { ceil_mode: true }), 'AvgPool2d:', 'ceil_mode', 'ceilMode'],
  ['GlobalAvgPool', () => new n.GlobalAvgPool(true), 'GlobalAvgPool:', '{ keepDims: true }'],
  ['Upsample', () => new n.Upsample({ scale_factor: 2 }), 'Upsample:', 'scale_factor', 'scaleFactor'],
  ['Pad', () => new n.Pad(1, 'reflect'), 'Pad:', '{ mode: ... }', '"reflect"'],
  ['LSTM with a number', () => new n.LSTM(3, 4, 2), 'LSTM:', '{ numLayers: 2 }'],
  ['LSTM in snake case', () => new n.LSTM(3, 4, { num_layers: 2 }), 'LSTM:', 'num_layers', 'numLayers'],
  ['GRU', () => new n.GRU(3, 4, { batchFirst: true }), 'GRU:', 'batchFirst'],
  ['RNN', () => new n.RNN(3, 4, { bidirectonal: true }), 'RNN:', 'bidirectonal', 'bidirectional'],
  ['RNN with a number', () => new n.RNN(3, 4, 2), 'RNN:', '{ numLayers: 2 }'],
  ['RNNCell', () => new n.RNNCell(3, 4, false), 'RNNCell:', '{ bias: false }'],
  ['GRUCell', () => new n.GRUCell(3, 4, { numLayers: 2 }), 'GRUCell:', 'numLayers'],
  ['LSTMCell', () => new n.LSTMCell(3, 4, false), 'LSTMCell:', '{ bias: false }'],
  ['MultiheadAttention', () => new n.MultiheadAttention(4, 2, 0.1), 'MultiheadAttention:', '{ dropout: 0.1 }'],
  [
    'another mask',
    () => attention.forward(sequence, sequence, sequence, { mask }),
    'MultiheadAttention:',
    'mask',
    'attnMask',
  ],
  [
    'a positional mask',
    () => attention.forward(sequence, sequence, sequence, mask),
    'MultiheadAttention:',
    '{ attnMask: ... }',
    'Tensor [2,2]',
  ],
  [
    'options for keys',
    () => attention.forward(sequence, { attnMask: mask }),
    'MultiheadAttention:',
    'fourth',
    '{ attnMask: a Tensor [2,2] }',
  ],
  [
    'TransformerEncoderLayer',
    () => new n.TransformerEncoderLayer(4, 2, 16),
    'TransformerEncoderLayer:',
    '{ dimFeedforward: 16 }',
  ],
  [
    'its positional mask',
    () => encoder.forward(sequence, mask),
    'TransformerEncoderLayer:',
    '{ srcMask: ... }',
    'Tensor [2,2]',
  ],
  [
    'its mask by another name',
    () => encoder.forward(sequence, { mask }),
    'TransformerEncoderLayer:',
    'mask',
    'srcMask',
  ],
  [
    'SelfAttention2d',
    () => new n.SelfAttention2d(8, { key_channels: 2 }),
    'SelfAttention2d:',
    'key_channels',
    'keyChannels',
  ],
  ['MinibatchStdDev', () => new n.MinibatchStdDev(4), 'MinibatchStdDev:', '{ groupSize: 4 }'],
  [
    'MinibatchDiscrimination',
    () => new n.MinibatchDiscrimination(2, 3, 4, { bias: true }),
    'MinibatchDiscrimination:',
    'bias',
    'init',
  ],
  [
    'LeakyReLU',
    () => new n.LeakyReLU({ negativeSlope: 0.1 }),
    'LeakyReLU:',
    'a number',
    'LeakyReLU(0.1)',
    '{ negativeSlope: 0.1 }',
  ],
  ['ELU', () => new n.ELU({ alpha: 2 }), 'ELU:', 'a number', 'ELU(2)'],
  ['PReLU', () => new n.PReLU({ numParameters: 2 }), 'PReLU:', 'a number', 'PReLU(2)'],
  ['Hardtanh', () => new n.Hardtanh({ min: -2 }), 'Hardtanh:', 'a number', '{ min: -2 }'],
  ['Softmax', () => new n.Softmax({ dim: 1 }), 'Softmax:', 'a number', 'Softmax(1)'],
  ['LogSoftmax', () => new n.LogSoftmax({ dim: 1 }), 'LogSoftmax:', 'LogSoftmax(1)'],
  ['GLU', () => new n.GLU({ dim: 1 }), 'GLU:', 'GLU(1)'],
  ['Softplus', () => new n.Softplus(2), 'Softplus:', '{ beta: 2 }'],
  ['GELU', () => new n.GELU('tanh'), 'GELU:', '{ approximate: ... }', '"tanh"'],
  ['GroupNorm', () => new n.GroupNorm(2, 4, 1e-6), 'GroupNorm:', '{ eps: 0.000001 }'],
  ['InstanceNorm2d', () => new n.InstanceNorm2d(4, { afine: true }), 'InstanceNorm2d:', 'afine', 'affine'],
  ['PixelNorm', () => new n.PixelNorm(1e-6), 'PixelNorm:', '{ eps: 0.000001 }'],
  [
    'spectralNorm',
    () => n.spectralNorm(new nn.Linear(2, 2), { nPowerIterations: 2 }),
    'spectralNorm:',
    'nPowerIterations',
    'iterations',
  ],
  ['weightNorm', () => n.weightNorm(new nn.Linear(2, 2), { axis: 0 }), 'weightNorm:', 'axis', 'dim'],
  [
    'equalizedLearningRate',
    () => n.equalizedLearningRate(new nn.Linear(2, 2), 2),
    'equalizedLearningRate:',
    '{ gain: 2 }',
  ],
  ['a shape in numbers', () => n.summary(linear, 1, 2), 'summary:', '[1, 784]', 'not 1'],
  ['shapes in a list', () => n.summary(linear, [[1, 2]]), 'summary:', 'one by one'],
  [
    'an option of removeParametrizations',
    () => n.removeParametrizations(linear, 'weight', { leave: 1 }),
    'leave',
    'leaveParametrized',
  ],
  ['an option of loadStateDict', () => linear.loadStateDict(new Map(), { Strict: false }), 'loadStateDict:', 'Strict'],
  [
    'an object for a Map of tensors',
    () => linear.loadStateDict({ weight: x }),
    'loadStateDict:',
    '{ weight: a Tensor',
    'Map',
  ],
  ['a list for a Parameter', () => new n.Parameter([1, 2]), 'Parameter:', '[1,2]', 'tensor([1, 2])'],
  ['text for a mode', () => new n.ReLU().train('eval'), 'train:', '"eval"', 'true or false'],
  ['a hook that is no function', () => linear.registerForwardHook(3), 'registerForwardHook:', 'a function, not 3'],
  ['numbers for shapes of layers', () => new n.Reshape(6), 'Reshape:', '[7, 7, 64]', 'not 6'],
  ['numbers for sizes of layers', () => new n.Unflatten(1, 6), 'Unflatten:', '[2, 3]', 'not 6'],
  ['no tensors for functionalCall', () => n.functionalCall(linear, null, x), 'functionalCall:', 'not null'],
  ['fromPyTorch', () => n.fromPyTorch(linear, new Map(), { flatten: {} }), 'fromPyTorch:', 'flatten', 'flattened'],
  [
    'an image of fromPyTorch',
    () => n.fromPyTorch(linear, new Map(), { flattened: { '': { inputs: [1, 1, 2] } } }),
    'inputs',
    'input',
  ],
  ['initialize', () => n.initialize(linear, nn.init.ones, { filters: () => true }), 'initialize:', 'filters', 'filter'],
  [
    'initialize with a maker',
    () => n.initialize(linear, nn.init.kaimingNormal),
    'initialize:',
    'kaimingNormal',
    'weight',
    'kaimingNormal()',
  ],
  [
    'a maker in Linear',
    () => new n.Linear(3, 4, { init: nn.init.xavierUniform }),
    'Linear:',
    'xavierUniform',
    'weight',
    'xavierUniform()',
  ],
  [
    'a maker in Conv2d',
    () => new n.Conv2d(3, 4, 3, { initBias: nn.init.constant }),
    'Conv2d:',
    'constant',
    'bias',
    'constant()',
  ],
  [
    'a maker in LSTM',
    () => new n.LSTM(3, 4, { init: nn.init.orthogonal }),
    'LSTM:',
    'orthogonal',
    'weightIh',
    'orthogonal()',
  ],
  ['a maker in Embedding', () => new n.Embedding(3, 4, { init: nn.init.normal }), 'Embedding:', 'normal', 'normal()'],
  [
    'a name for an initialiser',
    () => new n.Linear(3, 4, { init: 'xavier' }),
    'Linear:',
    'init.normal(0.02)',
    '"xavier"',
  ],
  ['an initialiser of nothing', () => new n.Linear(3, 4, { init: () => 1 }), 'Linear:', 'gave 1', 'returns a tensor'],
  ['options of initialisers', () => nn.init.xavierNormal(2 as Loose), 'xavierNormal:', '{ gain: 2 }'],
  ['a list of modules', () => new n.Sequential([linear, linear]), 'Sequential:', 'new Sequential(...layers)'],
  [
    'a function for a module',
    () => new n.Sequential((t: Loose) => t.relu()),
    'Sequential:',
    'a function',
    'new ReLU()',
  ],
  ['a class for a module', () => new n.Sequential(linear, nn.Tanh), 'Sequential:', 'module 1', 'new Tanh()'],
  ['a function for a body', () => new n.Residual((t: Loose) => t.relu()), 'Residual:', 'the body', 'a function'],
  ['a module that takes nothing', () => new n.ReLU(true), 'ReLU:', 'too many arguments', 'true'],
  ['a third number of Linear', () => new n.Linear(3, 4, {}, 5), 'Linear:', 'no place for 5'],
  ['a size left out', () => new n.Linear(3), 'Linear:', 'outFeatures', 'Linear(inFeatures, outFeatures, options?)'],
  ['a kernel left out', () => new n.Conv2d(3, 4), 'Conv2d:', 'kernel not given'],
  ['a text for a size', () => new n.Conv1d('3', 4, 5), 'Conv1d:', 'inChannels', '"3"'],
  ['a loss of one tensor', () => n.mseLoss(x), 'mseLoss:', 'target not given'],
  ['a loss of a number', () => n.klDiv(x, 3), 'klDiv:', 'target', 'not 3'],
  ['one argument too many of a loss', () => n.l1Loss(x, x, {}, 7), 'l1Loss:', 'no place for 7'],
  ['a word for the options of a loss', () => new n.MSELoss('sum'), 'MSELoss:', '{ reduction: ... }', '"sum"'],
  ['a loss that is made of tensors', () => new n.MSELoss(x, x), 'MSELoss:', 'new MSELoss().forward(', 'mseLoss('],
  ['a positional weight', () => new n.CrossEntropyLoss(mask), 'CrossEntropyLoss:', '{ weight: ... }', 'Tensor [2,2]'],
  ['an option in snake case', () => new n.NLLLoss({ ignore_index: 0 }), 'NLLLoss:', 'ignore_index', 'ignoreIndex'],
  ['an option of an older PyTorch', () => new n.L1Loss({ size_average: true }), 'L1Loss:', 'size_average', 'reduction'],
  ['a word for a number', () => new n.HuberLoss({ delta: '1' }), 'HuberLoss:', 'delta', 'a number above 0', '"1"'],
  ['another reduction', () => new n.KLDivLoss({ reduction: 'avg' }), 'KLDivLoss:', "'batchmean'", '"avg"'],
  ['a target left out', () => new n.BCELoss().forward(x), 'BCELoss:', 'targets not given'],
  ['a number for a target', () => new n.MSELoss().forward(x, 3), 'MSELoss:', 'target', 'not 3', 'tensor(...)'],
  ['options of forward', () => new n.MSELoss().forward(x, x, { reduction: 'sum' }), 'MSELoss:', 'no place for'],
  ['one gradient to clip', () => n.clipGradNorm(x, 1), 'clipGradNorm:', 'a list', 'a Tensor'],
  ['a tensor for a module', () => n.summary(x, [1, 2]), 'summary:', 'module', 'a Tensor'],
  ['a module for a schedule', () => new n.StepLR(linear, { stepSize: 1 }), 'StepLR:', 'optimizer', 'a Linear'],
  ['a module for parameters', () => new n.AdamW(linear), 'AdamW:', 'model.parameters()', 'a Linear'],
  ['a module in a group', () => new n.SGD([{ params: linear }], { lr: 0.1 }), 'SGD:', 'model.parameters()', 'a Linear'],
  ['one parameter', () => new n.Adam(linear.weight), 'Adam:', '[parameter]', 'a Parameter [2,2]'],
  ['EMA of a module', () => new n.EMA(linear, 0.9), 'EMA:', 'model.parameters()', 'a Linear'],
  ['a step of gradients that are not there', () => sgd.step(undefined), 'SGD:', 'grad(loss, parameters)', 'undefined'],
  ['a closure for gradients', () => sgd.step(() => x), 'SGD:', 'loss.backward()', 'a function'],
  ['zeroGrad with an option', () => sgd.zeroGrad(false), 'zeroGrad:', 'no place for false'],
  ['zeroGrad of a module with an option', () => linear.zeroGrad({ setToNone: true }), 'zeroGrad:', 'no place for'],
  ['parameters among gradients', () => n.clipGradNorm([linear.weight, x], 1), 'clipGradNorm:', '.grad', 'not both'],
  ['compile of a module', () => e.compile(linear), 'compile:', 'model.forward(x)', 'a Linear'],
  [
    'attention',
    () => e.scaledDotProductAttention(x, x, x, { attnMask: mask }),
    'scaledDotProductAttention:',
    'attnMask',
    'mask',
  ],
  [
    'attention by place',
    () => e.scaledDotProductAttention(x, x, x, mask),
    'scaledDotProductAttention:',
    '{ mask: ... }',
    'Tensor [2,2]',
  ],
  ['backward of a tensor', () => x.square().backward(mask), 'backward:', '{ gradOutput: ... }', 'Tensor [2,2]'],
  ['backward', () => x.sum().backward({ createGraph: true }), 'backward:', 'createGraph'],
  ['sum over dim', () => x.sum({ dim: 1 }), 'sum:', 'x.sum([1])', '{ dim: 1 }'],
  ['mean over dim', () => x.mean({ dim: 1 }), 'mean:', 'x.mean([1])'],
  ['softmax over dim', () => x.softmax({ dim: 1 }), 'softmax:', 'x.softmax(1)'],
  ['argmax over dim', () => x.argmax({ dim: 1 }), 'argmax:', 'x.argmax(1)'],
  ['max of two', () => x.max(mask), 'max:', 'a Tensor [2,2]'],
  ['leakyRelu', () => x.leakyRelu({ negativeSlope: 0.1 }), 'leakyRelu:', 'leakyRelu(0.1)'],
  ['elu', () => x.elu({ alpha: 2 }), 'elu:', 'elu(2)'],
  ['hardtanh', () => x.hardtanh({ min: 0 }), 'hardtanh:', '{ min: 0 }'],
  ['softplus', () => x.softplus(2), 'softplus:', '{ beta: 2 }'],
  ['gelu', () => x.gelu('tanh'), 'gelu:', '{ approximate: ... }'],
  ['matmul', () => e.matmul(x, x, { transposeb: true }), 'matmul:', 'transposeb', 'transposeB'],
  ['pad', () => x.pad([[1, 1]], 'reflect'), 'pad:', '{ mode: ... }'],
  ['maxPool2d', () => image.maxPool2d(2, 1), 'maxPool2d:', '{ stride: 1 }'],
  ['avgPool2d', () => image.avgPool2d(2, { dilation: 2 }), 'avgPool2d:', 'dilation'],
  ['maxPool1d', () => sequence.maxPool1d(2, 1), 'maxPool1d:', '{ stride: 1 }'],
  ['avgPool1d', () => sequence.avgPool1d(2, 1), 'avgPool1d:', '{ stride: 1 }'],
  ['globalAvgPool', () => image.globalAvgPool({ keepdim: true }), 'globalAvgPool:', 'keepdim', 'keepDims'],
  ['conv1d', () => e.conv1d(sequence, engine.zeros([1, 4, 2]), { pad: 1 }), 'conv1d:', 'pad', 'padding'],
  [
    'convTranspose1d',
    () => e.convTranspose1d(sequence, engine.zeros([1, 2, 4]), 2),
    'convTranspose1d:',
    '{ stride: 2 }',
  ],
  ['resizeNearest', () => image.resizeNearest({ scaleFactor: 2 }), 'resizeNearest:', 'scaleFactor', 'scale'],
  ['resizeBilinear', () => image.resizeBilinear({ size: 2, align_corners: true }), 'resizeBilinear:', 'align_corners'],
  ['gridSample', () => e.gridSample(image, engine.zeros([1, 1, 1, 2]), { mode: 'nearest' }), 'gridSample:', 'mode'],
  ['batchNorm', () => e.batchNorm(x, engine.zeros([2]), engine.zeros([2]), 1e-3), 'batchNorm:', '{ eps: 0.001 }'],
  ['layerNorm', () => e.layerNorm(x, engine.zeros([2]), engine.zeros([2]), { epsilon: 1 }), 'layerNorm:', 'epsilon'],
  ['instanceNorm', () => e.instanceNorm(image, { gamma: mask }), 'instanceNorm:', 'gamma', 'weight'],
  ['groupNorm', () => e.groupNorm(image, 2, 1e-3), 'groupNorm:', '{ eps: 0.001 }'],
  ['batchNormInference', () => e.batchNormInference(x, mask, mask, { gamma: mask }), 'batchNormInference:', 'gamma'],
  ['max', () => x.max(0, true), 'max:', '{ keepDims: true }'],
  ['min', () => x.min(0, { keepdim: true }), 'min:', 'keepdim'],
  ['argmin', () => x.argmin(0, true), 'argmin:', '{ keepDims: true }'],
  ['any', () => x.any(0, true), 'any:', '{ keepDims: true }'],
  ['all', () => x.all(0, true), 'all:', '{ keepDims: true }'],
  ['prod', () => x.prod(0, true), 'prod:', '{ keepDims: true }'],
  ['std', () => x.std(0, { unbiased: true }), 'std:', 'unbiased', 'correction'],
  ['norm', () => x.norm({ p: 1 }), 'norm:', 'x.norm(1)'],
  ['logSumExp', () => x.logSumExp(0, true), 'logSumExp:', '{ keepDims: true }'],
  ['sort', () => x.sort(0, true), 'sort:', '{ descending: true }'],
  ['argsort', () => x.argsort(0, true), 'argsort:', '{ descending: true }'],
  ['topk', () => x.topk(1, 0, false), 'topk:', '{ largest: false }'],
  ['cumsum', () => x.cumsum(0, true), 'cumsum:', '{ reverse: true }'],
  ['cumprod', () => x.cumprod(0, true), 'cumprod:', '{ reverse: true }'],
  ['linearScan', () => e.linearScan(x, x, 0, true), 'linearScan:', '{ reverse: true }'],
  ['powerIteration', () => e.powerIteration(x, engine.zeros([2]), 3), 'powerIteration:', '{ iterations: 3 }'],
  ['uniform', () => rng.uniform([2], -1, 1), 'uniform:', '{ low: -1 }'],
  ['normal', () => rng.normal([2], 0, 0.02), 'normal:', '{ mean: 0 }'],
  ['truncatedNormal', () => rng.truncatedNormal([2], { stddev: 1 }), 'truncatedNormal:', 'stddev', 'std'],
];

function refused(error: unknown, parts: readonly string[]): void {
  assert.ok(error instanceof TypeError, `no TypeError: ${error}`);
  for (const part of parts) assert.ok(error.message.includes(part), `"${error.message}" lacks "${part}"`);
}

for (const [name, call, ...parts] of slips) {
  test(`${name} is refused`, () => {
    let error: unknown;
    try {
      call();
    } catch (thrown) {
      error = thrown;
    }
    refused(error, parts);
  });
}

const later: readonly (readonly [name: string, call: () => Promise<unknown>, ...parts: string[]])[] = [
  [
    'a path for options of exportOnnx',
    () => n.exportOnnx(linear, [[1, 2]], 'model.onnx'),
    'exportOnnx:',
    'writeFileSync("model.onnx"',
  ],
  ['an unknown option of exportOnnx', () => n.exportOnnx(linear, [[1, 2]], { opset: 17 }), 'exportOnnx:', 'opset'],
  ['a shape for a list of shapes', () => n.exportOnnx(linear, [1, 2]), 'exportOnnx:', '[[1, 128]]', 'not 1'],
  ['toPyTorch', () => n.toPyTorch(linear, { flatten: {} }), 'toPyTorch:', 'flatten', 'flattened'],
];
for (const [name, call, ...parts] of later) {
  test(`${name} is refused`, async () => {
    refused(
      await call().then(
        () => undefined,
        (thrown: unknown) => thrown,
      ),
      parts,
    );
  });
}

test('objects without a prototype, and of a class that has options for fields, are options', () => {
  const bare: Loose = Object.assign(Object.create(null), { bias: false });
  assert.is(new n.Linear(2, 3, bare).bias, undefined);
  class Mine {
    bias = false;
  }
  assert.is(new n.Linear(2, 3, new Mine()).bias, undefined);
});

test('an initialiser of another shape is refused', () => {
  const transposed: nn.Initializer = (shape, _, g) => g.normal([...shape].reverse());
  assert.throws(
    () => new nn.Linear(2, 3, { init: transposed }),
    (thrown: Error) =>
      thrown instanceof engine.ShapeError && /Linear: .*\[3,2\] for weight \[2,3\]/.test(thrown.message),
  );
});

test('operators on tensors, and on values that were not awaited, are refused with what to write', () => {
  const y: Loose = engine.tensor([3], { label: 'y' });
  const operators: readonly (() => unknown)[] = [() => y + y, () => y > 0, () => y * 2, () => -y, () => `${+y}`];
  for (const call of operators) refusedNow(call, 'y [1]', 'x.add(y)', 'x.greater(0)', 'await x.item()');
  refusedNow(() => y.item() > 0, 'item:', 'await x.item()');
  refusedNow(() => `loss ${y.item()}`, 'item:', 'await x.item()');
  refusedNow(() => y.data()[0], 'data:', 'await x.data()');
  refusedNow(() => y.array().length, 'array:', 'await x.array()');
});

test('a shape cannot be changed, and is no list of the caller', () => {
  const sizes = [2, 1];
  const x = engine.tensor([1, 2], { shape: sizes });
  const y = engine.reshape(x, sizes);
  sizes[0] = 1e6;
  for (const t of [x, y, x.add(0)]) {
    const shape = t.shape as number[];
    assert.throws(() => {
      (t as { shape: readonly number[] }).shape = [1e6, 1];
    }, /shape/);
    assert.throws(() => {
      shape[0] = 1e6;
    }, TypeError);
    assert.throws(() => shape.push(3), TypeError);
    assert.equal([...t.shape], [2, 1]);
    assert.is(t.size, 2);
  }
});

test('a tensor is text where text is asked for', async () => {
  const y: Loose = engine.tensor([3], { label: 'y' });
  assert.is(`${y}`, 'Tensor(y [1], reference float64)');
  assert.is(String(y), y.toString());
  assert.is(JSON.stringify({ y }), '{"y":"Tensor(y [1], reference float64): await its array() for the values"}');
  assert.equal([await y.item(), await y.array(), (await y.data())[0]], [3, [3], 3]);
});

function refusedNow(call: () => unknown, ...parts: string[]): void {
  let error: unknown;
  try {
    call();
  } catch (thrown) {
    error = thrown;
  }
  refused(error, parts);
}

test.run();
