import { noGrad, type Rng, type Tensor } from '../../engine/index.ts';
import { checked, ranges } from '../../engine/internal.ts';
import { Adam } from '../../nn/index.ts';
import type { SampleSet } from '../data/sampleSet.ts';
import { trainingLoader } from '../data/trainingData.ts';
import { conditionalDcgan } from '../networks/conditionalDcgan.ts';
import { gradientPenalty } from '../objectives/penalty.ts';
import { Player } from '../player.ts';
import { drawClasses } from '../sampling/drawClasses.ts';
import { codesOf } from '../sampling/latents.ts';
import { choice, count, number, rate } from '../settings.ts';
import type { Batches, Drawing, DrawingOptions, System } from '../system.ts';
import { type ClassConditional, classGrid, classSeen, confusion } from './classes.ts';
import type { Making, SystemRow } from './row.ts';

/** What decides a conditional GAN. */
export interface CganSettings {
  /** Length of a latent code. */
  readonly latent: number;
  /** Channels of the generator's last hidden layer. */
  readonly width: number;
  /** How the critic is told the class. */
  readonly condition: 'channel' | 'projection';
  /** Strength of the gradient penalty. */
  readonly penalty: number;
  /** Updates of the critic before each of the generator. */
  readonly criticSteps: number;
  /** Learning rate of both networks at the start. */
  readonly rate: number;
  /** Decay of the average of the generator's weights; 0 for none. */
  readonly emaDecay: number;
  /** Whether the classes that are told are those of the samples, or those of others: the control, which can teach no class. */
  readonly labels: 'true' | 'shuffled';
}

/**
 * Conditional Wasserstein GAN with gradient penalty: both networks are told the class (Mirza and Osindero 2014; Gulrajani et al. 2017). The
 * label is held while the penalty's point moves between a real and a generated sample.
 */
export class Cgan implements System<'data'>, ClassConditional {
  /** The two sides of the game. */
  readonly players: Readonly<Record<'critic' | 'generator', Player>>;
  /** What draws codes and the points where gradients are penalised. */
  readonly state: Readonly<Record<'rng', Rng>>;
  /** A batch for each update of the critic. */
  readonly takes: Readonly<Record<'data', number>>;
  private readonly networks: ReturnType<typeof conditionalDcgan>;
  private readonly settings: CganSettings;

  /** Both networks with their first weights, and their optimizers. */
  constructor({ options, shape, classes, rng }: Making<CganSettings>) {
    const { latent, width, condition, emaDecay, rate: lr } = options;
    this.settings = options;
    this.networks = conditionalDcgan({ shape, classes: classes.length, latent, width, condition, rng: rng('weights') });
    const { generator, critic } = this.networks;
    const adam = (parameters: Player['parameters']) => new Adam(parameters, { lr, betas: [0.5, 0.9] });
    this.players = {
      critic: new Player({ critic }, adam),
      generator: new Player({ generator }, adam, { emaDecay }),
    };
    this.state = { rng: rng('training') };
    this.takes = { data: options.criticSteps };
  }

  /** The updates of the critic, then that of the generator. @param batches `sample` [N, ...] with `label` [N] */
  step({ data }: Batches<'data'>): Record<string, Tensor> {
    const { critic } = this.networks;
    const { penalty: strength, labels } = this.settings;
    const { players, state } = this;
    const told = (label: Tensor) => (labels === 'shuffled' ? label.roll(1, 0) : label);
    let judged: Record<string, Tensor> = {};
    for (const { sample, label } of data) {
      const y = told(label!);
      const fake = noGrad(() => this.fakes(y));
      const given = { forward: (x: Tensor) => critic.forward(x, y) };
      const wasserstein = given.forward(sample!).mean().sub(given.forward(fake).mean());
      const penalty = gradientPenalty(given, sample!, fake, state.rng).mul(strength);
      players.critic.minimise(penalty.sub(wasserstein));
      judged = { wasserstein, penalty };
    }
    const y = told(data[0]!.label!);
    const generatorLoss = critic.forward(this.fakes(y), y).mean().neg();
    players.generator.minimise(generatorLoss);
    return { ...judged, generatorLoss };
  }

  /** Samples of the classes in turn, each of a code of its own. */
  async draw(n: number, rng: Rng, options: DrawingOptions = {}): Promise<Drawing> {
    const { psi } = checked('draw', options, ['psi']);
    const labels = Array.from({ length: n }, (_, i) => i % this.networks.classes);
    using codes = codesOf(rng, n, this.networks.latent, psi);
    return { samples: await this.samplesOf(codes, labels), labels };
  }

  /** A row for each code, a column for each class. */
  async classGrid(rows: number, rng: Rng): Promise<Drawing> {
    const { classes, latent } = this.networks;
    const labels = Array.from({ length: rows * classes }, (_, i) => i % classes);
    using codes = rng.normal([rows, latent]);
    using repeated = codes.repeatInterleave(classes, 0);
    return { samples: await this.samplesOf(repeated, labels), labels };
  }

  private async samplesOf(codes: Tensor, labels: readonly number[]) {
    const { ema } = this.players.generator;
    return await drawClasses(this.networks.generator, codes, labels, ema && { ema });
  }

  private fakes(label: Tensor): Tensor {
    const { generator, latent } = this.networks;
    return generator.forward(this.state.rng.normal([label.shape[0]!, latent]), label);
  }
}

/** Conditional WGAN-GP. */
export const cgan: SystemRow<CganSettings, 'data', Cgan> = {
  title: 'Conditional GAN',
  paper: 'Mirza and Osindero 2014; Gulrajani et al. 2017; projection: Miyato and Koyama 2018',
  about:
    'a Wasserstein GAN with gradient penalty that is told the class, and makes samples of the class that it is asked for',
  options: {
    latent: count(64, 'length of a latent code', 4096),
    width: count(16, "channels of the generator's last hidden layer", 4096),
    condition: choice('projection', ['channel', 'projection'], 'how the critic is told the class'),
    penalty: number(10, ranges.notNegative, 'strength of the gradient penalty', { value: 'weight' }),
    criticSteps: count(1, 'updates of the critic before each of the generator', 1000),
    rate: rate(2e-3, 'learning rate of both networks'),
    emaDecay: number(0.99, ranges.belowOne, "average of the generator's weights that samples come from; 0 for none", {
      flag: '--ema',
      value: 'decay',
    }),
    labels: choice('true', ['true', 'shuffled'], 'which classes are told: shuffled ones, the control, teach none'),
  },
  run: { steps: 3000, batch: 64, rateDecay: 0.02 },
  needs: ['labels', 'images'],
  create: (making) => new Cgan(making),
  streams: (set, batch, rng) => ({ data: trainingLoader(set as SampleSet, batch, rng('data')) }),
  method: (_, { penalty, condition, batch, criticSteps, labels }) => ({
    words: `conditional WGAN-GP, class as ${condition}, penalty ${penalty}, batch ${batch}, ${criticSteps} critic steps${labels === 'shuffled' ? ', labels shuffled' : ''}`,
  }),
  shows: { classes: classGrid<Cgan>(), confusion: confusion<Cgan>() },
  measures: { classSeen: classSeen<Cgan>() },
};
