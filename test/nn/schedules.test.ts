/** Learning-rate schedules against PyTorch (test/fixtures/optim.py), their state, and what they refuse. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compile, init, scope, type Tensor, tensor, withDevice } from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';
import { on, openGpu } from '../support/devices.ts';
import { type AnyOptimizer, close, fixture, optimizers, type ScheduleSpec } from '../support/optim.ts';

const test = suite('schedules');
await init({ adapter: 'reference' });

type Scheduler = new (optimizer: nn.ScheduledOptimizer, options: unknown) => nn.LRScheduler;
const kinds = nn as unknown as Readonly<Record<string, Scheduler>>;
const LAMBDAS: Readonly<Record<string, (epoch: number) => number>> = {
  power: (epoch) => 0.95 ** epoch,
  inverse: (epoch) => 1 / (1 + epoch),
};

/** An optimizer of two groups, as the fixtures have it. */
function twoGroups(kind: string, momentum = 0.9): AnyOptimizer & nn.ScheduledOptimizer {
  const [a, b] = [new nn.Parameter(tensor([0])), new nn.Parameter(tensor([0]))];
  const options = kind === 'SGD' ? { lr: 0.1, momentum } : { lr: 0.1 };
  return new optimizers[kind]!([{ params: [a] }, { params: [b], lr: 0.02 }], options);
}

function made(optimizer: nn.ScheduledOptimizer, [kind, options]: ScheduleSpec): nn.LRScheduler {
  const { schedulers, lrLambda, ...rest } = options as {
    schedulers?: readonly ScheduleSpec[];
    lrLambda?: readonly string[];
  };
  return new kinds[kind]!(optimizer, {
    ...rest,
    ...(schedulers ? { schedulers: schedulers.map((s) => made(optimizer, s)) } : {}),
    ...(lrLambda ? { lrLambda: lrLambda.map((name) => LAMBDAS[name]!) } : {}),
  });
}

const lrsOf = (optimizer: nn.ScheduledOptimizer): number[] => optimizer.groups.map((g) => g.lr);
const momentaOf = (optimizer: nn.ScheduledOptimizer): number[] =>
  optimizer.groups.map((g) => g.betas?.[0] ?? g.momentum ?? Number.NaN);

for (const f of fixture.schedules) {
  const title = `${f.schedules.map(([kind, options]) => `${kind} ${JSON.stringify(options)}`).join(' and ')}, ${f.optimizer}`;
  test(`${title}: PyTorch's rates over 30 steps, also when restored in between`, () => {
    const optimizer = twoGroups(f.optimizer);
    const schedules = f.schedules.map((s) => made(optimizer, s));
    let saved = '';
    const check = (o: nn.ScheduledOptimizer, epoch: number, tolerance = 1e-12) => {
      close(lrsOf(o), f.lrs[epoch]!, `epoch ${epoch}`, tolerance);
      if (f.momenta) close(momentaOf(o), f.momenta[epoch]!, `momentum of epoch ${epoch}`, tolerance);
    };
    const rates: number[][] = [];
    for (let epoch = 0; epoch <= 30; epoch++) {
      if (epoch > 0) for (const s of schedules) s.step();
      check(optimizer, epoch);
      rates.push(lrsOf(optimizer));
      assert.equal(schedules.at(-1)!.getLastLr(), lrsOf(optimizer));
      if (epoch === 11) {
        const numbers = [...optimizer.stateDict()].filter(([, v]) => typeof v === 'number');
        saved = JSON.stringify({ numbers, schedules: schedules.map((s) => s.stateDict()) });
      }
    }
    // A new run that loads what epoch 11 left.
    const other = twoGroups(f.optimizer);
    const resumed = f.schedules.map((s) => made(other, s));
    const state = JSON.parse(saved) as { numbers: [string, number][]; schedules: nn.SchedulerState[] };
    const tensors = [...other.stateDict()].filter(([, v]) => typeof v !== 'number');
    other.loadStateDict(new Map<string, Tensor | number>([...tensors, ...state.numbers]));
    resumed.forEach((s, k) => {
      s.loadStateDict(state.schedules[k]!);
    });
    for (let epoch = 12; epoch <= 30; epoch++) {
      for (const s of resumed) s.step();
      check(other, epoch);
      assert.equal(lrsOf(other), rates[epoch], `the same bits in epoch ${epoch}`);
    }
  });
}

test('a sequence in a sequence begins and goes on as its parts would', () => {
  const run = (build: (o: nn.ScheduledOptimizer) => nn.LRScheduler): number[] => {
    const optimizer = twoGroups('SGD');
    const schedule = build(optimizer);
    return Array.from({ length: 20 }, (_, k) => {
      if (k > 0) schedule.step();
      return optimizer.groups[0]!.lr;
    });
  };
  const parts = (o: nn.ScheduledOptimizer) => [
    new nn.LinearLR(o, { totalIters: 3 }),
    new nn.StepLR(o, { stepSize: 2 }),
    new nn.ExponentialLR(o, { gamma: 0.9 }),
  ];
  const flat = run((o) => new nn.SequentialLR(o, { schedulers: parts(o), milestones: [4, 10] }));
  const left = run((o) => {
    const [a, b, c] = parts(o);
    const inner = new nn.SequentialLR(o, { schedulers: [a!, b!], milestones: [4] });
    return new nn.SequentialLR(o, { schedulers: [inner, c!], milestones: [10] });
  });
  const right = run((o) => {
    const [a, b, c] = parts(o);
    const inner = new nn.SequentialLR(o, { schedulers: [b!, c!], milestones: [6] });
    return new nn.SequentialLR(o, { schedulers: [a!, inner], milestones: [4] });
  });
  assert.equal(left, flat);
  assert.equal(right, flat);
});

test('a schedule inside a compiled step moves on in each run', async () => {
  const gpu = await openGpu();
  const w = on(gpu, () => new nn.Parameter(tensor([1])));
  const sgd = new nn.SGD([w], { lr: 0.5 });
  const schedule = new nn.ExponentialLR(sgd, { gamma: 0.5 });
  const step = compile((g: Tensor) => {
    sgd.step([g]);
    schedule.step();
    return w.mul(1);
  });
  const seen: number[] = [];
  for (let k = 0; k < 4; k++) seen.push(await on(gpu, () => scope(() => step(tensor([1])).item())));
  assert.equal(seen, [0.5, 0.25, 0.125, 0.0625]);
  assert.is(schedule.lastEpoch, 4);
  step.dispose();
  withDevice(gpu, () => sgd.dispose());
  gpu.destroy();
});

test('a rate that the caller changes stays changed, where the schedule goes on from the rate it finds', () => {
  const optimizer = twoGroups('SGD');
  const schedule = new nn.ExponentialLR(optimizer, { gamma: 0.5 });
  optimizer.groups[0]!.lr = 8;
  schedule.step();
  assert.equal(lrsOf(optimizer), [4, 0.01]);
});

test('what schedules refuse', () => {
  const [sgd, plain, other] = [twoGroups('SGD'), twoGroups('SGD', 0), twoGroups('Adam')];
  const step = new nn.StepLR(sgd, { stepSize: 2 });
  const one = new nn.OneCycleLR(twoGroups('SGD'), { maxLr: 1, totalSteps: 3 });
  for (let k = 0; k < 3; k++) one.step();
  const wrong: [fn: () => unknown, kind: new () => Error, message: RegExp][] = [
    [
      () => new nn.StepLR(sgd, { stepSize: 0 }),
      RangeError,
      /^StepLR: stepSize must be a whole number, 1 or more, not 0$/,
    ],
    [
      () => new nn.StepLR(sgd, { stepSize: 1, step_size: 2 } as never),
      TypeError,
      /^StepLR: there is no option step_size/,
    ],
    [
      () => new nn.MultiStepLR(sgd, { milestones: [3, 2] }),
      RangeError,
      /^MultiStepLR: milestones must be .* ascending/,
    ],
    [
      () => new nn.ExponentialLR(sgd, {} as never),
      RangeError,
      /^ExponentialLR: gamma must be a finite number, not undefi/,
    ],
    [
      () => new nn.LinearLR(sgd, { startFactor: 0 }),
      RangeError,
      /^LinearLR: startFactor must be a number above 0, not 0$/,
    ],
    [
      () => new nn.LinearLR(sgd, { endFactor: 2 }),
      RangeError,
      /^LinearLR: endFactor must be a number from 0 to 1, not 2$/,
    ],
    [() => new nn.CosineAnnealingLR(sgd, { tMax: 1.5 }), RangeError, /^CosineAnnealingLR: tMax must be a whole number/],
    [() => new nn.LambdaLR(sgd, { lrLambda: [() => 1] }), Error, /^LambdaLR: 1 functions for 2 groups$/],
    [
      () => new nn.OneCycleLR(sgd, { maxLr: 1 }),
      RangeError,
      /^OneCycleLR: give totalSteps, or epochs and stepsPerEpoch$/,
    ],
    [
      () => new nn.OneCycleLR(sgd, { maxLr: [1], totalSteps: 9 }),
      Error,
      /^OneCycleLR: maxLr has 1 numbers for 2 groups$/,
    ],
    [() => new nn.OneCycleLR(plain, { maxLr: 1, totalSteps: 9 }), Error, /^OneCycleLR: the optimizer has no momentum/],
    [
      () => new nn.OneCycleLR(sgd, { maxLr: 1, totalSteps: 9, annealStrategy: 'cosine' as 'cos' }),
      RangeError,
      /^OneCycleLR: annealStrategy must be 'cos' or 'linear', not "cosine"$/,
    ],
    [() => one.step(), Error, /^OneCycleLR: step 4 is behind the end of the cycle of 3$/],
    [
      () => new nn.SequentialLR(sgd, { schedulers: [step], milestones: [3] }),
      Error,
      /^SequentialLR: 1 schedules need 0 milestones, one between two, not 1$/,
    ],
    [
      () => new nn.SequentialLR(other, { schedulers: [step], milestones: [] }),
      Error,
      /^SequentialLR: schedule 0 was made for another optimizer$/,
    ],
    [
      () => step.loadStateDict({ lastEpoch: 1, baseLrs: [1], lastLrs: [1] }),
      Error,
      /^loadStateDict: the schedule has 2 groups, and the state is of 1$/,
    ],
    [
      () => step.loadStateDict({ lastEpoch: 1, baseLrs: [1, 1], lastLrs: [1] }),
      Error,
      /^loadStateDict: the schedule has 2 groups, and the state is of 1$/,
    ],
    [
      () => step.loadStateDict({ ...step.stateDict(), lastEpoch: 0.5 }),
      RangeError,
      /^loadStateDict: lastEpoch must be a whole number, -1 or more, not 0.5$/,
    ],
    [
      () => step.loadStateDict({ ...step.stateDict(), lastLrs: [1, Number.NaN] }),
      RangeError,
      /^loadStateDict: lastLrs must be a list of numbers, one for each group, not \[1,NaN\]$/,
    ],
    [
      () => step.loadStateDict({ ...step.stateDict(), schedulers: [] }),
      TypeError,
      /^loadStateDict: there is no option schedulers; there are lastEpoch, baseLrs, lastLrs$/,
    ],
    [() => step.loadStateDict(sgd.stateDict() as never), TypeError, /^loadStateDict: the options are an object/],
  ];
  for (const [fn, kind, message] of wrong) {
    assert.throws(fn, (e: Error) => {
      assert.ok(e instanceof kind && message.test(e.message), `${e.name}: ${e.message}`);
      return true;
    });
  }
});

test.run();
