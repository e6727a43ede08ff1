import type { SegmentOptions, SpiralsOptions } from './curves.ts';
import type { PointSetOptions } from './distribution.ts';
import type { EmojiOptions } from './emoji.node.ts';
import type { GlyphOptions, GlyphPairsOptions } from './glyphs.node.ts';
import type { ImageFolderOptions } from './imageFolder.node.ts';
import type { GaussianGridOptions, GaussianOptions, GaussianRingOptions, TwoGaussiansOptions } from './mixtures.ts';

type Points = PointSetOptions & SpiralsOptions & SegmentOptions;
type Mixtures = GaussianOptions & TwoGaussiansOptions & GaussianRingOptions & GaussianGridOptions;

/**
 * The options of all data sets that `openSampleSet` knows: those of the distributions, of `emoji`, `glyphs` and
 * `imageFolder`, and these. A data set takes those that its entry in `dataSets` lists, and refuses the others.
 */
export interface SampleSetOptions
  extends Points,
    Mixtures,
    EmojiOptions,
    GlyphOptions,
    Pick<GlyphPairsOptions, 'hands' | 'unpaired'>,
    ImageFolderOptions {
  /** Where the files lie, of a data set that is read from files. */
  readonly folder?: string;
  /** Standard deviation of a Gaussian, or of each mode of a mixture. Defaults as in `gaussian`, `gaussianRing` and so on. */
  readonly sigma?: number;
  /** The classes to keep, by name, such as ['8'] or ['bag', 'sandal']; all unless given. See `selectClasses`. */
  readonly classes?: readonly string[];
  /**
   * Pixels along each side of the images. Those of 28 x 28 are framed with black up to 32 and resampled to any other size
   * (see `resizeSet`); emoji and folders are decoded and glyphs are drawn at that size.
   */
  readonly size?: number;
}
