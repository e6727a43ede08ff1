import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { constants, gunzipSync } from 'node:zlib';
import { type IdxArray, idxBytes, parseIdx } from './idx.ts';

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

/** Bytes that a packed file may always unpack to. */
const UNPACKED = 2 ** 28;
/** Beyond these it may become so many times larger: digits become five times larger. */
const RATIO = 100;

/**
 * The content of a file, which may be packed with gzip. It is unpacked to the size that its IDX header asks for and no further.
 * @throws Error naming a file that is damaged, that holds more or less than its header says, or that would become absurdly large
 */
function unpacked(bytes: Uint8Array, path: string): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const most = Math.max(UNPACKED, RATIO * bytes.length);
  const head = unpackedHead(bytes, path);
  const size = idxBytes(head);
  if (size === undefined && head.length === MOST_HEADER) return head; // no IDX file, as its parser will say
  if (size !== undefined && size > most) {
    throw new Error(`${path} asks for ${size} bytes in its header, out of ${bytes.length}: no data set packs so well`);
  }
  try {
    return gunzipSync(bytes, { maxOutputLength: size ?? MOST_HEADER });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'ERR_BUFFER_TOO_LARGE' ? 'it holds more than its header asks for' : message;
    throw new Error(`${path} cannot be unpacked (${why}); fetch it again`, { cause });
  }
}

/** Bytes of the longest header: 255 axes. */
const MOST_HEADER = 4 + 4 * 255;

/** The first bytes of what is packed, as many as a header may have where there are so many. */
function unpackedHead(bytes: Uint8Array, path: string): Uint8Array {
  // A byte becomes 1,032 at most, so that no more than a few are unpacked beyond the header: the names in gzip's own header are short.
  for (let taken = 512; ; taken *= 2) {
    try {
      const head = gunzipSync(bytes.subarray(0, taken), { finishFlush: constants.Z_SYNC_FLUSH });
      if (head.length >= MOST_HEADER || taken >= bytes.length) return head.subarray(0, MOST_HEADER);
    } catch (cause) {
      throw new Error(`${path} cannot be unpacked (${(cause as Error).message}); fetch it again`, { cause });
    }
  }
}
