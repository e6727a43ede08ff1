import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileError, writeFileAtomic } from '../../nn/io/atomicWrite.node.ts';

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
  /** Writes a file of this folder atomically (see `writeFileAtomic`). */
  write(name: string, data: Uint8Array | string): Promise<void>;
  /** Closes both logs; the other files need no closing. */
  close(): void;
}

/** A row of a log. NaN and infinities, which JSON lacks, become null. */
export type Row = Readonly<Record<string, number | null>>;

/** A log file of one JSON object in each line. */
export interface JsonLines {
  /** Appends a line: all of it, or on an error none. */
  append(row: Row): void;
  close(): void;
}

/**
 * Makes the folder for a new run: `options.out` when named, else `runs/<date-time>`, with a suffix where that is taken.
 * Nothing that exists is ever overwritten.
 *
 * @param options.out a folder that does not exist yet, or is empty
 * @param options.root where folders without a name go; `runs` in the working directory unless given
 * @param options.now names the folder, in local time
 * @throws Error naming the folder when it is not empty, is a file, or cannot be written
 */
export function createRunFolder(options: { out?: string; root?: string; now?: Date } = {}): RunFolder {
  const path = options.out ? claimNamed(resolve(options.out)) : claimNext(resolve(options.root ?? 'runs'), options.now);
  return openLogs(path, openJsonLines);
}

/**
 * Opens the folder of a run that goes on after `step`: what its logs say of later steps, which are done again, is dropped.
 *
 * @throws Error naming the folder, or the log, that cannot be used
 */
export function resumeRunFolder(path: string, step: number): RunFolder {
  return openLogs(resolve(path), (name) => resumeJsonLines(name, (row) => (row.step ?? 0) <= step));
}

function openLogs(path: string, open: (path: string) => JsonLines): RunFolder {
  const file = (name: string): string => join(path, name);
  const metrics = open(file('metrics.jsonl'));
  const timing = open(file('timing.jsonl'));
  return {
    path,
    metrics,
    timing,
    file,
    write: (name, data) => writeFileAtomic(file(name), data),
    close() {
      metrics.close();
      timing.close();
    },
  };
}

function claimNamed(path: string): string {
  if (makeFolder(path).length > 0) {
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

/**
 * Starts a log file.
 *
 * @throws Error naming the path when it exists already or cannot be written
 */
export const openJsonLines = (path: string): JsonLines => appendTo(path, 'ax', 0);

/** Goes on with a log, or starts it: the rows from the first one on that `keeps` refuses are dropped. @throws Error naming the path */
function resumeJsonLines(path: string, keeps: (row: Row) => boolean): JsonLines {
  if (!existsSync(path)) return openJsonLines(path);
  const rows = readJsonLines(path);
  const first = rows.findIndex((row) => !keeps(row));
  const kept = first < 0 ? rows.length : first;
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, kept);
  const size = lines.reduce((bytes, line) => bytes + Buffer.byteLength(line) + 1, 0);
  return appendTo(path, 'r+', size);
}

/** A log whose first `size` bytes stay; what comes after them is cut off. */
function appendTo(path: string, flags: 'ax' | 'r+', start: number): JsonLines {
  const attempt = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      throw fileError('write', path, error);
    }
  };
  const descriptor = attempt(() => openSync(path, flags));
  let size = start;
  attempt(() => ftruncateSync(descriptor, size));
  return {
    append(row) {
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
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError('read', path, error);
  }
  const { rows, broken } = parseJsonLines(text);
  if (broken.length === 0) return rows;
  const { line, cause } = broken[0]!;
  throw new Error(`${path}:${line} is not JSON: remove the line, or copy the file again`, { cause });
}

/** The rows of a log's text, without an unfinished last line, and the lines, counted from 1, that are no rows, with the reason. */
export function parseJsonLines(text: string): { rows: Row[]; broken: { line: number; cause: unknown }[] } {
  const rows: Row[] = [];
  const broken: { line: number; cause: unknown }[] = [];
  for (const [index, line] of text.split('\n').slice(0, -1).entries()) {
    try {
      const row: unknown = JSON.parse(line);
      if (typeof row !== 'object' || row === null || Array.isArray(row)) throw new Error('it is no object');
      rows.push(row as Row);
    } catch (cause) {
      broken.push({ line: index + 1, cause });
    }
  }
  return { rows, broken };
}
