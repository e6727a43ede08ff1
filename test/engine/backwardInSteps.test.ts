/** Backward in compiled steps: the bits of `step(grad(...))` in whatever order, and what such a step cannot do is refused. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { setDevice } from '../../engine/device.ts';
import { compile, DeviceError, grad, memory, scope, type Tensor } from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';
import { openGpu } from '../support/devices.ts';
import { batch, batches, lossOf, type Network, network } from '../support/gradNetwork.ts';
import { parametersOf, throughFile, valuesOf } from '../support/optim.ts';

const test = suite('backward in compiled steps');
const gpu = await openGpu();
setDevice(gpu);
const held = () => {
  const { tensors, buffers, bytes } = memory();
  return { tensors, buffers, bytes };
};

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

test.after(() => gpu.destroy());
test.run();
