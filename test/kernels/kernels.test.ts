import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Device } from '../../engine/device.ts';
import {
  conv2d,
  convTranspose2d,
  DeviceError,
  full,
  matmul,
  Rng,
  scope,
  type Tensor,
  tensor,
} from '../../engine/index.ts';
import type { KernelFamily } from '../../engine/webgpu/device.ts';
import type { Case } from '../support/builders.ts';
import { cases, compositions } from '../support/cases.ts';
import { on, openGpu, reference, withFamily } from '../support/devices.ts';
import { runCase } from '../support/runCase.ts';
import { distance } from '../support/values.ts';

const gpu = await openGpu();
/** The hardware family's matrix shaders take SwiftShader seconds each. */
const slow = /swiftshader/i.test(gpu.name);
const heavy = new Set(['matmul', 'conv2d', 'convTranspose2d', 'conv2dWeight']);

const all: Readonly<Record<string, readonly Case[]>> = { ...cases, ...compositions };
for (const name of Object.keys(all)) {
  for (const family of ['software', 'hardware'] as const) {
    test(`${name}: ${family} kernels agree with float64, values and gradients`, () => agree(name, family));
  }
}

const expectations = new Map<Case, ReturnType<typeof runCase>>();

/** What float64 says of a case, worked out once for both families. */
function expected(c: Case): ReturnType<typeof runCase> {
  const values = expectations.get(c) ?? runCase(reference, c);
  expectations.set(c, values);
  return values;
}

async function agree(name: string, family: KernelFamily): Promise<void> {
  const few = slow && family === 'hardware' && heavy.has(name);
  const list = all[name]!.filter((c) => !few || c.everywhere);
  const found = await Promise.all(list.map((c) => withFamily(gpu, family, () => runCase(gpu, c))));
  const wrong: string[] = [];
  for (const [k, c] of list.entries()) {
    const right = await expected(c);
    assert.is(found[k]!.length, right.length, c.name);
    right.forEach((values, i) => {
      const d = distance(found[k]![i]!, values);
      // Gradients add roundings of their own, also where the op itself is exact.
      const allowed = i === 0 ? (c.tolerance ?? 1e-5) : Math.max(2e-5, c.tolerance ?? 0);
      if (!(d <= allowed)) wrong.push(`${c.name}: tensor ${i} is off by ${d} of its scale, allowed ${allowed}`);
    });
  }
  assert.is(wrong.join('\n'), '');
}

const BIG = [-200, -100, -88, -20, -1e-3, -1e-20, 0, 1e-20, 1e-3, 0.2499, 0.25, 0.2501, 3, 20, 88, 100, 200];
const extremes: readonly (readonly [string, (x: Tensor) => Tensor, readonly number[]])[] = [
  ['tanh', (x) => x.tanh(), BIG],
  ['sigmoid', (x) => x.sigmoid(), BIG],
  ['exp', (x) => x.exp(), [-200, -87, -1, -1e-20, 0, 1e-20, 1, 20, 80]],
  ['log', (x) => x.log(), [1e-37, 1e-30, 1e-10, 0.5, 1 - 2 ** -24, 1, 1 + 2 ** -23, 2, 1e10, 3e38]],
  ['sqrt', (x) => x.sqrt(), [0, 1e-30, 1e-10, 1, 1e10, 1e38]],
  ['rsqrt', (x) => x.rsqrt(), [1e-30, 1e-10, 1, 1e10, 1e38]],
  ['square', (x) => x.square(), [-1e18, -1e-15, 0, 1e-15, 1e18]],
];

for (const [name, fn, values] of extremes) {
  test(`${name} of large and tiny arguments is right in each element, not only to the tensor's scale`, async () => {
    const [x, y] = await runBoth((device) => fn(tensor(Float32Array.from(values), { device })));
    values.forEach((v, i) => {
      const [a, b] = [x[i]!, y[i]!];
      // Adapters may flush what is below the smallest normal number, and log near 1 is only good to 2^-21 (WGSL §15.7).
      const floor = name === 'log' ? 2 ** -21 : 2 ** -126;
      assert.ok(Math.abs(a - b) <= 2e-5 * Math.abs(b) + floor, `${name}(${v}) = ${a}, not ${b}`);
    });
  });
}

async function runBoth(fn: (device: Device) => Tensor): Promise<[ArrayLike<number>, ArrayLike<number>]> {
  const values = (device: Device) => on(device, () => scope(() => fn(device).data()));
  return [await values(gpu), await values(reference)];
}

for (const transposeB of [false, true]) {
  test(`products large enough for the widest tile, ${transposeB ? 'b transposed' : 'and convolutions'}`, async () => {
    const values = (seed: number, ...shape: number[]) => new Rng(seed).normal(shape);
    const outcomes = await withFamily(gpu, 'software', () =>
      [gpu, reference].map((device) =>
        on(device, () =>
          scope(() => {
            const a = values(1, 261, 260);
            const products = [257, 260].map((n) =>
              matmul(a, transposeB ? values(2, n, 260) : values(2, 260, n), { transposeB }),
            );
            const x = values(3, 5, 30, 30, 16);
            const image = transposeB
              ? convTranspose2d(x, values(4, 4, 4, 17, 16), { stride: 2, padding: 1 })
              : conv2d(x, values(4, 3, 3, 16, 36), { padding: 1 });
            return Promise.all([...products, image].map((y) => y.data()));
          }),
        ),
      ),
    );
    const [fast, right] = await Promise.all(outcomes);
    for (const [i, y] of fast!.entries()) {
      const d = distance(y, right![i]!);
      assert.ok(d < 1e-5, `product ${i} is off by ${d} of its scale`);
    }
  });
}

test('elementwise past 65,535 workgroups: the grid is folded', async () => {
  const n = 20_000_003; // more than 65,535 workgroups of 64 threads of four elements
  const row = Float32Array.of(1, 2, 3);
  const [flat, cells] = await on(gpu, () =>
    scope(() => {
      const y = full([n], 0.5).add(1);
      const wide = tensor(row).mul(full([65535 * 64 + 1, 1], 2)); // one element a thread
      return Promise.all([
        Promise.all([y.slice([[0, 4]]).data(), y.slice([[-7]]).data(), y.sum().item()]),
        Promise.all([wide.slice([[0, 1]]).data(), wide.slice([[-2]]).data()]),
      ]);
    }),
  );
  assert.equal([...flat[0], ...flat[1]], Array(11).fill(1.5));
  assert.ok(Math.abs(flat[2] / (1.5 * n) - 1) < 1e-6);
  assert.equal([...cells[0], ...cells[1]], [2, 4, 6, 2, 4, 6, 2, 4, 6]);
});

test('a sum over 20 million elements is exact to float32', async () => {
  const n = 20_000_003;
  const values = new Float32Array(n);
  let expected = 0;
  for (let i = 0; i < n; i++) {
    values[i] = (i % 1000) / 1000 + 0.1;
    expected += values[i]!;
  }
  for (const family of ['software', 'hardware'] as const) {
    const [all, columns, most] = await withFamily(gpu, family, () =>
      on(gpu, () =>
        scope(() => {
          const x = tensor(values);
          const even = x.slice([[0, 20_000_000]]).reshape([2_000_000, 10]);
          return Promise.all([x.sum().item(), even.mean(0).data(), even.max().item()]);
        }),
      ),
    );
    assert.ok(Math.abs(all / expected - 1) < 1e-6, `${family}: ${all}, not ${expected}`);
    assert.is(most, Math.fround(1.099));
    // Column j sees j/1000, j/1000 + 0.01, ... + 0.99, all equally often. Long runs of additions round the same way.
    const means = Float64Array.from({ length: 10 }, (_, j) => 0.1 + j / 1000 + 0.495);
    assert.ok(distance(columns, means) < 5e-5, `${family}: ${columns}`);
  }
});

test('a tensor over the binding limit is a clear error, and leaves the device whole', async () => {
  const limit = Math.min(gpu.gpu.limits.maxStorageBufferBindingSize, gpu.gpu.limits.maxBufferSize);
  const before = gpu.memory();
  assert.throws(
    () => on(gpu, () => scope(() => full([limit / 4 + 64], 0))),
    (e: Error) => e instanceof DeviceError && new RegExp(`fill.*takes \\d+ bytes.*at most ${limit}`).test(e.message),
  );
  assert.throws(
    () =>
      on(gpu, () =>
        scope(() => {
          const side = Math.ceil(Math.sqrt(limit / 4)) + 8;
          return matmul(full([side, 1], 1), full([1, side], 1));
        }),
      ),
    (e: Error) => e instanceof DeviceError && /^matmul: an output of \[\d+,\d+\] takes/.test(e.message),
  );
  const { tensors, buffers, bytes } = gpu.memory();
  assert.equal({ tensors, buffers, bytes }, pick(before));
  assert.equal([...(await on(gpu, () => scope(() => full([2], 3).data())))], [3, 3]);
});

const pick = ({ tensors, buffers, bytes }: { tensors: number; buffers: number; bytes: number }) => ({
  tensors,
  buffers,
  bytes,
});

test('nothing is left behind on the device', () => {
  assert.equal(pick(gpu.memory()), { tensors: 0, buffers: 0, bytes: 0 });
});

test.after(() => gpu.destroy());
test.run();
