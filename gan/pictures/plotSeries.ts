/** Series of a plot as echarts draws them. */

import type { CustomSeriesRenderItemAPI as Api, CustomSeriesRenderItemParams } from 'echarts';
import type { CustomSeriesOption, LineSeriesOption, ScatterSeriesOption } from 'echarts/charts';
import { largest, smallest } from '../extremes.ts';
import { movingMean } from './plotData.ts';
import { colorOf, INK } from './plotTheme.ts';
import type { PlotAxis, PlotPanel, PlotSeries } from './plotTypes.ts';

export type Drawn = LineSeriesOption | ScatterSeriesOption | CustomSeriesOption;
type Item = ReturnType<NonNullable<CustomSeriesOption['renderItem']>>;

/** Pixels that a bar must be wide for its value to be written over it. */
const WRITTEN = 30;

/** The series of a panel that have a number to show, without the numbers that have no place on the axes. */
export function visible(panel: PlotPanel): PlotSeries[] {
  const keep = (series: PlotSeries): PlotSeries[] => {
    const y = series.right ? panel.y2 : panel.y;
    const fits = (axis: PlotAxis | undefined) => (v: number) => Number.isFinite(v) && (!axis?.log || v > 0);
    const [okX, okY] = [fits(panel.x), fits(y)];
    const some = <T extends PlotSeries>(s: T, values: readonly unknown[]): T[] => (values.length > 0 ? [s] : []);
    switch (series.kind) {
      case 'line':
      case 'scatter': {
        const points = series.points.filter((p) => okX(p[0]) && okY(p[1]));
        return some({ ...series, points }, points);
      }
      case 'band': {
        const points = series.points.filter((p) => okX(p[0]) && okY(p[1]) && okY(p[2]));
        return some({ ...series, points }, points);
      }
      case 'bars':
        return some(series, series.values.filter(okY));
      case 'histogram':
        return some(series, Array.from(series.counts).filter(Number.isFinite));
      case 'level':
        return okY(series.at) ? [series] : [];
    }
  };
  return panel.series.flatMap(keep);
}

/** The place of each label in the palette. */
export function colorsOf(series: readonly PlotSeries[]): Map<string, number | 'grey'> {
  const colors = new Map<string, number | 'grey'>();
  let next = 0;
  for (const { label, color, kind } of series) {
    if (colors.has(label)) continue;
    colors.set(label, color ?? (kind === 'level' ? 'grey' : next++));
  }
  return colors;
}

/** Which axes of the chart a series lies on. */
export interface Place {
  readonly xAxisIndex: number;
  readonly yAxisIndex: number;
}

/** @param log whether the vertical axis is logarithmic
 * @param bars which of the panel's bar series this is, and how many there are */
export function draw(
  series: PlotSeries,
  place: Place,
  color: number | 'grey',
  log: boolean,
  bars: readonly [number, number],
): Drawn[] {
  const paint = colorOf(color);
  const base = { ...place, silent: true, itemStyle: { color: paint } } as const;
  switch (series.kind) {
    case 'line': {
      const points = series.points.map((p): [number, number] => [...p] as [number, number]);
      const style = { color: paint, width: 2, type: series.dash ?? 'solid' } as const;
      const line = { ...base, type: 'line', showSymbol: false, clip: true } as const;
      const area = series.fill ? { areaStyle: { color: paint, opacity: 0.15, origin: 'start' as const } } : {};
      if (series.smooth) {
        const mean = movingMean(points, series.smooth) as [number, number][];
        return [
          { ...line, data: points, sampling: 'minmax', lineStyle: { color: paint, width: 1, opacity: 0.28 } },
          { ...line, ...area, data: mean, sampling: 'lttb', lineStyle: style },
        ];
      }
      const marks = series.markers || points.length === 1;
      return [
        {
          ...line,
          ...area,
          data: points,
          lineStyle: style,
          ...(marks ? { showSymbol: true, symbol: 'circle', symbolSize: 6 } : { sampling: 'lttb' as const }),
        },
      ];
    }
    case 'scatter': {
      const data = series.points.map((p) => [...p]);
      const faint = data.length > 400 ? 0.45 : 0.85;
      return [
        {
          ...base,
          type: 'scatter',
          data,
          symbolSize: series.size ?? 6,
          itemStyle: { color: paint, opacity: faint },
          progressive: 0,
          large: false,
        },
      ];
    }
    case 'band':
      return [outline(series.points, base, paint, 0.2, false, log)];
    case 'histogram':
      return [outline(steps(series.edges, series.counts), base, paint, 0.25, true, log)];
    case 'bars':
      return [barSeries(series, base, paint, log, bars)];
    case 'level':
      return [
        {
          ...base,
          type: 'line',
          data: [],
          showSymbol: false,
          markLine: {
            silent: true,
            symbol: 'none',
            animation: false,
            data: [{ yAxis: series.at }],
            lineStyle: { color: paint, type: 'dashed', width: 1.5 },
            label: { show: false },
          },
        },
      ];
  }
}

type Base = Place & { readonly silent: boolean };
type Triple = readonly [x: number, low: number, high: number];

/** A histogram as a band from zero with steps. */
const steps = (edges: ArrayLike<number>, counts: ArrayLike<number>): Triple[] =>
  Array.from(counts).flatMap((count, i): Triple[] => [
    [edges[i]!, 0, count],
    [edges[i + 1]!, 0, count],
  ]);

/** An area between low and high, drawn as one shape with the first item; the others tell the axes their ranges. */
function outline(
  points: readonly Triple[],
  base: Base,
  color: string,
  opacity: number,
  edge: boolean,
  log: boolean,
): Drawn {
  const renderItem = (params: CustomSeriesRenderItemParams, api: Api): Item => {
    if (params.dataIndex !== 0) return undefined as unknown as Item;
    const { y, height } = params.coordSys as unknown as { y: number; height: number };
    // The lower end of a logarithmic axis stands for zero.
    const at = (x: number, v: number): number[] =>
      api.coord([x, v]).map((p, i) => (i === 1 && !(p <= y + height) ? y + height : p));
    const high = points.map(([x, , v]) => at(x, v));
    const low = points.map(([x, v]) => at(x, v)).reverse();
    const shape = { points: [...high, ...low] };
    const line = {
      type: 'polyline' as const,
      shape: { points: high },
      style: { fill: 'none', stroke: color, lineWidth: 1.5 },
    };
    const area = { type: 'polygon' as const, shape, style: { fill: color, opacity } };
    return { type: 'group', children: edge ? [area, line] : [area] };
  };
  return {
    ...base,
    type: 'custom',
    clip: true,
    renderItem,
    encode: { x: 0, y: log && edge ? [2] : [1, 2] },
    data: points.map((p) => [...p]),
  };
}

function barSeries(
  { values, low = [], high = [] }: Extract<PlotSeries, { kind: 'bars' }>,
  base: Base,
  color: string,
  log: boolean,
  [index, count]: readonly [number, number],
): Drawn {
  const renderItem = (params: CustomSeriesRenderItemParams, api: Api): Item => {
    const i = params.dataIndex;
    const value = values[i]!;
    if (!Number.isFinite(value)) return undefined as unknown as Item;
    const { y, height } = params.coordSys as unknown as { y: number; height: number };
    const slot = ((api.size!([1, 0]) as number[])[0]! * 0.72) / count;
    const width = Math.min(slot * 0.9, 64);
    const middle = api.coord([i, value])[0]! + (index - (count - 1) / 2) * Math.min(slot, 70);
    const level = (v: number): number => {
      const p = api.coord([i, v])[1]!;
      return Number.isFinite(p) ? Math.min(p, y + height) : y + height;
    };
    const [top, zero] = [level(value), level(0)];
    const ends = [low[i] ?? value, high[i] ?? value].map(level) as [number, number];
    const stroke = (x1: number, y1: number, x2: number, y2: number) => ({
      type: 'line' as const,
      shape: { x1, y1, x2, y2 },
      style: { stroke: INK.text, lineWidth: 1.2 },
    });
    const cap = Math.min(6, width / 3);
    const whisker =
      ends[0] === ends[1]
        ? []
        : [stroke(middle, ends[0], middle, ends[1]), ...ends.map((at) => stroke(middle - cap, at, middle + cap, at))];
    const text = {
      type: 'text' as const,
      style: {
        text: short(value),
        x: middle,
        align: 'center' as const,
        fill: INK.text,
        fontSize: 10,
        ...(value < 0
          ? { y: Math.max(top, largest(ends)) + 3, verticalAlign: 'top' as const }
          : { y: Math.min(top, smallest(ends)) - 3, verticalAlign: 'bottom' as const }),
      },
    };
    const shape = { x: middle - width / 2, y: Math.min(top, zero), width, height: Math.abs(zero - top) };
    const bar = { type: 'rect' as const, shape, style: { fill: color } };
    return { type: 'group', children: [bar, ...whisker, ...(width >= WRITTEN ? [text] : [])] };
  };
  const data = values.map((v, i) => [i, v, low[i] ?? v, high[i] ?? v, 0]);
  return { ...base, type: 'custom', renderItem, encode: { x: 0, y: log ? [1, 2, 3] : [1, 2, 3, 4] }, data };
}

const short = (value: number): string =>
  Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3)));
