/** The experiments that train, at a tiny size on the reference device: what must hold at any size. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { setDevice } from '../../engine/device.ts';
import { Rng, reference, scope } from '../../engine/index.ts';
import { type ClippingResult, clippingRun, layerGradients } from '../../experiments/clippingVsPenalty/clippingRun.ts';
import {
  type ClippingResults,
  claimsOf as clippingClaims,
  clippingVsPenalty,
  growth,
  layerNorms,
} from '../../experiments/clippingVsPenalty/clippingVsPenalty.node.ts';
import { modesPictures } from '../../experiments/modes/modesPictures.node.ts';
import { publishedModes } from '../../experiments/modes/modesPublished.ts';
import {
  claimsOf,
  finals,
  type ModesFindings,
  methodNames,
  mixtureNames,
  modesPage,
  summaryOf,
} from '../../experiments/modes/modesResults.ts';
import { type ModesResult, methodWords, mixtures, modesRun } from '../../experiments/modes/modesRun.ts';
import { reportPictures } from '../../experiments/report/reportPictures.node.ts';
import { distanceClaims, findingsOf, reportPage } from '../../experiments/report/reportResults.ts';
import {
  constraintWords,
  epochMeasure,
  meanDistance,
  type ReportSettings,
  reportRun,
} from '../../experiments/report/reportRun.ts';
import { recordOf } from '../../experiments/tables.ts';
import type { Samples } from '../../gan/data/sampleSet.ts';
import { Gan, mlp } from '../../gan/index.ts';
import { metricSamples } from '../../gan/metrics/samples.ts';
import * as nn from '../../nn/index.ts';

const test = suite('experiments that train');
setDevice(reference);
const pngMark = Uint8Array.of(0x89, 0x50, 0x4e, 0x47);

const tiny = { steps: 4, batch: 8, latent: 2, width: 4, emaDecay: 0.5, rateDecay: 0.02, samples: 50, counts: 2 };

test('modes: a run counts when it says, within bounds, and is the same for the same seed', async () => {
  for (const method of methodNames) {
    const { rows, points } = await modesRun('ring', method, 1, tiny);
    assert.equal(
      rows.map((r) => r.step),
      [2, 4],
      method,
    );
    assert.is(points.length, 100);
    for (const { covered, highQuality, reverseKl } of rows) {
      assert.ok(covered >= 0 && covered <= 8 && highQuality >= 0 && highQuality <= 1);
      assert.ok(reverseKl >= 0 && reverseKl <= Math.log(8) + 1e-9);
    }
    assert.equal(await modesRun('ring', method, 1, tiny), { rows, points }, method);
    assert.not.equal((await modesRun('ring', method, 2, tiny)).points, points, method);
  }
});

test('modes: the mixtures have unit variance along each axis, and the published proportions', () => {
  const { ring, grid } = recordOf(mixtureNames, (name) => mixtures[name].make().modes);
  for (const { centres } of [ring, grid]) {
    const squares = centres.reduce((s, x) => s + x * x, 0) / centres.length;
    assert.ok(Math.abs(squares - 1) < 1e-6, `${squares}`);
  }
  assert.ok(Math.abs(Math.hypot(ring.centres[0]!, ring.centres[1]!) / ring.sigma - 1 / 0.01) < 1e-4);
  assert.ok(Math.abs((grid.centres[2]! - grid.centres[0]!) / grid.sigma - 2 / 0.05) < 1e-4);
});

test('settings in words come from what is run', () => {
  assert.is(methodWords('minimax'), '1 critic step, Adam (0.5, 0.9) 0.001');
  assert.is(methodWords('wgan'), 'weights clipped to ±0.1, 2 critic steps, RMSprop 0.0005');
  assert.is(constraintWords('penalty'), 'gradient penalty 10, Adam (0.5, 0.9) 0.002');
});

/** Runs that cover so many modes, one for each seed. */
const runs = (covered: readonly number[]): ModesResult[] =>
  covered.map((c) => ({
    rows: [
      { step: 1, covered: 0, highQuality: 0, reverseKl: 2 },
      { step: 2, covered: c, highQuality: 0.5, reverseKl: 0.25 },
    ],
    points: [0, 0, 1, 1],
  }));

test('modes: claims decide by the mean of the last counts, and the page shows them beside the published ones', async () => {
  const results = {
    ring: recordOf(methodNames, () => runs([8, 8, 8, 8, 7])),
    grid: recordOf(methodNames, () => runs([24, 24, 24, 24, 23])),
  };
  assert.is(finals(results.ring.wgan).covered.std.toFixed(4), '0.4472');
  const findings: ModesFindings = {
    settings: { ring: tiny, grid: tiny },
    networks: 'small',
    methods: recordOf(methodNames, () => 'so'),
    seeds: [1, 2, 3, 4, 5],
    results: summaryOf(results),
    published: publishedModes,
  };
  assert.equal(
    claimsOf(findings)
      .filter((c) => c.text.startsWith('WGAN-GP covers'))
      .map((c) => [c.value, c.holds]),
    [
      [7.8, true],
      [23.8, false],
    ],
  );
  const page = modesPage(findings);
  assert.match(
    page,
    '| WGAN-GP | here | 7.8 ± 0.4 | 50.0 ± 0.0 | 0.250 ± 0.000 | 23.8 ± 0.4 | 50.0 ± 0.0 | 0.250 ± 0.000 |',
  );
  assert.match(page, '| GAN | Srivastava et al. 2017 (VEEGAN), Table 1 | 1 | 99.3 |  | 3.3 | 0.5 |  |');
  const pictures = await modesPictures(results, [1, 2, 3, 4, 5]);
  assert.match(pictures['plot.svg'] as string, 'Ring of 8 Gaussians: modes covered');
  assert.equal(Uint8Array.from((pictures['samples.png'] as Uint8Array).subarray(0, 4)), pngMark);
});

const deep = { depth: 3, width: 6, batch: 8, criticSteps: 2, steps: 4, every: 2, lr: 1e-3, bins: 10, seed: 1 };

test('clipping-vs-penalty: weights stay within c, and all are counted', async () => {
  const result = await clippingRun('clip-0.01', deep);
  const { edges, counts } = result.weights;
  assert.ok(Math.abs(edges.at(-1)!) <= 0.01 && Math.abs(edges[0]!) <= 0.01);
  assert.is(
    counts.reduce((s, n) => s + n, 0),
    2 * 6 + 6 * 6 + 6 * 6 + 6,
  );
  assert.ok(result.atEnds > 0 && result.atEnds <= 1);
  assert.equal(
    result.rows.map((r) => [r.step, r.norms.length]),
    [
      [2, 3],
      [4, 3],
    ],
  );
  assert.ok(result.rows.every((r) => Number.isFinite(r.wasserstein)));
  assert.ok(growth(result) < 1, 'six units of at most 0.01 shrink what comes back');
  assert.equal(await clippingRun('clip-0.01', deep), result);
});

test('clipping-vs-penalty: the gradient at the last hidden layer is the last weight, over the batch', async () => {
  const gan = new Gan(mlp({ shape: [2], width: 5, rng: new Rng(1) }), new Rng(2));
  const critic = gan.networks.critic as nn.Sequential;
  const weight = Float64Array.from(await (critic.at(-1) as nn.Linear).weight.data());
  const n = 4;
  const found = scope(() => layerGradients(gan, new Rng(3).normal([n, 2]), new Rng(4)).map((g) => g.data()));
  const last = Float64Array.from(await found.at(-1)!);
  assert.is(found.length, 3);
  for (const [i, g] of last.entries()) {
    const sign = i < n * 5 ? -1 : 1; // real samples, then generated ones
    assert.ok(Math.abs(g - (sign * weight[i % 5]!) / n) < 1e-12, `${i}: ${g}`);
  }
  const odd = { ...gan.networks, critic: new nn.Linear(2, 1) };
  assert.throws(() => layerGradients(new Gan(odd, new Rng(5)), new Rng(6).normal([2, 2]), new Rng(7)), TypeError);
});

test('clipping-vs-penalty: means are geometric, and claims follow from them', () => {
  const result = (first: number, last: number, atEnds: number): ClippingResult => ({
    rows: [
      { step: 1, norms: [7, 7] },
      { step: 2, norms: [first / 10, last] },
      { step: 3, norms: [first * 10, last] },
    ],
    weights: { edges: [-1, 0, 1], counts: [1, 1] },
    atEnds,
  });
  // The second half begins with the second of three rows.
  assert.equal(
    layerNorms(result(100, 2, 0)).map((x) => Number(x.toFixed(9))),
    [100, 2],
  );
  assert.is(layerNorms(result(0, 2, 0))[0], 0);
  const results: ClippingResults = {
    'clip-0.1': result(100, 2, 0.5),
    'clip-0.01': result(1e-5, 1e-1, 0.9),
    'clip-0.001': result(1e-9, 1e-2, 0.9),
    penalty: result(1, 40, 0),
  };
  const findings = { settings: deep, data: 'Swiss roll', norms: 'at each layer', results };
  assert.equal(
    clippingClaims(findings).map((c) => c.holds),
    [true, false, true, true, false, true, true],
  );
  const page = clippingVsPenalty.page(findings);
  assert.match(page, '| clipping, c = 0.1 | 1.0e+2 | 2.0e+0 | 5.0e+1 | ');
});

/** Images of noise, all of one class. */
const noise = (count: number, seed: number): Samples => ({
  count,
  data: Uint8Array.from(new Rng(seed).hostUniform(count * 784), (u) => Math.floor(u * 256)),
  labels: new Uint8Array(count),
});
const set = {
  ...({ name: 'noise', title: 'Noise', kind: 'images', shape: [28, 28, 1] } as const),
  train: noise(9, 1),
  test: noise(8, 2),
  classes: ['noise'],
};
const small: ReportSettings = {
  images: 8,
  batch: 4,
  criticSteps: 1,
  rateDecay: 0.5,
  width: 2,
  latent: 3,
  epochs: [1, 2],
  samples: 8,
  shown: 4,
  seed: 1,
};

test('eights and fashion: a run keeps every loss, and samples at its epochs', async () => {
  const judged: number[] = [];
  const run = (name: 'clipping' | 'penalty') =>
    reportRun(set, name, small, async ({ shape }) => judged.push(shape[0]!));
  const results = { clipping: await run('clipping'), penalty: await run('penalty') };
  assert.equal(judged, [8, 8, 8, 8]);
  for (const { rows, epochs, grids } of Object.values(results)) {
    assert.equal(
      rows.map((r) => r.step),
      [1, 2, 3, 4],
    ); // 8 of the 9 images make two batches
    assert.equal(
      epochs.map((e) => e.epoch),
      [1, 2],
    );
    assert.ok(epochs.every((e) => e.slicedWasserstein > 0 && e.diversity > 0));
    assert.equal(
      grids.map((g) => g.length),
      [4 * 784, 4 * 784],
    );
    assert.ok(grids.flat().every((v) => Number.isInteger(v) && v >= 0 && v <= 255));
  }
  assert.not.ok('penalty' in results.clipping.rows[0]!);
  assert.ok(results.penalty.rows.every((r) => r.penalty! > 0));

  const subject = { name: 'noise', title: 'Noise', set };
  const findings = await findingsOf(subject, results, small);
  const [first] = findings.runs.clipping.losses;
  const mean = (results.clipping.rows[0]!.criticLoss! + results.clipping.rows[1]!.criticLoss!) / 2;
  assert.is(findings.runs.clipping.losses.length, 2);
  assert.is(first!.criticLoss, mean);
  const report = {
    settings: small,
    source: 'a generator',
    networks: 'small',
    epoch: 'two steps',
    constraints: { clipping: 'c', penalty: 'p' },
    subjects: [findings],
  };
  const [claim] = distanceClaims(report);
  const ratio = results.clipping.epochs[1]!.slicedWasserstein / results.penalty.epochs[1]!.slicedWasserstein;
  assert.is(claim!.value, Number(ratio.toPrecision(4)));
  assert.is(claim!.holds, ratio >= 1.5);
  assert.match(claim!.text, 'clipping (c) over penalty (p), at least 1.5');
  const page = reportPage('fashion', report, ['nothing']);
  assert.match(page, `| Noise | clipping | 2 | ${results.clipping.epochs[1]!.slicedWasserstein.toFixed(4)} |`);
  assert.match(page, '| Noise | training images |');
  const pictures = await reportPictures([subject], [results], small);
  assert.equal(Object.keys(pictures), ['losses.svg', 'noise.png']);
  assert.equal(Uint8Array.from((pictures['noise.png'] as Uint8Array).subarray(0, 4)), pngMark);
});

test('eights and fashion: held-out images are at no distance of themselves, and as diverse', async () => {
  const real = metricSamples(set.test, set.shape, 8);
  assert.ok(real.data.every((v) => v >= -1 && v <= 1));
  const { slicedWasserstein, diversity } = await epochMeasure(set, 8)(real);
  assert.is(slicedWasserstein, 0);
  assert.is(diversity, 1);
  const flat = { data: new Float32Array(8 * 784), shape: real.shape };
  assert.is((await epochMeasure(set, 8)(flat)).diversity, 0);
  assert.is(meanDistance(Float32Array.of(0, 0, 3, 4), 2), 5);
});

test.run();
