/** The table of metrics on a mixture of Gaussians: what is measured, beside what, and what is refused. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Generator } from '../engine/index.ts';
import type { SampleSet } from '../gan/data/sampleSet.ts';
import { availableMetrics, type EvaluateProgress, evaluate, figureLine } from '../gan/metrics/evaluate.ts';
import type { MetricSamples } from '../gan/metrics/samples.ts';
import { openGpu } from './support/devices.ts';
import { rejection } from './support/rejection.ts';
import { gaussian, near } from './support/samples.ts';

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
  const noise = new Generator(seed).hostNormal(2 * n);
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
    assert.ok(found[name]!.value > 5 * Math.abs(found[name]!.real!.value), figureLine(found[name]!));
  }
  assert.ok(found.parzen!.value < found.parzen!.real!.value);
  assert.is(found.fid!.title, 'FID');
  assert.is(found.fid!.count, N);
});

test('a figure does not depend on the others that are asked for, and the seed decides it', async () => {
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
  assert.ok(found.accuracy!.value > 0.9, figureLine(found.accuracy!));
  assert.ok(found.accuracy!.noise!.value < 0.9, figureLine(found.accuracy!));
  near(found.energyDistance!.value, 0, 0.05);
  assert.ok(found.energyDistance!.noise!.value > 0.05);
  assert.ok(availableMetrics({ samples, reference }).includes('accuracy'));
  assert.not(availableMetrics({ samples: whole, reference }).includes('accuracy'));
});

test('a line for a table', () => {
  const figure = { title: 'FID (digit classifier, 64 features)', better: 'lower', count: 10, value: 12.34 } as const;
  assert.is(figureLine(figure), 'FID (digit classifier, 64 features): 12.3 (lower is better)');
  const beside = { ...figure, spread: 0.5, real: { value: 0.9 }, noise: { value: 410 } };
  assert.is(
    figureLine(beside),
    'FID (digit classifier, 64 features): 12.3 ± 0.500 (real 0.900, noise 410; lower is better)',
  );
  const test = { title: '1-NN', better: 'lower', best: 0.5, count: 10, value: 1 } as const;
  assert.is(figureLine(test), '1-NN: 1 (best at 0.5)');
});

test('what is missing is named', async () => {
  const images: MetricSamples = { ...gaussian(4, 64, 1), shape: [4, 8, 8, 1] };
  const refused = async (options: object, message: RegExp) =>
    assert.match((await rejection(evaluate({ samples: whole, device, ...options }))).message, message);
  await refused({}, /give `reference` or `set`/);
  await refused({ reference: whole, names: ['modes'] }, /modes needs a data set with modes: give `set`/);
  await refused({ set, names: ['msSsim'] }, /msSsim needs images \[N,H,W,C\]/);
  await refused({ set, names: ['accuracy'] }, /accuracy needs labels, of the samples and of the reference/);
  await refused({ set, names: ['inceptionScore'] }, /needs a classifier: give `features` with its number of `classes`/);
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
