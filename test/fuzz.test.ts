/**
 * Random graphs of 5 to 40 ops: value, gradient and second gradient on WebGPU against float64. `FUZZ=n npm test -- fuzz`
 * runs n graphs, `SEED=s` starts at another one; a mismatch prints its seed and its tape.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as wg from '../engine/index.ts';
import { type Device, grad, reference, type Tensor, tape, tensor } from '../engine/index.ts';
import { openGpu, read } from './support/devices.ts';
import { distance, numbers, valuesFor } from './support/values.ts';

const test = suite('fuzz');
const gpu = await openGpu();
test.after(() => gpu.destroy());

const COUNT = Number(process.env.FUZZ ?? 500);
const FIRST = Number(process.env.SEED ?? 1);
/** Of the scale of a tensor; graphs of 40 ops in float32 lose some digits, above all in second derivatives. */
const TOLERANCE = [1e-4, 5e-4, 5e-3];

/** Ops from a tensor to a tensor whose values stay moderate. */
const UNARY: readonly ((x: Tensor) => Tensor)[] = [
  (x) => x.tanh(),
  (x) => x.sigmoid(),
  (x) => x.leakyRelu(0.2),
  (x) => wg.sin(x),
  (x) => wg.softplus(x),
  (x) => wg.gelu(x),
  (x) => wg.elu(x),
  (x) => x.tanh().exp(),
  (x) => x.square().add(1).sqrt(),
  (x) => x.square().add(0.5).log(),
  (x) => x.neg().add(0.3),
  (x) => x.mul(0.7),
  (x) => wg.erf(x),
  (x) => (x.rank > 0 ? wg.softmax(x) : x.cosh().rsqrt()),
  (x) => (x.rank > 0 ? wg.logSumExp(x, -1, { keepDims: true }) : x),
  (x) => (x.rank > 0 ? x.mean(-1, { keepDims: true }) : x),
  (x) => (x.rank > 1 ? x.sum(0, { keepDims: true }).tanh() : x),
  (x) => (x.rank > 1 ? x.transpose() : x),
  (x) => (x.rank > 0 ? wg.flip(x, -1) : x),
  (x) => (x.rank > 0 ? wg.cumsum(x, -1).tanh() : x),
  (x) => (x.rank > 0 && x.shape[0]! > 1 ? x.slice([[0, -1]]) : x),
  (x) =>
    x.rank > 0
      ? wg.pad(
          x,
          x.shape.map((_, i) => (i === 0 ? [1, 0] : [0, 0]) as [number, number]),
        )
      : x,
  (x) => x.reshape([x.size]),
];

const BINARY: readonly ((a: Tensor, b: Tensor) => Tensor)[] = [
  (a, b) => a.add(b),
  (a, b) => a.sub(b),
  (a, b) => a.tanh().mul(b),
  (a, b) => a.div(b.square().add(1)),
  (a, b) => a.maximum(b),
  // Continuous, since float32 and float64 may fall on different sides.
  (a, b) => wg.where(wg.greater(a, 0.1234), a.sub(0.1234).mul(b), a.sub(0.1234).square()),
];

const broadcasts = (a: Tensor, b: Tensor): boolean => {
  for (let i = 1; i <= Math.min(a.rank, b.rank); i++) {
    const [p, q] = [a.shape[a.rank - i]!, b.shape[b.rank - i]!];
    if (p !== q && p !== 1 && q !== 1) return false;
  }
  return true;
};

/** The graph of a seed: a scalar from three leaves. */
function graph(seed: number, leaves: readonly Tensor[]): Tensor {
  const next = numbers(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!;
  const made = [...leaves];
  const ops = 5 + Math.floor(next() * 36);
  for (let k = 0; k < ops; k++) {
    const a = next() < 0.6 ? made[made.length - 1]! : pick(made);
    const others = made.filter((b) => broadcasts(a, b) && a.size * b.size < 400);
    const products = made.filter((b) => a.rank === 2 && b.rank === 2 && a.shape[1] === b.shape[0]);
    const kind = next();
    if (kind < 0.15 && products.length > 0) made.push(wg.matmul(a, pick(products)).tanh());
    else if (kind < 0.5 && others.length > 0) made.push(pick(BINARY)(a, pick(others)));
    else made.push(pick(UNARY)(a));
  }
  return made.slice(-3).reduce((s, t) => s.add(t.tanh().sum()), made[made.length - 1]!.square().mean());
}

const SHAPES = [[3, 4], [4, 3], [4]] as const;

/** Value, gradients and second gradients of a graph on a device, and its tape. */
function run(device: Device, seed: number): { numbers: Promise<Float64Array[]>; text: () => string } {
  let text = '';
  const results = read(device, () => {
    const xs = SHAPES.map((shape, i) =>
      tensor(valuesFor({ shape, from: -1.5, to: 1.5 }, seed * 10 + i), { shape, requiresGrad: true }),
    );
    const y = graph(seed, xs);
    text = String(tape(y));
    const first = grad(y, xs, { createGraph: true, allowUnused: true });
    const second = grad(
      first
        .map((g, i) =>
          g
            .mul(0.5 + i)
            .square()
            .sum(),
        )
        .reduce((a, b) => a.add(b)),
      xs,
      { allowUnused: true },
    );
    return [y, ...first, ...second];
  });
  return { numbers: results, text: () => text };
}

test(`${COUNT} graphs from seed ${FIRST} agree with float64 to the second derivative`, async () => {
  const wrong: string[] = [];
  for (let from = FIRST; from < FIRST + COUNT; from += 10) {
    const seeds = Array.from({ length: Math.min(10, FIRST + COUNT - from) }, (_, i) => from + i);
    const pairs = seeds.map((seed) => ({ seed, found: run(gpu, seed), exact: run(reference, seed) }));
    for (const { seed, found, exact } of pairs) {
      const [a, b] = await Promise.all([found.numbers, exact.numbers]);
      b.forEach((values, i) => {
        const order = i === 0 ? 0 : i <= 3 ? 1 : 2;
        const d = distance(a[i]!, values, 1e-2);
        if (!(d <= TOLERANCE[order]!))
          wrong.push(`seed ${seed}: tensor ${i} (order ${order}) is off by ${d} of its scale\n${exact.text()}`);
      });
    }
  }
  assert.is(wrong.length, 0, wrong.slice(0, 3).join('\n\n'));
});

test.run();
