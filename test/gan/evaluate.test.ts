/** The table of metrics on a mixture of Gaussians: what is measured, beside what, and what is refused. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat, Rng, type Tensor } from '../../engine/index.ts';
import type { SampleSet, Samples } from '../../gan/data/sampleSet.ts';
import { availableMetrics, type EvaluateProgress, evaluate, scoreLine } from '../../gan/metrics/evaluate.ts';
import { featureMoments, frechetDistance } from '../../gan/metrics/frechet.ts';
import { tooFew } from '../../gan/metrics/metric.ts';
import { type MetricSamples, takeSamples } from '../../gan/metrics/samples.ts';
import { metrics } from '../../gan/metrics/table.ts';
import { openGpu } from '../support/devices.ts';
import { rejection } from '../support/rejection.ts';
import { gaussian, near } from '../support/samples.ts';

const test = suite('evaluate');
const device = await openGpu();
test.after(() => device.destroy());

const centres = Float32Array.of(-1, -1, 1, -1, -1, 1, 1, 1);
/** Four Gaussians at the corners of a square; only the first `used` of them. */
function corners(
  n: number,
  seed: number,
  used = 4,
): MetricSamples & { readonly data: Float32Array; readonly labels: Uint8Array } {
  const noise = new Rng(seed).hostNormal(2 * n);
  const labels = Uint8Array.from({ length: n }, (_, i) => i % used);
  return {
    data: Float32Array.from(noise, (z, i) => 0.05 * z + centres[labels[i >> 1]! * 2 + (i % 2)]!),
    shape: [n, 2],
    labels,
  };
}
const N = 400;
const split = (seed: number) => ({ count: N, data: corners(N, seed).data });
const set: SampleSet = {
  name: 'corners',
  title: 'four corners',
  kind: 'points',
  shape: [2],
  modes: { centres, sigma: 0.05 },
  train: split(1),
  test: split(2),
};
const { labels: _, ...whole } = corners(N, 3);
const { labels: __, ...half } = corners(N, 3, 2);

test('points with modes: all that needs no image, beside real points and noise', async () => {
  const seen: EvaluateProgress[] = [];
  const found = await evaluate({ samples: half, set, seed: 1, device, onProgress: (p) => seen.push(p) });
  const names = Object.keys(found);
  assert.equal(names, [
    ...['modes', 'highQuality', 'reverseKl', 'slicedWasserstein', 'mmd', 'energyDistance', 'fid', 'kid'],
    ...['precision', 'recall', 'density', 'coverage', 'nearestNeighbour', 'support', 'parzen'],
  ]);
  assert.equal(names, availableMetrics({ samples: half, set }));
  assert.equal(
    seen.map((p) => p.name),
    names,
  );
  assert.equal(seen[2], { name: 'reverseKl', title: 'reverse KL over modes, nats', done: 2, total: 15 });
  assert.is(found.modes!.value, 2);
  assert.is(found.modes!.real!.value, 4);
  assert.is(found.modes!.details!.of, 4);
  near(found.reverseKl!.value, Math.log(2), 1e-12);
  assert.ok(found.highQuality!.value > 0.97 && found.highQuality!.noise!.value < 0.1);
  assert.ok(found.recall!.value < 0.6 && found.recall!.real!.value > 0.8);
  for (const name of ['slicedWasserstein', 'mmd', 'energyDistance', 'fid', 'kid'] as const) {
    assert.ok(found[name]!.value > 5 * Math.abs(found[name]!.real!.value), scoreLine(found[name]!));
  }
  assert.ok(found.parzen!.value < found.parzen!.real!.value);
  assert.is(found.fid!.title, 'FID');
  assert.is(found.fid!.count, N);
});

test('a score does not depend on the others that are asked for, and the seed decides it', async () => {
  const one = await evaluate({ samples: whole, set, seed: 3, device, names: ['kid'] });
  const two = await evaluate({ samples: whole, set, seed: 3, device, names: ['fid', 'slicedWasserstein', 'kid'] });
  const other = await evaluate({ samples: whole, set, seed: 4, device, names: ['kid'], baselines: false });
  assert.equal(one.kid, two.kid);
  assert.is.not(other.kid!.value, one.kid!.value);
  assert.is(other.kid!.real, undefined);
  assert.equal(Object.keys(two), ['fid', 'slicedWasserstein', 'kid']);
});

test('without a data set half of the reference stands for real samples; labels bring the accuracy', async () => {
  const reference = corners(600, 5);
  const samples = corners(300, 6);
  const found = await evaluate({ samples, reference, device, names: ['accuracy', 'energyDistance'] });
  assert.ok(found.accuracy!.value > 0.9, scoreLine(found.accuracy!));
  assert.ok(found.accuracy!.noise!.value < 0.9, scoreLine(found.accuracy!));
  near(found.energyDistance!.value, 0, 0.05);
  assert.ok(found.energyDistance!.noise!.value > 0.05);
  assert.ok(availableMetrics({ samples, reference }).includes('accuracy'));
  assert.not(availableMetrics({ samples: whole, reference }).includes('accuracy'));
});

/** The same samples class by class, as folders of images lie. */
function byClass(samples: MetricSamples & { readonly labels: Uint8Array }): MetricSamples {
  const order = [...samples.labels.keys()].sort((i, j) => samples.labels[i]! - samples.labels[j]!);
  return takeSamples(samples, order);
}
const splitByClass = (n: number, seed: number): Samples => {
  const { data, labels: ordered } = byClass(corners(n, seed));
  return { count: n, data: Float32Array.from(data), labels: Uint8Array.from(ordered!) };
};

test('sets and samples that lie class by class are measured as if shuffled', async () => {
  const ordered: SampleSet = { ...set, train: splitByClass(2400, 11), test: splitByClass(2000, 12) };
  const names = ['modes', 'precision', 'recall', 'coverage', 'nearestNeighbour', 'parzen', 'accuracy'] as const;
  const samples = corners(N, 13);
  const found = await evaluate({ samples, set: ordered, seed: 1, device, names });
  for (const side of [found, Object.fromEntries(names.map((name) => [name, found[name]!.real!]))] as const) {
    assert.is(side.modes!.value, 4);
    for (const name of ['precision', 'recall', 'coverage'] as const) assert.ok(side[name]!.value > 0.8, name);
    near(side.nearestNeighbour!.value, 0.5, 0.1);
    assert.ok(side.accuracy!.value > 0.98, 'labels go with their samples');
  }
  const { value, real, spread } = found.parzen!;
  near(value, real!.value, 4 * spread! + 0.1);
  assert.is(found.modes!.realCount, undefined);

  // The protocol's 2,500 of them.
  const many = byClass(corners(10_400, 14));
  const { modes } = await evaluate({ samples: many, set: ordered, names: ['modes'], baselines: false, device });
  assert.is(modes!.value, 4);
});

test('what is random follows the seed; the reference that it is measured against does not', async () => {
  const ordered: SampleSet = { ...set, train: splitByClass(2400, 11), test: splitByClass(2000, 12) };
  // The mean over pairs of all samples and the first 400 of the reference.
  const measure = (seed: number) =>
    evaluate({ samples: whole, set: ordered, seed, device, names: ['energyDistance'] }).then((f) => f.energyDistance!);
  const [one, again, two] = [await measure(1), await measure(1), await measure(2)];
  assert.equal(again, one);
  near(two.value, one.value, 1e-6);
  assert.ok(Math.abs(two.real!.value - one.real!.value) > 1e-5, 'other real samples');
});

test('fewer real samples than asked for are counted', async () => {
  const few: SampleSet = { ...set, train: { count: 100, data: corners(100, 1).data } };
  const { energyDistance } = await evaluate({ samples: whole, set: few, device, names: ['energyDistance'] });
  assert.is(energyDistance!.realCount, 100);
  assert.match(scoreLine(energyDistance!), /\(real \S+ of 100 samples, noise/);
  const split = await evaluate({ samples: whole, reference: whole, device, names: ['energyDistance'] });
  assert.is(split.energyDistance!.realCount, N / 2);
});

test('without a set the reference is halved at random, and only where baselines are wanted', async () => {
  const reference = byClass(corners(600, 21));
  const samples = corners(300, 22);
  const { energyDistance } = await evaluate({ samples, reference, device, names: ['energyDistance'] });
  near(energyDistance!.value, 0, 0.05);
  near(energyDistance!.real!.value, 0, 0.05);
  const { fid } = await evaluate({ samples, reference, device, names: ['fid'], baselines: false });
  near(fid!.value, await frechetDistance(featureMoments(samples), featureMoments(reference)), 1e-9);
  assert.is(fid!.real, undefined);
});

/** Reads the class, 0 to 2, off the first pixel. */
const threeClasses = {
  features: (x: Tensor) => x.mean([2, 3]),
  forward(x: Tensor) {
    const level = x.slice([[], [0, 1], [0, 1], [0, 1]]).reshape([x.shape[0]!, 1]);
    return concat(
      [-1, 0, 1].map((c) => level.sub(c).square().mul(-50)),
      1,
    );
  },
};
const imagesOf = (classes: readonly number[]): MetricSamples => ({
  data: Float32Array.from({ length: classes.length * 64 }, (_, i) => classes[i >> 6]! - 1),
  shape: [classes.length, 8, 8, 1],
});

test('the KL over classes: against the shares of the set, or the reference, of which no class is missing in silence', async () => {
  const samples = imagesOf(Array.from({ length: 300 }, (_, i) => i % 2));
  const reference = imagesOf(Array.from({ length: 600 }, (_, i) => 2 * (i % 2)));
  const features = { title: 'level', network: threeClasses, classes: 3 };
  const options = { samples, reference, device, names: ['classes', 'classKl'], baselines: false } as const;
  const guess = (await evaluate({ ...options, features })).classKl!;
  // 300.5 and twice 0.5 of 601.5, where there were 300 of class 0.
  near(guess.value, 0.5 * Math.log(0.5 / (300.5 / 601.5)) + 0.5 * Math.log(0.5 / (0.5 / 601.5)), 1e-9);
  assert.is(guess.details!.unseen, 1);
  assert.match(
    scoreLine(guess),
    /: 3.20 \(few samples alone make it about 0.00500; a guess: the reference misses 1 of its classes; /,
  );
  const shares = await evaluate({ ...options, features: { ...features, classShares: [1 / 3, 1 / 3, 1 / 3] } });
  near(shares.classKl!.value, Math.log(3 / 2), 1e-9);
  assert.equal(shares.classKl!.details, { bias: 2 / 2 / 300, unseen: 0 });
  assert.is(shares.classes!.value, 2);
  const wrong = await rejection(evaluate({ ...options, features: { ...features, classShares: [1] } }));
  assert.match(wrong.message, /features have 3 classes and 1 classShares/);
});

test('real samples beside unlabelled ones are compared across classes, even where each is a class of its own', async () => {
  const patterns = [gaussian(1, 144, 41, 0, 0.4), gaussian(1, 144, 42, 0, 0.4)] as const;
  const images = (n: number): MetricSamples => ({
    data: Float32Array.from({ length: n * 144 }, (_, i) => patterns[Math.floor(i / 144) % 2]!.data[i % 144]!),
    shape: [n, 12, 12, 1],
  });
  const part = (labels: Uint16Array): Samples => ({
    count: labels.length,
    labels,
    data: Uint8Array.from(images(labels.length).data, (v) => Math.max(0, Math.min(255, (v + 1) * 127.5))),
  });
  const measure = async (label: (i: number) => number, samples: MetricSamples) => {
    const labels = Uint16Array.from({ length: 40 }, (_, i) => label(i));
    const pictures: SampleSet = {
      name: 'pictures',
      title: 'pictures',
      kind: 'images',
      shape: [12, 12, 1],
      train: part(labels),
      test: part(labels),
    };
    return (await evaluate({ samples, set: pictures, device, names: ['msSsim'] })).msSsim!;
  };
  const across = await measure((i) => i % 2, images(40));
  near(across.real!.value, across.value, 0.1);
  assert.ok(across.real!.value < 0.8, String(across.real!.value));
  near((await measure((i) => i, images(40))).real!.value, across.real!.value, 0.1);
  const labels = Array.from({ length: 40 }, (_, i) => i % 2);
  const within = await measure((i) => i % 2, { ...images(40), labels });
  near(within.value, 1, 1e-4);
  near(within.real!.value, 1, 1e-4);
});

test('a support without two equal samples is a lower bound, in the line too', async () => {
  const data = gaussian(N, 2, 31, 0, 100);
  const { support } = await evaluate({ samples: data, set, device, names: ['support'], baselines: false });
  assert.equal([support!.details!.atLeast, support!.details!.collisions], [true, 0]);
  assert.is(scoreLine(support!), 'support by the birthday paradox: >= 39800 (higher is better)');
  const same = takeSamples(whole, new Array<number>(N).fill(0));
  const none = await evaluate({ samples: same, set, device, names: ['support'], baselines: false });
  assert.is(scoreLine(none.support!), 'support by the birthday paradox: 1 (higher is better)');
});

test('what a handful of samples gives no score of is left out, or refused by name', async () => {
  const three = { samples: takeSamples(whole, [0, 1, 2]), set, baselines: false, device };
  const found = await evaluate(three);
  assert.ok(found.mmd && found.fid);
  for (const name of ['precision', 'recall', 'density', 'coverage'] as const) assert.is(found[name], undefined);
  const refused = await rejection(evaluate({ ...three, names: ['density'] }));
  assert.instance(refused, RangeError);
  assert.is(refused.message, 'evaluate: density needs 6 samples and as many real ones, not 3');
  const image = (n: number): MetricSamples & { readonly labels: Uint8Array } => ({
    data: Float32Array.from({ length: n * 144 }, (_, i) => Math.sin(i)),
    shape: [n, 12, 12, 1],
    labels: Uint8Array.from({ length: n }, (_, i) => i),
  });
  const alone = await evaluate({ samples: image(3), reference: image(6), names: ['msSsim'], baselines: false, device });
  assert.ok(Number.isNaN(alone.msSsim?.value), 'no two of one class');
});

test('sets that are too small are said to be so, beside each score', async () => {
  const few: SampleSet = { ...set, test: { count: 16, data: corners(16, 2).data } };
  const found = await evaluate({ samples: whole, set: few, device, baselines: false });
  const enough = Object.entries(found).flatMap(([name, score]) => (score.tooFew === undefined ? [name] : []));
  // These look at the samples alone, of which there are 400.
  assert.equal(enough, ['modes', 'highQuality', 'reverseKl']);
  assert.match(scoreLine(found.kid!), / \(lower is better\); too few samples: 16 held-out ones; it needs 200 of each$/);
  assert.match(scoreLine(found.fid!), /; too few samples: 400 samples and 16 held-out ones; it needs 500 of each$/);
  const { modes, kid } = await evaluate({
    samples: corners(40, 3),
    set,
    device,
    baselines: false,
    names: ['modes', 'kid'],
  });
  assert.match(scoreLine(modes!), /; too few samples: 40 samples; it needs 100$/);
  assert.match(scoreLine(kid!), /; too few samples: 40 samples; it needs 200 of each$/);
  // Ten times the features; a hundred samples of each class.
  const dimensions = { features: 64, classes: 10, modes: 25 };
  const counts = { samples: 600, reference: 10_000 };
  const needs = (['fid', 'inceptionScore', 'modes', 'classes'] as const).map((name) =>
    tooFew(metrics[name], counts, dimensions),
  );
  assert.equal(needs, ['600 samples; it needs 640 of each', '600 samples; it needs 1,000', undefined, undefined]);
});

test('a line for a table', () => {
  const score = { title: 'FID (digit classifier, 64 features)', better: 'lower', count: 10, value: 12.34 } as const;
  assert.is(scoreLine(score), 'FID (digit classifier, 64 features): 12.3 (lower is better)');
  const beside = { ...score, spread: 0.5, real: { value: 0.9 }, noise: { value: 410 } };
  assert.is(
    scoreLine(beside),
    'FID (digit classifier, 64 features): 12.3 ± 0.500 (real 0.900, noise 410; lower is better)',
  );
  const unknown = { ...score, details: { unbiased: Number.NaN, bias: Number.NaN } };
  assert.is(scoreLine(unknown), 'FID (digit classifier, 64 features): 12.3 (without bias -; lower is better)');
  const known = { ...score, details: { unbiased: 11.5, bias: 0.84 } };
  assert.is(scoreLine(known), 'FID (digit classifier, 64 features): 12.3 (without bias 11.5; lower is better)');
  const test = { title: '1-NN', better: 'lower', best: 0.5, count: 10, value: 1 } as const;
  assert.is(scoreLine(test), '1-NN: 1 (best at 0.5)');
});

test('what is missing is named', async () => {
  const images: MetricSamples = { ...gaussian(4, 64, 1), shape: [4, 8, 8, 1] };
  const refused = async (options: object, message: RegExp) =>
    assert.match((await rejection(evaluate({ samples: whole, device, ...options }))).message, message);
  await refused({}, /give `reference` or `set`/);
  await refused(
    { reference: whole, names: ['modes'] },
    /modes needs a data set that knows its modes, such as ring or grid/,
  );
  await refused({ set, names: ['msSsim'] }, /msSsim needs images \[N,H,W,C\]/);
  await refused({ set, names: ['accuracy'] }, /accuracy needs labels, of the samples and of the reference/);
  await refused({ set, names: ['inceptionScore'] }, /needs a classifier of such samples \(option `features`/);
  await refused(
    { samples: images, reference: images, names: ['fid'] },
    /fid needs a network for the features of images/,
  );
  await refused({ samples: images, reference: images, names: ['msSsim'] }, /msSsim needs images of 11 x 11 or more/);
  await refused({ set, names: ['frechet'] }, /there is no metric frechet; there are modes, highQuality/);
  await refused({ set, samples: gaussian(5, 3, 1) }, /samples \[5,3\] and reference \[400,2\] differ/);
  await refused({ set, metrics: ['fid'] }, /there is no option metrics/);
});

test.run();
