/** `wgrad train NAME` as a person types it: a system of the table is trained, goes on, is drawn, measured and reported by names alone. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readJsonLines } from '../../cli/run/folder.node.ts';
import { settingsOf, systemNames } from '../../gan/index.ts';
import { rowOf } from '../../gan/systems/table.ts';

const test = suite('systems on the command line');
const root = mkdtempSync(join(tmpdir(), 'wgrad-systems-'));
test.after(() => rmSync(root, { recursive: true, force: true }));

function wgrad(...args: string[]): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, ['bin/wgrad.js', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += String(data)));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, text })));
}

const png = (path: string): string => readFileSync(path).toString('latin1', 1, 4);
const rows = (out: string) => readJsonLines(join(out, 'metrics.jsonl'));

test('cgan: trained, gone on with, drawn, measured beside its controls, reported', async () => {
  const [out, whole] = [join(root, 'cgan'), join(root, 'whole')];
  const small = [
    '--batch',
    '4',
    '--width',
    '4',
    '--latent',
    '4',
    '--condition',
    'channel',
    '--seed',
    '3',
    '--rate-decay',
    '1',
  ];
  const trained = await wgrad('train', ...small, '--steps', '4', 'cgan', '--out', whole);
  assert.is(trained.code, 0, trained.text);
  assert.match(trained.text, 'MNIST: conditional WGAN-GP, class as channel');
  const config = JSON.parse(readFileSync(join(whole, 'config.json'), 'utf8'));
  assert.equal([config.system, config.condition, config.latent, config.batch], ['cgan', 'channel', 4, 4]);

  assert.is((await wgrad('train', 'cgan', ...small, '--steps', '2', '--out', out)).code, 0);
  const more = await wgrad('train', '--resume', out, '--steps', '4');
  assert.is(more.code, 0, more.text);
  assert.equal(rows(out), rows(whole), 'the numbers of a run that was never stopped');

  const picture = join(root, 'classes.png');
  const sampled = await wgrad('sample', whole, '--what', 'classes', '--count', '2', '--out', picture);
  assert.is(sampled.code, 0, sampled.text);
  assert.is(png(picture), 'PNG');
  const usual = await wgrad('sample', whole, '--out', join(root, 'usual.png'));
  assert.is(usual.code, 0, usual.text);
  assert.is(png(join(root, 'usual.png')), 'PNG');
  const others = await wgrad('sample', whole, '--what', 'interpolate');
  assert.match(others.text, 'a run of cgan has no picture interpolate; it has classes');

  const counted = join(root, 'confusion.csv');
  const tabled = await wgrad('sample', whole, '--what', 'confusion', '--count', '30', '--out', counted);
  assert.is(tabled.code, 0, tabled.text);
  const [head, ...lines] = readFileSync(counted, 'utf8').trim().split('\r\n');
  assert.is(head, 'asked for,0,1,2,3,4,5,6,7,8,9');
  const seen = lines.map((line) => line.split(',').slice(1).map(Number));
  assert.ok(
    seen.every((counts) => counts.reduce((a, b) => a + b) === 3),
    'three of each class were asked for',
  );
  assert.match((await wgrad('sample', whole, '--what', 'confusion', '--out', picture)).text, 'must end with .csv');

  const evaluated = await wgrad('evaluate', whole, '--metrics', 'classSeen', '--count', '40');
  assert.is(evaluated.code, 0, evaluated.text);
  assert.is(JSON.parse(readFileSync(join(whole, 'evaluation.json'), 'utf8')).figures.classSeen.count, 40);
  assert.match(
    evaluated.text,
    /class that was asked for.*: [\d.]+ \(next class [\d.]+, untrained [\d.]+; higher is better\)/,
  );

  const reported = await wgrad('report', whole);
  assert.is(reported.code, 0, reported.text);
  const page = readFileSync(join(whole, 'report.html'), 'utf8');
  assert.match(page, /cgan/);
  assert.match(page, 'Classes that were asked for, and how often the digit classifier sees each');
  assert.ok(readdirSync(whole).includes('samples.png'));
});

test('every system has its own help, with its own options and their defaults, and its line among the systems', async () => {
  const { text: listed } = await wgrad('systems');
  for (const name of systemNames) {
    const { code, text } = await wgrad('train', name, '--help');
    assert.is(code, 0);
    const all = text.replace(/\s+/g, ' ');
    assert.match(all, `What ${name} has of its own:`);
    for (const setting of Object.keys(rowOf(name).options)) {
      const { about, flag } = settingsOf(name)[setting]!;
      assert.ok(
        all.includes(flag ?? `--${setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`),
        setting,
      );
      assert.ok(all.includes(about.replace(/\s+/g, ' ')), about);
    }
    assert.match(listed, new RegExp(`^${name}: `, 'm'));
  }
  assert.match((await wgrad('train', 'cyclegan', '--help')).text, /--cycle <weight>.*\(default: 10\)/);
});

test('what does not fit is refused in one line that names the remedy', async () => {
  const says = async (...args: string[]) => {
    const { code, text } = await wgrad('train', ...args, '--out', join(root, 'refused'));
    assert.ok(code === 1 || code === 2, text);
    return text
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('Warning: '))
      .at(-1)!;
  };
  assert.match(await says('gann'), 'There is no system gann; there are gan, cgan, cyclegan, linear-autoencoder.');
  assert.match(await says('cgan', '--data', 'ring'), 'cgan learns from samples with classes, such as mnist');
  assert.match(await says('cgan', '--cycle', '3'), "unknown option '--cycle'");
  assert.match(await says('cgan', '--condition', 'loudly'), 'Allowed choices are channel, projection.');
  assert.match(await says('cyclegan', '--data-folder', join(root, 'none')), 'apt-get install fonts-');
  assert.not.ok(readdirSync(root).includes('refused'), 'nothing is left of a run that did not begin');
});

test.run();
