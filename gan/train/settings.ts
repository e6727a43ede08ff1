/**
 * What each setting of a run may be: the command line's options and `config.json` are held to the same.
 * @module
 */
import { checkRange, type OptionRange, ranges } from '../../engine/index.ts';
import { models } from '../networks/models.ts';
import { criticNorms } from '../networks/parts.ts';
import { objectiveNames } from '../objectives/objective.ts';
import { regularizerNames } from '../objectives/regularizer.ts';
import { parseRegularizer } from './assemble.ts';
import { optimizerNames, type TrainConfig } from './config.ts';

/** The longest run, in seconds: a timer of Node's takes 24 days. */
export const MOST_SECONDS = 500 * 3600;

/** Regularisers of one critic: more than there are kinds of. */
const MOST_REGULARIZERS = 16;

/** Batches that one step may take: each is a part of the recorded step. */
const MOST_BATCHES = 10_000;

const text: OptionRange = { holds: (v) => typeof v === 'string' && v.trim() !== '', says: 'a text' };

const names: OptionRange = {
  holds: (v) => Array.isArray(v) && v.length > 0 && v.length <= 1000 && v.every(text.holds),
  says: 'a list of 1 to 1000 names',
};

const regularizers: OptionRange = {
  holds: (v) => Array.isArray(v) && v.length <= MOST_REGULARIZERS && v.every(isRegularizer),
  says: `a list of at most ${MOST_REGULARIZERS} regularisers (${regularizerNames.join(', ')}), each as name or name=strength, such as r1=10`,
};

function isRegularizer(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  try {
    parseRegularizer(value);
    return true;
  } catch {
    return false; // the range says what it must be
  }
}

/** The range of each setting; one that may be open is `null` then, see {@link open}. */
export const settings: { readonly [K in keyof TrainConfig]: OptionRange } = {
  data: text,
  dataOptions: { holds: (v) => typeof v === 'object' && v !== null && !Array.isArray(v), says: 'an object' },
  model: ranges.oneOf(Object.keys(models)),
  latent: ranges.whole(1, 4096),
  width: ranges.whole(1, 4096),
  criticNorm: ranges.oneOf(criticNorms),
  objective: ranges.oneOf(objectiveNames),
  labelSmoothing: ranges.belowOne,
  regularizers,
  instanceNoise: ranges.notNegative,
  optimizer: ranges.oneOf(optimizerNames),
  criticRate: ranges.positive,
  generatorRate: ranges.positive,
  betas: {
    holds: (v) => Array.isArray(v) && v.length === 2 && v.every(ranges.belowOne.holds),
    says: 'two numbers from 0 to less than 1, such as 0.5,0.9',
  },
  rateDecay: ranges.share,
  criticSteps: ranges.whole(1, 1000),
  batch: ranges.whole(1, 65_536),
  accumulate: ranges.whole(1, 1024),
  emaDecay: ranges.belowOne,
  steps: ranges.whole(1, 1e9),
  seconds: {
    holds: (v) => ranges.positive.holds(v) && (v as number) <= MOST_SECONDS,
    says: `a number of seconds above 0, at most ${MOST_SECONDS}`,
  },
  snapshots: ranges.whole(1, 10_000),
  checkpointEvery: ranges.whole(1, 1e9),
  seed: ranges.seed,
};

/** Settings that `null` leaves open. */
const open: readonly (keyof TrainConfig)[] = ['latent', 'width', 'criticNorm', 'steps', 'seconds', 'checkpointEvery'];

/** The range of the options of data sets that have a flag; the data sets check the others. */
export const dataSettings: Readonly<Record<'folder' | 'classes' | 'size' | 'grey' | 'vendor' | 'hand', OptionRange>> = {
  folder: text,
  classes: names,
  size: ranges.whole(8, 256),
  grey: ranges.flag,
  vendor: text,
  hand: text,
};

/** A range that also takes `null`. */
export const orNull = ({ holds, says }: OptionRange): OptionRange => ({
  holds: (v) => v === null || holds(v),
  says: `${says}, or null`,
});

/** The range of a setting in a file, where `null` leaves some open. */
export const settingRange = (name: keyof TrainConfig): OptionRange =>
  open.includes(name) ? orNull(settings[name]) : settings[name];

/**
 * A configuration that is one, every setting in its range.
 * @param owner whose it is, for errors: a file, or what was called
 * @throws RangeError that names the owner, the setting and what it must be
 */
export function checkConfig(owner: string, config: TrainConfig): TrainConfig {
  for (const name of Object.keys(settings) as (keyof TrainConfig)[]) {
    checkRange(owner, name, settingRange(name), config[name]);
  }
  for (const [name, range] of Object.entries(dataSettings)) {
    if (Object.hasOwn(config.dataOptions, name)) {
      checkRange(owner, `dataOptions.${name}`, range, config.dataOptions[name]);
    }
  }
  const { criticSteps, accumulate, steps, seconds } = config;
  if (criticSteps * accumulate > MOST_BATCHES) {
    throw new RangeError(
      `${owner}: criticSteps ${criticSteps} times accumulate ${accumulate} are ${criticSteps * accumulate} batches in a step, and at most ${MOST_BATCHES} go into one`,
    );
  }
  if (steps === null && seconds === null) {
    throw new RangeError(`${owner}: steps and seconds are both null, and one of them must say when the run ends`);
  }
  return config;
}
