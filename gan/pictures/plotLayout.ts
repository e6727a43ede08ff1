/** Where the parts of a plot stand. */
import { largest } from '../extremes.ts';
import { clip, LETTER, namesOf } from './plotAxes.ts';
import { colorsOf } from './plotSeries.ts';
import { colorOf, INK } from './plotTheme.ts';
import type { PlotPanel, PlotSeries } from './plotTypes.ts';

/** The fonts of all text. */
export const FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif";
/** In pixels: around panels, and the lines above and below a drawing area. */
const LAYOUT = { left: 62, right: 26, right2: 58, title: 22, legend: 18, unit: 26, ticks: 22, name: 18, gap: 22 };
/** A panel and where it stands, in pixels. */
export interface Placed {
  readonly panel: PlotPanel;
  readonly series: readonly PlotSeries[];
  readonly legend: readonly (readonly Entry[])[];
  readonly left: number;
  /** The upper end of the whole panel; the drawing area starts below the title, the legend and the axes' labels. */
  readonly top: number;
  readonly area: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
  /** Whether the horizontal axis has its label, which the one below it may have instead. */
  readonly named: boolean;
}

interface Entry {
  readonly label: string;
  readonly series: PlotSeries;
  readonly color: number | 'grey';
  readonly x: number;
}

/** Rows of panels, each as high as its highest. */
export function place(
  shown: readonly { panel: PlotPanel; series: readonly PlotSeries[] }[],
  head: number,
  columns: number,
  width: number,
): { placed: Placed[]; height: number } {
  const placed: Placed[] = [];
  const whole = width / columns;
  let top = head;
  for (let first = 0; first < shown.length; first += columns) {
    let bottom = top;
    for (const [c, { panel, series }] of shown.slice(first, first + columns).entries()) {
      const left = c * whole;
      const right = series.some((s) => s.right) ? LAYOUT.right2 : LAYOUT.right;
      const inner = whole - LAYOUT.left - right;
      const legend = legendOf(series, whole - 30);
      const units = panel.y?.label || panel.y2?.label ? LAYOUT.unit : 8;
      const from = top + (panel.title ? LAYOUT.title : 0) + legend.length * LAYOUT.legend + units;
      const height = panel.square ? inner : (panel.height ?? 180);
      const below = shown[first + c + columns]?.panel;
      const named = Boolean(panel.x?.label) && panel.x?.label !== below?.x?.label;
      const lines = panel.x?.categories
        ? largest(namesOf(panel.x.categories, inner).map((n) => n.split('\n').length))
        : 1;
      placed.push({
        panel,
        series,
        legend,
        left,
        top,
        area: { left: left + LAYOUT.left, top: from, width: inner, height },
        named,
      });
      bottom = Math.max(bottom, from + height + LAYOUT.ticks + (lines - 1) * 13 + (named ? LAYOUT.name : 0));
    }
    top = bottom + LAYOUT.gap;
  }
  return { placed, height: Math.ceil(top - LAYOUT.gap + 8) };
}

/** One entry a label, in rows as wide as the panel; none where there is one label only. */
function legendOf(series: readonly PlotSeries[], width: number): Entry[][] {
  const colors = colorsOf(series);
  const own = [...colors].flatMap(([label, color]) => {
    const ones = series.filter((s) => s.label === label);
    const one = ones.find((s) => s.kind !== 'band') ?? ones[0];
    return label && one ? [{ label: clip(label, (width - 34) / LETTER), color, series: one }] : [];
  });
  if (own.length < 2) return [];
  const rows: Entry[][] = [];
  let x = Number.POSITIVE_INFINITY;
  for (const entry of own) {
    const wide = 22 + entry.label.length * LETTER + 16;
    if (x + wide > width) {
      rows.push([]);
      x = 0;
    }
    rows.at(-1)!.push({ ...entry, x });
    x += wide;
  }
  return rows;
}

/** Title, legend and the names of the vertical axes. */
export function headOf({ panel, series, legend, left, top, area }: Placed): object[] {
  const from = left + 16;
  const legendTop = top + (panel.title ? LAYOUT.title : 0);
  const letters = (area.width + 40) / LETTER;
  const second = series.some((s) => s.right) ? panel.y2?.label : undefined;
  const first = panel.y?.label && clip(panel.y.label, second ? letters / 2 : letters);
  const title = panel.title && clip(panel.title, (area.left - left + area.width) / (LETTER * 1.08));
  return [
    ...(title ? [textAt(from, top, title, { font: 600, size: 13, color: INK.text })] : []),
    ...legend.flatMap((row, i) =>
      row.flatMap(({ label, series: s, color, x }) => [
        ...mark(s, colorOf(color), from + x, legendTop + i * LAYOUT.legend + 7),
        textAt(from + x + 22, legendTop + i * LAYOUT.legend, label, { size: 12, color: INK.text }),
      ]),
    ),
    ...(first ? [textAt(from, area.top - 23, first, { size: 11, color: INK.muted })] : []),
    ...(second
      ? [
          textAt(area.left + area.width + 44, area.top - 23, clip(second, letters / 2), {
            size: 11,
            color: INK.muted,
            align: 'right',
          }),
        ]
      : []),
  ];
}

/** How a series looks, in small. */
function mark(series: PlotSeries, color: string, x: number, y: number): object[] {
  if (series.kind === 'scatter') return [{ type: 'circle', shape: { cx: x + 8, cy: y, r: 4 }, style: { fill: color } }];
  if (series.kind !== 'line' && series.kind !== 'level') {
    const opacity = series.kind === 'bars' ? 1 : 0.4;
    return [{ type: 'rect', shape: { x, y: y - 5, width: 16, height: 10 }, style: { fill: color, opacity } }];
  }
  const dash = series.kind === 'level' ? 'dashed' : series.dash;
  const lineDash = dash === 'dashed' ? [5, 3] : dash === 'dotted' ? [2, 2] : undefined;
  return [
    { type: 'line', shape: { x1: x, y1: y, x2: x + 16, y2: y }, style: { stroke: color, lineWidth: 2.5, lineDash } },
    ...(series.kind === 'line' && series.markers
      ? [{ type: 'circle', shape: { cx: x + 8, cy: y, r: 3 }, style: { fill: color } }]
      : []),
  ];
}

/** A text with its top left, or right, corner there. */
export function textAt(
  x: number,
  y: number,
  text: string,
  { font = 400, size, color, align = 'left' }: { font?: number; size: number; color: string; align?: 'left' | 'right' },
): object {
  return {
    type: 'text',
    x,
    y,
    silent: true,
    style: { text, fill: color, font: `${font} ${size}px ${FONT}`, textAlign: align },
  };
}
