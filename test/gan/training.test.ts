/** The training loop on a GAN: the algorithm step by step, schedules, accumulation, stopping, going on. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { destroy, grad, init, scope, type Tensor } from '../../engine/index.ts';
import {
  type Gan,
  type GanOptions,
  linearDecay,
  partsOf,
  type StepRow,
  type TrainOptions,
  train,
} from '../../gan/index.ts';
import { decodeCheckpoint, encodeCheckpoint, SGD } from '../../nn/index.ts';
import { adapter } from '../support/devices.ts';
import { BATCH, make, rowsOf } from '../support/smallGan.ts';

await init({ adapter: 'reference' });
const test = suite('training');

const weights = async ({ networks: { critic, generator } }: Gan): Promise<number[]> => {
  const values = await Promise.all([...critic.parameters(), ...generator.parameters()].map((p) => p.data()));
  return values.flatMap((v) => [...v]);
};

interface Trained {
  readonly rows: StepRow[];
  readonly weights: number[];
}

/** Trains a GAN of its own. */
async function trained(
  until: number,
  ganOptions: GanOptions = {},
  options: Partial<TrainOptions> = {},
): Promise<Trained> {
  const { gan, data } = make(ganOptions);
  const rows = await rowsOf(train(gan, { data }, { until, ...options }));
  const result = { rows, weights: await weights(gan) };
  gan.dispose();
  return result;
}

test('a step is so many updates of the critic, each on new real samples, then one of the generator', async () => {
  const { rows, weights: found } = await trained(3, { criticSteps: 2 }, { compiled: false });
  const { gan, data } = make();
  const batches = data.epochs()[Symbol.iterator]();
  for (let k = 0; k < 3; k++) {
    let [criticLoss, generatorLoss] = [0, 0];
    for (let i = 0; i < 2; i++) criticLoss = await gan.criticStep(batches.next().value.sample).loss.item();
    generatorLoss = await gan.generatorStep(BATCH).item();
    assert.is(rows[k]!.step, k + 1);
    assert.is(rows[k]!.criticLoss, criticLoss);
    assert.is(rows[k]!.generatorLoss, generatorLoss);
  }
  assert.equal(found, await weights(gan));
});

test('rows give the objective, its estimate, the penalty and the spread of scores', async () => {
  const { rows } = await trained(2, { criticSteps: 1 });
  for (const { criticLoss, wasserstein, penalty, spread } of rows) {
    assert.ok(Math.abs(criticLoss! - (penalty! - wasserstein!)) < 1e-9, `${criticLoss} = ${penalty} - ${wasserstein}`);
    assert.ok(penalty! > 0 && spread! > 0);
  }
  const plain = await trained(1, { criticSteps: 1, objective: 'non-saturating' });
  assert.equal(Object.keys(plain.rows[0]!), ['step', 'criticLoss', 'jsd', 'generatorLoss', 'spread']);
});

/** Changes from step to step, so that a value baked into the recorded step would show. */
const changing: GanOptions = { criticSteps: 2, accumulate: 2, noiseSchedule: (done) => done, instanceNoise: 0.5 };
const rates = (done: number): number => 1 - done;

test('compiled as eager, bit for bit, while rates and noise change', async () => {
  const eager = await trained(5, changing, { rates, compiled: false });
  const compiled = await trained(5, changing, { rates, compiled: true });
  assert.equal(compiled.rows, eager.rows);
  assert.equal(compiled.weights, eager.weights);
  const still = await trained(5, { ...changing, noiseSchedule: () => 0 }, { rates });
  assert.not.equal(still.rows, compiled.rows);
});

test('on WebGPU as in float64, with rates and noise that change', async () => {
  const exact = await trained(5, changing, { rates });
  await init({ adapter });
  const found = await trained(5, changing, { rates });
  destroy();
  await init({ adapter: 'reference' });
  assert.is(found.rows.length, 5);
  for (const [k, row] of found.rows.entries()) {
    for (const [name, value] of Object.entries(row)) {
      const wanted = exact.rows[k]![name]!;
      assert.ok(
        Math.abs(value - wanted) < 2e-4 * Math.max(1, Math.abs(wanted)),
        `step ${k + 1}: ${name} ${value}, ${wanted}`,
      );
    }
  }
});

test('schedules multiply the rates and the noise by how much of the whole training is done', async () => {
  const { gan, data } = make({ instanceNoise: 0.5, criticSteps: 1 });
  const asked: number[] = [];
  const rates = (done: number): number => {
    asked.push(done);
    return linearDecay(0.5)(done);
  };
  for await (const { step } of train(gan, { data }, { until: 4, of: 8, rates, pauses: () => true })) {
    const done = (step! - 1) / 8;
    assert.equal([gan.criticOptimizer.lr, gan.generatorOptimizer.lr], Array(2).fill(1e-2 * (1 - done / 2)));
    assert.is(gan.instanceNoise, 0.5 * (1 - done));
  }
  assert.equal(new Set(asked), new Set([0, 1 / 8, 2 / 8, 3 / 8]));
  asked.splice(0);
  await rowsOf(train(gan, { data }, { from: 4, until: 8, rates }));
  assert.equal(new Set(asked), new Set([4 / 8, 5 / 8, 6 / 8, 7 / 8]));
  gan.criticOptimizer.lr = 0.25; // without a schedule it stays as it was set
  await rowsOf(train(gan, { data }, { from: 8, until: 9 }));
  assert.is(gan.criticOptimizer.lr, 0.25);
});

test('where it pauses the weights are those of the row, and nothing runs ahead; the numbers stay the same', async () => {
  const whole = await trained(6, { criticSteps: 1 });
  const { gan, data } = make({ criticSteps: 1 });
  const at: Record<number, number[]> = {};
  const rows: StepRow[] = [];
  for await (const row of train(gan, { data }, { until: 6, pauses: (step) => step % 3 === 0 })) {
    rows.push(row);
    if (row.step! % 3 === 0) at[row.step!] = await weights(gan);
  }
  assert.equal(rows, whole.rows);
  for (const until of [3, 6]) assert.equal(at[until], (await trained(until, { criticSteps: 1 })).weights);
});

test('accumulation updates with the mean gradient of its batches', async () => {
  const lr = 0.1;
  const options: GanOptions = { criticOptimizer: (p) => new SGD(p, { lr }), criticSteps: 1, accumulate: 3 };
  const [found, twin] = [make(options), make(options)];
  const parameters = twin.gan.networks.critic.parameters();
  const before = await Promise.all(parameters.map((p) => p.data()));
  const batches = twin.data.epochs()[Symbol.iterator]();
  const gradients: (readonly ArrayLike<number>[])[] = [];
  for (let k = 0; k < 3; k++) {
    const tensors: Tensor[] = scope(() => grad(twin.gan.measure(batches.next().value.sample).loss, parameters));
    gradients.push(await Promise.all(tensors.map((g) => g.data())));
  }
  await rowsOf(train(found.gan, { data: found.data }, { until: 1, compiled: false }));
  const after = await Promise.all(found.gan.networks.critic.parameters().map((p) => p.data()));
  for (const [p, values] of after.entries()) {
    for (const [i, value] of values.entries()) {
      const g = gradients.reduce((sum, all) => sum + all[p]![i]!, 0) / 3;
      assert.ok(Math.abs(value - (before[p]![i]! - lr * g)) < 1e-12);
    }
  }
});

test('a signal stops after the step under way, every step has one row, and another loop goes on', async () => {
  const whole = await trained(6, { criticSteps: 1 });
  const { gan, data } = make({ criticSteps: 1 });
  const signal = { aborted: false };
  const rows: StepRow[] = [];
  for await (const row of train(gan, { data }, { until: 6, signal })) {
    rows.push(row);
    signal.aborted = row.step === 2;
  }
  assert.ok(rows.length < 6 && rows.length >= 2, `stopped at ${rows.length}`);
  rows.push(...(await rowsOf(train(gan, { data }, { from: rows.length, until: 6 }))));
  assert.equal(rows, whole.rows);
  assert.equal(await weights(gan), whole.weights);
});

test('a loop that is left does not go on, and what was captured is freed', async () => {
  const { gan, data } = make({ criticSteps: 1 });
  let steps = 0;
  try {
    for await (const row of train(gan, { data }, { until: 50 })) {
      steps = row.step!;
      if (row.step === 2) throw new Error('enough');
    }
  } catch (e) {
    assert.is((e as Error).message, 'enough');
  }
  assert.is(steps, 2);
  assert.ok(data.stateDict().batch <= 3, 'no step was begun afterwards');
});

test('goes on from its parts in new objects, in the middle of an epoch, with the same bits', async () => {
  const ganOptions = { emaDecay: 0.9, instanceNoise: 0.3, criticSteps: 3 };
  const rates = linearDecay(0.1);
  const whole = await trained(7, ganOptions, { rates });
  const first = make(ganOptions);
  await rowsOf(train(first.gan, { data: first.data }, { until: 4, of: 7, rates }));
  const bytes = await encodeCheckpoint(partsOf(first.gan, { data: first.data }));
  const { gan, data } = make(ganOptions);
  gan.rng.normal([5]); // what was drawn before must not matter
  const parts = partsOf(gan, { data });
  assert.equal(Object.keys(parts), [
    'critic',
    'criticOptimizer',
    'generator',
    'generatorOptimizer',
    'ema',
    'rng',
    'data',
  ]);
  await decodeCheckpoint(bytes, parts);
  const rest = () => rowsOf(train(gan, { data }, { from: 4, until: 7, rates }));
  assert.equal(await rest(), whole.rows.slice(4));
  assert.equal(await weights(gan), whole.weights);
  // Back to the checkpoint, and forth again.
  await decodeCheckpoint(bytes, parts);
  await rest();
  assert.equal(await weights(gan), whole.weights);
});

test.run();
