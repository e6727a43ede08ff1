/** What is done to numbers before they are drawn. */
import { largest, smallest } from '../extremes.ts';
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

/**
 * At most about two points for each pixel of a width: of each pixel's points the least and the greatest, in their order, so that no peak is
 * lost, and both ends. Fewer points are given back as they are.
 */
export function thinned(points: readonly PlotPoint[], width: number): readonly PlotPoint[] {
  const each = Math.ceil(points.length / Math.max(1, width));
  if (each <= 2) return points;
  const kept: PlotPoint[] = [];
  for (let from = 0; from < points.length; from += each) {
    const to = Math.min(points.length, from + each);
    let [least, most] = [from, from];
    for (let i = from + 1; i < to; i++) {
      if (points[i]![1] < points[least]![1]) least = i;
      if (points[i]![1] > points[most]![1]) most = i;
    }
    kept.push(points[Math.min(least, most)]!);
    if (least !== most) kept.push(points[Math.max(least, most)]!);
  }
  if (kept[0] !== points[0]) kept.unshift(points[0]!);
  if (kept.at(-1) !== points.at(-1)) kept.push(points.at(-1)!);
  return kept;
}

/** Several runs of one quantity together: at each place the mean of those that have a value there, and their ends. */
export interface Spread {
  /** The mean of the curves that have a value there. */
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
  const [from, to] = [all.reduce((a, b) => Math.min(a, b)), all.reduce((a, b) => Math.max(a, b))];
  const cut = curves.some((curve) => curve.length > places);
  const placeOf = (x: number): number =>
    cut ? Math.min(places - 1, Math.floor(((x - from) / (to - from || 1)) * places)) : x;
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
    band: rows.map((entry) => [entry.at, smallest(entry.values), largest(entry.values)]),
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
