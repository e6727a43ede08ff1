import { rowsOf } from '../rows.ts';
import type { RunSettings } from '../runSettings.ts';
import type { GanSettings } from './ganSettings.ts';
import type { Preset } from './row.ts';

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
