import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_TRANSPORT_PAIRS, solveTransport, wassersteinLp } from '../../gan/index.node.ts';
import { assignment, cTransform, normalizeMasses, pointCosts, potentialFrom, wasserstein1d } from '../../gan/index.ts';
import { near } from '../support/near.ts';
import { numbers } from '../support/values.ts';

const cloud = (n: number, dimension: number, seed: number): Float64Array => {
  const next = numbers(seed);
  return Float64Array.from({ length: n * dimension }, () => 4 * next() - 2);
};

const weights = (n: number, seed: number): Float64Array => {
  const next = numbers(seed);
  return Float64Array.from({ length: n }, () => next() + 0.05);
};

/** The least cost of a permutation: all of them are tried. */
const bestPermutation = (costs: Float64Array, n: number, row = 0, free = (1 << n) - 1): number => {
  if (row === n) return 0;
  let best = Infinity;
  for (let j = 0; j < n; j++) {
    if (free & (1 << j))
      best = Math.min(best, costs[row * n + j]! + bestPermutation(costs, n, row + 1, free ^ (1 << j)));
  }
  return best;
};

test('equal masses: the best plan is the best permutation, all of which are tried', async () => {
  for (let n = 1; n <= 7; n++) {
    for (const p of [1, 2]) {
      const [x, y] = [cloud(n, 2, n), cloud(n, 2, n + 50)];
      const { cost, distance, plan } = await wassersteinLp(x, y, { dimension: 2, p });
      near(cost, bestPermutation(pointCosts(x, y, { dimension: 2, p }), n) / n, 1e-12);
      near(distance, cost ** (1 / p), 1e-15);
      assert.ok(plan.every((mass) => Math.abs(mass * n - Math.round(mass * n)) < 1e-9));
    }
  }
});

test('equal masses: the assignment costs what the linear program does, of more points than can be tried', async () => {
  for (const [n, p] of [
    [40, 1],
    [64, 2],
  ] as const) {
    const [x, y] = [cloud(n, 2, n), cloud(n, 2, n + 50)];
    const { cost } = await wassersteinLp(x, y, { dimension: 2, p });
    near(assignment(pointCosts(x, y, { dimension: 2, p }), n).cost / n, cost, 1e-9);
  }
});

test('on the line it agrees with sorting, with weights and unequal numbers', async () => {
  for (const [n, m] of [
    [1, 4],
    [5, 3],
    [30, 41],
  ] as const) {
    for (const p of [1, 2, 3]) {
      const [x, y, xWeights, yWeights] = [cloud(n, 1, n), cloud(m, 1, m + 9), weights(n, 1), weights(m, 2)];
      const { distance } = await wassersteinLp(x, y, { dimension: 1, p, xWeights, yWeights });
      near(distance, wasserstein1d({ samples: x, weights: xWeights }, { samples: y, weights: yWeights }, { p }), 1e-9);
    }
  }
});

test('plan, potentials, gap and complementary slackness certify the optimum', async () => {
  const [n, m] = [40, 25];
  const [x, y, a, b] = [cloud(n, 3, 1), cloud(m, 3, 2), weights(n, 3), weights(m, 4)];
  const { cost, plan, u, v, gap, slackness } = await wassersteinLp(x, y, {
    dimension: 3,
    xWeights: a,
    yWeights: b,
  });
  const costs = pointCosts(x, y, { dimension: 3 });
  const [source, target] = [normalizeMasses(a), normalizeMasses(b)];
  for (let i = 0; i < n; i++) near(sum(plan.subarray(i * m, (i + 1) * m)), source[i]!, 1e-12);
  for (let j = 0; j < m; j++) near(sum(plan.filter((_, k) => k % m === j)), target[j]!, 1e-12);
  plan.forEach((mass, k) => {
    const reduced = costs[k]! - u[Math.floor(k / m)]! - v[k % m]!;
    assert.ok(mass >= 0 && reduced > -1e-8);
    assert.ok(mass * reduced < 1e-12);
  });
  assert.ok(plan.filter((mass) => mass > 1e-12).length <= n + m - 1, 'a vertex');
  near(cost, sum(plan.map((mass, k) => mass * costs[k]!)), 1e-13);
  near(cost - dot(source, u) - dot(target, v), gap, 1e-12);
  assert.ok(Math.abs(gap) < 1e-10 && slackness < 1e-10 && slackness >= 0);
});

test('Kantorovich-Rubinstein: the potential is 1-Lipschitz on the plane and attains W1', async () => {
  const [n, m] = [20, 30];
  const [x, y] = [cloud(n, 2, 5), cloud(m, 2, 6)];
  const { distance, potential, u, v } = await wassersteinLp(x, y, { dimension: 2 });
  const means = [x, y].map((points) => {
    const count = points.length / 2;
    return sum(Float64Array.from({ length: count }, (_, i) => potential(points.subarray(2 * i, 2 * i + 2)))) / count;
  });
  near(means[0]! - means[1]!, distance, 1e-9);
  const places = cloud(60, 2, 7);
  for (let i = 0; i < 60; i++) {
    for (let j = 0; j < i; j++) {
      const [z, w] = [places.subarray(2 * i, 2 * i + 2), places.subarray(2 * j, 2 * j + 2)];
      const apart = Math.hypot(z[0]! - w[0]!, z[1]! - w[1]!);
      assert.ok(Math.abs(potential(z) - potential(w)) <= apart * (1 + 1e-12));
    }
  }
  // Of an optimal v the c-transform is an optimal u: no smaller, of the same dual value.
  const transform = cTransform(pointCosts(x, y, { dimension: 2 }), v);
  assert.ok(transform.every((value, i) => value >= u[i]! - 1e-9));
  near(sum(transform) / n + sum(v) / m, distance, 1e-9);
});

test('the c-transform by hand, and a function of the space from it', () => {
  assert.equal([...cTransform([1, 4, 2, 3], [0, 2])], [1, 1]);
  const f = potentialFrom([0, 3], [0, 1], { dimension: 1 });
  assert.equal(
    [-1, 0, 1, 2, 5].map((z) => f([z])),
    [1, 0, 1, 0, 1],
  );
  assert.is(potentialFrom([0, 3], [0, 1], { dimension: 1, p: 2 })([1]), 1);
  assert.throws(() => f([1, 2]), /2 coordinates, not 1/);
  assert.throws(() => potentialFrom([0, 3], [0], { dimension: 1 }), /2 points and 1 values/);
  assert.throws(() => cTransform([1, 2, 3], [0, 0]), /3 costs are not n >= 1 rows of 2/);
});

test('segments: W1 of {0} x [0,1] and {theta} x [0,1] is |theta|', async () => {
  const segment = (theta: number) => Float64Array.from({ length: 2 * 15 }, (_, k) => (k % 2 ? (k - 1) / 28 : theta));
  for (const theta of [-1, -0.25, 0, 0.5, 2]) {
    for (const p of [1, 2]) {
      const { distance } = await wassersteinLp(segment(0), segment(theta), { dimension: 2, p });
      near(distance, Math.abs(theta), 1e-9);
    }
  }
});

test('translation and scaling', async () => {
  const [x, y] = [cloud(12, 2, 8), cloud(9, 2, 9)];
  const { distance } = await wassersteinLp(x, y, { dimension: 2, p: 2 });
  const scaled = await wassersteinLp(
    x.map((c) => 1e6 * c),
    y.map((c) => 1e6 * c),
    { dimension: 2, p: 2 },
  );
  near(scaled.distance / distance, 1e6, 1e-4);
  // W2² of a shift is |shift|² and that of the rest: 2 (mean x - mean y) · shift + |shift|².
  const shifted = await wassersteinLp(
    x,
    y.map((c, k) => c + (k % 2 ? -4 : 3)),
    { dimension: 2, p: 2 },
  );
  const mean = (points: Float64Array, axis: number) =>
    (2 * sum(points.filter((_, k) => k % 2 === axis))) / points.length;
  const [dx, dy] = [mean(y, 0) - mean(x, 0), mean(y, 1) - mean(x, 1)];
  near(shifted.distance ** 2, distance ** 2 + 2 * (3 * dx - 4 * dy) + 25, 1e-9);
});

test('pairs that were not among the first to enter are found: clusters whose order is turned around', async () => {
  // The cheapest pairs of each point lie in its own cluster, where there is no room.
  const [x, y] = [new Float64Array(60), new Float64Array(60)];
  for (let i = 0; i < 60; i++) [x[i], y[i]] = [i < 50 ? i * 1e-3 : 10 + i * 1e-3, i < 10 ? i * 1e-3 : 10 + i * 1e-3];
  const { distance } = await wassersteinLp(x, y, { dimension: 1 });
  near(distance, wasserstein1d(x, y), 1e-9);
});

test('masses of 0, costs of 0, and equal input for equal output', async () => {
  const zero = await solveTransport([0, 0, 0, 0], [1, 0], [0, 2]);
  assert.is(zero.cost, 0);
  assert.equal([...zero.plan], [0, 1, 0, 0]);
  const [x, y] = [cloud(20, 2, 10), cloud(20, 2, 11)];
  const [one, two] = [await wassersteinLp(x, y, { dimension: 2 }), await wassersteinLp(x, y, { dimension: 2 })];
  assert.equal(one.plan, two.plan);
  assert.equal(one.u, two.u);
});

test('wrong input is refused, and named', async () => {
  const rejects = async (attempt: () => Promise<unknown>, pattern: RegExp) => {
    try {
      await attempt();
    } catch (error) {
      assert.match((error as Error).message, pattern);
      return;
    }
    assert.unreachable(`nothing was thrown that matches ${pattern}`);
  };
  await rejects(() => wassersteinLp([], [1], { dimension: 1 }), /x has 0 values, not n >= 1 points of 1/);
  await rejects(() => wassersteinLp([1, 2, 3], [1, 2], { dimension: 2 }), /x has 3 values/);
  await rejects(() => wassersteinLp([1], [Infinity], { dimension: 1 }), /point 0 of y has the coordinate Infinity/);
  await rejects(
    () => wassersteinLp([1], [1], { dimension: 1, p: 0.5 }),
    /^wassersteinLp: p must be a number, 1 or more, not 0.5/,
  );
  await rejects(() => wassersteinLp([1], [1], { dimension: 1, xWeights: [1, 1] }), /x has 1 points and 2 weights/);
  await rejects(() => wassersteinLp([1], [1], { dimension: 1, order: 2 } as never), /no option order/);
  await rejects(() => solveTransport([1, 2], [1], [1, -1]), /masses\[1\] is -1/);
  await rejects(() => solveTransport([1, NaN], [1], [1, 1]), /cost 1 is NaN/);
  await rejects(() => solveTransport([1], [1], [1, 1]), /1 costs, not 1 x 2/);
  const many = new Float64Array(MAX_TRANSPORT_PAIRS / 2 + 1);
  await rejects(() => wassersteinLp(many, new Float64Array(2), { dimension: 1 }), /pairs are more than 1048576/);
});

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((s, x) => s + x, 0);
const dot = (a: Float64Array, b: Float64Array): number => a.reduce((s, x, i) => s + x * b[i]!, 0);

test.run();
