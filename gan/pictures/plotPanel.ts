/** One panel of a plot as a Vega-Lite specification. */
import { largest, smallest } from '../extremes.ts';
import type { Picture } from './drawSpecs.ts';
import { DASHES, type Datum, marksOf } from './plotMarks.ts';
import { clip, LETTER, namesOf } from './plotText.ts';
import { colorOf, INK } from './plotTheme.ts';
import type { BarSeries, PlotAxis, PlotPanel, PlotSeries } from './plotTypes.ts';

/** Pixels for the numbers at a vertical axis, so that panels above each other line up. */
const LEFT = 62;
const TICKS = LEFT - 16;

/** The series of a panel that have a number to show, without the numbers that have no place on the axes. */
export function visible(panel: PlotPanel): PlotSeries[] {
  const keep = (series: PlotSeries): PlotSeries[] => {
    const fits = (axis: PlotAxis | undefined) => (v: number) => Number.isFinite(v) && (!axis?.log || v > 0);
    const [okX, okY] = [fits(panel.x), fits(series.right ? panel.y2 : panel.y)];
    switch (series.kind) {
      case 'line':
      case 'scatter':
      case 'band': {
        const points = series.points.filter(([x, ...ys]) => okX(x) && (ys as number[]).every(okY));
        return points.length > 0 ? [{ ...series, points } as PlotSeries] : [];
      }
      case 'bars':
        return series.values.some(okY) ? [series] : [];
      case 'histogram':
        return Array.from(series.counts).some(Number.isFinite) ? [series] : [];
      case 'level':
        return okY(series.at) ? [series] : [];
    }
  };
  return panel.series.flatMap(keep);
}

/** The colour of each label. */
function colorsOf(series: readonly PlotSeries[]): Map<string, string> {
  const colors = new Map<string, string>();
  let next = 0;
  for (const { label, color, kind } of series) {
    if (!colors.has(label)) colors.set(label, colorOf(color ?? (kind === 'level' ? 'grey' : next++)));
  }
  return colors;
}

/** The heights and places that a series has, without those that an axis cannot show. */
function valuesOf(series: PlotSeries): { x: number[]; y: number[] } {
  switch (series.kind) {
    case 'line':
    case 'scatter':
    case 'band':
      return { x: series.points.map(([x]) => x), y: series.points.flatMap(([, ...ys]) => ys as number[]) };
    case 'histogram':
      return { x: Array.from(series.edges), y: Array.from(series.counts) };
    case 'bars':
      return { x: [], y: [...series.values, ...(series.low ?? []), ...(series.high ?? [])] };
    case 'level':
      return { x: [], y: [series.at] };
  }
}

/** Whether a series stands on the axis. */
const stands = (s: PlotSeries): boolean =>
  s.kind === 'bars' || s.kind === 'histogram' || (s.kind === 'line' && s.fill === true);

/** Where an axis begins and ends, and where what stands on it does. */
interface Scale {
  readonly domain: readonly [number, number];
  readonly base: number;
  readonly nice: boolean;
}

/** The ends of a vertical axis: those that are given, else the data's, with zero where something stands on it, and room for the values of bars. */
function heights(axis: PlotAxis | undefined, series: readonly PlotSeries[]): Scale {
  const values = series.flatMap((s) => valuesOf(s).y).filter((v) => Number.isFinite(v) && (!axis?.log || v > 0));
  let [low, high] = [smallest(values), largest(values)];
  if (low > high) [low, high] = axis?.log ? [1, 10] : [0, 1];
  const standing = series.some(stands);
  if (axis?.log) {
    if (standing) low = 10 ** Math.floor(Math.log10(low) - 0.01);
    const domain = [axis.min ?? low, axis.max ?? high] as const;
    return { domain, base: domain[0], nice: axis.min === undefined && axis.max === undefined };
  }
  if (standing) [low, high] = [Math.min(0, low), Math.max(0, high)];
  if (low === high) [low, high] = [low - 1, high + 1];
  const bars = series.filter((s) => s.kind === 'bars');
  const room = 0.12 * (high - low);
  if (bars.length > 0) high += room;
  if (bars.some(({ values }) => values.some((v) => v < 0))) low -= room;
  const domain = [axis?.min ?? low, axis?.max ?? high] as const;
  return { domain, base: 0, nice: axis?.min === undefined && axis?.max === undefined };
}

/** The ends of the horizontal axis. */
function widths(axis: PlotAxis | undefined, series: readonly PlotSeries[]): readonly [number, number] {
  const values = series.flatMap((s) => valuesOf(s).x).filter(Number.isFinite);
  const [low, high] = [smallest(values), largest(values)];
  const ends = low < high ? [low, high] : low === high ? [low - 1, high + 1] : [0, 1];
  return [axis?.min ?? ends[0]!, axis?.max ?? ends[1]!];
}

/** The same ends along both axes, a twentieth beyond all points. */
function square(series: readonly PlotSeries[]): readonly [number, number] {
  const values = series.flatMap((s) => [...valuesOf(s).x, ...valuesOf(s).y]).filter(Number.isFinite);
  const [low, high] = [smallest(values), largest(values)];
  const edge = 0.05 * (high - low) || 1;
  const unit = 10 ** Math.floor(Math.log10((high - low || 1) / 4));
  return [Math.floor((low - edge) / unit) * unit, Math.ceil((high + edge) / unit) * unit];
}

/**
 * The specification of a panel.
 * @param width of the whole panel in pixels
 * @param named whether the horizontal axis has its label, which the panel below may have instead
 */
export function panelSpec(panel: PlotPanel, series: readonly PlotSeries[], width: number, named: boolean): Picture {
  const sides = [series.filter((s) => !s.right), series.filter((s) => s.right)] as const;
  const inner = width - LEFT - (sides[1].length > 0 ? 58 : 26);
  const colors = colorsOf(series);
  const labels = [...colors.keys()].filter(Boolean);
  const side = panel.square ? square(series) : undefined;
  const { label = '', categories, log } = panel.x ?? {};
  const names = categories && namesOf(categories, inner);
  const ends = side ?? widths(panel.x, series);
  const x = {
    type: categories ? 'ordinal' : 'quantitative',
    scale: categories
      ? { domain: categories.map((_, i) => i), paddingInner: 0.28, paddingOuter: 0.14 }
      : scaleOf(log, ends, false),
    axis: {
      title: named ? label : null,
      grid: false,
      ...(names
        ? { labelExpr: `${JSON.stringify(names)}[datum.value]`, labelAngle: 0, ticks: false, labelOverlap: false }
        : {
            formatType: 'tickText',
            labelOverlap: 'parity',
            labelSeparation: 6,
            labelFlush: false,
            ...ticks(log, ends, inner / 80),
          }),
    },
  };
  const layersOf = (list: readonly PlotSeries[], axis: PlotAxis | undefined, right: boolean) => {
    const { domain, base, nice } = side ? { domain: side, base: 0, nice: false } : heights(axis, list);
    const letters = (inner + 40) / LETTER / (sides[1].length > 0 ? 2 : 1);
    const y = {
      type: 'quantitative',
      scale: scaleOf(axis?.log, domain, nice && 4),
      axis: {
        title: axis?.label ? clip(axis.label, letters) : null,
        orient: right ? 'right' : 'left',
        grid: !right,
        formatType: 'tickText',
        ...ticks(axis?.log, domain, 4),
        domain: false,
        ticks: false,
        titleAngle: 0,
        titleAnchor: 'end',
        titleAlign: right ? 'right' : 'left',
        titleBaseline: 'bottom',
        titleX: right ? TICKS : -TICKS,
        titleY: -8,
      },
    };
    const bars = list.filter((s) => s.kind === 'bars');
    const within = (v: unknown, [low, high]: readonly [number, number]): boolean =>
      (v as number) >= low && (v as number) <= high;
    const inside = (p: Datum): boolean => within(p.x, ends) && (nice || within(p.y, domain));
    const places = { x, y, base, inner, inside };
    return {
      layer: list.flatMap((s) => marksOf(s, colors.get(s.label)!, places, [bars.indexOf(s as BarSeries), bars.length])),
    };
  };
  const layers = [
    ...(sides[0].length > 0 ? [layersOf(sides[0], panel.y, false)] : []),
    ...(sides[1].length > 0 ? [layersOf(sides[1], panel.y2, true)] : []),
  ];
  return {
    left: LEFT,
    width: inner,
    height: panel.square ? inner : (panel.height ?? 180),
    autosize: 'none',
    ...(panel.title && {
      title: { text: clip(panel.title, (width - 26) / (LETTER * 1.08)), ...heading(labels.length > 1, panel) },
    }),
    layer: [
      ...layers,
      ...(labels.length > 1
        ? [legendOf(labels, colors, series, inner, Boolean(panel.y?.label || panel.y2?.label))]
        : []),
    ],
    resolve: { scale: { y: 'independent', ...OWN } },
  };
}

const scaleOf = (log: boolean | undefined, domain: readonly [number, number], nice: number | false) =>
  log ? { type: 'log', domain, nice: nice !== false } : { type: 'linear', domain, nice, zero: false };

/** Where the numbers of an axis stand: of a logarithmic one at powers of ten, where it goes over more than one. */
function ticks(log: boolean | undefined, [low, high]: readonly [number, number], about: number): object {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  if (!log || last - first < 2) return { tickCount: about };
  const every = Math.ceil((last - first) / 8);
  return {
    values: Array.from({ length: Math.floor((last - first) / every) + 1 }, (_, i) => 10 ** (first + i * every)),
  };
}

/** The title stands at the left of the panel, above the legend and the axis' label. */
const heading = (legend: boolean, { y, y2 }: PlotPanel): object => ({
  fontSize: 13,
  color: INK.text,
  dx: 16 - LEFT,
  offset: legend ? 6 : y?.label || y2?.label ? 26 : 8,
});

/** Scales of the legend, which make one legend where they belong to one layer. */
const OWN = { fill: 'independent', stroke: 'independent', shape: 'independent', strokeDash: 'independent' } as const;

/** What stands for a series in the legend. */
const SHAPES = {
  line: 'stroke',
  level: 'stroke',
  scatter: 'circle',
  band: 'square',
  bars: 'square',
  histogram: 'square',
} as const;

/** The legend by itself, in rows as wide as the panel, on a layer that draws nothing. */
function legendOf(
  labels: readonly string[],
  colors: ReadonlyMap<string, string>,
  series: readonly PlotSeries[],
  inner: number,
  above: boolean,
): object {
  const ones = labels.map((label) => series.find((s) => s.label === label && s.kind !== 'band'));
  const names = labels.map((label) => clip(label, (inner - 34) / LETTER));
  const widest = 38 + LETTER * largest(names.map((name) => name.length));
  const legend = {
    title: null,
    orient: 'top',
    direction: 'horizontal',
    columns: Math.max(1, Math.min(labels.length, Math.floor(inner / widest))),
    labelExpr: `${JSON.stringify(names)}[datum.index]`,
    labelLimit: 0,
    offset: above ? 26 : 8,
  };
  const by = (range: readonly unknown[]) => ({
    field: 'label',
    type: 'nominal',
    scale: { domain: labels, range },
    legend,
  });
  const paints = by(labels.map((label) => colors.get(label)!));
  return {
    data: { values: [] },
    mark: 'point',
    encoding: {
      fill: paints,
      stroke: paints,
      shape: by(ones.map((s) => SHAPES[s?.kind ?? 'band'])),
      strokeDash: by(
        ones.map((s) => DASHES[s?.kind === 'level' ? 'dashed' : s?.kind === 'line' ? (s.dash ?? 'solid') : 'solid']),
      ),
    },
  };
}
