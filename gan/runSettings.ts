import { type OptionRange, ranges } from '../engine/internal.ts';
import { count, number, openNumber, type Setting, type Settings } from './settings.ts';

/** The settings that every run has, whatever it trains. */
export interface RunSettings {
  /** Data set; `wgrad data` lists them. */
  readonly data: string;
  /** Options of the data set: folder, classes, size, ... */
  readonly dataOptions: Readonly<Record<string, unknown>>;
  /** Steps; null until a run that is limited by time knows how many fit. */
  readonly steps: number | null;
  /** Seconds that the run may take; null for no limit. */
  readonly seconds: number | null;
  /** Samples in a batch. */
  readonly batch: number;
  /** The learning rates fall in a straight line to this share at the last step. */
  readonly rateDecay: number;
  /** How often in a run pictures are drawn, scores measured and a checkpoint written. */
  readonly snapshots: number;
  /** Steps between checkpoints; null for those of the snapshots alone. */
  readonly checkpointEvery: number | null;
  /** The same seed on the same adapter gives the same run. */
  readonly seed: number;
}

/** The longest run, in seconds: a timer of Node's takes 24 days. */
export const MOST_SECONDS = 500 * 3600;

const text: OptionRange = { holds: (v) => typeof v === 'string' && v.trim() !== '', says: 'a text' };

const names: OptionRange = {
  holds: (v) => Array.isArray(v) && v.length > 0 && v.length <= 1000 && v.every(text.holds),
  says: 'a list of 1 to 1000 names',
};

const seconds: OptionRange = {
  holds: (v) => ranges.positive.holds(v) && (v as number) <= MOST_SECONDS,
  says: `a number of seconds above 0, at most ${MOST_SECONDS}`,
};

const namesOf = (text: string): string[] => text.split(',').map((name) => name.trim());
const asItIs = (text: string): string => text;

/** The table of {@link RunSettings}. */
export const runSettings: Settings<RunSettings> = {
  data: {
    default: 'mnist',
    range: text,
    about: 'data set; `wgrad data` describes them',
    value: 'name',
    read: asItIs,
  },
  dataOptions: {
    default: {},
    range: { holds: (v) => typeof v === 'object' && v !== null && !Array.isArray(v), says: 'an object' },
    about: 'options of the data set',
  },
  steps: openNumber(ranges.whole(1, 1e9), 'steps of the whole run'),
  seconds: openNumber(seconds, 'such as 90s, 10m or 1h30m: as many steps as fit, pictures included', {
    flag: '--time',
    value: 'duration',
  }),
  batch: count(32, 'samples in a batch'),
  rateDecay: number(1, ranges.share, 'the learning rates fall in a straight line to this share', { value: 'share' }),
  snapshots: number(8, ranges.whole(1, 10_000), 'pictures, measurements and checkpoints in a run'),
  checkpointEvery: openNumber(ranges.whole(1, 1e9), 'checkpoints between them', { value: 'steps' }),
  seed: number(0, ranges.seed, 'the same seed on the same adapter gives the same run'),
};

/** The options of data sets that have a flag; the data sets know the defaults, and check the others. */
export const dataSettings: Readonly<Record<string, Omit<Setting<unknown>, 'default'>>> = {
  folder: {
    range: text,
    about: 'folder with your images, or with the files of --data; of --resume, where they lie now',
    flag: '--data-folder',
    value: 'path',
    read: asItIs,
  },
  classes: {
    range: names,
    about: 'only these classes of the data set, such as 3,8 or bag,sandal',
    value: 'names',
    read: namesOf,
  },
  size: { range: ranges.whole(8, 256), about: 'height and width of the images', value: 'pixels' },
  grey: { range: ranges.flag, about: 'grey images, of a folder of images' },
  vendor: { range: text, about: 'whose emoji: google, apple, twitter or facebook', value: 'name', read: asItIs },
  hand: { range: text, about: 'the hand of Chinese characters: ming, hei or kai', value: 'name', read: asItIs },
  hands: {
    range: names,
    about: 'from which hand to which, of glyph-pairs, such as ming,kai (default: ming,hei)',
    value: 'names',
    read: namesOf,
  },
};
