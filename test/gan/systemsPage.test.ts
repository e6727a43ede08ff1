import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { experiments } from '../../experiments/experiments.node.ts';
import { systemsPage } from '../support/systemsPage.ts';

const path = new URL('../../docs/systems.md', import.meta.url);

test('docs/systems.md says what the table of systems says', () => {
  const page = systemsPage(Object.keys(experiments));
  if (process.env.WGRAD_WRITE === '1') writeFileSync(path, page);
  assert.is(readFileSync(path, 'utf8'), page, 'write it anew: WGRAD_WRITE=1 npx tsx test/gan/systemsPage.test.ts');
});

test.run();
