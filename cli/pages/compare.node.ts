import sharp from 'sharp';
import { writeFileAtomic } from '../../engine/platform/atomicWrite.node.ts';
import { largest, smallest, thinned } from '../../gan/extremes.ts';
import { plot } from '../../gan/pictures/plot.ts';
import { pointsOf } from '../../gan/pictures/plotCurves.ts';
import { spreadOf } from '../../gan/pictures/plotData.ts';
import type { PlotPanel, PlotPoint, PlotSeries } from '../../gan/pictures/plotTypes.ts';
import { type RunRecord, type RunScore, readRun } from '../run/read.node.ts';
import { type Grouping, groupRuns, type RunGroup } from './groups.node.ts';
import { type Html, html, inlineSvg, page, table } from './html.ts';
import { badge, notes, picture, rounded, shownValue } from './pageParts.node.ts';
import { quantitiesOf, secondsAt, words } from './quantities.node.ts';

/** Groups that get a colour of their own, and then another kind of line; the others are grey. */
const [COLOURS, STYLES] = [7, ['solid', 'dashed', 'dotted'] as const];
/** Pictures of a page at most, columns of them, and their largest side in pixels. */
const [PICTURES, COLUMNS, SIDE] = [80, 5, 280];
/** Runs whose scores stand side by side. */
const SIDE_BY_SIDE = 5;
const WIDTH = 520;

/**
 * Writes one page of several runs: their final scores with the best marked, curves by step and by time, grids at equal steps, and
 * where their configurations differ. Runs that differ in the seed only are drawn together, as their mean with a band from the least to
 * the greatest. An existing page is replaced.
 *
 * @param folders 1 to some 100 run folders, as the page lists them; a folder given twice counts once
 * @param out path of the page
 * @param onProblem takes what is missing or broken in a folder, by the run's name, a sentence each: the page says the first ones too
 * @returns `out`
 * @throws RangeError without a folder
 * @throws Error in one line, before anything is written, for a folder that does not exist or holds no run
 */
export async function writeComparison(
  folders: readonly string[],
  out: string,
  onProblem: (problem: string) => void = () => {},
): Promise<string> {
  if (folders.length === 0)
    throw new RangeError('writeComparison: there is no run to compare; name at least one folder');
  const seen = new Map(folders.map((folder) => readRun(folder)).map((run) => [run.path, run]));
  const runs = [...seen.values()];
  for (const { name, problems } of runs) for (const problem of problems) onProblem(`${name}: ${problem}`);
  await writeFileAtomic(out, await comparisonPage(runs));
  return out;
}

async function comparisonPage(runs: readonly RunRecord[]): Promise<string> {
  const grouping = groupRuns(runs);
  const { groups } = grouping;
  const plural = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
  const title =
    groups.length === runs.length
      ? plural(runs.length, 'run')
      : `${plural(runs.length, 'run')} in ${plural(groups.length, 'group')}`;
  const problems = runs.flatMap((run) => run.problems.map((problem) => `${run.name}: ${problem}`));
  const shown = problems.slice(0, 12);
  const body = html`<header>
<h1>Comparison of ${title}</h1>
${groups.length < runs.length && html`<p class="muted">Runs that differ in the seed only are one group: its mean, and a band from the least to the greatest.</p>`}
</header>
<main>
${scoresPart(groups)}
${curvesPart(groups)}
${await picturesPart(groups)}
${configPart(grouping)}
${problems.length > 0 && html`<section><h2>Missing or broken</h2>${notes(problems.length > shown.length ? [...shown, `and ${problems.length - shown.length} more`] : shown)}</section>`}
</main>`;
  return page({ title: `Comparison of ${title}`, body });
}

/** How far a score is from the best that there is. */
const badness = ({ better, best }: RunScore, value: number): number =>
  best !== undefined ? Math.abs(value - best) : better === 'higher' ? -value : value;

function scoresPart(groups: readonly RunGroup[]): Html | false {
  const all = groups.flatMap(({ runs }) => runs.flatMap((run) => run.scores));
  const kinds = [...new Map(all.map((f) => [f.key, f])).values()];
  if (kinds.length === 0) return false;
  const values = groups.map(({ runs }) =>
    kinds.map(({ key }) => runs.flatMap((run) => run.scores.filter((f) => f.key === key).map((f) => f.value))),
  );
  const mean = (v: readonly number[]): number => v.reduce((sum, x) => sum + x, 0) / v.length;
  const best = kinds.map((kind, k) => {
    const scores = values.map((row) => row[k]!).flatMap((v) => (v.length > 0 ? [badness(kind, mean(v))] : []));
    return (kind.better || kind.best !== undefined) && scores.length > 1 ? smallest(scores) : Number.NaN;
  });
  const rows = groups.map((group, g) => [
    nameOf(group),
    ...kinds.map((kind, k) => {
      const own = values[g]![k]!;
      if (own.length === 0) return '–';
      const ends =
        own.length > 1 &&
        html` <span class="muted">(${rounded(smallest(own))} to ${rounded(largest(own))}, ${own.length} seeds)</span>`;
      const marked = badness(kind, mean(own)) === best[k];
      const few = groups[g]!.runs.some((run) => run.scores.some((f) => f.key === kind.key && f.tooFew));
      return html`${marked ? html`<span class="best">${rounded(mean(own))} (best)</span>` : rounded(mean(own))}${ends}${few && html` <span class="muted">of too few samples</span>`}`;
    }),
  ]);
  const head = kinds.map(({ title, better, best }) => {
    const rule = best !== undefined ? `best at ${rounded(best)}` : better && `${better} is better`;
    return html`${title}${rule && html` <span class="muted">${rule}</span>`}`;
  });
  const lines = [['', ...head], ...rows];
  // A few runs are columns beside each other, many are rows: the page scrolls downwards.
  const turned = groups.length <= SIDE_BY_SIDE ? lines[0]!.map((_, k) => lines.map((line) => line[k]!)) : lines;
  return html`<section>
<h2>Final scores</h2>
${table(turned[0]!, turned.slice(1), 'scores')}
</section>`;
}

/** A group's label, with what sets it apart, or its runs. */
function nameOf({ label, differs, runs }: RunGroup): Html {
  const names = runs.slice(0, 3).map(({ name }) => name);
  const more = runs.length > names.length ? ` and ${runs.length - names.length} more` : '';
  const under = runs.length > 1 ? `${names.join(', ')}${more}` : differs;
  return html`${label}${under && html` <span class="muted">${under}</span>`}`;
}

function curvesPart(groups: readonly RunGroup[]): Html {
  const rows = groups.flatMap(({ runs }) => runs.flatMap((run) => run.metrics));
  const quantities = quantitiesOf(rows).flatMap((q) =>
    q.curves.map(({ key, label }) => ({
      key,
      axis: q.axis,
      title: q.curves.length > 1 ? `${q.title}: ${label}` : q.title,
    })),
  );
  const charts = quantities.flatMap(({ key, title, axis }) =>
    [
      chart(groups, title, axis, 'generator step', (run) => pointsOf(run.metrics, 'step', key)),
      chart(groups, title, axis, 'seconds of training', (run) => {
        const at = secondsAt(run.timing);
        return pointsOf(run.metrics, 'step', key).flatMap(([step, y]): PlotPoint[] => {
          const x = at(step);
          return x === undefined ? [] : [[x, y]];
        });
      }),
    ].filter((c) => c !== undefined),
  );
  const grey = groups.length - COLOURS * STYLES.length;
  return html`<section>
<h2>Curves</h2>
<p class="muted">Long curves are drawn by the mean of each 1/120 of their range.${grey > 0 && ` ${grey} groups, the last ones, are grey.`}</p>
${charts.length > 0 ? html`<div class="plots">${charts}</div>` : html`<p class="muted">The runs have logged no numbers.</p>`}
</section>`;
}

function chart(
  groups: readonly RunGroup[],
  title: string,
  axis: string,
  x: string,
  points: (run: RunRecord) => PlotPoint[],
): Html | undefined {
  const series = groups.flatMap(({ label, runs }, g): PlotSeries[] => {
    const curves = runs.map(points).filter((curve) => curve.length > 0);
    if (curves.length === 0) return [];
    const { mean, band } = spreadOf(curves);
    const grey = g >= COLOURS * STYLES.length;
    const look = grey
      ? ({ label: '', color: 'grey' } as const)
      : { label, color: g % COLOURS, dash: STYLES[Math.floor(g / COLOURS)]! };
    const line: PlotSeries = { kind: 'line', points: mean, ...look };
    return curves.length > 1 && !grey
      ? [{ kind: 'band', points: band, label: look.label, color: look.color }, line]
      : [line];
  });
  if (series.length === 0) return undefined;
  const panel: PlotPanel = { title, x: { label: x }, y: { label: axis }, series, height: 200 };
  return html`<figure>${inlineSvg(plot({ panels: [panel], width: WIDTH }))}</figure>`;
}

async function picturesPart(groups: readonly RunGroup[]): Promise<Html | false> {
  const shown = groups
    .map((group) => ({ group, run: group.runs.find(({ pictures }) => pictures.length > 0) }))
    .slice(0, PICTURES);
  const rows = shown.flatMap(({ group, run }) => (run ? [{ group, run }] : []));
  if (rows.length === 0) return false;
  const counts = new Map<number, number>();
  for (const { run } of rows)
    for (const { step } of run.pictures) if (step !== undefined) counts.set(step, (counts.get(step) ?? 0) + 1);
  // Steps that as many runs as possible have a grid of.
  const most = Math.max(0, largest(counts.values()));
  const equal = [...counts].flatMap(([step, n]) => (n === most ? [step] : [])).sort((a, b) => a - b);
  const columns = Math.max(1, Math.min(COLUMNS, Math.floor(PICTURES / rows.length), equal.length));
  const steps = columns === 1 ? equal.slice(-1) : thinned(equal, columns);
  const cells = [];
  for (const { group, run } of rows) {
    const { label } = group;
    const own = [];
    for (const step of steps) {
      const found = run.pictures.find((p) => p.step === step);
      own.push(found ? await small(found.bytes, `${label}, step ${step}`) : '–');
    }
    const last = run.pictures.at(-1)!;
    cells.push([nameOf(group), ...(steps.length > 0 ? own : [await small(last.bytes, `${label}, last samples`)])]);
  }
  const seeds = groups.some(({ runs }) => runs.length > 1);
  const head = steps.length > 0 ? steps.map((step) => `step ${step}`) : ['last samples'];
  return html`<section>
<h2>Samples at equal steps</h2>
${seeds && html`<p class="muted">Of each group, the run with the lowest seed.</p>`}
${groups.length > shown.length && html`<p class="muted">The first ${PICTURES} groups only.</p>`}
${table(['', ...head], cells, 'side')}
</section>`;
}

/** The picture, made smaller where it is large. */
async function small(bytes: Uint8Array, alt: string): Promise<Html> {
  const { data, info } = await sharp(bytes)
    .resize({ width: SIDE, height: SIDE, fit: 'inside', withoutEnlargement: true })
    .png({ compressionLevel: 9 })
    .toBuffer({ resolveWithObject: true });
  return picture(data, info, alt);
}

function configPart({ groups, differing, common }: Grouping): Html {
  const runs = groups.flatMap((group) => group.runs);
  const rows = runs.map((run) => [
    run.name,
    ...differing.map((key) => shownValue(run.config[key])),
    shownValue(run.config.seed),
    String(run.step),
    html`${badge(run)} ${run.reason}`,
  ]);
  return html`<section>
<h2>Runs</h2>
${table(['run', ...differing.map(words), 'seed', 'steps', 'state'], rows, 'words')}
${
  common.length > 0 &&
  html`<h2>What they have in common</h2>
${table(
  [],
  common.map((key) => [words(key), shownValue(runs.find((run) => key in run.config)?.config[key])]),
  'words',
)}`
}
</section>`;
}
