/** Curves of a training's rows. */
import type { Row } from '../row.ts';
import { plot } from './plot.ts';
import { visible } from './plotPanel.ts';
import type { PlotPanel, PlotPoint, PlotSeries } from './plotTypes.ts';

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
