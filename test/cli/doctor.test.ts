/** `wgrad doctor`, through its real process. */
import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('doctor');
const doctor = (...options: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/wgrad.js', 'doctor', ...options], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
};

test('it prints adapter, roofs and a passed self-test', () => {
  const { status, stdout, stderr } = doctor('--json');
  assert.is(status, 0, stderr);
  const found = JSON.parse(stdout);
  assert.ok(found.roofs.gflops > 0.1 && found.roofs.gbps > 0.01, stdout);
  assert.ok(found.limits.maxStorageBufferBindingSize >= 2 ** 27);
  assert.is(found.selfTest.length, 9);
  for (const t of found.selfTest) assert.ok(t.ok && t.error < 1e-5, JSON.stringify(t));
});

test('the reference device needs no adapter', () => {
  const { status, stdout } = doctor('--adapter', 'reference');
  assert.is(status, 0);
  assert.match(stdout, /adapter +float64 reference/);
  assert.match(stdout, /conv2dWeight +ok/);
});

test.run();
