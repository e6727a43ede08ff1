/** Initialisers: moments, bounds, structure, seeds, and `initialize` on modules. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { conv2d, memory, Rng, type Shape, withDevice } from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';
import { on, openGpu, read, reference } from '../support/devices.ts';

const test = suite('initialisers');
const gpu = await openGpu();
const { init } = nn;

const made = async (
  initializer: nn.Initializer,
  shape: Shape,
  seed = 1,
  device: typeof gpu | typeof reference = reference,
) =>
  (
    await read(device, () => [
      initializer(shape, shape.length < 2 ? { fanIn: 4, fanOut: 4 } : init.fansOf(shape), new Rng(seed)),
    ])
  )[0]!;

const mean = (v: Float64Array) => v.reduce((s, x) => s + x, 0) / v.length;
const std = (v: Float64Array) => {
  const m = mean(v);
  return Math.sqrt(mean(v.map((x) => (x - m) ** 2)));
};
const near = (found: number, wanted: number, eps: number, what: string) =>
  assert.ok(Math.abs(found - wanted) <= eps, `${what} is ${found}, not ${wanted}`);

/** Of 64·100·80 numbers, the standard errors of mean and deviation are below 0.0015 of the deviation. */
const LARGE = [8, 8, 100, 80];
const [FAN_IN, FAN_OUT] = [64 * 100, 64 * 80];

const MOMENTS: readonly [string, nn.Initializer, number, number, number?][] = [
  // Name, initialiser, mean, standard deviation, bound of magnitudes.
  ['normal(0.5, 2)', init.normal(0.5, 2), 2, 0.5],
  ['dcgan', init.dcgan, 0, 0.02],
  ['uniform(0.3)', init.uniform(0.3), 0, 0.3 / Math.sqrt(3), 0.3],
  ['uniform()', init.uniform(), 0.5, 1 / Math.sqrt(12), 1],
  ['uniform(-1, 3)', init.uniform(-1, 3), 1, 4 / Math.sqrt(12), 3],
  ['truncatedNormal()', init.truncatedNormal(), 0, 0.8796, 2],
  ['truncatedNormal(std 0.02)', init.truncatedNormal({ std: 0.02, low: -0.04, high: 0.04 }), 0, 0.8796 * 0.02, 0.04],
  ['xavierUniform', init.xavierUniform(), 0, Math.sqrt(2 / (FAN_IN + FAN_OUT)), Math.sqrt(6 / (FAN_IN + FAN_OUT))],
  ['xavierNormal, tanh', init.xavierNormal({ gain: 5 / 3 }), 0, (5 / 3) * Math.sqrt(2 / (FAN_IN + FAN_OUT))],
  ['kaimingNormal', init.kaimingNormal(), 0, Math.sqrt(2 / FAN_IN)],
  ['kaimingNormal, fanOut', init.kaimingNormal({ mode: 'fanOut', nonlinearity: 'relu' }), 0, Math.sqrt(2 / FAN_OUT)],
  ['kaimingNormal, slope', init.kaimingNormal({ slope: 0.2 }), 0, Math.sqrt(2 / 1.04 / FAN_IN)],
  ['kaimingUniform', init.kaimingUniform(), 0, Math.sqrt(2 / FAN_IN), Math.sqrt(6 / FAN_IN)],
  [
    'kaimingUniform, linear',
    init.kaimingUniform({ nonlinearity: 'linear' }),
    0,
    Math.sqrt(1 / FAN_IN),
    Math.sqrt(3 / FAN_IN),
  ],
  ['fanInUniform', init.fanInUniform, 0, 1 / Math.sqrt(3 * FAN_IN), 1 / Math.sqrt(FAN_IN)],
];

for (const [name, initializer, wantedMean, wantedStd, bound] of MOMENTS) {
  test(`${name}: moments and bounds`, async () => {
    const values = await made(initializer, LARGE);
    near(mean(values), wantedMean, 0.006 * wantedStd, 'the mean');
    near(std(values) / wantedStd, 1, 0.006, 'the share of the standard deviation');
    if (bound !== undefined) {
      const most = values.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
      assert.ok(
        most <= bound * (1 + 1e-6) && most > bound * 0.999,
        `the largest magnitude is ${most}, the bound ${bound}`,
      );
    }
  });
}

test('constants', async () => {
  assert.equal([...(await made(init.constant(3), [2]))], [3, 3]);
  assert.equal([...(await made(init.zeros, [2]))], [0, 0]);
  assert.equal([...(await made(init.ones, [2]))], [1, 1]);
});

for (const shape of [
  [5, 5],
  [3, 7],
  [7, 3],
  [1, 4],
  [4, 1],
  [3, 3, 2, 24],
  [2, 2, 3, 5],
  [48, 32],
]) {
  test(`orthogonal [${shape}]: the shorter side's vectors are orthonormal, times gain, on both devices`, async () => {
    const columns = shape.at(-1)!;
    const rows = shape.slice(0, -1).reduce((n, d) => n * d, 1);
    const gain = 1.5;
    for (const device of [reference, gpu]) {
      const w = await made(init.orthogonal({ gain }), shape, 2, device);
      const at = (r: number, c: number) => w[r * columns + c]!;
      const wide = rows < columns;
      const [n, length] = wide ? [rows, columns] : [columns, rows];
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          let dot = 0;
          for (let k = 0; k < length; k++) dot += wide ? at(i, k) * at(j, k) : at(k, i) * at(k, j);
          near(dot, i === j ? gain * gain : 0, device === gpu ? 1e-5 : 1e-12, `product ${i}, ${j} on ${device.kind}`);
        }
      }
    }
  });
}

test('orthogonal matrices are drawn from all alike: traces have mean 0 and variance 1', async () => {
  const traces = await Promise.all(
    Array.from({ length: 400 }, async (_, seed) => {
      const w = await made(init.orthogonal(), [3, 3], seed);
      return w[0]! + w[4]! + w[8]!;
    }),
  );
  const values = Float64Array.from(traces);
  near(mean(values), 0, 0.15, 'the mean');
  near(std(values), 1, 0.1, 'the standard deviation');
});

test('identity and dirac keep what a layer is given', async () => {
  assert.equal([...(await made(init.identity, [2, 3]))], [1, 0, 0, 0, 1, 0]);
  const check = async (shape: Shape, groups: number) => {
    const [x, y] = await read(reference, () => {
      const given = new Rng(3).normal([1, 4, 5, shape[2]! * groups]);
      const w = init.dirac(groups)(shape, init.fansOf(shape), new Rng(1));
      return [given, conv2d(given, w, { padding: [(shape[0]! - 1) / 2, (shape[1]! - 1) / 2], groups })];
    });
    return [[...x!], [...y!]] as const;
  };
  for (const [shape, groups] of [
    [[3, 3, 2, 2], 1],
    [[1, 5, 2, 4], 2],
    [[3, 1, 1, 3], 3],
  ] as const) {
    const [x, y] = await check(shape, groups);
    assert.equal(y, x);
  }
  // More outputs than inputs: the rest are 0.
  assert.equal([...(await made(init.dirac(), [3, 1, 3]))], [0, 0, 0, 1, 0, 0, 0, 0, 0]);
});

test('fans are those that layers count', () => {
  const seen: unknown[] = [];
  const note: nn.Initializer = (shape, fans, rng) => {
    seen.push(fans, init.fansOf(shape));
    return init.zeros(shape, fans, rng);
  };
  let groups = 1;
  const options = { init: note, bias: false } as const;
  withDevice(reference, () => {
    new nn.Linear(3, 5, options).dispose();
    new nn.Conv2d(4, 6, [2, 3], options).dispose();
    new nn.ConvTranspose2d(4, 6, 3, options).dispose();
    groups = 2;
    new nn.Conv2d(4, 6, [2, 3], { ...options, groups }).dispose();
    new nn.ConvTranspose2d(4, 6, 3, { ...options, groups }).dispose();
  });
  assert.is(seen.length, 10);
  for (let i = 0; i < seen.length; i += 2) assert.equal(seen[i], seen[i + 1]);
  assert.equal(seen[2], { fanIn: 24, fanOut: 36 });
});

test("gains are PyTorch's", () => {
  const { calculateGain } = init;
  assert.equal(
    (['linear', 'convTranspose2d', 'sigmoid', 'tanh', 'relu', 'leakyRelu', 'selu'] as const).map((n) =>
      calculateGain(n),
    ),
    [1, 1, 1, 5 / 3, Math.sqrt(2), Math.sqrt(2 / 1.0001), 0.75],
  );
  assert.is(calculateGain('leakyRelu', 1), 1);
});

test('what does not fit is named', () => {
  const rng = new Rng(0);
  const throws = (fn: () => unknown, type: string, message: RegExp) =>
    assert.throws(
      () => on(reference, fn),
      (e: Error) => e.name === type && message.test(e.message),
    );
  const fans = { fanIn: 1, fanOut: 1 };
  throws(() => init.fansOf([3]), 'ShapeError', /\[3\] must have two axes or more; fans are counted from a weight/);
  throws(() => init.orthogonal()([3], fans, rng), 'ShapeError', /orthogonal: \[3\] must have two axes/);
  throws(() => init.identity([3, 3, 2], fans, rng), 'ShapeError', /identity: \[3,3,2\] must be \[in, out\]; dirac/);
  throws(() => init.dirac(2)([3, 1, 3], fans, rng), 'ShapeError', /dirac: \[3,1,3\] must be .*2 groups dividing out/);
  throws(() => init.calculateGain('swish' as never), 'RangeError', /'swish' is not one of linear/);
  throws(
    () => init.kaimingNormal({ mode: 'fan_in' as never }),
    'RangeError',
    /mode is 'fanIn' or 'fanOut', not 'fan_in'/,
  );
});

test('a seed gives the same numbers on both devices, another seed others', async () => {
  for (const [name, initializer] of [...MOMENTS, ['orthogonal', init.orthogonal()] as const]) {
    const [a, b, again, other] = await Promise.all([
      made(initializer, [3, 3, 4, 8], 5),
      made(initializer, [3, 3, 4, 8], 5, gpu),
      made(initializer, [3, 3, 4, 8], 5),
      made(initializer, [3, 3, 4, 8], 6),
    ]);
    assert.equal(again, a, name);
    a.forEach((v, i) => void near(b[i]!, v, 2e-5 * Math.max(1, Math.abs(v)), `${name}, element ${i}, on WebGPU`));
    assert.ok(
      other.some((v, i) => Math.abs(v - a[i]!) > 1e-4 * std(a)),
      name,
    );
  }
});

const network = () =>
  new nn.Sequential(
    new nn.Conv2d(3, 32, 4, { rng: new Rng(1) }),
    new nn.BatchNorm2d(32),
    new nn.Sequential(new nn.ConvTranspose2d(32, 16, 4, { rng: new Rng(1) })),
    new nn.BatchNorm2d(16),
    new nn.Linear(16, 4, { rng: new Rng(1) }),
  );

for (const device of [reference, gpu]) {
  test(`initialize fills what the filter names, as DCGAN's, on ${device.kind}`, async () => {
    const model = on(device, network);
    const before = on(device, memory).tensors;
    const rng = new Rng(7);
    const convolution = (m: nn.AnyModule) => m instanceof nn.Conv2d || m instanceof nn.ConvTranspose2d;
    const norm = (m: nn.AnyModule) => m instanceof nn.BatchNorm2d;
    const linear = await model.stateDict().get('layers.4.weight')!.data();
    assert.equal(nn.initialize(model, init.dcgan, { rng, filter: (name, m) => name === 'weight' && convolution(m) }), [
      'layers.0.weight',
      'layers.2.layers.0.weight',
    ]);
    nn.initialize(model, init.normal(0.02, 1), { rng, filter: (name, m) => name === 'weight' && norm(m) });
    nn.initialize(model, init.constant(0.25), { rng, filter: (name, m) => name === 'bias' && norm(m) });
    assert.is(on(device, memory).tensors, before);
    const values = async (name: string) => Float64Array.from(await model.stateDict().get(name)!.data());
    for (const name of ['layers.0.weight', 'layers.2.layers.0.weight']) {
      near(std(await values(name)) / 0.02, 1, 0.05, name);
      near(mean(await values(name)), 0, 0.002, name);
    }
    near(mean(await values('layers.1.weight')), 1, 0.02, 'the mean of scales');
    near(std(await values('layers.1.weight')), 0.02, 0.01, 'the deviation of scales');
    assert.equal([...(await values('layers.3.bias'))], Array(16).fill(0.25));
    assert.equal([...(await values('layers.4.weight'))], [...linear]);
    model.dispose();
  });
}

test('initialize fills as layers fill themselves, each shared parameter once; moved by it, they still train', async () => {
  const rng = () => new Rng(9);
  const [fresh, again, names] = withDevice(reference, () => {
    const options = { init: init.xavierUniform(), initBias: init.fanInUniform, groups: 2 };
    const made = new nn.Conv2d(4, 6, 3, { ...options, rng: rng() });
    const other = new nn.Conv2d(4, 6, 3, { groups: 2 });
    const model = new nn.Sequential(other, other);
    const one = rng();
    const filled = [
      ...nn.initialize(model, options.init, { rng: one, filter: (name) => name === 'weight' }),
      ...nn.initialize(model, options.initBias, { rng: one, filter: (name) => name === 'bias' }),
    ];
    return [made, other, filled] as const;
  });
  assert.equal(names, ['layers.0.weight', 'layers.0.bias']);
  for (const name of ['weight', 'bias'] as const) {
    assert.equal(await again[name]!.data(), await fresh[name]!.data());
    assert.ok(again[name]!.requiresGrad && !again[name]!.node);
  }
  const wrong: nn.Initializer = (_, fans, r) => init.zeros([2], fans, r);
  assert.throws(() => nn.initialize(again, wrong), /the initialiser gave \[2\] for weight \[3,3,2,6\]/);
  fresh.dispose();
  again.dispose();
});

test.after(() => gpu.destroy());
test.run();
