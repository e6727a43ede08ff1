import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

const BENCH = fileURLToPath(new URL('../../bench/index.ts', import.meta.url));

/**
 * Runs the benchmark of a checkout, in a process of its own.
 * @param args the options of `npm run bench`
 * @returns its exit code
 * @throws Error in an installed package, which has neither the benchmark nor the libraries that it times
 */
export async function bench(args: readonly string[]): Promise<number> {
  if (!existsSync(BENCH)) {
    throw new Error('the benchmark comes with the sources, not with the package: clone them, npm ci, npx wgrad bench');
  }
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const child = spawn(process.execPath, [`--import=${tsx}`, BENCH, ...args], { stdio: 'inherit' });
  const [code] = (await once(child, 'close')) as [code: number | null];
  return code ?? 1;
}
