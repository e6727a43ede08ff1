import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The code that decides the findings of an experiment. */
export interface Code {
  /** Twelve hexadecimal digits: other code, other digits; other comments, types and layout, the same. */
  readonly hash: string;
  /** The files that it is made of, relative to the root of the repository, sorted. */
  readonly files: readonly string[];
}

/** Modules that make claims, pages and pictures of findings that are there: they decide none. */
const AFTERWARDS = /((claims|Claims|Page\.node|[pP]ictures\.node|markdown)|pictures\/(plot\w*|drawSpecs|points))\.ts$/;

/**
 * What the findings of an experiment are computed by: its file with all that it imports, bundled without comments, types, layout
 * and what nothing calls, and the versions of the packages that it imports. Another hash means that the findings may be others, not that
 * they are: the text of an error is code too. Files that are read as data have no part in it.
 * @param url of the experiment's file
 */
export async function codeOf(url: string): Promise<Code> {
  const { build } = await import('esbuild');
  const entry = fileURLToPath(url);
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    absWorkingDir: dirname(entry),
    bundle: true,
    minifyWhitespace: true,
    minifySyntax: true, // not names: the short ones follow how often letters occur, in unused code too
    legalComments: 'none',
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'esnext',
    write: false,
    metafile: true,
    logLevel: 'silent',
    plugins: [
      {
        name: 'findings only',
        setup: ({ onResolve }) => {
          onResolve({ filter: AFTERWARDS }, ({ path }) => ({ path, external: true }));
        },
      },
    ],
  });
  const output = Object.values(metafile.outputs)[0]!;
  const packages = output.imports
    .filter(({ path, external }) => external && /^(@[\w.-]+\/)?[a-z]/.test(path))
    .map(({ path }) => versioned(path, entry));
  const hash = createHash('sha256')
    .update([outputFiles[0]!.text, ...new Set(packages)].sort().join('\n'))
    .digest('hex')
    .slice(0, 12);
  const root = rootOf(entry);
  // All that are read: of one whose constants were put in their places no byte is left.
  const files = Object.keys(metafile.inputs)
    .map((path) => relative(root, join(dirname(entry), path)))
    .sort();
  return { hash, files };
}

/** Which of the files differ from those of a commit; undefined where git does not know. */
export function changedSince(commit: string, { files }: Code): string[] | undefined {
  const root = rootOf(fileURLToPath(import.meta.url));
  const { status, stdout } = spawnSync('git', ['diff', '--name-only', commit.replace(/\+$/, ''), '--', ...files], {
    cwd: root,
    encoding: 'utf8',
  });
  return status === 0 ? stdout.split('\n').filter(Boolean) : undefined;
}

/** The name of a package with its version; a module of Node has none. */
function versioned(specifier: string, from: string): string {
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  for (const folder of createRequire(from).resolve.paths(name) ?? []) {
    try {
      return `${name}@${JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')).version}`;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return name;
}

/** The nearest folder with a package.json, or the file's own. */
function rootOf(file: string): string {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    try {
      readFileSync(join(folder, 'package.json'));
      return folder;
    } catch {
      if (folder === dirname(folder)) return dirname(file);
    }
  }
}
