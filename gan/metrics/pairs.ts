/** All pairs of two clouds, on the device in blocks of rows: memory stays bounded, and a block is computed while another is read. */
import {
  type Device,
  matmul,
  maximum,
  mul,
  notEqual,
  reshape,
  slice,
  square,
  sum,
  type Tensor,
  tensor,
  transpose,
} from '../../engine/index.ts';
import { readFrom } from './read.ts';
import type { Rows } from './samples.ts';

/** Values of a block: 16 MiB in float32. */
const BLOCK = 2 ** 22;

/** Up to so many coordinates are subtracted one by one; beyond, the products of whole rows are faster. */
const FEW = 16;

/** What a block of rows x [R,D] and all rows y [M,D] come to; `first` is the number of x's first row. */
export type PairFunction = (x: Tensor, y: Tensor, first: number) => Tensor;

/** Rows that are made on the device when they are wanted. */
export interface RowBlocks {
  readonly count: number;
  /** D. */
  readonly width: number;
  /** Rows `first` to `end` - 1, [end - first, D]. */
  block(first: number, end: number): Tensor;
}

/**
 * Computes `of` for each block of rows of `a` against all of `b`, and shows the values to `visit`, in order. At most two blocks
 * are under way.
 * @param size rows of a block; as many as leave 16 MiB of values unless given
 */
export async function overBlocks(
  {
    a,
    b,
    device,
    size,
  }: { readonly a: Rows | RowBlocks; readonly b: Rows; readonly device: Device; readonly size?: number },
  of: PairFunction,
  visit: (values: Float32Array | Float64Array, first: number, rows: number) => void,
): Promise<void> {
  using y = tensor(b.data, { shape: [b.count, b.width], device });
  const rows = size ?? Math.max(1, Math.floor(BLOCK / Math.max(b.count, a.width)));
  const block = (first: number, end: number): Tensor =>
    'block' in a
      ? a.block(first, end)
      : tensor(a.data.subarray(first * a.width, end * a.width), { shape: [end - first, a.width] });
  let before: { readonly values: Promise<Float32Array | Float64Array>; readonly first: number } | undefined;
  const finish = async ({ values, first }: NonNullable<typeof before>) =>
    visit(await values, first, Math.min(rows, a.count - first));
  for (let first = 0; first < a.count; first += rows) {
    const end = Math.min(first + rows, a.count);
    const values = readFrom(device, () => of(block(first, end), y, first));
    const last = before;
    before = { values, first };
    if (last) await finish(last);
  }
  if (before) await finish(before);
}

/**
 * Squared Euclidean distances [R,M] between rows x [R,D] and y [M,D]. In more than 16 dimensions they are
 * |x|² + |y|² - 2 <x, y>, which in float32 is off by up to about 1e-6 (|x|² + |y|²): move the clouds by {@link centred} first.
 */
export function squaredDistances(x: Tensor, y: Tensor): Tensor {
  const [rows, width] = x.shape as [number, number];
  const others = y.shape[0]!;
  if (width <= FEW) {
    const across = transpose(y);
    return Array.from({ length: width }, (_, j) =>
      square(slice(x, [[], [j, j + 1]]).sub(slice(across, [[j, j + 1], []]))),
    ).reduce((s, d) => s.add(d));
  }
  const normOf = (t: Tensor) => sum(square(t), 1);
  const norms = reshape(normOf(x), [rows, 1]).add(reshape(normOf(y), [1, others]));
  return maximum(norms.sub(matmul(x, y, { transposeB: true }).mul(2)), 0);
}

/** Both clouds moved so that `b` has mean 0, where {@link squaredDistances} would lose digits otherwise. */
export function centred(a: Rows, b: Rows): readonly [a: Rows, b: Rows] {
  if (b.width <= FEW) return [a, b];
  const mean = new Float64Array(b.width);
  for (let i = 0; i < b.data.length; i++) mean[i % b.width]! += b.data[i]! / b.count;
  const moved = (r: Rows): Rows => ({ ...r, data: r.data.map((v, i) => v - mean[i % b.width]!) });
  const movedB = moved(b);
  return [a === b ? movedB : moved(a), movedB];
}

/** The squared distance, in float64, |a_i - b_j|². */
export function exactSquaredDistance(a: Rows, i: number, b: Rows, j: number): number {
  const d = a.width;
  let total = 0;
  for (let k = 0, p = i * d, q = j * d; k < d; k++, p++, q++) total += (a.data[p]! - b.data[q]!) ** 2;
  return total;
}

/**
 * The mean over pairs of kernels, which `kernel` gives as [R,M] for rows x and y; without a row's pair with itself where `b` is
 * `a`. Rows are added on the device, where one sum adds runs of 128 by themselves, and the sums of rows in float64.
 */
export async function meanOverPairs(
  a: Rows,
  b: Rows,
  device: Device,
  kernel: (x: Tensor, y: Tensor) => Tensor,
): Promise<number> {
  const others = a === b ? Float32Array.from({ length: b.count }, (_, j) => j) : undefined;
  const rowSums: PairFunction = (x, y, first) => {
    const values = kernel(x, y);
    if (!others) return sum(values, 1);
    const own = tensor(others.subarray(first, first + x.shape[0]!), { shape: [x.shape[0]!, 1] });
    return sum(mul(values, notEqual(own, tensor(others, { shape: [1, others.length] }))), 1);
  };
  let total = 0;
  await overBlocks({ a, b, device }, rowSums, (values) => {
    for (const value of values) total += value;
  });
  return total / (a.count * (others ? b.count - 1 : b.count));
}

/** The squared lengths, in float64, |a_i|² of each row. */
export function squaredNorms({ data, count, width }: Rows): Float64Array {
  const norms = new Float64Array(count);
  for (let i = 0; i < data.length; i++) norms[Math.floor(i / width)]! += data[i]! ** 2;
  return norms;
}
