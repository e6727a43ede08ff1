import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Writes a file whole or not at all: readers see the old content or the new, never a part, even when the process is
 * killed or the power fails. The data goes to a hidden file in the same folder, to the disk (fsync), then to its name.
 *
 * @param data bytes, or text that is stored as UTF-8
 * @throws Error naming the path, the cause (such as a full disk) and the remedy; the temporary file is gone by then
 */
export async function writeFileAtomic(path: string, data: Uint8Array | string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw fileError('write', path, error);
  }
}

const elsewhere = 'choose a folder that you may write to';
const causes: Readonly<Record<string, string>> = {
  EACCES: `permission denied; ${elsewhere}`,
  EPERM: `permission denied; ${elsewhere}`,
  EROFS: `the file system is read-only; ${elsewhere}`,
  ENOSPC: 'the disk is full; free some space or choose a folder on another disk',
  EDQUOT: 'your disk quota is used up; free some space or choose a folder on another disk',
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a part of this path is a file, not a folder',
  EISDIR: 'it is a folder',
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
