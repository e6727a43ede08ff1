import type { DataSource } from './dataSource.ts';
import type { Samples } from './sampleSet.ts';

/** The samples of a split in two domains. */
export interface PairSamples<S extends Samples = Samples> {
  /** How many there are in each. */
  readonly count: number;
  /** The samples of the first domain. */
  readonly x: S;
  /** The samples of the second domain. */
  readonly y: S;
}

/** Images in two domains, of one shape. */
export interface PairSet extends DataSource {
  readonly kind: 'pairs';
  /** The names of the two domains. */
  readonly domains: readonly [x: string, y: string];
  /** Whether sample k of x and of y belong together in what is learnt from, too. */
  readonly paired: boolean;
  /** What is learnt from. */
  readonly train: PairSamples;
  /** Held-out pairs: sample k of y is what sample k of x should become. */
  readonly test: PairSamples;
}
