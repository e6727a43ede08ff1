import { Rng, sizeOf } from '../../engine/index.ts';
import { isSampleSet } from '../../gan/data/needs.ts';
import type { SampleSet } from '../../gan/data/sampleSet.ts';
import { loadDigitClassifier } from '../../gan/metrics/digitClassifier.node.ts';
import { tileImages } from '../../gan/pictures/grid.ts';
import { plotCurves } from '../../gan/pictures/plotCurves.ts';
import { encodePng } from '../../gan/pictures/png.node.ts';
import { pointsImage } from '../../gan/pictures/points.node.ts';
import { boxOf, onPlane } from '../../gan/pictures/points.ts';
import { randomStreams } from '../../gan/randomStreams.ts';
import type { SampleArray } from '../../gan/sampling/draw.ts';
import type { System } from '../../gan/system.ts';
import { firstPicture } from '../../gan/systems/configure.ts';
import type { Lab } from '../../gan/systems/row.ts';
import { rowOf } from '../../gan/systems/table.ts';
import type { StepRow } from '../../gan/train.ts';
import { DivergenceError } from '../../gan/watch.ts';
import { saveCheckpoint } from '../../nn/index.node.ts';
import type { Json } from '../../nn/index.ts';
import { quantitiesOf } from '../pages/quantities.node.ts';
import { writeReport } from '../pages/report.node.ts';
import { pngOf } from '../pages/shows.node.ts';
import { readJsonLines } from './folder.node.ts';
import type { Job } from './job.ts';
import { CHECKPOINT, type CheckpointMeta, gridName, tableName } from './runFiles.ts';
import { scoreLines, snapshotScores } from './scores.ts';

/** Images in a grid. */
const GRID = 64;

/** The pictures and measurements of a run, from the same latent codes throughout. */
export interface Snapshots {
  /** The step of the last one. */
  shown: number | undefined;
  /** The step of the last checkpoint. */
  saved: number | undefined;
  /** The scores before the first step. */
  readonly before: StepRow;
  /** Draws and measures what the first weights make, or takes that from the checkpoint. */
  begin(meta: CheckpointMeta | undefined): Promise<void>;
  /** Draws and measures. @returns the scores */
  take(step: number): Promise<StepRow>;
  /** Writes the last pictures and says how the run went. */
  finish(step: number, seconds: number): Promise<void>;
}

/** Snapshots of a run. */
export function createSnapshots(job: Job): Snapshots {
  const { set, run, say } = job;
  const view = viewOf(job);
  let last: StepRow = {};
  const own: Mutable<Snapshots> = {
    shown: undefined,
    saved: undefined,
    before: {},
    async begin(meta) {
      if (meta) {
        Object.assign(own, { before: meta.before, shown: meta.step, saved: meta.step });
        return;
      }
      own.before = await view.measure();
      await run.write(gridName(0), await view.picture());
    },
    async take(step) {
      last = await view.measure();
      await run.write(gridName(step), await view.picture());
      own.shown = step;
      return last;
    },
    async finish(step, seconds) {
      if (Object.keys(last).length === 0) last = await view.measure();
      await run.write('samples.png', await view.picture());
      for (const [name, text] of Object.entries(await tablesOf(job))) await run.write(name, `${text}\n`);
      const rows = readJsonLines(run.file('metrics.jsonl'));
      if (rows.length > 0) {
        const subtitle = `${methodOf(job)}, seed ${job.config.seed}, ${job.adapter}`;
        const x = { key: 'step', label: 'step' };
        await run.write('curves.svg', plotCurves({ title: set.title, subtitle, x, panels: quantitiesOf(rows), rows }));
      }
      run.check();
      await writeReport(run.path);
      say(
        [
          `${step} steps in ${seconds.toFixed(0)} s`,
          ...view.lines(own.before, last),
          `samples ${run.file('samples.png')}${rows.length > 0 ? `, curves ${run.file('curves.svg')}` : ''}, report ${run.file('report.html')}`,
        ].join('\n'),
      );
    },
  };
  return own;
}

/** What a run looks at. */
interface View {
  /** Draws anew, and measures. */
  measure(): Promise<StepRow>;
  /** A PNG of what was drawn when it was last measured. */
  picture(): Promise<Uint8Array>;
  /** Lines that say in words what changed. */
  lines(before: StepRow, after: StepRow): string[];
}

/** The tables that a run's system shows, by their files' names. */
async function tablesOf({ config, set, system }: Job): Promise<Readonly<Record<string, string>>> {
  const lab: Lab = { system, set, seed: config.seed, classifier: loadDigitClassifier };
  const files: Record<string, string> = {};
  for (const [name, show] of Object.entries(rowOf(config.system).shows ?? {})) {
    if ('draw' in show || show.suits?.(set) === false) continue;
    files[tableName(name)] = JSON.stringify({ title: show.title, ...(await show.tabulate(lab)) }, null, 2);
  }
  return files;
}

/** Samples of the same codes throughout, of a system that draws any; else its first show, and the measures that are quick. */
function viewOf(job: Job): View {
  const { config, set, system } = job;
  const row = rowOf(config.system);
  const look = (): Lab => ({ system, set, seed: config.seed, classifier: loadDigitClassifier });
  let lab = look();
  const quick = Object.entries(row.measures ?? {}).filter(([, { quick, suits }]) => quick && (suits?.(set) ?? true));
  const measured = async (): Promise<StepRow> => {
    lab = look();
    const scores: Record<string, number> = {};
    for (const [name, measure] of quick) scores[name] = await measure.compute(lab);
    return scores;
  };
  const change = (before: StepRow, after: StepRow): string[] =>
    quick.map(([name, { title, better }]) => {
      const [from, to] = [before, after].map((scores) => Number(scores[name]!.toPrecision(4)));
      return `${title}: before ${from}, after ${to} (${better} is better)`;
    });
  const show = firstPicture(row);
  if (!isSampleSet(set) || !system.draw) {
    if (!show) throw new Error(`${config.system}: a system that draws no samples needs something to show`);
    return { measure: measured, picture: async () => pngOf(await show.draw(lab)), lines: change };
  }
  const scores = snapshotScores(set);
  let samples: SampleArray;
  const draw = async () => {
    ({ samples } = await system.draw!(scores.count, new Rng(config.seed, randomStreams.samples)));
  };
  return {
    async measure() {
      await draw();
      return { ...scores.measure(samples), ...(await measured()) };
    },
    picture: async () => (show ? pngOf(await show.draw(lab)) : encodePng(await pictureOf(set, samples))),
    lines: (before, after) => [...scoreLines(set, scores, before, after), ...change(before, after)],
  };
}

/** How it is learnt, in words. */
export const methodOf = ({ config, system }: Pick<Job, 'config' | 'system'>): string =>
  rowOf(config.system).method(system, config).words;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A grid of images, or points over real ones. */
async function pictureOf(set: SampleSet, samples: SampleArray) {
  if (set.kind === 'images') {
    const size = sizeOf(set.shape);
    const scale = set.shape[0]! < 48 ? 2 : 1;
    return tileImages(samples.data.slice(0, GRID * size), [GRID, ...set.shape], { scale });
  }
  const real = onPlane({ data: set.test.data as Float32Array, shape: [set.test.count, ...set.shape] });
  return pointsImage({ samples: onPlane(samples), real, box: boxOf(real) });
}

/** Writes a checkpoint. */
export async function saveRun(job: Job, snapshots: Snapshots, step: number, seconds: number): Promise<void> {
  const { run, set, parts } = job;
  const { before } = snapshots;
  await refuseBroken(job.system, step, snapshots.saved);
  const state: CheckpointMeta = {
    step,
    seconds,
    samples: set.train.count,
    ...(set.fingerprint !== undefined && { data: set.fingerprint }),
    before,
  };
  await saveCheckpoint(run.file(CHECKPOINT), parts, state as unknown as Json, run.check);
  snapshots.saved = step;
}

/** @throws DivergenceError for weights that are not finite: the checkpoint before stays */
async function refuseBroken({ players }: System, step: number, saved: number | undefined): Promise<void> {
  for (const p of Object.values(players).flatMap(({ parameters }) => parameters)) {
    if ((await p.data()).every((w) => Number.isFinite(w))) continue;
    const where = saved === undefined ? '' : ` (weights of step ${saved} are kept)`;
    const remedy = 'lower the learning rates, or try another seed';
    throw new DivergenceError(step, `weights are not finite${where}`, remedy);
  }
}
