/** `optimizer.step()` from `.grad`, `zeroGrad`, and backward in compiled steps: PyTorch's numbers, and the bits of `step(grad(...))`. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { setDevice } from '../../engine/device.ts';
import {
  compile,
  GradError,
  grad,
  memory,
  ones,
  ShapeError,
  scope,
  type Tensor,
  withDevice,
} from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';
import { on, openGpu, reference } from '../support/devices.ts';
import { batch, lossOf, type Network, network } from '../support/gradNetwork.ts';
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
