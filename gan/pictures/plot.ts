/** Plots of series: what is drawn in which panel. The same in Node and in a page. */
import { checked } from '../../engine/internal.ts';
import { draw } from './drawSpecs.ts';
import { panelSpec, visible } from './plotPanel.ts';
import { percents } from './plotText.ts';
import type { PlotOptions } from './plotTypes.ts';

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
  const { title = '', subtitle = '', panels, columns: most = 1, width = 900 } = options;
  const shown = panels.map((panel) => ({ panel, series: visible(panel) })).filter(({ series }) => series.length > 0);
  if (shown.length === 0) throw new Error('plot: no series has a number that its axes can show');
  const columns = Math.max(1, Math.min(most, shown.length));
  const shares = shown.flatMap(({ series }) =>
    series.flatMap((s) => (s.kind === 'line' && s.smooth ? [s.smooth] : [])),
  );
  const note = shares.length > 0 ? `faint: raw values; bold: their moving mean over ${percents(shares)}` : '';
  const specs = shown.map(({ panel, series }, i) => {
    const [label, below] = [panel.x?.label, shown[i + columns]?.panel.x?.label];
    return panelSpec(panel, series, width / columns, Boolean(label) && below !== label);
  });
  return draw(specs, { title, under: [subtitle, note].filter(Boolean).join(' · '), width, columns });
}
