/** The conditional DCGAN: shapes, what the class changes, first values, derivatives to second order, and the gradient penalty. */
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
  tensor,
  withDevice,
} from '../../engine/index.ts';
import { type ConditionalDcganOptions, conditionalDcgan, dcganSmall, gradientPenalty } from '../../gan/index.ts';
import * as nn from '../../nn/index.ts';
import { copyOf, openGpu, read, reference } from '../support/devices.ts';
import { near } from '../support/near.ts';

const test = suite('conditional DCGAN');
const gpu = await openGpu();
test.after(() => gpu.destroy());

const rng = (seed = 7) => new Rng(seed);
const values = (t: Tensor): Float64Array => Float64Array.from(reference.values(t.storage));
const inFloat64 = <T>(fn: () => T): T => withDevice(reference, () => scope(fn));
const small = (options: Partial<ConditionalDcganOptions> = {}) =>
  conditionalDcgan({ shape: [28, 28, 1], classes: 4, latent: 3, embedding: 2, width: 2, rng: rng(), ...options });
const conditions = ['channel', 'projection'] as const;

/** The networks in evaluation, in which batch norm makes of each code and class one image. */
function still(options: Partial<ConditionalDcganOptions> = {}) {
  const nets = small(options);
  nets.generator.eval();
  nets.critic.eval();
  return nets;
}

for (const condition of conditions) {
  test(`images and scores of every size, told by ${condition}`, () =>
    inFloat64(() => {
      const shapes: Shape[] = [28, 32, 64].flatMap((s) => [1, 3].map((c) => [s, s, c]));
      for (const shape of shapes) {
        const { generator, critic, latent, classes } = small({ shape, condition });
        assert.equal([latent, classes], [3, 4]);
        const label = tensor([0, 3, 1]);
        const x = noGrad(() => generator.forward(rng(1).normal([3, latent]), label));
        assert.equal(x.shape, [3, ...shape]);
        assert.ok(values(x).every((v) => Math.abs(v) <= 1));
        const scores = noGrad(() => critic.forward(x, label));
        assert.equal(scores.shape, [3, 1]);
        assert.ok(values(scores).every(Number.isFinite));
      }
      for (const criticNorm of ['layer', 'instance'] as const) {
        const { critic } = small({ condition, criticNorm, spectralNorm: true });
        assert.equal(critic.forward(rng(2).normal([2, 28, 28, 1]), tensor([1, 2])).shape, [2, 1]);
      }
      const { critic } = small({ condition });
      assert.not.ok(critic.namedModules().some(([, m]) => m instanceof nn.BatchNorm2d));
    }));

  test(`the class changes the image and the score, told by ${condition}; the place in the batch does not`, () =>
    inFloat64(() => {
      const { generator, critic } = still({ condition });
      const z = rng(1).normal([1, 3]);
      const all = z.add(tensor([0, 0, 0, 0], { shape: [4, 1] }));
      const images = noGrad(() => generator.forward(all, tensor([0, 1, 2, 3])));
      const each = Array.from({ length: 4 }, (_, i) =>
        values(images)
          .slice(i * 784, (i + 1) * 784)
          .join(),
      );
      assert.is(new Set(each).size, 4);
      const turned = noGrad(() => generator.forward(all, tensor([3, 1, 2, 0])));
      assert.is(values(turned).slice(0, 784).join(), each[3]);
      const x = images.slice([[0, 1]]).add(tensor([0, 0, 0, 0], { shape: [4, 1, 1, 1] }));
      const scores = values(noGrad(() => critic.forward(x, tensor([0, 1, 2, 0]))));
      assert.is(new Set(scores.slice(0, 3)).size, 3);
      assert.is(scores[3], scores[0]);
    }));
}

test('the projection is the score and the inner product of the features with the vector of the class', () =>
  inFloat64(() => {
    const { critic } = still({ condition: 'projection' });
    const x = rng(3).normal([2, 28, 28, 1]);
    const features = values(critic.features.forward(x));
    const plain = values(critic.score.forward(critic.features.forward(x)));
    const known = values(critic.embedding.weight);
    const f = features.length / 2;
    const scores = values(critic.forward(x, tensor([2, 1])));
    [2, 1].forEach((label, i) => {
      let sum = plain[i]!;
      for (let k = 0; k < f; k++) sum += features[i * f + k]! * known[label * f + k]!;
      near(scores[i]!, sum, 1e-12);
    });
  }));

test('the channel is the picture of the class behind those of the image', () =>
  inFloat64(() => {
    const { critic } = still({ shape: [32, 32, 3], condition: 'channel' });
    const x = rng(3).normal([1, 32, 32, 3]);
    const known = values(critic.embedding.weight);
    const wide = Float64Array.from({ length: 32 * 32 * 4 }, (_, i) =>
      i % 4 === 3 ? known[1024 + (i >> 2)]! : values(x)[(i >> 2) * 3 + (i % 4)]!,
    );
    const by = critic.score.forward(critic.features.forward(tensor(wide, { shape: [1, 32, 32, 4] })));
    near(values(critic.forward(x, tensor([1])))[0]!, values(by)[0]!, 1e-12);
  }));

test('but for what they are told, the networks are those of the small DCGAN', () =>
  inFloat64(() => {
    const shape = [28, 28, 1];
    const count = (m: nn.AnyModule) => m.parameters().reduce((n, p) => n + p.size, 0);
    const plain = dcganSmall({ shape, rng: rng() });
    const told = conditionalDcgan({ shape, classes: 10, condition: 'channel', rng: rng() });
    // The code is longer by a vector of 32, before a projection to 7 x 7 x 32.
    assert.is(count(told.generator), count(plain.generator) + 10 * 32 + 32 * 7 * 7 * 32);
    // One channel more for eight filters of kernel 4.
    assert.is(count(told.critic), count(plain.critic) + 10 * 784 + 16 * 8);
    const projection = conditionalDcgan({ shape, classes: 10, rng: rng() });
    assert.is(count(projection.critic), count(plain.critic) + 10 * 3 * 3 * 32);
  }));

test('first values: weights as in dcgan, classes from N(0, 1), of the projection from Glorot', () =>
  inFloat64(() => {
    const rms = (t: Tensor) => Math.sqrt(values(t).reduce((s, v) => s + v * v, 0) / t.size);
    const { generator, critic } = conditionalDcgan({
      shape: [28, 28, 1],
      classes: 10,
      condition: 'channel',
      rng: rng(),
    });
    assert.ok(Math.abs(rms(generator.embedding.weight) - 1) < 0.15);
    assert.ok(Math.abs(rms(critic.embedding.weight) - 1) < 0.05);
    for (const [name, p] of generator.body.namedParameters()) {
      if (p.rank > 1) assert.ok(Math.abs(rms(p) / 0.02 - 1) < 0.1, name);
    }
    const he = (critic.features as nn.Sequential).at(2) as nn.Conv2d;
    assert.ok(Math.abs(rms(he.weight) / Math.sqrt(2 / (16 * 8)) - 1) < 0.1);
    const { embedding } = conditionalDcgan({ shape: [28, 28, 1], classes: 10, rng: rng() }).critic;
    const bound = Math.sqrt(6 / (288 + 10));
    const largest = Math.max(...values(embedding.weight).map(Math.abs));
    assert.ok(largest <= bound && largest > 0.95 * bound, `${largest}, not ${bound}`);
    const states = [7, 7, 8].map((seed) =>
      small({ rng: rng(seed) })
        .critic.parameters()
        .map(values),
    );
    assert.equal(states[0], states[1]);
    assert.not.equal(states[0], states[2]);
  }));

/** A network as a function of its weights, larger than they start so that each counts. */
function asFunction(net: nn.Module<[Tensor, Tensor]>, label: readonly number[]) {
  const names = net.namedParameters().map(([name]) => name);
  const weights = net.parameters().map((p, k) => p.detach().mul(3).add(rng(k).normal(p.shape).mul(0.1)));
  const fn = (x: Tensor, ...ws: Tensor[]): Tensor =>
    nn.functionalCall(
      net,
      names.map((name, i) => [name, ws[i]!] as const),
      x,
      tensor(label),
    );
  return { fn, weights };
}

test('derivatives to second order, of images, codes, all weights, and what is known of classes', async () => {
  const label = [1, 0];
  const tiny = { width: 1, latent: 2, classes: 2, norm: 'none' } as const;
  for (const condition of conditions) {
    const { generator, critic } = withDevice(reference, () => still({ ...tiny, condition, criticWidth: 1 }));
    const ends: readonly [nn.Module<[Tensor, Tensor]>, Shape][] =
      condition === 'channel'
        ? [
            [generator, [2, 2]],
            [critic, [2, 28, 28, 1]],
          ]
        : [[critic, [2, 28, 28, 1]]];
    for (const [net, shape] of ends) {
      const { fn, weights } = withDevice(reference, () => asFunction(net, label));
      const inputs = withDevice(reference, () => [rng(4).normal(shape), ...weights].map((t) => t.requireGrad()));
      await gradcheck(fn, inputs, { fast: true });
      await gradgradcheck(fn, inputs, { fast: true });
    }
  }
});

test('the gradient penalty with the class held, differentiated for the weights of the critic', async () => {
  for (const condition of conditions) {
    const { critic } = withDevice(reference, () => still({ condition, classes: 2, criticWidth: 1 }));
    const names = critic.namedParameters().map(([name]) => name);
    const penalty = (...ws: Tensor[]): Tensor => {
      const data = rng(5);
      const [real, fake] = [data.uniform([2, 28, 28, 1]), data.uniform([2, 28, 28, 1], { low: -1 })];
      const stand = names.map((name, i) => [name, ws[i]!] as const);
      const given = { forward: (x: Tensor) => nn.functionalCall(critic, stand, x, tensor([1, 0])) };
      return gradientPenalty(given as nn.Module, real, fake, rng(6));
    };
    const weights = withDevice(reference, () => critic.parameters().map((p) => p.detach().requireGrad()));
    await gradcheck(penalty, weights, { fast: true });
    const slopes = withDevice(reference, () =>
      scope(() => grad(penalty(...weights), weights, { allowUnused: true }).map(values)),
    );
    const known = slopes[names.indexOf('embedding.weight')]!;
    // The slope of leaky relus does not move with the channel, but for where they turn; the vector of a projection is part of it.
    assert.is(
      known.some((v) => v !== 0),
      condition === 'projection',
    );
  }
});

test('a compiled step on WebGPU has the gradients of the reference device, whatever the classes', async () => {
  const make = () => still({ classes: 3, criticWidth: 2 });
  const slopesOf =
    ({ generator, critic }: ReturnType<typeof make>, random: Rng) =>
    (z: Tensor, x: Tensor, label: Tensor) => {
      const fake = generator.forward(z, label);
      const given = { forward: (v: Tensor) => critic.forward(v, label) } as nn.Module;
      const loss = given
        .forward(fake)
        .mean()
        .sub(given.forward(x).mean())
        .add(gradientPenalty(given, x, fake, random));
      return grad(loss, [...critic.parameters(), ...generator.parameters()], { allowUnused: true });
    };
  const exact = withDevice(reference, make);
  const nets = withDevice(gpu, make);
  const both = (n: ReturnType<typeof make>) => [...n.critic.parameters(), ...n.generator.parameters()];
  const own = both(exact).map(values);
  withDevice(gpu, () => scope(() => noGrad(() => void both(nets).map((p, i) => copyFrom(p, copyOf(p, own[i]!))))));
  const onReference = slopesOf(exact, rng(6));
  using step = compile(slopesOf(nets, rng(6)));
  const [z, x] = withDevice(
    reference,
    () => [rng(1).normal([2, 3]), rng(2).uniform([2, 28, 28, 1], { low: -1 })] as const,
  );
  for (const label of [
    [0, 2],
    [2, 1],
  ]) {
    const expected = inFloat64(() => onReference(z, x, tensor(label)).map(values));
    const found = await read(gpu, () => step(copyOf(z, values(z)), copyOf(x, values(x)), tensor(label)));
    found.forEach((slope, k) => {
      const size = Math.sqrt(expected[k]!.reduce((s, v) => s + v * v, 0));
      const off = Math.sqrt(slope.reduce((s, v, i) => s + (v - expected[k]![i]!) ** 2, 0));
      assert.ok(off <= 2e-4 * size + 1e-7, `parameter ${k}, classes ${label}: ${off / size}`);
    });
  }
});

test('what they cannot take is refused', () =>
  inFloat64(() => {
    const { generator, critic } = small();
    const z = rng().normal([3, 3]);
    assert.throws(
      () => generator.forward(z, tensor([1, 2])),
      /^ConditionalGenerator: label \[2\] must be one class for each of the 3 samples, \[3\]$/,
    );
    assert.throws(
      () => critic.forward(rng().normal([1, 28, 28, 1]), tensor([[1]])),
      /^ConditionalCritic: label \[1,1\] must/,
    );
    assert.throws(() => generator.forward(z, tensor([1, 2, 4])), RangeError);
    const refused: readonly [object, RegExp][] = [
      [
        { shape: [24, 24, 1] },
        /^conditionalDcgan: makes images of 28 x 28, 32 x 32 or 64 x 64 .* not samples \[24,24,1\]/,
      ],
      [{ classes: 0 }, /^conditionalDcgan: classes must be a whole number, 1 or more, not 0$/],
      [{ embedding: 1.5 }, /^conditionalDcgan: embedding must be/],
      [{ criticNorm: 'batch' }, /^conditionalDcgan: criticNorm must be one of layer, instance, none, not "batch"$/],
      [{ condition: 'concat' }, /^conditionalDcgan: condition must be one of channel, projection, not "concat"$/],
      [{ rng: undefined }, /^conditionalDcgan: rng fills the weights/],
      [{ depth: 3 }, /^conditionalDcgan: there is no option depth/],
    ];
    for (const [options, expected] of refused) assert.throws(() => small(options as never), expected);
  }));

test.run();
