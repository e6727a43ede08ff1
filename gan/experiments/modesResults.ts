import type { Claim, Table } from './experiment.ts';
import { publishedModes } from './modesPublished.ts';
import { type MethodName, type MixtureName, type ModesResult, methods, mixtures } from './modesRun.ts';
import { type MeanSpread, meanSpread, plusMinus } from './tables.ts';

/** Runs of every method on every mixture, one for each seed. */
export type ModesResults = Readonly<Record<MixtureName, Readonly<Record<MethodName, readonly ModesResult[]>>>>;

/** The mixtures, in the order of the tables. */
export const mixtureNames = Object.keys(mixtures) as readonly MixtureName[];
/** The methods, in the order of the tables. */
export const methodNames = Object.keys(methods) as readonly MethodName[];

/** Mean and spread over the seeds of what the runs found in the end. */
export function finals(runs: readonly ModesResult[]): Record<'covered' | 'highQuality' | 'reverseKl', MeanSpread> {
  const last = runs.map(({ rows }) => rows.at(-1)!);
  return {
    covered: meanSpread(last.map((r) => r.covered)),
    highQuality: meanSpread(last.map((r) => r.highQuality)),
    reverseKl: meanSpread(last.map((r) => r.reverseKl)),
  };
}

/** What must hold. */
export function claimsOf(results: ModesResults): Claim[] {
  const claim = (mixture: MixtureName, least: number, of: number): Claim => {
    const { mean, values } = finals(results[mixture]['wgan-gp']).covered;
    const seeds = `mean of ${values.length} seed${values.length > 1 ? 's' : ''}`;
    return {
      text: `WGAN-GP covers at least ${least} of the ${of} modes of the ${mixture} (${seeds})`,
      value: mean,
      holds: mean >= least,
    };
  };
  return [claim('ring', 7.8, 8), claim('grid', 24, 25)];
}

/** Ours above the published ones. */
export function tableOf(results: ModesResults): Table {
  const ours = methodNames.map((name) => {
    const cells = mixtureNames.flatMap((mixture) => {
      const { covered, highQuality, reverseKl } = finals(results[mixture][name]);
      return [plusMinus(covered, 1), plusMinus(highQuality, 1, 100), plusMinus(reverseKl, 2)];
    });
    return [methods[name].title, 'here', ...cells];
  });
  const theirs = publishedModes.map(({ method, source, ring, grid }) => [
    ...[method, source],
    ...[ring, grid].flatMap((c) => [`${c.covered}`, `${c.highQuality}`, c.reverseKl === null ? '' : `${c.reverseKl}`]),
  ]);
  return {
    title: 'Modes covered, share of high-quality samples and reverse KL; here mean ± standard deviation over the seeds',
    columns: [
      ...['method', 'source'],
      ...['ring: modes of 8', 'high quality %', 'reverse KL', 'grid: modes of 25', 'high quality %', 'reverse KL'],
    ],
    rows: [...ours, ...theirs],
  };
}

/** Without the points, which only the picture needs. */
export function summaryOf(results: ModesResults) {
  return Object.fromEntries(
    mixtureNames.map((mixture) => [
      mixture,
      Object.fromEntries(
        methodNames.map((method) => {
          const runs = results[mixture][method];
          return [method, { ...finals(runs), rows: runs.map(({ rows }) => rows) }];
        }),
      ),
    ]),
  );
}
