/** `optimizer.step()` from `.grad`, `zeroGrad`, and backward in compiled steps: PyTorch's numbers, and the bits of `step(grad(...))`. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { setDevice } from '../../engine/device.ts';
import {
  compile,
  DeviceError,
  GradError,
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
import { on, openGpu, reference } from '../support/devices.ts';
import { assign, close, fixture, made, parametersOf, shaped, throughFile, valuesOf } from '../support/optim.ts';

const test = suite('step from grad');
const gpu = await openGpu();
setDevice(gpu);
const held = () => {
  const { tensors, buffers, bytes } = memory();
  return { tensors, buffers, bytes };
};

/** Puts the fixture's gradients of step k into `.grad`, but for those that it has none of. */
function leave(parameters: readonly nn.Parameter[], k: number): void {
  const losses = shaped(fixture.gradients[k]!).map((g, i) => parameters[i]!.mul(g).sum());
  losses.forEach((loss, i) => {
    if (!fixture.missing[k]!.includes(i)) loss.backward();
  });
}

for (const f of fixture.optimizers) {
  const title = `${f.kind} ${JSON.stringify(f.options)}, second group ${JSON.stringify(f.second)}`;
  test(`${title}: PyTorch's ten steps, with gradients missing here and there`, async () => {
    const { parameters, optimizer, dispose } = on(reference, () => made(f));
    for (const k of fixture.gradients.keys()) {
      withDevice(reference, () => {
        scope(() => leave(parameters, k));
        optimizer.step();
        optimizer.zeroGrad();
      });
      assert.ok(parameters.every((p) => p.grad === undefined));
      const at = fixture.steps.indexOf(k + 1);
      if (at >= 0) close(await valuesOf(parameters), f.skipping[at]!, `after step ${k + 1}`);
    }
    assert.is(optimizer.steps, 10);
    dispose();
  });
}

test('steps compiled from gradients outside have the bits of eager ones, whichever are missing', async () => {
  for (const f of fixture.optimizers) {
    const [eager, compiled] = [made(f), made(f)];
    const step = compile(() => compiled.optimizer.step());
    for (const k of [...fixture.gradients.keys(), 0, 2, 1]) {
      for (const { parameters } of [eager, compiled]) scope(() => leave(parameters, k));
      eager.optimizer.step();
      step();
      for (const { optimizer } of [eager, compiled]) optimizer.zeroGrad();
    }
    const title = `${f.kind} ${JSON.stringify(f.options)}`;
    assert.equal(await valuesOf(compiled.parameters), await valuesOf(eager.parameters), title);
    assert.equal(
      await throughFile(compiled.optimizer.stateDict()),
      await throughFile(eager.optimizer.stateDict()),
      title,
    );
    step.dispose();
    for (const m of [eager, compiled]) m.dispose();
  }
});

test('a state in which parameters were skipped goes on with the same bits, and one without fits too', async () => {
  const f = fixture.optimizers.find(({ kind }) => kind === 'AdamW')!;
  const run = ({ parameters, optimizer }: ReturnType<typeof made>, from: number, to: number) => {
    for (let k = from; k < to; k++) {
      scope(() => leave(parameters, k));
      optimizer.step();
      optimizer.zeroGrad();
    }
  };
  const [whole, fresh, resumed, twin] = [made(f), made(f), made(f), made(f)];
  const early = await nn.encodeCheckpoint({ adam: fresh.optimizer });
  run(whole, 0, 5);
  const names = [...whole.optimizer.stateDict().keys()].filter((name) => name.endsWith('skipped'));
  assert.equal(names, ['state.0.skipped', 'state.1.skipped', 'state.2.skipped']);
  const saved = await nn.encodeCheckpoint({ adam: whole.optimizer });
  const state = await throughFile(whole.optimizer.stateDict());
  const values = await valuesOf(whole.parameters);
  run(whole, 5, 10);
  run(resumed, 5, 7); // its own state is overwritten
  await nn.decodeCheckpoint(saved, { adam: resumed.optimizer });
  twin.optimizer.loadStateDict(state);
  for (const m of [resumed, twin]) {
    assign(m.parameters, values);
    run(m, 5, 10);
    assert.equal(await valuesOf(m.parameters), await valuesOf(whole.parameters));
    assert.equal(await throughFile(m.optimizer.stateDict()), await throughFile(whole.optimizer.stateDict()));
  }
  await nn.decodeCheckpoint(early, { adam: resumed.optimizer });
  assert.equal(
    await throughFile(resumed.optimizer.stateDict()),
    await throughFile(fresh.optimizer.stateDict()),
    'of before there was any',
  );
  const bad = new Map([...state, ['state.1.skipped', 6] as const]);
  assert.throws(
    () => twin.optimizer.loadStateDict(bad),
    /^AdamW: state.1.skipped must be a whole number from 0 to 5, not 6/,
  );
  const other = new Map([...state, ['state.3.skipped', 1] as const]);
  assert.throws(() => twin.optimizer.loadStateDict(other), /state.3.skipped is unexpected/);
  for (const m of [whole, fresh, resumed, twin]) m.dispose();
});

for (const clip of fixture.norms) {
  test(`clipGradNorm of parameters, limit ${clip.limit}, norm ${clip.normType}: what PyTorch puts into .grad`, async () => {
    const parameters = on(reference, () => parametersOf());
    withDevice(reference, () => {
      shaped(fixture.gradients[0]!).forEach((g, i) => void parameters[i]!.mul(g).sum().backward());
    });
    const { gradients, totalNorm } = nn.clipGradNorm(parameters, clip.limit, { normType: Number(clip.normType) });
    assert.ok(gradients.every((g, i) => g === parameters[i]!.grad));
    close(await valuesOf(parameters.map((p) => p.grad!)), clip.clipped, 'clipped');
    close([await totalNorm.item()], [clip.total!], 'norm');
  });
}

test('clipGradNorm and clipGradValue leave out parameters without a gradient, and hold no memory', async () => {
  const parameters = parametersOf();
  const start = held();
  const [first, second] = shaped(fixture.gradients[0]!);
  for (let k = 0; k < 3; k++) {
    scope(() => {
      parameters[0]!.mul(first!).sum().backward();
      parameters[1]!.mul(second!).sum().backward();
      nn.clipGradNorm(parameters, 1);
      nn.clipGradValue(parameters, 0.25);
    });
    assert.is(parameters[2]!.grad, undefined);
    assert.is(memory().tensors, start.tensors + 2 + 3);
    assert.ok((await valuesOf([parameters[0]!.grad!])).every((v) => Math.abs(v) <= 0.25));
    for (const p of parameters) p.zeroGrad();
  }
  assert.throws(
    () => nn.clipGradNorm(parameters, 1),
    /^clipGradNorm: no parameter has a gradient in \.grad: call loss\.backward/,
  );
  assert.throws(() => nn.clipGradValue(parameters, 1), /^clipGradValue: no parameter has a gradient in \.grad/);
});

/** A network with a frozen layer, and an optimizer of two groups. */
function network(seed = 3) {
  const rng = new Rng(seed);
  const layers = [new nn.Linear(4, 6, { rng }), new nn.Linear(6, 6, { rng }), new nn.Linear(6, 2, { rng })] as const;
  const model = new nn.Sequential(layers[0], new nn.Tanh(), layers[1], new nn.Tanh(), layers[2]);
  layers[1].requireGrad(false);
  const rest = model.parameters().filter((p) => p !== layers[2].weight);
  const optimizer = new nn.Adam([{ params: rest }, { params: [layers[2].weight], lr: 0.1, weightDecay: 0.01 }]);
  const trained = model.parameters().filter((p) => p.requiresGrad);
  return { model, optimizer, trained, dispose: () => [optimizer, model].forEach((d) => void d.dispose()) };
}
type Network = ReturnType<typeof network>;

const lossOf = ({ model }: Network, x: Tensor): Tensor => model.forward(x).square().mean();
const batches = Array.from({ length: 6 }, (_, k) => new Rng(20 + k).hostNormal(12));
const batch = (k: number): Tensor => tensor(batches[k]!, { shape: [3, 4] });

/** Ways to make a training step, which all should have the same bits. */
const ways: Readonly<Record<string, (n: Network, x: Tensor) => Tensor>> = {
  'zeroGrad at the end': (n, x) => {
    const loss = lossOf(n, x);
    loss.backward();
    n.optimizer.step();
    n.optimizer.zeroGrad();
    return loss;
  },
  "zeroGrad at the start, as in PyTorch's tutorials": (n, x) => {
    n.optimizer.zeroGrad();
    const loss = lossOf(n, x);
    loss.backward();
    n.optimizer.step();
    return loss;
  },
  "the module's zeroGrad": (n, x) => {
    n.model.zeroGrad();
    const loss = lossOf(n, x);
    loss.backward();
    n.optimizer.step();
    return loss;
  },
  'scopes inside': (n, x) => {
    const loss = scope(() => {
      const inner = lossOf(n, x);
      inner.backward();
      return inner.detach();
    });
    scope(() => n.optimizer.step());
    n.optimizer.zeroGrad();
    return loss;
  },
};
/** What they are held to: gradients by `grad`, of the parameters that are not frozen, and the step of the others without one. */
const byGrad = (n: Network, x: Tensor): Tensor => {
  const loss = lossOf(n, x);
  const gradients = grad(loss, n.trained);
  n.trained.forEach((p, i) => {
    p.grad = gradients[i]!;
  });
  n.optimizer.step();
  for (const p of n.trained) p.grad = undefined;
  return loss;
};

const bits = async (n: Network, losses: readonly number[]) => ({
  losses,
  parameters: await valuesOf(n.model.parameters()),
  state: await throughFile(n.optimizer.stateDict()),
});

async function trained(step: (x: Tensor) => Tensor, n: Network) {
  const losses: number[] = [];
  for (const k of batches.keys()) losses.push(await scope(() => step(batch(k)).item()));
  return bits(n, losses);
}

test('every order of backward, step and zeroGrad has the bits of grad, at once and compiled, and flat memory', async () => {
  const first = network();
  const wanted = await trained((x) => byGrad(first, x), first);
  first.dispose();
  for (const [name, way] of Object.entries(ways)) {
    for (const isCompiled of [false, true]) {
      const before = held();
      const n = network();
      const step = compile((x: Tensor) => way(n, x));
      const run = isCompiled ? step : (x: Tensor) => way(n, x);
      const title = `${name}${isCompiled ? ', compiled' : ''}`;
      assert.equal(await trained(run, n), wanted, title);
      await scope(() => run(batch(0)).item());
      const once = held();
      for (let k = 0; k < 8; k++) await scope(() => run(batch(0)).item());
      assert.equal(held(), once, title);
      assert.is(new Set(step.kernels()).size > 0, isCompiled);
      const kernels = step.kernels().length;
      await scope(() => run(batch(1)).item());
      assert.is(step.kernels().length, kernels, `${title}: captured once`);
      step.dispose();
      n.dispose();
      assert.equal(held(), before, title);
    }
  }
});

test('what a compiled step leaves in .grad is the gradient of that run, of parameters and of nothing frozen', async () => {
  const n = network();
  const step = compile((x: Tensor) => {
    n.model.zeroGrad();
    const loss = lossOf(n, x);
    loss.backward();
    return loss;
  });
  const start = held();
  for (const k of [0, 1, 0]) {
    scope(() => void step(batch(k)));
    const wanted = await scope(() => valuesOf(grad(lossOf(n, batch(k)), n.trained)));
    assert.equal(await valuesOf(n.trained.map((p) => p.grad!)), wanted);
  }
  assert.ok(n.model.parameters().every((p) => (p.grad !== undefined) === p.requiresGrad));
  assert.is(held().tensors, start.tensors + n.trained.length);
  n.model.zeroGrad();
  assert.ok(n.model.parameters().every((p) => p.grad === undefined));
  step.dispose();
  n.dispose();
});

test('backward adds to what .grad has, within a compiled step and from run to run', async () => {
  const [eager, compiled] = [network(), network()];
  const twice = (n: Network) => (x: Tensor) => {
    const loss = lossOf(n, x);
    loss.backward();
    lossOf(n, x.mul(0.5)).backward();
    return loss;
  };
  const step = compile(twice(compiled));
  for (let round = 0; round < 3; round++) {
    for (const k of [0, 1, 2]) {
      const found = scope(() => [twice(eager)(batch(k)).item(), step(batch(k)).item()]);
      assert.is(await found[1], await found[0]);
    }
    for (const { trained } of [eager, compiled]) nn.clipGradNorm(trained, 0.1);
    assert.equal(
      await valuesOf(compiled.trained.map((p) => p.grad!)),
      await valuesOf(eager.trained.map((p) => p.grad!)),
    );
    for (const { optimizer } of [eager, compiled]) {
      optimizer.step();
      optimizer.zeroGrad();
    }
  }
  assert.equal(await bits(compiled, []), await bits(eager, []));
  const kernels = step.kernels().length;
  const count = held();
  for (const k of [0, 1, 2]) scope(() => void step(batch(k)));
  compiled.optimizer.zeroGrad();
  assert.is(step.kernels().length, kernels, 'with and without a gradient are two captures, kept');
  assert.equal(held(), count);
  step.dispose();
  for (const n of [eager, compiled]) n.dispose();
});

test('clipping between backward and step, compiled, has the bits of eager', async () => {
  const [eager, compiled] = [network(), network()];
  const way = (n: Network) => (x: Tensor) => {
    n.optimizer.zeroGrad();
    const loss = lossOf(n, x);
    loss.backward();
    const { totalNorm } = nn.clipGradNorm(n.model.parameters(), 0.05);
    nn.clipGradValue(n.model.parameters(), 0.02);
    n.optimizer.step();
    return totalNorm;
  };
  const step = compile(way(compiled));
  assert.equal(await trained(step, compiled), await trained(way(eager), eager));
  const count = held();
  for (let k = 0; k < 5; k++) scope(() => void step(batch(k)));
  assert.equal(held(), count);
  step.dispose();
  for (const n of [eager, compiled]) n.dispose();
});

test('a frozen parameter is moved again once it is thawed, with the step number that is its own', async () => {
  const [plain, late] = [parametersOf(), parametersOf()];
  const options = { lr: 0.1, betas: [0.5, 0.9] as const };
  const [first, second] = [new nn.Adam([plain[0]!], options), new nn.Adam([late[0]!, late[2]!], options)];
  late[0]!.requireGrad(false);
  const both = () => scope(() => late[0]!.square().sum().add(late[2]!.sum()).backward());
  for (let k = 0; k < 3; k++) {
    both();
    second.step();
    second.zeroGrad();
  }
  late[0]!.requireGrad();
  for (let k = 0; k < 3; k++) {
    both();
    second.step();
    second.zeroGrad();
    scope(() => first.step(grad(plain[0]!.square().sum(), [plain[0]!])));
  }
  assert.equal(await valuesOf([late[0]!]), await valuesOf([plain[0]!]));
  assert.equal([first.steps, second.steps], [3, 6]);
});

test('gradients are refused where there are none, or of another shape, and nothing is changed', async () => {
  const parameters = parametersOf();
  const adam = new nn.Adam(parameters);
  const message =
    /^Adam: no parameter has a gradient in \.grad: call loss\.backward\(\) first, or pass the gradients, as in step\(grad\(/;
  assert.throws(
    () => adam.step(),
    (e: Error) => e instanceof GradError && message.test(e.message),
  );
  const step = compile(() => adam.step());
  assert.throws(
    () => step(),
    (e: Error) => e instanceof GradError && message.test(e.message),
  );
  parameters[2]!.grad = ones([4]);
  assert.throws(
    () => adam.step(),
    (e: Error) => e instanceof ShapeError && /gradient 2 is \[4\], and its parameter p2 \[5\]/.test(e.message),
  );
  assert.is(adam.steps, 0);
  assert.equal(
    [...adam.stateDict().keys()].filter((k) => k.endsWith('skipped')),
    [],
  );
  adam.zeroGrad();
  close(await valuesOf(parameters), fixture.parameters.map(Math.fround), 'parameters', 0);
});

test('what a compiled step cannot do with gradients is refused, and leaves them and memory as they were', async () => {
  const n = network();
  scope(() => lossOf(n, batch(0)).backward());
  const grads = n.trained.map((p) => p.grad);
  const values = await valuesOf(grads as Tensor[]);
  const x = batch(1).requireGrad();
  const before = held();
  const failing = compile((t: Tensor) => {
    lossOf(n, t).backward();
    n.optimizer.zeroGrad();
    lossOf(n, t).backward();
    throw new Error('of the step');
  });
  assert.throws(() => failing(x.detach()), /^of the step$/);
  const inInput = compile((t: Tensor) => {
    const loss = lossOf(n, t);
    loss.backward();
    return loss;
  });
  assert.throws(
    () => inInput(x),
    (e: Error) =>
      e instanceof DeviceError &&
      /^compile: backward\(\) leaves a gradient in input 0, tensor \[3,4\], .* grad\(\)/.test(e.message),
  );
  assert.ok(n.trained.every((p, i) => p.grad === grads[i]));
  assert.is(held().tensors, before.tensors + 1);
  assert.equal(await valuesOf(n.trained.map((p) => p.grad!)), values);
  const cleared = compile((t: Tensor) => {
    const loss = lossOf(n, t);
    loss.backward();
    t.zeroGrad();
    return loss;
  });
  scope(() => void cleared(x));
  assert.is(x.grad, undefined);
  assert.is.not(String(await valuesOf(n.trained.map((p) => p.grad!))), String(values), 'added');
});

test('several steps of one optimizer in a compiled step may not bring apart what one launch moves', () => {
  const parameters = parametersOf();
  const sgd = new nn.SGD(parameters, { lr: 0.1, momentum: 0.9 });
  const move = (...places: number[]) => {
    for (const i of places) parameters[i]!.sum().backward();
    sgd.step();
    sgd.zeroGrad();
  };
  move(0); // 1 is a step behind
  const step = compile(() => {
    move(1); // and now as far as 0, in this run alone
    move(0, 1);
    return parameters[0]!.mul(1);
  });
  scope(() => void step());
  assert.throws(() => scope(() => void step()), /^SGD: in a compiled step with several step\(\) of one optimizer/);
});

test('gradients of leaves that the step makes are freed with them', () => {
  const start = held();
  const step = compile((t: Tensor) => {
    const inner = t.detach().clone().requireGrad();
    inner.square().sum().backward();
    return inner.grad!.mul(1);
  });
  for (let k = 0; k < 3; k++) {
    scope(() => {
      const y = step(ones([3]));
      assert.equal(y.shape, [3]);
    });
  }
  step.dispose();
  assert.equal(held(), start);
});

test('a leaf owns its gradient: one put there outlives its scope, frees the one before, and may be returned', async () => {
  const [eager, compiled] = [network(), network()];
  const halved = (n: Network) => (x: Tensor) => {
    n.optimizer.zeroGrad();
    lossOf(n, x).backward();
    for (const p of n.trained) p.grad = p.grad!.mul(0.5);
    n.optimizer.step();
    return [n.trained[0]!.grad!, ...n.trained.slice(1).map((p) => p.grad!.mul(1))];
  };
  const step = compile(halved(compiled));
  const run = async (fn: (x: Tensor) => Tensor[], k: number) => valuesOf(scope(() => fn(batch(k))));
  for (const k of [0, 1, 2]) {
    const wanted = await scope(() => valuesOf(grad(lossOf(eager, batch(k)), eager.trained).map((g) => g.mul(0.5))));
    assert.equal(await run(halved(eager), k), wanted);
    assert.equal(await run(step, k), wanted);
    assert.equal(await valuesOf(compiled.trained.map((p) => p.grad!)), wanted);
  }
  for (const fn of [halved(eager), step]) {
    const count = held();
    for (let k = 0; k < 4; k++) scope(() => void fn(batch(k)));
    assert.equal(held(), count);
  }
  const p = eager.trained[0]!;
  const g = p.grad!;
  p.grad = g;
  assert.not(g.isDisposed);
  p.grad = undefined;
  assert.ok(g.isDisposed);
  step.dispose();
  for (const n of [eager, compiled]) n.dispose();
});

test('dispose of a module frees the gradients in it', () => {
  const start = held();
  const model = new nn.Linear(2, 3);
  scope(() =>
    model
      .forward(ones([1, 2]))
      .sum()
      .backward(),
  );
  assert.is(memory().tensors, start.tensors + 4);
  model.dispose();
  assert.equal(held(), start);
});

test.after(() => gpu.destroy());
test.run();
