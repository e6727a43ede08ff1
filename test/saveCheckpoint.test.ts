/** Checkpoints in files: saved, loaded by another process, and state that changes while it is saved. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { reference, withDevice } from '../engine/index.ts';
import { loadCheckpoint, loadSafetensors, saveCheckpoint } from '../nn/index.node.ts';
import * as nn from '../nn/index.ts';
import { openGpu } from './support/devices.ts';
import { differences, type Fingerprint, startRun } from './support/io/gan.ts';

const test = suite<{ root: string; path: string }>('checkpoint files');
test.before.each((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'wgrad-'));
  context.path = join(context.root, 'run.safetensors');
});
test.after.each(({ root }) => rmSync(root, { recursive: true }));
const devices = { webgpu: await openGpu(), reference };
const RESUME = fileURLToPath(new URL('support/io/resume.ts', import.meta.url));

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
