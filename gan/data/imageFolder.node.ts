import { readdir, stat } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import { checked, checkRange, ranges } from '../../engine/index.ts';
import { decodeImages, type ImageFit, type SkippedFile } from './decodeImages.node.ts';
import { type HashedImage, samplesOf, splitByHash } from './heldOut.ts';
import type { SampleSet } from './sampleSet.ts';

/** Options of {@link imageFolder}. */
export interface ImageFolderOptions {
  /** Pixels along each side. Default 64. */
  readonly size?: number;
  /** Whether images become grey, [size, size, 1]; else they are red, green and blue. Default false. */
  readonly grey?: boolean;
  /** What becomes of an image that is not square. Default 'crop'. */
  readonly fit?: ImageFit;
  /** The part that is held out, above 0 and below 1; see {@link imageFolder}. Default 0.1. */
  readonly testShare?: number;
  /** Called after each file, with how many are done and how many there are. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Gets the one line about skipped files. Default `console.warn`. */
  readonly onWarning?: (line: string) => void;
}

/** The names of {@link ImageFolderOptions}. */
export const imageFolderOptions = ['size', 'grey', 'fit', 'testShare', 'onProgress', 'onWarning'] as const;

/** A data set made of files, some of which could not be read. */
export interface ImageFolderSet extends SampleSet {
  /** Files that are damaged or cannot be read, in the order of their paths. */
  readonly skipped: readonly SkippedFile[];
}

const IMAGE = /\.(png|jpe?g|webp)$/i;
/** Names of folders that hold the held-out images, beside one called train. */
const HELD_OUT = ['test', 'val', 'valid', 'validation'];

interface Found {
  readonly path: string;
  /** Folders between the root and the file. */
  readonly folders: readonly string[];
}

/**
 * A data set of all PNG, JPEG and WebP files in a folder and its sub folders, decoded into memory: size² bytes for each image
 * and channel, so that 50,000 images of 64 x 64 in colour take 614 MB. Transparent pixels are put on white, photographs
 * turned as their EXIF data says. Names that begin with a dot, and links to folders, are passed over.
 *
 * If all images lie in sub folders, those are the classes. If all lie in `train` and in `test` (or `val`), that is the
 * split; otherwise a hash of each file's content decides, so that copies of a file are on one side and a file stays on its
 * side when others come.
 * @throws Error naming the folder if it is missing or no folder, or without two different images that can be read;
 * RangeError for an option out of range
 * @example
 * const set = await imageFolder('photographs', { size: 32, grey: true });
 */
export async function imageFolder(folder: string, options: ImageFolderOptions = {}): Promise<ImageFolderSet> {
  const { size = 64, grey = false, fit = 'crop', ...rest } = checked('imageFolder', options, imageFolderOptions);
  const { testShare = 0.1, onProgress, onWarning = console.warn } = rest;
  checkRange('imageFolder', 'size', ranges.count, size);
  checkRange('imageFolder', 'fit', ranges.oneOf(['crop', 'pad', 'stretch']), fit);
  if (!(testShare > 0 && testShare < 1)) {
    throw new RangeError(`imageFolder: testShare must be above 0 and below 1, not ${testShare}`);
  }
  const found = await findImages(folder);
  const { images, skipped } = await decodeImages(found, { size, grey, fit, ...(onProgress && { onProgress }) });
  if (skipped.length > 0) {
    const [{ path, reason }] = skipped as [SkippedFile];
    onWarning(`${folder}: ${skipped.length} of ${found.length} images were skipped, such as ${path} (${reason})`);
  }
  if (new Set(images.map(({ hash }) => hash)).size < 2) {
    const firstBroken = skipped[0] ? `; ${skipped[0].path} cannot be read (${skipped[0].reason})` : '';
    throw new Error(
      `${folder} holds ${found.length} PNG, JPEG or WebP files and no two different images that can be read, one to learn from ` +
        `and one to hold out${firstBroken}: name a folder of images`,
    );
  }

  const first = (image: (typeof images)[number]) => image.file.folders[0] ?? '';
  const isSplit =
    images.every((image) => ['train', ...HELD_OUT].includes(first(image))) &&
    images.some((image) => first(image) === 'train') &&
    images.some((image) => first(image) !== 'train');
  const depth = isSplit ? 1 : 0;
  const hasClasses = images.every(({ file }) => file.folders.length > depth);
  const classes = hasClasses ? [...new Set(images.map(({ file }) => file.folders[depth]!))].sort() : undefined;
  const hashed = images.map(({ file, pixels, hash }): HashedImage & { readonly held: boolean } => ({
    pixels,
    hash,
    held: file.folders[0] !== 'train',
    ...(classes && { label: classes.indexOf(file.folders[depth]!) }),
  }));
  const { train, test } = isSplit
    ? { train: hashed.filter(({ held }) => !held), test: hashed.filter(({ held }) => held) }
    : splitByHash(hashed, testShare);
  return {
    name: 'folder',
    title: `images of ${basename(resolve(folder))}`,
    kind: 'images',
    shape: [size, size, grey ? 1 : 3],
    train: samplesOf(train, classes?.length),
    test: samplesOf(test, classes?.length),
    ...(classes && { classes }),
    skipped,
  };
}

/** Image files in a folder and below, by path. A link to nowhere is found too, to be named among what cannot be read. */
async function findImages(root: string): Promise<Found[]> {
  try {
    if (!(await stat(root)).isDirectory()) throw new Error(`${root} is a file: name a folder of images`);
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    return (
      entries
        .filter((entry) => (entry.isFile() || entry.isSymbolicLink()) && IMAGE.test(entry.name))
        // Node before 20.12 has `path` in place of `parentPath`.
        .map(({ name, path, parentPath = path }) => ({
          path: join(parentPath, name),
          folders: relative(root, parentPath).split(sep).filter(Boolean),
          name,
        }))
        .filter(({ folders, name }) => ![...folders, name].some((part) => part.startsWith('.')))
        .sort((a, b) => (a.path < b.path ? -1 : 1))
    );
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause;
    throw new Error(`cannot read ${root} (${code}): name a folder of images`, { cause });
  }
}
