import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { entries, setupNames, textOf, usualSetup } from '../../playground/setup/entries.ts';

const path = new URL('../../docs/guide/playground.md', import.meta.url);
const BETWEEN = /(<!-- keys: [^>]*-->\n)[\s\S]*?(<!-- end of keys -->)/;

/** The keys of a link, of the table of settings. */
function keys(): string {
  const rows = setupNames.map((name) => {
    const { key, about, range } = entries[name];
    const usual = name === 'points' ? 'a heart' : `\`${textOf(name, usualSetup[name])}\``;
    return `| \`${key}\` | \`${name}\` | ${about} | ${range.says} | ${usual} |`;
  });
  return ['| key | name | what it is | what it may be | usual |', '|---|---|---|---|---|', ...rows, ''].join('\n');
}

test('docs/guide/playground.md has the keys of the settings', () => {
  const page = readFileSync(path, 'utf8');
  assert.match(page, BETWEEN);
  const anew = page.replace(BETWEEN, (_, from: string, to: string) => `${from}\n${keys()}\n${to}`);
  if (process.env.WGRAD_WRITE === '1') writeFileSync(path, anew);
  assert.is(readFileSync(path, 'utf8'), anew, 'write it anew: WGRAD_WRITE=1 npx tsx test/playground/guide.test.ts');
});

test.run();
