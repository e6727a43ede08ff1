/** Averages of weights, and bounds on gradients and weights (PyTorch's: test/fixtures/optim.py). */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compile, memory, Rng, ShapeError, scope, type Tensor, tensor, withDevice } from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';
import { on, openGpu, reference } from '../support/devices.ts';
import { assign, close, fixture, parametersOf, shaped, throughFile, valuesOf } from '../support/optim.ts';

const test = suite('average');
const gpu = await openGpu();

/** Ways in which three parameters may lie in arenas. */
const ARENAS: Readonly<Record<string, (p: readonly nn.Parameter[]) => { dispose(): void }[]>> = {
  'no optimizer': () => [],
  'one optimizer': (p) => [new nn.Adam(p)],
  'two groups': (p) => [new nn.SGD([{ params: p.slice(0, 1) }, { params: p.slice(1) }])],
  'groups in another order': (p) => [new nn.SGD([{ params: [p[2]!, p[0]!] }, { params: [p[1]!] }])],
  'two optimizers, and one parameter in none': (p) => [new nn.Adam([p[1]!]), new nn.SGD([p[0]!])],
};

/** The average after an update for each row of values, by plain loops. */
function averaged(rows: readonly (readonly number[])[], decay: number): number[] {
  const average = [...fixture.parameters];
  rows.forEach((row, k) => {
    const kept = Math.min(decay, k / (k + 10));
    row.forEach((v, i) => {
      average[i] = kept * average[i]! + (1 - kept) * v;
    });
  });
  return average;
}

for (const [name, make] of Object.entries(ARENAS)) {
  for (const order of ['before', 'after'] as const) {
    test(`an average made ${order} its optimizers follows the parameters: ${name}`, async () => {
      for (const device of [reference, gpu]) {
        const rows = fixture.gradients.slice(0, 5);
        const { parameters, ema, users } = on(device, () => {
          const parameters = parametersOf();
          const early = order === 'before' ? new nn.EMA(parameters, 0.25) : undefined;
          const users = make(parameters);
          return { parameters, ema: early ?? new nn.EMA(parameters, 0.25), users };
        });
        withDevice(device, () => {
          for (const row of rows) {
            assign(parameters, row);
            ema.update();
          }
        });
        const tolerance = device === reference ? 1e-12 : 1e-5;
        const wanted = averaged(rows, 0.25);
        close(await valuesOf(ema.averages), wanted, 'averages', tolerance);
        const lent = on(device, () => ema.apply(() => scope(() => parameters.map((p) => p.mul(1)))));
        close(await valuesOf(lent), wanted, 'lent', tolerance);
        close(await valuesOf(parameters), rows.at(-1)!, 'given back', tolerance);
        for (const t of [...lent, ema, ...users, ...parameters]) t.dispose();
      }
    });
  }
}

test('an average has one launch for the parameters of an optimizer, and updates alike in a compiled step', async () => {
  const [eager, compiled] = [0, 1].map(() =>
    on(gpu, () => {
      const parameters = parametersOf();
      return { parameters, optimizer: new nn.SGD(parameters, { lr: 0.5 }), ema: new nn.EMA(parameters, 0.3) };
    }),
  );
  const step = compile((...gradients: Tensor[]) => {
    compiled!.optimizer.step(gradients);
    compiled!.ema.update();
    return gradients[0]!.mul(1);
  });
  for (const row of fixture.gradients) {
    withDevice(gpu, () =>
      scope(() => {
        const gradients = shaped(row);
        step(...gradients);
        eager!.optimizer.step(gradients);
        eager!.ema.update();
      }),
    );
  }
  assert.equal(await valuesOf(compiled!.ema.averages), await valuesOf(eager!.ema.averages));
  assert.equal([...step.kernels()].sort().slice(-2), ['ema/1', 'sgd/3']);
  step.dispose();
  for (const { parameters, optimizer, ema } of [eager!, compiled!]) {
    for (const t of [ema, optimizer, ...parameters]) t.dispose();
  }
});

test('an average is copied into a model, and restored in the middle with the same bits', async () => {
  for (const device of [reference, gpu]) {
    const { model, copy, whole, resumed } = on(device, () => {
      const model = new nn.Linear(3, 2, { rng: new Rng(1) });
      const copy = model.copy();
      return { model, copy, whole: new nn.EMA(model.parameters(), 0.9), resumed: new nn.EMA(copy.parameters(), 0.9) };
    });
    const run = (ema: nn.EMA, of: nn.Linear, from: number, to: number) =>
      withDevice(device, () => {
        for (const row of fixture.gradients.slice(from, to)) {
          assign(of.parameters(), row.slice(0, 8));
          ema.update();
        }
      });
    run(whole, model, 0, 5);
    const saved = await throughFile(whole.stateDict());
    run(whole, model, 5, 10);
    run(resumed, copy, 0, 1);
    withDevice(device, () => resumed.loadStateDict(saved));
    run(resumed, copy, 5, 10);
    assert.equal(await throughFile(resumed.stateDict()), await throughFile(whole.stateDict()));
    withDevice(device, () => whole.copyTo(copy));
    assert.equal(await valuesOf(copy.parameters()), await valuesOf(whole.averages));
    assert.equal(await valuesOf(model.parameters()), await valuesOf([model.weight, model.bias!]));
    for (const t of [model, copy, whole, resumed]) t.dispose();
  }
});

test('what averages refuse, and leave behind: nothing', () => {
  withDevice(reference, () => {
    const before = memory().tensors;
    const parameters = parametersOf();
    const ema = new nn.EMA(parameters, 0.5);
    const layer = new nn.Linear(2, 2);
    assert.throws(() => new nn.EMA(parameters, 1.5), /^EMA: decay must be a number from 0 to 1, not 1.5$/);
    assert.throws(() => new nn.EMA([], 0.5), /^EMA: no parameters given$/);
    assert.throws(
      () => ema.copyTo(layer),
      (e: Error) =>
        e instanceof ShapeError && e.message === 'EMA: the averages [2,3] [] [5] do not fit parameters [2,2] [2]',
    );
    assert.throws(() => ema.loadStateDict(new Map([['steps', 1]])), /average.0 is missing; average.1 is missing/);
    const negative = new Map(ema.stateDict()).set('steps', -1);
    assert.throws(() => ema.loadStateDict(negative), /^EMA: steps must be a whole number, 0 or more, not -1$/);
    const odd = new Map<string, unknown>(ema.stateDict()).set('average.0', { shape: 'x' });
    assert.throws(
      () => ema.loadStateDict(odd as never),
      /^loadStateDict: average.0 is \{ shape: "x" \}; give a tensor/,
    );
    assert.throws(() => ema.apply(() => Promise.resolve(1)), TypeError);
    for (const t of [ema, layer, ...parameters]) t.dispose();
    assert.is(memory().tensors, before);
  });
});

test('clipGradNorm and clipGradValue give what PyTorch leaves in its gradients', async () => {
  for (const device of [reference, gpu]) {
    const tolerance = device === reference ? 1e-12 : 1e-5;
    for (const { limit, clipped, total, normType } of fixture.norms) {
      const found = on(device, () =>
        scope(() => nn.clipGradNorm(shaped(fixture.gradients[0]!), limit, { normType: Number(normType) })),
      );
      close(await valuesOf(found.gradients), clipped, `norm ${normType}`, tolerance);
      close(await valuesOf([found.totalNorm]), [total!], `total norm ${normType}`, tolerance);
      assert.equal(
        found.gradients.map((g) => [...g.shape]),
        fixture.shapes,
      );
      for (const t of [...found.gradients, found.totalNorm]) t.dispose();
    }
    for (const { limit, clipped } of fixture.values) {
      const found = on(device, () => scope(() => nn.clipGradValue(shaped(fixture.gradients[0]!), limit)));
      close(await valuesOf(found), clipped, `value ${limit}`, tolerance);
      for (const t of found) t.dispose();
    }
  }
});

test('clipping by norm takes gradients of any size, and makes NaN of what an infinite norm is of', async () => {
  const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
  const float = Math.fround;
  const rows: [gradients: number[][], limit: number, wanted: number[], total: number, p?: number][] = [
    [[[3e20], [4e20]], 1, [0.6, 0.8], 5e20],
    [[[3e37, 4e37]], 2, [1.2, 1.6], 5e37],
    [[[1e38, -2e38], [2e38]], 1, [1 / 3, -2 / 3, 2 / 3], 3e38],
    [[[1e38, -2e38], [2e38]], 3.1e38, [1e38, -2e38, 2e38], 3e38],
    [[[3e20], [4e20]], 1, [float(3e20) / 4.497941e20, float(4e20) / 4.497941e20], 4.497941e20, 3],
    [[[3e-25, 4e-25]], 1, [3e-25, 4e-25], 5e-25],
    [[[0], [0, 0]], 1, [0, 0, 0], 0],
    [
      [
        [inf, 1],
        [0, -2],
      ],
      1,
      [nan, nan, 0, nan],
      inf,
    ],
    [[[nan, 1], [0]], 1, [nan, nan, 0], nan],
  ];
  for (const device of [reference, gpu]) {
    for (const [given, limit, wanted, total, normType = 2] of rows) {
      const run = () => {
        const { gradients, totalNorm } = nn.clipGradNorm(
          given.map((g) => tensor(g)),
          limit,
          { normType },
        );
        return [...gradients, totalNorm];
      };
      const found = on(device, () => scope(run));
      const values = await valuesOf(found);
      [...wanted, total].forEach((w, i) => {
        const v = values[i]!;
        assert.ok(
          Object.is(v, w) || Math.abs(v / w - 1) < 1e-5,
          `${device.kind} [${given}], p ${normType}: [${values}]`,
        );
      });
      for (const t of found) t.dispose();
    }
  }
});

test('clipped gradients in a compiled step are those of an eager one', async () => {
  const clip = (...gradients: Tensor[]) => {
    const { gradients: some, totalNorm } = nn.clipGradNorm(gradients, 2);
    return [...nn.clipGradValue(some, 0.5), totalNorm];
  };
  const step = compile(clip);
  for (const row of fixture.gradients.slice(0, 3)) {
    const [eager, compiled] = on(gpu, () => scope(() => [clip(...shaped(row)), step(...shaped(row))]));
    close(await valuesOf(compiled), await valuesOf(eager), 'clipped', 1e-6);
    for (const t of [...eager, ...compiled]) t.dispose();
  }
  step.dispose();
});

test('clipWeights bounds these weights and no others, with one launch where they fill an arena', async () => {
  for (const [name, make] of Object.entries(ARENAS)) {
    for (const chosen of [[0, 1, 2], [0, 2], [1]]) {
      const { parameters, users } = on(gpu, () => {
        const parameters = parametersOf();
        return { parameters, users: make(parameters) };
      });
      const step = compile((x: Tensor) => {
        nn.clipWeights(
          chosen.map((k) => parameters[k]!),
          1.25,
        );
        return x.mul(1);
      });
      withDevice(gpu, () => scope(() => step(tensor([1]))));
      const before = shapedNumbers();
      const wanted = before.flatMap((v, k) =>
        chosen.includes(k) ? v.map((n) => Math.max(-1.25, Math.min(1.25, n))) : v,
      );
      close(await valuesOf(parameters), wanted, `${name}, ${chosen}`, 1e-6);
      const launches = step.kernels().filter((k) => k === 'clampInPlace').length;
      if (name === 'one optimizer') assert.is(launches, chosen.length === 3 ? 1 : chosen.length);
      if (name === 'groups in another order') assert.is(launches, { 3: 2, 2: 1, 1: 1 }[chosen.length]);
      step.dispose();
      for (const t of [...users, ...parameters]) t.dispose();
    }
  }
});

/** The fixture's parameters, each by itself. */
function shapedNumbers(): number[][] {
  const { parameters: p } = fixture;
  return [p.slice(0, 6), p.slice(6, 7), p.slice(7)];
}

test('what clipping refuses', () => {
  withDevice(reference, () => {
    const gradients = shaped(fixture.gradients[0]!);
    assert.throws(() => nn.clipGradNorm(gradients, -1), /^clipGradNorm: maxNorm must be a number, 0 or more, not -1$/);
    assert.throws(() => nn.clipGradNorm([], 1), /^clipGradNorm: no gradients given$/);
    assert.throws(() => nn.clipGradNorm(gradients, 1, { norm_type: 1 } as object), /^clipGradNorm: there is no option/);
    assert.throws(() => nn.clipGradValue(gradients, Number.NaN), /^clipGradValue: clipValue must be/);
    assert.throws(() => nn.clipWeights([], -0.1), /^clipWeights: bound must be/);
    for (const g of gradients) g.dispose();
  });
});

test('the device closes', () => gpu.destroy());

test.run();
