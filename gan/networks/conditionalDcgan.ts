import { concat, type Rng, type Shape, ShapeError, type Tensor } from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import * as nn from '../../nn/index.ts';
import { dcganCriticLayers, dcganGenerator, dcganMakes, dcganSizes } from './dcgan.ts';
import { type CriticNorm, checkedRng, checkedSquares, criticNorms } from './parts.ts';

/** Options of {@link conditionalDcgan}. */
export interface ConditionalDcganOptions {
  /** [H, W, C] of one image: H = W is 28, 32 or 64, and C is 1 or more. */
  readonly shape: Shape;
  /** How many classes there are, 1 or more. */
  readonly classes: number;
  /** Length of a latent code. Default 64. */
  readonly latent?: number;
  /** Length of the vector that the generator learns for each class. Default 32. */
  readonly embedding?: number;
  /** Channels of the generator's last hidden layer, doubled with each halving of the size. Default 16. */
  readonly width?: number;
  /** Channels of the critic's first layer, doubled with each halving of the size. Default: half of `width`. */
  readonly criticWidth?: number;
  /** How the critic is told the class; see {@link ConditionalCritic}. Default 'projection', which learns sooner. */
  readonly condition?: 'channel' | 'projection';
  /** The generator's norm, on each hidden layer. Default 'batch'. */
  readonly norm?: 'batch' | 'none';
  /** The norm of the critic's hidden layers, of each sample by itself. Default 'none'. */
  readonly criticNorm?: Exclude<CriticNorm, 'batch'>;
  /** Divide each weight of the critic by its largest singular value (Miyato et al. 2018), but not what it learns of classes. Default false. */
  readonly spectralNorm?: boolean;
  /** Fills the weights: the generator's first, then the critic's. */
  readonly rng: Rng;
}

/** A generator and a critic that are told a class. */
export interface ConditionalNetworks {
  /** Codes [N, latent] and classes [N] to images. */
  readonly generator: ConditionalGenerator;
  /** Images and classes [N] to scores [N, 1]. */
  readonly critic: ConditionalCritic;
  /** Length of a latent code. */
  readonly latent: number;
  /** How many classes there are. */
  readonly classes: number;
}

const SIZES = ['classes', 'latent', 'embedding', 'width', 'criticWidth'] as const;
const OPTIONS = ['shape', ...SIZES, 'condition', 'norm', 'criticNorm', 'spectralNorm', 'rng'] as const;

/** Classes that fit the samples. @throws ShapeError naming the network unless there is one for each sample */
function checkedLabel(owner: string, label: Tensor, { shape: [n] }: Tensor): Tensor {
  if (label.rank === 1 && label.shape[0] === n) return label;
  throw new ShapeError(`${owner}: label [${label.shape}] must be one class for each of the ${n} samples, [${n}]`);
}

/** A generator that is told a class: codes [N, latent] and classes [N], whole numbers from 0 on, to images [N,H,W,C] in [-1, 1]. */
export class ConditionalGenerator extends nn.Module<[z: Tensor, label: Tensor]> {
  /** What the generator knows of each class, [classes, embedding]. */
  readonly embedding: nn.Embedding;
  /** What makes an image of a code with the vector of its class behind it. */
  readonly body: nn.Module;

  /** Takes its parts. */
  constructor(embedding: nn.Embedding, body: nn.Module) {
    super();
    this.embedding = embedding;
    this.body = body;
  }

  /** @throws ShapeError unless there is a class for each code */
  override forward(z: Tensor, label: Tensor): Tensor {
    const told = this.embedding.forward(checkedLabel('ConditionalGenerator', label, z));
    return this.body.forward(concat([z, told], 1));
  }
}

/**
 * A critic that is told a class: images [N,H,W,C] and classes [N] to scores [N, 1]. With the condition 'channel', what it knows of a class is a
 * picture, which it sees as one more channel of the image. With 'projection' (Miyato and Koyama 2018), it is a vector, whose inner product
 * with the image's features is added to the score: here with all of the features [N, F], at each position by itself, not with their sums over
 * positions.
 */
export class ConditionalCritic extends nn.Module<[x: Tensor, label: Tensor]> {
  /** What the critic knows of each class: [classes, H * W] of a picture, [classes, F] of a vector. */
  readonly embedding: nn.Embedding;
  /** The layers from images, with or without the channel, to features [N, F]. */
  readonly features: nn.Module;
  /** The layer from features to scores. */
  readonly score: nn.Module;
  /** How it is told the class. */
  readonly condition: 'channel' | 'projection';

  /** Takes its parts. */
  constructor(condition: 'channel' | 'projection', embedding: nn.Embedding, features: nn.Module, score: nn.Module) {
    super();
    this.condition = condition;
    this.embedding = embedding;
    this.features = features;
    this.score = score;
  }

  /** @throws ShapeError unless there is a class for each image */
  override forward(x: Tensor, label: Tensor): Tensor {
    const told = this.embedding.forward(checkedLabel('ConditionalCritic', label, x));
    if (this.condition === 'channel') {
      const channel = told.reshape([...x.shape.slice(0, 3), 1]);
      return this.score.forward(this.features.forward(concat([x, channel], 3)));
    }
    const features = this.features.forward(x);
    return this.score.forward(features).add(features.mul(told).sum(1, { keepDims: true }));
  }
}

/**
 * {@link dcganSmall} whose networks are told the class (Mirza and Osindero 2014): the generator's code has a learnt vector of the class behind
 * it, and the critic, which has no batch norm, so that its gradient may be penalised, sees a learnt picture of the class as one more channel, or
 * takes its projection: see {@link ConditionalCritic}. In a penalty, hold the classes while images move between real and generated ones.
 *
 * The layers start as those of `dcgan`; what is learnt of classes from N(0, 1), as large as codes and pixels are, but for the vectors of the
 * projection, which start from Glorot's uniform range, as in its authors' code.
 * @throws ShapeError for images that it does not make; RangeError for a size that is no count, or an unknown choice; TypeError for an unknown
 * option
 * @example
 * const { generator, critic, latent } = conditionalDcgan({ shape: [28, 28, 1], classes: 10, rng: new Rng(1) });
 * const sevens = generator.forward(randn([16, latent]), full([16], 7));
 */
export function conditionalDcgan(options: ConditionalDcganOptions): ConditionalNetworks {
  const op = 'conditionalDcgan';
  const { shape, classes, latent = 64, embedding = 32, width = 16, ...rest } = checked(op, options, OPTIONS);
  const { criticWidth = Math.ceil(width / 2), condition = 'projection', norm = 'batch', criticNorm = 'none' } = rest;
  const { size, channels } = checkedSquares(op, shape, dcganSizes, dcganMakes);
  const rng = checkedRng(op, options.rng);
  const sizes = { classes, latent, embedding, width, criticWidth };
  for (const name of SIZES) checkRange(op, name, ranges.count, sizes[name]);
  checkRange(op, 'condition', ranges.oneOf(['channel', 'projection']), condition);
  checkRange(op, 'norm', ranges.oneOf(['batch', 'none']), norm);
  checkRange(op, 'criticNorm', ranges.oneOf(criticNorms.filter((n) => n !== 'batch')), criticNorm);
  const spectralNorm = checkRange(op, 'spectralNorm', ranges.flag, rest.spectralNorm ?? false);

  const body = dcganGenerator({ size, channels, latent: latent + embedding, width, norm, rng });
  const generator = new ConditionalGenerator(new nn.Embedding(classes, embedding, { rng }), body);

  const isChannel = condition === 'channel';
  const seen = isChannel ? channels + 1 : channels;
  const [layers, score] = dcganCriticLayers({
    size,
    channels: seen,
    width: criticWidth,
    norm: criticNorm,
    spectralNorm,
    rng,
  });
  const known = isChannel
    ? new nn.Embedding(classes, size * size, { rng })
    : new nn.Embedding(classes, score.weight.shape[0]!, { init: nn.init.xavierUniform(), rng });
  const critic = new ConditionalCritic(condition, known, new nn.Sequential(...layers), score);
  return { generator, critic, latent, classes };
}
