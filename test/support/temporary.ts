import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs `fn` with a new folder, and removes it afterwards. */
export async function inTemporaryFolder<T>(fn: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'wgrad-'));
  try {
    return await fn(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
