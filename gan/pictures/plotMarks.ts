/** What a series of a plot is drawn with, as layers of Vega-Lite. */
import { movingMean, thinned } from './plotData.ts';
import { INK } from './plotTheme.ts';
import type { BarSeries, PlotPoint, PlotSeries } from './plotTypes.ts';

export type Datum = Readonly<Record<string, unknown>>;

/** Pixels that a bar must be wide for its value to be written over it. */
const WRITTEN = 30;

/** How long the strokes and the gaps of lines are, in pixels. */
export const DASHES = { solid: [1, 0], dashed: [6, 4], dotted: [2, 3] } as const;

/** What series of an axis share. */
export interface Places {
  readonly x: object;
  readonly y: object;
  readonly base: number;
  readonly inner: number;
  /** Whether a point lies on the drawing area. */
  readonly inside: (point: Datum) => boolean;
}

const pairs = (points: readonly PlotPoint[]): Datum[] => points.map(([x, y]) => ({ x, y }));

/** The layers of a series. @param bars which of the panel's bar series it is, and how many there are */
export function marksOf(
  series: PlotSeries,
  color: string,
  { x, y, base, inner, inside }: Places,
  [index, count]: readonly [number, number],
): object[] {
  const at = { x: { ...x, field: 'x' }, y: { ...y, field: 'y' } };
  const mark = (type: string, rest: object, values: readonly Datum[], encoding: object = at): object => ({
    data: { values },
    mark: { type, clip: true, color, ...rest },
    encoding,
  });
  // A dot at the edge is whole; those beyond it are left out.
  const dots = (rest: object, values: readonly Datum[]): object =>
    mark('point', { filled: true, clip: false, ...rest }, values.filter(inside));
  const area = (values: readonly Datum[], opacity: number, rest: object, y2: object): object =>
    mark('area', { opacity, ...rest }, values, { ...at, y2 });
  switch (series.kind) {
    case 'line': {
      const { points, smooth, dash, markers, fill } = series;
      const bold = pairs(thinned(smooth ? movingMean(points, smooth) : points, inner));
      const pattern = DASHES[dash ?? 'solid'];
      return [
        ...(smooth ? [mark('line', { strokeWidth: 1, opacity: 0.28 }, pairs(thinned(points, inner)))] : []),
        ...(fill ? [area(bold, 0.15, {}, { datum: base })] : []),
        mark('line', { strokeWidth: 2, ...(dash && { strokeDash: pattern }) }, inOrder(bold), {
          ...at,
          order: { field: 'i' },
        }),
        ...(markers || points.length === 1 ? [dots({ size: 32, opacity: 1 }, bold)] : []),
      ];
    }
    case 'scatter': {
      const { points, size = 6 } = series;
      const opacity = points.length > 400 ? 0.45 : 0.85;
      return [dots({ opacity, size: size ** 2 }, pairs(points))];
    }
    case 'band':
      return [
        area(
          series.points.map(([x, y, y2]) => ({ x, y, y2 })),
          0.2,
          {},
          { field: 'y2' },
        ),
      ];
    case 'histogram': {
      const counts = Array.from(series.counts);
      // An empty interval lies at the lower end of a logarithmic axis.
      const steps = [...counts, counts.at(-1)!].map((y, i) => ({ x: series.edges[i], y: y > base ? y : base }));
      const line = { color, strokeWidth: 1.5, opacity: 1 };
      return [area(steps, 0.25, { interpolate: 'step-after', line }, { datum: base })];
    }
    case 'bars':
      return barMarks(series, mark, { x, y, base, inner, inside }, index, count);
    case 'level':
      return [mark('rule', { strokeDash: DASHES.dashed, strokeWidth: 1.5 }, [{}], { y: { ...y, datum: series.at } })];
  }
}

/** In the order given: Vega-Lite would sort a line by x. */
const inOrder = (values: readonly Datum[]): Datum[] => values.map((value, i) => ({ ...value, i }));

/** Bars beside each other over their names, with whiskers and values. */
function barMarks(
  { values, low = [], high = [] }: BarSeries,
  mark: (type: string, rest: object, values: readonly Datum[], encoding?: object) => object,
  { x, y, base, inner }: Places,
  index: number,
  count: number,
): object[] {
  const step = inner / values.length;
  const slot = Math.min((0.72 * step) / count, 70);
  const wide = Math.min(0.9 * slot, 64);
  const off = (index - (count - 1) / 2) * slot;
  const data = values
    .map((v, i) => ({ x: i, y: v, low: low[i] ?? v, high: high[i] ?? v, text: short(v) }))
    .filter(({ y }) => Number.isFinite(y));
  const at = { x: { ...x, field: 'x' }, y: { ...y, field: 'y' }, y2: { datum: base } };
  const whiskers = data.filter((d) => d.low !== d.high);
  const ends = (field: 'low' | 'high') => ({ x: at.x, y: { ...y, field } });
  const cap = { color: INK.text, xOffset: off, opacity: 1 };
  const written = (end: 'low' | 'high', list: typeof data, place: object): object[] =>
    list.length > 0
      ? [mark('text', { ...cap, ...place, fontSize: 10 }, list, { ...ends(end), text: { field: 'text' } })]
      : [];
  return [
    mark('bar', { width: wide, xOffset: off }, data, at),
    ...(whiskers.length > 0
      ? [
          mark('rule', { ...cap, strokeWidth: 1.2 }, whiskers, { ...ends('low'), y2: { field: 'high' } }),
          ...(['low', 'high'] as const).map((end) =>
            mark(
              'tick',
              { ...cap, thickness: 1.2, size: Math.min(12, (2 * wide) / 3), orient: 'horizontal' },
              whiskers,
              ends(end),
            ),
          ),
        ]
      : []),
    ...(wide >= WRITTEN
      ? [
          ...written(
            'high',
            data.filter((d) => d.y >= 0),
            { dy: -4, baseline: 'bottom' },
          ),
          ...written(
            'low',
            data.filter((d) => d.y < 0),
            { dy: 4, baseline: 'top' },
          ),
        ]
      : []),
  ];
}

const short = (value: number): string =>
  Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3)));
