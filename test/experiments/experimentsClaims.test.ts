/**
 * That claims can fail: the findings in docs/experiments, changed to those of networks that learnt nothing, of noise and of luck, do not
 * pass.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { currentDevice, setDevice } from '../../engine/device.ts';
import { Rng, reference, scope } from '../../engine/index.ts';
import { bounds, type ClippingResult, layerGradients } from '../../experiments/clippingVsPenalty/clippingRun.ts';
import { clippingStart } from '../../experiments/clippingVsPenalty/clippingStart.ts';
import { clippingVsPenalty } from '../../experiments/clippingVsPenalty/clippingVsPenalty.node.ts';
import type { Experiment } from '../../experiments/experiment.ts';
import { kantorovich } from '../../experiments/kantorovich/kantorovich.node.ts';
import { modes } from '../../experiments/modes/modes.node.ts';
import { uniformNoise } from '../../experiments/modes/modesNoise.ts';
import { readReport } from '../../experiments/page.node.ts';
import { parallelLines } from '../../experiments/parallelLines/parallelLines.node.ts';
import { frechetClaims } from '../../experiments/report/reportResults.ts';
import { eights } from '../../experiments/report/reportRuns.node.ts';
import { recordOf } from '../../experiments/tables.ts';
import { twoGaussians } from '../../experiments/twoGaussians/twoGaussians.node.ts';
import { vanishing } from '../../experiments/vanishing/vanishing.node.ts';
import { Gan, mlp } from '../../gan/index.ts';

const test = suite('experiments, claims');
const before = currentDevice;
test.before(() => setDevice(reference));

/** The findings of an experiment in docs/experiments, a copy. */
function storedFindings<F>({ name }: Experiment<F>): F {
  const report = readReport('docs', name);
  assert.ok(report, `${name} has not been run`);
  return report.figures as F;
}

/** That of the claims of findings exactly those fail whose text matches one of the patterns, and that each matches one. */
function claimsFail<F>(experiment: Experiment<F>, findings: F, patterns: readonly RegExp[]): void {
  const failed = experiment.claims(findings).filter(({ holds }) => !holds);
  for (const { text } of failed)
    assert.ok(
      patterns.some((p) => p.test(text)),
      `fails: ${text}`,
    );
  for (const p of patterns)
    assert.ok(
      failed.some(({ text }) => p.test(text)),
      `holds, or is not there: ${p}`,
    );
}

test('modes: noise is what chance gives, the same each time', () => {
  // The modes' discs, 3 σ around each, are so large a share of the box; with n points each disc is empty with (1 - p)^n.
  for (const [mixture, modes, half, sigma] of [
    ['ring', 8, Math.SQRT2, 0.01 * Math.SQRT2],
    ['grid', 25, Math.SQRT2, 0.025 * Math.SQRT1_2],
  ] as const) {
    const disc = (Math.PI * (3 * sigma) ** 2) / (2 * (half + 3 * sigma)) ** 2;
    const noise = uniformNoise(mixture, 2500);
    assert.ok(Math.abs(noise.highQuality.mean / (modes * disc) - 1) < 0.05, `${noise.highQuality.mean}`);
    assert.ok(Math.abs(noise.covered.mean - modes * (1 - (1 - disc) ** 2500)) < 0.4, `${noise.covered.mean}`);
    assert.equal(uniformNoise(mixture, 2500), noise);
  }
});

test('modes: noise does not pass for a WGAN-GP', () => {
  const found = storedFindings(modes);
  const as = (mixture: 'ring' | 'grid') => ({
    ...found.results[mixture],
    'wgan-gp': { ...uniformNoise(mixture, 2500), rows: [] },
  });
  claimsFail(modes, { ...found, results: { ring: as('ring'), grid: as('grid') } }, [
    /covers at least 7.8 of the 8/,
    /covers at least 24 of the 25/,
    /ring: WGAN-GP covers at least 0.5 modes more/,
    /ring: high-quality share/,
    /grid: high-quality share/,
    /grid: reverse KL/,
  ]);
  const same = { ...found.results.grid, minimax: found.results.grid['wgan-gp'] };
  claimsFail(modes, { ...found, results: { ...found.results, grid: same } }, [
    /grid: WGAN-GP covers/,
    /grid: reverse KL/,
  ]);
});

test('clipping-vs-penalty: what is expected at the start is what first weights give', async () => {
  const [depth, width, seeds] = [4, 48, 6];
  for (const { regularizer } of Object.values(bounds)) {
    const clip = regularizer();
    let [logs, ends, count] = [0, 0, 0];
    for (let seed = 0; seed < seeds; seed++) {
      const networks = mlp({ shape: [2], depth, width, rng: new Rng(seed) });
      const parameters = networks.critic.parameters();
      const gan = new Gan(networks, new Rng(seed), { regularizers: [clip] });
      clip.project?.(parameters);
      const read = scope(() => layerGradients(gan, new Rng(seed).normal([32, 2]), new Rng(9)).map((g) => g.data()));
      const [first, ...others] = (await Promise.all(read)).map((g) => Math.hypot(...g));
      logs += Math.log(first! / others.at(-1)!) / seeds;
      const weights = (await Promise.all(parameters.filter((p) => p.rank > 1).map((p) => p.data()))).flatMap((w) => [
        ...w,
      ]);
      const most = Math.max(...weights.map(Math.abs));
      ends += weights.filter((w) => Math.abs(w) >= 0.95 * most).length;
      count += weights.length;
      gan.dispose();
      for (const module of [networks.generator, networks.critic]) module.dispose();
    }
    const expected = clippingStart({ depth, width }, clip);
    const off = Math.abs(logs - Math.log(expected.growth));
    assert.ok(off < 0.4, `${clip.title}: e^${logs}, not ${expected.growth}`);
    assert.ok(
      Math.abs(ends / count - expected.atEnds) < 0.01,
      `${clip.title}: ${ends / count}, not ${expected.atEnds}`,
    );
  }
});

test('clipping-vs-penalty: a critic that never learns passes all claims but those of what training does', () => {
  const found = storedFindings(clippingVsPenalty);
  const results = recordOf(Object.keys(bounds) as (keyof typeof bounds)[], (name): ClippingResult => {
    const { growth: first, atEnds } = clippingStart(found.settings, bounds[name].regularizer());
    return { ...found.results[name], atEnds, rows: [1, 2].map((step) => ({ step, norms: [first, 1] })) };
  });
  claimsFail(clippingVsPenalty, { ...found, results }, [/c = 0.1: .* at least 10;/, /c = 0.1: .* at least 1,000/]);
  const evidence = clippingVsPenalty.claims(found).filter(({ text }) => !text.includes('already'));
  assert.is(evidence.length, 2, 'the others say that they hold already at the start');
});

test('eights: what one seed may give by luck does not pass, and no value is claimed that is not there', () => {
  const found = storedFindings(eights);
  const [subject] = found.subjects as [(typeof found.subjects)[number]];
  const last = subject.runs.penalty.epochs.at(-1)!;
  const change = (to: object): typeof found => {
    const clipping = { ...subject.runs.clipping, epochs: [{ ...last, ...to }] };
    return { ...found, subjects: [{ ...subject, runs: { ...subject.runs, clipping } }] };
  };
  claimsFail(eights, change({ slicedWasserstein: 1.4 * last.slicedWasserstein, fid: 1.4 * last.fid! }), [
    /sliced Wasserstein/,
    /Fréchet/,
  ]);
  assert.throws(() => frechetClaims(change({ fid: undefined })), /no Fréchet distance/);
});

test('two-gaussians: neither a coin, nor a generator that is elsewhere, nor a flat or untrained critic passes', () => {
  const found = storedFindings(twoGaussians);
  const { x, discriminator, penalised, equilibria, theory } = found;
  // One seed of several is enough to fail.
  const last = <T>(list: readonly T[], to: (one: T) => T): T[] => [...list.slice(0, -1), to(list.at(-1)!)];
  const withD = (of: (x: number) => number) => ({
    ...found,
    discriminator: { ...discriminator, trained: last(discriminator.trained, () => x.map(of)) },
  });
  const withPair = (to: (pair: (typeof penalised)[number]) => object) => ({
    ...found,
    penalised: last(penalised, (pair) => ({ ...pair, ...to(pair) })),
  });
  claimsFail(
    twoGaussians,
    withD(() => 0.5),
    [/the trained D is/],
  );
  claimsFail(
    twoGaussians,
    withD((at) => (2.5 - at) / 5),
    [/the trained D is/, /D one of at most/],
  );
  const elsewhere = { ...found, equilibria: last(equilibria, (e) => ({ ...e, mean: 0, deviation: 1 })) };
  claimsFail(twoGaussians, elsewhere, [/has a mean within/, /standard deviation within/]);
  claimsFail(
    twoGaussians,
    withPair(({ oneSided }) => ({ oneSided: { ...oneSided, scores: x.map((at) => -Math.min(at, 0.8)) } })),
    [/that critic has a slope/, /a straight line/],
  );
  claimsFail(
    twoGaussians,
    withPair(({ oneSided }) => ({ oneSided: { ...oneSided, estimate: 0.9 * theory.optimum } })),
    [/one-sided penalty: the critic's estimate/],
  );
  // A critic that was never trained has slopes of no particular size, and says what no optimum does.
  claimsFail(
    twoGaussians,
    withPair(({ twoSided }) => ({ twoSided: { ...twoSided, estimate: 0.1 } })),
    [/two-sided penalty: it is within 2 %/],
  );
});

test('parallel-lines: the slope of the Wasserstein loss must have the size and the sign of that of |θ|', () => {
  const found = storedFindings(parallelLines);
  for (const by of [0, 0.5, -1]) {
    const estimated = found.estimated.map((e) => ({ ...e, wassersteinSlope: by * e.wassersteinSlope }));
    claimsFail(parallelLines, { ...found, estimated }, [/the Wasserstein loss changes/]);
  }
});

test('kantorovich: estimates of critics that learnt nothing fail; that no bound is above W1 is so of every function', () => {
  const found = storedFindings(kantorovich);
  for (const r of found.results) assert.ok(r.estimate / r.steepest <= r.exact * 1.0005, JSON.stringify(r)); // four digits
  const change = (to: (r: (typeof found.results)[number]) => object) => ({
    ...found,
    results: found.results.map((r) => ({ ...r, ...to(r) })),
  });
  const little = change(() => ({ estimate: 0.1, steepest: 1 }));
  claimsFail(kantorovich, little, [/within 10 %/, /at least 0.9 of W₁/]);
  const wiggly = change((r) => ({ steepest: 2 * r.steepest }));
  claimsFail(kantorovich, wiggly, [/at least 0.9 of W₁/]);
  const large = change((r) => ({ estimate: 1.2 * r.estimate, steepest: 1.2 * r.steepest }));
  claimsFail(kantorovich, large, [/within 10 %/]);
});

test('vanishing: critics that were never trained fail', () => {
  const found = storedFindings(vanishing);
  const still = found.stages.map(({ stage, critics }) => ({
    stage,
    critics: critics.map((c) => ({
      ...c,
      doubt: c.doubt.map(() => c.doubt[0]!),
      norms: c.norms.map((n) => ({ ...n, mean: n.mean.map(() => n.mean[0]!) })),
    })),
  }));
  const patterns = [/becomes perfect/, /that critic was trained/, /the clipped critic too/];
  claimsFail(vanishing, { ...found, stages: still }, patterns);
  const falls = found.falls.map((f) => ({ ...f, minimax: 1, penalty: 10 }));
  claimsFail(vanishing, { ...found, falls }, [/minimax gradient falls/, /stays within 3 times/]);
});

/** Runs an experiment whose parts are all done: what it finds, and the settings that the parts are keyed by. */
async function redraw<F>(
  experiment: Experiment<F>,
  part: (key: string) => unknown,
): Promise<{ findings: F; settings: ReadonlyMap<string, string> }> {
  const settings = new Map<string, string>();
  const { findings } = await experiment.run({
    quick: false,
    say: () => {},
    async part(key, chosen) {
      settings.set(key, JSON.stringify(chosen));
      return part(key) as never;
    },
  });
  return { findings: JSON.parse(JSON.stringify(findings)), settings };
}

test('findings come from the parts, which are keyed by what decides them', async () => {
  const lines = storedFindings(parallelLines);
  const drawn = await redraw(parallelLines, (key) =>
    lines.estimated.find((e) => key === `theta-${e.theta}/seed-${e.seed}`),
  );
  assert.equal(drawn.findings, lines);
  for (const what of ['"lr":0.001', '"lastRate":0.01', '"lambda":10'])
    assert.match(drawn.settings.get('theta-1/seed-1')!, what);

  const pairs = storedFindings(kantorovich);
  const again = await redraw(kantorovich, (key) =>
    pairs.results.find((r) => key === `${r.method}/${r.pair}/seed-${r.seed}`),
  );
  assert.equal(again.findings, pairs);
  for (const what of ['"lastRate":0.01', '["moons",{"noise":0.05}]', '"sigma":0.3']) {
    assert.match(again.settings.get('spectral norm/two moons and a Gaussian/seed-1')!, what);
  }

  const stages = storedFindings(vanishing);
  const redrawn = await redraw(
    vanishing,
    (key) => stages.stages.find(({ stage }) => key === `stage-${stage}`)!.critics,
  );
  assert.equal(redrawn.findings, stages);
  assert.match(redrawn.settings.get('stage-100')!, '"lr":0.0002');

  const deep = storedFindings(clippingVsPenalty);
  const same = await redraw(clippingVsPenalty, (key) => deep.results[key as keyof typeof deep.results]);
  assert.equal(same.findings, deep);
  for (const what of ['"bound":"weights clipped to ±0.1"', '"betas":[0,0.9]']) {
    assert.match(same.settings.get('clip-0.1')!, what);
  }

  const gaussians = storedFindings(twoGaussians);
  const seeds = gaussians.sizes.seeds;
  const keyed = await redraw(twoGaussians, (key) => {
    const [kind, seed] = key.split('/seed-') as [string, string];
    const at = seeds.indexOf(Number(seed));
    if (kind === 'one-sided') return gaussians.penalised[at]!.oneSided;
    if (kind === 'two-sided') return gaussians.penalised[at]!.twoSided;
    if (kind === 'equilibrium') return gaussians.equilibria[at];
    if (kind.startsWith('shift')) return gaussians.values.find((v) => kind === `shift-${v.shift}`)!.trained[at];
    return gaussians.x.map((x) => -x);
  });
  for (const name of ['penalised', 'values', 'equilibria'] as const) {
    assert.equal(keyed.findings[name], gaussians[name]);
  }
  const penalised = keyed.settings.get('two-sided/seed-1')!;
  for (const what of ['"lr":0.002', '"lastRate":0.01', '"gradient-penalty",10', '"real":{"mean":-1,"sigma":0.4}']) {
    assert.match(penalised, what);
  }
});

test.after(() => setDevice(before()));
test.run();
