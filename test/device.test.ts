import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DeviceError, memory, ones } from '../engine/index.ts';
import type { Kernel } from '../kernels/kernel.ts';
import { on, openGpu } from './support/devices.ts';
import { rejection } from './support/rejection.ts';

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

test('dispatch runs a kernel of the caller', async () => {
  const device = await openGpu();
  const x = on(device, () => ones([4]));
  const kernel = kernelOf('mine', 'y[1] = 7.0;');
  device.dispatch([{ kernel, args: [0], params: [], grid: [1, 1, 1] }], [x.storage]);
  assert.equal([...(await x.data())], [1, 7, 1, 1]);
  device.destroy();
});

test.run();
