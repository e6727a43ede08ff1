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

type Point = [x: number, y: number];

/** The palette of Okabe and Ito, which colour-blind readers can tell apart. */
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];
const INK = '#333333';
/** In pixels. */
const LAYOUT = { width: 900, header: 100, panel: 180, gap: 64, footer: 50 };
/** Curves of fewer points are drawn as they are, with markers; longer ones are smoothed over their raw values. */
const SPARSE = 40;

/**
 * Draws training curves as one self-contained SVG: panels stacked over a shared horizontal axis; each dense curve smoothed
 * (a centred mean over 2 % of its points) over its raw values, which stay visible, faint. A panel of one curve has no legend.
 *
 * @returns the text of an SVG file
 * @throws Error when the rows hold no number of any curve
 */
export function plotCurves({ title, subtitle = '', x, panels, rows }: CurvePlot): string {
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
    type: 'value',
    nameLocation: 'middle',
    axisLine: { onZero: false, lineStyle: { color: '#999999' } },
    axisLabel: { color: INK, hideOverlap: true },
    nameTextStyle: { color: INK },
  } as const;
  const top = (panel: number): number => LAYOUT.header + panel * (LAYOUT.panel + LAYOUT.gap);
  const height = top(shown.length) - LAYOUT.gap + LAYOUT.footer;
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: LAYOUT.width, height });
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
    grid: shown.map((_, i) => ({ left: 76, right: 28, top: top(i), height: LAYOUT.panel })),
    xAxis: shown.map((_, i) => ({
      ...axisStyle,
      ...ends,
      gridIndex: i,
      name: i === shown.length - 1 ? x.label : '',
      nameGap: 28,
      splitLine: { show: false },
    })),
    yAxis: shown.map(({ axis }, i) => ({
      ...axisStyle,
      gridIndex: i,
      scale: true,
      name: axis,
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
    return typeof at === 'number' && typeof value === 'number' ? [[at, value]] : [];
  });
}

function drawCurve(name: string, points: Point[], panel: number, color: string): LineSeriesOption[] {
  const base = { type: 'line', xAxisIndex: panel, yAxisIndex: panel, itemStyle: { color }, silent: true } as const;
  if (points.length < SPARSE) {
    return [{ ...base, name, data: points, symbol: 'circle', symbolSize: 6, lineStyle: { color, width: 2 } }];
  }
  const thin = { ...base, showSymbol: false };
  return [
    { ...thin, data: points, sampling: 'minmax', lineStyle: { color, width: 1, opacity: 0.28 } },
    { ...thin, name, data: smooth(points), sampling: 'lttb', lineStyle: { color, width: 2 } },
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
