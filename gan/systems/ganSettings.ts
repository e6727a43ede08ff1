import { type OptionRange, ranges } from '../../engine/internal.ts';
import { type ModelName, models } from '../networks/models.ts';
import { type CriticNorm, criticNorms } from '../networks/parts.ts';
import { type ObjectiveName, objectiveNames } from '../objectives/objective.ts';
import { parseRegularizer, regularizerNames } from '../objectives/regularizer.ts';
import { choice, count, number, openNumber, rate, type Settings } from '../settings.ts';
import { type OptimizerName, optimizerNames } from './optimizers.ts';

/** What decides a GAN of two networks. */
export interface GanSettings {
  /** The name of the pair of networks in the table of models. */
  readonly model: ModelName;
  /** Length of a latent code; null for the model's own. */
  readonly latent: number | null;
  /** Channels or units of the generator; null for the model's own. */
  readonly width: number | null;
  /** Normalisation of the critic's hidden layers; null for what suits model and regularisers. */
  readonly criticNorm: CriticNorm | null;
  /** What critic and generator minimise. */
  readonly objective: ObjectiveName;
  /** How far the labels of real samples are lowered from 1 (one-sided label smoothing), 0 to less than 1. */
  readonly labelSmoothing: number;
  /** `name` or `name=strength`, in the order in which they apply. */
  readonly regularizers: readonly string[];
  /** The standard deviation of the noise on what the critic sees, at the first step; it falls to 0 at the end. */
  readonly instanceNoise: number;
  /** The optimizer of both networks. */
  readonly optimizer: OptimizerName;
  /** The critic's learning rate at the start. */
  readonly criticRate: number;
  /** The generator's learning rate at the start. */
  readonly generatorRate: number;
  /** Decay rates of Adam. */
  readonly betas: readonly [number, number];
  /** Updates of the critic before each of the generator. */
  readonly criticSteps: number;
  /** Batches whose mean gradient makes one update. */
  readonly accumulate: number;
  /** Decay of the average of the generator's weights; 0 for none. */
  readonly emaDecay: number;
}

/** Regularisers of one critic: more than there are kinds of. */
const MOST_REGULARIZERS = 16;

function isRegularizer(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  try {
    parseRegularizer(value);
    return true;
  } catch {
    return false; // the range says what it must be
  }
}

const someRegularizers: OptionRange = {
  holds: (v) => Array.isArray(v) && v.length <= MOST_REGULARIZERS && v.every(isRegularizer),
  says: `a list of at most ${MOST_REGULARIZERS} regularisers (${regularizerNames.join(', ')}), each as name or name=strength, such as r1=10`,
};

const twoBetas: OptionRange = {
  holds: (v) => Array.isArray(v) && v.length === 2 && v.every(ranges.belowOne.holds),
  says: 'two numbers from 0 to less than 1, such as 0.5,0.9',
};

/** The table of {@link GanSettings}. */
export const ganSettings: Settings<GanSettings> = {
  model: choice('dcgan-small', Object.keys(models) as ModelName[], 'networks'),
  latent: openNumber(ranges.whole(1, 4096), 'length of a latent code'),
  width: openNumber(ranges.whole(1, 4096), 'channels or units of the generator'),
  criticNorm: {
    default: null,
    range: ranges.oneOf(criticNorms),
    about: 'normalisation in the critic',
    open: true,
    choices: criticNorms,
    value: 'kind',
  },
  objective: choice('wasserstein', objectiveNames, 'what critic and generator minimise'),
  labelSmoothing: number(0, ranges.belowOne, 'one-sided label smoothing', { value: 'share' }),
  regularizers: {
    default: ['gradient-penalty'],
    range: someRegularizers,
    about: `any of ${regularizerNames.join(', ')}; or none; may be given several times`,
    flag: '--regularizer',
    value: 'name[=strength]',
    read(text, before = []) {
      if (text === 'none') return [];
      parseRegularizer(text);
      return [...before, text];
    },
  },
  instanceNoise: number(0, ranges.notNegative, 'noise on what the critic sees, which fades to 0', { value: 'sigma' }),
  optimizer: choice('adam', optimizerNames, 'of both networks'),
  criticRate: rate(4e-3, "the critic's learning rate"),
  generatorRate: rate(4e-3, "the generator's learning rate"),
  betas: {
    default: [0.5, 0.9],
    range: twoBetas,
    about: "Adam's decay rates",
    value: 'a,b',
    read: (text) => text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part))) as never,
  },
  criticSteps: count(2, 'updates of the critic before each of the generator', 1000),
  accumulate: count(1, 'batches whose mean gradient makes one update', 1024),
  emaDecay: number(0.99, ranges.belowOne, "average of the generator's weights that samples come from; 0 for none", {
    flag: '--ema',
    value: 'decay',
  }),
};
