import type { Device } from '../../engine/index.ts';
import { checked } from '../../engine/internal.ts';
import { nearest } from './neighbours.ts';
import { deviceFor } from './read.ts';
import { bothRows, type MetricSamples, type Rows } from './samples.ts';

/** What {@link nearestNeighbourTest} finds. */
export interface NearestNeighbourTest {
  /**
   * The share of samples, real or not, whose nearest neighbour is of their own kind, 0 to 1. Best at 0.5: above it the two can be told
   * apart, below it the samples copy real ones.
   */
  readonly accuracy: number;
  /** The same share of the real samples alone: low where the samples sit on real ones or cover them densely. */
  readonly realAccuracy: number;
  /** The same share of the generated samples alone: high where they crowd together, as in mode collapse. */
  readonly generatedAccuracy: number;
}

/**
 * The two-sample test of a nearest-neighbour classifier, by leave-one-out: 0.5 where both sets are of one distribution, 1 where
 * they have nothing in common, 0 where each sample is a copy of a real one. For two sets of N samples of one distribution its standard
 * error is sqrt((1 + m) / 8N) with m the share of samples that are the nearest neighbour of their own nearest neighbour, since such
 * pairs count twice: m is 0.67 on the line, 0.62 in the plane and falls with the dimension, so that it is about 0.63 / sqrt(2 N) in few
 * dimensions and never below 0.5 / sqrt(2 N).
 *
 * Source: Lopez-Paz and Oquab, "Revisiting classifier two-sample tests", ICLR 2017; Xu et al., "An empirical study on evaluation
 * metrics of generative adversarial networks", 2018, section 2.2, for the two shares; Schilling, "Multivariate two-sample tests based
 * on nearest neighbors", J. American Statistical Association 1986, for the standard error.
 * @param samples features or points [N, ...]
 * @param reference real samples; of the larger set only the first are taken, as many as the other has
 * @throws RangeError for fewer than 2 samples, or samples that do not fit
 */
export async function nearestNeighbourTest(
  samples: MetricSamples,
  reference: MetricSamples,
  options: { readonly device?: Device } = {},
): Promise<NearestNeighbourTest> {
  const op = 'nearestNeighbourTest';
  const device = deviceFor(checked(op, options, ['device']).device);
  const [a, b] = bothRows(op, samples, reference, 2);
  const n = Math.min(a.count, b.count);
  const joined: Rows = { data: new Float64Array(2 * n * a.width), count: 2 * n, width: a.width };
  joined.data.set(a.data.subarray(0, n * a.width));
  joined.data.set(b.data.subarray(0, n * a.width), n * a.width);
  const { indices } = await nearest(joined, joined, 1, device);
  const share = (from: number) => {
    const own = indices.subarray(from, from + n).filter((j) => j >= from && j < from + n);
    return own.length / n;
  };
  const [generatedAccuracy, realAccuracy] = [share(0), share(n)];
  return { accuracy: (generatedAccuracy + realAccuracy) / 2, realAccuracy, generatedAccuracy };
}
