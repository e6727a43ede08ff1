/** What is done to numbers before they are drawn. */
import type { PlotPoint } from './plotTypes.ts';

/**
 * Centred moving mean over a share of the points, and near the ends over those of them that there are.
 *
 * @param share of the number of points, above 0 to 1; at least the neighbours on both sides are taken
 */
export function movingMean(points: readonly PlotPoint[], share: number): PlotPoint[] {
  const half = Math.max(1, Math.ceil((points.length * share) / 2));
  const sums = [0];
  for (const [, y] of points) sums.push(sums.at(-1)! + y);
  return points.map(([x], i) => {
    const [from, to] = [Math.max(0, i - half), Math.min(points.length, i + half + 1)];
    return [x, (sums[to]! - sums[from]!) / (to - from)];
  });
}

/** How `histogram` counts. */
export interface HistogramOptions {
  /** How many equal intervals, an integer >= 1; 40 unless given. */
  readonly bins?: number;
  /** First and last edge; the least and the greatest value unless given. Values outside are not counted. */
  readonly range?: readonly [from: number, to: number];
  /** Divides by the number of values counted and the width, so that the area is 1. */
  readonly density?: boolean;
}

/**
 * Counts values in equal intervals, each with its lower edge and without its upper one, save the last, which has both, as
 * numpy.histogram does. Values that are not finite are not counted; without any value the range is [0, 1].
 *
 * @throws RangeError for bins or a range that cannot be
 */
export function histogram(
  values: ArrayLike<number>,
  { bins = 40, range, density = false }: HistogramOptions = {},
): { edges: number[]; counts: number[] } {
  if (!Number.isInteger(bins) || bins < 1) throw new RangeError(`histogram: bins is ${bins}; use an integer >= 1`);
  const [from, to] = range ?? rangeOf(values);
  if (!(from < to) || !Number.isFinite(to - from)) {
    throw new RangeError(`histogram: the range [${from},${to}] is empty; its first number must be below the second`);
  }
  const edges = Array.from({ length: bins + 1 }, (_, i) => from + ((to - from) * i) / bins);
  edges[bins] = to;
  const counts = new Array<number>(bins).fill(0);
  let counted = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!(value >= from && value <= to)) continue;
    let bin = Math.min(bins - 1, Math.floor(((value - from) / (to - from)) * bins));
    if (value < edges[bin]!)
      bin--; // rounding puts a value at an edge on the wrong side
    else if (bin < bins - 1 && value >= edges[bin + 1]!) bin++;
    counts[bin]!++;
    counted++;
  }
  const unit = density && counted > 0 ? counted * ((to - from) / bins) : 1;
  return { edges, counts: counts.map((count) => count / unit) };
}

/** The least and the greatest finite value, drawn apart where they are equal. */
function rangeOf(values: ArrayLike<number>): [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  if (least > most) return [0, 1];
  return least < most ? [least, most] : [least - 0.5, most + 0.5];
}

/** Several runs of one quantity together: at each place the mean of those that have a value there, and their ends. */
export interface Spread {
  readonly mean: PlotPoint[];
  /** [x, least, greatest]. */
  readonly band: [x: number, low: number, high: number][];
}

/**
 * Mean and ends of several curves. Where a curve has more points than `places`, the range of x is cut into that many equal
 * parts, and each curve gives its mean in each part that it has points in; otherwise every x stays as it is. A curve that ends
 * early counts as far as it goes.
 *
 * @param places how many points the result has at most where curves are cut; 120 unless given
 */
export function spreadOf(curves: readonly (readonly PlotPoint[])[], places = 120): Spread {
  const all = curves.flatMap((curve) => curve.map(([x]) => x));
  if (all.length === 0) return { mean: [], band: [] };
  const [from, to] = rangeOf(all);
  const cut = curves.some((curve) => curve.length > places);
  const placeOf = (x: number): number =>
    cut ? Math.min(places - 1, Math.floor(((x - from) / (to - from)) * places)) : x;
  const at = new Map<number, { x: number[]; values: number[] }>();
  for (const curve of curves) {
    const own = new Map<number, PlotPoint[]>();
    for (const point of curve) {
      const place = placeOf(point[0]);
      const points = own.get(place);
      if (points) points.push(point);
      else own.set(place, [point]);
    }
    for (const [place, points] of own) {
      const entry = at.get(place) ?? { x: [], values: [] };
      entry.x.push(mean(points.map(([x]) => x)));
      entry.values.push(mean(points.map(([, y]) => y)));
      at.set(place, entry);
    }
  }
  const rows = [...at].sort(([a], [b]) => a - b).map(([, entry]) => ({ ...entry, at: mean(entry.x) }));
  return {
    mean: rows.map((entry) => [entry.at, mean(entry.values)]),
    band: rows.map((entry) => [entry.at, Math.min(...entry.values), Math.max(...entry.values)]),
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
