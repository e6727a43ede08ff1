import { defined } from '../../engine/index.ts';
import type { ModelName } from '../networks/models.ts';
import type { CriticNorm } from '../networks/parts.ts';
import type { ObjectiveName } from '../objectives/objective.ts';

/** Optimizers that a configuration may name. */
export const optimizerNames = ['adam', 'rmsprop', 'sgd'] as const;

/** An optimizer by its name. */
export type OptimizerName = (typeof optimizerNames)[number];

/** What a run is: everything that decides its numbers, together with the adapter. `config.json` in the run folder holds it. */
export interface TrainConfig {
  /** Data set; `wgrad data` lists them. */
  readonly data: string;
  /** Options of the data set: folder, classes, size, ... */
  readonly dataOptions: Readonly<Record<string, unknown>>;
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
  /** Of both networks. */
  readonly optimizer: OptimizerName;
  /** The critic's learning rate at the start. */
  readonly criticRate: number;
  /** The generator's learning rate at the start. */
  readonly generatorRate: number;
  /** Decay rates of Adam. */
  readonly betas: readonly [number, number];
  /** The learning rates fall in a straight line to this share at the last step. */
  readonly rateDecay: number;
  /** Updates of the critic before each of the generator. */
  readonly criticSteps: number;
  /** Samples in a batch. */
  readonly batch: number;
  /** Batches whose mean gradient makes one update. */
  readonly accumulate: number;
  /** Decay of the average of the generator's weights; 0 for none. */
  readonly emaDecay: number;
  /** Updates of the generator; null until a run that is limited by time knows how many fit. */
  readonly steps: number | null;
  /** Seconds that the run may take; null for no limit. */
  readonly seconds: number | null;
  /** How often in a run a grid is drawn, the distance measured and a checkpoint written. */
  readonly snapshots: number;
  /** Steps between checkpoints; null for those of the snapshots alone. */
  readonly checkpointEvery: number | null;
  /** The same seed on the same adapter gives the same run. */
  readonly seed: number;
}

/** A preset by its name. */
export type PresetName = 'wgan-gp' | 'wgan' | 'dcgan' | 'gan' | 'lsgan' | 'sngan' | 'r1';

/** A named set of choices. */
export interface Preset {
  /** For `--help`. */
  readonly title: string;
  /** What differs from the defaults, for data sets of images. */
  readonly images: Partial<TrainConfig>;
  /** What differs from the defaults, for data sets of points. */
  readonly points: Partial<TrainConfig>;
}

/** What no preset, data set or option says otherwise. */
const defaults: TrainConfig = {
  data: 'mnist',
  dataOptions: {},
  model: 'dcgan-small',
  latent: null,
  width: null,
  criticNorm: null,
  objective: 'wasserstein',
  labelSmoothing: 0,
  regularizers: ['gradient-penalty'],
  instanceNoise: 0,
  optimizer: 'adam',
  criticRate: 4e-3,
  generatorRate: 4e-3,
  betas: [0.5, 0.9],
  rateDecay: 0.02,
  criticSteps: 2,
  batch: 32,
  accumulate: 1,
  emaDecay: 0.99,
  steps: 900,
  seconds: null,
  snapshots: 8,
  checkpointEvery: null,
  seed: 0,
};

/** The names of all settings. */
export const configNames = Object.keys(defaults) as readonly (keyof TrainConfig)[];

/** Points: small networks and a penalty of 0.1, which Gulrajani et al. take for toy data in their code. */
const onPoints: Partial<TrainConfig> = {
  model: 'mlp',
  regularizers: ['gradient-penalty=0.1'],
  batch: 128,
  criticSteps: 2,
  criticRate: 1e-3,
  generatorRate: 1e-3,
  steps: 1000,
};

/** How DCGAN was trained (Radford et al. 2016, section 4), and much that followed it. */
const likeDcgan: Partial<TrainConfig> = {
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
const plainPoints: Partial<TrainConfig> = { ...onPoints, regularizers: [], criticSteps: 1, emaDecay: 0 };

/** The objectives of the papers, with what their authors used where that still works in minutes on two cores. */
export const presets: Readonly<Record<PresetName, Preset>> = {
  'wgan-gp': {
    title: 'Wasserstein GAN with gradient penalty (Gulrajani et al. 2017), small and fast: the default',
    images: {},
    points: onPoints,
  },
  wgan: {
    title: 'Wasserstein GAN with clipped weights and RMSprop (Arjovsky et al. 2017)',
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
  dcgan: {
    title: 'DCGAN: non-saturating, one critic step, batch norm in both networks (Radford et al. 2016)',
    images: { ...likeDcgan, model: 'dcgan', width: 32, objective: 'non-saturating' },
    points: { ...plainPoints, objective: 'non-saturating' },
  },
  gan: {
    title: 'the first GAN: minimax, multilayer perceptrons (Goodfellow et al. 2014)',
    images: { ...likeDcgan, model: 'mlp', objective: 'minimax' },
    points: { ...plainPoints, objective: 'minimax' },
  },
  lsgan: {
    title: 'least squares GAN (Mao et al. 2017)',
    images: { ...likeDcgan, model: 'dcgan', width: 32, objective: 'least-squares' },
    points: { ...plainPoints, objective: 'least-squares' },
  },
  sngan: {
    title: 'hinge loss and spectral norm (Miyato et al. 2018)',
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
  r1: {
    title: 'non-saturating with R1 (Mescheder et al. 2018)',
    images: {
      objective: 'non-saturating',
      regularizers: ['r1=1'],
      criticSteps: 1,
      criticRate: 1e-3,
      generatorRate: 1e-3,
    },
    points: { ...onPoints, objective: 'non-saturating', regularizers: ['r1=1'], criticSteps: 1 },
  },
};

/**
 * The whole configuration: what was asked for, else the preset's for that kind of data, else the defaults. A time limit without a
 * number of steps leaves `steps` null.
 * @param kind of the data set
 */
export function configure(preset: PresetName, kind: 'images' | 'points', given: Partial<TrainConfig>): TrainConfig {
  const { images, points } = presets[preset];
  const usual: TrainConfig = { ...defaults, ...(kind === 'points' ? points : images) };
  // The constraint on the critic belongs to the Wasserstein objective: without it, as in `Gan`, there is none unless asked for.
  const { objective = usual.objective } = given;
  const [was, is] = [usual.objective === 'wasserstein', objective === 'wasserstein'];
  const regularizers = was === is ? usual.regularizers : is ? ['gradient-penalty'] : [];
  const config: TrainConfig = { ...usual, regularizers, ...defined(given) };
  if (given.betas && config.optimizer !== 'adam') {
    throw new Error(`betas are decay rates of Adam, and ${config.optimizer} has none: leave --betas out`);
  }
  return given.seconds != null && given.steps === undefined ? { ...config, steps: null } : config;
}
