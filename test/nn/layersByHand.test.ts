/** Layers against numbers worked out by hand, what they refuse, and how they are printed. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { grad, Rng, reference, ShapeError, scope, type Tensor, tensor, withDevice, zeros } from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';

const test = suite('layers by hand');
const values = (t: Tensor): number[] => Array.from(reference.values(t.storage));
const on = (name: string, fn: () => void) => test(name, () => withDevice(reference, () => scope(fn)));
const near = (found: Tensor, wanted: readonly number[]): void => {
  const numbers = values(found);
  assert.is(numbers.length, wanted.length);
  wanted.forEach((v, i) => {
    assert.ok(Math.abs(numbers[i]! - v) <= 1e-12, `element ${i} is ${numbers[i]}, not ${v}`);
  });
};
const one = { init: nn.init.constant(1) };

on('Maxout takes the larger of its linear functions, and its slope', () => {
  const layer = new nn.Maxout(1, 1, 2);
  layer.linear.weight.assign([2, -1]);
  layer.linear.bias!.assign([0, 3]);
  const x = tensor([[2], [-1]], { requiresGrad: true });
  const y = layer.forward(x);
  near(y, [4, 4]);
  near(grad(y.sum(), [x])[0]!, [2, -1]);
});

on('MinibatchStdDev compares sample n with the samples n + G, n + 2G, ...', () => {
  const x = tensor([0, 10, 2, 30], { shape: [4, 1, 1, 1] });
  near(new nn.MinibatchStdDev({ groupSize: 2, eps: 0 }).forward(x), [0, 1, 10, 10, 2, 1, 30, 10]);
  // Of four: mean 10.5, variance (110.25 + 0.25 + 72.25 + 380.25) / 4.
  const s = Math.sqrt(140.75);
  near(new nn.MinibatchStdDev({ eps: 0 }).forward(x), [0, s, 10, s, 2, s, 30, s]);
  near(new nn.MinibatchStdDev({ eps: 1 }).forward(x.slice([[0, 1]])), [0, 1]);
  const same = tensor([3, 3], { shape: [2, 1, 1, 1], requiresGrad: true });
  const y = new nn.MinibatchStdDev({ eps: 0 }).forward(same);
  near(y, [3, 0, 3, 0]);
  near(grad(y.sum(), [same])[0]!, [1, 1]);
});

on('MinibatchDiscrimination adds up the likenesses of a sample to all', () => {
  const layer = new nn.MinibatchDiscrimination(1, 1, 2);
  layer.weight.assign([1, 2]);
  // M is (0,0), (1,2) and (0,0): distances 3 and 0.
  const e = Math.exp(-3);
  near(layer.forward(tensor([[0], [1], [0]])), [0, 2 + e, 1, 1 + 2 * e, 0, 2 + e]);
});

on('SelfAttention2d begins as the identity, and adds gamma times what the pixels look at', () => {
  const layer = new nn.SelfAttention2d(1, { bias: false, ...one });
  const a = Math.LN2;
  const x = tensor([0, a], { shape: [1, 1, 2, 1] });
  near(layer.forward(x), [0, a]);
  layer.gamma.assign([2]);
  // The pixel 0 looks at both evenly; the other one, whose scores are 0 and a², more at itself.
  near(layer.forward(x), [a, a + (2 * a) / (1 + Math.exp(-a * a))]);
});

on('Embedding with a padding index: zeros at first, and no gradient', () => {
  const layer = new nn.Embedding(3, 2, { paddingIdx: -2, ...one });
  near(layer.weight, [1, 1, 0, 0, 1, 1]);
  layer.weight.assign([1, 2, 3, 4, 5, 6]);
  const y = layer.forward(tensor([1, 2, 1, 2, 0]));
  near(y, [3, 4, 5, 6, 3, 4, 5, 6, 1, 2]);
  near(grad(y.square().sum(), [layer.weight])[0]!, [2, 4, 0, 0, 20, 24]);
  assert.throws(() => new nn.Embedding(3, 2, { paddingIdx: 3 }), /paddingIdx 3 is none of the 3 entries; give -3 to 2/);
});

on('Residual adds the body to x, or to the shortcut', () => {
  const double = new nn.Linear(1, 1, { bias: false, init: nn.init.constant(2) });
  near(new nn.Residual(double).forward(tensor([[3]])), [9]);
  const wide = () => new nn.Linear(1, 2, { bias: false, ...one });
  const block = new nn.Residual(wide(), wide());
  near(block.forward(tensor([[3]])), [6, 6]);
  assert.equal([...block.stateDict().keys()], ['body.weight', 'shortcut.weight']);
});

on('Reshape keeps the batch; Flatten takes an empty one; Unflatten is its inverse', () => {
  assert.equal(new nn.Reshape([3, -1]).forward(zeros([2, 6])).shape, [2, 3, 2]);
  assert.equal(new nn.Flatten().forward(zeros([0, 2, 3])).shape, [0, 6]);
  assert.equal(new nn.Flatten().forward(zeros([4])).shape, [4, 1]);
  assert.equal(new nn.Unflatten(1, [2, -1]).forward(zeros([5, 6])).shape, [5, 2, 3]);
});

class Sum extends nn.Module<[a: Tensor, b: Tensor]> {
  override forward(a: Tensor, b: Tensor): Tensor {
    return a.add(b);
  }
}

on('Sequential takes what its first module takes, gives what its last one gives, and is a list', () => {
  const m = new nn.Sequential(new Sum(), new nn.ReLU(), new nn.LSTM(2, 3));
  const [y, [h, c]] = m.forward(zeros([1, 4, 2]), zeros([1, 4, 2]));
  assert.equal(
    [y.shape, h.shape, c.shape],
    [
      [1, 4, 3],
      [1, 1, 3],
      [1, 1, 3],
    ],
  );
  assert.is(m.length, 3);
  assert.instance(m.at(1), nn.ReLU);
  assert.is(m.at(-1), m.layers[2]);
  assert.equal([...m], m.layers);
  assert.throws(() => m.at(3), /^Sequential: there is no module 3 among 3$|there is no module 3/);
  const x = zeros([2]);
  assert.is(new nn.Sequential().forward(x), x);
  near(new nn.Sequential(new Sum()).forward(tensor([1]), tensor([2])), [3]);
});

on('a query that may look at nothing has weights of 0', () => {
  const layer = new nn.MultiheadAttention(1, 1, { bias: false, ...one });
  const x = tensor([1, 3], { shape: [1, 2, 1] });
  const [y, w] = layer.forward(x, x, x, { keyPaddingMask: tensor([[1, 1]]) });
  near(w!, [0, 0, 0, 0]);
  near(y, [0, 0]);
});

on('the networks keep what the cells do, step by step, and backwards', () => {
  const rng = () => new Rng(3);
  const cell = new nn.LSTMCell(2, 3, { rng: rng() });
  const net = new nn.LSTM(2, 3, { bidirectional: true, rng: rng() });
  net.weightIhReverse[0]!.assign(Float64Array.from(values(net.weightIh[0]!)));
  net.weightHhReverse[0]!.assign(Float64Array.from(values(net.weightHh[0]!)));
  net.biasIhReverse[0]!.assign(Float64Array.from(values(net.biasIh[0]!)));
  net.biasHhReverse[0]!.assign(Float64Array.from(values(net.biasHh[0]!)));
  const x = new Rng(4).normal([2, 3, 2]);
  let state: nn.LSTMState | undefined;
  for (const t of [0, 1, 2]) state = cell.forward(x.slice([[], [t, t + 1]]).reshape([2, 2]), state);
  const [, [h, c]] = net.forward(x);
  const [back, [hBack]] = net.forward(x.flip(1));
  near(h.slice([[0, 1]]), values(state![0]));
  near(c.slice([[0, 1]]), values(state![1]));
  near(hBack.slice([[1, 2]]), values(state![0]));
  near(back.slice([[], [0, 1], [3, 6]]), values(state![0]));
});

on('a summary counts the weights and products of a recurrent network; a copy has weights of its own', () => {
  const net = new nn.GRU(3, 2, { numLayers: 2, bias: false });
  const { rows } = nn.summary(net, [1, 4, 3]);
  assert.equal(rows[0]!.output, [
    [1, 4, 2],
    [2, 1, 2],
  ]);
  assert.is(rows[0]!.parameters, 3 * 6 + 2 * 6 + 2 * 6 + 2 * 6);
  assert.is(rows[0]!.multiplyAdds, 4 * (3 * 6 + 2 * 6 + 2 * 6 + 2 * 6));
  const x = new Rng(1).normal([1, 4, 3]);
  const twin = net.copy();
  const before = values(net.forward(x)[0]);
  twin.weightIh[0]!.assign(new Float64Array(18));
  assert.equal(values(net.forward(x)[0]), before);
  assert.not.equal(values(twin.forward(x)[0]), before);
});

const x4 = () => zeros([2, 3, 4, 5]);
const refusals: Readonly<Record<string, readonly [() => unknown, RegExp]>> = {
  PReLU: [() => new nn.PReLU(3).forward(x4()), /^PReLU: x \[2,3,4,5\] must have 3 channels in its last axis/],
  GLU: [() => new nn.GLU().forward(x4()), /^GLU: axis -1 of x \[2,3,4,5\] must be of even size/],
  Maxout: [() => new nn.Maxout(3, 2, 2).forward(zeros([1, 4])), /^Maxout: x \[1,4\] must have 3 features/],
  Bilinear: [
    () => new nn.Bilinear(2, 3, 1).forward(zeros([1, 2]), zeros([2, 3])),
    /^Bilinear: x1 \[1,2\] and x2 \[2,3\] must be \[\.\.\.,2\] and \[\.\.\.,3\], with the same leading axes/,
  ],
  Dropout2d: [() => new nn.Dropout2d().forward(zeros([2, 3])), /^Dropout2d: x \[2,3\] must be images .* use Dropout/],
  MaxPool1d: [() => new nn.MaxPool1d(2).forward(x4()), /^maxPool1d: x must be \[N,L,C\], not \[2,3,4,5\]/],
  MaxPool2d: [() => new nn.MaxPool2d(6).forward(x4()), /^maxPool2d: a window of 6 .* of \[2,3,4,5\]; pad, or take/],
  AvgPool1d: [() => new nn.AvgPool1d(2).forward(x4()), /^avgPool1d: x must be \[N,L,C\], not \[2,3,4,5\]/],
  AvgPool2d: [() => new nn.AvgPool2d(6).forward(x4()), /^avgPool2d: a window of 6 .* of \[2,3,4,5\]; pad, or take/],
  AdaptiveAvgPool1d: [() => new nn.AdaptiveAvgPool1d(2).forward(x4()), /^adaptiveAvgPool1d: x must be \[N,L,C\]/],
  AdaptiveAvgPool2d: [() => new nn.AdaptiveAvgPool2d(0).forward(x4()), /^adaptiveAvgPool2d: the output size \[0,0\]/],
  AdaptiveMaxPool1d: [() => new nn.AdaptiveMaxPool1d(2).forward(x4()), /^adaptiveMaxPool1d: x must be \[N,L,C\]/],
  AdaptiveMaxPool2d: [() => new nn.AdaptiveMaxPool2d(0).forward(x4()), /^adaptiveMaxPool2d: the output size \[0,0\]/],
  GlobalAvgPool: [() => new nn.GlobalAvgPool().forward(zeros([2, 3])), /^globalAvgPool: .*\[2,3\]/],
  Upsample: [() => new nn.Upsample({ size: 2 }).forward(zeros([2, 3])), /^resizeNearest: .*\[2,3\]/],
  PixelShuffle: [() => new nn.PixelShuffle(2).forward(x4()), /^PixelShuffle: x \[2,3,4,5\] .* upscaleFactor² = 4$/],
  PixelUnshuffle: [() => new nn.PixelUnshuffle(2).forward(x4()), /^PixelUnshuffle: x \[2,3,4,5\] .* = 2; pad first$/],
  Pad: [
    () =>
      new nn.Pad([
        [1, 1],
        [1, 1],
      ]).forward(zeros([2, 3, 1])),
    /^Pad: x \[2,3,1\] must be .* 2 or more axes/,
  ],
  Flatten: [() => new nn.Flatten(2, 1).forward(x4()), /^Flatten: startAxis 2 of x \[2,3,4,5\] lies behind endAxis 1/],
  Unflatten: [() => new nn.Unflatten(3, [2, -1]).forward(x4()), /^Unflatten: axis 3 of x \[2,3,4,5\] .* multiply to 5/],
  Residual: [
    () => new nn.Residual(new nn.Linear(5, 2)).forward(x4()),
    /^Residual: of x \[2,3,4,5\] the body makes \[2,3,4,2\], and the shortcut \[2,3,4,5\]; give a shortcut/,
  ],
  SelfAttention2d: [() => new nn.SelfAttention2d(8).forward(x4()), /^SelfAttention2d: x \[2,3,4,5\] must be .*,8\]/],
  'SelfAttention2d with pooling': [
    () => new nn.SelfAttention2d(1, { pool: true }).forward(zeros([1, 1, 4, 1])),
    /^SelfAttention2d: x \[1,1,4,1\] is too small to pool; sides must be 2 or more/,
  ],
  MultiheadAttention: [
    () => new nn.MultiheadAttention(4, 2, { kdim: 3 }).forward(zeros([2, 3, 4]), zeros([2, 5, 4])),
    /^MultiheadAttention: query \[2,3,4\], key \[2,5,4\] and value \[2,5,4\] must be \[N,L,4\], \[N,S,3\] and \[N,S,4\]/,
  ],
  keyPaddingMask: [
    () => {
      const q = zeros([2, 3, 4]);
      new nn.MultiheadAttention(4, 2).forward(q, q, q, { keyPaddingMask: zeros([3, 2]) });
    },
    /^MultiheadAttention: keyPaddingMask \[3,2\] must be \[N,S\] = \[2,3\], 1 for a key that is not looked at/,
  ],
  attnMask: [
    () => {
      const q = zeros([2, 3, 4]);
      new nn.MultiheadAttention(4, 2).forward(q, q, q, { attnMask: zeros([2, 3]) });
    },
    /^MultiheadAttention: attnMask \[2,3\] must broadcast against the scores .* = \[2,2,3,3\]; \[3,3\] is usual/,
  ],
  TransformerEncoderLayer: [
    () => new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 2 }).forward(zeros([3, 2])),
    /^MultiheadAttention: query \[3,2\]/,
  ],
  RNNCell: [() => new nn.RNNCell(3, 2).forward(zeros([1, 2])), /^RNNCell: x \[1,2\] must be \[N,3\], one step/],
  GRUCell: [
    () => new nn.GRUCell(3, 2).forward(zeros([1, 3]), zeros([1, 3])),
    /^GRUCell: h \[1,3\] must be \[1,2\], \[N,hiddenSize\]/,
  ],
  LSTMCell: [
    () => new nn.LSTMCell(3, 2).forward(zeros([1, 3]), [zeros([1, 2]), zeros([2])]),
    /^LSTMCell: c \[2\] must be \[1,2\], \[N,hiddenSize\]/,
  ],
  RNN: [() => new nn.RNN(3, 2).forward(zeros([1, 0, 3])), /^RNN: x \[1,0,3\] must be sequences \[N,L,3\], batch first/],
  GRU: [() => new nn.GRU(3, 2).forward(zeros([4, 3])), /^GRU: x \[4,3\] must be sequences \[N,L,3\], batch first/],
  LSTM: [
    () => new nn.LSTM(3, 2, { numLayers: 2 }).forward(zeros([1, 4, 3]), [zeros([2, 1, 2]), zeros([1, 2])]),
    /^LSTM: c \[1,2\] must be \[2,1,2\], \[layers·directions,N,hiddenSize\]/,
  ],
  MinibatchStdDev: [
    () => new nn.MinibatchStdDev({ groupSize: 2 }).forward(zeros([3, 1, 1, 2])),
    /^MinibatchStdDev: x \[3,1,1,2\] must be images .* multiple of groupSize 2, or less/,
  ],
  MinibatchDiscrimination: [
    () => new nn.MinibatchDiscrimination(3, 1, 1).forward(x4()),
    /^MinibatchDiscrimination: x \[2,3,4,5\] must be \[N,3\]; flatten images first/,
  ],
};

for (const [name, [fn, pattern]] of Object.entries(refusals)) {
  on(`${name} says which shape it wants`, () => {
    assert.throws(fn, (e: Error) => {
      assert.instance(e, ShapeError);
      assert.match(e.message, pattern);
      return true;
    });
  });
}

on('options out of range are refused when a layer is made', () => {
  const wrong: readonly (readonly [() => unknown, RegExp])[] = [
    [() => new nn.Dropout(1.5), /^Dropout: p must be from 0 to 1, not 1.5/],
    [() => new nn.Dropout2d(-1), /^Dropout2d: p must be/],
    [() => new nn.AlphaDropout(1), /^AlphaDropout: p must be less than 1/],
    [() => new nn.AlphaDropout(2), /^AlphaDropout: p must be from 0 to 1/],
    [() => new nn.Hardtanh(1, 1), /^Hardtanh: min 1 must be less than max 1/],
    [() => new nn.Maxout(1, 1, 0), /^Maxout: pieces must be/],
    [() => new nn.PixelShuffle(0.5), /^PixelShuffle: the factor must be a whole number, 1 or more, not 0.5/],
    [() => new nn.PixelUnshuffle(0), /^PixelUnshuffle: the factor/],
    [() => new nn.Upsample({}), /^Upsample: give a size or a scaleFactor/],
    [() => new nn.Upsample({ size: 2, alignCorners: true }), /alignCorners is for mode 'bilinear'/],
    [() => new nn.MultiheadAttention(4, 3), /^MultiheadAttention: 3 heads do not divide embedDim 4/],
    [() => new nn.GRU(1, 1, { numLayers: 0 }), /^GRU: numLayers must be a whole number, 1 or more, not 0/],
    [() => new nn.LSTM(1, 1, { dropout: 2 }), /^LSTM: dropout must be a number from 0 to 1, not 2/],
    [
      () => new nn.RNN(3, 4, { nonlinearity: 'sigmoid' as never }),
      /^RNN: nonlinearity must be one of tanh, relu, not "sigmoid"/,
    ],
    [() => new nn.MinibatchStdDev({ groupSize: 0 }), /^MinibatchStdDev: groupSize must be 1 or more, not 0/],
  ];
  for (const [fn, pattern] of wrong) assert.throws(fn, pattern);
});

on('layers print their sizes and options', () => {
  const printed: readonly (readonly [nn.AnyModule, string])[] = [
    [new nn.ReLU(), 'ReLU()'],
    [new nn.LeakyReLU(0.2), 'LeakyReLU(slope 0.2)'],
    [new nn.PReLU(3), 'PReLU(3)'],
    [new nn.ELU(), 'ELU(alpha 1)'],
    [new nn.GELU({ approximate: 'tanh' }), 'GELU(approximate tanh)'],
    [new nn.Softplus(), 'Softplus(beta 1, threshold 20)'],
    [new nn.Hardtanh(), 'Hardtanh(min -1, max 1)'],
    [new nn.Softmax(), 'Softmax(axis -1)'],
    [new nn.Bilinear(2, 3, 4, { bias: false }), 'Bilinear(2, 3, 4, no bias)'],
    [new nn.Embedding(5, 2, { paddingIdx: -1 }), 'Embedding(5, 2, paddingIdx 4)'],
    [new nn.Dropout(0.3), 'Dropout(p 0.3)'],
    [new nn.MaxPool1d(2, { stride: 1 }), 'MaxPool1d(kernel 2, stride 1)'],
    [new nn.AvgPool2d([2, 3], { padding: 1, ceilMode: true }), 'AvgPool2d(kernel 2x3, padding 1x1, ceilMode true)'],
    [new nn.AdaptiveAvgPool2d(4), 'AdaptiveAvgPool2d(4x4)'],
    [new nn.Upsample({ scaleFactor: 2 }), 'Upsample(scaleFactor 2x2, mode nearest)'],
    [new nn.Pad([[1, 0]], { mode: 'reflect' }), 'Pad([[1,0]], mode reflect)'],
    [new nn.Flatten(0), 'Flatten(startAxis 0)'],
    [new nn.Unflatten(1, [2, 3]), 'Unflatten(axis 1, [2,3])'],
    [new nn.RNNCell(3, 2), 'RNNCell(3, 2)'],
    [new nn.LSTM(3, 2, { numLayers: 2, bidirectional: true }), 'LSTM(3, 2, layers 2, bidirectional)'],
    [new nn.MinibatchStdDev(), 'MinibatchStdDev(groupSize 4, numChannels 1)'],
    [new nn.MinibatchDiscrimination(4, 3, 2), 'MinibatchDiscrimination(4, 3, kernelDims 2)'],
  ];
  for (const [layer, text] of printed) assert.is(String(layer), text);
  const lines = (m: nn.AnyModule) => String(m).split('\n')[0]!;
  assert.is(lines(new nn.Maxout(2, 3, 4)), 'Maxout(2, 3, pieces 4');
  assert.is(lines(new nn.SelfAttention2d(16, { pool: true })), 'SelfAttention2d(16, keys 2, values 8, pool');
  assert.is(lines(new nn.MultiheadAttention(4, 2, { vdim: 3 })), 'MultiheadAttention(4, heads 2, vdim 3');
  const encoder = new nn.TransformerEncoderLayer(4, 2, { normFirst: true });
  assert.is(lines(encoder), 'TransformerEncoderLayer(4, heads 2, feedforward 2048, relu, norm first');
});

test.run();
