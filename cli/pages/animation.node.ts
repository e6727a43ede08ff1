import { readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import sharp from 'sharp';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { fileError, writeFileAtomic } from '../../engine/platform/atomicWrite.node.ts';
import { thinned } from '../../gan/extremes.ts';
import type { ByteImage } from '../../gan/pictures/grid.ts';
import { titled } from '../../gan/pictures/labels.ts';

/** How {@link writeAnimation} shows its frames. */
export interface AnimationOptions {
  /** Milliseconds that each frame is shown, 20 to 65,535; one number, or one a frame. GIF keeps tenths of them. Default 120. */
  readonly delay?: number | readonly number[];
  /** How often it is shown, 0 to 65,535; 0 for ever. Default 0. */
  readonly loop?: number;
}

/** How long a frame may be shown. */
const MILLISECONDS = ranges.whole(20, 65_535);
/** Most pixels of all frames together: 4 bytes each are held, twice. */
const MOST_PIXELS = 2 ** 28;

/**
 * Writes an animation, atomically (see `writeFileAtomic`): GIF, which every program shows, in at most 256 colours, or WebP,
 * smaller and without loss. The path's ending says which.
 *
 * @param path ends with .gif or .webp
 * @param frames pictures of one size, one or more
 * @throws RangeError for frames that differ in size, or an option out of range; Error naming the path if it cannot be written
 */
export async function writeAnimation(
  path: string,
  frames: readonly ByteImage[],
  options: AnimationOptions = {},
): Promise<void> {
  const { delay = 120, loop = 0 } = checked('writeAnimation', options, ['delay', 'loop']);
  const kind = extname(path).toLowerCase();
  if (kind !== '.gif' && kind !== '.webp')
    throw new RangeError(`writeAnimation: ${path} ends neither with .gif nor .webp`);
  const [first] = frames;
  if (!first) throw new RangeError('writeAnimation: no frames given');
  const { width, height } = first;
  for (const [i, frame] of frames.entries()) {
    if (frame.width !== width || frame.height !== height) {
      const sizes = `${frame.width} x ${frame.height}, not ${width} x ${height}`;
      throw new RangeError(`writeAnimation: frame ${i} is ${sizes} as the first; use frames of one size`);
    }
  }
  const limit = Math.floor(MOST_PIXELS / (width * height));
  if (frames.length > limit) {
    throw new RangeError(
      `writeAnimation: ${frames.length} frames of ${width} x ${height} are too many; use up to ${limit}`,
    );
  }
  const delays = typeof delay === 'number' ? frames.map(() => delay) : [...delay];
  if (delays.length !== frames.length || !delays.every(MILLISECONDS.holds)) {
    throw new RangeError(
      `writeAnimation: delay is ${delay}; use integers from 20 to 65535, one or ${frames.length} of them`,
    );
  }
  checkRange('writeAnimation', 'loop', ranges.whole(0, 65_535), loop);

  const stacked = new Uint8Array(frames.length * width * height * 3);
  for (const [i, frame] of frames.entries()) stacked.set(toRgb(frame), i * width * height * 3);
  const raw = { width, height: height * frames.length, channels: 3, pageHeight: height } as const;
  const animation = sharp(stacked, { raw, limitInputPixels: false });
  // `loop` is how often it is shown, to sharp; the files count from the second time.
  const encoded =
    kind === '.gif'
      ? animation.gif({ delay: delays, loop, dither: 0, keepDuplicateFrames: true })
      : animation.webp({ delay: delays, loop, lossless: true });
  await writeFileAtomic(path, await encoded.toBuffer());
}

/** Grey as equal channels; transparency on white. */
function toRgb({ data, channels }: ByteImage): Uint8Array {
  if (channels === 3) return data;
  const out = new Uint8Array((data.length / channels) * 3);
  for (let i = 0, to = 0; i < data.length; i += channels) {
    for (let c = 0; c < 3; c++, to++) {
      const alpha = channels === 4 ? data[i + 3]! / 255 : 1;
      out[to] = channels === 1 ? data[i]! : data[i + c]! * alpha + 255 * (1 - alpha);
    }
  }
  return out;
}

/** Options of {@link animateRun}. */
export interface AnimateRunOptions extends AnimationOptions {
  /** The file, ending with .gif or .webp, replaced if it exists. Default `samples.gif` in the run folder. */
  readonly out?: string;
  /** The most frames that the film has, spread over the run, with the first and the last. Default 100. */
  readonly frames?: number;
  /** Milliseconds that the last frame stays; 0 for no longer than the others. Default 1500. Counts only where `delay` is one number. */
  readonly hold?: number;
}

/**
 * Makes an animation of a run's grids over time (`samples-000000.png` and so on), each with its step above.
 *
 * @param folder a run folder
 * @returns the path of the file
 * @throws Error naming the folder if it has no grids or cannot be read; else as {@link writeAnimation}
 */
export async function animateRun(folder: string, options: AnimateRunOptions = {}): Promise<string> {
  const names = ['delay', 'loop', 'out', 'frames', 'hold'] as const;
  const {
    delay = 120,
    loop = 0,
    out = join(folder, 'samples.gif'),
    frames = 100,
    hold = 1500,
  } = checked('animateRun', options, names);
  checkRange('animateRun', 'frames', ranges.whole(2), frames);
  if (hold !== 0) checkRange('animateRun', 'hold', MILLISECONDS, hold);
  const all = (await gridsOf(folder)).sort((a, b) => a.step - b.step);
  if (all.length === 0)
    throw new Error(`${folder} has no grids (samples-000000.png and so on) to animate; name a run folder`);
  const pictures: ByteImage[] = [];
  for (const { name, step } of thinned(all, frames))
    pictures.push(titled(await readPicture(join(folder, name)), `step ${step}`));
  const delays =
    typeof delay === 'number' ? pictures.map((_, i) => (hold > 0 && i === pictures.length - 1 ? hold : delay)) : delay;
  await writeAnimation(out, pictures, { delay: delays, loop });
  return out;
}

async function gridsOf(folder: string): Promise<{ name: string; step: number }[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    throw fileError('read', folder, error);
  }
  return names.flatMap((name) => {
    const [, step] = /^samples-(\d+)\.png$/.exec(name) ?? [];
    return step === undefined ? [] : [{ name, step: Number(step) }];
  });
}

/**
 * Reads a picture file of any kind that sharp knows, as RGB of 8 bits a channel; transparency on white.
 *
 * @throws Error naming the path and the cause
 */
async function readPicture(path: string): Promise<ByteImage> {
  try {
    const picture = sharp(path).flatten({ background: '#ffffff' }).toColourspace('srgb').removeAlpha();
    const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, channels: 3, data: Uint8Array.from(data) };
  } catch (cause) {
    throw new Error(`cannot read ${path} as a picture: ${(cause as Error).message}`, { cause });
  }
}
