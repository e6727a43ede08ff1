import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { setDevice } from '../../engine/device.ts';
import {
  grad,
  keep,
  memory,
  ones,
  scope,
  type Tensor,
  tape,
  tensor,
  UseAfterFreeError,
  zeros,
} from '../../engine/index.ts';
import { optimizerStep } from '../../engine/internal.ts';
import { criticBatch, criticLoss, criticParameters } from '../support/critic.ts';
import { openGpu, reference } from '../support/devices.ts';

const gpu = await openGpu();

const held = () => {
  const { tensors, buffers, bytes } = memory();
  return { tensors, buffers, bytes };
};

/** A test on both devices, which leaves nothing behind. */
function everywhere(name: string, fn: () => void | Promise<void>): void {
  for (const device of [reference, gpu]) {
    test(`${name} (${device.kind})`, async () => {
      setDevice(device);
      const before = held();
      await fn();
      assert.equal(held(), before, 'something was left behind');
    });
  }
}

everywhere('a scope frees what it does not return', () => {
  const before = held();
  let inside: Tensor | undefined;
  const y = scope(() => {
    inside = ones([100]);
    assert.is(held().tensors, before.tensors + 1);
    return inside.add(1);
  });
  assert.ok(inside!.isDisposed);
  assert.not(y.isDisposed);
  assert.is(held().tensors, before.tensors + 1);
  assert.is(held().buffers, before.buffers + 1);
  y.dispose();
});

everywhere('tensors survive in arrays, maps and plain objects, and scopes nest', () => {
  const { list, map, deep } = scope(() => {
    const outer = ones([1]);
    const result = scope(() => ({
      list: [ones([2])],
      map: new Map([['a', ones([3])]]),
      deep: { a: [{ b: ones([4]) }] },
    }));
    assert.not(outer.isDisposed);
    return result;
  });
  const all = [list[0]!, map.get('a')!, deep.a[0]!.b];
  assert.equal(
    all.map((t) => t.isDisposed),
    [false, false, false],
  );
  for (const t of all) t.dispose();
});

everywhere('a scope gives back what is no tree, and lists of any length', () => {
  const long = scope(() => Array.from({ length: 300_000 }, (_, i) => i));
  assert.is(long.length, 300_000);
  const { ring, set } = scope(() => {
    const list: unknown[] = [ones([1])];
    list.push(list);
    return { ring: list, set: new Set([ones([2])]) };
  });
  assert.is(ring[1], ring);
  for (const t of [ring[0] as Tensor, ...set]) {
    assert.not.ok(t.isDisposed);
    t.dispose();
  }
});

everywhere('a scope refuses an object of a class that holds what it would free, and frees all', () => {
  class Pair {
    readonly kept = keep(ones([1]));
    readonly parts = { first: ones([2]).named('w') };
  }
  const before = memory().tensors;
  let made: Pair | undefined;
  const call = () =>
    scope(() => {
      made = new Pair();
      return [made];
    });
  assert.throws(
    call,
    /^scope: the function returned a Pair, and w \[2\], in its parts, was made in the scope, which would free/,
  );
  made!.kept.dispose();
  assert.is(memory().tensors, before);
  const fine = scope(() => ({ ...made!, other: new Date(0), numbers: new Float32Array(3) }));
  assert.is(fine.numbers.length, 3);
});

everywhere('the graph behind a returned tensor survives, and goes with the scope that holds it', () => {
  const x = tensor([1, 2, 3], { requiresGrad: true, label: 'x' });
  scope(() => {
    const y = scope(() => {
      ones([7]); // not part of the graph
      return x.exp().mul(x.square()).sum();
    });
    assert.is(tape(y).entries.length, 5);
    // x, exp, square, mul, sum
    assert.is(grad(y, [x])[0]!.size, 3);
  });
  x.dispose();
});

everywhere('a backward pass leaves only its results', () => {
  const x = tensor([1, 2, 3], { requiresGrad: true });
  const y = scope(() => x.exp().mul(x).sum());
  const before = held();
  const [dx] = grad(y, [x]);
  assert.is(held().tensors, before.tensors + 1);
  for (const t of tensorsBehind(y)) t.dispose();
  dx!.dispose();
});

/** A tensor and all that its graph holds. */
function tensorsBehind(y: Tensor): Set<Tensor> {
  const seen = new Set<Tensor>();
  const stack = [y];
  for (let t = stack.pop(); t; t = stack.pop()) {
    if (seen.has(t)) continue;
    seen.add(t);
    stack.push(...(t.node?.inputs ?? []));
  }
  return seen;
}

everywhere('keep takes a tensor out of every scope', () => {
  let kept: Tensor | undefined;
  scope(() => {
    scope(() => {
      kept = keep(ones([2]));
    });
  });
  assert.not(kept!.isDisposed);
  kept!.dispose();
});

everywhere('using and dispose free at once, and disposing twice is harmless', () => {
  const before = held();
  {
    using t = ones([5]);
    assert.is(t.size, 5);
    assert.is(held().tensors, before.tensors + 1);
  }
  assert.equal(held(), before);
  const t = ones([5]);
  t.dispose();
  t.dispose();
  assert.equal(held(), before);
});

everywhere('views share memory, which lives as long as any of them', async () => {
  const before = held();
  const x = ones([2, 3]);
  const [flat, same] = [x.reshape([6]), x.detach()];
  assert.is(held().buffers, before.buffers + 1);
  x.dispose();
  same.dispose();
  assert.is(held().buffers, before.buffers + 1);
  assert.equal(await flat.array(), [1, 1, 1, 1, 1, 1]);
  flat.dispose();
});

everywhere('an error inside a scope frees everything and restores the scope outside', () => {
  const outer = scope(() => {
    const mine = ones([1]);
    assert.throws(
      () =>
        scope(() => {
          ones([2]);
          scope(() => ones([3]));
          throw new Error('on purpose');
        }),
      'on purpose',
    );
    assert.not(mine.isDisposed);
    return ones([4]);
  });
  outer.dispose();
});

everywhere('use after free names the tensor and the remedy', () => {
  const t = ones([2, 3]).named('weights');
  t.dispose();
  const message =
    'weights [2,3] was freed: its scope ended, or dispose() was called. Return it from the scope, or keep(t) it';
  for (const use of [() => t.exp(), () => t.storage, () => t.detach()]) {
    assert.throws(use, (e: Error) => e instanceof UseAfterFreeError && e.message === message);
  }
});

everywhere('a scope refuses an async function', () => {
  assert.throws(
    () => scope(async () => {}),
    (e: Error) => e instanceof TypeError && /^scope: the function must not be async/.test(e.message),
  );
});

everywhere('values read inside a scope arrive after it has ended', async () => {
  const values = await scope(() => ones([3]).mul(2).data());
  assert.equal([...values], [2, 2, 2]);
});

everywhere('a write in place overtakes no work that was recorded before it', async () => {
  const [before, after] = await scope(() => {
    const x = tensor([1, 2]);
    const y = x.mul(10);
    x.assign([5, 6]);
    return Promise.all([y.array(), x.array()]);
  });
  assert.equal(
    [before, after],
    [
      [10, 20],
      [5, 6],
    ],
  );
});

/** Critic steps of a WGAN-GP with Adam over one arena, as a training loop does them. */
function training(): { step: () => Tensor; end: () => void } {
  const parameters = criticParameters();
  const lengths = parameters.map((p) => p.size);
  const offsets = lengths.map((_, i) => lengths.slice(0, i).reduce((n, l) => n + Math.ceil(l / 64) * 64, 0));
  const arena = [0, 1, 2].map(() => zeros([offsets[4]! + 64]));
  const [real, fake, alpha] = criticBatch(4);
  const options = { lengths, offsets, lr: 1e-3, beta1: 0.5, beta2: 0.9, eps: 1e-8, weightDecay: 0, l2: 0 };
  let count = 0;
  return {
    step: () =>
      scope(() => {
        const loss = criticLoss(real, fake, alpha, parameters);
        const [p, m, v] = arena;
        optimizerStep('adam', p!, [m!, v!], grad(loss, parameters), { ...options, step: ++count });
        return loss;
      }),
    end: () => {
      for (const t of [...parameters, ...arena, real, fake, alpha]) t.dispose();
    },
  };
}

test('200 steps with a gradient penalty: memory stands still, and nothing is made anew', async () => {
  setDevice(gpu);
  const start = held();
  const { step, end } = training();
  const run = async (steps: number) => {
    for (let i = 0; i < steps; i++) {
      const loss = step();
      if (i % 10 === 9) assert.ok(Number.isFinite(await loss.item()));
      loss.dispose();
    }
    await gpu.sync();
  };
  await run(20);
  const [before, counted] = [memory(), gpu.counters()];
  await run(200);
  const now = gpu.counters();
  assert.equal(memory(), before);
  assert.is(now.pipelines, counted.pipelines);
  assert.is(now.bindGroups, counted.bindGroups, 'bind groups were made after the warm-up');
  assert.ok(now.dispatches > counted.dispatches + 200 * 20);
  end();
  assert.equal(held(), start);
});

test('100 steps on the reference device: memory stands still too', () => {
  setDevice(reference);
  const start = held();
  const { step, end } = training();
  step().dispose();
  const before = memory();
  for (let i = 0; i < 100; i++) step().dispose();
  assert.equal(memory(), before);
  end();
  assert.equal(held(), start);
});

test('tensors are counted where they live', () => {
  const [on, off] = [gpu.memory().tensors, reference.memory().tensors];
  setDevice(gpu);
  const t = ones([2]);
  assert.equal([gpu.memory().tensors, reference.memory().tensors], [on + 1, off]);
  t.dispose();
  assert.equal([gpu.memory().tensors, reference.memory().tensors], [on, off]);
});

/** What is said on the console while `fn` runs. */
function warnings(fn: () => void): string[] {
  const { warn } = console;
  const said: string[] = [];
  console.warn = (message: string) => said.push(message);
  try {
    fn();
  } finally {
    console.warn = warn;
  }
  return said;
}

test('a loop without scope is warned of, once; scopes, what is kept and what is freed are not', async () => {
  const device = await openGpu();
  setDevice(device);
  const x = keep(ones([1]));
  const times = (n: number, fn: () => void) => {
    for (let k = 0; k < n; k++) fn();
  };
  const quiet = warnings(() => {
    times(34_000, () => keep(x.detach()));
    times(34_000, () => x.detach().dispose());
    times(400, () => scope(() => times(100, () => x.detach())));
    times(20_000, () => x.detach());
  });
  assert.equal(quiet, []);
  const said = warnings(() => times(20_000, () => x.detach()));
  assert.is(said.length, 1);
  assert.match(said[0]!, /^wgrad: 32768 tensors are alive outside every scope.*scope\(\(\) => .*keep\(t\)$/);
  device.destroy();
});

test.after(() => gpu.destroy());
test.run();
