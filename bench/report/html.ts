/** A page of its own with charts, to look at and to pass on. */
import { type Html, html, page, raw } from '../../cli/pages/html.ts';
import type { Roofs } from '../../engine/index.ts';
import { draw } from '../../gan/pictures/drawSpecs.ts';
import { PALETTE } from '../../gan/pictures/plotTheme.ts';
import type { Row } from '../run.ts';
import { SUITES } from '../task.ts';
import { COLUMNS, cells, roofText, times } from './table.ts';

export interface Report {
  readonly adapter: string;
  readonly roofs: Roofs;
  readonly rows: readonly Row[];
}

/** Of tfjs and of jax-js. */
const COLORS = [PALETTE[1], PALETTE[0]];
/** In pixels. */
const LAYOUT = { width: 980, names: 330, row: 30 };

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
  const peers = { 'than tfjs': (r: Row) => r.vs_tfjs, 'than jax-js': (r: Row) => r.vs_jaxjs };
  const values = rows.flatMap((r) =>
    Object.entries(peers).flatMap(([peer, of]) => {
      const ratio = of(r);
      return ratio === null ? [] : [{ task: `${r.name}  ${r.shape}`, peer, ratio, text: times(ratio) }];
    }),
  );
  if (values.length === 0) return '';
  const tasks = [...new Set(values.map(({ task }) => task))];
  const at = {
    y: {
      field: 'task',
      type: 'nominal',
      sort: tasks,
      title: null,
      axis: { labelLimit: 0, domain: false, ticks: false },
    },
    yOffset: { field: 'peer' },
  };
  const x = { field: 'ratio', type: 'quantitative', scale: { type: 'log' }, title: 'ratio' };
  const colors = { domain: Object.keys(peers), range: COLORS };
  const spec = {
    left: LAYOUT.names,
    width: LAYOUT.width - LAYOUT.names - 60,
    height: tasks.length * LAYOUT.row,
    data: { values },
    layer: [
      {
        mark: 'bar',
        encoding: {
          ...at,
          x,
          x2: { datum: 1 },
          color: { field: 'peer', scale: colors, legend: { title: null, orient: 'top' } },
        },
      },
      { mark: { type: 'text', align: 'left', dx: 4, fontSize: 10 }, encoding: { ...at, x, text: { field: 'text' } } },
      { mark: 'rule', encoding: { x: { datum: 1 } } },
    ],
  };
  return draw([spec], { title: 'How many times faster (or smaller) wgrad is', width: LAYOUT.width });
}

function table(rows: readonly Row[]): Html {
  const lines = rows.map((r) => {
    const note = r.note && html`\n<tr><td class="note" colspan="${COLUMNS.length}">${r.note}</td></tr>`;
    const [name, shape, ...figures] = cells(r).map((text) => html`${text}`);
    return html`<tr><th scope="row">${name}</th><th scope="row">${shape}</th>${figures.map((text) => html`<td>${text}</td>`)}</tr>${note}\n`;
  });
  return html`<div class="wide"><table>\n<tr>${COLUMNS.map((text) => html`<th>${text}</th>`)}</tr>\n${lines}</table></div>`;
}
