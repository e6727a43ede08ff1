/** The parts of a data set that folders are named after. */
export type Split = 'train' | 'test';

/** Names of folders with images to learn from. */
const TRAIN = ['train', 'training', 'trn', 'learn'];
/** Names of folders with held-out images. */
const HELD_OUT = [
  'test',
  'testing',
  'tst',
  'val',
  'valid',
  'validation',
  'dev',
  'devel',
  'eval',
  'evaluation',
  'heldout',
  'holdout',
];
/** What such names may end with, as in `training_set` and `test-images`. */
const ENDING = /(set|split|data|images?|imgs?|pictures|photos|samples)$/;

/** The part that a word stands for. */
const partOf = (word: string): Split | undefined =>
  TRAIN.includes(word) ? 'train' : HELD_OUT.includes(word) ? 'test' : undefined;

/** The words of a name, without numbers and what says only that it holds data: of `01_trainImages` it is `train`. */
const wordsOf = (name: string): string[] =>
  name
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .filter((word) => word.replace(ENDING, '') !== '');

/** Two domains of unpaired translation, as in `trainA` and `testB`. */
const DOMAIN = /^(train|test|val)([ab])$/;

const wordOf = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/** The part that a folder's name stands for, in any case and spelling; undefined for the name of a class. */
export function splitNamed(name: string): Split | undefined {
  const word = wordOf(name);
  for (const candidate of [word, word.replace(ENDING, ''), word.replace(DOMAIN, '$1'), wordsOf(name).join(' ')]) {
    const part = partOf(candidate);
    if (part) return part;
  }
  return undefined;
}

/**
 * The parts that names beside each other stand for: those that say so alone, and pairs that differ in nothing else, such as
 * `seg_train` and `seg_test`; `train station` and `test tube` are no pair.
 */
function partsAmong(names: readonly string[]): ReadonlyMap<string, Split> {
  const paired = names.flatMap((name) => {
    const words = wordsOf(name);
    const at = words.findIndex((word) => partOf(word) !== undefined);
    return at < 0 ? [] : [{ name, part: partOf(words[at]!)!, rest: words.filter((_, i) => i !== at).join(' ') }];
  });
  const parts = new Map<string, Split>();
  for (const name of names) {
    const own = paired.find((p) => p.name === name);
    const isPair = own && paired.some((p) => p.rest === own.rest && p.part !== own.part);
    const part = splitNamed(name) ?? (isPair ? own.part : undefined);
    if (part) parts.set(name, part);
  }
  return parts;
}

/** How the folders of images are read. */
export interface FolderPlan {
  /** The part of a file; undefined for one that lies in none of the two. Absent where no folders are the split. */
  readonly splitOf?: (folders: readonly string[]) => Split | undefined;
  /** The class of a file; undefined for one that lies in no class folder. */
  readonly classOf: (folders: readonly string[]) => string | undefined;
  /** What readers should know, a clause each. */
  readonly notes: readonly string[];
}

/**
 * Reads the names of folders. A folder that holds all others is passed through. Beside each other, folders named as images to
 * learn from and folders named as held-out ones are the split, and those below them classes; so they are inside each of several
 * class folders. Otherwise the folders are classes.
 * @param files the folders of each image, outermost first
 */
export function planFolders(files: readonly (readonly string[])[]): FolderPlan {
  const notes: string[] = [];
  const namesAt = (depth: number): string[] =>
    [...new Set(files.map((folders) => folders[depth]))].filter((name) => name !== undefined);
  const isSplit = (names: readonly string[]): boolean => new Set(partsAmong(names).values()).size === 2;
  for (let depth = 0; ; depth++) {
    const names = namesAt(depth);
    const splitAt = (at: number) => {
      const parts = partsAmong(namesAt(at));
      return (folders: readonly string[]) => parts.get(folders[at] ?? '');
    };
    if (isSplit(names)) {
      // Some archives hold the folder once more inside of itself.
      const classOf = (folders: readonly string[]) =>
        DOMAIN.exec(wordOf(folders[depth] ?? ''))?.[2]?.toUpperCase() ??
        folders[folders[depth + 1] === folders[depth] ? depth + 2 : depth + 1];
      return { splitOf: splitAt(depth), classOf, notes };
    }
    const classOf = (folders: readonly string[]) => folders[depth];
    const like = names.filter(splitNamed);
    const holdsAll = names.length === 1 && files.every((folders) => folders.length > depth);
    if (!holdsAll && like.length === 0 && isSplit(namesAt(depth + 1))) {
      return { splitOf: splitAt(depth + 1), classOf, notes };
    }
    if (holdsAll && like.length > 0) {
      const other =
        splitNamed(names[0]!) === 'train' ? 'held-out images, such as test' : 'images to learn from, such as train';
      notes.push(`there is a folder ${names[0]}, but none of ${other}, so that their content decides what is held out`);
    } else if (like.length > 0) {
      const [are, one] = like.length > 1 ? ['are', 'classes'] : ['is', 'a class'];
      notes.push(
        `${like.join(', ')} ${are} read as ${one}: there is no folder of the other part, such as train or test, beside`,
      );
    }
    // What holds all images is no class if there are folders in it, or if it is named as a part of the data.
    const passes = holdsAll && (like.length > 0 || files.every((folders) => folders.length > depth + 1));
    if (!passes) return { classOf, notes };
  }
}
