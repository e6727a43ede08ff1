/** `init`: what options and environment variables choose, and how a process ends; in Node, which alone has either. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { adapterNames, DeviceError, destroy, type InitOptions, init, tensor } from '../../engine/index.ts';
import { WebGpuDevice } from '../../engine/webgpu/device.ts';
import { adapter } from '../support/devices.ts';
import { rejection } from '../support/rejection.ts';

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

const ADAPTERS = 'hardware, lavapipe, swiftshader, reference';

const wrong: readonly (readonly [string, Record<string, string>, object, string])[] = [
  ['WGRAD_ADAPTER', { WGRAD_ADAPTER: 'cuda' }, {}, `WGRAD_ADAPTER=cuda is not one of ${ADAPTERS}`],
  ['WGRAD_KERNELS', { WGRAD_KERNELS: 'fast' }, {}, 'WGRAD_KERNELS=fast is not one of hardware, software'],
  ['the option adapter', {}, { adapter: 'cuda' }, `init: adapter 'cuda' is not one of ${ADAPTERS}`],
  ['the option kernels', {}, { kernels: 'fast' }, "init: kernels 'fast' is not one of hardware, software"],
];

for (const [name, env, options, message] of wrong) {
  test(`a wrong value of ${name} is a clear error`, async () => {
    const error = await rejection(withEnv(env, () => init(options as InitOptions)));
    assert.instance(error, DeviceError);
    assert.is(error.message, message);
  });
}

const referenced: readonly (readonly [string, Record<string, string>, InitOptions])[] = [
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

test('there is no option device, and the message says how the float64 device is spelled', async () => {
  for (const device of ['reference', 'webgpu', undefined]) {
    const error = await rejection(init({ device } as InitOptions));
    assert.instance(error, TypeError);
    assert.match(
      error.message,
      /^init: there is no option device: .* init\(\{ adapter: 'reference' \}\) the float64 device$/,
    );
  }
  assert.match(
    (await rejection(init({ adaptor: 'reference' } as InitOptions))).message,
    /^init: there is no option adaptor; there are adapter, kernels/,
  );
});

test('the adapters that the engine names are those that init takes', () => {
  assert.is(adapterNames.join(', '), ADAPTERS);
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

test('the adapter is the one that was asked for, whatever came before, or an error that says what to install', async () => {
  const isSoftware = /swiftshader|llvmpipe/i;
  const choices = [
    ['swiftshader', /swiftshader/i],
    ['lavapipe', /llvmpipe/],
    ['swiftshader', /swiftshader/i],
    ['hardware', /./],
  ] as const;
  const { code, out, err } = await run(`
    for (const adapter of ${JSON.stringify(choices.map(([name]) => name))}) {
      console.log(await init({ adapter }).then((d) => d.name, (e) => 'Error ' + e.message));
    }
    destroy();
  `);
  assert.is(code, 0, err);
  choices.forEach(([choice, expected], i) => {
    const said = out.split('\n')[i]!;
    if (said.startsWith('Error')) {
      assert.is.not(choice, 'swiftshader', said);
      assert.is.not(choice, adapter, said);
      assert.match(said, new RegExp(`^Error no ${choice} adapter was found\\. Install `));
    } else {
      assert.match(said, expected);
      if (choice === 'hardware') assert.not.match(said, isSoftware);
    }
  });
});

test('a worker thread gets the adapter that it asks for', async () => {
  const { code, out, err } = await run(`
    import { Worker } from 'node:worker_threads';
    const source = \`import('tsx/esm/api').then(async ({ register }) => {
      register();
      const { init, destroy, ones } = await import('./engine/index.ts');
      const device = await init({ adapter: 'swiftshader' });
      console.log(device.name, String(await ones([2]).mul(3).data()));
      destroy();
    })\`;
    await new Promise((done) => new Worker(source, { eval: true }).on('exit', done));
  `);
  assert.is(code, 0, err);
  assert.match(out, /swiftshader.* 3,3\s*$/i);
});

test('devices that are opened and destroyed leave neither threads nor a crash', async () => {
  const { code, out, err } = await run(`
    import { readdirSync } from 'node:fs';
    const counts = [];
    for (let k = 0; k < 10; k++) {
      await init();
      if (k % 2) await ones([10]).mul(2).data();
      destroy();
      // Garbage, so that V8 collects at moments of its own.
      for (let i = 0; i < 300; i++) new Array(20000).fill(i);
      await new Promise((done) => setTimeout(done, 30));
      counts.push(process.platform === 'linux' ? readdirSync('/proc/self/task').length : 0);
    }
    console.log(Math.max(...counts) - counts[3]);
  `);
  assert.is(code, 0, err);
  assert.ok(Number(out) <= 5, `${out} threads more`);
});

test('calls of init at once give one device, and destroy ends all that were opened', async () => {
  const [a, b] = await Promise.all([init({ adapter }), init({ adapter })]);
  assert.is(a, b);
  const other = await init({ adapter, kernels: 'hardware' });
  assert.is.not(other, a);
  assert.is(await init({ adapter }), a, 'the first is still open');
  await init({ adapter: 'reference' });
  destroy();
  assert.equal(
    [a, other].map((d) => (d as WebGpuDevice).alive),
    [false, false],
  );
});

test('the last call of init decides, and destroy ends those under way', async () => {
  const [gpu, exact] = await Promise.all([init({ adapter }), init({ adapter: 'reference' })]);
  assert.is(tensor(1).device, exact);
  destroy();
  assert.not((gpu as WebGpuDevice).alive);
  const early = init({ adapter });
  assert.throws(() => tensor(1), /^no device yet: init\(\) is still opening it; write `await init\(\)`/);
  await Promise.resolve();
  destroy();
  const later = init({ adapter });
  assert.match((await rejection(early)).message, /^init: destroy\(\) was called before the device was open/);
  assert.ok(((await later) as WebGpuDevice).alive);
  destroy();
});

const repository = fileURLToPath(new URL('../..', import.meta.url));

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
    cwd: repository,
    env,
    timeout: limit,
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

test('memory that runs out is an error of the op that asks for it, and nothing else', async () => {
  if (process.platform !== 'linux') return;
  const { code, out, err } = await run(`
    import { execFileSync } from 'node:child_process';
    import { readFileSync } from 'node:fs';
    const device = await init();
    await ones([10]).mul(2).data();
    const size = Number(/VmSize:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
    if (device.software) execFileSync('prlimit', ['--pid', String(process.pid), '--as=' + (size + 1.5e9)]);
    const held = [];
    try {
      for (let k = 0; k < 40; k++) held.push(ones([26_214_400]));
      console.log('no error');
    } catch (error) {
      console.log(error.name, error.message.split('\\n')[0]);
    }
    for (const t of held) t.dispose();
    console.log(String(await ones([4]).mul(2).data()), device.software);
    destroy();
  `);
  assert.is(code, 0, err);
  if (!/true\s*$/.test(out)) return; // a GPU has memory of its own
  assert.match(out, /^DeviceError fill: an output of \[26214400\] takes \d+ bytes, which the adapter refused: /);
  assert.match(out, /\n2,2,2,2 /);
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

test.run();
