import { type Device, exp, sqrt } from '../../engine/index.ts';
import { checked } from '../../engine/internal.ts';
import { centred, exactSquaredDistance, meanOverPairs, squaredDistances } from './pairs.ts';
import { deviceFor } from './read.ts';
import { bothRows, type MetricSamples, type Rows } from './samples.ts';

/** Options of {@link mmd}. */
export interface MmdOptions {
  /**
   * Standard deviations of the Gaussian kernels, in the unit of the coordinates. Unless given: a quarter, half, once, twice and
   * four times the median distance of reference points, which does not depend on the samples, so that scores compare.
   */
  readonly bandwidths?: readonly number[];
  /** The device that computes; the current device unless given. */
  readonly device?: Device;
}

/** Factors of the median distance: the usual spread of bandwidths (Li, Swersky, Zemel 2015 use such a sum). */
const FACTORS = [0.25, 0.5, 1, 2, 4];

/** Reference points that the median distance is taken of. */
const MEDIAN_POINTS = 500;

/**
 * Squared maximum mean discrepancy, unbiased: E k(x,x') + E k(y,y') - 2 E k(x,y), with k the mean of Gaussian kernels
 * exp(-|x-y|² / (2 bandwidth²)). About 0 for samples of one distribution, where it may be slightly negative; at most 2; lower
 * is better.
 *
 * Source: Gretton et al., "A Kernel Two-Sample Test", JMLR 2012, eq. 3.
 * @param samples [N, ...], at least 2
 * @param reference [M, ...] of the same shape
 * @throws RangeError for a bandwidth that is not positive, or samples that do not fit
 */
export async function mmd(samples: MetricSamples, reference: MetricSamples, options: MmdOptions = {}): Promise<number> {
  const { bandwidths, device: asked } = checked('mmd', options, ['bandwidths', 'device']);
  const device = deviceFor(asked);
  const [a, b] = bothRows('mmd', samples, reference, 2);
  const sigmas = bandwidths ?? medianBandwidths(b);
  if (sigmas.length === 0 || !sigmas.every((s) => s > 0 && Number.isFinite(s))) {
    throw new RangeError(`mmd: bandwidths [${sigmas}] must be numbers above 0`);
  }
  return discrepancy(a, b, device, (x, y) => {
    const d = squaredDistances(x, y);
    const kernels = sigmas.map((s) => exp(d.mul(-0.5 / s ** 2)));
    return kernels.reduce((s, k) => s.add(k)).div(sigmas.length);
  });
}

/**
 * Energy distance 2 E|x-y| - E|x-x'| - E|y-y'| of Euclidean distances, unbiased: in the unit of the coordinates, without a
 * bandwidth to choose. About 0 for samples of one distribution, where it may be slightly negative; lower is better. On the line it
 * is twice the squared L2 distance of the distribution functions.
 *
 * Source: Székely and Rizzo, "Energy statistics", J. Statistical Planning and Inference 2013. It is the squared
 * MMD of the kernel -|x-y|.
 * @throws RangeError for samples that do not fit
 */
export async function energyDistance(
  samples: MetricSamples,
  reference: MetricSamples,
  options: { readonly device?: Device } = {},
): Promise<number> {
  const device = deviceFor(checked('energyDistance', options, ['device']).device);
  const [a, b] = bothRows('energyDistance', samples, reference, 2);
  return discrepancy(a, b, device, (x, y) => sqrt(squaredDistances(x, y)).mul(-1));
}

/** E k(x,x') + E k(y,y') - 2 E k(x,y) without the pairs of a sample with itself. */
async function discrepancy(a: Rows, b: Rows, device: Device, kernel: Parameters<typeof meanOverPairs>[3]) {
  const [x, y] = centred(a, b);
  const within = await meanOverPairs(x, x, device, kernel);
  const reference = await meanOverPairs(y, y, device, kernel);
  const between = await meanOverPairs(x, y, device, kernel);
  return within + reference - 2 * between;
}

/** Bandwidths around the median distance, in float64, of evenly spaced reference points. */
function medianBandwidths(reference: Rows): number[] {
  const n = Math.min(reference.count, MEDIAN_POINTS);
  const at = (i: number) => Math.floor((i * reference.count) / n);
  const distances: number[] = [];
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) distances.push(exactSquaredDistance(reference, at(i), reference, at(j)));
  const median = Math.sqrt(Float64Array.from(distances).sort()[Math.floor(distances.length / 2)]!);
  if (median === 0) throw new RangeError('mmd: most reference points are the same; give bandwidths');
  return FACTORS.map((f) => f * median);
}
