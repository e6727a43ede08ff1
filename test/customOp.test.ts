/** Ops of the user's own: rules forwards and backwards, saved tensors, WGSL. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  customOp,
  flatMain,
  type GradcheckError,
  grad,
  gradcheck,
  gradgradcheck,
  grid1d,
  init,
  jvp,
  ShapeError,
  type Tensor,
  tensor,
} from '../engine/index.ts';
import { openGpu, read, reference } from './support/devices.ts';

const test = suite('customOp');
await init({ device: 'reference' });
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
  await gradgradcheck((t) => slope(t!), [x], TIGHT);
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

test.run();
