/** What is done with a run once it is trained: sample, evaluate, report, compare, in real processes. */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('commands on runs');
const root = mkdtempSync(join(tmpdir(), 'wgrad-commands-'));
test.after(() => rmSync(root, { recursive: true, force: true }));

const wgrad = (...args: string[]) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    execFile(process.execPath, ['bin/wgrad.js', ...args], (error, out, err) => {
      resolve({
        code: typeof error?.code === 'number' ? error.code : 0,
        out,
        err: err.replaceAll(/^Warning.*\n/gm, ''),
      });
    });
  });

const [ring, digits] = [join(root, 'ring'), join(root, 'digits')];

test.before(async () => {
  const small = '--width 16 --batch 16 --steps 20 --snapshots 2 --quiet'.split(' ');
  const [a, b] = await Promise.all([
    wgrad('train', '--data', 'ring', '--out', ring, ...small),
    wgrad(
      'train',
      '--preset',
      'sngan',
      '--label-smoothing',
      '0',
      '--width',
      '4',
      '--batch',
      '4',
      '--steps',
      '3',
      '--quiet',
      '--out',
      digits,
    ),
  ]);
  assert.equal([a.code, b.code], [0, 0], a.err + b.err);
});

test('a run says how it began', () => {
  const config = JSON.parse(readFileSync(join(digits, 'config.json'), 'utf8'));
  assert.equal([config.objective, config.regularizers, config.shape], ['hinge', ['spectral-norm'], [28, 28, 1]]);
  assert.match(config.command, /^npx wgrad train --preset sngan --label-smoothing 0 --width 4/);
});

test('sample draws pictures, and overwrites none', async () => {
  const first = await wgrad('sample', digits, '--count', '4');
  assert.equal([first.code, first.err], [0, '']);
  const second = await wgrad('sample', digits, '--count', '4');
  const [a, b] = [first, second].map(({ out }) => out.trim().split('\n').at(-1)!);
  assert.is.not(a, b);
  assert.equal(readFileSync(a!), readFileSync(b!), 'the same seed draws the same picture');
  assert.is((await sharp(a!).metadata()).format, 'png');
  const points = await wgrad('sample', ring, '--out', join(root, 'points.svg'));
  assert.equal([points.code, points.err], [0, '']);
  assert.match(readFileSync(join(root, 'points.svg'), 'utf8'), /^<svg/);
  const frames = await wgrad('sample', ring, '--what', 'animate');
  assert.is(frames.code, 0, frames.err);
  assert.is(
    (await sharp(frames.out.trim().split('\n').at(-1)!).metadata()).pages,
    3,
    'before, in the middle, at the end',
  );
});

test('evaluate writes the scores, which report shows', async () => {
  const { code, out, err } = await wgrad(
    'evaluate',
    ring,
    '--metrics',
    'modes,highQuality,mmd',
    '--count',
    '200',
    '--json',
  );
  assert.is(code, 0, err);
  const { figures: scores, step, count } = JSON.parse(out);
  assert.equal([step, count, Object.keys(scores)], [20, 200, ['modes', 'highQuality', 'mmd']]);
  assert.is(scores.modes.real.value, 8);
  assert.equal(JSON.parse(readFileSync(join(ring, 'evaluation.json'), 'utf8')), JSON.parse(out));
  // More scores of the same samples stand beside those; scores of other samples take their place.
  const asked = async (...options: string[]): Promise<string[]> => {
    const more = await wgrad('evaluate', ring, '--no-baselines', '--json', ...options);
    assert.is(more.code, 0, more.err);
    return Object.keys(JSON.parse(readFileSync(join(ring, 'evaluation.json'), 'utf8')).figures);
  };
  const kept = readFileSync(join(ring, 'evaluation.json'));
  assert.equal(await asked('--metrics', 'energyDistance', '--count', '200'), [
    'modes',
    'highQuality',
    'mmd',
    'energyDistance',
  ]);
  assert.equal(await asked('--metrics', 'energyDistance', '--count', '100'), ['energyDistance']);
  writeFileSync(join(ring, 'evaluation.json'), kept);
  const page = await wgrad('report', ring);
  assert.equal([page.code, page.out], [0, `${join(ring, 'report.html')}\n`]);
  const html = readFileSync(join(ring, 'report.html'), 'utf8');
  assert.match(html, scores.mmd.title);
  assert.match(html, 'wgrad train --data ring');
});

test('compare puts runs on one page', async () => {
  const out = join(root, 'page.html');
  const { code, err } = await wgrad('compare', ring, digits, '--out', out);
  assert.equal([code, err], [0, '']);
  assert.match(readFileSync(out, 'utf8'), /spectral-norm/);
});

test('a folder of images that was moved is named again, and must be the same', async () => {
  const [before, moved, run] = [join(root, 'before'), join(root, 'moved'), join(root, 'photographs')];
  mkdirSync(before);
  const draw = (folder: string, i: number, grey = 6 * i) =>
    sharp({ create: { width: 8, height: 8, channels: 3, background: { r: grey, g: grey, b: grey } } })
      .png()
      .toFile(join(folder, `${i}.png`));
  for (let i = 0; i < 40; i++) await draw(before, i);
  const small = '--size 8 --grey --model mlp --width 4 --batch 4 --steps 2 --snapshots 1 --quiet'.split(' ');
  // A folder alone is one of images.
  const trained = await wgrad('train', '--data-folder', before, '--out', run, ...small);
  assert.equal([trained.code, trained.err], [0, '']);
  const config = () => JSON.parse(readFileSync(join(run, 'config.json'), 'utf8'));
  assert.equal([config().data, config().dataOptions.folder], ['folder', before]);
  renameSync(before, moved);

  const measure = ['evaluate', run, '--metrics', 'slicedWasserstein', '--count', '8', '--no-baselines', '--quiet'];
  const neighbours = ['sample', run, '--what', 'neighbours', '--count', '2', '--quiet'];
  const goOn = ['train', '--resume', run, '--steps', '3', '--quiet'];
  const all = [measure, neighbours, goOn];
  const asked = (folder?: string) =>
    Promise.all(all.map((args) => wgrad(...args, ...(folder === undefined ? [] : ['--data-folder', folder]))));
  for (const { code, err } of await asked()) {
    assert.is(code, 1);
    assert.match(err, /^wgrad: folder: cannot read \S+before \(ENOENT\): name a folder of images/);
  }
  const [other, more] = [join(root, 'other'), join(root, 'more')];
  for (const folder of [other, more]) cpSync(moved, folder, { recursive: true });
  await draw(other, 3, 250);
  for (let i = 40; i < 60; i++) await draw(more, i);
  for (const { code, err } of await asked(more)) {
    assert.is(code, 1);
    assert.match(err, /^wgrad: .*images of more has \d+ training samples now and had \d+/);
  }
  for (const { code, err } of await asked(other)) {
    assert.is(code, 1);
    assert.match(err, /^wgrad: .*images of other has (as many|\d+) training samples/);
  }
  for (const { code, err } of await asked(moved)) assert.equal([code, err], [0, '']);
  assert.equal([config().steps, config().dataOptions.folder], [3, moved]);
});

test('what is no run is one line and exit code 1', async () => {
  for (const command of ['sample', 'evaluate', 'report']) {
    const { code, err } = await wgrad(command, join(root, 'nowhere'));
    assert.is(code, 1, command);
    assert.match(err, /^wgrad: [^\n]*nowhere[^\n]*\n$/);
  }
  assert.not(existsSync(join(root, 'nowhere')));
});

test.run();
