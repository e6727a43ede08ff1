import { largest, smallest } from '../../gan/extremes.ts';
import { atLeast, atMost, over } from '../claims.ts';
import type { Claim } from '../experiment.ts';
import { picture, section, table } from '../markdown.ts';
import { plusMinus, recordOf } from '../tables.ts';
import { DRAWS, type Finals, finalsOf, uniformNoise } from './modesNoise.ts';
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

/** Runs of every method on every mixture, one for each seed. */
export type ModesResults = Readonly<Record<MixtureName, Readonly<Record<MethodName, readonly ModesResult[]>>>>;

/** The mixtures, in the order of the tables. */
export const mixtureNames = Object.keys(mixtures) as readonly MixtureName[];
/** The methods, in the order of the tables. */
export const methodNames = Object.keys(methods) as readonly MethodName[];

/** Mean and spread over the seeds of what the runs found in the end. */
export const finals = (runs: readonly ModesResult[]): Finals => finalsOf(runs.map(({ rows }) => rows.at(-1)!));

/** What the JSON holds of the runs of a method: mean and spread of the last row, and all rows of each seed. */
export interface MethodFindings extends Finals {
  readonly rows: readonly (readonly ModesRow[])[];
}

/** What the JSON holds. */
export interface ModesFindings {
  readonly settings: Readonly<Record<MixtureName, ModesSettings>>;
  readonly networks: string;
  readonly methods: Readonly<Record<string, string>>;
  readonly seeds: readonly number[];
  readonly results: Readonly<Record<MixtureName, Readonly<Record<MethodName, MethodFindings>>>>;
  readonly published: readonly PublishedModes[];
}

/** Without the points, which only the picture needs. */
export function summaryOf(results: ModesResults): ModesFindings['results'] {
  return recordOf(mixtureNames, (mixture) =>
    recordOf(methodNames, (method) => {
      const runs = results[mixture][method];
      return { ...finals(runs), rows: runs.map(({ rows }) => rows) };
    }),
  );
}

/** The GANs that lose modes. */
const gans = ['minimax', 'non-saturating'] as const satisfies readonly MethodName[];

/**
 * What must hold of each mixture: modes covered, how many more than either GAN covers, and how many times the high-quality share of
 * noise, of which the grid has five times that of the ring: its modes fill a fortieth of the box.
 */
const thresholds = {
  ring: { covered: 7.8, more: 0.5, quality: 10 },
  grid: { covered: 24, more: 3, quality: 5 },
} as const;

/**
 * What must hold. Noise covers most modes too ({@link uniformNoise}): coverage shows something only beside what noise covers, beside
 * what the GANs cover, and with the share of the samples that are near a mode.
 */
export function claimsOf({ settings, seeds, results }: ModesFindings): Claim[] {
  const claims = mixtureNames.flatMap((mixture) => {
    const { covered: least, more, quality } = thresholds[mixture];
    const { 'wgan-gp': penalised, ...others } = results[mixture];
    const noise = uniformNoise(mixture, settings[mixture].samples);
    const ahead = smallest(gans.map((name) => penalised.covered.mean - others[name].covered.mean));
    const shares = [penalised, noise].map(({ highQuality }) => highQuality.mean) as [number, number];
    const percent = `${(100 * noise.highQuality.mean).toFixed(2)} %`;
    return [
      atLeast(
        `WGAN-GP covers at least ${least} of the ${modesIn(mixture)} modes of the ${mixture} (mean; uniform noise covers ${noise.covered.mean.toFixed(1)})`,
        penalised.covered.mean,
        least,
      ),
      atLeast(
        `${mixture}: WGAN-GP covers at least ${more} modes more than ${gans.map((name) => methods[name].title).join(' and than ')} (smaller difference; mean)`,
        ahead,
        more,
      ),
      atLeast(
        `${mixture}: high-quality share of WGAN-GP over that of uniform noise, which is ${percent}, at least ${quality} (mean)`,
        shares[0] / shares[1],
        quality,
      ),
    ];
  });
  const { minimax, 'wgan-gp': penalised } = results.grid;
  return over(seeds.length, [
    ...claims,
    atMost(
      `grid: reverse KL of WGAN-GP over that of ${methods.minimax.title}, at most 0.1 (mean)`,
      penalised.reverseKl.mean / minimax.reverseKl.mean,
      0.1,
    ),
  ]);
}

/** How many modes a mixture has. */
export const modesIn = (mixture: MixtureName): number => mixtures[mixture].make().modes.centres.length / 2;

/** Its section of the page: ours above the published numbers. */
export function modesPage({ settings, networks, methods: ways, seeds, results, published }: ModesFindings): string {
  const cells = (of: (mixture: MixtureName) => Finals) =>
    mixtureNames.flatMap((mixture) => {
      const { covered, highQuality, reverseKl } = of(mixture);
      return [plusMinus(covered, 1), plusMinus(highQuality, 1, 100), plusMinus(reverseKl, 3)];
    });
  const noise = recordOf(mixtureNames, (mixture) => uniformNoise(mixture, settings[mixture].samples));
  const ours = [
    ...methodNames.map((name) => [methods[name].title, 'here', ...cells((mixture) => results[mixture][name])]),
    ['uniform noise', 'here', ...cells((mixture) => noise[mixture])],
  ];
  const penalised = (mixture: MixtureName) => results[mixture]['wgan-gp'];
  const off = (mixture: MixtureName) => `${(100 * (1 - penalised(mixture).highQuality.mean)).toFixed(0)} %`;
  /** The least and the greatest of the seeds, for every method. */
  const ends = (mixture: MixtureName) =>
    methodNames
      .map((name) => {
        const { values } = results[mixture][name].covered;
        const [least, most] = [smallest(values), largest(values)];
        return `${methods[name].title} ${least === most ? least : `${least} to ${most}`}`;
      })
      .join(', ');
  const kl = (mixture: MixtureName, name?: MethodName) =>
    (name ? results[mixture][name] : noise[mixture]).reverseKl.mean.toFixed(3);
  const ratio = (mixture: MixtureName) =>
    (penalised(mixture).highQuality.mean / noise[mixture].highQuality.mean).toFixed(1);
  const theirs = published.map(({ method, source, ring, grid }) => [
    ...[method, source],
    ...[ring, grid].flatMap((c) => [`${c.covered}`, `${c.highQuality}`, c.reverseKl === null ? '' : `${c.reverseKl}`]),
  ]);
  const head = ['modes', 'high quality %', 'reverse KL'];
  const { width, batch, latent, emaDecay, samples } = settings.ring;
  return section(
    [
      picture('modes', 'plot.svg', 'Modes covered and high-quality share of four ways of training, on ring and grid'),
      picture('modes', 'samples.png', 'Generated points over real ones, for each way of training'),
      `Networks: ${networks}, of ${width} units; codes of length ${latent}, batches of ${batch}, ${mixtureNames.map((m) => `${settings[m].steps} generator steps on the ${m}`).join(' and ')}, learning rates that fall in a straight line, samples from averaged weights (decay ${emaDecay}). ${methodNames.map((name) => `${methods[name].title}: ${ways[name]}`).join('; ')}.`,
      `VEEGAN's protocol: ${samples} samples, of high quality within 3 σ of a mode, which is covered if one such sample is near it. Ours: mean ± standard deviation over ${seeds.length} seeds. Uniform noise fills the smallest box that holds all modes with 3 σ around each: expected, over ${DRAWS} draws of as many points.`,
      table(
        ['method', 'source', ...head.map((h) => `ring: ${h}`), ...head.map((h) => `grid: ${h}`)],
        [...ours, ...theirs],
      ),
    ],
    [
      `Covering and quality are two things: a generator that puts every sample on one mode has perfect quality, one that sprays the plane covers most modes, as uniform noise does (${noise.ring.covered.mean.toFixed(1)} of ${modesIn('ring')}, ${noise.grid.covered.mean.toFixed(1)} of ${modesIn('grid')}). Read both columns, and the reverse KL, which is 0 where all modes get their share. What tells WGAN-GP from noise is the quality: ${ratio('ring')} and ${ratio('grid')} times that of noise on ring and grid. The reverse KL does not tell all either: it is ${kl('ring', 'minimax')} and ${kl('grid', 'minimax')} of minimax, ${kl('ring')} and ${kl('grid')} of noise.`,
      `The generator is a continuous map of one Gaussian, so that it must draw threads between the modes. How thin, network and steps decide. Here they are not thin: ${off('ring')} of WGAN-GP's samples on the ring and ${off('grid')} on the grid are further than 3 σ from every mode (σ is a hundredth of the ring's radius). Look for them in the picture.`,
      `A table without a spread says little. Modes covered over the seeds: on the ring ${ends('ring')}; on the grid ${ends('grid')}.`,
      'The two published GAN baselines are 1 and 6.3 modes of 8 for the same mixture: network, steps and optimizer decide as much as the objective. Compare within a table rather than between tables.',
    ],
  );
}
