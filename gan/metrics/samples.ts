import { sizeOf } from '../../engine/index.ts';
import { asSeen, type Samples } from '../data/sampleSet.ts';

/** Samples as the metrics take them, on the host. */
export interface MetricSamples<Values extends Float32Array | Float64Array = Float32Array | Float64Array> {
  /** The values one sample after the other: points as they are, features, or images in [-1, 1]. */
  readonly data: Values;
  /** How many samples, then the shape of one: [N,28,28,1] or [N,2], say. */
  readonly shape: readonly number[];
  /** The class of each sample, [N], where there are classes. */
  readonly labels?: ArrayLike<number>;
}

/** Samples laid out as N rows of D values, checked. */
export interface Rows {
  readonly data: Float32Array | Float64Array;
  /** N */
  readonly count: number;
  /** D, the product of the axes of one sample. */
  readonly width: number;
}

/**
 * The samples as rows.
 * @param op and `name` are what errors call the metric and its argument
 * @param least how many samples the metric needs
 * @throws RangeError when there are fewer, when `data` does not have the size of `shape`, for labels of another length, or for a value
 *   that is not finite: no distance means anything then, and a generator that makes one has diverged
 */
export function rowsOf(op: string, name: string, { data, shape, labels }: MetricSamples, least = 1): Rows {
  const [count = 0, ...one] = shape;
  const width = sizeOf(one);
  const size = count * width;
  if (!Number.isSafeInteger(size) || size !== data.length || width < 1) {
    throw new RangeError(`${op}: ${name} has ${data.length} values, which do not fill the shape [${shape}]`);
  }
  if (count < least) throw new RangeError(`${op}: ${name} has ${count} samples; it needs at least ${least}`);
  if (labels && labels.length !== count) {
    throw new RangeError(`${op}: ${name} has ${count} samples and ${labels.length} labels`);
  }
  const wrong = data.findIndex((x) => !Number.isFinite(x));
  if (wrong >= 0) {
    throw new RangeError(
      `${op}: sample ${Math.floor(wrong / width)} of ${name} holds ${data[wrong]}; a generator that makes such samples has diverged`,
    );
  }
  return { data, count, width };
}

/** Two clouds of rows in the same space. @throws RangeError as {@link rowsOf}, or when the widths differ */
export function bothRows(op: string, a: MetricSamples, b: MetricSamples, least = 1): readonly [a: Rows, b: Rows] {
  const [x, y] = [rowsOf(op, 'samples', a, least), rowsOf(op, 'reference', b, least)];
  if (x.width !== y.width) {
    throw new RangeError(`${op}: samples [${a.shape}] and reference [${b.shape}] differ in the size of a sample`);
  }
  return [x, y];
}

/** Samples `from` to `to` - 1, without a copy of the values; `to` is cut to the number there is. */
export function sliceSamples({ data, shape, labels }: MetricSamples, from: number, to: number): MetricSamples {
  const [count = 0, ...one] = shape;
  const end = Math.min(to, count);
  const width = sizeOf(one);
  return {
    data: data.subarray(from * width, end * width),
    shape: [end - from, ...one],
    ...(labels && { labels: Array.from({ length: end - from }, (_, i) => labels[from + i]!) }),
  };
}

/** The samples with these numbers, in this order. */
export function takeSamples({ data, shape, labels }: MetricSamples, which: ArrayLike<number>): MetricSamples {
  const [, ...one] = shape;
  const width = sizeOf(one);
  const out = new (data instanceof Float64Array ? Float64Array : Float32Array)(which.length * width);
  for (let i = 0; i < which.length; i++) {
    out.set(data.subarray(which[i]! * width, (which[i]! + 1) * width), i * width);
  }
  return {
    data: out,
    shape: [which.length, ...one],
    ...(labels && { labels: Array.from(which, (from) => labels[from]!) }),
  };
}

/**
 * A split of a data set as the metrics take it: bytes of images become byte / 127.5 - 1.
 * @param shape of one sample, as the set has it
 * @param count only the first so many; all unless given
 */
export function metricSamples(
  split: Samples,
  shape: readonly number[],
  count: number = split.count,
): MetricSamples<Float32Array> {
  const kept = Math.min(count, split.count);
  const size = kept * sizeOf(shape);
  const part = split.data.subarray(0, size);
  return {
    data: asSeen(part),
    shape: [kept, ...shape],
    ...(split.labels && { labels: split.labels.subarray(0, kept) }),
  };
}

/** Mean and sample standard deviation (over n - 1; 0 for one value). */
export function meanAndSpread(values: ArrayLike<number>): readonly [mean: number, spread: number] {
  const list = Array.from(values);
  const mean = list.reduce((s, x) => s + x, 0) / list.length;
  const squares = list.reduce((s, x) => s + (x - mean) ** 2, 0);
  return [mean, Math.sqrt(squares / Math.max(1, list.length - 1))];
}
