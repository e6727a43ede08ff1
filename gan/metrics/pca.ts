import {
  type Device,
  eigh,
  reference as float64,
  matmul,
  qr,
  Rng,
  scope,
  type Tensor,
  tensor,
  withDevice,
} from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { deviceFor, readFrom } from './read.ts';
import { type MetricSamples, type Rows, rowsOf } from './samples.ts';

/** What {@link pca} finds. */
export interface Pca {
  /** The mean of the samples, [D]. */
  readonly mean: Float64Array;
  /** The directions of most variance as columns [D,K], orthonormal, the first with most; the largest number of each is positive. */
  readonly components: MetricSamples<Float64Array>;
  /** The variance along each of them, [K], divided by N - 1. */
  readonly variances: Float64Array;
  /** The variance along all D directions together. */
  readonly total: number;
  /** The mean over the samples and their D numbers of the squared difference between a sample and what K directions keep of it. */
  readonly error: number;
}

/** Samples whose products are added on the device at once. */
const BLOCK = 4096;
/** How exact a direction must be: |C v - l v| as a share of the largest eigenvalue. */
const EXACT = 1e-10;
/** Rounds after which directions of nearly equal variances are left to the eigenvectors of the whole matrix. */
const ROUNDS = 100;

/**
 * Principal component analysis: the K orthogonal directions along which samples vary most, and thus those from which a linear function can
 * restore them best (Eckart and Young 1936). Products of samples are added on the device in blocks of 4,096, all else is in float64 on the host:
 * in float32 the variances are off by about 2e-6 of themselves, and the space of 32 components of MNIST by 0.002 degrees.
 *
 * The directions come from rounds of orthogonal iteration on 2 K + 8 columns, each with the eigenvectors (`eigh`) of what the covariance is among
 * them: of 784 numbers in seconds, where `eigh` of the whole covariance, one thread's work, takes minutes. It is used where the columns would be
 * all there are, and where the variances are too alike for a hundred rounds to tell the directions apart.
 *
 * Source: Pearson 1901; Golub and Van Loan, "Matrix computations", 4th edition, sections 8.2.4 and 8.3.7 (orthogonal iteration, Ritz
 * acceleration).
 * @param samples [N, ...], of D numbers each
 * @param k how many directions, 1 to D
 * @throws RangeError for fewer than 2 samples, more directions than numbers, or values that are not finite
 */
export async function pca(samples: MetricSamples, k: number, options: { readonly device?: Device } = {}): Promise<Pca> {
  const device = deviceFor(checked('pca', options, ['device']).device);
  const rows = rowsOf('pca', 'samples', samples, 2);
  const { count, width: d } = rows;
  checkRange('pca', 'k', ranges.whole(1, d), k);
  const mean = new Float64Array(d);
  for (let i = 0; i < rows.data.length; i++) mean[i % d]! += rows.data[i]! / count;
  const covariance = await covarianceOf(rows, mean, device);
  const { values, vectors } = await leading(covariance, d, k);
  let total = 0;
  for (let j = 0; j < d; j++) total += covariance[j * d + j]!;
  const kept = values.reduce((a, b) => a + b, 0);
  const error = (Math.max(0, total - kept) * (count - 1)) / (count * d);
  return { mean, components: { data: vectors, shape: [d, k] }, variances: values, total, error };
}

/** [D * D], divided by N - 1: a block of samples at a time on the device, the sums of blocks in float64. */
async function covarianceOf(
  { data, count, width: d }: Rows,
  mean: Float64Array,
  device: Device,
): Promise<Float64Array> {
  const covariance = new Float64Array(d * d);
  for (let from = 0; from < count; from += BLOCK) {
    const part = data.subarray(from * d, Math.min(count, from + BLOCK) * d);
    const moved = Float64Array.from(part, (v, i) => v - mean[i % d]!);
    const products = await readFrom(device, () => {
      const x = tensor(moved, { shape: [moved.length / d, d] });
      return matmul(x, x, { transposeA: true });
    });
    for (let i = 0; i < products.length; i++) covariance[i]! += products[i]! / (count - 1);
  }
  return covariance;
}

/** The largest eigenvalues of a symmetric matrix [D,D], the first the largest, and their vectors as columns [D,K]. */
async function leading(matrix: Float64Array, d: number, k: number) {
  using c = withDevice(float64, () => tensor(matrix, { shape: [d, d] }));
  const block = Math.min(d, 2 * k + 8);
  let basis = withDevice(float64, () => scope(() => qr(new Rng(0).normal([d, block])).q));
  for (let round = 0; block < d && round < ROUNDS; round++) {
    const next = withDevice(float64, () => scope(() => ritz(c, basis, k)));
    basis.dispose();
    const [values, vectors, rest] = await Promise.all(
      [next.values, next.vectors, next.rest].map(async (t) => {
        using all = t;
        return Float64Array.from(await all.data());
      }),
    );
    if (rest![0]! <= EXACT * Math.abs(values![0]!)) {
      next.basis.dispose();
      return { values: values!, vectors: signed(vectors!, k) };
    }
    basis = next.basis;
  }
  basis.dispose();
  const all = withDevice(float64, () => scope(() => eigh(c)));
  using lengths = all.values;
  using columns = all.vectors;
  const [values, vectors] = [await lengths.data(), await columns.data()];
  return {
    values: Float64Array.from({ length: k }, (_, i) => values[d - 1 - i]!),
    vectors: Float64Array.from({ length: d * k }, (_, i) => vectors[Math.floor(i / k) * d + d - 1 - (i % k)]!),
  };
}

/** One round: the best eigenvectors within the basis [D,B], what is wrong with the worst of the first K, and the next basis. */
function ritz(c: Tensor, basis: Tensor, k: number) {
  const image = matmul(c, basis);
  const within = eigh(matmul(basis, image, { transposeA: true }));
  const last = within.values.shape[0]!;
  const turn = within.vectors.slice([[], [last - k, last]]).flip(1);
  const values = within.values.slice([[last - k, last]]).flip(0);
  const vectors = matmul(basis, turn);
  const rest = matmul(image, turn).sub(vectors.mul(values)).square().sum(0).max().sqrt().reshape([1]);
  return { values, vectors, rest, basis: qr(image).q };
}

/** The columns with the signs of `eigh`: the largest number of each is positive. */
function signed(vectors: Float64Array, k: number): Float64Array {
  const largest = new Float64Array(k);
  vectors.forEach((v, i) => {
    if (Math.abs(v) > Math.abs(largest[i % k]!)) largest[i % k] = v;
  });
  return vectors.map((v, i) => (largest[i % k]! < 0 ? -v : v));
}
