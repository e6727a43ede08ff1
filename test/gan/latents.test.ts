/** Latent codes: truncation, arithmetic, interpolation. On the reference device and the one under test. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { destroy, grad, gradcheck, init, Rng, scope, type Tensor, tensor } from '../../engine/index.ts';
import {
  analogy,
  interpolate,
  latentGrid,
  lerp,
  meanLatent,
  slerp,
  towardsMean,
  truncatedLatents,
} from '../../gan/index.ts';
import { on, openGpu, reference } from '../support/devices.ts';

const test = suite('latents');
await init({ adapter: 'reference' });
const gpu = await openGpu();
test.after(() => {
  gpu.destroy();
  destroy();
});

const rows = async (t: Tensor): Promise<number[][]> => (await t.array()) as number[][];
const length = (v: readonly number[]): number => Math.hypot(...v);
const near = (a: number, b: number, tolerance: number, what = ''): void =>
  assert.ok(Math.abs(a - b) <= tolerance, `${what}: ${a} is not within ${tolerance} of ${b}`);
const nearAll = (a: readonly number[], b: readonly number[], tolerance: number): void => {
  assert.is(a.length, b.length);
  a.forEach((v, i) => {
    near(v, b[i]!, tolerance, `element ${i}`);
  });
};

for (const [name, device, tolerance] of [
  ['reference', reference, 1e-12],
  ['webgpu', gpu, 2e-5],
] as const) {
  test(`slerp keeps equal norms, turns at a constant rate and ends at its codes, on ${name}`, async () => {
    const [a, b] = [
      [3, 0, 4],
      [0, 5, 0],
    ];
    const path = await rows(
      on(device, () => interpolate(tensor([a, b]), { steps: 6 })), // a quarter of a circle of radius 5
    );
    assert.is(path.length, 7);
    nearAll(path[0]!, a, 5 * tolerance);
    nearAll(path[6]!, b, 5 * tolerance);
    path.forEach((p, i) => {
      near(length(p), 5, 10 * tolerance, 'norm');
      const t = (i * Math.PI) / 12;
      nearAll(p, [3 * Math.cos(t), 5 * Math.sin(t), 4 * Math.cos(t)], 10 * tolerance);
    });
  });

  test(`slerp's norms go from one to the other, and it is straight where no arc is defined, on ${name}`, async () => {
    const middle = async (a: number[], b: number[], t = 0.5) =>
      (await rows(on(device, () => slerp(tensor([a]), tensor([b]), t))))[0]!;
    near(length(await middle([2, 0], [0, 6])), 4, 10 * tolerance);
    nearAll(await middle([1, 2], [2, 4], 0.25), [1.25, 2.5], 10 * tolerance); // parallel
    nearAll(await middle([1, 2], [-1, -2], 0.25), [0.5, 1], 10 * tolerance); // opposite
    nearAll(await middle([0, 0], [4, 2], 0.25), [1, 0.5], 10 * tolerance); // from zero
    nearAll(await middle([1, 2], [1, 2]), [1, 2], 10 * tolerance);
  });

  test(`truncated codes keep to their bounds and have the closed form's moments, on ${name}`, async () => {
    for (const psi of [0.04, 0.5, 2]) {
      const n = 20_000;
      const z = Float64Array.from(await on(device, () => truncatedLatents(new Rng(3), n / 10, 10, psi)).data());
      assert.ok(
        z.every((v) => Math.abs(v) <= psi),
        `psi ${psi}`,
      );
      const mean = z.reduce((s, v) => s + v, 0) / n;
      const second = z.reduce((s, v) => s + v * v, 0) / n;
      // The variance of a standard normal within ±psi is 1 - 2 psi φ(psi) / (2 Φ(psi) - 1); the integral by Simpson's rule.
      const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
      const mass = simpson(density, -psi, psi);
      const variance = 1 - (2 * psi * density(psi)) / mass;
      near(variance, simpson((x) => x * x * density(x), -psi, psi) / mass, 1e-6, 'the closed form');
      const sigma = Math.sqrt(variance / n);
      near(mean, 0, 4 * sigma, `mean at psi ${psi}`);
      near(second, variance, 4 * psi * psi * Math.sqrt(1 / n), `variance at psi ${psi}`);
    }
  });
}

function simpson(f: (x: number) => number, from: number, to: number): number {
  const n = 2000;
  const h = (to - from) / n;
  let sum = f(from) + f(to);
  for (let i = 1; i < n; i++) sum += f(from + i * h) * (i % 2 === 1 ? 4 : 2);
  return (sum * h) / 3;
}

test('truncated codes are the normal ones given that they are within bounds: quantiles', async () => {
  const z = [...(await truncatedLatents(new Rng(5), 4000, 5, 1).data())].sort((a, b) => a - b);
  const density = (x: number) => Math.exp((-x * x) / 2);
  const mass = simpson(density, -1, 1);
  // Kolmogorov and Smirnov's distance, beyond 1.95 / √n once in a thousand.
  const gaps = [-0.8, -0.5, -0.1, 0.3, 0.7, 0.95].map((x) => {
    const below = z.findIndex((v) => v > x) / z.length;
    return Math.abs(below - simpson(density, -1, x) / mass);
  });
  assert.ok(Math.max(...gaps) < 1.95 / Math.sqrt(z.length), String(gaps));
});

test('a path goes through its codes, straight or round, open or closed', async () => {
  const codes = new Rng(1).normal([4, 6]);
  const given = await rows(codes);
  for (const mode of ['linear', 'spherical'] as const) {
    const open = await rows(interpolate(codes, { steps: 5, mode }));
    assert.is(open.length, 16);
    given.forEach((code, k) => {
      nearAll(open[k * 5]!, code, 1e-12);
    });
    const closed = await rows(interpolate(codes, { steps: 5, mode, loop: true }));
    assert.is(closed.length, 20);
    open.slice(0, 15).forEach((code, i) => {
      nearAll(closed[i]!, code, 1e-12);
    });
    const way = mode === 'linear' ? lerp : slerp;
    const last = await rows(way(tensor([given[3]!]), tensor([given[0]!]), 0.8));
    nearAll(closed[19]!, last[0]!, 1e-12);
  }
  const straight = await rows(
    interpolate(
      tensor([
        [0, 0],
        [4, 8],
      ]),
      { steps: 4, mode: 'linear' },
    ),
  );
  assert.equal(straight, [
    [0, 0],
    [1, 2],
    [2, 4],
    [3, 6],
    [4, 8],
  ]);
});

test('a grid has its codes in the corners', async () => {
  const corners = new Rng(2).normal([4, 3]);
  const given = await rows(corners);
  const grid = await rows(latentGrid(corners, { rows: 3, columns: 5 }));
  assert.is(grid.length, 15);
  [0, 4, 10, 14].forEach((at, i) => {
    nearAll(grid[at]!, given[i]!, 1e-12);
  });
  const flat = await rows(
    latentGrid(
      tensor([
        [0, 0],
        [4, 0],
        [0, 2],
        [4, 2],
      ]),
      { rows: 3, columns: 3, mode: 'linear' },
    ),
  );
  assert.equal(
    flat,
    [0, 1, 2].flatMap((y) => [0, 2, 4].map((x) => [x, y])),
  );
});

test('slerp has derivatives', async () => {
  const rng = new Rng(9);
  const inputs = [rng.normal([2, 3]), rng.normal([2, 3]), rng.uniform([2, 1])];
  await gradcheck((a, b, t) => slerp(a, b, t), inputs);
  const [same, t] = [rng.normal([1, 3]), rng.uniform([1, 1])];
  const slope = grad(slerp(same.requireGrad(), same, t).sum(), [same]);
  nearAll((await rows(slope[0]!))[0]!, [1, 1, 1], 1e-9); // from a code to itself
});

test('means and arithmetic of codes', async () => {
  const codes = tensor([
    [1, 2],
    [3, 4],
    [5, 9],
  ]);
  assert.equal(await meanLatent(codes).array(), [3, 5]);
  assert.equal(await meanLatent(codes, [0, 1]).array(), [2, 3]);
  assert.equal(await meanLatent(codes, [2, 2]).array(), [5, 9]);
  const [a, b, c] = [
    tensor([
      [7, 7],
      [1, 0],
    ]),
    tensor([1, 2]),
    tensor([10, 20]),
  ];
  assert.equal(await analogy(a, b, c).array(), [
    [16, 25],
    [10, 18],
  ]);
  assert.equal(await towardsMean(codes, { psi: 0.5 }).array(), [
    [0.5, 1],
    [1.5, 2],
    [2.5, 4.5],
  ]);
  assert.equal(await towardsMean(codes, { psi: 0.5, mean: tensor([1, 0]) }).array(), [
    [1, 1],
    [2, 2],
    [3, 4.5],
  ]);
  assert.equal(await towardsMean(codes, { psi: 0, mean: tensor([1, 0]) }).array(), [
    [1, 0],
    [1, 0],
    [1, 0],
  ]);
});

test('nothing but the result is left', () => {
  const codes = new Rng(1).normal([4, 6]);
  const before = reference.memory().tensors;
  scope(() => {
    interpolate(codes);
    latentGrid(codes);
    towardsMean(codes, { psi: 1 });
    assert.is(reference.memory().tensors, before + 3);
  });
});

const codes = new Rng(1).normal([4, 6]);
const wrong = <T>(value: unknown): T => value as T;
for (const [name, call, message] of [
  ['psi 0', () => truncatedLatents(new Rng(1), 2, 3, 0), /truncatedLatents: psi must be a number above 0, not 0/],
  ['psi infinite', () => truncatedLatents(new Rng(1), 2, 3, Infinity), /psi/],
  ['a NaN psi', () => towardsMean(codes, { psi: NaN }), /towardsMean: psi must be a finite number, not NaN/],
  ['a mean of another length', () => towardsMean(codes, { psi: 1, mean: tensor([1, 2]) }), /mean must be \[6\].*\[2\]/],
  ['a bare psi', () => towardsMean(codes, wrong(0.5)), /towardsMean: the options are an object such as \{ psi: 0.5 \}/],
  ['codes without rows', () => meanLatent(tensor([1, 2])), /meanLatent: the codes must be \[N, latent\], not \[2\]/],
  ['no index', () => meanLatent(codes, []), /meanLatent: no index given/],
  ['a row too many', () => meanLatent(codes, [4]), /there is no code 4; there are 0 to 3/],
  ['half a row', () => meanLatent(codes, [0.5]), /there is no code 0.5/],
  ['arithmetic of two lengths', () => analogy(codes, codes, tensor([1])), /analogy: codes of one length/],
  ['slerp of two lengths', () => slerp(codes, tensor([1]), 0.5), /slerp: codes of one length/],
  ['one code', () => interpolate(codes.slice([[0, 1]])), /interpolate: the codes must be \[N, latent\] of 2 or more/],
  ['no steps', () => interpolate(codes, { steps: 0 }), /interpolate: steps must be a whole number, 1 or more, not 0/],
  [
    'another mode',
    () => interpolate(codes, { mode: wrong('cubic') }),
    /interpolate: mode must be one of linear, spherical/,
  ],
  ['a loop that is a number', () => interpolate(codes, { loop: wrong(1) }), /loop must be true or false, not 1/],
  ['an unknown option', () => interpolate(codes, wrong({ frames: 3 })), /there is no option frames/],
  ['three corners', () => latentGrid(codes.slice([[0, 3]])), /latentGrid: the corners must be \[4, latent\]/],
  ['one row', () => latentGrid(codes, { rows: 1 }), /latentGrid: rows must be a whole number, 2 or more, not 1/],
] as const) {
  test(`refuses ${name}`, () => {
    assert.throws(call as () => unknown, message);
  });
}

test.run();
