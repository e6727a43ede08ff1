import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DeviceError, destroy, type InitOptions, init, memory, ones, tensor } from '../engine/index.ts';
import { WebGpuDevice } from '../engine/webgpu/device.ts';
import type { Kernel } from '../kernels/kernel.ts';
import { adapter, on, openGpu } from './support/devices.ts';

/** Runs `fn` under other environment variables. */
async function withEnv<T>(variables: Record<string, string | undefined>, fn: () => Promise<T>): Promise<T> {
  const names = ['WGRAD_ADAPTER', 'WGRAD_KERNELS'];
  const before = names.map((n) => process.env[n]);
  const set = (name: string, value: string | undefined) => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };
  for (const n of names) set(n, variables[n]);
  try {
    return await fn();
  } finally {
    names.forEach((n, i) => {
      set(n, before[i]);
    });
  }
}

/** The error that a promise is rejected with. */
async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('the promise was not rejected');
}

const ADAPTERS = 'hardware, lavapipe, swiftshader, reference';

const wrong: readonly (readonly [string, Record<string, string>, object, string])[] = [
  ['WGRAD_ADAPTER', { WGRAD_ADAPTER: 'cuda' }, {}, `WGRAD_ADAPTER=cuda is not one of ${ADAPTERS}`],
  ['WGRAD_KERNELS', { WGRAD_KERNELS: 'fast' }, {}, 'WGRAD_KERNELS=fast is not one of hardware, software'],
  ['the option adapter', {}, { adapter: 'cuda' }, `init: adapter 'cuda' is not one of ${ADAPTERS}`],
  ['the option kernels', {}, { kernels: 'fast' }, "init: kernels 'fast' is not one of hardware, software"],
  ['the option device', {}, { device: 'cpu' }, "init: device 'cpu' is not one of webgpu, reference"],
];

for (const [name, env, options, message] of wrong) {
  test(`a wrong value of ${name} is a clear error`, async () => {
    const error = await rejection(withEnv(env, () => init(options as InitOptions)));
    assert.instance(error, DeviceError);
    assert.is(error.message, message);
  });
}

const referenced: readonly (readonly [string, Record<string, string>, InitOptions])[] = [
  ['the option device', {}, { device: 'reference' }],
  ['the option adapter', {}, { adapter: 'reference' }],
  ['WGRAD_ADAPTER', { WGRAD_ADAPTER: 'reference' }, {}],
];

for (const [name, env, options] of referenced) {
  test(`${name} chooses the reference device`, async () => {
    const device = await withEnv(env, () => init(options));
    assert.equal([device.kind, device.dtype], ['reference', 'float64']);
    assert.is(tensor(0.1).dtype, 'float64');
    destroy();
  });
}

test('the option device wins over WGRAD_ADAPTER', async () => {
  const device = await withEnv({ WGRAD_ADAPTER: 'reference' }, () => init({ adapter, device: 'webgpu' }));
  assert.is(device.kind, 'webgpu');
  destroy();
});

const families: readonly (readonly [string, Record<string, string>, InitOptions, string?])[] = [
  ['nothing', {}, {}],
  ['WGRAD_KERNELS=hardware', { WGRAD_KERNELS: 'hardware' }, {}, 'hardware'],
  ['WGRAD_KERNELS=software', { WGRAD_KERNELS: 'software' }, {}, 'software'],
  ['an option over a variable', { WGRAD_KERNELS: 'hardware' }, { kernels: 'software' }, 'software'],
];

for (const [name, env, options, family] of families) {
  test(`kernel family under ${name}`, async () => {
    const all = { ...env, ...(adapter ? { WGRAD_ADAPTER: adapter } : {}) };
    const device = await withEnv(all, () => init(options));
    assert.instance(device, WebGpuDevice);
    const { software, target, dtype } = device as WebGpuDevice;
    assert.is(target.family, family ?? (software ? 'software' : 'hardware'));
    assert.is(dtype, 'float32');
    destroy();
  });
}

test('the adapter is the one that was asked for, or an error that says what to install', async () => {
  const isSoftware = /swiftshader|llvmpipe/i;
  for (const [choice, expected] of [
    ['swiftshader', /swiftshader/i],
    ['lavapipe', /llvmpipe/],
    ['hardware', /./],
  ] as const) {
    // SwiftShader replaces the process's Vulkan loader: each choice has a process of its own.
    const { code, out, err } = await run(
      `const device = await init({ adapter: '${choice}' }); console.log(device.name); destroy();`,
    );
    if (code === 0) {
      assert.match(out, expected);
      if (choice === 'hardware') assert.not.match(out, isSoftware);
    } else {
      assert.is.not(choice, 'swiftshader', err);
      assert.is.not(choice, adapter, err);
      assert.match(err, new RegExp(`DeviceError: no ${choice} adapter was found\\. Install `));
    }
  }
});

const repository = fileURLToPath(new URL('..', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** Milliseconds from the last output to the end. */
  readonly lag: number;
}

/** Runs a script with the engine in a process of its own, which is killed after `limit` milliseconds. */
function run(script: string, limit = 60_000): Promise<Ended> {
  const source = `import { init, destroy, ones, tensor, grad } from './engine/index.ts';\n${script}`;
  const env = { ...process.env, WGRAD_ADAPTER: adapter ?? '' };
  const child = spawn(process.execPath, ['--import=tsx', '--input-type=module', '--eval', source], {
    ...{ cwd: repository, env, timeout: limit },
  });
  let [out, err, last] = ['', '', 0];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    last = performance.now();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, out, err, lag: performance.now() - last }));
  });
}

test('a process ends by itself after destroy()', async () => {
  const { code, out, err, lag } = await run(`
    await init();
    const x = tensor([1, 2, 3], { requiresGrad: true });
    console.log(String(await grad(x.square().sum(), [x])[0].data()));
    destroy();
    console.log('destroyed');
  `);
  assert.is(code, 0, err);
  assert.match(out, /2,4,6\s+destroyed\s+$/);
  assert.ok(lag < 5000, `it took ${lag} ms to end`);
});

test('a process ends by itself after destroy() with work under way', async () => {
  const { code, out, err } = await run(`
    await init();
    const pending = ones([1000]).exp().sum().item().then(() => 'read', (e) => e.name);
    destroy();
    console.log(await pending);
  `);
  assert.is(code, 0, err);
  assert.match(out, /^(read|DeviceError)$/m);
});

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
