/** Experiments on systems of the table: what a study trains, keeps and says, at a tiny size on the reference device. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { setDevice } from '../../engine/device.ts';
import { reference } from '../../engine/index.ts';
import type { Session } from '../../experiments/experiment.ts';
import { cganClaims, cganPage } from '../../experiments/systems/cganPage.node.ts';
import { cycleganClaims, cycleganPage } from '../../experiments/systems/cycleganPage.node.ts';
import { experimentOf } from '../../experiments/systems/experimentOf.node.ts';
import {
  linearAutoencoderClaims,
  linearAutoencoderPage,
} from '../../experiments/systems/linearAutoencoderPage.node.ts';
import type { StudyFindings } from '../../experiments/systems/study.ts';
import { atEnd, control, untrained } from '../../experiments/systems/studyPage.node.ts';
import { systemRun } from '../../experiments/systems/systemRun.node.ts';
import type { SampleSet } from '../../gan/index.ts';
import { cgan } from '../../gan/systems/cgan.ts';
import { linearAutoencoder as row } from '../../gan/systems/linearAutoencoder.ts';

const test = suite('experiments on systems');
setDevice(reference);

/** Pictures that lie in a plane of their sixteen pixels, but for noise. */
const plane = (count: number, from: number): SampleSet['train'] => ({
  count,
  data: Uint8Array.from({ length: count * 16 }, (_, i) => {
    const [n, pixel] = [Math.floor(i / 16) + from, i % 16];
    const [a, b] = [Math.sin(n * 1.7) * 60, Math.cos(n * 2.9) * 40];
    return 127 + a * Math.sin(pixel) + b * Math.cos(2 * pixel) + 20 * Math.sin(n * pixel * 7.3 + n);
  }),
});
const set: SampleSet = {
  ...{ name: 'plane', title: 'A plane', kind: 'images', shape: [4, 4, 1] },
  train: plane(64, 0),
  test: plane(32, 64),
};
const given = { code: 2, steps: 300, batch: 32, rate: 0.03 };

test('a study trains each way with each seed as a part, measures on the way and draws', async () => {
  const keys: string[] = [];
  const session: Session = {
    quick: false,
    say: () => {},
    async part(key, settings, work) {
      keys.push(key);
      assert.is((settings as { steps: number }).steps, 300, 'all settings decide a part');
      return JSON.parse(JSON.stringify(await work()));
    },
  };
  const study = experimentOf({
    ...{ name: 'plane', title: 'A plane', about: 'It is found.', code: import.meta.url, row, looks: 3, brief: {} },
    open: async () => set,
    ways: {
      linear: { title: 'linear', given },
      relu: { title: 'relu', given: { ...given, encoder: 'relu' as const } },
    },
    seeds: [1, 2],
    claims: linearAutoencoderClaims,
    page: linearAutoencoderPage,
  });
  const { findings, pictures } = await study.run(session);
  assert.equal(keys, ['linear/seed-1', 'relu/seed-1', 'linear/seed-2', 'relu/seed-2']);
  assert.equal(findings.ways.linear.runs[1]!.steps, [0, 100, 200, 300]);
  assert.ok(atEnd(findings, 'linear', 'angle').mean < 5, `${atEnd(findings, 'linear', 'angle').values}`);
  assert.ok(untrained(findings, 'linear', 'angle').mean > 20);
  assert.ok(Math.abs(atEnd(findings, 'linear', 'error').mean - 1) < 0.05);
  assert.ok(atEnd(findings, 'relu', 'error').mean > 1.1);
  assert.equal(Object.keys(pictures), ['measures.svg', 'linear.png', 'relu.png']);
  assert.match(study.page(findings), /\| untrained \|/);
});

test('a run gives the same bits again, and another seed others', async () => {
  const once = (seed: number) => systemRun('plane', row, set, { ...given, steps: 4, seed }, { looks: 2 });
  const first = await once(1);
  assert.equal(await once(1), first);
  assert.not.equal((await once(2)).measured, first.measured);
  assert.equal(
    first.losses.map(({ step }) => step),
    [2, 4],
  );
});

test('a run needs its data and its steps', async () => {
  const refused = (run: Promise<unknown>) =>
    run.then(
      () => 'nothing',
      (error: Error) => error.message,
    );
  assert.match(await refused(systemRun('plane', row, set, { ...given, steps: null }, { looks: 1 })), /how many steps/);
  assert.match(
    await refused(systemRun('cgan', cgan, set, { batch: 4 }, { looks: 1 })),
    /^cgan learns from .* and plane is none of that/,
  );
});

/** Findings of a study as they would be if each way ended, for every seed, at the given measures. */
const ending = <W extends string>(
  ways: Readonly<Record<W, Readonly<Record<string, number>>>>,
  before: Readonly<Record<string, number>>,
  controls: Readonly<Record<string, Readonly<Record<string, number>>>> = {},
): StudyFindings<W> => ({
  ...{ data: 'Data', settings: { steps: 5 }, measures: {} },
  ways: Object.fromEntries(
    Object.entries<Readonly<Record<string, number>>>(ways).map(([way, end]) => [
      way,
      {
        title: way,
        words: way,
        runs: [1, 2].map((seed) => ({ seed, steps: [0, 5], measured: [before, end], controls })),
      },
    ]),
  ) as unknown as StudyFindings<W>['ways'],
});
const holding = (claims: readonly { readonly holds: boolean }[]) => claims.map(({ holds }) => holds);

test('linear-autoencoder: each claim fails where its value is what it must not be', () => {
  const right = { linear: { angle: 1, error: 1 }, relu: { angle: 40, error: 1.5 } };
  const start = { angle: 89, error: 2 };
  assert.ok(holding(linearAutoencoderClaims(ending(right, start))).every(Boolean));
  const wrong = ending({ linear: { angle: 6, error: 1.2 }, relu: { angle: 1, error: 1 } }, { angle: 3, error: 1 });
  assert.ok(!holding(linearAutoencoderClaims(wrong)).some(Boolean));
});

test('cgan: each claim fails where its value is what it must not be', () => {
  const of = (projection: number, shuffled: number, before: number) =>
    ending(
      { projection: { classSeen: projection }, channel: { classSeen: 0.8 }, shuffled: { classSeen: shuffled } },
      { classSeen: before },
    );
  assert.ok(holding(cganClaims(of(0.96, 0.1, 0.1))).every(Boolean));
  assert.ok(!holding(cganClaims(of(0.9, 0.9, 0.9))).some(Boolean));
  assert.match(cganPage(of(0.96, 0.1, 0.1)), /What to point at/);
});

test('cyclegan: each claim fails where its value is what it must not be', () => {
  const copying = { rightImage: { copy: 0.8 }, distance: { copy: 0.2 }, strokesReached: { copy: 0 } };
  const of = (
    right: number,
    distance: number,
    strokesReached: number,
    neither: readonly [right: number, distance: number],
  ) => {
    const all = (rightImage: number, d: number) => ({ rightImage, distance: d, strokesReached });
    const [others, alone] = [all(0.8, 0.2), all(...neither)];
    const ways = { both: all(right, distance), 'no-cycle': others, 'no-identity': others, neither: alone };
    return ending(ways, all(0, 0.5), copying);
  };
  const right = of(0.9, 0.1, 0.9, [0.1, 0.3]);
  assert.is(control(right, 'both', 'distance', 'copy').mean, 0.2);
  assert.ok(holding(cycleganClaims(right)).every(Boolean));
  assert.ok(!holding(cycleganClaims(of(0.7, 0.3, 0.1, [0.7, 0.2]))).some(Boolean));
  assert.match(cycleganPage(right), /What to point at/);
});

test.run();
