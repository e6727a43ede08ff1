/** The action of `wgrad sample`, on runs that stand in for trained ones: on the reference device, which `init` opens each time. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type SampledRun, sample } from '../../cli/commands/sample.node.ts';
import type { SampleOptions } from '../../cli/commands/sampleOptions.ts';
import { Rng, reference } from '../../engine/index.ts';
import type { SampleSet } from '../../gan/data/sampleSet.ts';
import { writePng } from '../../gan/pictures/png.node.ts';
import * as nn from '../../nn/index.ts';
import { rejection } from '../support/rejection.ts';

const test = suite('sample command');
const root = await mkdtemp(join(tmpdir(), 'wgrad-sample-'));
test.after(() => rm(root, { recursive: true }));

const [LATENT, SIDE] = [3, 4];

const images: SampleSet = {
  name: 'squares',
  title: 'squares',
  kind: 'images',
  shape: [SIDE, SIDE, 1],
  train: { count: 20, data: Uint8Array.from({ length: 20 * 16 }, (_, i) => (i * 37) % 256) },
  test: { count: 5, data: Uint8Array.from({ length: 5 * 16 }, (_, i) => (i * 53) % 256) },
};
const points: SampleSet = {
  name: 'ring',
  title: 'ring of points',
  kind: 'points',
  shape: [2],
  train: { count: 30, data: Float32Array.from(new Rng(1).hostNormal(60)) },
  test: { count: 2, data: new Float32Array(4) },
};

const numbers: SampleSet = {
  ...points,
  title: 'numbers on a line',
  shape: [1],
  train: { count: 60, data: points.train.data },
  test: { count: 4, data: new Float32Array(4) },
};

let disposed = 0;
const opener =
  (set: SampleSet, path: string) =>
  async (asked: string): Promise<SampledRun> => {
    assert.is(asked, path);
    const rng = new Rng(5);
    const size = set.shape.reduce((a, b) => a * b, 1);
    const head = set.kind === 'images' ? [new nn.Tanh(), new nn.Reshape(set.shape)] : [];
    const generator = new nn.Sequential(
      new nn.Linear(LATENT, 8, { rng }),
      new nn.BatchNorm1d(8),
      new nn.Linear(8, size, { rng }),
      ...head,
    );
    const critic = new nn.Linear(size, 1, { rng });
    return {
      path,
      networks: { generator, critic, latent: LATENT },
      openData: async () => set,
      dispose() {
        disposed++;
        generator.dispose();
        critic.dispose();
      },
    };
  };

const drawn = async (set: SampleSet, options: Partial<SampleOptions>, folder?: string) => {
  const run = folder ?? (await mkdtemp(join(root, 'run-')));
  const path = await sample(
    { run, what: 'grid', seed: 0, quiet: true, adapter: 'reference', ...options },
    opener(set, run),
  );
  return { run, path };
};

/** Tiles are 4 x 4 pixels, 16 times as large, with 2 pixels between. */
const CELL = 66;

/** Columns, rows, and the length of the longest label of a row. */
for (const [options, columns, rows, label] of [
  [{ what: 'grid' }, 8, 8, 2],
  [{ what: 'grid', count: 5 }, 3, 2, 1],
  [{ what: 'interpolate', count: 3 }, 9, 3, 3],
  [{ what: 'interpolate', codes: [4, 0, 2] }, 9, 2, 3],
  [{ what: 'interpolate', corners: true, mode: 'linear' }, 8, 8, 0],
  [{ what: 'arithmetic' }, 4, 4, 5],
  [{ what: 'arithmetic', codes: [5, 1, 3] }, 2, 4, 5],
  [{ what: 'truncate', count: 3 }, 3, 4, 8],
  [{ what: 'truncate', truncation: 'mean', count: 3 }, 3, 4, 8],
  [{ what: 'truncate', psi: 0.5, count: 9 }, 3, 3, 0],
  [{ what: 'neighbours', count: 2 }, 8, 2, 1],
  [{ what: 'reconstruct', count: 2 }, 2, 2, 5],
] as const) {
  test(`draws ${JSON.stringify(options)}`, async () => {
    const before = disposed;
    const { run, path } = await drawn(images, options);
    assert.is(disposed, before + 1);
    assert.is(path, join(run, `sample-${options.what}.png`));
    const { width = 0, height = 0 } = await sharp(path).metadata();
    // Letters are 6 pixels wide and 2 apart, with 4 around a label and 2 around the tiles.
    const margin = label > 0 ? label * 8 - 2 + 8 : 0;
    assert.is(width, columns * CELL + 2 + margin);
    assert.is(Math.floor((height - 2) / CELL), rows, `height ${height}`);
    assert.equal(await readdir(run), [`sample-${options.what}.png`]);
  });
}

/** The tile in a row and column, counted from the right and from below, where no labels are. */
async function tile(path: string, row: number, column: number): Promise<Buffer> {
  const { width = 0, height = 0 } = await sharp(path).metadata();
  const area = { left: width - (column + 1) * CELL, top: height - (row + 1) * CELL, width: 64, height: 64 };
  return sharp(path).extract(area).toColourspace('b-w').raw().toBuffer();
}

test('a code is the same sample in every picture, and follows the seed', async () => {
  const grid = (await drawn(images, { count: 9 })).path;
  const larger = (await drawn(images, { count: 16 })).path;
  const path = (await drawn(images, { what: 'interpolate', codes: [8, 3] })).path;
  const neighbours = (await drawn(images, { what: 'neighbours', count: 8 })).path;
  const last = await tile(grid, 0, 0); // code 8 of 3 x 3
  assert.equal(await tile(path, 0, 8), last, 'the first of the path');
  assert.equal(await tile(larger, 1, 3), last, 'code 8 of 4 x 4');
  assert.equal(await tile(grid, 0, 1), await tile(neighbours, 0, 7), 'code 7 beside its neighbours');
  assert.equal(await readFile((await drawn(images, { count: 9 })).path), await readFile(grid));
  assert.not.equal(await tile((await drawn(images, { count: 9, seed: 1 })).path, 0, 0), last);
});

test('one minus another plus the other is the first', async () => {
  const { path } = await drawn(images, { what: 'arithmetic', codes: [2, 6, 6] });
  assert.equal(await tile(path, 0, 0), await tile(path, 3, 0), 'the result, and the mean of a');
});

test('an interpolation becomes an animation, and a run of grids another', async () => {
  const out = join(root, 'path.webp');
  assert.is((await drawn(images, { what: 'interpolate', count: 3, out })).path, out);
  const { pages, pageHeight, width } = await sharp(out, { animated: true }).metadata();
  assert.equal([pages, pageHeight, width], [36, 224, 224]);

  const run = await mkdtemp(join(root, 'run-'));
  const grid = { width: 40, height: 40, channels: 1, data: new Uint8Array(1600) } as const;
  await writePng(join(run, 'samples-000000.png'), grid);
  await writePng(join(run, 'samples-000010.png'), grid);
  await writeFile(join(run, 'checkpoint.safetensors'), '');
  const never = async () => assert.unreachable() as never;
  for (const name of [run, join(run, 'checkpoint.safetensors')]) {
    await sample({ run: name, what: 'animate', seed: 0, quiet: true }, never);
  }
  for (const name of ['sample-animate.gif', 'sample-animate-2.gif']) {
    assert.is((await sharp(join(run, name), { animated: true }).metadata()).pages, 2);
  }
});

test('points are drawn over real ones, as SVG or pixels', async () => {
  const { path } = await drawn(points, { what: 'grid', count: 7 });
  assert.ok(path.endsWith('sample-grid.svg'));
  const svg = await readFile(path, 'utf8');
  for (const part of ['ring of points', 'grid, seed 0', 'level sets']) assert.ok(svg.includes(part), part);
  assert.is(svg.split(/transform="translate\([^>]*fill="#d55e00"[^>]*opacity="0.55"/).length - 1, 7);
  const out = join(root, 'points.png');
  await drawn(points, { what: 'interpolate', out });
  assert.is((await sharp(out).metadata()).width, 480);
  assert.ok((await drawn(points, { what: 'truncate', psi: 1 })).path.endsWith('sample-truncate.svg'));
  // Numbers on a line are spread out to be seen; a critic of one number has no level sets.
  const line = await readFile((await drawn(numbers, { what: 'grid', count: 7 })).path, 'utf8');
  assert.ok(line.includes('numbers on a line') && !line.includes('level sets'));
  await drawn(numbers, { what: 'interpolate' });
});

test('nothing is overwritten', async () => {
  const { run, path } = await drawn(images, { count: 4 });
  const first = await readFile(path);
  const second = await drawn(images, { count: 9 }, run);
  assert.is(second.path, join(run, 'sample-grid-2.png'));
  assert.equal(await readFile(path), first);
  assert.match((await rejection(drawn(images, { out: path }))).message, /exists already, and is not overwritten/);
  assert.equal(await readFile(path), first);
});

test('scores are printed: distances of neighbours, errors of reconstructions', async () => {
  const written: string[] = [];
  const write = process.stdout.write;
  const run = await mkdtemp(join(root, 'run-'));
  for (const what of ['neighbours', 'reconstruct', 'truncate'] as const) {
    process.stdout.write = ((text: string) => written.push(text) > 0) as typeof write;
    try {
      await sample({ run, what, count: 2, seed: 0, quiet: false, adapter: 'reference' }, opener(images, run));
    } finally {
      process.stdout.write = write;
    }
  }
  const text = written.join('');
  assert.match(text, /nearest of 20 training images, in pixels: \d\.\d\d for samples, \d\.\d\d for held-out images/);
  assert.match(text, /mean squared error of 2 held-out images, .*: 0\.\d{4}, worst \d\.\d{4}/);
  assert.match(text, /variety .* at psi 0\.04: \d\.\d{3}, 0\.5: /);
});

for (const [name, set, options, message] of [
  ['a count of none', images, { count: 0 }, /count is 0; use an integer from 1 to 4096/],
  ['a count too large', images, { count: 4097 }, /count is 4097/],
  ['codes of a grid', images, { codes: [1] }, /codes are for interpolate and arithmetic, not for grid/],
  ['half a code', images, { what: 'interpolate', codes: [1, 0.5] }, /there is no code 0.5/],
  ['one code of a path', images, { what: 'interpolate', codes: [1] }, /2 or more codes/],
  ['arithmetic of two', images, { what: 'arithmetic', codes: [1, 2] }, /three equal parts.*not 2/],
  [
    'five corners',
    images,
    { what: 'interpolate', corners: true, codes: [0, 1, 2, 3, 4] },
    /there are 4 corners, not 5/,
  ],
  ['corners of a grid', images, { corners: true }, /corners are for interpolate/],
  ['psi of a grid', images, { psi: 1 }, /psi is for truncate, not for grid/],
  ['psi 0', images, { what: 'truncate', psi: 0 }, /psi is 0; use a number above 0/],
  ['a file of another kind', images, { out: join(root, 'a.jpg') }, /must end with \.png for this picture/],
  ['a moving grid', images, { out: join(root, 'a.gif') }, /must end with \.png/],
  ['a folder that is not there', images, { out: join(root, 'none', 'a.png') }, /cannot write .*no such file or folder/],
  [
    'features of what are no digits',
    images,
    { what: 'neighbours', compare: 'digits' },
    /images \[28,28,1\]; squares has \[4,4,1\]/,
  ],
  ['neighbours of points', points, { what: 'neighbours' }, /neighbours needs images/],
  ['mode without a way', images, { what: 'grid', mode: 'linear' }, /mode is for interpolate, not for grid/],
  [
    'compare without neighbours',
    images,
    { what: 'grid', compare: 'pixels' },
    /compare is for neighbours, not for grid/,
  ],
  ['truncation of a grid', images, { what: 'grid', truncation: 'mean' }, /truncation is for truncate, not for grid/],
  ['a row of points for each psi', points, { what: 'truncate' }, /truncate needs psi for points/],
] as const) {
  test(`refuses ${name}, and leaves no file`, async () => {
    const run = await mkdtemp(join(root, 'run-'));
    const given = options as Partial<SampleOptions>;
    assert.match((await rejection(drawn(set, given, run))).message, message);
    assert.equal(await readdir(run), []);
    assert.is(reference.memory().tensors, 0, 'the run was closed');
  });
}

test('refuses to animate what is not there', async () => {
  const options = { run: join(root, 'none'), what: 'animate', seed: 0, quiet: true } as const;
  const never = async () => assert.unreachable() as never;
  assert.match((await rejection(sample(options, never))).message, /cannot read .*none: no such file or folder/);
});

test.run();
