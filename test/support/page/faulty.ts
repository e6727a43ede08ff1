/** A test file with all the faults that a run in a page must report: `browser.test.ts` looks for each of them. */
import { suite, test } from 'uvu';
import * as assert from 'uvu/assert';
import { matmul, ones } from '../../../engine/index.ts';
import { on, openGpu } from '../devices.ts';

const gpu = await openGpu();

test('passes', () => {
  assert.ok(true);
});

test('fails', async () => {
  assert.equal([...(await on(gpu, () => matmul(ones([1, 2]), ones([2, 1])).data()))], [3]);
});

test('warns, and has a buffer refused', () => {
  console.warn('a warning');
  gpu.gpu.createBuffer({ size: 4, usage: 0xffff });
});

test.after(() => {
  throw new Error('a hook failed');
});
test.run();

suite('never run')('is not run', () => {});
