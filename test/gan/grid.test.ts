import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { tileImages } from '../../gan/pictures/grid.ts';
import { writePng } from '../../gan/pictures/png.node.ts';

const rows = ({ width, channels, data }: ReturnType<typeof tileImages>): number[][] =>
  Array.from({ length: data.length / (width * channels) }, (_, y) => [
    ...data.subarray(y * width * channels, (y + 1) * width * channels),
  ]);

test('lays grey images out with padding around and between', () => {
  const images = Float32Array.of(-1, 1, 0, -1, 1, 1); // three images of 1 x 2
  const grid = tileImages(images, [3, 1, 2, 1], { columns: 2, padding: 1, background: 9 });
  assert.equal([grid.width, grid.height, grid.channels], [7, 5, 1]);
  assert.equal(rows(grid), [
    [9, 9, 9, 9, 9, 9, 9],
    [9, 0, 255, 9, 128, 0, 9],
    [9, 9, 9, 9, 9, 9, 9],
    [9, 255, 255, 9, 9, 9, 9],
    [9, 9, 9, 9, 9, 9, 9],
  ]);
});

test('repeats pixels, and clamps what is outside the range', () => {
  const grid = tileImages(Float32Array.of(0, 1, 7, -7), [1, 2, 2, 1], { padding: 0, scale: 2, range: [0, 1] });
  assert.equal(rows(grid), [
    [0, 0, 255, 255],
    [0, 0, 255, 255],
    [255, 255, 0, 0],
    [255, 255, 0, 0],
  ]);
  assert.equal([...tileImages(Float32Array.of(NaN, 0.5), [1, 1, 2, 1], { padding: 0 }).data], [0, 191]);
});

test('keeps colour and transparency, and makes RGBA where asked to', () => {
  const colour = Float32Array.of(1, 0, -1);
  assert.equal([...tileImages(colour, [1, 1, 1, 3], { padding: 0 }).data], [255, 128, 0]);
  assert.equal([...tileImages(colour, [1, 1, 1, 3], { padding: 0, rgba: true }).data], [255, 128, 0, 255]);
  assert.equal(
    [...tileImages(Float32Array.of(1), [1, 1, 1, 1], { padding: 0, rgba: true }).data],
    [255, 255, 255, 255],
  );
  assert.equal([...tileImages(Float32Array.of(1, 0, -1, 0), [1, 1, 1, 4], { padding: 0 }).data], [255, 128, 0, 128]);
});

test('is as square as it can be', () => {
  const { width, height } = tileImages(new Float32Array(10), [10, 1, 1, 1], { padding: 0 });
  assert.equal([width, height], [4, 3]);
});

test('names what is wrong', () => {
  const one = new Float32Array(1);
  assert.throws(() => tileImages(one, [1, 2, 1, 1]), /shape \[1,2,1,1\] is not \[n,h,w,c\] of 1 values/);
  assert.throws(() => tileImages(one, [1, 1, 1]), /not \[n,h,w,c\]/);
  assert.throws(() => tileImages(new Float32Array(2), [1, 1, 1, 2]), /2 channels; use 1, 3 or 4/);
  assert.throws(
    () => tileImages(one, [1, 1, 1, 1], { scale: 1.5 }),
    /scale must be a whole number, 1 or more, not 1.5/,
  );
  assert.throws(() => tileImages(one, [1, 1, 1, 1], { columns: 0 }), /columns must be .*, not 0/);
});

test('a PNG file gives the bytes back, and leaves nothing beside it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wgrad-'));
  try {
    for (const channels of [1, 3, 4]) {
      const image = tileImages(Float32Array.from({ length: 2 * 9 * channels }, Math.random), [2, 3, 3, channels]);
      await writePng(join(folder, 'grid.png'), image);
      const found = sharp(await readFile(join(folder, 'grid.png'))).toColourspace(channels === 1 ? 'b-w' : 'srgb');
      const { data, info } = await found.raw().toBuffer({ resolveWithObject: true });
      assert.equal([info.width, info.height, info.channels], [image.width, image.height, channels]);
      assert.equal(new Uint8Array(data), image.data);
    }
    assert.equal(await readdir(folder), ['grid.png']);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.run();
