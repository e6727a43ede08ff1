import { checked, checkRange, ranges } from '../../engine/internal.ts';

/** Options of {@link histogram}. */
export interface HistogramOptions {
  /** How many bins of equal width, 10 unless given; or their edges, ascending, at least two. */
  readonly bins?: number | ArrayLike<number>;
  /** Where bins of equal width begin and end; the least and the largest sample unless given. Not beside edges. */
  readonly range?: readonly [from: number, to: number];
}

/** Samples counted by bins. With `edges` and `masses` it is a piecewise-constant density as {@link wasserstein1d} takes it. */
export interface Histogram {
  /** The bins' edges, ascending: [bins + 1]. */
  readonly edges: Float64Array;
  /** Samples in each bin, of which only the last contains its right edge: [bins]. */
  readonly counts: Float64Array;
  /** The counts divided by their sum: [bins]. All NaN where no sample lies in the bins. */
  readonly masses: Float64Array;
  /** Samples that lie in no bin. */
  readonly outside: number;
}

/**
 * Counts samples by bins, as numpy.histogram does; it also says how many lie outside.
 * @param samples numbers, at least one
 * @throws RangeError for no samples, NaN among them, an infinite one without a range, or bins that do not ascend
 */
export function histogram(samples: ArrayLike<number>, options: HistogramOptions = {}): Histogram {
  const { bins = 10, range } = checked('histogram', options, ['bins', 'range']);
  const values = Float64Array.from(samples);
  const strange = values.findIndex((v) => Number.isNaN(v));
  if (values.length === 0 || strange >= 0) {
    throw new RangeError(`histogram: ${values.length === 0 ? 'there are no samples' : `sample ${strange} is NaN`}`);
  }
  const edges = edgesOf(values, bins, range);
  const last = edges.length - 2;
  const counts = new Float64Array(last + 1);
  let inside = 0;
  for (const value of values) {
    if (value < edges[0]! || value > edges[last + 1]!) continue;
    inside++;
    counts[Math.min(last, binOf(edges, value))]!++;
  }
  return { edges, counts, masses: counts.map((c) => c / inside), outside: values.length - inside };
}

function edgesOf(
  values: Float64Array,
  bins: number | ArrayLike<number>,
  range: readonly [number, number] | undefined,
): Float64Array {
  if (typeof bins !== 'number') {
    if (range) throw new RangeError('histogram: the edges say what the range is; give one of both');
    const edges = Float64Array.from(bins);
    const wrong = edges.findIndex((e, i) => !Number.isFinite(e) || (i > 0 && e <= edges[i - 1]!));
    if (edges.length >= 2 && wrong < 0) return edges;
    throw new RangeError(
      edges.length < 2
        ? 'histogram: bins need at least two edges'
        : `histogram: edge ${wrong} is not above the one before`,
    );
  }
  checkRange('histogram', 'bins', ranges.count, bins);
  let [from, to] = range ?? [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  // As NumPy: equal samples lie in the middle of bins of total width 1.
  if (!range && from === to) [from, to] = [from - 0.5, to + 0.5];
  if (!(Number.isFinite(from) && Number.isFinite(to) && from < to)) {
    throw new RangeError(`histogram: the range is ${from} to ${to}; it must be finite and ascend`);
  }
  // Weighted ends, so that the last edge is `to` itself.
  return Float64Array.from({ length: bins + 1 }, (_, i) => (from * (bins - i) + to * i) / bins);
}

/** The number of edges after the first that are <= value. */
function binOf(edges: Float64Array, value: number): number {
  let [low, high] = [0, edges.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (edges[middle]! <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
