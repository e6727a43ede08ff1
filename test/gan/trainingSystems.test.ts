/** The training loop on systems of other kinds: knobs, phases, work between steps, what a step knows, and what is refused. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { destroy, init, memory, Rng, type Tensor, tensor } from '../../engine/index.ts';
import { largest, smallest } from '../../gan/extremes.ts';
import {
  type GanOptions,
  linearDecay,
  partsOf,
  type StepRow,
  type System,
  type TrainOptions,
  train,
} from '../../gan/index.ts';
import { Dropout } from '../../nn/index.ts';
import { adapter } from '../support/devices.ts';
import { make, rowsOf } from '../support/smallGan.ts';

await init({ adapter: 'reference' });
const test = suite('training of systems');

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
  assert.ok(rows.every(({ mean, more = 100 + mean! }) => Math.abs(more - 100 - mean!) < 1e-4));
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

test('a step knows the row of the step before the last, wherever the loop waits', async () => {
  const { data } = make();
  const known = async (options: Partial<TrainOptions>) => {
    const seen: unknown[] = [];
    const system: System<'data'> = {
      players: {},
      step: ({ data: [batch] }, { knob }) => ({ mean: batch!.sample!.mean(), knob: knob!.mul(1) }),
      knobs: ({ step, row }) => {
        seen.push([step, row?.step, row?.knob]);
        return { knob: step };
      },
    };
    await rowsOf(train(system, { data }, { until: 5, ...options }));
    return seen;
  };
  const wanted = [
    [0, undefined, undefined],
    [1, undefined, undefined],
    [2, 1, 0],
    [3, 2, 1],
    [4, 3, 2],
  ];
  assert.equal(await known({}), wanted);
  assert.equal(await known({ pauses: () => true }), wanted);
  assert.equal(await known({ pauses: (step) => step % 2 === 0 }), wanted);
});

test('a GAN draws truncated codes, and samples by themselves, where it is asked to', async () => {
  const { gan } = make();
  const plain = await gan.draw(6, new Rng(5));
  assert.equal(await gan.draw(6, new Rng(5), { statistics: 'batch' }), plain);
  const near = await gan.draw(6, new Rng(5), { psi: 0.1 });
  const spread = ({ samples: { data } }: typeof near) => largest(data) - smallest(data);
  assert.ok(spread(near) < spread(plain) / 3, `${spread(near)}, ${spread(plain)}`);
  const alone = await gan.draw(6, new Rng(5), { statistics: 'running' });
  const few = await gan.draw(2, new Rng(5), { statistics: 'running' });
  assert.equal(few.samples.data, alone.samples.data.slice(0, 4));
  const message = await gan.draw(1, new Rng(5), { size: 3 } as never).catch((e: Error) => e.message);
  assert.match(String(message), /^draw: there is no option size/);
});

test.run();
