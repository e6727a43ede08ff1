import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The package.json of wgrad: above this file in a checkout (cli/run) and in an installed package (dist/cli/run). */
function packageFolder(): { readonly folder: string; readonly version: string } | undefined {
  for (const up of ['../../', '../../../']) {
    const folder = new URL(up, import.meta.url);
    try {
      const { name, version } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'));
      if (name === 'wgrad') return { folder: fileURLToPath(folder), version };
    } catch {
      // not there: look further up
    }
  }
  return undefined;
}

/** The version of wgrad. */
export const version = (): string => packageFolder()?.version ?? 'unknown';

/** The commit that is checked out, with + where files were changed since; null for an installed package. */
export function commit(): string | null {
  const cwd = packageFolder()?.folder;
  if (cwd === undefined) return null;
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    if (git('rev-parse', '--show-prefix') !== '') return null; // inside somebody else's repository
    return git('rev-parse', '--short=10', 'HEAD') + (git('status', '--porcelain', '-uno') === '' ? '' : '+');
  } catch {
    return null; // no git, or no repository
  }
}
