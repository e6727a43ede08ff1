import { spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compare } from '../../cli/commands/compare.node.ts';
import { report } from '../../cli/commands/report.node.ts';
import { writeComparison } from '../../cli/pages/compare.node.ts';
import { groupRuns } from '../../cli/pages/groups.node.ts';
import { writeReport } from '../../cli/pages/report.node.ts';
import { readRun } from '../../cli/run/read.node.ts';
import { elements, loads } from '../support/htmlTree.ts';
import { launchChromium } from '../support/page/chromium.ts';
import { evaluationOf, makeRun } from '../support/runFolders.ts';

const test = suite<{ root: string }>('report');
test.before.each((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'wgrad-report-'));
});
test.after.each(({ root }) => rmSync(root, { recursive: true }));

const read = (path: string): string => readFileSync(path, 'utf8');
const messageOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: Error) => error.message,
  );
const includes = (page: string, ...texts: readonly string[]): void => {
  for (const text of texts) assert.ok(page.includes(text), `the page says ${text}`);
};
/** What an action prints. */
async function printed(action: () => Promise<void>): Promise<{ out: string; error: string }> {
  const { write } = process.stdout;
  let out = '';
  process.stdout.write = ((text: string) => {
    out += text;
    return true;
  }) as typeof write;
  try {
    return { error: await messageOf(action()), out };
  } finally {
    process.stdout.write = write;
  }
}

test('a page has everything in itself', async ({ root }) => {
  const run = await makeRun(root, 'digits', { evaluation: evaluationOf(8.25) });
  assert.is(await writeReport(run), join(run, 'report.html'));
  const page = read(join(run, 'report.html'));
  assert.equal(loads(page), []);
  assert.not.ok(page.includes(root), 'no path of this machine');
  includes(page, 'wasserstein, dcgan on mnist', 'finished', 'all 60 steps', 'abc1234', 'llvmpipe', 'seed 0');
  includes(
    page,
    'FID (digit classifier, 64 features)',
    '<b>8.25</b> ± 0.3',
    '<td>1.2</td>',
    '<td>410</td>',
    'lower is better',
  );
  includes(page, 'npx wgrad train --steps 60 --adapter lavapipe');
  includes(page, 'Losses', 'Penalty, as a part of the critic', 'Fid', 'Speed', 'Memory', 'MiB');
  const found = elements(page);
  assert.is(found.filter(({ tag }) => tag === 'img').length, 4, 'three grids, the last one twice');
  assert.is(found.filter(({ tag }) => tag === 'svg').length, 6);
  const ids = found.flatMap(({ attributes }) => (attributes.id ? [attributes.id] : []));
  assert.is(new Set(ids).size, ids.length, 'no id twice');
  const again = await writeReport(run, { out: join(root, 'other.html') });
  assert.is(read(again), page, 'the same folder gives the same page');
});

test('a hostile config stays text', async ({ root }) => {
  const evil = `"><script>alert(1)</script><img src=x onerror='alert(2)'>&amp;`;
  const run = await makeRun(root, 'evil', {
    config: { model: evil, [evil]: evil, __proto__x: { a: evil }, command: `x ${evil}`, seed: evil },
    row: () => ({ [evil]: 1 }),
    evaluation: { [evil]: { value: 1, title: evil } },
  });
  const page = read(await writeReport(run));
  const tags = elements(page);
  assert.is(tags.filter(({ tag }) => tag === 'script').length, 1, 'its own script');
  assert.not.ok(tags.some(({ attributes }) => Object.keys(attributes).some((name) => name.startsWith('on'))));
  includes(page, '&lt;script&gt;alert(1)&lt;/script&gt;');
  const compared = read(await writeComparison([run, await makeRun(root, 'good')], join(root, 'c.html')));
  assert.is(elements(compared).filter(({ tag }) => tag === 'script').length, 0);
  assert.equal(loads(compared), []);
});

test('a killed run is shown as what it is', async ({ root }) => {
  const run = await makeRun(root, 'killed', { steps: 7, grids: [0] });
  appendFileSync(join(run, 'metrics.jsonl'), 'oops\n[1]\n{"step": 8, "crit');
  writeFileSync(join(run, 'samples-000005.png'), readFileSync(join(run, 'samples-000000.png')).subarray(0, 100));
  writeFileSync(join(run, 'evaluation.json'), '');
  rmSync(join(run, 'timing.jsonl'));
  assert.is(readRun(run).state, 'running');
  utimesSync(join(run, 'metrics.jsonl'), 1e9, 1e9);
  const page = read(await writeReport(run));
  elements(page);
  includes(
    page,
    '>stopped</span> at step 7 of 60',
    'metrics.jsonl: 2 of its lines are not JSON objects',
    '(line 8, 9)',
  );
  includes(page, 'samples-000005.png is not a whole PNG file', 'evaluation.json is not a JSON object: it is empty');
  includes(page, 'timing.jsonl is missing');
  assert.not.match(page, /NaN|undefined/);
});

test('of a run that goes on while it is read, nothing is called missing', async ({ root }) => {
  writeFileSync(join(root, 'config.json'), '{"snapshots":1}');
  const writer = spawn(process.execPath, [
    '-e',
    `const { appendFileSync, renameSync, writeFileSync } = require('node:fs');
     const [file, state] = ['metrics.jsonl', 'state.json'].map((name) => process.argv[1] + '/' + name);
     for (let step = 1; ; step++) {
       appendFileSync(file, JSON.stringify({ step }) + '\\n');
       writeFileSync(state + '.new', JSON.stringify({ state: 'running', saved: step }));
       renameSync(state + '.new', state);
     }`,
    root,
  ]);
  try {
    while (!existsSync(join(root, 'state.json'))) await new Promise((resolve) => setTimeout(resolve, 10));
    for (let look = 0; look < 100; look++) {
      assert.equal(
        readRun(root).problems.filter((problem) => problem.startsWith('metrics.jsonl ends')),
        [],
      );
    }
  } finally {
    const ended = new Promise((resolve) => writer.on('close', resolve));
    writer.kill('SIGKILL');
    await ended;
  }
});

test('the state is told from the log, or by the run', async ({ root }) => {
  const lost = await makeRun(root, 'lost', { steps: 9, row: (step) => (step === 9 ? { criticLoss: Number.NaN } : {}) });
  assert.equal([readRun(lost).state, readRun(lost).reason], ['diverged', 'at step 9 of 60: criticLoss not a number']);
  writeFileSync(join(lost, 'state.json'), '{"state":"stopped","reason":"Ctrl-C at step 9"}');
  assert.equal([readRun(lost).state, readRun(lost).reason], ['stopped', 'Ctrl-C at step 9']);
  const now = new Date(Date.now() + 3_600_000);
  const early = readRun(await makeRun(root, 'early', { steps: 0, grids: [] }), { now });
  assert.equal([early.state, early.reason], ['stopped', 'before its first step']);
  const page = read(await writeReport(early.path));
  includes(page, 'The run has logged no numbers.', 'there are no grids of samples yet');
});

test('what is no run is one line', async ({ root }) => {
  mkdirSync(join(root, 'empty'));
  writeFileSync(join(root, 'file'), '');
  assert.match(await messageOf(writeReport(join(root, 'empty'))), /empty holds no run: it has neither config.json nor/);
  assert.match(await messageOf(writeReport(join(root, 'none'))), /^cannot read the run folder .*none: no such file/);
  assert.match(await messageOf(writeReport(join(root, 'file'))), /a part of this path is a file/);
  assert.match(await messageOf(writeReport(root, { oot: 'x' } as never)), 'there is no option oot');
  assert.match(await messageOf(writeComparison([], join(root, 'x.html'))), 'there is no run to compare');
  const good = await makeRun(root, 'good');
  assert.match(await messageOf(writeComparison([good, join(root, 'empty')], join(root, 'x.html'))), 'holds no run');
  assert.not.ok(existsSync(join(root, 'x.html')));
});

test('runs that differ in the seed only are one group', async ({ root }) => {
  const folders: string[] = [];
  for (const objective of ['wasserstein', 'hinge']) {
    for (const seed of [2, 0, 1]) {
      const config = { objective, seed, started: `day ${folders.length}`, out: `runs/${folders.length}` };
      const evaluation = evaluationOf(objective === 'hinge' ? 20 + seed : 8 + seed);
      const row = (step: number) => ({ criticLoss: seed + (objective === 'hinge' ? step : 0) });
      folders.push(await makeRun(root, `${objective}-${seed}`, { config, evaluation, row }));
    }
  }
  const { groups, differing, common } = groupRuns(folders.map((folder) => readRun(folder)));
  assert.equal(differing, ['objective']);
  assert.ok(common.includes('batch') && !common.includes('seed') && !common.includes('started'));
  assert.equal(
    groups.map(({ label, runs }) => [label, ...runs.map((run) => run.config.seed)]),
    [
      ['objective wasserstein', 0, 1, 2],
      ['objective hinge', 0, 1, 2],
    ],
  );
  const { out } = await printed(() => compare({ runs: [...folders, folders[0]!], out: join(root, 'c.html') }));
  assert.is(out, `${join(root, 'c.html')}\n`);
  const page = read(join(root, 'c.html'));
  assert.equal(loads(page), []);
  includes(
    page,
    '6 runs in 2 groups',
    '>9 (best)</span> <span class="muted">(8 to 10, 3 seeds)',
    '<td>21 <span',
    'seconds of training',
  );
  includes(page, 'step 30', 'Losses: critic', '>objective hinge<');
  assert.is(elements(page).filter(({ tag }) => tag === 'img').length, 6, 'two groups at three steps');
});

test('a run is called by its name, and what it is of too few samples says so', async ({ root }) => {
  const { fid } = evaluationOf(8);
  const evaluation = { fid: { ...fid, tooFew: '16 held-out ones; it needs 640 of each' } };
  const folders = [
    await makeRun(root, 'first', { config: { objective: 'hinge' }, evaluation }),
    await makeRun(root, 'second', { evaluation: evaluationOf(9) }),
    await makeRun(join(root, 'a'), 'third', { config: { batch: 1 } }),
    await makeRun(join(root, 'b'), 'third', { config: { batch: 2 } }),
  ];
  const labels = groupRuns(folders.map((folder) => readRun(folder))).groups.map(({ label }) => label);
  assert.equal(labels, ['first', 'second', 'a/third', 'b/third']);
  const page = read(await writeComparison(folders, join(root, 'c.html')));
  // The runs are columns, the scores rows.
  includes(page, '<th scope="col">first <span class="muted">objective hinge, batch 32</span></th>');
  includes(page, '<th scope="row">FID (digit classifier, 64 features) <span class="muted">lower is better</span></th>');
  includes(page, '<span class="best">8 (best)</span> <span class="muted">of too few samples</span>', '>first</text>');
  includes(read(await writeReport(folders[0]!)), 'too few samples: 16 held-out ones; it needs 640 of each');
});

test('one run and a hundred make a page', async ({ root }) => {
  const folders: string[] = [];
  for (let i = 0; i < 100; i++) {
    const config = i % 2 ? { batch: i } : { batch: i, commit: 'def' };
    folders.push(await makeRun(root, `run-${i}`, { config, steps: 4, grids: i < 3 ? [4] : [] }));
  }
  const one = read(await writeComparison(folders.slice(0, 1), join(root, 'one.html')));
  assert.equal(loads(one), []);
  includes(one, 'Comparison of 1 run', 'run-0');
  const all = read(await writeComparison(folders, join(root, 'all.html')));
  assert.equal(loads(all), []);
  includes(all, 'Comparison of 100 runs', '79 groups, the last ones, are grey', '<td>99</td>');
  assert.ok(all.length < 8e6, `${all.length} bytes`);
});

test('the actions print paths, and name what failed after the rest', async ({ root }) => {
  const [a, b] = [await makeRun(root, 'a'), await makeRun(root, 'b')];
  const { out, error } = await printed(() => report({ runs: [a, join(root, 'none'), b] }));
  assert.is(out, `${join(a, 'report.html')}\n${join(b, 'report.html')}\n`);
  assert.match(error, /^cannot read the run folder .*none: no such file/);
  const { error: two } = await printed(() => report({ runs: [a, b], out: join(root, 'x.html') }));
  assert.match(two, '--out is for the page of one run');
  const { error: none } = await printed(() => report({ runs: [] }));
  assert.match(none, 'there is no run to report on');
});

test('a browser shows it without complaint, and the slider goes through the grids', async ({ root }) => {
  const run = await makeRun(root, 'digits', { evaluation: evaluationOf(8.25) });
  const [one, other] = [await writeReport(run), join(root, 'c.html')];
  await writeComparison(
    [run, await makeRun(root, 'b', { config: { objective: 'hinge', model: 'mlp' }, evaluation: evaluationOf(9) })],
    other,
  );
  const browser = await launchChromium();
  try {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [1280, 360]) {
        const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
        const said: string[] = [];
        page.on('console', (m) => said.push(m.text()));
        page.on('pageerror', (e) => said.push(String(e)));
        page.on('request', (r) => r.url().startsWith('http') && said.push(`asks for ${r.url()}`));
        for (const [name, path] of [
          ['report', one],
          ['compare', other],
        ] as const) {
          await page.goto(pathToFileURL(path).href);
          const wide = await page.evaluate(() => document.documentElement.scrollWidth);
          assert.ok(wide <= width, `${name} is ${wide} wide in ${width}`);
          const { REPORT_SHOTS } = process.env;
          if (REPORT_SHOTS)
            await page.screenshot({ path: join(REPORT_SHOTS, `${name}-${colorScheme}-${width}.png`), fullPage: true });
        }
        const back = await page.evaluate(() => getComputedStyle(document.querySelector('svg rect')!).fill);
        assert.is(back, colorScheme === 'dark' ? 'rgb(22, 25, 29)' : 'rgb(255, 255, 255)');
        await page.goto(pathToFileURL(one).href);
        await page.focus('#player input');
        await page.keyboard.press('ArrowLeft');
        assert.is(await page.textContent('#now figcaption'), 'step 30');
        await page.keyboard.press('Home');
        assert.is(await page.textContent('#player output'), 'step 0');
        await page.click('#player button');
        await page.waitForFunction(() => document.querySelector('#player output')!.textContent === 'step 60');
        assert.equal(said, []);
        await page.close();
      }
    }
  } finally {
    await browser.close();
  }
});

test.run();
