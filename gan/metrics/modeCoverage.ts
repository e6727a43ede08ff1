import { checked } from '../../engine/internal.ts';
import type { Modes } from '../data/sampleSet.ts';
import { klDivergence } from '../transport/divergences.ts';
import { normalizeMasses } from '../transport/masses.ts';
import { type MetricSamples, rowsOf } from './samples.ts';

/** Options of {@link modeCoverage}. */
export interface ModeCoverageOptions {
  /** A sample within so many standard deviations of the nearest mode is of high quality. Default 3. */
  readonly deviations?: number;
}

/** What {@link modeCoverage} finds. */
export interface ModeCoverage {
  /** Modes with at least one sample of high quality, 0 to the number of modes; higher is better. */
  readonly covered: number;
  /** How many modes there are. */
  readonly modes: number;
  /** The share of samples of high quality, 0 to 1; higher is better. The mixture itself has 1 - exp(-4.5) = 0.989 in the plane. */
  readonly highQuality: number;
  /**
   * KL(samples over modes || equal shares) in nats, each sample counted for its nearest mode: 0 where all modes are hit
   * alike, log(modes) where one has all; lower is better.
   */
  readonly reverseKl: number;
  /** Samples whose nearest mode it is, by mode. */
  readonly counts: readonly number[];
}

/**
 * How many modes of a mixture of Gaussians the samples reach, how many of the samples are near one, and how evenly they share the
 * modes. Papers measure 2,500 samples: more of them reach more modes.
 *
 * Source: Srivastava et al., "VEEGAN", NeurIPS 2017, section 5.1 (modes and high quality); Lin et al., "PacGAN", NeurIPS 2018,
 * section 4.1 (reverse KL).
 * @param samples points [N,D]
 * @param modes centres and standard deviation, as a data set has them
 * @throws RangeError for samples that are no points of the centres' dimension, or a threshold that is not positive
 */
export function modeCoverage(samples: MetricSamples, modes: Modes, options: ModeCoverageOptions = {}): ModeCoverage {
  const { deviations = 3 } = checked('modeCoverage', options, ['deviations']);
  const { data, count, width } = rowsOf('modeCoverage', 'samples', samples);
  const { centres, sigma } = modes;
  const many = centres.length / width;
  if (!Number.isInteger(many) || many < 1) {
    throw new RangeError(`modeCoverage: ${centres.length} values are no centres of points in ${width} dimensions`);
  }
  if (!(deviations > 0 && sigma > 0)) {
    throw new RangeError(`modeCoverage: deviations ${deviations} and sigma ${sigma} must be more than 0`);
  }
  const [counts, good] = [new Array<number>(many).fill(0), new Array<number>(many).fill(0)];
  for (let i = 0; i < count; i++) {
    let [best, least] = [0, Infinity];
    for (let k = 0; k < many; k++) {
      let d = 0;
      for (let j = 0; j < width; j++) d += (data[i * width + j]! - centres[k * width + j]!) ** 2;
      if (d < least) [best, least] = [k, d];
    }
    counts[best]!++;
    if (least <= (deviations * sigma) ** 2) good[best]!++;
  }
  return {
    covered: good.filter((n) => n > 0).length,
    modes: many,
    highQuality: good.reduce((s, n) => s + n, 0) / count,
    reverseKl: reverseKl(counts),
    counts,
  };
}

/**
 * KL(P || Q) in nats of the shares P that these counts are, against the shares Q: {@link klDivergence} of both divided by their sums.
 * 0 or more, and Infinity where Q has nothing of what P has.
 *
 * Counts of N samples in K classes make it too large, by about (K - 1) / 2N; where Q is counts of M samples too, by (K - 1) / 2 times
 * (1/N + 1/M) (Miller, "Note on the bias of information estimates", 1955), if P is Q: 0.05 for 10,000 samples in 1,000 classes.
 * @param counts finite, 0 or more, not all 0
 * @param reference counts or weights of Q; equal ones unless given
 * @throws RangeError for counts or weights that are negative, not finite or all 0, or lists of two lengths
 */
export function reverseKl(
  counts: readonly number[],
  reference: readonly number[] = new Array<number>(counts.length).fill(1),
): number {
  return Math.max(0, klDivergence(normalizeMasses(counts), normalizeMasses(reference))); // rounding
}

/** What {@link classCoverage} finds. */
export interface ClassCoverage {
  /** Classes with at least one sample, 0 to the number of classes; higher is better. */
  readonly covered: number;
  /**
   * KL(samples over classes || reference) in nats, 0 or more and finite; lower is better. Few samples make it too large, as
   * {@link reverseKl} says.
   */
  readonly reverseKl: number;
  /** Samples of each class. */
  readonly counts: readonly number[];
  /**
   * Classes that have samples and no real ones. Where there are any, half a real sample was added to every class, since the divergence
   * would be Infinity: it is then a guess that more real samples would better.
   */
  readonly unseen: number;
}

/**
 * How many classes the samples fall into, and how evenly. For stacked MNIST papers count 1,000 classes in 26,000 samples
 * (128 per mode in a few), of which a real set of that size misses none.
 *
 * Source: Che et al., "Mode Regularized GANs", ICLR 2017; Metz et al., "Unrolled GANs", ICLR 2017, section 3.3.1; VEEGAN, 5.2.
 * @param classes the class of each sample, [N], whole numbers below `many`
 * @param many how many classes there are
 * @param reference the classes of real samples; equal shares unless given
 * @throws RangeError for a class out of range or no sample
 */
export function classCoverage(
  classes: ArrayLike<number>,
  many: number,
  reference?: ArrayLike<number> | undefined,
): ClassCoverage {
  const count = (list: ArrayLike<number>): number[] => {
    const counts = new Array<number>(many).fill(0);
    for (let i = 0; i < list.length; i++) {
      const c = list[i]!;
      if (!(Number.isInteger(c) && c >= 0 && c < many)) {
        throw new RangeError(`classCoverage: class ${c} of sample ${i} is none of 0 to ${many - 1}`);
      }
      counts[c]!++;
    }
    if (list.length === 0) throw new RangeError('classCoverage: there are no samples');
    return counts;
  };
  const counts = count(classes);
  const real = reference && count(reference);
  const unseen = real ? counts.filter((n, k) => n > 0 && real[k] === 0).length : 0;
  return {
    covered: counts.filter((n) => n > 0).length,
    // Krichevsky and Trofimov's estimate of shares.
    reverseKl: reverseKl(counts, unseen > 0 ? real!.map((n) => n + 0.5) : real),
    counts,
    unseen,
  };
}
