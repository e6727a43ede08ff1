import { readFileSync } from 'node:fs';
import { fileError } from '../../nn/io/atomicWrite.node.ts';

/**
 * The value of a JSON file, or undefined where there is no such file.
 * @param remedy what to do about a file that is no JSON
 * @throws Error that names the file, and why it cannot be read
 */
export function readJson(path: string, remedy: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fileError('read', path, error);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${path} is not JSON: ${remedy}`, { cause });
  }
}
