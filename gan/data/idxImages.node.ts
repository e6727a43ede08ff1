import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type IdxArray, parseIdx } from './idx.ts';

/** Images of 28 x 28 grey levels with their classes: MNIST, or a set in its format. */
export interface Mnist {
  /** Grey levels 0 (paper) to 255 (ink), [n * 784] in the row-major order of `shape`. */
  readonly images: Uint8Array;
  /** The class of each image, [n]: for MNIST the digit 0 to 9. */
  readonly labels: Uint8Array;
  /** The axes [n, 28, 28, 1]; n is 60,000 for 'train' and 10,000 for 'test' in MNIST and Fashion-MNIST. */
  readonly shape: readonly [n: number, height: number, width: number, channels: number];
}

/** What {@link loadIdxImages} reads. */
export interface IdxImagesOptions {
  /** 'train' (files train-...) or 'test' (files t10k-...). */
  readonly split: 'train' | 'test';
  readonly folder: string;
  /** What the message about a missing file ends with: how to get the data. */
  readonly remedy: string;
  /** Labels are below it. Default 10. */
  readonly classes?: number;
}

/**
 * Reads a split of a data set that lies in IDX files under MNIST's names, such as `train-images-idx3-ubyte` (or
 * `train-images.idx3-ubyte`), plain or compressed with gzip (`.gz`).
 * @throws Error naming the file when it is missing, broken, empty, or not images of 28 x 28 with one label each
 */
export async function loadIdxImages(options: IdxImagesOptions): Promise<Mnist> {
  const { split, folder, remedy, classes = 10 } = options;
  const prefix = join(folder, split === 'train' ? 'train' : 't10k');
  // One after the other, so that of two broken files it is always the same that the message names.
  const images = await readIdx(`${prefix}-images`, 'idx3-ubyte', remedy);
  const labels = await readIdx(`${prefix}-labels`, 'idx1-ubyte', remedy);
  const [n = 0, height, width] = images.shape;
  if (images.shape.length !== 3 || height !== 28 || width !== 28 || n === 0) {
    throw new Error(`${images.path} holds an array [${images.shape}], not images [n,28,28]`);
  }
  if (labels.shape.length !== 1 || labels.shape[0] !== n) {
    throw new Error(`${labels.path} holds an array [${labels.shape}], not one label for each of the ${n} images`);
  }
  const strange = labels.data.find((label) => label >= classes);
  if (strange !== undefined) {
    throw new Error(`${labels.path} holds the label ${strange}; there are ${classes} classes, 0 to ${classes - 1}`);
  }
  return { images: images.data, labels: labels.data, shape: [n, height, width, 1] };
}

/** The first that is there of the names that such a file goes by. */
async function readIdx(stem: string, type: string, remedy: string): Promise<IdxArray & { readonly path: string }> {
  const paths = ['', '.gz'].flatMap((end) => [`${stem}-${type}${end}`, `${stem}.${type}${end}`]);
  let missing: unknown;
  for (const path of paths) {
    let bytes: Uint8Array;
    try {
      bytes = await readFile(path);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code !== 'ENOENT') throw new Error(`cannot read ${path} (${code}): ${remedy}`, { cause });
      missing ??= cause;
      continue;
    }
    return { ...parseIdx(unpacked(bytes, path), path), path };
  }
  throw new Error(`cannot read ${paths[0]} (ENOENT): ${remedy}`, { cause: missing });
}

function unpacked(bytes: Uint8Array, path: string): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw new Error(`${path} cannot be unpacked (${(cause as Error).message}); fetch it again`, { cause });
  }
}
