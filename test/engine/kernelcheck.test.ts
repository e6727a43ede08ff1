/** What kernelcheck finds in a shader, and how it says so. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bindingsOf, withCheckedIndices } from '../../engine/custom/wgsl.ts';
import {
  type CustomOp,
  customOp,
  destroy,
  KernelcheckError,
  kernelcheck,
  Rng,
  sizeOf,
  type Tensor,
  tensor,
} from '../../engine/index.ts';
import { flatMain, grid1d } from '../../kernels/index.ts';
import { initGpu } from '../support/devices.ts';

const test = suite('kernelcheck');
await initGpu();
const rng = new Rng(2);

/** An op of one input with a kernel of n invocations. */
function elementwise(name: string, body: string, forward: CustomOp['forward'], more: Partial<CustomOp> = {}) {
  const kernel = {
    name,
    source: `// x:[n] -> y:[n]
struct Params { n: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
${flatMain()}
  ${body}
}`,
    access: ['read', 'write'] as const,
  };
  return customOp({
    name,
    forward,
    kernel: {
      shape: (x) => x,
      plan: ({ output }) => {
        const n = sizeOf(output);
        return { dispatches: [{ kernel, args: [0, 1], params: [n], grid: grid1d(n) }] };
      },
    },
    ...more,
  });
}

const cubed = (x: Tensor) => x.mul(x).mul(x);
const cube = (body: string) => elementwise('cube', body, (x) => cubed(x));
const RIGHT = 'if (i < p.n) { y[i] = x[i] * x[i] * x[i]; }';

/** Rows of a and b multiplied and summed: two inputs, and a reduction in two launches through a temp. */
function dotRows(last = 'for (var k = 0u; k < p.m; k++) { sum += t[i * p.m + k]; }') {
  const products = {
    name: 'products',
    source: `// a, b:[n] -> t:[n]
struct Params { n: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> t: array<f32>;
${flatMain()}
  if (i < p.n) { t[i] = a[i] * b[i]; }
}`,
    access: ['read', 'read', 'write'] as const,
  };
  const sums = {
    name: 'sums',
    source: `// t:[n,m] -> y:[n]
struct Params { n: u32, m: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> t: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
${flatMain()}
  if (i >= p.n) { return; }
  var sum = 0.0;
  ${last}
  y[i] = sum;
}`,
    access: ['read', 'write'] as const,
  };
  return customOp({
    name: 'dotRows',
    forward: (a, b) => a.mul(b).sum(1),
    kernel: {
      shape: ([n = 0]) => [n],
      plan: ({ inputs: [[n = 0, m = 0] = []] }) => ({
        temps: [n * m],
        dispatches: [
          { kernel: products, args: [0, 1, 3], params: [n * m], grid: grid1d(n * m) },
          { kernel: sums, args: [3, 2], params: [n, m], grid: grid1d(n) },
        ],
      }),
    },
  });
}

const x = () => tensor([0.3, -1.2, 2]);
const pair = (...shape: number[]) => [rng.normal(shape), rng.normal(shape)];

async function refused(promise: Promise<unknown>, message: RegExp): Promise<void> {
  try {
    await promise;
  } catch (error) {
    assert.instance(error, KernelcheckError);
    return assert.match((error as Error).message, message);
  }
  assert.unreachable('it passed');
}

test('a right shader passes, with the largest error', async () => {
  const error = await kernelcheck(cube(RIGHT), [x()]);
  assert.ok(error > 0 && error < 1e-6, String(error));
  assert.ok((await kernelcheck(cube(RIGHT), [x()], { robust: false })) === error);
  assert.ok((await kernelcheck(dotRows(), [pair(3, 5), pair(1, 129), pair(70, 1)])) < 1e-5);
});

test('a wrong element is named, with both values', () =>
  refused(
    kernelcheck(cube('if (i < p.n) { y[i] = x[i] * x[i] * select(x[i], 1.0, i == 1u); }'), [x()]),
    /^kernelcheck: cube of \[3\]: the output \[3\], element 1: the shader gives 1\.44\d*, forward -1\.72\d* \(difference [\d.]+, allowed [\de.-]+\)$/,
  ));

test('one in a later shape alone is found there, by its index in the shape', () =>
  refused(
    kernelcheck(
      elementwise('negative', 'if (i < p.n) { y[i] = select(-x[i], x[i], i == 64u); }', (x) => x.neg()),
      [[rng.normal([64])], [rng.normal([5, 13])]],
    ),
    /^kernelcheck: negative of \[5,13\]: the output \[5,13\], element 64 \[4,12\]: the shader gives/,
  ));

test('an element that is not written shows', () =>
  refused(
    kernelcheck(cube('if (i + 1u < p.n) { y[i] = x[i] * x[i] * x[i]; }'), [x()]),
    /^kernelcheck: cube of \[3\]: the output \[3\]: the shader does not write element 2, or reads it before; forward gives 8$/,
  ));

test('an element that is read before it is written shows', () =>
  refused(
    kernelcheck(
      elementwise('sum', 'if (i < p.n) { y[i] += x[i]; }', (x) => x.mul(1)),
      [x()],
    ),
    /^kernelcheck: sum of \[3\]: the output \[3\]: the shader does not write element 0, or reads it before; forward gives 0\.3/,
  ));

test('an access outside is named by its index, in any launch', async () => {
  await refused(
    kernelcheck(cube('if (i <= p.n) { y[i] = x[i % p.n] * x[i % p.n] * x[i % p.n]; }'), [x()]),
    /^kernelcheck: cube of \[3\]: the shader cube writes y\[3\], outside of the output \[3\], which has 3 elements there$/,
  );
  await refused(
    kernelcheck(cube('if (i < p.n) { y[i] = x[i] * x[i] * x[i] + 0.0 * x[i32(i) - 1]; }'), [x()]),
    /^kernelcheck: cube of \[3\]: the shader cube reads x\[-1\], outside of input 0 \[3\], which has 3/,
  );
  await refused(
    kernelcheck(dotRows('for (var k = 0u; k <= p.m; k++) { sum += t[i * p.m + k]; }'), pair(2, 4)),
    /the shader sums reads t\[8\] in launch 1, outside of temp 0 \[8\], which has 8/,
  );
});

test('without checked indices the guards tell of writes outside', () =>
  refused(
    kernelcheck(cube('y[i] = x[min(i, p.n - 1u)]; if (i < p.n) { y[i] = x[i] * x[i] * x[i]; }'), [x()], {
      robust: false,
    }),
    // A write into the last 16 bytes of the binding is outside too.
    /^kernelcheck: cube of \[3\]: the shader writes 2 1 elements past the end of the output \[3\]$/,
  ));

test('saved tensors are compared', async () => {
  const kernel = {
    name: 'power4',
    source: `// x:[n] -> y:[n], s:[n]
struct Params { n: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> s: array<f32>;
${flatMain()}
  if (i < p.n) { s[i] = x[i] * x[i] + 1.0; y[i] = x[i] * x[i] * x[i] * x[i]; }
}`,
    access: ['read', 'write', 'write'] as const,
  };
  const power4 = customOp({
    name: 'power4',
    forward: (x) => ({ y: x.square().square(), saved: [x.square()] }),
    kernel: {
      shape: (x) => x,
      saved: (x) => [x],
      plan: ({ output: [n = 0] }) => ({ dispatches: [{ kernel, args: [0, 1, 2], params: [n], grid: grid1d(n) }] }),
    },
  });
  await refused(
    kernelcheck(power4, [x()]),
    /^kernelcheck: power4 of \[3\]: saved 0 \[3\], element 0: the shader gives 1\.09/,
  );
});

test('what it cannot check is said', async () => {
  const failed = (call: () => Promise<unknown>) =>
    call().then(
      () => 'passed',
      (e: Error) => `${e.name}: ${e.message}`,
    );
  // biome-ignore lint/suspicious/noExplicitAny: calls as JavaScript makes them, without types
  const check = kernelcheck as any;
  assert.match(
    await failed(() => check((t: Tensor) => t, [x()])),
    /^TypeError: kernelcheck: the first argument is an op that customOp made/,
  );
  assert.match(
    await failed(() => check(customOp({ name: 'plain', forward: (t) => t }), [x()])),
    /^TypeError: kernelcheck: plain has no kernel/,
  );
  assert.match(
    await failed(() => check(cube(RIGHT), x())),
    /^TypeError: kernelcheck: the inputs are a list of tensors/,
  );
  assert.match(
    await failed(() => check(cube(RIGHT), [x()], { tol: 1 })),
    /^TypeError: kernelcheck: there is no option tol/,
  );
  assert.match(
    await failed(() => check(cube(RIGHT), [x(), x()])),
    /^TypeError: cube: this op takes 1 input, and was given 2/,
  );
});

test('the words of a uniform block are counted by the rules of WGSL', () => {
  const words = (type: string, before = '') =>
    bindingsOf(`${before} @binding(0) @group(0) var<uniform> p: ${type};`).words;
  const struct = (members: string, before = '') => words('P', `${before} struct P { ${members} } // { x: u32 }\n`);
  assert.equal(words('u32'), [1, 1]);
  assert.equal(struct('n: u32, f: f32,'), [2, 2]);
  assert.equal(struct('n: u32, v: vec2f, k: i32'), [5, 6]);
  assert.equal(struct('n: u32, v: vec3<f32>'), [7, 8]);
  assert.equal(struct('v: vec3u, n: u32'), [4, 4]);
  assert.equal(struct('a: array<vec4<u32>, N>, n: u32', 'const N = 3;'), [13, 16]);
  assert.equal(struct('m: mat3x3f'), [12, 12]);
  assert.equal(struct('q: Q, n: u32', 'struct Q { a: u32, b: vec2u }'), [5, 6]);
  assert.equal(struct('@size(16) a: u32, @align(32) b: u32'), [9, 16]);
  assert.equal(struct('t: T', 'alias T = vec4f;'), [4, 4]);
  assert.is(struct('a: array<vec4f, 2 * N>'), undefined);
  assert.equal(bindingsOf('// @group(0) @binding(0) var<uniform> p: u32;').words, [0, 0]);
});

test('indices are checked wherever they stand', () => {
  const source = `@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
fn at(q: u32) -> f32 { return x[q / 4u][q % 4u]; }
@compute @workgroup_size(1) fn main() { y[u32(y[0])] += at(1u); if (y[1] == 2.0) { y[2] = 0.0; } }`;
  const checked = withCheckedIndices(source, [6, 3], 0);
  assert.ok(checked.includes('x[wgrad_get_x(u32(q / 4u))][q % 4u]'), checked);
  assert.ok(checked.includes('y[wgrad_set_y(u32(u32(y[wgrad_get_y(u32(0))])))] += at(1u)'), checked);
  assert.ok(checked.includes('if (y[wgrad_get_y(u32(1))] == 2.0) { y[wgrad_set_y(u32(2))] = 0.0; }'), checked);
  assert.ok(checked.includes('fn wgrad_get_x(i: u32) -> u32 { if (i < 2u)'), checked);
});

test.after(() => destroy());
test.run();
