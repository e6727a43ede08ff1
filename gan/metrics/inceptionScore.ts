import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { type MetricSamples, meanAndSpread, rowsOf } from './samples.ts';

/** Options of {@link inceptionScore}. */
export interface InceptionScoreOptions {
  /** Parts that the samples are cut into, in order; the score is the mean of theirs. Default 10. */
  readonly splits?: number;
}

/** What {@link inceptionScore} finds. */
export interface InceptionScore {
  /** Mean over the parts, 1 to the number of classes; higher is better. */
  readonly value: number;
  /** Standard deviation over the parts; 0 with one. */
  readonly standardDeviation: number;
}

/**
 * Inception score exp(E KL(p(y|x) || p(y))) of class probabilities: the number of classes where each sample is of one class for
 * certain and all classes are equally frequent, 1 where all samples look alike to the classifier. It sees no real sample, and a
 * generator that makes one perfect image of each class has the highest score. Few samples in a part lower it.
 *
 * Source: Salimans et al., "Improved techniques for training GANs", NeurIPS 2016, section 4.
 * @param probabilities [N,K], each row a distribution
 * @throws RangeError for rows that are no distributions, or fewer samples than splits
 */
export function inceptionScore(probabilities: MetricSamples, options: InceptionScoreOptions = {}): InceptionScore {
  const { splits = 10 } = checked('inceptionScore', options, ['splits']);
  const { data, count, width } = distributions('inceptionScore', probabilities);
  const parts = checkRange('inceptionScore', 'splits', ranges.whole(1, count), splits);
  const scores = Array.from({ length: parts }, (_, s) => {
    const [from, to] = [Math.floor((s * count) / parts), Math.floor(((s + 1) * count) / parts)];
    return Math.exp(meanDivergence(data.subarray(from * width, to * width), width));
  });
  const [value, standardDeviation] = meanAndSpread(scores);
  return { value, standardDeviation };
}

/**
 * Mode score exp(E KL(p(y|x) || p(y)) - KL(p(y) || p*(y))), with p* the classes of the data: the inception score divided by
 * what missing classes cost, and equal to it (in one part) where the samples have the data's classes. Above 0, at most the number of
 * classes; higher is better. (Written with p* in both terms, as surveys do, it is the inception score again.)
 *
 * Source: Che et al., "Mode regularized generative adversarial networks", ICLR 2017, section 4.1.2; Borji, "Pros and cons of GAN
 * evaluation measures", 2018.
 * @param probabilities of the samples, [N,K]
 * @param reference of real samples, [M,K]: p* is their mean
 * @throws RangeError for rows that are no distributions, or other classes
 */
export function modeScore(probabilities: MetricSamples, reference: MetricSamples): number {
  const { data, width } = distributions('modeScore', probabilities);
  const real = distributions('modeScore', reference);
  if (real.width !== width) throw new RangeError(`modeScore: ${width} and ${real.width} classes do not compare`);
  const [p, q] = [marginal(data, width), marginal(real.data, width)];
  const missing = p.reduce((s, v, k) => (v > 0 ? s + v * Math.log(v / q[k]!) : s), 0);
  return Math.exp(meanDivergence(data, width) - missing);
}

function distributions(op: string, probabilities: MetricSamples) {
  const rows = rowsOf(op, 'probabilities', probabilities);
  for (let i = 0; i < rows.count; i++) {
    let [total, least] = [0, 0];
    for (const p of rows.data.subarray(i * rows.width, (i + 1) * rows.width)) {
      total += p;
      least = Math.min(least, p);
    }
    if (Math.abs(total - 1) > 1e-3 || least < 0) {
      throw new RangeError(
        `${op}: row ${i} (sum ${total}, least ${least}) holds no probabilities; give those of a softmax`,
      );
    }
  }
  return rows;
}

function marginal(data: MetricSamples['data'], k: number): Float64Array {
  const p = new Float64Array(k);
  for (let i = 0; i < data.length; i++) p[i % k]! += (data[i]! * k) / data.length;
  return p;
}

/** E KL(p(y|x) || p(y)) in nats. */
function meanDivergence(data: MetricSamples['data'], k: number): number {
  const p = marginal(data, k);
  let total = 0;
  for (let i = 0; i < data.length; i++) if (data[i]! > 0) total += data[i]! * Math.log(data[i]! / p[i % k]!);
  return (total * k) / data.length;
}
