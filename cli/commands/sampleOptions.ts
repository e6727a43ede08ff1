import type { InterpolationMode } from '../../gan/sampling/interpolate.ts';
import type { TrainedRunOptions } from './options.ts';

/** What `wgrad sample` can draw. */
export const pictures = [
  'grid',
  'interpolate',
  'arithmetic',
  'truncate',
  'neighbours',
  'reconstruct',
  'animate',
] as const;

/** How `wgrad sample truncate` truncates: draws again what is beyond psi, or moves codes towards the mean. */
export const truncations = ['resample', 'mean'] as const;

/** What `wgrad sample neighbours` compares: pixels, or the features of the digit classifier, for digits of 28 x 28. */
export const comparisons = ['pixels', 'digits'] as const;

export type Picture = (typeof pictures)[number];
export type Truncation = (typeof truncations)[number];
export type Comparison = (typeof comparisons)[number];

/** Options of `wgrad sample`. */
export interface SampleOptions extends TrainedRunOptions {
  readonly what: Picture;
  /**
   * Samples in a grid (64 unless given), rows of an interpolation, or samples in a row or column of the other pictures (8
   * unless given); 1 to 4,096.
   */
  readonly count?: number;
  /**
   * Codes by their numbers in the seed's grid. An interpolation goes through them in their order (2 or more); arithmetic takes three
   * equal parts, a - b + c (0,1,2,...,8 unless given). Not for the other pictures.
   */
  readonly codes?: readonly number[];
  /** The way between the codes of an interpolation ('spherical' unless given). */
  readonly mode?: InterpolationMode;
  /** Whether an interpolation is a grid between four codes as corners. */
  readonly corners?: boolean;
  /** How far the codes of `truncate` may lie, in standard deviations, above 0 (0 too for 'mean'); a row for each of some values unless given. */
  readonly psi?: number;
  /** What `truncate` does with codes that lie farther; 'resample' unless given. */
  readonly truncation?: Truncation;
  /** What `neighbours` are nearest by; 'pixels' unless given. */
  readonly compare?: Comparison;
  /**
   * The file: .png, for tables .csv, for points also .svg, for `animate` and a path of `interpolate` .gif or .webp. Never overwritten. Without it,
   * `sample-<what>` in the run folder, with a number where that is taken.
   */
  readonly out?: string;
}
