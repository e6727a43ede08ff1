import { compile, noGrad, type Rng, scope, type Tensor, tensor } from '../engine/index.ts';
import type { Gan } from '../gan/systems/adversarial.ts';
import { linearDecay } from '../gan/train.ts';
import { DivergenceError } from '../gan/watch.ts';
import type { Module } from '../nn/index.ts';

/** Options of {@link trainCritic}. */
export interface CriticTraining {
  /** Updates of the critic. */
  readonly steps: number;
  /** What the learning rate is multiplied with at the end, to which it falls in a straight line. Default 1. */
  readonly lastRate?: number;
  /** After how many updates `measure` is called; 0 is before the first. */
  readonly at?: readonly number[];
  readonly measure?: (step: number) => Promise<void>;
}

/** Steps between two looks at the loss: waiting for each would leave the device idle. */
const LOOK = 50;

/**
 * Trains a critic against a generator that stays as it is, in compiled steps.
 * @param real draws a batch of real samples on the device; recorded with the step, so that what it takes from the host stays
 * @throws DivergenceError if the loss is not finite
 */
export async function trainCritic(gan: Gan, real: () => Tensor, options: CriticTraining): Promise<void> {
  const { steps, lastRate = 1, at = [], measure } = options;
  const first = gan.criticOptimizer.lr;
  const once = compile(() => gan.criticStep(real()).loss);
  try {
    for (let step = 0; step <= steps; step++) {
      if (at.includes(step)) await measure?.(step);
      if (step === steps) break;
      gan.criticOptimizer.lr = first * linearDecay(lastRate)(step / steps);
      if ((step + 1) % LOOK > 0) {
        scope(() => void once());
        continue;
      }
      const loss = await scope(() => once().item());
      if (!Number.isFinite(loss)) throw new DivergenceError(step, `the critic's loss is ${loss}`, 'lower the rate');
    }
  } finally {
    once.dispose();
    gan.criticOptimizer.lr = first;
  }
}

/** What a critic says of points, [n] from [n, dimension]. */
export async function scoresOf(
  critic: Module,
  points: Float32Array | Float64Array,
  dimension: number,
): Promise<number[]> {
  const shape = [points.length / dimension, dimension];
  const scores = scope(() => noGrad(() => critic.forward(tensor(points, { shape }))).data());
  return Array.from(await scores);
}

/** The mean. */
export const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

export { largest, smallest } from '../gan/extremes.ts';

/** n numbers at equal distances, from the first to the last. */
export const spaced = (from: number, to: number, n: number): number[] =>
  Array.from({ length: n }, (_, i) => from + ((to - from) * i) / (n - 1));

/** Four significant digits, as the JSON and the tables have them. */
export const rounded = (value: number, digits = 4): number => Number(value.toPrecision(digits));

/** Whatever draws samples on the device: `n` of them. */
export type Draw = (n: number, rng: Rng) => Tensor;
