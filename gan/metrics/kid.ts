import { type Device, matmul, type Rng, type Tensor } from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { meanOverPairs } from './pairs.ts';
import { deviceFor } from './read.ts';
import { bothRows, type MetricSamples, meanAndSpread, type Rows, takeSamples } from './samples.ts';

/** Subsets under way at once: their matrices are small, and waiting for each would take longer than computing it. */
const TOGETHER = 8;

/** Options of {@link kernelInceptionDistance}. */
export interface KidOptions {
  /** Chooses the subsets. */
  readonly rng: Rng;
  /** How many pairs of subsets are compared. Default 100. */
  readonly subsets?: number;
  /** Samples in a subset; 1,000 unless given, or half of the samples where that is less: subsets of all would be the same. */
  readonly subsetSize?: number;
  /** The device that computes; the current device unless given. */
  readonly device?: Device;
}

/** What {@link kernelInceptionDistance} finds. */
export interface Kid {
  /** The mean over subsets; lower is better, about 0 for samples of one distribution, where it may be negative. */
  readonly value: number;
  /** Standard deviation over subsets. */
  readonly standardDeviation: number;
  /**
   * Standard deviation * sqrt(max(1 / subsets, subsetSize / N)), N the number of samples in the smaller set: N samples hold only
   * N / subsetSize subsets that share none, and the mean of more is hardly better known. Subsets of half of the samples are
   * themselves alike, and it is up to a third too small; for samples of the reference's distribution it is too large.
   */
  readonly standardError: number;
}

/**
 * Kernel inception distance: the unbiased squared maximum mean discrepancy of features with the kernel (<x,y> / D + 1)³,
 * averaged over random subsets. Unlike the Fréchet distance it does not depend on the number of samples.
 *
 * Source: Bińkowski, Sutherland, Arbel, Gretton, "Demystifying MMD GANs", ICLR 2018, section 4.
 * @param samples features [N,D]
 * @param reference features [M,D]
 * @throws RangeError for subsets larger than the samples, or samples that do not fit
 */
export async function kernelInceptionDistance(
  samples: MetricSamples,
  reference: MetricSamples,
  options: KidOptions,
): Promise<Kid> {
  const op = 'kernelInceptionDistance';
  const {
    rng,
    subsets = 100,
    device: asked,
    subsetSize,
  } = checked(op, options, [...(['rng', 'subsets', 'subsetSize', 'device'] as const)]);
  const device = deviceFor(asked);
  const [a, b] = bothRows(op, samples, reference, 2);
  const most = Math.min(a.count, b.count);
  const size = checkRange(
    op,
    'subsetSize',
    ranges.whole(2, most),
    subsetSize ?? Math.max(2, Math.min(1000, Math.floor(most / 2))),
  );
  const kernel = (x: Tensor, y: Tensor) => {
    const k = matmul(x, y, { transposeB: true }).div(a.width).add(1);
    return k.mul(k).mul(k);
  };
  const draw = (all: Rows): Rows => {
    const part = takeSamples(
      { data: all.data, shape: [all.count, all.width] },
      rng.hostPermutation(all.count).subarray(0, size),
    );
    return { data: part.data, count: size, width: all.width };
  };
  const one = async (x: Rows, y: Rows): Promise<number> => {
    const parts = [
      [x, x],
      [y, y],
      [x, y],
    ].map(([p, q]) => meanOverPairs(p!, q!, device, kernel));
    const [within, other, between] = (await Promise.all(parts)) as [number, number, number];
    return within + other - 2 * between;
  };
  const values: number[] = [];
  for (let s = 0; s < checkRange(op, 'subsets', ranges.count, subsets); s += TOGETHER) {
    const some = Array.from({ length: Math.min(TOGETHER, subsets - s) }, () => one(draw(a), draw(b)));
    for (const value of await Promise.all(some)) values.push(value);
  }
  const [value, standardDeviation] = meanAndSpread(values);
  // The limit is that of means of independent samples; subsets drawn again and again from the same ones add nothing beyond it.
  const standardError = standardDeviation * Math.sqrt(Math.max(1 / subsets, size / most));
  return { value, standardDeviation, standardError };
}
