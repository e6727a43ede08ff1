import type { SampleSet } from '../../gan/data/sampleSet.ts';
import { metricSamples } from '../../gan/metrics/samples.ts';
import { atLeast, over } from '../claims.ts';
import type { Claim } from '../experiment.ts';
import { picture, section, table } from '../markdown.ts';
import {
  type ConstraintName,
  constraints,
  type EpochFindings,
  epochMeasure,
  type Judge,
  type ReportResult,
  type ReportSettings,
} from './reportRun.ts';

/** One class of images, trained on by itself. */
export interface Subject {
  /** As parts are named. */
  readonly name: string;
  readonly title: string;
  readonly set: SampleSet;
  readonly judge?: Judge;
}

/** The runs of a subject. */
export type SubjectResults = Readonly<Record<ConstraintName, ReportResult>>;

/** The constraints, in the order of the tables. */
export const constraintNames = Object.keys(constraints) as readonly ConstraintName[];

/** What the JSON holds of a run: the findings at the kept epochs, and losses as means of each epoch. */
export interface RunFindings {
  readonly epochs: readonly EpochFindings[];
  readonly losses: readonly {
    readonly epoch: number;
    readonly criticLoss: number;
    readonly generatorLoss: number;
    readonly wasserstein: number;
  }[];
}

/** What the JSON holds of a subject. */
export interface SubjectFindings {
  readonly name: string;
  readonly title: string;
  /** What as many training images score. */
  readonly real: Omit<EpochFindings, 'epoch'>;
  readonly runs: Readonly<Record<ConstraintName, RunFindings>>;
}

/** What the JSON holds. */
export interface ReportFindings {
  readonly settings: ReportSettings;
  /** Where the data came from. */
  readonly source: string;
  readonly networks: string;
  readonly epoch: string;
  readonly constraints: Readonly<Record<string, string>>;
  readonly subjects: readonly SubjectFindings[];
}

/** How many times as far the clipped critic's generator must end from the held-out images: less could be luck of one seed. */
const RATIO = 1.5;

/** For each subject, that the penalty ends nearer to the held-out images. */
export const distanceClaims = (findings: ReportFindings): Claim[] =>
  lastEpochClaims(findings, 'sliced Wasserstein distance to held-out images', (at) => at.slicedWasserstein);

/** The same by the Fréchet distance. @throws Error for findings without it */
export const frechetClaims = (findings: ReportFindings): Claim[] =>
  lastEpochClaims(findings, "Fréchet distance on the digit classifier's features", ({ fid }) => {
    if (fid === undefined) throw new Error('the findings have no Fréchet distance to claim anything of');
    return fid;
  });

function lastEpochClaims(
  { constraints: ways, subjects }: ReportFindings,
  what: string,
  value: (at: EpochFindings) => number,
): Claim[] {
  const claims = subjects.map(({ title, runs }) => {
    const [clipped, penalised] = constraintNames.map((name) => value(runs[name].epochs.at(-1)!)) as [number, number];
    return atLeast(
      `${title}: ${what} after the last epoch, clipping (${ways.clipping}) over penalty (${ways.penalty}), at least ${RATIO}`,
      clipped / penalised,
      RATIO,
    );
  });
  return over(1, claims);
}

/** The findings of a subject. */
export async function findingsOf(
  { name, title, set, judge }: Subject,
  results: SubjectResults,
  { images, batch, samples }: ReportSettings,
): Promise<SubjectFindings> {
  const perEpoch = Math.floor(Math.min(images, set.train.count) / batch);
  const run = ({ rows, epochs }: ReportResult): RunFindings => {
    const losses = Array.from({ length: rows.length / perEpoch }, (_, k) => {
      const part = rows.slice(k * perEpoch, (k + 1) * perEpoch);
      const mean = (key: string) => part.reduce((s, row) => s + row[key]!, 0) / perEpoch;
      return {
        epoch: k + 1,
        criticLoss: mean('criticLoss'),
        generatorLoss: mean('generatorLoss'),
        wasserstein: mean('wasserstein'),
      };
    });
    return { epochs, losses };
  };
  return {
    name,
    title,
    real: await epochMeasure(set, samples, judge)(metricSamples(set.train, set.shape, samples)),
    runs: { clipping: run(results.clipping), penalty: run(results.penalty) },
  };
}

/** A section of the page: the findings at each kept epoch, above those of as many training images. */
export function reportPage(experiment: string, findings: ReportFindings, hints: readonly string[]): string {
  const { settings, source, networks, epoch, constraints: ways, subjects } = findings;
  const judged = subjects.some(({ real }) => real.fid !== undefined);
  const cells = ({ slicedWasserstein, diversity, fid }: Omit<EpochFindings, 'epoch'>) => [
    slicedWasserstein.toFixed(4),
    diversity.toFixed(2),
    ...(judged ? [fid === undefined ? '' : fid.toFixed(1)] : []),
  ];
  const rows = subjects.flatMap(({ title, real, runs }) => [
    ...constraintNames.flatMap((name) =>
      runs[name].epochs.map((at) => [title, constraints[name].title, `${at.epoch}`, ...cells(at)]),
    ),
    [title, 'training images', '', ...cells(real)],
  ]);
  const { images, batch, criticSteps, samples, epochs, seed } = settings;
  const last = epochs.length > 1 ? `${epochs.slice(0, -1).join(', ')} and ${epochs.at(-1)}` : `${epochs[0]}`;
  const blocks = [
    ...subjects.map(({ name, title }) =>
      picture(experiment, `${name}.png`, `${title}: samples after epochs ${last}, clipping above, penalty below`),
    ),
    picture(experiment, 'losses.svg', 'Losses of critic and generator'),
    `Reduced size: ${images} images of each class (${source}), batches of ${batch}, ${criticSteps} critic steps; ${networks}. An epoch is ${epoch}. ${constraintNames.map((name) => `${constraints[name].title}: ${ways[name]}`).join('; ')}; rates fall to ${settings.rateDecay} of their start; seed ${seed}. Constraint, optimizer and learning rate differ, each as fits the constraint (momentum makes clipped critics unstable: Arjovsky et al. 2017, section 4): the numbers compare two ways of training rather than the constraints alone, for one seed.`,
    `${samples} samples against the held-out images of the class. Diversity is the mean distance between two samples over that between two held-out images. The report gives pictures and no numbers.`,
    table(
      [
        ...['class', 'critic', 'epoch', 'sliced Wasserstein', 'diversity'],
        ...(judged ? ['FID on classifier features'] : []),
      ],
      rows,
    ),
  ];
  return section(blocks, hints);
}
