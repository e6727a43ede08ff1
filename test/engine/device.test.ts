import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  compile,
  copyFrom,
  customOp,
  DeviceError,
  full,
  memory,
  ones,
  scope,
  type Tensor,
  tensor,
} from '../../engine/index.ts';
import type { GpuBuffer } from '../../engine/webgpu/buffer.ts';
import type { WebGpuDevice } from '../../engine/webgpu/device.ts';
import type { Kernel } from '../../kernels/kernel.ts';
import { on, openGpu } from '../support/devices.ts';
import { rejection } from '../support/rejection.ts';

test('there is no device before init()', async () => {
  assert.throws(
    () => ones([2]),
    (e: Error) => e instanceof DeviceError && e.message === 'no device: call `await init()` before making tensors',
  );
  assert.throws(() => memory(), /no device/);
});

test('after destroy(), everything on the device says so, and init() starts afresh', async () => {
  const device = await openGpu();
  const x = on(device, () => ones([2]));
  device.destroy();
  device.destroy();
  const message = 'the device was destroyed; call init() for a new one';
  for (const use of [() => x.exp(), () => on(device, () => ones([2])), () => x.assign([1, 2])]) {
    assert.throws(use, (e: Error) => e instanceof DeviceError && e.message === message);
  }
  for (const error of await Promise.all([x.data(), device.sync()].map(rejection))) {
    assert.instance(error, DeviceError);
    assert.is(error.message, message);
  }
  x.dispose();
  const next = await openGpu();
  assert.equal([...(await on(next, () => ones([2]).data()))], [1, 1]);
  next.destroy();
});

test('a lost device rejects what waits, and says what to do', async () => {
  const device = await openGpu();
  const x = on(device, () => ones([1000]));
  const pending = x.exp().data();
  device.gpu.destroy();
  const error = await rejection(pending);
  assert.instance(error, DeviceError);
  await device.gpu.lost;
  const later = await rejection(x.data());
  assert.instance(later, DeviceError);
  assert.match(later.message, /^the device was lost \(\w+\): .*Call init\(\) again and rebuild your tensors$/s);
  assert.throws(
    () => x.exp(),
    (e: Error) => e instanceof DeviceError,
  );
  device.destroy();
});

const kernelOf = (name: string, body: string): Kernel => ({
  name,
  access: ['write'],
  source: `@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main() { ${body} }`,
});

const broken: readonly (readonly [string, Kernel, RegExp])[] = [
  ['does not parse', kernelOf('broken', 'y[0] = ;'), /^broken: the shader was refused: .*error: .*y\[0\] = ;/s],
  [
    'asks for too much',
    {
      ...kernelOf('greedy', 'y[0] = 1.0;'),
      source: kernelOf('greedy', 'y[0] = 1.0;').source.replace('(1)', '(1, 1, 9999)'),
    },
    /^greedy: the shader was refused: /,
  ],
];

for (const [what, kernel, message] of broken) {
  test(`a shader that ${what} reaches the caller with the kernel's name`, async () => {
    const device = await openGpu();
    const x = on(device, () => ones([4]));
    // Two reads at once: neither may get spoilt values, or be told of the consequence instead of the cause.
    const run = () => device.dispatch([{ kernel, args: [0], params: [], grid: [1, 1, 1] }], [x.storage]);
    for (let round = 0; round < 2; round++) {
      run();
      for (const error of await Promise.all([x.data(), x.data()].map(rejection))) {
        assert.instance(error, DeviceError);
        assert.match(error.message, message);
      }
      // The device itself is whole.
      assert.equal([...(await on(device, () => ones([2]).data()))], [1, 1]);
    }
    run();
    assert.match((await rejection(device.sync())).message, message);
    device.destroy();
  });
}

/** Takes the memory of a tensor away, so that what uses it is refused. */
const spoil = (t: Tensor): void => (t.storage.buffer as GpuBuffer).gpu.destroy();

/** What a read gives, or the message of its rejection: never a number that is not right. */
const outcome = async (device: WebGpuDevice, fn: () => Tensor): Promise<number[] | string> => {
  try {
    return [...(await on(device, () => scope(() => fn().data())))];
  } catch (error) {
    assert.instance(error, DeviceError);
    return (error as Error).message;
  }
};

test('refused: what rests on a refused submit is rejected, naming it, and nothing else is', async () => {
  const device = await openGpu();
  const [x, before] = on(device, () => [tensor([1, 2, 3]), tensor([4]).mul(2)] as const);
  assert.equal([...(await before.data())], [8]);
  spoil(x);
  const [y, z] = on(device, () => [x.mul(2).exp(), before.add(1)] as const);
  assert.match((await rejection(y.data())).message, /^WebGPU refused a command, and with it all .*wgrad buffer/s);
  assert.match((await rejection(z.data())).message, /refused a command/, 'z was in the same submit');
  // What rests on it later is refused too, at once or when it is read.
  for (const op of [() => y.mul(2), () => y.sum().add(3), () => y.reshape([3, 1]).mul(2)])
    assert.match((await outcome(device, op)) as string, /refused a command/);
  // Innocents are right.
  assert.equal([...(await before.data())], [8]);
  for (let k = 0; k < 5; k++) assert.equal(await outcome(device, () => full([8], k).mul(2)), Array(8).fill(2 * k));
  // What is in use is not overwritten with it.
  const kept = on(device, () => full([3], 4));
  assert.throws(
    () => copyFrom(kept, y),
    /^copyFrom: an input was never computed, and what it would overwrite stays as it is: WebGPU/,
  );
  assert.equal([...(await kept.data())], [4, 4, 4]);
  // Values from the host are good values.
  y.assign([5, 6, 7]);
  assert.equal(await outcome(device, () => y.add(1)), [6, 7, 8]);
  await device.sync();
  device.destroy();
});

test('refused: every way that submits is seen, and sync tells of what nobody was told', async () => {
  const device = await openGpu();
  const make = () => on(device, () => tensor([1, 2, 3]));
  const ways: readonly (readonly [string, (y: Tensor) => unknown])[] = [
    ['flush', () => device.flush()],
    [
      'the capacity of a submit',
      () => on(device, () => scope(() => void Array.from({ length: 140 }, () => ones([1]).mul(2)))),
    ],
    ['a write', (y) => void y.detach().assign([1, 2, 3])],
    ['sync', (y) => rejection(device.sync()).then(() => y)],
    ['a read of something else', () => on(device, () => scope(() => rejection(ones([1]).mul(2).data())))],
    ['a compiled step', () => on(device, () => void scope(() => compile(() => ones([1]).mul(2))()))],
  ];
  for (const [name, way] of ways) {
    const x = make();
    spoil(x);
    const y = on(device, () => x.mul(2));
    if (name === 'a write') {
      // Its values are lost, and replaced.
      await way(y);
      assert.match((await rejection(device.sync())).message, /refused a command/, name);
      assert.equal([...(await y.data())], [1, 2, 3], name);
      continue;
    }
    await way(y);
    assert.match((await rejection(y.data())).message, /refused a command/, name);
    assert.equal(await outcome(device, () => ones([2]).mul(3)), [3, 3], name);
    await device.sync();
  }
  device.destroy();
});

test('refused: memory that the adapter cannot give is an error of the op that asks, or of its reads', async () => {
  const device = await openGpu();
  const { gpu } = device;
  const make = gpu.createBuffer.bind(gpu);
  const told: string[] = [];
  for (let k = 0; k < 12; k++) {
    const n = 1000 + 700 * k; // a size that has no free buffer
    scope(() => on(device, () => full([8], -5).mul(1)));
    // MAP_READ with STORAGE is no valid buffer.
    gpu.createBuffer = (d) => make(d.usage & 0x80 ? { ...d, usage: 0x81 } : d);
    const bad = await outcome(device, () => {
      try {
        return ones([n]).add(1);
      } finally {
        gpu.createBuffer = make;
      }
    });
    if (typeof bad === 'string') told.push(bad);
    else assert.ok(bad.every((v) => v === 2));
    assert.equal(await outcome(device, () => full([8], k).mul(2)), Array(8).fill(2 * k));
    assert.equal(await outcome(device, () => ones([n]).mul(3)), Array(n).fill(3));
  }
  assert.ok(told.length > 6, `${told.length}`);
  assert.match(told[0]!, /an output of \[\d+\]|no memory behind it|refused a command/);
  device.destroy();
});

test('refused: a shader in a compiled step is named by every run', async () => {
  const device = await openGpu();
  const kernel = { ...kernelOf('bad', 'y[0] = ;'), access: ['write'] as const };
  const op = customOp({
    name: 'bad',
    forward: (x) => x.mul(1),
    kernel: { shape: (x) => x, plan: () => ({ dispatches: [{ kernel, args: [1], params: [], grid: [1, 1, 1] }] }) },
  });
  const step = compile((x: Tensor) => op(x).mul(2));
  for (let run = 0; run < 3; run++) {
    assert.match((await outcome(device, () => step(tensor([1, 2])))) as string, /^bad: the shader was refused: /);
  }
  step.dispose();
  device.destroy();
});

test('reads under way when the device is destroyed are rejected, and so are profiles', async () => {
  const device = await openGpu();
  const reads = on(device, () => scope(() => [1, 2, 3].map((k) => full([1000], k).exp().data())));
  const profile = device.gpu.features.has('timestamp-query')
    ? device.profile(() => scope(() => void on(device, () => ones([100]).exp())))
    : Promise.reject(new DeviceError('no timestamps'));
  const ended = Promise.all([...reads, profile].map(rejection));
  device.destroy();
  for (const error of await ended) assert.instance(error, DeviceError);
  const { pooledBuffers, pooledBytes } = device.memory();
  assert.equal({ pooledBuffers, pooledBytes }, { pooledBuffers: 0, pooledBytes: 0 }, 'each is given back once');
});

test('a compiled step on a lost device says so, in the call or in its reads', async () => {
  const device = await openGpu();
  const w = on(device, () => tensor([1, 2]));
  const step = compile((x: Tensor) => x.mul(w).sum());
  assert.equal(await outcome(device, () => step(tensor([3, 4]))), [11]);
  device.gpu.destroy();
  assert.is(typeof (await outcome(device, () => step(tensor([3, 4])))), 'string');
  await device.gpu.lost;
  assert.match((await outcome(device, () => step(tensor([3, 4])))) as string, /^the device was lost/);
  step.dispose();
  device.destroy();
  assert.match((await rejection(w.data())).message, /^the device was destroyed/);
});

test('what reads leave behind is counted, and goes back after a while', async () => {
  const device = await openGpu();
  const before = device.memory();
  const x = on(device, () => ones([250_000]));
  await Promise.all(Array.from({ length: 8 }, () => x.data()));
  assert.ok(device.memory().pooledBytes >= before.pooledBytes + 8e6, `${device.memory().pooledBytes} bytes`);
  const idle = on(device, () => scope(() => ones([100_000]).mul(2).size));
  assert.is(idle, 100_000);
  for (let k = 0; k < 1400; k++) {
    on(device, () => scope(() => void ones([1])));
    device.flush();
  }
  assert.ok(device.memory().pooledBytes < 1e5, `${device.memory().pooledBytes} bytes`);
  assert.equal((await x.data()).length, 250_000);
  device.destroy();
});

test('dispatch runs a kernel of the caller', async () => {
  const device = await openGpu();
  const x = on(device, () => ones([4]));
  const kernel = kernelOf('mine', 'y[1] = 7.0;');
  device.dispatch([{ kernel, args: [0], params: [], grid: [1, 1, 1] }], [x.storage]);
  assert.equal([...(await x.data())], [1, 7, 1, 1]);
  device.destroy();
});

test.run();
