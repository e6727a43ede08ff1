import { type OptionRange, ranges } from '../engine/internal.ts';
import { count, number, openNumber, type Settings } from './settings.ts';

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
  /** How often in a run pictures are drawn, figures measured and a checkpoint written. */
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

/** The table of {@link RunSettings}. */
export const runSettings: Settings<RunSettings> = {
  data: {
    default: 'mnist',
    range: text,
    about: 'data set; `wgrad data` describes them',
    value: 'name',
    read: (t) => t,
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

/** The ranges of the options of data sets that have a flag; the data sets check the others. */
export const dataSettings: Readonly<
  Record<'folder' | 'classes' | 'size' | 'grey' | 'vendor' | 'hand' | 'hands', OptionRange>
> = {
  folder: text,
  classes: names,
  size: ranges.whole(8, 256),
  grey: ranges.flag,
  vendor: text,
  hand: text,
  hands: names,
};
