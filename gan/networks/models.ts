import type { Rng, Shape } from '../../engine/index.ts';
import { checked, shown } from '../../engine/internal.ts';
import { tableOf } from '../rows.ts';
import { dcgan, dcganDefaults, dcganMakes, dcganSmall, dcganSmallDefaults } from './dcgan.ts';
import { mlp, mlpDefaults, mlpMakes } from './mlp.ts';
import type { Networks } from './networks.ts';
import type { CriticOptions } from './parts.ts';
import { resnet, resnetDefaults, resnetMakes } from './resnet.ts';

/** What {@link createNetworks} makes networks of, and how large. */
export interface NetworksOptions extends CriticOptions {
  /** The shape of one sample: [H, W, C] of images in [-1, 1], [D] of points. */
  readonly shape: Shape;
  /** Length of a latent code. Default: the model's. */
  readonly latent?: number;
  /** Channels or units of the generator; the critic's follow from it. Default: the model's. */
  readonly width?: number;
  /** Hidden layers, of the model mlp; the depth of the others follows from the size of the images. */
  readonly depth?: number;
  /** Fills the weights: the generator's first, then the critic's. */
  readonly rng: Rng;
}

/** One row of {@link models}. */
export interface Model {
  /** The model's name for headings. */
  readonly title: string;
  /** The shapes of samples that it makes, in words. */
  readonly makes: string;
  /** Shapes that it makes, one for each size. */
  readonly shapes: readonly Shape[];
  /** What the networks are like, and what of the paper they follow. */
  readonly about: string;
  /** Authors, year and title. */
  readonly paper: string;
  /** Width of the generator where none is given, for samples of a shape. */
  readonly width: (shape: Shape) => number;
  /** Makes the networks. @throws as {@link createNetworks} */
  readonly create: (options: NetworksOptions) => Networks;
}

const RADFORD =
  'Radford et al. 2016, Unsupervised representation learning with deep convolutional generative adversarial networks';
const GULRAJANI = 'Gulrajani et al. 2017, Improved training of Wasserstein GANs';
const DCGAN_SHAPES: readonly Shape[] = [
  [28, 28, 1],
  [32, 32, 3],
  [64, 64, 3],
];

/** The models, by the name that {@link createNetworks} and the command line take. */
export const models = tableOf<Model>()({
  mlp: {
    title: 'Multilayer perceptrons',
    makes: mlpMakes,
    shapes: [[2], [28, 28, 1]],
    about:
      "Three hidden relu layers in each network; for images tanh at the end, and a critic that takes them flattened. He's initialisation. The published toy networks are in `toyNetworks`",
    paper: `${GULRAJANI} (2-D data)`,
    width: (shape) => mlpDefaults(shape).width,
    create: mlp,
  },
  dcgan: {
    title: 'DCGAN',
    makes: dcganMakes,
    shapes: DCGAN_SHAPES,
    about:
      "The five guidelines: strided and fractionally strided convolutions in place of pooling; batch norm in both networks; no fully connected hidden layers; relu in the generator with tanh at its end; leaky relu in the critic. N(0, 0.02). With a gradient penalty: `criticNorm: 'layer'` or `'none'`, which start from He's initialisation",
    paper: RADFORD,
    width: () => dcganDefaults.width,
    create: onlyMlpHasDepth('dcgan', dcgan),
  },
  'dcgan-small': {
    title: 'DCGAN, small',
    makes: dcganMakes,
    shapes: DCGAN_SHAPES,
    about:
      "DCGAN's guidelines but for the norm of the critic, which has none, so that its gradient may be penalised; the critic is half as wide as the generator. For machines without a GPU: what `npm start` trains",
    paper: `${RADFORD}; ${GULRAJANI}`,
    width: () => dcganSmallDefaults.width,
    create: onlyMlpHasDepth('dcgan-small', dcganSmall),
  },
  resnet: {
    title: 'ResNet pair',
    makes: resnetMakes,
    shapes: [
      [28, 28, 1],
      [32, 32, 3],
    ],
    about:
      "Residual blocks: nearest-neighbour doubling and batch norm in the generator; mean pooling and no norm in the critic. √2 of Glorot's initialisation in the blocks. `{ width: 256, criticWidth: 128, spectralNorm: true }` of `resnet` are the networks of Miyato et al. 2018, Spectral normalization for generative adversarial networks",
    paper: GULRAJANI,
    width: () => resnetDefaults.width,
    create: onlyMlpHasDepth('resnet', resnet),
  },
});

/** The name of a model in {@link models}. */
export type ModelName = keyof typeof models;

/** The same options but depth, which is refused. */
function onlyMlpHasDepth(name: string, create: (options: NetworksOptions) => Networks): Model['create'] {
  return ({ depth, ...options }) => {
    if (depth === undefined) return create(options);
    throw new TypeError(`${name}: has no option depth, which follows from the size of the images; depth is for mlp`);
  };
}

const OPTIONS = ['shape', 'latent', 'width', 'depth', 'criticNorm', 'spectralNorm', 'rng'] as const;

/**
 * Generator and critic of a model by its name. Options that are not given are the model's own; {@link mlp}, {@link dcgan} and
 * {@link resnet} have more.
 * @param name one of {@link models}
 * @throws RangeError for an unknown name, or a size or norm that the model cannot have; ShapeError if it does not make samples
 * of this shape, and says what it makes; TypeError for an unknown option
 * @example
 * const { generator, critic } = createNetworks('dcgan', { shape: [32, 32, 3], criticNorm: 'layer', rng: new Rng(1) });
 */
export function createNetworks(name: ModelName, options: NetworksOptions): Networks {
  // Not `name in models`, which knows `toString` too.
  if (!Object.hasOwn(models, name)) {
    throw new RangeError(
      `createNetworks: there is no model ${shown(name)}; there are ${Object.keys(models).join(', ')}`,
    );
  }
  return models[name].create(checked('createNetworks', options, OPTIONS));
}
