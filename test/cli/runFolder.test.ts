import { createHash } from 'node:crypto';
import fs, { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runPanels } from '../../cli/pages/runPanels.ts';
import { createRunFolder, readJsonLines } from '../../cli/run/folder.node.ts';
import { createProgress } from '../../cli/terminal/progress.node.ts';
import { writeFileAtomic } from '../../engine/platform/atomicWrite.node.ts';
import { plotCurves } from '../../gan/pictures/plotCurves.ts';

const test = suite<{ root: string }>('run folder');
test.before.each((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'wgrad-'));
});
test.after.each(({ root }) => rmSync(root, { recursive: true }));

const messageOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: Error) => error.message,
  );
/** Holds an error to the start of its message; a string given to uvu's `throws` would only name the test. */
const throws = (action: () => unknown, start: string): void =>
  assert.throws(action, (error: Error) => {
    assert.is(error.message.slice(0, start.length), start);
    return true;
  });
const full = (): never => {
  throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
};

test('is named by the local time, and never taken twice', ({ root }) => {
  const runs = join(root, 'a', 'runs');
  const now = new Date(2026, 10, 21, 9, 8, 7);
  const folders = [1, 2, 3].map(() => createRunFolder({ root: runs, now }));
  const stem = join(runs, '2026-11-21-09-08-07');
  assert.equal(
    folders.map(({ path }) => path),
    [stem, `${stem}-2`, `${stem}-3`],
  );
  for (const folder of folders) folder.close();
});

test('takes a named folder that is new or empty, and no other', ({ root }) => {
  const out = join(root, 'digits');
  createRunFolder({ out }).close();
  assert.equal(readdirSync(out).sort(), ['metrics.jsonl', 'timing.jsonl']);
  throws(() => createRunFolder({ out }), `the run folder ${out} is not empty, and runs are never overwritten`);
  fs.mkdirSync(join(root, 'empty'));
  createRunFolder({ out: join(root, 'empty') }).close();
});

test('names a folder that cannot be made', ({ root }) => {
  const file = join(root, 'file');
  writeFileSync(file, '');
  throws(() => createRunFolder({ out: file }), `cannot make the run folder ${file}: a part of this path is a file`);
  throws(() => createRunFolder({ out: join(file, 'x') }), `cannot make the run folder ${join(file, 'x')}: a part of`);
  throws(() => createRunFolder({ root: join(file, 'x') }), `cannot make the run folder ${join(file, 'x')}`);
});

test('gives up on a folder whose parent exists but takes no folders', () => {
  if (!fs.existsSync('/proc')) return;
  throws(() => createRunFolder({ out: '/proc/wgrad/run' }), 'cannot make the run folder /proc/wgrad/run: ');
});

test('logs are whole lines, and say null for what is no number', ({ root }) => {
  const folder = createRunFolder({ out: join(root, 'run') });
  folder.metrics.append({ step: 1, loss: 0.1 + 0.2 });
  folder.metrics.append({ step: 2, loss: Number.NaN, other: Number.POSITIVE_INFINITY });
  folder.timing.append({ step: 1, seconds: 2 });
  folder.close();
  const text = '{"step":1,"loss":0.30000000000000004}\n{"step":2,"loss":null,"other":null}\n';
  assert.is(readFileSync(folder.file('metrics.jsonl'), 'utf8'), text);
  assert.equal(readJsonLines(folder.file('timing.jsonl')), [{ step: 1, seconds: 2 }]);
});

test('a log line that does not fit on the disk leaves no part of itself', ({ root }) => {
  const { metrics, file, close } = createRunFolder({ out: join(root, 'run') });
  metrics.append({ step: 1 });
  const real = fs.writeSync;
  let calls = 0;
  const half = (fd: number, data: Uint8Array): number => (calls++ === 0 ? real(fd, data, 0, 4) : full());
  fs.writeSync = half as typeof fs.writeSync;
  syncBuiltinESMExports();
  try {
    const path = file('metrics.jsonl');
    throws(() => metrics.append({ step: 2 }), `cannot write ${path}: the disk is full; free some space`);
  } finally {
    fs.writeSync = real;
    syncBuiltinESMExports();
  }
  assert.is(calls, 2);
  metrics.append({ step: 3 });
  close();
  assert.equal(readJsonLines(file('metrics.jsonl')), [{ step: 1 }, { step: 3 }]);
});

test('reading a log drops an unfinished last line and names a broken one', ({ root }) => {
  const path = join(root, 'log.jsonl');
  writeFileSync(path, '{"step":1}\n{"st');
  assert.equal(readJsonLines(path), [{ step: 1 }]);
  writeFileSync(path, '{"step":1}\noops\n');
  throws(() => readJsonLines(path), `${path}:2 is not JSON`);
  throws(() => readJsonLines(join(root, 'none')), `cannot read ${join(root, 'none')}: no such file`);
});

test('an atomic write replaces a file whole or leaves it alone', async ({ root }) => {
  const path = join(root, 'a.txt');
  await writeFileAtomic(path, 'one');
  await writeFileAtomic(path, 'two');
  assert.is(readFileSync(path, 'utf8'), 'two');

  const handle = await open(path);
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const real = prototype.writeFile;
  prototype.writeFile = async () => full();
  try {
    assert.match(await messageOf(writeFileAtomic(path, 'three')), `cannot write ${path}: the disk is full`);
  } finally {
    prototype.writeFile = real;
  }
  assert.is(readFileSync(path, 'utf8'), 'two');
  assert.match(
    await messageOf(writeFileAtomic(join(root, 'no', 'a'), '')),
    `cannot write ${join(root, 'no', 'a')}: no such`,
  );
  fs.mkdirSync(join(root, 'folder'));
  assert.match(await messageOf(writeFileAtomic(join(root, 'folder'), '')), `cannot write ${join(root, 'folder')}: `);
  assert.equal(readdirSync(root).sort(), ['a.txt', 'folder'], 'no temporary file stays');
});

test('names as long as the file system allows are written, and longer ones refused', async ({ root }) => {
  for (const name of ['x'.repeat(186), 'x'.repeat(205), 'x'.repeat(255), 'ü'.repeat(127)]) {
    const path = join(root, name);
    await writeFileAtomic(path, 'one');
    // What a killed writer of the same name left a week ago goes.
    const stale = `.${createHash('sha256').update(name).digest('hex')}.01234567-1-01234567-0123-0123-0123-0123456789ab.tmp`;
    if (name.length > 186) {
      writeFileSync(join(root, stale), '');
      fs.utimesSync(join(root, stale), 1e9, 1e9);
    }
    await writeFileAtomic(path, 'two');
    assert.is(readFileSync(path, 'utf8'), 'two');
    assert.equal(readdirSync(root), [name], 'no temporary file stays');
    fs.unlinkSync(path);
  }
  const long = join(root, 'x'.repeat(256));
  assert.match(await messageOf(writeFileAtomic(long, '')), /a name in this path is longer .*\(ENAMETOOLONG\)$/);
});

test('plots the curves that the rows have, as one SVG', () => {
  const rows = Array.from({ length: 100 }, (_, i) => ({
    step: i,
    criticLoss: -i,
    ...(i % 25 === 0 && { slicedWasserstein: 1 / (i + 1) }),
  }));
  const plot = { title: 'A <title>', x: { key: 'step', label: 'generator steps' }, panels: runPanels };
  const svg = plotCurves({ ...plot, rows });
  assert.match(svg, /^<svg .*<\/svg>$/s);
  for (const text of ['A &lt;title&gt;', 'generator steps', 'Losses', 'Sliced Wasserstein', 'moving mean']) {
    assert.ok(svg.includes(text), text);
  }
  assert.not.match(svg, 'Penalty');
  assert.not.match(svg, /NaN|http(?!:\/\/www\.w3\.org)/, 'nothing undefined, nothing fetched');
  assert.match(plotCurves({ ...plot, rows: rows.slice(0, 1) }), /^<svg /);
  throws(() => plotCurves({ ...plot, rows: [{ step: 1 }] }), 'plotCurves: no curve has a number in the rows');
});

test('progress without a terminal is a line every 10 %, and survives a stream that fails', () => {
  const lines: string[] = [];
  const stream = Object.create(process.stderr, {
    isTTY: { value: false },
    on: { value: () => stream },
    write: { value: (text: string) => lines.push(text) > 0, writable: true },
  }) as NodeJS.WriteStream & { write: unknown };
  const run = (quiet: boolean): void => {
    using progress = createProgress({ total: 40, imagesPerStep: 32, samples: 'points', quiet, stream });
    for (let step = 1; step <= 35; step++) progress.update(step, { critic: -12.345, W: 1234.5, none: Number.NaN });
  };
  run(true);
  assert.is(lines.length, 0);
  run(false);
  assert.equal(
    lines.map((line) => line.split('  ')[0]),
    ['4', '8', '12', '16', '20', '24', '28', '32', '35'].map((n) => `${n}/40`),
  );
  assert.match(lines.at(-1)!, /^35\/40 {2}critic -12.3 {2}W 1235 {2}none NaN .*points\/s {2}0:00 elapsed\n$/);
  stream.write = full;
  run(false);
});

test('a terminal gets a bar that is drawn over itself, fits its width and ends with its last state', async () => {
  const drawn: string[] = [];
  const stream = Object.create(process.stderr, {
    isTTY: { value: true },
    columns: { value: 60 },
    write: { value: (text: string) => drawn.push(text) > 0 },
  }) as NodeJS.WriteStream;
  const progress = createProgress({ total: 40, imagesPerStep: 32, stream });
  progress.update(20, { critic: -12.345, generator: 0.5 });
  await new Promise((resolve) => setTimeout(resolve, 500));
  progress.update(40, { critic: -1, generator: 0.25 });
  progress.stop();
  const [first, last, end] = [drawn[0]!, drawn.at(-2)!, drawn.at(-1)];
  assert.match(first, /^\r(█+)░+ 20\/40 {2}critic -12.3 {2}generator 0.500 {2}/);
  assert.match(last, /^\r█+ 40\/40 {2}critic -1.00 {2}generator 0.250 {2}/);
  assert.is(end, '\n');
  for (const line of drawn) assert.ok(line.replace('\x1B[K', '').length <= 61, line);
  const count = drawn.length;
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.is(drawn.length, count, 'nothing is drawn after the end');
});

test('nothing here depends on the working directory once a folder is made', ({ root }) => {
  assert.is(createRunFolder({ out: join(root, '.', 'x') }).path, resolve(root, 'x'));
});

test.run();
