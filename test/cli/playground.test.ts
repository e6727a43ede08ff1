/** `wgrad playground`: the page over HTTP, and where it lies as one file. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('playground command');
const COMMAND = fileURLToPath(new URL('../../bin/wgrad.js', import.meta.url));

/** The first line that the command prints. */
async function firstLine({ stdout }: ChildProcess): Promise<string> {
  const [text] = (await once(stdout!.setEncoding('utf8'), 'data')) as [string];
  return text.split('\n')[0]!;
}

test('it serves page, script and worker on this machine, and ends on Ctrl-C', async () => {
  const child = spawn(process.execPath, [COMMAND, 'playground', '--no-open']);
  try {
    const url = await firstLine(child);
    assert.match(url, /^http:\/\/localhost:\d+\/$/);
    const page = await (await fetch(url)).text();
    const files = [...page.matchAll(/(?:src|href)="([\w-]+\.(?:js|css))"/g)].map(([, name]) => name!);
    assert.is(files.length, 3, 'style, worker, script');
    for (const name of files) assert.is((await fetch(url + name)).status, 200, name);
    assert.is((await fetch(`${url}nothing`)).status, 404);
    assert.is((await fetch(`${url}lessons/`)).status, 200);
  } finally {
    child.kill('SIGINT');
  }
  const [code] = (await once(child, 'close')) as [number];
  assert.is(code, 130);
});

test('the one file holds page and worker, and asks for nothing', () => {
  const path = execFileSync(process.execPath, [COMMAND, 'playground', '--file'], { encoding: 'utf8' }).trim();
  const html = readFileSync(path, 'utf8');
  assert.not.match(html.slice(0, 2000) + html.slice(-200), /(?:src|href)="(?!data:)/);
  assert.ok(html.length > 500_000);
});

test('a port that is taken, or none, is refused in one line', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  const run = async (given: string): Promise<[code: number, said: string]> => {
    const child = spawn(process.execPath, [COMMAND, 'playground', '--no-open', '--port', given]);
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const [code] = (await once(child, 'close')) as [number];
    return [code, said];
  };
  assert.equal(await run(String(port)), [1, `wgrad: port ${port} is taken; give another with --port, or none\n`]);
  for (const odd of ['70000', 'x', '1.5']) {
    const [code, said] = await run(odd);
    assert.is(code, 2);
    assert.match(said, 'a port is a whole number from 0 to 65535');
  }
  taken.close();
});

test.run();
