import { checked, checkedList, checkRange, ranges, shown } from '../../engine/internal.ts';
import { type Distribution, generatorOf, pointsIn } from './distribution.ts';
import type { Modes } from './sampleSet.ts';

/** A mixture of Gaussians of one width and equal weights, with its density and its modes. */
export interface GaussianMixture extends Distribution {
  readonly modes: Modes;
  /** The exact log density in nats; see {@link Distribution}. */
  logDensity(points: ArrayLike<number>): Float64Array;
}

/** Options of {@link gaussian}. */
export interface GaussianOptions {
  /** Default 0. */
  readonly mean?: number;
  /** Standard deviation, above 0. Default 1. */
  readonly sigma?: number;
}

/** Options of {@link twoGaussians}. */
export interface TwoGaussiansOptions {
  /** Default [-2, 2]. */
  readonly means?: readonly [number, number];
  /** Standard deviation of each, above 0. Default 0.5. */
  readonly sigma?: number;
}

/** Options of {@link gaussianMixture}. */
export interface GaussianMixtureOptions {
  /** One or more points of the same dimension, such as [[0, 0], [1, 1]]. */
  readonly centres: readonly (readonly number[])[];
  /** Standard deviation of each mode along each axis, above 0. */
  readonly sigma: number;
}

/** Options of {@link gaussianRing}. */
export interface GaussianRingOptions {
  /** How many Gaussians. Default 8. */
  readonly modes?: number;
  /** The radius of the circle that the centres lie on, above 0. Default 2. */
  readonly radius?: number;
  /** Standard deviation of each mode along each axis, above 0. Default 0.02. */
  readonly sigma?: number;
}

/** Options of {@link gaussianGrid}. */
export interface GaussianGridOptions {
  /** Gaussians along each axis. Default 5, 25 in all. */
  readonly side?: number;
  /** The distance between neighbouring centres, above 0. Default 2. */
  readonly spacing?: number;
  /** Standard deviation of each mode along each axis, above 0. Default 0.05. */
  readonly sigma?: number;
}

/** A Gaussian on the line. @throws RangeError unless the mean is finite and sigma above 0 */
export function gaussian(options: GaussianOptions = {}): GaussianMixture {
  const { mean = 0, sigma = 1 } = checked('gaussian', options, ['mean', 'sigma']);
  checkRange('gaussian', 'mean', ranges.finite, mean);
  return mixture('gaussian', `Gaussian of mean ${mean} and sigma ${sigma}`, [[mean]], sigma);
}

/** Two Gaussians on the line, equally likely. @throws RangeError unless the means are two finite numbers and sigma above 0 */
export function twoGaussians(options: TwoGaussiansOptions = {}): GaussianMixture {
  const { means = [-2, 2], sigma = 0.5 } = checked('twoGaussians', options, ['means', 'sigma']);
  if (checkedList('twoGaussians', 'means', means, '[-2, 2]').length !== 2) {
    throw new RangeError(`twoGaussians: means are two numbers such as [-2, 2], not ${shown(means)}`);
  }
  const centres = means.map((mean) => [checkRange('twoGaussians', 'means', ranges.finite, mean)]);
  return mixture('two-gaussians', `two Gaussians of means ${means[0]} and ${means[1]}`, centres, sigma);
}

/**
 * Gaussians around given centres, equally likely.
 * @throws RangeError without a centre, for centres of different dimensions, or unless sigma is above 0
 */
export function gaussianMixture(options: GaussianMixtureOptions): GaussianMixture {
  const { centres, sigma } = checked('gaussianMixture', options, ['centres', 'sigma']);
  const example = '[[0, 0], [1, 1]]';
  for (const centre of checkedList('gaussianMixture', 'centres', centres, example)) {
    const axes = checkedList('gaussianMixture', 'a centre', centre, '[0, 0]');
    for (const x of axes) checkRange('gaussianMixture', 'a centre', ranges.finite, x);
    if (axes.length === 0 || axes.length !== centres[0]!.length) {
      throw new RangeError(`gaussianMixture: centres are points of one dimension such as ${example}`);
    }
  }
  if (centres.length === 0) throw new RangeError(`gaussianMixture: give one centre or more, such as ${example}`);
  return mixture('mixture', `mixture of ${centres.length} Gaussians`, centres, sigma);
}

/**
 * Gaussians around a circle, the first at (radius, 0): the standard test of mode collapse. Radius 2 and sigma 0.02 are
 * those of unrolled GAN (Metz et al. 2017, appendix A); VEEGAN and PacGAN (Lin et al. 2018) have radius 1 and sigma 0.01, the
 * same picture at half the scale.
 * @throws RangeError for an option out of range
 */
export function gaussianRing(options: GaussianRingOptions = {}): GaussianMixture {
  const { modes = 8, radius = 2, sigma = 0.02 } = checked('gaussianRing', options, ['modes', 'radius', 'sigma']);
  checkRange('gaussianRing', 'radius', ranges.positive, radius);
  const centres = Array.from(
    { length: checkRange('gaussianRing', 'modes', ranges.whole(1, 2 ** 16), modes) },
    (_, i) => {
      const angle = (2 * Math.PI * i) / modes;
      return [radius * Math.cos(angle), radius * Math.sin(angle)];
    },
  );
  return mixture('ring', `ring of ${modes} Gaussians`, centres, sigma);
}

/**
 * Gaussians on a square grid around 0, row by row. The defaults are those of VEEGAN (Srivastava et al. 2017) and PacGAN
 * (Lin et al. 2018): {-4, -2, 0, 2, 4}² with sigma 0.05.
 * @throws RangeError for an option out of range
 */
export function gaussianGrid(options: GaussianGridOptions = {}): GaussianMixture {
  const { side = 5, spacing = 2, sigma = 0.05 } = checked('gaussianGrid', options, ['side', 'spacing', 'sigma']);
  checkRange('gaussianGrid', 'spacing', ranges.positive, spacing);
  const n = checkRange('gaussianGrid', 'side', ranges.whole(1, 2 ** 8), side);
  const place = (i: number) => (i - (n - 1) / 2) * spacing;
  const centres = Array.from({ length: n * n }, (_, i) => [place(i % n), place(Math.floor(i / n))]);
  return mixture('grid', `grid of ${n * n} Gaussians`, centres, sigma);
}

function mixture(name: string, title: string, list: readonly (readonly number[])[], sigma: number): GaussianMixture {
  checkRange(name, 'sigma', ranges.positive, sigma);
  const dimension = list[0]!.length;
  const k = list.length;
  // Samples and density use the same centres, those in float32 that the metrics see.
  const centres = Float32Array.from(list.flat());
  const offset = -Math.log(k) - dimension * Math.log(sigma * Math.sqrt(2 * Math.PI));
  return {
    name,
    title,
    dimension,
    modes: { centres, sigma },
    sample(n, rng) {
      const from = generatorOf(rng);
      const mode = from.hostUniform(n).map((u) => Math.floor(u * k));
      const noise = from.hostNormal(n * dimension);
      return Float32Array.from(noise, (z, i) => {
        const centre = centres[mode[Math.floor(i / dimension)]! * dimension + (i % dimension)]!;
        return centre + sigma * z;
      });
    },
    logDensity(points) {
      const exponents = new Float64Array(k);
      return Float64Array.from({ length: pointsIn(name, points, dimension) }, (_, i) => {
        for (let m = 0; m < k; m++) {
          let square = 0;
          for (let d = 0; d < dimension; d++) square += (points[i * dimension + d]! - centres[m * dimension + d]!) ** 2;
          exponents[m] = -square / (2 * sigma * sigma);
        }
        // The largest is taken out, so that points far from every mode keep a finite log density.
        const largest = exponents.reduce((a, b) => Math.max(a, b));
        const sum = exponents.reduce((total, e) => total + Math.exp(e - largest), 0);
        return offset + largest + Math.log(sum);
      });
    },
  };
}
