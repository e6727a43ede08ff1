/** Single operations at the shapes of small GANs, batch 64. */
import { sizeOf } from '../data.ts';
import type { Case, Layout, Operand, OpName, OpParams, Shape } from '../task.ts';

const plain = (...shape: number[]): Operand => ({ shape, layout: 'plain' });
const images = (...shape: number[]): Operand => ({ shape, layout: 'images' });
const kernel = (...shape: number[]): Operand => ({ shape, layout: 'kernel' });
const show = (...shapes: Shape[]): string => shapes.map((s) => s.join('x')).join(' ');
const BATCH = 64;

interface Extra {
  readonly name?: string;
  readonly params?: OpParams;
  readonly outputs?: readonly Layout[];
  readonly tolerance?: number;
  readonly flops?: number;
  readonly bytes?: number;
  readonly shape?: string;
  readonly quick?: boolean;
}

function op(op: OpName, inputs: readonly Operand[], extra: Extra): Case {
  const { name = op, params = {}, outputs = ['plain'], tolerance = 1e-4, shape, ...rest } = extra;
  return {
    suite: 'ops',
    name,
    shape: shape ?? show(...inputs.map((i) => i.shape)),
    measure: 'total',
    tolerance,
    task: { kind: 'op', op, inputs, outputs, params },
    ...rest,
  };
}

const matmul = (m: number, k: number, n: number, quick = false): Case =>
  op('matmul', [plain(m, k), plain(k, n)], { flops: 2 * m * k * n, quick });

/** A convolution with kernel k x k, from images h x h of c channels to d channels. */
interface Conv {
  readonly h: number;
  readonly c: number;
  readonly d: number;
  readonly k: number;
  readonly stride: number;
  readonly quick?: boolean;
}

const down = (h: number, c: number, d: number, quick = false): Conv => ({ h, c, d, k: 4, stride: 2, quick });
const LAYERS: readonly Conv[] = [
  down(28, 1, 32, true),
  down(14, 32, 64),
  ...[down(32, 3, 64), down(16, 64, 128), down(8, 128, 256), down(4, 256, 512)],
  { h: 16, c: 64, d: 64, k: 3, stride: 1 },
];

function conv({ h, c, d, k, stride, quick = false }: Conv): Case[] {
  const o = h / stride;
  const [x, w, y] = [images(BATCH, h, h, c), kernel(k, k, c, d), images(BATCH, o, o, d)];
  const common = {
    flops: 2 * sizeOf(y.shape) * k * k * c,
    shape: `${h}x${h}x${c}-${d} k${k} s${stride}`,
    tolerance: 1e-3,
    quick,
  };
  const geometry = { stride, padding: 1 };
  return [
    op('conv2d', [x, w], { ...common, params: geometry, outputs: ['images'] }),
    op('convInput', [y, w], {
      ...common,
      name: 'conv2d input gradient',
      params: { ...geometry, size: [h, h] },
      outputs: ['images'],
    }),
    op('convWeight', [x, y], {
      ...common,
      name: 'conv2d weight gradient',
      params: { ...geometry, size: [k, k] },
      outputs: ['kernel'],
    }),
  ];
}

/** A generator's layer: images h x h of d channels to 2h x 2h of c. */
function transposed(h: number, d: number, c: number): Case {
  return op('convTranspose2d', [images(BATCH, h, h, d), kernel(4, 4, c, d)], {
    flops: 2 * BATCH * h * h * d * 16 * c,
    shape: `${h}x${h}x${d}-${c} k4 s2`,
    tolerance: 1e-3,
    params: { stride: 2, padding: 1 },
    outputs: ['images'],
  });
}

const feature = images(BATCH, 16, 16, 64);
const FLOATS = 4;
const reads = (times: number, ...operands: Operand[]): number =>
  times * FLOATS * operands.reduce((n, { shape }) => n + sizeOf(shape), 0);
const million = plain(1024, 1024);

const sum = (what: string, shape: Shape, axes: readonly number[], quick = false): Case =>
  op('sum', [plain(...shape)], {
    name: `sum over ${what}`,
    params: { axes },
    bytes: reads(1, plain(...shape)),
    quick,
    tolerance: 1e-4,
  });

/** 30 tensors, 999,920 parameters in all: kernels and their biases, as networks have them. */
const adamShapes: Shape[] = Array.from({ length: 15 }, (_, i): Shape[] =>
  i % 3 === 0 ? [[4, 4, 64, 128], [128]] : i % 3 === 1 ? [[3, 3, 64, 112], [112]] : [[64, 64], [64]],
).flat();

const adamSize = adamShapes.reduce((n, s) => n + sizeOf(s), 0);

export const ops: readonly Case[] = [
  ...[matmul(256, 256, 256, true), matmul(512, 512, 512), matmul(1024, 1024, 1024)],
  ...[matmul(64, 784, 256), matmul(256, 128, 128), matmul(64, 8192, 1)],
  ...[0, 1, 2].flatMap((which) => LAYERS.map((layer) => conv(layer)[which]!)),
  ...[transposed(4, 256, 128), transposed(7, 64, 32), transposed(14, 32, 1), transposed(16, 64, 3)],
  op('batchNorm', [feature, plain(64), plain(64)], {
    name: 'batchNorm + leakyRelu',
    shape: show(feature.shape),
    outputs: ['images'],
    bytes: reads(3, feature),
    tolerance: 1e-3,
    quick: true,
  }),
  op('batchNormGrad', [feature, plain(64), plain(64), feature], {
    name: 'the same, and its gradients',
    shape: show(feature.shape),
    outputs: ['images', 'plain', 'plain'],
    bytes: reads(9, feature),
    tolerance: 1e-3,
  }),
  op('layerNorm', [plain(4096, 256), plain(256), plain(256)], { bytes: reads(3, plain(4096, 256)), tolerance: 1e-3 }),
  op('softmax', [plain(4096, 256)], { bytes: reads(3, plain(4096, 256)) }),
  op('attention', [plain(256, 64), plain(256, 64), plain(256, 64)], { flops: 4 * 256 * 256 * 64, shape: '256x64' }),
  ...[sum('all', [1024, 1024], [0, 1]), sum('the last axis', [1024, 1024], [1], true)],
  ...[sum('the first axis', [1024, 1024], [0]), sum('a middle axis', [64, 256, 64], [1])],
  sum('all but channels', feature.shape, [0, 1, 2]),
  op('elementwise', [million, million], { name: '6 elementwise ops', bytes: reads(3, million), tolerance: 1e-3 }),
  {
    suite: 'ops',
    name: 'Adam',
    shape: `${(adamSize / 1e6).toFixed(2)} M in ${adamShapes.length} tensors`,
    task: { kind: 'adam', shapes: adamShapes },
    measure: 'total',
    tolerance: 1e-4,
    bytes: 7 * FLOATS * adamSize,
    quick: true,
  },
];
