/** Ops of the user's own: rules forwards and backwards, saved tensors, WGSL. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  compile,
  customOp,
  type GradcheckError,
  grad,
  gradcheck,
  gradgradcheck,
  init,
  jvp,
  keep,
  ShapeError,
  scope,
  type Tensor,
  tensor,
  withDevice,
} from '../../engine/index.ts';
import { flatMain, grid1d } from '../../kernels/index.ts';
import { openGpu, read, reference } from '../support/devices.ts';

const test = suite('customOp');
await init({ adapter: 'reference' });
const x = tensor([0.3, -1.2], { label: 'x' });
const TIGHT = { atol: 1e-7, rtol: 1e-7 };

async function messageOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    assert.is((error as GradcheckError).name, 'GradcheckError');
    return (error as Error).message;
  }
  return assert.unreachable('a wrong rule passed') as never;
}

const cube = (factor: number) =>
  customOp({
    name: 'cube',
    forward: (x) => x.mul(x).mul(x),
    vjp: [(g, { inputs: [x] }) => g.mul(x!.square()).mul(factor)],
  });

test('a rule is used, and checked to second order', async () => {
  await gradcheck(cube(3), [x], { ...TIGHT, checkForwardAd: true });
  await gradgradcheck(cube(3), [x], TIGHT);
  assert.match(
    await messageOf(gradcheck(cube(2), [x])),
    /^gradcheck: output 0 \[2\], element 0, with respect to x \[2\], element 0: analytic 0\.1[78]\d*, numeric 0\.2[67]/,
  );
});

test('a jvp serves forward mode, and its transpose the gradient', async () => {
  let called = 0;
  const product = (factor: number) =>
    customOp({
      name: 'product',
      forward: (a, b) => a.mul(b.square()),
      jvp: ([da, db], { inputs: [a, b] }) => {
        called++;
        return da!.mul(b!.square()).add(db!.mul(a!.mul(b!)).mul(factor));
      },
    });
  const b = tensor([0.7, 0.4]);
  const [, tangent] = jvp(product(2), [x, b], [tensor([1, 0]), tensor([0, 1])]);
  assert.is(called, 1);
  const found = Array.from(reference.values(tangent.storage));
  assert.ok(Math.abs(found[0]! - 0.49) < 1e-15 && Math.abs(found[1]! - 2 * -1.2 * 0.4) < 1e-15);
  await gradcheck(product(2), [x, b], { ...TIGHT, checkForwardAd: true });
  await gradgradcheck(product(2), [x, b], TIGHT);
  assert.match(await messageOf(gradcheck(product(3), [x, b])), /with respect to input 1 \[2\], element 0/);
});

test('a jvp that disagrees with the vjp is found in forward mode', async () => {
  const op = customOp({
    name: 'twice',
    forward: (x) => x.mul(2),
    vjp: [(g) => g.mul(2)],
    jvp: ([v]) => v!.mul(3),
  });
  await gradcheck(op, [x]);
  const options = { checkForwardAd: true };
  assert.match(await messageOf(gradcheck(op, [x], options)), /^gradcheck: forward mode, output 0/);
  assert.match(await messageOf(gradcheck(op, [x], { ...options, fast: true })), /^gradcheck: forward mode, output 0/);
  const odd = customOp({ name: 'odd', forward: (x) => x.sum(), jvp: ([v]) => v! });
  assert.throws(
    () => jvp(odd, [x], [x]),
    (e: Error) => e instanceof ShapeError && /^jvp of odd: the tangent \[2\]/.test(e.message),
  );
});

test('saved tensors are functions of the inputs: rules that use them have every derivative', async () => {
  let forwards = 0;
  // y = sin(x) eˣ, saving both factors.
  const op = customOp({
    name: 'wave',
    forward: (x) => {
      forwards++;
      const [s, e] = [x.sin(), x.exp()];
      return { y: s.mul(e), saved: [s, e] };
    },
    vjp: [(g, { inputs: [x], saved: [s, e] }) => g.mul(s!.add(x!.cos()).mul(e!))],
  });
  const leaf = tensor([0.3, -1.2], { requiresGrad: true });
  grad(op(leaf).sum(), [leaf]);
  assert.is(forwards, 1, 'a first derivative does not run forward again');
  await gradcheck(op, [x], { ...TIGHT, checkForwardAd: true });
  await gradgradcheck(op, [x], TIGHT);
  const slope = (t: Tensor): Tensor => grad(op(t).sum(), [t], { createGraph: true })[0]!;
  await gradgradcheck((t) => slope(t), [x], TIGHT);
});

test('a result may be an input, or a tensor from outside', () => {
  const leaf = tensor([1, 2], { requiresGrad: true });
  const same = customOp({ name: 'same', forward: (x) => x, vjp: [(g) => g.mul(-1)] });
  const y = same(leaf);
  assert.is(leaf.node, undefined);
  assert.equal(Array.from(reference.values(grad(y.sum(), [leaf])[0]!.storage)), [-1, -1]);
  const outside = tensor([5, 6]);
  assert.not(customOp({ name: 'constant', forward: () => outside })(leaf) === outside);
  assert.is(outside.requiresGrad, false);
});

const source = (body: string) => `// x:[n] -> y:[n], s:[n]
struct Params { n: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> s: array<f32>;
${flatMain()}
  if (i < p.n) { ${body} }
}`;

test('an op brings its own WGSL, which may save tensors too', async () => {
  const gpu = await openGpu();
  try {
    const kernel = {
      name: 'power4',
      source: source('s[i] = x[i] * x[i]; y[i] = s[i] * s[i];'),
      access: ['read', 'write', 'write'] as const,
    };
    const power4 = customOp({
      name: 'power4',
      forward: (x) => ({ y: x.square().square(), saved: [x.square()] }),
      vjp: [(g, { inputs: [x], saved: [s] }) => g.mul(s!.mul(x!)).mul(4)],
      kernel: {
        shape: (x) => x,
        saved: (x) => [x],
        plan: ({ output: [n = 0] }) => ({ dispatches: [{ kernel, args: [0, 1, 2], params: [n], grid: grid1d(n) }] }),
      },
    });
    await gradcheck(power4, [x], TIGHT);
    await gradgradcheck(power4, [x], TIGHT);
    const run = () => {
      const x = tensor([1, 2, 0.5], { requiresGrad: true });
      const y = power4(x);
      const [g] = grad(y.sum(), [x], { createGraph: true });
      return [y, g!, grad(g!.sum(), [x])[0]!];
    };
    const found = await read(gpu, run);
    assert.equal(
      found.map((v) => Array.from(v)),
      [
        [1, 16, 0.0625],
        [4, 32, 0.5],
        [12, 48, 3],
      ],
    );
  } finally {
    gpu.destroy();
  }
});

/** The README's cube on the GPU, with what a slip would change. */
function cubeWith(launch: object = {}, more: object = {}, shader: object = {}) {
  const kernel = {
    name: 'cube',
    source: `struct Params { n: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
${flatMain()}
  if (i < p.n) { y[i] = x[i] * x[i] * x[i]; }
}`,
    access: ['read', 'write'],
    ...shader,
  };
  const dispatch = { kernel, args: [0, 1], params: [3], grid: [1, 1, 1], ...launch };
  const plan = () => ({ dispatches: [dispatch] });
  const { kernel: others, ...rest } = more as { kernel?: object };
  // biome-ignore lint/suspicious/noExplicitAny: definitions as JavaScript makes them, without types
  return (customOp as any)({
    name: 'cube',
    forward: (...xs: Tensor[]) => xs[0]!.mul(xs[0]!).mul(xs[0]!),
    kernel: { shape: (s: number[]) => s, plan, ...others },
    ...rest,
  });
}

test('what a kernel may not do is refused by name before anything is launched, and harms nothing', async () => {
  const gpu = await openGpu();
  const rule = { vjp: [(g: Tensor) => g] };
  const slips: [op: () => (...xs: Tensor[]) => Tensor, inputs: number, message: RegExp][] = [
    [() => cubeWith({}, rule), 2, /^cube: this op takes 1 input, and was given 2/],
    [() => cubeWith({}, rule), 0, /^cube: this op takes 1 input, and was given 0/],
    [() => cubeWith({}, { inputs: 3 }), 2, /^cube: this op takes 3 inputs, and was given 2/],
    [() => cubeWith(), 2, /^cube: args\[1\] lets the kernel write input 1 \[3\], and inputs may only be read/],
    [() => cubeWith({ args: [1, 0] }), 1, /^cube: args\[1\] lets the kernel write input 0 \[3\]/],
    [
      () => cubeWith({ args: [0, 2] }),
      1,
      /^cube: args\[1\] is 2, which is no buffer; there are 0: input 0 \[3\], 1: the output/,
    ],
    [() => cubeWith({ args: [-1, 1] }), 1, /^cube: args\[0\] is -1, which is no buffer/],
    [() => cubeWith({ args: [0.5, 1] }), 1, /^cube: args\[0\] is 0\.5, which is no buffer/],
    [() => cubeWith({ args: [1, 1] }), 1, /^cube: the output \[3\] is bound 2 times and written/],
    [
      () => cubeWith({ args: [0] }),
      1,
      /^cube: the kernel binds 2 storage buffers \(access\), and its launch gives 1 \(args\)/,
    ],
    [() => cubeWith({ args: undefined }), 1, /^cube: the kernel binds 2 .* gives undefined/],
    [() => cubeWith({ params: [] }), 1, /^cube: 0 params for a uniform block of 1 words/],
    [() => cubeWith({ params: [3, 4] }), 1, /^cube: 2 params for a uniform block of 1 words/],
    [() => cubeWith({ params: [2 ** 32] }), 1, /^cube: params\[0\]: 4294967296 is not a whole number of 32 bits/],
    [() => cubeWith({ params: 3 }), 1, /^cube: params are a list/],
    [() => cubeWith({ grid: 1 }), 1, /^cube: a grid of 1 workgroups; it is three whole numbers/],
    [() => cubeWith({ grid: [1, 1] }), 1, /^cube: a grid of 1 x 1 workgroups/],
    [() => cubeWith({ grid: [0.5, 1, 1] }), 1, /^cube: a grid of 0\.5 x 1 x 1/],
    [() => cubeWith({ grid: [0, 1, 1] }), 1, /^cube: a grid of 0 x 1 x 1/],
    [() => cubeWith({ grid: [65536, 1, 1] }), 1, /^cube: a grid of 65536 x 1 x 1/],
    [() => cubeWith({ grid: undefined }), 1, /^cube: a grid of undefined/],
    [() => cubeWith({}, {}, { access: 'read' }), 1, /^cube: access of kernel cube is a list of 'read' and 'write'/],
    [() => cubeWith({}, {}, { access: ['read', 'read_write'] }), 1, /^cube: access of kernel cube is a list/],
    [
      () => cubeWith({}, {}, { access: ['read', 'read'] }),
      1,
      /^cube: kernel cube declares y, binding 2, as read_write, and access\[1\] is 'read'/,
    ],
    [
      () => cubeWith({}, {}, { access: ['write', 'write'] }),
      1,
      /^cube: kernel cube declares x, binding 1, as read, and/,
    ],
    [
      () => cubeWith({ args: [0] }, {}, { access: ['read'] }),
      1,
      /^cube: kernel cube declares a storage buffer at binding 2/,
    ],
    [
      () => cubeWith({ kernel: undefined }),
      1,
      /^cube: the kernel of a launch is \{ name, source, access \}, not undefined/,
    ],
    [
      () => cubeWith({}, { kernel: { plan: () => ({ dispatches: [] }) } }),
      1,
      /^cube: the output \[3\] is written by none of the 0 launches/,
    ],
    [() => cubeWith({}, { kernel: { plan: () => undefined } }), 1, /^cube: kernel\.plan must return \{ dispatches/],
    [() => cubeWith({}, { kernel: { plan: () => ({ dispatches: [], temps: [0.5] }) } }), 1, /^cube: temps of a plan/],
    [
      () => cubeWith({}, { kernel: { shape: () => undefined } }),
      1,
      /^customOp cube: kernel\.shape must give a shape such as/,
    ],
    [() => cubeWith({}, { kernel: { shape: () => [1.5] } }), 1, /kernel\.shape must give a shape/],
    [
      () => cubeWith({}, { kernel: { saved: (s: number[]) => s } }),
      1,
      /^customOp cube: kernel\.saved must give a shape/,
    ],
    [
      () => cubeWith({}, { kernel: { saved: (s: number[]) => [s] } }),
      1,
      /^cube: saved 0 \[3\] is written by none of the 1 launches/,
    ],
  ];
  try {
    const values = withDevice(gpu, () => keep(tensor([1, 2, 3])));
    const beside = withDevice(gpu, () => keep(tensor([4, 5, 6])));
    for (const [op, inputs, message] of slips) {
      const before = gpu.counters().dispatches;
      assert.throws(
        () => withDevice(gpu, () => scope(() => op()(...[values, beside, values].slice(0, inputs)))),
        message,
      );
      assert.is(gpu.counters().dispatches, before, String(message));
    }
    const [right, a, b] = await read(gpu, () => [cubeWith()(values), values, beside]);
    assert.equal(
      [[...right!], [...a!], [...b!]],
      [
        [1, 8, 27],
        [1, 2, 3],
        [4, 5, 6],
      ],
    );
    const step = withDevice(gpu, () => compile((t: Tensor) => cubeWith({ params: [] })(t)));
    assert.throws(
      () => withDevice(gpu, () => scope(() => step(values))),
      /^cube: 0 params for a uniform block of 1 words/,
    );
    for (const t of [values, beside]) t.dispose();
  } finally {
    gpu.destroy();
  }
});

test('one tensor given twice is read twice', async () => {
  const gpu = await openGpu();
  try {
    const two = {
      name: 'product',
      source: source('s[i] = x[i]; y[i] = x[i];')
        .replace(
          'array<f32>;\n@group(0) @binding(2) var<storage, read_write> y',
          'array<f32>;\n@group(0) @binding(2) var<storage, read> y',
        )
        .replace('y[i] = x[i];', 's[i] = x[i] * y[i];'),
      access: ['read', 'read', 'write'] as const,
    };
    const product = customOp({
      name: 'product',
      forward: (a, b) => a.mul(b),
      kernel: {
        shape: (a) => a,
        plan: () => ({ dispatches: [{ kernel: two, args: [0, 1, 2], params: [3], grid: [1, 1, 1] }] }),
      },
    });
    const found = await read(gpu, () => {
      const t = tensor([1, 2, 3]);
      return [product(t, t)];
    });
    assert.equal([...found[0]!], [1, 4, 9]);
  } finally {
    gpu.destroy();
  }
});

test('definitions that contradict themselves are refused when the op is made, results that are none when they come', async () => {
  // biome-ignore lint/suspicious/noExplicitAny: definitions as JavaScript makes them, without types
  const made = (definition: object) => (customOp as any)({ name: 'odd', forward: (t: Tensor) => t, ...definition });
  const wrong: [object, RegExp][] = [
    [{ name: '' }, /^customOp: the name is text/],
    [{ forward: undefined }, /^customOp odd: forward must be a function, not undefined/],
    [{ forward: async (t: Tensor) => t }, /^customOp odd: forward must not be an async function/],
    [{ vjp: (g: Tensor) => g }, /^customOp odd: vjp must be a list/],
    [{ vjp: [1] }, /^customOp odd: vjp\[0\] must be a function, not 1/],
    [{ vjp: [null, null] }, /^customOp odd: vjp has 2 rules, and forward has 1 parameters/],
    [{ vjp: [null], inputs: 2 }, /^customOp odd: vjp has 1 rules for 2 inputs/],
    [{ inputs: 1.5 }, /^customOp odd: inputs is how many/],
    [{ kernel: { shape: (s: number[]) => s } }, /^customOp odd: kernel\.plan must be a function, not undefined/],
    [{ jvp: [] }, /^customOp odd: jvp must be a function/],
  ];
  for (const [definition, message] of wrong) {
    assert.throws(
      () => made(definition),
      (e: Error) => e instanceof TypeError && message.test(e.message),
      String(message),
    );
  }
  const results: [unknown, RegExp][] = [
    [
      undefined,
      /^customOp odd: forward must return a tensor, or \{ y, saved: \[\.\.\.\] \} with tensors, not undefined$/,
    ],
    [[x], /not \[a Tensor \[2\]\]$/],
    [3, /not 3$/],
    [Promise.resolve(x), /^customOp odd, forward: the function returned a promise; it must not be async/],
    [{ output: x, saved: [] }, /not \{ output: a Tensor \[2\], saved: \[\] \}$/],
    [{ y: x }, /not \{ y: a Tensor \[2\] \}$/],
    [{ y: x, saved: [3] }, /^customOp odd: forward must return/],
  ];
  for (const [result, message] of results) assert.throws(() => made({ forward: () => result })(x), message);
  const leaf = tensor([1, 2], { requiresGrad: true });
  const slope = (definition: object) => grad(made(definition)(leaf).sum(), [leaf]);
  assert.throws(
    () => slope({ vjp: [() => x.reshape([1, 2])] }),
    /^customOp odd: the rule for input 0 gave \[1,2\]; the input is \[2\]/,
  );
  assert.throws(
    () => slope({ vjp: [() => Promise.resolve(x)] }),
    /^customOp odd, the rule for input 0: the function returned a promise/,
  );
  assert.throws(() => slope({ jvp: () => 1 }), /^jvp of odd: the tangent must be a tensor, not 1/);
  assert.throws(
    () => slope({ jvp: () => x.sum() }),
    /^jvp of odd: the tangent \[\] must have the shape of the output \[2\]/,
  );
  // In the output's shape, but not a broadcast of the input.
  const wide = { forward: (t: Tensor) => t.sum().mul(tensor([1, 2, 3])), vjp: [(g: Tensor) => g] };
  assert.throws(() => slope(wide), /the rule for input 0 gave \[3\]; the input is \[2\] and the output \[3\]/);
  const kernel = { shape: () => [3], plan: () => ({ dispatches: [] }) };
  assert.throws(() => made({ kernel })(x), /^customOp odd: forward gives \[2\], and kernel\.shape says \[3\]/);
});

test.run();
