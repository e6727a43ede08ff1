/**
 * The package as its users get it: packed by npm, which builds it, and unpacked into an empty project.
 *
 * The build runs in a copy of the sources, so that `dist` here, which other tests use, stays as it is. The tarball is
 * unpacked by hand and its dependencies are linked, not installed: `npm install` of them asks a registry or a cache, and a
 * machine may have neither. Only what package.json names is linked, so that an import that it does not name fails.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findAny } from '../support/anyTypes.ts';
import { BROWSER, NODE, RESULTS, TYPED } from '../support/consumers.ts';
import { adapter } from '../support/devices.ts';
import { launchChromium } from '../support/page/chromium.ts';

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

const test = suite('package');
const repository = fileURLToPath(new URL('../..', import.meta.url));
const modules = join(repository, 'node_modules');
const temporary = mkdtempSync(join(tmpdir(), 'wgrad-package-'));
const project = join(temporary, 'project');
const installed = join(project, 'node_modules', 'wgrad');

/** Runs a program of Node's in the project. @returns what it printed @throws with what it said if it fails */
const node = (args: readonly string[]): string =>
  execFileSync(process.execPath, args, { cwd: project, encoding: 'utf8', stdio: 'pipe' });

function link(name: string): void {
  const path = join(project, 'node_modules', name);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(join(modules, name), path);
}

/** Packs a copy of the sources. @returns the tarball's path */
function pack(): string {
  const sources = join(temporary, 'sources');
  for (const name of ['kernels', 'engine', 'nn', 'gan', 'cli', 'playground', 'bin'])
    cpSync(join(repository, name), join(sources, name), { recursive: true });
  for (const name of ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'README.md', 'LICENSE', '.gitignore'])
    cpSync(join(repository, name), join(sources, name));
  symlinkSync(modules, join(sources, 'node_modules'));
  execFileSync('npm', ['pack', '--pack-destination', temporary], { cwd: sources, stdio: 'pipe' });
  const [tarball, ...more] = readdirSync(temporary).filter((f) => f.endsWith('.tgz'));
  assert.ok(tarball && more.length === 0);
  return join(temporary, tarball);
}

test.before(() => {
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', pack(), '-C', installed, '--strip-components=1']);
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(installed, 'package.json'), 'utf8'),
  ) as Manifest;
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) link(name);
  writeFileSync(join(project, 'package.json'), '{ "type": "module", "private": true }');
});

test.after(() => rmSync(temporary, { recursive: true, force: true }));

test('it holds what was built, and nothing else', () => {
  const top = readdirSync(installed).sort();
  assert.equal(top, ['LICENSE', 'README.md', 'bin', 'dist', 'package.json']);
  const files = readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' });
  assert.equal(
    files
      .filter((f) => /\.[a-z]+$/.test(f) && !/\.(js|d\.ts|js\.map)$/.test(f))
      .map((f) => f.replace(/-[0-9a-f]{10}\./, '.').replace(/lessons\/\d\d-[\w-]+/, 'lessons/NN'))
      .filter((f, i, all) => all.indexOf(f) === i)
      .sort(),
    [
      'gan/metrics/digitClassifier.safetensors',
      ...[
        'index.html',
        'lessons/NN.html',
        'lessons/index.html',
        'lessons/lesson.css',
        'page.css',
        'wgrad-playground.html',
      ].map((f) => `playground/${f}`),
    ],
  );
  assert.equal(
    files.filter((f) => /^(test|bench|docs|experiments)\b/.test(f)),
    [],
  );
});

test('plain JavaScript in Node: a gradient and a gradient penalty', () => {
  writeFileSync(join(project, 'node.js'), NODE);
  const run = (options: object) => JSON.parse(node(['node.js', JSON.stringify(options)])) as Record<string, unknown>;
  const exact = run({ adapter: 'reference' });
  assert.is(exact.dtype, 'float64');
  near(exact.results, 1e-9);
  assert.ok(exact.resumed, 'a checkpoint in a file');
  assert.equal(exact.gan, [3, 8, 'PNG', 'object'], 'wgrad/gan/node');
  // SwiftShader, for machines without a driver: what the error message tells to install.
  link('@sparticuz/chromium');
  const gpu = run({ adapter: adapter ?? 'swiftshader' });
  assert.is(gpu.kind, 'webgpu');
  near(gpu.results, 1e-5);
});

test('its command starts', () => {
  const command = join(installed, 'bin', 'wgrad.js');
  assert.match(node([command, '--help']), /Usage: wgrad/);
  assert.throws(() => node([command, 'bench']), /wgrad: the benchmark comes with the sources/);
});

for (const [module, moduleResolution] of [
  ['NodeNext', 'NodeNext'],
  ['ESNext', 'Bundler'],
] as const) {
  test(`strict TypeScript, modules resolved as ${moduleResolution}`, () => {
    const compilerOptions = {
      module,
      moduleResolution,
      target: 'ES2022',
      lib: ['ES2022', 'ESNext.Disposable', 'DOM'],
      types: [],
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: false, // the declarations of the package are checked too
    };
    writeFileSync(join(project, 'typed.ts'), TYPED);
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['typed.ts'] }));
    const tsc = join(modules, '@typescript', 'native', 'bin', 'tsc');
    let said = '';
    try {
      node([tsc, '-p', '.']);
    } catch (error) {
      said = (error as { stdout: string }).stdout;
    }
    assert.is(said, '');
  });
}

test('its declarations need no types of WebGPU or the DOM', () => {
  // As with a TypeScript before 6, whose DOM library knows no WebGPU.
  writeFileSync(
    join(project, 'bare.ts'),
    "import 'wgrad';\nimport 'wgrad/kernels';\nimport 'wgrad/nn';\nimport 'wgrad/nn/node';\nimport 'wgrad/gan';\nimport 'wgrad/gan/node';\nimport 'wgrad/cli';\nexport {};\n",
  );
  const compilerOptions = {
    module: 'NodeNext',
    target: 'ES2022',
    lib: ['ES2022', 'ESNext.Disposable'],
    types: [],
    strict: true,
    noEmit: true,
    skipLibCheck: false,
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['bare.ts'] }));
  assert.is(node([join(modules, '@typescript', 'native', 'bin', 'tsc'), '-p', '.']), '');
});

test('no public name has any in its type', () => {
  const dist = join(installed, 'dist');
  const { any, declarations } = findAny(
    ['engine/index', 'nn/index', 'nn/index.node', 'gan/index'].map((f) => join(dist, `${f}.d.ts`)),
    dist,
  );
  assert.equal(any, []);
  assert.ok(declarations > 1000, `${declarations} declarations`);
});

test('the search for any finds each', () => {
  const folder = join(temporary, 'any');
  mkdirSync(folder);
  writeFileSync(
    join(folder, 'other.d.ts'),
    'export interface Deep { readonly list: readonly any[]; }\nexport type Unseen = any;\n',
  );
  writeFileSync(
    join(folder, 'index.d.ts'),
    [
      "import type { Deep } from './other.ts';",
      'export declare function parameter(x: any): void;',
      'export declare class Shape { #private; private hidden; method(): Promise<any>; untyped; static deep(x: Deep): this; }',
      'export type Alias<T = any> = { [K in keyof T]: string };',
      'export declare const unreached: { readonly fine: unknown };',
    ].join('\n'),
  );
  const { any } = findAny([join(folder, 'index.d.ts')], folder);
  assert.equal(any.sort(), [
    'index.d.ts:2: x: any',
    'index.d.ts:3: Promise<any>',
    'index.d.ts:3: untyped; has no type',
    'index.d.ts:4: T = any',
    'other.d.ts:1: any[]',
  ]);
});

test('a bundle for the browser runs in Chromium, without a trace of Node', async () => {
  writeFileSync(join(project, 'page.js'), BROWSER);
  const bundle = await build({
    absWorkingDir: project,
    entryPoints: ['page.js'],
    bundle: true,
    write: false,
    outdir: 'unused',
    platform: 'browser',
    format: 'esm',
    metafile: true,
    logLevel: 'silent',
  });
  const script = bundle.outputFiles[0]!.text;
  assert.equal(
    Object.values(bundle.metafile.outputs).flatMap((o) => o.imports),
    [],
  );
  assert.not.match(script, /node:|\brequire\(/);
  // What is in the bundle, not all that was looked at: of a package that only the ONNX export needs nothing is left.
  const inputs = Object.values(bundle.metafile.outputs)
    .flatMap((o) => Object.entries(o.inputs))
    .flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : []));
  assert.ok(inputs.includes('node_modules/wgrad/dist/engine/platform/platform.browser.js'));
  assert.equal(
    inputs.filter((f) => f !== 'page.js' && !f.startsWith('node_modules/wgrad/dist/')),
    [],
  );

  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(120_000);
    await page.route('http://localhost/**', (route) =>
      route.request().url().endsWith('/page.js')
        ? route.fulfill({ contentType: 'text/javascript', body: script })
        : route.fulfill({ contentType: 'text/html', body: '<script type="module" src="/page.js"></script>' }),
    );
    const printed = page.waitForEvent('console', (message) => message.type() === 'log');
    await page.goto('http://localhost/');
    const text = (await printed).text();
    assert.ok(text.startsWith('{'), text);
    const result = JSON.parse(text) as Record<string, unknown>;
    assert.is(result.kind, 'webgpu');
    near(result.results, 1e-5);
  } finally {
    await browser.close();
  }
});

/** Compares results with those worked out by hand. */
function near(found: unknown, tolerance: number): void {
  const flat = (v: unknown) => Object.values(v as object).flatMap((list) => [list].flat(2) as number[]);
  const [a, b] = [flat(found), flat(RESULTS)];
  assert.is(a.length, b.length);
  for (const [i, v] of b.entries()) assert.ok(Math.abs(a[i]! - v) <= tolerance * Math.abs(v), `${a[i]} is not ${v}`);
}

test.run();
