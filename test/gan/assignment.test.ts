import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Rng } from '../../engine/index.ts';
import { assignment } from '../../gan/index.ts';

/** The least cost over all orders of the columns. */
function leastOfAll(costs: ArrayLike<number>, n: number): number {
  const rest = (row: number, used: number): number => {
    if (row === n) return 0;
    let least = Infinity;
    for (let j = 0; j < n; j++) {
      if (used & (1 << j)) continue;
      least = Math.min(least, costs[row * n + j]! + rest(row + 1, used | (1 << j)));
    }
    return least;
  };
  return rest(0, 0);
}

test('it is the least of all orders, of random tables, with ties and negative costs', () => {
  const rng = new Rng(1);
  for (let round = 0; round < 200; round++) {
    const n = 1 + (round % 7);
    const drawn = Array.from(rng.hostNormal(n * n));
    const costs = round % 3 === 0 ? drawn.map((v) => Math.round(v)) : drawn;
    const { columns, cost } = assignment(costs, n);
    assert.equal(
      [...columns].sort((a, b) => a - b),
      Array.from({ length: n }, (_, i) => i),
      'each column once',
    );
    assert.ok(Math.abs(cost - leastOfAll(costs, n)) < 1e-9, `round ${round}`);
  }
});

test('points that were moved alike go back alike', () => {
  const n = 60;
  const points = new Rng(2).hostNormal(2 * n);
  const costs = Float64Array.from({ length: n * n }, (_, k) => {
    const [i, j] = [Math.floor(k / n), k % n];
    return Math.hypot(points[2 * i]! - points[2 * j]! - 0.01, points[2 * i + 1]! - points[2 * j + 1]!);
  });
  const { columns, cost } = assignment(costs, n);
  assert.equal(
    [...columns],
    Array.from({ length: n }, (_, i) => i),
  );
  assert.ok(Math.abs(cost / n - 0.01) < 1e-12);
});

test('what is no table of costs is refused', () => {
  assert.throws(() => assignment([1, 2, 3], 2), /3 costs are not 2 x 2/);
  assert.throws(() => assignment([1, Number.NaN, 3, 4], 2), /\[0,1\] is NaN/);
  assert.throws(() => assignment([], 0), /n/);
});

test.run();
