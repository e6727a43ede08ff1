/** The training loop: the algorithm step by step, schedules, accumulation, stopping, going on; and what ends a run. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { destroy, grad, init, Rng, scope, type Tensor } from '../../engine/index.ts';
import {
  createWatch,
  DivergenceError,
  Gan,
  type GanOptions,
  gaussianRing,
  linearDecay,
  mlp,
  pointSet,
  type StepRow,
  Training,
  type TrainingOptions,
  trainingData,
} from '../../gan/index.ts';
import { Adam, DataLoader, decodeCheckpoint, encodeCheckpoint, SGD } from '../../nn/index.ts';
import { adapter } from '../support/devices.ts';

await init({ device: 'reference' });
const test = suite('training');

const BATCH = 8;
const set = pointSet(gaussianRing(), { seed: 1, trainSize: 64, testSize: 8 });

/** A small GAN and its data; two of them are alike to the last bit. */
function make(options: GanOptions = {}) {
  const networks = mlp({ shape: [2], latent: 2, width: 8, depth: 1, rng: new Rng(1, 1) });
  const gan = new Gan(networks, new Rng(1, 2), {
    criticOptimizer: (p) => new Adam(p, { lr: 1e-2, betas: [0.5, 0.9] }),
    ...options,
  });
  const data = new DataLoader(trainingData(set), {
    batchSize: BATCH,
    shuffle: true,
    dropLast: true,
    rng: new Rng(1, 3),
  });
  return { gan, data };
}

const weights = async ({ networks: { critic, generator } }: Gan): Promise<number[]> => {
  const values = await Promise.all([...critic.parameters(), ...generator.parameters()].map((p) => p.data()));
  return values.flatMap((v) => [...v]);
};

interface Trained {
  readonly rows: StepRow[];
  readonly weights: number[];
}

/** Trains a GAN of its own. */
async function train(steps: number, options: TrainingOptions, ganOptions: GanOptions = {}): Promise<Trained> {
  const { gan, data } = make(ganOptions);
  const training = new Training(gan, data, options);
  const rows: StepRow[] = [];
  await training.run(steps, { onRow: (row) => rows.push(row) });
  const result = { rows, weights: await weights(gan) };
  training.dispose();
  gan.dispose();
  return result;
}

test('a step is so many updates of the critic, each on new real samples, then one of the generator', async () => {
  const { rows, weights: found } = await train(3, { criticSteps: 2, compiled: false });
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
  const { rows } = await train(2, { criticSteps: 1 });
  for (const { criticLoss, wasserstein, penalty, spread } of rows) {
    assert.ok(Math.abs(criticLoss! - (penalty! - wasserstein!)) < 1e-9, `${criticLoss} = ${penalty} - ${wasserstein}`);
    assert.ok(penalty! > 0 && spread! > 0);
  }
  const plain = await train(1, { criticSteps: 1 }, { objective: 'non-saturating' });
  assert.equal(Object.keys(plain.rows[0]!), ['step', 'criticLoss', 'jsd', 'generatorLoss', 'spread']);
});

/** Changes from step to step, so that a value baked into the recorded step would show. */
const changing: TrainingOptions = {
  criticSteps: 2,
  accumulate: 2,
  schedule: (done) => 1 - done,
  noiseSchedule: (d) => d,
};

test('compiled as eager, bit for bit, while rates and noise change', async () => {
  const noisy = { instanceNoise: 0.5 };
  const eager = await train(5, { ...changing, compiled: false }, noisy);
  const compiled = await train(5, { ...changing, compiled: true }, noisy);
  assert.equal(compiled.rows, eager.rows);
  assert.equal(compiled.weights, eager.weights);
  const still = await train(5, { ...changing, noiseSchedule: () => 0 }, noisy);
  assert.not.equal(still.rows, compiled.rows);
});

test('on WebGPU as in float64, with rates and noise that change', async () => {
  const noisy = { instanceNoise: 0.5 };
  const exact = await train(5, changing, noisy);
  await init({ adapter });
  const found = await train(5, changing, noisy);
  destroy();
  await init({ device: 'reference' });
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
  const { gan, data } = make({ instanceNoise: 0.5 });
  const asked: number[] = [];
  const schedule = (done: number): number => {
    asked.push(done);
    return linearDecay(0.5)(done);
  };
  const training = new Training(gan, data, { criticSteps: 1, schedule });
  const rates: [number, number, number][] = [];
  const onRow = () => rates.push([gan.criticOptimizer.lr, gan.generatorOptimizer.lr, gan.instanceNoise]);
  await training.run(4, { of: 8, onRow });
  assert.equal(asked, [0, 1 / 8, 2 / 8, 3 / 8]);
  // The row of a step is read while the next one is under way: the last is reported alone.
  assert.equal(rates.at(-1), [1e-2 * (1 - 3 / 16), 1e-2 * (1 - 3 / 16), 0.5 * (1 - 3 / 8)]);
  await training.run(8);
  assert.equal(asked.slice(4), [4 / 8, 5 / 8, 6 / 8, 7 / 8]);
});

test('accumulation updates with the mean gradient of its batches', async () => {
  const lr = 0.1;
  const options: GanOptions = { criticOptimizer: (p) => new SGD(p, { lr }) };
  const [found, twin] = [make(options), make(options)];
  const training = new Training(found.gan, found.data, { criticSteps: 1, accumulate: 3, compiled: false });
  const parameters = twin.gan.networks.critic.parameters();
  const before = await Promise.all(parameters.map((p) => p.data()));
  const batches = twin.data.epochs()[Symbol.iterator]();
  const gradients: (readonly ArrayLike<number>[])[] = [];
  for (let k = 0; k < 3; k++) {
    const tensors: Tensor[] = scope(() => grad(twin.gan.measure(batches.next().value.sample).loss, parameters));
    gradients.push(await Promise.all(tensors.map((g) => g.data())));
  }
  await training.run(1);
  const after = await Promise.all(found.gan.networks.critic.parameters().map((p) => p.data()));
  for (const [p, values] of after.entries()) {
    for (const [i, value] of values.entries()) {
      const g = gradients.reduce((sum, all) => sum + all[p]![i]!, 0) / 3;
      assert.ok(Math.abs(value - (before[p]![i]! - lr * g)) < 1e-12);
    }
  }
});

test('a signal stops after the step under way, every step is reported once, and the run can go on', async () => {
  const whole = await train(6, { criticSteps: 1 });
  const { gan, data } = make();
  const training = new Training(gan, data, { criticSteps: 1 });
  const signal = { aborted: false };
  const rows: StepRow[] = [];
  const onRow = (row: StepRow): void => {
    rows.push(row);
    signal.aborted = row.step === 2;
  };
  await training.run(6, { signal, onRow });
  assert.ok(training.step < 6 && training.step >= 2, `stopped at ${training.step}`);
  assert.is(rows.length, training.step);
  await training.run(6, { signal: { aborted: false }, onRow });
  assert.equal(rows, whole.rows);
  assert.equal(await weights(gan), whole.weights);
});

test('what onRow throws ends the run', async () => {
  const { gan, data } = make();
  const training = new Training(gan, data, { criticSteps: 1 });
  const onRow = (row: StepRow): void => {
    if (row.step === 2) throw new Error('enough');
  };
  const message = await training.run(50, { onRow }).then(
    () => 'ran through',
    (e: Error) => e.message,
  );
  assert.is(message, 'enough');
  assert.ok(training.step < 5);
});

test('goes on from its parts in new objects, in the middle of an epoch, with the same bits', async () => {
  const options = { criticSteps: 3, schedule: linearDecay(0.1) };
  const ganOptions = { emaDecay: 0.9, instanceNoise: 0.3 };
  const whole = await train(7, options, ganOptions);
  const first = make(ganOptions);
  const start = new Training(first.gan, first.data, options);
  await start.run(4, { of: 7 });
  const bytes = await encodeCheckpoint(start.parts);
  const second = make(ganOptions);
  second.gan.rng.normal([5]); // what was drawn before must not matter
  const training = new Training(second.gan, second.data, options);
  await decodeCheckpoint(bytes, training.parts);
  training.resumeAt(4);
  const rows: StepRow[] = [];
  await training.run(7, { onRow: (row) => rows.push(row) });
  assert.equal(rows, whole.rows.slice(4));
  assert.equal(await weights(second.gan), whole.weights);
  // Back to the checkpoint, and forth again.
  await decodeCheckpoint(bytes, training.parts);
  training.resumeAt(4);
  await training.run(7);
  assert.equal(await weights(second.gan), whole.weights);
});

test('options that are no counts, or that there are not', () => {
  const { gan, data } = make();
  const message = (options: object): string => {
    try {
      new Training(gan, data, options as never);
      return 'accepted';
    } catch (e) {
      return (e as Error).message;
    }
  };
  assert.is(message({ criticSteps: 0 }), 'Training: criticSteps must be a whole number, 1 or more, not 0');
  assert.is(message({ accumulate: 1.5 }), 'Training: accumulate must be a whole number, 1 or more, not 1.5');
  assert.match(message({ criticSteps: '2' }), /^Training: criticSteps is a number/);
  assert.match(message({ steps: 2 }), /^Training: there is no option steps/);
});

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
    criticOptimizer: (p) => new SGD(p, { lr: 1e6 }),
  });
  const training = new Training(gan, data, { criticSteps: 1 });
  const error = await training.run(500, { onRow: createWatch() }).then(
    () => undefined,
    (e: unknown) => e,
  );
  assert.instance(error, DivergenceError);
  assert.ok(training.step < 20, `${training.step} steps`);
});

test.run();
