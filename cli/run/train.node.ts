import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { destroy, init, memory } from '../../engine/index.ts';
import { dataSetKind, openData } from '../../gan/data/datasets.node.ts';
import type { RunSettings } from '../../gan/runSettings.ts';
import { disposePlayers, partsOf } from '../../gan/system.ts';
import {
  checkConfig,
  configure,
  createSystem,
  type RunConfig,
  rowOf,
  settingsOf,
  streamsOf,
  USUAL_SYSTEM,
} from '../../gan/systems/table.ts';
import { linearDecay, type StepRow, train as steps } from '../../gan/train.ts';
import { createWatch, DivergenceError } from '../../gan/watch.ts';
import type { TrainOptions } from '../commands/options.ts';
import { createProgress } from '../terminal/progress.node.ts';
import { terminal } from '../terminal/terminal.node.ts';
import { commandNow } from './commandNow.ts';
import {
  aboutNow,
  adapterOf,
  commandOn,
  readConfig,
  resumedBy,
  type StoredRun,
  writeConfig,
} from './configFile.node.ts';
import { createRunFolder, resumeRunFolder } from './folder.node.ts';
import { type FolderLock, lockFolder } from './folderLock.node.ts';
import { goOn } from './goOn.node.ts';
import type { Job } from './job.ts';
import { pictureProblems } from './problems.node.ts';
import { TIMING } from './repairLog.node.ts';
import { CHECKPOINT, type RunStatus, STATUS } from './runFiles.ts';
import { createSnapshots, methodOf, type Snapshots, saveRun } from './snapshots.node.ts';
import { RESERVE, stepsInTime, timeLimit } from './timed.ts';

/**
 * Trains a model, from nothing or from a checkpoint, and keeps samples, curves, metrics and weights in a run folder.
 * @param signal stops the run after the step under way; what was learnt is kept
 * @throws Error with one line that names what is wrong and the remedy
 */
export async function train(options: TrainOptions, signal?: AbortSignal): Promise<void> {
  if (options.resume === undefined) return trainRun(options, undefined, signal);
  // Once to see that it is a run, and again when no other process writes in it any more.
  const { folder, config } = await readConfig(options.resume, options.given);
  if (options.system !== undefined && options.system !== config.system) {
    throw new Error(`${folder} is a run of ${config.system}, not of ${options.system}: leave the name out`);
  }
  const lock = lockFolder(folder);
  try {
    await trainRun(options, { ...(await readConfig(folder, options.given)), lock }, signal);
  } finally {
    lock.release();
  }
}

async function trainRun(
  options: TrainOptions,
  before: (StoredRun & { readonly lock: FolderLock }) | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { out, quiet } = options;
  const config = before?.config ?? newConfig(options);
  const say = (text: string): void => {
    if (!quiet) terminal.out.text(text);
  };
  const warn = (text: string): void => terminal.err.line(`wgrad: ${text}`);
  const set = await openData(config.data, {
    ...config.dataOptions,
    ...(config.data === 'folder' && { onWarning: warn }),
  });
  const device = await init({ adapter: options.adapter ?? (before && adapterOf(before.about)) });
  try {
    const streams = streamsOf(config, set);
    const { shape, classes } = set;
    const system = createSystem(config, { shape, classes: classes ?? [] });
    const parts = partsOf(system, streams);
    for (const warning of rowOf(config.system).method(system, config).warnings ?? []) warn(warning);
    const { meta, notices = [] } = before ? await goOn(before, parts, set) : {};
    const step = meta?.step ?? 0;
    const now = aboutNow({
      command: commandOn(device.name, options.command),
      shape,
      ...(classes && { classes }),
      adapter: device.name,
    });
    if (before && before.about.adapter !== device.name) {
      warn(
        `the run began on ${before.about.adapter} and goes on on ${device.name}: its numbers will differ a little from those of a run on one`,
      );
    }
    const resumed = before && resumeRunFolder(before.folder, step, before.lock);
    const run = resumed?.run ?? createRunFolder(out === undefined ? {} : { out });
    try {
      if (resumed) {
        const lost = meta ? pictureProblems(readdirSync(run.path), resumed.rows) : [];
        for (const notice of [...notices, ...resumed.notices, ...lost]) warn(notice);
      }
      const job = {
        config,
        set,
        system,
        streams,
        parts,
        run,
        about: before ? resumedBy(before.about, now, step, config) : now,
        adapter: device.name,
        say,
        quiet,
        resumed: before !== undefined,
        ...(meta && { meta }),
        ...(signal && { signal }),
      };
      await withStatus(job, createSnapshots(job));
    } finally {
      run.close();
      disposePlayers(system);
    }
  } finally {
    destroy();
  }
}

/** The configuration of a new run. Its folder of data is absolute: the run may go on from elsewhere. */
function newConfig({ system = USUAL_SYSTEM, preset, given }: TrainOptions): RunConfig {
  const data = given.data ?? (settingsOf(system).data!.default as string);
  const config = checkConfig('train', configure(system, dataSetKind(data), given, preset));
  const { folder } = config.dataOptions;
  return typeof folder !== 'string'
    ? config
    : { ...config, dataOptions: { ...config.dataOptions, folder: resolve(folder) } };
}

/** How far a run has come, and how far it is to go: null until a run that is limited by time knows. */
interface Course {
  step: number;
  steps: number | null;
}

/** Trains, and leaves a note in the folder of how it ended. */
async function withStatus(job: Job, snapshots: Snapshots): Promise<void> {
  const { run, meta } = job;
  const began = performance.now();
  const course: Course = { step: meta?.step ?? 0, steps: job.config.steps };
  const seconds = () => (meta?.seconds ?? 0) + (performance.now() - began) / 1000;
  const note = (state: RunStatus['state'], reason?: string, step = course.step): Promise<void> => {
    const status: RunStatus = {
      state,
      step,
      steps: course.steps,
      seconds: Math.round(seconds()),
      saved: snapshots.saved ?? null,
      ...(reason !== undefined && { reason }),
    };
    return run.write(STATUS, `${JSON.stringify(status, null, 2)}\n`);
  };
  try {
    await learn(job, snapshots, seconds, course, () => note('running'));
  } catch (error) {
    const { message } = error as Error;
    // The run's error is what counts, also on a disk that has no room for the note.
    await (error instanceof DivergenceError ? note('diverged', message, error.step) : note('stopped', message)).catch(
      () => {},
    );
    throw error;
  }
  const stopped = job.signal?.aborted ? stoppedBy(job.signal) : 'out of time';
  if (course.steps !== null && course.step >= course.steps) await note('finished');
  else await note('stopped', stopped);
  await snapshots.finish(course.step, seconds());
}

/** Why it stopped, by what the signal's sender says. */
const stoppedBy = ({ reason }: AbortSignal): string =>
  `stopped by ${typeof reason === 'string' && reason !== 'SIGINT' ? reason : 'Ctrl-C'}`;

async function learn(
  job: Job,
  snapshots: Snapshots,
  seconds: () => number,
  course: Course,
  note: () => Promise<void>,
): Promise<void> {
  const { config, system, run, adapter, say, meta, quiet, resumed } = job;
  const where = meta
    ? `going on after step ${meta.step} in`
    : resumed
      ? 'no checkpoint yet, beginning again in'
      : 'writing to';
  say(`${adapter}\n${job.set.title}: ${methodOf(job)}\n${where} ${run.path}`);
  await writeConfig(run, config, job.about);
  await snapshots.begin(meta);
  await note();
  const limit = AbortSignal.any([
    ...(job.signal ? [job.signal] : []),
    ...(config.seconds === null ? [] : [timeLimit(config.seconds * (1 - RESERVE) - seconds())]),
  ]);
  if (course.steps === null) {
    course.steps = await stepsInTime(config.seconds!, job, course.step, seconds, limit);
    const known = { ...config, steps: course.steps };
    await writeConfig(run, known, { ...job.about, command: commandNow(job.about.command, known) });
  }
  const of = course.steps;
  const save = async (): Promise<void> => {
    await saveRun(job, snapshots, course.step, seconds());
    await note();
  };
  const rate = {
    imagesPerStep: batchesPerStep(job) * config.batch,
    samples: job.set.kind === 'points' ? 'points' : 'images',
  } as const;
  const bar = createProgress({ total: of, ...rate, start: course.step, quiet });
  const watch = createWatch();
  // A row waits for the next one, or for what the snapshot at its step measures: the last row has scores wherever it stops.
  let held: StepRow | undefined;
  const write = (scores: StepRow = {}): void => {
    if (held) run.metrics.append({ ...held, ...scores });
    held = undefined;
  };
  try {
    const options = { until: of, from: course.step, signal: limit, rates: linearDecay(config.rateDecay) };
    const pauses = (step: number) => isSnapshot(config, of, step) || isSaved(config, step);
    for await (const row of steps(system, job.streams, { ...options, pauses })) {
      write();
      held = row;
      const step = row.step!;
      course.step = step;
      if (step % TIMING === 0) run.timing.append({ step, seconds: seconds(), ...memory() });
      bar.update(step, shortly(job, row));
      watched(watch, row, job, snapshots);
      if (!pauses(step)) continue;
      write(isSnapshot(config, of, step) ? await snapshots.take(step) : {});
      await save();
    }
    if (snapshots.shown !== course.step) {
      write(await snapshots.take(course.step));
      await save();
    }
  } finally {
    write();
    bar.stop();
  }
}

/** What the progress bar shows of a row. */
function shortly({ config, system }: Job, row: StepRow): StepRow {
  const { step: _, ...values } = row;
  return rowOf(config.system).bar?.(system, row) ?? values;
}

/** Looks at a row for signs of divergence. @throws DivergenceError that says which weights are kept */
function watched(watch: (row: StepRow) => void, row: StepRow, { run }: Job, { saved }: Snapshots): void {
  try {
    watch(row);
  } catch (error) {
    const where = saved === undefined ? '' : ` (weights of step ${saved}: ${run.file(CHECKPOINT)})`;
    if (error instanceof DivergenceError) error.message += where;
    throw error;
  }
}

/** Whether the settings ask for a checkpoint at a step, beside those of the snapshots. */
const isSaved = ({ checkpointEvery }: RunSettings, step: number): boolean =>
  checkpointEvery !== null && step % checkpointEvery === 0;

/** Whether the run draws and measures at a step. */
const isSnapshot = ({ snapshots }: RunSettings, steps: number, step: number): boolean =>
  Math.floor((step * snapshots) / steps) > Math.floor(((step - 1) * snapshots) / steps);

/** Batches of all streams that one step takes. */
const batchesPerStep = ({ system, streams }: Job): number =>
  Object.keys(streams).reduce((n, name) => n + (system.takes?.[name] ?? 1), 0);
