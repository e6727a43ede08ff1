import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readdirSync, writeSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileError, writeFileAtomic } from '../../engine/platform/atomicWrite.node.ts';
import type { Row } from '../../gan/row.ts';
import { type FolderLock, LOCK, lockFolder } from './folderLock.node.ts';
import { parseJsonLines, readLog } from './jsonLines.node.ts';
import { metricsUpTo, type RepairedLog, replaceLog, timingUpTo } from './repairLog.node.ts';

/** The folder that keeps what one run made. */
export interface RunFolder {
  /** Absolute path. */
  readonly path: string;
  /**
   * `metrics.jsonl`: what the same seed on the same adapter makes again to the last digit, so no times and no rates.
   */
  readonly metrics: JsonLines;
  /** `timing.jsonl`: seconds, rates, memory: whatever differs from one run to the next. */
  readonly timing: JsonLines;
  /** Absolute path of a file in this folder. */
  file(name: string): string;
  /** Writes a file of this folder atomically (see `writeFileAtomic`), unless the folder has become another process's. */
  write(name: string, data: Uint8Array | string): Promise<void>;
  /**
   * Must be called before a write that does not go through this object, and once more before a file takes its name.
   * @throws Error in one sentence once another process writes in the folder, or the folder is gone
   */
  check(): void;
  /** Closes both logs and lets others write in the folder. The other files need no closing. */
  close(): void;
}

/** A log file of one JSON object in each line. */
export interface JsonLines {
  /** Appends a line: all of it, or on an error none. */
  append(row: Row): void;
  close(): void;
}

/**
 * Makes the folder for a new run, and locks it: `options.out` when named, else `runs/<date-time>`, with a suffix where that is
 * taken. Nothing that exists is ever overwritten.
 *
 * @param options.out a folder that does not exist yet, or is empty
 * @param options.root where folders without a name go; `runs` in the working directory unless given
 * @param options.now names the folder, in local time
 * @throws Error naming the folder when it is not empty, is a file, or cannot be written
 */
export function createRunFolder(options: { out?: string; root?: string; now?: Date } = {}): RunFolder {
  const path = options.out ? claimNamed(resolve(options.out)) : claimNext(resolve(options.root ?? 'runs'), options.now);
  const lock = lockFolder(path);
  try {
    if (options.out) claimNamed(path); // another run may have come and gone between the first look and the lock
    return openLogs(path, lock, (log) => appendTo(log, openNew(log), 0, lock));
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** The folder of a run that goes on, and what its logs had to be mended of. */
export interface ResumedFolder {
  readonly run: RunFolder;
  /** The steps of the rows that have pictures and measurements. */
  readonly rows: readonly Row[];
  /** What was missing or broken in the logs, a sentence each. */
  readonly notices: readonly string[];
}

/**
 * Opens the folder of a run that goes on after `step`: what its logs say of later steps, which are done again, is dropped, and what
 * can be mended is mended. `run.close()` releases the lock.
 * @param lock of this folder
 * @throws Error naming the folder, or the log and the rows that it lacks; nothing is changed then
 */
export function resumeRunFolder(path: string, step: number, lock: FolderLock): ResumedFolder {
  const folder = resolve(path);
  const logs: Record<string, RepairedLog> = {
    'metrics.jsonl': metricsUpTo(readLog(join(folder, 'metrics.jsonl')), step),
    'timing.jsonl': timingUpTo(readLog(join(folder, 'timing.jsonl')), step),
  };
  const run = openLogs(folder, lock, (log, name) => {
    const { descriptor, size } = replaceLog(log, logs[name]!.text, lock);
    return appendTo(log, descriptor, size, lock);
  });
  return { run, rows: logs['metrics.jsonl']!.rows, notices: Object.values(logs).flatMap(({ notices }) => notices) };
}

function openLogs(path: string, lock: FolderLock, open: (path: string, name: string) => JsonLines): RunFolder {
  const file = (name: string): string => join(path, name);
  const log = (name: string): JsonLines => open(file(name), name);
  const metrics = log('metrics.jsonl');
  const timing = log('timing.jsonl');
  return {
    path,
    metrics,
    timing,
    file,
    check: () => lock.check(),
    write: (name, data) => writeFileAtomic(file(name), data, () => lock.check()),
    close() {
      try {
        metrics.close();
        timing.close();
      } finally {
        lock.release();
      }
    },
  };
}

function claimNamed(path: string): string {
  // What a run that was killed at once has left of a lock is no run; whether it is held shows when it is taken.
  if (makeFolder(path).some((name) => !name.startsWith(LOCK))) {
    throw new Error(`the run folder ${path} is not empty, and runs are never overwritten: choose another one`);
  }
  return path;
}

function claimNext(root: string, now = new Date()): string {
  makeFolder(root);
  const local = new Date(now.getTime() - now.getTimezoneOffset() * 60_000);
  const stem = join(root, local.toISOString().slice(0, 19).replace(/[T:]/g, '-'));
  for (let attempt = 1; ; attempt++) {
    const path = attempt === 1 ? stem : `${stem}-${attempt}`;
    try {
      mkdirSync(path); // not recursive: fails where the name is taken, also by a run that starts at this moment
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fileError('make the run folder', path, error);
    }
  }
}

/** Makes a folder unless it exists; the names in it. */
function makeFolder(path: string): readonly string[] {
  try {
    makeFolders(path);
    return readdirSync(path);
  } catch (error) {
    throw fileError('make the run folder', path, error);
  }
}

/** `mkdir -p`. Node's own never returns where a parent exists and says ENOENT all the same, as /proc does. */
function makeFolders(path: string): void {
  if (existsSync(path)) return;
  makeFolders(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    if (!existsSync(path)) throw error; // another run may have been faster
  }
}

/** Makes a log file. @throws Error naming the path when it exists already or cannot be written */
function openNew(path: string): number {
  try {
    return openSync(path, 'ax');
  } catch (error) {
    throw fileError('write', path, error);
  }
}

/** A log that is open for writing and has `start` bytes. */
function appendTo(path: string, descriptor: number, start: number, lock: FolderLock): JsonLines {
  const attempt = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      throw fileError('write', path, error);
    }
  };
  let size = start;
  return {
    append(row) {
      lock.check();
      const line = Buffer.from(`${JSON.stringify(row)}\n`);
      try {
        for (let done = 0; done < line.length; ) {
          done += attempt(() => writeSync(descriptor, line, done, line.length - done, size + done));
        }
        size += line.length;
      } catch (error) {
        ftruncateSync(descriptor, size); // a full disk may have taken a part of the line
        throw error;
      }
    },
    close: () => attempt(() => closeSync(descriptor)),
  };
}

/**
 * Reads a log. A last line that a killed process or a copy left unfinished is dropped.
 *
 * @throws Error naming the path, and the line that is not JSON
 */
export function readJsonLines(path: string): Row[] {
  const { text } = readLog(path);
  if (text === undefined) throw fileError('read', path, Object.assign(new Error('ENOENT'), { code: 'ENOENT' }));
  const { rows, broken } = parseJsonLines(text);
  if (broken.length === 0) return rows;
  const { line, cause } = broken[0]!;
  throw new Error(`${path}:${line} is not JSON: remove the line, or copy the file again`, { cause });
}
