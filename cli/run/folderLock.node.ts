/**
 * One writer in a folder: a lock that names its holder, can be taken over from one that is gone, and tells a holder that was
 * taken for gone. Only exclusive creation and renaming are asked of the file system, no hard links and no file locks.
 */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileError } from '../../engine/platform/atomicWrite.node.ts';
import { isGone, isHere, type ProcessName, thisProcess } from './processName.node.ts';

/** The lock's file in the folder; while it is taken over, files with this name and a suffix lie beside it. */
export const LOCK = 'run.lock';

/** Options of {@link lockFolder}. */
export interface LockOptions {
  /**
   * Milliseconds without a sign of life after which a holder counts as gone, where it cannot be looked up: on another host, or
   * when it hangs. Two minutes unless given.
   */
  readonly stale?: number;
}

/** A folder in which this process alone writes. */
export interface FolderLock {
  /**
   * Must be called before each write.
   * @throws Error in one sentence once the lock is another process's, or gone; from then on always the same
   */
  check(): void;
  /** Lets others write in the folder. May be called twice, and when the lock is lost. */
  release(): void;
}

/** What the lock's file says, as JSON. */
interface Holder extends ProcessName {
  /** Tells this holding from every other. */
  readonly nonce: string;
  /** When it began, as ISO 8601. */
  readonly since: string;
  /** The folder's path without links: the lock in a copy of the folder tells by it that it is a copy. Absent in older locks. */
  readonly folder?: string;
}

/** A lock's file as it is found. */
interface Found {
  /** Absent where the file is empty or torn. */
  readonly holder?: Holder;
  /** The time of its last sign of life, in milliseconds by the clock of the file system. */
  readonly alive: number;
  /** The nonce, or what stands for it. */
  readonly key: string;
}

const STALE = 120_000;
/** Signs of life in the time after which a lock is stale. */
const BEATS = 8;
/** How often, and with how many milliseconds between, a taker looks again while another one takes over. */
const [TRIES, PAUSE] = [40, 50];

/**
 * Makes this process the one that writes in a folder. The holder's file is written over again and again, as a sign of life. A lock
 * whose holder is gone (looked up where it ran on this host since it started) or has long shown no sign of life is taken over by a
 * rename; of several that try one succeeds.
 * @param folder one that exists
 * @throws Error that names the process that writes in it, or why the folder takes no lock
 */
export function lockFolder(folder: string, { stale = STALE }: LockOptions = {}): FolderLock {
  const path = join(folder, LOCK);
  const own: Holder = {
    ...thisProcess(),
    nonce: randomUUID(),
    since: new Date().toISOString(),
    folder: placeOf(folder),
  };
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const made = create(folder, path, own) ?? takeOver(folder, path, own, stale);
    if (made === undefined) continue;
    if (read(path)?.key === own.nonce) return hold(folder, own, made, stale);
    closeSync(made);
  }
  throw new Error(`several processes take over ${folder} at this moment: try again when one of them has it`);
}

/** A new lock file, open; undefined where there is one. */
function create(folder: string, path: string, own: Holder): number | undefined {
  let made: number | undefined;
  try {
    made = openSync(path, 'wx');
    writeWhole(made, own);
    return made;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    if (made !== undefined) {
      closeSync(made);
      rmSync(path, { force: true });
    }
    throw fileError('lock the folder', folder, error);
  }
}

/** Always the same bytes in the same place: what a holder writes in its own file never reaches that of its successor. */
function writeWhole(descriptor: number, own: Holder): void {
  const bytes = Buffer.from(`${JSON.stringify(own)}\n`);
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(descriptor, bytes, done, bytes.length - done, done);
  }
}

/**
 * Replaces the lock of a holder that is gone.
 * @returns the new file, open; undefined where the lock has changed meanwhile
 * @throws Error that names the holder, if it is not gone
 */
function takeOver(folder: string, path: string, own: Holder, stale: number): number | undefined {
  const found = read(path);
  if (!found) return undefined; // released just now
  if (!isOver(folder, path, found, own, stale)) throw refusal(folder, found, own, stale);
  // The right to replace this very lock: its name is of the old nonce, so that nobody replaces a newer one by mistake.
  const claim = `${path}-${found.key}`;
  const made = create(folder, claim, own);
  if (made === undefined) {
    const other = read(claim);
    if (other && isOver(folder, path, other, own, stale)) rmSync(claim, { force: true });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    return undefined;
  }
  try {
    if (read(path)?.key === found.key) {
      renameSync(claim, path);
      return made;
    }
    rmSync(claim, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      closeSync(made);
      rmSync(claim, { force: true });
      throw fileError('lock the folder', folder, error);
    }
  }
  closeSync(made);
  return undefined;
}

/** Whether nobody writes under a lock any more. */
function isOver(folder: string, path: string, { holder, alive }: Found, own: Holder, stale: number): boolean {
  if (holder && (isGone(holder) || isCopy(path, holder))) return true;
  // Both times are of the file system's clock, which the clocks of the hosts need not agree with.
  const probe = `${path}-${own.nonce}`;
  try {
    const made = openSync(probe, 'wx');
    const now = fstatSync(made).mtimeMs;
    closeSync(made);
    rmSync(probe);
    return now - alive > stale;
  } catch (error) {
    throw fileError('lock the folder', folder, error);
  }
}

/** The folder's path without links. @throws Error naming a folder that is not there */
function placeOf(folder: string): string {
  try {
    return realpathSync(folder);
  } catch (error) {
    throw fileError('lock the folder', folder, error);
  }
}

/** Whether a lock came with a copy of its folder: the very lock lies elsewhere, in the folder where its holder writes. */
function isCopy(path: string, { folder, nonce }: Holder): boolean {
  const original = folder === undefined ? undefined : join(folder, LOCK);
  if (original === undefined || original === path) return false;
  try {
    if (read(original)?.key !== nonce) return false;
    const [a, b] = [statSync(original, { bigint: true }), statSync(path, { bigint: true })];
    return a.ino !== b.ino || a.dev !== b.dev; // one folder may have two places, as those of containers do
  } catch {
    return false; // where one of them may not be looked at, or has gone meanwhile, signs of life decide
  }
}

function refusal(folder: string, { holder }: Found, own: Holder, stale: number): Error {
  if (!holder)
    return new Error(`another process has begun to write in ${folder}: wait until it ends, or use another folder`);
  const { pid, host, since, nonce } = holder;
  if (!isHere(holder)) {
    return new Error(
      `process ${pid} on ${host} has been writing in ${folder} since ${since}, and whether it still does is not known here: wait until it ends, or use another folder; if it was killed, try again ${stale / 1000} s after that, when its lock counts as left`,
    );
  }
  const who =
    pid === own.pid && host === own.host && nonce !== own.nonce ? 'this process' : `process ${pid} on ${host}`;
  return new Error(
    `${who} has been writing in ${folder} since ${since}: wait until it ends, stop it there (kill ${pid}), or use another folder`,
  );
}

/** Room for a lock's file: a path may take 4096 bytes, and more in JSON. */
const bytes = Buffer.alloc(16_384);

/** What a lock's file says; undefined where there is none. */
function read(path: string): Found | undefined {
  try {
    const descriptor = openSync(path, 'r');
    try {
      const text = bytes.toString('utf8', 0, readSync(descriptor, bytes, 0, bytes.length, 0));
      const { mtimeMs } = fstatSync(descriptor);
      const holder = parse(text);
      return { alive: mtimeMs, key: holder?.nonce ?? `torn-${Math.floor(mtimeMs)}`, ...(holder && { holder }) };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw fileError('read', path, error);
  }
}

function parse(text: string): Holder | undefined {
  let found: Partial<Holder> | null;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined; // its writer has not come further, or was killed: `alive` decides
  }
  const texts = [found?.host, found?.since, found?.nonce].every((v) => typeof v === 'string');
  const isPlaced = found?.folder === undefined || typeof found.folder === 'string';
  return texts && isPlaced && Number.isSafeInteger(found?.pid) && /^[\da-f-]{36}$/.test(found!.nonce!)
    ? (found as Holder)
    : undefined;
}

/** Shows signs of life until it is released or lost. */
function hold(folder: string, own: Holder, descriptor: number, stale: number): FolderLock {
  const path = join(folder, LOCK);
  let [shown, over] = [performance.now(), false];
  let lost: Error | undefined;
  const beat = (): void => {
    try {
      writeWhole(descriptor, own);
    } catch {
      // A disk that is full or gone shows in what is written next; without signs of life another may take over, which `check` sees.
    }
    shown = performance.now();
  };
  const timer = setInterval(beat, stale / BEATS).unref();
  const end = (): void => {
    if (over) return;
    over = true;
    clearInterval(timer);
    closeSync(descriptor);
  };
  return {
    check() {
      if (lost) throw lost;
      if (over) throw new Error(`${folder} was released by this process, which must not write in it any more`);
      const found = read(path);
      if (found?.key !== own.nonce) {
        end();
        lost = new Error(lossOf(folder, found, stale));
        throw lost;
      }
      if (performance.now() - shown > stale / BEATS) beat(); // where the timer has no turn
    },
    release() {
      const mine = !over;
      end();
      if (mine && read(path)?.key === own.nonce) rmSync(path, { force: true });
    },
  };
}

function lossOf(folder: string, found: Found | undefined, stale: number): string {
  const ends = 'this process writes nothing more';
  if (!existsSync(folder)) return `${folder} is gone, removed or renamed while this process wrote in it: ${ends}`;
  if (!found) return `${join(folder, LOCK)} was removed, so that others may write there too: ${ends}`;
  const who = found.holder ? `process ${found.holder.pid} on ${found.holder.host}` : 'another process';
  const when = found.holder ? ` at ${found.holder.since}` : '';
  return `${who} has taken over ${folder}${when}, as this process showed no sign of life for ${stale / 1000} s: ${ends}`;
}
