import { grad, noGrad, Rng, scope, type Tensor, tensor } from '../../engine/index.ts';
import { mnist } from '../../gan/data/mnist.node.ts';
import type { SampleSet } from '../../gan/data/sampleSet.ts';
import { trainingLoader } from '../../gan/data/trainingData.ts';
import { metricSamples } from '../../gan/metrics/samples.ts';
import { mlp } from '../../gan/networks/mlp.ts';
import { type ObjectiveName, objective } from '../../gan/objectives/objective.ts';
import { regularizer } from '../../gan/objectives/regularizer.ts';
import { randomStreams } from '../../gan/randomStreams.ts';
import { Gan } from '../../gan/systems/adversarial.ts';
import { train } from '../../gan/train.ts';
import type { Module } from '../../nn/index.ts';
import { largest, mean, rounded, smallest, trainCritic } from '../critics.ts';
import type { Experiment } from '../experiment.ts';
import { adam as adamOf } from '../modes/methods.ts';
import { drawRows } from '../sources.ts';
import { inTurn } from '../tables.ts';
import { vanishingClaims } from './vanishingClaims.ts';
import {
  type CriticCurve,
  type CriticKind,
  criticKinds,
  type Fall,
  normsOf,
  type VanishingFindings,
  type VanishingSizes,
} from './vanishingFindings.ts';
import { drawVanishing, vanishingPage } from './vanishingPage.node.ts';

const full: VanishingSizes = {
  stages: [100, 1000, 3000],
  steps: 2000,
  batch: 64,
  width: 128,
  samples: 10_000,
};
const quick: VanishingSizes = { stages: [20], steps: 60, batch: 32, width: 64, samples: 1000 };

/** Batches of generated samples whose gradients are measured, and their size. */
const MEASURED = { batches: 8, size: 128 } as const;

/** About five places for each power of ten, 0 to `steps`. */
export function places(steps: number): number[] {
  const all = [0, steps];
  for (let at = 1; at < steps; at *= 10 ** 0.2) all.push(Math.round(at));
  return [...new Set(all)].sort((a, b) => a - b);
}

/** Trains a generator as a non-saturating GAN for some steps, then new critics against it, and measures its gradients. */
export async function measureStage(set: SampleSet, stage: number, sizes: VanishingSizes): Promise<CriticCurve[]> {
  const { batch, width, samples } = sizes;
  const shape = { shape: set.shape, width, activation: 'leakyRelu', criticActivation: 'leakyRelu' } as const;
  const rng = new Rng(1, randomStreams.training);
  const networks = mlp({ ...shape, rng: new Rng(1, randomStreams.weights) });
  const { generator, latent } = networks;
  const { data, shape: all } = metricSamples(set.train, set.shape, samples);
  const table = tensor(data, { shape: all });
  try {
    await trainGenerator(
      new Gan(networks, rng, { objective: 'non-saturating', criticOptimizer: adam, criticSteps: 1 }),
      set,
      stage,
      batch,
    );
    return await inTurn(Object.keys(criticKinds) as CriticKind[], async (kind) => {
      // A new critic of the same shape, from other first weights.
      const fresh = mlp({ ...shape, rng: new Rng(2, randomStreams.weights) });
      fresh.generator.dispose();
      using critic = fresh.critic;
      return await measureCritic(kind, { generator, critic, latent }, table, sizes);
    });
  } finally {
    for (const module of [networks.critic, generator, table]) module.dispose();
  }
}

/** As DCGAN (Radford et al. 2016, section 4). */
const learning = { lr: 2e-4, betas: [0.5, 0.999] } as const;

const { make: adam } = adamOf(learning.lr, learning.betas);

async function trainGenerator(gan: Gan, set: SampleSet, steps: number, batch: number): Promise<void> {
  const data = trainingLoader(set, batch, new Rng(1, randomStreams.data));
  try {
    for await (const _ of train(gan, { data }, { until: steps }));
  } finally {
    gan.dispose();
  }
}

interface Fixed {
  readonly generator: Module;
  readonly critic: Module;
  readonly latent: number;
}

async function measureCritic(
  kind: CriticKind,
  networks: Fixed,
  table: Tensor,
  { steps, batch }: VanishingSizes,
): Promise<CriticCurve> {
  const { objective: aim, regularizer: limit, losses } = criticKinds[kind];
  const rng = new Rng(2, randomStreams.training);
  const gan = new Gan(networks, rng, {
    objective: aim,
    criticOptimizer: adam,
    regularizers: limit ? [regularizer(limit[0], limit[1])] : [],
  });
  const norms = losses.map((loss) => ({ loss, mean: [] as number[], low: [] as number[], high: [] as number[] }));
  const doubt: number[] = [];
  const estimate: number[] = [];
  try {
    await trainCritic(gan, () => drawRows(table, batch, rng), {
      steps,
      at: places(steps),
      measure: async () => {
        for (const curve of norms) {
          const found = await gradientNorms(networks, curve.loss);
          curve.mean.push(rounded(mean(found)));
          curve.low.push(rounded(smallest(found)));
          curve.high.push(rounded(largest(found)));
        }
        doubt.push(rounded(await meanOutput(networks)));
        estimate.push(rounded(await meanGap(networks, table)));
      },
    });
    return { kind, norms, doubt, estimate };
  } finally {
    gan.dispose();
  }
}

/** ‖∇θ loss‖₂ over all parameters of the generator, for each batch of codes; the codes are always the same. */
export async function gradientNorms({ generator, critic, latent }: Fixed, loss: ObjectiveName): Promise<number[]> {
  const { generatorLoss } = objective(loss);
  const parameters = generator.parameters();
  const norms: number[] = [];
  for (let k = 0; k < MEASURED.batches; k++) {
    const norm = scope(() => {
      const codes = new Rng(k, randomStreams.samples).normal([MEASURED.size, latent]);
      const gradients = grad(generatorLoss(critic.forward(generator.forward(codes))), parameters);
      return gradients
        .map((g) => g.square().sum())
        .reduce((a, b) => a.add(b))
        .sqrt()
        .item();
    });
    norms.push(await norm);
  }
  return norms;
}

/** The mean of D = sigmoid(logit) over generated samples. */
const meanOutput = ({ generator, critic, latent }: Fixed): Promise<number> =>
  scope(() => {
    const codes = new Rng(0, randomStreams.samples).normal([MEASURED.batches * MEASURED.size, latent]);
    return noGrad(() => critic.forward(generator.forward(codes)).sigmoid().mean()).item();
  });

/** E f(x) - E f(y) over the first real samples and as many generated ones, fewer where there are fewer real ones. */
const meanGap = ({ generator, critic, latent }: Fixed, table: Tensor): Promise<number> =>
  scope(() => {
    const count = Math.min(table.shape[0]!, MEASURED.batches * MEASURED.size);
    const codes = new Rng(0, randomStreams.samples).normal([count, latent]);
    return noGrad(() => {
      const real = critic.forward(table.slice([[0, count]])).mean();
      return real.sub(critic.forward(generator.forward(codes)).mean());
    }).item();
  });

/** Experiment 2. */
export const vanishing: Experiment<VanishingFindings> = {
  name: 'vanishing',
  title: "The generator's gradient as the discriminator becomes perfect",
  code: import.meta.url,
  about:
    'Where real and generated samples lie on different manifolds there is a perfect discriminator, and as D approaches it the gradient of E log(1 - D(g(z))) vanishes (Arjovsky and Bottou 2017, theorem 2.4 and Fig. 2: by up to five orders of magnitude in 4,000 updates). That of a Wasserstein critic does not (Arjovsky et al. 2017, theorem 3), so that it may be trained to the end.',
  async run(session) {
    const sizes = session.quick ? quick : full;
    const { stages: list, ...settings } = sizes;
    let set: SampleSet | undefined;
    const decides = { ...settings, criticKinds, learning, measured: MEASURED };
    const stages = await inTurn(list, async (stage) => {
      const critics = await session.part(`stage-${stage}`, decides, async () => {
        set ??= await mnist();
        return measureStage(set, stage, sizes);
      });
      return { stage, critics };
    });
    const at = places(sizes.steps);
    const falls = stages.map(({ stage, critics }) => fallOf(stage, critics, at));
    const findings = { sizes, at, stages, falls };
    return { findings, pictures: drawVanishing(findings) };
  },
  claims: vanishingClaims,
  page: vanishingPage,
};

function fallOf(stage: number, critics: readonly CriticCurve[], at: readonly number[]): Fall {
  const minimax = normsOf(critics, 'discriminator', 'minimax');
  const other = normsOf(critics, 'discriminator', 'non-saturating');
  const range = (values: readonly number[]) => rounded(largest(values) / smallest(values));
  const clipped = normsOf(critics, 'clipping', 'wasserstein').slice(at.findIndex((step) => step >= at.at(-1)! / 10));
  return {
    stage,
    minimax: rounded(minimax[0]! / minimax.at(-1)!),
    nonSaturating: rounded(other.at(-1)! / other[0]!),
    penalty: range(normsOf(critics, 'gradient penalty', 'wasserstein')),
    clipping: range(clipped),
  };
}
