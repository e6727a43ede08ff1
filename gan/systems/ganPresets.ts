import { tableOf } from '../rows.ts';
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

const preset = (title: string, images: Choices, points: Choices): Preset<GanSettings> => ({
  title,
  settings: { images, points },
});

/** The objectives of the papers, with what their authors used where that still works in minutes on two cores. */
export const presets = tableOf<Preset<GanSettings>>()({
  'wgan-gp': preset(
    'Wasserstein GAN with gradient penalty (Gulrajani et al. 2017), small and fast: the default',
    {},
    onPoints,
  ),
  wgan: preset(
    'Wasserstein GAN with clipped weights and RMSprop (Arjovsky et al. 2017)',
    {
      regularizers: ['weight-clipping'],
      optimizer: 'rmsprop',
      criticRate: 5e-4,
      generatorRate: 5e-4,
      criticSteps: 5,
      batch: 64,
      rateDecay: 1,
      emaDecay: 0,
    },
    { ...onPoints, regularizers: ['weight-clipping=0.1'], optimizer: 'rmsprop', rateDecay: 1, emaDecay: 0 },
  ),
  dcgan: preset(
    'DCGAN: non-saturating, one critic step, batch norm in both networks (Radford et al. 2016)',
    { ...likeDcgan, model: 'dcgan', width: 32, objective: 'non-saturating' },
    { ...plainPoints, objective: 'non-saturating' },
  ),
  gan: preset(
    'the first GAN: minimax, multilayer perceptrons (Goodfellow et al. 2014)',
    { ...likeDcgan, model: 'mlp', objective: 'minimax' },
    { ...plainPoints, objective: 'minimax' },
  ),
  lsgan: preset(
    'least squares GAN (Mao et al. 2017)',
    { ...likeDcgan, model: 'dcgan', width: 32, objective: 'least-squares' },
    { ...plainPoints, objective: 'least-squares' },
  ),
  sngan: preset(
    'hinge loss and spectral norm (Miyato et al. 2018)',
    {
      objective: 'hinge',
      regularizers: ['spectral-norm'],
      criticRate: 4e-4,
      generatorRate: 2e-4,
      betas: [0, 0.9],
      criticSteps: 1,
      batch: 64,
    },
    { ...onPoints, objective: 'hinge', regularizers: ['spectral-norm'], criticSteps: 1 },
  ),
  r1: preset(
    'non-saturating with R1 (Mescheder et al. 2018)',
    {
      objective: 'non-saturating',
      regularizers: ['r1=1'],
      criticSteps: 1,
      criticRate: 1e-3,
      generatorRate: 1e-3,
    },
    { ...onPoints, objective: 'non-saturating', regularizers: ['r1=1'], criticSteps: 1 },
  ),
});

/** The name of a preset in {@link presets}. */
export type PresetName = keyof typeof presets;
