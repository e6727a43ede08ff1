/** Elementwise ops at the ends of their ranges, element by element: NaN, infinities, zeros, large and tiny arguments. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  atan2,
  clamp,
  equal,
  gelu,
  grad,
  greaterEqual,
  isFinite as isFiniteOp,
  isNaN as isNaNOp,
  less,
  log1p,
  logicalAnd,
  logicalNot,
  logicalOr,
  norm,
  notEqual,
  pow,
  prelu,
  remainder,
  silu,
  softplus,
  type Tensor,
  tensor,
  where,
} from '../../engine/index.ts';
import { openGpu, read, reference } from '../support/devices.ts';

const gpu = await openGpu();
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Relative to each element; below the smallest normal number adapters may give 0. */
async function agree(
  name: string,
  fn: (...xs: Tensor[]) => Tensor,
  lists: readonly (readonly number[])[],
  tol: number,
) {
  const run = () => [fn(...lists.map((l) => tensor(Float64Array.from(l, Math.fround))))];
  const [[found], [right]] = [await read(gpu, run), await read(reference, run)];
  const wrong: string[] = [];
  found!.forEach((v, i) => {
    const r = Math.abs(right![i]!) > 3.4028235e38 ? Math.sign(right![i]!) * inf : right![i]!;
    const same = Number.isFinite(r) ? Math.abs(v - r) <= tol * Math.abs(r) + 2 ** -125 : Object.is(v, r);
    if (!same) wrong.push(`${name}(${lists.map((l) => l[i])}) = ${v}, not ${r}`);
  });
  assert.is(wrong.join('\n'), '');
}

const SMALL = [
  -3, -1.5, -1, -0.7, -0.5, -0.42, -0.3, -1e-3, -1e-6, -1e-20, 0, 1e-20, 1e-6, 1e-3, 0.3, 0.42, 0.5, 1, 1.7, 3,
];
const BIG = [...SMALL, -80, -20, -9, 9, 20, 80, nan];
const HUGE = [-inf, -1e30, -200, -100, 100, 200, 1e30, inf, ...BIG];

// Among them the float32 that are nearest to a multiple of π/2: 16367173 · 2^72 and 12833097 · 2^3 (Muller et al. 2018).
const FAR = [
  ...[8192.5, 1e4, 1e5, 3e5, 1e6, 1e7, 16777215, 2 ** 31, 1e10, 1e20, 1e30, 3.4e38, 11 * Math.PI * 1e5],
  ...[16367173 * 2 ** 72, 12833097 * 8, 102663, 123456.789, 4194304.5, 2 ** 127],
].flatMap((v) => [v, -v]);

const functions: Record<string, [fn: (x: Tensor) => Tensor, values: readonly number[], tol?: number]> = {
  expm1: [(x) => x.expm1(), [...BIG, -inf, -200], 1e-5],
  log1p: [(x) => x.log1p(), [...HUGE, 1e10, 3e38, -0.999, -0.9], 2e-6],
  reciprocal: [(x) => x.reciprocal(), [...SMALL.filter((v) => v !== 0), -1e30, 1e30, nan]],
  sin: [(x) => x.sin(), [...BIG, inf, -inf, 100, -355, 1000.5, Math.PI, Math.PI / 2], 1e-5],
  cos: [(x) => x.cos(), [...BIG, inf, -inf, 100, -355, 1000.5, Math.PI], 1e-5],
  'sin of 9999': [(x) => x.sin(), [9999, -9999, 5000.25, 8191.5], 1e-4],
  'sin far out': [(x) => x.sin(), FAR, 1e-6],
  'cos far out': [(x) => x.cos(), FAR, 1e-6],
  'tan far out': [(x) => x.tan(), FAR, 2e-6],
  tan: [(x) => x.tan(), [...BIG, inf, -inf, 100, -355, 1000.5, Math.PI], 1e-5],
  sinh: [(x) => x.sinh(), [...BIG, 88, -88, 89.3, -89.3], 2e-5],
  cosh: [(x) => x.cosh(), [...BIG, 88, -88, 89.3, -89.3], 2e-5],
  atan: [(x) => x.atan(), HUGE],
  erf: [(x) => x.erf(), HUGE],
  floor: [(x) => x.floor(), HUGE, 0],
  ceil: [(x) => x.ceil(), HUGE, 0],
  round: [(x) => x.round(), [...HUGE, 2.5, -2.5, 3.5, 0.49999997, 8388609, 16777215], 0],
  isNaN: [isNaNOp, HUGE, 0],
  isFinite: [isFiniteOp, HUGE, 0],
  clamp: [(x) => clamp(x, -1, 1.5), HUGE, 0],
  'clamp from below': [(x) => clamp(x, -1), HUGE, 0],
  'clamp, crossed': [(x) => clamp(x, 2, 1), HUGE, 0],
  softplus: [(x) => softplus(x), [...HUGE, 19.9, 20.1], 1e-5],
  logSigmoid: [(x) => x.logSigmoid(), HUGE, 1e-5],
  elu: [(x) => x.elu(), HUGE],
  silu: [silu, [...BIG, 100, 1e30, inf], 1e-5],
  // In the tail the argument of exp is as wrong as its last digit.
  gelu: [(x) => gelu(x), [...BIG, 100, 1e30, inf, -5, -8], 2e-5],
  hardtanh: [(x) => x.hardtanh(), HUGE, 0],
  logicalNot: [logicalNot, HUGE, 0],
  'pow 3': [(x) => pow(x, 3), [...BIG, -1e10, 1e10]],
  'pow -3': [(x) => pow(x, -3), BIG.filter((v) => (v !== 0 && Math.abs(v) > 1e-8) || Number.isNaN(v))],
  'pow 0': [(x) => pow(x, 0), HUGE, 0],
  'pow 1.5': [(x) => pow(x, 1.5), [...BIG, 1e10, 1e20], 1e-5],
  'pow -1.5': [(x) => pow(x, -1.5), [1e-20, 1e-6, 0.3, 1, 3, 80, 1e10, 0, -2, nan], 1e-5],
};

for (const [name, [fn, values, tol = 2e-6]] of Object.entries(functions)) {
  test(`${name} at the ends of its range`, () => agree(name, fn, [values], tol));
}

const ENDS = [nan, inf, -inf, 0, -0, 1, -1, 2.5, -2.5, 1e-30, 1e30];
const PAIRS = [ENDS.flatMap((a) => ENDS.map(() => a)), ENDS.flatMap(() => ENDS)] as const;
const pairs: Record<string, [fn: (a: Tensor, b: Tensor) => Tensor, tol?: number]> = {
  equal: [equal],
  notEqual: [notEqual],
  less: [less],
  greaterEqual: [greaterEqual],
  logicalAnd: [logicalAnd],
  logicalOr: [logicalOr],
  atan2: [atan2, 1e-6],
  where: [(a, b) => where(a, b, 7)],
  prelu: [(a, b) => where(isFiniteOp(b), prelu(a, b), 0), 1e-6],
};
for (const [name, [fn, tol = 0]] of Object.entries(pairs)) {
  test(`${name} of special values`, () => agree(name, fn, PAIRS, tol));
}

const POWER_ENDS = [
  ...[nan, inf, -inf, 0, -0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 1.5, -1.5, 10, -10],
  ...[1e30, -1e30, 1e-30, -1e-30, 1e10, 16777216, 16777215, -16777215, 65, 0.9],
];

/** C's pow in float64, of numbers that float32 holds. */
const powerOf = (a: number, b: number): number => (a === 1 || (a === -1 && Math.abs(b) === inf) ? 1 : a ** b);

test("pow is C's at all pairs of 27 special values: tensors, numbers, on both devices", async () => {
  assert.is(POWER_ENDS.length, 27);
  const values = POWER_ENDS.map(Math.fround);
  const a = values.flatMap((x) => values.map(() => x));
  const b = values.flatMap(() => values);
  for (const device of [gpu, reference]) {
    const [pairs] = await read(device, () => [pow(tensor(a), tensor(b))]);
    const numbers = await read(device, () => values.map((y) => pow(tensor(values), y)));
    const bases = await read(device, () => values.map((x) => pow(x, tensor(values))));
    const wrong = a.flatMap((x, i) => {
      const [row, column] = [Math.floor(i / 27), i % 27];
      const found = [pairs![i]!, numbers[column]![row]!, bases[row]![column]!];
      return found.flatMap((v, k) =>
        isPower(v, powerOf(x, b[i]!)) ? [] : [`${k}: ${x} to ${b[i]} = ${v}, not ${powerOf(x, b[i]!)}`],
      );
    });
    assert.is(wrong.join('\n'), '', device.name);
  }
});

/** Equal but for the roundings of float32, its overflow and its smallest numbers, which may be flushed; zeros have signs. */
function isPower(found: number, right: number): boolean {
  const [v, r] = [Math.fround(found), Math.fround(right)];
  if (Number.isFinite(r) && r !== 0) return Math.abs(v - r) <= 1e-4 * Math.abs(r) + 2 ** -125;
  return Object.is(v, r);
}

test('remainder is exact, whatever the quotient', async () => {
  const values = [1e30, 1e20, 123456789, 16777215, 5e6, 40961, 3.5, 1, 0.1, 1e-10, 1e-20, 1e-30].flatMap((v) => [
    v,
    -v,
  ]);
  const a = values.flatMap((x) => values.map(() => x));
  const b = values.flatMap(() => values);
  await agree('remainder', remainder, [a, b], 1e-7);
  await agree('remainder of special values', (x, y) => remainder(x, y).add(0), PAIRS, 1e-7);
});

test('pow and remainder of special pairs', async () => {
  const bases = [0, 0, 0, -2, -2, -2, -2, 1, 1, nan, nan, 3, 0.5, 10, 1.0001, 2, -1.5];
  const powers = [0, 2, -1, 3, 4, -3, 0.5, nan, 5, 0, 1, nan, 100, -7, 1000, 127, 7];
  await agree('pow', pow, [bases, powers], 2e-5);
  const a = [3, -3, 3, -3, 6, 7.5, -7.5, 0, 1, 1e6, 0.3, nan, 5, 9, 2, -2, 2, -2];
  const b = [2, 2, -2, -2, 3, 2.5, 2.5, 3, 0, 7, 0.1, 1, nan, 0.75, inf, inf, -inf, -inf];
  await agree('remainder', remainder, [a, b], 1e-5);
});

test('derivatives of the Euclidean norm near the ends of float32: of the first order, and of the second', async () => {
  // 1 / size is no float32 where size is largest: there only the first.
  const sizes = [2e38, 9e37, 1e19, 1e-19, 1e-23, 1e-36];
  const run = () =>
    sizes.flatMap((size) => {
      const x = tensor([size, size / 2], { requiresGrad: true });
      const [g] = grad(norm(x), [x], { createGraph: true });
      return [g!, ...(size < 1e37 ? grad(g!.sum(), [x]).map((h) => h.mul(size)) : [])];
    });
  const right = sizes.flatMap((size) => [[2, 1], ...(size < 1e37 ? [[-0.4, 0.8]] : [])]);
  for (const device of [gpu, reference]) {
    const found = (await read(device, run)).map((t) => Array.from(t, (v) => v * Math.sqrt(5)));
    const near = found.every((t, i) => t.every((v, k) => Math.abs(v - right[i]![k]!) < 1e-5));
    assert.ok(near, `${device.kind}: ${JSON.stringify(found)}`);
  }
});

test('norms and their derivatives, of numbers whose powers leave float32', async () => {
  const sizes = [1e-30, 1e-25, 1e-19, 1e-12, 1, 1e12, 1e19, 1e25, 1e30];
  const rows = sizes.flatMap((s) => [3 * s, -4 * s, 0.5 * s, 2 * s]);
  for (const p of [1, 2, 3, 1.5, 4, -1, inf, -inf]) {
    const run = () => {
      const x = tensor(Float64Array.from(rows, Math.fround), { shape: [sizes.length, 4], requiresGrad: true });
      const y = norm(x, p, -1);
      return [y, ...grad(y.sum(), [x])];
    };
    const [found, right] = [await read(gpu, run), await read(reference, run)];
    found.forEach((t, k) => {
      t.forEach((v, i) => {
        const r = right[k]![i]!;
        assert.ok(Math.abs(v - r) <= 2e-5 * Math.abs(r), `p = ${p}, tensor ${k}, element ${i}: ${v}, not ${r}`);
      });
    });
  }
  // Runs of axes that do not lie beside each other, and long ones.
  const [y, z] = await read(gpu, () => [
    norm(tensor(Array<number>(4).fill(3e20), { shape: [2, 1, 2] }), 2, [0, 2]),
    norm(tensor(Float32Array.from({ length: 65536 }, (_, i) => (i === 40000 ? 3e30 : i === 9 ? -4e30 : 1e-30)))),
  ]);
  assert.ok(Math.abs(y![0]! / 6e20 - 1) < 1e-6 && Math.abs(z![0]! / 5e30 - 1) < 1e-6, `${y} ${z}`);
  const [special] = await read(gpu, () => [
    norm(tensor([nan, 1, inf, 1, -inf, nan, 0, 0, 1e-30, 0], { shape: [5, 2] }), 2, -1),
  ]);
  assert.equal([...special!.subarray(0, 4)], [nan, inf, nan, 0]);
});

test('derivatives at kinks and at 0 are those that the documentation names', async () => {
  const at = async (f: (x: Tensor) => Tensor, v: number) => {
    const [g] = await read(reference, () => {
      const x = tensor([v], { requiresGrad: true });
      return grad(f(x).sum(), [x]);
    });
    return g![0]!;
  };
  assert.is(await at((x) => pow(x, 0), 0), 0);
  assert.is(await at((x) => pow(x, 1), 0), 1);
  assert.is(await at((x) => pow(x, 2), 0), 0);
  assert.is(await at((x) => pow(x, tensor([0])), 0), 0);
  assert.is(await at((x) => pow(tensor([0]), x), 2), 0);
  assert.is(await at((x) => pow(tensor([0]), x), 0), 0);
  assert.is(await at((x) => pow(x, tensor([3])), -2), 12);
  assert.is(await at((x) => clamp(x, -1, 1), 1), 1);
  assert.is(await at((x) => x.hardtanh(), 1), 0);
  assert.is(await at((x) => x.relu6(), 6), 0);
  assert.is(await at((x) => x.elu(0.5), 0), 0.5);
  assert.is(await at((x) => prelu(x, tensor([0.25])), 0), 0.25);
  assert.is(await at((x) => where(less(x, 1), x.mul(2), log1p(x.sub(9))), 0), 2);
});

test.after(() => gpu.destroy());
test.run();
