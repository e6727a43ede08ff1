/** A page of its own with charts, to look at and to pass on. */
import { BarChart } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkLineComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { type Html, html, page, raw } from '../../cli/pages/html.ts';
import type { Roofs } from '../../engine/index.ts';
import type { Row } from '../run.ts';
import { SUITES } from '../task.ts';
import { COLUMNS, cells, roofText, times } from './table.ts';

use([BarChart, GridComponent, LegendComponent, MarkLineComponent, TitleComponent, SVGRenderer]);

export interface Report {
  readonly adapter: string;
  readonly roofs: Roofs;
  readonly rows: readonly Row[];
}

/** Of Okabe and Ito's palette, as in gan/pictures/plot.node.ts. */
const COLORS = { tfjs: '#d55e00', jaxjs: '#0072b2' };
const INK = '#333333';
/** In pixels. */
const LAYOUT = { width: 980, names: 330, row: 30, header: 70, footer: 50 };

const TITLE = 'wgrad beside tfjs and jax-js';

/** The whole page as text; nothing is loaded from elsewhere. */
export function htmlReport({ adapter, roofs, rows }: Report): string {
  const suites = SUITES.filter((suite) => rows.some((r) => r.suite === suite));
  const sections = suites.map((suite) => {
    const own = rows.filter((r) => r.suite === suite);
    return html`<h2>${suite}</h2>\n${raw(chart(own))}\n${table(own)}\n`;
  });
  const body = html`<h1>${TITLE}</h1>
<p>${adapter}: ${roofText(roofs)}. Medians of interleaved rounds, after the libraries' results were compared.</p>
${sections}`;
  return page({ title: TITLE, body });
}

/** Bars of how many times faster wgrad is, on a logarithmic axis. */
function chart(rows: readonly Row[]): string {
  const shown = rows.filter((r) => r.vs_tfjs !== null || r.vs_jaxjs !== null).reverse();
  if (shown.length === 0) return '';
  const height = LAYOUT.header + shown.length * LAYOUT.row + LAYOUT.footer;
  const drawn = init(null, null, { renderer: 'svg', ssr: true, width: LAYOUT.width, height });
  const bars = (name: string, color: string, pick: (r: Row) => number | null) => ({
    type: 'bar' as const,
    name,
    itemStyle: { color },
    barGap: '0%',
    silent: true,
    data: shown.map(pick),
    label: {
      show: true,
      position: 'right' as const,
      color: INK,
      fontSize: 10,
      formatter: ({ value }: { value: unknown }) => (typeof value === 'number' ? times(value) : ''),
    },
    markLine: {
      silent: true,
      symbol: 'none',
      label: { show: false },
      lineStyle: { color: INK, type: 'solid' as const },
      data: [{ xAxis: 1 }],
    },
  });
  drawn.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'Helvetica, Arial, sans-serif' },
    title: { text: 'How many times faster (or smaller) wgrad is', left: 8, top: 6, textStyle: { fontSize: 15 } },
    legend: { top: 30, left: 8, icon: 'rect', itemWidth: 14, itemHeight: 8, itemGap: 24 },
    grid: { left: LAYOUT.names, right: 60, top: LAYOUT.header, bottom: LAYOUT.footer },
    xAxis: { type: 'log', logBase: 10, name: 'ratio', nameLocation: 'middle', nameGap: 26, splitLine: { show: true } },
    yAxis: {
      type: 'category',
      data: shown.map((r) => `${r.name}  ${r.shape}`),
      axisTick: { show: false },
      axisLabel: { color: INK, fontSize: 11, interval: 0 },
    },
    series: [bars('than tfjs', COLORS.tfjs, (r) => r.vs_tfjs), bars('than jax-js', COLORS.jaxjs, (r) => r.vs_jaxjs)],
  });
  const svg = drawn.renderToSVGString();
  drawn.dispose();
  return svg;
}

function table(rows: readonly Row[]): Html {
  const lines = rows.map((r) => {
    const note = r.note && html`\n<tr><td class="note" colspan="${COLUMNS.length}">${r.note}</td></tr>`;
    const [name, shape, ...figures] = cells(r).map((text) => html`${text}`);
    return html`<tr><th scope="row">${name}</th><th scope="row">${shape}</th>${figures.map((text) => html`<td>${text}</td>`)}</tr>${note}\n`;
  });
  return html`<div class="wide"><table>\n<tr>${COLUMNS.map((text) => html`<th>${text}</th>`)}</tr>\n${lines}</table></div>`;
}
