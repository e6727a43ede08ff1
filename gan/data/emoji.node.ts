import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { decodeImages, hashOf } from './decodeImages.node.ts';
import { samplesOf, splitByHash } from './heldOut.ts';
import type { SampleSet } from './sampleSet.ts';

/** Who drew the emoji. */
export type EmojiVendor = 'google' | 'apple' | 'twitter' | 'facebook';

/** Options of {@link emoji}. */
export interface EmojiOptions {
  /** The npm package is `emoji-datasource-` and this name; each has a licence of its own. Default 'google'. */
  readonly vendor?: EmojiVendor;
  /** The package's folder; without it, it is looked for from the working directory, and then from this library. */
  readonly folder?: string;
  /** Pixels along each side; the files have 64. Default 64. */
  readonly size?: number;
  /** Whether the variants of hands and people in five skin tones are in. Default true. */
  readonly skinTones?: boolean;
  /** Called after each file, with how many are done and how many there are. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** The names of {@link EmojiOptions}. */
export const emojiOptions = ['vendor', 'folder', 'size', 'skinTones', 'onProgress'] as const;

const VENDORS = ['google', 'apple', 'twitter', 'facebook'] as const;
/** The part of the emoji that is held out. */
const TEST_SHARE = 0.1;

/** Bytes of the largest list: ten times those of the package. */
const MOST_BYTES = 2 ** 24;

interface Variant {
  readonly unified: string;
  readonly image: string;
  readonly [has: `has_img_${string}`]: boolean;
}

interface Entry extends Variant {
  readonly category: string;
  readonly skin_variations?: Readonly<Record<string, Variant>>;
}

/**
 * Emoji in colour, on white, with their categories as classes ('Animals & Nature', 'Flags', ...): about 3,700 pictures with skin tones, 1,900 without.
 * A tenth is held out, by a hash of the emoji's code, so that an emoji's skin tones are on one side; a picture that two emoji
 * share, as some flags do, is kept once.
 * @throws Error with the `npm i` command if the package is not found, or naming what in it cannot be read;
 * RangeError for an option out of range
 * @example
 * const set = await emoji({ vendor: 'twitter', size: 32 });
 */
export async function emoji(options: EmojiOptions = {}): Promise<SampleSet> {
  const { vendor = 'google', size = 64, skinTones = true, ...rest } = checked('emoji', options, emojiOptions);
  checkRange('emoji', 'vendor', ranges.oneOf(VENDORS), vendor);
  checkRange('emoji', 'size', ranges.whole(1, 512), size);
  const folder = rest.folder === undefined ? packageFolder(vendor) : resolve(rest.folder);
  const remedy = `install it with \`npm i emoji-datasource-${vendor}\`, or name the package's folder`;

  const entries = await readEntries(join(folder, 'emoji.json'), remedy);
  // The 'Component' entries are bare patches of the five skin tones.
  const wanted = entries.filter(({ category }) => category !== 'Component');
  const files = wanted.flatMap((entry) => {
    const variants = skinTones ? Object.values(entry.skin_variations ?? {}) : [];
    return [entry, ...variants]
      .filter((variant) => variant[`has_img_${vendor}`])
      .map(({ image }) => ({
        path: join(folder, 'img', vendor, '64', image),
        category: entry.category,
        code: entry.unified,
      }));
  });
  if (files.length === 0) throw new Error(`${folder} has no pictures of ${vendor}: ${remedy}`);
  const { onProgress } = rest;
  const decoding = { size, grey: false, fit: 'pad', ...(onProgress && { onProgress }) } as const;
  const { images, skipped } = await decodeImages(files, decoding);
  if (skipped[0]) {
    const { path, reason } = skipped[0];
    throw new Error(`cannot read ${path} (${reason}), one of ${skipped.length} emoji of ${files.length}: ${remedy}`);
  }

  const classes = [...new Set(files.map(({ category }) => category))].sort();
  const seen = new Set<string>();
  const distinct = images.flatMap(({ file, pixels }) => {
    const picture = hashOf(pixels);
    if (seen.has(picture)) return [];
    seen.add(picture);
    return [{ pixels, hash: hashOf(file.code), label: classes.indexOf(file.category) }];
  });
  const { train, test } = splitByHash(distinct, TEST_SHARE);
  return {
    name: 'emoji',
    title: `Emoji (${vendor[0]!.toUpperCase()}${vendor.slice(1)})`,
    kind: 'images',
    shape: [size, size, 3],
    train: samplesOf(train, classes.length),
    test: samplesOf(test, classes.length),
    classes,
    fingerprint: hashOf(JSON.stringify(images.map(({ file, hash }) => [hash, file.code, file.category]))),
  };
}

async function readEntries(path: string, remedy: string): Promise<readonly Entry[]> {
  let text: string;
  let size: number;
  try {
    size = (await stat(path)).size;
    text = size > MOST_BYTES ? '' : await readFile(path, 'utf8');
  } catch (cause) {
    throw new Error(`cannot read ${path} (${(cause as NodeJS.ErrnoException).code}): ${remedy}`, { cause });
  }
  if (size > MOST_BYTES)
    throw new Error(`${path} has ${size} bytes, and lists of emoji at most ${MOST_BYTES}: ${remedy}`);
  try {
    const entries: unknown = JSON.parse(text);
    if (Array.isArray(entries) && entries.every(isEntry)) return entries;
  } catch (cause) {
    throw new Error(`${path} is no JSON (${(cause as Error).message}): ${remedy}`, { cause });
  }
  throw new Error(`${path} is not the list of emoji of the package emoji-datasource: ${remedy}`);
}

const isVariant = (given: unknown): given is Variant => {
  const { image, unified } = (given ?? {}) as Partial<Variant>;
  // A name of a file in the package's folder, and no way out of it.
  return typeof image === 'string' && basename(image) === image && !image.includes('\\') && typeof unified === 'string';
};

const isEntry = (given: unknown): given is Entry => {
  if (!isVariant(given)) return false;
  const { category, skin_variations: variants = {} } = given as Partial<Entry>;
  const isMap = typeof variants === 'object' && variants !== null;
  return typeof category === 'string' && isMap && Object.values(variants).every(isVariant);
};

/** Where npm put the package: found from the working directory, or from this file. */
function packageFolder(vendor: EmojiVendor): string {
  const name = `emoji-datasource-${vendor}`;
  const starts = [join(process.cwd(), 'package.json'), import.meta.url];
  let cause: unknown;
  for (const start of starts) {
    try {
      return dirname(createRequire(start).resolve(`${name}/package.json`));
    } catch (error) {
      cause = error;
    }
  }
  throw new Error(
    `the npm package ${name} is not installed: run \`npm i ${name}\` in the working directory, or name the package's folder`,
    { cause },
  );
}
