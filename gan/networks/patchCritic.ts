import type { Rng } from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import * as nn from '../../nn/index.ts';
import { checkedHalvings, checkedRng, dcganInit } from './parts.ts';

/** Options of {@link patchCritic}. */
export interface PatchCriticOptions {
  /** [H, W, C] of one image, of any C; H and W are multiples of 2 to the power of `halvings`, and give each of the convolutions 2 pixels or more. */
  readonly shape: readonly number[];
  /** Channels of the first layer, doubled with each further one up to eight times as many. Default 32. */
  readonly width?: number;
  /** Layers that halve the image, 1 or more. Default 2. */
  readonly halvings?: number;
  /** Further hidden layers, which do not halve it. Default 0. */
  readonly further?: number;
  /** Fills the weights, in the order of the layers. */
  readonly rng: Rng;
}

const OPTIONS = ['shape', 'width', 'halvings', 'further', 'rng'] as const;
const KERNEL = 4;
/** Channels of the widest layers, in those of the first. */
const MOST = 8;

/**
 * A critic that looks at an image patch by patch (PatchGAN: Isola et al. 2017, section 3.3): images [N,H,W,C] to logits [N,h,w,1], each of a
 * square of the image that overlaps its neighbours'. Take means over all of them. It judges strokes and textures, and leaves to other losses what
 * the whole shows. Convolutions of kernel 4 and padding 1, leaky relu of slope 0.2, instance norm on all hidden layers but the first, logits at
 * the end.
 *
 * The squares measure 22 pixels with two halvings, 10 with one, 46 with three. `{ width: 64, halvings: 3, further: 1 }` is the critic of
 * pix2pix and CycleGAN for images of 256 x 256, whose squares measure 70 and whose logits are [N,30,30,1].
 *
 * Weights start from N(0, 0.02), as in both papers, biases from 0; a layer before instance norm, which would subtract its bias, has none.
 * @throws ShapeError for images that it cannot halve, or too small for its layers; RangeError for a width or number that is out of range;
 * TypeError for an unknown option
 * @example
 * const critic = patchCritic({ shape: [32, 32, 1], rng: new Rng(1) });
 * const loss = critic.forward(images).sub(1).square().mean(); // least squares, of real images [N,7,7,1]
 */
export function patchCritic(options: PatchCriticOptions): nn.Sequential {
  const { shape, width = 32, halvings = 2, further = 0 } = checked('patchCritic', options, OPTIONS);
  const rng = checkedRng('patchCritic', options.rng);
  checkRange('patchCritic', 'width', ranges.count, width);
  checkRange('patchCritic', 'halvings', ranges.whole(1, 8), halvings);
  checkRange('patchCritic', 'further', ranges.whole(0, 8), further);
  // Each convolution of stride 1 makes the image smaller by a pixel.
  const channels = checkedHalvings('patchCritic', shape, halvings, (further + 2) * 2 ** halvings);

  const widths = Array.from({ length: halvings + further }, (_, i) => width * Math.min(MOST, 2 ** i));
  return new nn.Sequential(
    ...widths.flatMap((to, i) => [
      new nn.Conv2d(i === 0 ? channels : widths[i - 1]!, to, KERNEL, {
        stride: i < halvings ? 2 : 1,
        ...{ padding: 1, bias: i === 0, rng, ...dcganInit },
      }),
      ...(i === 0 ? [] : [new nn.InstanceNorm2d(to)]),
      new nn.LeakyReLU(0.2),
    ]),
    new nn.Conv2d(widths.at(-1)!, 1, KERNEL, { padding: 1, rng, ...dcganInit }),
  );
}
