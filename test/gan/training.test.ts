/** The training loop: the algorithm step by step, schedules, accumulation, stopping, going on; and what ends a run. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { destroy, grad, init, memory, Rng, scope, type Tensor, tensor } from '../../engine/index.ts';
import {
  createWatch,
  DivergenceError,
  Gan,
  type GanOptions,
  gaussianRing,
  linearDecay,
  mlp,
  partsOf,
  pointSet,
  type StepRow,
  type System,
  type TrainOptions,
  train,
  trainingData,
} from '../../gan/index.ts';
import { Adam, DataLoader, Dropout, decodeCheckpoint, encodeCheckpoint, SGD } from '../../nn/index.ts';
import { adapter } from '../support/devices.ts';

await init({ adapter: 'reference' });
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

/** The rows of a loop, to its end. */
async function rowsOf(loop: AsyncIterable<StepRow>): Promise<StepRow[]> {
  const rows: StepRow[] = [];
  for await (const row of loop) rows.push(row);
  return rows;
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

/** The message of what this throws or rejects with. */
const messageOf = (run: () => unknown): Promise<string> =>
  (async () => run())().then(
    () => 'accepted',
    (e: Error) => e.message,
  );

test('options that are no counts, or that there are not, and systems that cannot be trained', async () => {
  const { gan, data } = make();
  const made = (options: object) => messageOf(() => make(options as GanOptions));
  assert.is(await made({ criticSteps: 0 }), 'Gan: criticSteps must be a whole number, 1 or more, not 0');
  assert.is(await made({ accumulate: 1.5 }), 'Gan: accumulate must be a whole number, 1 or more, not 1.5');
  assert.is(await made({ criticSteps: '2' }), 'Gan: criticSteps must be a whole number, 1 or more, not "2"');
  const run = (options: object, system: System = gan as System) =>
    messageOf(() => rowsOf(train(system, { data }, options as TrainOptions)));
  assert.match(await run({ steps: 2 }), /^train: there is no option steps/);
  assert.is(await run({ until: -1 }), 'train: until must be a whole number, 0 or more, or Infinity, not -1');
  const step = (values: () => Record<string, Tensor>): System => ({ players: {}, step: values });
  const one = { until: 1 };
  assert.match(
    await run(
      one,
      step(() => ({})),
    ),
    /^train: a step returns scalars by name, and this one returned none/,
  );
  assert.is(
    await run(
      one,
      step(() => ({ loss: tensor([1, 2]) })),
    ),
    'train: a step returns scalars, and loss is [2]; take its mean',
  );
  const twice: System = { players: {}, state: { data: new Rng(1) }, step: () => ({}) };
  assert.match(await messageOf(() => partsOf(twice, { data })), /^system: two parts are called data/);
});

test('knobs move without a new capture, phases have captures of their own, and work between steps is waited for', async () => {
  await init({ adapter });
  const { data } = make();
  const seen: string[] = [];
  const system: System<'data'> = {
    players: {},
    step({ data }, { knob }) {
      seen.push('captured');
      const { sample } = data[0]!;
      return { knob: knob!.mul(2), mean: sample!.mean() };
    },
    knobs: ({ step }) => ({ knob: step }),
    phase: ({ step }) => (step % 3 === 2 ? 'rest' : 'usual'),
    between: async ({ step, done }) => {
      await Promise.resolve();
      seen.push(`${step} ${done}`);
    },
  };
  const rows = await rowsOf(train(system, { data }, { until: 6 }));
  assert.equal(
    rows.map(({ step, knob }) => [step, knob]),
    [1, 2, 3, 4, 5, 6].map((step) => [step, 2 * (step - 1)]),
  );
  assert.ok(rows.every(({ mean }) => Number.isFinite(mean)));
  assert.is(seen.filter((word) => word === 'captured').length, 2);
  assert.equal(seen.filter((word) => word !== 'captured')[3], `3 ${3 / 6}`);
  destroy();
  await init({ adapter: 'reference' });
});

test('scalars have the names of the step that made them, whatever a later one returns', async () => {
  await init({ adapter });
  const { data } = make();
  const mode = new Dropout(0.5);
  const system: System<'data'> = {
    players: {},
    step: ({ data: [batch] }) => {
      const mean = batch!.sample!.mean();
      mode.forward(batch!.sample!);
      return mode.training ? { mean } : { more: mean.add(100), mean };
    },
    between: ({ step }) => void mode.train(step % 2 === 0),
  };
  const rows = await rowsOf(train(system, { data }, { until: 4 }));
  assert.equal(
    rows.map((row) => Object.keys(row)),
    [1, 2, 3, 4].map((step) => (step % 2 === 1 ? ['step', 'mean'] : ['step', 'more', 'mean'])),
  );
  assert.ok(rows.every(({ mean, more = 100 + mean! }) => Math.abs(more! - 100 - mean!) < 1e-4));
  destroy();
  await init({ adapter: 'reference' });
});

test('an error of a step, or between two, comes after the rows before it, and nothing runs after it', async () => {
  const { data } = make();
  for (const fails of ['step', 'between'] as const) {
    let steps = 0;
    const fail = (what: string) => {
      if (what === fails && steps === 2) throw new Error(`no third ${what}`);
    };
    const system: System<'data'> = {
      players: {},
      step({ data: [batch] }) {
        fail('step');
        steps++;
        return { mean: batch!.sample!.mean() };
      },
      between: () => fail('between'),
    };
    const rows: StepRow[] = [];
    const read = async () => {
      for await (const row of train(system, { data }, { until: 9, compiled: false })) rows.push(row);
    };
    const message = await read().catch((e: Error) => e.message);
    assert.is(message, `no third ${fails}`);
    assert.equal([rows.map(({ step }) => step), steps], [[1, 2], 2]);
  }
});

test('a system sets rates of its own between steps; schedules come before', async () => {
  const { gan, data } = make();
  const rates: number[] = [];
  const { optimizer } = gan.players.generator;
  const system: System<'data'> = {
    players: gan.players,
    step: ({ data: [batch] }) => ({ mean: batch!.sample!.mean() }),
    between: ({ step }) => {
      if (step === 1) optimizer.lr = 0.5;
      rates.push(optimizer.lr);
    },
  };
  await rowsOf(train(system, { data }, { until: 4, rates: linearDecay(0) }));
  assert.equal(rates, [1e-2, 0.5, 1e-2 * 0.5, 1e-2 * 0.25]);
});

test('captures of phases that never come back are freed', async () => {
  await init({ adapter });
  const { data } = make();
  const system: System<'data'> = {
    players: {},
    step: ({ data: [batch] }) => ({ mean: batch!.sample!.mean() }),
    phase: ({ step }) => `${step}`,
  };
  const bytes: number[] = [];
  for await (const row of train(system, { data }, { until: 60, pauses: () => true })) {
    if (row.step! % 20 === 0) bytes.push(memory().buffers);
  }
  assert.is(bytes[2], bytes[1], `${bytes}`);
  destroy();
  await init({ adapter: 'reference' });
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
