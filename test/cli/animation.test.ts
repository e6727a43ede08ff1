/** Labels of grids, and animations read back from their files. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { animateRun, writeAnimation } from '../../cli/pages/animation.node.ts';
import type { ByteImage } from '../../gan/pictures/grid.ts';
import { tileImages } from '../../gan/pictures/grid.ts';
import { labelTiles, titled } from '../../gan/pictures/labels.ts';
import { writePng } from '../../gan/pictures/png.node.ts';
import { rejection } from '../support/rejection.ts';

const test = suite('animation');
const folder = await mkdtemp(join(tmpdir(), 'wgrad-animation-'));
test.after(() => rm(folder, { recursive: true }));

const flat = (level: number, width = 24, height = 12, channels: 1 | 3 | 4 = 1): ByteImage => {
  const data = new Uint8Array(width * height * channels).fill(level);
  return { width, height, channels, data };
};

/** The text of an area, '#' for ink: what a person reads. */
const read = (image: ByteImage, left: number, top: number, width: number, height: number): string[] =>
  Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) =>
      image.data[((top + y) * image.width + left + x) * image.channels]! < 128 ? '#' : '.',
    ).join(''),
  );

test('a title is written above, in letters that need no font', () => {
  const image = titled(flat(200), 'a1-', { textScale: 1 });
  assert.equal([image.width, image.height], [24, 12 + 9]);
  assert.equal(read(image, 2, 2, 11, 5), ['.#...#.....', '#.#.##.....', '###..#..###', '#.#..#.....', '#.#.###....']);
  assert.ok(
    image.data.subarray(9 * 24).every((v) => v === 200),
    'the picture is below',
  );
  const big = titled(flat(200, 24, 12, 4), '1', { textScale: 2, background: 0 });
  assert.equal([big.height, big.channels], [30, 4]);
  assert.is(big.data[(4 * 24 + 6) * 4]!, 255, 'white letters on black');
  assert.ok(
    big.data.every((v, i) => i % 4 !== 3 || i / 4 > 18 * 24 || v === 255),
    'opaque',
  );
});

test('an unknown character is a question mark, and what does not fit is left out', () => {
  const ask = titled(flat(200), '?', { textScale: 1 });
  assert.equal(titled(flat(200), 'Ψ', { textScale: 1 }), ask);
  assert.is(titled(flat(200, 6, 4), 'much too long', { textScale: 1 }).width, 6);
});

test('labels of rows and columns stand beside their tiles', () => {
  const images = new Float32Array(6 * 64).fill(-1);
  const options = { columns: 3, scale: 2, padding: 2 };
  const plain = tileImages(images, [6, 8, 8, 1], options);
  const labels = { rowLabels: ['A', 'B 2'], columnLabels: ['0', '1', 'long'], title: 'T', textScale: 1 };
  const image = labelTiles(images, [6, 8, 8, 1], { ...options, ...labels });
  const [left, top] = [image.width - plain.width, image.height - plain.height];
  assert.equal([left, top], [11 + 4, 9 + 7]);
  for (let y = 0; y < plain.height; y++) {
    const row = image.data.subarray((top + y) * image.width + left, (top + y + 1) * image.width);
    assert.equal(row, plain.data.subarray(y * plain.width, (y + 1) * plain.width));
  }
  // Row B 2: right-aligned, in the middle of its 16 pixels.
  assert.equal(read(image, 2, top + 2 + 18 + 5, 11, 5), [
    '##......##.',
    '#.#.......#',
    '##.......#.',
    '#.#.....#..',
    '##......###',
  ]);
  assert.equal(read(image, left + 2 + 18 + 6, 9, 3, 5), ['.#.', '##.', '.#.', '.#.', '###'], 'column 1');
  assert.equal(labelTiles(images, [6, 8, 8, 1], options), plain, 'no labels, no margins');
});

for (const kind of ['gif', 'webp'] as const) {
  test(`a ${kind} holds its frames, their times and how often it is shown`, async () => {
    const path = join(folder, `levels.${kind}`);
    const levels = [0, 90, 255];
    await writeAnimation(
      path,
      levels.map((level) => flat(level)),
      { delay: [50, 200, 1000], loop: 3 },
    );
    const { pages, pageHeight, width, delay, loop } = await sharp(path, { animated: true }).metadata();
    assert.equal(
      { pages, pageHeight, width, delay, loop },
      { pages: 3, pageHeight: 12, width: 24, delay: [50, 200, 1000], loop: 3 },
    );
    for (const [page, level] of levels.entries()) {
      const frame = await sharp(path, { page }).removeAlpha().raw().toBuffer();
      assert.is(frame.length, 24 * 12 * 3);
      assert.ok(
        frame.every((v) => v === level),
        `frame ${page}`,
      );
    }
  });
}

test('frames that are alike stay frames, colours stay, and transparency lies on white', async () => {
  const path = join(folder, 'colours.gif');
  const colour = flat(0, 4, 4, 3);
  for (let i = 0; i < colour.data.length; i += 3) colour.data.set([255, 0, 128], i);
  const half = flat(0, 4, 4, 4); // black, alpha 0
  await writeAnimation(path, [colour, colour, half, half], { delay: 40 });
  const { pages, delay, loop } = await sharp(path, { animated: true }).metadata();
  assert.equal({ pages, delay, loop }, { pages: 4, delay: [40, 40, 40, 40], loop: 0 });
  assert.equal([...(await sharp(path, { page: 1 }).removeAlpha().raw().toBuffer()).subarray(0, 3)], [255, 0, 128]);
  assert.equal([...(await sharp(path, { page: 3 }).removeAlpha().raw().toBuffer()).subarray(0, 3)], [255, 255, 255]);
});

test("a run's grids become an animation, in the order of their steps, with steps above", async () => {
  const run = await mkdtemp(join(folder, 'run-'));
  for (const step of [0, 20, 100, 1000000]) {
    await writePng(join(run, `samples-${String(step).padStart(6, '0')}.png`), flat(Math.min(step, 200), 90, 20));
  }
  await writePng(join(run, 'samples.png'), flat(7, 10, 10)); // no grid over time
  const path = await animateRun(run);
  assert.is(path, join(run, 'samples.gif'));
  const { pages, pageHeight, delay } = await sharp(path, { animated: true }).metadata();
  assert.equal({ pages, pageHeight, delay }, { pages: 4, pageHeight: 38, delay: [120, 120, 120, 1500] });
  for (const [page, step] of [0, 20, 100, 1000000].entries()) {
    const { data, info } = await sharp(path, { page }).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const frame = { ...info, channels: 3 as const, data: Uint8Array.from(data) };
    assert.is(frame.data[30 * 90 * 3], Math.min(step, 200), `step ${step}`);
    const expected = titled(flat(Math.min(step, 200), 90, 20, 3), `step ${step}`);
    assert.equal(read(frame, 0, 0, 90, 18), read(expected, 0, 0, 90, 18));
  }
  const out = join(run, 'short.webp');
  assert.is(await animateRun(run, { out, frames: 2, hold: 0, delay: 30, loop: 1 }), out);
  const short = await sharp(out, { animated: true }).metadata();
  assert.equal([short.pages, short.delay, short.loop], [2, [30, 30], 1]);
});

const wrong = <T>(value: unknown): T => value as T;
const frames = [flat(0), flat(9)];
const gif = join(folder, 'refused.gif');
for (const [name, call, message] of [
  ['another ending', () => writeAnimation(join(folder, 'a.png'), frames), /a\.png ends neither with \.gif nor \.webp/],
  ['no frames', () => writeAnimation(gif, []), /no frames given/],
  ['frames of two sizes', () => writeAnimation(gif, [...frames, flat(0, 3)]), /frame 2 is 3 x 12, not 24 x 12/],
  ['a delay too short', () => writeAnimation(gif, frames, { delay: 19 }), /delay is 19; use integers from 20 to 65535/],
  ['a delay too few', () => writeAnimation(gif, frames, { delay: [20] }), /one or 2 of them/],
  ['half a loop', () => writeAnimation(gif, frames, { loop: 0.5 }), /loop must be .*, not 0.5/],
  ['an unknown option', () => writeAnimation(gif, frames, wrong({ fps: 3 })), /there is no option fps/],
  ['a bare delay', () => writeAnimation(gif, frames, wrong(100)), /an object such as \{ delay: 100 \}/],
  [
    'more pixels than memory',
    () =>
      writeAnimation(
        gif,
        Array.from({ length: 3 }, () => ({ ...flat(0), width: 2 ** 14, height: 2 ** 13 })),
      ),
    /3 frames .* too many; use up to 2/,
  ],
  ['a folder without grids', () => animateRun(folder), /has no grids \(samples-000000\.png and so on\)/],
  ['a folder that is not there', () => animateRun(join(folder, 'none')), /cannot read .*none: no such file or folder/],
  ['one frame of a run', () => animateRun(folder, { frames: 1 }), /frames must be a whole number, 2 or more, not 1/],
  ['a hold too short', () => animateRun(folder, { hold: 5 }), /hold must be .*, not 5/],
  [
    'a folder that cannot be written',
    () => writeAnimation(join(folder, 'none', 'a.gif'), frames),
    /cannot write .*a\.gif/,
  ],
] as const) {
  test(`refuses ${name}`, async () => {
    assert.match((await rejection(call())).message, message);
    assert.not((await readdir(folder)).includes('refused.gif'));
  });
}

test('refuses a grid that is no picture, naming it', async () => {
  const run = await mkdtemp(join(folder, 'run-'));
  await writeFile(join(run, 'samples-000000.png'), 'not a picture');
  assert.match((await rejection(animateRun(run))).message, /cannot read .*samples-000000\.png as a picture/);
});

test('refuses letters of no size', () => {
  assert.throws(
    () => titled(flat(0), 'a', { textScale: 0 }),
    /titled: textScale must be a whole number, 1 or more, not 0/,
  );
  assert.throws(
    () => labelTiles(new Float32Array(4), [1, 2, 2, 1], { textScale: 1.5 }),
    /labelTiles: textScale must be .*, not 1.5/,
  );
});

test.run();
