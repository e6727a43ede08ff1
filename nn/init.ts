/** Initialisers. Each takes the shape, the fans and a generator; see `Initializer`. */
import { full, Generator } from '../engine/index.ts';
import type { Initializer } from './module.ts';

/** N(mean, std²); DCGAN uses std 0.02 (Radford et al. 2016). */
export const normal =
  (std: number, mean = 0): Initializer =>
  (shape, _, rng) =>
    rng.normal(shape, { mean, std });

/** U(-bound, bound) */
export const uniform =
  (bound: number): Initializer =>
  (shape, _, rng) =>
    rng.uniform(shape, { low: -bound, high: bound });

export const constant =
  (value: number): Initializer =>
  (shape) =>
    full(shape, value);

/** N(0, 2 / ((1 + slope²) · fanIn)) for layers before a (leaky) relu (He et al. 2015). */
export const kaimingNormal =
  (slope = 0): Initializer =>
  (shape, { fanIn }, rng) =>
    rng.normal(shape, { std: Math.sqrt(2 / ((1 + slope * slope) * fanIn)) });

/** U(-b, b) with b = √(6 / (fanIn + fanOut)) (Glorot and Bengio 2010). */
export const xavierUniform: Initializer = (shape, { fanIn, fanOut }, rng) => {
  const bound = Math.sqrt(6 / (fanIn + fanOut));
  return rng.uniform(shape, { low: -bound, high: bound });
};

/** PyTorch's default for linear and convolutional layers, weights and biases: U(-b, b) with b = 1/√fanIn. */
export const fanInUniform: Initializer = (shape, { fanIn }, rng) => {
  const bound = 1 / Math.sqrt(fanIn);
  return rng.uniform(shape, { low: -bound, high: bound });
};

let shared: Generator | undefined;

/** The generator of layers that are not given one: seed 0 unless `seedLayers` was called. */
export const layerGenerator = (): Generator => {
  shared ??= new Generator(0, 1);
  return shared;
};

/** Restarts the generator of layers that are not given one. */
export const seedLayers = (seed: number): void => {
  shared = new Generator(seed, 1);
};
