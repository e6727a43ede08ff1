/**
 * Initialisers: each is, or returns, an {@link Initializer}, as the options `init` and `initBias` of layers take it.
 * @module
 */
import { full, Generator } from '../engine/index.ts';
import type { Initializer } from './module/parameter.ts';

/** Normal numbers; DCGAN uses mean 0 and standard deviation 0.02 (Radford et al. 2016). */
export const normal =
  (std: number, mean = 0): Initializer =>
  (shape, _, rng) =>
    rng.normal(shape, { mean, std });

/** Uniform numbers in [-bound, bound). */
export const uniform =
  (bound: number): Initializer =>
  (shape, _, rng) =>
    rng.uniform(shape, { low: -bound, high: bound });

/** One value everywhere. */
export const constant =
  (value: number): Initializer =>
  (shape) =>
    full(shape, value);

/** Variance 2 / ((1 + slope²) · fanIn), mean 0, for layers before a (leaky) relu (He et al. 2015, eq. 15). */
export const kaimingNormal =
  (slope = 0): Initializer =>
  (shape, { fanIn }, rng) =>
    rng.normal(shape, { std: Math.sqrt(2 / ((1 + slope * slope) * fanIn)) });

/** Uniform numbers in [-b, b), b = √(6 / (fanIn + fanOut)) (Glorot and Bengio 2010, eq. 16). */
export const xavierUniform: Initializer = (shape, { fanIn, fanOut }, rng) => {
  const bound = Math.sqrt(6 / (fanIn + fanOut));
  return rng.uniform(shape, { low: -bound, high: bound });
};

/** PyTorch's default for linear and convolutional layers, weights and biases: uniform in [-b, b), b = 1/√fanIn. */
export const fanInUniform: Initializer = (shape, { fanIn }, rng) => {
  const bound = 1 / Math.sqrt(fanIn);
  return rng.uniform(shape, { low: -bound, high: bound });
};

let shared: Generator | undefined;

/** The generator of layers that are not given one: seed 0 unless {@link seedLayers} was called. */
export const layerGenerator = (): Generator => {
  shared ??= new Generator(0, 1);
  return shared;
};

/** Restarts the generator of layers that are not given one, also in steps that are compiled already. @param seed a whole number from 0 to 2^53 - 1 */
export const seedLayers = (seed: number): void => {
  layerGenerator().restart(seed, 1);
};
