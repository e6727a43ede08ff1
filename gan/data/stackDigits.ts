import { Rng } from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { randomStreams } from '../randomStreams.ts';
import type { SampleSet, Samples } from './sampleSet.ts';

/** Options of {@link stackDigits}. */
export interface StackDigitsOptions {
  /** The seed of the choice of digits; a whole number from 0 to 2^53 - 1. Default 0. */
  readonly seed?: number;
  /** Images to learn from, 2,352 bytes each. Default 60,000, 141 MB; the published runs have 128,000. */
  readonly trainSize?: number;
  /** Held-out images, made of held-out digits. Default 10,000. */
  readonly testSize?: number;
}

/**
 * Stacked MNIST (Metz et al. 2017; Srivastava et al. 2017): three digits, drawn at random with replacement, as the red, green and
 * blue channel of an image. The number that they make, red first, is the class: 1,000 modes, '000' to '999'.
 * @param digits a set of grey images in ten classes, such as MNIST
 * @throws RangeError for any other set, or an option out of range
 */
export function stackDigits(digits: SampleSet, options: StackDigitsOptions = {}): SampleSet {
  const name = `stacked-${digits.name}`;
  const known = ['seed', 'trainSize', 'testSize'] as const;
  const { seed = 0, trainSize = 60_000, testSize = 10_000 } = checked(name, options, known);
  const [height = 0, width = 0, channels] = digits.shape;
  if (channels !== 1 || digits.classes?.length !== 10) {
    throw new RangeError(`${name}: made of grey images in ten classes, not of ${digits.title} [${digits.shape}]`);
  }
  const stack = ({ count, data, labels }: Samples, n: number, stream: number): Samples => {
    const pixels = height * width;
    const chosen = new Rng(seed, stream).hostUniform(3 * n).map((u) => Math.floor(u * count));
    const bytes = data as Uint8Array;
    const images = new Uint8Array(n * pixels * 3);
    const classes = new Uint16Array(n);
    for (let i = 0; i < 3 * n; i++) {
      const from = chosen[i]! * pixels;
      const to = Math.floor(i / 3) * pixels * 3 + (i % 3);
      for (let p = 0; p < pixels; p++) images[to + 3 * p] = bytes[from + p]!;
      classes[Math.floor(i / 3)] = classes[Math.floor(i / 3)]! * 10 + labels![chosen[i]!]!;
    }
    return { count: n, data: images, labels: classes };
  };
  return {
    name,
    title: `Stacked ${digits.title}`,
    kind: 'images',
    shape: [height, width, 3],
    train: stack(
      digits.train,
      checkRange(name, 'trainSize', ranges.whole(1, 2 ** 20), trainSize),
      randomStreams.trainSplit,
    ),
    test: stack(digits.test, checkRange(name, 'testSize', ranges.whole(1, 2 ** 20), testSize), randomStreams.testSplit),
    classes: Array.from({ length: 1000 }, (_, i) => String(i).padStart(3, '0')),
  };
}
