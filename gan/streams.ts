/**
 * The streams of random numbers of a seed, by what draws from them, so that what one draws does not move the others and no two
 * draw the same numbers: the splits of generated data sets, then what a run draws.
 * @internal
 */
export const streams = {
  trainSplit: 1,
  testSplit: 2,
  weights: 3,
  training: 4,
  data: 5,
  samples: 6,
  measurements: 7,
} as const;
