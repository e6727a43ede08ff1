/**
 * No list of any length is spread into the arguments of a call: from some 100,000 elements on the stack overflows. What is known to
 * be short is named in `SHORT`, with the reason.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const ts = createRequire(import.meta.url)('typescript') as typeof import('typescript');
const repository = fileURLToPath(new URL('../..', import.meta.url));
const FOLDERS = ['kernels', 'engine', 'nn', 'gan', 'cli', 'experiments', 'bench'];

/** JavaScript's own functions that take a list as arguments. A function of this repository says itself how many it takes. */
const TAKERS =
  /^(Math\.\w+|String\.from(CharCode|CodePoint)|Array\.of|Reflect\.\w+)$|\.(push|unshift|splice|concat|assign|apply|call)$/;

/** By file: what is spread, as it is written (or how that begins), and why it is short. */
const SHORT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'kernels/gemm/gemm.ts': { 'g.h.map': 'phases of a stride', 'g.w.map': 'phases of a stride' },
  'kernels/optimizer/optimizer.ts': { 'Array<number>(upTo4': 'fills up to a multiple of 4' },
  'kernels/normalization/variance.ts': { axes: 'axes of a tensor' },
  'engine/compile/compile.ts': { 'own.filter': 'recordings, of which a few are kept' },
  'engine/custom/customPlan.ts': { 'storage.keys()': 'bindings of a shader' },
  'engine/custom/kernelcheck.ts': { 'right.map': 'outputs of an op', 'checkedOnes.map': 'launches of an op' },
  'gan/data/imageFolder.node.ts': { 'plan.notes': 'a few sentences', 'missingClasses(': 'one sentence' },
  'gan/data/imageFormats.ts': { 'head.subarray(0, HEAD_BYTES)': 'the head of a file' },
  'gan/data/trueType.ts': { '[0, 1, 2, 3].map': 'four bytes' },
  'gan/pictures/pngHeader.ts': { 'bytes.subarray': 'four bytes' },
  'cli/run/commandNow.ts': { option: 'words of a command line' },
  'bench/report/table.ts': { 'cases.map': 'cases of a benchmark' },
  'bench/suites/train.ts': { '(normed ?': 'one layer' },
};

interface Spread {
  readonly file: string;
  readonly line: number;
  readonly what: string;
}

/** The lists that a source file spreads into calls of `TAKERS`. */
function spreadsOf(file: string, text: string): Spread[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: Spread[] = [];
  const visit = (node: import('typescript').Node): void => {
    if (ts.isCallExpression(node) && TAKERS.test(node.expression.getText())) {
      for (const argument of node.arguments) {
        if (!ts.isSpreadElement(argument)) continue;
        const { line } = source.getLineAndCharacterOfPosition(argument.getStart());
        found.push({ file, line: line + 1, what: argument.expression.getText().replace(/\s+/g, ' ') });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const spreads = FOLDERS.flatMap((folder) =>
  readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join(repository, folder, path)),
).flatMap((path) => spreadsOf(relative(repository, path).replaceAll('\\', '/'), readFileSync(path, 'utf8')));

const named = ({ file, what }: Spread, name: string): boolean =>
  Object.hasOwn(SHORT[file] ?? {}, name) && what.startsWith(name);

test('no list of any length is spread into arguments', () => {
  const long = spreads.filter((s) => !Object.keys(SHORT[s.file] ?? {}).some((name) => named(s, name)));
  assert.equal(
    long.map(({ file, line, what }) => `${file}:${line} ...${what}`),
    [],
    'use a loop, or name it in SHORT with the reason why it is short',
  );
});

test('every list that is named as short is there', () => {
  const gone = Object.entries(SHORT).flatMap(([file, list]) =>
    Object.keys(list).filter((name) => !spreads.some((s) => s.file === file && named(s, name))),
  );
  assert.equal(gone, []);
});

test('the check sees what it is for', () => {
  const text = 'a.push(...xs); Math.max(0, ...xs.map(f)); String.fromCharCode(...b); [...xs]; f({ ...o }); g(...xs);';
  assert.equal(
    spreadsOf('a.ts', text).map((s) => s.what),
    ['xs', 'xs.map(f)', 'b'],
  );
});

test.run();
