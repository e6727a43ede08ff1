/** The networks of gan/networks: shapes, sizes, first values, options, and spectral norm; in float64. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eigh, init, matmul, noGrad, Rng, type Shape, scope, type Tensor } from '../../engine/index.ts';
import {
  createNetworks,
  criticNorms,
  dcgan,
  dcganSmall,
  mlp,
  models,
  type Networks,
  resnet,
  toyNetworks,
} from '../../gan/index.ts';
import * as nn from '../../nn/index.ts';
import { reference } from '../support/devices.ts';
import { SMALL } from '../support/networks.ts';

await init({ adapter: 'reference' });

const rng = () => new Rng(7);
const values = (t: Tensor): Float64Array => Float64Array.from(reference.values(t.storage));
const count = (m: nn.Module): number => m.parameters().reduce((n, p) => n + p.size, 0);
const counts = ({ generator, critic }: Networks): number[] => [count(generator), count(critic)];

/** Checks what the networks make of codes, and what the critic makes of that. */
function checkShapes({ generator, critic, latent }: Networks, shape: Shape, name: string): void {
  scope(() =>
    noGrad(() => {
      const samples = generator.forward(new Rng(1).normal([3, latent]).mul(3));
      assert.equal(samples.shape, [3, ...shape], name);
      const all = values(samples);
      assert.ok(all.every(Number.isFinite), `${name}: a sample is not finite`);
      assert.ok(Math.max(...all) > Math.min(...all), `${name}: all values are ${all[0]}`);
      if (shape.length === 3) {
        assert.ok(
          all.every((v) => v >= -1 && v <= 1),
          `${name}: pixels beyond [-1, 1]`,
        );
      }
      const scores = critic.forward(samples);
      assert.equal(scores.shape, [3, 1], name);
      assert.ok(values(scores).every(Number.isFinite), `${name}: a score is not finite`);
    }),
  );
}

for (const { name, make, shapes, norms } of SMALL) {
  test(`${name} makes and judges samples of every size, and with every norm`, () => {
    for (const shape of shapes) checkShapes(make({ shape, rng: rng() }), shape, `${name} [${shape}]`);
    const shape = shapes.at(-1)!;
    for (const criticNorm of norms)
      checkShapes(make({ shape, criticNorm, rng: rng() }), shape, `${name} ${criticNorm}`);
    checkShapes(make({ shape, spectralNorm: true, rng: rng() }), shape, `${name}, spectral norm`);
  });
}

test('images leave the generator within [-1, 1] also where its weights are large', () => {
  for (const { name, make, shapes } of SMALL) {
    const shape = shapes.find((s) => s.length === 3)!;
    const { generator, latent } = make({ shape, rng: rng() });
    nn.initialize(generator, nn.init.normal(3), { rng: rng(), filter: (field) => field === 'weight' });
    const largest = Math.max(...values(noGrad(() => generator.forward(rng().normal([2, latent])))).map(Math.abs));
    assert.ok(largest > 0.9 && largest <= 1, `${name}: ${largest}`);
  }
});

/** Parameters of layers with biases, as papers' tables list them. */
const linear = (from: number, to: number): number => from * to + to;
const conv = (kernel: number, from: number, to: number): number => kernel ** 2 * from * to + to;

test("DCGAN at 64 x 64 has the parameters of PyTorch's example, and those of three biases", () => {
  const biases = [3, 64 + 1];
  const found = counts(dcgan({ shape: [64, 64, 3], rng: rng() }));
  assert.equal(found, [3_576_704 + biases[0]!, 2_765_568 + biases[1]!]);
});

test('the residual pair has the parameters of the tables of Gulrajani et al. and Miyato et al.', () => {
  const up = (c: number) => 2 * conv(3, c, c) + conv(1, c, c) + 2 * 2 * c;
  const generator = (c: number) => linear(128, 4 * 4 * c) + 3 * up(c) + 2 * c + conv(3, c, 3);
  const first = conv(3, 3, 128) + conv(3, 128, 128) + conv(1, 3, 128);
  const critic = first + 6 * conv(3, 128, 128) + conv(1, 128, 128) + linear(128, 1);
  assert.equal(counts(resnet({ shape: [32, 32, 3], rng: rng() })), [generator(128), critic]);
  const miyato = resnet({ shape: [32, 32, 3], width: 256, criticWidth: 128, spectralNorm: true, rng: rng() });
  assert.equal(counts(miyato), [4_276_739, critic]);
  assert.is(generator(256), 4_276_739);
});

test('the toy networks have the parameters of the layers that the papers list', () => {
  const of = (options: object) => counts(mlp({ shape: [2], rng: rng(), ...options }));
  const hidden = 2 * linear(512, 512);
  assert.equal(of(toyNetworks.gulrajani), [
    linear(2, 512) + hidden + linear(512, 2),
    linear(2, 512) + hidden + linear(512, 1),
  ]);
  assert.equal(of(toyNetworks.veegan), [
    linear(254, 128) + linear(128, 128) + linear(128, 2),
    linear(2, 128) + linear(128, 128) + linear(128, 1),
  ]);
  // Batch norm has a scale and a shift, and takes the place of the bias: one more for each unit than a bias.
  const normed = linear(2, 400) + 3 * linear(400, 400) + 4 * 400;
  const maxout = linear(2, 200 * 5) + 2 * linear(200, 200 * 5);
  assert.equal(of(toyNetworks.pacgan), [normed + linear(400, 2), maxout + linear(200, 1)]);
});

/** Root mean square of each weight, by what the module that has it is called. */
const spreads = (m: nn.Module): [layer: string, fanIn: number, rms: number][] =>
  m
    .namedModules()
    .filter(
      ([, layer]) => layer instanceof nn.Linear || layer instanceof nn.Conv2d || layer instanceof nn.ConvTranspose2d,
    )
    .map(([, layer]) => {
      const { weight, bias } = layer as nn.Linear;
      if (bias) assert.ok(values(bias).every((v) => v === 0));
      const squares = values(weight).map((v) => v * v);
      const rms = Math.sqrt(squares.reduce((a, b) => a + b, 0) / squares.length);
      return [layer.constructor.name, weight.size / weight.shape.at(-1)!, rms];
    });
const isNear = (found: number, wanted: number, name: string) =>
  assert.ok(Math.abs(found / wanted - 1) < 0.1, `${name}: ${found}, not ${wanted}`);

test('weights start as the papers say', () => {
  const { generator, critic } = dcgan({ shape: [32, 32, 3], width: 16, rng: rng() });
  for (const [name, , rms] of [...spreads(generator), ...spreads(critic)]) isNear(rms, 0.02, `DCGAN, ${name}`);
  for (const criticNorm of ['layer', 'instance', 'none'] as const) {
    const normed = dcgan({ shape: [32, 32, 3], width: 16, criticNorm, rng: rng() }).critic;
    for (const [name, fanIn, rms] of spreads(normed)) isNear(rms, Math.sqrt(2 / fanIn), `${criticNorm}, ${name}`);
  }
  const toy = mlp({ shape: [2], width: 100, rng: rng() });
  for (const m of [toy.generator, toy.critic]) {
    const [, ...inner] = spreads(m).slice(0, -1); // the first has too few weights to measure, and the last is Glorot's
    for (const [name, fanIn, rms] of inner) isNear(rms, Math.sqrt(2 / fanIn), `mlp, ${name}`);
  }
  const [first, convolution] = spreads(resnet({ shape: [32, 32, 1], width: 24, rng: rng() }).generator);
  isNear(first![2], Math.sqrt(2 / (128 + 4 * 4 * 24)), 'resnet, projection');
  isNear(convolution![2], Math.sqrt(4 / (9 * 24 + 9 * 24)), 'resnet, convolution of a block');
});

test('the same seed makes the same networks, of which the small DCGAN is that of npm start', () => {
  const state = ({ generator, critic }: Networks) =>
    [generator, critic].map((m) => [...m.stateDict()].map(([name, t]) => [name, ...values(t as Tensor)]));
  const shape = [28, 28, 1];
  const small = state(dcganSmall({ shape, rng: rng() }));
  assert.equal(small, state(createNetworks('dcgan-small', { shape, rng: rng() })));
  assert.not.equal(small, state(dcganSmall({ shape, rng: new Rng(8) })));
});

test('the fast pair is as it was when its recipe was found', () => {
  const { generator, critic, latent } = dcganSmall({ shape: [28, 28, 1], rng: new Rng(0, 1) });
  assert.equal([latent, count(generator), count(critic)], [64, 108_897, 10_713]);
  const sum = (m: nn.Module) => m.parameters().reduce((n, p) => n + values(p).reduce((a, v) => a + Math.abs(v), 0), 0);
  assert.ok(Math.abs(sum(generator) - FAST[0]!) < 1e-6, `${sum(generator)}`);
  assert.ok(Math.abs(sum(critic) - FAST[1]!) < 1e-6, `${sum(critic)}`);
});

/** Sums of all magnitudes, of generator and critic. */
const FAST = [1785.0789140066563, 840.7624927691862];

/** The largest singular value of each weight, seen as a matrix of outputs by all the rest. */
const slopes = (m: nn.Module): number[] =>
  m.namedModules().flatMap(([, layer]) => {
    if (!(layer instanceof nn.Linear || layer instanceof nn.Conv2d)) return [];
    const w = layer.weight.reshape([-1, layer.weight.shape.at(-1)!]);
    return [Math.sqrt(values(eigh(matmul(w, w, { transposeA: true })).values).at(-1)!)];
  });

for (const { name, make, shapes } of SMALL) {
  test(`spectral norm bounds every weight of the critic of ${name}`, () => {
    const shape = shapes.at(-1)!;
    const free = make({ shape, criticNorm: 'none', rng: rng() }).critic;
    assert.ok(Math.max(...slopes(free)) > 1.2, 'without it, a slope is larger');
    const { critic } = make({ shape, criticNorm: 'none', spectralNorm: true, rng: rng() });
    // A critic that is far from its first values, and power iteration that has caught up.
    nn.initialize(critic, nn.init.normal(2), { rng: rng(), filter: (field) => field === 'original' });
    const x = rng().uniform([2, ...shape]);
    for (let k = 0; k < 200; k++) scope(() => noGrad(() => critic.forward(x)));
    const found = scope(() => noGrad(() => slopes(critic)));
    assert.is(found.length, slopes(free).length);
    for (const s of found) assert.ok(Math.abs(s - 1) < 1e-3, `${found}`);
  });
}

test('a spectrally normalised perceptron has no slope above 1', () => {
  const { critic } = mlp({ shape: [2], width: 16, spectralNorm: true, rng: rng() });
  const [a, b] = [rng().normal([200, 2]), new Rng(8).normal([200, 2])];
  for (let k = 0; k < 100; k++) scope(() => noGrad(() => critic.forward(a)));
  const rise = noGrad(() => values(critic.forward(a).sub(critic.forward(b)).abs().reshape([200])));
  const run = values(a.sub(b).square().sum([1]).sqrt());
  const steepest = Math.max(...rise.map((v, i) => v / run[i]!));
  assert.ok(steepest <= 1 + 1e-3 && steepest > 0.01, `${steepest}`);
});

test('summaries list every layer', () => {
  for (const { name, make, shapes } of SMALL) {
    const shape = shapes.at(-1)!;
    const { generator, critic, latent } = make({ shape, rng: rng() });
    for (const [m, input] of [
      [generator, [2, latent]],
      [critic, [2, ...shape]],
    ] as const) {
      const table = nn.summary(m, input);
      assert.is(table.parameters, count(m), name);
      assert.is(
        table.rows.reduce((n, r) => n + r.parameters, 0),
        count(m),
      );
      assert.match(String(m), /^Sequential\(\n/);
    }
    assert.equal(nn.summary(generator, [2, latent]).rows.at(-1)!.output, [[2, ...shape]]);
  }
});

test('what a model cannot do is said, with what it can', () => {
  const bad: readonly [options: () => unknown, RegExp][] = [
    [
      () => createNetworks('dcgan', { shape: [2], rng: rng() }),
      /^dcgan: makes images of 28 x 28, 32 x 32 or 64 x 64.*\[2\].*mlp/,
    ],
    [
      () => createNetworks('resnet', { shape: [64, 64, 3], rng: rng() }),
      /^resnet: makes images of 28 .* not samples \[64,64,3\]; resize/,
    ],
    [() => createNetworks('dcgan-small', { shape: [28, 32, 1], rng: rng() }), /not samples \[28,32,1\]/],
    [() => createNetworks('mlp', { shape: [2, 2], rng: rng() }), /^mlp: makes points .* not samples \[2,2\]/],
    [() => createNetworks('mlp', { shape: 2 as never, rng: rng() }), /^mlp: shape must be a list/],
    [() => createNetworks('dcgan', { shape: 28 as never, rng: rng() }), /^dcgan: makes images .* not samples 28/],
    [
      () => createNetworks('toString' as never, { shape: [2], rng: rng() }),
      /no model "toString"; there are mlp, dcgan, dcgan-small, resnet/,
    ],
    [() => createNetworks('dcgan', { shape: [28, 28, 1], depth: 3, rng: rng() }), /^dcgan: has no option depth/],
    [
      () => createNetworks('dcgan', { shape: [28, 28, 1], criticWidth: 3, rng: rng() } as never),
      /no option criticWidth/,
    ],
    [
      () => createNetworks('mlp', { shape: [2], criticNorm: 'instance', rng: rng() }),
      /^mlp: criticNorm must be one of batch, layer, none/,
    ],
    [
      () => createNetworks('dcgan', { shape: [28, 28, 1], criticNorm: 'group' as never, rng: rng() }),
      /one of batch, layer, instance, none/,
    ],
    [
      () => createNetworks('resnet', { shape: [32, 32, 3], width: 0, rng: rng() }),
      /^resnet: width must be a whole number/,
    ],
    [() => createNetworks('mlp', { shape: [2], latent: 1.5, rng: rng() }), /^mlp: latent must be a whole number/],
    [
      () => createNetworks('mlp', { shape: [2], spectralNorm: 'no' as never, rng: rng() }),
      /^mlp: spectralNorm must be true or false/,
    ],
    [() => createNetworks('mlp', { shape: [2] } as never), /^mlp: rng fills the weights/],
    [
      () => mlp({ shape: [2], activation: 'maxout' as never, rng: rng() }),
      /^mlp: activation must be one of relu, leakyRelu, tanh/,
    ],
    [
      () => dcgan({ shape: [28, 28, 1], norm: 'layer' as never, rng: rng() }),
      /^dcgan: norm must be one of batch, none/,
    ],
    [
      () => dcganSmall({ shape: [28, 28, 1], norm: 'none', rng: rng() } as never),
      /^dcganSmall: there is no option norm/,
    ],
  ];
  for (const [fn, message] of bad) assert.throws(fn, message);
  assert.equal(Object.keys(models), ['mlp', 'dcgan', 'dcgan-small', 'resnet']);
  assert.equal(criticNorms, ['batch', 'layer', 'instance', 'none']);
});

test.run();
