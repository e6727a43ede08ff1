import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type SlicedWassersteinOptions,
  slicedWasserstein,
  slicedWassersteinTo,
} from '../../gan/metrics/slicedWasserstein.ts';

const near = (value: number, expected: number, tolerance: number): void =>
  assert.ok(Math.abs(value - expected) <= tolerance, `${value} is not within ${tolerance} of ${expected}`);

/** Coordinates of n points that look random and are the same in every run. */
const cloud = (n: number, dimension: number, shift: readonly number[] = []): Float32Array =>
  Float32Array.from(
    { length: n * dimension },
    (_, i) => Math.sin(12.9898 * (i + 1) ** 2) + (shift[i % dimension] ?? 0),
  );

test('is 0 for the same cloud, whatever the order and the repetition of its points', () => {
  const points = cloud(50, 3);
  const reversed = Float32Array.from({ length: 150 }, (_, i) => points[(49 - Math.floor(i / 3)) * 3 + (i % 3)]!);
  const twice = Float32Array.of(...points, ...reversed);
  for (const p of [1, 2] as const) {
    assert.is(slicedWasserstein(points, points, { dimension: 3, p }), 0);
    assert.is(slicedWasserstein(points, reversed, { dimension: 3, p }), 0);
    near(slicedWasserstein(points, twice, { dimension: 3, p }), 0, 1e-12);
  }
});

test('on the line it is the Wasserstein distance, by hand', () => {
  const [a, b] = [Float32Array.of(4, 0, 1), Float32Array.of(2, 8, 3)]; // sorted: 0 1 4 and 2 3 8
  near(slicedWasserstein(a, b, { dimension: 1 }), (2 + 2 + 4) / 3, 1e-12);
  near(slicedWasserstein(a, b, { dimension: 1, p: 2 }), Math.sqrt((4 + 4 + 16) / 3), 1e-12);
  for (const projections of [1, 2, 3, 4, 5]) near(slicedWasserstein(a, b, { dimension: 1, projections }), 8 / 3, 1e-12);
});

test('couples quantiles exactly where the clouds differ in size', () => {
  // Half of 0 and half of 6 against thirds of 0, 3, 6: the sixths pair as 0-0 0-0 0-3 6-3 6-6 6-6.
  const [a, b] = [Float32Array.of(6, 0), Float32Array.of(3, 0, 6)];
  near(slicedWasserstein(a, b, { dimension: 1 }), 1, 1e-12);
  near(slicedWasserstein(b, a, { dimension: 1, p: 2 }), Math.sqrt(3), 1e-12);
});

test('a shift by v in the plane costs |v| 2 / pi (p = 1) and |v| / sqrt(2) (p = 2)', () => {
  const [a, b] = [cloud(40, 2), cloud(40, 2, [3, -4])];
  const options = { dimension: 2, projections: 20_000 };
  near(slicedWasserstein(a, b, options), (5 * 2) / Math.PI, 0.05);
  near(slicedWasserstein(a, b, { ...options, p: 2 }), 5 / Math.SQRT2, 0.05);
});

test('a shift in 100 dimensions costs |v| sqrt(2 / pi / d), nearly', () => {
  const shift = Array<number>(100).fill(1);
  const value = slicedWasserstein(cloud(30, 100), cloud(30, 100, shift), { dimension: 100, projections: 4000 });
  near(value, 10 * Math.sqrt(2 / Math.PI / 100), 0.03);
});

test('scales with the coordinates and is symmetric', () => {
  const [a, b] = [cloud(30, 4), cloud(20, 4, [1, 2, 0, 0])];
  const value = slicedWasserstein(a, b, { dimension: 4 });
  near(slicedWasserstein(b, a, { dimension: 4 }), value, 1e-12);
  near(
    slicedWasserstein(
      a.map((x) => 8 * x),
      b.map((x) => 8 * x),
      { dimension: 4 },
    ),
    8 * value,
    1e-12,
  );
});

test('the seed decides the directions, and nothing else does', () => {
  const [a, b] = [cloud(20, 5), cloud(20, 5, [1])];
  const value = (seed: number, projections = 7) => slicedWasserstein(a, b, { dimension: 5, seed, projections });
  assert.is(value(1), value(1));
  assert.is.not(value(1), value(2));
});

test('NaN shows, and wrong sizes are named', () => {
  assert.ok(Number.isNaN(slicedWasserstein(Float32Array.of(NaN, 0), Float32Array.of(1, 2), { dimension: 1 })));
  const [four, six] = [new Float32Array(4), new Float32Array(6)];
  assert.throws(() => slicedWasserstein(six, four, { dimension: 3 }), /b has 4 values, not n >= 1 points of 3/);
  assert.throws(() => slicedWasserstein(new Float32Array(0), four, { dimension: 2 }), /a has 0 values/);
  assert.throws(() => slicedWasserstein(four, four, { dimension: 0 }), /points of 0/);
  assert.throws(
    () => slicedWasserstein(four, four, { dimension: 2, projections: 0 }),
    /projections must be a whole number, 1 or more, not 0/,
  );
});

test('options that there are not are refused, and orders other than 1 and 2', () => {
  const four = new Float32Array(4);
  const refused = (options: object, message: RegExp) => {
    const given = { dimension: 2, ...options } as SlicedWassersteinOptions;
    assert.throws(() => slicedWasserstein(four, four, given), message);
    assert.throws(() => slicedWassersteinTo(four, given), message);
  };
  refused({ p: 3 }, /^slicedWasserstein: p must be one of 1, 2, not 3/);
  refused({ p: '2' }, /p must be one of 1, 2, not "2"/);
  refused({ directions: 10 }, /slicedWasserstein: there is no option directions; there are dimension, projections/);
  assert.throws(() => slicedWasserstein(four, four, 2 as never), /the options are an object such as { dimension: 2 }/);
});

test.run();
