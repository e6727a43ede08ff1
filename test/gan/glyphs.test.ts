/** Chinese characters in hands: on fonts made here, and on the real ones where their packages are installed. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { rasterize } from '../../gan/data/rasterize.ts';
import { readTrueType } from '../../gan/data/trueType.ts';
import { type GlyphPairsOptions, glyphDomain, glyphPairs, glyphs, openSampleSet } from '../../gan/index.node.ts';
import { metricSamples, trainingData } from '../../gan/index.ts';
import { near } from '../support/near.ts';
import { rejection } from '../support/rejection.ts';
import { inTemporaryFolder } from '../support/temporary.ts';
import { box, type FontGlyph, type FontPoint, writeCollection } from '../support/trueType.ts';

/** The em box of a made-up font, of which 1/1024 em is `unit`. */
const emBox = (top: number, unit: number): FontPoint[] => box(0, (top - 1024) * unit, 1024 * unit, top * unit);
/** A bar whose height tells which character it is, at the lower edge of the em box. */
const bar = (i: number, top: number, unit: number): FontPoint[] =>
  box(0, (top - 1024) * unit, 1024 * unit, (top - 1024 + 8 * (i + 1)) * unit);

/** A font of the first characters of the block: the first fills its em box, the second has no ink, the third is half as wide, others are bars. */
function font(top: number, { em = 1024, characters = 40, without = [] as readonly number[] } = {}): Uint8Array {
  const unit = em / 1024;
  const drawn: FontGlyph[] = Array.from({ length: characters }, (_, i) => {
    if (i === 0) return { contours: [emBox(top, unit)], advance: em };
    if (i === 1) return { advance: em };
    return { contours: [bar(i, top, unit)], advance: i === 2 ? em / 2 : em };
  });
  const map = new Map(drawn.map((_, i) => [0x4e00 + i, i + 1]));
  for (const code of without) map.delete(code);
  return writeCollection([{ em, glyphs: [{ contours: [box(0, 0, 1, 1)], advance: em }, ...drawn], characters: map }]);
}

/** A folder as `dpkg -x` leaves it. */
async function writeFonts(folder: string, fonts: Readonly<Record<string, Uint8Array>>): Promise<void> {
  for (const [file, bytes] of Object.entries(fonts)) {
    const path = join(folder, 'usr/share/fonts/truetype', file);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, bytes);
  }
}
const FONTS = { 'arphic/uming.ttc': font(900), 'wqy/wqy-zenhei.ttc': font(863, { em: 2048, without: [0x4e05] }) };

/** Rows of ink of a picture of a bar. */
const height = (data: Uint8Array, place: number, size: number): number =>
  data.subarray(place * size * size, (place + 1) * size * size).reduce((a, b) => a + b, 0) / 255 / size;

test('a character is drawn by its em box, which is the whole picture in every hand', () =>
  inTemporaryFolder(async (folder) => {
    await writeFonts(folder, FONTS);
    const pairs = await glyphPairs({ folder, size: 16, trainSize: 26, testSize: 10 });
    assert.equal(pairs.shape, [16, 16, 1]);
    assert.equal([pairs.title, pairs.domains], ['Chinese characters (Ming and Hei)', ['ming', 'hei']]);
    for (const part of [pairs.train, pairs.test]) {
      assert.equal(part.x.characters, part.y.characters);
      assert.equal(part.x.data, part.y.data, 'the two fonts draw the same shapes on their em boxes');
      for (const [place, character] of part.x.characters.entries()) {
        const i = character.codePointAt(0)! - 0x4e00;
        near(height(part.x.data, place, 16), i === 0 ? 16 : (i + 1) / 8, 0.01);
        const picture = part.x.data.subarray(place * 256, (place + 1) * 256);
        if (i >= 7) assert.equal([picture[0], picture[255]], [0, 255], 'bars stand at the lower edge');
      }
    }
    const all = [...pairs.train.x.characters, ...pairs.test.x.characters].map((c) => c.codePointAt(0)! - 0x4e00);
    // 1 has no ink, 2 is half as wide, and one of the fonts does not have 5.
    assert.ok(![1, 2, 5].some((i) => all.includes(i)));
    assert.is(new Set(all).size, 36);
  }));

test('unpaired: no character is in both hands, and the held-out ones are in both', () =>
  inTemporaryFolder(async (folder) => {
    await writeFonts(folder, FONTS);
    const common: GlyphPairsOptions = { folder, size: 8, trainSize: 25, testSize: 10 };
    const [paired, unpaired] = [await glyphPairs(common), await glyphPairs({ ...common, unpaired: true })];
    assert.equal([paired.paired, unpaired.paired], [true, false]);
    const { x, y } = unpaired.train;
    assert.equal([x.count, y.count, x.data.length, x.characters.length], [12, 12, 12 * 64, 12]);
    assert.is(new Set([...x.characters, ...y.characters]).size, 24);
    assert.equal([...x.characters, ...y.characters], paired.train.x.characters.slice(0, 24));
    assert.equal(unpaired.test, paired.test);
    assert.is(new Set([...unpaired.test.x.characters, ...paired.train.x.characters]).size, 35);
    assert.not.equal(unpaired.fingerprint, paired.fingerprint);
    assert.match(unpaired.fingerprint, /^[0-9a-f]{16}$/);
    // More to learn from moves nothing.
    const more = await glyphPairs({ ...common, trainSize: 27 });
    assert.equal(more.train.x.characters.slice(0, 25), paired.train.x.characters);
    assert.equal(
      [more.test.x.characters, more.train.x.data.subarray(0, 25 * 64)],
      [paired.test.x.characters, paired.train.x.data],
    );
    const turned = await glyphPairs({ ...common, hands: ['hei', 'ming'], unpaired: true });
    assert.equal(turned.train.x.characters, x.characters, 'which half is seen does not hang on the hand');
  }));

test('one hand as a data set: by itself, and as a domain of two', () =>
  inTemporaryFolder(async (folder) => {
    await writeFonts(folder, FONTS);
    const seen: [number, number][] = [];
    const onProgress = (done: number, total: number) => seen.push([done, total]);
    const set = await openSampleSet('glyphs', { folder, hand: 'hei', size: 8, trainSize: 20, testSize: 5, onProgress });
    assert.equal(
      [set.name, set.title, set.kind, set.shape],
      ['glyphs', 'Chinese characters (Hei)', 'images', [8, 8, 1]],
    );
    assert.equal([set.train.count, set.test.count, set.train.data.length], [20, 5, 20 * 64]);
    assert.equal([set.train.labels, set.classes], [undefined, undefined]);
    assert.equal(seen, [[25, 25]]);
    const pairs = await glyphPairs({ folder, size: 8, trainSize: 20, testSize: 5 });
    const y = glyphDomain(pairs, 'y');
    assert.equal([y.title, y.train, y.test], ['Chinese characters (Hei)', pairs.train.y, pairs.test.y]);
    assert.is(glyphDomain(pairs, 'x').title, 'Chinese characters (Ming)');
    assert.throws(() => glyphDomain(pairs, 'z' as never), /domain must be one of x, y, not "z"/);
    const dataset = trainingData(y);
    assert.is(dataset.length, 20);
    const { data, shape } = metricSamples(pairs.test.x, pairs.shape);
    assert.equal(shape, [5, 8, 8, 1]);
    assert.ok(data.every((v, i) => v === Math.fround(pairs.test.x.data[i]! / 127.5 - 1)));
    // Flat in a folder, too.
    await writeFile(join(folder, 'uming.ttc'), FONTS['arphic/uming.ttc']);
    assert.is((await glyphs({ folder, trainSize: 1, testSize: 1 })).title, 'Chinese characters (Ming)');
  }));

test('missing and damaged fonts are one error with the commands that get them', () =>
  inTemporaryFolder(async (folder) => {
    const message = async (options: object) => (await rejection(glyphPairs({ folder, ...options }))).message;
    assert.is(
      await message({}),
      `no font arphic/uming.ttc, wqy/wqy-zenhei.ttc in ${folder}: \`apt-get install fonts-arphic-uming fonts-wqy-zenhei\` (Debian, Ubuntu), ` +
        'or `apt-get download fonts-arphic-uming fonts-wqy-zenhei`, unpack each with `dpkg -x FILE.deb fonts`, and name the folder fonts',
    );
    await writeFonts(folder, { 'arphic/uming.ttc': FONTS['arphic/uming.ttc'] });
    assert.match(await message({}), /^no font wqy\/wqy-zenhei\.ttc in \S+: `apt-get install fonts-wqy-zenhei` /);
    const named = await rejection(openSampleSet('glyphs', { folder, hand: 'kai' }));
    assert.match(named.message, /^glyphs: no font arphic\/ukai\.ttc in \S+: `apt-get install fonts-arphic-ukai`/);
    const bytes = FONTS['wqy/wqy-zenhei.ttc'];
    const damaged = {
      cut: bytes.subarray(0, 30),
      other: new TextEncoder().encode('<html>not found</html>'),
      short: bytes.subarray(0, -800),
    };
    for (const file of Object.values(damaged)) {
      await writeFonts(folder, { 'wqy/wqy-zenhei.ttc': file });
      const options = { trainSize: 30, testSize: 7 };
      assert.match(
        await message(options),
        /wqy-zenhei\.ttc is damaged, or another font \(.*\): install fonts-wqy-zenhei again$/,
      );
    }
    await mkdir(join(folder, 'usr/share/fonts/truetype/arphic/ukai.ttc'));
    assert.match(await message({ hands: ['ming', 'kai'] }), /^cannot read \S+ukai\.ttc \(EISDIR\)$/);
  }));

test('options out of range', () =>
  inTemporaryFolder(async (folder) => {
    await writeFonts(folder, FONTS);
    const message = async (options: object) => (await rejection(glyphPairs({ folder, ...options } as never))).message;
    const says = /^glyphPairs: hands must be two different ones of ming, hei, kai, such as \['ming', 'hei'\], not /;
    for (const hands of [['ming'], ['ming', 'ming'], ['ming', 'song'], 'ming', ['ming', 'hei', 'kai']]) {
      assert.match(await message({ hands }), says);
    }
    assert.match(await message({ size: 4 }), /^glyphPairs: size must be a whole number from 8 to 256, not 4$/);
    assert.match(await message({ unpaired: 1 }), /^glyphPairs: unpaired must be true or false, not 1$/);
    assert.match(
      await message({ trainSize: 1, testSize: 3, unpaired: true }),
      /trainSize 1 leaves a hand without a character/,
    );
    assert.match(await message({ count: 1 }), /^glyphPairs: there is no option count/);
    const many = await message({ trainSize: 30, testSize: 8 });
    assert.match(
      many,
      /^glyphPairs: trainSize 30 and testSize 8 are more characters than the 37 that there are in ming and hei$/,
    );
    assert.match(
      (await rejection(glyphs({ folder, hand: 'song' as never }))).message,
      /hand must be one of ming, hei, kai, not "song"/,
    );
  }));

/** The outlines as a path of SVG, for another renderer. */
function pathOf(arcs: Float64Array): string {
  let path = '';
  for (let i = 0; i < arcs.length; i += 6) {
    const isNew = i === 0 || arcs[i] !== arcs[i - 2] || arcs[i + 1] !== arcs[i - 1];
    path += `${isNew ? `M${arcs[i]} ${arcs[i + 1]}` : ''}Q${arcs.subarray(i + 2, i + 6).join(' ')}`;
  }
  return path;
}

const REAL = '/usr/share/fonts/truetype';
const REAL_FILES = {
  ming: ['arphic/uming.ttc', 900],
  hei: ['wqy/wqy-zenhei.ttc', 863],
  kai: ['arphic/ukai.ttc', 900],
} as const;
if (Object.values(REAL_FILES).every(([file]) => existsSync(join(REAL, file)))) {
  test('characters of the Debian packages, as many as all three have', async () => {
    const hands = await Promise.all(
      Object.values(REAL_FILES).map(async ([file]) => readTrueType(await readFile(join(REAL, file)))),
    );
    const block = Array.from({ length: 20_992 }, (_, i) => 0x4e00 + i);
    const has = (font: (typeof hands)[number], code: number) =>
      font.glyphs.has(code) && !font.isBlank(font.glyphs.get(code)!);
    assert.is(block.filter((code) => hands.every((font) => has(font, code))).length, 18_366);
    const one = hands.map((font) => font.outline(font.glyphs.get(0x4e00)!));
    // 一 is one stroke across: wider than high, in each hand.
    for (const arcs of one) {
      const [xs, ys] = [0, 1].map((axis) => arcs.filter((_, i) => i % 2 === axis));
      const reach = (v: Float64Array) => Math.max(...v) - Math.min(...v);
      assert.ok(reach(xs!) > 700 && reach(ys!) < 200);
    }
  });

  test('pictures are those of librsvg at sixteen times the size, averaged', async () => {
    const [size, fine] = [32, 16];
    for (const [file, top] of Object.values(REAL_FILES)) {
      const font = readTrueType(await readFile(join(REAL, file)));
      for (const character of '永国鬱龍') {
        const arcs = font.outline(font.glyphs.get(character.codePointAt(0)!)!);
        const own = rasterize(arcs, size, { scale: size / 1024, left: 0, top: (top / 1024) * size });
        const side = size * fine;
        const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}" viewBox="0 0 1024 1024"><path transform="translate(0 ${top}) scale(1 -1)" d="${pathOf(arcs)}"/></svg>`;
        const pixels = await sharp(Buffer.from(svg)).extractChannel('alpha').raw().toBuffer();
        for (let i = 0; i < size * size; i++) {
          let sum = 0;
          const [row, column] = [Math.floor(i / size) * fine, (i % size) * fine];
          for (let y = 0; y < fine; y++) for (let x = 0; x < fine; x++) sum += pixels[(row + y) * side + column + x]!;
          near(own[i]!, sum / fine ** 2 / 255, 0.008);
        }
      }
    }
  });

  test('Ming and Hei lie on each other: nothing moved is nearer than nothing', async () => {
    const { test: held, shape } = await glyphPairs({ trainSize: 2, testSize: 100 });
    const [x, y] = [held.x.data, held.y.data];
    const size = shape[0]!;
    /** The mean difference if Hei is moved by (dx, dy) pixels, within the inner part that stays in the picture. */
    const apart = (dx: number, dy: number): number => {
      let sum = 0;
      for (let i = 0; i < held.x.count; i++)
        for (let row = 2; row < size - 2; row++)
          for (let column = 2; column < size - 2; column++) {
            const at = (i * size + row) * size + column;
            sum += Math.abs(x[at]! - y[at + dy * size + dx]!);
          }
      return sum;
    };
    const still = apart(0, 0);
    for (const [dx, dy] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ] as const) {
      assert.ok(apart(dx, dy) > 1.1 * still, `moved by ${dx}, ${dy}: ${apart(dx, dy) / still}`);
    }
  });
}

test.run();
