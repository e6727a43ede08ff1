/** A save that is killed, at any moment: the file is the old one or the new one, whole. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadSafetensors, saveSafetensors } from '../../nn/index.node.ts';
import { bundleProgram } from '../support/io/child.ts';

const test = suite('killed writer');
const KILLS = 50;

/** Starts a writer at a version, kills it some time after its first word. @returns the versions begun and ended last */
async function killOne(program: string, path: string, first: number, after: number): Promise<[number, number]> {
  const child: ChildProcess = spawn(process.execPath, [program, path, `${first}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [said, complaint] = ['', ''];
  child.stderr!.on('data', (data) => (complaint += String(data)));
  const closed = new Promise<NodeJS.Signals | null>((resolve) => child.on('close', (_, signal) => resolve(signal)));
  const spoke = new Promise<void>((resolve) =>
    child.stdout!.on('data', (data) => {
      said += String(data);
      resolve();
    }),
  );
  await Promise.race([spoke, closed]);
  await new Promise((resolve) => setTimeout(resolve, after));
  child.kill('SIGKILL');
  assert.is(await closed, 'SIGKILL', complaint);
  const last = (word: string): number =>
    Number([...said.matchAll(new RegExp(`${word} (\\d+)\n`, 'g'))].at(-1)?.[1] ?? -1);
  return [last('begin'), last('end')];
}

test(`killed ${KILLS} times, it leaves the old file or the new one, and no heap of temporary files`, async () => {
  const root = mkdtempSync(join(tmpdir(), 'wgrad-'));
  const path = join(root, 'model.safetensors');
  const program = await bundleProgram('writer');
  const leftovers = () => readdirSync(root).filter((f) => f !== 'model.safetensors');
  try {
    await saveSafetensors(path, new Map([['a', { shape: [1], data: Float32Array.of(0) }]]), { version: '0' });
    let [version, interrupted, most] = [0, 0, 0];
    for (let kill = 0; kill < KILLS; kill++) {
      const [begun, ended] = await killOne(program.path, path, version + 1, Math.random() * 40);
      const { tensors, metadata } = await loadSafetensors(path);
      const found = Number(metadata.version);
      const oldest = Math.max(version, ended);
      assert.ok(found >= oldest && found <= begun, `version ${found}; ${oldest} was there, ${begun} begun`);
      for (const [name, { data }] of tensors) {
        assert.ok(
          (data as Float32Array).every((v) => v === found),
          `${name} is not of version ${found}`,
        );
      }
      version = found;
      const left = leftovers().length;
      interrupted += Number(left > 0);
      most = Math.max(most, left);
    }
    assert.ok(interrupted >= KILLS / 10, `only ${interrupted} kills hit a writer at work`);
    assert.is(most, 1, 'each save removes what the one before it left');
    await saveSafetensors(path, new Map());
    assert.equal(leftovers(), []);
  } finally {
    program.remove();
    rmSync(root, { recursive: true });
  }
});

test.run();
