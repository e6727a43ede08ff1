/** Every model of gan/networks, so narrow that the reference device runs it quickly. */
import type { Shape } from '../../engine/index.ts';
import {
  type CriticNorm,
  dcgan,
  dcganSmall,
  mlp,
  type Networks,
  type NetworksOptions,
  resnet,
} from '../../gan/index.ts';

/** One way to make networks. */
export interface SmallModel {
  readonly name: string;
  /** Every kind of sample that it makes; the last one is the cheapest image, or a point. */
  readonly shapes: readonly Shape[];
  /** The norms that its critic may have. */
  readonly norms: readonly CriticNorm[];
  make(options: NetworksOptions): Networks;
}

const images: readonly CriticNorm[] = ['batch', 'layer', 'instance', 'none'];
const vectors: readonly CriticNorm[] = ['batch', 'layer', 'none'];
const squares = (...sizes: number[]): Shape[] => sizes.flatMap((s) => [3, 1].map((c) => [s, s, c]));

export const SMALL: readonly SmallModel[] = [
  {
    name: 'mlp',
    shapes: [[1], [5], [9, 7, 3], [28, 28, 1], [2]],
    norms: vectors,
    make: (options) => mlp({ width: 8, latent: 3, ...options }),
  },
  {
    name: 'mlp with batch norm, leaky relu and tanh',
    shapes: [[6, 6, 1], [2]],
    norms: vectors,
    make: (options) =>
      mlp({ width: 8, depth: 2, norm: 'batch', activation: 'tanh', criticActivation: 'leakyRelu', ...options }),
  },
  {
    name: 'mlp with maxout',
    shapes: [[6, 6, 1], [2]],
    norms: vectors,
    make: (options) => mlp({ width: 6, activation: 'leakyRelu', criticActivation: 'maxout', ...options }),
  },
  {
    name: 'dcgan',
    shapes: squares(64, 32, 28),
    norms: images,
    make: (options) => dcgan({ width: 3, latent: 5, ...options }),
  },
  {
    name: 'dcgan without norm',
    shapes: squares(32),
    norms: ['none'],
    make: (options) => dcgan({ width: 2, criticWidth: 3, latent: 4, norm: 'none', ...options }),
  },
  {
    name: 'dcgan-small',
    shapes: squares(64, 32, 28),
    norms: images,
    make: (options) => dcganSmall({ width: 4, latent: 5, ...options }),
  },
  {
    name: 'resnet',
    shapes: squares(32, 28),
    norms: images,
    make: (options) => resnet({ width: 4, latent: 5, ...options }),
  },
];
