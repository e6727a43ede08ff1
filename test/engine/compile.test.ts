/** Compiled steps: the numbers of the step as it is, from captures that are fused, planned and replayed. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { setDevice } from '../../engine/device.ts';
import {
  broadcastTo,
  type CompiledStep,
  checkpoint,
  compile,
  copyFrom,
  DeviceError,
  detectAnomaly,
  dropout,
  grad,
  keep,
  manualSeed,
  matmul,
  memory,
  noGrad,
  ones,
  Rng,
  randn,
  reference,
  scope,
  type Tensor,
  tensor,
  withDevice,
  zeros,
} from '../../engine/index.ts';
import { emaStep } from '../../engine/internal.ts';
import { dcganSmall, Gan } from '../../gan/index.ts';
import * as nn from '../../nn/index.ts';
import { openGpu } from '../support/devices.ts';
import { graphLeaves, graphOrders } from '../support/randomGraph.ts';
import { distance } from '../support/values.ts';

const test = suite('compile');
const gpu = await openGpu();
setDevice(gpu);
const held = () => {
  const { tensors, buffers, bytes } = memory();
  return { tensors, buffers, bytes };
};

/** Runs a step twice over the same inputs, as it is and compiled, each with state of its own, and compares all numbers. */
async function same<R extends readonly Tensor[]>(
  make: () => (...inputs: Tensor[]) => R,
  inputs: () => Tensor[],
  runs = 6,
  tolerance = 1e-6,
): Promise<CompiledStep<Tensor[], R>> {
  const [plain, compiled] = [make(), compile(make())];
  for (let k = 0; k < runs; k++) {
    const [found, wanted] = await scope(() => {
      const xs = inputs();
      const numbers = (ts: readonly Tensor[]) => Promise.all(ts.map((t) => t.data()));
      const expected = numbers(scope(() => plain(...xs).map((t) => t.detach())));
      return Promise.all([numbers(compiled(...xs)), expected]);
    });
    found.forEach((values, i) => {
      const d = distance(values, wanted[i]!, 1e-6);
      assert.ok(
        d <= tolerance,
        `run ${k}, result ${i}: off by ${d}: ${values.slice(0, 4)}, not ${wanted[i]!.slice(0, 4)}`,
      );
    });
  }
  return compiled;
}

test('WGAN-GP trains with the same numbers, in fewer launches', async () => {
  const data = new Rng(9);
  const made: Gan[] = [];
  const step = await same(
    () => {
      const rng = new Rng(3);
      const trainer = new Gan(dcganSmall({ shape: [28, 28, 1], rng }), rng, { emaDecay: 0.9 });
      made.push(trainer);
      return (real) => {
        const { loss, penalty } = trainer.criticStep(real);
        return [loss, penalty, trainer.generatorStep(4)];
      };
    },
    () => [data.uniform([4, 28, 28, 1], { low: -1 })],
  );
  const averages = made.map((t) =>
    t.ema!.apply(() => scope(() => t.networks.generator.parameters().map((p) => p.mul(1)))),
  );
  const [a, b] = await Promise.all(averages.map((ps) => Promise.all(ps.map((p) => p.data()))));
  a!.forEach((values, i) => {
    assert.ok(distance(values, b![i]!, 1e-6) < 1e-6, `average of parameter ${i}`);
  });
  assert.equal(
    made.map((t) => t.criticOptimizer.steps),
    [6, 6],
  );
  const before = gpu.counters().dispatches;
  scope(() => made[0]!.criticStep(zeros([4, 28, 28, 1])));
  scope(() => made[0]!.generatorStep(4));
  const launches = gpu.counters().dispatches - before;
  assert.ok(step.kernels().length < 0.9 * launches, `${step.kernels().length} of ${launches}`);
  step.dispose();
});

test('learning rates, step numbers and random numbers move on from run to run', async () => {
  const step = await same(
    () => {
      const rng = new Rng(4);
      const w = new nn.Parameter(ones([5, 5]), 'w');
      const adam = new nn.Adam([w], { lr: 0.1 });
      return (x) => {
        const h = checkpoint((t) => dropout(matmul(t, w), 0.3, rng).tanh())(x.add(rng.normal([3, 5])));
        adam.step(grad(h.mul(rng.truncatedNormal([3, 5])).sum(), [w]));
        adam.lr *= 1; // what JavaScript does inside the step happens once
        return [w.mul(1), rng.uniform([2]), rng.bernoulli([4])];
      };
    },
    () => [ones([3, 5])],
  );
  step.dispose();
  const w = new nn.Parameter(ones([1]), 'w');
  const sgd = new nn.Adam([w], { lr: 0.5, betas: [0, 0] });
  const descend = compile((x: Tensor) => {
    sgd.step(grad(w.mul(x).sum(), [w]));
    return w.mul(1);
  });
  const x = ones([1]);
  const seen: number[] = [];
  for (const lr of [0.5, 0.25, 0.125, 0]) {
    sgd.lr = lr;
    seen.push(await scope(() => descend(x).item()));
  }
  assert.equal(
    seen.map((v) => Math.round(v * 1e5) / 1e5),
    [0.5, 0.25, 0.125, 0.125],
  );
  descend.dispose();
});

test('chains of every shape: broadcasting, several results, views, equal inputs', async () => {
  const rng = new Rng(5);
  const step = await same(
    () => (x, row, column, one) => {
      const a = x.mul(row).add(column).tanh();
      const b = a.sub(x).mul(one);
      const c = b
        .reshape([35])
        .exp()
        .mul(a.reshape([35]));
      const d = x.mul(x).add(x).maximum(row);
      return [b, c, d, d.sum(0).mul(2).add(1), a.reshape([7, 5]).neg()];
    },
    () => [rng.normal([5, 7]), rng.normal([7]), rng.normal([5, 1]), rng.normal([1])],
  );
  assert.ok(
    step.kernels().some((k) => k.split('+').length >= 4),
    step.kernels().join(' '),
  );
  step.dispose();
});

test('what is read before an update in place is the old value, and what is read after is the new', async () => {
  const step = await same(
    () => {
      const w = new nn.Parameter(ones([3]), 'w');
      const adam = new nn.Adam([w], { lr: 0.1 });
      return (x) => {
        const before = noGrad(() => w.mul(2).add(1));
        adam.step(grad(w.mul(x).sum(), [w]));
        const after = noGrad(() => w.mul(2).add(1));
        return [before.sub(after), before, after];
      };
    },
    () => [tensor([1, 2, 3])],
  );
  step.dispose();
});

test('random graphs with their gradients', async () => {
  // Each has its own chains, and each chain its own shader to compile.
  for (let seed = 2001; seed <= 2008; seed++) {
    const step = await same(
      () =>
        (...xs) =>
          graphOrders(seed, xs),
      () => graphLeaves(seed),
      3,
      // One chain may round differently from its parts.
      2e-4,
    );
    step.dispose();
  }
});

test('what nobody needs is left out, and results keep their shape in arrays and objects', async () => {
  const step = compile((x: Tensor) => {
    matmul(x, x).exp();
    return { y: x.add(1), list: [x.mul(2)] as const, note: 'kept' };
  });
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  for (let k = 0; k < 3; k++) {
    const made = step(x);
    assert.equal([made.y.shape, made.list[0].shape, made.note, made.y.requiresGrad], [[2, 2], [2, 2], 'kept', false]);
    assert.equal([...(await made.y.data()), ...(await made.list[0].data())], [2, 3, 4, 5, 2, 4, 6, 8]);
    made.y.dispose();
    made.list[0].dispose();
  }
  assert.equal(step.kernels(), ['affine', 'affine']);
  step.dispose();
  x.dispose();
});

test('another shape makes another capture; results of earlier runs stay', async () => {
  const step = compile((x: Tensor) => x.square().sum());
  const kept: Tensor[] = [];
  for (const n of [3, 3, 5, 3, 5]) kept.push(scope(() => step(ones([n]))));
  assert.equal(await Promise.all(kept.map((t) => t.item())), [3, 3, 5, 3, 5]);
  for (const t of kept) t.dispose();
  step.dispose();
});

test('a compiled step inside another is part of it', async () => {
  const inner = compile((x: Tensor) => x.mul(3));
  const outer = compile((x: Tensor) => inner(x).add(1).sum());
  for (let k = 0; k < 4; k++) assert.is(await scope(() => outer(ones([4])).item()), 16);
  inner.dispose();
  outer.dispose();
});

test('memory stands still, and dispose gives it back', async () => {
  const start = held();
  const w = keep(ones([64, 64]));
  const step = compile((x: Tensor) => matmul(matmul(x, w).tanh(), w).sigmoid().sum());
  const run = () => scope(() => step(ones([32, 64])).item());
  await run();
  await run();
  const before = memory();
  const counted = gpu.counters();
  for (let k = 0; k < 30; k++) await run();
  assert.equal(memory(), before);
  assert.equal({ ...gpu.counters(), dispatches: 0 }, { ...counted, dispatches: 0 });
  step.dispose();
  assert.ok((await run()) > 0, 'it can be called again');
  step.dispose();
  w.dispose();
  assert.equal(held(), start);
});

test('what a capture cannot do is refused by name', async () => {
  const x = ones([3]);
  const rng = new Rng(1);
  const kept: Tensor[] = [];
  const keeping = compile((t: Tensor) => {
    kept.push(keep(t.exp()));
    return t.add(1);
  });
  const p = new nn.Parameter(ones([3]), 'p');
  const lazy = compile((t: Tensor) => {
    const made = new nn.Adam([p]);
    made.step(grad(p.mul(t).sum(), [p]));
    return t.add(1);
  });
  const passed = compile((t: Tensor) => {
    emaStep(t, ones([3]), 0.5);
    return t.add(1);
  });
  const uploaded = compile((t: Tensor) => {
    const m = tensor([0, 0, 0]);
    emaStep(m, t, 0.5);
    return m.add(1);
  });
  const viewing = compile((t: Tensor) => {
    kept.push(keep(t.reshape([3, 1])));
    return t.add(1);
  });
  const drawing = compile((t: Tensor) => t.add(rng.hostNormal(1)[0]!));
  for (const [step, message] of [
    [keeping, /^compile: the step keeps a tensor that exp made in it/],
    [drawing, /^compile: random numbers drawn on the host .* would be the same/],
    [lazy, /^compile: parameters move to other memory inside the step/],
    [passed, /^compile: ema overwrites a tensor that was passed to the step/],
    [uploaded, /^compile: ema overwrites a tensor that was passed to the step, or made from host data/],
    [viewing, /^compile: the step keeps one of its inputs/],
  ] as const) {
    assert.throws(
      () => step(x),
      (e: Error) => e instanceof DeviceError && message.test(e.message),
    );
  }
  const reading = compile((t: Tensor) => ({ y: t.add(1), read: t.exp().sum().item() }));
  assert.throws(() => reading(x), /^compile: values are read inside the step/);
  const item = compile((t: Tensor) => t.sum().item() as unknown as Tensor);
  assert.throws(() => item(x), /^compile: the step returned a promise; .* return the tensor, and read it after/);
  assert.throws(() => compile(async (t: Tensor) => t)(x), /async/);
  assert.throws(
    () => keeping(new Date() as unknown as Tensor),
    (e: Error) => e instanceof TypeError && /^compile: input 0 is a Date; a step takes tensors/.test(e.message),
  );
  assert.equal([...(await p.data())], [1, 1, 1], 'a refused capture leaves parameters as they were');
  for (const t of kept) t.dispose();
});

test('a capture that fails leaves nothing behind', () => {
  const start = held();
  const x = ones([3]);
  const failing = compile((t: Tensor) => {
    t.exp();
    throw new Error('of the step');
  });
  for (let k = 0; k < 3; k++) assert.throws(() => failing(x), /^of the step$/);
  const { maxStorageBufferBindingSize: limit } = gpu.gpu.limits;
  const large = compile((t: Tensor) => broadcastTo(t.sum(), [limit / 4 + 64]).mul(2));
  for (let k = 0; k < 2; k++) assert.throws(() => large(x), /takes \d+ bytes, and this adapter binds/);
  x.dispose();
  assert.equal(held(), start);
});

test('parameters that were moved or freed, other devices and reseeded streams are noticed', async () => {
  const p = new nn.Parameter(ones([2]), 'p');
  const x = tensor([1, 2]);
  const step = compile((t: Tensor) => t.mul(p));
  const at = async () => [...(await scope(() => step(x).data()))];
  assert.equal(await at(), [1, 2]);
  const sgd = new nn.Adam([p], { lr: 0.5, betas: [0, 0] }); // moves p into its arena
  sgd.step([ones([2])]);
  assert.equal(await at(), [0.5, 1]);
  const ema = new nn.EMA([p], 0);
  ema.update();
  sgd.step([ones([2])]);
  assert.equal(await at(), [0, 0]);
  assert.equal([...(await scope(() => ema.apply(() => step(x)).data()))], [0.5, 1]);
  const other = await openGpu();
  const far = withDevice(other, () => tensor([5, 6]));
  const twice = compile((t: Tensor) => t.mul(2));
  twice(x);
  assert.equal([...(await withDevice(other, () => twice(far)).data())], [10, 12]);
  assert.throws(() => compile((a: Tensor, b: Tensor) => a.add(b))(x, far), /^compile: .* and input 0 on/);
  other.destroy();
  const draw = compile(() => randn([2]));
  manualSeed(3);
  const first = [...(await draw().data())];
  await draw().data();
  manualSeed(3);
  assert.equal([...(await draw().data())], first);
  p.dispose();
  assert.throws(() => step(x), /was freed/);
});

test('a tensor that the step sees detached, or only returns, is looked at in each run', async () => {
  const w = new nn.Parameter(tensor([1, 2]), 'w');
  const x = tensor([1, 1]);
  const cut = compile((t: Tensor) => [t.mul(w.detach())] as const);
  const shown = compile((t: Tensor) => [t.mul(2), w] as const);
  const values = async () => (await Promise.all([cut(x)[0], shown(x)[1]].map((t) => t.array()))) as number[][];
  assert.equal(await values(), [
    [1, 2],
    [1, 2],
  ]);
  new nn.SGD([w], { lr: 1, momentum: 0.5 }).step([tensor([10, 20])]); // moves w into its arena
  assert.equal(await values(), [
    [-9, -18],
    [-9, -18],
  ]);
  w.dispose();
  assert.throws(() => cut(x), /was freed/);
  assert.throws(() => shown(x), /was freed/);
});

test('a tensor is passed to a step or used by it, not both', () => {
  const w = tensor([2], { requiresGrad: true });
  const slope = compile((p: Tensor) => grad(p.mul(w).sum(), [w])[0]!);
  assert.throws(() => slope(w), /^compile: input 0, .* is also used by the step from outside/);
  assert.throws(() => slope(w), /input 0/);
  const state = tensor([1]);
  const bump = compile((t: Tensor) => noGrad(() => [copyFrom(state, state.add(1)), t.mul(1)]));
  assert.throws(() => bump(state.detach()), /input 0/);
  bump(tensor([3]));
});

test('captures are kept for parameters that come and go, and no more than a few', async () => {
  const p = new nn.Parameter(ones([2]), 'p');
  const sgd = new nn.Adam([p], { lr: 0.5, betas: [0, 0] });
  const ema = new nn.EMA([p], 0.9);
  const x = tensor([1, 2]);
  let captured = 0;
  const step = compile((t: Tensor) => {
    captured++;
    return t.mul(p);
  });
  for (let k = 0; k < 5; k++) {
    sgd.step([ones([2])]);
    ema.update();
    const [own, average] = [await scope(() => step(x).data()), await scope(() => ema.apply(() => step(x)).data())];
    assert.equal([...own], [...(await scope(() => x.mul(p).data()))]);
    assert.equal([...average], [...(await scope(() => ema.apply(() => x.mul(p)).data()))]);
  }
  assert.is(captured, 2);
  const any = compile((t: Tensor) => t.mul(2).sum());
  const length = async (n: number) => scope(() => any(ones([n])).item());
  for (let n = 1; n <= 48; n++) assert.is(await length(n), 2 * n);
  const before = memory();
  for (let n = 49; n <= 70; n++) assert.is(await length(n), 2 * n);
  assert.ok(memory().buffers <= before.buffers, `${memory().buffers} buffers, ${before.buffers} before`);
  assert.ok(memory().pooledBuffers <= before.pooledBuffers + 20, `${memory().pooledBuffers} pooled buffers`);
  for (const s of [step, any]) s.dispose();
});

test('a step goes on when a tensor is freed that it no longer uses', async () => {
  const layers = [tensor([2]), tensor([3])];
  let which = 0;
  const step = compile((t: Tensor) => t.mul(layers[which]!));
  const x = tensor([5]);
  assert.is(await scope(() => step(x).item()), 10);
  which = 1;
  layers[0]!.dispose();
  assert.is(await scope(() => step(x).item()), 15);
});

test('equal inputs are one tensor, results may be equal too, in maps, and parameters are copied', async () => {
  const r = tensor([3], { requiresGrad: true });
  const slope = compile((a: Tensor, b: Tensor) => grad(a.mul(b).sum(), [a])[0]!);
  assert.is(await scope(() => slope(r, r).item()), 6);
  assert.is(await scope(() => slope(r, tensor([5])).item()), 5);
  const p = new nn.Parameter(ones([1]), 'p');
  const sgd = new nn.Adam([p], { lr: 0.5, betas: [0, 0] });
  const descend = compile((t: Tensor) => {
    sgd.step([t]);
    const y = t.exp();
    return new Map([
      ['p', p as Tensor],
      ['y', y],
      ['again', y],
    ]);
  });
  const x = ones([1]);
  const [a, b] = [descend(x), descend(x)];
  assert.equal([await a.get('p')!.item(), await b.get('p')!.item()], [0.5, 0]);
  assert.is(await a.get('again')!.item(), await a.get('y')!.item());
});

test('profiles, counters and detectAnomaly see a compiled step', async () => {
  const step = compile((t: Tensor) => matmul(t, t).tanh());
  const x = ones([4, 4]);
  step(x);
  const before = gpu.counters().dispatches;
  step(x);
  assert.is(gpu.counters().dispatches - before, step.kernels().length);
  const entries = await gpu.profile(() => void step(x));
  assert.is(
    entries.reduce((n, e) => n + e.launches, 0),
    step.kernels().length,
  );
  const bad = compile((t: Tensor) => t.sub(2).log());
  bad(x);
  await detectAnomaly(() => bad(x)).then(
    () => assert.unreachable('it passed'),
    (e: Error) => assert.match(e.message, /log/),
  );
});

test('on the reference device a compiled step runs as it is', () => {
  setDevice(reference);
  const step = compile((x: Tensor) => x.mul(2));
  for (let k = 0; k < 3; k++) assert.equal([...reference.values(step(tensor([1, 2])).storage)], [2, 4]);
  assert.equal(step.kernels(), []);
  setDevice(gpu);
});

test.after(() => gpu.destroy());
test.run();
