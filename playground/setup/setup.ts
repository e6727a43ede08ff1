/**
 * What decides a training in the page.
 * @module
 */

import type { ObjectiveName, OptimizerName } from '../../gan/index.ts';
import type { Setting } from '../../gan/settings.ts';
import type { ActivationName, DataName } from './choices.ts';

/** What decides a training: the same setup and seed on the same adapter give the same numbers. */
export interface Setup {
  /** Where the points come from. */
  readonly data: DataName;
  /** Gaussians on the ring; Gaussians along a side of the grid. */
  readonly modes: number;
  /** Standard deviation of each Gaussian, or of the noise around a curve. */
  readonly sigma: number;
  /** Points x, y, x, y, ... that were drawn or pasted, each in [-2.5, 2.5]: what is learnt of the data 'drawn'. */
  readonly points: readonly number[];
  /** Length of a latent code. */
  readonly latent: number;
  /** Units of each hidden layer of the generator. */
  readonly width: number;
  /** Hidden layers of the generator. */
  readonly depth: number;
  /** What follows each hidden layer of the generator. */
  readonly activation: ActivationName;
  /** Units of each hidden layer of the critic. */
  readonly criticWidth: number;
  /** Hidden layers of the critic. */
  readonly criticDepth: number;
  /** What follows each hidden layer of the critic. */
  readonly criticActivation: ActivationName;
  /** What critic and generator minimise. */
  readonly objective: ObjectiveName;
  /** Regularisers of the critic, each as `name` or `name=strength`. */
  readonly regularizers: readonly string[];
  /** The optimizer of both networks. */
  readonly optimizer: OptimizerName;
  /** The critic's learning rate. */
  readonly criticRate: number;
  /** The generator's learning rate. */
  readonly generatorRate: number;
  /** Decay rates of Adam. */
  readonly betas: readonly [number, number];
  /** Updates of the critic before each of the generator. */
  readonly criticSteps: number;
  /** Samples in a batch. */
  readonly batch: number;
  /** Decay of the average of the generator's weights, which samples are drawn from; 0 for none. */
  readonly emaDecay: number;
  /** Decides first weights, data and all that is drawn. */
  readonly seed: number;
}

/** Points to learn from: with two batches of 128 in a step none comes twice in the first 64 steps. */
export const POINTS = 16_384;
/** Held-out points, which pictures and measures use. */
export const HELD_OUT = 2048;

/** Which part of the page a setting belongs to. */
export type Group = 'data' | 'generator' | 'critic' | 'training';

/** What the page knows of a setting beside what the library knows. */
export interface Entry<V> extends Setting<V> {
  /** Its name in a link: short, and never changed. */
  readonly key: string;
  /** Where its control stands. */
  readonly group: Group;
  /** What the control is called. */
  readonly title: string;
  /** Least and most of a number. A link that says more is held to them. */
  readonly bounds?: readonly [least: number, most: number];
  /** Values that the control offers, of a number whose steps are not even. */
  readonly offers?: readonly number[];
  /** How a link has it, if not as plain text. What cannot be read is undefined. */
  readonly link?: { write(value: V): string; read(text: string): V | undefined };
  /** Whether a change begins a new training; the others are changed under way. */
  readonly restarts: boolean;
  /** Whether it says anything, with the others as they are. */
  readonly applies?: (setup: Setup) => boolean;
}
