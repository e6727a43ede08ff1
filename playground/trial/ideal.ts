/**
 * What the best discriminator would say (Goodfellow et al. 2014, Proposition 1), from densities.
 * @module
 */
import type { Distribution } from '../../gan/index.ts';

/** Samples that an estimate of a density is made of: enough for a picture. */
const MOST = 512;

/**
 * The density at places by a Gaussian kernel around each sample (Parzen 1962), as wide as Scott's rule says for two dimensions (1992):
 * the spread times n^(-1/6), of the modes' own spread where samples are of several.
 * @param places x and y of each
 * @param samples x and y of each
 * @param spread the width that the samples' own structure has, or more
 */
export function kernelDensity(places: Float32Array, samples: Float32Array, spread: number): Float64Array {
  const n = Math.min(MOST, samples.length / 2);
  const width = spread * n ** (-1 / 6);
  const scale = -1 / (2 * width * width);
  const density = new Float64Array(places.length / 2);
  for (let p = 0; p < density.length; p++) {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const [dx, dy] = [places[2 * p]! - samples[2 * i]!, places[2 * p + 1]! - samples[2 * i + 1]!];
      sum += Math.exp(scale * (dx * dx + dy * dy));
    }
    density[p] = sum / (n * 2 * Math.PI * width * width);
  }
  return density;
}

/**
 * D* = p/(p + q) at places: of the data's density, exact where it is known, and that of generated samples as their kernels say. Where both
 * are far away it is 1/2.
 */
export function idealOn(
  places: Float32Array,
  data: Distribution,
  real: Float32Array,
  fake: Float32Array,
): Float32Array {
  // Kernels as wide as the modes are: narrower ones would show single samples.
  const spread = Math.max(0.15, 2 * (data.modes?.sigma ?? 0.1));
  const exact = data.logDensity?.(places);
  const p = exact ? exact.map(Math.exp) : kernelDensity(places, real, spread);
  const q = kernelDensity(places, fake, spread);
  return Float32Array.from(p, (v, i) => (v + 1e-6) / (v + q[i]! + 2e-6));
}
