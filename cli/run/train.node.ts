import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { destroy, init, memory } from '../../engine/index.ts';
import { dataSetKind, openSampleSet } from '../../gan/data/datasets.node.ts';
import type { SampleSet } from '../../gan/data/sampleSet.ts';
import { smallest } from '../../gan/extremes.ts';
import { assemble } from '../../gan/train/assemble.ts';
import { configure, type TrainConfig } from '../../gan/train/config.ts';
import { checkConfig } from '../../gan/train/settings.ts';
import type { StepRow, Training } from '../../gan/train/training.ts';
import { createWatch, DivergenceError } from '../../gan/train/watch.ts';
import { saveCheckpoint } from '../../nn/index.node.ts';
import { decodeCheckpoint, encodeCheckpoint, type Json } from '../../nn/index.ts';
import type { TrainOptions } from '../commands/options.ts';
import { imagesPerStep } from '../pages/quantities.node.ts';
import { createProgress } from '../terminal/progress.node.ts';
import { terminal } from '../terminal/terminal.node.ts';
import { commandNow } from './commandNow.ts';
import {
  aboutNow,
  adapterOf,
  type RunAbout,
  readConfig,
  resumedBy,
  type StoredRun,
  writeConfig,
} from './configFile.node.ts';
import { createRunFolder, type RunFolder, resumeRunFolder } from './folder.node.ts';
import { type FolderLock, lockFolder } from './folderLock.node.ts';
import { goOn, RESERVE } from './goOn.node.ts';
import { pictureProblems } from './problems.node.ts';
import { TIMING } from './repairLog.node.ts';
import { CHECKPOINT, type CheckpointMeta, type RunStatus, STATUS } from './runFiles.ts';
import { createSnapshots, methodOf, type Snapshots } from './snapshots.node.ts';

/** A run that is limited by time finds its number of steps in this share of it, and at least so many seconds. */
const TRIAL = { share: 0.03, seconds: 3 };

/**
 * Trains a model, from nothing or from a checkpoint, and keeps samples, curves, metrics and weights in a run folder.
 * @param signal stops the run after the step under way; what was learnt is kept
 * @throws Error with one line that names what is wrong and the remedy
 */
export async function train(options: TrainOptions, signal?: AbortSignal): Promise<void> {
  if (options.resume === undefined) return trainRun(options, undefined, signal);
  // Once to see that it is a run, and again when no other process writes in it any more.
  const { folder } = await readConfig(options.resume, options.given);
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
  const set = await openSampleSet(config.data, {
    ...config.dataOptions,
    ...(config.data === 'folder' && { onWarning: warn }),
  });
  const device = await init({ adapter: options.adapter ?? (before && adapterOf(before.about)) });
  try {
    const training = assemble(config, set);
    if (config.criticNorm === 'batch' && training.gan.regularizers.some((r) => r.penalty)) {
      warn(
        'a penalty on the slope at each sample is of little meaning behind batch norm, which mixes samples (Gulrajani et al. 2017, section 4): --critic-norm layer or none',
      );
    }
    const { meta, notices = [] } = before ? await goOn(before, training, set) : {};
    const step = meta?.step ?? 0;
    const now = aboutNow({ command: commandOn(device.name, options.command), shape: set.shape, adapter: device.name });
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
        training,
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
      training.dispose();
    }
  } finally {
    destroy();
  }
}

/** The configuration of a new run. Its folder of data is absolute: the run may go on from elsewhere. */
function newConfig({ preset, given }: TrainOptions): TrainConfig {
  const config = checkConfig('train', configure(preset, dataSetKind(given.data ?? 'mnist'), given));
  const { folder } = config.dataOptions;
  return typeof folder !== 'string'
    ? config
    : { ...config, dataOptions: { ...config.dataOptions, folder: resolve(folder) } };
}

/** A command with the adapter that the run found, so that it makes the same numbers again; null without a command. */
function commandOn(adapter: string, command: string | undefined): string | null {
  const kind = adapterOf({ adapter });
  return command === undefined
    ? null
    : kind && !/ --adapter[ =]/.test(command)
      ? `${command} --adapter ${kind}`
      : command;
}

/** A run that is about to begin, or to go on. */
export interface Job {
  readonly config: TrainConfig;
  readonly set: SampleSet;
  readonly training: Training;
  readonly run: RunFolder;
  readonly about: RunAbout;
  /** The device's name. */
  readonly adapter: string;
  readonly say: (text: string) => void;
  readonly quiet: boolean;
  /** Whether it was begun before. */
  readonly resumed: boolean;
  /** Of the checkpoint that it goes on from. */
  readonly meta?: CheckpointMeta;
  readonly signal?: AbortSignal;
}

/** Trains, and leaves a note in the folder of how it ended. */
async function withStatus(job: Job, snapshots: Snapshots): Promise<void> {
  const { training, run, meta } = job;
  const began = performance.now();
  const progress = { steps: job.config.steps };
  const seconds = () => (meta?.seconds ?? 0) + (performance.now() - began) / 1000;
  const note = (state: RunStatus['state'], reason?: string, step = training.step): Promise<void> => {
    const status: RunStatus = {
      state,
      step,
      steps: progress.steps,
      seconds: Math.round(seconds()),
      saved: snapshots.saved ?? null,
      ...(reason !== undefined && { reason }),
    };
    return run.write(STATUS, `${JSON.stringify(status, null, 2)}\n`);
  };
  if (meta) training.resumeAt(meta.step);
  try {
    await learn(job, snapshots, seconds, progress, () => note('running'));
  } catch (error) {
    const { message } = error as Error;
    // The run's error is what counts, also on a disk that has no room for the note.
    await (error instanceof DivergenceError ? note('diverged', message, error.step) : note('stopped', message)).catch(
      () => {},
    );
    throw error;
  }
  const stopped = job.signal?.aborted ? stoppedBy(job.signal) : 'out of time';
  if (progress.steps !== null && training.step >= progress.steps) await note('finished');
  else await note('stopped', stopped);
  await snapshots.finish(seconds());
}

/** Why it stopped, by what the signal's sender says. */
const stoppedBy = ({ reason }: AbortSignal): string =>
  `stopped by ${typeof reason === 'string' && reason !== 'SIGINT' ? reason : 'Ctrl-C'}`;

async function learn(
  job: Job,
  snapshots: Snapshots,
  seconds: () => number,
  progress: { steps: number | null },
  note: () => Promise<void>,
): Promise<void> {
  const { config, training, run, adapter, say, meta, quiet, resumed } = job;
  const where = meta
    ? `going on after step ${meta.step} in`
    : resumed
      ? 'no checkpoint yet, beginning again in'
      : 'writing to';
  say(`${adapter}\n${job.set.title}: ${methodOf(job)}\n${where} ${run.path}`);
  await writeConfig(run, config, job.about);
  await snapshots.begin(meta);
  await note();
  const watch = createWatch();
  let bar: ReturnType<typeof createProgress> | undefined;
  // The row of a step with a snapshot is written with what the snapshot measures.
  let held: StepRow | undefined;
  const flush = (figures: StepRow = {}): void => {
    if (held) run.metrics.append({ ...held, ...figures });
    held = undefined;
  };
  const onRow = (row: StepRow): void => {
    flush();
    held = row;
    const step = row.step!;
    if (step % TIMING === 0) run.timing.append({ step, seconds: seconds(), ...memory() });
    const { criticLoss, generatorLoss } = row;
    const { estimate } = training.gan.objective;
    bar?.update(step, {
      ...(estimate && { [SHORT[estimate.name] ?? estimate.name]: row[estimate.name]! }),
      critic: criticLoss!,
      generator: generatorLoss!,
    });
    try {
      watch(row);
    } catch (error) {
      flush();
      const { saved } = snapshots;
      const where = saved === undefined ? '' : ` (weights of step ${saved}: ${run.file(CHECKPOINT)})`;
      if (error instanceof DivergenceError) error.message += where;
      throw error;
    }
  };
  const limit = AbortSignal.any([
    ...(job.signal ? [job.signal] : []),
    ...(config.seconds === null ? [] : [timeLimit(config.seconds * (1 - RESERVE) - seconds())]),
  ]);
  const save = async (): Promise<void> => {
    const { before } = snapshots;
    await refuseBroken(training, snapshots.saved);
    const state: CheckpointMeta = {
      step: training.step,
      seconds: seconds(),
      samples: job.set.train.count,
      ...(job.set.fingerprint !== undefined && { data: job.set.fingerprint }),
      before,
    };
    await saveCheckpoint(run.file(CHECKPOINT), training.parts, state as unknown as Json, run.check);
    snapshots.saved = training.step;
    await note();
  };
  const snapshot = async (): Promise<void> => {
    flush(await snapshots.take(training.step));
    await save();
  };
  try {
    if (progress.steps === null) {
      progress.steps = await stepsInTime(config.seconds!, training, seconds, limit);
      const known = { ...config, steps: progress.steps };
      await writeConfig(run, known, { ...job.about, command: commandNow(job.about.command, known) });
    }
    const steps = progress.steps;
    const rate = { imagesPerStep: imagesPerStep({ ...config })!, samples: job.set.kind };
    bar = createProgress({ total: steps, ...rate, start: training.step, quiet });
    while (training.step < steps && !limit.aborted) {
      const next = smallest(nextStops(config, steps, training.step));
      await training.run(next, { of: steps, signal: limit, onRow });
      if (limit.aborted) break;
      if (isSnapshot(config, steps, training.step)) await snapshot();
      else {
        flush();
        await save();
      }
    }
    if (snapshots.shown !== training.step) await snapshot();
  } finally {
    flush();
    bar?.stop();
  }
}

/** Names for the progress bar. */
const SHORT: Readonly<Record<string, string>> = { wasserstein: 'W', totalVariation: 'TV', triangular: 'Δ' };

/** The steps at which the run next stops to draw or to save, and its end. */
function nextStops({ snapshots, checkpointEvery }: TrainConfig, steps: number, step: number): number[] {
  const drawn = Math.floor((step * snapshots) / steps) + 1;
  const stops = [steps, Math.ceil((drawn * steps) / snapshots)];
  if (checkpointEvery !== null) stops.push((Math.floor(step / checkpointEvery) + 1) * checkpointEvery);
  return stops;
}

const isSnapshot = ({ snapshots }: TrainConfig, steps: number, step: number): boolean =>
  Math.floor((step * snapshots) / steps) > Math.floor(((step - 1) * snapshots) / steps);

/**
 * Trains for a moment, to tell how many steps fit into the time, and goes back to where it was: the run has the numbers of one
 * that is given these steps.
 * @returns the number of steps of the whole run
 */
async function stepsInTime(
  limit: number,
  training: Training,
  seconds: () => number,
  signal: AbortSignal,
): Promise<number> {
  const { step } = training;
  const kept = await encodeCheckpoint(training.parts);
  const quick = { of: Number.POSITIVE_INFINITY, signal };
  await training.run(step + 2, quick); // shaders are compiled here
  const [from, since] = [training.step, seconds()];
  const until = since + Math.max(TRIAL.seconds, limit * TRIAL.share);
  while (seconds() < Math.min(until, limit) && !signal.aborted) await training.run(training.step + 5, quick);
  const rate = (training.step - from) / (seconds() - since);
  await decodeCheckpoint(kept, training.parts);
  training.resumeAt(step);
  return step + Math.max(1, Math.floor(rate * (limit * (1 - 2 * RESERVE) - seconds())));
}

/** @throws DivergenceError for weights that are not finite: the checkpoint before stays */
async function refuseBroken(training: Training, saved: number | undefined): Promise<void> {
  const { critic, generator } = training.gan.networks;
  for (const p of [...critic.parameters(), ...generator.parameters()]) {
    if ((await p.data()).every((w) => Number.isFinite(w))) continue;
    const where = saved === undefined ? '' : ` (weights of step ${saved} are kept)`;
    const remedy = 'lower the learning rates, or try another seed';
    throw new DivergenceError(training.step, `weights are not finite${where}`, remedy);
  }
}

function timeLimit(seconds: number): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), Math.max(0, seconds) * 1000).unref();
  return controller.signal;
}
