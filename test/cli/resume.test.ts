/** Runs that are killed or stopped go on to the numbers of a run that was left alone: the real command in real processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadSafetensors } from '../../nn/index.node.ts';

const test = suite('resume');
const root = mkdtempSync(join(tmpdir(), 'wgrad-resume-'));
test.after(() => rmSync(root, { recursive: true, force: true }));

const KILLS = 5;
/** Small enough for seconds, long enough to be killed in the middle. */
const JOB = '--data ring --preset wgan-gp --width 16 --batch 16 --steps 900 --snapshots 3 --checkpoint-every 60'.split(
  ' ',
);

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly text: string }>;
}

function start(...options: string[]): Started {
  const child = spawn(process.execPath, ['bin/wgrad.js', 'train', ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += String(data)));
  return { child, ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, text }))) };
}

/** Everything that the same seed makes again: the log, the weights and states, the pictures. */
async function outcome(folder: string) {
  const { tensors } = await loadSafetensors(join(folder, 'checkpoint.safetensors'));
  const weights = [...tensors].map(([name, { data }]) => [
    name,
    Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
  ]);
  const pictures = readdirSync(folder)
    .filter((name) => name.endsWith('.png'))
    .sort();
  return {
    metrics: readFileSync(join(folder, 'metrics.jsonl'), 'utf8'),
    weights: Object.fromEntries(weights),
    pictures: Object.fromEntries(pictures.map((name) => [name, readFileSync(join(folder, name)).toString('base64')])),
  };
}

const rows = (folder: string): number => {
  const path = join(folder, 'metrics.jsonl');
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
};

const statusOf = (folder: string) => JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8'));

const moment = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test(`a run that is killed ${KILLS} times ends with the numbers of one that ran through`, async () => {
  const whole = join(root, 'whole');
  const reference = await start('--out', whole, ...JOB).ended;
  assert.is(reference.code, 0, reference.text);
  const killed = join(root, 'killed');
  const story: string[] = [];
  let inTheMiddle = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const before = kill === 0 ? 0 : rows(killed);
    const { child, ended } = start(...(kill === 0 ? ['--out', killed, ...JOB] : ['--resume', killed]));
    let running = true;
    void ended.then(() => {
      running = false;
    });
    // Until it trains, and then a random while longer: a step, a checkpoint or a picture may be under way.
    const from = Date.now();
    while (running && rows(killed) === before && Date.now() - from < 60_000) await moment(10);
    const wait = Math.random() * 400;
    await moment(wait);
    child.kill('SIGKILL');
    const { code, text } = await ended;
    story.push(`killed ${wait.toFixed(0)} ms after row ${before}, at row ${rows(killed)}, exit ${code}`);
    if (code === null && rows(killed) < 900) inTheMiddle++;
    assert.ok(code === null || code === 0, `${story.join('; ')}\n${text}`);
  }
  assert.ok(inTheMiddle > 0, story.join('; '));
  // By its checkpoint, where there is one: that names the run too.
  const checkpoint = join(killed, 'checkpoint.safetensors');
  const { code, text } = await start('--resume', existsSync(checkpoint) ? checkpoint : killed).ended;
  assert.is(code, 0, text);
  const { command } = JSON.parse(readFileSync(join(killed, 'config.json'), 'utf8'));
  assert.match(command, /^npx wgrad train --data ring .*--checkpoint-every 60( --adapter \w+)?$/);
  const [found, wanted] = [await outcome(killed), await outcome(whole)];
  assert.is(found.metrics, wanted.metrics, story.join('; '));
  assert.equal(found.weights, wanted.weights, story.join('; '));
  assert.equal(found.pictures, wanted.pictures, story.join('; '));
  assert.is(JSON.parse(readFileSync(join(killed, 'state.json'), 'utf8')).state, 'finished');
});

test('a run that was stopped goes on to the same numbers, and farther than it was meant to', async () => {
  const out = join(root, 'stopped');
  const { child, ended } = start('--out', out, ...JOB);
  while (rows(out) < 20) await moment(10);
  child.kill('SIGINT');
  assert.is((await ended).code, 130);
  const { state, step, saved } = statusOf(out);
  assert.equal([state, saved], ['stopped', step]);
  assert.ok(step >= 20 && step < 900);
  assert.is(rows(out), step);
  const rest = await start('--resume', out).ended;
  assert.is(rest.code, 0, rest.text);
  assert.match(rest.text, new RegExp(`going on after step ${step} in `));
  assert.equal((await outcome(out)).weights, (await outcome(join(root, 'whole'))).weights);
  const more = await start('--resume', out, '--steps', '950').ended;
  assert.is(more.code, 0, more.text);
  assert.match(more.text, /going on after step 900 in /);
  assert.is(rows(out), 950);
  const { command } = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'));
  assert.match(command, / --steps 950 --snapshots 3 --checkpoint-every 60( --adapter \w+)?$/);
});

test('SIGTERM and SIGHUP end a run as Ctrl-C does, and say so', async () => {
  for (const [name, status, more] of [
    ['SIGTERM', 143, 30],
    ['SIGHUP', 129, 60],
  ] as const) {
    const out = join(root, 'asked');
    const { child, ended } =
      more === 30 ? start('--out', out, ...JOB, '--checkpoint-every', '1000') : start('--resume', out);
    while (child.exitCode === null && (!existsSync(out) || rows(out) < more)) await moment(10);
    child.kill(name);
    const { code, text } = await ended;
    assert.is(code, status, text);
    const { state, step, saved, reason } = statusOf(out);
    assert.equal([state, saved, reason], ['stopped', step, `stopped by ${name}`]);
    assert.is(rows(out), step);
    assert.not.ok(existsSync(join(out, 'run.lock')));
  }
});

test('one process at a time: a second is refused, and one that hung and was followed writes nothing more', async () => {
  const out = join(root, 'hung');
  const first = start('--out', out, ...JOB);
  while (first.child.exitCode === null && (!existsSync(out) || rows(out) < 80)) await moment(10);
  const second = await start('--resume', out).ended;
  assert.is(second.code, 1, second.text);
  assert.match(
    second.text,
    new RegExp(`^wgrad: process ${first.child.pid} on .* has been writing in ${out} since `, 'm'),
  );
  assert.is(first.child.exitCode, null);
  first.child.kill('SIGSTOP');
  const lock = join(out, 'run.lock');
  utimesSync(lock, new Date(), new Date(Date.now() - 3_600_000)); // as if it had hung for an hour
  const third = await start('--resume', out).ended;
  assert.is(third.code, 0, third.text);
  // It may hang in the middle of a file, whose hidden beginning it takes away when it wakes: no one ever reads that.
  const files = () =>
    Object.fromEntries(
      readdirSync(out)
        .filter((name) => !name.endsWith('.tmp'))
        .map((name) => [name, readFileSync(join(out, name)).toString('base64')]),
    );
  const before = files();
  first.child.kill('SIGCONT');
  const { code, text } = await first.ended;
  assert.is(code, 1, text);
  assert.match(
    text,
    /\nwgrad: .*run\.lock was removed, so that others may write there too: this process writes nothing more\n$/,
  );
  assert.equal(files(), before);
  assert.not.ok(readdirSync(out).some((name) => name.endsWith('.tmp')));
  assert.equal((await outcome(out)).weights, (await outcome(join(root, 'whole'))).weights);
  assert.is((await outcome(out)).metrics, (await outcome(join(root, 'whole'))).metrics);
});

test('a run limited by time finds its number of steps, ends in time, and has the numbers of a run of these steps', async () => {
  const out = join(root, 'timed');
  const timed = JOB.filter((_, i) => ![8, 9].includes(i));
  const { code, text } = await start('--out', out, ...timed, '--time', '15s').ended;
  assert.is(code, 0, text);
  const { steps, seconds, step, state } = statusOf(out);
  assert.is(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')).steps, steps);
  assert.ok(steps > 10 && rows(out) === step, text);
  // A busy machine may take seconds for the last step and picture, or slow down on the way: the estimate is of the beginning.
  assert.ok(seconds <= 25, `${seconds} s`);
  assert.ok(step > steps / 8, `${step} of ${steps} steps`);
  if (state === 'stopped') assert.is((await start('--resume', out, '--steps', String(steps)).ended).code, 0);
  const again = join(root, 'again');
  assert.is((await start('--out', again, ...timed, '--steps', String(steps)).ended).code, 0);
  assert.equal((await outcome(out)).weights, (await outcome(again)).weights);
  const over = await start('--resume', out, '--time', '5s').ended;
  assert.is(over.code, 1);
  assert.match(over.text, /the run has taken \d+ s already: give it more/);
  const more = await start('--resume', out, '--time', '40s').ended;
  assert.is(more.code, 0, more.text);
  assert.ok(statusOf(out).steps > steps && rows(out) > steps, more.text);
});

test('weights that are not finite never become a checkpoint', async () => {
  const out = join(root, 'infinite');
  const rates = ['--optimizer', 'sgd', '--generator-rate', '1e39', '--checkpoint-every', '1'];
  const { code, text } = await start('--out', out, ...JOB.slice(0, -2), ...rates).ended;
  assert.is(code, 1, text);
  assert.match(text, /wgrad: training diverged at step 1: weights are not finite; lower the learning rates/);
  assert.equal([statusOf(out).state, statusOf(out).saved], ['diverged', null]);
  assert.not.ok(existsSync(join(out, 'checkpoint.safetensors')));
});

test('what cannot go on says why, in one line, and changes nothing', async () => {
  const folder = mkdtempSync(join(root, 'broken-'));
  const refused = async (pattern: RegExp, ...options: string[]): Promise<void> => {
    const before = readdirSync(folder).join();
    const { code, text } = await start(...options).ended;
    assert.is(code, 1, text);
    assert.match(text, pattern);
    assert.match(text.replaceAll(/^Warning.*\n/gm, ''), /^wgrad: [^\n]+\n$/);
    assert.is(readdirSync(folder).join(), before);
  };
  await refused(/cannot open the run .*nowhere/, '--resume', join(folder, 'nowhere'));
  await refused(/is not a run of wgrad train: it has no config\.json/, '--resume', folder);
  writeFileSync(join(folder, 'config.json'), '{"model": 3}');
  await refused(/is not the configuration of a run/, '--resume', folder);
  await refused(/a run that goes on keeps its seed/, '--resume', join(root, 'whole'), '--seed', '1');
  await refused(/the run has done 900 steps already: give it more/, '--resume', join(root, 'whole'), '--steps', '100');
  await refused(/a run that goes on keeps its preset/, '--resume', join(root, 'whole'), '--preset', 'wgan');
  const bare = join(root, 'bare');
  cpSync(join(root, 'whole'), bare, { recursive: true });
  rmSync(join(bare, 'checkpoint.safetensors'));
  await refused(/bare\/checkpoint\.safetensors is gone: copy it back \(it was of step 900\)/, '--resume', bare);
  assert.is(rows(bare), 900);
  const other = join(root, 'other');
  cpSync(join(root, 'whole'), other, { recursive: true });
  const config = JSON.parse(readFileSync(join(other, 'config.json'), 'utf8'));
  writeFileSync(join(other, 'config.json'), JSON.stringify({ ...config, dataOptions: { trainSize: 1000 } }));
  await refused(/has 1000 training samples now and had 131072/, '--resume', other);
  await refused(/betas are decay rates of Adam/, '--preset', 'wgan', '--betas', '0,0.9');
  await refused(/a batch of 60001 is larger than the 60000 samples of MNIST/, '--batch', '60001');
  await refused(/mlp makes|dcgan makes|dcgan: .*points|images of/, '--data', 'ring', '--model', 'dcgan');
});

test.run();
