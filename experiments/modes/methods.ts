import type { Regularizer } from '../../gan/objectives/regularizer.ts';
import type { MakeOptimizer } from '../../gan/player.ts';
import { Adam, RMSprop } from '../../nn/index.ts';

/** An optimizer, and what the JSON says of it. */
export interface NamedOptimizer {
  readonly make: MakeOptimizer;
  readonly words: string;
}

/** Adam, with the decay rates of its two averages. */
export const adam = (lr: number, betas: readonly [number, number]): NamedOptimizer => ({
  make: (parameters) => new Adam(parameters, { lr, betas }),
  words: `Adam (${betas.join(', ')}) ${lr}`,
});

/** RMSprop: for clipped critics, which momentum makes unstable (Arjovsky et al. 2017, section 4). */
export const rmsprop = (lr: number): NamedOptimizer => ({
  make: (parameters) => new RMSprop(parameters, { lr }),
  words: `RMSprop ${lr}`,
});

/** What is done to the critic, in words: for the JSON, and for telling parts of runs apart. */
export const wordsOf = (
  regularizers: readonly Regularizer[],
  { words }: NamedOptimizer,
  criticSteps?: number,
): string =>
  [
    ...regularizers.map(({ name, title = name }) => title),
    ...(criticSteps === undefined ? [] : [`${criticSteps} critic step${criticSteps === 1 ? '' : 's'}`]),
    words,
  ].join(', ');
