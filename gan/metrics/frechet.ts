import { eigh, reference as float64, type Rng, scope, tensor, withDevice } from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { bothRows, type MetricSamples, type Rows, rowsOf, takeSamples } from './samples.ts';

/** Mean and covariance of features, in float64. */
export interface Moments {
  /** [D] */
  readonly mean: Float64Array;
  /** [D * D], divided by N - 1. */
  readonly covariance: Float64Array;
}

/** Mean and covariance of features [N,D], N at least 2, in float64. @throws RangeError for too few or values that are not finite */
export function featureMoments(features: MetricSamples): Moments {
  return momentsOf(rowsOf('featureMoments', 'features', features, 2));
}

function momentsOf({ data, count, width: d }: Rows): Moments {
  const mean = new Float64Array(d);
  for (let i = 0; i < data.length; i++) mean[i % d]! += data[i]! / count;
  const covariance = new Float64Array(d * d);
  const row = new Float64Array(d);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < d; j++) row[j] = data[i * d + j]! - mean[j]!;
    for (let j = 0; j < d; j++) {
      const v = row[j]!;
      if (v !== 0) for (let k = 0; k <= j; k++) covariance[j * d + k]! += v * row[k]!;
    }
  }
  for (let j = 0; j < d; j++)
    for (let k = 0; k <= j; k++) {
      covariance[j * d + k]! /= count - 1;
      covariance[k * d + j] = covariance[j * d + k]!;
    }
  return { mean, covariance };
}

/**
 * Fréchet distance of two Gaussians, |m1 - m2|² + Tr(C1 + C2 - 2 (C1 C2)^(1/2)): the squared Wasserstein-2 distance. 0 or more, in
 * the squared unit of the features; lower is better. In float64 on the host; the square root's trace is that of
 * (C1^(1/2) C2 C1^(1/2))^(1/2), symmetric, so that covariances without full rank are no trouble. The time grows with D³:
 * tens of milliseconds for 64 features, a minute for 500.
 *
 * Source: Dowson and Landau, "The Fréchet distance between multivariate normal distributions", J. Multivariate Analysis 1982.
 * @throws RangeError when the sizes differ
 */
export async function frechetDistance(p: Moments, q: Moments): Promise<number> {
  const d = p.mean.length;
  if (q.mean.length !== d || p.covariance.length !== d * d || q.covariance.length !== d * d) {
    throw new RangeError(`frechetDistance: moments of ${d} and ${q.mean.length} features do not compare`);
  }
  const first = await eigensystem(p.covariance, d);
  // With C1 = V diag(l) Vᵀ, the eigenvalues are those of diag(l)^(1/2) Vᵀ C2 V diag(l)^(1/2).
  const root = first.values.map((l) => Math.sqrt(Math.max(0, l)));
  const half = Float64Array.from(first.vectors, (v, i) => v * root[i % d]!);
  const { values } = await eigensystem(sandwich(half, q.covariance, d), d);
  const cross = values.reduce((s, l) => s + Math.sqrt(Math.max(0, l)), 0);
  let total = -2 * cross;
  for (let j = 0; j < d; j++) {
    total += (p.mean[j]! - q.mean[j]!) ** 2 + p.covariance[j * d + j]! + q.covariance[j * d + j]!;
  }
  return Math.max(0, total);
}

async function eigensystem(matrix: Float64Array, d: number) {
  const parts = withDevice(float64, () => scope(() => eigh(tensor(matrix, { shape: [d, d] }))));
  const [values, vectors] = await Promise.all([parts.values.data(), parts.vectors.data()]);
  parts.values.dispose();
  parts.vectors.dispose();
  return { values: Float64Array.from(values), vectors: Float64Array.from(vectors) };
}

/** hᵀ c h, symmetric to the last bit. */
function sandwich(h: Float64Array, c: Float64Array, d: number): Float64Array {
  const multiply = (a: (i: number, k: number) => number, b: Float64Array) => {
    const out = new Float64Array(d * d);
    for (let i = 0; i < d; i++)
      for (let k = 0; k < d; k++) {
        const v = a(i, k);
        if (v !== 0) for (let j = 0; j < d; j++) out[i * d + j]! += v * b[k * d + j]!;
      }
    return out;
  };
  const right = multiply((i, k) => c[i * d + k]!, h);
  const out = multiply((i, k) => h[k * d + i]!, right);
  return out.map((v, at) => (v + out[(at % d) * d + Math.floor(at / d)]!) / 2);
}

/** Options of {@link frechetInceptionDistance}. */
export interface FidOptions {
  /** Chooses the smaller sets that the bias is estimated from. */
  readonly rng: Rng;
  /** How many smaller sets; 0 for no estimate. Default 8. */
  readonly extrapolation?: number;
}

/** The share of the samples in the smallest sets that the bias is estimated from. */
const SMALLEST = 0.25;

/** What {@link frechetInceptionDistance} finds. */
export interface Fid {
  /** The distance; 0 or more, lower is better. */
  readonly value: number;
  /**
   * The distance without the bias of few samples: the limit for infinitely many.
   * It may be slightly negative; NaN without an estimate, as for fewer than
   * 4 D samples in either set.
   */
  readonly unbiased: number;
  /** value - unbiased: how much too high the value is, about D²-fold the inverse of the number of samples. NaN with it. */
  readonly bias: number;
}

/**
 * Fréchet inception distance: that of Gaussians with the moments of the features. It is biased upwards by few samples, and by how
 * much differs between models: compare scores of equally many samples, or the unbiased ones, which a line through the
 * distances of smaller sets over 1/N + 1/M gives (both sets shrink in step, to a quarter). With fewer than 4 D samples the smallest
 * have covariances without full rank, whose distances lie on no line: there is no estimate then.
 *
 * Source: Heusel et al., "GANs trained by a two time-scale update rule", NeurIPS 2017; Chong and Forsyth, "Effectively unbiased
 * FID", CVPR 2020, for the bias. FID in papers is on Inception's 2,048 features: scores on others do not compare with those.
 * @param samples features [N,D], N at least 2, better 10 D
 * @param reference features [M,D]
 * @throws RangeError for samples that do not fit
 */
export async function frechetInceptionDistance(
  samples: MetricSamples,
  reference: MetricSamples,
  options: FidOptions,
): Promise<Fid> {
  const op = 'frechetInceptionDistance';
  const { rng, extrapolation = 8 } = checked(op, options, ['rng', 'extrapolation']);
  const steps = checkRange(op, 'extrapolation', ranges.whole(0), extrapolation);
  const [a, b] = bothRows(op, samples, reference, 2);
  const value = await frechetDistance(momentsOf(a), momentsOf(b));
  if (steps === 0 || Math.min(a.count, b.count) < a.width / SMALLEST) {
    return { value, unbiased: Number.NaN, bias: Number.NaN };
  }
  const whole = 1 / a.count + 1 / b.count;
  const points: (readonly [inverse: number, distance: number])[] = [[1, value]];
  for (let s = 0; s < steps; s++) {
    // From the smallest share of the samples up to nearly all.
    const share = SMALLEST + ((1 - SMALLEST) * s) / steps;
    const part = (all: Rows): Rows => {
      const size = Math.max(2, Math.round(all.count * share));
      const which = rng.hostPermutation(all.count).subarray(0, size);
      const taken = takeSamples({ data: all.data, shape: [all.count, all.width] }, which);
      return { data: taken.data, count: size, width: all.width };
    };
    const [x, y] = [part(a), part(b)];
    // Of the sizes that were drawn, which are whole numbers, and not of the share.
    const inverse = (1 / x.count + 1 / y.count) / whole;
    points.push([inverse, await frechetDistance(momentsOf(x), momentsOf(y))]);
  }
  const n = points.length;
  const [mx, my] = [0, 1].map((c) => points.reduce((s, p) => s + p[c]! / n, 0)) as [number, number];
  const slope =
    points.reduce((s, [x, y]) => s + (x - mx) * (y - my), 0) / points.reduce((s, [x]) => s + (x - mx) ** 2, 0);
  const unbiased = my - slope * mx;
  return { value, unbiased, bias: value - unbiased };
}
