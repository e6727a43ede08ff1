/** The GEMM behind products and convolutions, beside kernels with one invocation for each element. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Storage } from '../../engine/device.ts';
import { conv2d, conv2dNaive } from '../../kernels/conv/conv2d.ts';
import { conv2dWeight, conv2dWeightNaive } from '../../kernels/conv/conv2dWeight.ts';
import type { ConvGeometry } from '../../kernels/conv/convGeometry.ts';
import { convTranspose2d, convTranspose2dNaive } from '../../kernels/conv/convTranspose2d.ts';
import { type MatmulSizes, matmul, matmulNaive } from '../../kernels/gemm/matmul.ts';
import type { Plan, Target } from '../../kernels/kernel.ts';
import { openGpu, withFamily } from '../support/devices.ts';
import { distance, valuesFor } from '../support/values.ts';

const gpu = await openGpu();
/** The hardware family's shaders take SwiftShader seconds each. */
const slow = /swiftshader/i.test(gpu.name);

type Planner<G> = (target: Target, g: G) => Plan;

/** Runs both plans on the same operands. @returns how far apart they are, relative to the largest value */
async function apart<G>(fast: Planner<G>, naive: Planner<G>, g: G, sizes: readonly number[], size: number) {
  const inputs = sizes.map((n, i) => gpu.upload(valuesFor({ shape: [n] }, i)));
  const launch = async (plan: Planner<G>) => {
    const [y] = gpu.run({
      op: 'naive',
      inputs,
      inputShapes: sizes.map((n) => [n]),
      outputShapes: [[size]],
      params: undefined,
      mutates: 0,
      plan: (target) => plan(target, g),
    }) as [Storage];
    const values = await gpu.read(y);
    y.release();
    return values;
  };
  // Both are launched before the first waits: the family is the caller's only until then.
  const [expected, found] = await Promise.all([launch(naive), launch(fast)]);
  for (const s of inputs) s.release();
  // Windows wholly in the padding, and pixels that no window sees, are 0.
  assert.ok(expected.filter((v) => v !== 0).length > size / 4, 'the naive kernel computed next to nothing');
  return distance(found, expected);
}

const product = (s: Partial<MatmulSizes>): MatmulSizes => {
  const { batch = 1, m = 1, n = 1, k = 1, transposeA = false, transposeB = false } = s;
  return { batch, m, n, k, transposeA, transposeB, batchStrideA: m * k, batchStrideB: k * n, ...s };
};

const products: readonly MatmulSizes[] = [
  product({ m: 33, n: 65, k: 129 }),
  product({ m: 257, n: 19, k: 64, transposeA: true }),
  product({ m: 5, n: 3, k: 1000, transposeB: true }),
  product({ m: 1, n: 1, k: 4099 }),
  product({ batch: 7, m: 17, n: 34, k: 12, transposeA: true, transposeB: true }),
  // One matrix for the whole batch.
  product({ batch: 5, m: 9, n: 40, k: 31, batchStrideB: 0 }),
];

/** What a convolution is by default: square, of stride 1, without padding. */
const convolution = (s: Partial<ConvGeometry> & { readonly size: number; readonly out: number }): ConvGeometry => {
  const { size, out, ...rest } = s;
  return {
    ...{ n: 2, h: size, w: size, cin: 4, kh: 3, kw: 3, cout: 8, oh: out, ow: out },
    ...{ strideH: 1, strideW: 1, padTop: 0, padLeft: 0, dilationH: 1, dilationW: 1, groups: 1 },
    ...rest,
  };
};

const convolutions: readonly ConvGeometry[] = [
  convolution({ size: 8, out: 4, kh: 4, kw: 4, strideH: 2, strideW: 2, padTop: 1, padLeft: 1, cin: 16, cout: 32 }),
  convolution({ size: 9, out: 9, padTop: 1, padLeft: 1, cin: 3, cout: 5 }),
  convolution({ size: 28, out: 14, kh: 4, kw: 4, strideH: 2, strideW: 2, padTop: 1, padLeft: 1, cin: 1, cout: 6 }),
  // Nothing alike down and across: sizes, strides, padding, dilation.
  convolution({ size: 11, w: 7, out: 4, ow: 6, strideH: 3, kh: 2, kw: 3, padTop: 2, padLeft: 1, cin: 6, cout: 10 }),
  convolution({ size: 13, out: 5, strideH: 2, strideW: 2, dilationH: 2, dilationW: 2, cin: 2, cout: 3 }),
  convolution({ size: 6, out: 6, padTop: 1, padLeft: 1, cin: 12, cout: 18, groups: 6 }),
];

const family = ['software', 'hardware'] as const;
const few = <T>(f: (typeof family)[number], list: readonly T[]) => (slow && f === 'hardware' ? list.slice(0, 1) : list);

/** Elements of the operands. */
const elements = {
  x: (g: ConvGeometry) => g.n * g.h * g.w * g.cin,
  w: (g: ConvGeometry) => (g.kh * g.kw * g.cin * g.cout) / g.groups,
  y: (g: ConvGeometry) => g.n * g.oh * g.ow * g.cout,
};

for (const f of family) {
  test(`products: ${f} kernels agree with one invocation for each element`, async () => {
    for (const s of few(f, products)) {
      const a = s.batch * s.m * s.k;
      const b = s.batchStrideB ? s.batch * s.k * s.n : s.k * s.n;
      const d = await withFamily(gpu, f, () => apart(matmul, matmulNaive, s, [a, b], s.batch * s.m * s.n));
      assert.ok(d < 1e-5, `${JSON.stringify(s)}: off by ${d}`);
    }
  });

  const kinds = {
    conv2d: [conv2d, conv2dNaive, 'x', 'w', 'y'],
    convTranspose2d: [convTranspose2d, convTranspose2dNaive, 'y', 'w', 'x'],
    conv2dWeight: [conv2dWeight, conv2dWeightNaive, 'x', 'y', 'w'],
  } as const;
  for (const [name, [fast, naive, first, second, result]] of Object.entries(kinds)) {
    test(`${name}: ${f} kernels agree with one invocation for each element`, async () => {
      for (const g of few(f, convolutions)) {
        const sizes = [elements[first](g), elements[second](g)];
        const d = await withFamily(gpu, f, () => apart<ConvGeometry>(fast, naive, g, sizes, elements[result](g)));
        assert.ok(d < 1e-5, `${JSON.stringify(g)}: off by ${d}`);
      }
    });
  }
}

test.after(() => gpu.destroy());
test.run();
