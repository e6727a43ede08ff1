import { createHash } from 'node:crypto';
import { CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import { GraphicComponent, GridComponent, MarkLineComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { checked } from '../../engine/internal.ts';
import type { Row } from '../row.ts';
import { cleaned, horizontal, LETTER, percents, vertical, wrap } from './plotAxes.ts';
import { FONT, headOf, place, textAt } from './plotLayout.ts';
import { colorsOf, draw, visible } from './plotSeries.ts';
import { darkStyle, INK } from './plotTheme.ts';
import type { PlotOptions, PlotPanel, PlotPoint, PlotSeries } from './plotTypes.ts';

use([CustomChart, LineChart, ScatterChart, GraphicComponent, GridComponent, MarkLineComponent, SVGRenderer]);

/** One quantity of the rows. */
export interface Curve {
  /** The column that holds it. Rows without a number there are skipped. */
  readonly key: string;
  /** Its name in the legend. */
  readonly label: string;
}

/** Curves that share a vertical axis. */
export interface Panel {
  /** In bold above the panel. */
  readonly title: string;
  /** Label of the vertical axis, with the unit. */
  readonly axis: string;
  /** What it shows, in the order of the legend. */
  readonly curves: readonly Curve[];
}

/** What `plotCurves` draws. */
export interface CurvePlot {
  /** In bold above all panels. */
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
  const places = panels.flatMap(({ curves }) =>
    curves.flatMap(({ key }) => pointsOf(rows, x.key, key).map(([at]) => at)),
  );
  const [from, to] = [places.reduce((a, b) => Math.min(a, b), 1 / 0), places.reduce((a, b) => Math.max(a, b), -1 / 0)];
  const ends = from < to ? { min: from, max: to } : {};
  const shown = panels.map((panel): PlotPanel => {
    const series = panel.curves.map(({ key, label }): PlotSeries => {
      const points = pointsOf(rows, x.key, key);
      const dense = points.length >= SPARSE;
      return { kind: 'line', label, points, ...(dense ? { smooth: 0.02 } : { markers: true }) };
    });
    return { title: panel.title, x: { label: x.label, ...ends }, y: { label: panel.axis }, series };
  });
  if (shown.every((panel) => visible(panel).length === 0)) {
    throw new Error('plotCurves: no curve has a number in the rows; name columns that they have');
  }
  return plot({ title, subtitle, panels: shown });
}

/** The points of a column against another, without the rows that lack a number in either. */
export function pointsOf(rows: readonly Row[], x: string, y: string): PlotPoint[] {
  return rows.flatMap((row): PlotPoint[] => {
    const [at, value] = [row[x], row[y]];
    return typeof at === 'number' && typeof value === 'number' ? [[at, value]] : [];
  });
}

/**
 * Draws panels of curves, bands, points, bars with whiskers and histograms as one self-contained SVG, whose colours follow
 * the light or dark scheme of the page or the viewer; other programs, such as sharp, draw the light one. Where a curve is
 * smoothed, a line under the title says so. The same options give the same text.
 *
 * @returns the text of an SVG file
 * @throws TypeError for an option that does not exist
 * @throws Error when no series has a number that can be shown
 */
export function plot(options: PlotOptions): string {
  checked('plot', options, ['title', 'subtitle', 'panels', 'columns', 'width']);
  const { title = '', subtitle = '', panels, columns = 1, width = 900 } = options;
  const shown = panels.map((panel) => ({ panel, series: visible(panel) })).filter(({ series }) => series.length > 0);
  if (shown.length === 0) throw new Error('plot: no series has a number that its axes can show');
  const shares = shown.flatMap(({ series }) =>
    series.flatMap((s) => (s.kind === 'line' && s.smooth ? [s.smooth] : [])),
  );
  const note = shares.length > 0 ? `faint: raw values; bold: their moving mean over ${percents(shares)}` : '';
  const under = wrap([subtitle, note].filter(Boolean).join(' · '), (width - 32) / (LETTER * 0.95));
  const head = (title ? 34 : 6) + under.length * 16 + (title || under.length > 0 ? 8 : 0);
  const { placed, height } = place(shown, head, Math.max(1, Math.min(columns, shown.length)), width);
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: INK.background,
      textStyle: { fontFamily: FONT },
      graphic: {
        elements: [
          ...(title ? [textAt(16, 12, title, { font: 600, size: 17, color: INK.title })] : []),
          ...under.map((line, i) => textAt(16, (title ? 36 : 8) + i * 16, line, { size: 12, color: INK.muted })),
          ...placed.flatMap(headOf),
        ],
      },
      grid: placed.map(({ area }) => ({ ...area, outerBoundsMode: 'none' as const })),
      xAxis: placed.map(({ panel, series, named, area }, i) => horizontal(panel, series, named, i, area.width)),
      yAxis: placed.flatMap(({ panel, series }, i) => [
        vertical(
          panel,
          panel.y,
          series.filter((s) => !s.right),
          i,
          'left',
        ),
        vertical(
          panel,
          panel.y2,
          series.filter((s) => s.right),
          i,
          'right',
        ),
      ]),
      series: placed.flatMap(({ panel, series }, i) => {
        const colors = colorsOf(series);
        const bars = series.filter((s) => s.kind === 'bars');
        return series.flatMap((s) => {
          const axes = { xAxisIndex: i, yAxisIndex: 2 * i + (s.right ? 1 : 0) };
          const log = Boolean((s.right ? panel.y2 : panel.y)?.log);
          return draw(s, axes, colors.get(s.label)!, log, [bars.indexOf(s as never), bars.length]);
        });
      }),
    });
    return finish(chart.renderToSVGString());
  } finally {
    chart.dispose(); // its timer would keep the process alive
  }
}

/** With the style for dark pages, and ids that depend on the picture alone. */
function finish(svg: string): string {
  const bare = cleaned(svg, '');
  const name = `plot-${createHash('sha256').update(bare).digest('hex').slice(0, 10)}`;
  return cleaned(svg, name).replace(/<svg ([^>]*)>/, `<svg $1 class="${name}" role="img">\n${darkStyle(name)}`);
}
