import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { difference, judge } from '../../bench/compare.ts';
import { channelsFirst, channelsLast, normals } from '../../bench/data.ts';
import type { Report } from '../../bench/report/html.ts';
import { cells, listText } from '../../bench/report/table.ts';
import { figureOf, measure, median, type Row, type Workers } from '../../bench/run.ts';
import type { Case, Sample } from '../../bench/task.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
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
    for (const key of ['wgrad_spread', 'tfjs_spread', 'jaxjs_spread'] as const) assert.ok(row[key]! >= 0, key);
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
  const list = bench('--list', '--suite', 'train');
  assert.match(
    list,
    /^train {4}WGAN-GP on a ring {2}MLP 3x128, batch 256 {2}\(quick\)\ntrain {4}DCGAN {14}28x28x1, batch 64\n/,
  );
  assert.is(bench('--list', '--quick', '--suite', 'train').split('\n').length, 2);
  for (const option of ['--suite', '--adapter', '--peers', '--quick', '--list', '--rounds', '--json', '--html']) {
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

const sample = (ms: number, more: Partial<Sample> = {}): Sample => ({
  ...{ ms, recordMs: ms, grainMs: 0, calls: 1, dispatches: 1 },
  ...more,
});

test('what is shorter than the steps of the clock has no figure, but a reason', () => {
  const record = { measure: 'record' } as const;
  // Of two hundred calls nothing is seen, or one step of four milliseconds; of two thousand enough.
  const short = [0, 0, 0.02].map((recordMs) => sample(0.1, { recordMs, calls: 200, grainMs: 4 }));
  const reason = 'the clock moves in steps of 4.0 ms, too long for 200 calls';
  assert.is(figureOf(record, short), reason);
  assert.is(figureOf(record, short.slice(2)), reason);
  const long = sample(0.1, { recordMs: 0.02, calls: 2000, grainMs: 4, dispatches: 8 });
  assert.equal(figureOf(record, [long]), { ms: 0.0025, spread: null });
  assert.match(String(figureOf({ measure: 'record' }, [sample(1, { dispatches: 0 })])), /^no dispatch/);
  assert.is(figureOf({ measure: 'total' }, [sample(0)]), 'less than the clock can tell');
  assert.is(figureOf({ measure: 'total' }, []), undefined);
  const figure = figureOf(
    { measure: 'total' },
    [2, 4, 3, 10, 3].map((ms) => sample(ms)),
  );
  assert.equal(figure, { ms: 3, spread: 1 / 6 });
});

/** A library that takes so many milliseconds a call, and roofs that are measured in turn. */
function pretended(ms: number, roofs: readonly number[]) {
  const measured = [...roofs];
  const calls: Record<string, () => unknown> = {
    prepare: () => [Float32Array.of(1)],
    time: () => sample(ms),
    dispose: () => null,
  };
  const workers = {
    plan: { libraries: ['wgrad'], rounds: 3, sample: 1, slow: 100, environment: {} },
    get: async () => ({ call: async (name: string) => calls[name]!() }),
    runs: () => true,
    stop: () => {},
    roofs: async () => ({ gflops: measured.shift()!, gbps: 1 }),
  };
  return { workers: workers as unknown as Workers, left: () => measured.length };
}

test('a share above the roof has the roof measured again, and is marked if it stays', async () => {
  const one = { suite: 'ops', name: 'n', shape: 's', measure: 'total', tolerance: 0, flops: 2e6 } as unknown as Case;
  const at = async (first: number, again: readonly number[]) => {
    const { workers, left } = pretended(1, again); // two GFLOPS
    const row = await measure(one, workers, { gflops: first, gbps: 1 });
    return { row, share: cells(row).at(-1), left: left() };
  };
  const usual = await at(4, [100]);
  assert.equal([usual.row.of_roof, usual.share, usual.row.note, usual.left], [0.5, '50 %', '', 1]);
  const busy = await at(1.6, [2.5]);
  assert.equal([busy.row.of_roof, busy.share, busy.row.note, busy.left], [0.8, '80 %', '', 0]);
  const cached = await at(1.6, [1.5]);
  assert.equal([cached.row.of_roof, cached.share, cached.left], [1.25, '>100 %', 0]);
  assert.match(cached.row.note, /^above the roof, which was measured twice/);
});

test('the spread stands beside each median', async () => {
  const { workers } = pretended(1, []);
  const one = { suite: 'ops', name: 'n', shape: 's', measure: 'total', tolerance: 0 } as unknown as Case;
  const row = await measure(one, workers, { gflops: 1, gbps: 1 });
  assert.equal(cells(row).slice(2, 5), ['1.00 ms ±0 %', '-', '-']);
  assert.is(cells({ ...row, wgrad_ms: 0.05, wgrad_spread: 0.126 })[2], '50.0 µs ±13 %');
  assert.is(cells({ ...row, wgrad_spread: null })[2], '1.00 ms');
  const rows = [
    { suite: 'ops', name: 'sum', shape: '2x2', quick: true },
    { suite: 'overhead', name: 'a product', shape: '4x4' },
  ] as const;
  assert.is(listText(rows), 'ops      sum        2x2  (quick)\noverhead a product  4x4');
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
