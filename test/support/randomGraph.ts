/** Random graphs of 5 to 40 ops. */
import * as wg from '../../engine/index.ts';
import { grad, type Tensor, tensor } from '../../engine/index.ts';
import { numbers, valuesFor } from './values.ts';

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
export function graph(seed: number, leaves: readonly Tensor[]): Tensor {
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

/** The leaves of a seed's graph. */
export const graphLeaves = (seed: number): Tensor[] =>
  SHAPES.map((shape, i) =>
    tensor(valuesFor({ shape, from: -1.5, to: 1.5 }, seed * 10 + i), { shape, requiresGrad: true }),
  );

/** Value, gradients and second gradients of a seed's graph. */
export function graphOrders(seed: number, xs: readonly Tensor[]): Tensor[] {
  const y = graph(seed, xs);
  const first = grad(y, xs, { createGraph: true, allowUnused: true });
  const weighted = first.map((g, i) =>
    g
      .mul(0.5 + i)
      .square()
      .sum(),
  );
  const second = grad(
    weighted.reduce((a, b) => a.add(b)),
    xs,
    { allowUnused: true },
  );
  return [y, ...first, ...second];
}
