/** What every split is, whatever its samples are. */
export interface Split {
  /** How many samples. */
  readonly count: number;
}

/** What every data set is, whatever its samples are. */
export interface DataSource {
  /** The name on the command line, such as 'mnist'. */
  readonly name: string;
  /** The name for headings, such as 'MNIST'. */
  readonly title: string;
  /** What the samples are: images, points, or images of two domains ('pairs'). */
  readonly kind: 'images' | 'points' | 'pairs';
  /** Shape of one sample: [H, W, C] of an image, [D] of a point. */
  readonly shape: readonly number[];
  /** What is learnt from. */
  readonly train: Split;
  /** What is held out; shares no sample with `train`. */
  readonly test: Split;
  /** Names of the classes, by label. */
  readonly classes?: readonly string[];
  /** Hex digits made of the content of the files that a set is read from; absent where there are none. */
  readonly fingerprint?: string;
}
