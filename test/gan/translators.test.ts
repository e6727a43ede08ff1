/** The networks of image translation: shapes, sizes, first values, what a logit sees, and derivatives to second order; in float64, and compiled on WebGPU. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  compile,
  copyFrom,
  grad,
  gradcheck,
  gradgradcheck,
  noGrad,
  Rng,
  type Shape,
  scope,
  type Tensor,
  withDevice,
} from '../../engine/index.ts';
import { patchCritic, translator } from '../../gan/index.ts';
import * as nn from '../../nn/index.ts';
import { copyOf, openGpu, read, reference } from '../support/devices.ts';

const test = suite('networks of image translation');
const gpu = await openGpu();
test.after(() => gpu.destroy());

const rng = (seed = 7) => new Rng(seed);
const values = (t: Tensor): Float64Array => Float64Array.from(reference.values(t.storage));
const count = (m: nn.Module): number => m.parameters().reduce((n, p) => n + p.size, 0);
const inFloat64 = <T>(fn: () => T): T => withDevice(reference, () => scope(fn));
const images = (shape: Shape, seed = 1): Tensor => rng(seed).uniform(shape, { low: -1 });

test('a translator gives images of the shape that it takes, in [-1, 1], each by itself', () =>
  inFloat64(() => {
    const cases: readonly [Shape, object][] = [
      [[32, 32, 1], {}],
      [[28, 28, 1], {}],
      [[32, 32, 3], {}],
      [[16, 24, 2], { halvings: 2, blocks: 1 }],
      [[9, 11, 1], { halvings: 0 }],
      [[8, 8, 1], { halvings: 2, blocks: 0 }],
    ];
    for (const [shape, options] of cases) {
      const net = translator({ shape, width: 6, rng: rng(), ...options });
      const x = images([2, ...shape]);
      const y = noGrad(() => net.forward(x));
      assert.equal(y.shape, [2, ...shape]);
      assert.ok(values(y).every((v) => Math.abs(v) <= 1));
      // Instance norm sees one image alone.
      const second = noGrad(() => net.forward(x.slice([[1, 2]])));
      assert.equal(values(second), values(y).slice(y.size / 2));
    }
  }));

test('a patch critic gives a map of logits', () =>
  inFloat64(() => {
    const cases: readonly [Shape, object, Shape][] = [
      [[32, 32, 1], {}, [7, 7, 1]],
      [[28, 28, 1], {}, [6, 6, 1]],
      [[32, 32, 3], { halvings: 1 }, [15, 15, 1]],
      [[32, 48, 3], { halvings: 3 }, [3, 5, 1]],
      [[32, 32, 1], { halvings: 2, further: 1 }, [6, 6, 1]],
    ];
    for (const [shape, options, map] of cases) {
      const critic = patchCritic({ shape, width: 4, rng: rng(), ...options });
      const logits = noGrad(() => critic.forward(images([3, ...shape])));
      assert.equal(logits.shape, [3, ...map]);
      assert.ok(values(logits).some((v) => v < 0) && values(logits).some((v) => v > 0));
    }
  }));

test('a logit sees a square of the size that is documented', () =>
  inFloat64(() => {
    for (const [side, options, size] of [
      [32, { halvings: 1 }, 10],
      [48, { halvings: 2 }, 22],
      [96, { halvings: 3 }, 46],
      [160, { halvings: 3, further: 1 }, 70],
    ] as const) {
      const critic = patchCritic({ shape: [side, side, 1], width: 1, rng: rng(), ...options });
      // Instance norm, which sees all of the image, aside.
      const local = new nn.Sequential(...[...critic].filter((layer) => !(layer instanceof nn.InstanceNorm2d)));
      nn.initialize(local, nn.init.ones, { filter: (field) => field === 'weight' });
      const x = images([1, side, side, 1]).requireGrad();
      const logits = local.forward(x);
      const middle = logits.shape[1]! >> 1;
      const [seen] = grad(logits.slice([[], [middle, middle + 1], [middle, middle + 1]]).sum(), [x]);
      const rows = new Set([...values(seen!)].flatMap((v, i) => (v === 0 ? [] : [Math.floor(i / side)])));
      assert.is(rows.size, size, `${side}: ${JSON.stringify(options)}`);
    }
  }));

/** Parameters of convolutions with and without a bias. */
const bare = (kernel: number, from: number, to: number): number => kernel ** 2 * from * to;
const biased = (kernel: number, from: number, to: number): number => bare(kernel, from, to) + to;

test("with the papers' sizes they have the papers' layers", () =>
  inFloat64(() => {
    const paper = translator({ shape: [256, 256, 3], width: 256, blocks: 9, halvings: 2, rng: rng() });
    const ends = bare(7, 3, 64) + biased(7, 64, 3);
    assert.is(count(paper), ends + 2 * (bare(3, 64, 128) + bare(3, 128, 256)) + 18 * bare(3, 256, 256));
    const critic = patchCritic({ shape: [256, 256, 3], width: 64, halvings: 3, further: 1, rng: rng() });
    const hidden = bare(4, 64, 128) + bare(4, 128, 256) + bare(4, 256, 512);
    assert.is(count(critic), biased(4, 3, 64) + hidden + biased(4, 512, 1));
    assert.is([...critic].filter((layer) => layer instanceof nn.InstanceNorm2d).length, 3);
    assert.not.instance(critic.at(1), nn.InstanceNorm2d);
    const small = translator({ shape: [32, 32, 1], rng: rng() });
    assert.is(count(small), bare(7, 1, 24) + biased(7, 24, 1) + 2 * bare(3, 24, 48) + 6 * bare(3, 48, 48));
  }));

test('weights start from N(0, 0.02), biases from 0, and the same seed gives the same network', () =>
  inFloat64(() => {
    const makes = [
      (seed: number) => translator({ shape: [32, 32, 1], rng: rng(seed) }),
      (seed: number) => patchCritic({ shape: [32, 32, 1], rng: rng(seed) }),
    ];
    for (const make of makes) {
      const net = make(3);
      for (const [name, p] of net.namedParameters()) {
        const own = values(p);
        if (name.endsWith('bias')) assert.ok(own.every((v) => v === 0));
        else {
          const rms = Math.sqrt(own.reduce((s, v) => s + v * v, 0) / own.length);
          assert.ok(Math.abs(rms / 0.02 - 1) < 4 / Math.sqrt(2 * own.length), `${name}: ${rms}`);
        }
      }
      const state = (m: nn.Module) => m.parameters().map(values);
      assert.equal(state(make(3)), state(net));
      assert.not.equal(state(make(4)), state(net));
    }
  }));

/** The network as a function of all its weights, beside its input, with values far enough from 0 for the kinks of relus not to matter. */
function asFunction(net: nn.Module): { fn: (...all: Tensor[]) => Tensor; weights: Tensor[] } {
  const names = net.namedParameters().map(([name]) => name);
  const weights = net.parameters().map((p) => p.detach().mul(20));
  return {
    fn: (x, ...ws) =>
      nn.functionalCall(
        net,
        names.map((name, i) => [name, ws[i]!] as const),
        x,
      ),
    weights,
  };
}

test('derivatives to second order, of all weights and of the image', async () => {
  const nets: readonly [nn.Module, Shape][] = withDevice(reference, () => [
    [translator({ shape: [8, 8, 1], width: 2, blocks: 1, rng: rng(2) }), [1, 8, 8, 1]],
    [patchCritic({ shape: [8, 8, 1], width: 2, rng: rng(3) }), [1, 8, 8, 1]],
    [patchCritic({ shape: [8, 8, 1], width: 1, halvings: 1, further: 1, rng: rng(3) }), [2, 8, 8, 1]],
  ]);
  for (const [net, shape] of nets) {
    const { fn, weights } = withDevice(reference, () => asFunction(net));
    const inputs = withDevice(reference, () => [images(shape), ...weights].map((t) => t.requireGrad()));
    await gradcheck(fn, inputs, { fast: true });
    await gradgradcheck(fn, inputs, { fast: true });
  }
});

test('what they cannot take is refused', () =>
  inFloat64(() => {
    const shape = [32, 32, 1];
    assert.throws(
      () => translator({ shape: [30, 30, 1], halvings: 2, rng: rng() }),
      /^translator: takes images \[H, W, C\] with H and W at least 8, and a multiple of 4, not \[30,30,1\]$/,
    );
    assert.throws(
      () => translator({ shape: [4, 8, 1], rng: rng() }),
      /with H and W at least 8, and a multiple of 2, not/,
    );
    assert.throws(() => translator({ shape: [32, 32], rng: rng() }), /takes images \[H, W, C\]/);
    assert.throws(
      () => translator({ shape, width: 0, rng: rng() }),
      /^translator: width must be a whole number, 1 or more, not 0$/,
    );
    assert.throws(() => translator({ shape, depth: 1, rng: rng() } as never), /^translator: there is no option depth/);
    assert.throws(() => translator({ shape } as never), /^translator: rng fills the weights/);
    assert.throws(
      () => patchCritic({ shape: [12, 12, 1], halvings: 3, rng: rng() }),
      /^patchCritic: takes images \[H, W, C\] with H and W at least 16, and a multiple of 8, not \[12,12,1\]$/,
    );
    assert.throws(
      () => patchCritic({ shape, halvings: 0, rng: rng() }),
      /halvings must be a whole number from 1 to 8, not 0/,
    );
  }));

test('a compiled step of both on WebGPU moves weights as the reference device does', async () => {
  const shape = [16, 16, 1];
  const make = () =>
    [translator({ shape, width: 4, blocks: 1, rng: rng(5) }), patchCritic({ shape, width: 4, rng: rng(6) })] as const;
  /** The gradient of a translator's loss, least squares and cycle in one. */
  const slopesOf =
    ([net, critic]: ReturnType<typeof make>) =>
    (x: Tensor) => {
      const y = net.forward(x);
      const loss = critic.forward(y).sub(1).square().mean().add(y.sub(x).abs().mean().mul(10));
      return grad(loss, net.parameters());
    };
  const x = withDevice(reference, () => images([2, ...shape]));
  const pixels = values(x);
  const expected = withDevice(reference, () => scope(() => slopesOf(make())(x).map(values)));
  const networks = withDevice(gpu, make);
  const exact = withDevice(reference, make);
  for (const [k, net] of networks.entries()) {
    const own = exact[k]!.parameters().map(values);
    const copies = () => net.parameters().map((p, i) => copyFrom(p, copyOf(p, own[i]!)));
    withDevice(gpu, () => scope(() => noGrad(() => void copies())));
  }
  using step = compile((input: Tensor) => slopesOf(networks)(input));
  for (let run = 0; run < 2; run++) {
    const found = await read(gpu, () => step(copyOf(x, pixels)));
    found.forEach((slope, k) => {
      const size = Math.sqrt(expected[k]!.reduce((s, v) => s + v * v, 0));
      const off = Math.sqrt(slope.reduce((s, v, i) => s + (v - expected[k]![i]!) ** 2, 0));
      assert.ok(off <= 2e-4 * size + 1e-7, `parameter ${k}: ${off / size}`);
    });
  }
});

test.run();
