/** Principal components and principal angles: spaces whose angles are known, and the eigenvectors of the whole covariance in float64. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eigh, reference as float64, qr, Rng, scope, tensor, withDevice } from '../../engine/index.ts';
import { featureMoments, type MetricSamples, pca, principalAngles } from '../../gan/index.ts';
import { openGpu, reference } from '../support/devices.ts';
import { rejection } from '../support/rejection.ts';
import { gaussian, near, samplesOf } from '../support/samples.ts';

const test = suite('principal components');
const device = await openGpu();
test.after(() => device.destroy());

type Matrix = MetricSamples<Float64Array>;
const matrixOf = (rows: number, columns: number, at: (i: number, j: number) => number): Matrix => ({
  data: Float64Array.from({ length: rows * columns }, (_, i) => at(Math.floor(i / columns), i % columns)),
  shape: [rows, columns],
});
const product = (a: Matrix, b: Matrix): Matrix => {
  const [rows, inner] = a.shape as [number, number];
  const columns = b.shape[1]!;
  return matrixOf(rows, columns, (i, j) => {
    let sum = 0;
    for (let k = 0; k < inner; k++) sum += a.data[i * inner + k]! * b.data[k * columns + j]!;
    return sum;
  });
};
/** An orthogonal matrix [n,n]. */
const turned = async (n: number, seed: number): Promise<Matrix> => {
  using q = withDevice(float64, () => scope(() => qr(new Rng(seed).normal([n, n])).q));
  return { data: Float64Array.from(await q.data()), shape: [n, n] };
};

const RADIANS = Math.PI / 180;
/** Two spaces in [2 n] dimensions with these angles, both turned alike, and each given by mixed columns. */
async function spaces(degrees: readonly number[], seed = 1): Promise<[Matrix, Matrix]> {
  const n = degrees.length;
  const turn = await turned(2 * n, seed);
  const mix = (s: number) => ({ data: Float64Array.from(gaussian(n, n, s).data), shape: [n, n] });
  const first = matrixOf(2 * n, n, (i, j) => (i === j ? 1 : 0));
  const second = matrixOf(2 * n, n, (i, j) =>
    i === j ? Math.cos(degrees[j]! * RADIANS) : i === j + n ? Math.sin(degrees[j]! * RADIANS) : 0,
  );
  return [product(turn, product(first, mix(seed + 1))), product(turn, product(second, mix(seed + 2)))];
}

test('angles that are known, from nothing to a right angle, and tiny ones', async () => {
  const degrees = [0, 1e-5, 0.001, 1, 30, 45, 60, 89.999, 90];
  const [a, b] = await spaces(degrees);
  for (const angles of [await principalAngles(a, b), await principalAngles(b, a)]) {
    assert.is(angles.length, degrees.length);
    angles.forEach((angle, i) => {
      near(angle, degrees[i]!, 2e-6);
    });
  }
});

test('0 for the same space however it is given, 90 for what is orthogonal to it', async () => {
  const { data } = gaussian(40, 6, 3);
  const a: MetricSamples = { data, shape: [40, 6] };
  assert.ok((await principalAngles(a, a)).every((angle) => angle < 1e-5));
  // Other lengths, another order, and one column mixed into another.
  const same = {
    ...a,
    data: data.map((v, i) => (i % 6 === 2 ? 1e-3 * v : i % 6 === 4 ? v + 5 * data[i - 1]! : -7 * v)),
  };
  const angles = await principalAngles(same, a);
  assert.ok(
    angles.every((angle) => angle < 1e-4),
    String(angles),
  );
  const turn = await turned(8, 5);
  const half = (from: number) => matrixOf(8, 4, (i, j) => turn.data[i * 8 + j + from]!);
  (await principalAngles(half(0), half(4))).forEach((angle) => {
    near(angle, 90, 1e-6);
  });
});

test('spaces of two dimensions: as many angles as the smaller has', async () => {
  // A line and a plane in space: the angle between the line and its shadow on the plane.
  const plane = matrixOf(3, 2, (i, j) => (i === j ? 1 : 0));
  const line = { data: Float64Array.from([1, 2, 2]), shape: [3, 1] };
  const shadow = (Math.acos(Math.sqrt(5) / 3) * 180) / Math.PI;
  for (const [a, b] of [
    [plane, line],
    [line, plane],
  ] as const) {
    const angles = await principalAngles(a, b);
    assert.is(angles.length, 1);
    near(angles[0]!, shadow, 1e-9);
  }
  const whole = matrixOf(3, 3, (i, j) => (i === j ? 1 : 0));
  near((await principalAngles(whole, line))[0]!, 0, 1e-6);
});

test('matrices that span nothing to compare are refused', async () => {
  const message = async (a: MetricSamples, b: MetricSamples) => (await rejection(principalAngles(a, b))).message;
  const a = matrixOf(4, 2, (i, j) => (i === j ? 1 : 0));
  const cases: readonly [MetricSamples, RegExp][] = [
    [
      matrixOf(5, 2, (i, j) => (i === j ? 1 : 0)),
      /^principalAngles: columns of 4 and of 5 numbers span no parts of one space$/,
    ],
    [matrixOf(4, 2, (i) => i + 1), /^principalAngles: column 1 of b is made of those before it$/],
    [matrixOf(4, 2, (_, j) => j), /^principalAngles: column 0 of b is made of those before it$/],
    [matrixOf(4, 5, () => 1), /^principalAngles: b \[4,5\] is no matrix \[D,K\] with K of 1 to D columns$/],
    [samplesOf([1, 2, 3, 4], [4]), /b \[4\] is no matrix/],
    [matrixOf(4, 1, () => Number.NaN), /sample 0 of b holds NaN/],
  ];
  for (const [b, expected] of cases) assert.match(await message(a, b), expected);
  assert.match(
    await message(
      matrixOf(4, 3, (_, j) => 1 + j),
      a,
    ),
    /column 1 of a is made of those before it/,
  );
});

/** Samples of 40 numbers whose variances fall by a quarter from direction to direction, around a mean that is not 0. */
async function cloud(n: number, falling = 0.75, d = 40): Promise<{ samples: MetricSamples; axes: Matrix }> {
  const axes = await turned(d, 9);
  const codes = {
    ...gaussian(n, d, 10),
    data: Float64Array.from(gaussian(n, d, 10).data, (v, i) => v * Math.sqrt(falling) ** (i % d)),
  };
  const turnedBack = matrixOf(d, d, (i, j) => axes.data[j * d + i]!);
  const { data } = product({ data: codes.data, shape: [n, d] }, turnedBack);
  return { samples: { data: Float32Array.from(data, (v, i) => v + (i % d) / 10), shape: [n, d] }, axes };
}

/** The eigenvectors of the whole covariance, in float64: [D,K], and their values. */
async function plainPca(samples: MetricSamples, k: number) {
  const { covariance } = featureMoments(samples);
  const d = Math.sqrt(covariance.length);
  const { values, vectors } = withDevice(float64, () => scope(() => eigh(tensor(covariance, { shape: [d, d] }))));
  const [all, columns] = [await values.data(), await vectors.data()];
  return {
    variances: Array.from({ length: k }, (_, i) => all[d - 1 - i]!),
    components: matrixOf(d, k, (i, j) => columns[i * d + d - 1 - j]!),
    total: Array.from(all).reduce((a, b) => a + b, 0),
  };
}

for (const [where, name, exact, degrees] of [
  [device, 'on the device in float32', 3e-6, 0.005],
  [reference, 'in float64', 1e-9, 1e-5],
] as const) {
  test(`components are the eigenvectors of the covariance, ${name}`, async () => {
    const { samples } = await cloud(5000);
    const k = 6; // so that 20 columns of 40 are iterated on
    const [found, plain] = [await pca(samples, k, { device: where }), await plainPca(samples, k)];
    found.variances.forEach((v, i) => {
      near(v / plain.variances[i]!, 1, exact);
    });
    near(found.total / plain.total, 1, exact);
    const angles = await principalAngles(found.components, plain.components);
    assert.ok(angles.at(-1)! < degrees, `${angles.at(-1)} degrees`);
    // Direction by direction, with its sign.
    found.components.data.forEach((v, i) => {
      near(v, plain.components.data[i]!, exact * 30);
    });
  });
}

test('the error is that of the samples restored from their components', async () => {
  const { samples } = await cloud(300);
  const { mean, components, error } = await pca(samples, 5, { device });
  const [n, d] = samples.shape as [number, number];
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const x = Float64Array.from({ length: d }, (_, j) => samples.data[i * d + j]! - mean[j]!);
    const kept = new Float64Array(d);
    for (let c = 0; c < 5; c++) {
      const along = x.reduce((s, v, j) => s + v * components.data[j * 5 + c]!, 0);
      for (let j = 0; j < d; j++) kept[j]! += along * components.data[j * 5 + c]!;
    }
    sum += x.reduce((s, v, j) => s + (v - kept[j]!) ** 2, 0);
  }
  near(error / (sum / (n * d)), 1, 1e-5);
});

test('all directions, directions of equal variance, and samples that do not vary', async () => {
  const { samples } = await cloud(200, 0.75, 12);
  const all = await pca(samples, 12, { device });
  near(all.error, 0, 1e-6);
  assert.is(all.components.data.length, 144);
  // Orthonormal, and in falling order.
  const gram = product(
    matrixOf(12, 12, (i, j) => all.components.data[j * 12 + i]!),
    all.components as Matrix,
  );
  gram.data.forEach((v, i) => {
    near(v, i % 13 === 0 ? 1 : 0, 1e-9);
  });
  assert.equal(
    [...all.variances],
    [...all.variances].sort((a, b) => b - a),
  );
  // White noise: no gap between the variances that a hundred rounds could use.
  const noise = gaussian(2000, 40, 4);
  const [flat, plain] = [await pca(noise, 2, { device }), await plainPca(noise, 2)];
  flat.variances.forEach((v, i) => {
    near(v, plain.variances[i]!, 1e-5);
  });
  const still = await pca({ data: new Float32Array(60).fill(3), shape: [6, 10] }, 1, { device });
  assert.equal([still.total, still.error, still.variances[0], still.mean[4]], [0, 0, 0, 3]);
});

test('what cannot be analysed is refused', async () => {
  const { samples } = await cloud(10);
  assert.match(
    (await rejection(pca(samples, 41, { device }))).message,
    /^pca: k must be a whole number from 1 to 40, not 41$/,
  );
  assert.match(
    (await rejection(pca(samplesOf([1, 2], [1, 2]), 1, { device }))).message,
    /^pca: samples has 1 samples; it needs at least 2$/,
  );
  assert.match((await rejection(pca(samples, 1, { seed: 1 } as never))).message, /^pca: there is no option seed/);
});

test.run();
