import { largest } from '../../gan/extremes.ts';
import type { Regularizer } from '../../gan/objectives/regularizer.ts';
import type { ClippingSettings } from './clippingRun.ts';

/** What is to be expected of a critic before it learns anything, its weights clipped once where they are to be clipped. */
export interface ClippingStart {
  /** The norm of the gradient at the output of the first hidden layer over that of the last one. */
  readonly growth: number;
  /** Share of the weights within a twentieth of the largest magnitude from it, 0 to 1. */
  readonly atEnds: number;
}

/**
 * By the first weights of `mlp`: uniform up to √(6 / inputs) in hidden layers (He et al. 2015), up to √(6 / (inputs + outputs)) in the
 * last (Glorot and Bengio 2010). A layer of n units multiplies the squared norm of what comes back through it by n E w², of which the
 * relu behind it lets half pass.
 * @param regularizer of what clips nothing, the strength does not matter
 */
export function clippingStart(
  { depth, width }: Pick<ClippingSettings, 'depth' | 'width'>,
  { name, strength }: Pick<Regularizer, 'name' | 'strength'>,
): ClippingStart {
  const c = name === 'weight-clipping' ? strength! : Number.POSITIVE_INFINITY;
  const hidden = Math.sqrt(6 / width);
  const layers = [
    { weights: 2 * width, limit: Math.sqrt(6 / 2) },
    { weights: (depth - 1) * width * width, limit: hidden },
    { weights: width, limit: Math.sqrt(6 / (width + 1)) },
  ];
  const most = Math.min(c, largest(layers.map(({ limit }) => limit)));
  const count = layers.reduce((sum, { weights }) => sum + weights, 0);
  const outside = layers.reduce((sum, { weights, limit }) => sum + weights * Math.max(0, 1 - (0.95 * most) / limit), 0);
  // E min(|w|, c)² of uniform w: the part within c, and the part that is moved to it.
  const within = Math.min(c, hidden);
  const square = (within ** 3 / 3 + within ** 2 * (hidden - within)) / hidden;
  return { growth: ((width * square) / 2) ** ((depth - 1) / 2), atEnds: outside / count };
}
