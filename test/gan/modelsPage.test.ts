import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { modelsPage } from '../support/modelsPage.ts';

const path = new URL('../../docs/models.md', import.meta.url);

test('docs/models.md says what the table of models says', () => {
  const page = modelsPage();
  if (process.env.WGRAD_WRITE === '1') writeFileSync(path, page);
  assert.is(readFileSync(path, 'utf8'), page, 'write it anew: WGRAD_WRITE=1 npx tsx test/gan/modelsPage.test.ts');
});

test.run();
