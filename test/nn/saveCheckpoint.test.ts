/** Checkpoints in files: saved, loaded by another process, and state that changes while it is saved. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Rng, reference, withDevice } from '../../engine/index.ts';
import { loadCheckpoint, loadSafetensors, saveCheckpoint, saveSafetensors } from '../../nn/index.node.ts';
import * as nn from '../../nn/index.ts';
import { openGpu } from '../support/devices.ts';
import { differences, type Fingerprint, startRun } from '../support/io/gan.ts';

const test = suite<{ root: string; path: string }>('checkpoint files');
test.before.each((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'wgrad-'));
  context.path = join(context.root, 'run.safetensors');
});
test.after.each(({ root }) => rmSync(root, { recursive: true }));
const devices = { webgpu: await openGpu(), reference };
const RESUME = fileURLToPath(new URL('../support/io/resume.ts', import.meta.url));

for (const [kind, device] of Object.entries(devices)) {
  for (const mode of ['eager', 'compiled'] as const) {
    test(`${kind}, ${mode}: a run of 6 steps, and one that another process finishes, are equal to the last bit`, async ({
      path,
    }) => {
      const run = startRun(device, mode, 1);
      for (let k = 0; k < 3; k++) run.step(k);
      await saveCheckpoint(path, run.parts, { step: 3 });
      for (let k = 3; k < 6; k++) run.step(k);
      const said = execFileSync(process.execPath, ['--import', 'tsx', RESUME, path, kind, mode], { encoding: 'utf8' });
      assert.equal(differences(JSON.parse(said) as Fingerprint, await run.fingerprint()), []);
      run.dispose();
    });
  }
}

test('the file is that of encodeCheckpoint, and any reader of safetensors has the weights', async ({ path }) => {
  const run = startRun(reference, 'eager', 1);
  await saveCheckpoint(path, run.parts, { step: 0 });
  const { tensors, metadata } = await loadSafetensors(path);
  assert.equal(nn.encodeSafetensors(tensors, metadata), await nn.encodeCheckpoint(run.parts, { step: 0 }));
  assert.equal(tensors.get('generator.layers.2.runningVar'), {
    shape: [4],
    data: new Float64Array(4).fill(1),
    dtype: 'F64',
  });
  const described = JSON.parse(metadata['wgrad.checkpoint']!) as { states: object };
  assert.equal(Object.keys(described.states), ['critic.layers.0.rng', 'draws']);
  assert.equal((await loadCheckpoint(path)).metadata, { step: 0 });
  run.dispose();
});

test('a step, or the end of the objects, while a checkpoint is saved is an error, and the old file stays', async ({
  path,
  root,
}) => {
  const model = withDevice(reference, () => new nn.Linear(2, 2));
  await saveCheckpoint(path, { model }, 'old');
  const message = async (change: () => void) => {
    const saving = saveCheckpoint(path, { model }, 'new').then(
      () => 'no error',
      (error: Error) => error.message,
    );
    change();
    return saving;
  };
  const wanted = `cannot write ${path}: model.bias changed while it was being saved: await saveCheckpoint(...) before`;
  assert.match(await message(() => withDevice(reference, () => model.bias!.assign([1, 2]))), wanted);
  assert.match(await message(() => model.dispose()), wanted);
  assert.is((await loadCheckpoint(path)).metadata, 'old');
  assert.equal(readdirSync(root), ['run.safetensors']);
});

test('weights that change while a file of them is saved are an error too', async ({ path }) => {
  const model = withDevice(reference, () => new nn.Linear(2, 2));
  const saving = saveSafetensors(path, model.stateDict()).then(String, (error: Error) => error.message);
  withDevice(reference, () => model.weight.assign([1, 2, 3, 4]));
  assert.match(
    await saving,
    `cannot write ${path}: weight changed while it was being saved: await saveSafetensors(...) before the next step`,
  );
});

test('of 200 single bits that are turned anywhere in a checkpoint, each is noticed before anything is loaded', async ({
  path,
}) => {
  const run = startRun(reference, 'eager', 1);
  await saveCheckpoint(path, run.parts, { step: 3, note: 'é' });
  const bytes = readFileSync(path);
  run.step(0); // so that a part of the file, once loaded, would show
  const before = await run.fingerprint();
  const header = 8 + Number(bytes.readBigUInt64LE(0));
  const rng = new Rng(5);
  const places = Array.from(rng.hostUniform(200), (u, i) => {
    // Headers are short, and differ in what is read of them.
    const end = i % 2 === 0 ? header : bytes.length;
    return Math.floor(u * end * 8);
  });
  for (const place of [...places, ...Array.from({ length: 16 }, (_, i) => 4 * i)]) {
    const damaged = Uint8Array.from(bytes);
    damaged[place >> 3]! ^= 1 << (place & 7);
    writeFileSync(path, damaged);
    const messages = [
      await loadCheckpoint(path, run.parts).then(String, (error: Error) => error.message),
      await nn.decodeCheckpoint(damaged, run.parts).then(String, (error: Error) => error.message),
    ];
    assert.ok(messages[0]!.startsWith(`${path}: `), `bit ${place}: ${messages[0]}`);
    assert.ok(messages[1]!.startsWith('checkpoint: '), `bit ${place}: ${messages[1]}`);
    if (place >= header * 8)
      for (const m of messages) assert.match(m, /tensor ".*": it has the checksum [\da-f]{8}, and was saved/);
  }
  assert.equal(differences(await run.fingerprint(), before), []);
  writeFileSync(path, bytes);
  await loadCheckpoint(path, run.parts);
  run.dispose();
});

test('a part is checked by itself; files without checksums are read; those that lost theirs are not', async ({
  path,
}) => {
  const [a, b] = withDevice(reference, () => [new nn.Linear(2, 2), new nn.Linear(2, 2)]) as [nn.Linear, nn.Linear];
  await saveCheckpoint(path, { a, b });
  const bytes = readFileSync(path);
  bytes[bytes.length - 1]! ^= 1; // the last tensor: b.weight
  writeFileSync(path, bytes);
  assert.equal((await loadCheckpoint(path, { a })).parts, ['a', 'b']);
  const message = await loadCheckpoint(path, { a, b }).then(String, (error: Error) => error.message);
  assert.match(message, `${path}: tensor "b.weight": it has the checksum`);
  await saveCheckpoint(path, { a, b });
  const { tensors, metadata } = await loadSafetensors(path);
  const { checksum, ...described } = JSON.parse(metadata['wgrad.checkpoint']!) as { checksum: string };
  assert.is(checksum, 'crc32c');
  const older = (text: object) => {
    const found = nn.encodeSafetensors(tensors, { 'wgrad.checkpoint': JSON.stringify(text) });
    const name = new TextEncoder().encode('wgrad.crc32c');
    const at = Buffer.from(found).indexOf(name);
    assert.ok(at > 0);
    found[at] = 'x'.charCodeAt(0);
    return found;
  };
  writeFileSync(path, older(described));
  assert.equal((await loadCheckpoint(path, { a, b })).parts, ['a', 'b'], 'of an older version');
  writeFileSync(path, older({ ...described, checksum }));
  const lost = await loadCheckpoint(path, { a, b }).then(String, (error: Error) => error.message);
  assert.match(lost, `${path}: its checksums are gone: the file was damaged`);
});

test('metadata that nest without end are refused, when they are saved and when they are read', async ({ path }) => {
  const deep = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`) as nn.Json;
  const message = (promise: Promise<unknown>) => promise.then(String, (error: Error) => error.message);
  const wanted = 'metadata nests lists or objects more than 500 deep; flatten it';
  assert.is(await message(saveCheckpoint(path, {}, deep)), wanted);
  assert.is(await message(nn.encodeCheckpoint({}, deep)), wanted);
  const text = `{"version":1,"parts":[],"metadata":${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}}`;
  await saveSafetensors(path, new Map(), { 'wgrad.checkpoint': text });
  assert.is(await message(loadCheckpoint(path)), `${path}: ${wanted}`);
  writeFileSync(path, `${'\0'.repeat(8)}{"a":${'['.repeat(200_000)}`);
  assert.match(await message(loadCheckpoint(path)), `${path}: `);
  assert.match(await message(saveCheckpoint(path, {}, { '#number': 'x' })), 'metadata has #number for its only name');
});

test('what is wrong with a file is said with its path', async ({ path }) => {
  const model = withDevice(reference, () => new nn.Linear(2, 2));
  const message = (parts: nn.CheckpointParts) =>
    loadCheckpoint(path, parts).then(String, (error: Error) => error.message);
  assert.match(await message({ model }), `cannot read ${path}: no such file`);
  await saveCheckpoint(path, { other: model });
  assert.is(await message({ model }), `${path}: there is no model in it; it has other`);
  const wide = withDevice(reference, () => new nn.Linear(3, 2));
  assert.match(
    await message({ other: wide }),
    `${path}: the checkpoint does not fit: other.weight is [2,2], not [3,2]`,
  );
});

test.run();
