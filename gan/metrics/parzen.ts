import { concat, type Device, logSumExp } from '../../engine/index.ts';
import { checked } from '../../engine/internal.ts';
import { largest } from '../extremes.ts';
import { centred, overBlocks, squaredDistances } from './pairs.ts';
import { deviceFor } from './read.ts';
import { bothRows, type MetricSamples, meanAndSpread, type Rows } from './samples.ts';

/** Options of {@link parzenLogLikelihood}. */
export interface ParzenOptions {
  /** Standard deviation of the Gaussian around each sample, in the unit of the coordinates; chosen by `validation` unless given. */
  readonly sigma?: number;
  /** Real samples, others than the reference, whose likelihood chooses sigma. Needed without `sigma`. */
  readonly validation?: MetricSamples;
  /**
   * What sigma is chosen from; ten values from 0.1 to 1 in equal ratios unless given, as in the paper, for images in [0, 1]. For
   * points of another spread give others.
   */
  readonly sigmas?: readonly number[];
  /** The device that computes; the current device unless given. */
  readonly device?: Device;
}

/** What {@link parzenLogLikelihood} finds. */
export interface ParzenLogLikelihood {
  /** Mean log likelihood of a reference sample in nats; higher is better. A density: it depends on the unit of the coordinates. */
  readonly value: number;
  /** The estimate's standard error over the reference samples. */
  readonly standardError: number;
  /** The standard deviation of the Gaussians. */
  readonly sigma: number;
}

/** Ten values from 0.1 to 1 in equal ratios. */
const SIGMAS: readonly number[] = Array.from({ length: 10 }, (_, i) => 10 ** (i / 9 - 1));

/**
 * Log likelihood of real samples under the mean of Gaussians around the generated ones (a Parzen window). In many dimensions it says
 * little of how samples look: blurred ones may score higher than real ones (Theis, van den Oord, Bethge 2016); it is here because the first papers report it.
 *
 * Source: Breuleux, Bengio, Vincent 2011; Goodfellow et al., "Generative adversarial nets", NeurIPS 2014, section 5 (10,000
 * samples, images in [0, 1], nats).
 * @param samples [N, ...]
 * @param reference real samples [M, ...]
 * @throws RangeError for a sigma that is not positive, or samples that do not fit; TypeError with neither sigma nor validation
 */
export async function parzenLogLikelihood(
  samples: MetricSamples,
  reference: MetricSamples,
  options: ParzenOptions,
): Promise<ParzenLogLikelihood> {
  const op = 'parzenLogLikelihood';
  const known = ['sigma', 'validation', 'sigmas', 'device'] as const;
  const { sigma: given, validation, sigmas = SIGMAS, device: asked } = checked(op, options, known);
  const device = deviceFor(asked);
  const [a, b] = bothRows(op, samples, reference);
  const tried = given === undefined ? sigmas : [given];
  if (tried.length === 0 || !tried.every((s) => s > 0 && Number.isFinite(s))) {
    throw new RangeError(`${op}: sigma [${tried}] must be above 0`);
  }
  let sigma = tried[0]!;
  if (given === undefined) {
    if (!validation) throw new TypeError(`${op}: give sigma, or real samples for validation that choose it`);
    const [, other] = bothRows(op, samples, validation);
    const means = (await logLikelihoods(other, a, tried, device)).map((values) => meanAndSpread(values)[0]);
    sigma = tried[means.indexOf(largest(means))]!;
  }
  const [values] = await logLikelihoods(b, a, [sigma], device);
  const [value, spread] = meanAndSpread(values!);
  return { value, standardError: spread / Math.sqrt(b.count), sigma };
}

/** The log-likelihood of each row of x under Gaussians around the rows of y, for each sigma. */
async function logLikelihoods(x: Rows, y: Rows, sigmas: readonly number[], device: Device): Promise<Float64Array[]> {
  const [a, b] = centred(x, y);
  const values = sigmas.map(() => new Float64Array(a.count));
  const constants = sigmas.map((sigma) => Math.log(b.count) + (b.width / 2) * Math.log(2 * Math.PI * sigma ** 2));
  await overBlocks(
    { a, b, device },
    (p, q) => {
      const d = squaredDistances(p, q);
      const sums = sigmas.map((sigma) => logSumExp(d.mul(-0.5 / sigma ** 2), 1, { keepDims: true }));
      return concat(sums, 1);
    },
    (sums, first, rows) => {
      for (let r = 0; r < rows; r++)
        for (let s = 0; s < sigmas.length; s++) values[s]![first + r] = sums[r * sigmas.length + s]! - constants[s]!;
    },
  );
  return values;
}
