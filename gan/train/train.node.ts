import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { destroy, init, memory } from '../../engine/index.ts';
import { loadCheckpoint, saveCheckpoint } from '../../nn/index.node.ts';
import type { Json } from '../../nn/index.ts';
import type { TrainOptions } from '../cli/options.ts';
import { dataSetKind, openSampleSet } from '../data/datasets.node.ts';
import type { SampleSet } from '../data/sampleSet.ts';
import { createRunFolder, type RunFolder, resumeRunFolder } from '../run/folder.node.ts';
import { createProgress } from '../run/progress.node.ts';
import { assemble } from './assemble.ts';
import { configure, type TrainConfig } from './config.ts';
import { aboutNow, adapterOf, type RunAbout, readConfig, writeConfig } from './configFile.node.ts';
import { CHECKPOINT, type CheckpointMeta, type RunStatus, STATUS } from './runFiles.ts';
import { createSnapshots, type Snapshots } from './snapshots.node.ts';
import type { StepRow, Training } from './training.ts';
import { createWatch, DivergenceError } from './watch.ts';

/** Steps between two rows of timing.jsonl. */
const TIMING = 10;
/** A run that is limited by time looks for its number of steps after this share of it, and at least so many seconds. */
const TRIAL = { share: 0.05, seconds: 5 };
/** What a run that is limited by time keeps for its last measurements and pictures. */
const RESERVE = 0.03;

/**
 * Trains a model, from nothing or from a checkpoint, and keeps samples, curves, metrics and weights in a run folder.
 * @param signal stops the run after the step under way; what was learnt is kept
 * @throws Error with one line that names what is wrong and the remedy
 */
export async function train(options: TrainOptions, signal?: AbortSignal): Promise<void> {
  const { resume, out, quiet } = options;
  const before = resume === undefined ? undefined : await readConfig(resume, options.given);
  const config = before?.config ?? configure(options.preset, dataSetKind(options.given.data ?? 'mnist'), options.given);
  const say = (text: string): void => {
    if (!quiet) process.stdout.write(`${text}\n`);
  };
  const warn = (text: string): void => void process.stderr.write(`wgrad: ${text}\n`);
  const set = await openSampleSet(config.data, {
    ...config.dataOptions,
    ...(config.data === 'folder' && { onWarning: warn }),
  });
  const device = await init({ adapter: options.adapter ?? (before && adapterOf(before.about)) });
  try {
    const training = assemble(config, set);
    const checkpoint = resume === undefined ? undefined : resolve(resume, CHECKPOINT);
    const meta =
      checkpoint !== undefined && existsSync(checkpoint)
        ? ((await loadCheckpoint(checkpoint, training.parts)).metadata as unknown as CheckpointMeta)
        : undefined;
    const run =
      resume === undefined
        ? createRunFolder(out === undefined ? {} : { out })
        : resumeRunFolder(resume, meta?.step ?? 0);
    try {
      const job = {
        config,
        set,
        training,
        run,
        about: before?.about ?? aboutNow({ command: options.command ?? null, shape: set.shape, adapter: device.name }),
        adapter: device.name,
        say,
        quiet,
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
  const note = (state: RunStatus['state'], reason?: string): Promise<void> => {
    const status: RunStatus = {
      state,
      step: training.step,
      steps: progress.steps,
      seconds: Math.round(seconds()),
      ...(reason !== undefined && { reason }),
    };
    return run.write(STATUS, `${JSON.stringify(status, null, 2)}\n`);
  };
  await note('running');
  try {
    await learn(job, snapshots, seconds, progress);
  } catch (error) {
    // The run's error is what counts, also on a disk that has no room for the note.
    await note(error instanceof DivergenceError ? 'diverged' : 'stopped', (error as Error).message).catch(() => {});
    throw error;
  }
  const stopped = job.signal?.aborted ? 'stopped by Ctrl-C' : 'out of time';
  if (progress.steps !== null && training.step >= progress.steps) await note('finished');
  else await note('stopped', stopped);
  await snapshots.finish(seconds());
}

async function learn(
  job: Job,
  snapshots: Snapshots,
  seconds: () => number,
  progress: { steps: number | null },
): Promise<void> {
  const { config, training, run, adapter, say, meta, quiet } = job;
  say(`${adapter}\n${meta ? `going on after step ${meta.step} in` : 'writing to'} ${run.path}`);
  if (meta) training.resumeAt(meta.step);
  await writeConfig(run, config, job.about);
  await snapshots.begin(meta);
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
    const state: CheckpointMeta = { step: training.step, steps: progress.steps, seconds: seconds(), before };
    await saveCheckpoint(run.file(CHECKPOINT), training.parts, state as unknown as Json);
    snapshots.saved = training.step;
  };
  const snapshot = async (): Promise<void> => {
    flush(await snapshots.take(training.step));
    await save();
  };
  try {
    if (progress.steps === null) {
      progress.steps = await trial(config.seconds!, training, seconds, limit, onRow);
      await writeConfig(run, { ...config, steps: progress.steps }, job.about);
    }
    const steps = progress.steps;
    const imagesPerStep = config.batch * config.criticSteps * config.accumulate;
    bar = createProgress({ total: steps, imagesPerStep, start: training.step, quiet });
    while (training.step < steps && !limit.aborted) {
      const next = Math.min(...nextStops(config, steps, training.step));
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

/** Trains for a moment, to tell how many steps fit into the time. @returns the number of steps of the whole run */
async function trial(
  limit: number,
  training: Training,
  seconds: () => number,
  signal: AbortSignal,
  onRow: (row: StepRow) => void,
): Promise<number> {
  const quick = { of: Number.POSITIVE_INFINITY, signal, onRow };
  await training.run(training.step + 5, quick); // shaders are compiled here
  const [from, since] = [training.step, seconds()];
  const until = since + Math.max(TRIAL.seconds, limit * TRIAL.share);
  while (seconds() < Math.min(until, limit) && !signal.aborted) await training.run(training.step + 5, quick);
  if (training.step === from) return from; // out of time already
  const rate = (training.step - from) / (seconds() - since);
  return Math.max(training.step, training.step + Math.floor(rate * (limit * (1 - 2 * RESERVE) - seconds())));
}

function timeLimit(seconds: number): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), Math.max(0, seconds) * 1000).unref();
  return controller.signal;
}
