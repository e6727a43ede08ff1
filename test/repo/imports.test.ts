import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { builtinModules, createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** What each folder may import beside itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  kernels: [],
  engine: ['kernels'],
  nn: ['engine'],
  gan: ['engine', 'nn'],
  cli: ['engine', 'nn', 'gan'],
  experiments: ['engine', 'nn', 'gan', 'cli'],
  playground: ['engine', 'nn', 'gan'],
  bench: ['kernels', 'engine', 'nn', 'gan', 'cli'],
  examples: ['kernels', 'engine', 'nn', 'gan', 'cli'],
  test: ['kernels', 'engine', 'nn', 'gan', 'cli', 'experiments', 'playground', 'bench'],
};
const FOLDERS = Object.keys(MAY_IMPORT);
/** Folders whose files run in a browser too, unless their name ends in `.node.ts`. */
const PORTABLE = ['kernels', 'engine', 'nn', 'gan', 'playground'];

interface Import {
  readonly from: string;
  /** A path in the repository, or a package. */
  readonly to: string;
  readonly dynamic?: boolean;
}

const folderOf = (path: string): string => path.split('/')[0]!;
const isNodeFile = (path: string): boolean => path.endsWith('.node.ts');

/** Imports from a folder that the importing folder must not know of. */
const upward = (imports: readonly Import[]): string[] =>
  imports
    .filter(({ to }) => FOLDERS.includes(folderOf(to)) && to.includes('/'))
    .filter(({ from, to }) => folderOf(from) !== folderOf(to) && !MAY_IMPORT[folderOf(from)]!.includes(folderOf(to)))
    .map(({ from, to }) => `${from} imports ${to}`);

/** Imports that a browser cannot follow. */
const nodeOnly = (imports: readonly Import[]): string[] =>
  imports
    .filter(({ from }) => PORTABLE.includes(folderOf(from)) && !isNodeFile(from))
    .filter(({ to, dynamic }) => to.startsWith('node:') || builtinModules.includes(to) || (isNodeFile(to) && !dynamic))
    .map(({ from, to }) => `${from} imports ${to}`);

/** The first circle of imports, as a list of files, if there is one. */
function circle(imports: readonly Import[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to, dynamic } of imports) if (!dynamic) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    done.add(file);
    for (const to of next.get(file) ?? []) {
      const found = walk(to, [...path, file]);
      if (found.length > 0) return found;
    }
    return [];
  };
  for (const file of next.keys()) {
    const found = walk(file, []);
    if (found.length > 0) return found;
  }
  return [];
}

/** Imports that are left when types are erased, as esbuild parses them. */
async function valueImports(): Promise<Import[]> {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' }).map((f) => join(folder, f)),
  ).filter((f) => /\.tsx?$/.test(f) && !f.endsWith('.d.ts'));
  const { metafile } = await build({
    absWorkingDir: repository,
    entryPoints: files,
    outdir: 'unused',
    write: false,
    metafile: true,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'silent',
  });
  return Object.entries(metafile.inputs).flatMap(([from, { imports }]) =>
    imports.map(({ path, kind }) => ({ from, to: path, dynamic: kind === 'dynamic-import' })),
  );
}

/** All imports, those of types too, as the compiler resolves them. */
function allImports(): Import[] {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('@typescript/native/package.json')), 'bin', 'tsc');
  const text = execFileSync(process.execPath, [tsc, '-p', '.', '--listFilesOnly', '--explainFiles'], {
    cwd: repository,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  const imports: Import[] = [];
  let to = '';
  for (const line of text.split('\n')) {
    const reason = /^\s+Imported via .* from file '(.*?)'/.exec(line);
    if (reason) imports.push({ from: local(reason[1]!), to: local(to) });
    else if (/^\S/.test(line)) to = line.trim();
  }
  return imports.filter(({ from }) => FOLDERS.includes(folderOf(from)));
}

const local = (path: string): string => (path.startsWith('/') ? relative(repository, path) : path);

const values = await valueImports();

test('the parser sees the imports of this repository', () => {
  assert.ok(values.length > 100);
  const has = (from: string, to: string) => values.some((i) => i.from === from && i.to === to);
  assert.ok(has('engine/ops/reduce.ts', 'kernels/reduce.ts'));
  assert.ok(has('test/repo/imports.test.ts', 'esbuild'));
  assert.not(has('engine/autograd/row.ts', 'kernels/kernel.ts'), 'types are erased');
  assert.ok(values.some((i) => i.to === 'engine/platform/platform.node.ts' && i.dynamic));
});

test('imports go one way: kernels, engine, nn, gan, cli, experiments, bench and test', () => {
  assert.equal(upward(values), []);
});

test('the same for imports of types', () => {
  const all = allImports();
  assert.ok(all.some((i) => i.from === 'engine/autograd/row.ts' && i.to === 'kernels/kernel.ts'));
  assert.ok(all.length > values.filter((i) => i.to.endsWith('.ts')).length);
  assert.equal(upward(all), []);
});

test('no import is circular', () => {
  assert.equal(circle(values), []);
});

/** The circle of types that is the idea itself: a tensor knows the node that made it, a node its row, a row's rules take tensors. */
const IDEA = ['engine/tensor/tensor.ts', 'engine/autograd/node.ts', 'engine/autograd/row.ts'];

test('nor is one of types, but for tensor, node and row', () => {
  const sources = (path: string): boolean => FOLDERS.includes(folderOf(path)) && folderOf(path) !== 'test';
  const all = allImports().filter(({ from, to }) => sources(from) && sources(to));
  const known = ({ from, to }: Import): boolean => IDEA.includes(from) && IDEA.includes(to);
  assert.equal(new Set(circle(all.filter(known))), new Set(IDEA), 'the idea is there');
  // Through them nothing else may come back: what they import beside each other does not import them.
  assert.equal(circle(all.filter((i) => !(known(i) && i.to === 'engine/tensor/tensor.ts'))), []);
});

test('Node is imported only by files that say so', () => {
  assert.equal(nodeOnly(values), []);
});

test('the checks see what they are for', () => {
  assert.equal(upward([{ from: 'kernels/a.ts', to: 'engine/b.ts' }]), ['kernels/a.ts imports engine/b.ts']);
  assert.equal(upward([{ from: 'nn/a.ts', to: 'kernels/b.ts' }]).length, 1);
  assert.equal(upward([{ from: 'gan/a.ts', to: 'nn/b.ts' }]), []);
  assert.equal(nodeOnly([{ from: 'gan/a.ts', to: 'node:fs' }]).length, 1);
  assert.equal(nodeOnly([{ from: 'gan/a.ts', to: 'fs' }]).length, 1);
  assert.equal(nodeOnly([{ from: 'gan/a.ts', to: 'gan/b.node.ts' }]).length, 1);
  assert.equal(nodeOnly([{ from: 'gan/a.ts', to: 'gan/b.node.ts', dynamic: true }]), []);
  assert.equal(nodeOnly([{ from: 'gan/a.node.ts', to: 'node:fs' }]), []);
  const ring = ['a', 'b', 'c'].map((from, i) => ({ from, to: 'bca'[i]! }));
  assert.equal(circle(ring), ['a', 'b', 'c', 'a']);
  assert.equal(circle(ring.slice(1)), []);
});

test.run();
