import { Adam, RMSprop, SGD } from '../../nn/index.ts';
import type { MakeOptimizer } from '../player.ts';

/** Optimizers that a configuration may name. */
export const optimizerNames = ['adam', 'rmsprop', 'sgd'] as const;

/** An optimizer by its name. */
export type OptimizerName = (typeof optimizerNames)[number];

/** What decides an optimizer beside its learning rate. */
export interface OptimizerSettings {
  /** The optimizer's name. */
  readonly optimizer: OptimizerName;
  /** Decay rates of Adam. */
  readonly betas: readonly [number, number];
}

/** Makes the optimizer that settings name. */
export function optimizerOf({ optimizer, betas }: OptimizerSettings, lr: number): MakeOptimizer {
  switch (optimizer) {
    case 'adam':
      return (parameters) => new Adam(parameters, { lr, betas });
    case 'rmsprop':
      return (parameters) => new RMSprop(parameters, { lr });
    case 'sgd':
      return (parameters) => new SGD(parameters, { lr });
  }
}
