import { join } from 'node:path';
import { checked } from '../../engine/internal.ts';
import { writeFileAtomic } from '../../engine/platform/atomicWrite.node.ts';
import { thinned } from '../../gan/extremes.ts';
import { plot } from '../../gan/pictures/plot.ts';
import { pointsOf } from '../../gan/pictures/plotCurves.ts';
import type { PlotPanel, PlotSeries } from '../../gan/pictures/plotTypes.ts';
import type { Row } from '../../gan/row.ts';
import { type RunPicture, type RunRecord, type RunScore, readRun } from '../run/read.node.ts';
import { type Html, html, inlineSvg, page, table } from './html.ts';
import { badge, commandOf, duration, FACTS, headline, notes, picture, rounded, shownValue } from './pageParts.node.ts';
import { imagesPerStep, numbersOf, quantitiesOf, rates, words } from './quantities.node.ts';
import { PLAYER } from './reportScript.ts';

/** Options of `writeReport`. */
export interface ReportOptions {
  /** Path of the page; `report.html` in the run folder unless given. */
  readonly out?: string;
  /** Takes what is missing or broken in the folder, a sentence each: the page says it too. */
  readonly onProblem?: (problem: string) => void;
}

/** Grids over time, and their bytes, that a page holds at most. */
const [GRIDS, BYTES] = [60, 16e6];
/** Curves of fewer points are drawn as they are, with markers. */
const SPARSE = 40;
/** Pixels of a chart, about as wide as it is shown. */
const WIDTH = 460;

/**
 * Writes the page of a run: headline and state, samples over time, curves, final metrics, configuration and the command that
 * repeats it, in one file that loads nothing from elsewhere. Of a run that was killed or is going on it shows what there is, and
 * says what is missing or broken. An existing page is replaced.
 *
 * @returns path of the page
 * @throws Error in one line for a folder that does not exist or holds no run
 */
export async function writeReport(runFolder: string, options: ReportOptions = {}): Promise<string> {
  checked('writeReport', options, ['out', 'onProblem']);
  const run = readRun(runFolder);
  for (const problem of run.problems) options.onProblem?.(problem);
  const out = options.out ?? join(run.path, 'report.html');
  await writeFileAtomic(out, reportPage(run));
  return out;
}

function reportPage(run: RunRecord): string {
  const { config, state, reason, step, timing, problems } = run;
  const seconds = timing.reduce((most, row) => Math.max(most, Number(row.seconds) || 0), 0);
  const facts = [
    `${step.toLocaleString('en')} steps`,
    ...(seconds > 0 ? [duration(seconds)] : []),
    ...['seed', 'adapter', 'started'].flatMap((key) =>
      config[key] === undefined ? [] : [`${key} ${shownValue(config[key])}`],
    ),
  ];
  const title = headline(run);
  const body = html`<header>
<h1>${title}</h1>
<p>${badge(run)} ${reason}</p>
<p class="muted">${run.name} · ${facts.join(' · ')}</p>
</header>
${notes(problems)}
<main>
${samplesPart(run)}
${metricsPart(run.scores)}
${run.tables.map(({ title, head, rows }) => html`<section>\n<h2>${title.charAt(0).toUpperCase() + title.slice(1)}</h2>\n${table(head, rows)}\n</section>`)}
${curvesPart(run)}
${configPart(run)}
</main>`;
  return page({ title: `${title} (${state})`, body, script: PLAYER });
}

function samplesPart({ pictures }: RunRecord): Html | false {
  const last = pictures.at(-1);
  if (!last) return false;
  const steps = pictures.filter(({ step }) => step !== undefined);
  const strip = fitting(steps);
  const when = (step: number | undefined): string => (step === undefined ? 'the last samples' : `step ${step}`);
  const left = steps.length - strip.length;
  return html`<section>
<h2>Samples</h2>
<figure class="large" id="now">${picture(last.bytes, last, `samples, ${when(last.step)}`)}
<figcaption>${when(last.step)}</figcaption></figure>
${
  strip.length > 1 &&
  html`<div class="player" id="player" hidden><button type="button">Play</button><input type="range" min="0" max="${strip.length - 1}" value="${strip.length - 1}" step="1" aria-label="grid over time"><output></output></div>
<ol class="strip" id="strip" aria-label="grids over time">${strip.map((p) => html`<li><figure>${picture(p.bytes, p, `samples at step ${p.step!}`)}<figcaption>${when(p.step)}</figcaption></figure></li>`)}</ol>`
}
${left > 0 && html`<p class="muted">${left} more grids are in the run folder.</p>`}
</section>`;
}

/** As many grids as a page holds, evenly over the run, with the first and the last. */
function fitting(pictures: readonly RunPicture[]): readonly RunPicture[] {
  const bytes = pictures.reduce((sum, p) => sum + p.bytes.length, 0);
  const n = Math.max(2, Math.min(pictures.length, GRIDS, Math.floor((pictures.length * BYTES) / Math.max(bytes, 1))));
  return thinned(pictures, n);
}

function metricsPart(scores: readonly RunScore[]): Html | false {
  if (scores.length === 0) return false;
  const rows = scores.map(({ title, value, spread, floor, ceiling, better, best, tooFew }) => [
    title,
    html`<b>${rounded(value)}</b>${spread !== undefined && ` ± ${rounded(spread)}`}${tooFew && html`<br><span class="muted">too few samples: ${tooFew}</span>`}`,
    floor === undefined ? '–' : rounded(floor),
    ceiling === undefined ? '–' : rounded(ceiling),
    best !== undefined ? `best at ${rounded(best)}` : better ? `${better} is better` : '',
  ]);
  return html`<section>
<h2>Final metrics</h2>
${table(['metric', 'this run', 'real training data', 'noise', ''], rows)}
</section>`;
}

function curvesPart({ metrics, timing, config }: RunRecord): Html {
  const speed = rates(timing);
  const training = quantitiesOf(metrics).map((q) => panel(metrics, q.title, q.axis, q.curves));
  const perStep = imagesPerStep(config);
  // A point has one axis, an image three; of runs whose folder does not say, 'samples' is right.
  const rank = Array.isArray(config.shape) ? config.shape.length : 0;
  const samples = rank === 1 ? 'points' : rank === 3 ? 'images' : 'samples';
  const scaled = speed.map((row) => ({
    ...row,
    rate: row.stepsPerSecond === null || row.stepsPerSecond === undefined ? null : row.stepsPerSecond * (perStep ?? 1),
  }));
  const memory = numbersOf(timing).filter((key) => /bytes|memory/i.test(key));
  const inMegabytes = timing.map((row) =>
    Object.fromEntries(Object.entries(row).map(([k, v]) => [k, memory.includes(k) && v !== null ? v / 2 ** 20 : v])),
  );
  const labels = memory.map((key) => ({ key, label: words(key) }));
  const panels = [
    ...training,
    panel(scaled, 'Speed', perStep ? `${samples} the critic learns from in a second` : 'steps in a second', [
      { key: 'rate', label: 'rate' },
    ]),
    panel(inMegabytes, 'Memory', 'MiB', labels),
  ].filter((p) => p.series.length > 0);
  const charts = panels.map((p) => html`<figure>${inlineSvg(plot({ panels: [p], width: WIDTH }))}</figure>`);
  return html`<section>
<h2>Curves</h2>
${charts.length > 0 ? html`<div class="plots">${charts}</div>` : html`<p class="muted">The run has logged no numbers.</p>`}
</section>`;
}

function panel(
  rows: readonly Row[],
  title: string,
  axis: string,
  curves: readonly { key: string; label: string }[],
): PlotPanel {
  const series = curves.flatMap(({ key, label }): PlotSeries[] => {
    const points = pointsOf(rows, 'step', key);
    const dense = points.length >= SPARSE;
    return points.length > 0
      ? [{ kind: 'line', label, points, ...(dense ? { smooth: 0.02 } : { markers: true }) }]
      : [];
  });
  return { title, x: { label: 'generator step' }, y: { label: axis }, series };
}

function configPart(run: RunRecord): Html {
  const { config } = run;
  const command = commandOf(run);
  const asked = Object.keys(config).filter((key) => !FACTS.includes(key));
  const where = FACTS.filter((key) => key in config && key !== 'command');
  const rows = [...asked, ...where].map((key) => [words(key), shownValue(config[key])]);
  return html`<section>
<h2>Configuration</h2>
${rows.length > 0 ? table([], rows, 'words') : html`<p class="muted">unknown</p>`}
${
  command &&
  html`<h2>To run it again</h2>
<pre><code>${command}</code></pre>`
}
</section>`;
}
