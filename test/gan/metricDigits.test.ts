/** On real digits: every metric puts real ones before blurred ones, and those before noise. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadMnist } from '../../gan/data/mnist.node.ts';
import type { SampleSet, Samples } from '../../gan/data/sampleSet.ts';
import { stackDigits } from '../../gan/data/stackDigits.ts';
import { loadDigitClassifier } from '../../gan/metrics/digitClassifier.node.ts';
import {
  availableMetrics,
  type EvaluatedScore,
  evaluate,
  type FeatureSource,
  scoreLine,
} from '../../gan/metrics/evaluate.ts';
import { featuresFor } from '../../gan/metrics/featuresFor.node.ts';
import { type MetricSamples, metricSamples } from '../../gan/metrics/samples.ts';
import { type MetricName, metrics } from '../../gan/metrics/table.ts';
import { openGpu } from '../support/devices.ts';

const test = suite('metrics of digits');
const device = await openGpu();
test.after(() => device.destroy());

const N = 600;
const shape = [28, 28, 1] as const;
const split = async (name: 'train' | 'test', from: number): Promise<Samples> => {
  const { images, labels } = await loadMnist({ split: name });
  return { count: N, data: images.subarray(from * 784, (from + N) * 784), labels: labels.subarray(from, from + N) };
};
const set: SampleSet = {
  name: 'mnist',
  title: 'MNIST',
  kind: 'images',
  shape,
  train: await split('train', 0),
  test: await split('test', 0),
};

/** The mean over 5 x 5 pixels. */
function blurred({ data, ...rest }: MetricSamples): MetricSamples {
  const out = data.map((_, at) => {
    const [n, i, j] = [Math.floor(at / 784), Math.floor(at / 28) % 28, at % 28];
    let total = 0;
    for (let y = i - 2; y <= i + 2; y++)
      for (let x = j - 2; x <= j + 2; x++)
        total += y < 0 || y > 27 || x < 0 || x > 27 ? -1 : data[n * 784 + y * 28 + x]!;
    return total / 25;
  });
  return { data: out, ...rest };
}

const network = await loadDigitClassifier({ device });
const features: FeatureSource = { title: 'digit classifier', network, classes: 10 };
const samples = blurred(metricSamples(await split('train', N), shape));

const evaluation = await evaluate({ samples, set, features, seed: 1, device });

/** How far a score is from the best one, up to a constant. */
const loss = ({ better, best }: EvaluatedScore, value: number): number =>
  best !== undefined ? Math.abs(value - best) : better === 'lower' ? value : -value;

/**
 * They do not claim to see quality: the support counts copies, MS-SSIM measures diversity alone, and a Parzen window may
 * prefer blurred images to real ones, as it does here.
 */
const OTHER: readonly MetricName[] = ['support', 'parzen', 'msSsim'];

test('all metrics but those of modes are measured', () => {
  const expected = Object.keys(metrics).filter((name) => !['modes', 'highQuality', 'reverseKl'].includes(name));
  assert.equal(Object.keys(evaluation), expected);
});

for (const [name, score] of Object.entries(evaluation)) {
  if (OTHER.includes(name as MetricName)) continue;
  test(scoreLine(score), () => {
    const [real, own, noise] = [score.real!.value, score.value, score.noise!.value].map((v) => loss(score, v));
    assert.ok(name === 'classes' ? real! <= own! : real! < own!, 'real digits before blurred ones');
    assert.ok(own! < noise!, 'blurred digits before noise');
  });
}

test('what the others see: copies, variety, and a likelihood', () => {
  const { support, parzen, msSsim } = evaluation;
  assert.ok(support!.value < support!.real!.value, 'blurred digits are more alike than any two real ones');
  assert.ok(msSsim!.noise!.value < 0.1 && msSsim!.value > msSsim!.real!.value);
  assert.ok(Math.min(parzen!.value, parzen!.real!.value) > parzen!.noise!.value + 100);
});

/** The features that `wgrad evaluate` compares a set's images by. */
const featuresOn = (of: SampleSet) => featuresFor(of, { device });

test('of generated digits there are FID and sixteen more, as the README says', async () => {
  const { labels: _, ...unlabelled } = samples;
  const source = (await featuresOn(set))!;
  const names = availableMetrics({ samples: unlabelled, set, features: source });
  assert.is(names.length, 17);
  assert.ok(names.includes('fid'));
});

test('stacked digits are read channel by channel, and their thousand classes have equal shares', async () => {
  const classes = Array.from({ length: 10 }, (_, c) => String(c));
  const stacked = stackDigits({ ...set, classes }, { trainSize: 300, testSize: 300 });
  const source = (await featuresOn(stacked))!;
  const own = metricSamples(stacked.train, stacked.shape, 200);
  const names = ['classes', 'classKl', 'fid', 'kid', 'precision', 'recall'] as const;
  const found = await evaluate({ samples: own, set: stacked, features: source, names, device, baselines: false });
  assert.is(found.fid!.title, 'FID (digit classifier of each channel, 192 features)');
  assert.ok(Number.isNaN(found.fid!.details!.unbiased), 'too few samples for 192 features');
  assert.ok(found.precision!.value > 0.5 && found.recall!.value > 0.5);
  // The classifier reads all but few of the digits right.
  const named = new Set(Array.from(own.labels!));
  assert.ok(Math.abs(found.classes!.value - named.size) <= 10, `${found.classes!.value} of ${named.size}`);
  assert.is(found.classes!.details!.of, 1000);
  const counts = new Map<number, number>();
  for (const c of Array.from(own.labels!)) counts.set(c, (counts.get(c) ?? 0) + 1);
  const exact = [...counts.values()].reduce((s, n) => s + (n / 200) * Math.log((n / 200) * 1000), 0);
  assert.ok(Math.abs(found.classKl!.value - exact) < 0.1, `${found.classKl!.value} and ${exact}`);
});

test('other images have random features, and with them FID, KID, precision and recall; points and tiny images have none', async () => {
  const clothes: SampleSet = { ...set, name: 'fashion-mnist', title: 'Fashion-MNIST' };
  const source = (await featuresOn(clothes))!;
  assert.is(source.title, 'random features');
  assert.match(source.note!, /untrained convolutions: their scores compare with others of this tool only/);
  const names = ['fid', 'kid', 'precision', 'recall', 'coverage', 'nearestNeighbour'] as const;
  const found = await evaluate({ samples, set: clothes, features: source, names, device });
  assert.is(found.fid!.title, 'FID (random features, 64 features)');
  for (const [name, score] of Object.entries(found)) {
    if (name === 'precision') continue; // blurred digits lie in the midst of others
    const [real, own] = [score.real!.value, score.value].map((v) => loss(score, v));
    assert.ok(real! < own!, scoreLine(score));
  }
  const part = (size: number) => ({ count: 2, data: new Uint8Array(2 * size) });
  const images = (side: number): SampleSet => ({
    name: 'folder',
    title: 'folder',
    kind: 'images',
    shape: [side, side, 3],
    train: part(3 * side * side),
    test: part(3 * side * side),
  });
  assert.is((await featuresOn(images(8)))!.title, 'random features');
  assert.is(await featuresOn(images(7)), undefined);
  assert.is((await featuresOn({ ...set, shape: [32, 32, 1] }))!.title, 'random features');
  const points: SampleSet = {
    name: 'ring',
    title: 'ring',
    kind: 'points',
    shape: [2],
    train: part(2),
    test: part(2),
  };
  assert.is(await featuresOn(points), undefined);
});

test('titles say what was measured on', () => {
  const { fid, inceptionScore, slicedWasserstein } = evaluation;
  assert.is(fid!.title, 'FID (digit classifier, 64 features)');
  assert.is(inceptionScore!.title, 'inception score, mean and deviation of 10 splits (digit classifier, 10 classes)');
  assert.is(slicedWasserstein!.title, 'sliced Wasserstein distance, 256 directions (pixels)');
});

test.run();
