import { type OptionRange, ranges } from '../../engine/internal.ts';
import { Adam, RMSprop, SGD } from '../../nn/index.ts';
import type { SampleSet } from '../data/sampleSet.ts';
import { trainingLoader } from '../data/trainingData.ts';
import { createNetworks, type ModelName, models } from '../networks/models.ts';
import type { Networks } from '../networks/networks.ts';
import { type CriticNorm, criticNorms } from '../networks/parts.ts';
import { type ObjectiveName, objective, objectiveNames } from '../objectives/objective.ts';
import { type Regularizer, type RegularizerName, regularizer, regularizerNames } from '../objectives/regularizer.ts';
import type { MakeOptimizer } from '../player.ts';
import { rowsOf } from '../rows.ts';
import type { RunSettings } from '../runSettings.ts';
import { choice, count, number, openNumber, rate, type Settings } from '../settings.ts';
import type { StepRow } from '../train.ts';
import { Gan } from './adversarial.ts';
import type { Making, Preset, SystemRow } from './row.ts';

/** Optimizers that a configuration may name. */
export const optimizerNames = ['adam', 'rmsprop', 'sgd'] as const;

/** An optimizer by its name. */
export type OptimizerName = (typeof optimizerNames)[number];

/** What decides a GAN of two networks. */
export interface GanSettings {
  /** Networks. */
  readonly model: ModelName;
  /** Length of a latent code; null for the model's own. */
  readonly latent: number | null;
  /** Channels or units of the generator; null for the model's own. */
  readonly width: number | null;
  /** Normalisation of the critic's hidden layers; null for what suits model and regularisers. */
  readonly criticNorm: CriticNorm | null;
  /** What critic and generator minimise. */
  readonly objective: ObjectiveName;
  /** 0 to less than 1. */
  readonly labelSmoothing: number;
  /** `name` or `name=strength`, in the order in which they apply. */
  readonly regularizers: readonly string[];
  /** Standard deviation at the start; falls to 0 at the end. */
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

/** Batches that one step may take: each is a part of the captured step. */
const MOST_BATCHES = 10_000;

/** The regulariser that `name` or `name=strength` says. @throws TypeError, RangeError as {@link regularizer} */
export function parseRegularizer(text: string): Regularizer {
  const [name, strength, ...rest] = text.split('=');
  if (strength === undefined) return regularizer(name as RegularizerName);
  const value = strength.trim() === '' || rest.length > 0 ? Number.NaN : Number(strength);
  if (Number.isNaN(value)) throw new TypeError(`${text}: write a regulariser as name or name=strength, such as r1=10`);
  return regularizer(name as RegularizerName, value);
}

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

const options: Settings<GanSettings> = {
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

type Choices = Partial<GanSettings & RunSettings>;

/** Points: small networks and a penalty of 0.1, which Gulrajani et al. take for toy data in their code. */
const onPoints: Choices = {
  model: 'mlp',
  regularizers: ['gradient-penalty=0.1'],
  batch: 128,
  criticSteps: 2,
  criticRate: 1e-3,
  generatorRate: 1e-3,
  steps: 1000,
};

/** How DCGAN was trained (Radford et al. 2016, section 4), and much that followed it. */
const likeDcgan: Choices = {
  regularizers: [],
  criticRate: 2e-4,
  generatorRate: 2e-4,
  betas: [0.5, 0.999],
  rateDecay: 1,
  criticSteps: 1,
  batch: 64,
  emaDecay: 0,
};

/** The same networks for the objectives that are not Wasserstein's, on points. */
const plainPoints: Choices = { ...onPoints, regularizers: [], criticSteps: 1, emaDecay: 0 };

/** The objectives of the papers, with what their authors used where that still works in minutes on two cores. */
export const presets = rowsOf<Preset<GanSettings>>()({
  'wgan-gp': {
    title: 'Wasserstein GAN with gradient penalty (Gulrajani et al. 2017), small and fast: the default',
    settings: {
      images: {},
      points: onPoints,
    },
  },
  wgan: {
    title: 'Wasserstein GAN with clipped weights and RMSprop (Arjovsky et al. 2017)',
    settings: {
      images: {
        regularizers: ['weight-clipping'],
        optimizer: 'rmsprop',
        criticRate: 5e-4,
        generatorRate: 5e-4,
        criticSteps: 5,
        batch: 64,
        rateDecay: 1,
        emaDecay: 0,
      },
      points: { ...onPoints, regularizers: ['weight-clipping=0.1'], optimizer: 'rmsprop', rateDecay: 1, emaDecay: 0 },
    },
  },
  dcgan: {
    title: 'DCGAN: non-saturating, one critic step, batch norm in both networks (Radford et al. 2016)',
    settings: {
      images: { ...likeDcgan, model: 'dcgan', width: 32, objective: 'non-saturating' },
      points: { ...plainPoints, objective: 'non-saturating' },
    },
  },
  gan: {
    title: 'the first GAN: minimax, multilayer perceptrons (Goodfellow et al. 2014)',
    settings: {
      images: { ...likeDcgan, model: 'mlp', objective: 'minimax' },
      points: { ...plainPoints, objective: 'minimax' },
    },
  },
  lsgan: {
    title: 'least squares GAN (Mao et al. 2017)',
    settings: {
      images: { ...likeDcgan, model: 'dcgan', width: 32, objective: 'least-squares' },
      points: { ...plainPoints, objective: 'least-squares' },
    },
  },
  sngan: {
    title: 'hinge loss and spectral norm (Miyato et al. 2018)',
    settings: {
      images: {
        objective: 'hinge',
        regularizers: ['spectral-norm'],
        criticRate: 4e-4,
        generatorRate: 2e-4,
        betas: [0, 0.9],
        criticSteps: 1,
        batch: 64,
      },
      points: { ...onPoints, objective: 'hinge', regularizers: ['spectral-norm'], criticSteps: 1 },
    },
  },
  r1: {
    title: 'non-saturating with R1 (Mescheder et al. 2018)',
    settings: {
      images: {
        objective: 'non-saturating',
        regularizers: ['r1=1'],
        criticSteps: 1,
        criticRate: 1e-3,
        generatorRate: 1e-3,
      },
      points: { ...onPoints, objective: 'non-saturating', regularizers: ['r1=1'], criticSteps: 1 },
    },
  },
});

/** The name of a preset in {@link presets}. */
export type PresetName = keyof typeof presets;

/** The networks of a configuration with their first weights. @throws ShapeError where the model does not make such samples */
function networksOf({ options, shape, rng }: Making<GanSettings>): Networks {
  const { model, latent, width, criticNorm, regularizers } = options;
  const used = regularizers.map(parseRegularizer);
  // A norm's scale would undo the bound of spectral norm; batch norm mixes samples, whose slopes a penalty takes one by one
  // (Gulrajani et al. 2017, section 4).
  const suits = used.some((r) => r.name === 'spectral-norm')
    ? 'none'
    : used.some((r) => r.penalty)
      ? 'layer'
      : undefined;
  const norm = criticNorm ?? (model === 'dcgan' ? suits : undefined);
  return createNetworks(model, {
    shape,
    rng: rng('weights'),
    ...(latent !== null && { latent }),
    ...(width !== null && { width }),
    ...(norm !== undefined && { criticNorm: norm }),
  });
}

function optimizerOf({ optimizer, betas }: GanSettings, lr: number): MakeOptimizer {
  switch (optimizer) {
    case 'adam':
      return (parameters) => new Adam(parameters, { lr, betas });
    case 'rmsprop':
      return (parameters) => new RMSprop(parameters, { lr });
    case 'sgd':
      return (parameters) => new SGD(parameters, { lr });
  }
}

/** A generative adversarial network of two networks, with any objective and any regularisers. */
export const gan: SystemRow<GanSettings, 'data', Gan> = {
  title: 'Generative adversarial network',
  paper: 'Goodfellow et al. 2014; Arjovsky et al. 2017; Gulrajani et al. 2017; by the presets',
  about:
    'a generator against a critic, with any objective and any regularisers; as it comes a Wasserstein GAN with gradient penalty',
  options,
  run: { rateDecay: 0.02, steps: 900 },
  needs: ['samples'],
  presets,
  settle(config, given, usual) {
    // The constraint on the critic belongs to the Wasserstein objective: without it, as in `Gan`, there is none unless asked for.
    const { objective = usual.objective } = given;
    const [was, is] = [usual.objective === 'wasserstein', objective === 'wasserstein'];
    const regularizers = given.regularizers ?? (was === is ? usual.regularizers : is ? ['gradient-penalty'] : []);
    if (given.betas && config.optimizer !== 'adam') {
      throw new Error(`betas are decay rates of Adam, and ${config.optimizer} has none: leave --betas out`);
    }
    return { ...config, regularizers };
  },
  check(owner, { criticSteps, accumulate }) {
    const batches = criticSteps * accumulate;
    if (batches <= MOST_BATCHES) return;
    throw new RangeError(
      `${owner}: criticSteps ${criticSteps} times accumulate ${accumulate} are ${batches} batches in a step, and at most ${MOST_BATCHES} go into one`,
    );
  },
  create(making) {
    const {
      objective: aim,
      labelSmoothing,
      regularizers,
      instanceNoise,
      emaDecay,
      criticSteps,
      accumulate,
      ...rest
    } = making.options;
    return new Gan(networksOf(making), making.rng('training'), {
      objective: objective(aim, { labelSmoothing }),
      regularizers: regularizers.map(parseRegularizer),
      instanceNoise,
      emaDecay,
      criticSteps,
      accumulate,
      criticOptimizer: optimizerOf(making.options, rest.criticRate),
      generatorOptimizer: optimizerOf(making.options, rest.generatorRate),
    });
  },
  streams: (set, batch, rng) => ({ data: trainingLoader(set as SampleSet, batch, rng) }),
  method({ objective, regularizers }, { criticSteps, batch, criticNorm }) {
    const steps = `${criticSteps} critic step${criticSteps === 1 ? '' : 's'}`;
    const words = [
      ...[objective, ...regularizers].map(({ name, title = name }) => title),
      `batch ${batch}`,
      steps,
    ].join(', ');
    if (criticNorm !== 'batch' || !regularizers.some((r) => r.penalty)) return { words };
    const warning =
      'a penalty on the slope at each sample is of little meaning behind batch norm, which mixes samples (Gulrajani et al. 2017, section 4): --critic-norm layer or none';
    return { words, warnings: [warning] };
  },
  bar: ({ objective: { estimate } }, { criticLoss, generatorLoss, ...row }): StepRow => ({
    ...(estimate && { [estimate.short ?? estimate.name]: row[estimate.name]! }),
    critic: criticLoss!,
    generator: generatorLoss!,
  }),
};
