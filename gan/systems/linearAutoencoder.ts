import { copyFrom, type Tensor, zeros } from '../../engine/index.ts';
import { Buffer, type CheckpointParts, init, Linear, Module, ReLU, Reshape, Sequential, SGD } from '../../nn/index.ts';
import type { SampleSet } from '../data/sampleSet.ts';
import { trainingLoader } from '../data/trainingData.ts';
import { pca } from '../metrics/pca.ts';
import { principalAngles } from '../metrics/principalAngles.ts';
import { metricSamples } from '../metrics/samples.ts';
import { Player } from '../player.ts';
import { mapSamples } from '../sampling/mapSamples.ts';
import { choice, count, rate } from '../settings.ts';
import type { Batches, Columns, Progress, System } from '../system.ts';
import type { Lab, Making, Show, SystemRow } from './row.ts';

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
  /** As long as a sample has numbers. */
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
export class LinearAutoencoder implements System<'data'> {
  /** The one player. */
  readonly players: Readonly<Record<'autoencoder', Player>>;
  /** From centred samples [N, numbers of a sample] to codes [N, code]. */
  readonly encoder: Module;
  /** From codes to samples. */
  readonly decoder: Module;
  /** The mean of what has been learnt from, which is taken away before the encoder and put back behind the decoder. */
  readonly state: CheckpointParts;
  private readonly centre: Centre;
  /** The decoder's layer, whose weight [code, numbers of a sample] spans what it can make. */
  readonly span: Linear;

  /** Both layers with their first weights, and their optimizer. */
  constructor({ options, shape, rng }: Making<LinearAutoencoderSettings>) {
    const { code, rate: lr, encoder } = options;
    const size = shape.reduce((a, b) => a * b);
    const weights = { rng: rng('weights'), init: init.xavierNormal(), bias: false };
    this.centre = new Centre(size);
    this.state = { centre: this.centre };
    this.span = new Linear(code, size, weights);
    const relu = encoder === 'relu' ? [new ReLU()] : [];
    this.encoder = new Sequential(new Linear(size, code, weights), ...relu);
    this.decoder = new Sequential(this.span, new Reshape(shape));
    const { encoder: to, decoder: from } = this;
    this.players = {
      autoencoder: new Player({ encoder: to, decoder: from }, (p) => new SGD(p, { lr, momentum: 0.9 }), {
        clipNorm: 10,
      }),
    };
  }

  /** One step down the mean squared error. @param batches `sample` [N, ...] */
  step({ data }: Batches<'data'>, { share }: Columns): Record<string, Tensor> {
    const { sample } = data[0]!;
    this.centre.move(sample!, share!);
    const loss = this.restored(sample!).sub(sample!).square().mean();
    // Of a whole sample, so that the rate does not depend on how many numbers it has.
    this.players.autoencoder.minimise(loss.mul(this.span.weight.shape[1]!));
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

/** The principal components of training samples, of which there are enough: found once for each set and number. */
const found = new WeakMap<SampleSet, Map<number, ReturnType<typeof pca>>>();
function componentsOf(set: SampleSet, k: number): ReturnType<typeof pca> {
  const own = found.get(set) ?? new Map<number, ReturnType<typeof pca>>();
  found.set(set, own);
  const known = own.get(k) ?? pca(metricSamples(set.train, set.shape), k);
  own.set(k, known);
  return known;
}

/** The largest principal angle between what the decoder makes and the principal components, in degrees. */
async function angle({ system, set }: Lab<LinearAutoencoder>): Promise<number> {
  const { weight } = system.span;
  const [k, size] = weight.shape as [number, number];
  const { components } = await componentsOf(set as SampleSet, k);
  const rows = await weight.data();
  const columns = Float64Array.from({ length: k * size }, (_, i) => rows[(i % k) * size + Math.floor(i / k)]!);
  const angles = await principalAngles({ data: columns, shape: [size, k] }, components);
  return angles.at(-1)!;
}

/** The squared error on held-out samples, in units of that of as many principal components. */
async function error({ system, set }: Lab<LinearAutoencoder>): Promise<number> {
  const samples = metricSamples((set as SampleSet).test, set.shape);
  const { mean, components } = await componentsOf(set as SampleSet, system.span.weight.shape[0]!);
  const { data } = await mapSamples((x) => system.restored(x), samples, { batchSize: 500 });
  const [size, k] = components.shape as [number, number];
  let [own, best] = [0, 0];
  for (let n = 0; n < samples.shape[0]!; n++) {
    const codes = new Float64Array(k);
    for (let i = 0; i < size; i++) {
      const x = samples.data[n * size + i]!;
      own += (data[n * size + i]! - x) ** 2;
      best += (x - mean[i]!) ** 2; // less what the components keep, below
      for (let j = 0; j < k; j++) codes[j]! += (x - mean[i]!) * components.data[i * k + j]!;
    }
    for (const code of codes) best -= code ** 2;
  }
  return own / best;
}

const restored: Show<LinearAutoencoder> = {
  title: 'held-out samples, and what is left of them, below each',
  async draw({ system, set }, count = 16) {
    const { test, shape } = set as SampleSet;
    const samples = metricSamples(test, shape, count);
    const made = await mapSamples((x) => system.restored(x), samples);
    const data = new Float32Array(2 * made.data.length);
    data.set(samples.data);
    data.set(made.data, made.data.length);
    const layout = { columns: samples.shape[0]!, rowLabels: ['real', 'restored'], scale: 2 };
    return { samples: { data, shape: [2 * samples.shape[0]!, ...shape] }, layout };
  },
};

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
  run: { steps: 1000, batch: 1000, rateDecay: 0.01 },
  needs: ['images'],
  create: (making) => new LinearAutoencoder(making),
  streams: (set, batch, rng) => ({ data: trainingLoader(set as SampleSet, batch, rng) }),
  method: (_, { code, encoder, batch }) => ({ words: `${encoder} encoder, codes of ${code}, batch ${batch}` }),
  shows: { restored },
  measures: {
    angle: {
      title: 'largest principal angle to the PCA subspace, degrees',
      better: 'lower',
      quick: true,
      compute: angle,
    },
    error: { title: "squared error on held-out samples, in units of PCA's", better: 'lower', compute: error },
  },
};
