import type { DataSource } from './dataSource.ts';

/** Samples of one split, in memory. */
export interface Samples {
  /** How many samples. */
  readonly count: number;
  /**
   * The samples one after the other, `count` times the product of the set's `shape`: images as bytes, of which the networks
   * see byte / 127.5 - 1 in [-1, 1]; points as they are.
   */
  readonly data: Uint8Array | Float32Array;
  /** The class of each sample, where the set has classes. */
  readonly labels?: Uint8Array | Uint16Array;
}

/** Values of samples as the networks see them: byte / 127.5 - 1 of images, in [-1, 1]; points as they are. */
export const asSeen = (data: Uint8Array | Float32Array): Float32Array =>
  data instanceof Uint8Array ? Float32Array.from(data, (byte) => byte / 127.5 - 1) : data;

/** A mixture whose modes are known, for mode coverage. */
export interface Modes {
  /** The centres, [number of modes * dimension]. */
  readonly centres: Float32Array;
  /** Standard deviation of each mode, along each axis. */
  readonly sigma: number;
}

/** A data set for a generative model. */
export interface SampleSet extends DataSource {
  /** Images are bytes in memory and in [-1, 1] on devices; points are the same in both. */
  readonly kind: 'images' | 'points';
  /** What the generator learns from. */
  readonly train: Samples;
  /** What its samples are measured against; shares no sample with `train`. */
  readonly test: Samples;
  /** The modes, of a mixture. */
  readonly modes?: Modes;
}
