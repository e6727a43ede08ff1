/** Metrics of translated images beside their truth, and of strokes: cases with a known answer, and loops that say the same in the plainest way. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { distanceToTruth, type MetricSamples, retrieval, strokes } from '../../gan/index.ts';
import { openGpu, reference } from '../support/devices.ts';
import { rejection } from '../support/rejection.ts';
import { near, samplesOf, uniform } from '../support/samples.ts';

const test = suite('metrics of translations');
const device = await openGpu();
test.after(() => device.destroy());

const images = (n: number, seed: number, side = 6): MetricSamples => ({
  ...uniform(n, side * side, seed, -1, 1),
  shape: [n, side, side, 1],
});
const mixed = (a: MetricSamples, b: MetricSamples, share: number): MetricSamples => ({
  ...a,
  data: a.data.map((v, i) => v + share * (b.data[i]! - v)),
});

/** The share of samples that have no true image as near as their own. */
function plainRetrieval(samples: MetricSamples, truth: MetricSamples): number {
  const n = samples.shape[0]!;
  const d = samples.data.length / n;
  const far = (i: number, j: number): number => {
    let sum = 0;
    for (let k = 0; k < d; k++) sum += (samples.data[i * d + k]! - truth.data[j * d + k]!) ** 2;
    return sum;
  };
  const all = Array.from({ length: n }, (_, i) => i);
  return all.filter((i) => all.every((j) => j === i || far(i, j) > far(i, i))).length / n;
}

test('retrieval: 1 for the truth itself, 0 for the truth of others, chance for noise', async () => {
  const truth = images(200, 1);
  assert.is(await retrieval(truth, truth, { device }), 1);
  const width = 36;
  const next = {
    ...truth,
    data: Float32Array.from(truth.data, (_, i) => truth.data[(i + width) % truth.data.length]!),
  };
  assert.is(await retrieval(next, truth, { device }), 0);
  const chance = await retrieval(images(200, 2), truth, { device });
  assert.ok(chance < 0.03, `${chance} of noise`);
});

test('retrieval is that of a plain loop, on both devices, where some are told and some are not', async () => {
  const [truth, noise] = [images(150, 3), images(150, 4)];
  const found: number[] = [];
  for (const share of [0.4, 0.6, 0.75]) {
    const samples = mixed(truth, noise, share);
    const expected = plainRetrieval(samples, truth);
    found.push(expected);
    for (const where of [device, reference]) assert.is(await retrieval(samples, truth, { device: where }), expected);
  }
  assert.ok(found[0]! > found[1]! && found[1]! > found[2]! && found[2]! > 0, String(found));
});

test('retrieval: a tie is not told, whichever place it has', async () => {
  const truth = samplesOf([0, 0, 5, 5, 0, 0, 9, 9], [4, 2]);
  // 0 and 2 have the same truth; 1 and 3 are told.
  assert.is(await retrieval(truth, truth, { device }), 0.5);
  const same = samplesOf([1, 1, 1, 1, 1, 1], [3, 2]);
  assert.is(await retrieval(samplesOf([0, 1, 2, 3, 4, 5], [3, 2]), same, { device }), 0);
  // 2.5 lies in the middle between the truths 0 and 5.
  assert.is(await retrieval(samplesOf([2.5, 2.5], [2, 1]), samplesOf([0, 5], [2, 1]), { device }), 0);
});

test('the distance to the truth as a share of the range', () => {
  const [a, b] = [images(20, 5), images(20, 6)];
  assert.is(distanceToTruth(a, a), 0);
  const constant = (v: number): MetricSamples => ({ data: new Float32Array(72).fill(v), shape: [2, 6, 6, 1] });
  assert.is(distanceToTruth(constant(-1), constant(1)), 1);
  assert.is(distanceToTruth(constant(0.5), constant(0)), 0.25);
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += Math.abs(a.data[i]! - b.data[i]!) / 2;
  near(distanceToTruth(a, b), sum / a.data.length, 1e-12);
  near(distanceToTruth(a, b), 1 / 3, 0.02); // the mean distance of two uniform numbers
});

test('pairs that are none are refused', async () => {
  const message = async (samples: MetricSamples, truth: MetricSamples) =>
    (await rejection(retrieval(samples, truth, { device }))).message;
  assert.match(await message(images(3, 1), images(4, 1)), /^retrieval: 3 samples and 4 true ones are no pairs$/);
  assert.match(await message(images(3, 1), images(3, 1, 5)), /^retrieval: .* differ in the size of a sample$/);
  assert.match(await message(images(1, 1), images(1, 1)), /^retrieval: samples has 1 samples; it needs at least 2$/);
  const broken = { ...images(3, 1), data: new Float32Array(108).fill(Number.NaN) };
  assert.match(await message(broken, images(3, 1)), /^retrieval: sample 0 of samples holds NaN/);
  assert.throws(
    () => distanceToTruth(images(3, 1), images(4, 1)),
    /^distanceToTruth: 3 samples and 4 true ones are no pairs$/,
  );
  assert.throws(() => distanceToTruth(broken, images(3, 1)), /sample 0 of samples holds NaN/);
  assert.throws(() => strokes(samplesOf([1, 2], [1, 2])), /^strokes: samples \[1,2\] are no images \[N,H,W,C\]$/);
  assert.throws(() => strokes(broken), /^strokes: sample 0 of samples holds NaN/);
});

/** A picture of letters: '#' is ink, '+' is grey, more ink than paper, and all else is paper. */
const picture = (...rows: readonly string[]): MetricSamples => ({
  data: Float32Array.from(rows.join(''), (c) => ({ '#': 1, '+': 0.5 })[c] ?? -1),
  shape: [1, rows.length, rows[0]!.length, 1],
});

test('strokes: ink, runs across and down, greyness', () => {
  assert.equal(strokes(picture('....', '.##.', '.##.', '....')), { ink: 0.25, across: 2, down: 2, greyness: 0 });
  assert.equal(strokes(picture('####', '....', '####', '....')), { ink: 0.5, across: 4, down: 1, greyness: 0 });
  assert.equal(strokes(picture('.#.#', '..##')), { ink: 0.5, across: 4 / 3, down: 4 / 3, greyness: 0 });
  // A run ends with its row, and does not go on in the next one.
  assert.equal(strokes(picture('..##', '##..')), { ink: 0.5, across: 2, down: 1, greyness: 0 });
  assert.equal(strokes(picture('+..+')), { ink: 0.375, across: 1, down: 1, greyness: 0.5 });
  assert.equal(strokes(picture('..', '..')), { ink: 0, across: 0, down: 0, greyness: 0 });
  const faint = { data: Float32Array.from([-0.79, 0.79, -0.81, 0.81]), shape: [1, 1, 4, 1] };
  near(strokes(faint).greyness, 0.5, 0);
  near(strokes(faint).ink, 0.5, 1e-9);
});

/** Run by run, each channel of each picture by itself. */
function plainRuns({ data, shape }: MetricSamples, across: boolean): number {
  const [n, height, width, channels] = shape as [number, number, number, number];
  const [lines, places] = across ? [height, width] : [width, height];
  const lengths: number[] = [];
  for (let i = 0; i < n; i++)
    for (let c = 0; c < channels; c++)
      for (let line = 0; line < lines; line++) {
        let text = '';
        for (let place = 0; place < places; place++) {
          const [y, x] = across ? [line, place] : [place, line];
          text += data[((i * height + y) * width + x) * channels + c]! > 0 ? '#' : '.';
        }
        for (const run of text.split('.')) if (run) lengths.push(run.length);
      }
  return lengths.reduce((a, b) => a + b, 0) / lengths.length;
}

test('strokes are those of plain loops over noise, in colour and not square', () => {
  const samples: MetricSamples = { ...uniform(5, 7 * 9 * 3, 8, -1, 1), shape: [5, 7, 9, 3] };
  const { ink, across, down, greyness } = strokes(samples);
  near(across, plainRuns(samples, true), 1e-12);
  near(down, plainRuns(samples, false), 1e-12);
  let sum = 0;
  for (const v of samples.data) sum += (v + 1) / 2;
  near(ink, sum / samples.data.length, 1e-6);
  assert.is(greyness, samples.data.filter((v) => v > -0.8 && v < 0.8).length / samples.data.length);
});

test('heavier strokes have more ink and longer runs, blurred ones are greyer', () => {
  const thin = picture('......', '.####.', '......', '.#..#.', '.#..#.', '......');
  const thick = picture('......', '.####.', '.####.', '.##.##', '.##.##', '......');
  assert.ok(strokes(thick).ink > strokes(thin).ink && strokes(thick).down > strokes(thin).down);
  const blurred = { ...thin, data: thin.data.map((v, i) => (v + (thin.data[i - 1] ?? -1)) / 2) };
  assert.ok(strokes(blurred).greyness > strokes(thin).greyness);
});

test.run();
