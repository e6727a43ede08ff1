/**
 * What can be chosen in the page, in words and formulas. Of the library only types are known here, so that the page itself is small: its
 * tables do not compile where the library has a name that they lack.
 * @module
 */
import type { ObjectiveName, OptimizerName, RegularizerName } from '../../gan/index.ts';

/** Sets of points by name, with their titles. */
export const dataTitles = {
  ring: 'Ring of Gaussians',
  grid: 'Grid of Gaussians',
  two: 'Two Gaussians',
  one: 'One Gaussian',
  moons: 'Two moons',
  spirals: 'Two spirals',
  'swiss-roll': 'Swiss roll',
  segments: 'Two segments',
  drawn: 'Drawn by hand',
} as const;

/** The name of a set of points. */
export type DataName = keyof typeof dataTitles;

/** The losses of an objective: what critic and generator minimise, in TeX. f is the critic's logit, x real, y generated. */
export interface ObjectiveWords {
  readonly title: string;
  readonly critic: string;
  readonly generator: string;
  readonly source: string;
}

const logistic = '-\\mathbb{E}\\log\\sigma(f(x))-\\mathbb{E}\\log(1-\\sigma(f(y)))';

/** All objectives. */
export const objectives: Readonly<Record<ObjectiveName, ObjectiveWords>> = {
  minimax: {
    title: 'minimax',
    critic: logistic,
    generator: '\\mathbb{E}\\log(1-\\sigma(f(y)))',
    source: 'Goodfellow et al. 2014, eq. 1',
  },
  'non-saturating': {
    title: 'non-saturating',
    critic: logistic,
    generator: '-\\mathbb{E}\\log\\sigma(f(y))',
    source: 'Goodfellow et al. 2014, section 3',
  },
  'least-squares': {
    title: 'least squares',
    critic: '\\tfrac12\\mathbb{E}(f(x)-1)^2+\\tfrac12\\mathbb{E}f(y)^2',
    generator: '\\tfrac12\\mathbb{E}(f(y)-1)^2',
    source: 'Mao et al. 2017, eq. 9',
  },
  hinge: {
    title: 'hinge',
    critic: '\\mathbb{E}\\max(0,1-f(x))+\\mathbb{E}\\max(0,1+f(y))',
    generator: '-\\mathbb{E}f(y)',
    source: 'Lim and Ye 2017',
  },
  wasserstein: {
    title: 'Wasserstein',
    critic: '\\mathbb{E}f(y)-\\mathbb{E}f(x)',
    generator: '-\\mathbb{E}f(y)',
    source: 'Arjovsky et al. 2017, eq. 2',
  },
  relativistic: {
    title: 'relativistic',
    critic: '-\\mathbb{E}\\log\\sigma(f(x)-f(y))',
    generator: '-\\mathbb{E}\\log\\sigma(f(y)-f(x))',
    source: 'Jolicoeur-Martineau 2018, RSGAN',
  },
  'relativistic-average': {
    title: 'relativistic average',
    critic: '-\\mathbb{E}\\log\\sigma(f(x)-\\mathbb{E}f(y))-\\mathbb{E}\\log(1-\\sigma(f(y)-\\mathbb{E}f(x)))',
    generator: '-\\mathbb{E}\\log\\sigma(f(y)-\\mathbb{E}f(x))-\\mathbb{E}\\log(1-\\sigma(f(x)-\\mathbb{E}f(y)))',
    source: 'Jolicoeur-Martineau 2018, RaSGAN',
  },
};

/** What critics estimate, by the columns of the log. */
export const estimates: Readonly<Record<string, string>> = {
  wasserstein: 'critic’s W',
  jsd: 'critic’s JSD',
  totalVariation: 'critic’s TV',
  triangular: 'critic’s Δ',
};

/** What a regulariser adds to the critic's loss, or does to it. */
export interface RegularizerWords {
  readonly title: string;
  /** A term of the critic's loss in TeX; absent where it changes weights instead. */
  readonly term?: string;
  /** What it does to the weights, in TeX. */
  readonly does?: string;
  /** The sign of its strength in the formula, and what it is unless given. */
  readonly strength?: readonly [sign: string, usual: number];
  readonly source: string;
}

const slope = (of: string): string => `\\lVert\\nabla f(${of})\\rVert`;

/** All regularisers. */
export const regularizers: Readonly<Record<RegularizerName, RegularizerWords>> = {
  'gradient-penalty': {
    title: 'gradient penalty',
    term: `\\lambda\\,\\mathbb{E}(${slope('\\hat x')}-1)^2`,
    strength: ['λ', 10],
    source: 'Gulrajani et al. 2017, eq. 3; x̂ lies on lines between real and generated samples',
  },
  'one-sided-penalty': {
    title: 'one-sided penalty',
    term: `\\lambda\\,\\mathbb{E}\\max(0,${slope('\\hat x')}-1)^2`,
    strength: ['λ', 10],
    source: 'Petzka et al. 2018, eq. 8',
  },
  'weight-clipping': {
    title: 'weight clipping',
    does: 'w\\leftarrow\\mathrm{clip}(w,-c,c)',
    strength: ['c', 0.01],
    source: 'Arjovsky et al. 2017, Algorithm 1',
  },
  'spectral-norm': {
    title: 'spectral norm',
    does: 'W\\leftarrow W/\\sigma_{\\max}(W)',
    source: 'Miyato et al. 2018',
  },
  r1: {
    title: 'R1',
    term: `\\tfrac{\\gamma}{2}\\,\\mathbb{E}${slope('x')}^2`,
    strength: ['γ', 10],
    source: 'Mescheder et al. 2018, eq. 9',
  },
  r2: {
    title: 'R2',
    term: `\\tfrac{\\gamma}{2}\\,\\mathbb{E}${slope('y')}^2`,
    strength: ['γ', 10],
    source: 'Mescheder et al. 2018, eq. 10',
  },
  dragan: {
    title: 'DRAGAN',
    term: `\\lambda\\,\\mathbb{E}(${slope('x+\\delta')}-1)^2`,
    strength: ['λ', 10],
    source: 'Kodali et al. 2017; δ is noise around real samples',
  },
};

/** The optimizers. */
export const optimizerTitles: Readonly<Record<OptimizerName, string>> = {
  adam: 'Adam',
  rmsprop: 'RMSprop',
  sgd: 'SGD',
};

/** Activations of hidden layers. */
export const activationTitles = { relu: 'relu', leakyRelu: 'leaky relu', tanh: 'tanh' } as const;

/** The name of an activation. */
export type ActivationName = keyof typeof activationTitles;

/** The names of a table. */
export const namesIn = <Name extends string>(table: Readonly<Record<Name, unknown>>): readonly Name[] =>
  Object.keys(table) as Name[];

/** The two parts of `name` or `name=strength`. */
export function splitRegularizer(text: string): readonly [name: RegularizerName, strength: number | undefined] {
  const [name = '', strength] = text.split('=');
  return [name as RegularizerName, strength === undefined ? undefined : Number(strength)];
}

/** Whether a text names a regulariser, with a strength above 0 where it has one. */
export function isRegularizer(text: unknown): boolean {
  if (typeof text !== 'string' || text.split('=').length > 2) return false;
  const [name, strength] = splitRegularizer(text);
  if (!Object.hasOwn(regularizers, name)) return false;
  return (
    strength === undefined || (regularizers[name].strength !== undefined && strength > 0 && Number.isFinite(strength))
  );
}
