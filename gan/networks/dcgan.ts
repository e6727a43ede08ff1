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
  dcganInit,
  heInit,
  imageNorm,
  type Squares,
  spectral,
} from './parts.ts';

/** Options of {@link dcgan}. */
export interface DcganOptions extends CriticOptions {
  /** [H, W, C] of one image: H = W is 28, 32 or 64, and C is 1 or more. */
  readonly shape: Shape;
  /** Length of a latent code. Default 100. */
  readonly latent?: number;
  /** Channels of the generator's last hidden layer, doubled with each halving of the size. Default 64. */
  readonly width?: number;
  /** Channels of the critic's first layer, doubled with each halving of the size. Default: as `width`. */
  readonly criticWidth?: number;
  /** The generator's norm, on each hidden layer. Default 'batch'. */
  readonly norm?: 'batch' | 'none';
  /** Fills the weights: the generator's first, then the critic's, each in the order of its layers. */
  readonly rng: Rng;
}

/** What {@link dcgan} makes, for messages and tables. */
export const dcganMakes = 'images of 28 x 28, 32 x 32 or 64 x 64 with any number of channels';

/** What {@link dcgan} takes where nothing is said. */
export const dcganDefaults = { latent: 100, width: 64 };

/** What {@link dcganSmall} takes where nothing is said. */
export const dcganSmallDefaults = { latent: 64, width: 16 };

/** Where the generator begins, how often it doubles that size, and how often the critic halves the image's. */
const PLANS: Readonly<Record<number, { readonly base: number; readonly ups: number; readonly downs: number }>> = {
  28: { base: 7, ups: 2, downs: 3 }, // 28, 14, 7, 3
  32: { base: 4, ups: 3, downs: 3 },
  64: { base: 4, ups: 4, downs: 4 },
};

/** The heights of images that {@link dcgan} makes. */
export const dcganSizes = Object.keys(PLANS).map(Number);

const OPTIONS = ['shape', 'latent', 'width', 'criticWidth', 'norm', 'criticNorm', 'spectralNorm', 'rng'] as const;

/** Convolutions of kernel 4, stride 2 and padding 1 halve and double sizes exactly; the paper's code has kernels of 5. */
const KERNEL = 4;
const HALVING = { stride: 2, padding: 1 };

/**
 * Deep convolutional generator and critic (Radford et al. 2016) for images in [-1, 1], by the paper's five guidelines, which
 * the comments of the code number:
 * 1. strided convolutions in place of pooling, and transposed ones in the generator;
 * 2. batch norm in both networks, but on neither the generator's output nor the critic's input;
 * 3. no fully connected hidden layers: the code is projected linearly, and the last convolution is read linearly;
 * 4. relu in the generator, tanh at its end;
 * 5. leaky relu of slope 0.2 in the critic.
 *
 * Weights start from N(0, 0.02), biases from 0. With 64 x 64 x 3 and default widths these are the networks of PyTorch's
 * DCGAN example, but for biases at both ends of the critic and at the end of the generator, and without a sigmoid: the critic
 * gives logits.
 *
 * With a gradient penalty, take `criticNorm: 'layer'` or `'none'` (Gulrajani et al. 2017, section 4). A critic without batch
 * norm starts as theirs, from He's initialisation: nothing would rescale the small numbers that N(0, 0.02) gives.
 * @throws ShapeError for a sample that it does not make; RangeError for a width or latent that is no count, or an unknown norm;
 * TypeError for an unknown option
 * @example
 * const { generator, critic, latent } = dcgan({ shape: [64, 64, 3], rng: new Rng(1) });
 */
export function dcgan(options: DcganOptions): Networks {
  const { shape, latent = dcganDefaults.latent, width = dcganDefaults.width } = checked('dcgan', options, OPTIONS);
  const { criticWidth = width, norm = 'batch', criticNorm = 'batch', spectralNorm = false } = options;
  const { size, channels } = checkedSquares('dcgan', shape, dcganSizes, dcganMakes);
  const rng = checkedRng('dcgan', options.rng);
  for (const [name, value] of Object.entries({ latent, width, criticWidth }))
    checkRange('dcgan', name, ranges.count, value);
  checkRange('dcgan', 'norm', ranges.oneOf(['batch', 'none']), norm);
  checkRange('dcgan', 'criticNorm', ranges.oneOf(criticNorms), criticNorm);
  checkRange('dcgan', 'spectralNorm', ranges.flag, spectralNorm);
  const generator = dcganGenerator({ size, channels, latent, width, norm, rng });
  const [layers, score] = dcganCriticLayers({
    size,
    channels,
    width: criticWidth,
    norm: criticNorm,
    spectralNorm,
    rng,
  });
  return { generator, critic: new nn.Sequential(...layers, score), latent };
}

/** What a generator is made of, checked. */
interface GeneratorPlan extends Squares {
  readonly latent: number;
  readonly width: number;
  readonly norm: 'batch' | 'none';
  readonly rng: Rng;
}

/** The generator of {@link dcgan}. */
export function dcganGenerator({ size, channels, latent, width, norm, rng }: GeneratorPlan): nn.Sequential {
  const { base, ups } = PLANS[size]!;
  // Guideline 2, and what it makes needless: a bias in front of batch norm would be subtracted again.
  const bias = norm !== 'batch';
  // Guideline 4: relu.
  const hidden = (c: number) => [...(bias ? [] : [new nn.BatchNorm2d(c)]), new nn.ReLU()];
  const top = width * 2 ** (ups - 1);
  const up = { ...HALVING, rng, ...dcganInit };
  const doublings = Array.from({ length: ups }, (_, i) => width * 2 ** (ups - 1 - i));
  return new nn.Sequential(
    // Guideline 3: no activation of its own between this projection and the reshape.
    new nn.Linear(latent, base * base * top, { bias, rng, ...dcganInit }),
    new nn.Reshape([base, base, top]),
    ...hidden(top),
    // Guideline 1: fractionally strided convolutions.
    ...doublings.slice(1).flatMap((c) => [new nn.ConvTranspose2d(2 * c, c, KERNEL, { ...up, bias }), ...hidden(c)]),
    // Guideline 2: no norm on the output. Guideline 4: tanh.
    new nn.ConvTranspose2d(width, channels, KERNEL, up),
    new nn.Tanh(),
  );
}

/** What a critic is made of, checked. */
interface CriticPlan extends Squares {
  readonly width: number;
  readonly norm: CriticNorm;
  readonly spectralNorm: boolean;
  readonly rng: Rng;
}

/** The critic of {@link dcgan}: the layers that make flat features [N, F] of images, and the linear one that makes scores of them. */
export function dcganCriticLayers(plan: CriticPlan): [layers: nn.Module[], score: nn.Linear] {
  const { size, channels, width, norm, spectralNorm, rng } = plan;
  const { downs } = PLANS[size]!;
  const start = norm === 'batch' ? dcganInit : heInit;
  const sn = spectral(spectralNorm, rng);
  // Layer norm subtracts one mean of all channels, and leaves their biases.
  const hasBias = norm === 'none' || norm === 'layer';
  const down = { ...HALVING, rng, ...start };
  const halvings = Array.from({ length: downs }, (_, i) => width * 2 ** i);
  const last = halvings.at(-1)!;
  const end = Math.floor(size / 2 ** downs);
  const layers = [
    // Guideline 1: strided convolutions. Guideline 2: no norm on the input layer. Guideline 5: leaky relu.
    sn(new nn.Conv2d(channels, width, KERNEL, down)),
    new nn.LeakyReLU(0.2),
    ...halvings
      .slice(1)
      .flatMap((c) => [
        sn(new nn.Conv2d(c / 2, c, KERNEL, { ...down, bias: hasBias })),
        ...imageNorm(norm, c),
        new nn.LeakyReLU(0.2),
      ]),
    // Guideline 3: straight to the score.
    new nn.Flatten(),
  ];
  return [layers, sn(new nn.Linear(end * end * last, 1, { rng, ...start }))];
}

/** Options of {@link dcganSmall}: those of {@link dcgan}, with other defaults. */
export type DcganSmallOptions = Omit<DcganOptions, 'norm'>;

const SMALL_OPTIONS = OPTIONS.filter((name) => name !== 'norm');

/**
 * {@link dcgan} small enough to be trained in minutes on two cores: 16 channels in the generator, half as many in the critic,
 * codes of length 64 and no norm in the critic, whose gradient may therefore be penalised. At 28 x 28 x 1 it is the pair that
 * `npm start` trains.
 * @throws as {@link dcgan}
 */
export function dcganSmall(options: DcganSmallOptions): Networks {
  const {
    width = dcganSmallDefaults.width,
    criticWidth = Math.ceil(width / 2),
    latent = dcganSmallDefaults.latent,
    criticNorm = 'none',
    ...rest
  } = checked('dcganSmall', options, SMALL_OPTIONS);
  return dcgan({ ...rest, width, criticWidth, latent, criticNorm });
}
