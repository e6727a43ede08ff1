/** Metrics of images and of networks: MS-SSIM, features, stacked digits, the classification accuracy score. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat, Rng, type Tensor, withDevice } from '../../engine/index.ts';
import { classificationAccuracyScore } from '../../gan/metrics/classificationAccuracy.ts';
import {
  classesOf,
  classProbabilities,
  type FeatureClassifier,
  featuresOf,
  stackedClassifier,
} from '../../gan/metrics/features.ts';
import { msSsim, msSsimDiversity } from '../../gan/metrics/msSsim.ts';
import { RANDOM_FEATURES, RandomFeatures } from '../../gan/metrics/randomFeatures.ts';
import type { MetricSamples } from '../../gan/metrics/samples.ts';
import * as nn from '../../nn/index.ts';
import { openGpu, reference } from '../support/devices.ts';
import { rejection } from '../support/rejection.ts';
import { gaussian, near, samplesOf, uniform } from '../support/samples.ts';

const test = suite('metrics of images');
const device = await openGpu();
test.after(() => device.destroy());

/** Noise as images in [-1, 1]. */
const noise = (n: number, shape: readonly number[], seed: number): MetricSamples => {
  const width = shape.reduce((product, s) => product * s, 1);
  return { ...uniform(n, width, seed, -1, 1), shape: [n, ...shape] };
};

test('MS-SSIM: 1 for equal images, near 0 for noise, and less for each distortion', async () => {
  const a = noise(3, [28, 28, 2], 1);
  for (const value of await msSsim(a, a, { device })) near(value, 1, 1e-5);
  for (const value of await msSsim(a, noise(3, [28, 28, 2], 2), { device })) assert.ok(value < 0.15, String(value));
  const blend = (share: number) => ({ ...a, data: a.data.map((v, i) => v + share * (noiseB.data[i]! - v)) });
  const noiseB = noise(3, [28, 28, 2], 3);
  const [little, much] = [await msSsim(a, blend(0.1), { device }), await msSsim(a, blend(0.4), { device })];
  for (let i = 0; i < 3; i++) assert.ok(1 > little[i]! && little[i]! > much[i]! && much[i]! > 0.05);
  // Brightness alone costs little: the structure is the same.
  const darker = await msSsim(a, { ...a, data: a.data.map((v) => v - 0.1) }, { device });
  assert.ok(darker[0]! > 0.9);
});

test('MS-SSIM diversity: 1 for a collapsed generator, within classes where there are labels', async () => {
  const one = noise(1, [12, 12, 1], 4);
  const other = noise(1, [12, 12, 1], 5);
  const repeated = (n: number, labels?: number[]): MetricSamples => ({
    data: Float32Array.from({ length: n * 144 }, (_, i) => (Math.floor(i / 144) % 2 ? other : one).data[i % 144]!),
    shape: [n, 12, 12, 1],
    ...(labels && { labels }),
  });
  const options = { rng: new Rng(1), pairs: 200, device };
  const own = repeated(10, [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
  near((await msSsimDiversity(own, options)).value, 1, 1e-5);
  // Without labels 5 of 9 partners are the other image.
  const [between] = await msSsim(one, other, { device });
  const mixed = await msSsimDiversity(repeated(10), options);
  near(mixed.value, 4 / 9 + (5 / 9) * between!, 0.12);
  assert.is(mixed.scales, 1);
  const tooSmall = await rejection(msSsimDiversity(noise(2, [8, 8, 1], 1), options));
  assert.match(tooSmall.message, /images of 8 x 8 have no room for a window of 11 x 11/);
  const lonely = await rejection(msSsimDiversity(repeated(2, [0, 1]), options));
  assert.match(lonely.message, /no two samples are of one class/);
  assert.match(
    (await rejection(msSsimDiversity(repeated(4, [0, 0, 0]), options))).message,
    /msSsimDiversity: samples has 4 samples and 3 labels/,
  );
  assert.match(
    (await rejection(msSsim(one, one, { scales: 2, device }))).message,
    /scales must be a whole number from 1 to 1, not 2/,
  );
});

test('random features: the same for the same seed, whatever the batch', async () => {
  const make = (seed: number) => withDevice(device, () => new RandomFeatures([9, 14, 3], seed));
  using a = make(1);
  using b = make(1);
  using c = make(2);
  const x = noise(7, [9, 14, 3], 1);
  const all = await featuresOf(a, x, { device });
  assert.equal(all.shape, [7, RANDOM_FEATURES]);
  const parts = await featuresOf(b, x, { batchSize: 3, device });
  parts.data.forEach((v, i) => {
    near(v, all.data[i]!, 1e-5);
  });
  assert.is.not((await featuresOf(c, x, { device })).data[0], all.data[0]);
  a.train();
  assert.match((await rejection(featuresOf(a, x, { device }))).message, /training mode; call its eval\(\) first/);
});

/** Reads the class off the first pixel: -1 to 1 in steps of 2 / 9. */
const tenClasses: FeatureClassifier = {
  features: (x: Tensor) => x.mean([2, 3]),
  forward(x: Tensor) {
    const level = x
      .slice([[], [0, 1], [0, 1], [0, 1]])
      .reshape([x.shape[0]!, 1])
      .add(1)
      .mul(4.5);
    const logits = Array.from({ length: 10 }, (_, c) => level.sub(c).square().mul(-20));
    return concat(logits, 1);
  },
};

test('stacked digits: the classes of the channels make one number, and probabilities multiply', async () => {
  const digits = [0, 7, 123, 999, 580];
  const data = Float32Array.from({ length: digits.length * 4 * 3 }, (_, i) => {
    const [n, c] = [Math.floor(i / 12), i % 3];
    return (Math.floor(digits[n]! / 10 ** (2 - c)) % 10) / 4.5 - 1;
  });
  const samples = { data, shape: [digits.length, 2, 2, 3] };
  const stacked = stackedClassifier(tenClasses, 3);
  const probabilities = await classProbabilities(stacked, samples, { device });
  assert.equal(probabilities.shape, [5, 1000]);
  assert.equal([...classesOf(probabilities)], digits);
  const unsure = noise(4, [2, 2, 2], 3);
  const both = await classProbabilities(stackedClassifier(tenClasses, 2), unsure, { device });
  const plane = (c: number) => ({ data: unsure.data.filter((_, i) => i % 2 === c), shape: [4, 2, 2, 1] });
  const [p, q] = [
    await classProbabilities(tenClasses, plane(0), { device }),
    await classProbabilities(tenClasses, plane(1), { device }),
  ];
  for (let n = 0; n < 4; n++)
    for (let k = 0; k < 100; k++)
      near(both.data[n * 100 + k]!, p.data[n * 10 + Math.floor(k / 10)]! * q.data[n * 10 + (k % 10)]!, 1e-5);
  assert.equal((await featuresOf(stacked, samples, { device })).shape, [5, 6]);
  const wrong = await rejection(featuresOf(stacked, unsure, { device }));
  assert.match(wrong.message, /samples \[4,2,2,2\] are no images \[N,H,W,3\]/);
});

/** Three Gaussians in the plane, by class; `kept` classes have their own place, the others lie where class 0 does. */
const classes = (n: number, seed: number, kept = 3): MetricSamples => {
  const { data } = gaussian(n, 2, seed, 0, 0.3);
  const labels = Array.from({ length: n }, (_, i) => i % 3);
  const centre = (label: number) => (label < kept ? [0, 2, 4][label]! : 0);
  return { data: data.map((v, i) => v + centre(labels[i >> 1]!) * (i % 2 ? -1 : 1)), shape: [n, 2], labels };
};

test('classification accuracy score: real samples teach all, a missing class is not learned, wrong labels teach nothing', async () => {
  const real = classes(300, 1);
  const options = { seed: 1, epochs: 10, device };
  const good = await classificationAccuracyScore(classes(600, 2), real, options);
  assert.ok(good.value > 0.97, String(good.value));
  // What is labelled 2 lies on class 0: half of that place is called 2, and the place of 2 is unknown.
  const missing = await classificationAccuracyScore(classes(600, 2, 2), real, options);
  assert.ok(missing.byClass[2]! < 0.3, String(missing.byClass));
  assert.ok(missing.byClass[1]! > 0.9);
  const own = classes(600, 2);
  const turned = { ...own, labels: Array.from(own.labels!, (c) => (c + 1) % 3) };
  assert.ok((await classificationAccuracyScore(turned, real, options)).value < 0.05);
  const again = await classificationAccuracyScore(classes(600, 2), real, options);
  assert.equal(again, good, 'the seed decides');
  const { labels: _, ...unlabelled } = real;
  const nothing = await rejection(classificationAccuracyScore(unlabelled, real, options));
  assert.match(nothing.message, /samples need a label for each of the 300 samples/);
});

test('a classifier that diverges is refused, also where the last update is the one that breaks it', async () => {
  const [own, real] = [classes(300, 2), classes(60, 1)];
  const learn = (lr: number, epochs: number, batchSize: number) =>
    rejection(classificationAccuracyScore(own, real, { seed: 1, lr, epochs, batchSize, device }));
  assert.match(
    (await learn(1e30, 10, 30)).message,
    /classifier's loss is .* after 20 steps; give a lower lr than 1e\+30/,
  );
  assert.match((await learn(1e30, 1, 100)).message, /classifier's loss is .* after 3 steps; give a lower lr/);
  assert.match((await learn(1e30, 1, 300)).message, /classifier's logits are not finite; give a lower lr than 1e\+30/);
});

test('the score of images, and of a model that is given, on the reference device too', async () => {
  const striped = (n: number, seed: number): MetricSamples => {
    const x = noise(n, [8, 8, 1], seed);
    const labels = Array.from({ length: n }, (_, i) => i % 2);
    const stripe = (i: number) => ((labels[Math.floor(i / 64)]! ? i >> 3 : i) % 2 ? 0.4 : -0.4);
    return { ...x, data: x.data.map((v, i) => 0.4 * v + stripe(i)), labels };
  };
  const options = { seed: 2, epochs: 4, batchSize: 16, device: reference };
  assert.ok((await classificationAccuracyScore(striped(160, 1), striped(40, 2), options)).value > 0.95);
  const model = (rng: Rng) => new nn.Sequential(new nn.Flatten(), new nn.Linear(64, 2, { rng }));
  const linear = await classificationAccuracyScore(striped(160, 1), striped(40, 2), { ...options, model });
  assert.ok(linear.value > 0.95);
});

test('samples with a value that is not finite are refused', async () => {
  const bad = samplesOf(new Array<number>(144).fill(Infinity), [1, 12, 12, 1]);
  assert.match(
    (await rejection(featuresOf(tenClasses, bad, { device }))).message,
    /sample 0 of samples holds Infinity/,
  );
});

test.run();
