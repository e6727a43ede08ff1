/** The frame of the experiments: parts, resuming, the page. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Experiment, Findings, Lab } from '../gan/experiments/experiment.ts';
import { experiments } from '../gan/experiments/experiments.node.ts';
import { experimentsPage, type Report, readReport, updatePage } from '../gan/experiments/page.node.ts';
import { runExperiment } from '../gan/experiments/run.node.ts';
import { meanSpread, plusMinus } from '../gan/experiments/tables.ts';

const test = suite('the frame of the experiments');
let folder = '';
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'wgrad-experiments-'));
});
test.after.each(() => rmSync(folder, { recursive: true, force: true }));

/** An experiment that only calls `work` of the lab, and says which parts it did. */
function example(run: (lab: Lab) => Promise<number>): Experiment {
  return {
    name: 'example',
    title: 'An example',
    about: 'Nothing is claimed (nobody).',
    async run(lab): Promise<Findings> {
      const value = await run(lab);
      return {
        claims: [{ text: 'it is at least 2', value, holds: value >= 2 }],
        figures: { value },
        pictures: { 'plot.svg': '<svg></svg>' },
      };
    },
    page: (figures) => `The figure is ${(figures as { value: number }).value}.`,
  };
}

const options = (more: object = {}) => ({
  ...({ adapter: 'reference', out: join(folder, 'out'), parts: join(folder, 'parts') } as const),
  say: () => {},
  ...more,
});
const written = () => JSON.parse(readFileSync(join(folder, 'out', 'example.json'), 'utf8'));

test('an interrupted run goes on after its last finished part', async () => {
  const done: string[] = [];
  let broken = true;
  const experiment = example(async (lab) => {
    let sum = 0;
    for (const key of ['one', 'two']) {
      sum += await lab.part(`a/${key}`, { steps: 3 }, async () => {
        if (key === 'two' && broken) throw new Error('pulled the plug');
        done.push(key);
        return 1;
      });
    }
    return sum;
  });
  let message = '';
  await runExperiment(experiment, options()).catch((error: Error) => {
    message = error.message;
  });
  assert.is(message, 'pulled the plug');
  broken = false;
  assert.is(await runExperiment(experiment, options()), true);
  assert.equal(done, ['one', 'two']);
  assert.is(written().reusedParts, 1);
  assert.equal(written().figures, { value: 2 });
  assert.is(readFileSync(join(folder, 'out', 'example-plot.svg'), 'utf8'), '<svg></svg>');
  await runExperiment(experiment, options({ fresh: true }));
  assert.equal(done, ['one', 'two', 'one', 'two']);
});

test('another setting, another key and a quick run are parts of their own', async () => {
  let done = 0;
  const run = (key: string, settings: object, more?: object) =>
    runExperiment(
      example((lab) => lab.part(key, settings, async () => ++done)),
      options(more),
    );
  await run('a/b', { steps: 1 });
  await run('a/b', { steps: 1 });
  assert.is(done, 1);
  await run('a/b', { steps: 2 });
  assert.is(done, 2);
  await run('a_b', { steps: 2 }); // the same file name but for the mark
  assert.is(done, 3);
  await run('a_b', { steps: 2 }, { quick: true });
  assert.is(done, 4);
});

test('a part gives the same, done now or found', async () => {
  const seen: unknown[] = [];
  const experiment = example(async (lab) => {
    seen.push(await lab.part('a', {}, async () => ({ list: Float32Array.of(1, 2), gone: undefined }) as unknown));
    return 2;
  });
  await runExperiment(experiment, options());
  await runExperiment(experiment, options());
  assert.equal(seen[0], seen[1]);
});

test('a broken part is named', async () => {
  const experiment = example((lab) => lab.part('a', {}, async () => 2));
  await runExperiment(experiment, options());
  const parts = join(folder, 'parts', 'example');
  const [file] = readdirSync(parts);
  writeFileSync(join(parts, file!), '{');
  let message = '';
  await runExperiment(experiment, options()).catch((error: Error) => {
    message = error.message;
  });
  assert.match(message, /a-\w+\.json is not JSON: remove it/);
});

test('a claim that does not hold is said, in the result and on the page', async () => {
  const experiment = example(async () => 1.5);
  assert.is(await runExperiment(experiment, options()), false);
  const page = experimentsPage([experiment], () => written());
  assert.match(page, '| it is at least 2 | 1.5 | **does not hold** |');
  assert.match(page, '## An example');
  assert.match(page, 'Nothing is claimed (nobody).');
  assert.match(page, 'The figure is 1.5.');
});

test('the page says what has not been run, and refuses quick figures', async () => {
  const experiment = example(async () => 2);
  assert.match(
    experimentsPage([experiment], () => undefined),
    'Not run yet: `npm run experiment example`.',
  );
  await runExperiment(experiment, options({ quick: true }));
  assert.throws(() => experimentsPage([experiment], () => written()), /example.json is of a quick run/);
});

test('the page is written from the JSON in the folder', async () => {
  mkdirSync(join(folder, 'experiments'));
  const experiment = example(async () => 2);
  await runExperiment(experiment, options({ out: join(folder, 'experiments') }));
  await updatePage([experiment], folder);
  const report = readReport(folder, 'example') as Report;
  assert.is(
    readFileSync(join(folder, 'experiments.md'), 'utf8'),
    experimentsPage([experiment], () => report),
  );
  assert.match(readFileSync(join(folder, 'experiments.md'), 'utf8'), '| it is at least 2 | 2 | holds |');
  writeFileSync(join(folder, 'experiments', 'example.json'), '');
  assert.throws(
    () => readReport(folder, 'example'),
    /example.json is not JSON: run `npm run experiment example` again/,
  );
});

test('docs/experiments.md says what docs/experiments holds', async () => {
  const docs = fileURLToPath(new URL('../docs', import.meta.url));
  const all = await Promise.all(Object.values(experiments).map((load) => load()));
  assert.is(
    readFileSync(join(docs, 'experiments.md'), 'utf8'),
    experimentsPage(all, (name) => readReport(docs, name)),
    'write it anew: npm run experiment page',
  );
});

test('every experiment goes by the name of its entry', async () => {
  for (const [name, load] of Object.entries(experiments)) assert.is((await load()).name, name);
});

test('an unknown experiment is refused, and those that there are listed', () => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const command = ['--import', 'tsx', 'gan/experiments/index.node.ts', 'toString'];
  let output = '';
  try {
    execFileSync(process.execPath, command, { cwd: root, stdio: 'pipe' });
  } catch (error) {
    const { status, stderr } = error as { status: number; stderr: Buffer };
    assert.is(status, 1);
    output = stderr.toString();
  }
  assert.match(output, /there is no experiment toString; there are modes, eights, /);
});

test('mean and sample standard deviation', () => {
  assert.equal(meanSpread([2, 4, 6]), { mean: 4, std: 2, values: [2, 4, 6] });
  assert.equal(meanSpread([3]), { mean: 3, std: 0, values: [3] });
  assert.is(plusMinus(meanSpread([2, 4, 6]), 1), '4.0 ± 2.0');
  assert.is(plusMinus(meanSpread([0.5]), 0, 100), '50');
  assert.throws(() => meanSpread([]), RangeError);
});

test.run();
