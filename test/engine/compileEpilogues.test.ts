/** Products and norms of compiled steps that apply bias, activation and the like as they store: the numbers of the step as it is. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  batchNorm,
  compile,
  conv2d,
  convTranspose2d,
  copyFrom,
  grad,
  groupNorm,
  instanceNorm,
  layerNorm,
  matmul,
  noGrad,
  Rng,
  scope,
  type Tensor,
  withDevice,
} from '../../engine/index.ts';
import { clampInPlace } from '../../engine/internal.ts';
import type { WebGpuDevice } from '../../engine/webgpu/device.ts';
import * as nn from '../../nn/index.ts';
import { openGpu } from '../support/devices.ts';
import { distance } from '../support/values.ts';

const test = suite('compileEpilogues');
/** Takes every epilogue; the other one those that pay on a CPU. */
const any = await openGpu('hardware');
const picky = await openGpu('software');

type Step = (...xs: Tensor[]) => readonly Tensor[];

/** Runs a step as it is and, twice, compiled; compares, and returns the kernels. */
async function kernels(gpu: WebGpuDevice, shapes: readonly (readonly number[])[], step: Step, tolerance = 1e-6) {
  return withDeviceAsync(gpu, async () => {
    const rng = new Rng(shapes.length);
    const xs = shapes.map((s) => rng.normal(s));
    const wanted = await Promise.all(scope(() => step(...xs).map((t) => t.detach())).map((t) => t.data()));
    using compiled = compile(step);
    for (let run = 0; run < 2; run++) {
      const found = await Promise.all(compiled(...xs).map((t) => t.data()));
      found.forEach((values, i) => {
        const d = distance(values, wanted[i]!, 1e-6);
        assert.ok(d <= tolerance, `result ${i}: off by ${d}: ${values.slice(0, 4)}, not ${wanted[i]!.slice(0, 4)}`);
      });
    }
    return compiled.kernels();
  });
}

/** Everything up to the first wait runs on the device, and tensors know theirs. */
const withDeviceAsync = <T>(gpu: WebGpuDevice, fn: () => Promise<T>): Promise<T> => {
  let result: Promise<T>[] = [];
  withDevice(gpu, () => {
    result = [fn()];
  });
  return result[0]!;
};

const epilogues = (names: readonly string[]) =>
  names.filter((n) => /^(gemm|convTranspose2d|norm)\W.*\+/.test(n)).map((n) => n.replace(/^[^+]*/, ''));

// A k of 129 or more is split there, and the epilogue then ends the small kernel that adds the shares: little to compile.
for (const [what, a, b] of [
  ['odd sizes', [5, 7], [7, 3]],
  ['several tiles of vectors', [70, 20], [20, 68]],
  ['a split k', [6, 300], [300, 8]],
  ['a split k, odd', [6, 301], [301, 5]],
  ['a split k, one column', [9, 200], [200, 1]],
] as const) {
  test(`bias, activation and whole operands, with a value between as another result: ${what}`, async () => {
    const [m, n] = [a[0], b[1]];
    const names = await kernels(
      any,
      [a, b, [n], [m, n], [1]],
      (x, w, bias, whole, one) => {
        const sum = matmul(x, w).add(bias);
        return [sum.leakyRelu(0.2).mul(whole).add(one), sum];
      },
      1e-5,
    );
    assert.equal(epilogues(names), ['+add+leakyRelu+mul+add'], names.join(' '));
  });
}

test('values that are needed elsewhere are stored too, the raw product among them', async () => {
  const names = await kernels(any, [[9, 130], [130, 8], [8]], (x, w, bias) => {
    const raw = matmul(x, w);
    const sum = raw.add(bias.reshape([1, 8]));
    const y = sum.mul(3).tanh().sigmoid();
    return [y, y.sum(1), sum, raw.sum(0)];
  });
  assert.equal(epilogues(names), ['+add+affine+tanh+sigmoid'], names.join(' '));
  assert.is(names.filter((n) => /^(add|affine|tanh|sigmoid)/.test(n)).length, 0, names.join(' '));
});

test('batches of matrices, and views on the way', async () => {
  const names = await kernels(any, [[3, 5, 160], [3, 160, 4], [4], [5, 4], [60]], (x, w, bias, part, flat) => [
    matmul(x, w).add(bias).relu(),
    matmul(x, w).add(part), // neither a row nor whole
    matmul(x, w).reshape([60]).add(flat).reshape([15, 4]).mul(bias),
  ]);
  assert.equal(epilogues(names), ['+add+relu', '+add+mul'], names.join(' '));
});

test('convolutions, transposed ones by phases and by taps, and groups', async () => {
  const names = await kernels(
    any,
    [[2, 7, 6, 3], [3, 3, 3, 8], [8], [2, 4, 3, 8], [4, 4, 6, 8], [6], [4, 4, 2, 8], [2], [3, 3, 4, 8]],
    (x, w, b8, y, up, b6, few, b2, grouped) => [
      conv2d(x, w, { stride: 2, padding: 1 }).add(b8).leakyRelu(0.1),
      convTranspose2d(y, up, { stride: 2, padding: 1 }).add(b6).relu(),
      convTranspose2d(y, few, { stride: 2, padding: 1 }).add(b2).tanh(),
      conv2d(y, grouped, { groups: 2, padding: 1 }).add(b8).relu(), // a row for each group: not as an epilogue
      conv2d(y, grouped, { groups: 2, padding: 1 }).mul(2).relu(),
    ],
    1e-5,
  );
  assert.equal(epilogues(names), ['+add+leakyRelu', '+add+relu', '+add+tanh', '+affine+relu'], names.join(' '));
});

test('norms, their statistics among the results', async () => {
  const names = await kernels(
    any,
    [[3, 5, 4, 8], [8], [8], [1], [3, 5, 4, 8], [2, 3, 3, 6], [6], [6]],
    (x, gamma, beta, one, whole, odd, g6, b6) => {
      const { y, stats } = batchNorm(x, gamma, beta);
      const wide = batchNorm(odd, g6, b6).y;
      return [
        y.leakyRelu(0.2).mul(whole).add(gamma),
        stats.mul(2),
        // Two rows of 6 channels are one column of the walk.
        wide.add(g6),
        batchNorm(odd, g6, b6).y.mul(one).relu(),
        layerNorm(x, gamma, beta).add(beta).relu(),
        instanceNorm(x).add(beta).relu(),
        groupNorm(x, 2).tanh(),
      ];
    },
    1e-5,
  );
  assert.equal(
    epilogues(names),
    ['+leakyRelu+mul+add', '+mul+relu', '+add+relu', '+add+relu', '+tanh'],
    names.join(' '),
  );
});

test('gradients through norms, to the second order', async () => {
  const names = await kernels(
    any,
    [[6, 4, 4, 3], [8], [8], [3, 3, 3, 8]],
    (x, gamma, beta, w) => {
      const leaves = [x, gamma, beta, w].map((t) => t.detach().requireGrad());
      const h = batchNorm(conv2d(leaves[0]!, leaves[3]!, { padding: 1 }), leaves[1]!, leaves[2]!).y.leakyRelu(0.2);
      const slopes = grad(h.square().mean(), leaves, { createGraph: true });
      return grad(
        slopes.map((s) => s.square().sum()).reduce((a, b) => a.add(b)),
        leaves,
      );
    },
    1e-4,
  );
  assert.ok(epilogues(names).includes('+leakyRelu'), names.join(' '));
});

test('what is made or changed after the product is read in its time', async () => {
  await withDeviceAsync(any, async () => {
    const rng = new Rng(2);
    const [x, w] = [rng.normal([4, 130]), rng.normal([130, 5])];
    const bias = () => new nn.Parameter(rng.normal([5]).mul(0), 'bias');
    const step = (b: nn.Parameter, sgd: nn.SGD) => (t: Tensor) => {
      const y = matmul(t, w);
      const late = y.exp().sum(0);
      sgd.step([y.sum(0)]);
      return noGrad(() => [y.add(b), y.mul(late)] as const);
    };
    const [b1, b2] = [bias(), bias()];
    const plain = step(b1, new nn.SGD([b1], { lr: 0.1 }));
    using compiled = compile(step(b2, new nn.SGD([b2], { lr: 0.1 })));
    for (let run = 0; run < 3; run++) {
      const [found, wanted] = await Promise.all(
        [compiled(x), plain(x)].map((ts) => Promise.all(ts.map((t) => t.data()))),
      );
      for (const [i, v] of found!.entries()) {
        assert.ok(distance(v, wanted![i]!, 1e-6) < 1e-6, `run ${run}, result ${i}`);
      }
    }
    assert.equal(epilogues(compiled.kernels()), ['+exp'], compiled.kernels().join(' '));
  });
});

test('what is written in place between a product or norm and what follows comes before that', async () => {
  const shapes = [[9, 130], [130, 8], [9, 8], [8]];
  const names = await kernels(any, shapes, (x, w, other, row) =>
    noGrad(() => {
      const clamped = matmul(x, w);
      clampInPlace(clamped, -0.5, 0.5);
      const replaced = matmul(x, w);
      copyFrom(replaced, other);
      const late = matmul(x, w).mul(3);
      clampInPlace(late, -1, 1);
      const normal = batchNorm(x.matmul(w), row, row).y;
      clampInPlace(normal, -0.1, 0.1);
      return [clamped.mul(2), replaced.relu(), late.add(1), normal.mul(2)];
    }),
  );
  assert.equal(epilogues(names), ['+affine'], names.join(' '));
});

test('as many scalars as there is room for', async () => {
  for (const count of [3, 4, 5, 6, 7]) {
    const names = await kernels(
      any,
      [
        [9, 130],
        [130, 8],
      ],
      (x, w) => {
        let y = matmul(x, w);
        for (let k = 0; k < count; k++) y = y.leakyRelu(0.1 + 0.1 * k);
        return [y];
      },
    );
    const [epilogue] = epilogues(names);
    assert.is(epilogue?.split('leakyRelu').length, 1 + Math.min(count, 4), names.join(' '));
  }
});

test('gradients of an MLP, to the second order', async () => {
  const sizes = [130, 140, 150, 1];
  const shapes = [[6, 130], ...sizes.slice(1).flatMap((n, i) => [[sizes[i]!, n], [n]])];
  const names = await kernels(
    any,
    shapes,
    (x, ...leaves) => {
      const ps = leaves.map((t) => t.detach().requireGrad());
      const input = x.detach().requireGrad();
      let h: Tensor = input;
      for (let k = 0; k < ps.length; k += 2)
        h = matmul(h, ps[k]!)
          .add(ps[k + 1]!)
          .leakyRelu(0.2)
          .tanh();
      const [slope] = grad(h.sum(), [input], { createGraph: true });
      const penalty = slope!.square().sum(1).add(1e-12).sqrt().sub(1).square().mean();
      return grad(h.mean().add(penalty), ps);
    },
    1e-4,
  );
  assert.ok(epilogues(names).filter((t) => t.startsWith('+add+leakyRelu+tanh')).length >= 3, names.join(' '));
});

/** A chain of products with random elementwise ops between, of which all or some are results. */
function randomStep(seed: number): { shapes: number[][]; step: Step } {
  const rng = new Rng(seed);
  const draws = [...rng.hostUniform(200)];
  const pick = (n: number) => Math.floor(draws.pop()! * n);
  const m = 1 + pick(40);
  const widths = Array.from({ length: 4 }, () => 129 + pick(24));
  const shapes = [[m, widths[0]!], ...widths.slice(1).map((n, i) => [widths[i]!, n]), ...widths.map((n) => [n])];
  const plan = widths.slice(1).map(() => Array.from({ length: 1 + pick(4) }, () => [pick(8), pick(3)] as const));
  const step: Step = (x, ...rest) => {
    const made: Tensor[] = [];
    let h = x;
    plan.forEach((ops, layer) => {
      const raw = matmul(h, rest[layer]!).mul(0.1);
      const [row, other] = [rest[widths.length + layer]!, raw.square()];
      h = raw;
      for (const [op, show] of ops) {
        const parts = [
          () => h.add(row),
          () => h.mul(row.reshape([1, row.size])),
          () => h.relu(),
          () => h.add(other),
          () => h.leakyRelu(0.3).mul(0.5),
          () => h.tanh(),
          () => h.sub(h.mul(h).sigmoid()),
          () => h.mul(row.sum()),
        ];
        h = parts[op]!();
        if (show === 0) made.push(h);
      }
    });
    return [h, ...made];
  };
  return { shapes, step };
}

test('random chains', async () => {
  let found = 0;
  for (let seed = 1; seed <= 8; seed++) {
    const { shapes, step } = randomStep(seed);
    found += epilogues(await kernels(any, shapes, step, 1e-4)).length;
  }
  assert.ok(found >= 10, `${found} epilogues`);
});

test('on a CPU: biases of large layers, of many small ones whose k is split, and no others', async () => {
  const large = await kernels(
    picky,
    [[1030, 6], [6, 128], [128], [6, 129], [129], [1030, 128]],
    (x, w, b, odd, c, whole) => [
      matmul(x, w).add(b).leakyRelu(0.2),
      matmul(x, odd).add(c).relu(),
      matmul(x, w).add(b).mul(whole),
      matmul(x, w).add(b).tanh(),
      matmul(x.slice([[0, 9]]), w)
        .add(b)
        .relu(),
    ],
  );
  assert.equal(epilogues(large), ['+add+leakyRelu', '+add+relu'], large.join(' '));
  const small = await kernels(
    picky,
    [[48, 32, 256], [256, 88], [88]],
    (x, w, b) =>
      Array.from({ length: 48 }, (_, k) =>
        matmul(x.slice([[k, k + 1]]).reshape([32, 256]), w)
          .add(b)
          .relu(),
      ),
    1e-5,
  );
  assert.is(small.filter((n) => n.startsWith('gemm.addShares') && n.endsWith('+add+relu')).length, 48, small.join(' '));
});

test('on a CPU: norms, whose threads take runs of rows', async () => {
  const names = await kernels(
    picky,
    [[33, 16, 16, 16], [16], [16]],
    (x, gamma, beta) => {
      const { y, stats } = batchNorm(x, gamma, beta);
      const other = batchNorm(x, beta, gamma).y;
      return [y.leakyRelu(0.2), stats.mul(1), other, other.add(gamma).relu(), layerNorm(x, gamma, beta).relu()];
    },
    1e-5,
  );
  assert.equal(epilogues(names), ['+leakyRelu', '+add+relu', '+relu'], names.join(' '));
});

test('on a CPU: convolutions, and transposed ones by phases and by taps', async () => {
  const names = await kernels(
    picky,
    [[8, 32, 32, 3], [4, 4, 3, 32], [4, 4, 8, 32], [32], [8], [43, 32, 32, 3], [3, 3, 3, 1]],
    (x, w, up, b32, b8, z, few) => {
      const y = conv2d(x, w, { stride: 1, padding: 1 }); // [8, 31, 31, 32]
      return [
        y.add(b32).leakyRelu(0.2),
        convTranspose2d(y, up, { stride: 2, padding: 1 }).add(b8).relu(),
        convTranspose2d(conv2d(z, few, { padding: 1 }).relu(), few, { padding: 1 })
          .mul(2)
          .relu(),
      ];
    },
    1e-5,
  );
  assert.equal(epilogues(names).sort(), ['+add+leakyRelu', '+add+relu', '+affine+relu'], names.join(' '));
});

test.after(() => {
  any.destroy();
  picky.destroy();
});
test.run();
