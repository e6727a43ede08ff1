/** Metrics beside their formulas in NumPy (test/fixtures/metrics.py), on both devices. */
import { suite } from 'uvu';
import { Rng } from '../../engine/index.ts';
import { featureMoments, frechetDistance } from '../../gan/metrics/frechet.ts';
import { kernelInceptionDistance } from '../../gan/metrics/kid.ts';
import { energyDistance, mmd } from '../../gan/metrics/mmd.ts';
import { msSsim } from '../../gan/metrics/msSsim.ts';
import { parzenLogLikelihood } from '../../gan/metrics/parzen.ts';
import { densityCoverage, precisionRecall } from '../../gan/metrics/precisionRecall.ts';
import fixtures from '../fixtures/metrics/numpy.json' with { type: 'json' };
import { on, openGpu, reference } from '../support/devices.ts';
import { near } from '../support/samples.ts';

const test = suite('formulas of metrics');
const gpu = await openGpu();
test.after(() => gpu.destroy());

const devices = [
  { name: 'reference', device: reference, tolerance: 1e-9 },
  { name: 'WebGPU', device: gpu, tolerance: 2e-5 },
] as const;

const samples = (values: readonly number[], shape: readonly number[]) => ({ data: Float64Array.from(values), shape });

for (const { name, device, tolerance } of devices) {
  for (const { x, y, shapes, ...expected } of fixtures.pairs) {
    const [a, b] = [samples(x, shapes[0]!), samples(y, shapes[1]!)];
    const what = `[${shapes[0]}] on ${name}`;

    test(`MMD, energy distance and Parzen windows, ${what}`, async () => {
      near(await mmd(a, b, { bandwidths: [0.5, 1, 3], device }), expected.mmd, tolerance);
      near(await energyDistance(a, b, { device }), expected.energy, tolerance * 5);
      const { value, standardError } = await parzenLogLikelihood(a, b, { sigma: 0.7, device });
      near(value, expected.parzen[0]!, tolerance * 10);
      near(standardError, expected.parzen[1]!, tolerance * 10);
    });

    test(`precision, recall, density and coverage, ${what}`, async () => {
      for (const [k, [precision, recall, density, coverage]] of Object.entries(expected.neighbourhoods)) {
        const pr = await precisionRecall(a, b, { k: Number(k), device });
        const dc = await densityCoverage(a, b, { k: Number(k), device });
        near(pr.precision, precision!, 1e-12, `precision, k = ${k}:`);
        near(pr.recall, recall!, 1e-12, `recall, k = ${k}:`);
        near(dc.density, density!, 1e-12, `density, k = ${k}:`);
        near(dc.coverage, coverage!, 1e-12, `coverage, k = ${k}:`);
      }
    });

    test(`KID with one subset of all samples, ${what}`, async () => {
      // A subset takes equally many of both, so the larger cloud is cut.
      const n = shapes[0]![0]!;
      const cut = samples(y.slice(0, n * shapes[1]![1]!), [n, shapes[1]![1]!]);
      const options = { rng: new Rng(0), subsets: 1, subsetSize: n, device };
      const { value } = await kernelInceptionDistance(a, cut, options);
      // The same by the sums over pairs of the fixture's formula, in float64.
      near(value, polynomialMmd(x, [...cut.data], shapes[0]![1]!), tolerance * 20);
    });
  }

  test(`MS-SSIM on ${name}`, async () => {
    for (const { shape, scales, a, b, value } of fixtures.images) {
      const [[own], [most]] = [
        await msSsim(samples(a, [1, ...shape]), samples(b, [1, ...shape]), { scales, device }),
        await msSsim(samples(a, [1, ...shape]), samples(b, [1, ...shape]), { device }),
      ];
      near(own!, value, tolerance * 2, `[${shape}]`);
      near(most!, own!, 1e-12, 'as many scales as there is room for:');
    }
  });
}

test('the Fréchet distance, also of covariances without full rank', async () => {
  for (const { x, y, shapes, frechet } of fixtures.pairs) {
    const moments = [samples(x, shapes[0]!), samples(y, shapes[1]!)].map(featureMoments);
    near(await frechetDistance(moments[0]!, moments[1]!), frechet, 1e-9);
  }
  const { x, y, shape, frechet } = fixtures.singular;
  const [p, q] = [samples(x, shape), samples(y, shape)].map(featureMoments);
  near(await frechetDistance(p!, q!), frechet, 1e-7);
});

test('without a device of its own a metric computes where the caller is', async () => {
  const { x, y, shapes, mmd: expected } = fixtures.pairs[0]!;
  const pair = [samples(x, shapes[0]!), samples(y, shapes[1]!)] as const;
  near(await on(reference, () => mmd(...pair, { bandwidths: [0.5, 1, 3] })), expected, 1e-12);
});

test('the kernel of KID, pair by pair', () => {
  for (const { x, y, shapes, kid } of fixtures.pairs) near(polynomialMmd(x, y, shapes[0]![1]!), kid, 1e-9);
});

/** As the fixture's script has it. */
function polynomialMmd(x: readonly number[], y: readonly number[], d: number): number {
  const mean = (a: readonly number[], b: readonly number[], same: boolean) => {
    let [total, pairs] = [0, 0];
    for (let i = 0; i < a.length; i += d)
      for (let j = 0; j < b.length; j += d) {
        if (same && i === j) continue;
        let dot = 0;
        for (let k = 0; k < d; k++) dot += a[i + k]! * b[j + k]!;
        total += (dot / d + 1) ** 3;
        pairs++;
      }
    return total / pairs;
  };
  return mean(x, x, true) + mean(y, y, true) - 2 * mean(x, y, false);
}

test.run();
