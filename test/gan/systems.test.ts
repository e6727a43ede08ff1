/** Every system of the table, on tiny data: it trains, its numbers are finite, it resumes to the same bits, and it shows something. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { defaultRng, init, memory } from '../../engine/index.ts';
import {
  checkConfig,
  configure,
  createSystem,
  type DataSource,
  disposeSystem,
  type PairSet,
  partsOf,
  type SampleSet,
  type StepRow,
  type SystemName,
  streamsOf,
  systemNames,
  train,
} from '../../gan/index.ts';
import { count, withEarlier } from '../../gan/settings.ts';
import type { Lab } from '../../gan/systems/row.ts';
import { rowOf } from '../../gan/systems/table.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../nn/index.ts';
import { adapter } from '../support/devices.ts';

await init({ adapter: 'reference' });
const test = suite('systems');

const bytes = (count: number, size: number) =>
  Uint8Array.from({ length: count * size }, (_, i) => (i * 89 + (i >> 5)) % 256);
const classes = ['0', '1', '2'];
const labelled = (count: number) => ({
  count,
  data: bytes(count, 784),
  labels: Uint8Array.from({ length: count }, (_, i) => i % 3),
});
const digits: SampleSet = {
  ...{ name: 'tiny', title: 'Tiny', kind: 'images', shape: [28, 28, 1], classes },
  train: labelled(24),
  test: labelled(6),
};
const domains = (count: number) => {
  const [x, y] = [0, 1].map((shift) => ({ count, data: bytes(count, 256).map((v) => (v * (1 + shift)) % 256) }));
  return { count, x: x!, y: y! };
};
const pairs: PairSet = {
  ...{ name: 'tiny-pairs', title: 'Tiny pairs', kind: 'pairs', paired: false, shape: [16, 16, 1], domains: ['x', 'y'] },
  train: domains(8),
  test: domains(4),
};

/** What makes each system small. */
const small: Readonly<
  Record<SystemName, { readonly set: DataSource; readonly given: Readonly<Record<string, unknown>> }>
> = {
  gan: { set: digits, given: { width: 4, batch: 4 } },
  cgan: { set: digits, given: { width: 4, latent: 4, batch: 4 } },
  cyclegan: { set: pairs, given: { width: 4, blocks: 1, batch: 2, pool: 3 } },
  'linear-autoencoder': { set: digits, given: { code: 3, batch: 8 } },
};

for (const name of systemNames) {
  const { set, given } = small[name];
  const config = configure(name, set.kind, { ...given, steps: 4 });
  const make = () => {
    const system = createSystem(config, { shape: set.shape, classes: set.classes ?? [] });
    const streams = streamsOf(config, set);
    return { system, streams, parts: partsOf(system, streams) };
  };
  const rows = async ({ system, streams }: ReturnType<typeof make>, from: number, until: number) => {
    const found: StepRow[] = [];
    for await (const row of train(system, streams, { from, until, of: 4 })) found.push(row);
    return found;
  };

  test(`${name}: trains to finite numbers, goes on from a checkpoint to the same bits, and shows something`, async () => {
    const whole = make();
    const all = await rows(whole, 0, 4);
    assert.is(all.length, 4);
    assert.ok(
      all.every((row) => Object.values(row).every(Number.isFinite)),
      JSON.stringify(all),
    );
    const first = make();
    assert.equal(await rows(first, 0, 2), all.slice(0, 2));
    const kept = await encodeCheckpoint(first.parts);
    const second = make();
    await decodeCheckpoint(kept, second.parts);
    assert.equal(await rows(second, 2, 4), all.slice(2));
    const lab: Lab = { system: whole.system, set, seed: 1 };
    for (const show of Object.values(rowOf(name).shows ?? {})) {
      if (!('draw' in show)) continue;
      const { samples, layout } = await show.draw(lab, 2);
      assert.equal(samples.shape.slice(1), set.shape);
      assert.ok(samples.data.every(Number.isFinite) && layout.columns! > 0);
    }
    for (const [measure, { suits, compute, controls = {} }] of Object.entries(rowOf(name).measures ?? {})) {
      if (suits && !suits(set)) continue; // of samples that a classifier must know
      for (const one of [compute, ...Object.values(controls).map((control) => control.compute)]) {
        assert.ok(Number.isFinite(await one(lab)), measure);
      }
    }
    const drawn = await whole.system.draw?.(70, defaultRng());
    if (drawn) assert.equal(drawn.samples.shape, [70, ...set.shape]);
    for (const { system } of [whole, first, second]) disposeSystem(system);
  });
}

test('settings that cannot work together are refused before anything is made or written', () => {
  const message = (run: () => unknown): string => {
    try {
      run();
    } catch (error) {
      return (error as Error).message;
    }
    return 'no error';
  };
  const given = (name: SystemName, options: Readonly<Record<string, unknown>>) => configure(name, 'images', options);
  assert.is(
    message(() => checkConfig('train', given('cyclegan', { batch: 8, pool: 4 }))),
    'train: a batch of 8 does not fit into a pool of 4',
  );
  assert.is(
    message(() => createSystem(given('linear-autoencoder', { code: 17 }), { shape: [4, 4, 1], classes: [] })),
    'linear-autoencoder: code 17 is longer than a sample of 16 numbers',
  );
});

test('a setting that came later is, for an older run, what it was before there was it; one that was always there is missed', () => {
  const [later, always] = [{ ...count(4, 'later'), before: 1 }, count(3, 'always')];
  assert.equal(withEarlier({ later, always }, { always: 2 }), { later: 1, always: 2 });
  assert.equal(withEarlier({ later, always }, { later: 7 }), { later: 7 });
});

test('all that a system holds is freed', async () => {
  await init({ adapter });
  for (const name of systemNames) {
    const { set, given } = small[name];
    const before = memory().tensors;
    disposeSystem(createSystem(configure(name, set.kind, given), { shape: set.shape, classes: set.classes ?? [] }));
    assert.is(memory().tensors, before, name);
  }
  await init({ adapter: 'reference' });
});

test.run();
