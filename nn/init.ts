/**
 * Initialisers: each makes an {@link Initializer}, as the options `init` and `initBias` of layers and {@link initialize} take it.
 * Named and with defaults as in torch.nn.init.
 * @module
 */
import {
  defaultRng,
  diag,
  full,
  qr,
  type Shape,
  ShapeError,
  scope,
  sizeOf,
  type Tensor,
  type TruncatedNormalOptions,
  tensor,
} from '../engine/index.ts';
import { checked } from '../engine/internal.ts';
import type { Fans, Initializer } from './module/parameter.ts';

/** Checked; for a shape none: where a layer was given the maker of an initialiser for the initialiser, the layer says so. */
const optionsOf = <T extends object>(name: string, options: T, known: readonly (keyof T & string)[]): T =>
  Array.isArray(options) ? ({} as T) : checked(name, options, known);

/** Normal numbers. */
export const normal =
  (std = 1, mean = 0): Initializer =>
  (shape, _, rng) =>
    rng.normal(shape, { mean, std });

/** The weights of DCGAN's convolutions: mean 0 and standard deviation 0.02 (Radford et al. 2016, section 3). */
export const dcgan: Initializer = normal(0.02);

/** Uniform numbers: `uniform(bound)` in [-bound, bound), `uniform(low, high)` in [low, high). Default [0, 1). */
export const uniform = (bound?: number, high?: number): Initializer => {
  const range = bound === undefined ? {} : high === undefined ? { low: -bound, high: bound } : { low: bound, high };
  return (shape, _, rng) => rng.uniform(shape, range);
};

/** Normal numbers given that they lie in [low, high], by default [-2, 2]. @throws RangeError unless low < high and std > 0 */
export const truncatedNormal = (options: TruncatedNormalOptions = {}): Initializer => {
  optionsOf('truncatedNormal', options, ['mean', 'std', 'low', 'high']);
  return (shape, _, rng) => rng.truncatedNormal(shape, options);
};

/** One value everywhere. */
export const constant =
  (value: number): Initializer =>
  (shape) =>
    full(shape, value);

/** 0 everywhere. */
export const zeros: Initializer = constant(0);

/** 1 everywhere. */
export const ones: Initializer = constant(1);

/** What `calculateGain` knows. */
export type Nonlinearity =
  | 'linear'
  | 'conv1d'
  | 'conv2d'
  | 'conv3d'
  | 'convTranspose1d'
  | 'convTranspose2d'
  | 'convTranspose3d'
  | 'sigmoid'
  | 'tanh'
  | 'relu'
  | 'leakyRelu'
  | 'selu';

/**
 * The factor by which the standard deviation of weights before a nonlinearity is multiplied, to keep the variance of the signal, as
 * torch.nn.init.calculate_gain: 1 for linear layers and sigmoid, 5/3 for tanh, √2 for relu, √(2 / (1 + slope²)) for leakyRelu,
 * 3/4 for selu.
 * @param slope of leakyRelu; 0.01 unless given
 * @throws RangeError for another nonlinearity
 */
export function calculateGain(nonlinearity: Nonlinearity, slope = 0.01): number {
  if (/^(linear|sigmoid|conv(Transpose)?[123]d)$/.test(nonlinearity)) return 1;
  if (nonlinearity === 'tanh') return 5 / 3;
  if (nonlinearity === 'relu') return Math.SQRT2;
  if (nonlinearity === 'leakyRelu') return Math.sqrt(2 / (1 + slope * slope));
  if (nonlinearity === 'selu') return 3 / 4;
  const known = 'linear, conv1d to conv3d, convTranspose1d to convTranspose3d, sigmoid, tanh, relu, leakyRelu, selu';
  throw new RangeError(`calculateGain: '${nonlinearity as string}' is not one of ${known}`);
}

/**
 * The connections of one unit, from the shape of a weight: [in, out] of a linear layer, [...kernel, in/groups, out] of a
 * convolution, [...kernel, out/groups, in] of a transposed one, all with PyTorch's counts (which take a transposed
 * convolution's outputs for its inputs). A vector or scalar has none.
 * @throws ShapeError for fewer than two axes
 */
export function fansOf(shape: Shape): Fans {
  if (shape.length < 2) {
    throw new ShapeError(
      `fansOf: [${shape}] must have two axes or more; fans are counted from a weight, not from a bias`,
    );
  }
  const [a, b] = shape.slice(-2) as [number, number];
  const kernel = sizeOf(shape.slice(0, -2));
  return { fanIn: kernel * a, fanOut: kernel * b };
}

/** Options of {@link xavierUniform} and {@link xavierNormal}. */
export interface XavierOptions {
  /** Multiplies the standard deviation; see {@link calculateGain}. Default 1. */
  readonly gain?: number;
}

/** Uniform numbers in [-b, b), b = gain · √(6 / (fanIn + fanOut)) (Glorot and Bengio 2010, eq. 16). */
export const xavierUniform = (options: XavierOptions = {}): Initializer => {
  const { gain = 1 } = optionsOf('xavierUniform', options, ['gain']);
  return (shape, { fanIn, fanOut }, rng) => {
    const bound = gain * Math.sqrt(6 / (fanIn + fanOut));
    return rng.uniform(shape, { low: -bound, high: bound });
  };
};

/** Normal numbers of variance gain² · 2 / (fanIn + fanOut) (Glorot and Bengio 2010, eq. 12). */
export const xavierNormal = (options: XavierOptions = {}): Initializer => {
  const { gain = 1 } = optionsOf('xavierNormal', options, ['gain']);
  return (shape, { fanIn, fanOut }, rng) => rng.normal(shape, { std: gain * Math.sqrt(2 / (fanIn + fanOut)) });
};

/** Options of {@link kaimingUniform} and {@link kaimingNormal}. */
export interface KaimingOptions {
  /** 'fanIn' keeps the variance of the signal on its way forward, 'fanOut' that of gradients on their way back. Default 'fanIn'. */
  readonly mode?: 'fanIn' | 'fanOut';
  /** What follows the layer; see {@link calculateGain}. Default 'leakyRelu'. */
  readonly nonlinearity?: Nonlinearity;
  /** The negative slope of leakyRelu. Default 0, which is relu. */
  readonly slope?: number;
}

const kaimingStd = (name: string, options: KaimingOptions): ((fans: { fanIn: number; fanOut: number }) => number) => {
  const {
    mode = 'fanIn',
    nonlinearity = 'leakyRelu',
    slope = 0,
  } = optionsOf(name, options, ['mode', 'nonlinearity', 'slope']);
  const gain = calculateGain(nonlinearity, slope);
  if (mode !== 'fanIn' && mode !== 'fanOut') {
    throw new RangeError(`kaiming: mode is 'fanIn' or 'fanOut', not '${mode as string}'`);
  }
  return (fans) => gain / Math.sqrt(fans[mode]);
};

/**
 * Normal numbers of variance gain² / fan, for layers before a (leaky) relu (He et al. 2015, eq. 15).
 * @throws RangeError for an option that there is not
 */
export const kaimingNormal = (options: KaimingOptions = {}): Initializer => {
  const std = kaimingStd('kaimingNormal', options);
  return (shape, fans, rng) => rng.normal(shape, { std: std(fans) });
};

/** Does what {@link kaimingNormal} does, uniform in [-b, b) with b = gain · √(3 / fan). @throws RangeError for an option that there is not */
export const kaimingUniform = (options: KaimingOptions = {}): Initializer => {
  const std = kaimingStd('kaimingUniform', options);
  return (shape, fans, rng) => {
    const bound = Math.sqrt(3) * std(fans);
    return rng.uniform(shape, { low: -bound, high: bound });
  };
};

/** PyTorch's default for linear and convolutional layers, weights and biases: uniform in [-b, b), b = 1/√fanIn. */
export const fanInUniform: Initializer = (shape, { fanIn }, rng) => {
  const bound = 1 / Math.sqrt(fanIn);
  return rng.uniform(shape, { low: -bound, high: bound });
};

/**
 * A random matrix with orthonormal rows or columns, whichever are fewer, times gain (Saxe et al. 2014); as
 * torch.nn.init.orthogonal_, drawn from all such matrices alike. All axes but the last are taken together: the units of a
 * convolution are its columns. Costs a QR factorisation by one thread of the device; meant for layers up to some hundred units.
 * The initialiser throws ShapeError for fewer than two axes.
 */
export const orthogonal = (options: XavierOptions = {}): Initializer => {
  const { gain = 1 } = optionsOf('orthogonal', options, ['gain']);
  return (shape, _, rng) => {
    if (shape.length < 2) throw new ShapeError(`orthogonal: [${shape}] must have two axes or more`);
    const columns = shape.at(-1)!;
    const rows = sizeOf(shape.slice(0, -1));
    const [long, short] = [Math.max(rows, columns), Math.min(rows, columns)];
    if (short === 0) return full(shape, 0);
    return scope(() => {
      const { q, r } = qr(rng.normal([long, short]));
      // QR alone prefers some matrices; with the signs of R's diagonal on Q's columns all are alike (Mezzadri 2007).
      const matrix = q.mul(diag(r).sign()).mul(gain);
      return (rows < columns ? matrix.transpose() : matrix).reshape([...shape]);
    });
  };
};

/** 1 where row and column are equal, else 0, for linear layers. The initialiser throws ShapeError unless there are two axes. */
export const identity: Initializer = (shape) => {
  if (shape.length !== 2) throw new ShapeError(`identity: [${shape}] must be [in, out]; dirac() is for convolutions`);
  return diracOf(shape, 1);
};

/**
 * A convolution that gives its input: 1 at the middle of the kernel for channel i to channel i of each group, else 0, as
 * torch.nn.init.dirac_. The initialiser throws ShapeError unless groups divide the last axis.
 * @param groups of the convolution
 */
export const dirac =
  (groups = 1): Initializer =>
  (shape) => {
    if (shape.length < 2 || shape.at(-1)! % groups !== 0) {
      throw new ShapeError(`dirac: [${shape}] must be [...kernel, in/groups, out], with ${groups} groups dividing out`);
    }
    return diracOf(shape, groups);
  };

function diracOf(shape: Shape, groups: number): Tensor {
  const [inner, outer] = shape.slice(-2) as [number, number];
  const values = new Float32Array(sizeOf(shape));
  // The place of the middle among the kernel's, row-major.
  const middle = shape.slice(0, -2).reduce((at, d) => at * d + Math.floor(d / 2), 0);
  const each = outer / groups;
  for (let g = 0; g < groups; g++) {
    for (let i = 0; i < Math.min(inner, each); i++) values[(middle * inner + i) * outer + g * each + i] = 1;
  }
  return tensor(values, { shape });
}

/** The generator of layers that are not given one: the one behind `rand`, which `manualSeed` restarts. */
export const layerGenerator = defaultRng;
