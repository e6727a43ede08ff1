import { copyFrom, type Tensor, zeros } from '../../engine/index.ts';
import { Buffer, type CheckpointParts, init, Linear, Module, ReLU, Reshape, Sequential, SGD } from '../../nn/index.ts';
import type { SampleSet } from '../data/sampleSet.ts';
import { trainingLoader } from '../data/trainingData.ts';
import { Player } from '../player.ts';
import { choice, count, rate } from '../settings.ts';
import type { Batches, Columns, Progress, System } from '../system.ts';
import { angleToComponents, errorBesideComponents, type LinearDecoder, restoredSamples } from './autoencoders.ts';
import type { Making, SystemRow } from './row.ts';

/** What decides a linear autoencoder. */
export interface LinearAutoencoderSettings {
  /** Length of a code. */
  readonly code: number;
  /** Learning rate at the start. */
  readonly rate: number;
  /** What stands behind the encoder: nothing, or a relu, with which the span is not that of PCA any more. */
  readonly encoder: 'linear' | 'relu';
}

/** The mean of samples, of which batches come one after the other. */
class Centre extends Module<[samples: Tensor]> {
  /** The mean of the samples, as long as a sample has numbers. */
  readonly mean: Buffer;

  constructor(size: number) {
    super();
    this.mean = new Buffer(zeros([size]), 'mean');
  }

  /** Moves the mean towards that of a batch [N, ...] by a share of the way. */
  move(samples: Tensor, share: Tensor): void {
    const { mean } = this;
    const batch = samples.reshape([samples.shape[0]!, mean.size]).mean([0]);
    copyFrom(mean, mean.add(batch.sub(mean).mul(share)));
  }

  override forward(samples: Tensor): Tensor {
    return samples.reshape([samples.shape[0]!, this.mean.size]).sub(this.mean);
  }
}

/**
 * An autoencoder with one linear layer to the code and one back, which minimises the squared error: at its best its decoder spans the
 * principal components (Bourlard and Kamp 1988; Baldi and Hornik 1989).
 */
export class LinearAutoencoder implements System<'data'>, LinearDecoder {
  /** The one player. */
  readonly players: Readonly<Record<'autoencoder', Player>>;
  /** The layer from centred samples [N, numbers of a sample] to codes [N, code]. */
  readonly encoder: Module;
  /** The layer from codes to samples. */
  readonly decoder: Module;
  /** The mean of what has been learnt from, which is taken away before the encoder and put back behind the decoder. */
  readonly state: CheckpointParts;
  /** Numbers of a code. */
  readonly codeSize: number;
  /** The decoder's weight, [code, numbers of a sample], whose rows span what it can make. */
  readonly span: Tensor;
  private readonly centre: Centre;

  /** Both layers with their first weights, and their optimizer. */
  constructor({ options, shape, rng }: Making<LinearAutoencoderSettings>) {
    const { code, rate: lr, encoder } = options;
    const size = shape.reduce((a, b) => a * b);
    if (code > size)
      throw new RangeError(`linear-autoencoder: code ${code} is longer than a sample of ${size} numbers`);
    const weights = { rng: rng('weights'), init: init.xavierNormal(), bias: false };
    this.centre = new Centre(size);
    this.state = { centre: this.centre };
    const from = new Linear(code, size, weights);
    this.codeSize = code;
    this.span = from.weight;
    const relu = encoder === 'relu' ? [new ReLU()] : [];
    this.encoder = new Sequential(new Linear(size, code, weights), ...relu);
    this.decoder = new Sequential(from, new Reshape(shape));
    const modules = { encoder: this.encoder, decoder: this.decoder };
    this.players = { autoencoder: new Player(modules, (p) => new SGD(p, { lr, momentum: 0.9 })) };
  }

  /** One step down the mean squared error. @param batches `sample` [N, ...] */
  step({ data }: Batches<'data'>, { share }: Columns): Record<string, Tensor> {
    const { sample } = data[0]!;
    this.centre.move(sample!, share!);
    const loss = this.restored(sample!).sub(sample!).square().mean();
    // Of a whole sample, so that the rate does not depend on how many numbers it has.
    this.players.autoencoder.minimise(loss.mul(this.span.shape[1]!));
    return { loss };
  }

  /** The share of a batch in the mean of all batches so far. */
  knobs({ step }: Progress): Record<string, number> {
    return { share: 1 / (step + 1) };
  }

  /** What is left of samples on the way through the code. */
  restored(samples: Tensor): Tensor {
    const { centre } = this;
    const made = this.decoder.forward(this.encoder.forward(centre.forward(samples)));
    return made.add(centre.mean.reshape(samples.shape.slice(1)));
  }
}

/** Linear autoencoder. */
export const linearAutoencoder: SystemRow<LinearAutoencoderSettings, 'data', LinearAutoencoder> = {
  title: 'Linear autoencoder',
  paper: 'Bourlard and Kamp 1988; Baldi and Hornik 1989',
  about: 'one linear layer to a code and one back: at the least squared error it spans the principal components',
  options: {
    code: count(16, 'length of a code', 4096),
    rate: rate(3e-3, 'learning rate, of the squared error of a whole sample'),
    encoder: choice('linear', ['linear', 'relu'], 'with relu, the control, it does not span the principal components'),
  },
  run: { steps: 2000, batch: 1000, rateDecay: 0.01 },
  needs: ['images'],
  create: (making) => new LinearAutoencoder(making),
  streams: (set, batch, rng) => ({ data: trainingLoader(set as SampleSet, batch, rng('data')) }),
  method: (_, { code, encoder, batch }) => ({ words: `${encoder} encoder, codes of ${code}, batch ${batch}` }),
  shows: { restored: restoredSamples<LinearAutoencoder>() },
  measures: { angle: angleToComponents<LinearAutoencoder>(), error: errorBesideComponents<LinearAutoencoder>() },
};
