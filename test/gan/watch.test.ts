/** The watch over a training: what ends a run. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { init } from '../../engine/index.ts';
import { createWatch, DivergenceError, train } from '../../gan/index.ts';
import { SGD } from '../../nn/index.ts';
import { make } from '../support/smallGan.ts';

await init({ adapter: 'reference' });
const test = suite('watch');

const calm = { criticLoss: -1, generatorLoss: 0.5, spread: 0.1 };

/** The step and message at which a watch ends a run of such rows; undefined if it does not. */
function ends(rows: readonly Partial<typeof calm>[]): [step: number, message: string] | undefined {
  const watch = createWatch();
  for (const [k, row] of rows.entries()) {
    try {
      watch({ ...calm, ...row, step: k + 1 });
    } catch (e) {
      assert.instance(e, DivergenceError);
      assert.is((e as DivergenceError).step, k + 1);
      return [k + 1, (e as Error).message];
    }
  }
  return undefined;
}

test('a watch ends a run with losses that are no numbers, or without bound, and says whose', () => {
  const cases: [row: Partial<typeof calm>, message: RegExp][] = [
    [
      { criticLoss: Number.NaN },
      /^training diverged at step 3: the critic's loss is not a number; lower the learning rates/,
    ],
    [{ generatorLoss: Number.NaN }, /the generator's loss is not a number/],
    [{ criticLoss: Infinity }, /the critic's loss is Infinity; .* or a regulariser$/],
    [{ generatorLoss: -2e8 }, /the generator's loss is -2.0e\+8;/],
  ];
  for (const [row, message] of cases) {
    const [step, text] = ends([{}, {}, row])!;
    assert.is(step, 3);
    assert.match(text, message);
  }
  assert.is(ends([{ criticLoss: -9e7 }, { generatorLoss: 9e7 }]), undefined);
});

test('a watch ends a run whose critic says the same of everything, after a hundred steps in a row', () => {
  const silent = (n: number) => Array.from({ length: n }, () => ({ spread: 0 }));
  assert.is(ends(silent(99)), undefined);
  assert.is(ends([...silent(99), {}, ...silent(99)]), undefined);
  const [step, text] = ends([{}, ...silent(100)])!;
  assert.is(step, 101);
  assert.match(
    text,
    /the critic has given every sample the same score for 100 steps; lower the critic's learning rate/,
  );
  // Rounding makes a spread of its own: large scores that differ in the last bit only are the same.
  assert.is(ends(Array.from({ length: 100 }, () => ({ criticLoss: 1e4, spread: 1e-4 })))?.[0], 100);
  assert.is(ends(Array.from({ length: 200 }, () => ({ criticLoss: 1e-3, spread: 1e-6 }))), undefined);
});

test('a training that runs away is ended by the watch, not trained on', async () => {
  const { gan, data } = make({
    regularizers: [],
    criticSteps: 1,
    criticOptimizer: (p) => new SGD(p, { lr: 1e6 }),
  });
  const watch = createWatch();
  const error = await (async () => {
    for await (const row of train(gan, { data }, { until: 500 })) watch(row);
  })().then(
    () => undefined,
    (e: unknown) => e,
  );
  assert.instance(error, DivergenceError);
  assert.ok((error as DivergenceError).step < 20);
});

test.run();
