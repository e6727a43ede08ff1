import { readdir, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { printable } from '../printable.ts';
import { decodeImages, hashOf, type ImageFit, type SkippedFile } from './decodeImages.node.ts';
import { type FoundImages, findImages } from './findImages.node.ts';
import { type HashedImage, samplesOf, splitByHash } from './heldOut.ts';
import { IMAGE_FORMATS } from './imageFormats.ts';
import type { SampleSet } from './sampleSet.ts';
import { planFolders } from './splitFolders.ts';

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
  /** Gets the one line about what was skipped or is not as it seems: see {@link imageFolder}. Default `console.warn`. */
  readonly onWarning?: (line: string) => void;
}

/** The names of {@link ImageFolderOptions}. */
export const imageFolderOptions = ['size', 'grey', 'fit', 'testShare', 'onProgress', 'onWarning'] as const;

/** A data set made of files, some of which could not be read. */
export interface ImageFolderSet extends SampleSet {
  /** Images and folders that are damaged, of a format that is not read or cannot be opened, in the order of their paths. */
  readonly skipped: readonly SkippedFile[];
}

/** Bytes that a data set may take: what an array of bytes may hold. */
const MOST_BYTES = 2 ** 32 - 1;

/** An image with what its folders say. */
interface Placed extends HashedImage {
  readonly path: string;
  readonly className: string | undefined;
}

/**
 * A data set of all images in a folder and its sub folders (PNG, JPEG, WebP, GIF, TIFF, AVIF, told by their content; of animations the
 * first picture), decoded into memory: size² bytes for each image and channel, so that 50,000 images of 64 x 64 in colour take 614 MB.
 * Transparent pixels are put on white, photographs turned as their EXIF data says. Links are followed, each folder is read once, and
 * names that begin with a dot are passed over.
 *
 * If all images lie in sub folders, those are the classes. Folders named as images to learn from (`train`, `Training`, ...) and as
 * held-out ones (`test`, `val`, `valid`, `dev`, `eval`, ...) beside each other are the split; what lies outside of both is left out, and
 * so are copies of held-out images among those to learn from. Without such folders a hash of each file's content decides, so that
 * copies of a file are on one side and a file stays on its side when others come.
 *
 * What is not as it seems is told in one line, with counts and the first names: images that are damaged, too large (134 million pixels)
 * or of another format, links and folders that lead nowhere or back, hidden images, classes that a split has no image of, images in no class folder.
 * @throws Error naming the folder if it is missing or no folder, or without two different images that can be read;
 * RangeError for an option out of range, or images that take more than 4 GiB at that size
 * @example
 * const set = await imageFolder('photographs', { size: 32, grey: true });
 */
export async function imageFolder(folder: string, options: ImageFolderOptions = {}): Promise<ImageFolderSet> {
  const { size = 64, grey = false, fit = 'crop', ...rest } = checked('imageFolder', options, imageFolderOptions);
  const { testShare = 0.1, onProgress, onWarning = console.warn } = rest;
  checkRange('imageFolder', 'size', ranges.count, size);
  checkRange('imageFolder', 'fit', ranges.oneOf(['crop', 'pad', 'stretch']), fit);
  const inside = {
    holds: (v: unknown) => ranges.positive.holds(v) && ranges.belowOne.holds(v),
    says: 'above 0 and below 1',
  };
  checkRange('imageFolder', 'testShare', inside, testShare);
  const { found, passed, ...about } = await searched(folder);
  const bytes = found.length * size ** 2 * (grey ? 1 : 3);
  if (bytes > MOST_BYTES) {
    const [need, most] = [bytes, MOST_BYTES].map((n) => `${(n / 2 ** 30).toFixed(1)} GiB`);
    throw new RangeError(
      `imageFolder: ${found.length} images of ${size} x ${size} take ${need}, and at most ${most} are held in memory: give a smaller size, or fewer images`,
    );
  }
  const passedFiles = passed.filter(({ isFolder }) => !isFolder);
  const decoded = await decodeImages(found, { size, grey, fit, ...(onProgress && { onProgress }) });
  const byPath = (a: SkippedFile, b: SkippedFile): number => (a.path < b.path ? -1 : 1);
  const skippedFiles = [...passedFiles, ...decoded.skipped].sort(byPath);
  const skippedFolders = passed.filter(({ isFolder }) => isFolder);
  const skipped = [...skippedFiles, ...skippedFolders].map(({ path, reason }) => ({ path, reason })).sort(byPath);
  const total = found.length + passedFiles.length;
  const plan = planFolders(decoded.images.map(({ file }) => file.folders));
  const placed = decoded.images.map(({ file, pixels, hash }) => ({
    ...{ pixels, hash, path: file.path, className: plan.classOf(file.folders), split: plan.splitOf?.(file.folders) },
  }));
  const notes: string[] = [];
  const reasons = (list: readonly SkippedFile[]) =>
    list
      .slice(0, 3)
      .map(({ path, reason }) => `${path} (${reason})`)
      .join(', ');
  if (skippedFiles.length > 0) {
    notes.push(`${skippedFiles.length} of ${total} images were skipped, such as ${reasons(skippedFiles)}`);
  }
  if (skippedFolders.length > 0) {
    notes.push(`folders that were not read: ${skippedFolders.length}, such as ${reasons(skippedFolders)}`);
  }
  notes.push(...plan.notes);

  let parts: Record<'train' | 'test', Placed[]>;
  if (plan.splitOf) {
    const [test, outside] = ['test', undefined].map((part) => placed.filter(({ split }) => split === part));
    const held = new Set(test!.map(({ hash }) => hash));
    const learnt = placed.filter(({ split }) => split === 'train');
    const copies = learnt.filter(({ hash }) => held.has(hash));
    parts = { test: test!, train: learnt.filter(({ hash }) => !held.has(hash)) };
    if (copies.length > 0) notes.push(`${counted(copies)} to learn from are held out too and were left out`);
    if (outside!.length > 0)
      notes.push(`${counted(outside!)} lie neither in a folder to learn from nor in a held-out one and were left out`);
  } else if (new Set(placed.map(({ hash }) => hash)).size >= 2) parts = splitByHash(placed, testShare);
  else parts = { train: [], test: [] };

  const { train, test } = parts;
  const classes = classNames([...train, ...test], notes);
  if (classes) notes.push(...missingClasses(classes, parts, about.folders, plan.classOf));
  if (about.hidden.length > 0) notes.push(`${about.hidden.length} hidden, such as ${some(about.hidden)}`);
  if (notes.length > 0) onWarning(printable(`${folder}: ${notes.join('; ')}`));
  if (train.length === 0 || test.length === 0) {
    const firstBroken = skipped[0] ? `; ${skipped[0].path} cannot be read (${skipped[0].reason})` : '';
    const idx = (await readdir(folder)).some((name) => /-ubyte(\.gz)?$/.test(name));
    throw new Error(
      `${folder} holds ${total} ${IMAGE_FORMATS} files and no two different images that can be read, one to learn from ` +
        `and one to hold out${firstBroken}: name a folder of images${idx ? ', or the data set that its IDX files are of (--data mnist)' : ''}`,
    );
  }
  const labelled = (images: readonly Placed[]): HashedImage[] =>
    images.map(({ pixels, hash, className }) => ({
      pixels,
      hash,
      ...(classes && { label: classes.indexOf(className!) }),
    }));
  return {
    name: 'folder',
    title: printable(`images of ${basename(resolve(folder))}`),
    kind: 'images',
    shape: [size, size, grey ? 1 : 3],
    train: samplesOf(labelled(train), classes?.length),
    test: samplesOf(labelled(test), classes?.length),
    ...(classes && { classes }),
    fingerprint: hashOf(JSON.stringify([train, test].map((part) => part.map((i) => [i.hash, i.className])))),
    skipped,
  };
}

/** Names of classes, by label, if every image has one. Adds to the notes why they are not used. */
function classNames(images: readonly Placed[], notes: string[]): string[] | undefined {
  const without = images.filter(({ className }) => className === undefined);
  if (without.length === 0)
    return images.length === 0 ? undefined : [...new Set(images.map((i) => i.className!))].sort();
  if (without.length < images.length)
    notes.push(`there are no classes, since ${counted(without)} lie in no class folder`);
  return undefined;
}

/** Clauses about classes of which a part of the set, or the whole of it, has no image. */
function missingClasses(
  classes: readonly string[],
  parts: Readonly<Record<'train' | 'test', readonly Placed[]>>,
  folders: FoundImages['folders'],
  classOf: (folders: readonly string[]) => string | undefined,
): string[] {
  const clauses: string[] = [];
  const report = (names: readonly string[], where: string): void => {
    const [noun, verb] = names.length === 1 ? ['class', 'has'] : ['classes', 'have'];
    if (names.length > 0) clauses.push(`${names.length} ${noun} ${verb} no image ${where}: ${some(names)}`);
  };
  const words = { train: 'to learn from', test: 'among the held-out ones' } as const;
  for (const part of ['train', 'test'] as const) {
    const there = new Set(parts[part].map(({ className }) => className));
    report(
      classes.filter((name) => !there.has(name)),
      words[part],
    );
  }
  const named = folders.map(classOf).filter((name) => name !== undefined && !classes.includes(name)) as string[];
  report([...new Set(named)], 'that can be read');
  return clauses;
}

/** The first names of a list, and how many more there are. */
const some = (names: readonly string[]): string =>
  names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');

const counted = (images: readonly Placed[]): string =>
  `${images.length} image${images.length === 1 ? '' : 's'} (${some(images.map(({ path }) => path))})`;

/** What lies in the folder. @throws Error naming it if it cannot be read */
async function searched(root: string): Promise<FoundImages> {
  try {
    if (!(await stat(root)).isDirectory()) throw new Error(`${root} is a file: name a folder of images`);
    return await findImages(root);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause;
    throw new Error(`cannot read ${root} (${code}): name a folder of images`, { cause });
  }
}
