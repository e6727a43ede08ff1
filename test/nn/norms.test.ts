/** Normalisation layers that PyTorch does not have, against numbers worked out by hand and central differences; messages. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  grad,
  gradcheck,
  gradgradcheck,
  init,
  Rng,
  reference,
  ShapeError,
  scope,
  type Tensor,
  tensor,
  zeros,
} from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';

const test = suite('norms');
await init({ adapter: 'reference' });
const values = (t: Tensor): number[] => Array.from(reference.values(t.storage));
const on = (name: string, fn: () => void) => test(name, () => scope(fn));
const near = (found: readonly number[], wanted: readonly number[], tolerance = 1e-12): void => {
  assert.is(found.length, wanted.length);
  found.forEach((v, i) => {
    assert.ok(Math.abs(v - wanted[i]!) <= tolerance, `element ${i}: ${v}, wanted ${wanted[i]}`);
  });
};
const throws = (fn: () => unknown, pattern: RegExp, kind: new (m: string) => Error = ShapeError) =>
  assert.throws(fn, (e: Error) => e instanceof kind && (pattern.test(e.message) || assert.unreachable(e.message)));
const rng = () => new Rng(5);

/** Checks a layer's derivatives in its inputs and parameters to second order, and those of a gradient penalty on the first input. */
async function check(layer: nn.Module<Tensor[], Tensor>, inputs: readonly Tensor[], fixed: readonly Tensor[] = []) {
  const named = layer.namedParameters();
  const leaves = [...inputs, ...named.map(([, p]) => p)];
  const call = (ts: readonly Tensor[]) => {
    const own = named.map(([name], i) => [name, ts[inputs.length + i]!] as const);
    return nn.functionalCall(layer, own, ...ts.slice(0, inputs.length), ...fixed);
  };
  await gradcheck((...ts) => call(ts), leaves, { fast: true });
  await gradgradcheck((...ts) => call(ts), leaves, { fast: true });
  const penalty = (...ts: Tensor[]) => {
    const [g] = grad(call(ts).tanh().sum(), [ts[0]!], { createGraph: true });
    return g!.square().sum().add(1e-3).sqrt().sub(1).square();
  };
  assert.ok(values(scope(() => penalty(...leaves)))[0]! > 1e-3);
  await gradcheck(penalty, leaves, { fast: true });
}

const random = (...shape: number[]) => new Rng(shape.length).normal(shape).requireGrad();

test('RMSNorm divides by the root mean square of the last axes', async () => {
  scope(() => {
    const layer = new nn.RMSNorm(2);
    layer.weight!.assign([1, 2]);
    near(values(layer.forward(tensor([[3, 4]]))), [3 / Math.sqrt(12.5), 8 / Math.sqrt(12.5)], 1e-14);
    near(
      values(
        new nn.RMSNorm([2, 2], { eps: 3.5 }).forward(
          tensor([
            [
              [1, 2],
              [3, 4],
            ],
          ]),
        ),
      ),
      [1 / 3.3166247903554, 2 / 3.3166247903554, 3 / 3.3166247903554, 4 / 3.3166247903554],
    );
    assert.equal([...new nn.RMSNorm(2, { elementwiseAffine: false }).stateDict()], []);
    near(values(layer.forward(zeros([1, 2]))), [0, 0]);
    throws(() => layer.forward(zeros([2, 3])), /^RMSNorm: x \[2,3\] must end in the normalised shape \[2\]; give/);
  });
  await check(new nn.RMSNorm(3), [random(2, 3)]);
  await check(new nn.RMSNorm([2, 2], { eps: 0.1 }), [random(2, 2, 2)]);
});

test('PixelNorm divides the features of each pixel by their root mean square', async () => {
  scope(() => {
    const x = tensor([3, 4, 6, 8], { shape: [1, 1, 2, 2] });
    const [a, b] = [3 / Math.sqrt(12.5 + 1e-8), 4 / Math.sqrt(12.5 + 1e-8)];
    near(values(new nn.PixelNorm().forward(x)).slice(0, 2), [a, b], 1e-14);
    near(values(new nn.PixelNorm({ eps: 0 }).forward(x)), [
      0.6 * Math.SQRT2,
      0.8 * Math.SQRT2,
      0.6 * Math.SQRT2,
      0.8 * Math.SQRT2,
    ]);
    throws(() => new nn.PixelNorm().forward(tensor(1)), /^PixelNorm: x \[\] must be \[...,C\]/);
  });
  await check(new nn.PixelNorm({ eps: 0.01 }), [random(2, 2, 1, 3)]);
});

test('AdaIN scales and shifts a standardised instance by what its style says', async () => {
  scope(() => {
    const layer = new nn.AdaIN(1, 1, { eps: 0 });
    assert.equal([...layer.stateDict().keys()], ['affine.weight', 'affine.bias']);
    assert.equal(values(layer.affine.bias!), [0, 0]);
    layer.affine.weight.assign([0.5, 3]);
    layer.affine.bias!.assign([0, 1]);
    // Both instances become -1 and 1. Style 2: scale 1 + 1, shift 6 + 1. Style 0: scale 1, shift 1.
    const x = tensor([1, 3, 10, 30], { shape: [2, 2, 1, 1] });
    near(values(layer.forward(x, tensor([[2], [0]]))), [5, 9, 0, 2]);
    throws(
      () => layer.forward(x, zeros([2, 3])),
      /^AdaIN: x \[2,2,1,1\] and style \[2,3\] must be \[N,...,1\] and \[N,1\], a style for each sample/,
    );
    assert.match(String(new nn.AdaIN(512, 64, { eps: 1e-8 })), /^AdaIN\(512, 64, eps 1e-8\n {2}affine: Linear\(/);
  });
  await check(new nn.AdaIN(2, 3, { rng: rng() }), [random(2, 2, 2, 3), random(2, 2)]);
});

test('ConditionalBatchNorm takes gain and shift from tables by class, or linearly from vectors', async () => {
  scope(() => {
    const layer = new nn.ConditionalBatchNorm(1, 2, { eps: 0, momentum: 0.5 });
    assert.equal([...layer.stateDict().keys()].sort(), ['gain.weight', 'runningMean', 'runningVar', 'shift.weight']);
    layer.gain.weight.assign([0.5, 1]);
    layer.shift.weight.assign([10, 20]);
    const x = tensor([1, 3], { shape: [2, 1, 1, 1] }); // becomes -1 and 1
    near(values(layer.forward(x, tensor([1, 0]))), [2 * -1 + 20, 1.5 + 10]);
    near(values(layer.runningMean!), [1]);
    near(values(layer.runningVar!), [1.5]);
    near(
      values(
        layer.forward(
          x,
          tensor([
            [0, 1],
            [1, 0],
          ]),
        ),
      ),
      [18, 11.5],
    );
    near(
      values(
        layer.forward(
          x,
          tensor([
            [0.5, 0.5],
            [2, 0],
          ]),
        ),
      ),
      [1.75 * -1 + 15, 2 + 20],
    );
    layer.runningMean!.assign([2]);
    layer.runningVar!.assign([4]);
    near(values(layer.eval().forward(x, tensor([0, 0]))), [1.5 * -0.5 + 10, 1.5 * 0.5 + 10]);
    throws(
      () => layer.forward(x, zeros([2, 3])),
      /^ConditionalBatchNorm: x \[2,1,1,1\] and condition \[2,3\] must be \[N,...,1\] and the samples' classes \[N\], or vectors \[N,2\]/,
    );
    throws(() => layer.forward(x, zeros([3])), /condition \[3\]/);
    assert.match(String(layer), /^ConditionalBatchNorm\(1, eps 0, momentum 0.5, 2 conditions\n/);
  });
  const make = (norm?: nn.ConditionalBatchNorm) =>
    norm ?? new nn.ConditionalBatchNorm(2, 3, { rng: rng(), init: nn.init.normal(0.5) });
  const [classes, x] = [tensor([2, 0, 2, 1]), random(4, 2, 1, 2)];
  await check(make() as unknown as nn.Module<Tensor[], Tensor>, [x], [classes]);
  await check(make().eval() as unknown as nn.Module<Tensor[], Tensor>, [x], [classes]);
  await check(make() as unknown as nn.Module<Tensor[], Tensor>, [x, random(4, 3)]);
});

on('spectral norm of the gain normalises both uses of it', () => {
  const layer = new nn.ConditionalBatchNorm(2, 3, { rng: rng(), eps: 0 });
  nn.spectralNorm(layer.gain, { iterations: 40, rng: rng() });
  layer.shift.weight.assign([0, 0, 0, 0, 0, 0]);
  const x = random(3, 2);
  const [byClass, byVector] = [
    tensor([0, 2, 1]),
    tensor([
      [1, 0, 0],
      [0, 0, 1],
      [0, 1, 0],
    ]),
  ].map((c) => values(layer.forward(x, c))) as [number[], number[]];
  near(byClass, byVector, 1e-9);
  // Its largest singular value is 1: for [a b; b c] = WᵀW, (a + c)/2 + √(((a - c)/2)² + b²).
  const w = values(layer.gain.weight);
  const dot = (i: number, j: number) => [0, 1, 2].reduce((s, k) => s + w[2 * k + i]! * w[2 * k + j]!, 0);
  near([(dot(0, 0) + dot(1, 1)) / 2 + Math.hypot((dot(0, 0) - dot(1, 1)) / 2, dot(0, 1))], [1], 1e-9);
});

on('momentum null averages all batches, and counts them', () => {
  const layer = new nn.BatchNorm1d(1, { momentum: null });
  assert.equal([...layer.stateDict().keys()].slice(2), ['runningMean', 'runningVar', 'numBatchesTracked']);
  for (const [a, b] of [
    [1, 3],
    [4, 8],
    [0, 4],
  ])
    layer.forward(tensor([[a!], [b!]]));
  near(values(layer.numBatchesTracked!), [3]);
  near(values(layer.runningMean!), [(2 + 6 + 2) / 3]);
  near(values(layer.runningVar!), [(2 + 8 + 8) / 3], 1e-9);
  nn.withoutTracking(() => layer.forward(tensor([[5], [9]])));
  layer.eval().forward(tensor([[5], [9]]));
  near(values(layer.numBatchesTracked!), [3]);
});

on('withoutTracking leaves running statistics of instance norm alone', () => {
  const layer = new nn.InstanceNorm1d(1, { trackRunningStats: true });
  const x = tensor([1, 3], { shape: [1, 2, 1] });
  nn.withoutTracking(() => layer.forward(x));
  near(values(layer.runningMean!), [0]);
  layer.forward(x);
  near(values(layer.runningMean!), [0.2]);
  near(values(layer.runningVar!), [0.9 + 0.1 * 2]);
});

test('LayerNorm without a bias, or without a scale as well', async () => {
  scope(() => {
    const layer = new nn.LayerNorm(2, { bias: false, eps: 0 });
    layer.weight!.assign([2, 3]);
    assert.equal([...layer.stateDict().keys()], ['weight']);
    near(values(layer.forward(tensor([[1, 5]]))), [-2, 3]);
    near(values(new nn.LayerNorm(2, { elementwiseAffine: false, eps: 0 }).forward(tensor([[1, 5]]))), [-1, 1]);
    throws(() => layer.forward(zeros([2, 3])), /^LayerNorm: x \[2,3\] must end in the normalised shape \[2\]/);
    throws(() => new nn.LayerNorm([]), /normalizedShape \[\] must be the sizes/);
  });
  await check(new nn.LayerNorm(3, { bias: false }), [random(2, 3)]);
});

on('shapes that do not fit are named, with the class that would fit', () => {
  throws(
    () => new nn.BatchNorm2d(3).forward(zeros([4, 3])),
    /^BatchNorm2d: x \[4,3\] must be \[N,H,W,3\]; use BatchNorm1d for 2 axes$/,
  );
  throws(
    () => new nn.BatchNorm1d(3).forward(zeros([4, 5])),
    /^BatchNorm1d: x \[4,5\] must be \[N,3\] or \[N,L,3\]; channels come last, and the layer was made for 3$/,
  );
  throws(
    () => new nn.BatchNorm3d(3).forward(zeros([2, 2, 2, 3])),
    /must be \[N,D,H,W,3\]; use BatchNorm2d for 4 axes$/,
  );
  throws(() => new nn.BatchNorm1d(3).forward(zeros([1, 3])), /one value a channel/);
  throws(
    () => new nn.InstanceNorm2d(3).forward(zeros([2, 2, 3])),
    /^InstanceNorm2d: .*; use InstanceNorm1d for 3 axes$/,
  );
  throws(() => new nn.InstanceNorm1d(2).forward(zeros([3, 1, 2])), /one value for each channel of a sample/);
  throws(() => new nn.GroupNorm(3, 4), /^GroupNorm: 4 channels do not split into 3 groups; choose/);
  throws(
    () => new nn.GroupNorm(2, 4).forward(zeros([1, 4, 2])),
    /^GroupNorm: x \[1,4,2\] must be \[N,...,4\]; channels/,
  );
  throws(() => new nn.BatchNorm2d(0), /^BatchNorm2d: channels must be a whole number/, RangeError);
  throws(() => new nn.BatchNorm2d(1, { momentum: 2 }), /momentum must be a number from 0 to 1, not 2/, RangeError);
  throws(() => new nn.BatchNorm2d(1, { tracks: true } as never), /^BatchNorm2d: there is no option tracks/, TypeError);
});

on('norms print their sizes and what is not as usual', () => {
  const printed = [
    new nn.BatchNorm2d(16),
    new nn.BatchNorm1d(4, { eps: 0.1, momentum: null, affine: false }),
    new nn.BatchNorm3d(4, { trackRunningStats: false }),
    new nn.InstanceNorm2d(8),
    new nn.InstanceNorm1d(8, { affine: true, trackRunningStats: true, momentum: 0.3 }),
    new nn.GroupNorm(2, 8, { affine: false }),
    new nn.LayerNorm([4, 4], { bias: false }),
    new nn.RMSNorm(8),
    new nn.PixelNorm(),
  ].map(String);
  assert.equal(printed, [
    'BatchNorm2d(16)',
    'BatchNorm1d(4, eps 0.1, momentum null, no affine)',
    'BatchNorm3d(4, no running statistics)',
    'InstanceNorm2d(8)',
    'InstanceNorm1d(8, momentum 0.3, affine, running statistics)',
    'GroupNorm(2, 8, no affine)',
    'LayerNorm([4,4], no bias)',
    'RMSNorm([8])',
    'PixelNorm()',
  ]);
});

test.run();
