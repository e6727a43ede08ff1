import { type MetricSamples, rowsOf } from './samples.ts';

/** What {@link strokes} finds. */
export interface Strokes {
  /** The share of the paper that is inked, 0 to 1: the mean of (v + 1) / 2 over all pixels v. */
  readonly ink: number;
  /** The mean length of runs of inked pixels along the rows, in pixels; 0 where there are none. */
  readonly across: number;
  /** The same along the columns. */
  readonly down: number;
  /** The share of pixels that are neither paper nor ink, 0 to 1: blur raises it, and so do edges that pass through pixels. */
  readonly greyness: number;
}

/** Pixels nearer than this to -1 are paper and nearer than this to 1 are ink: a tenth of the range. */
const PURE = 0.2;

/**
 * What strokes look like, without regard to what they draw: how much ink there is, how long its runs are in both directions, and how grey the
 * pictures are. Strokes of w pixels across the direction of a run have runs of about w. Of many characters in one hand they are scores of the
 * hand: a translation from one to another should have the other's.
 *
 * A run is a longest chain of pixels v > 0, more ink than paper, in one row or column of one channel; one that leaves the picture ends there.
 *
 * Source: runs as in Galloway, "Texture analysis using gray level run lengths", Computer Graphics and Image Processing 1975 (its mean run
 * length, over two levels).
 * @param samples images [N,H,W,C], paper -1 and ink 1
 * @throws RangeError for what is no list of images, or values that are not finite
 */
export function strokes(samples: MetricSamples): Strokes {
  const { data } = rowsOf('strokes', 'samples', samples);
  if (samples.shape.length !== 4) throw new RangeError(`strokes: samples [${samples.shape}] are no images [N,H,W,C]`);
  const [, height, width, channels] = samples.shape as [number, number, number, number];
  let [sum, grey, inked] = [0, 0, 0];
  /** Runs begin where there is ink and none before: left of the pixel, and above it. */
  let [across, down] = [0, 0];
  for (let i = 0; i < data.length; i++) {
    const v = data[i]!;
    sum += v;
    if (Math.abs(v) < 1 - PURE) grey++;
    if (!(v > 0)) continue;
    inked++;
    const column = Math.floor(i / channels) % width;
    const row = Math.floor(i / (channels * width)) % height;
    if (column === 0 || !(data[i - channels]! > 0)) across++;
    if (row === 0 || !(data[i - channels * width]! > 0)) down++;
  }
  return {
    ink: (sum / data.length + 1) / 2,
    across: across === 0 ? 0 : inked / across,
    down: down === 0 ? 0 : inked / down,
    greyness: grey / data.length,
  };
}
