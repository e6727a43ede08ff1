import type { MetricName } from './table.ts';

/** What the need for samples follows from. */
export interface Dimensions {
  /** Numbers in a point, or features of an image. */
  readonly features: number;
  /** Classes of the classifier, or of the labels. */
  readonly classes: number;
  /** Modes of the data. */
  readonly modes: number;
}

interface Need {
  /** Samples, and reference samples, below which the figure says more of their number than of the generator. */
  readonly least: (of: Dimensions) => number;
  /** Whether it looks at the samples alone, however many reference samples there are. */
  readonly alone?: true;
}

/** Twenty of each: one that has a thousandth of the chance of another is then still told from one that is missing. */
const each = (n: number): number => Math.max(100, 20 * n);

/**
 * How many samples each metric needs. Covariances (`fid`) need ten times as many as they have axes; figures of neighbours and of
 * distances, whose chance falls with the root of their number, a few hundred to a thousand.
 */
const NEEDS: Readonly<Record<MetricName, Need>> = {
  modes: { least: ({ modes }) => each(modes), alone: true },
  highQuality: { least: () => 100, alone: true },
  reverseKl: { least: ({ modes }) => each(modes), alone: true },
  classes: { least: ({ classes }) => each(classes) },
  classKl: { least: ({ classes }) => each(classes) },
  slicedWasserstein: { least: () => 500 },
  mmd: { least: () => 500 },
  energyDistance: { least: () => 500 },
  fid: { least: ({ features }) => Math.max(500, 10 * features) },
  kid: { least: () => 200 },
  // Ten splits, each of ten samples of a class.
  inceptionScore: { least: ({ classes }) => 100 * classes, alone: true },
  modeScore: { least: ({ classes }) => each(classes) },
  precision: { least: () => 1000 },
  recall: { least: () => 1000 },
  density: { least: () => 1000 },
  coverage: { least: () => 1000 },
  nearestNeighbour: { least: () => 200 },
  support: { least: () => 300 },
  parzen: { least: () => 1000 },
  msSsim: { least: () => 100, alone: true },
  accuracy: { least: ({ classes }) => each(classes) },
};

/**
 * Why a figure says little, in words for behind it: the samples that there are, and how many the metric needs.
 * @param counts samples and reference samples
 * @returns undefined where there are enough
 */
export function tooFew(
  name: MetricName,
  counts: { readonly samples: number; readonly reference: number },
  of: Dimensions,
): string | undefined {
  const { least, alone } = NEEDS[name];
  const needed = least(of);
  const show = (n: number): string => n.toLocaleString('en');
  const short = [
    counts.samples < needed && `${show(counts.samples)} samples`,
    !alone && counts.reference < needed && `${show(counts.reference)} held-out ones`,
  ].filter(Boolean);
  return short.length > 0 ? `${short.join(' and ')}; it needs ${show(needed)}${alone ? '' : ' of each'}` : undefined;
}
