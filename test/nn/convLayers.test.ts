/** Convolution layers beside what fixtures hold them to: first weights, messages, printed forms. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  convTranspose1d,
  convTranspose2d,
  grad,
  Rng,
  reference,
  ShapeError,
  scope,
  type Tensor,
  tensor,
  withDevice,
  zeros,
} from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';

const test = suite('convLayers');
const values = (t: Tensor): number[] => Array.from(reference.values(t.storage));
const on = (name: string, fn: () => void) => test(name, () => withDevice(reference, () => scope(fn)));
const throws = (fn: () => unknown, pattern: RegExp, kind: new (m: string) => Error = ShapeError) =>
  assert.throws(fn, (e: Error) => e instanceof kind && (pattern.test(e.message) || assert.unreachable(e.message)));

on(
  "weights and biases start uniform in ±1/√fanIn, PyTorch's default, which counts a transposed layer's outputs",
  () => {
    const rng = new Rng(1);
    const cases: [nn.Module & { weight: Tensor; bias: Tensor | undefined }, number][] = [
      [new nn.Conv1d(8, 40, 5, { groups: 2, rng }), 4 * 5],
      [new nn.Conv2d(6, 60, [2, 3], { rng }), 6 * 6],
      [new nn.Conv3d(3, 50, 2, { rng }), 3 * 8],
      [new nn.ConvTranspose1d(40, 60, 5, { groups: 4, rng }), 15 * 5],
      [new nn.ConvTranspose2d(60, 50, 3, { rng }), 50 * 9],
      [new nn.ConvTranspose3d(20, 50, [1, 2, 3], { rng }), 50 * 6],
    ];
    for (const [layer, fanIn] of cases) {
      const bound = 1 / Math.sqrt(fanIn);
      for (const t of [layer.weight, layer.bias!]) {
        const largest = Math.max(...values(t).map(Math.abs));
        assert.ok(largest < bound && largest > 0.9 * bound, `${String(layer)}: ${largest} of ${bound}`);
      }
      const meanSquare = values(layer.weight).reduce((s, v) => s + v * v, 0) / layer.weight.size;
      assert.ok(Math.abs(meanSquare / (bound ** 2 / 3) - 1) < 0.2, `${String(layer)}: mean square ${meanSquare}`);
    }
  },
);

on('init and initBias get the fans and the generator', () => {
  const seen: unknown[] = [];
  const init: nn.Initializer = (shape, fans) => {
    seen.push([shape, fans]);
    return zeros(shape);
  };
  new nn.Conv2d(4, 6, [1, 3], { groups: 2, init, initBias: init });
  new nn.ConvTranspose2d(4, 6, [1, 3], { groups: 2, init, bias: false });
  assert.equal(seen, [
    [[1, 3, 2, 6], { fanIn: 6, fanOut: 18 }],
    [[6], { fanIn: 6, fanOut: 18 }],
    [[1, 3, 3, 4], { fanIn: 9, fanOut: 12 }],
  ]);
});

on('layers print their sizes and what is not as usual', () => {
  const printed = [
    new nn.Conv2d(1, 16, 4, { stride: 2, padding: 1 }),
    new nn.Conv2d(2, 4, [1, 3], { stride: [2, 1], padding: 'same', dilation: [1, 2], groups: 2, bias: false }),
    new nn.Conv1d(2, 4, 3, { padding: 1, paddingMode: 'reflect' }),
    new nn.Conv3d(1, 2, 3),
    new nn.ConvTranspose2d(8, 4, 4, { stride: [2, 2], padding: [1, 1], outputPadding: 1 }),
    new nn.Linear(3, 2),
    new nn.Linear(3, 2, { bias: false }),
  ].map(String);
  assert.equal(printed, [
    'Conv2d(1, 16, kernel 4x4, stride 2, padding 1)',
    'Conv2d(2, 4, kernel 1x3, stride 2x1, padding same, dilation 1x2, groups 2, no bias)',
    'Conv1d(2, 4, kernel 3, padding 1, padding mode reflect)',
    'Conv3d(1, 2, kernel 3x3x3)',
    'ConvTranspose2d(8, 4, kernel 4x4, stride 2, padding 1, output padding 1)',
    'Linear(3, 2)',
    'Linear(3, 2, no bias)',
  ]);
});

on('inputs that do not fit are named, with the rule and what to do', () => {
  throws(
    () => new nn.Conv2d(2, 3, 3).forward(zeros([1, 2, 5, 5])),
    /^Conv2d: x \[1,2,5,5\] must be \[N,H,W,2\]: channels come last, .*permute PyTorch's \[N,C,H,W\]$/,
  );
  throws(() => new nn.Conv1d(2, 3, 3).forward(zeros([5, 2])), /^Conv1d: x \[5,2\] must be \[N,L,2\]/);
  throws(() => new nn.Conv3d(2, 3, 3).forward(zeros([1, 5, 5, 2])), /^Conv3d: x \[1,5,5,2\] must be \[N,D,H,W,2\]/);
  throws(() => new nn.ConvTranspose1d(4, 2, 3).forward(zeros([1, 5, 2])), /^ConvTranspose1d: .* must be \[N,L,4\]/);
  throws(
    () => new nn.Conv2d(1, 1, 5).forward(zeros([1, 3, 3, 1])),
    /the kernel reaches over 5 places of an axis that has 3/,
  );
  throws(
    () => new nn.Conv2d(1, 1, 3, { padding: 3, paddingMode: 'reflect' }).forward(zeros([1, 3, 3, 1])),
    /mode reflect adds 0 to 2 elements on a side of axis 1/,
  );
});

on('a transposed convolution goes on past what its input reaches, below the dilation', () => {
  // PyTorch's definition: y[o] is the sum of x[i] w[k] over all i · stride + k · dilation - padding = o.
  const direct = (x: number[], w: number[], [s, d, p, extra]: readonly [number, number, number, number]): number[] => {
    const y = new Array<number>((x.length - 1) * s - 2 * p + d * (w.length - 1) + extra + 1).fill(0);
    x.forEach((a, i) => {
      w.forEach((b, k) => {
        const o = i * s + k * d - p;
        if (o >= 0 && o < y.length) y[o]! += a * b;
      });
    });
    return y;
  };
  const [x, w] = [
    [1, 2, 3, 4],
    [5, -7, 11],
  ];
  for (const [s, d, p, extra] of [
    [1, 3, 0, 2],
    [2, 5, 0, 4],
    [2, 5, 4, 3],
    [2, 5, 1, 2],
    [3, 4, 0, 3],
    [3, 2, 1, 2],
    [1, 2, 1, 1],
  ] as const) {
    const wanted = direct(x, w, [s, d, p, extra]);
    const options = { stride: s, dilation: d, padding: p, outputPadding: extra, bias: false };
    const layers = [
      [new nn.ConvTranspose1d(1, 1, 3, options), [1, 4, 1]],
      [new nn.ConvTranspose2d(1, 1, [1, 3], deep(options, 2)), [1, 1, 4, 1]],
      [new nn.ConvTranspose3d(1, 1, [1, 1, 3], deep(options, 3)), [1, 1, 1, 4, 1]],
    ] as const;
    for (const [layer, shape] of layers) {
      layer.weight.assign(w);
      const input = tensor(x, { shape }).requireGrad();
      const y = layer.forward(input);
      assert.equal(values(y), wanted, `${String(layer)}`);
      // What is linear in both has these derivatives: by x against w, and by both against each other.
      const [dx] = grad(y.sum(), [input], { createGraph: true });
      const one = x.map((_, i) =>
        direct(
          x.map((_, j) => Number(i === j)),
          w,
          [s, d, p, extra],
        ).reduce((a, b) => a + b),
      );
      assert.equal(values(dx!), one);
      const reached = w.map((_, k) =>
        direct(
          [1, 1, 1, 1],
          w.map((_, j) => Number(k === j)),
          [s, d, p, extra],
        ).reduce((a, b) => a + b),
      );
      assert.equal(values(grad(dx!.sum(), [layer.weight])[0]!), reached);
    }
  }
  throws(
    () => convTranspose2d(zeros([1, 2, 2, 1]), zeros([2, 2, 1, 1]), { stride: 2, outputPadding: [2, 0] }),
    /^convTranspose2d: outputPadding \[2,0\] must be whole numbers, 0 or more, each less than the stride \[2,2\] or the dilation \[1,1\]/,
  );
  throws(
    () => convTranspose1d(zeros([1, 2, 1]), zeros([2, 1, 1]), { outputPadding: 1 }),
    /^convTranspose1d: outputPadding \[1\]/,
  );
});

/** Options of the last of several axes; the others are as if they were not there. */
const deep = <O extends Record<'stride' | 'dilation' | 'padding' | 'outputPadding', number>>(
  { stride, dilation, padding, outputPadding, ...rest }: O,
  axes: number,
) => {
  const last = (v: number, usual: number): never =>
    Array.from({ length: axes }, (_, i) => (i === axes - 1 ? v : usual)) as never;
  return {
    ...rest,
    stride: last(stride, 1),
    dilation: last(dilation, 1),
    padding: last(padding, 0),
    outputPadding: last(outputPadding, 0),
  };
};

on('sizes and options that do not fit are refused when the layer is made', () => {
  throws(
    () => new nn.Conv2d(3, 4, 3, { groups: 2 }),
    /^Conv2d: 3 channels in and 4 out do not split into 2 groups; choose/,
  );
  throws(() => new nn.Conv2d(2, 4, 0), /^Conv2d: kernel must be 2 whole numbers, 1 or more, not 0$/);
  throws(() => new nn.Conv1d(2, 4, 3, { stride: 1.5 }), /^Conv1d: stride must be a whole number, 1 or more, not 1.5$/);
  throws(() => new nn.Conv3d(2, 4, 3, { padding: -1 }), /^Conv3d: padding must be 3 whole numbers, 0 or more, not -1$/);
  throws(
    () => new nn.Conv2d(2, 4, [1, 2, 3] as never),
    /^Conv2d: kernel must be a number or a list of 2 numbers, not \[1,2,3\]$/,
    TypeError,
  );
  throws(
    () => new nn.ConvTranspose2d(2, 2, 3, { stride: 2, outputPadding: 2 }),
    /outputPadding 2,2 must be less than the stride 2,2/,
  );
  throws(
    () => new nn.Conv2d(1, 1, 3, { padding: 'same', paddingMode: 'reflect', stride: 2 }),
    /needs stride 1, not 2; give/,
  );
  throws(
    () => new nn.Conv2d(1, 1, 3, { paddingMode: 'mirror' as never }),
    /paddingMode must be one of zeros, reflect/,
    RangeError,
  );
  throws(() => new nn.Conv2d(1, 1, 3, { padding: 'full' as never }), /^Conv2d: padding is .* not 'full'/, TypeError);
  throws(() => new nn.ConvTranspose2d(1, 1, 3, { padding: 'same' as never }), /not 'same'/, TypeError);
  throws(
    () => new nn.Conv2d(1, 1, 3, { strides: 2 } as never),
    /Conv2d: there is no option strides; there are stride/,
    TypeError,
  );
  throws(() => new nn.ConvTranspose2d(1, 1, 3, { paddingMode: 'zeros' } as never), /no option paddingMode/, TypeError);
});

test.run();
