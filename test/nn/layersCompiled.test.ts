/** Layers that draw random numbers, on WebGPU, in compiled steps and in float64: the same numbers, fresh in every run. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { setDevice } from '../../engine/device.ts';
import {
  compile,
  type Device,
  grad,
  manualSeed,
  Rng,
  reference,
  scope,
  type Tensor,
  tensor,
  withDevice,
} from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';
import { openGpu } from '../support/devices.ts';
import { distance } from '../support/values.ts';

const test = suite('layers in compiled steps');
const gpu = await openGpu();
setDevice(gpu);
const values = (t: Tensor): number[] => Array.from(reference.values(t.storage));
const onReference = (name: string, fn: () => void) => test(name, () => withDevice(reference, () => scope(fn)));

onReference('Dropout keeps elements with probability 1 - p, scaled, and lets their gradient through', () => {
  const layer = new nn.Dropout(0.25, { rng: new Rng(1) });
  const x = tensor(new Float64Array(4000).fill(3), { shape: [40, 100], requiresGrad: true });
  const y = layer.forward(x);
  const found = values(y);
  assert.equal([...new Set(found)].sort(), [0, 4]);
  const kept = found.filter((v) => v > 0).length / 4000;
  assert.ok(Math.abs(kept - 0.75) < 4 * Math.sqrt((0.75 * 0.25) / 4000), `${kept} are kept`);
  assert.equal(
    values(grad(y.sum(), [x])[0]!),
    found.map((v) => v / 3),
  );
  assert.not.equal(values(layer.forward(x)), found);
  assert.is(layer.eval().forward(x), x);
});

onReference('Dropout2d drops whole channels of samples', () => {
  const layer = new nn.Dropout2d(0.5, { rng: new Rng(2) });
  const found = values(layer.forward(tensor(new Float64Array(2 * 3 * 2 * 8).fill(1), { shape: [2, 3, 2, 8] })));
  const planes = Array.from({ length: 16 }, (_, i) =>
    Array.from({ length: 6 }, (_, p) => found[Math.floor(i / 8) * 48 + p * 8 + (i % 8)]!),
  );
  for (const plane of planes) assert.is(new Set(plane).size, 1);
  assert.equal([...new Set(found)].sort(), [0, 2]);
});

onReference('AlphaDropout keeps mean 0 and variance 1', () => {
  const layer = new nn.AlphaDropout(0.3, { rng: new Rng(3) });
  const y = layer.forward(new Rng(4).normal([200, 100]));
  assert.ok(Math.abs(values(y.mean())[0]!) < 0.03);
  assert.ok(Math.abs(values(y.variance())[0]! - 1) < 0.04);
  const limit = 1.7580993408473766;
  const scale = 1 / Math.sqrt((limit ** 2 * 0.3 + 1) * 0.7);
  const shift = scale * limit * 0.3;
  for (const v of values(layer.forward(tensor(new Float64Array(50).fill(2))))) {
    assert.ok(Math.min(Math.abs(v - (2 * scale + shift)), Math.abs(v - (shift - scale * limit))) < 1e-6, `${v}`);
  }
});

onReference('without a generator of their own, layers follow manualSeed', () => {
  const layer = new nn.Dropout(0.5);
  const x = tensor(new Float64Array(64).fill(1));
  manualSeed(5);
  const first = values(layer.forward(x));
  const second = values(layer.forward(x));
  manualSeed(5);
  assert.equal(values(layer.forward(x)), first);
  assert.not.equal(second, first);
});

/** The first of what a module gives. */
class First extends nn.Module {
  readonly inner: nn.Stage<[x: Tensor], readonly [Tensor, ...unknown[]]>;

  constructor(inner: nn.Stage<[x: Tensor], readonly [Tensor, ...unknown[]]>) {
    super();
    this.inner = inner;
  }

  override forward(x: Tensor): Tensor {
    return this.inner.forward(x)[0];
  }
}

class Labelled extends nn.Module {
  readonly table: nn.Embedding;

  constructor(rng: Rng) {
    super();
    this.table = new nn.Embedding(3, 4, { paddingIdx: 0, rng });
  }

  override forward(x: Tensor): Tensor {
    return x.mul(this.table.forward(tensor([2, 0, 1])));
  }
}

/** Networks with dropout, each on inputs of one shape. */
const networks: Readonly<Record<string, readonly [shape: readonly number[], make: (rng: Rng) => nn.Stage]>> = {
  'dropout, alpha dropout and maxout': [
    [4, 6],
    (rng) =>
      new nn.Sequential(
        ...[new nn.Linear(6, 5, { rng }), new nn.SELU(), new nn.Dropout(0.4, { rng })],
        ...[new nn.AlphaDropout(0.2, { rng }), new nn.Maxout(5, 3, 2, { rng }), new nn.Softplus()],
      ),
  ],
  'self-attention, channel dropout, pixel shuffle and the deviation of the batch': [
    [4, 2, 4, 8],
    (rng) => {
      const attention = new nn.SelfAttention2d(8, { pool: true, rng });
      attention.gamma.assign([0.7]);
      const block = new nn.Residual(new nn.Sequential(new nn.SiLU(), new nn.Conv2d(8, 8, 1, { rng })));
      return new nn.Sequential(
        ...[attention, block, new nn.Dropout2d(0.3, { rng }), new nn.PixelShuffle(2), new nn.MinibatchStdDev()],
      );
    },
  ],
  'minibatch discrimination': [
    [5, 4],
    (rng) =>
      new nn.Sequential(new nn.MinibatchDiscrimination(4, 3, 2, { rng }), new nn.Dropout(0.3, { rng }), new nn.Tanh()),
  ],
  'an LSTM of two layers with dropout between': [
    [3, 5, 2],
    (rng) => new First(new nn.LSTM(2, 3, { numLayers: 2, dropout: 0.5, bidirectional: true, rng })),
  ],
  'a GRU': [[3, 4, 2], (rng) => new nn.Sequential(new First(new nn.GRU(2, 3, { rng })), new nn.Dropout(0.2, { rng }))],
  'a transformer': [
    [2, 3, 4],
    (rng) => new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 6, dropout: 0.3, activation: 'gelu', rng }),
  ],
  'an embedding': [[3, 4], (rng) => new nn.Sequential(new Labelled(rng), new nn.Dropout(0.5, { rng }))],
};

/** A network's outputs, the gradient of a loss, and that of a penalty on its slope, as a step of one input. */
function stepOf(device: Device, make: (rng: Rng) => nn.Stage): (x: Tensor) => Tensor[] {
  return withDevice(device, () => {
    const rng = new Rng(11);
    const model = make(rng);
    const parameters = model.parameters();
    return (given) => {
      const x = given.detach().requireGrad();
      const y = model.forward(x);
      const weights = y.mul(0.3).add(y.square());
      const [slope] = grad(weights.sum(), [x], { createGraph: true });
      return [y.detach(), ...grad(slope!.square().sum().add(y.sum()), parameters, { allowUnused: true })];
    };
  });
}

for (const [name, [shape, make]] of Object.entries(networks)) {
  test(`${name}: the same numbers compiled, as it is and in float64, with a penalty's gradients`, async () => {
    const size = shape.reduce((n, d) => n * d, 1);
    const xs = Float64Array.from({ length: size }, (_, i) => Math.fround(Math.sin(1.7 * i + 0.3)));
    const [plain, exact] = [stepOf(gpu, make), stepOf(reference, make)];
    const compiled = compile(stepOf(gpu, make));
    let before: ArrayLike<number> = [];
    for (let run = 0; run < 2; run++) {
      const of = (device: Device, step: (x: Tensor) => readonly Tensor[]) => {
        let pending: Promise<ArrayLike<number>[]> | undefined;
        withDevice(device, () =>
          scope(() => {
            pending = Promise.all([...step(tensor(xs, { shape }))].map((t) => t.data()));
          }),
        );
        return pending!;
      };
      const wanted = await of(reference, exact);
      const found = { 'as it is': await of(gpu, plain), compiled: await of(gpu, compiled) };
      for (const [way, tensors] of Object.entries(found)) {
        tensors.forEach((t, i) => {
          const d = distance(t, wanted[i]!);
          assert.ok(d < 2e-4, `run ${run}, ${way}: result ${i} is off by ${d}`);
        });
      }
      assert.not.equal(Array.from(wanted[0]!), Array.from(before), 'each run draws new numbers');
      before = wanted[0]!;
    }
    compiled.dispose();
  });
}

/** A step's value on [[1], [3]], compiled, and as the step is. */
async function bothWays(compiled: (x: Tensor) => Tensor, step: (x: Tensor) => Tensor): Promise<[number[], number[]]> {
  const of = async (fn: (x: Tensor) => Tensor) => {
    let pending: Promise<ArrayLike<number>> | undefined;
    scope(() => {
      pending = fn(tensor([[1], [3]])).data();
    });
    return Array.from(await pending!);
  };
  return [await of(compiled), await of(step)];
}

test('a compiled step follows train() and eval(), and comes back to its first capture', async () => {
  class Nested extends nn.Module {
    readonly parts = { norms: [new nn.BatchNorm1d(1, { affine: false })] };
    readonly drop = new Map([['drop', new nn.Dropout(0)]]);
    override forward(x: Tensor): Tensor {
      return this.drop.get('drop')!.forward(this.parts.norms[0]!.forward(x));
    }
  }
  const model = new Nested();
  const ways: [string, (x: Tensor) => Tensor][] = [
    ['by itself', (x) => model.forward(x)],
    ['through functionalCall', (x) => nn.functionalCall(model, {}, x)],
  ];
  for (const [way, step] of ways) {
    let captured = 0;
    using compiled = compile((x: Tensor) => {
      captured++;
      return step(x);
    });
    for (let round = 0; round < 2; round++) {
      model.train();
      const [first] = await bothWays(compiled, step);
      assert.ok(Math.abs(first[0]! + 1) < 1e-2, `${way}: training takes the batch's own mean`);
      model.eval();
      const [found, wanted] = await bothWays(compiled, step);
      assert.ok(distance(found, wanted) < 1e-6, `${way}: ${found}, not ${wanted}`);
      assert.is(captured, 2, `${way}: one capture for each mode`);
    }
    nn.withoutTracking(() => scope(() => void compiled(tensor([[1], [3]]))));
    assert.is(captured, 2, `${way}: evaluation does not ask for tracking`);
    const mean = model.parts.norms[0]!.runningMean!;
    model.train();
    const before = await mean.array();
    nn.withoutTracking(() => scope(() => void compiled(tensor([[1], [3]]))));
    assert.equal(await mean.array(), before, `${way}: nothing is tracked`);
    assert.is(captured, 3, way);
  }
});

test('a compiled step that switches modes and gradients itself is captured once, and leaves them as the step does', async () => {
  const model = new nn.Sequential(new nn.BatchNorm1d(1, { affine: false }), new nn.Linear(1, 1));
  let captured = 0;
  using step = compile((x: Tensor) => {
    captured++;
    model.train();
    model.requireGrad(true);
    const y = model.forward(x);
    model.eval();
    model.requireGrad(false);
    return y;
  });
  for (let run = 0; run < 3; run++) {
    model.train(run === 1).requireGrad(run === 1);
    scope(() => void step(tensor([[1], [3]])));
    assert.equal([captured, model.training, model.layers[0]!.training], [1, false, false]);
    assert.not(model.parameters().some((p) => p.requiresGrad));
  }
});

test('a compiled step follows frozen weights, and parameters and layers that others replace', async () => {
  const model = new nn.Sequential(new nn.Linear(1, 1), new nn.Linear(1, 1));
  const [weight] = model.parameters() as [Tensor];
  const x = tensor([[1], [3]]);
  let captured = 0;
  const step = (given: Tensor) => {
    const y = model.forward(given);
    return weight.requiresGrad ? grad(y.sum(), [weight])[0]! : y;
  };
  using compiled = compile((given: Tensor) => {
    captured++;
    return step(given);
  });
  const check = async (what: string, count: number) => {
    const [found, wanted] = await bothWays(compiled, step);
    assert.ok(distance(found, wanted) < 1e-6, `${what}: ${found}, not ${wanted}`);
    assert.is(captured, count, what);
  };
  await check('gradients', 1);
  model.requireGrad(false);
  await check('frozen', 2);
  model.requireGrad();
  await check('gradients again', 2);
  model.requireGrad(false);
  const layers = model.layers as nn.Linear[];
  (layers[1] as { weight: Tensor }).weight = new nn.Parameter(tensor([[5]]));
  await check('another parameter', 3);
  layers[1] = new nn.Linear(1, 1);
  await check('another layer', 4);
  layers.push(new nn.Linear(1, 1));
  await check('one layer more', 5);
  await check('the same again', 5);
  x.dispose();
});

test.run();
