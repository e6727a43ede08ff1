import type { Claim } from './experiment.ts';
import { picture, table } from './markdown.ts';
import type { PublishedModes } from './modesPublished.ts';
import {
  type MethodName,
  type MixtureName,
  type ModesResult,
  type ModesRow,
  type ModesSettings,
  methods,
  mixtures,
} from './modesRun.ts';
import { type MeanSpread, meanSpread, plusMinus, recordOf } from './tables.ts';

/** Runs of every method on every mixture, one for each seed. */
export type ModesResults = Readonly<Record<MixtureName, Readonly<Record<MethodName, readonly ModesResult[]>>>>;

/** The mixtures, in the order of the tables. */
export const mixtureNames = Object.keys(mixtures) as readonly MixtureName[];
/** The methods, in the order of the tables. */
export const methodNames = Object.keys(methods) as readonly MethodName[];

/** The last rows of several seeds. */
export type Finals = Readonly<Record<'covered' | 'highQuality' | 'reverseKl', MeanSpread>>;

/** Mean and spread over the seeds of what the runs found in the end. */
export function finals(runs: readonly ModesResult[]): Finals {
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

/** What the JSON holds of the runs of a method: mean and spread of the last row, and all rows of each seed. */
export interface MethodFigures extends Finals {
  readonly rows: readonly (readonly ModesRow[])[];
}

/** What the JSON holds. */
export interface ModesFigures {
  readonly settings: Readonly<Record<MixtureName, ModesSettings>>;
  readonly networks: string;
  readonly methods: Readonly<Record<string, string>>;
  readonly seeds: readonly number[];
  readonly results: Readonly<Record<MixtureName, Readonly<Record<MethodName, MethodFigures>>>>;
  readonly published: readonly PublishedModes[];
}

/** Without the points, which only the picture needs. */
export function summaryOf(results: ModesResults): ModesFigures['results'] {
  return recordOf(mixtureNames, (mixture) =>
    recordOf(methodNames, (method) => {
      const runs = results[mixture][method];
      return { ...finals(runs), rows: runs.map(({ rows }) => rows) };
    }),
  );
}

/** Its section of the page: ours above the published figures. */
export function modesPage({ settings, networks, methods: ways, seeds, results, published }: ModesFigures): string {
  const ours = methodNames.map((name) => {
    const cells = mixtureNames.flatMap((mixture) => {
      const { covered, highQuality, reverseKl } = results[mixture][name];
      return [plusMinus(covered, 1), plusMinus(highQuality, 1, 100), plusMinus(reverseKl, 2)];
    });
    return [methods[name].title, 'here', ...cells];
  });
  const theirs = published.map(({ method, source, ring, grid }) => [
    ...[method, source],
    ...[ring, grid].flatMap((c) => [`${c.covered}`, `${c.highQuality}`, c.reverseKl === null ? '' : `${c.reverseKl}`]),
  ]);
  const head = ['modes', 'high quality %', 'reverse KL'];
  const { width, batch, latent, emaDecay, samples } = settings.ring;
  return [
    picture('modes', 'plot.svg', 'Modes covered and high-quality share of four ways of training, on ring and grid'),
    '',
    picture('modes', 'samples.png', 'Generated points over real ones, for each way of training'),
    '',
    `Networks: ${networks}, of ${width} units; codes of length ${latent}, batches of ${batch}, ${mixtureNames.map((m) => `${settings[m].steps} generator steps on the ${m}`).join(' and ')}, learning rates that fall in a straight line, samples from averaged weights (decay ${emaDecay}). ${methodNames.map((name) => `${methods[name].title}: ${ways[name]}`).join('; ')}.`,
    '',
    `VEEGAN's protocol: ${samples} samples, of high quality within 3 σ of a mode, which is covered if one such sample is near it. Ours: mean ± standard deviation over ${seeds.length} seeds.`,
    '',
    table(
      ['method', 'source', ...head.map((h) => `ring: ${h}`), ...head.map((h) => `grid: ${h}`)],
      [...ours, ...theirs],
    ),
    '',
    'What to point at:',
    '- Covering and quality are two things: a generator that puts every sample on one mode has perfect quality, one that sprays the plane covers everything. Read both columns, and the reverse KL, which is 0 where all modes get their share.',
    '- The generator is a continuous map of one Gaussian, so that it must draw threads between the modes. With a smooth critic they are thin but there; look for them in the samples.',
    '- Minimax and non-saturating GANs spread most over the seeds: whether modes are lost is a matter of luck, and a table without a spread says little.',
    '- The two published GAN baselines are 1 and 6.3 modes of 8 for the same mixture: network, steps and optimizer decide as much as the objective. Compare within a table rather than between tables.',
  ].join('\n');
}
