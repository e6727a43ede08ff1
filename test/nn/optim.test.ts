/** Optimizers: against PyTorch (test/fixtures/optim.py), their state, compiled steps, and what they refuse. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Device } from '../../engine/device.ts';
import {
  compile,
  grad,
  memory,
  ones,
  Rng,
  ShapeError,
  scope,
  type Tensor,
  tensor,
  withDevice,
} from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';
import { on, openGpu, reference, withFamily } from '../support/devices.ts';
import {
  assign,
  close,
  fixture,
  made,
  optimizers,
  parametersOf,
  shaped,
  throughFile,
  valuesOf,
} from '../support/optim.ts';
import { distance, valuesFor } from '../support/values.ts';

const test = suite('optim');
const gpu = await openGpu();

/** The fixtures' optimizers, and Lion, which PyTorch 1.13 does not have. */
const LIONS = [
  { kind: 'Lion', options: {}, second: { lr: 0.1 } },
  { kind: 'Lion', options: { lr: 0.01, betas: [0.5, 0.8] }, second: { weightDecay: 0.3 } },
] as const;
const ALL = [...fixture.optimizers, ...LIONS];

for (const f of fixture.optimizers) {
  test(`${f.kind} ${JSON.stringify(f.options)}, second group ${JSON.stringify(f.second)}: PyTorch's ten steps`, async () => {
    const { parameters, optimizer, dispose } = on(reference, () => made(f));
    for (const [k, gradients] of fixture.gradients.entries()) {
      withDevice(reference, () => scope(() => optimizer.step(shaped(gradients))));
      const at = fixture.steps.indexOf(k + 1);
      if (at >= 0) close(await valuesOf(parameters), f.shown[at]!, `after step ${k + 1}`);
    }
    assert.is(optimizer.steps, 10);
    dispose();
  });
}

for (const f of LIONS) {
  test(`Lion ${JSON.stringify(f.options)}, second group ${JSON.stringify(f.second)}: the paper's ten steps`, async () => {
    const { parameters, optimizer, dispose } = on(reference, () => made(f));
    const p = [...fixture.parameters];
    const m = p.map(() => 0);
    for (const gradients of fixture.gradients) {
      withDevice(reference, () => scope(() => optimizer.step(shaped(gradients))));
      gradients.forEach((g, i) => {
        const group = { lr: 1e-4, betas: [0.9, 0.99], weightDecay: 0, ...f.options, ...(i < 7 ? {} : f.second) };
        const [beta1, beta2] = group.betas as [number, number];
        const direction = Math.sign(beta1 * m[i]! + (1 - beta1) * g);
        p[i]! -= group.lr * (direction + group.weightDecay * p[i]!);
        m[i] = beta2 * m[i]! + (1 - beta2) * g;
      });
    }
    close(await valuesOf(parameters), p, 'parameters');
    dispose();
  });
}

for (const device of [reference, gpu]) {
  test(`a state restored in the middle goes on with the same bits (${device.kind})`, async () => {
    for (const f of ALL) {
      const run = (optimizer: ReturnType<typeof made>['optimizer'], from: number, to: number) =>
        withDevice(device, () => {
          for (const g of fixture.gradients.slice(from, to)) scope(() => optimizer.step(shaped(g)));
        });
      const whole = on(device, () => made(f));
      run(whole.optimizer, 0, 5);
      whole.optimizer.groups[1]!.lr *= 0.3;
      const saved = await throughFile(whole.optimizer.stateDict());
      const values = await valuesOf(whole.parameters);
      run(whole.optimizer, 5, 10);

      const resumed = on(device, () => made(f));
      run(resumed.optimizer, 0, 2); // its own state is overwritten
      withDevice(device, () => {
        assign(resumed.parameters, values);
        resumed.optimizer.loadStateDict(saved);
      });
      run(resumed.optimizer, 5, 10);
      const title = `${f.kind} ${JSON.stringify(f.options)}`;
      assert.equal(await valuesOf(resumed.parameters), await valuesOf(whole.parameters), title);
      assert.equal(
        await throughFile(resumed.optimizer.stateDict()),
        await throughFile(whole.optimizer.stateDict()),
        title,
      );
      assert.is(resumed.optimizer.groups[1]!.lr, whole.optimizer.groups[1]!.lr);
      whole.dispose();
      resumed.dispose();
    }
  });
}

test('the state has tensors in the shapes of the parameters, and numbers', () => {
  withDevice(reference, () => {
    const { optimizer, dispose } = made({ kind: 'Adam', options: { betas: [0.5, 0.9] }, second: { lr: 0.1 } });
    const state = [...optimizer.stateDict()].map(([name, v]) => [name, typeof v === 'number' ? v : [...v.shape]]);
    assert.equal(Object.fromEntries(state), {
      steps: 0,
      'groups.0.lr': 1e-3,
      'groups.0.betas.0': 0.5,
      'groups.0.betas.1': 0.9,
      'groups.0.eps': 1e-8,
      'groups.0.weightDecay': 0,
      'groups.1.lr': 0.1,
      'groups.1.betas.0': 0.5,
      'groups.1.betas.1': 0.9,
      'groups.1.eps': 1e-8,
      'groups.1.weightDecay': 0,
      'state.0.expAvg': [2, 3],
      'state.0.expAvgSq': [2, 3],
      'state.1.expAvg': [],
      'state.1.expAvgSq': [],
      'state.2.expAvg': [5],
      'state.2.expAvgSq': [5],
    });
    dispose();
    assert.equal(
      [...new nn.SGD(parametersOf(), { momentum: 0.5 }).stateDict().keys()].filter((k) => k.startsWith('state')),
      ['state.0.momentumBuffer', 'state.1.momentumBuffer', 'state.2.momentumBuffer'],
    );
  });
});

test('compiled steps have the bits of eager ones, with one launch a group, also after the rates change', async () => {
  for (const f of ALL) {
    const [eager, compiled] = on(gpu, () => [made(f), made(f)]);
    const step = compile((...gradients: Tensor[]) => {
      compiled.optimizer.step(gradients);
      return gradients[0]!.mul(1);
    });
    for (const [k, gradients] of fixture.gradients.entries()) {
      withDevice(gpu, () =>
        scope(() => {
          const list = shaped(gradients);
          eager.optimizer.step(list);
          step(...list);
        }),
      );
      for (const { optimizer } of [eager, compiled]) {
        if (k === 3) optimizer.lr = 0.05;
        if (k === 6) optimizer.groups[1]!.lr = 0.5;
      }
    }
    const title = `${f.kind} ${JSON.stringify(f.options)}`;
    assert.equal(await valuesOf(compiled.parameters), await valuesOf(eager.parameters), title);
    assert.equal(await throughFile(compiled.optimizer.stateDict()), await throughFile(eager.optimizer.stateDict()));
    assert.is(step.kernels().filter((name) => !/mul|affine/.test(name)).length, 2, `${title}: ${step.kernels()}`);
    step.dispose();
    for (const m of [eager, compiled]) m.dispose();
  }
});

test('gradients large and small, which share launches or not, in both families', async () => {
  const shapes = [[3], [130, 127], [5, 1], [2 ** 14], [1], [129, 131]];
  const values = (seed: number) => shapes.map((shape, i) => valuesFor({ shape }, seed + i));
  const run = (device: Device) =>
    on(device, () => {
      const given = (list: readonly Float64Array[]) => list.map((v, i) => tensor(v, { shape: shapes[i]! }));
      const parameters = given(values(1)).map((t) => new nn.Parameter(t));
      const optimizer = new nn.Adam(parameters, { lr: 0.1 });
      for (const seed of [11, 21]) scope(() => optimizer.step(given(values(seed))));
      return Promise.all(parameters.map((p) => p.data()));
    });
  const wanted = await run(reference);
  for (const family of ['software', 'hardware'] as const) {
    const found = await withFamily(gpu, family, () => run(gpu));
    for (const [i, v] of found.entries())
      assert.ok(distance(v, wanted[i]!) < 1e-6, `${family}, parameter [${shapes[i]}]`);
  }
});

test('lr is that of all groups, and of the first', () => {
  withDevice(reference, () => {
    const { optimizer, dispose } = made({ kind: 'SGD', options: { lr: 0.1 }, second: { lr: 0.5 } });
    assert.equal([optimizer.lr, optimizer.groups.map((g) => g.lr)], [0.1, [0.1, 0.5]]);
    optimizer.lr = 0.25;
    assert.equal(
      optimizer.groups.map((g) => g.lr),
      [0.25, 0.25],
    );
    dispose();
  });
});

test('a rounding error in the variance of a centered RMSprop is no NaN', async () => {
  for (const device of [reference, gpu]) {
    const gradient = on(device, () => new Rng(1).normal([256]));
    const p = on(device, () => new nn.Parameter(ones([256])));
    const optimizer = new nn.RMSprop([p], { centered: true, alpha: 0.5, lr: 1e-12 });
    withDevice(device, () => {
      for (let k = 0; k < 100; k++) scope(() => optimizer.step([gradient]));
    });
    assert.ok((await p.data()).every(Number.isFinite), device.kind);
    for (const t of [optimizer, p, gradient]) t.dispose();
  }
});

test('NaN in a gradient is NaN in the parameter, whatever the rule', async () => {
  for (const device of [reference, gpu]) {
    for (const f of ALL) {
      const { parameters, optimizer, dispose } = on(device, () => made(f));
      withDevice(device, () => scope(() => optimizer.step(shaped(fixture.gradients[0]!.map(() => Number.NaN)))));
      assert.ok((await valuesOf(parameters)).every(Number.isNaN), `${device.kind}, ${f.kind}`);
      dispose();
    }
  }
});

test('dispose frees what an optimizer made; its parameters live on, and may have another', async () => {
  withDevice(reference, () => {
    const parameters = parametersOf();
    const before = memory().tensors;
    for (const kind of ['Adam', 'SGD', 'RMSprop']) {
      const optimizer = new optimizers[kind]!(parameters, { lr: 0.5 });
      scope(() =>
        optimizer.step(
          grad(
            parameters.map((p) => p.square().sum()).reduce((a, b) => a.add(b)),
            parameters,
          ),
        ),
      );
      optimizer.dispose();
      optimizer.dispose();
      assert.is(memory().tensors, before, kind);
    }
    for (const p of parameters) p.dispose();
  });
});

test('two optimizers may have the same parameters in the same order, and no others', () => {
  withDevice(reference, () => {
    const [a, b, c] = parametersOf();
    const both = [new nn.SGD([a!, b!]), new nn.Adam([a!, b!])];
    assert.throws(() => new nn.SGD([c!, b!]), /^SGD: p1 \[\] belongs to another optimizer; give each parameter to one/);
    assert.throws(() => new nn.SGD([{ params: [c!] }, { params: [b!] }]), /belongs to another optimizer/);
    for (const optimizer of both) optimizer.dispose();
    new nn.SGD([c!, b!]).dispose(); // c was left where it was
    for (const p of [a, b, c]) p!.dispose();
  });
});

test('what optimizers refuse', () => {
  withDevice(reference, () => {
    const [a, b] = parametersOf();
    const make = (kind: string, options: object) => () =>
      new optimizers[kind]!([a!], options as Record<string, unknown>);
    const wrong: [fn: () => unknown, kind: new () => Error, message: RegExp][] = [
      [make('SGD', { lr: -1 }), RangeError, /^SGD: lr must be a number, 0 or more, not -1$/],
      [make('SGD', { lr: '0.1' }), RangeError, /^SGD: lr must be a number, 0 or more, not "0.1"$/],
      [make('SGD', { dampening: Number.NaN }), RangeError, /^SGD: dampening must be a finite number, not NaN$/],
      [make('SGD', { nesterov: true }), RangeError, /^SGD: nesterov needs a momentum above 0 and a dampening of 0/],
      [make('SGD', { nesterov: 1 }), RangeError, /^SGD: nesterov must be true or false, not 1$/],
      [make('Adam', { betas: [0.9, 1] }), RangeError, /^Adam: betas must be two numbers, each from 0 and below 1/],
      [make('AdamW', { betas: 0.9 }), RangeError, /^AdamW: betas must be two numbers/],
      [make('Adam', { eps: Number.POSITIVE_INFINITY }), RangeError, /^Adam: eps must be .* not Infinity$/],
      [make('RMSprop', { alpha: 1.5 }), RangeError, /^RMSprop: alpha must be a number from 0 to 1, not 1.5$/],
      [make('Adagrad', { initialAccumulatorValue: -1 }), RangeError, /^Adagrad: initialAccumulatorValue must be/],
      [make('Lion', { weightDecay: -0.1 }), RangeError, /^Lion: weightDecay must be/],
      [make('Lion', { eps: 1 }), TypeError, /^Lion: there is no option eps; there are lr, betas, weightDecay$/],
      [
        () => new nn.Adam([{ params: [a!], rate: 1 } as object as { params: nn.Parameter[] }]),
        TypeError,
        /option rate/,
      ],
      [() => new nn.Adam([{ params: [a!] }, { params: [b!], lr: -1 }]), RangeError, /^Adam: lr must/],
      [() => new nn.Adam([]), Error, /^Adam: no parameters given$/],
      [() => new nn.Adam([a!, b!, a!]), Error, /^Adam: p0 \[2,3\] is given twice$/],
      [() => new nn.Adam([{ params: [a!] }, { params: [a!] }]), Error, /is given twice/],
    ];
    for (const [fn, kind, message] of wrong) {
      assert.throws(fn, (e: Error) => {
        assert.ok(e instanceof kind && message.test(e.message), `${e.name}: ${e.message}`);
        return true;
      });
    }
    const sgd = new nn.SGD([a!, b!], { lr: 0.1 });
    const [g, h] = shaped(fixture.gradients[0]!);
    assert.throws(() => sgd.step([g!]), /^SGD: 1 gradients for 2 parameters$/);
    assert.throws(
      () => sgd.step([h!, g!]),
      (e: Error) => e instanceof ShapeError && e.message === 'SGD: gradient 0 is [], and its parameter p0 [2,3]',
    );
    assert.throws(() => sgd.step([g!, undefined as unknown as Tensor]), /^SGD: gradient 1, of p1 \[\], is undefined/);
    sgd.groups[0]!.lr = Number.NaN;
    assert.throws(() => sgd.step([g!, h!]), /^SGD: lr must be a number, 0 or more, not NaN$/);
    sgd.groups[0]!.lr = 0.1;
    sgd.groups[0]!.momentum = 0.9;
    assert.throws(() => sgd.step([g!, h!]), /^SGD: a step by sgdMomentum needs another state than one by sgd/);
    sgd.groups[0]!.momentum = 0;
    assert.is(sgd.steps, 0);

    const good = sgd.stateDict();
    const load = (change: (state: Map<string, Tensor | number>) => void) => () => {
      const state = new Map(good);
      change(state);
      sgd.loadStateDict(state);
    };
    assert.throws(
      load((s) => void s.delete('groups.0.lr')),
      /^loadStateDict: groups.0.lr is missing$/,
    );
    assert.throws(
      load((s) => void s.set('state.0.momentumBuffer', g!)),
      /^loadStateDict: state.0.momentumBuffer is unexpected$/,
    );
    assert.throws(
      load((s) => void s.set('steps', g!)),
      /^loadStateDict: steps is a tensor, and should not be one$/,
    );
    assert.throws(
      load((s) => void s.set('groups.0.lr', -1)),
      /^SGD: lr must be/,
    );
    assert.throws(
      load((s) => void s.set('steps', -3)),
      /^SGD: steps must be a whole number, 0 or more, not -3$/,
    );
    assert.throws(
      () => sgd.loadStateDict({} as never),
      /^SGD: loadStateDict: the values are a Map by name.*, not \{\}/,
    );
    assert.is(sgd.lr, 0.1);
    for (const t of [sgd, a!, b!]) t.dispose();
  });
});

test('the state of one algorithm is not that of another, of other groups or of other parameters', async () => {
  const of = (kind: 'Adam' | 'AdamW', groups: number[]) =>
    withDevice(reference, () => {
      const params = (n: number) => Array.from({ length: n }, () => new nn.Parameter(tensor([1, 2])));
      const Kind = kind === 'Adam' ? nn.Adam : nn.AdamW;
      const optimizer = new Kind(groups.map((n) => ({ params: params(n) })));
      return { optimizer, dispose: () => [optimizer, ...optimizer.parameters].forEach((t) => void t.dispose()) };
    });
  const [adam, adamW, other] = [of('Adam', [2]), of('AdamW', [2]), of('Adam', [2])];
  const [split, more] = [of('Adam', [1, 1]), of('Adam', [3])];
  const load = (from: typeof adam) => () => adam.optimizer.loadStateDict(from.optimizer.stateDict());
  load(other)();
  assert.throws(load(adamW), /^loadStateDict: the state is of AdamW, and cannot be that of Adam$/);
  assert.throws(load(split), /^loadStateDict: .*groups\.1\.lr is unexpected/);
  assert.throws(load(more), /^loadStateDict: .*state\.2\.expAvg is unexpected/);
  const bytes = await nn.encodeCheckpoint({ optimizer: adamW.optimizer });
  await nn.decodeCheckpoint(bytes, { optimizer: adamW.optimizer });
  for (const [into, pattern] of [
    [adam, /optimizer is the state of AdamW, not of Adam\./],
    [split, /optimizer\.groups\.1\.lr is missing/],
  ] as const) {
    const message = await nn
      .decodeCheckpoint(bytes, { optimizer: into.optimizer })
      .then(String, (e: Error) => e.message);
    assert.match(message, pattern);
  }
  for (const o of [adam, adamW, other, split, more]) o.dispose();
});

test('the device closes', () => gpu.destroy());

test.run();
