import type { Device } from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { inBalls, radii } from './neighbours.ts';
import { deviceFor } from './read.ts';
import { bothRows, type MetricSamples } from './samples.ts';

/** Options of {@link precisionRecall} and {@link densityCoverage}. */
export interface NeighbourhoodOptions {
  /** A ball reaches to the k-th nearest neighbour of its centre. Default 3 for precision and recall, 5 for density and coverage. */
  readonly k?: number;
  /** The device that computes; the current device unless given. */
  readonly device?: Device;
}

/** What {@link precisionRecall} finds. */
export interface PrecisionRecall {
  /** The share of samples that lie among the real ones, 0 to 1; higher is better: how good samples are. */
  readonly precision: number;
  /** The share of real samples that lie among the generated ones, 0 to 1; higher is better: how much of the data is covered. */
  readonly recall: number;
}

function prepared(
  op: string,
  samples: MetricSamples,
  reference: MetricSamples,
  options: NeighbourhoodOptions,
  usual: number,
) {
  const { k = usual, device } = checked(op, options, ['k', 'device']);
  const [a, b] = bothRows(op, samples, reference, 2);
  checkRange(op, 'k', ranges.whole(1, Math.min(a.count, b.count) - 1), k);
  return { a, b, k, device: deviceFor(device) };
}

/**
 * Improved precision and recall. Each set is taken to fill the balls around its members that reach to the k-th nearest other
 * member; precision is the share of samples in the real set's balls, recall the share of real ones in the samples' balls.
 * Both are 1 - O(1/k) for samples of the data's own distribution, and one outlier's ball may hold a lot: see
 * {@link densityCoverage}.
 *
 * Source: Kynkäänniemi et al., "Improved precision and recall metric for assessing generative models", NeurIPS 2019, eq. 1 and 2.
 * @param samples features or points [N, ...]
 * @param reference of real samples [M, ...]; more of them, or fewer, change the balls: keep the numbers equal
 * @throws RangeError when k is not less than the number of samples, or samples do not fit
 */
export async function precisionRecall(
  samples: MetricSamples,
  reference: MetricSamples,
  options: NeighbourhoodOptions = {},
): Promise<PrecisionRecall> {
  const { a, b, k, device } = prepared('precisionRecall', samples, reference, options, 3);
  const share = async (x: typeof a, y: typeof a): Promise<number> => {
    const { balls } = await inBalls(x, y, await radii(y, k, device), device);
    return balls.filter((n) => n > 0).length / x.count;
  };
  return { precision: await share(a, b), recall: await share(b, a) };
}

/** What {@link densityCoverage} finds. */
export interface DensityCoverage {
  /** How densely real samples lie where the samples do: 0 or more, 1 for the data's own distribution; higher is better. */
  readonly density: number;
  /** The share of real samples with a sample in their ball, 0 to 1; higher is better. For the data's own distribution 1 - 2^-k. */
  readonly coverage: number;
}

/**
 * Density and coverage, which outliers among the samples cannot raise: balls are around real samples alone. Density is the mean
 * number of balls that hold a sample, over k; coverage the share of balls that hold one.
 *
 * Source: Naeem et al., "Reliable fidelity and diversity metrics for generative models", ICML 2020, eq. 3 and 4.
 * @param samples features or points [N, ...]
 * @param reference of real samples [M, ...]
 * @throws RangeError when k is not less than the number of samples, or samples do not fit
 */
export async function densityCoverage(
  samples: MetricSamples,
  reference: MetricSamples,
  options: NeighbourhoodOptions = {},
): Promise<DensityCoverage> {
  const { a, b, k, device } = prepared('densityCoverage', samples, reference, options, 5);
  const { balls, held } = await inBalls(a, b, await radii(b, k, device), device);
  return {
    density: balls.reduce((s, n) => s + n, 0) / (k * a.count),
    coverage: held.filter((n) => n > 0).length / b.count,
  };
}
