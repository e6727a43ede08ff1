/** Data sets made of image files: folders and emoji, on made-up files. */
import { chmod, copyFile, mkdir, readFile, symlink, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { emoji, imageFolder } from '../../gan/index.node.ts';
import type { SampleSet } from '../../gan/index.ts';
import { rejection } from '../support/rejection.ts';
import { inTemporaryFolder } from '../support/temporary.ts';

type Colour = readonly [number, number, number];

/** An image of one colour, or of a band of it between black ones. */
async function draw(
  path: string,
  [r, g, b]: Colour,
  size: readonly [number, number] = [8, 8],
  band = false,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const [width, height] = size;
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const x = i % width;
    if (!band || (x >= width / 4 && x < (3 * width) / 4)) data.set([r, g, b], 3 * i);
  }
  const image = sharp(data, { raw: { width, height, channels: 3 } });
  const format = /png$/i.test(path)
    ? image.png()
    : /webp$/.test(path)
      ? image.webp({ lossless: true })
      : image.jpeg({ quality: 100 });
  await writeFile(path, await format.toBuffer());
}

/** The first pixel of each image, train before test. */
const colours = (set: SampleSet): number[][] =>
  [set.train, set.test].flatMap(({ data, count }) => {
    const size = data.length / count;
    return Array.from({ length: count }, (_, i) => [...data.subarray(i * size, i * size + set.shape[2]!)]);
  });
const sorted = (list: readonly unknown[]): string[] => list.map(String).sort();

test('a folder of PNG, JPEG and WebP becomes images of one size, sub folders classes', () =>
  inTemporaryFolder(async (folder) => {
    await draw(join(folder, 'red', 'a.png'), [255, 0, 0]);
    await draw(join(folder, 'red', 'deep', 'b.JPEG'), [255, 0, 0], [20, 10]);
    await draw(join(folder, 'blue', 'c.webp'), [0, 0, 255], [5, 30]);
    await draw(join(folder, 'blue', '._c.webp'), [0, 0, 255]);
    await draw(join(folder, '.cache', 'x.png'), [9, 9, 9]);
    await writeFile(join(folder, 'red', 'notes.txt'), 'no image');
    const steps: number[][] = [];
    const set = await imageFolder(folder, { size: 4, onProgress: (done, total) => steps.push([done, total]) });
    assert.equal([set.kind, set.shape, set.classes, set.skipped], ['images', [4, 4, 3], ['blue', 'red'], []]);
    assert.equal(steps, [
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
    assert.is(set.train.count + set.test.count, 3);
    assert.ok(set.train.count > 0 && set.test.count > 0);
    const labels = [...set.train.labels!, ...set.test.labels!];
    colours(set).forEach(([red, , blue], i) => {
      assert.is(labels[i], red! > blue! ? 1 : 0);
      assert.ok(Math.max(red!, blue!) > 250 && Math.min(red!, blue!) < 5, 'the colour is kept');
    });
    // The same from a path that is not normal, and through a link.
    await symlink(folder, `${folder}-link`);
    try {
      for (const path of [`${folder}/./`, `${folder}-link`]) {
        const again = await imageFolder(path, { size: 4 });
        assert.equal([again.train, again.test, again.classes], [set.train, set.test, set.classes]);
      }
    } finally {
      await unlink(`${folder}-link`);
    }
  }));

test('what is not square is cropped, padded or stretched; grey has one channel', () =>
  inTemporaryFolder(async (folder) => {
    await draw(join(folder, 'a.png'), [200, 200, 200], [16, 8], true);
    await draw(join(folder, 'b.png'), [100, 100, 100], [16, 8], true);
    const row = async (fit: 'crop' | 'pad' | 'stretch', y: number) => {
      const { train } = await imageFolder(folder, { size: 8, grey: true, fit });
      assert.is(train.data.length, 64 * train.count);
      const level = Math.max(...train.data.filter((v) => v < 255));
      return [...train.data.subarray(y * 8, y * 8 + 8)]
        .map((v) => (v === 255 ? 'w' : v > level / 2 ? '#' : '.'))
        .join('');
    };
    assert.is(await row('crop', 4), '########');
    assert.is(await row('pad', 0), 'wwwwwwww');
    assert.is(await row('pad', 4), '..####..');
    assert.is(await row('stretch', 0), '..####..');
  }));

test('transparent pixels are white, and EXIF turns photographs', () =>
  inTemporaryFolder(async (folder) => {
    const clear = sharp({ create: { width: 4, height: 4, channels: 4, background: { r: 9, g: 9, b: 9, alpha: 0 } } });
    await writeFile(join(folder, 'clear.png'), await clear.png().toBuffer());
    const half = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'black' } })
      .composite([{ input: { create: { width: 8, height: 4, channels: 3, background: 'white' } }, top: 0, left: 0 }])
      .jpeg({ quality: 100 })
      .withMetadata({ orientation: 6 })
      .toBuffer();
    await writeFile(join(folder, 'turned.jpg'), half);
    const set = await imageFolder(folder, { size: 8, grey: true });
    const images = [set.train, set.test].map(({ data }) => [...data]);
    const isClear = (image: number[]) => image.every((v) => v === 255);
    assert.is(images.filter(isClear).length, 1);
    // Orientation 6: the top of the file is the right of the picture.
    const turned = images.find((image) => !isClear(image))!;
    assert.equal(
      turned.slice(0, 8).map((v) => v > 127),
      [false, false, false, false, true, true, true, true],
    );
  }));

test('broken files are left out, listed and named in one line', () =>
  inTemporaryFolder(async (folder) => {
    for (let i = 0; i < 4; i++) await draw(join(folder, `good${i}.png`), [i, 0, 0], [32, 32]);
    await draw(join(folder, 'x.jpg'), [200, 100, 0], [64, 64], true);
    const png = await readFile(join(folder, 'good1.png'));
    const jpeg = await readFile(join(folder, 'x.jpg'));
    await writeFile(join(folder, 'cut.png'), png.subarray(0, png.length - 30));
    await writeFile(join(folder, 'x.jpg'), jpeg.subarray(0, jpeg.length / 2));
    await writeFile(join(folder, 'empty.png'), '');
    await writeFile(join(folder, 'text.webp'), 'this is no image');
    await symlink(join(folder, 'nowhere'), join(folder, 'link.png'));
    const lines: string[] = [];
    const set = await imageFolder(folder, { size: 8, onWarning: (line) => lines.push(line) });
    assert.is(set.train.count + set.test.count, 4);
    assert.equal(
      set.skipped.map(({ path }) => path.slice(folder.length + 1)),
      ['cut.png', 'empty.png', 'link.png', 'text.webp', 'x.jpg'],
    );
    for (const { reason } of set.skipped) assert.match(reason, /^\S.{3,99}$/);
    assert.is(set.skipped[2]!.reason, 'ENOENT');
    assert.is(lines.length, 1);
    assert.match(lines[0]!, /^\S+: 5 of 9 images were skipped, such as \S+cut\.png \(.+\)$/);
  }));

/** Files of one pixel each, in colours of their own: how they are read, and the one line about them. */
async function readTree(folder: string, paths: readonly string[], prepare: () => Promise<unknown> = async () => {}) {
  for (const [i, path] of paths.entries()) await draw(join(folder, path), [20 + i, 9, 9]);
  await prepare();
  const lines: string[] = [];
  const { train, test, classes } = await imageFolder(folder, { size: 1, onWarning: (line) => lines.push(line) });
  assert.ok(lines.length <= 1, 'one line');
  const reds = [train, test].map(({ data, count }) => Array.from({ length: count }, (_, i) => data[3 * i]! - 20));
  return { train: reds[0]!, test: reds[1]!, count: train.count + test.count, classes, line: lines[0] ?? '' };
}
const many = (folder: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${folder}/${i}.png`);

test('formats are told by content, and those that are not read are named', () =>
  inTemporaryFolder(async (folder) => {
    const image = (red: number) =>
      sharp({ create: { width: 2, height: 2, channels: 3, background: { r: red, g: 0, b: 0 } } });
    const files = {
      'a.jfif': await image(10).jpeg().toBuffer(),
      'B.TIF': await image(20).tiff().toBuffer(),
      'c.gif': await image(30).gif().toBuffer(),
      'd.avif': await image(40).avif().toBuffer(),
      plain: await image(50).png().toBuffer(),
      'f.bmp': await image(60).webp({ lossless: true }).toBuffer(),
      'deep.png': await sharp(new Uint16Array(12).fill(0x4646), { raw: { width: 2, height: 2, channels: 3 } })
        .toColourspace('rgb16')
        .png()
        .toBuffer(),
      'phone.heic': Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'),
      'phone.jpg': Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'),
      'old.BMP': Buffer.from('BM and more'),
      'notes.txt': Buffer.from('no image'),
      LICENSE: Buffer.from('no image'),
    };
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
    const lines: string[] = [];
    const set = await imageFolder(folder, { size: 1, onWarning: (line) => lines.push(line) });
    const reds = colours(set).map(([red]) => Math.round(red! / 10) * 10);
    assert.equal(sorted(reds), sorted([10, 20, 30, 40, 50, 60, 70]));
    assert.equal(
      set.skipped.map(({ path, reason }) => [path.slice(folder.length + 1), reason]),
      [
        ['old.BMP', 'BMP is not read'],
        ['phone.heic', 'HEIC is not read'],
        ['phone.jpg', 'HEIC is not read'],
      ],
    );
    assert.match(lines.join(), /: 3 of 10 images were skipped, such as \S+old\.BMP \(BMP is not read\), /);
  }));

/** The checksum of a chunk of a PNG file. */
function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

test('an SVG is not rendered, whatever its name, and large images are refused by their headers', () =>
  inTemporaryFolder(async (folder) => {
    for (const name of ['a', 'b']) await draw(join(folder, `${name}.png`), [name.charCodeAt(0), 0, 0]);
    const svg = (text: string) => `<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4">${text}</svg>`;
    await writeFile(join(folder, 'c.png'), svg('<rect width="4" height="4"/>'));
    await writeFile(join(folder, 'd.jpg'), `\uFEFF\n<?xml version="1.0"?>${svg('')}`);
    await writeFile(join(folder, 'e.webp'), '%PDF-1.7');
    // Of 30,000 x 30,000 pixels by its header.
    const bomb = await sharp({ create: { width: 1, height: 1, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    bomb.writeUInt32BE(30_000, 16);
    bomb.writeUInt32BE(30_000, 20);
    bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29);
    await writeFile(join(folder, 'f.png'), bomb);
    // Of no pixels, and one that is cut off behind its header.
    bomb.writeUInt32BE(0, 16);
    bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29);
    await writeFile(join(folder, 'g.png'), bomb);
    await writeFile(join(folder, 'h.gif'), 'GIF89a');
    const set = await imageFolder(folder, { size: 1, onWarning: () => {} });
    assert.is(set.train.count + set.test.count, 2);
    const reasons = set.skipped.map(({ reason }) => reason);
    assert.equal(reasons.slice(0, 3), ['SVG or XML is not read', 'SVG or XML is not read', 'PDF is not read']);
    assert.match(reasons[3]!, /pixel/);
    assert.is(reasons.length, 6);
  }));

test('linked class folders are read, each once, and links that lead back end', () =>
  inTemporaryFolder((elsewhere) =>
    inTemporaryFolder(async (folder) => {
      for (let i = 0; i < 3; i++) await draw(join(elsewhere, 'pile', `${i}.png`), [100 + i, 9, 9]);
      await symlink(join(elsewhere, 'pile'), join(elsewhere, 'pile', 'itself'));
      const read = await readTree(folder, many('cats', 4), async () => {
        await symlink(join(elsewhere, 'pile'), join(folder, 'dogs'));
        await symlink(join(folder, 'cats'), join(folder, 'a-second-name'));
        await symlink('..', join(folder, 'cats', 'loop'));
        await symlink('loop', join(folder, 'cats', 'loop2'));
        await symlink('nowhere', join(folder, 'birds'));
        await symlink(join(elsewhere, 'pile', '1.png'), join(folder, 'cats', 'one.png'));
        await symlink('self.png', join(folder, 'cats', 'self.png'));
      });
      assert.equal([read.count, read.classes], [8, ['cats', 'dogs']]);
      assert.match(read.line, /: 1 of 9 images were skipped, such as \S+self\.png \(ELOOP\)/);
      assert.match(
        read.line,
        /folders that were not read: 5, such as \S+a-second-name \(a link to \S+cats, which is read already\), \S+birds \(ENOENT\)/,
      );
    }),
  ));

test('split folders are known under near names, in class folders and in a folder around', async () => {
  for (const [first, second] of [
    ['train', 'test'],
    ['Train', 'Test'],
    ['TRAIN', 'VALID'],
    ['training', 'validation'],
    ['training_set', 'test_set'],
    ['train-images', 'Testing'],
    ['train', 'dev'],
    ['train', 'eval'],
    ['set/train', 'set/val'],
    ['train', 'holdout'],
    ['train2017', 'val2017'],
    ['train', 'test1'],
    ['01_train', '02_test'],
    ['data_train', 'data_test'],
    ['seg_train', 'seg_test'],
    ['train/train', 'test/test'],
  ]) {
    await inTemporaryFolder(async (folder) => {
      const read = await readTree(folder, [...many(first!, 4), ...many(second!, 2)]);
      assert.equal([read.train, read.test, read.classes, read.line], [[0, 1, 2, 3], [4, 5], undefined, ''], first);
    });
  }
  await inTemporaryFolder(async (folder) => {
    const inside = ['a/train/0.png', 'a/test/0.png', 'b/train/0.png', 'b/test/0.png'];
    const read = await readTree(folder, inside);
    assert.equal(
      [sorted(read.train), sorted(read.test), read.classes, read.line],
      [['0', '2'], ['1', '3'], ['a', 'b'], ''],
    );
  });
  await inTemporaryFolder(async (folder) => {
    const read = await readTree(folder, ['trainA/0.png', 'trainB/0.png', 'testA/0.png', 'testB/0.png']);
    assert.equal(
      [sorted(read.train), sorted(read.test), read.classes, read.line],
      [['0', '1'], ['2', '3'], ['A', 'B'], ''],
    );
  });
});

test('what folders lack, or have beside the split, is told', async () => {
  const cases: readonly [RegExp, readonly string[], number, readonly string[] | undefined][] = [
    [/folder train, but none of held-out images/, many('train', 5), 5, undefined],
    [/folder Val, but none of images to learn from/, [...many('Val/a', 9), ...many('Val/b', 1)], 10, ['a', 'b']],
    [
      /train is read as a class: there is no folder of the other part/,
      [...many('train', 9), ...many('bus', 9)],
      18,
      ['bus', 'train'],
    ],
    [
      /2 images \(\S+a\.png, \S+0\.png\) lie neither/,
      [...many('train', 3), ...many('test', 3), ...many('more', 1), 'a.png'],
      6,
      undefined,
    ],
    [
      /there are no classes, since 1 image \(\S+x\.png\) lie/,
      [...many('cat', 3), ...many('dog', 3), 'x.png'],
      7,
      undefined,
    ],
    [
      /1 class has no image to learn from: c; 1 class has no image among the held-out ones: b/,
      ['train/a/0.png', 'train/b/0.png', 'test/a/1.png', 'test/c/1.png'],
      4,
      ['a', 'b', 'c'],
    ],
    [
      /1 class has no image (to learn from|among the held-out ones): few/,
      [...many('cat', 40), ...many('few', 1)],
      41,
      ['cat', 'few'],
    ],
    [
      /: 1 hidden, such as \S+\.ipynb_checkpoints$/,
      [...many('cat', 40), ...many('.ipynb_checkpoints', 2)],
      40,
      ['cat'],
    ],
  ];
  for (const [expected, paths, count, classes] of cases) {
    await inTemporaryFolder(async (folder) => {
      const read = await readTree(folder, paths);
      assert.match(read.line, expected);
      assert.equal([read.count, read.classes], [count, classes], String(expected));
    });
  }
  await inTemporaryFolder(async (folder) => {
    const read = await readTree(folder, [...many('cat', 30), ...many('dog', 30)], () => mkdir(join(folder, 'bird')));
    assert.match(read.line, /: 1 class has no image that can be read: bird$/);
  });
});

test('a held-out image is not learnt from too', () =>
  inTemporaryFolder(async (folder) => {
    const read = await readTree(folder, [...many('train', 6), ...many('test', 3)], async () => {
      await copyFile(join(folder, 'test', '1.png'), join(folder, 'train', 'copy.png'));
    });
    assert.equal(
      [read.train, read.test],
      [
        [0, 1, 2, 3, 4, 5],
        [6, 7, 8],
      ],
    );
    assert.match(read.line, /: 1 image \(\S+copy\.png\) to learn from are held out too and were left out$/);
  }));

test('a folder or file that may not be read is named', async () => {
  if (process.platform === 'win32') return;
  await inTemporaryFolder(async (folder) => {
    for (const path of [...many('cat', 4), 'locked/0.png'])
      await draw(join(folder, path), [path.charCodeAt(4), path.length, 0]);
    await chmod(folder, 0o755);
    await chmod(join(folder, 'locked'), 0);
    await chmod(join(folder, 'cat', '0.png'), 0);
    const before = process.geteuid!();
    if (before === 0) process.seteuid!(65_534); // for root nothing is locked
    try {
      const lines: string[] = [];
      const set = await imageFolder(folder, { size: 1, onWarning: (line) => lines.push(line) });
      assert.is(set.train.count + set.test.count, 3);
      assert.match(
        lines.join(),
        /1 of 4 images were skipped, such as \S+0\.png \(EACCES\); folders that were not read: 1, such as \S+locked \(EACCES\)/,
      );
    } finally {
      process.seteuid!(before);
      await chmod(join(folder, 'locked'), 0o755);
    }
  });
});

test('the split is by content: it stays when files come, and copies stay together', () =>
  inTemporaryFolder(async (folder) => {
    for (let i = 0; i < 60; i++) await draw(join(folder, `${i}.png`), [i, 2 * i, 3 * i]);
    const open = () => imageFolder(folder, { size: 2, testShare: 0.3 });
    const first = await open();
    assert.is(first.train.count + first.test.count, 60);
    // Binomial: 18 with standard deviation 3.5.
    assert.ok(first.test.count >= 8 && first.test.count <= 28, `${first.test.count} held out`);
    assert.is(first.classes, undefined);
    const inTest = ({ test: { data, count } }: SampleSet) => Array.from({ length: count }, (_, i) => data[i * 12]!);
    const held = new Set(inTest(first));
    for (let i = 0; i < 60; i++) await copyFile(join(folder, `${i}.png`), join(folder, `copy${i}.png`));
    await draw(join(folder, 'new.png'), [250, 0, 0]);
    const second = await open();
    assert.equal(sorted(inTest(second).filter((v) => v !== 250)), sorted([...held, ...held]));
  }));

test('folders named train and test, or val, are the split', () =>
  inTemporaryFolder(async (folder) => {
    for (const [path, red] of [
      ['train/cat/a', 10],
      ['train/dog/b', 20],
      ['val/cat/c', 30],
    ] as const) {
      await draw(join(folder, `${path}.png`), [red, 0, 0]);
    }
    const set = await imageFolder(folder, { size: 1 });
    assert.equal([set.classes, set.train.count, set.test.count], [['cat', 'dog'], 2, 1]);
    assert.equal(
      [colours(set), [...set.train.labels!], [...set.test.labels!]],
      [
        [
          [10, 0, 0],
          [20, 0, 0],
          [30, 0, 0],
        ],
        [0, 1],
        [0],
      ],
    );
  }));

test('folders that give no data set are one clear error', () =>
  inTemporaryFolder(async (folder) => {
    const message = async (path: string, options = {}) => (await rejection(imageFolder(path, options))).message;
    assert.match(await message(join(folder, 'nowhere')), /cannot read \S+nowhere \(ENOENT\): name a folder of images/);
    assert.match(await message(folder), /holds 0 PNG, JPEG, WebP, GIF, TIFF or AVIF files and no two different images/);
    const file = join(folder, 'one.png');
    await draw(file, [1, 2, 3]);
    assert.match(await message(file), /one\.png is a file: name a folder of images/);
    await copyFile(file, join(folder, 'copy.png'));
    assert.match(await message(folder), /holds 2 PNG.* no two different images that can be read/);
    await writeFile(join(folder, 'broken.png'), 'x');
    assert.match(
      await message(folder, { onWarning: () => undefined }),
      /; \S+broken\.png cannot be read \(.+\): name a folder/,
    );
    assert.match(await message(folder, { size: 0 }), /size must be a whole number, 1 or more, not 0/);
    assert.match(
      await message(folder, { size: 50_000 }),
      /^imageFolder: 3 images of 50000 x 50000 take 21\.0 GiB, and at most 4\.0 GiB are held in memory: give a smaller/,
    );
    assert.match(await message(folder, { fit: 'squash' }), /fit must be one of crop, pad, stretch, not "squash"/);
    assert.match(await message(folder, { testShare: 1 }), /testShare must be above 0 and below 1, not 1/);
    assert.match(await message(folder, { gray: true }), /there is no option gray; there are size, grey/);
  }));

/** A package as emoji-datasource's, of 40 emoji in two categories, some with skin tones, two of them alike. */
async function emojiPackage(folder: string): Promise<void> {
  const entries: object[] = [];
  const picture = (name: string, colour: Colour) => draw(join(folder, 'img', 'google', '64', name), colour, [64, 64]);
  for (let i = 0; i < 40; i++) {
    const variant = { unified: `${i}-tone`, image: `${i}-tone.png`, has_img_google: true };
    entries.push({
      unified: String(i),
      image: `${i}.png`,
      category: i % 2 ? 'Flags' : 'Faces',
      has_img_google: true,
      ...(i < 10 && { skin_variations: { '1F3FB': variant } }),
    });
    await picture(`${i}.png`, [i === 39 ? 38 : i, 0, 0]);
    if (i < 10) await picture(`${i}-tone.png`, [i, 200, 0]);
  }
  entries.push({ unified: 'c', image: 'c.png', category: 'Component', has_img_google: true });
  entries.push({ unified: 'n', image: 'n.png', category: 'Faces', has_img_google: false });
  await writeFile(join(folder, 'emoji.json'), JSON.stringify(entries));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'emoji-datasource-google', version: '1.0.0' }));
}

test('emoji: pictures with their categories, skin tones on one side, none twice', () =>
  inTemporaryFolder(async (folder) => {
    await emojiPackage(folder);
    const set = await emoji({ folder, size: 4 });
    assert.equal([set.title, set.shape, set.classes], ['Emoji (Google)', [4, 4, 3], ['Faces', 'Flags']]);
    const all = colours(set);
    assert.is(all.length, 49, '40 and 10 variants, less one that is there twice');
    assert.is(new Set(all.map(String)).size, 49);
    const labels = [...set.train.labels!, ...set.test.labels!];
    all.forEach(([red, green], i) => {
      assert.is(labels[i], red! % 2);
      assert.ok(green === 0 || green === 200);
    });
    const held = new Set(all.slice(set.train.count).map(([red]) => red));
    for (const [red] of all.slice(0, set.train.count)) assert.not(held.has(red), 'a skin tone on the other side');
    assert.ok(set.test.count > 0 && set.test.count < 15);
    assert.is((await emoji({ folder, size: 4, skinTones: false })).train.data.length % 48, 0);
    assert.is(colours(await emoji({ folder, size: 4, skinTones: false })).length, 39);
  }));

test('emoji are found from the working directory', () =>
  inTemporaryFolder(async (folder) => {
    await emojiPackage(join(folder, 'node_modules', 'emoji-datasource-google'));
    const before = process.cwd();
    process.chdir(folder);
    try {
      assert.equal((await emoji()).shape, [64, 64, 3]);
    } finally {
      process.chdir(before);
    }
  }));

test('emoji that are missing or broken are one clear error', () =>
  inTemporaryFolder(async (folder) => {
    const message = async (options: object) => (await rejection(emoji(options))).message;
    assert.match(
      await message({ vendor: 'facebook' }),
      /^the npm package emoji-datasource-facebook is not installed: run `npm i emoji-datasource-facebook`/,
    );
    assert.match(
      await message({ folder }),
      /cannot read \S+emoji\.json \(ENOENT\): install it with `npm i emoji-datasource-google`/,
    );
    await writeFile(join(folder, 'emoji.json'), '[{');
    assert.match(await message({ folder }), /emoji\.json is no JSON \(/);
    await writeFile(join(folder, 'emoji.json'), '[{"name": "x"}]');
    assert.match(await message({ folder }), /emoji\.json is not the list of emoji/);
    const entry = { unified: '1', category: 'Flags', image: '1.png', has_img_google: true };
    for (const wrong of [
      { ...entry, image: '../../../../secret.png' },
      { ...entry, image: '..\\secret.png' },
      { ...entry, unified: undefined },
      { ...entry, skin_variations: 'none' },
      { ...entry, skin_variations: { a: { unified: '1' } } },
      { ...entry, skin_variations: null },
      null,
    ]) {
      await writeFile(join(folder, 'emoji.json'), JSON.stringify([wrong]));
      assert.match(await message({ folder }), /emoji\.json is not the list of emoji/, JSON.stringify(wrong));
    }
    await writeFile(join(folder, 'emoji.json'), `${'['.repeat(200_000)}${']'.repeat(200_000)}`);
    assert.match(await message({ folder }), /emoji\.json is not the list of emoji/);
    await writeFile(join(folder, 'emoji.json'), Buffer.alloc(2 ** 24 + 1, ' '));
    assert.match(await message({ folder }), /emoji\.json has 16777217 bytes, and lists of emoji at most 16777216/);
    await emojiPackage(folder);
    assert.match(await message({ folder, vendor: 'apple' }), /has no pictures of apple: install it with/);
    await writeFile(join(folder, 'img', 'google', '64', '7.png'), 'x');
    assert.match(await message({ folder }), /cannot read \S+7\.png \(.+\), one of 1 emoji of 50: install it/);
    assert.match(
      await message({ vendor: 'nokia' }),
      /vendor must be one of google, apple, twitter, facebook, not "nokia"/,
    );
    assert.match(await message({ folder, size: 1.5 }), /size must be a whole number/);
  }));

test.run();
