import * as assert from 'uvu/assert';
import { Rng } from '../../engine/index.ts';
import type { MetricSamples } from '../../gan/metrics/samples.ts';

/** Samples from nested or flat numbers. */
export const samplesOf = (values: ArrayLike<number>, shape: readonly number[]): MetricSamples => ({
  data: Float32Array.from(values),
  shape,
});

/** Gaussian points [n,d] with a mean and standard deviation in each axis. */
export function gaussian(n: number, d: number, seed: number, mean = 0, std = 1): MetricSamples {
  const data = Float32Array.from(new Rng(seed).hostNormal(n * d), (z) => mean + std * z);
  return { data, shape: [n, d] };
}

/** Points uniform in a box [n,d]. */
export function uniform(n: number, d: number, seed: number, low: number, high: number): MetricSamples {
  const data = Float32Array.from(new Rng(seed).hostUniform(n * d), (u) => low + u * (high - low));
  return { data, shape: [n, d] };
}

/** That a value is where it should be. */
export const near = (value: number, expected: number, tolerance: number, what = ''): void =>
  assert.ok(Math.abs(value - expected) <= tolerance, `${what} ${value} is not within ${tolerance} of ${expected}`);
