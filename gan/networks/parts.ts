/** What the networks of several models share: the critic's options, initialisers, and the checks of sizes. */
import { type Rng, type Shape, ShapeError } from '../../engine/index.ts';
import { shown } from '../../engine/internal.ts';
import * as nn from '../../nn/index.ts';

/** The normalisations that a critic may have; see {@link CriticNorm}. */
export const criticNorms = ['batch', 'layer', 'instance', 'none'] as const;

/**
 * How a critic's hidden layers are normalised:
 * - `'batch'`: batch norm (Ioffe and Szegedy 2015). It makes a sample's score depend on the rest of its batch, so no penalty on
 *   the gradient at each sample may be used with it (Gulrajani et al. 2017, section 4).
 * - `'layer'`: each sample by itself over all its positions and channels, with a scale and shift for each channel: Gulrajani's
 *   replacement for batch norm.
 * - `'instance'`: each channel of each sample by itself (Ulyanov et al. 2016); for images only.
 * - `'none'`: not at all.
 */
export type CriticNorm = (typeof criticNorms)[number];

/** Options of every model's critic. */
export interface CriticOptions {
  /** The normalisation of the critic's hidden layers. */
  readonly criticNorm?: CriticNorm;
  /**
   * Divide each weight of the critic by its largest singular value (Miyato et al. 2018), the output layer's too. Meant for
   * `criticNorm: 'none'`: the scale of a norm would undo the bound on the slope. Default false.
   */
  readonly spectralNorm?: boolean;
}

/** N(0, 0.02) and no biases to start with (Radford et al. 2016, section 4). */
export const dcganInit = { init: nn.init.dcgan, initBias: nn.init.zeros };
/** He et al. 2015, eq. 10, as before a relu. */
export const heInit = { init: nn.init.kaimingNormal(), initBias: nn.init.zeros };

/** The critic's norm of images [N,H,W,channels], as a list of one layer or none. */
export function imageNorm(norm: CriticNorm, channels: number): nn.Module[] {
  if (norm === 'batch') return [new nn.BatchNorm2d(channels)];
  // One group is layer norm over [H,W,C] with a scale for each channel, not for each place: as in Gulrajani's code.
  if (norm === 'layer') return [new nn.GroupNorm(1, channels)];
  if (norm === 'instance') return [new nn.InstanceNorm2d(channels, { affine: true })];
  return [];
}

/** A function that puts spectral norm on a layer, or leaves it as it is. */
export const spectral =
  (wanted: boolean, rng: Rng) =>
  <M extends nn.WeightedModule>(layer: M): M =>
    wanted ? nn.spectralNorm(layer, { rng }) : layer;

/** The generator that fills the weights. @throws TypeError where it was left out, as JavaScript allows */
export function checkedRng(model: string, rng: Rng): Rng {
  if (typeof rng === 'object' && rng !== null && typeof rng.normal === 'function') return rng;
  throw new TypeError(`${model}: rng fills the weights; give one, as in rng: new Rng(1), not ${shown(rng)}`);
}

/** Shapes of square images. */
export interface Squares {
  /** The height of the images, which is their width. */
  readonly size: number;
  readonly channels: number;
}

/**
 * Takes the shape of one sample for square images of one of the given sizes.
 * @param makes what the model makes, for the message
 * @throws ShapeError that names the model, the shape and what it can make
 */
export function checkedSquares(model: string, shape: Shape, sizes: readonly number[], makes: string): Squares {
  const [height, width, channels] = Array.isArray(shape) ? (shape as readonly number[]) : [];
  const fits = shape.length === 3 && height === width && sizes.includes(height!);
  if (fits && Number.isInteger(channels) && channels! >= 1) return { size: height!, channels: channels! };
  throw new ShapeError(`${model}: makes ${makes}, not samples ${shown(shape)}; ${remedy(shape)}`);
}

/**
 * The channels of images [H, W, C] that can be halved.
 * @param least pixels along each side
 * @throws ShapeError that names the model, the shape and what it can take
 */
export function checkedHalvings(model: string, shape: Shape, halvings: number, least: number): number {
  const sides = Array.isArray(shape) ? (shape as Shape).slice(0, -1) : [];
  const fits = sides.length === 2 && sides.every((n) => n >= least && n % 2 ** halvings === 0);
  const channels = fits ? shape[2]! : 0;
  if (Number.isInteger(channels) && channels >= 1) return channels;
  const halved = halvings === 0 ? '' : `, and a multiple of ${2 ** halvings}`;
  throw new ShapeError(`${model}: takes images [H, W, C] with H and W at least ${least}${halved}, not ${shown(shape)}`);
}

const remedy = (shape: Shape): string =>
  shape.length === 3
    ? 'resize the images, or take the model mlp, which makes images of any size'
    : 'for points there is the model mlp';
