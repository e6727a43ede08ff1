/** One process writes in a run folder: others are refused, one that is gone is followed, one that was taken for gone stops. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRunFolder, resumeRunFolder } from '../../cli/run/folder.node.ts';
import { LOCK, lockFolder } from '../../cli/run/folderLock.node.ts';
import { thisProcess } from '../../cli/run/processName.node.ts';
import { bundleProgram } from '../support/io/child.ts';

const test = suite('run lock');
const root = mkdtempSync(join(tmpdir(), 'wgrad-lock-'));
const program = await bundleProgram('locker');
test.after(() => {
  program.remove();
  rmSync(root, { recursive: true, force: true });
});

const messageOf = (action: () => unknown): string => {
  try {
    action();
    return 'no error';
  } catch (error) {
    return (error as Error).message;
  }
};
const folder = (): string => mkdtempSync(join(root, 'run-'));
const lockOf = (path: string) => JSON.parse(readFileSync(join(path, LOCK), 'utf8'));
const rows = (path: string): { step: number; writer: number }[] =>
  readFileSync(join(path, 'metrics.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

/** A lock as another process would have left it. */
const leave = (path: string, holder: object, name = LOCK): void =>
  writeFileSync(join(path, name), JSON.stringify({ ...thisProcess(), ...NOTED, ...holder }));
const NOTED = { nonce: '01234567-89ab-cdef-0123-456789abcdef', since: '2026-01-01T00:00:00.000Z' };
/** As if there had been no sign of life for an hour. */
const age = (path: string): void => utimesSync(join(path, LOCK), new Date(), new Date(Date.now() - 3_600_000));

/** Starts a writer. @returns it, its first words, and its last ones with its exit status */
function start(path: string, from?: number) {
  const child: ChildProcess = spawn(process.execPath, [program.path, path, ...(from === undefined ? [] : [`${from}`])]);
  let [said, complaint] = ['', ''];
  child.stderr!.on('data', (text) => (complaint += String(text)));
  const ended = new Promise<{ code: number | null; text: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, text: said + complaint })),
  );
  const spoke = new Promise<string>((resolve) =>
    child.stdout!.on('data', (text) => {
      said += String(text);
      resolve(said);
    }),
  );
  return { child, spoke, ended };
}

const moment = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('a folder is held once, and free again after release', () => {
  const path = folder();
  const lock = lockFolder(path);
  lock.check();
  assert.match(
    messageOf(() => lockFolder(path)),
    /^this process has been writing in .* since \d{4}-.*: wait until it ends/,
  );
  lock.release();
  lock.release();
  assert.equal(readdirSync(path), []);
  assert.match(
    messageOf(() => lock.check()),
    'was released by this process',
  );
  lockFolder(path).release();
});

test('a second process is refused in a sentence that names the first', async () => {
  const path = join(root, 'two');
  const first = start(path);
  assert.is(await first.spoke, 'holds\n');
  const second = await start(path, 1).ended;
  assert.is(second.code, 1);
  const { host, pid, since } = lockOf(path);
  const words = `wait until it ends, stop it there (kill ${pid}), or use another folder`;
  assert.is(second.text, `process ${pid} on ${host} has been writing in ${path} since ${since}: ${words}\n`);
  assert.is(pid, first.child.pid);
  first.child.kill('SIGKILL');
  await first.ended;
  const writers = new Set(rows(path).map(({ writer }) => writer));
  assert.equal([...writers], [pid]);
});

test('a process that was killed is followed at once', async () => {
  const path = join(root, 'killed');
  const first = start(path);
  await first.spoke;
  first.child.kill('SIGKILL');
  await first.ended;
  assert.ok(existsSync(join(path, LOCK)));
  const second = start(path, 1);
  assert.is(await second.spoke, 'holds\n');
  second.child.kill('SIGKILL');
  await second.ended;
  assert.equal([rows(path)[0]!.writer, rows(path)[1]!.writer], [first.child.pid, second.child.pid]);
  assert.equal(readdirSync(path).sort(), ['metrics.jsonl', LOCK, 'timing.jsonl'].sort());
});

test('a process that hung and was taken for gone writes nothing more', async () => {
  const path = join(root, 'paused');
  const first = start(path);
  await first.spoke;
  first.child.kill('SIGSTOP');
  await moment(100);
  assert.match((await start(path, 1).ended).text, /^process \d+ on /); // it may still wake up
  age(path);
  const second = start(path, 1);
  assert.is(await second.spoke, 'holds\n');
  first.child.kill('SIGCONT');
  const { code, text } = await first.ended;
  assert.is(code, 1);
  assert.match(
    text,
    /\nprocess \d+ on \S+ has taken over .*paused at \S+, as this process showed no sign of life for 120 s: this process writes nothing more\n$/,
  );
  await moment(100);
  second.child.kill('SIGKILL');
  await second.ended;
  const found = rows(path);
  assert.equal(
    found.map(({ step }) => step),
    found.map((_, i) => i + 1),
  );
  assert.equal(
    found.slice(1).filter(({ writer }) => writer !== second.child.pid),
    [],
  );
  assert.ok(found.length > 2);
});

test('what a hanging process had under way when it was stopped does not reach the log of its successor', () => {
  const path = join(root, 'late');
  const first = createRunFolder({ out: path });
  first.metrics.append({ step: 1 });
  age(path);
  const second = resumeRunFolder(path, 1, lockFolder(path)).run;
  second.metrics.append({ step: 2 });
  assert.match(
    messageOf(() => first.metrics.append({ step: 2, late: 1 })),
    'has taken over',
  );
  assert.match(
    messageOf(() => first.timing.append({ step: 2, late: 1 })),
    'has taken over',
  );
  first.close();
  assert.equal(
    rows(path).map((row) => Object.keys(row)),
    [['step'], ['step']],
  );
  second.check(); // the first one's end has left the lock alone
  second.close();
});

test('a file that is being written when the folder changes hands keeps its old content', async () => {
  const path = join(root, 'file');
  const first = createRunFolder({ out: path });
  await first.write('a', 'old');
  leave(path, { pid: 1 });
  const error = await first.write('a', 'new').then(
    () => 'no error',
    (cause: Error) => cause.message,
  );
  assert.match(error, 'has taken over');
  assert.is(readFileSync(join(path, 'a'), 'utf8'), 'old');
  assert.equal(readdirSync(path).sort(), ['a', 'metrics.jsonl', LOCK, 'timing.jsonl'].sort());
});

test('of several that take over at once, one succeeds', async () => {
  for (let round = 0; round < 3; round++) {
    const path = join(root, `many-${round}`);
    createRunFolder({ out: path }).close();
    leave(path, { pid: 2 ** 30 });
    const takers = Array.from({ length: 5 }, () => start(path, 0));
    const first = await Promise.all(takers.map(({ spoke }) => spoke));
    assert.is(first.filter((text) => text === 'holds\n').length, 1, first.join(''));
    for (const text of first) assert.match(text, /^(holds|process \d+ on .* has been writing|several|another)/);
    for (const { child } of takers) child.kill('SIGKILL');
    await Promise.all(takers.map(({ ended }) => ended));
    const found = rows(path);
    assert.is(new Set(found.map(({ writer }) => writer)).size, 1);
    assert.equal(
      readdirSync(path).filter((name) => name.startsWith(LOCK)),
      [LOCK],
    );
  }
});

test('who is gone is known of this host alone; others by their signs of life', () => {
  const taken = (holder: object): boolean => {
    const path = folder();
    leave(path, holder);
    const error = messageOf(() => lockFolder(path).release());
    assert.ok(error === 'no error' || error.includes('has been writing in'), error);
    return error === 'no error';
  };
  const alive = { pid: process.ppid, born: null };
  assert.not.ok(taken(alive));
  assert.ok(taken({ ...alive, pid: 2 ** 30 }));
  assert.not.ok(taken({ ...alive, pid: 2 ** 30, host: 'elsewhere' }));
  assert.not.ok(taken({ ...alive, pid: 2 ** 30, boot: 'before' }));
  assert.not.ok(taken({ ...alive, pid: 2 ** 30, space: 'a container' }));
  const path = folder();
  leave(path, { host: 'elsewhere', pid: 5 });
  assert.match(
    messageOf(() => lockFolder(path)),
    /^process 5 on elsewhere has been writing in .* since 2026-01-01T00:00:00.000Z, and whether it still does is not known here: .* try again 120 s after that/,
  );
  assert.match(
    messageOf(() => lockFolder(path, { stale: 1e9 })),
    'process 5 on elsewhere',
  );
  age(path);
  lockFolder(path).release();
});

test('a number that has passed on to another process, or is of one that ended unnoticed, is of nobody', () => {
  if (!existsSync('/proc/self/stat')) return;
  const path = folder();
  leave(path, { pid: process.ppid, born: '1' });
  lockFolder(path).release();
  // The shell becomes a program that does not ask after its child, which ends later: a shell may have asked already.
  const parent = spawn('sh', ['-c', 'sleep 2 & exec sleep 30'], { stdio: 'ignore' });
  try {
    let [pid, stat] = ['', ['']];
    for (let look = 0; stat[0] !== 'Z' && look < 100; look++) {
      execFileSync('sleep', ['0.1']);
      pid = readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8').trim().split(' ')[0]!;
      if (pid !== '')
        stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ');
    }
    assert.is(stat[0], 'Z');
    leave(path, { pid: Number(pid), born: stat[19] });
    lockFolder(path).release();
  } finally {
    parent.kill('SIGKILL');
  }
});

test("a copy of a folder in which a process writes is nobody's, a second way to the folder is", () => {
  const path = join(root, 'original');
  const run = createRunFolder({ out: path });
  run.metrics.append({ step: 1 });
  const copied = join(root, 'copied');
  cpSync(path, copied, { recursive: true });
  const second = resumeRunFolder(copied, 1, lockFolder(copied)).run;
  second.metrics.append({ step: 2 });
  run.metrics.append({ step: 2 });
  if (process.platform !== 'win32') {
    symlinkSync(path, join(root, 'link'));
    assert.match(
      messageOf(() => lockFolder(join(root, 'link'))),
      'this process has been writing',
    );
  }
  for (const { close } of [run, second]) close();
  assert.equal(
    [path, copied].map((p) => readdirSync(p).sort()),
    [path, path].map(() => ['metrics.jsonl', 'timing.jsonl']),
  );
});

test("what a crash has left half done is in nobody's way for long", () => {
  const torn = folder();
  writeFileSync(join(torn, LOCK), '{"host":');
  assert.match(
    messageOf(() => lockFolder(torn)),
    'another process has begun to write in',
  );
  age(torn);
  lockFolder(torn).release();
  const claimed = folder();
  leave(claimed, { pid: 2 ** 30 });
  leave(claimed, { pid: 2 ** 30, nonce: NOTED.nonce.replace('0', '1') }, `${LOCK}-${NOTED.nonce}`);
  lockFolder(claimed).release();
  assert.equal([...readdirSync(torn), ...readdirSync(claimed)], []);
  const begun = join(root, 'begun');
  mkdirSync(begun);
  leave(begun, { pid: 2 ** 30 });
  createRunFolder({ out: begun }).close();
});

test('signs of life keep a lock', async () => {
  const path = folder();
  const lock = lockFolder(path, { stale: 400 });
  for (let i = 0; i < 10; i++) {
    await moment(100);
    assert.match(
      messageOf(() => lockFolder(path, { stale: 400 })),
      'this process has been writing',
    );
  }
  lock.check();
  lock.release();
});

test('a folder that is gone, a lock that is gone, a folder that takes none: each is named', () => {
  const path = folder();
  const lock = lockFolder(path);
  renameSync(path, `${path}-away`);
  const gone = messageOf(() => lock.check());
  assert.is(
    gone,
    `${path} is gone, removed or renamed while this process wrote in it: this process writes nothing more`,
  );
  renameSync(`${path}-away`, path);
  assert.is(
    messageOf(() => lock.check()),
    gone,
    'once lost it stays so',
  );
  lock.release();
  const other = folder();
  const open = lockFolder(other);
  rmSync(join(other, LOCK));
  assert.is(
    messageOf(() => open.check()),
    `${join(other, LOCK)} was removed, so that others may write there too: this process writes nothing more`,
  );
  assert.match(
    messageOf(() => lockFolder(join(root, 'none'))),
    /^cannot lock the folder .*none: no such file or folder/,
  );
  if (existsSync('/proc/self/fdinfo')) {
    assert.match(
      messageOf(() => lockFolder('/proc/self/fdinfo')),
      /^cannot lock the folder \/proc\/self\/fdinfo: /,
    );
  }
});

test.run();
