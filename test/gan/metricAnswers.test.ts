/** Metrics on cases whose answer is known: same distribution, shifted, collapsed, memorised. Points, on the GPU; metricFormulas.test.ts compares the devices. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Rng } from '../../engine/index.ts';
import { birthdayParadox } from '../../gan/metrics/birthdayParadox.ts';
import { featureMoments, frechetDistance, frechetInceptionDistance } from '../../gan/metrics/frechet.ts';
import { inceptionScore, modeScore } from '../../gan/metrics/inceptionScore.ts';
import { kernelInceptionDistance } from '../../gan/metrics/kid.ts';
import { energyDistance, mmd } from '../../gan/metrics/mmd.ts';
import { classCoverage, modeCoverage, reverseKl } from '../../gan/metrics/modeCoverage.ts';
import { nearestNeighbourTest } from '../../gan/metrics/nearestNeighbourTest.ts';
import { parzenLogLikelihood } from '../../gan/metrics/parzen.ts';
import { densityCoverage, precisionRecall } from '../../gan/metrics/precisionRecall.ts';
import { type MetricSamples, meanAndSpread, sliceSamples, takeSamples } from '../../gan/metrics/samples.ts';
import { openGpu, reference } from '../support/devices.ts';
import { rejection } from '../support/rejection.ts';
import { gaussian, near, samplesOf, uniform } from '../support/samples.ts';

const test = suite('metrics with known answers');
const device = await openGpu();
test.after(() => device.destroy());

/** The modes of a ring of 8 with radius 2 and sigma 0.02, and n samples that go round the first `used` of them. */
const ring = {
  sigma: 0.02,
  centres: Float32Array.from(
    { length: 16 },
    (_, i) => 2 * (i % 2 ? Math.sin : Math.cos)((Math.floor(i / 2) * Math.PI) / 4),
  ),
};
const onRing = (n: number, used = 8, sigma = 0.02): MetricSamples => {
  const { data } = gaussian(n, 2, 5, 0, sigma);
  return { data: data.map((v, i) => v + ring.centres[(Math.floor(i / 2) % used) * 2 + (i % 2)]!), shape: [n, 2] };
};

test('mode coverage of the mixture itself, of a part of it, and of samples too wide', () => {
  const whole = modeCoverage(onRing(2500), ring);
  assert.is(whole.covered, 8);
  assert.is(whole.modes, 8);
  near(whole.highQuality, 1 - Math.exp(-4.5), 0.006); // Rayleigh: P(r <= 3 sigma)
  assert.ok(whole.reverseKl < 1e-5);
  assert.equal(whole.counts, [313, 313, 313, 313, 312, 312, 312, 312]);

  const part = modeCoverage(onRing(2500, 5), ring);
  assert.is(part.covered, 5);
  near(part.reverseKl, Math.log(8 / 5), 1e-12);
  const one = modeCoverage(onRing(2500, 1), ring);
  assert.is(one.covered, 1);
  near(one.reverseKl, Math.log(8), 1e-12);

  const wide = modeCoverage(onRing(2500, 8, 0.06), ring);
  near(wide.highQuality, 1 - Math.exp(-0.5), 0.03); // 3 sigma of the modes is one of the samples'
  near(modeCoverage(onRing(2500, 8, 0.06), ring, { deviations: 9 }).highQuality, 1 - Math.exp(-4.5), 0.006);

  const between = modeCoverage(samplesOf([0, 0, 2, 0], [2, 2]), ring);
  assert.is(between.covered, 1, 'the middle is near no mode');
  assert.is(between.highQuality, 0.5);
});

test('coverage of classes and the reverse KL by hand', () => {
  const thousand = Array.from({ length: 26_000 }, (_, i) => i % 1000);
  assert.is(classCoverage(thousand, 1000).covered, 1000);
  assert.is(classCoverage(thousand, 1000).reverseKl, 0);
  const few = classCoverage([0, 0, 3, 3], 10);
  assert.is(few.covered, 2);
  near(few.reverseKl, Math.log(5), 1e-12);
  assert.is(classCoverage([0, 1, 1], 3, [0, 1, 1, 0, 1, 1]).reverseKl, 0);
  near(reverseKl([3, 1], [1, 3]), 0.75 * Math.log(3) + 0.25 * Math.log(1 / 3), 1e-12);
  assert.is(reverseKl([1, 1], [1, 0]), Infinity);
  assert.throws(() => reverseKl([2, -1]), /is -1; a mass is a finite number >= 0/);
  assert.throws(() => reverseKl([0, 0]), /sum to 0/);
  assert.throws(() => reverseKl([1, 2], [1, 2, 3]), /p has 2 bins and q has 3/);
  // Half a sample more in each class of the reference, which are then 3 / 7, 3 / 7 and 1 / 7.
  const unseen = classCoverage([0, 2], 3, [0, 1]);
  near(unseen.reverseKl, 0.5 * Math.log(0.5 / (1.5 / 3.5)) + 0.5 * Math.log(0.5 / (0.5 / 3.5)), 1e-12);
  assert.is(unseen.unseen, 1);
  assert.is(few.unseen, 0);
  assert.throws(() => classCoverage([0, 10], 10), /class 10 of sample 1 is none of 0 to 9/);
});

test('the bias of a reverse KL of counts is what its docstring says', () => {
  const [classes, n, m, repeats] = [100, 2000, 3000, 40];
  const draw = (count: number, seed: number) =>
    Int32Array.from(new Rng(seed).hostUniform(count), (u) => Math.floor(u * classes));
  let [known, sampled] = [0, 0];
  for (let s = 0; s < repeats; s++) {
    known += classCoverage(draw(n, s), classes).reverseKl / repeats;
    sampled += classCoverage(draw(n, s), classes, draw(m, 1000 + s)).reverseKl / repeats;
  }
  near(known / ((classes - 1) / 2 / n), 1, 0.08);
  near(sampled / (((classes - 1) / 2) * (1 / n + 1 / m)), 1, 0.08);
});

test('MMD and energy distance: about 0 for one distribution without bias, and closed forms for a shift', async () => {
  const bandwidths = [1];
  // E k for x, y of N(0, 1) and N(m, 1): sqrt(1/3) exp(-m² / 6).
  const k = (m: number) => Math.sqrt(1 / 3) * Math.exp((-m * m) / 6);
  const n = 600;
  let [mean, meanOfEnergy] = [0, 0];
  for (let s = 0; s < 8; s++) {
    const [a, b] = [gaussian(n, 1, 2 * s), gaussian(n, 1, 2 * s + 1)];
    mean += (await mmd(a, b, { bandwidths, device })) / 8;
    meanOfEnergy += (await energyDistance(a, b, { device })) / 8;
  }
  near(mean, 0, 1e-3);
  near(meanOfEnergy, 0, 4e-3);
  const [a, b] = [gaussian(n, 1, 50), gaussian(n, 1, 51, 2)];
  near(await mmd(a, b, { bandwidths, device }), 2 * k(0) - 2 * k(2), 0.06);
  // E|z| for N(m, 2).
  const erf = (x: number) =>
    1 -
    Math.exp(-x * x) *
      (0.254829592 * t(x) -
        0.284496736 * t(x) ** 2 +
        1.421413741 * t(x) ** 3 -
        1.453152027 * t(x) ** 4 +
        1.061405429 * t(x) ** 5);
  const t = (x: number) => 1 / (1 + 0.3275911 * x);
  const abs = (m: number) => (2 / Math.sqrt(Math.PI)) * Math.exp((-m * m) / 4) + m * erf(m / 2);
  near(await energyDistance(a, b, { device }), 2 * abs(2) - 2 * abs(0), 0.25);
  assert.ok((await mmd(a, b, { device })) > 0.1, 'bandwidths by the median');
  await rejects(mmd(a, samplesOf([1, 1, 1], [3, 1]), { device }), /reference points are the same/);
  await rejects(mmd(a, b, { bandwidths: [0], device }), /bandwidths \[0\] must be numbers above 0/);
});

test('KID has mean zero over splits of one distribution, also of few samples, and sees a shift', async () => {
  const values: number[] = [];
  for (let s = 0; s < 40; s++) {
    const both = gaussian(60, 4, s);
    const [a, b] = [sliceSamples(both, 0, 30), sliceSamples(both, 30, 60)];
    values.push((await kernelInceptionDistance(a, b, { rng: new Rng(s), subsets: 1, device })).value);
  }
  const mean = values.reduce((x, y) => x + y, 0) / 40;
  const error = Math.sqrt(values.reduce((x, y) => x + (y - mean) ** 2, 0) / 39 / 40);
  assert.ok(Math.abs(mean) < 3 * error, `mean ${mean}, standard error ${error}`);
  assert.ok(values.some((v) => v < 0) && values.some((v) => v > 0));

  const options = { subsets: 10, subsetSize: 100, device };
  const [real, far] = [gaussian(300, 4, 100), gaussian(300, 4, 101, 1)];
  const near0 = await kernelInceptionDistance(gaussian(300, 4, 102), real, { rng: new Rng(1), ...options });
  const shifted = await kernelInceptionDistance(far, real, { rng: new Rng(1), ...options });
  assert.ok(Math.abs(near0.value) < 4 * near0.standardDeviation + 1e-3);
  assert.ok(shifted.value > 10 * shifted.standardError);
  const again = await kernelInceptionDistance(far, real, { rng: new Rng(1), ...options });
  assert.is(again.value, shifted.value, 'the seed decides');
  await rejects(kernelInceptionDistance(far, real, { rng: new Rng(1), subsetSize: 301, device }), /from 2 to 300/);
});

test('the standard error of KID is how far the scores of other samples lie apart', async () => {
  const [n, subsetSize, repeats] = [200, 20, 40];
  const found = await Promise.all(
    Array.from({ length: repeats }, (_, s) =>
      kernelInceptionDistance(gaussian(n, 3, 2 * s, 0.7), gaussian(n, 3, 2 * s + 1), {
        rng: new Rng(s),
        subsets: 60,
        subsetSize,
        device: reference,
      }),
    ),
  );
  const [, apart] = meanAndSpread(found.map(({ value }) => value));
  const [said] = meanAndSpread(found.map(({ standardError }) => standardError));
  // The deviation of 40 scores is itself known to a tenth; standard deviation / sqrt(60) would be 0.4 of it.
  near(said / apart, 1, 0.35);
  // With so many samples that all subsets can be others, each counts.
  const many = await kernelInceptionDistance(gaussian(800, 3, 1, 0.7), gaussian(800, 3, 2), {
    rng: new Rng(1),
    subsets: 5,
    subsetSize,
    device: reference,
  });
  near(many.standardError / many.standardDeviation, Math.sqrt(1 / 5), 1e-12);
});

test('the Fréchet distance of two Gaussians in closed form', async () => {
  const diagonal = (mean: number[], variances: number[]) => ({
    mean: Float64Array.from(mean),
    covariance: Float64Array.from({ length: mean.length ** 2 }, (_, i) =>
      i % (mean.length + 1) === 0 ? variances[i / (mean.length + 1)]! : 0,
    ),
  });
  const [p, q] = [diagonal([0, 1, 2], [1, 4, 0]), diagonal([3, 1, 2], [9, 1, 0.25])];
  near(await frechetDistance(p, q), 9 + (1 - 3) ** 2 + (2 - 1) ** 2 + 0.5 ** 2, 1e-12);
  near(await frechetDistance(p, p), 0, 1e-12);
  // Rotated by 30 degrees the covariances do not commute with the first ones, and the distance to a multiple of 1 stays.
  const [c, s] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];
  const turned = {
    mean: Float64Array.of(0, 0),
    covariance: Float64Array.of(4 * c * c + s * s, 3 * c * s, 3 * c * s, 4 * s * s + c * c),
  };
  near(await frechetDistance(turned, diagonal([0, 0], [9, 9])), (2 - 3) ** 2 + (1 - 3) ** 2, 1e-12);
  // Tr (A B)^(1/2) of 2 x 2 matrices is sqrt(Tr AB + 2 sqrt(det AB)).
  const other = diagonal([0, 0], [9, 1]);
  const trace = 9 * turned.covariance[0]! + turned.covariance[3]!;
  near(await frechetDistance(turned, other), 5 + 10 - 2 * Math.sqrt(trace + 2 * Math.sqrt(4 * 9)), 1e-12);
});

test('FID is biased upwards by few samples, and the extrapolated one is not', async () => {
  const [bias, rest]: [number[], number[]] = [[], []];
  for (let s = 0; s < 6; s++) {
    const [a, b] = [gaussian(400, 8, 10 + s), gaussian(400, 8, 30 + s)];
    const fid = await frechetInceptionDistance(a, b, { rng: new Rng(s) });
    assert.ok(fid.value > 0.05, String(fid.value));
    near(fid.value - fid.unbiased, fid.bias, 1e-12);
    bias.push(fid.value);
    rest.push(fid.unbiased);
  }
  const mean = (list: number[]) => list.reduce((x, y) => x + y, 0) / list.length;
  assert.ok(Math.abs(mean(rest)) < mean(bias) / 4, `${mean(rest)} against ${mean(bias)}`);
  const far = await frechetInceptionDistance(gaussian(2000, 3, 1, 2, 3), gaussian(2000, 3, 2), {
    rng: new Rng(1),
    extrapolation: 0,
  });
  near(far.value, 3 * 4 + 3 * 4, 1.5);
  assert.ok(Number.isNaN(far.bias));
  // 1/N + 1/M of whole numbers: with 4 and 7 samples, shares of 1/4 to 1 are up to a third off.
  const pair = [gaussian(4, 1, 1), gaussian(7, 1, 2)] as const;
  const few = await frechetInceptionDistance(...pair, { rng: new Rng(5), extrapolation: 4 });
  const rng = new Rng(5);
  const points: (readonly [x: number, y: number])[] = [[1, few.value]];
  for (const share of [0.25, 0.4375, 0.625, 0.8125]) {
    const parts = pair.map((all) => {
      const size = Math.max(2, Math.round(all.shape[0]! * share));
      return takeSamples(all, rng.hostPermutation(all.shape[0]!).subarray(0, size));
    });
    const [a, b] = parts as [MetricSamples, MetricSamples];
    const inverse = (1 / a.shape[0]! + 1 / b.shape[0]!) / (1 / 4 + 1 / 7);
    points.push([inverse, await frechetDistance(featureMoments(a), featureMoments(b))]);
  }
  // The intercept of the least squares line, by its normal equations.
  const total = (f: (x: number, y: number) => number) => points.reduce((s, [x, y]) => s + f(x, y), 0);
  const [sx, sy, sxx, sxy] = [total((x) => x), total((_, y) => y), total((x) => x * x), total((x, y) => x * y)];
  near(few.unbiased, (sy * sxx - sx * sxy) / (points.length * sxx - sx * sx), 1e-9);
  // Fewer than 4 D samples in one set: a quarter of them has no covariance of full rank.
  for (const [n, m] of [
    [31, 400],
    [400, 31],
  ] as const) {
    const short = await frechetInceptionDistance(gaussian(n, 8, 1), gaussian(m, 8, 2), { rng: new Rng(1) });
    assert.ok(short.value > 0 && Number.isNaN(short.unbiased) && Number.isNaN(short.bias));
  }
  const enough = await frechetInceptionDistance(gaussian(32, 8, 1), gaussian(32, 8, 2), { rng: new Rng(1) });
  assert.ok(Number.isFinite(enough.unbiased));
  const { covariance } = featureMoments(samplesOf([0, 0, 2, 4], [2, 2]));
  assert.equal([...covariance], [2, 4, 4, 8]);
});

test('the inception score is 10 for a perfect, balanced classifier, and 1 for one class or for doubt', () => {
  const rows = (classes: readonly number[], sure = 1) =>
    samplesOf(
      classes.flatMap((c) => Array.from({ length: 10 }, (_, k) => (k === c ? sure : (1 - sure) / 9))),
      [classes.length, 10],
    );
  const balanced = rows(Array.from({ length: 1000 }, (_, i) => i % 10));
  near(inceptionScore(balanced).value, 10, 1e-6);
  near(inceptionScore(balanced).standardDeviation, 0, 1e-6);
  near(inceptionScore(rows(new Array<number>(100).fill(3))).value, 1, 1e-6);
  near(
    inceptionScore(
      rows(
        Array.from({ length: 100 }, (_, i) => i % 10),
        0.1,
      ),
    ).value,
    1,
    1e-6,
  );
  const half = rows(Array.from({ length: 1000 }, (_, i) => i % 5));
  near(inceptionScore(half).value, 5, 1e-6);
  near(modeScore(balanced, balanced), 10, 1e-6);
  near(modeScore(half, balanced), 5 / 2, 1e-6); // KL(half || all) is log 2
  assert.throws(() => inceptionScore(samplesOf([0.5, 0.2], [1, 2]), { splits: 1 }), /row 0 .* holds no probabilities/);
  assert.throws(() => inceptionScore(rows([1, 2, 3])), /splits must be a whole number from 1 to 3, not 10/);
});

test('precision and recall of equal, disjoint and nested supports', async () => {
  const measure = async (a: MetricSamples, b: MetricSamples) => ({
    ...(await precisionRecall(a, b, { device })),
    ...(await densityCoverage(a, b, { device })),
  });
  const box = (n: number, seed: number, low: number, high: number) => uniform(n, 2, seed, low, high);
  const same = await measure(box(800, 1, 0, 1), box(800, 2, 0, 1));
  assert.ok(same.precision > 0.85 && same.recall > 0.85);
  near(same.density, 1, 0.1);
  near(same.coverage, 1 - 2 ** -5, 0.03);
  const apart = await measure(box(300, 1, 0, 1), box(300, 2, 5, 6));
  assert.equal(apart, { precision: 0, recall: 0, density: 0, coverage: 0 });
  // Samples in the middle ninth of the data: all good, and a ninth is covered.
  const inner = await measure(box(800, 1, 1, 2), box(800, 2, 0, 3));
  assert.ok(inner.precision > 0.95, `precision ${inner.precision}`);
  near(inner.recall, 1 / 9, 0.06);
  // A ball with five neighbours has radius r, and reaches into the middle from so far outside.
  const r = Math.sqrt(5 / (Math.PI * (800 / 9)));
  near(inner.coverage, (1 + 2 * r) ** 2 / 9, 0.03);
  // And the other way round: a ninth is good, and all is covered.
  const outer = await measure(box(800, 1, 0, 3), box(800, 2, 1, 2));
  near(outer.precision, 1 / 9, 0.06);
  assert.ok(outer.recall > 0.95, `recall ${outer.recall}`);
  const memorised = await measure(box(300, 2, 0, 1), box(300, 2, 0, 1));
  assert.is(memorised.precision, 1);
  assert.is(memorised.coverage, 1);
  // One point thousandfold has precision, no recall worth the name, and covers the balls that hold it.
  const point = await measure({ data: new Float32Array(600).fill(0.5), shape: [300, 2] }, box(300, 2, 0, 1));
  assert.is(point.precision, 1);
  assert.is(point.recall, 0);
  assert.ok(point.coverage < 0.05);
});

test('an outlier raises precision, and not density', async () => {
  const real = uniform(200, 2, 2, 0, 1);
  const [far, fakes] = [Float32Array.from(real.data), uniform(200, 2, 3, 4, 5)];
  far.set([10, 10]);
  const outlying = { ...real, data: far };
  assert.ok((await precisionRecall(fakes, outlying, { device })).precision > 0.9);
  assert.ok((await densityCoverage(fakes, outlying, { device })).density < 0.3);
});

test('1-nearest-neighbour: a half for one distribution, 1 for two, 0 for copies', async () => {
  const same = await nearestNeighbourTest(gaussian(700, 2, 1), gaussian(700, 2, 2), { device });
  near(same.accuracy, 0.5, 0.05);
  const apart = await nearestNeighbourTest(gaussian(100, 2, 1), gaussian(100, 2, 2, 50), { device });
  assert.is(apart.accuracy, 1);
  const real = gaussian(200, 3, 4);
  const copies = await nearestNeighbourTest(real, real, { device });
  assert.equal(copies, { accuracy: 0, realAccuracy: 0, generatedAccuracy: 0 });
  // Five points again and again: each sample has its own copies beside it, and so have few real ones.
  const collapsed = await nearestNeighbourTest(
    takeSamples(
      real,
      Array.from({ length: 200 }, (_, i) => i % 5),
    ),
    gaussian(200, 3, 9),
    { device },
  );
  assert.is(collapsed.generatedAccuracy, 1);
  const more = await nearestNeighbourTest(gaussian(700, 2, 1), gaussian(900, 2, 2), { device });
  assert.equal(more, same, 'of the larger set only the first');
});

test('the standard error of the 1-nearest-neighbour accuracy is that of its docstring', async () => {
  const [n, repeats] = [40, 400];
  for (const [dimension, mutual] of [
    [1, 2 / 3],
    [2, 0.6215],
  ] as const) {
    const values = await Promise.all(
      Array.from({ length: repeats }, async (_, s) => {
        const pair = [gaussian(n, dimension, 2 * s), gaussian(n, dimension, 2 * s + 1)] as const;
        return (await nearestNeighbourTest(...pair, { device: reference })).accuracy;
      }),
    );
    // Known to 3.5 %; 0.5 / sqrt(2 N) is 0.78 of it.
    near(meanAndSpread(values)[1] / Math.sqrt((1 + mutual) / (8 * n)), 1, 0.12, `${dimension}-D:`);
  }
});

test('the birthday paradox finds the size of a known support', async () => {
  const support = gaussian(500, 6, 1);
  const which = new Rng(3).hostUniform(2000).map((u) => Math.floor(u * 500));
  const found = await birthdayParadox(takeSamples(support, which), gaussian(300, 6, 2), { device });
  near(found.support, 500, 60);
  assert.is(found.collisionProbability, 1);
  assert.is(found.closest.length, 20);
  assert.is(found.closest[0]!.distance, 0);
  const { first, second } = found.closest[0]!;
  assert.is(which[first], which[second]);

  // 23 people: a half.
  const days = new Rng(4).hostUniform(23 * 200).map((u) => Math.floor(u * 365));
  const calendar = { data: Float32Array.from(days), shape: [days.length, 1] };
  const people = await birthdayParadox(calendar, calendar, { batch: 23, threshold: 0, device });
  near(people.collisionProbability, 0.507, 0.1);
  near(people.support, 365, 70);

  const free = await birthdayParadox(gaussian(200, 6, 7), gaussian(200, 6, 8), { device, threshold: 1e-3 });
  assert.ok(free.atLeast);
  assert.is(free.support, (100 * 99) / 2 + (100 * 99) / 2);
  assert.is(free.collisionProbability, 0);
});

test('copies in the reference do not make the threshold of the birthday paradox 0', async () => {
  // 0, 3 and 4 a hundred times each: the least distance that is none of copies is 1.
  const copied = samplesOf(
    Array.from({ length: 300 }, (_, i) => [0, 3, 4][i % 3]!),
    [300, 1],
  );
  const found = await birthdayParadox(gaussian(20, 1, 1, 0, 100), copied, { device });
  assert.is(found.threshold, 0.5);
  const wide = {
    data: Float32Array.from({ length: 300 * 20 }, (_, i) => [0, 3, 4][Math.floor(i / 20) % 3]!),
    shape: [300, 20],
  };
  near((await birthdayParadox(gaussian(20, 20, 1), wide, { device })).threshold, Math.sqrt(20) / 2, 1e-12);
  const equal = await birthdayParadox(samplesOf([1, 1, 2, 3], [4, 1]), samplesOf([5, 5, 5], [3, 1]), { device });
  assert.is(equal.threshold, 0);
  assert.is(equal.collisions, 1, 'copies alone');
});

test('Parzen windows of a Gaussian reach minus its entropy, with a sigma that validation chooses', async () => {
  const [a, b, validation] = [gaussian(4000, 1, 1), gaussian(1500, 1, 2), gaussian(500, 1, 3)];
  const entropy = 0.5 * Math.log(2 * Math.PI * Math.E);
  const { value, standardError, sigma } = await parzenLogLikelihood(a, b, { validation, device });
  near(value, -entropy, 3 * standardError + 0.02);
  near(standardError, Math.sqrt(0.5 / 1500), 0.005); // the variance of a Gaussian's log density is 1/2
  assert.ok(sigma > 0.1 && sigma < 0.6, `sigma ${sigma}`);
  // One sample is one Gaussian.
  const one = await parzenLogLikelihood(samplesOf([1, 2], [1, 2]), samplesOf([1, 4], [1, 2]), { sigma: 2, device });
  near(one.value, -Math.log(2 * Math.PI * 4) - 0.5, 1e-6);
  const shifted = await parzenLogLikelihood(gaussian(4000, 1, 1, 3), b, { validation, device });
  assert.ok(shifted.value < value - 1);
  await rejects(parzenLogLikelihood(a, b, { device }), /give sigma, or real samples for validation/);
});

test('what does not fit is refused by name', async () => {
  const [a, b] = [gaussian(10, 2, 1), gaussian(10, 3, 2)];
  await rejects(energyDistance(a, b, { device }), /energyDistance: samples \[10,2\] and reference \[10,3\] differ/);
  await rejects(mmd({ ...a, shape: [11, 2] }, a, { device }), /has 20 values, which do not fill the shape \[11,2\]/);
  await rejects(precisionRecall(a, a, { k: 10, device }), /k must be a whole number from 1 to 9, not 10/);
  const diverged = { ...a, data: a.data.map((v, i) => (i === 7 ? NaN : v)) };
  await rejects(nearestNeighbourTest(diverged, a, { device }), /sample 3 of samples holds NaN/);
  assert.throws(() => modeCoverage(diverged, ring), /diverged/);
  const labelled = { ...a, labels: [0, 1] };
  await rejects(precisionRecall(labelled, a, { device }), /samples has 10 samples and 2 labels/);
  await rejects(energyDistance(a, { ...a, labels: new Uint8Array(11) }, { device }), /reference has 10 samples and 11/);
  assert.throws(() => modeCoverage(b, ring), /no centres of points in 3 dimensions/);
  await rejects(mmd(a, a, { bandwidth: 1, device } as object), /there is no option bandwidth/);
});

async function rejects(promise: Promise<unknown>, message: RegExp): Promise<void> {
  assert.match((await rejection(promise)).message, message);
}

test.run();
