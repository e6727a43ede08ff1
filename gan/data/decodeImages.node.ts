import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import sharp from 'sharp';
import { decodedFormat, formatOf, isDecoded } from './imageFormats.ts';

/** What becomes of an image that is not square: 'crop' keeps its middle, 'pad' adds white, 'stretch' distorts it. */
export type ImageFit = 'crop' | 'pad' | 'stretch';

/** How files become images of one shape. */
export interface DecodeOptions {
  /** Pixels along each side. */
  readonly size: number;
  /** One grey level for each pixel, in place of red, green and blue. */
  readonly grey: boolean;
  readonly fit: ImageFit;
  /** Called after each file, with how many are done and how many there are. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A file that was not read. */
export interface SkippedFile {
  /** The folder as it was named, and the path in it. */
  readonly path: string;
  /** Why, in a few words. */
  readonly reason: string;
}

/** An image out of a file. */
export interface DecodedImage<F> {
  readonly file: F;
  /** [size, size, channels], row-major. */
  readonly pixels: Uint8Array;
  /** Sixteen hex digits made of the file's bytes, alike for copies. */
  readonly hash: string;
}

/** Files that are open at a time: enough to keep libvips' threads at work, few enough for any limit on open files. */
const AT_ONCE = 8;
const WHITE = { r: 255, g: 255, b: 255 };
/** Bytes of files that are in memory at a time, and the largest file. */
const MOST_BYTES = 2 ** 29;
/** Pixels that are decoded at a time, and those of the largest image: 134 million, more than any camera's. */
const MOST_PIXELS = 2 ** 27;

/**
 * Decodes files (PNG, JPEG, WebP, GIF, TIFF, AVIF; of several pictures the first), in their order: turned as their EXIF data says,
 * transparent pixels on white, resized with libvips' Lanczos filter. What is of another format by its first bytes, whatever its
 * name, is not decoded, nor what has more than 134 million pixels by its header. That, and what is damaged, is left out and listed.
 * @param files in any number; memory holds what they decode to
 */
export async function decodeImages<F extends { readonly path: string }>(
  files: readonly F[],
  options: DecodeOptions,
): Promise<{ images: DecodedImage<F>[]; skipped: SkippedFile[] }> {
  const results = new Array<DecodedImage<F> | SkippedFile>(files.length);
  const [bytesInUse, pixelsInUse] = [createBudget(MOST_BYTES), createBudget(MOST_PIXELS)];
  let next = 0;
  let done = 0;
  const decode = async (file: F): Promise<DecodedImage<F>> => {
    const about = await stat(file.path);
    if (!about.isFile()) throw new Error('it is no file');
    if (about.size > MOST_BYTES) throw new Error(`${about.size} bytes are more than the ${MOST_BYTES} that are read`);
    return bytesInUse(about.size, async () => {
      const bytes = await readFile(file.path);
      const pixels = await pixelsIn(bytes);
      return pixelsInUse(pixels, async () => ({
        file,
        pixels: await pixelsOf(bytes, options),
        hash: hashOf(bytes),
      }));
    });
  };
  const worker = async (): Promise<void> => {
    while (next < files.length) {
      const place = next++;
      const file = files[place]!;
      try {
        results[place] = await decode(file);
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        results[place] = { path: file.path, reason: code ?? inShort(message) };
      }
      options.onProgress?.(++done, files.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return {
    images: results.filter((r): r is DecodedImage<F> => 'pixels' in r),
    skipped: results.filter((r): r is SkippedFile => 'reason' in r),
  };
}

/** Runs work in which no more than `most` of something is in use at a time; who asks first is served first. */
function createBudget(most: number): <T>(amount: number, work: () => Promise<T>) => Promise<T> {
  let used = 0;
  const waiting: { readonly amount: number; readonly start: () => void }[] = [];
  const serve = (): void => {
    for (let first = waiting[0]; first && used + first.amount <= most; first = waiting[0]) {
      used += first.amount;
      waiting.shift()!.start();
    }
  };
  return async (amount, work) => {
    await new Promise<void>((start) => {
      waiting.push({ amount, start });
      serve();
    });
    try {
      return await work();
    } finally {
      used -= amount;
      serve();
    }
  };
}

/** The number of pixels in an image, by its header. @throws Error for a format that is not decoded, or too many of them */
async function pixelsIn(bytes: Uint8Array): Promise<number> {
  if (bytes.length === 0) throw new Error('the file is empty');
  const format = formatOf(bytes);
  if (!isDecoded(format)) throw new Error(format ? `${format} is not read` : 'it is no image of a format that is read');
  const { width, height, depth, format: found, compression } = await sharp(bytes, INPUT).metadata();
  if (!decodedFormat(found, compression)) throw new Error(`${found} is not read`);
  if (width * height > MOST_PIXELS) throw new Error(`${width} x ${height} pixels are more than are decoded`);
  if (depth !== 'uchar' && depth !== 'ushort') throw new Error(`pixels of type ${depth} are not read`);
  return width * height;
}

/** For sharp: no more pixels than that, also where the header lies. */
const INPUT = { limitInputPixels: MOST_PIXELS } as const;

/** One line of a hundred characters at most: libvips repeats itself. */
const inShort = (message: string): string => message.replace(/\s+/g, ' ').trim().slice(0, 100);

/** Sixteen hex digits of SHA-256. */
export const hashOf = (content: Uint8Array | string): string =>
  createHash('sha256').update(content).digest('hex').slice(0, 16);

async function pixelsOf(bytes: Uint8Array, { size, grey, fit }: DecodeOptions): Promise<Uint8Array> {
  const by = { crop: 'cover', pad: 'contain', stretch: 'fill' } as const;
  const image = sharp(bytes, INPUT)
    .autoOrient()
    .flatten({ background: WHITE })
    .resize(size, size, { fit: by[fit], background: WHITE })
    .toColourspace(grey ? 'b-w' : 'srgb');
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  const channels = grey ? 1 : 3;
  if (info.channels !== channels) throw new Error(`decoded to ${info.channels} channels, not ${channels}`);
  return data;
}
