import type { Samples } from './sampleSet.ts';
import { labelArray } from './selectClasses.ts';

/** An image on its way into a split. */
export interface HashedImage {
  readonly pixels: Uint8Array;
  /** Hex digits, eight or more, that decide on the split. */
  readonly hash: string;
  readonly label?: number;
}

/**
 * Splits images by their hashes: those whose hash, as a fraction of the greatest, is below `testShare` are held out. An image
 * therefore stays on its side when others come or go. Where one side would be empty, the image with the smallest (or
 * greatest) hash goes there.
 * @param images two or more, of at least two different hashes
 */
export function splitByHash<T extends HashedImage>(images: readonly T[], testShare: number): { train: T[]; test: T[] } {
  const hashes = [...new Set(images.map(({ hash }) => hash))].sort();
  const isBelow = (hash: string) => Number.parseInt(hash.slice(0, 8), 16) / 2 ** 32 < testShare;
  const held = hashes.filter(isBelow);
  const chosen = new Set(
    held.length === 0 ? hashes.slice(0, 1) : held.length === hashes.length ? hashes.slice(0, -1) : held,
  );
  const [train, test]: [T[], T[]] = [[], []];
  for (const image of images) (chosen.has(image.hash) ? test : train).push(image);
  return { train, test };
}

/** Images one after the other. */
export function samplesOf(images: readonly HashedImage[], classes: number | undefined): Samples {
  const size = images[0]!.pixels.length;
  const data = new Uint8Array(images.length * size);
  images.forEach(({ pixels }, i) => {
    data.set(pixels, i * size);
  });
  if (classes === undefined) return { count: images.length, data };
  const labels = labelArray(images.length, classes);
  images.forEach(({ label }, i) => {
    labels[i] = label!;
  });
  return { count: images.length, data, labels };
}
