/** A trial of the page: steps, half steps, states, changes, and the program that does the same in Node. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { init } from '../../engine/index.ts';
import { gaussianMixture } from '../../gan/index.ts';
import { dataTitles, namesIn, objectives } from '../../playground/setup/choices.ts';
import { usualSetup } from '../../playground/setup/entries.ts';
import { programOf } from '../../playground/setup/program.ts';
import type { Setup } from '../../playground/setup/setup.ts';
import { idealOn, kernelDensity } from '../../playground/trial/ideal.ts';
import { Looker } from '../../playground/trial/look.ts';
import { Trial, type Values } from '../../playground/trial/trial.ts';
import { History } from '../../playground/worker/history.ts';
import type { Report } from '../../playground/worker/messages.ts';
import { Trainer } from '../../playground/worker/trainer.ts';

const test = suite('playground');
test.before(async () => void (await init({ adapter: 'reference' })));

const small: Setup = { ...usualSetup, width: 8, depth: 2, criticWidth: 8, criticDepth: 2, batch: 16 };
const everything = { field: true, lines: true, arrows: true, plan: true, ideal: true, folds: true };

async function steps(trial: Trial, n: number): Promise<Values[]> {
  const rows: Values[] = [];
  for (let i = 0; i < n; i++) rows.push(await trial.next());
  return rows;
}

test('half steps, one after the other, are a whole step', async () => {
  for (const objective of ['wasserstein', 'relativistic'] as const) {
    const [whole, halves] = [new Trial({ ...small, objective }), new Trial({ ...small, objective })];
    for (let i = 0; i < 3; i++) {
      const both = await whole.next();
      let critic: Values = {};
      for (let k = 0; k < small.criticSteps; k++) critic = await halves.next('critic');
      assert.equal({ ...critic, ...(await halves.next('generator')) }, both, objective);
    }
  }
});

test('the same setup gives the same numbers, another seed others', async () => {
  const a = await steps(new Trial(small), 5);
  assert.equal(await steps(new Trial(small), 5), a);
  assert.not.equal(await steps(new Trial({ ...small, seed: 1 }), 5), a);
});

test('from a state that was kept it goes on as it did', async () => {
  const trial = new Trial(small);
  await steps(trial, 3);
  const state = await trial.snapshot();
  const on = await steps(trial, 4);
  await trial.restore(state);
  assert.is(trial.step, 3);
  assert.equal(await steps(trial, 4), on);
});

test('every objective and every set of points trains to finite numbers, and all of it is drawn', async () => {
  for (const objective of namesIn(objectives)) {
    const trial = new Trial({ ...small, objective });
    const [, row] = await steps(trial, 2);
    assert.ok(Object.values(row!).every(Number.isFinite), objective);
    const look = await new Looker(trial).look(everything);
    assert.ok(look.arrows!.every(Number.isFinite) && look.arrows!.some((v) => v !== 0), objective);
    trial.dispose();
  }
  for (const data of namesIn(dataTitles)) {
    const trial = new Trial({ ...small, data, modes: 3 });
    await steps(trial, 1);
    const { real, fake, field, plan, lines, folds, frame, coverage } = await new Looker(trial).look(everything);
    for (const list of [real, fake, field!.values, field!.gradients, plan!.ends, lines!.at, folds!]) {
      assert.ok(list.length > 0 && list.every(Number.isFinite), data);
    }
    assert.ok(
      real.every((v, i) => Math.abs(v - frame.middle[i % 2]!) <= frame.reach),
      data,
    );
    assert.is(coverage?.modes, { ring: 3, grid: 9, two: 2, one: 1 }[data as string], data);
    trial.dispose();
  }
});

test('the best discriminator: 1 on the data, 0 on samples elsewhere, 1/2 far away; kernels hold one unit of mass', () => {
  const data = gaussianMixture({ centres: [[1, 0]], sigma: 0.1 });
  const [real, fake] = [data.sample(512, 0), gaussianMixture({ centres: [[-1, 0]], sigma: 0.1 }).sample(512, 1)];
  const places = Float32Array.from([1, 0, -1, 0, 40, 40]);
  for (const known of [data, { ...data, logDensity: undefined as never }]) {
    const [there, elsewhere, far] = idealOn(places, known, real, fake);
    assert.ok(there! > 0.98 && elsewhere! < 0.02 && far === 0.5);
  }
  const side = 200;
  const grid = Float32Array.from({ length: 2 * side * side }, (_, i) => {
    const k = i % 2 === 0 ? (i >> 1) % side : Math.floor((i >> 1) / side);
    return -4 + (8 * (k + 0.5)) / side;
  });
  const mass = kernelDensity(grid, real, 0.3).reduce((a, b) => a + b) * (8 / side) ** 2;
  assert.ok(Math.abs(mass - 1) < 1e-6, `${mass}`);
});

test('what is drawn of an untrained critic is its values and slopes', async () => {
  const trial = new Trial(small);
  const { field, lines, frame } = await new Looker(trial).look(everything);
  const { side, values, gradients } = field!;
  // The field's gradients against differences of its values, in the middle of the frame.
  const h = (2 * frame.reach) / (side - 1);
  let worst = 0;
  for (let i = 5; i < side - 5; i++) {
    const p = 20 * side + i;
    worst = Math.max(worst, Math.abs((values[p + 1]! - values[p - 1]!) / (2 * h) - gradients[2 * p]!));
  }
  const slopes = Array.from({ length: side * side }, (_, p) => Math.hypot(gradients[2 * p]!, gradients[2 * p + 1]!));
  assert.ok(worst < 0.5 * Math.max(...slopes), 'the gradient is that of the values, but for kinks');
  assert.ok(lines!.slopes.every((s) => s >= 0 && s <= 1.01 * Math.max(...slopes, ...lines!.slopes)));
  for (let i = 0; i < lines!.slopes.length; i++) {
    const [ax, ay, bx, by] = lines!.ends.subarray(4 * i, 4 * i + 4);
    const cross = (bx! - ax!) * (lines!.at[2 * i + 1]! - ay!) - (by! - ay!) * (lines!.at[2 * i]! - ax!);
    assert.ok(Math.abs(cross) < 1e-5, 'places lie on their lines');
  }
});

test('what is done aside leaves no trace, also between the halves of a step that compares with real samples', async () => {
  const [plain, disturbed] = [0, 1].map(() => new Trial({ ...small, objective: 'relativistic' })) as [Trial, Trial];
  for (const trial of [plain, disturbed]) await trial.next('critic');
  await disturbed.aside(async () => void (await disturbed.next()));
  disturbed.step = plain.step;
  for (const half of ['generator', 'both'] as const)
    assert.equal(await disturbed.next(half), await plain.next(half), half);
});

test('rates, objective and regularisers change under way; the rest needs a new trial', async () => {
  const trial = new Trial(small);
  await steps(trial, 2);
  const { networks } = trial.gan;
  await trial.change({ ...small, objective: 'hinge', regularizers: ['r1=0.5'], criticRate: 1e-3, criticSteps: 3 });
  assert.is(trial.gan.networks, networks);
  assert.is(trial.gan.objective.name, 'hinge');
  assert.is((trial.gan.criticOptimizer.groups[0] as { lr: number }).lr, 1e-3);
  const [row] = await steps(trial, 1);
  assert.ok('totalVariation' in row! && row.penalty! >= 0);
  let refused = '';
  await trial.change({ ...small, width: 9 }).catch((error: Error) => (refused = error.message));
  assert.match(refused, 'needs a new trial');
});

test('a change that changes nothing leaves the numbers as they are', async () => {
  const [plain, changed] = [new Trial(small), new Trial(small)];
  await steps(plain, 2);
  await steps(changed, 2);
  await changed.change({ ...small, objective: 'hinge' });
  await changed.change(small);
  assert.equal(await steps(changed, 3), await steps(plain, 3));
});

test('states that are kept are even, and few', () => {
  const history = new History();
  for (let step = 0; step <= 3000; step++) if (history.keeps(step)) history.keep({ step, bytes: new Uint8Array(0) });
  assert.ok(history.steps.length <= 200 && history.steps.length > 90);
  assert.is(history.steps[0], 0);
  const gaps = new Set(history.steps.slice(1).map((s, i) => s - history.steps[i]!));
  assert.is(gaps.size, 1);
  assert.is(history.back(1001)!.step <= 1001, true);
  assert.ok(history.steps.every((s) => s <= 1001));
});

test('the program of a setup prints the numbers of the page', async () => {
  const folder = mkdtempSync(
    fileURLToPath(new URL('../../runs-', import.meta.url)).replace('runs-', 'node_modules/.wgrad-'),
  );
  try {
    const others: Partial<Setup>[] = [
      {},
      { data: 'grid', modes: 3 },
      { data: 'drawn' },
      { data: 'moons', optimizer: 'rmsprop', regularizers: [], objective: 'non-saturating' },
    ];
    for (const setup of others.map((other): Setup => ({ ...small, ...other }))) {
      const file = join(folder, 'program.mjs');
      const root = (name: string): string => JSON.stringify(new URL(`../../${name}/index.ts`, import.meta.url).href);
      const source = programOf(setup, 4)
        .replace("'wgrad/gan'", root('gan'))
        .replace("'wgrad/nn'", root('nn'))
        .replace("'wgrad'", root('engine'));
      writeFileSync(file, source);
      const printed = execFileSync(process.execPath, ['--import=tsx', file], {
        encoding: 'utf8',
        env: { ...process.env, WGRAD_ADAPTER: 'reference' },
      }).split('\n');
      const rows = await steps(new Trial(setup), 4);
      for (let i = 0; i < 3; i++) {
        const { step, ...row } = JSON.parse(printed[i]!);
        assert.is(step, i + 2);
        assert.equal(row, { ...rows[i + 1] });
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the trainer trains, hears a stop within a step, and goes back', async () => {
  const heard: Report[] = [];
  let wake = (): void => {};
  const trainer = new Trainer((report) => {
    heard.push(report);
    if (report.kind === 'look') void trainer.handle({ kind: 'drawn' });
    wake();
  });
  const until = async (found: () => boolean): Promise<void> => {
    while (!found()) await new Promise<void>((resolve) => (wake = resolve));
  };
  await trainer.handle({ kind: 'open', device: 'reference' });
  await trainer.handle({ kind: 'begin', setup: small });
  await trainer.handle({ kind: 'run', half: 'both', until: undefined, pause: 0 });
  const rows = () => heard.flatMap((r) => (r.kind === 'rows' ? r.rows : []));
  await until(() => rows().length > 5);
  await trainer.handle({ kind: 'stop' });
  await until(() => heard.some((r) => r.kind === 'stopped'));
  const stopped = heard.find((r) => r.kind === 'stopped') as Extract<Report, { kind: 'stopped' }>;
  assert.is(rows().at(-1)!.step, stopped.step);
  assert.equal(
    rows().map(({ step }) => step),
    Array.from({ length: stopped.step }, (_, i) => i + 1),
  );
  const before = rows();
  await trainer.handle({ kind: 'back', step: 2 });
  await trainer.handle({ kind: 'run', half: 'both', until: 5, pause: 0 });
  await until(() => heard.filter((r) => r.kind === 'stopped').length === 2);
  assert.equal(rows().slice(before.length), before.slice(2, 5), 'the same numbers again');
  await trainer.handle({ kind: 'change', setup: { ...small, width: 3 } });
  assert.match((heard.at(-1) as Extract<Report, { kind: 'failed' }>).message, 'needs a new trial');
});

test('what the page was not ready for is drawn once it is: the last step is always seen', async () => {
  const looks: number[] = [];
  const trainer = new Trainer((report) => {
    if (report.kind === 'look') looks.push(report.look.step);
  });
  await trainer.handle({ kind: 'open', device: 'reference' });
  await trainer.handle({ kind: 'begin', setup: small });
  for (let i = 0; i < 3; i++) await trainer.handle({ kind: 'step', half: 'both' });
  assert.equal(looks, [0], 'the first has not been drawn yet');
  await trainer.handle({ kind: 'drawn' });
  assert.equal(looks, [0, 3]);
  await trainer.handle({ kind: 'drawn' });
  assert.equal(looks, [0, 3], 'nothing new');
});

test.run();
