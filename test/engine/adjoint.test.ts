import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Device } from '../../engine/device.ts';
import {
  broadcastTo,
  type Conv2dOptions,
  concat,
  conv2d,
  conv2dWeight,
  convTranspose2d,
  matmul,
  mean,
  permute,
  type Shape,
  scope,
  slice,
  sum,
  type Tensor,
  tensor,
  withDevice,
} from '../../engine/index.ts';
import { unslice } from '../../engine/ops/movement.ts';
import { openGpu, read, reference } from '../support/devices.ts';
import { valuesFor } from '../support/values.ts';

const gpu = await openGpu();
const devices: readonly [Device, number][] = [
  [reference, 1e-13],
  [gpu, 2e-6],
];

const fresh = (shape: Shape, seed: number): Tensor => tensor(valuesFor({ shape }, seed), { shape });
const inner = (a: Tensor, b: Tensor): number[] => [...reference.values(a.mul(b).storage)];

/** A linear map and its adjoint: <U x, y> = <x, Uᵀ y> for all x and y. */
interface Pair {
  readonly x: Shape;
  readonly y: Shape;
  readonly forward: (x: Tensor) => Tensor;
  readonly adjoint: (y: Tensor) => Tensor;
}

function convolutions(x: Shape, w: Shape, y: Shape, options: Conv2dOptions & { padding?: number }, extra = 0) {
  const label = `x ${x} w ${w} ${JSON.stringify(options)}`;
  return {
    [`conv2d and convTranspose2d, ${label}`]: {
      x,
      y,
      forward: (t) => conv2d(t, fresh(w, 9), options),
      adjoint: (t) => convTranspose2d(t, fresh(w, 9), { ...options, outputPadding: extra }),
    },
    [`conv2d in w and conv2dWeight, ${label}`]: {
      x: w,
      y,
      forward: (t) => conv2d(fresh(x, 9), t, options),
      adjoint: (t) => conv2dWeight(fresh(x, 9), t, [w[0]!, w[1]!], options),
    },
    [`convTranspose2d in w and conv2dWeight, ${label}`]: {
      x: w,
      y: x,
      forward: (t) => convTranspose2d(fresh(y, 9), t, { ...options, outputPadding: extra }),
      adjoint: (t) => conv2dWeight(t, fresh(y, 9), [w[0]!, w[1]!], options),
    },
  } satisfies Record<string, Pair>;
}

const half = { begin: [1, 0], size: [2, 3], step: [2, -1] };
const pairs: Record<string, Pair> = {
  ...convolutions([2, 9, 9, 3], [4, 4, 3, 5], [2, 4, 4, 5], { stride: 2, padding: 1 }, 1),
  ...convolutions([1, 7, 8, 4], [3, 3, 2, 6], [1, 5, 6, 6], { dilation: 2, padding: 1, groups: 2 }),
  ...convolutions([3, 10, 10, 1], [2, 2, 1, 1], [3, 4, 4, 1], { stride: 3, padding: 1 }, 1),
  'matmul in its left operand': {
    x: [5, 17],
    y: [5, 3],
    forward: (t) => matmul(t, fresh([17, 3], 9)),
    adjoint: (t) => matmul(t, fresh([17, 3], 9), { transposeB: true }),
  },
  'matmul in its right operand, batched': {
    x: [2, 17, 3],
    y: [2, 5, 3],
    forward: (t) => matmul(fresh([5, 17], 9), t),
    adjoint: (t) => matmul(fresh([5, 17], 9), t, { transposeA: true }),
  },
  'slice and unslice': {
    x: [5, 3],
    y: [2, 3],
    forward: (t) =>
      slice(t, [
        [1, null, 2],
        [null, null, 1],
      ]),
    adjoint: (t) => unslice(t, [5, 3], { ...half, step: [2, 1] }),
  },
  'slice backwards and unslice': {
    x: [5, 3],
    y: [2, 3],
    forward: (t) =>
      slice(t, [
        [1, null, 2],
        [null, null, -1],
      ]),
    adjoint: (t) => unslice(t, [5, 3], { ...half, begin: [1, 2] }),
  },
  'broadcastTo and sum': {
    x: [3, 1],
    y: [2, 3, 5],
    forward: (t) => broadcastTo(t, [2, 3, 5]),
    adjoint: (t) => sum(t, [0, 2]).reshape([3, 1]),
  },
  'mean and a scaled broadcastTo': {
    x: [4, 3, 5],
    y: [3],
    forward: (t) => mean(t, [0, 2]),
    adjoint: (t) => broadcastTo(t.reshape([3, 1]), [4, 3, 5]).mul(1 / 20),
  },
  'permute and its inverse': {
    x: [2, 3, 5],
    y: [5, 2, 3],
    forward: (t) => permute(t, [2, 0, 1]),
    adjoint: (t) => permute(t, [1, 2, 0]),
  },
  'concat of two halves, and the sum of the halves': {
    x: [2, 3],
    y: [2, 6],
    forward: (t) => concat([t, t.mul(2)], 1),
    adjoint: (t) => slice(t, [[], [0, 3]]).add(slice(t, [[], [3, 6]]).mul(2)),
  },
};

for (const [name, { x, y, forward, adjoint }] of Object.entries(pairs)) {
  test(`adjoint: ${name}`, async () => {
    for (const [device, tolerance] of devices) {
      const [ux, uty] = await read(device, () => [forward(fresh(x, 1)), adjoint(fresh(y, 2))]);
      // The inner products themselves in float64.
      const [a, b, size] = withDevice(reference, () =>
        scope(() => {
          const left = inner(tensor(ux!, { shape: y }), fresh(y, 2));
          const right = inner(fresh(x, 1), tensor(uty!, { shape: x }));
          const total = (list: number[]) => list.reduce((s, v) => s + v, 0);
          return [total(left), total(right), total(left.map(Math.abs))] as const;
        }),
      );
      assert.ok(size > 0.1, 'the inner product must not be 0 by itself');
      assert.ok(Math.abs(a - b) <= tolerance * size, `${device.kind}: ${a} and ${b}`);
    }
  });
}

// Lecture 6 of the seeds: a convolution is a matrix U, its transpose is Uᵀ.
const INPUT = [4, 5, 8, 7, 1, 8, 8, 8, 3, 6, 6, 4, 6, 5, 7, 8];
const KERNEL = [1, 4, 1, 1, 4, 3, 3, 3, 1];

for (const [device] of devices) {
  const image = (values: number[]) => tensor(values, { shape: [1, 4, 4, 1] });
  const kernel = () => tensor(KERNEL, { shape: [3, 3, 1, 1] });

  test(`the lecture's convolution of a 4x4 image, ${device.kind}`, async () => {
    const [y] = await read(device, () => [conv2d(image(INPUT), kernel())]);
    assert.equal([...y!], [122, 148, 126, 134]);
  });

  test(`the lecture's matrix U, and its transpose, ${device.kind}`, async () => {
    // Column i of U is the convolution of unit image i: all of them are one batch.
    const units = Array.from({ length: 256 }, (_, i) => (i % 17 === 0 ? 1 : 0));
    const [columns] = await read(device, () => [conv2d(tensor(units, { shape: [16, 4, 4, 1] }), kernel())]);
    const U = Array.from({ length: 4 }, (_, r) => Array.from({ length: 16 }, (_, c) => columns![c * 4 + r]!));
    assert.equal(U, [
      [1, 4, 1, 0, 1, 4, 3, 0, 3, 3, 1, 0, 0, 0, 0, 0],
      [0, 1, 4, 1, 0, 1, 4, 3, 0, 3, 3, 1, 0, 0, 0, 0],
      [0, 0, 0, 0, 1, 4, 1, 0, 1, 4, 3, 0, 3, 3, 1, 0],
      [0, 0, 0, 0, 0, 1, 4, 1, 0, 1, 4, 3, 0, 3, 3, 1],
    ]);
    const [ux, ut, transposed] = await read(device, () => [
      matmul(tensor(U), tensor(INPUT)),
      matmul(tensor(U), tensor([2, 1, 4, 4]), { transposeA: true }),
      convTranspose2d(tensor([2, 1, 4, 4], { shape: [1, 2, 2, 1] }), kernel()),
    ]);
    assert.equal([...ux!], [122, 148, 126, 134]);
    const printed = [2, 9, 6, 1, 6, 29, 30, 7, 10, 29, 33, 13, 12, 24, 16, 4];
    assert.equal([...ut!], printed);
    assert.equal([...transposed!], printed);
  });
}

test.after(() => gpu.destroy());
test.run();
