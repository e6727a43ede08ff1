/** The frame of the experiments: what is kept of an interrupted run, what is done again, and what the command refuses. */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { codeOf } from '../../experiments/code.node.ts';
import type { Experiment, Session } from '../../experiments/experiment.ts';
import { experiments } from '../../experiments/experiments.node.ts';
import { fixed, table } from '../../experiments/markdown.ts';
import { checkCode, claimsAgain, experimentsPage, readReport, updatePage } from '../../experiments/page.node.ts';
import { runExperiment } from '../../experiments/run.node.ts';
import { meanSpread, plusMinus } from '../../experiments/tables.ts';

const test = suite<{ root: string }>('experiments');
test.before.each((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'wgrad-'));
});
test.after.each(({ root }) => rmSync(root, { recursive: true }));

/** Two parts; `steps` is a setting, `fails` says whether the second one is interrupted, and `code` is what decides the findings. */
function trial(
  done: string[],
  { steps = 1, fails = false, holds = true, code = new URL('../../kernels/places.ts', import.meta.url).href } = {},
): Experiment {
  return {
    name: 'trial',
    title: 'A trial',
    code,
    about: 'That parts are kept.',
    async run(session: Session) {
      const first = await session.part('first/part', { steps }, async () => {
        done.push('first');
        return 20 * steps;
      });
      const second = await session.part('second', { steps }, async () => {
        if (fails) throw new Error('interrupted');
        done.push('second');
        return 22;
      });
      const sum = first + second;
      return { findings: { sum, gone: undefined }, pictures: { 'a.svg': `<svg>${sum}</svg>` } };
    },
    claims: (findings) => [{ text: 'the sum', value: (findings as { sum: number }).sum, holds, seeds: 1 }],
    page: (findings) => `The sum is ${(findings as { sum: number }).sum}.`,
  };
}
const optionsIn = (root: string) =>
  ({ out: join(root, 'out', 'experiments'), parts: join(root, 'parts'), adapter: 'reference', say: () => {} }) as const;
const messageOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: Error) => error.message,
  );

test('an interrupted run goes on where it stopped, and a finished one is only drawn again', async ({ root }) => {
  const done: string[] = [];
  assert.is(await messageOf(runExperiment(trial(done, { fails: true }), optionsIn(root))), 'interrupted');
  assert.equal(done, ['first']);
  assert.is(await runExperiment(trial(done), optionsIn(root)), true);
  assert.equal(done, ['first', 'second'], 'the first part is not done again');
  const out = join(root, 'out', 'experiments');
  const json = JSON.parse(readFileSync(join(out, 'trial.json'), 'utf8'));
  assert.equal(json.figures, { sum: 42 }, 'the key of older files');
  assert.is(json.reusedParts, 1);
  assert.is(json.quick, false);
  assert.is(json.command, 'npm run experiment trial');
  assert.is(readFileSync(join(out, 'trial-a.svg'), 'utf8'), '<svg>42</svg>');
  await runExperiment(trial(done), optionsIn(root));
  assert.equal(done, ['first', 'second']);
});

test('a run that is asked to stop finishes the part under way, and goes on after it', async ({ root }) => {
  const done: string[] = [];
  const interrupt = new AbortController();
  const signal = interrupt.signal;
  const asked = trial({
    push(part: string) {
      interrupt.abort('SIGTERM');
      return done.push(part);
    },
  } as unknown as string[]);
  const message = await messageOf(runExperiment(asked, { ...optionsIn(root), signal }));
  assert.match(message, /^stopped before second; the same command goes on there, from the parts in .*trial$/);
  assert.equal(done, ['first']);
  assert.is(await runExperiment(trial(done), optionsIn(root)), true);
  assert.equal(done, ['first', 'second']);
});

test('the command stops for SIGTERM with its status', async ({ root }) => {
  const args = ['--import=tsx', 'experiments/index.node.ts', 'parallel-lines', '--quick', '--adapter', 'reference'];
  const child = spawn(process.execPath, [...args, '--out', root], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  child.stderr.on('data', (data) => {
    text += String(data);
  });
  child.stdout.once('data', () => child.kill('SIGTERM'));
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.match(
    text,
    /^\nstopping after the part under way; send another signal to stop at once\nexperiment: stopped before /,
  );
  assert.is(code, 143);
});

test('changed settings, a quick run and a fresh one do their parts anew', async ({ root }) => {
  const done: string[] = [];
  for (const more of [{}, { quick: true }, { fresh: true }]) {
    await runExperiment(trial(done), { ...optionsIn(root), ...more });
  }
  await runExperiment(trial(done, { steps: 2 }), optionsIn(root));
  assert.is(done.length, 8);
  assert.is(JSON.parse(readFileSync(join(root, 'out', 'experiments', 'trial.json'), 'utf8')).figures.sum, 62);
});

test('the hash of the code knows what decides findings, and nothing else', async ({ root }) => {
  const write = (name: string, text: string) => writeFileSync(join(root, name), text);
  const url = pathToFileURL(join(root, 'trial.node.ts')).href;
  const hash = async () => (await codeOf(url)).hash;
  write('rate.ts', 'export const rate: number = 0.1;\nexport const unused = 1;\n');
  write('markdown.ts', 'export const page = () => 1;\n');
  const text =
    "import { rate } from './rate.ts';\nimport { page } from './markdown.ts';\nexport const run = () => [rate, page];\n";
  write('trial.node.ts', text);
  const first = await codeOf(url);
  assert.equal(first.files, ['rate.ts', 'trial.node.ts']);
  write('trial.node.ts', `// A comment.\n${text.replace('rate, page', 'rate,   page')}`);
  write('rate.ts', 'export const rate = 0.1 as const;\nexport const unused = 2;\n');
  write('markdown.ts', 'export const page = () => 2;\n');
  assert.is(await hash(), first.hash, 'comments, layout, types, what nothing uses and pages');
  write('rate.ts', 'export const rate: number = 0.2;\n');
  const other = await hash();
  assert.is.not(other, first.hash, 'a number in a file that is imported');

  const done: string[] = [];
  await runExperiment(trial(done, { code: url }), optionsIn(root));
  assert.is(readReport(join(root, 'out'), 'trial')!.code, other);
  const check = async () => (await checkCode([trial(done, { code: url })], join(root, 'out')))[0]!;
  assert.ok((await check()).current);
  write('rate.ts', 'export const rate: number = 0.3;\n');
  const stale = await check();
  assert.not.ok(stale.current);
  assert.match(stale.says, `findings are of other code, ${other}`);
  await runExperiment(trial(done, { code: url }), optionsIn(root));
  assert.is(done.length, 4, 'parts that other code computed are done again');
  assert.ok((await check()).current);
});

test('every experiment says which code decides its findings, and that reaches the kernels but not the page', async () => {
  for (const [name, load] of Object.entries(experiments)) {
    const { files } = await codeOf((await load()).code);
    assert.ok(
      files.includes('kernels/softmax.ts') && files.some((file) => file.startsWith('gan/systems/')),
      `${name}: ${files}`,
    );
    assert.not.ok(
      files.some((file) => /plot|Page|Claims/.test(file)),
      `${name}: ${files}`,
    );
  }
});

test('parts whose keys share a file name are told apart', async ({ root }) => {
  const done: string[] = [];
  for (const key of ['a/b', 'a_b', 'a/b']) {
    const run = async (session: Session) => {
      const sum = await session.part(key, {}, async () => done.push(key));
      return { findings: { sum }, pictures: {} };
    };
    await runExperiment({ ...trial([]), run }, optionsIn(root));
  }
  assert.equal(done, ['a/b', 'a_b']);
});

test('a part gives the same, done now or found', async ({ root }) => {
  const seen: unknown[] = [];
  const run = async (session: Session) => {
    seen.push(await session.part('one', {}, async () => ({ list: Float32Array.of(1, 2), gone: undefined }) as unknown));
    return { findings: {}, pictures: {} };
  };
  const plain = { ...trial([]), run, claims: () => [] };
  for (let i = 0; i < 2; i++) await runExperiment(plain, optionsIn(root));
  assert.equal(seen[0], seen[1]);
});

test('the seconds of earlier parts count', async ({ root }) => {
  await runExperiment(trial([]), optionsIn(root));
  const folder = join(root, 'parts', 'trial');
  for (const file of readdirSync(folder)) {
    const part = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    assert.ok(part.seconds >= 0 && part.seconds < 5, `${part.seconds}`);
    writeFileSync(join(folder, file), JSON.stringify({ ...part, seconds: 100 }));
  }
  await runExperiment(trial([]), optionsIn(root));
  const { seconds } = JSON.parse(readFileSync(join(root, 'out', 'experiments', 'trial.json'), 'utf8'));
  assert.ok(seconds >= 200 && seconds < 210, `${seconds}`);
});

test('a broken part is named with its remedy', async ({ root }) => {
  await runExperiment(trial([]), optionsIn(root));
  const folder = join(root, 'parts', 'trial');
  const file = join(folder, readdirSync(folder).find((name) => name.startsWith('second'))!);
  writeFileSync(file, '{"key":');
  const message = await messageOf(runExperiment(trial([]), optionsIn(root)));
  assert.is(message, `${file} is not JSON: remove it, and that part is done again`);
});

test('a claim that does not hold is told by the return value and by the page', async ({ root }) => {
  assert.is(await runExperiment(trial([], { holds: false }), optionsIn(root)), false);
  const page = experimentsPage([trial([])], (name) => readReport(join(root, 'out'), name));
  assert.match(page, '| the sum | 42 | 1 | **does not hold** |');
  assert.match(page, 'The sum is 42.');
});

test('tables: numbers stand to the right, bars stay in their cells, and nothing has a minus', () => {
  const rows = [
    ['|θ| = 1', '1.00 ± 0.02', fixed(-0.00001, 4)],
    ['all', '∞', fixed(-0.5, 1)],
  ];
  assert.is(
    table(['what', 'W₁', 'off'], rows),
    '| what | W₁ | off |\n|---|--:|--:|\n| \\|θ\\| = 1 | 1.00 ± 0.02 | 0.0000 |\n| all | ∞ | -0.5 |',
  );
});

test('claims are made again of the findings that are there, and nothing else in the JSON changes', async ({ root }) => {
  await runExperiment(trial([]), optionsIn(root));
  const file = join(root, 'out', 'experiments', 'trial.json');
  const before = readFileSync(file, 'utf8');
  await updatePage([trial([])], join(root, 'out'));
  assert.is(readFileSync(file, 'utf8'), before);
  const stricter = { ...trial([]), claims: () => [{ text: 'more', value: 41, holds: false, seeds: 2 }] };
  await updatePage([stricter], join(root, 'out'));
  const after = JSON.parse(readFileSync(file, 'utf8'));
  assert.equal(after, { ...JSON.parse(before), claims: [{ text: 'more', value: 41, holds: false, seeds: 2 }] });
  assert.equal(Object.keys(after), Object.keys(JSON.parse(before)));
  assert.match(readFileSync(join(root, 'out', 'experiments.md'), 'utf8'), '| more | 41 | 2 | **does not hold** |');
  await updatePage([trial([])], join(root, 'out'));
  assert.is(readFileSync(file, 'utf8'), before, 'byte for byte');
});

test('claims are of the findings as JSON gives them back', async ({ root }) => {
  const claims = (findings: unknown) => [
    { text: 'keys', value: Object.keys(findings as object).length, holds: true, seeds: 0 },
  ];
  await runExperiment({ ...trial([]), claims }, optionsIn(root));
  assert.is(JSON.parse(readFileSync(join(root, 'out', 'experiments', 'trial.json'), 'utf8')).claims[0].value, 1);
});

test('the commits that computed the parts are kept, once some come from an earlier run', async ({ root }) => {
  const json = () => JSON.parse(readFileSync(join(root, 'out', 'experiments', 'trial.json'), 'utf8'));
  await runExperiment(trial([]), optionsIn(root));
  const now = json().commit ?? 'unknown';
  assert.not.ok('commits' in json());
  const folder = join(root, 'parts', 'trial');
  const change = (start: string, commit: string | undefined) => {
    const file = join(folder, readdirSync(folder).find((name) => name.startsWith(start))!);
    const part = JSON.parse(readFileSync(file, 'utf8'));
    assert.is(part.commit, now);
    writeFileSync(file, JSON.stringify({ ...part, commit }));
  };
  await runExperiment(trial([]), optionsIn(root));
  assert.equal(json().commits, [now]);
  change('first', undefined);
  change('second', '0a');
  await runExperiment(trial([]), optionsIn(root));
  assert.equal(json().commits, ['0a', 'unknown']);
  const page = experimentsPage([trial([])], (name) => readReport(join(root, 'out'), name));
  assert.match(page, '(2 parts in an earlier run; commits of all parts: 0a, unknown)');
});

test('the page names what was not run, and refuses quick findings', async ({ root }) => {
  const page = () => experimentsPage([trial([])], (name) => readReport(join(root, 'out'), name));
  assert.match(page(), 'Not run yet: `npm run experiment trial`.');
  await runExperiment(trial([]), { ...optionsIn(root), quick: true });
  assert.throws(page, /trial\.json is of a quick run/);
});

test('the page is written from the JSON in the folder; broken JSON is named', async ({ root }) => {
  await runExperiment(trial([]), optionsIn(root));
  const docs = join(root, 'out');
  await updatePage([trial([])], docs);
  const page = readFileSync(join(docs, 'experiments.md'), 'utf8');
  assert.is(
    page,
    experimentsPage([trial([])], (name) => readReport(docs, name)),
  );
  assert.match(page, '| the sum | 42 | 1 | holds |');
  writeFileSync(join(docs, 'experiments', 'trial.json'), '');
  assert.throws(() => readReport(docs, 'trial'), /trial\.json is not JSON: run `npm run experiment trial` again/);
});

test('mean and sample standard deviation', () => {
  assert.equal(meanSpread([2, 4, 6]), { mean: 4, std: 2, values: [2, 4, 6] });
  assert.equal(meanSpread([3]), { mean: 3, std: 0, values: [3] });
  assert.is(plusMinus(meanSpread([2, 4, 6]), 1), '4.0 ± 2.0');
  assert.is(plusMinus(meanSpread([0.5]), 0, 100), '50');
  assert.throws(() => meanSpread([]), RangeError);
});

test('docs/experiments.md says what the JSON says; all claims there hold', async () => {
  const all = await Promise.all(Object.values(experiments).map((load) => load()));
  assert.equal(
    all.map((e) => e.name),
    Object.keys(experiments),
  );
  assert.is(
    readFileSync('docs/experiments.md', 'utf8'),
    experimentsPage(all, (name) => readReport('docs', name)),
  );
  for (const experiment of all) {
    const report = readReport('docs', experiment.name);
    if (!report) continue;
    assert.equal(report.claims, claimsAgain(experiment, report), `${experiment.name}: npm run experiment page`);
    assert.ok(report.claims.length > 0);
    for (const claim of report.claims) assert.ok(claim.holds, `${experiment.name}: ${claim.text}`);
  }
  const pictures = [...readFileSync('docs/experiments.md', 'utf8').matchAll(/\]\((experiments\/.*?)\)/g)].map(
    ([, file]) => file!,
  );
  for (const file of pictures) assert.ok(readFileSync(join('docs', file)).length > 0, file);
});

for (const name of ['nothing', 'toString']) {
  test(`the name ${name} is refused in one line`, async () => {
    const command = ['--import', 'tsx', 'experiments/index.node.ts', name];
    const [code, stderr] = await new Promise<[unknown, string]>((settle) => {
      execFile(process.execPath, command, (error, _, text) => settle([error?.code, text]));
    });
    assert.is(code, 1);
    const said = stderr
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('npm warn'));
    assert.is(said.length, 1, stderr);
    assert.match(said[0]!, `there is no experiment ${name}; there are`);
  });
}

test.run();
