import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkRange, type OptionRange, ranges } from '../../engine/internal.ts';
import type { DataSource } from '../../gan/data/dataSource.ts';
import { loadCheckpoint } from '../../nn/index.node.ts';
import type { CheckpointParts } from '../../nn/index.ts';
import type { StoredRun } from './configFile.node.ts';
import { readJson, readText } from './readJson.node.ts';
import { CHECKPOINT, type CheckpointMeta, type RunStatus, STATUS } from './runFiles.ts';
import { dataDifference } from './sameData.ts';
import { RESERVE } from './timed.ts';

/** Where a run goes on. */
export interface GoingOn {
  /** What the checkpoint says; absent for a run that was stopped before its first one, which begins again. */
  readonly meta?: CheckpointMeta;
  /** What else was found missing or broken, a sentence each. */
  readonly notices: readonly string[];
}

/**
 * Loads the checkpoint of a run that goes on.
 * @param parts everything that the run changes
 * @throws Error for a checkpoint that is gone or of something else, data that have changed, or a time that is used up
 */
export async function goOn(
  { folder, config, about }: StoredRun,
  parts: CheckpointParts,
  set: DataSource,
): Promise<GoingOn> {
  const checkpoint = join(folder, CHECKPOINT);
  if (!existsSync(checkpoint)) {
    refuseLost(folder, checkpoint);
    return { notices: [] };
  }
  // Described first: what does not fit other data would otherwise be told in the words of one of its parts.
  const { metadata } = await loadCheckpoint(checkpoint);
  const meta = checkMeta(checkpoint, metadata);
  const difference = dataDifference(set, meta, about.shape);
  if (difference) {
    throw new Error(`${set.title} ${difference}: give the run the same data again, or start a new run`);
  }
  const { steps, seconds } = config;
  if (steps !== null && meta.step > steps) {
    throw new Error(
      `the run has done ${meta.step} steps already: give it more than that, as in --steps ${2 * meta.step}`,
    );
  }
  const done = steps !== null && meta.step >= steps;
  if (seconds !== null && !done && meta.seconds >= seconds * (1 - RESERVE)) {
    throw new Error(
      `the run has taken ${Math.round(meta.seconds)} s already: give it more, as in --time 1h or --steps 5000`,
    );
  }
  await loadCheckpoint(checkpoint, parts);
  return { meta, notices: statusNotices(folder) };
}

/** A run without a checkpoint may begin again only where it is sure that there was none. */
function refuseLost(folder: string, checkpoint: string): void {
  const status = readStatus(folder);
  if (status && status.saved !== null) {
    throw new Error(`${checkpoint} is gone: copy it back (it was of step ${status.saved}), or start a new run`);
  }
  if (!status && readText(join(folder, 'metrics.jsonl'))) {
    throw new Error(
      `${folder} has steps in its metrics.jsonl, but neither ${CHECKPOINT} nor ${STATUS}: copy both back, or start a new run`,
    );
  }
}

const optionalText: OptionRange = { holds: (v) => v === undefined || typeof v === 'string', says: 'a text' };

const statuses: { readonly [K in keyof RunStatus]-?: OptionRange } = {
  state: ranges.oneOf(['running', 'finished', 'stopped', 'diverged']),
  step: ranges.whole(0),
  steps: { holds: (v) => v === null || ranges.count.holds(v), says: 'a whole number, 1 or more, or null' },
  seconds: ranges.notNegative,
  saved: { holds: (v) => v === null || ranges.whole(0).holds(v), says: 'a whole number, 0 or more, or null' },
  reason: optionalText,
};

/** How the run stood. @throws Error naming the file and what is wrong with it */
function readStatus(folder: string): RunStatus | undefined {
  const path = join(folder, STATUS);
  const found = readJson(path, 'remove it, or copy it back');
  if (found === undefined) return undefined;
  if (typeof found !== 'object' || found === null || Array.isArray(found)) {
    throw new Error(`${path} is not the state of a run: remove it, or copy it back`);
  }
  for (const name of Object.keys(statuses) as (keyof RunStatus)[]) {
    checkRange(path, name, statuses[name], (found as RunStatus)[name]);
  }
  return found as RunStatus;
}

/** Notices of a file that is not needed where there is a checkpoint, and is written anew. */
function statusNotices(folder: string): string[] {
  try {
    return readStatus(folder) ? [] : [`${STATUS} is gone; it is written anew`];
  } catch (error) {
    return [`${(error as Error).message}; it is written anew`];
  }
}

const scores: OptionRange = {
  holds: (v) =>
    typeof v === 'object' && v !== null && !Array.isArray(v) && Object.values(v).every((n) => typeof n === 'number'),
  says: 'an object of numbers',
};

/** What a checkpoint's metadata say of the run. @throws Error naming the file */
export function checkMeta(path: string, found: unknown): CheckpointMeta {
  if (typeof found !== 'object' || found === null || Array.isArray(found)) {
    throw new Error(`${path} is a checkpoint, but none of wgrad train: it does not say of which step`);
  }
  const meta = found as unknown as CheckpointMeta;
  checkRange(path, 'step', ranges.whole(0), meta.step);
  checkRange(path, 'seconds', ranges.notNegative, meta.seconds);
  checkRange(path, 'samples', ranges.whole(0), meta.samples);
  checkRange(path, 'data', optionalText, meta.data);
  checkRange(path, 'before', scores, meta.before);
  return meta;
}
