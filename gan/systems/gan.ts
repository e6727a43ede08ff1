import type { SampleSet } from '../data/sampleSet.ts';
import { trainingLoader } from '../data/trainingData.ts';
import { createNetworks } from '../networks/models.ts';
import type { Networks } from '../networks/networks.ts';
import { objective } from '../objectives/objective.ts';
import { parseRegularizer } from '../objectives/regularizer.ts';
import type { StepRow } from '../train.ts';
import { Gan } from './adversarial.ts';
import { presets } from './ganPresets.ts';
import { type GanSettings, ganSettings } from './ganSettings.ts';
import { optimizerOf } from './optimizers.ts';
import type { Making, SystemRow } from './row.ts';

/** Batches that one step may take: each is a part of the captured step. */
const MOST_BATCHES = 10_000;

/** The networks of a configuration with their first weights. @throws ShapeError where the model does not make such samples */
function networksOf({ options, shape, rng }: Making<GanSettings>): Networks {
  const { model, latent, width, criticNorm, regularizers } = options;
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
    rng: rng('weights'),
    ...(latent !== null && { latent }),
    ...(width !== null && { width }),
    ...(norm !== undefined && { criticNorm: norm }),
  });
}

/** A generative adversarial network of two networks, with any objective and any regularisers. */
export const gan: SystemRow<GanSettings, 'data', Gan> = {
  title: 'Generative adversarial network',
  paper: 'Goodfellow et al. 2014; Arjovsky et al. 2017; Gulrajani et al. 2017; by the presets',
  about:
    'a generator against a critic, with any objective and any regularisers; as it comes a Wasserstein GAN with gradient penalty',
  options: ganSettings,
  run: { rateDecay: 0.02, steps: 900 },
  needs: ['samples'],
  presets,
  settle(config, given, usual) {
    // The constraint on the critic belongs to the Wasserstein objective: without it, as in `Gan`, there is none unless asked for.
    const { objective = usual.objective } = given;
    const [was, is] = [usual.objective === 'wasserstein', objective === 'wasserstein'];
    const regularizers = given.regularizers ?? (was === is ? usual.regularizers : is ? ['gradient-penalty'] : []);
    if (given.betas && config.optimizer !== 'adam') {
      throw new Error(`betas are decay rates of Adam, and ${config.optimizer} has none: leave --betas out`);
    }
    return { ...config, regularizers };
  },
  check(owner, { criticSteps, accumulate }) {
    const batches = criticSteps * accumulate;
    if (batches <= MOST_BATCHES) return;
    throw new RangeError(
      `${owner}: criticSteps ${criticSteps} times accumulate ${accumulate} are ${batches} batches in a step, and at most ${MOST_BATCHES} go into one`,
    );
  },
  create(making) {
    const {
      objective: aim,
      labelSmoothing,
      regularizers,
      instanceNoise,
      emaDecay,
      criticSteps,
      accumulate,
      ...rest
    } = making.options;
    return new Gan(networksOf(making), making.rng('training'), {
      objective: objective(aim, { labelSmoothing }),
      regularizers: regularizers.map(parseRegularizer),
      instanceNoise,
      emaDecay,
      criticSteps,
      accumulate,
      criticOptimizer: optimizerOf(making.options, rest.criticRate),
      generatorOptimizer: optimizerOf(making.options, rest.generatorRate),
    });
  },
  streams: (set, batch, rng) => ({ data: trainingLoader(set as SampleSet, batch, rng('data')) }),
  method({ objective, regularizers }, { criticSteps, batch, criticNorm }) {
    const steps = `${criticSteps} critic step${criticSteps === 1 ? '' : 's'}`;
    const words = [
      ...[objective, ...regularizers].map(({ name, title = name }) => title),
      `batch ${batch}`,
      steps,
    ].join(', ');
    if (criticNorm !== 'batch' || !regularizers.some((r) => r.penalty)) return { words };
    const warning =
      'a penalty on the slope at each sample is of little meaning behind batch norm, which mixes samples (Gulrajani et al. 2017, section 4): --critic-norm layer or none';
    return { words, warnings: [warning] };
  },
  bar: ({ objective: { estimate } }, { criticLoss, generatorLoss, ...row }): StepRow => ({
    ...(estimate && { [estimate.short ?? estimate.name]: row[estimate.name]! }),
    critic: criticLoss!,
    generator: generatorLoss!,
  }),
};
