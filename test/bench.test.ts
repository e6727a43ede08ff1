import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { difference, judge } from '../bench/compare.ts';
import { channelsFirst, channelsLast, normals } from '../bench/data.ts';
import type { Report } from '../bench/report/html.ts';
import { median, type Row } from '../bench/run.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'wgrad-bench-'));

/** Runs the real command, as `npm run bench` does. */
function bench(...options: string[]): string {
  const command = ['--import=tsx', 'bench/index.ts', ...options];
  return execFileSync(process.execPath, command, {
    cwd: repository,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

test('a row of each suite, quickly, in three libraries: compared, timed, written', () => {
  const [json, html] = [join(folder, 'rows.json'), join(folder, 'rows.html')];
  const adapter = process.env.WGRAD_ADAPTER === 'lavapipe' ? 'lavapipe' : 'swiftshader';
  const only = 'sum over the last,ring,an addition,replayed';
  const text = bench('--quick', '--rounds', '2', '--adapter', adapter, '--only', only, '--json', json, '--html', html);
  const report = JSON.parse(readFileSync(json, 'utf8')) as Report;
  assert.match(report.adapter, adapter === 'lavapipe' ? /llvmpipe/ : /SwiftShader/);
  assert.ok(report.roofs.gflops > 0 && report.roofs.gbps > 0);
  const expected = ['ops sum over the last axis', 'train WGAN-GP on a ring', 'overhead an addition, eager'];
  const find = (title: string): Row => report.rows.find(({ suite, name }) => `${suite} ${name}` === title)!;
  for (const title of expected) {
    const row = find(title);
    assert.ok(row, title);
    for (const key of ['wgrad_ms', 'tfjs_ms', 'jaxjs_ms', 'vs_tfjs', 'vs_jaxjs'] as const) {
      assert.ok(Number(row[key]) > 0, `${title}: ${key} is ${row[key]}; ${row.note}`);
    }
    assert.ok(Math.abs(row.vs_tfjs! - row.tfjs_ms! / row.wgrad_ms!) < 1e-9);
    // Equal data and equal functions: the results were compared, and rounding makes them differ a little.
    assert.ok(row.difference !== null && row.difference < 5e-3, `${title}: ${row.difference}`);
    assert.match(text, row.name);
    assert.match(readFileSync(html, 'utf8'), row.name);
  }
  const sum = find('ops sum over the last axis');
  assert.ok(sum.gbps! > 0 && sum.of_roof! > 0 && sum.gflops === null);
  // What a library cannot do is a row without its figure, and the reason.
  const replayed = find('overhead 64 additions, replayed');
  assert.ok(replayed.jaxjs_ms! > 0 && replayed.tfjs_ms === null && replayed.vs_tfjs === null);
  assert.match(replayed.note, /tfjs: tfjs records no graph of ops to replay/);
  rmSync(folder, { recursive: true });
});

test('unknown names are refused, and --help tells the options', () => {
  for (const options of [
    ['--suite', 'all', '--only', 'nothing like it'],
    ['--peers', 'torch'],
    ['--rounds', '0'],
  ]) {
    assert.throws(() => bench(...options), /no row matches|Choose from tfjs|whole number/);
  }
  for (const option of ['--suite', '--adapter', '--peers', '--quick', '--rounds', '--json', '--html']) {
    assert.match(bench('--help'), option);
  }
});

test('a library whose results differ from the others is named, and not timed', () => {
  const [right, alike, wrong] = [
    [1, 2, 4],
    [1, 2, 4.00001],
    [1, 2, 5],
  ].map((values) => [Float32Array.from(values)]);
  const outvoted = judge(
    new Map([
      ['wgrad', wrong!],
      ['tfjs', right!],
      ['jaxjs', alike!],
    ] as const),
    1e-4,
  );
  assert.equal(outvoted.agree, ['tfjs', 'jaxjs']);
  assert.match(outvoted.notes[0]!, 'wgrad: result differs from tfjs');
  assert.ok(outvoted.difference > 0 && outvoted.difference < 1e-5);
  const alone = judge(
    new Map([
      ['wgrad', right!],
      ['tfjs', wrong!],
    ] as const),
    1e-4,
  );
  assert.equal(alone.agree, ['wgrad']);
  assert.ok(Number.isNaN(alone.difference));
  assert.is(difference(right!, [Float32Array.of(1, 2, Number.NaN)]), Number.POSITIVE_INFINITY);
  assert.is(difference(right!, [Float32Array.of(1, 2)]), Number.POSITIVE_INFINITY);
  assert.is(difference(right!, wrong!), 1 / 5);
});

test('data: layouts there and back, medians', () => {
  for (const layout of ['images', 'kernel', 'plain'] as const) {
    const shape = [2, 3, 4, 5];
    const values = normals(120, 7);
    const turned = channelsFirst(values, { shape, layout });
    assert.equal(channelsLast(turned.data, turned.shape, layout), values);
  }
  const { data, shape } = channelsFirst(
    Float32Array.from({ length: 12 }, (_, i) => i),
    {
      shape: [1, 2, 2, 3],
      layout: 'images',
    },
  );
  assert.equal(shape, [1, 3, 2, 2]);
  assert.equal([...data], [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
  assert.is(median([5, 1, 9]), 5);
  assert.is(median([4, 1, 9, 2]), 3);
});

test.run();
