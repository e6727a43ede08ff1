import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';

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

/**
 * Decodes files (PNG, JPEG, WebP), in their order: turned as their EXIF data says, transparent pixels on white, resized
 * with libvips' Lanczos filter. What cannot be read, or is damaged, is left out and listed.
 * @param files in any number; memory holds what they decode to
 */
export async function decodeImages<F extends { readonly path: string }>(
  files: readonly F[],
  options: DecodeOptions,
): Promise<{ images: DecodedImage<F>[]; skipped: SkippedFile[] }> {
  const results = new Array<DecodedImage<F> | SkippedFile>(files.length);
  let next = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    while (next < files.length) {
      const place = next++;
      const file = files[place]!;
      try {
        const bytes = await readFile(file.path);
        results[place] = { file, pixels: await pixelsOf(bytes, options), hash: hashOf(bytes) };
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

/** One line of a hundred characters at most: libvips repeats itself. */
const inShort = (message: string): string => message.replace(/\s+/g, ' ').trim().slice(0, 100);

/** Sixteen hex digits of SHA-256. */
export const hashOf = (content: Uint8Array | string): string =>
  createHash('sha256').update(content).digest('hex').slice(0, 16);

async function pixelsOf(bytes: Uint8Array, { size, grey, fit }: DecodeOptions): Promise<Uint8Array> {
  const by = { crop: 'cover', pad: 'contain', stretch: 'fill' } as const;
  const image = sharp(bytes)
    .autoOrient()
    .flatten({ background: WHITE })
    .resize(size, size, { fit: by[fit], background: WHITE })
    .toColourspace(grey ? 'b-w' : 'srgb');
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  const channels = grey ? 1 : 3;
  if (info.channels !== channels) throw new Error(`decoded to ${info.channels} channels, not ${channels}`);
  return data;
}
