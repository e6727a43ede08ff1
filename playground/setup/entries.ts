/**
 * One row for each setting of the page, from which its control, its place in the link, its checks and its words come.
 * @module
 */
import { checkSettings, defaultsOf } from '../../gan/settings.ts';
import { activationTitles, dataTitles, isRegularizer, namesIn, objectives, optimizerTitles } from './choices.ts';
import { arePoints, readPoints, usualPoints, writePoints } from './points.ts';
import type { Entry, Setup } from './setup.ts';

type Table = { readonly [K in keyof Setup]: Entry<Setup[K]> };

const whole = (least: number, most: number): Pick<Entry<number>, 'range' | 'bounds'> => ({
  range: {
    holds: (v) => Number.isInteger(v) && (v as number) >= least && (v as number) <= most,
    says: `a whole number from ${least} to ${most}`,
  },
  bounds: [least, most],
});

const between = (least: number, most: number): Pick<Entry<number>, 'range' | 'bounds'> => ({
  range: {
    holds: (v) => typeof v === 'number' && v >= least && v <= most,
    says: `a number from ${least} to ${most}`,
  },
  bounds: [least, most],
});

const oneOf = <C extends string>(choices: readonly C[]): Pick<Entry<C>, 'range' | 'choices'> => ({
  range: { holds: (v) => choices.includes(v as C), says: `one of ${choices.join(', ')}` },
  choices,
});

const nameIn = (text: string): string => text.split('=')[0]!;

const rates = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1];
const widths = [2, 4, 8, 16, 32, 64, 128, 256];

/** The table of {@link Setup}. Its defaults find all modes of the ring within seconds on a CPU. */
export const entries: Table = {
  data: {
    key: 'd',
    group: 'data',
    title: 'Data',
    default: 'ring',
    ...oneOf(namesIn(dataTitles)),
    about: 'what the generator should learn to make',
    restarts: true,
  },
  modes: {
    key: 'm',
    group: 'data',
    title: 'Modes',
    default: 8,
    ...whole(1, 16),
    about: 'Gaussians on the ring, or along a side of the grid',
    restarts: true,
    applies: ({ data }) => data === 'ring' || data === 'grid',
  },
  sigma: {
    key: 's',
    group: 'data',
    title: 'Spread σ',
    default: 0.1,
    ...between(0.005, 1),
    offers: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5],
    about: 'standard deviation of each Gaussian, or of the noise around a curve',
    restarts: true,
  },
  points: {
    key: 'x',
    group: 'data',
    title: 'Points',
    default: usualPoints,
    range: { holds: arePoints, says: 'one point or more, and at most 600, of two numbers from -2.5 to 2.5 each' },
    about: 'points that were drawn or pasted',
    link: { write: writePoints, read: readPoints },
    restarts: true,
    applies: ({ data }) => data === 'drawn',
  },
  latent: {
    key: 'z',
    group: 'generator',
    title: 'Latent size',
    default: 2,
    ...whole(1, 64),
    offers: [1, 2, 4, 8, 16, 32, 64],
    about: 'numbers in a latent code z',
    restarts: true,
  },
  width: {
    key: 'w',
    group: 'generator',
    title: 'Units',
    default: 32,
    ...whole(1, 512),
    offers: widths,
    about: 'units of each hidden layer of the generator',
    restarts: true,
  },
  depth: {
    key: 'l',
    group: 'generator',
    title: 'Layers',
    default: 3,
    ...whole(1, 8),
    about: 'hidden layers of the generator',
    restarts: true,
  },
  activation: {
    key: 'a',
    group: 'generator',
    title: 'Activation',
    default: 'relu',
    ...oneOf(namesIn(activationTitles)),
    about: 'what follows each hidden layer of the generator',
    restarts: true,
  },
  criticWidth: {
    key: 'cw',
    group: 'critic',
    title: 'Units',
    default: 32,
    ...whole(1, 512),
    offers: widths,
    about: 'units of each hidden layer of the critic',
    restarts: true,
  },
  criticDepth: {
    key: 'cl',
    group: 'critic',
    title: 'Layers',
    default: 3,
    ...whole(1, 8),
    about: 'hidden layers of the critic',
    restarts: true,
  },
  criticActivation: {
    key: 'ca',
    group: 'critic',
    title: 'Activation',
    default: 'relu',
    ...oneOf(namesIn(activationTitles)),
    about: 'what follows each hidden layer of the critic',
    restarts: true,
  },
  objective: {
    key: 'o',
    group: 'training',
    title: 'Objective',
    default: 'wasserstein',
    ...oneOf(namesIn(objectives)),
    about: 'what critic and generator minimise',
    restarts: false,
  },
  regularizers: {
    key: 'r',
    group: 'training',
    title: 'Regularisers',
    default: ['gradient-penalty=0.1'],
    range: {
      holds: (v) =>
        Array.isArray(v) && v.length <= 7 && v.every(isRegularizer) && new Set(v.map(nameIn)).size === v.length,
      says: 'a list of regularisers, each once, as name or name=strength',
    },
    about: 'what keeps the critic smooth',
    restarts: false,
  },
  optimizer: {
    key: 'p',
    group: 'training',
    title: 'Optimizer',
    default: 'adam',
    ...oneOf(namesIn(optimizerTitles)),
    about: 'the optimizer of both networks',
    restarts: true,
  },
  criticRate: {
    key: 'cr',
    group: 'critic',
    title: 'Learning rate',
    default: 3e-3,
    ...between(1e-6, 10),
    offers: rates,
    about: "the critic's learning rate",
    restarts: false,
  },
  generatorRate: {
    key: 'gr',
    group: 'generator',
    title: 'Learning rate',
    default: 3e-3,
    ...between(1e-6, 10),
    offers: rates,
    about: "the generator's learning rate",
    restarts: false,
  },
  betas: {
    key: 'b',
    group: 'training',
    title: 'Adam β₁, β₂',
    default: [0.5, 0.9],
    range: {
      holds: (v) => Array.isArray(v) && v.length === 2 && v.every((b) => typeof b === 'number' && b >= 0 && b < 1),
      says: 'two numbers from 0 to less than 1',
    },
    about: "Adam's decay rates",
    restarts: true,
    applies: ({ optimizer }) => optimizer === 'adam',
  },
  criticSteps: {
    key: 'k',
    group: 'training',
    title: 'Critic steps',
    default: 2,
    ...whole(1, 50),
    offers: [1, 2, 3, 5, 10, 20, 50],
    about: 'updates of the critic before each of the generator',
    restarts: false,
  },
  batch: {
    key: 'n',
    group: 'training',
    title: 'Batch',
    default: 128,
    ...whole(2, 1024),
    offers: [8, 16, 32, 64, 128, 256, 512],
    about: 'samples in a batch',
    restarts: true,
  },
  emaDecay: {
    key: 'e',
    group: 'generator',
    title: 'Average of weights',
    default: 0.97,
    ...between(0, 0.9999),
    offers: [0, 0.9, 0.97, 0.99, 0.999],
    about: 'decay of the average of the weights that samples are drawn from; 0 for none',
    restarts: true,
  },
  seed: {
    key: 'seed',
    group: 'data',
    title: 'Seed',
    default: 0,
    ...whole(0, 2 ** 31 - 1),
    about:
      'decides first weights, data and all that is drawn: the same seed on the same adapter gives the same numbers',
    restarts: true,
  },
};

/** A setting as it stands in a link. */
export const textOf = <K extends keyof Setup>(name: K, value: Setup[K]): string =>
  (entries[name] as Entry<Setup[K]>).link?.write(value) ?? String(value);

/** The names of the settings, in the order in which they are shown and written. */
export const setupNames = Object.keys(entries) as readonly (keyof Setup)[];

/** The setup of a page that is opened without a link. */
export const usualSetup: Setup = defaultsOf<Setup>(entries);

/** @throws RangeError that names a setting and what it must be */
export const checkedSetup = (setup: Setup): Setup => checkSettings<Setup>('playground', entries, setup);

/** Whether the change from one setup to another begins a new training. */
export const restarts = (from: Setup, to: Setup): boolean =>
  setupNames.some((name) => entries[name].restarts && String(from[name]) !== String(to[name])) ||
  // Spectral norm is a part of the critic's weights.
  isNormalized(from) !== isNormalized(to);

const isNormalized = ({ regularizers }: Setup): boolean => regularizers.includes('spectral-norm');
