/** What draws random numbers of a run's seed, each from a stream of its own. */
export type RandomStream =
  | 'trainSplit'
  | 'testSplit'
  | 'weights'
  | 'training'
  | 'data'
  | 'samples'
  | 'measurements'
  | 'noise'
  | 'sampleOrder'
  | 'referenceOrder'
  | 'realSamples';

/**
 * The streams of random numbers of a seed, by what draws from them, so that what one draws does not move the others and no two
 * draw the same numbers: the splits of generated data sets, what a run draws, and what an evaluation draws. (A metric that chooses
 * subsets takes the first streams of the evaluation's seed, `gan/metrics/table.ts`: it chooses among samples, and makes none.)
 * @internal
 */
export const randomStreams = {
  trainSplit: 1,
  testSplit: 2,
  weights: 3,
  training: 4,
  data: 5,
  samples: 6,
  measurements: 7,
  noise: 100,
  sampleOrder: 101,
  referenceOrder: 102,
  realSamples: 103,
} as const satisfies Record<RandomStream, number>;
