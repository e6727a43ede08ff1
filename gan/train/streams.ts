/**
 * The streams of random numbers of a run, by what draws from them: what one draws does not move the others.
 * @internal
 */
export const streams = { weights: 1, training: 2, data: 3, samples: 4, measurements: 5 } as const;
