import type { Tensor } from '../../engine/index.ts';
import type { Objective, ObjectiveName } from '../objectives/objective.ts';
import type { Regularizer, RegularizerName } from '../objectives/regularizer.ts';
import type { MakeOptimizer } from '../player.ts';

/** Options of {@link Gan}. */
export interface GanOptions {
  /** What both networks minimise, by name or as an object of your own. Default 'wasserstein'. */
  readonly objective?: Objective | ObjectiveName;
  /** What keeps the critic smooth, by name or as objects. Default: the gradient penalty for 'wasserstein', nothing for the others. */
  readonly regularizers?: readonly (Regularizer | RegularizerName)[];
  /** Default Adam with a learning rate of 1e-4 and decay rates 0 and 0.9 (Gulrajani et al. 2017, Algorithm 1). */
  readonly criticOptimizer?: MakeOptimizer;
  /** Default as the critic's. */
  readonly generatorOptimizer?: MakeOptimizer;
  /** Decay of the average of the generator's weights, from which `sample` draws. Default 0: no average. */
  readonly emaDecay?: number;
  /**
   * Instance noise (Sønderby et al. 2017): the standard deviation of normal noise on all that the critic sees, real or generated.
   * Default 0. May be changed between steps ({@link Gan.instanceNoise}) if it is above 0 here.
   */
  readonly instanceNoise?: number;
  /** What the instance noise is multiplied with in `train`, by how much of the training is done, 0 to 1. Default 1 - done. */
  readonly noiseSchedule?: (done: number) => number;
  /** Updates of the critic before each of the generator, in `train`. Default 5, as in WGAN-GP; 1 is usual for other objectives. */
  readonly criticSteps?: number;
  /** Batches whose mean gradient makes one update, in `train`. Default 1. */
  readonly accumulate?: number;
}

/** What a critic step measured; scalars on the device. */
export interface CriticReport {
  /** The loss that was minimised, penalties included. */
  readonly loss: Tensor;
  /** The objective's part of the loss: what `objective.estimate` takes. */
  readonly objectiveLoss: Tensor;
  /** The regularisers' part of the loss, already weighed; 0 without one. */
  readonly penalty: Tensor;
  /** Standard deviation of the critic's outputs over real and generated samples: 0 is a critic that says the same of everything. */
  readonly spread: Tensor;
}

/** The names of {@link GanOptions}. */
export const ganOptions = [
  'objective',
  'regularizers',
  'criticOptimizer',
  'generatorOptimizer',
  'emaDecay',
  'instanceNoise',
  'noiseSchedule',
  'criticSteps',
  'accumulate',
] as const satisfies readonly (keyof GanOptions)[];

/** The names of the scalars of a {@link Gan}'s step. */
export type GanScalar = 'criticLoss' | 'objectiveLoss' | 'penalty' | 'spread' | 'generatorLoss';
