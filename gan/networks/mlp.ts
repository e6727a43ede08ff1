import { type Rng, type Shape, ShapeError, sizeOf } from '../../engine/index.ts';
import { checked, checkedList, checkRange, ranges } from '../../engine/internal.ts';
import * as nn from '../../nn/index.ts';
import type { Networks } from './networks.ts';
import { type CriticOptions, checkedRng, criticNorms, spectral } from './parts.ts';

/** What {@link mlp} applies after each hidden layer; 'leakyRelu' has slope 0.2. */
export type MlpActivation = 'relu' | 'leakyRelu' | 'tanh';

/** Options of {@link mlp}. */
export interface MlpOptions extends CriticOptions {
  /** The shape of one sample: [D] of points, [H, W, C] of images of any size, which the critic takes flattened. */
  readonly shape: Shape;
  /** Length of a latent code. Default 2 for points, 100 for images. */
  readonly latent?: number;
  /** Units of each hidden layer of the generator. Default 128 for points, 512 for images. */
  readonly width?: number;
  /** Hidden layers of the generator. Default 3. */
  readonly depth?: number;
  /** The function after each hidden layer of the generator. Default 'relu'. */
  readonly activation?: MlpActivation;
  /** The generator's norm, between each hidden layer and its activation. Default 'none'. */
  readonly norm?: 'batch' | 'none';
  /** Units of each hidden layer of the critic. Default: as `width`. */
  readonly criticWidth?: number;
  /** Hidden layers of the critic. Default: as `depth`. */
  readonly criticDepth?: number;
  /** The function after each hidden layer of the critic; 'maxout' for units that each take the largest of five linear functions. Default 'relu'. */
  readonly criticActivation?: MlpActivation | 'maxout';
  /** Fills the weights: the generator's first, then the critic's, each in the order of its layers. */
  readonly rng: Rng;
}

/**
 * The networks of published experiments with mixtures of Gaussians, as options of {@link mlp}:
 * - `gulrajani`: three hidden layers of 512 relu units in both (Gulrajani et al. 2017, their code for the 2-D data sets).
 * - `veegan`: two hidden layers of 128 relu units in both, codes of length 254 (Srivastava et al. 2017, the sizes in
 *   their code, whose discriminator is given the latent code as well).
 * - `pacgan`: four hidden layers of 400 relu units with batch norm against three of 200 maxout units of five pieces, the
 *   baseline of Lin et al. 2018 on the 2-D mixtures.
 * @example
 * const networks = mlp({ ...toyNetworks.veegan, shape: [2], rng: new Rng(1) });
 */
export const toyNetworks: Readonly<Record<'gulrajani' | 'veegan' | 'pacgan', Omit<MlpOptions, 'shape' | 'rng'>>> = {
  gulrajani: { latent: 2, width: 512, depth: 3 },
  veegan: { latent: 254, width: 128, depth: 2 },
  pacgan: {
    latent: 2,
    width: 400,
    depth: 4,
    norm: 'batch',
    criticWidth: 200,
    criticDepth: 3,
    criticActivation: 'maxout',
  },
};

/** What {@link mlp} makes, for messages and tables. */
export const mlpMakes = 'points [D] and images [H, W, C] of any size';

/** What {@link mlp} takes where nothing is said. */
export const mlpDefaults = ({ length: axes }: Shape): { latent: number; width: number } =>
  axes === 3 ? { latent: 100, width: 512 } : { latent: 2, width: 128 };

const SIZES = ['latent', 'width', 'depth', 'criticWidth', 'criticDepth'] as const;
const CHOICES = ['activation', 'norm', 'criticActivation', 'criticNorm', 'spectralNorm'] as const;
const ACTIVATIONS = ['relu', 'leakyRelu', 'tanh'] as const;
/** Linear functions of a maxout unit. */
const PIECES = 5;
const SLOPE = 0.2;

/** Uniform and scaled to the activation that follows (He et al. 2015), as Gulrajani's toy networks; biases 0. */
const before = (activation: MlpActivation | 'maxout') => ({
  init: nn.init.kaimingUniform({ nonlinearity: activation === 'maxout' ? 'linear' : activation, slope: SLOPE }),
  initBias: nn.init.zeros,
});
/** How output layers begin, which no activation follows that would halve the signal (Glorot and Bengio 2010). */
const output = { init: nn.init.xavierUniform(), initBias: nn.init.zeros };

/**
 * Multilayer perceptrons: for points in any number of dimensions, such as the toy mixtures of the GAN papers
 * ({@link toyNetworks}), and for images, whose generator ends with tanh. Hidden layers are linear, norm, activation; a norm
 * follows maxout units, which are linear and activation in one.
 *
 * Weights before an activation start from He's initialisation, those of the output layers from Glorot's, biases from 0, as in
 * Gulrajani's code.
 * @throws ShapeError for a sample that is neither a point nor an image; RangeError for a size that is no count, an unknown
 * choice, and instance norm, which needs positions to average over; TypeError for an unknown option
 * @example
 * const { generator, critic, latent } = mlp({ shape: [2], rng: new Rng(1) });
 */
export function mlp(options: MlpOptions): Networks {
  checked('mlp', options, ['shape', ...SIZES, ...CHOICES, 'rng']);
  const { shape } = options;
  const isImage = checkedSample(shape) === 3;
  const rng = checkedRng('mlp', options.rng);
  const usual = mlpDefaults(shape);
  const { latent = usual.latent, width = usual.width, depth = 3 } = options;
  const { criticWidth = width, criticDepth = depth } = options;
  for (const [name, n] of Object.entries({ latent, width, depth, criticWidth, criticDepth })) {
    checkRange('mlp', name, ranges.count, n);
  }
  const { activation = 'relu', norm = 'none', criticActivation = 'relu', criticNorm = 'none' } = options;
  checkRange('mlp', 'activation', ranges.oneOf(ACTIVATIONS), activation);
  checkRange('mlp', 'criticActivation', ranges.oneOf([...ACTIVATIONS, 'maxout']), criticActivation);
  checkRange('mlp', 'norm', ranges.oneOf(['batch', 'none']), norm);
  // Instance norm would average over the positions of one vector, of which there is one.
  checkRange('mlp', 'criticNorm', ranges.oneOf(criticNorms.filter((n) => n !== 'instance')), criticNorm);
  const sn = spectral(checkRange('mlp', 'spectralNorm', ranges.flag, options.spectralNorm ?? false), rng);

  const values = sizeOf(shape);
  // A bias in front of batch norm would be subtracted again.
  const start = { ...before(activation), bias: norm !== 'batch', rng };
  const generator = new nn.Sequential(
    ...hiddenSizes(latent, width, depth).flatMap(([from, to]) => [
      new nn.Linear(from, to, start),
      ...vectorNorm(norm, to),
      activationOf(activation),
    ]),
    new nn.Linear(width, values, { ...output, rng }),
    ...(isImage ? [new nn.Tanh(), new nn.Reshape([...shape])] : []),
  );

  const criticStart = { ...before(criticActivation), bias: criticNorm !== 'batch', rng };
  const critic = new nn.Sequential(
    ...(isImage ? [new nn.Flatten()] : []),
    ...hiddenSizes(values, criticWidth, criticDepth).flatMap(([from, to]) => {
      const after = vectorNorm(criticNorm, to);
      if (criticActivation !== 'maxout') {
        return [sn(new nn.Linear(from, to, criticStart)), ...after, activationOf(criticActivation)];
      }
      const layer = new nn.Maxout(from, to, PIECES, criticStart);
      sn(layer.linear);
      return [layer, ...after];
    }),
    sn(new nn.Linear(criticWidth, 1, { ...output, rng })),
  );
  return { generator, critic, latent };
}

/** Inputs and outputs of each hidden layer. */
const hiddenSizes = (first: number, width: number, depth: number): [from: number, to: number][] =>
  Array.from({ length: depth }, (_, i) => [i === 0 ? first : width, width]);

const activationOf = (name: MlpActivation): nn.Module =>
  name === 'relu' ? new nn.ReLU() : name === 'tanh' ? new nn.Tanh() : new nn.LeakyReLU(SLOPE);

const vectorNorm = (norm: string, width: number): nn.Module[] =>
  norm === 'batch' ? [new nn.BatchNorm1d(width)] : norm === 'layer' ? [new nn.LayerNorm(width)] : [];

/** The sample's number of axes: 1 of a point, 3 of an image. */
function checkedSample(shape: Shape): number {
  const list = checkedList('mlp', 'shape', shape, '[2]');
  if ((list.length === 1 || list.length === 3) && list.every((d) => Number.isInteger(d) && d >= 1)) return list.length;
  throw new ShapeError(`mlp: makes ${mlpMakes}, not samples [${list}]`);
}
