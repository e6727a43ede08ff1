/** Values of a critic on a grid, and the lines where they are equal. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { destroy, init, type Tensor } from '../../engine/index.ts';
import { type Box, evaluateField, levelSet, type ScalarField } from '../../gan/index.ts';
import * as nn from '../../nn/index.ts';
import { on, openGpu, reference } from '../support/devices.ts';
import { rejection } from '../support/rejection.ts';

const test = suite('field');
await init({ adapter: 'reference' });
const gpu = await openGpu();
test.after(() => {
  gpu.destroy();
  destroy();
});

const box: Box = { x: [-2, 2], y: [0, 3] };
const plane = {
  forward: (x: Tensor) =>
    x
      .slice([
        [0, x.shape[0]!],
        [0, 1],
      ])
      .add(
        x
          .slice([
            [0, x.shape[0]!],
            [1, 2],
          ])
          .mul(10),
      ),
};

for (const [name, device] of [
  ['reference', reference],
  ['webgpu', gpu],
] as const) {
  test(`a field has the function's values at the grid's points, rows from below, on ${name}`, async () => {
    for (const batchSize of [4096, 5]) {
      const field = await on(device, () => evaluateField(plane, box, { resolution: 4, batchSize }));
      assert.equal([field.columns, field.rows, field.box], [4, 4, box]);
      const expected = [0, 1, 2, 3].flatMap((y) => [0, 1, 2, 3].map((x) => -2 + (4 * x) / 3 + 10 * y));
      expected.forEach((v, i) => {
        assert.ok(Math.abs(field.values[i]! - v) < 1e-5, `point ${i}`);
      });
    }
  });
}

test('a critic is evaluated in evaluation mode, and stays in its own', async () => {
  const critic = new nn.Sequential(new nn.Linear(2, 1), new nn.Dropout(0.9));
  const twice = await Promise.all([1, 2].map(() => evaluateField(critic, box, { resolution: 8 })));
  assert.equal(twice[0], twice[1]);
  assert.is(critic.training, true);
});

const fieldOf = (f: (x: number, y: number) => number, columns: number, rows: number, b: Box): ScalarField => ({
  box: b,
  columns,
  rows,
  values: Float32Array.from({ length: columns * rows }, (_, i) => {
    const at = ([least, most]: readonly [number, number], k: number, n: number) =>
      least + ((most - least) * k) / (n - 1);
    return f(at(b.x, i % columns, columns), at(b.y, Math.floor(i / columns), rows));
  }),
});

test('the level set of a plane is one straight line, from edge to edge', () => {
  const field = fieldOf((x, y) => x + 2 * y, 9, 7, box);
  const [line, ...others] = levelSet(field, 2.1);
  assert.is(others.length, 0);
  for (const [x, y] of line!) assert.ok(Math.abs(x + 2 * y - 2.1) < 1e-5, `${x}, ${y}`);
  const ends = [line![0]!, line!.at(-1)!].sort((a, b) => a[0] - b[0]);
  const near = (a: readonly number[], b: readonly number[]) =>
    assert.ok(
      a.every((v, i) => Math.abs(v - b[i]!) < 1e-5),
      `${a} is not near ${b}`,
    );
  near(ends[0]!, [-2, 2.05]);
  near(ends[1]!, [2, 0.05]);
});

test('the level sets of a bowl are rings, of the right length', () => {
  const square: Box = { x: [-1, 1], y: [-1, 1] };
  const field = fieldOf((x, y) => Math.hypot(x, y), 81, 81, square);
  for (const radius of [0.3, 0.77]) {
    const [ring, ...others] = levelSet(field, radius);
    assert.is(others.length, 0);
    assert.equal(ring![0], ring!.at(-1), 'closed');
    const length = ring!.slice(1).reduce((s, [x, y], i) => s + Math.hypot(x - ring![i]![0], y - ring![i]![1]), 0);
    assert.ok(Math.abs(length / (2 * Math.PI * radius) - 1) < 1e-3, String(length));
  }
});

test('two hills have two rings, and a saddle goes with the mean of its corners', () => {
  const square: Box = { x: [-2, 2], y: [-2, 2] };
  const hills = fieldOf(
    (x, y) => Math.exp(-4 * ((x - 1) ** 2 + y * y)) + Math.exp(-4 * ((x + 1) ** 2 + y * y)),
    40,
    40,
    square,
  );
  assert.is(levelSet(hills, 0.5).length, 2);
  const cell = (values: readonly number[]): ScalarField => ({
    box: { x: [0, 1], y: [0, 1] },
    columns: 2,
    rows: 2,
    values: Float32Array.from(values),
  });
  // Lower left and upper right above the level; whether they are joined depends on the mean.
  const sides = (values: readonly number[]) =>
    levelSet(cell(values), 0)
      .map((line) =>
        line
          .map(([x, y]) => [x, y].join(' '))
          .sort()
          .join(' to '),
      )
      .sort();
  assert.equal(sides([3, -1, -1, 3]), ['0 0.75 to 0.25 1', '0.75 0 to 1 0.25'], 'joined: the low corners are cut off');
  assert.equal(sides([1, -3, -3, 1]), ['0 0.25 to 0.25 0', '0.75 1 to 1 0.75'], 'apart: the high corners are cut off');
  assert.equal(levelSet(cell([1, 1, 1, 1]), 0), []);
  assert.equal(levelSet(cell([1, -1, Number.NaN, 1]), 0), []);
});

const constant = { forward: (x: Tensor) => x.sum() };
for (const [name, call, message] of [
  [
    'one point',
    () => evaluateField(plane, box, { resolution: 1 }),
    /resolution must be a whole number, 2 or more, not 1/,
  ],
  ['an empty batch', () => evaluateField(plane, box, { batchSize: 0 }), /batchSize must be/],
  ['an empty box', () => evaluateField(plane, { x: [1, 1], y: [0, 1] }), /a box goes from a number to a larger one/],
  ['a box without end', () => evaluateField(plane, { x: [0, 1], y: [0, Infinity] }), /a box goes from/],
  ['a critic of the whole batch', () => evaluateField(constant, box), /the critic gave \[\] for points \[4096,2\]/],
] as const) {
  test(`refuses ${name}`, async () => {
    assert.match((await rejection(call())).message, message);
  });
}
test('refuses a grid that is not full', () => {
  assert.throws(() => levelSet({ box, columns: 2, rows: 2, values: new Float32Array(3) }, 0), /3 values are not 2 x 2/);
});

test.run();
