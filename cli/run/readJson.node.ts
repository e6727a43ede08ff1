import { constants } from 'node:buffer';
import { closeSync, constants as flags, fstatSync, openSync, readFileSync } from 'node:fs';
import { fileError } from '../../engine/platform/atomicWrite.node.ts';

/** The largest file, in bytes, and the deepest nesting that a file of this package comes near to. */
const [LARGEST, DEEPEST] = [256 * 2 ** 20, 100];

/**
 * The text of a file; undefined where there is none.
 * @throws Error for what is no file, such as a device that has no end, and the file system's errors
 */
export function readText(path: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, flags.O_RDONLY | (flags.O_NONBLOCK ?? 0)); // opening a pipe would wait for its writer
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const found = fstatSync(descriptor);
    if (found.isDirectory()) throw Object.assign(new Error('EISDIR'), { code: 'EISDIR' });
    if (!found.isFile()) throw new Error('it is a device or a pipe, not a file');
    if (found.size > constants.MAX_STRING_LENGTH)
      throw new Error(`it is too large for a text, with ${found.size} bytes`);
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

/**
 * The value of a JSON file, or undefined where there is no such file.
 * @param remedy what to do about a file that is no JSON
 * @throws Error that names the file, and why it cannot be read
 */
export function readJson(path: string, remedy: string): unknown {
  let text: string | undefined;
  try {
    text = readText(path);
  } catch (error) {
    throw fileError('read', path, error);
  }
  if (text === undefined) return undefined;
  try {
    return parseJson(text);
  } catch (cause) {
    throw new Error(`${path} ${(cause as Error).message}: ${remedy}`, { cause });
  }
}

/**
 * The value of a JSON text that can be gone through and shown.
 * @throws Error whose message goes on after the file's name: `is not JSON`, or `is nested more than 100 levels deep`
 */
export function parseJson(text: string): unknown {
  if (text.length > LARGEST) throw new Error(`is larger than ${LARGEST / 2 ** 20} MiB`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    // Node 20 runs out of stack where newer ones do not.
    throw cause instanceof RangeError ? tooDeep() : new Error('is not JSON', { cause });
  }
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST) throw tooDeep();
    level = level.flatMap((v) => (typeof v === 'object' && v !== null ? Object.values(v) : []));
  }
  return value;
}

const tooDeep = (): Error => new Error(`is nested more than ${DEEPEST} levels deep`);
