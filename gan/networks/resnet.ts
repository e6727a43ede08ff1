import type { Rng, Shape } from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import * as nn from '../../nn/index.ts';
import type { Networks } from './networks.ts';
import {
  type CriticNorm,
  type CriticOptions,
  checkedRng,
  checkedSquares,
  criticNorms,
  imageNorm,
  spectral,
} from './parts.ts';

/** Options of {@link resnet}. */
export interface ResnetOptions extends CriticOptions {
  /** [H, W, C] of one image: H = W is 28 or 32, and C is 1 or more. */
  readonly shape: Shape;
  /** Length of a latent code. Default 128. */
  readonly latent?: number;
  /** Channels of every block of the generator. Default 128. */
  readonly width?: number;
  /** Channels of every block of the critic. Default: as `width`. */
  readonly criticWidth?: number;
  /** Fills the weights: the generator's first, then the critic's, each in the order of its layers. */
  readonly rng: Rng;
}

/** What {@link resnet} makes, for messages and tables. */
export const resnetMakes = 'images of 28 x 28 or 32 x 32 with any number of channels';

/** What {@link resnet} takes where nothing is said. */
export const resnetDefaults = { latent: 128, width: 128 };

const OPTIONS = ['shape', 'latent', 'width', 'criticWidth', 'criticNorm', 'spectralNorm', 'rng'] as const;

/** Where the generator begins, and how often it doubles that size. */
const PLANS: Readonly<Record<number, { readonly base: number; readonly ups: number }>> = {
  28: { base: 7, ups: 2 },
  32: { base: 4, ups: 3 },
};

/**
 * Both papers' codes draw the weights of a block's 3 x 3 convolutions from √2 times Glorot's uniform range, which is He's
 * variance for the mean of the two fans, and all others from Glorot's own. Biases start from 0, and every layer has one.
 */
const block = { init: nn.init.xavierUniform({ gain: Math.SQRT2 }), initBias: nn.init.zeros };
const plain = { init: nn.init.xavierUniform(), initBias: nn.init.zeros };

/** Puts spectral norm on a layer, or leaves it as it is. */
type Wrap = <M extends nn.WeightedModule>(layer: M) => M;
/** How the layers of one network are made. */
interface Make {
  readonly sn: Wrap;
  readonly rng: Rng;
}

const conv3 = (from: number, to: number, { sn, rng }: Make): nn.Module =>
  sn(new nn.Conv2d(from, to, 3, { padding: 1, rng, ...block }));
const conv1 = (from: number, to: number, { sn, rng }: Make): nn.Module =>
  sn(new nn.Conv2d(from, to, 1, { rng, ...plain }));

/**
 * Norm, relu, nearest-neighbour doubling, convolution, norm, relu, convolution, beside a doubled shortcut. A convolution of
 * kernel 1 and the doubling can change places: it runs where there are fewer pixels.
 */
const upBlock = (c: number, make: Make): nn.Module =>
  new nn.Residual(
    new nn.Sequential(
      new nn.BatchNorm2d(c),
      new nn.ReLU(),
      new nn.Upsample({ scaleFactor: 2 }),
      conv3(c, c, make),
      new nn.BatchNorm2d(c),
      new nn.ReLU(),
      conv3(c, c, make),
    ),
    new nn.Sequential(conv1(c, c, make), new nn.Upsample({ scaleFactor: 2 })),
  );

/** The first block of a critic, on an image: no norm or relu first, which would be taken from the pixels themselves; then halved. */
const firstBlock = (channels: number, c: number, make: Make): nn.Module =>
  new nn.Residual(
    new nn.Sequential(conv3(channels, c, make), new nn.ReLU(), conv3(c, c, make), new nn.AvgPool2d(2)),
    new nn.Sequential(new nn.AvgPool2d(2), conv1(channels, c, make)),
  );

/** A block of a critic: norm, relu, convolution, twice; halved at the end or, with its input as the shortcut, not. */
const downBlock = (c: number, norm: CriticNorm, halves: boolean, make: Make): nn.Module =>
  new nn.Residual(
    new nn.Sequential(
      ...[0, 1].flatMap(() => [...imageNorm(norm, c), new nn.ReLU(), conv3(c, c, make)]),
      ...(halves ? [new nn.AvgPool2d(2)] : []),
    ),
    // As in `upBlock`, the mean goes first.
    ...(halves ? [new nn.Sequential(new nn.AvgPool2d(2), conv1(c, c, make))] : []),
  );

/**
 * The residual pair for 32 x 32 images in [-1, 1] (Gulrajani et al. 2017, the CIFAR-10 networks of the appendix and their code), and for 28 x 28 with one block
 * less in the generator, which begins at 7 x 7. Generator: a projection, blocks that double the size, with batch norm, and
 * a convolution with tanh. Critic: two blocks that halve the size and two that keep it, the mean over all pixels and a linear
 * score.
 *
 * The defaults are Gulrajani's: width 128, and no norm in the critic, as the gradient penalty needs it (`criticNorm: 'layer'`
 * for layer norm). Those of Miyato et al. 2018 (appendix B.4, table 4) are `{ width: 256, criticWidth: 128, spectralNorm: true }`,
 * but for the sum over all pixels where this takes the mean.
 * @throws ShapeError for a sample that it does not make; RangeError for a width or latent that is no count, or an unknown norm;
 * TypeError for an unknown option
 * @example
 * const { generator, critic, latent } = resnet({ shape: [32, 32, 3], rng: new Rng(1) });
 */
export function resnet(options: ResnetOptions): Networks {
  const { shape, latent = resnetDefaults.latent, width = resnetDefaults.width } = checked('resnet', options, OPTIONS);
  const { criticWidth = width, criticNorm = 'none', spectralNorm = false } = options;
  const { size, channels } = checkedSquares('resnet', shape, Object.keys(PLANS).map(Number), resnetMakes);
  const rng = checkedRng('resnet', options.rng);
  for (const [name, value] of Object.entries({ latent, width, criticWidth }))
    checkRange('resnet', name, ranges.count, value);
  checkRange('resnet', 'criticNorm', ranges.oneOf(criticNorms), criticNorm);
  const sn = spectral(checkRange('resnet', 'spectralNorm', ranges.flag, spectralNorm), rng);
  const { base, ups } = PLANS[size]!;

  const made = { sn: spectral(false, rng), rng };
  const generator = new nn.Sequential(
    new nn.Linear(latent, base * base * width, { rng, ...plain }),
    new nn.Reshape([base, base, width]),
    ...Array.from({ length: ups }, () => upBlock(width, made)),
    new nn.BatchNorm2d(width),
    new nn.ReLU(),
    new nn.Conv2d(width, channels, 3, { padding: 1, rng, ...plain }),
    new nn.Tanh(),
  );

  const judge = { sn, rng };
  const critic = new nn.Sequential(
    firstBlock(channels, criticWidth, judge),
    downBlock(criticWidth, criticNorm, true, judge),
    downBlock(criticWidth, criticNorm, false, judge),
    downBlock(criticWidth, criticNorm, false, judge),
    new nn.ReLU(),
    new nn.GlobalAvgPool(),
    sn(new nn.Linear(criticWidth, 1, { rng, ...plain })),
  );
  return { generator, critic, latent };
}
