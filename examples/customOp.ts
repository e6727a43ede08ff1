/**
 * An op of one's own with two inputs and a reduction: the dot products of rows, a [n,m] and b [n,m] to [n]. The derivatives are
 * held against central differences, and the shader against `forward`: `npx tsx examples/customOp.ts`.
 */
import { customOp, destroy, gradcheck, gradgradcheck, init, kernelcheck, Rng, ShapeError } from '../engine/index.ts';
import { flatMain, grid1d } from '../kernels/index.ts';

const kernel = {
  name: 'rowDots',
  source: `// a, b:[n,m] -> y:[n], one invocation for each row
struct Params { n: u32, m: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
${flatMain()}
  if (i >= p.n) { return; }
  var sum = 0.0;
  for (var k = i * p.m; k < (i + 1u) * p.m; k++) { sum += a[k] * b[k]; }
  y[i] = sum;
}`,
  access: ['read', 'read', 'write'] as const,
};

const rowDots = customOp({
  name: 'rowDots',
  forward: (a, b) => a.mul(b).sum(1),
  vjp: [(g, { inputs: [, b] }) => b!.mul(g.reshape([-1, 1])), (g, { inputs: [a] }) => a!.mul(g.reshape([-1, 1]))],
  kernel: {
    shape: (a, b) => {
      if (a.length !== 2 || String(a) !== String(b))
        throw new ShapeError(`rowDots: [${a}] and [${b}] must be one matrix shape`);
      return [a[0]!];
    },
    plan: ({ inputs: [[n = 0, m = 0] = []] }) => ({
      dispatches: [{ kernel, args: [0, 1, 2], params: [n, m], grid: grid1d(n) }],
    }),
  },
});

await init();
const rng = new Rng(1);
const pair = (...shape: number[]) => [rng.normal(shape), rng.normal(shape)];
const small = pair(3, 4);
console.log('derivatives', await gradcheck(rowDots, small), await gradgradcheck(rowDots, small));
// A row, a column, and sizes that fill no workgroup: wrong shaders are often right for one shape.
console.log('shader', await kernelcheck(rowDots, [small, pair(1, 300), pair(65, 1), pair(130, 7)]));
destroy();
