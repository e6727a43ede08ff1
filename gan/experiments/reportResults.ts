import type { SampleSet } from '../data/sampleSet.ts';
import type { Claim, Table } from './experiment.ts';
import {
  type ConstraintName,
  constraints,
  epochMeasure,
  imagesOf,
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

/** For each subject, that the penalty ends nearer to the held-out images. */
export function claimsOf(subjects: readonly Subject[], results: readonly SubjectResults[]): Claim[] {
  return subjects.map(({ title }, i) => {
    const [clipped, penalised] = constraintNames.map((name) => results[i]![name].epochs.at(-1)!.slicedWasserstein);
    const value = clipped! / penalised!;
    return {
      text: `${title}: sliced Wasserstein distance to held-out images after the last epoch, clipping over penalty, at least 1`,
      ...{ value, holds: value >= 1 },
    };
  });
}

/** The figures at each kept epoch, above those of as many training images. */
export async function tableOf(
  subjects: readonly Subject[],
  results: readonly SubjectResults[],
  settings: ReportSettings,
): Promise<Table> {
  const judged = subjects.some(({ judge }) => judge);
  const cells = ({
    slicedWasserstein,
    diversity,
    recognised,
  }: Awaited<ReturnType<ReturnType<typeof epochMeasure>>>) => [
    slicedWasserstein.toFixed(4),
    diversity.toFixed(2),
    ...(judged ? [recognised === undefined ? '' : (100 * recognised).toFixed(1)] : []),
  ];
  const rows: string[][] = [];
  for (const [i, { title, set, judge }] of subjects.entries()) {
    for (const name of constraintNames) {
      for (const figures of results[i]![name].epochs) {
        rows.push([title, constraints[name].title, `${figures.epoch}`, ...cells(figures)]);
      }
    }
    const real = imagesOf(set.train, set.shape, settings.samples);
    rows.push([title, 'training images', '', ...cells(await epochMeasure(set, settings.samples, judge)(real))]);
  }
  return {
    title: `${settings.samples} samples against the held-out images of the class`,
    columns: [
      ...['class', 'critic', 'epoch', 'sliced Wasserstein', 'diversity (real = 1)'],
      ...(judged ? ['taken for an eight %'] : []),
    ],
    rows,
  };
}

/** The figures of the JSON: losses as means of each epoch. */
export function summaryOf(
  subjects: readonly Subject[],
  results: readonly SubjectResults[],
  { images, batch }: ReportSettings,
) {
  return Object.fromEntries(
    subjects.map(({ name, set }, i) => {
      const perEpoch = Math.floor(Math.min(images, set.train.count) / batch);
      const runs = constraintNames.map((constraint) => {
        const { rows, epochs } = results[i]![constraint];
        const losses = Array.from({ length: rows.length / perEpoch }, (_, k) => {
          const part = rows.slice(k * perEpoch, (k + 1) * perEpoch);
          const mean = (key: string) => part.reduce((s, row) => s + row[key]!, 0) / perEpoch;
          return {
            ...{ epoch: k + 1, criticLoss: mean('criticLoss'), generatorLoss: mean('generatorLoss') },
            wasserstein: mean('wasserstein'),
          };
        });
        return [constraint, { epochs, losses }];
      });
      return [name, Object.fromEntries(runs)];
    }),
  );
}
