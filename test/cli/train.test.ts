/** `npm start` in small: the real command, its files, its memory, its numbers twice, and Ctrl-C. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readJsonLines } from '../../cli/run/folder.node.ts';
import { Rng } from '../../engine/index.ts';
import { loadCheckpoint, loadSafetensors } from '../../nn/index.node.ts';

const test = suite('train');
const root = mkdtempSync(join(tmpdir(), 'wgrad-train-'));
test.after(() => rmSync(root, { recursive: true, force: true }));

const start = (out: string, ...options: string[]) => command('--out', out, ...options);
const resume = (out: string) => command('--resume', out, '--steps', '4');

function command(...options: string[]): {
  child: ChildProcess;
  ended: Promise<{ code: number | null; text: string }>;
} {
  const child = spawn(process.execPath, ['bin/wgrad.js', 'train', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += String(data)));
  const ended = new Promise<{ code: number | null; text: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, text })),
  );
  return { child, ended };
}

test('a run keeps grids, curves, metrics and weights, and its memory is flat', async () => {
  const out = join(root, 'flat');
  const { code, text } = await start(out, '--steps', '220', '--batch', '2').ended;
  assert.is(code, 0, text);
  assert.match(text, /before [\d.]+, after [\d.]+: [\d.]+ times closer/);
  const files = readdirSync(out);
  for (const name of [
    'config.json',
    'curves.svg',
    'checkpoint.safetensors',
    'samples.png',
    'samples-000000.png',
    'samples-000220.png',
  ]) {
    assert.ok(files.includes(name), `${name} is missing from ${files}`);
  }
  assert.is(readJsonLines(join(out, 'metrics.jsonl')).length, 220);
  const at = (step: number) => {
    const { buffers, bytes, pooledBuffers, pooledBytes, tensors } = readJsonLines(join(out, 'timing.jsonl')).find(
      (r) => r.step === step,
    )!;
    return { buffers, bytes, pooledBuffers, pooledBytes, tensors };
  };
  // From the first checkpoint on, whose weights were the last that was read for the first time.
  assert.equal(at(220), at(40));
  const { tensors } = await loadSafetensors(join(out, 'checkpoint.safetensors'));
  for (const part of ['generator.layers.0.weight', 'criticOptimizer.', 'ema.']) {
    assert.ok(
      [...tensors.keys()].some((name) => name.startsWith(part)),
      part,
    );
  }
});

test("a bit that is turned in a run's checkpoint is noticed, wherever it is, and the run does not go on from it", async () => {
  const out = join(root, 'flipped');
  const job = ['--data', 'ring', '--width', '4', '--batch', '4', '--steps', '2', '--quiet'];
  const { code, text } = await start(out, ...job).ended;
  assert.is(code, 0, text);
  const path = join(out, 'checkpoint.safetensors');
  const bytes = readFileSync(path);
  const flipped = (bit: number) => {
    const damaged = Uint8Array.from(bytes);
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    writeFileSync(path, damaged);
  };
  const rng = new Rng(3);
  for (const u of rng.hostUniform(200)) {
    const bit = Math.floor(u * bytes.length * 8);
    flipped(bit);
    const message = await loadSafetensors(path).then(String, (error: Error) => error.message);
    assert.ok(message.startsWith(`${path}: `), `bit ${bit}: ${message}`);
  }
  flipped(bytes.length * 8 - 1);
  const ended = await resume(out).ended;
  assert.ok(ended.code !== 0 && ended.text.includes(`${path}: tensor "`), ended.text);
  assert.match(ended.text, /it has the checksum [\da-f]{8}, and was saved with [\da-f]{8}/);
});

test('the same seed gives the same numbers to the last digit, another seed others', async () => {
  const metrics = async (name: string, seed: string) => {
    const { code, text } = await start(join(root, name), '--steps', '8', '--batch', '8', '--seed', seed, '--quiet')
      .ended;
    assert.is(code, 0, text);
    return readFileSync(join(root, name, 'metrics.jsonl'), 'utf8');
  };
  const first = await metrics('a', '5');
  assert.is(await metrics('b', '5'), first);
  assert.is.not(await metrics('c', '6'), first);
});

test('Ctrl-C stops after the step under way and keeps what was learnt', async () => {
  const out = join(root, 'stopped');
  const { child, ended } = start(out, '--steps', '100000', '--batch', '2');
  while (
    !(existsSync(join(out, 'metrics.jsonl')) && readFileSync(join(out, 'metrics.jsonl'), 'utf8').split('\n').length > 3)
  ) {
    assert.is(child.exitCode, null);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill('SIGINT');
  const { code, text } = await ended;
  assert.is(code, 130, text);
  const done = readJsonLines(join(out, 'metrics.jsonl')).length;
  const { metadata } = await loadCheckpoint(join(out, 'checkpoint.safetensors'));
  assert.is((metadata as { readonly step: number }).step, done);
  for (const name of ['samples.png', 'curves.svg', 'report.html']) assert.ok(existsSync(join(out, name)), name);
});

test.run();
