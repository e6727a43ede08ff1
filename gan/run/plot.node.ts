import { LineChart, type LineSeriesOption } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { Row } from './folder.node.ts';

use([LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

/** One quantity of the rows. */
export interface Curve {
  /** The column that holds it. Rows without a number there are skipped. */
  readonly key: string;
  /** Its name in the legend. */
  readonly label: string;
}

/** Curves that share a vertical axis. */
export interface Panel {
  readonly title: string;
  /** Label of the vertical axis, with the unit. */
  readonly axis: string;
  readonly curves: readonly Curve[];
}

/** What `plotCurves` draws. */
export interface CurvePlot {
  readonly title: string;
  /** A line under the title, such as the run's settings. */
  readonly subtitle?: string;
  /** The horizontal axis: a column of the rows, and its label with the unit. */
  readonly x: Curve;
  /** From top to bottom. Curves, and panels, that the rows say nothing about are left out. */
  readonly panels: readonly Panel[];
  /** As read from `metrics.jsonl`. */
  readonly rows: readonly Row[];
  /** Pixels; 900 unless given. */
  readonly width?: number;
}

/** The panels of a WGAN-GP run, by the columns of its `metrics.jsonl`. */
export const wassersteinPanels: readonly Panel[] = [
  {
    title: 'Losses',
    axis: 'loss (critic units)',
    curves: [
      { key: 'criticLoss', label: 'critic' },
      { key: 'generatorLoss', label: 'generator' },
    ],
  },
  {
    title: "Wasserstein estimate: the critic's mean on real minus on generated images",
    axis: 'distance (critic units)',
    curves: [{ key: 'wasserstein', label: 'training batches' }],
  },
  {
    title: 'Gradient penalty, before its weight',
    axis: '(slope - 1)²',
    curves: [{ key: 'penalty', label: 'penalty' }],
  },
  {
    title: 'Sliced Wasserstein distance to held-out images',
    axis: 'distance (pixel units)',
    curves: [{ key: 'slicedWasserstein', label: 'samples from fixed noise' }],
  },
];

type Point = readonly [x: number, y: number];

/** The palette of Okabe and Ito, which colour-blind readers can tell apart. */
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];
const INK = '#333333';
const HEADER = 100;
const PANEL = 180;
const GAP = 64;
const FOOTER = 50;
/** Curves of fewer points are drawn as they are, with markers; longer ones are smoothed over their raw values. */
const SPARSE = 40;

/**
 * Draws training curves as one self-contained SVG: panels stacked over a shared horizontal axis; each dense curve smoothed
 * (a centred mean over 2 % of its points) over its raw values, which stay visible, faint. A panel of one curve has no legend.
 *
 * @returns the text of an SVG file
 * @throws Error when the rows hold no number of any curve
 */
export function plotCurves({ title, subtitle = '', x, panels, rows, width = 900 }: CurvePlot): string {
  const shown = panels
    .map((panel) => ({
      ...panel,
      curves: panel.curves
        .map(({ key, label }) => ({ label, points: pointsOf(rows, x.key, key) }))
        .filter(({ points }) => points.length > 0),
    }))
    .filter(({ curves }) => curves.length > 0);
  if (shown.length === 0) throw new Error('plotCurves: no curve has a number in the rows; name columns that they have');

  const ends = extent(shown.flatMap(({ curves }) => curves.flatMap(({ points }) => points.map(([at]) => at))));
  const dense = shown.some(({ curves }) => curves.some(({ points }) => points.length >= SPARSE));
  const note = dense ? 'faint: raw values; bold: their moving mean' : '';
  const axisStyle = {
    axisLine: { onZero: false, lineStyle: { color: '#999999' } },
    axisLabel: { color: INK, hideOverlap: true },
    nameTextStyle: { color: INK },
  };
  const top = (panel: number): number => HEADER + panel * (PANEL + GAP);
  const height = top(shown.length) - GAP + FOOTER;
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'Helvetica, Arial, sans-serif' },
    title: [
      {
        text: title,
        subtext: [subtitle, note].filter(Boolean).join(' · '),
        left: 16,
        top: 10,
        itemGap: 6,
        textStyle: { fontSize: 17, color: '#111111' },
        subtextStyle: { color: '#666666' },
      },
      ...shown.map((panel, i) => ({
        text: panel.title,
        left: 68,
        top: top(i) - 30,
        textStyle: { fontSize: 13, color: INK },
      })),
    ],
    legend: shown.map(({ curves }, i) => ({
      show: curves.length > 1,
      data: curves.map(({ label }) => `${i}:${label}`),
      formatter: (name: string) => name.slice(name.indexOf(':') + 1),
      right: 24,
      top: top(i) - 28,
      icon: 'roundRect',
      itemWidth: 16,
      itemHeight: 4,
      itemGap: 16,
    })),
    grid: shown.map((_, i) => ({ left: 76, right: 28, top: top(i), height: PANEL })),
    xAxis: shown.map((_, i) => {
      const last = i === shown.length - 1;
      const name = last ? { name: x.label, nameLocation: 'middle' as const, nameGap: 28 } : {};
      return {
        ...axisStyle,
        ...name,
        type: 'value',
        gridIndex: i,
        ...ends,
        splitLine: { show: false },
      };
    }),
    yAxis: shown.map(({ axis }, i) => ({
      ...axisStyle,
      type: 'value',
      gridIndex: i,
      scale: true,
      name: axis,
      nameLocation: 'middle',
      nameGap: 48,
      splitNumber: 4,
      splitLine: { lineStyle: { color: '#e8e8e8' } },
    })),
    series: shown.flatMap(({ curves }, i) =>
      curves.flatMap(({ label, points }, c) => drawCurve(`${i}:${label}`, points, i, COLORS[c % COLORS.length]!)),
    ),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

function pointsOf(rows: readonly Row[], x: string, y: string): Point[] {
  return rows.flatMap((row) => {
    const [at, value] = [row[x], row[y]];
    return typeof at === 'number' && typeof value === 'number' ? [[at, value] as const] : [];
  });
}

function drawCurve(name: string, points: readonly Point[], panel: number, color: string): LineSeriesOption[] {
  const base = { type: 'line', xAxisIndex: panel, yAxisIndex: panel, itemStyle: { color }, silent: true } as const;
  const data = (list: readonly Point[]) => list.map((point) => [...point]);
  if (points.length < SPARSE) {
    return [{ ...base, name, data: data(points), symbol: 'circle', symbolSize: 6, lineStyle: { color, width: 2 } }];
  }
  const raw = { ...base, data: data(points), showSymbol: false, lineStyle: { color, width: 1, opacity: 0.28 } };
  const mean = { ...base, name, data: data(smooth(points)), showSymbol: false, lineStyle: { color, width: 2 } };
  return [
    { ...raw, sampling: 'minmax' },
    { ...mean, sampling: 'lttb' },
  ];
}

/** The smallest and the largest of the values, drawn apart where they are equal. */
function extent(values: readonly number[]): { min: number; max: number } {
  const min = values.reduce((least, value) => Math.min(least, value));
  const max = values.reduce((most, value) => Math.max(most, value));
  return min < max ? { min, max } : { min: min - 1, max: max + 1 };
}

/** Centred moving mean over 2 % of the points, and near the ends over those of them that there are. */
function smooth(points: readonly Point[]): Point[] {
  const half = Math.ceil(points.length / 100);
  const sums = [0];
  for (const [, y] of points) sums.push(sums.at(-1)! + y);
  return points.map(([x], i) => {
    const [from, to] = [Math.max(0, i - half), Math.min(points.length, i + half + 1)];
    return [x, (sums[to]! - sums[from]!) / (to - from)];
  });
}
