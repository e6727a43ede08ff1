import type { Conv2dOptions, Rng } from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import * as nn from '../../nn/index.ts';
import { checkedHalvings, checkedRng, dcganInit } from './parts.ts';

/** Options of {@link translator}. */
export interface TranslatorOptions {
  /** [H, W, C] of one image, of any C; H and W are multiples of 2 to the power of `halvings`, twice that or more, and at least 8. */
  readonly shape: readonly number[];
  /** Channels of the residual blocks. Half as many for each halving that an image has before it. Default 48. */
  readonly width?: number;
  /** Residual blocks. Default 3. */
  readonly blocks?: number;
  /** How often the image is halved before the residual blocks, and doubled after them. Default 1. */
  readonly halvings?: number;
  /** Fills the weights, in the order of the layers. */
  readonly rng: Rng;
}

const OPTIONS = ['shape', 'width', 'blocks', 'halvings', 'rng'] as const;

/** A convolution before instance norm, which would subtract its bias again. */
const conv = (from: number, to: number, kernel: number, rest: Conv2dOptions & nn.ConvLayerOptions): nn.Module[] => [
  new nn.Conv2d(from, to, kernel, { ...dcganInit, ...rest, bias: false }),
  new nn.InstanceNorm2d(to),
];

/**
 * A generator from images to images of the same shape, in [-1, 1]: the residual network of CycleGAN (Zhu et al. 2017, section 7.2, after Johnson
 * et al. 2016), small enough for images of 32 x 32 and two cores. A convolution of kernel 7, halvings by strided ones of kernel 3, residual blocks
 * of two convolutions of kernel 3, doublings, a convolution of kernel 7, tanh; instance norm and relu after each but the last, no relu at the end
 * of a block; edges by reflection where nothing is halved or doubled. `{ width: 256, blocks: 9, halvings: 2 }` is the paper's, but for the
 * doublings: here each pixel is doubled before a convolution of kernel 3, which leaves no checkerboard, in place of a transposed one (Odena et al.
 * 2016). The body keeps to the image: no code comes in, so the same image always gives the same one.
 *
 * Weights start from N(0, 0.02), as in the paper; biases, of which the last layer alone has one, from 0.
 * @throws ShapeError for images that it cannot halve; RangeError for a width or number that is out of range; TypeError for an unknown option
 * @example
 * const toHei = translator({ shape: [32, 32, 1], rng: new Rng(1) });
 */
export function translator(options: TranslatorOptions): nn.Sequential {
  const { shape, width = 48, blocks = 3, halvings = 1 } = checked('translator', options, OPTIONS);
  const rng = checkedRng('translator', options.rng);
  checkRange('translator', 'width', ranges.count, width);
  checkRange('translator', 'blocks', ranges.whole(0, 100), blocks);
  checkRange('translator', 'halvings', ranges.whole(0, 8), halvings);
  const channels = checkedHalvings('translator', shape, halvings, Math.max(8, 2 ** (halvings + 1)));

  /** Channels of each size, the image's own first. */
  const widths = Array.from({ length: halvings + 1 }, (_, i) => Math.ceil(width / 2 ** (halvings - i)));
  const reflected = (kernel: number): nn.Module => new nn.Pad((kernel - 1) / 2, { mode: 'reflect' });
  const block = (): nn.Module =>
    new nn.Residual(
      new nn.Sequential(
        reflected(3),
        ...conv(width, width, 3, { rng }),
        new nn.ReLU(),
        reflected(3),
        ...conv(width, width, 3, { rng }),
      ),
    );
  return new nn.Sequential(
    reflected(7),
    ...conv(channels, widths[0]!, 7, { rng }),
    new nn.ReLU(),
    ...widths.slice(1).flatMap((to, i) => [...conv(widths[i]!, to, 3, { stride: 2, padding: 1, rng }), new nn.ReLU()]),
    ...Array.from({ length: blocks }, block),
    ...widths
      .slice(0, -1)
      .reverse()
      .flatMap((to, i) => [
        new nn.Upsample({ scaleFactor: 2 }),
        ...conv(widths.at(-1 - i)!, to, 3, { padding: 1, rng }),
        new nn.ReLU(),
      ]),
    reflected(7),
    new nn.Conv2d(widths[0]!, channels, 7, { rng, ...dcganInit }),
    new nn.Tanh(),
  );
}
