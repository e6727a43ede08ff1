/** Files of weights on a disk: one tensor in memory at a time, replaced whole, and clear words when the disk will not. */
import { execFileSync } from 'node:child_process';
import fs, {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { lstat, type open, symlink, utimes } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadSafetensors, SafetensorsFile, saveSafetensors } from '../../nn/index.node.ts';
import { encodeSafetensors, type StoredTensor } from '../../nn/index.ts';
import { bundleProgram } from '../support/io/child.ts';

const test = suite<{ root: string; path: string }>('safetensors files');
test.before.each((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'wgrad-'));
  context.path = join(context.root, 'model.safetensors');
});
test.after.each(({ root }) => rmSync(root, { recursive: true }));

const tensors = new Map<string, StoredTensor>([
  ['w', { shape: [2, 2], data: Float32Array.of(1, 2, 3, -0) }],
  ['half', { shape: [3], data: Float32Array.of(1, 0.5, -2), dtype: 'F16' }],
  ['steps', { shape: [], data: BigInt64Array.of(-5n) }],
  ['mask', { shape: [2], data: Uint8Array.of(1, 0), dtype: 'BOOL' }],
  ['none', { shape: [0], data: new Float32Array(0) }],
]);

const messageOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: Error) => error.message,
  );

test('a file holds the bytes that encodeSafetensors makes, also of tensors made when their turn comes', async ({
  path,
}) => {
  await saveSafetensors(path, tensors, { step: '3' });
  const wanted = encodeSafetensors(tensors, { step: '3' });
  assert.equal(new Uint8Array(readFileSync(path)), wanted);
  const order: string[] = [];
  const lazy = [...tensors].map(([name, { shape, data, dtype }]) => {
    const own = dtype ?? (name === 'steps' ? 'I64' : 'F32');
    const make = async () => {
      order.push(name);
      return data;
    };
    return [name, { dtype: own, shape, data: make }] as const;
  });
  await saveSafetensors(path, new Map(lazy), { step: '3' });
  assert.equal(new Uint8Array(readFileSync(path)), wanted);
  assert.equal(order, ['steps', 'none', 'w', 'half', 'mask']);
  const { tensors: read, metadata } = await loadSafetensors(path);
  assert.equal([encodeSafetensors(read), metadata], [encodeSafetensors(tensors), { step: '3' }]);
});

test('an open file lists its tensors, reads one by name, and outlives a save to its name', async ({ path }) => {
  await saveSafetensors(path, tensors, { a: 'b' });
  await using file = await SafetensorsFile.open(path);
  assert.equal(file.metadata, { a: 'b' });
  assert.equal(file.tensors.get('half'), { dtype: 'F16', shape: [3] });
  await saveSafetensors(path, new Map());
  assert.equal(await file.read('half'), { shape: [3], data: Float32Array.of(1, 0.5, -2), dtype: 'F16' });
  assert.is(
    await messageOf(file.read('W')),
    `${path}: there is no tensor "W"; the file has steps, none, w, half, mask`,
  );
  assert.is((await loadSafetensors(path)).tensors.size, 0);
});

test('of a file with types that are not known, all else is read; what is no file of tensors is said', async ({
  path,
}) => {
  const bytes = encodeSafetensors(
    new Map([
      ['a', { shape: [2], data: Uint8Array.of(1, 2) }],
      ['w', tensors.get('w')!],
    ]),
  );
  const text = Buffer.from(bytes).toString('latin1').replace('"dtype":"U8"', '"dtype":"F8"');
  writeFileSync(path, Buffer.from(text, 'latin1'));
  await using file = await SafetensorsFile.open(path);
  assert.equal([[...file.tensors.keys()], [...file.unread]], [['w'], [['a', { dtype: 'F8', shape: [2] }]]]);
  assert.equal((await file.read('w')).data, tensors.get('w')!.data);
  assert.match(
    await messageOf(file.read('a')),
    `${path}: tensor "a" is of type F8, which is not read here; convert it to`,
  );
  const real = console.warn;
  const said: string[] = [];
  console.warn = (line: string) => void said.push(line);
  try {
    const read = await loadSafetensors(path);
    assert.equal([[...read.tensors.keys()], [...read.unread.keys()]], [['w'], ['a']]);
  } finally {
    console.warn = real;
  }
  assert.match(said.join(), `${path}: 1 of 2 tensors are not read, as their types are not known here: "a" (F8)`);
  const torch = `${path}.pt`;
  writeFileSync(torch, Uint8Array.of(0x50, 0x4b, 3, 4, ...new Uint8Array(60)));
  assert.match(await messageOf(loadSafetensors(torch)), /zip archive.*\n.*\n {2}import torch.*\n.*save_file\(/);
  const wrong = (given: unknown) => messageOf(saveSafetensors(path, given as never));
  assert.match(await wrong({ z: 1 }), /^saveSafetensors: the tensors are a Map by name.*not \{ z: 1 \}/);
  assert.match(await wrong(new Map([['z', 1]])), /^tensor "z" is 1; give/);
  assert.match(await wrong(new Map([['z', undefined]])), /^tensor "z" is undefined; give/);
  assert.match(await wrong(new Map([['z', new Map(tensors)]])), /^tensor "z" is a Map; give/);
});

test('a file much larger than the memory that it takes is written and read', async ({ path }) => {
  const program = await bundleProgram('large');
  const [count, elements] = [48, 2 ** 20];
  try {
    const said = execFileSync(process.execPath, ['--expose-gc', program.path, path, `${count}`, `${elements}`], {
      encoding: 'utf8',
    });
    const { made, sum, grown } = JSON.parse(said) as Record<string, number>;
    assert.equal([made, sum], [count, count * (count - 1)]);
    assert.ok(statSync(path).size > count * elements * 4);
    assert.ok(grown! < 0.3 * count * elements * 4, `${grown} bytes for a file of ${statSync(path).size}`);
  } finally {
    program.remove();
  }
});

test('what cannot be read is named, with its path', async ({ path, root }) => {
  const starts = async (at: string, start: string) => {
    const message = await messageOf(SafetensorsFile.open(at));
    assert.is(message.slice(0, start.length), start);
  };
  await starts(path, `cannot read ${path}: no such file`);
  await starts(root, `cannot read ${root}: it is a folder`);
  await starts(join(path, 'x'), `cannot read ${join(path, 'x')}: no such file`);
  writeFileSync(path, '{}');
  await starts(path, `${path}: 2 bytes are fewer than the 8`);
  await starts(join(path, 'x'), `cannot read ${join(path, 'x')}: a part of this path is a file`);
  if (existsSync('/dev/zero')) await starts('/dev/zero', 'cannot read /dev/zero: it is a device');
  const bytes = encodeSafetensors(tensors);
  for (let length = 0; length < bytes.length; length++) {
    writeFileSync(path, bytes.subarray(0, length));
    assert.match(await messageOf(SafetensorsFile.open(path)), `${path}: `, `cut to ${length}`);
  }
  writeFileSync(path, bytes);
  await using file = await SafetensorsFile.open(path);
  fs.truncateSync(path, bytes.length - 1);
  assert.match(await messageOf(file.read('mask')), `cannot read ${path}: it was cut short while it was read`);
});

/** Has what is written to new files go to another file, such as /dev/full. The new files themselves are made. */
async function writingTo<T>(other: string, fn: () => Promise<T>): Promise<T> {
  const real = fs.promises.open;
  fs.promises.open = (async (path, flags, mode) => {
    const file = await real(path, flags, mode);
    if (flags !== 'wx') return file;
    await file.writeFile('half a file');
    await file.close();
    return real(other, 'w');
  }) as typeof open;
  syncBuiltinESMExports();
  try {
    return await fn();
  } finally {
    fs.promises.open = real;
    syncBuiltinESMExports();
  }
}

test('a full disk is named; the old file stays, and no part of the new one', async ({ path, root }) => {
  await saveSafetensors(path, tensors);
  const before = readFileSync(path);
  const other = new Map([['x', { shape: [1], data: Float32Array.of(1) }]]);
  if (existsSync('/dev/full')) {
    const message = await messageOf(writingTo('/dev/full', () => saveSafetensors(path, other)));
    assert.is(
      message,
      `cannot write ${path}: the disk is full; free some space or choose a folder on another disk (ENOSPC)`,
    );
    assert.match(
      await messageOf(saveSafetensors('/dev/full', other)),
      'cannot write /dev/full: it is a device or a pipe',
    );
  }
  assert.equal(readFileSync(path), before);
  assert.equal(readdirSync(root), ['model.safetensors']);
});

test('a limit on the size of files, met in the middle, is named as well', async ({ path, root }) => {
  if (process.platform === 'win32') return;
  const program = await bundleProgram('large');
  try {
    // 64 blocks of 1 or 0.5 KiB; the signal would end the process.
    const script = `trap '' XFSZ; ulimit -f 64; exec "$0" --expose-gc "$@"`;
    const args = ['-c', script, process.execPath, program.path, path, '2', '100000'];
    let said = '';
    try {
      execFileSync('/bin/sh', args, { encoding: 'utf8', stdio: 'pipe' });
    } catch (error) {
      said = (error as { stderr: string }).stderr;
    }
    assert.match(said, `cannot write ${path}: the file is larger than the file system or a limit`);
    assert.equal(readdirSync(root), []);
  } finally {
    program.remove();
  }
});

test('a folder that may not be written to is named', async ({ root }) => {
  const getuid = process.getuid;
  if (!getuid) return; // Windows
  const folder = join(root, 'locked');
  mkdirSync(folder);
  fs.chmodSync(folder, 0o555);
  fs.chmodSync(root, 0o755);
  const isRoot = getuid.call(process) === 0;
  if (isRoot) process.seteuid?.(65534); // whom permissions hold for
  try {
    const path = join(folder, 'x');
    assert.is(
      await messageOf(saveSafetensors(path, tensors)),
      `cannot write ${path}: permission denied; choose a folder that you may write to (EACCES)`,
    );
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
  assert.equal(readdirSync(folder), []);
});

test('an error while a tensor is made leaves the old file and nothing else', async ({ path, root }) => {
  await saveSafetensors(path, tensors);
  const failing = (data: () => Float32Array) => new Map([['x', { dtype: 'F32' as const, shape: [2], data }]]);
  const throwing = failing(() => {
    throw new Error('the device was lost');
  });
  assert.is(await messageOf(saveSafetensors(path, throwing)), `cannot write ${path}: the device was lost`);
  const short = failing(() => new Float32Array(1));
  assert.match(await messageOf(saveSafetensors(path, short)), /tensor "x" has shape \[2\] but 1 elements/);
  assert.is((await loadSafetensors(path)).tensors.size, tensors.size);
  assert.equal(readdirSync(root), ['model.safetensors']);
});

test('a symbolic link stays, and its file is replaced', async ({ path, root }) => {
  mkdirSync(join(root, 'runs'));
  await saveSafetensors(join(root, 'runs', 'a'), new Map());
  await symlink(join('runs', 'a'), path);
  await saveSafetensors(path, tensors);
  assert.ok((await lstat(path)).isSymbolicLink());
  assert.is((await loadSafetensors(join(root, 'runs', 'a'))).tensors.size, tensors.size);
  assert.equal(readdirSync(join(root, 'runs')), ['a']);
});

test("a save removes what dead writers of its file left, and nobody else's", async ({ path, root }) => {
  const uuid = '01234567-89ab-cdef-0123-456789abcdef';
  // A name of this process's own, seen while it writes.
  let own = '';
  const spy = () => {
    own = readdirSync(root).find((f) => f.endsWith('.tmp'))!;
    return Float32Array.of(1);
  };
  await saveSafetensors(path, new Map([['x', { dtype: 'F32', shape: [1], data: spy }]]));
  const writers = /^\.model\.safetensors\.([\da-f]{8})-\d+-/.exec(own)![1]!;
  const dead = Number(execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }));
  const name = (of: string, pid: number, file = 'model.safetensors') => `.${file}.${of}-${pid}-${uuid}.tmp`;
  const stale = [name(writers, dead), name('00000000', 1), name(writers, process.pid)];
  const kept = [
    name(writers, process.ppid),
    name('00000000', 2),
    name(writers, dead, 'other'),
    '.model.safetensors.x.tmp',
  ];
  for (const file of [...stale, ...kept]) writeFileSync(join(root, file), '');
  const hours = (n: number) => Date.now() / 1000 - n * 3600;
  await utimes(join(root, stale[1]!), hours(25), hours(25));
  await utimes(join(root, stale[2]!), hours(20), hours(20));
  await utimes(join(root, kept[1]!), hours(23), hours(23));
  await saveSafetensors(path, tensors);
  assert.equal(readdirSync(root).sort(), [...kept, 'model.safetensors'].sort());
});

test.run();
