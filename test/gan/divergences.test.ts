import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  binSimilarity,
  chiSquareDivergence,
  chiSquareStatistic,
  hellingerDistance,
  histogram,
  histogramIntersection,
  jsDivergence,
  klDivergence,
  kolmogorovSmirnov,
  matchDistance,
  minkowskiDistance,
  normalizeMasses,
  quadraticFormDistance,
  reverseKlDivergence,
  totalVariation,
  wasserstein1d,
} from '../../gan/index.ts';
import { near } from '../support/near.ts';
import { numbers } from '../support/values.ts';

const divergences = {
  klDivergence,
  reverseKlDivergence,
  jsDivergence,
  chiSquareDivergence,
  totalVariation,
  hellingerDistance,
};
const distances = { minkowskiDistance, histogramIntersection, chiSquareStatistic, kolmogorovSmirnov, matchDistance };
const all = { ...divergences, ...distances };

/** n probabilities that look random. */
const probabilities = (n: number, seed: number): Float64Array => {
  const next = numbers(seed);
  return normalizeMasses(Float64Array.from({ length: n }, () => next() ** 2));
};

test('by hand, for p = (1/2, 1/2) and q = (1/4, 3/4)', () => {
  const [p, q] = [
    [0.5, 0.5],
    [0.25, 0.75],
  ];
  near(klDivergence(p, q), 0.5 * Math.log(2) + 0.5 * Math.log(2 / 3));
  near(reverseKlDivergence(p, q), 0.25 * Math.log(0.5) + 0.75 * Math.log(1.5));
  const [m0, m1] = [0.375, 0.625];
  const toMean = (a: number, b: number) => a * Math.log(a / m0) + b * Math.log(b / m1);
  near(jsDivergence(p, q), (toMean(0.5, 0.5) + toMean(0.25, 0.75)) / 2);
  near(chiSquareDivergence(p, q), 0.0625 / 0.25 + 0.0625 / 0.75);
  near(totalVariation(p, q), 0.25);
  near(hellingerDistance(p, q) ** 2, 1 - Math.sqrt(0.125) - Math.sqrt(0.375));
  near(minkowskiDistance(p, q, 1), 0.5);
  near(minkowskiDistance(p, q), Math.sqrt(0.125));
  near(minkowskiDistance(p, q, 3), (2 * 0.25 ** 3) ** (1 / 3));
  near(minkowskiDistance(p, q, Infinity), 0.25);
  near(histogramIntersection(p, q), 0.25);
  near(chiSquareStatistic(p, q), 0.0625 / 0.375 + 0.0625 / 0.625);
  near(kolmogorovSmirnov(p, q), 0.25);
  near(matchDistance(p, q), 0.25);
});

test('disjoint supports: JSD is log 2, KL infinite, as the lectures say, and nothing tells how far apart they are', () => {
  for (const apart of [1, 5]) {
    const [p, q] = [new Float64Array(8), new Float64Array(8)];
    [p[0], q[apart], q[apart + 1]] = [1, 0.5, 0.5];
    assert.is(jsDivergence(p, q), Math.LN2);
    assert.is(klDivergence(p, q), Infinity);
    assert.is(reverseKlDivergence(p, q), Infinity);
    assert.is(chiSquareDivergence(p, q), Infinity);
    near(totalVariation(p, q), 1);
    near(hellingerDistance(p, q), 1);
    near(histogramIntersection(p, q), 1);
    near(chiSquareStatistic(p, q), 4);
    near(kolmogorovSmirnov(p, q), 1);
    near(matchDistance(p, q), apart + 0.5);
  }
});

test('a bin that is empty in p costs KL nothing, and one that is empty in both costs nobody', () => {
  assert.is(klDivergence([1, 0], [0.5, 0.5]), Math.LN2);
  for (const [name, distance] of Object.entries(all)) {
    // For the match distance the empty bin is on the way.
    const factor = name === 'matchDistance' ? 2 : 1;
    near(distance([0.2, 0, 0.8], [0.6, 0, 0.4]), factor * distance([0.2, 0.8], [0.6, 0.4]), 1e-15);
  }
  assert.is(jsDivergence([5e-324, 1], [0, 1]), 0, 'a mean that rounds to 0');
});

test('all are 0 for equal histograms and positive for others; the symmetric ones are symmetric', () => {
  for (let seed = 0; seed < 20; seed++) {
    const [p, q] = [probabilities(6, 2 * seed), probabilities(6, 2 * seed + 1)];
    for (const [name, distance] of Object.entries(all)) {
      near(distance(p, p), 0, 1e-15);
      assert.ok(distance(p, q) > 1e-3, name);
      const symmetric = !['klDivergence', 'reverseKlDivergence', 'chiSquareDivergence'].includes(name);
      assert.is(Math.abs(distance(p, q) - distance(q, p)) < 1e-15, symmetric, name);
    }
  }
});

test('the inequalities between them: Pinsker, Hellinger and total variation, KL and chi-square, JSD and log 2', () => {
  for (let seed = 0; seed < 50; seed++) {
    const [p, q] = [probabilities(5, seed), probabilities(5, seed + 1000)];
    const [tv, hellinger] = [totalVariation(p, q), hellingerDistance(p, q)];
    assert.ok(klDivergence(p, q) >= 2 * tv ** 2);
    assert.ok(hellinger ** 2 <= tv && tv <= Math.SQRT2 * hellinger);
    assert.ok(klDivergence(p, q) <= Math.log1p(chiSquareDivergence(p, q)));
    assert.ok(jsDivergence(p, q) < Math.LN2 * tv);
    near(klDivergence(p, q), reverseKlDivergence(q, p));
    near(histogramIntersection(p, q), tv);
  }
});

test('the minimax objective under its optimal discriminator is 2 JSD - log 4, at least -log 4', () => {
  const [p, q] = [probabilities(7, 1), probabilities(7, 2)];
  const value = p.reduce((v, r, i) => {
    const discriminator = r / (r + q[i]!);
    return v + r * Math.log(discriminator) + q[i]! * Math.log(1 - discriminator);
  }, 0);
  near(value, 2 * jsDivergence(p, q) - Math.log(4), 1e-14);
  assert.is(2 * jsDivergence(p, p) - Math.log(4), -2 * Math.LN2);
});

test('the quadratic form: Minkowski for the identity; with similar bins, a neighbour is nearer than a stranger', () => {
  const [p, q] = [probabilities(4, 3), probabilities(4, 4)];
  const identity = Float64Array.from({ length: 16 }, (_, k) => (k % 5 === 0 ? 1 : 0));
  near(quadraticFormDistance(p, q, identity), minkowskiDistance(p, q, 2), 1e-15);
  const similarity = binSimilarity([0, 1, 2, 3]);
  assert.equal([...similarity.subarray(0, 4)], [1, 1 - 1 / 3, 1 - 2 / 3, 0]);
  // (1, -1) against a_ij = 1 - d / 3 is 2 d / 3.
  near(quadraticFormDistance([1, 0, 0, 0], [0, 1, 0, 0], similarity), Math.sqrt(2 / 3));
  near(quadraticFormDistance([1, 0, 0, 0], [0, 0, 0, 1], similarity), Math.SQRT2);
  assert.throws(() => quadraticFormDistance([1, 0], [0, 1], [0, 1, 1, 0]), /is -2; A must be positive semidefinite/);
  assert.throws(() => quadraticFormDistance([1, 0], [0, 1], [1]), /A has 1 values, not 2 x 2/);
  assert.throws(() => binSimilarity([0, NaN]), /centre 1 is NaN/);
});

test('counts may be compared where the formula allows it', () => {
  near(minkowskiDistance([3, 1], [1, 1], 1), 2);
  near(minkowskiDistance([1e200, 0], [0, 1e200]), Math.SQRT2 * 1e200, 1e186);
  near(histogramIntersection([3, 1], [2, 2]), 1 - 3 / 4);
  near(chiSquareStatistic([3, 1], [1, 1]), 2);
  assert.throws(() => kolmogorovSmirnov([3, 1], [1, 1]), /p sums to 4, not to 1; normalizeMasses\(p\)/);
});

test('what is no distribution is refused, and named', () => {
  for (const distance of Object.values(all)) {
    assert.throws(() => distance([0.5, -0.5, 1], [1, 0, 0]), /p\[1\] is -0.5; a mass is a finite number >= 0/);
    assert.throws(() => distance([1, 0], [NaN, 1]), /q\[0\] is NaN/);
    assert.throws(() => distance([1, 0], [1, 0, 0]), /p has 2 bins and q has 3/);
    assert.throws(() => distance([1, 0], 1 as never), /q is a list of numbers such as \[0.5,0.5\], not 1/);
    assert.throws(() => distance([0, 0], [1, 0]), /masses of p sum to 0/);
  }
  for (const distance of Object.values(divergences)) {
    assert.throws(() => distance([0.5, 0.4], [1, 0]), /p sums to 0.9, not to 1; normalizeMasses/);
  }
  assert.throws(() => minkowskiDistance([1], [1], 0.5), /order r is 0.5/);
});

test('a histogram counts as NumPy does: the last bin is closed, and it says what lies outside', () => {
  const { edges, counts, masses, outside } = histogram([0, 0.5, 1, 1.5, 2, -1, 2.1, Infinity], {
    bins: 2,
    range: [0, 2],
  });
  assert.equal([...edges], [0, 1, 2]);
  assert.equal([...counts], [2, 3]);
  assert.equal([...masses], [0.4, 0.6]);
  assert.is(outside, 3);
  assert.equal([...histogram([1, 2, 4], { bins: [0, 2, 3, 4] }).counts], [1, 1, 1]);
  assert.equal([...histogram([3, 3]).edges].slice(0, 2), [2.5, 2.6]);
  const tenths = histogram([0.1, 0.2, 0.3, 0.6, 0.7], { bins: 10, range: [0, 1] });
  assert.equal([...tenths.counts], [0, 1, 1, 1, 0, 0, 1, 1, 0, 0], 'samples on edges, which are not exact');
  near(wasserstein1d(histogram([0, 1], { bins: 2 }), histogram([2, 3], { bins: 2 })), 2);
  assert.throws(() => histogram([]), /no samples/);
  assert.throws(() => histogram([1, NaN]), /sample 1 is NaN/);
  assert.throws(() => histogram([1], { bins: 0 }), /bins must be .*, not 0/);
  assert.throws(() => histogram([1], { bins: [0, 0] }), /edge 1 is not above/);
  assert.throws(() => histogram([1, Infinity]), /range is 1 to Infinity/);
  assert.throws(() => histogram([1], { bins: [0, 1], range: [0, 1] }), /give one of both/);
  assert.throws(() => histogram([1], { nbins: 3 } as never), /no option nbins/);
});

test.run();
