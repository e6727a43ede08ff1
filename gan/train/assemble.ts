import { Rng } from '../../engine/index.ts';
import { Adam, DataLoader, RMSprop, SGD } from '../../nn/index.ts';
import type { SampleSet } from '../data/sampleSet.ts';
import { type TrainingSample, trainingData } from '../data/trainingData.ts';
import { createNetworks } from '../networks/models.ts';
import type { Networks } from '../networks/networks.ts';
import { objective } from '../objectives/objective.ts';
import { type Regularizer, type RegularizerName, regularizer } from '../objectives/regularizer.ts';
import type { MakeOptimizer } from '../player.ts';
import { streams } from '../streams.ts';
import { Gan } from '../systems/adversarial.ts';
import type { TrainConfig } from './config.ts';

/** The regulariser that `name` or `name=strength` says. @throws TypeError, RangeError as {@link regularizer} */
export function parseRegularizer(text: string): Regularizer {
  const [name, strength, ...rest] = text.split('=');
  if (strength === undefined) return regularizer(name as RegularizerName);
  const value = strength.trim() === '' || rest.length > 0 ? Number.NaN : Number(strength);
  if (Number.isNaN(value)) throw new TypeError(`${text}: write a regulariser as name or name=strength, such as r1=10`);
  return regularizer(name as RegularizerName, value);
}

/** The networks of a configuration with their first weights. @throws ShapeError where the model does not make such samples */
export function networksOf(config: TrainConfig, shape: readonly number[]): Networks {
  const { model, latent, width, criticNorm, regularizers } = config;
  const used = regularizers.map(parseRegularizer);
  // A norm's scale would undo the bound of spectral norm; batch norm mixes samples, whose slopes a penalty takes one by one
  // (Gulrajani et al. 2017, section 4).
  const suits = used.some((r) => r.name === 'spectral-norm')
    ? 'none'
    : used.some((r) => r.penalty)
      ? 'layer'
      : undefined;
  const norm = criticNorm ?? (model === 'dcgan' ? suits : undefined);
  return createNetworks(model, {
    shape,
    rng: new Rng(config.seed, streams.weights),
    ...(latent !== null && { latent }),
    ...(width !== null && { width }),
    ...(norm !== undefined && { criticNorm: norm }),
  });
}

/** Networks, objective and optimizers of a configuration, on the current device. @param shape of one sample */
export function ganOf(config: TrainConfig, shape: readonly number[]): Gan {
  const {
    objective: aim,
    labelSmoothing,
    regularizers,
    instanceNoise,
    emaDecay,
    criticSteps,
    accumulate,
    seed,
  } = config;
  return new Gan(networksOf(config, shape), new Rng(seed, streams.training), {
    objective: objective(aim, { labelSmoothing }),
    regularizers: regularizers.map(parseRegularizer),
    instanceNoise,
    emaDecay,
    criticSteps,
    accumulate,
    criticOptimizer: optimizerOf(config, config.criticRate),
    generatorOptimizer: optimizerOf(config, config.generatorRate),
  });
}

/** Batches of a data set in the order of a seed, as a configuration says. @throws RangeError for a batch larger than the set */
export function dataOf(
  { batch, seed }: Pick<TrainConfig, 'batch' | 'seed'>,
  set: SampleSet,
): DataLoader<TrainingSample> {
  if (batch > set.train.count) {
    throw new RangeError(`a batch of ${batch} is larger than the ${set.train.count} samples of ${set.title}`);
  }
  const rng = new Rng(seed, streams.data);
  return new DataLoader(trainingData(set), { batchSize: batch, shuffle: true, dropLast: true, rng });
}

function optimizerOf({ optimizer, betas }: TrainConfig, lr: number): MakeOptimizer {
  switch (optimizer) {
    case 'adam':
      return (parameters) => new Adam(parameters, { lr, betas });
    case 'rmsprop':
      return (parameters) => new RMSprop(parameters, { lr });
    case 'sgd':
      return (parameters) => new SGD(parameters, { lr });
  }
}
