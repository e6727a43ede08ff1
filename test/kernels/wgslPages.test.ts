/** Shaders of the GEMM as text, for people: test/kernels/wgsl has those that matrix products and convolutions launch most. */
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { conv2d } from '../../kernels/conv/conv2d.ts';
import { epilogueOf } from '../../kernels/epilogue.ts';
import { type MatmulSizes, matmul } from '../../kernels/gemm/matmul.ts';
import type { Plan, Target } from '../../kernels/kernel.ts';
import { readable } from '../support/wgslText.ts';

const CPU: Target = { family: 'software', subgroupSize: 8, maxStorageBuffers: 10 };
const GPU: Target = { family: 'hardware', subgroupSize: 32, maxStorageBuffers: 10 };

const square: MatmulSizes = {
  ...{ batch: 1, m: 64, n: 64, k: 64 },
  ...{ transposeA: false, transposeB: false, batchStrideA: 0, batchStrideB: 0 },
};

/** A 3x3 filter over 8x8 pixels with a border of zeros, 16 channels to 32. */
const filter = {
  ...{ n: 8, h: 8, w: 8, cin: 16, kh: 3, kw: 3, cout: 32, oh: 8, ow: 8 },
  ...{ strideH: 1, strideW: 1, padTop: 1, padLeft: 1, dilationH: 1, dilationW: 1, groups: 1 },
};

/** What a layer adds behind its product: a bias, and the greater of that and 0. */
const layer = epilogueOf({
  links: [
    { e: { name: 'add', arity: 2, expr: 'a + b' }, operands: [0, 1], scalars: [] },
    { e: { name: 'relu', arity: 1, expr: 'select(a, 0.0, a < 0.0)' }, operands: [2], scalars: [] },
  ],
  operands: ['row'],
  outputs: [3],
  row: 32,
});

interface Page {
  readonly says: string;
  readonly plan: Plan;
  /** Which launch of the plan. */
  readonly launch?: number;
}

const PAGES: Readonly<Record<string, Page>> = {
  softwareMatmul: { says: '[64,64] times [64,64] on a CPU', plan: matmul(CPU, square) },
  softwareTransposed: {
    says: '[64,64] times the transpose of [64,64] on a CPU',
    plan: matmul(CPU, { ...square, transposeB: true }),
  },
  softwareConv2d: {
    says: 'a padded 3x3 convolution on a CPU, then bias and relu',
    plan: conv2d(CPU, filter).withEpilogue!(layer)!,
  },
  hardwareMatmul: {
    says: 'a batch of [64,64] times [64,64] on a GPU',
    plan: matmul(GPU, { ...square, batch: 64 }),
  },
  hardwareConv2d: { says: 'a padded 3x3 convolution on a GPU', plan: conv2d(GPU, { ...filter, cout: 64, n: 64 }) },
  splitK: {
    says: '[64,4096] times [4096,128]: the second launch, which adds the shares of k',
    plan: matmul(CPU, { ...square, m: 64, n: 128, k: 4096 }),
    launch: 1,
  },
};

const squeezed = (text: string): string => text.replaceAll(/\/\/.*/g, '').replaceAll(/\s/g, '');

for (const [name, { says, plan, launch = 0 }] of Object.entries(PAGES)) {
  test(`${name}.wgsl is the shader that is launched`, () => {
    const { kernel } = plan.dispatches[launch]!;
    const page = `// ${says}: ${kernel.name}\n${readable(kernel.source)}`;
    assert.is(squeezed(page), squeezed(kernel.source), 'laying it out changed it');
    const path = new URL(`wgsl/${name}.wgsl`, import.meta.url);
    if (process.env.WGRAD_WRITE === '1') writeFileSync(path, page);
    const anew = 'write it anew and look at the difference: WGRAD_WRITE=1 npx tsx test/kernels/wgslPages.test.ts';
    assert.is(readFileSync(path, 'utf8'), page, anew);
  });
}

test.run();
