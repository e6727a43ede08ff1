import { basename } from 'node:path';
import { defined } from '../../engine/internal.ts';
import { type PngHeader, pngHeader } from '../../gan/pictures/pngHeader.ts';
import type { Row } from '../../gan/row.ts';
import type { Table } from '../../gan/systems/row.ts';
import { pictureProblems, settingProblems } from './problems.node.ts';
import { RunFiles } from './readFiles.node.ts';
import { CHECKPOINT, STATUS } from './runFiles.ts';

/** A picture of a run folder. */
export interface RunPicture extends PngHeader {
  /** The name of the picture's file. */
  readonly name: string;
  /** The generator step, of `samples-000100.png`; undefined for `samples.png`. */
  readonly step: number | undefined;
  /** The file. */
  readonly bytes: Uint8Array;
}

/** A score of `evaluation.json`. */
export interface RunScore {
  /** Name in the file. */
  readonly key: string;
  /** The score's name for people. */
  readonly title: string;
  readonly value: number;
  /** The score's standard error or deviation. */
  readonly spread?: number;
  /** The score of real training data, the best to hope for. */
  readonly floor?: number;
  /** The score of noise. */
  readonly ceiling?: number;
  readonly better?: 'higher' | 'lower';
  /** The best score, where going further is worse again. */
  readonly best?: number;
  /** Why it says little: fewer samples than the metric needs. */
  readonly tooFew?: string;
}

/** A table that a run's system shows. */
export interface RunTable extends Table {
  readonly title: string;
}

/** How a run stands. */
export type RunState = 'running' | 'finished' | 'stopped' | 'diverged';

/** All that a run folder says, with what is wrong with it. */
export interface RunRecord {
  /** Absolute path of the folder. */
  readonly path: string;
  /** The folder's own name. */
  readonly name: string;
  /** What the run was asked for; empty where the file is missing or broken. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly metrics: readonly Row[];
  readonly timing: readonly Row[];
  /** Grids in the order of their steps; `samples.png`, where there is one, is last. */
  readonly pictures: readonly RunPicture[];
  readonly scores: readonly RunScore[];
  /** What `table-NAME.json` hold: what its system shows that is no picture. */
  readonly tables: readonly RunTable[];
  /** The last step in the log, 0 before the first. */
  readonly step: number;
  readonly state: RunState;
  /** Why it is so, in words. */
  readonly reason: string;
  /** What is missing or broken, a sentence each. */
  readonly problems: readonly string[];
}

/** A log that has not grown for so long, in milliseconds, is that of a run that is over. */
const QUIET = 120_000;

/**
 * Reads what there is in a run folder. Files that are missing or broken are named in `problems`; a killed run has some.
 *
 * The state is that of `state.json`, `{ state, reason }`, where a run has left one. Without it a run is finished when it has logged
 * all steps of its config, diverged when its last losses are no numbers, running while its log grows, and else stopped.
 *
 * @param options.now for tests; the present unless given
 * @throws Error in one line for a folder that does not exist or holds no run
 */
export function readRun(folder: string, options: { readonly now?: Date } = {}): RunRecord {
  const files = new RunFiles(folder);
  const { path, problems } = files;
  const config = files.json('config.json', 'config.json is missing');
  // Before the log: of a run under way, the row of a step is written before the state that names its checkpoint.
  const told = files.json(STATUS);
  const [metrics, timing] = [files.log('metrics.jsonl'), files.log('timing.jsonl')];
  const pictures = picturesOf(files);
  if (pictures.length === 0) problems.push('there are no grids of samples yet');
  const scores = scoresOf(evaluated(files.json('evaluation.json')), problems);
  const tables = tablesOf(files);
  const step = metrics.reduce((most, row) => Math.max(most, typeof row.step === 'number' ? row.step : 0), 0);
  const alive = (options.now ?? new Date()).getTime() - files.changed('metrics.jsonl') < QUIET;
  for (const problem of settingProblems(config)) problems.push(problem);
  // Runs of wgrad train have these settings, and by them files that others need not have.
  if ('snapshots' in config) {
    checkSaved(files, told, step);
    for (const problem of pictureProblems(files.names, metrics)) problems.push(problem);
  }
  return {
    path,
    name: basename(path),
    config,
    metrics,
    timing,
    pictures,
    scores,
    tables,
    step,
    problems,
    ...stateOf(config, metrics, step, alive, told),
  };
}

/** The grids of a folder in the order of their steps; `samples.png` is last. */
const picturesOf = (files: RunFiles): RunPicture[] =>
  files.names
    .map((name) => /^samples(?:-(\d+))?\.png$/.exec(name))
    .filter((found) => found !== null)
    .map(([name, digits]) => ({ name, step: digits === undefined ? undefined : Number(digits) }))
    .sort((a, b) => (a.step ?? Number.POSITIVE_INFINITY) - (b.step ?? Number.POSITIVE_INFINITY))
    .flatMap(({ name, step }): RunPicture[] => {
      const bytes = files.bytes(name);
      const header = bytes && pngHeader(bytes);
      if (bytes && !header) files.problems.push(`${name} is not a whole PNG file`);
      return bytes && header ? [{ name, step, bytes, ...header }] : [];
    });

/** What a system shows as tables, by the names of their files. */
const tablesOf = (files: RunFiles): RunTable[] =>
  files.names
    .filter((name) => /^table-[\w-]+\.json$/.test(name))
    .sort()
    .flatMap((name): RunTable[] => {
      const { title, head, rows } = files.json(name);
      const isTable = Array.isArray(head) && Array.isArray(rows) && rows.every((row) => Array.isArray(row));
      if (!isTable) files.problems.push(`${name} holds no table`);
      return isTable
        ? [{ title: String(title), head: head.map(String), rows: rows.map((row) => row.map(String)) }]
        : [];
    });

/** Notes what is missing of a run that says that it saved a checkpoint. */
function checkSaved(files: RunFiles, { saved }: Readonly<Record<string, unknown>>, step: number): void {
  const { problems } = files;
  if (!files.has(STATUS)) problems.push(`${STATUS} is missing`);
  if (typeof saved !== 'number') return;
  if (!files.has(CHECKPOINT)) {
    problems.push(`${CHECKPOINT} is missing, which was of step ${saved}: the run cannot go on or be sampled from`);
  }
  if (saved > step) problems.push(`metrics.jsonl ends at step ${step}, and the checkpoint is of step ${saved}`);
}

function stateOf(
  config: Readonly<Record<string, unknown>>,
  metrics: readonly Row[],
  step: number,
  alive: boolean,
  told: Readonly<Record<string, unknown>>,
): { state: RunState; reason: string } {
  const { state, reason } = told;
  if (state === 'finished' || state === 'stopped' || state === 'diverged') {
    return { state, reason: typeof reason === 'string' ? reason : '' };
  }
  const steps = typeof config.steps === 'number' ? config.steps : undefined;
  const of = steps === undefined ? `step ${step}` : `step ${step} of ${steps}`;
  const last = metrics.at(-1);
  const lost = last && ['criticLoss', 'generatorLoss'].filter((key) => key in last && typeof last[key] !== 'number');
  if (lost && lost.length > 0) return { state: 'diverged', reason: `at ${of}: ${lost.join(' and ')} not a number` };
  if (steps !== undefined && step >= steps) return { state: 'finished', reason: `all ${steps} steps` };
  if (alive) return { state: 'running', reason: `at ${of}` };
  return { state: 'stopped', reason: step === 0 ? 'before its first step' : `at ${of}` };
}

/** The scores of the file that `wgrad evaluate` writes, or of one that holds nothing else. */
const evaluated = (file: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  typeof file.figures === 'object' && file.figures !== null ? (file.figures as Record<string, unknown>) : file;

/** Scores as `evaluate` gives them, and plain numbers. */
function scoresOf(evaluation: Readonly<Record<string, unknown>>, problems: string[]): RunScore[] {
  return Object.entries(evaluation).flatMap(([key, entry]): RunScore[] => {
    const said = (typeof entry === 'object' && entry !== null ? entry : { value: entry }) as Record<string, unknown>;
    const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
    const inner = (part: unknown): number | undefined =>
      number(typeof part === 'object' && part !== null ? (part as { value?: unknown }).value : part);
    const value = number(said.value);
    if (value === undefined) {
      problems.push(`evaluation.json: ${key} has no number`);
      return [];
    }
    const [spread, best] = [number(said.spread), number(said.best)];
    const [floor, ceiling] = [inner(said.real ?? said.floor), inner(said.noise ?? said.ceiling)];
    const better = said.better === 'higher' || said.better === 'lower' ? said.better : between(floor, ceiling);
    const tooFew = typeof said.tooFew === 'string' ? said.tooFew : undefined;
    const title = typeof said.title === 'string' ? said.title : key;
    return [{ key, title, value, ...defined({ spread, best, floor, ceiling, better, tooFew }) }];
  });
}

/** Real data is better than noise. */
const between = (floor?: number, ceiling?: number): 'higher' | 'lower' | undefined =>
  floor === undefined || ceiling === undefined || floor === ceiling ? undefined : floor < ceiling ? 'lower' : 'higher';
