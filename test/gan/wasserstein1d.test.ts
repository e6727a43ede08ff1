import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type LineMeasure, slicedWasserstein, transport1d, wasserstein1d } from '../../gan/index.ts';
import { near } from '../support/near.ts';
import { numbers } from '../support/values.ts';

/** The lecture's example: p = 1/4 on [1,2] + 1/4 on [3,4] + 1/2 on [9,10], q uniform on [5,7]. */
const p = { edges: [1, 2, 3, 4, 9, 10], masses: [0.25, 0, 0.25, 0, 0.5] };
const q = { edges: [5, 7], masses: [1] };

const samples = (n: number, seed: number): Float64Array => {
  const next = numbers(seed);
  return Float64Array.from({ length: n }, () => 4 * next() - 2);
};

/** W_p by its definition, the quantile functions summed over a fine grid: right to about 1 / steps. */
const byQuantiles = (a: LineMeasure, b: LineMeasure, order: number, steps = 20_000): number => {
  const quantiles = (measure: LineMeasure): number[] => {
    const parts: { from: number; to: number; mass: number }[] =
      'edges' in measure
        ? Array.from(measure.masses, (mass, i) => ({ from: measure.edges[i]!, to: measure.edges[i + 1]!, mass }))
        : 'samples' in measure
          ? Array.from(measure.samples, (x, i) => ({ from: x, to: x, mass: measure.weights[i]! }))
          : Array.from(measure, (x) => ({ from: x, to: x, mass: 1 }));
    parts.sort((x, y) => x.from - y.from);
    const total = parts.reduce((s, { mass }) => s + mass, 0);
    return Array.from({ length: steps }, (_, k) => {
      let left = ((k + 0.5) / steps) * total;
      const part = parts.find(({ mass }) => {
        left -= mass;
        return left <= 0;
      })!;
      return part.to + (left / part.mass) * (part.to - part.from);
    });
  };
  const [x, y] = [quantiles(a), quantiles(b)];
  return (x.reduce((s, v, k) => s + Math.abs(v - y[k]!) ** order, 0) / steps) ** (1 / order);
};

test("the lecture's W1 is 3, its plan 4 x 1/4 + 2 x 1/4 + 3 x 1/2", () => {
  assert.is(wasserstein1d(p, q), 3);
  assert.is(wasserstein1d(q, p), 3);
  const { plan, distance } = transport1d(p, q);
  assert.is(distance, 3);
  assert.equal(plan, [
    { mass: 0.25, from: [1, 2], to: [5, 5.5] },
    { mass: 0.25, from: [3, 4], to: [5.5, 6] },
    { mass: 0.5, from: [9, 10], to: [6, 7] },
  ]);
});

test("the lecture's potential: f = |x - 6| - 3/2 gives 3 x 1/4 + 1 x 1/4 + 2 x 1/2 - (-1 x 1/2 - 1 x 1/2) = 3", () => {
  const { potential } = transport1d(p, q);
  // The lecture's f has the mean -1 over q. It is linear on each interval, so that its middle is its mean.
  const shift = -1 - (potential.at(5.5) + potential.at(6.5)) / 2;
  const f = (x: number) => potential.at(x) + shift;
  assert.equal([1.5, 3.5, 9.5, 5.5, 6.5].map(f), [3, 1, 2, -1, -1]);
  for (let x = 1; x <= 10; x += 0.125) near(f(x), Math.abs(x - 6) - 1.5, 1e-14);
  assert.is(f(0), f(1), 'constant where there is no mass');
  assert.is(f(11), f(10));
});

test("Monge's map of the lecture's example pushes p forward to q, in order", () => {
  const { map } = transport1d(p, q);
  assert.equal([1, 1.5, 2, 3, 3.5, 9, 9.5, 10].map(map), [5, 5.25, 5.5, 5.5, 5.75, 6, 6.5, 7]);
  assert.throws(() => map(2.5), /no mass at 2.5/);
  assert.throws(() => map(11), /no mass at 11/);
});

test('segments: W_p of {0} and {theta} is |theta|, for disjoint supports too', () => {
  for (const theta of [-2, -0.5, 0, 0.25, 7]) {
    for (const order of [1, 2, 3.5])
      near(wasserstein1d([0, 0, 0], [theta, theta], { p: order }), Math.abs(theta), 1e-14);
  }
});

test('in closed form: uniform on [0,1] and [0,2] differ by u, on [-1,1] and [0,0+] by |2u - 1|', () => {
  const uniform = (from: number, to: number) => ({ edges: [from, to], masses: [1] });
  for (const order of [1, 1.5, 2, 2.5, 3, 6, 8.25]) {
    near(wasserstein1d(uniform(0, 1), uniform(0, 2), { p: order }), (1 / (order + 1)) ** (1 / order), 1e-14);
    near(wasserstein1d(uniform(-1, 1), [0], { p: order }), (1 / (order + 1)) ** (1 / order), 1e-14);
    near(wasserstein1d(uniform(0, 1), uniform(3, 4), { p: order }), 3, 1e-13);
    // |3 + u d| from 3 to 3 + d, on both sides of the width where the rule of integration changes.
    for (const d of [0.059, 0.061]) {
      const expected = ((3 + d) ** (order + 1) - 3 ** (order + 1)) / ((order + 1) * d);
      near(wasserstein1d(uniform(0, 1), uniform(3, 4 + d), { p: order }) ** order / expected, 1, 1e-11);
    }
  }
});

test('every kind of measure against every other, by the definition', () => {
  const kinds: LineMeasure[] = [
    samples(7, 1),
    samples(11, 2),
    { samples: [1, -2, 0.5], weights: [3, 0.5, 0] },
    { edges: [-2, -1, 0.5, 3], masses: [2, 0, 5] },
    p,
  ];
  for (const a of kinds) {
    for (const b of kinds) {
      for (const order of [1, 2, 3]) {
        near(wasserstein1d(a, b, { p: order }), byQuantiles(a, b, order), 2e-2);
      }
    }
  }
});

test('agrees with the sliced distance on the line', () => {
  const [a, b] = [Float32Array.from(samples(30, 3)), Float32Array.from(samples(12, 4))];
  for (const order of [1, 2] as const) {
    near(wasserstein1d(a, b, { p: order }), slicedWasserstein(a, b, { dimension: 1, p: order }), 1e-13);
  }
});

test('it is 0 for one measure written in many ways', () => {
  const x = samples(10, 5);
  const twice = [...x, ...x];
  assert.is(wasserstein1d(x, twice, { p: 2 }), 0);
  assert.is(wasserstein1d(x, { samples: twice, weights: Array(20).fill(0.1) }, { p: 2 }), 0);
  const fine = { edges: [0, 1, 2, 3], masses: [1, 1, 1] };
  near(wasserstein1d(fine, { edges: [0, 3], masses: [7] }, { p: 2 }), 0, 1e-12);
});

test('translation, scaling, symmetry, the triangle inequality and growth with p', () => {
  for (let seed = 0; seed < 20; seed++) {
    const [a, b, c] = [samples(9, seed), samples(6, seed + 100), samples(5, seed + 200)];
    for (const order of [1, 2, 3]) {
      const distance = (x: LineMeasure, y: LineMeasure) => wasserstein1d(x, y, { p: order });
      near(
        distance(
          a,
          a.map((x) => x + 2.5),
        ),
        2.5,
        1e-13,
      );
      near(
        distance(
          a.map((x) => -3 * x),
          b.map((x) => -3 * x),
        ),
        3 * distance(a, b),
        1e-12,
      );
      near(distance(a, b), distance(b, a), 1e-13);
      assert.ok(distance(a, c) <= distance(a, b) + distance(b, c) + 1e-13);
      assert.ok(distance(a, b) <= wasserstein1d(a, b, { p: order + 1 }) + 1e-13);
    }
  }
});

test('the potential is 1-Lipschitz and attains W1, for samples and densities', () => {
  const expectation = (measure: LineMeasure, f: (x: number) => number): number => {
    if (!('edges' in measure)) {
      const x = Array.from(measure as ArrayLike<number>);
      return x.reduce((s, v) => s + f(v), 0) / x.length;
    }
    // The middles of many parts; f's knots lie inside a few of them.
    const [steps, total] = [5000, Array.from(measure.masses).reduce((s, m) => s + m)];
    return Array.from(measure.masses).reduce((s, mass, i) => {
      const [from, to] = [measure.edges[i]!, measure.edges[i + 1]!];
      let mean = 0;
      for (let k = 0; k < steps; k++) mean += f(from + ((k + 0.5) / steps) * (to - from)) / steps;
      return s + (mass / total) * mean;
    }, 0);
  };
  const measures: LineMeasure[] = [samples(8, 6), samples(5, 7), p, q, { edges: [-1, 0, 6, 8], masses: [1, 3, 2] }];
  for (const a of measures) {
    for (const b of measures) {
      const { potential, distance } = transport1d(a, b);
      near(expectation(a, potential.at) - expectation(b, potential.at), distance, 1e-6);
      potential.knots.forEach((x, i) => {
        if (i === 0) return;
        const rise = Math.abs(potential.values[i]! - potential.values[i - 1]!);
        assert.ok(rise <= (x - potential.knots[i - 1]!) * (1 + 1e-12));
      });
    }
  }
});

test('an atom that has to be split has a plan, and no map', () => {
  const { plan, map } = transport1d([0, 1], [0, 1, 2, 3]);
  assert.equal(
    plan.map(({ to }) => to[0]),
    [0, 1, 2, 3],
  );
  assert.throws(() => map(0), /atom at 0 has to be split between 0 and 1: there is a plan, but no map/);
  assert.equal([0, 1].map(transport1d([1, 0], [5, 4]).map), [4, 5]);
  assert.is(transport1d([1, 1, 2], [3, 3, 7]).map(1), 3, 'two atoms at one place that go to one place');
});

test('slivers of mass do not travel', () => {
  const weights = [1 - 3e-13, 1e-13, 2e-13];
  const found = wasserstein1d({ samples: [0, 1, 2], weights }, { samples: [0, 5], weights: [1, 1e-13] }, { p: 2 });
  assert.ok(found < 1e-5 && found >= 0);
});

test('wrong input is refused, and named', () => {
  assert.throws(() => wasserstein1d([], [1]), /a has no samples/);
  assert.throws(() => wasserstein1d([1], [0, NaN]), /sample 1 of b is NaN/);
  assert.throws(() => wasserstein1d([1], { samples: [1, 2], weights: [1] }), /b has 2 samples and 1 weights/);
  assert.throws(() => wasserstein1d([1], { samples: [1], weights: [-1] }), /the weights of b\[0\] is -1/);
  assert.throws(() => wasserstein1d({ edges: [0, 1], masses: [1, 1] }, q), /2 masses and 2 edges/);
  assert.throws(() => wasserstein1d({ edges: [0, 0], masses: [1] }, q), /edge 1 of a is 0/);
  assert.throws(() => wasserstein1d([1], [1], { p: 0.5 }), /^wasserstein1d: p must be a number, 1 or more, not 0.5/);
  assert.throws(() => transport1d([1], [1], { order: 2 } as never), /no option order/);
});

test.run();
