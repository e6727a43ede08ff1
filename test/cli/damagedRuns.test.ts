/** Run folders of another version, of a disk that lost files, of a process that was cut off, and of somebody's editor. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { report } from '../../cli/commands/report.node.ts';
import { commandNow } from '../../cli/run/commandNow.ts';
import { readConfig } from '../../cli/run/configFile.node.ts';
import { readRun } from '../../cli/run/read.node.ts';
import { dataDifference } from '../../cli/run/sameData.ts';
import { train } from '../../cli/run/train.node.ts';

/** A run of 12 steps on SwiftShader, made by version 0.1.0 at commit 1b6ec2c187, before folders were locked. */
const WHOLE = 'test/fixtures/run';
const STEPS = 12;

const test = suite('damaged runs');
const root = mkdtempSync(join(tmpdir(), 'wgrad-damaged-'));
test.after(() => rmSync(root, { recursive: true, force: true }));

/** A copy of the fixture. */
function copy(): string {
  const folder = mkdtempSync(join(root, 'run-'));
  cpSync(WHOLE, folder, { recursive: true });
  return folder;
}

const read = (folder: string, name: string): string => readFileSync(join(folder, name), 'utf8');
const lines = (folder: string, name = 'metrics.jsonl'): string[] => read(folder, name).split('\n').slice(0, -1);

/** Changes a log by its lines. */
function edit(folder: string, change: (lines: string[]) => string[], name = 'metrics.jsonl'): void {
  writeFileSync(
    join(folder, name),
    change(lines(folder, name))
      .map((line) => `${line}\n`)
      .join(''),
  );
}

/** Goes on with a run. @returns the error's message, if there is one, and what was said on standard error */
async function resume(folder: string, steps = STEPS + 2): Promise<{ error: string | undefined; said: string }> {
  const { write } = process.stderr;
  let said = '';
  process.stderr.write = (text: string | Uint8Array) => {
    said += text;
    return true;
  };
  try {
    await train({ resume: folder, preset: 'wgan-gp', given: { steps }, quiet: true, adapter: 'reference' });
    return { error: undefined, said };
  } catch (error) {
    return { error: (error as Error).message, said };
  } finally {
    process.stderr.write = write;
  }
}

const steps = (folder: string): number[] => lines(folder).map((line) => JSON.parse(line).step as number);
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

/** The run goes on, its log is whole in the end, the fixture's rows are in it as they were, and `said` was said, of what is returned. */
async function repaired(folder: string, said: RegExp, name: string): Promise<string> {
  const found = await resume(folder);
  assert.is(found.error, undefined, name);
  assert.match(found.said, said, name);
  assert.equal(steps(folder), upTo(STEPS + 2), name);
  assert.equal(lines(folder).slice(0, STEPS), lines(WHOLE), name);
  return found.said;
}

/** The run is refused in one sentence, and its folder stays as it is. */
async function refused(folder: string, message: RegExp, name: string): Promise<void> {
  const before = readdirSync(folder).map((file) => [file, read(folder, file)]);
  const { error = 'no error' } = await resume(folder);
  assert.match(error, message, name);
  assert.not.match(error, /\n/, name);
  assert.equal(
    readdirSync(folder).map((file) => [file, read(folder, file)]),
    before,
    name,
  );
}

test('a run of an older version goes on, and says what of it is gone', async () => {
  const folder = copy();
  await repaired(folder, /the grids of steps 0, 6, 12 are missing \(samples-000000\.png\)/, 'older');
  assert.not.ok(readdirSync(folder).some((name) => name.startsWith('run.lock')));
  const config = JSON.parse(read(folder, 'config.json'));
  assert.is(
    config.command,
    'npx wgrad train --data ring --width 4 --latent 2 --batch 8 --steps 14 --snapshots 2 --adapter swiftshader',
  );
  assert.equal([config.steps, config.resumed[0].step], [14, STEPS]);
});

test('a log is repaired where its rows are all there, and what was done is said', async () => {
  const cases: Record<string, [(folder: string) => void, RegExp]> = {
    'half a last line': [
      (folder) => writeFileSync(join(folder, 'metrics.jsonl'), `${read(folder, 'metrics.jsonl')}{"step":13,"crit`),
      /metrics\.jsonl broke off in its last line, which is dropped/,
    ],
    'a last line without its end': [
      (folder) => truncateSync(join(folder, 'metrics.jsonl'), read(folder, 'metrics.jsonl').length - 1),
      /^(?!.*metrics\.jsonl)/s,
    ],
    'rows twice and out of order': [
      (folder) => edit(folder, (all) => [...all.slice(6), ...all.slice(0, 6), ...all.slice(3, 6)]),
      /metrics\.jsonl had the same rows of steps 4 to 6 more than once: one of each is kept\n.*metrics\.jsonl had its rows out of order, which are sorted/,
    ],
    'rows after the checkpoint': [
      (folder) => edit(folder, (all) => [...all, ...[13, 14, 15, 15].map((step) => `{"step":${step},"criticLoss":1}`)]),
      /^(?!.*metrics\.jsonl)/s,
    ],
    'foreign lines': [
      (folder) =>
        edit(folder, (all) => [...all.slice(0, 5), 'oops', '{"step":"5"}', '[1]', ...all.slice(5), '{"a":1}']),
      /metrics\.jsonl has lines that are no rows of a run \(line 6 to 8, 16\), which are dropped/,
    ],
  };
  // Of other files, one beside each of those: a run that goes on takes seconds.
  const beside: Record<string, [(folder: string) => void, RegExp]> = {
    'times gone': [(folder) => rmSync(join(folder, 'timing.jsonl')), /timing\.jsonl lacks the rows of steps 10:/],
    'times twice': [
      (folder) => edit(folder, ([row]) => [row!, '{"step":10,"seconds":1}'], 'timing.jsonl'),
      /timing\.jsonl has several rows of steps 10: the first of each is kept/,
    ],
    'state gone': [(folder) => rmSync(join(folder, 'state.json')), /state\.json is gone; it is written anew/],
    'state torn': [
      (folder) => writeFileSync(join(folder, 'state.json'), '{"state":'),
      /state\.json is not JSON: .*; it is written anew/,
    ],
    'state of another kind': [
      (folder) => writeFileSync(join(folder, 'state.json'), '{"state":"finished","step":"x"}'),
      /state\.json: step must be a whole number, 0 or more, not "x"; it is written anew/,
    ],
  };
  const others = Object.entries(beside);
  assert.is(Object.keys(cases).length, others.length);
  for (const [i, [name, [damage, said]]] of Object.entries(cases).entries()) {
    const folder = copy();
    const [otherName, [damageOther, alsoSaid]] = others[i]!;
    damage(folder);
    damageOther(folder);
    const words = await repaired(folder, said, `${name}, ${otherName}`);
    assert.match(words, alsoSaid, otherName);
  }
});

test('what cannot be repaired is named, and nothing changes', async () => {
  const cases: Record<string, [(folder: string) => void, RegExp]> = {
    'cut in half': [
      (folder) => truncateSync(join(folder, 'metrics.jsonl'), read(folder, 'metrics.jsonl').length / 2),
      /metrics\.jsonl lacks the rows of steps \d to 12, which the checkpoint of step 12 has behind it .*copy the log back/,
    ],
    empty: [
      (folder) => writeFileSync(join(folder, 'metrics.jsonl'), ''),
      /metrics\.jsonl lacks the rows of steps 1 to 12, .*: it is empty: copy/,
    ],
    gone: [(folder) => rmSync(join(folder, 'metrics.jsonl')), /lacks the rows of steps 1 to 12, .*: it is gone: copy/],
    'rows missing': [
      (folder) => edit(folder, (all) => all.filter((_, i) => i !== 3 && i !== 8 && i !== 9)),
      /metrics\.jsonl lacks the rows of steps 4, 9 to 10, which/,
    ],
    'a foreign line in the place of a row': [
      (folder) => edit(folder, (all) => all.map((line, i) => (i === 4 ? 'oops' : line))),
      /lacks the rows of steps 5, .* \(metrics\.jsonl has lines that are no rows of a run \(line 5\)/,
    ],
    'two rows of a step': [
      (folder) => edit(folder, (all) => [...all, all[4]!.replace('"criticLoss":-', '"criticLoss":')]),
      /metrics\.jsonl has different rows of the same steps, 5, so that it cannot be told which are the run's/,
    ],
    'a log that is a device': [
      (folder) => {
        rmSync(join(folder, 'metrics.jsonl'));
        symlinkSync('/dev/null', join(folder, 'metrics.jsonl'));
      },
      /cannot read .*metrics\.jsonl: it is a device or a pipe, not a file/,
    ],
    'checkpoint gone': [
      (folder) => rmSync(join(folder, 'checkpoint.safetensors')),
      /checkpoint\.safetensors is gone: copy it back \(it was of step 12\)/,
    ],
    'checkpoint and state gone': [
      (folder) => {
        rmSync(join(folder, 'checkpoint.safetensors'));
        rmSync(join(folder, 'state.json'));
      },
      /has steps in its metrics\.jsonl, but neither checkpoint\.safetensors nor state\.json: copy both back/,
    ],
    'checkpoint cut': [
      (folder) => truncateSync(join(folder, 'checkpoint.safetensors'), 5000),
      /checkpoint\.safetensors/,
    ],
  };
  for (const [name, [damage, message]] of Object.entries(cases)) {
    const folder = copy();
    damage(folder);
    await refused(folder, message, name);
  }
});

test('a folder that is removed under a run ends it in a sentence that names the folder', async () => {
  const folder = copy();
  const config = JSON.parse(read(folder, 'config.json'));
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, checkpointEvery: 1 }));
  const ended = resume(folder, 100_000);
  while (steps(folder).length < STEPS + 3) await new Promise((resolve) => setTimeout(resolve, 10));
  renameSync(folder, `${folder}-away`);
  const { error = 'no error' } = await ended;
  assert.ok(error.includes(folder), error);
  assert.match(error, /is gone, removed or renamed while this process wrote in it|no such file or folder/);
  assert.not.ok(existsSync(folder), 'it is not made again');
  const left = steps(`${folder}-away`);
  assert.equal(left, upTo(left.length));
  rmSync(join(`${folder}-away`, 'run.lock')); // its process, which is this one, has not ended
  assert.is((await resume(`${folder}-away`, left.length + 1)).error, undefined);
});

test('a full disk ends a run in a sentence, and the run goes on from its last checkpoint', async () => {
  const disk = mkdtempSync(join(root, 'disk-'));
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]).status !== 0) return; // takes root on Linux
  try {
    const folder = join(disk, 'run');
    cpSync(WHOLE, folder, { recursive: true });
    const config = JSON.parse(read(folder, 'config.json'));
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, checkpointEvery: 1 }));
    const { error = 'no error' } = await resume(folder, 5000);
    const words = /^cannot write .*: the disk is full; free some space or choose a folder on another disk \(ENOSPC\)$/;
    assert.match(error, words);
    assert.not.ok(
      readdirSync(folder).some((name) => /lock|tmp|new/.test(name)),
      readdirSync(folder).join(),
    );
    spawnSync('mount', ['-o', 'remount,size=4m', disk]);
    const done = steps(folder).length;
    assert.equal((await resume(folder, done + 2)).error, undefined);
    assert.equal(steps(folder), upTo(done + 2));
    spawnSync('mount', ['-o', 'remount,ro', disk]);
    const readOnly = /^cannot lock the folder .*: the file system is read-only; choose/;
    assert.match((await resume(folder, done + 4)).error!, readOnly);
  } finally {
    spawnSync('umount', [disk]);
  }
});

test('a report says what is missing, on its page and on standard error', async () => {
  const folder = copy();
  edit(folder, (all) => [...all.filter((_, i) => i !== 4), all[0]!]);
  writeFileSync(join(folder, 'metrics.jsonl'), `${read(folder, 'metrics.jsonl')}{"st`);
  rmSync(join(folder, 'checkpoint.safetensors'));
  rmSync(join(folder, 'timing.jsonl'));
  const config = JSON.parse(read(folder, 'config.json'));
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, batch: 'many' }));
  const expected = [
    'metrics.jsonl breaks off in its last line, which is left out',
    'metrics.jsonl has several rows of the same steps, 1',
    'metrics.jsonl lacks the rows of steps 5',
    'timing.jsonl is missing',
    'there are no grids of samples yet',
    'config.json: batch must be a whole number from 1 to 65536',
    'checkpoint.safetensors is missing, which was of step 12: the run cannot go on or be sampled from',
    'the grids of steps 0, 6, 12 are missing (samples-000000.png), and cannot be drawn again',
  ];
  assert.equal(readRun(folder).problems, expected);
  const { write: out } = process.stdout;
  const { write: err } = process.stderr;
  let said = '';
  process.stdout.write = () => true;
  process.stderr.write = (text: string | Uint8Array) => {
    said += text;
    return true;
  };
  try {
    await report({ runs: [folder] });
  } finally {
    process.stdout.write = out;
    process.stderr.write = err;
  }
  for (const problem of expected) assert.ok(said.includes(problem), problem);
  rmSync(join(folder, 'state.json'));
  assert.ok(readRun(folder).problems.includes('state.json is missing'));
});

test('every field of config.json is held to what it may be', async () => {
  const folder = copy();
  const config = JSON.parse(read(folder, 'config.json'));
  const message = async (text: string): Promise<string> => {
    writeFileSync(join(folder, 'config.json'), text);
    return readConfig(folder).then(
      () => 'no error',
      (error: Error) => error.message,
    );
  };
  const wrong: Record<string, unknown[]> = {
    data: ['rings', 3, null],
    dataOptions: [null, [], 'x', { size: 1e9 }, { folder: 5 }, { classes: 'a' }, { classes: [] }, { grey: 'yes' }],
    model: ['gpt', null],
    latent: [0, 1e9, '2', -1, 2.5],
    width: [0, 4097, 'wide'],
    criticNorm: ['x', 3],
    objective: ['x', null],
    labelSmoothing: [1, -0.1, 'x', null],
    regularizers: [null, 'r1=1', { r1: 1 }, ['x'], ['r1=0'], [5], Array(100_000).fill('r1=1')],
    instanceNoise: [-1, 'x', null],
    optimizer: ['lion', null],
    criticRate: [0, -1, 'x', null],
    generatorRate: [0, 'fast', null],
    betas: [[0.5], [0.5, 1], [0.5, 0.9, 0.9], 'x', null, ['a', 'b']],
    rateDecay: ['x', 2, -1, null],
    criticSteps: [1e7, 0, -1, 1.5, null, '2'],
    batch: [0, 1e7, 'x', null],
    accumulate: [0, 1e7, null],
    emaDecay: [1, -1, 'x', null],
    steps: [0, -5, 1e10, 'x', 2.5],
    seconds: [0, -1, 1e9, 'x'],
    snapshots: [-1, 'x', 0, 1e9, null],
    checkpointEvery: [0, -3, 'x', 1.5],
    seed: [-1, 2 ** 53, 'x', null, 0.5],
    command: [3, {}],
    shape: [null, 'x', [0], [1, 2, 3, 4, 5], ['2']],
    adapter: [null, 3],
    version: [3],
    commit: [3],
    started: [3, null],
    resumed: [null, 'x', [3], [{ step: -1 }]],
  };
  for (const [field, values] of Object.entries(wrong)) {
    for (const value of values) {
      const found = await message(JSON.stringify({ ...config, [field]: value }));
      assert.match(found, `${join(folder, 'config.json')}: ${field}`, `${field} ${JSON.stringify(value).slice(0, 40)}`);
      assert.match(found, / must be /);
      assert.ok(found.length < 600 && !found.includes('\n'), `${field}: ${found.length} characters`);
    }
  }
  for (const field of Object.keys(wrong)) {
    if (field === 'resumed') continue;
    const { [field]: _, ...rest } = config;
    assert.match(
      await message(JSON.stringify(rest)),
      `is not the configuration of a run of wgrad train: it has no ${field}`,
    );
  }
  assert.match(
    await message(JSON.stringify({ ...config, colour: 3 })),
    'config.json: there is no setting colour: remove it',
  );
  assert.match(await message(read(folder, 'config.json').replace('{', '{"__proto__":{},')), 'no setting');
  assert.match(
    await message(JSON.stringify({ ...config, criticSteps: 1000, accumulate: 1000 })),
    'config.json: criticSteps 1000 times accumulate 1000 are 1000000 batches in a step, and at most 10000',
  );
  assert.match(
    await message(JSON.stringify({ ...config, steps: null, seconds: null })),
    'steps and seconds are both null',
  );
  for (const text of ['[]', '3', 'null', '""']) assert.match(await message(text), 'it is no object');
  assert.match(
    await message(`${'['.repeat(200_000)}${']'.repeat(200_000)}`),
    'config.json is nested more than 100 levels',
  );
  assert.match(await message(`{"a":${'{"a":'.repeat(200_000)}1${'}'.repeat(200_001)}`), 'nested more than 100 levels');
  assert.match(await message('{"a":'), 'config.json is not JSON: begin a new run, or write it again');
  assert.is(await message(JSON.stringify(config)), 'no error');
});

test('a report of hostile files names them', async () => {
  const deep = `{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
  const folder = copy();
  for (const name of ['config.json', 'state.json', 'evaluation.json']) writeFileSync(join(folder, name), deep);
  const { problems } = readRun(folder);
  for (const name of ['config.json', 'state.json', 'evaluation.json']) {
    assert.ok(problems.includes(`${name} is nested more than 100 levels deep`), problems.join('; '));
  }
});

test('of a folder that an older version counted, a difference says what has changed since', () => {
  const samples = { data: new Float32Array(3), count: 3 };
  const set = { name: 'folder', title: 'x', kind: 'images', shape: [1], train: samples, test: samples } as const;
  const older = dataDifference(set as never, { samples: 2 }, [1]);
  assert.match(older!, /^has 3 training samples now and had 2 \(an older wgrad counted them, which read no GIF/);
  assert.is(dataDifference(set as never, { samples: 2, data: 'ab' }, [1]), 'has 3 training samples now and had 2');
});

test('the command of a run follows what the run is now', () => {
  const now = (command: string | null, config: Partial<Parameters<typeof commandNow>[1]> = {}) =>
    commandNow(command, { steps: 300, seconds: null, data: 'ring', dataOptions: {}, ...config });
  assert.is(now('npx wgrad train --data ring'), 'npx wgrad train --data ring --steps 300');
  assert.is(now('npx wgrad train --steps 40 --seed 3'), 'npx wgrad train --steps 300 --seed 3');
  assert.is(
    now('npx wgrad train --steps=40 --adapter lavapipe'),
    'npx wgrad train --steps=40 --adapter lavapipe'.replace('=40', ' 300'),
  );
  assert.is(now('npx wgrad train --adapter lavapipe'), 'npx wgrad train --steps 300 --adapter lavapipe');
  assert.is(now('npx wgrad train --time 15m --seed 3'), 'npx wgrad train --steps 300 --seed 3');
  assert.is(now('npx wgrad train --steps 5 --time 15m', { steps: null, seconds: 90 }), 'npx wgrad train --time 90s');
  const moved = { data: 'folder', dataOptions: { folder: "/a/it's here" } };
  assert.is(
    now("npx wgrad train --data folder --data-folder 'my pictures' --steps 3", moved),
    "npx wgrad train --data folder --data-folder '/a/it'\\''s here' --steps 300",
  );
  assert.is(now(null), null);
});

test.run();
