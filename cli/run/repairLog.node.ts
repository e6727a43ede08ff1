import { closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { fileError } from '../../engine/platform/atomicWrite.node.ts';
import type { Row } from '../../gan/row.ts';
import type { FolderLock } from './folderLock.node.ts';
import { type LogLine, type LogText, parseJsonLines, spans } from './jsonLines.node.ts';

/** What a log is to hold when its run goes on. */
export interface RepairedLog {
  /** The log's rows up to the checkpoint, in the order of their steps. */
  readonly text: string;
  readonly rows: readonly Row[];
  /** What was missing or broken, a sentence each. */
  readonly notices: readonly string[];
}

/** Steps between two rows of timing.jsonl. */
export const TIMING = 10;

/**
 * The rows of `metrics.jsonl` up to a step, each once.
 * @throws Error that names the rows that are missing, or there twice with different numbers: they cannot be made again
 */
export function metricsUpTo(log: LogText, step: number): RepairedLog {
  const { path } = log;
  const { kept, unequal, missing, notices } = upTo(log, step, 1);
  const remedy = 'copy the log back from where it is whole, or start a new run';
  if (missing.length > 0) {
    const why = log.text === undefined ? ': it is gone' : log.text === '' ? ': it is empty' : '';
    throw new Error(
      `${path} lacks the rows of steps ${spans(missing)}, which the checkpoint of step ${step} has behind it${why}${notices.length > 0 ? ` (${notices.join('; ')})` : ''}: ${remedy}`,
    );
  }
  if (unequal.length > 0) {
    throw new Error(
      `${path} has different rows of the same steps, ${spans(unequal)}, so that it cannot be told which are the run's: ${remedy}`,
    );
  }
  return { ...rebuilt(kept), notices };
}

/** The rows of `timing.jsonl` up to a step: what is missing there stays missing, as it decides no numbers. */
export function timingUpTo(log: LogText, step: number): RepairedLog {
  const { kept, unequal, missing, notices } = upTo(log, step, TIMING);
  const said = [...notices];
  if (unequal.length > 0)
    said.push(`${basename(log.path)} has several rows of steps ${spans(unequal)}: the first of each is kept`);
  if (missing.length > 0) {
    const at =
      missing.length > 3 ? `${missing.length} of its rows up to step ${step}` : `the rows of steps ${spans(missing)}`;
    said.push(`${basename(log.path)} lacks ${at}: the times of these steps are lost`);
  }
  return { ...rebuilt(kept), notices: said };
}

const rebuilt = (lines: readonly LogLine[]) => ({
  text: lines.map(({ text }) => `${text}\n`).join(''),
  rows: lines.map(({ row }) => row),
});

/** Sorts a log out. @param every steps between its rows */
function upTo({ path, text = '' }: LogText, step: number, every: number) {
  const name = basename(path);
  const { lines, broken, unfinished } = parseJsonLines(text);
  const notices: string[] = [];
  if (unfinished) notices.push(`${name} broke off in its last line, which is dropped`);
  const foreign = broken.map(({ line }) => line);
  const found = new Map<number, LogLine>();
  const [equal, unequal] = [new Set<number>(), new Set<number>()];
  let [sorted, before] = [true, 0];
  for (const line of lines) {
    const at = line.row.step;
    if (!Number.isSafeInteger(at) || at! < 1) foreign.push(line.line);
    else if (at! <= step) {
      const known = found.get(at!);
      if (!known) found.set(at!, line);
      else (JSON.stringify(known.row) === JSON.stringify(line.row) ? equal : unequal).add(at!);
      if (!known && at! < before) sorted = false;
      before = Math.max(before, at!);
    }
  }
  const numbers = (set: Iterable<number>): number[] => [...set].sort((a, b) => a - b);
  if (foreign.length > 0)
    notices.push(`${name} has lines that are no rows of a run (line ${spans(numbers(foreign))}), which are dropped`);
  if (equal.size > 0)
    notices.push(`${name} had the same rows of steps ${spans(numbers(equal))} more than once: one of each is kept`);
  if (!sorted) notices.push(`${name} had its rows out of order, which are sorted`);
  const missing: number[] = [];
  for (let at = every; at <= step; at += every) if (!found.has(at)) missing.push(at);
  const kept = numbers(found.keys()).map((at) => found.get(at)!);
  return { kept, unequal: numbers(unequal), missing, notices };
}

/**
 * Puts a log with this text in the place of the old one. It is a new file: a process that was taken for gone and wakes up would go
 * on writing into the old one, which nobody reads any more.
 * @returns the new file, open for writing, and its bytes
 * @throws Error naming the path, and why it cannot be written
 */
export function replaceLog(path: string, text: string, lock: FolderLock): { descriptor: number; size: number } {
  const bytes = Buffer.from(text);
  let made: number | undefined;
  let target = path;
  try {
    target = targetOf(path);
    made = openSync(`${target}.new`, 'w');
    for (let done = 0; done < bytes.length; ) done += writeSync(made, bytes, done, bytes.length - done, done);
    fsyncSync(made);
    lock.check();
    renameSync(`${target}.new`, target);
    return { descriptor: made, size: bytes.length };
  } catch (error) {
    if (made !== undefined) {
      closeSync(made);
      rmSync(`${target}.new`, { force: true });
    }
    throw (error as NodeJS.ErrnoException).code === undefined ? error : fileError('write', path, error);
  }
}

/** Where a link leads: the log may lie elsewhere. */
function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return path;
    throw error;
  }
}
