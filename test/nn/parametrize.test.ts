/** Weights that are functions of what is trained: what stays true of the layers, and what the functions are. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  compile,
  grad,
  gradcheck,
  gradgradcheck,
  noGrad,
  Rng,
  reference,
  ShapeError,
  scope,
  type Tensor,
  tensor,
  transpose,
  withDevice,
  zeros,
} from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';
import { on as onDevice, openGpu, read } from '../support/devices.ts';

const test = suite('parametrize');
const gpu = await openGpu();
const values = (t: Tensor): number[] => Array.from(reference.values(t.storage));
const on = (name: string, fn: () => void) => test(name, () => withDevice(reference, () => scope(fn)));
const near = (found: readonly number[], wanted: readonly number[], tolerance = 1e-12): void => {
  assert.is(found.length, wanted.length);
  found.forEach((v, i) => {
    assert.ok(Math.abs(v - wanted[i]!) <= tolerance, `element ${i}: ${v}, wanted ${wanted[i]}`);
  });
};
const throws = (fn: () => unknown, pattern: RegExp, kind: new (m: string) => Error = Error) =>
  assert.throws(fn, (e: Error) => e instanceof kind && (pattern.test(e.message) || assert.unreachable(e.message)));
const rng = (seed = 3) => new Rng(seed);
const W = 'parametrizations.weight';

/** w + wᵀ over 2, counting its calls. */
class Symmetric extends nn.Module {
  calls = 0;

  override forward(w: Tensor): Tensor {
    this.calls++;
    return w.add(transpose(w)).mul(0.5);
  }
}

/** c · w with c trained. */
class Times extends nn.Module {
  readonly c: nn.Parameter;

  constructor(c: number) {
    super();
    this.c = new nn.Parameter(tensor(c), 'c');
  }

  override forward(w: Tensor): Tensor {
    return w.mul(this.c);
  }
}

const symmetric = (step = new Symmetric()): nn.Linear => {
  const layer = new nn.Linear(2, 2, { rng: rng() });
  layer.weight.assign([1, 4, 2, 3]);
  layer.bias!.assign([0, 0]);
  return nn.registerParametrization(layer, 'weight', step);
};

on('a parametrised weight is made once a call, trained through its parameter, and named in the state', () => {
  const step = new Symmetric();
  const layer = symmetric(step);
  const before = step.calls;
  assert.equal(values(layer.forward(tensor([[1, 0]]))), [1, 3]);
  assert.is(step.calls, before + 1);
  assert.equal(values(layer.weight), [1, 3, 3, 3]);
  assert.equal([...layer.stateDict().keys()], ['bias', `${W}.original`]);
  assert.instance(layer, nn.Linear);
  assert.ok(nn.isParametrized(layer) && nn.isParametrized(layer, 'weight') && !nn.isParametrized(layer, 'bias'));
  const loss = layer.forward(tensor([[1, 0]])).sum();
  assert.equal(values(grad(loss, layer.parameters())[1]!), [1, 0.5, 0.5, 0]);
});

on('an optimizer that has the parameter trains it, made before or after', () => {
  const layer = new nn.Linear(2, 2, { rng: rng(), bias: false });
  const before = new nn.Adam(layer.parameters(), { lr: 0.01 });
  nn.spectralNorm(layer, { rng: rng() });
  const [original] = layer.parameters();
  const start = values(original!);
  before.step(
    grad(
      layer
        .forward(tensor([[1, 2]]))
        .square()
        .sum(),
      layer.parameters(),
    ),
  );
  near(
    values(original!).map((v, i) => Math.abs(v - start[i]!)),
    Array(4).fill(0.01),
    1e-6,
  );
});

on('copies are parametrised too, with parameters of their own', () => {
  const layer = symmetric();
  const twin = layer.copy();
  twin
    .namedParameters()
    .find(([name]) => name === `${W}.original`)![1]
    .assign([0, 0, 2, 0]);
  assert.equal(values(twin.forward(tensor([[1, 0]]))), [0, 1]);
  assert.equal(values(layer.forward(tensor([[1, 0]]))), [1, 3]);
  const sn = nn.spectralNorm(new nn.Linear(2, 3, { rng: rng() }), { rng: rng() });
  const copy = sn.copy();
  const u = values(sn.stateDict().get(`${W}.0.u`)!);
  copy.stateDict().get(`${W}.original`)!.assign([1, 2, 3, 4, 5, 7]);
  copy.forward(tensor([[1, 2]]));
  assert.equal(values(sn.stateDict().get(`${W}.0.u`)!), u);
  assert.not.equal(values(copy.stateDict().get(`${W}.0.u`)!), u);
  assert.equal(sn.loadStateDict(copy.stateDict()), { missing: [], unexpected: [] });
  assert.equal(values(sn.eval().forward(tensor([[1, 2]]))), values(copy.eval().forward(tensor([[1, 2]]))));
});

on('functionalCall stands in for the parameter behind, and gradients flow through the function', () => {
  const layer = symmetric();
  const w = tensor([1, 0, 0, 1], { shape: [2, 2], requiresGrad: true });
  const y = nn.functionalCall(layer, { [`${W}.original`]: w }, tensor([[5, 7]]));
  assert.equal(values(y), [5, 7]);
  assert.equal(values(grad(y.sum(), [w])[0]!), [5, 6, 6, 7]);
  assert.equal(values(layer.forward(tensor([[1, 0]]))), [1, 3]);
});

on('hooks run around a parametrised layer, registered before or after', () => {
  for (const late of [false, true]) {
    const step = new Symmetric();
    const layer = new nn.Linear(2, 2, { bias: false });
    layer.weight.assign([1, 4, 2, 3]);
    if (late) nn.registerParametrization(layer, 'weight', step);
    layer.registerForwardPreHook((_, [x]) => [x.mul(2)]);
    layer.registerForwardHook((_, __, y) => y.add(1));
    if (!late) nn.registerParametrization(layer, 'weight', step);
    const before = step.calls;
    assert.equal(values(layer.forward(tensor([[1, 0]]))), [3, 7]);
    assert.is(step.calls, before + 1, `late: ${late}`);
    nn.removeParametrizations(layer);
    assert.equal(values(layer.forward(tensor([[0, 1]]))), [7, 7]);
    assert.is(step.calls, before + 2);
  }
});

on('a copy of a copy is parametrised, each with its own; hooks stay behind', () => {
  const layer = symmetric();
  layer.registerForwardHook((_, __, y) => y.add(100));
  const second = layer.copy().copy();
  second.registerForwardHook((_, __, y) => y.neg());
  second.stateDict().get(`${W}.original`)!.assign([0, 0, 2, 0]);
  assert.equal(values(second.weight), [0, 1, 1, 0]);
  assert.equal(values(second.forward(tensor([[1, 0]]))), [0, -1]);
  assert.equal(values(layer.forward(tensor([[1, 0]]))), [101, 103]);
  nn.removeParametrizations(second);
  assert.equal(values(second.forward(tensor([[1, 0]]))), [0, -1]);
  assert.ok(nn.isParametrized(layer));
});

on('a forward that is a field is called with the weight made once, too', () => {
  class Own extends nn.Module {
    readonly weight = new nn.Parameter(
      tensor([
        [1, 4],
        [2, 3],
      ]),
    );
    override readonly forward = (x: Tensor): Tensor => x.matmul(this.weight).matmul(this.weight);
  }
  const step = new Symmetric();
  const layer = nn.registerParametrization(new Own(), 'weight', step);
  const before = step.calls;
  assert.equal(values(layer.forward(tensor([[1, 0]]))), [10, 12]);
  assert.is(step.calls, before + 1);
  throws(() => layer.copy(), /^copy: forward of Own is a field/, TypeError);
});

on('a summary counts the parameters behind with their layer', () => {
  const conv = new nn.Conv2d(2, 3, 3, { padding: 1 });
  const plain = nn.summary(new nn.Sequential(conv, new nn.ReLU()), [1, 4, 4, 2]);
  nn.weightNorm(conv);
  const found = nn.summary(new nn.Sequential(conv, new nn.ReLU()), [1, 4, 4, 2]);
  assert.equal(
    found.rows.map(({ name, layer, parameters }) => [name, layer, parameters]),
    [
      ['layers.0', 'Conv2d', 54 + 3 + 3],
      ['layers.1', 'ReLU', 0],
    ],
  );
  assert.is(found.rows[0]!.multiplyAdds, plain.rows[0]!.multiplyAdds);
  assert.is(found.parameters, 60);
});

on('several functions go one after the other; removal bakes them in or takes them away, one name at a time', () => {
  const make = () => {
    const layer = nn.registerParametrization(symmetric(), 'weight', new Times(10));
    return nn.registerParametrization(layer, 'bias', new Times(3));
  };
  const layer = make();
  layer.stateDict().get('parametrizations.bias.original')!.assign([1, 2]);
  const state = [`${W}.original`, `${W}.1.c`, 'parametrizations.bias.original', 'parametrizations.bias.0.c'];
  assert.equal([...layer.stateDict().keys()], state);
  assert.equal(values(layer.forward(tensor([[1, 0]]))), [13, 36]);
  const original = layer.parameters()[0]!;
  nn.removeParametrizations(layer);
  assert.is(layer.weight, original);
  assert.equal(values(layer.weight), [10, 30, 30, 30]);
  assert.equal(values(layer.forward(tensor([[1, 0]]))), [13, 36]);
  nn.removeParametrizations(layer, 'bias', { leaveParametrized: false });
  assert.equal(values(layer.forward(tensor([[1, 0]]))), [11, 32]);
  assert.equal([...layer.stateDict().keys()].sort(), ['bias', 'weight']);
  assert.not(nn.isParametrized(layer));
  assert.is(Object.getPrototypeOf(layer), nn.Linear.prototype);
  throws(() => nn.removeParametrizations(layer), /^removeParametrizations: weight of Linear has none/);
});

on('what cannot be parametrised is named', () => {
  const layer = new nn.Linear(2, 3);
  throws(
    () => nn.registerParametrization(layer, 'wieght', new Symmetric()),
    /Linear has no parameter wieght; it has weight, bias/,
  );
  throws(() => nn.spectralNorm(new nn.ReLU()), /^spectralNorm: ReLU has no parameter weight; it has none/);
  throws(
    () => nn.weightNorm(layer, { dim: 2 }),
    /^weightNorm: dim 2 is no axis of \[2,3\]; give one from 0 to 1/,
    ShapeError,
  );
  throws(() => nn.spectralNorm(layer, { name: 'bias' }), /bias \[3\] of Linear must have two axes or more/, ShapeError);
  throws(
    () => nn.spectralNorm(layer, { iterations: 0 }),
    /iterations must be a whole number, 1 or more, not 0/,
    RangeError,
  );
  throws(() => nn.spectralNorm(layer, { steps: 1 } as never), /no option steps/, TypeError);
  const flat = new (class extends nn.Module {
    override forward(w: Tensor): Tensor {
      return w.reshape([-1]);
    }
  })();
  throws(
    () => nn.registerParametrization(layer, 'weight', flat),
    /makes \[6\] of weight \[2,3\]; it must keep/,
    ShapeError,
  );
  assert.not(nn.isParametrized(layer));
  assert.equal([...layer.stateDict().keys()], ['weight', 'bias']);
});

on('spectral norm moves its vectors in training passes alone, and finds the largest singular value', () => {
  // diag(3, 1) turned on both sides.
  const [c, s] = [Math.cos(0.7), Math.sin(0.7)];
  const layer = new nn.Linear(2, 2, { bias: false });
  layer.weight.assign([3 * c, -s, 3 * s, c]);
  nn.spectralNorm(layer, { rng: rng() });
  const state = () => [`${W}.0.u`, `${W}.0.v`].flatMap((name) => values(layer.stateDict().get(name)!));
  near(values(layer.weight), [c, -s / 3, s, c / 3], 1e-6);
  layer.stateDict().get(`${W}.original`)!.assign([5, 0, 0, 1]);
  const start = state();
  void layer.weight;
  layer.eval().forward(zeros([1, 2]));
  nn.withoutTracking(() => layer.train().forward(zeros([1, 2])));
  assert.equal(state(), start);
  layer.forward(zeros([1, 2]));
  assert.not.equal(state(), start);
  for (let i = 0; i < 30; i++) layer.forward(zeros([1, 2]));
  near(values(layer.weight), [1, 0, 0, 0.2], 1e-12);
});

on('a vector shorter than eps is divided by eps: v = Wu / eps, u = Wᵀv / |Wᵀv|', () => {
  const layer = nn.spectralNorm(new nn.Linear(1, 1, { bias: false, init: nn.init.constant(2) }), { eps: 4 });
  for (const name of ['u', 'v']) layer.stateDict().get(`${W}.0.${name}`)!.assign([1]);
  // v = 2 / 4, u = 2 · 0.5 / 4, sigma = 2 · 0.5 · 0.25.
  near(values(layer.forward(tensor([[1]]))), [2 / 0.25]);
});

on('a backward pass after another forward pass has the vectors of its own', () => {
  const layer = nn.spectralNorm(new nn.Linear(3, 2, { rng: rng(), bias: false }), { rng: rng() });
  layer.stateDict().get(`${W}.original`)!.assign([1, 2, -1, 0.5, 3, 1]);
  const x = tensor([[1, -2, 0.5]]);
  const first = layer.forward(x).sum();
  const alone = (fn: () => Tensor) => values(grad(fn(), layer.parameters())[0]!);
  // The vectors are now those that the first pass used: in evaluation they give the same gradient.
  const wanted = alone(() => layer.eval().forward(x).sum());
  layer.train().forward(x);
  assert.equal(values(grad(first, layer.parameters())[0]!), wanted);
});

test('spectral and weight norm under a gradient penalty, against central differences', async () => {
  const named: [string, Tensor][] = [];
  const [critic, x] = withDevice(reference, () => {
    const net = new nn.Sequential(
      nn.spectralNorm(new nn.Conv2d(1, 2, 2, { rng: rng() }), { rng: rng() }),
      new nn.Tanh(),
      nn.weightNorm(new nn.ConvTranspose2d(2, 2, 2, { rng: rng() })),
      new nn.Tanh(),
      new nn.Flatten(),
      nn.spectralNorm(new nn.Linear(18, 1, { rng: rng() }), { rng: rng() }),
    ).eval();
    return [net, rng(8).normal([2, 3, 3, 1])];
  });
  named.push(...critic.namedParameters());
  const score = (x: Tensor, ps: readonly Tensor[]) =>
    nn.functionalCall(
      critic,
      named.map(([name], i) => [name, ps[i]!] as const),
      x,
    );
  const penalty = (...ps: Tensor[]) => {
    const at = x.clone().requireGrad();
    const [g] = grad(score(at, ps).sum(), [at], { createGraph: true });
    return g!.square().sum([1, 2, 3]).sqrt().sub(1).square().mean();
  };
  const ps = named.map(([, p]) => p);
  await onDevice(reference, async () => {
    await gradcheck(penalty, ps, { fast: true });
    await gradgradcheck((...given) => score(x, given), ps, { fast: true });
  });
});

on('a layer says along which axis of its weight the outputs lie', () => {
  class Table extends nn.Module {
    readonly weight = new nn.Parameter(tensor([1, 2, 3, 4, 5, 6], { shape: [3, 2] }), 'weight');

    get unitAxis(): number {
      return 0;
    }

    override forward(x: Tensor): Tensor {
      return x.mul(this.weight);
    }
  }
  const shapes = (layer: nn.Module) => [...layer.stateDict().values()].map((t) => t.shape);
  assert.equal(shapes(nn.spectralNorm(new Table())), [[3, 2], [3], [2]]);
  assert.equal(shapes(nn.spectralNorm(new Table(), { dim: 1 })), [[3, 2], [2], [3]]);
  assert.equal(shapes(nn.weightNorm(new Table())), [[3, 2], [3]]);
  near(
    values(nn.equalizedLearningRate(new Table(), { gain: 3, rng: rng() }).weight),
    values(rng().normal([3, 2])).map((v) => (v * 3) / Math.SQRT2),
  );
});

on("an equalised learning rate multiplies N(0, 1) by He's constant", () => {
  const cases: [nn.WeightedModule, number][] = [
    [new nn.Linear(200, 30), 200],
    [new nn.Conv2d(16, 32, 3, { groups: 2 }), 8 * 9],
    [new nn.ConvTranspose2d(16, 32, 3, { groups: 2 }), 8 * 9],
  ];
  for (const [layer, fanIn] of cases) {
    const bias = values((layer as nn.Linear).bias!);
    nn.equalizedLearningRate(layer, { rng: rng() });
    const original = values((layer as nn.Linear).stateDict().get(`${W}.original`)!);
    const meanSquare = original.reduce((s, v) => s + v * v, 0) / original.length;
    assert.ok(Math.abs(meanSquare - 1) < 0.1, `mean square ${meanSquare}`);
    near(
      values(layer.weight!),
      original.map((v) => v * Math.sqrt(2 / fanIn)),
    );
    assert.equal(values((layer as nn.Linear).bias!), bias);
  }
  const last = nn.equalizedLearningRate(new nn.Linear(4, 1), { gain: 1, rng: rng() });
  near(
    values(last.weight),
    values(last.stateDict().get(`${W}.original`)!).map((v) => v / 2),
  );
  // Spectral norm of it on top: the constant cancels.
  nn.spectralNorm(last, { iterations: 3, rng: rng() });
  near([values(last.weight).reduce((s, v) => s + v * v, 0)], [1]);
});

on('weight norm keeps the function at first, and lengths and directions apart', () => {
  const layer = new nn.Linear(2, 2, { bias: false });
  layer.weight.assign([3, 1, 4, 0]);
  nn.weightNorm(layer);
  near(values(layer.weight), [3, 1, 4, 0]);
  const g = layer.stateDict().get(`${W}.0.g`)!;
  near(values(g), [5, 1]);
  g.assign([10, 2]);
  near(values(layer.weight), [6, 2, 8, 0]);
  const whole = nn.weightNorm(new nn.Linear(2, 2, { bias: false, init: nn.init.constant(1) }), { dim: null });
  assert.equal(whole.stateDict().get(`${W}.0.g`)!.shape, []);
  near(values(whole.stateDict().get(`${W}.0.g`)!), [2]);
});

on('printed, a parametrised layer shows its functions', () => {
  const layer = nn.spectralNorm(new nn.Conv2d(2, 4, 3), { iterations: 2 });
  assert.is(
    String(layer),
    [
      'Conv2d(2, 4, kernel 3x3',
      '  parametrizations: Parametrizations(',
      '    weight: ParametrizedTensor(original [3,3,2,4]',
      '      0: SpectralNorm(iterations 2)',
      '    )',
      '  )',
      ')',
    ].join('\n'),
  );
});

/** A small GAN with everything that keeps state: its steps, and all its parameters and buffers. */
function training() {
  const seed = rng(7);
  const plain = { rng: seed };
  const condition = new nn.ConditionalBatchNorm(4, 3, { rng: seed });
  const generator = [
    new nn.ConvTranspose2d(3, 4, 3, plain),
    new nn.BatchNorm2d(4, { momentum: null }),
    new nn.ReLU(),
    nn.weightNorm(new nn.ConvTranspose2d(4, 2, 2, { ...plain, stride: 2 })),
    new nn.InstanceNorm2d(2, { affine: true, trackRunningStats: true }),
  ] as const;
  const critic = new nn.Sequential(
    nn.spectralNorm(new nn.Conv2d(2, 4, 3, { ...plain, padding: 1, paddingMode: 'reflect' }), plain),
    new nn.BatchNorm2d(4),
    new nn.LeakyReLU(0.2),
    new nn.PixelNorm(),
    new nn.Flatten(),
    nn.spectralNorm(nn.equalizedLearningRate(new nn.Linear(144, 2, { ...plain, bias: false }), plain), {
      ...plain,
      iterations: 2,
    }),
  );
  const own = [...generator, condition];
  const parameters = own.flatMap((m) => m.parameters());
  const [forG, forC] = [new nn.Adam(parameters, { lr: 0.01 }), new nn.Adam(critic.parameters(), { lr: 0.01 })];
  const make = (z: Tensor, classes: Tensor): Tensor => {
    const [up, norm, relu, out, last] = generator;
    return last.forward(out.forward(relu.forward(condition.forward(norm.forward(up.forward(z)), classes)))).tanh();
  };
  const step = (z: Tensor, classes: Tensor, real: Tensor): Tensor[] => {
    const fake = noGrad(() => make(z, classes));
    const at = real.add(fake).mul(0.5).requireGrad();
    const [slope] = grad(critic.forward(at).sum(), [at], { createGraph: true });
    const penalty = slope!.square().sum([1, 2, 3]).add(1e-6).sqrt().sub(1).square().mean();
    const loss = critic.forward(fake).sub(critic.forward(real)).mean().add(penalty);
    forC.step(grad(loss, critic.parameters()));
    const score = critic.forward(make(z, classes)).mean().neg();
    forG.step(grad(score, parameters));
    return [loss.detach(), score.detach()];
  };
  return { step, state: () => [...own, critic].flatMap((m) => [...m.stateDict()]) };
}

test('compiled, the layers give the same bits as they are, state included', async () => {
  const [plain, replayed] = withDevice(gpu, () => [training(), training()]);
  const compiled = compile(replayed.step);
  const start = plain.state().map(([, t]) => t);
  const first = await Promise.all(start.map((t) => t.data()));
  for (let k = 0; k < 4; k++) {
    const results = withDevice(gpu, () =>
      scope(() => {
        const given = rng(20 + k);
        const inputs = [given.normal([2, 1, 1, 3]), tensor([k % 3, 1]), given.normal([2, 6, 6, 2])] as const;
        return [scope(() => plain.step(...inputs)), compiled(...inputs)].map((ts) =>
          Promise.all(ts.map((t) => t.data())),
        );
      }),
    );
    const [wanted, found] = await Promise.all(results);
    assert.equal(found, wanted, `losses of run ${k}`);
  }
  const now = await Promise.all(plain.state().map(([, t]) => t.data()));
  const other = await Promise.all(replayed.state().map(([, t]) => t.data()));
  plain.state().forEach(([name], i) => {
    assert.equal(other[i], now[i], name);
    assert.not.equal(now[i], first[i], `${name} must have moved`);
  });
  compiled.dispose();
});

/** What a layer gives for ones, its gradients, and those of a gradient penalty on its parameters. */
function derivatives(layer: nn.Linear): Tensor[] {
  const x = tensor([[1, 1]], { requiresGrad: true });
  const y = layer.forward(x);
  const first = grad(y.sum(), [x, ...layer.parameters()], { createGraph: true });
  const second = grad(first[0]!.square().sum(), layer.parameters());
  return [y, ...first, ...second];
}

for (const device of [gpu, reference]) {
  const linear = (weight: readonly number[]): nn.Linear => {
    const layer = new nn.Linear(2, 2, { bias: false });
    layer.weight.assign(weight);
    return layer;
  };

  test(`weights of zeros are normalised to zeros, with finite derivatives, on ${device.kind}`, async () => {
    const layers: Record<string, (w: readonly number[]) => nn.Linear> = {
      'weight norm': (w) => nn.weightNorm(linear(w)),
      'weight norm of the whole': (w) => nn.weightNorm(linear(w), { dim: null }),
      'spectral norm': (w) => nn.spectralNorm(linear(w), { rng: rng() }),
      'spectral norm without eps': (w) => nn.spectralNorm(linear(w), { rng: rng(), eps: 0 }),
    };
    for (const [name, make] of Object.entries(layers)) {
      const [y, ...rest] = await read(device, () => derivatives(make([0, 0, 0, 0])));
      assert.equal([...y!], [0, 0], name);
      rest.forEach((t, i) => {
        assert.ok(t.every(Number.isFinite), `${name}, tensor ${i}: ${t}`);
      });
    }
    // One unit of zeros beside another.
    const [y, ...rest] = await read(device, () => derivatives(nn.weightNorm(linear([0, 3, 0, 4]))));
    near([...y!], [0, 7], 1e-6);
    for (const t of rest) assert.ok(t.every(Number.isFinite), `${t}`);
  });

  test(`spectral norm of a weight that was 0 finds its singular value when it is another, on ${device.kind}`, async () => {
    const [y] = await read(device, () => {
      const layer = nn.spectralNorm(linear([0, 0, 0, 0]), { iterations: 20, rng: rng() });
      layer.forward(tensor([[1, 1]]));
      layer.parameters()[0]!.assign([3, 0, 0, 1]);
      return [layer.forward(tensor([[3, 3]]))];
    });
    near([...y!], [3, 1], 1e-5);
  });

  test(`weights of any size are normalised, on ${device.kind}`, async () => {
    for (const size of [1e-25, 1e-20, 1, 1e20, 1e30]) {
      const [y] = await read(device, () => {
        const layer = nn.weightNorm(linear([3 * size, 5 * size, 4 * size, 12 * size]));
        layer
          .parameters()
          .find((p) => p.rank === 1)!
          .assign([5, 13]);
        return [layer.forward(tensor([[1, 1]]))];
      });
      near([...y!], [7, 17], 1e-5);
    }
    for (const size of [1e-10, 1, 1e20, 1e30]) {
      const [y] = await read(device, () => [
        nn.spectralNorm(linear([3 * size, 0, 0, 2 * size]), { iterations: 20, rng: rng() }).forward(tensor([[3, 3]])),
      ]);
      near([...y!], [3, 2], 1e-5);
    }
  });
}

test.after(() => gpu.destroy());
test.run();
