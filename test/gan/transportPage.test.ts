/** docs/transport.md says what its example prints, and shows what it draws. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const page = readFileSync('docs/transport.md', 'utf8');

test('the page has the numbers that the example prints, and the figures that it draws', () => {
  const out = mkdtempSync(join(tmpdir(), 'wgrad-transport-'));
  try {
    const command = ['--import', 'tsx', 'examples/transport.ts', '--out', out];
    const printed = execFileSync(process.execPath, command, { encoding: 'utf8' });
    const quoted = [...page.matchAll(/```text\n([\s\S]*?)```/g)].map(([, text]) => text!).join('');
    assert.is(quoted, printed);
    const figures = [...page.matchAll(/\]\(transport\/(.*?\.svg)\)/g)].map(([, name]) => name!);
    assert.equal(figures, ['potential.svg', 'plan.svg']);
    for (const name of figures) {
      assert.is(readFileSync(join(out, name), 'utf8'), readFileSync(join('docs/transport', name), 'utf8'), name);
    }
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
});

test('every function that the page names is there', async () => {
  const [browser, node] = [await import('../../gan/index.ts'), await import('../../gan/index.node.ts')];
  const table = page.split('\n').filter((line) => line.startsWith('| ') && line.includes('`'));
  const names = table.flatMap((line) => [...line.matchAll(/`(\w+)`/g)].map(([, name]) => name!));
  assert.ok(names.length >= 18, `${names}`);
  for (const name of names) assert.type({ ...browser, ...node }[name as 'sinkhorn'], 'function', name);
});

test.run();
