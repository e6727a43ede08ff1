import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Rng } from '../../engine/index.ts';
import {
  type Distribution,
  gaussian,
  gaussianGrid,
  gaussianMixture,
  gaussianRing,
  moons,
  pointSet,
  segment,
  segments,
  spirals,
  swissRoll,
  twoGaussians,
} from '../../gan/index.ts';

const N = 100_000;
const { PI } = Math;
/** Five standard errors: with the seeds fixed they hold or do not; a wrong formula is off by tens of them. */
const SIGMAS = 5;

/** The sample mean of f is the exact one, to five of its own standard errors. */
function meanIs(what: string, d: Distribution, f: (point: Float32Array) => number, exact: number): void {
  const points = d.sample(N, 7);
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < N; i++) {
    const value = f(points.subarray(i * d.dimension, (i + 1) * d.dimension));
    sum += value;
    squares += value * value;
  }
  const mean = sum / N;
  const error = Math.sqrt(Math.max(squares / N - mean * mean, 0) / N);
  assert.ok(Math.abs(mean - exact) <= SIGMAS * error + 1e-6, `${d.title}: ${what} is ${mean}, not ${exact} ± ${error}`);
  assert.ok(error < 0.05, `${d.title}: ${what} is too loose a check`);
}

/** Means and second moments about 0 of a distribution in the plane: [E x, E y, E x², E y², E xy]. */
function momentsAre(d: Distribution, moments: readonly number[]): void {
  const names = ['E x', 'E y', 'E x²', 'E y²', 'E xy'];
  const of = [
    ([x]: Float32Array) => x!,
    ([, y]: Float32Array) => y!,
    ([x]: Float32Array) => x! ** 2,
    ([, y]: Float32Array) => y! ** 2,
    ([x, y]: Float32Array) => x! * y!,
  ];
  moments.forEach((exact, i) => {
    meanIs(names[i]!, d, of[i]!, exact);
  });
}

test('Gaussians on the line have their moments', () => {
  const d = gaussian({ mean: 1.5, sigma: 0.5 });
  meanIs('mean', d, ([x]) => x!, 1.5);
  meanIs('variance', d, ([x]) => (x! - 1.5) ** 2, 0.25);
  meanIs('fourth moment', d, ([x]) => (x! - 1.5) ** 4, 3 * 0.5 ** 4);
  const two = twoGaussians({ means: [-1, 3], sigma: 0.25 });
  meanIs('mean', two, ([x]) => x!, 1);
  meanIs('variance', two, ([x]) => (x! - 1) ** 2, 4 + 0.0625);
  meanIs('share of the upper', two, ([x]) => (x! > 1 ? 1 : 0), 0.5);
});

test('a Gaussian sample follows the distribution function (Kolmogorov-Smirnov)', () => {
  const x = gaussian().sample(N, 3).sort();
  // Φ at these points, from tables.
  const table = [
    [-2, 0.0227501319],
    [-1, 0.1586552539],
    [-0.5, 0.3085375387],
    [0, 0.5],
    [0.5, 0.6914624613],
    [1, 0.8413447461],
    [2, 0.9772498681],
  ] as const;
  for (const [at, p] of table) {
    const below = x.findIndex((v) => v > at) / N;
    assert.ok(Math.abs(below - p) < 4 * Math.sqrt((p * (1 - p)) / N), `${below} of ${p} below ${at}`);
  }
});

test('mixtures in the plane have their moments', () => {
  const ring = 2 + 0.02 ** 2;
  momentsAre(gaussianRing(), [0, 0, ring, ring, 0]);
  const grid = 8 + 0.05 ** 2;
  momentsAre(gaussianGrid(), [0, 0, grid, grid, 0]);
  const centres = [
    [0, 1],
    [3, 4],
  ];
  momentsAre(gaussianMixture({ centres, sigma: 0.5 }), [1.5, 2.5, 4.75, 8.75, 6]);
});

test('curves have their moments', () => {
  // E r² = radius²/2 + 2 noise²; by symmetry all else that is odd is 0.
  meanIs('E r²', spirals(), ([x, y]) => x! ** 2 + y! ** 2, 2 + 2 * 0.05 ** 2);
  meanIs('E x', spirals(), ([x]) => x!, 0);
  meanIs('E y', spirals(), ([, y]) => y!, 0);
  meanIs('E r² within', spirals({ radius: 3, turns: 2, noise: 0 }), ([x, y]) => (x! ** 2 + y! ** 2 < 4.5 ? 1 : 0), 0.5);
  const noise = 0.1;
  const low = 0.5 - 2 / PI; // mean height of the lower moon
  const square = 0.25 - 2 / PI + 0.5; // its mean square: E (0.5 - sin)²
  momentsAre(moons({ noise }), [
    ...[0.5, (2 / PI + low) / 2, 1 + noise ** 2, (0.5 + square) / 2 + noise ** 2],
    // Upper: E cos·sin = 0. Lower: E (1 - cos)(0.5 - sin) = 0.5 - 2/π.
    low / 2,
  ]);
  const roll = swissRoll();
  const [a, b] = [1.5 * PI, 4.5 * PI];
  const mean = (f: (t: number) => number) => (f(b) - f(a)) / (b - a); // of a function whose primitive is f
  meanIs('E x', roll, ([x]) => x!, mean((t) => Math.cos(t) + t * Math.sin(t)) / 7.5);
  meanIs('E y', roll, ([, y]) => y!, mean((t) => Math.sin(t) - t * Math.cos(t)) / 7.5);
  meanIs('E r²', roll, ([x, y]) => x! ** 2 + y! ** 2, (mean((t) => t ** 3 / 3) + 2 * 0.25 ** 2) / 7.5 ** 2);
});

test('curves without noise lie on their curves', () => {
  const each = (d: Distribution, ok: (x: number, y: number) => boolean) => {
    const points = d.sample(2000, 5);
    for (let i = 0; i < 2000; i++) {
      const [x, y] = [points[2 * i]!, points[2 * i + 1]!];
      assert.ok(ok(x, y), `${d.name}: (${x}, ${y}) is not on it`);
    }
  };
  const near = (a: number, b: number) => Math.abs(a - b) < 1e-5;
  each(moons({ noise: 0 }), (x, y) => (near(x * x + y * y, 1) && y > -1e-6) || near((x - 1) ** 2 + (y - 0.5) ** 2, 1));
  each(segment({ theta: 0.75 }), (x, y) => x === 0.75 && y >= 0 && y <= 1);
  each(segments({ theta: -2 }), (x, y) => (x === 0 || x === -2) && y >= 0 && y <= 1);
  each(spirals({ noise: 0, turns: 1, radius: 1 }), (x, y) => {
    const angle = 2 * PI * Math.hypot(x, y);
    return [0, PI].some((arm) => near(Math.hypot(x, y) * Math.cos(angle + arm), x));
  });
});

test('segments are uniform and equally likely', () => {
  meanIs('E y', segments(), ([, y]) => y!, 0.5);
  meanIs('E y²', segments(), ([, y]) => y! ** 2, 1 / 3);
  meanIs('share', segments({ theta: 3 }), ([x]) => (x! > 1 ? 1 : 0), 0.5);
  meanIs('E y', segment(), ([, y]) => y!, 0.5);
});

test('every mode gets its share, and its own spread', () => {
  for (const d of [gaussianRing(), gaussianGrid()]) {
    const { centres, sigma } = d.modes;
    const k = centres.length / 2;
    const counts = new Float64Array(k);
    const points = d.sample(N, 11);
    let within = 0;
    let chi = 0;
    for (let i = 0; i < N; i++) {
      const distances = Array.from({ length: k }, (_, m) =>
        Math.hypot(points[2 * i]! - centres[2 * m]!, points[2 * i + 1]! - centres[2 * m + 1]!),
      );
      const nearest = distances.reduce((best, value, m) => (value < distances[best]! ? m : best), 0);
      counts[nearest]!++;
      if (distances[nearest]! <= 3 * sigma) within++;
    }
    for (const count of counts) chi += (count - N / k) ** 2 / (N / k);
    // Chi-square of k - 1 degrees has mean k - 1 and variance 2 (k - 1).
    assert.ok(chi < k - 1 + 5 * Math.sqrt(2 * (k - 1)), `${d.name}: chi-square ${chi}`);
    // Within three sigma in the plane: 1 - exp(-9/2), the most that VEEGAN's share of high quality can be.
    const share = 1 - Math.exp(-4.5);
    assert.ok(Math.abs(within / N - share) < 5 * Math.sqrt((share * (1 - share)) / N), `${d.name}: ${within / N}`);
  }
});

test('the protocol of unrolled GAN, VEEGAN and PacGAN', () => {
  const ring = gaussianRing();
  assert.is(ring.modes.sigma, 0.02);
  assert.is(ring.modes.centres.length, 16);
  for (let m = 0; m < 8; m++) {
    const [x, y] = [ring.modes.centres[2 * m]!, ring.modes.centres[2 * m + 1]!];
    assert.ok(
      Math.abs(Math.hypot(x, y) - 2) < 1e-6 && Math.abs(Math.atan2(y, x) - (m > 4 ? m - 8 : m) * (PI / 4)) < 1e-6,
    );
  }
  const grid = gaussianGrid();
  assert.is(grid.modes.sigma, 0.05);
  const places = [-4, -2, 0, 2, 4];
  assert.equal(
    [...grid.modes.centres],
    places.flatMap((y) => places.flatMap((x) => [x, y])),
  );
});

test('log densities are exact', () => {
  const log = (d: Distribution, ...point: number[]) => d.logDensity!(point)[0]!;
  const near = (a: number, b: number, tolerance = 1e-12) => assert.ok(Math.abs(a - b) < tolerance, `${a}, not ${b}`);
  near(log(gaussian(), 0), -0.5 * Math.log(2 * PI));
  near(log(gaussian({ mean: 2, sigma: 3 }), 5), -0.5 - Math.log(3 * Math.sqrt(2 * PI)));
  near(log(twoGaussians({ means: [-1, 1], sigma: 1 }), 0), -0.5 - 0.5 * Math.log(2 * PI));
  // At a mode of the ring the others are 38 sigma away or more.
  near(log(gaussianRing(), 2, 0), -Math.log(8 * 2 * PI * 0.02 ** 2), 1e-9);
  near(log(gaussianGrid(), 2.05, -4), -0.5 - Math.log(25 * 2 * PI * 0.05 ** 2), 1e-9);
  // Far away it is finite: the nearest mode, (2, 0), 98 away.
  near(log(gaussianRing(), 100, 0) / (-(98 ** 2) / (2 * 0.02 ** 2)), 1, 1e-5);
  assert.equal([...gaussian().logDensity([])], []);
});

test('densities integrate to 1', () => {
  const ring = gaussianRing({ modes: 5, radius: 1, sigma: 0.2 });
  const step = 0.02;
  const points: number[] = [];
  for (let y = -3; y <= 3; y += step) for (let x = -3; x <= 3; x += step) points.push(x, y);
  const plane = ring.logDensity(points).reduce((sum, log) => sum + Math.exp(log), 0) * step * step;
  assert.ok(Math.abs(plane - 1) < 1e-9, `${plane}`);
  const xs = Float64Array.from({ length: 2401 }, (_, i) => -12 + i / 100);
  const line =
    twoGaussians()
      .logDensity(xs)
      .reduce((sum, log) => sum + Math.exp(log), 0) / 100;
  assert.ok(Math.abs(line - 1) < 1e-9, `${line}`);
});

test('the mean log density of samples is minus the entropy', () => {
  // Of k modes far apart: log k + D/2 (1 + log(2π sigma²)).
  for (const [d, k] of [
    [gaussian({ sigma: 3 }), 1],
    [gaussianRing(), 8],
    [gaussianGrid(), 25],
  ] as const) {
    const entropy = Math.log(k) + (d.dimension / 2) * (1 + Math.log(2 * PI * d.modes.sigma ** 2));
    meanIs('log density', d, (point) => d.logDensity(point)[0]!, -entropy);
  }
});

test('the same seed gives the same points, another seed others', () => {
  for (const d of [gaussian(), twoGaussians(), gaussianRing(), spirals(), moons(), swissRoll(), segments()]) {
    assert.equal(d.sample(50, 1), d.sample(50, 1));
    assert.equal(d.sample(50, 1), d.sample(50, new Rng(1)));
    assert.not.equal(d.sample(50, 1), d.sample(50, 2));
    const rng = new Rng(1);
    assert.not.equal(d.sample(50, rng), d.sample(50, rng), 'a generator moves on');
    assert.is(d.sample(0, 1).length, 0);
  }
});

test('a point set has its sizes, its modes and two different splits', () => {
  const set = pointSet(gaussianRing());
  assert.equal([set.name, set.kind, set.shape], ['ring', 'points', [2]]);
  assert.is(set.title, 'ring of 8 Gaussians');
  assert.equal([set.train.count, set.train.data.length], [131_072, 262_144]);
  assert.equal([set.test.count, set.test.data.length], [10_000, 20_000]);
  assert.is(set.modes, set.distribution.modes);
  assert.not.equal(set.train.data.slice(0, 20), set.test.data.slice(0, 20));

  const small = pointSet(moons(), { seed: 4, trainSize: 3, testSize: 2 });
  assert.equal([small.train.data.length, small.test.data.length, small.modes], [6, 4, undefined]);
  assert.equal(pointSet(moons(), { seed: 4, trainSize: 3 }).train, small.train);
  assert.not.equal(pointSet(moons(), { seed: 5, trainSize: 3 }).train, small.train);
});

test('options out of range are refused by name', () => {
  const cases: readonly [() => unknown, RegExp][] = [
    [() => gaussian({ sigma: 0 }), /^gaussian: sigma must be a number above 0, not 0/],
    [() => gaussian({ mean: NaN }), /^gaussian: mean must be a finite number, not NaN/],
    [() => gaussian({ std: 1 } as never), /there is no option std; there are mean, sigma/],
    [() => twoGaussians({ means: [1] as never }), /means are two numbers such as \[-2, 2\], not \[1\]/],
    [() => gaussianMixture({ centres: [], sigma: 1 }), /give one centre or more/],
    [() => gaussianMixture({ centres: [[0], [1, 2]], sigma: 1 }), /points of one dimension/],
    [() => gaussianMixture({ centres: [[0, 0]], sigma: -1 }), /sigma must be a number above 0, not -1/],
    [() => gaussianRing({ modes: 2.5 }), /^gaussianRing: modes must be a whole number from 1 to 65536, not 2.5/],
    [() => gaussianRing({ radius: -1 }), /radius must be a number above 0/],
    [() => gaussianGrid({ side: 0 }), /side must be a whole number from 1 to 256/],
    [() => gaussianGrid({ spacing: 0 }), /spacing must be a number above 0/],
    [() => moons({ noise: -0.1 }), /^moons: noise must be a number, 0 or more, not -0.1/],
    [() => spirals({ turns: 0 }), /turns must be a number above 0/],
    [() => segment({ theta: Infinity }), /theta must be a finite number/],
    [() => pointSet(moons(), { trainSize: 0 }), /trainSize must be a whole number from 1 to 67108864, not 0/],
    [() => pointSet(moons(), { seed: -1 }), /seed must be a whole number/],
    [() => gaussianRing().logDensity([1, 2, 3]), /3 numbers are no whole number of points of 2/],
  ];
  for (const [action, message] of cases) assert.throws(action, message);
});

test('sizes that no memory holds are refused by range', () => {
  for (const [call, message] of [
    [() => gaussianRing({ modes: 1e9 }), 'gaussianRing: modes must be a whole number from 1 to 65536, not 1000000000'],
    [() => gaussianGrid({ side: 1e5 }), 'gaussianGrid: side must be a whole number from 1 to 256, not 100000'],
    [
      () => pointSet(gaussianRing(), { trainSize: 1e9 }),
      'pointSet: trainSize must be a whole number from 1 to 67108864, not 1000000000',
    ],
    [
      () => pointSet(gaussianRing(), { testSize: 1e12 }),
      'pointSet: testSize must be a whole number from 1 to 67108864, not 1000000000000',
    ],
  ] as const) {
    assert.throws(call, (error: Error) => error instanceof RangeError && error.message === message);
  }
});

test.run();
