import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readlinkSync, renameSync } from 'node:fs';
import { type FileHandle, open, readdir, realpath, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** Bytes that take the place of others in a file, such as a header that is complete only at the end. */
export interface Overwrite {
  /** Where the first one goes. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** What a file is to hold: bytes, text (stored as UTF-8), or a function that makes the bytes piece by piece. */
export type FileContent = Uint8Array | string | (() => AsyncIterable<Uint8Array | Overwrite>);

/**
 * Writes a file whole or not at all: readers see the old content or the new, never a part, even when the process is
 * killed or the power fails. The data goes to a hidden file in the same folder, to the disk (fsync), then to its name.
 * Hidden files that killed writers of the same name have left are removed. A symbolic link stays, its file is replaced.
 *
 * @param ready called when all is written, right before the file takes its name: what it throws leaves the old file
 * @throws Error naming the path, the cause (such as a full disk) and the remedy; the temporary file is gone by then
 */
export async function writeFileAtomic(path: string, content: FileContent, ready = (): void => {}): Promise<void> {
  let refused: { readonly error: unknown } | undefined;
  try {
    const target = await targetOf(path);
    await removeStale(target);
    const temporary = join(dirname(target), `${prefixOf(target)}${WRITERS}${process.pid}-${randomUUID()}.tmp`);
    try {
      const file = await open(temporary, 'wx');
      try {
        await fill(file, content);
        await file.sync();
      } finally {
        await file.close();
      }
      try {
        ready();
      } catch (error) {
        refused = { error };
        throw error;
      }
      renameSync(temporary, target); // at once: a process that is stopped in between would rename late
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncFolder(dirname(target));
  } catch (error) {
    throw refused ? refused.error : fileError('write', path, error);
  }
}

async function fill(file: FileHandle, content: FileContent): Promise<void> {
  if (typeof content !== 'function') await file.writeFile(content);
  else {
    for await (const piece of content()) {
      if (piece instanceof Uint8Array) await file.writeFile(piece);
      else await overwrite(file, piece);
    }
  }
}

async function overwrite(file: FileHandle, { at, bytes }: Overwrite): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
}

/** Where a path leads. @throws Error for what is there and no file: renaming would put a file in a device's place */
async function targetOf(path: string): Promise<string> {
  const target = await realpath(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return path; // a new file, or no such folder: that shows when it is opened
    throw error;
  });
  const found = await stat(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found?.isDirectory()) throw Object.assign(new Error('EISDIR'), { code: 'EISDIR' });
  if (found && !found.isFile()) throw new Error('it is a device or a pipe, not a file; choose another name');
  return target;
}

/** Makes the new name last through a power failure. Windows opens no folders, and needs this not. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r').catch(ignore('EACCES')); // who may not list a folder may still write
  if (!folder) return;
  try {
    await folder.sync().catch(ignore('EINVAL', 'ENOTSUP')); // a file system that has no such thing
  } finally {
    await folder.close();
  }
}

/** Bytes of the longest name that file systems allow, and of what follows the prefix of a temporary one. */
const [LONGEST, SUFFIX] = [255, 70];

/** What temporary names of a file begin with: its name, or a hash of it where that would make them too long. */
function prefixOf(target: string): string {
  const name = basename(target);
  const isShort = Buffer.byteLength(name) + 2 + SUFFIX <= LONGEST;
  return `.${isShort ? name : createHash('sha256').update(name).digest('hex')}.`;
}

/** Tells apart those whose process numbers mean something else: other hosts, and containers on this one. */
const WRITERS = ((): string => {
  const namespace = '/proc/self/ns/pid'; // on Linux
  const space = existsSync(namespace) ? readlinkSync(namespace) : '';
  return `${createHash('sha256').update(`${hostname()} ${space}`).digest('hex').slice(0, 8)}-`;
})();

/** Longer than any file takes to write, in milliseconds: older temporary files are stale, whoever wrote them. */
const STALE = 24 * 60 * 60 * 1000;

async function removeStale(target: string): Promise<void> {
  const folder = dirname(target);
  const prefix = prefixOf(target);
  const names = await readdir(folder).catch(ignore('EACCES', 'ENOENT'));
  for (const name of names ?? []) {
    const [, writers, pid] = name.startsWith(prefix)
      ? (/^([\da-f]{8}-)(\d+)-[-\da-f]{36}\.tmp$/.exec(name.slice(prefix.length)) ?? [])
      : [];
    if (writers === undefined) continue;
    const path = join(folder, name);
    const { mtimeMs } = (await stat(path).catch(ignore('ENOENT'))) ?? {};
    if (mtimeMs === undefined) continue; // its writer is done with it
    const dead = writers === WRITERS && !isWriting(Number(pid), mtimeMs);
    if (dead || Date.now() - mtimeMs > STALE) await rm(path, { force: true }).catch(ignore('EACCES', 'EPERM'));
  }
}

/** Whether a process of this number may have written at this time. Containers give each run the same number. */
function isWriting(pid: number, at: number): boolean {
  if (pid === process.pid) return at >= Date.now() - process.uptime() * 1000 - 1000;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

const ignore =
  (...codes: string[]) =>
  (error: NodeJS.ErrnoException): undefined => {
    if (!codes.includes(error.code ?? '')) throw error;
    return undefined;
  };

const elsewhere = 'choose a folder that you may write to';
const causes: Readonly<Record<string, string>> = {
  EACCES: `permission denied; ${elsewhere}`,
  EPERM: `permission denied; ${elsewhere}`,
  EROFS: `the file system is read-only; ${elsewhere}`,
  ENOSPC: 'the disk is full; free some space or choose a folder on another disk',
  EDQUOT: 'your disk quota is used up; free some space or choose a folder on another disk',
  EFBIG:
    'the file is larger than the file system or a limit of this process (ulimit -f) allows; choose another disk or raise the limit',
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a part of this path is a file, not a folder',
  EISDIR: 'it is a folder',
  ENAMETOOLONG:
    'a name in this path is longer than the file system allows (most allow 255 bytes); choose a shorter one',
  EEXIST: 'it exists already, and is not overwritten; choose another name',
};

/**
 * Words an error of the file system for a person, with the original as its cause.
 *
 * @param action what was tried, such as 'write'; the message starts `cannot write PATH: `
 */
export function fileError(action: string, path: string, error: unknown): Error {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const cause = causes[code];
  return new Error(`cannot ${action} ${path}: ${cause ? `${cause} (${code})` : message}`, { cause: error });
}
