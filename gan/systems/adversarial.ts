import { concat, noGrad, type Rng, scope, type Tensor } from '../../engine/index.ts';
import { checked, checkRanges, ranges } from '../../engine/internal.ts';
import {
  Adam,
  type AnyModule,
  type AnyOptimizer,
  BatchNorm1d,
  BatchNorm2d,
  BatchNorm3d,
  type EMA,
  MinibatchDiscrimination,
  MinibatchStdDev,
} from '../../nn/index.ts';
import type { Networks } from '../networks/networks.ts';
import { type Objective, objective } from '../objectives/objective.ts';
import { type Regularizer, type RegularizerName, regularizer } from '../objectives/regularizer.ts';
import { type MakeOptimizer, Player } from '../player.ts';
import { drawSamples, standingStatistics } from '../sampling/draw.ts';
import { codesOf } from '../sampling/latents.ts';
import {
  type Batches,
  type Drawing,
  type DrawingOptions,
  disposePlayers,
  type Progress,
  type System,
} from '../system.ts';
import { linearDecay } from '../train.ts';
import { type CriticReport, type GanOptions, type GanScalar, ganOptions } from './ganOptions.ts';

/** Layers whose output for a sample depends on the others of the batch. */
const MIXING = [BatchNorm1d, BatchNorm2d, BatchNorm3d, MinibatchDiscrimination, MinibatchStdDev] as const;

const adam: MakeOptimizer = (parameters) => new Adam(parameters, { lr: 1e-4, betas: [0, 0.9] });

/**
 * A generative adversarial network with any objective and any regularisers: a {@link System} of a critic and a generator. Each step of
 * `train` is some updates of the critic and one of the generator (Goodfellow et al. 2014, Algorithm 1; Gulrajani et al. 2017, Algorithm
 * 1). Nothing here waits for the device, and both half steps may be compiled.
 * @example
 * const rng = new Rng(1);
 * const gan = new Gan(dcganSmall({ shape: [28, 28, 1], rng }), rng); // WGAN-GP
 * for await (const row of train(gan, { data }, { until: 1000 })) console.log(row.step, row.wasserstein);
 * @example
 * for (let k = 0; k < 5; k++) gan.criticStep(nextBatch()); // by hand
 * gan.generatorStep(64);
 */
export class Gan implements System<'data'> {
  /** What is trained. */
  readonly networks: Networks;
  /** Draws latent codes, noise, and the places where gradients are penalised. */
  readonly rng: Rng;
  /** What both networks minimise. */
  readonly objective: Objective;
  /** What keeps the critic smooth. */
  readonly regularizers: readonly Regularizer[];
  /** The two sides of the game. */
  readonly players: Readonly<Record<'critic' | 'generator', Player>>;
  /** What a checkpoint needs beside the players. */
  readonly state: Readonly<Record<'rng', Rng>>;
  /** Batches of real samples that one step takes. */
  readonly takes: Readonly<Record<'data', number>>;
  /** Updates of the critic before each of the generator. */
  readonly criticSteps: number;
  /** Batches whose mean gradient makes one update. */
  readonly accumulate: number;
  /** Standard deviation of the noise on what the critic sees; compiled steps look it up in each run. */
  instanceNoise: number;
  private readonly noise: number;
  private readonly noiseSchedule: (done: number) => number;
  /** Whether real and generated samples need passes of their own, since the critic would mix them. */
  private readonly mixes: boolean;

  /**
   * Prepares the critic (spectral norm) and makes the optimizers, which take the parameters into their arenas.
   * @throws TypeError for options that do not exist, and for an objective whose generator's loss takes real logits without
   * `needsReal`; RangeError for numbers out of range
   */
  constructor(networks: Networks, rng: Rng, options: GanOptions = {}) {
    const { emaDecay = 0, instanceNoise = 0, criticSteps = 5, accumulate = 1 } = checked('Gan', options, ganOptions);
    const { criticOptimizer = adam, generatorOptimizer = criticOptimizer } = options;
    const { belowOne, notNegative, count } = ranges;
    const numbers = { emaDecay, instanceNoise, criticSteps, accumulate };
    checkRanges(
      'Gan',
      { emaDecay: belowOne, instanceNoise: notNegative, criticSteps: count, accumulate: count },
      numbers,
    );
    const { objective: aim = 'wasserstein' } = options;
    this.objective = typeof aim === 'string' ? objective(aim) : aim;
    if (this.objective.generatorLoss.length > 1 && !this.objective.needsReal) {
      throw new TypeError(
        `Gan: generatorLoss of ${this.objective.name} takes the logits of real samples too: say so with needsReal: true`,
      );
    }
    const usual: readonly RegularizerName[] = this.objective.name === 'wasserstein' ? ['gradient-penalty'] : [];
    this.regularizers = (options.regularizers ?? usual).map((r) => (typeof r === 'string' ? regularizer(r) : r));
    this.networks = networks;
    this.rng = rng;
    this.instanceNoise = instanceNoise;
    this.noise = instanceNoise;
    this.noiseSchedule = options.noiseSchedule ?? linearDecay(0);
    this.criticSteps = criticSteps;
    this.accumulate = accumulate;
    const { critic, generator } = networks;
    for (const r of this.regularizers) r.prepare?.(critic, rng);
    this.mixes = critic.namedModules().some(([, m]) => isMixing(m));
    const project = (parameters: Player['parameters']): void => {
      for (const r of this.regularizers) r.project?.(parameters);
    };
    this.players = {
      critic: new Player({ critic }, criticOptimizer, { project }),
      generator: new Player({ generator }, generatorOptimizer, { emaDecay }),
    };
    this.state = { rng };
    this.takes = { data: criticSteps * accumulate };
  }

  /** Updates the critic. */
  get criticOptimizer(): AnyOptimizer {
    return this.players.critic.optimizer;
  }

  /** Updates the generator. */
  get generatorOptimizer(): AnyOptimizer {
    return this.players.generator.optimizer;
  }

  /** The average of the generator's weights, if one was asked for. */
  get ema(): EMA | undefined {
    return this.players.generator.ema;
  }

  /** The updates of the critic, then that of the generator. @param batches `sample` [N, ...] of real samples */
  step({ data }: Batches<'data'>): Record<GanScalar, Tensor> {
    const { accumulate, criticSteps } = this;
    const samples = data.map(({ sample }) => sample!);
    let report: CriticReport | undefined;
    for (let k = 0; k < criticSteps; k++) {
      report = this.criticStep(...samples.slice(k * accumulate, (k + 1) * accumulate));
    }
    const { loss: criticLoss, objectiveLoss, penalty, spread } = report!;
    // A loss that looks at real samples sees those that the critic has just learnt from.
    const generatorLoss = this.objective.needsReal
      ? this.generatorStep(...samples.slice(-accumulate))
      : this.generatorStep(samples[0]!.shape[0]!, accumulate);
    return { criticLoss, objectiveLoss, penalty, spread, generatorLoss };
  }

  /** Sets the noise that the critic sees. */
  between({ done }: Progress): void {
    this.instanceNoise = this.noise * this.noiseSchedule(done);
  }

  /** The losses, the divergence that the critic's stands for, the penalty where there is one, and the spread. */
  report(values: Readonly<Record<string, number>>): Record<string, number> {
    const { criticLoss, objectiveLoss, penalty, spread, generatorLoss } = values as Record<GanScalar, number>;
    const { estimate } = this.objective;
    return {
      criticLoss,
      ...(estimate && { [estimate.name]: estimate.fromLoss(objectiveLoss) }),
      ...(this.regularizers.some((r) => r.penalty) && { penalty }),
      generatorLoss,
      spread,
    };
  }

  /** Samples of n codes, from the averaged generator if there is one, 64 at a time in their own statistics unless asked otherwise. */
  async draw(n: number, rng: Rng, options: DrawingOptions = {}): Promise<Drawing> {
    const { psi, statistics = 'batch' } = checked('draw', options, ['psi', 'statistics']);
    const { generator, latent } = this.networks;
    using codes = codesOf(rng, n, latent, psi);
    const weights = this.ema && { ema: this.ema };
    if (statistics === 'running') {
      standingStatistics(generator, { latent, rng, ...weights, ...(psi !== undefined && { psi }) });
    }
    return { samples: await drawSamples(generator, codes, { batchSize: 64, statistics, ...weights }) };
  }

  /**
   * One update of the critic on real samples [N, ...], against as many generated ones. Of several batches the gradients are
   * averaged before the update (gradient accumulation), and the report is of the last.
   */
  criticStep(...batches: readonly Tensor[]): CriticReport {
    return scope(() => {
      const { critic } = this.players;
      let report: CriticReport | undefined;
      const gradients = accumulated(batches, (real) => {
        report = this.measure(real);
        return critic.gradients(report.loss);
      });
      critic.update(gradients);
      const { loss, objectiveLoss, penalty, spread } = report!;
      return {
        loss: loss.detach(),
        objectiveLoss: objectiveLoss.detach(),
        penalty: penalty.detach(),
        spread: spread.detach(),
      };
    });
  }

  /**
   * One update of the generator on a batch of n latent codes, or on the mean gradient of `batches` of them.
   * @returns its loss on the last batch
   * @throws TypeError if the objective needs real samples
   */
  generatorStep(n: number, batches?: number): Tensor;
  /**
   * One update of the generator for batches of real samples [N, ...], on as many latent codes each: what an objective needs that compares
   * the two (`needsReal`). For others only the size of the batches matters.
   */
  generatorStep(...real: readonly Tensor[]): Tensor;
  generatorStep(...given: readonly (number | Tensor | undefined)[]): Tensor {
    const [n, times = 1] = given as readonly number[];
    const batches = typeof n === 'number' ? Array.from({ length: times }, () => n) : (given as readonly Tensor[]);
    return scope(() => {
      const player = this.players.generator;
      let loss: Tensor | undefined;
      const gradients = accumulated<number | Tensor>(batches, (batch) => {
        loss = this.generatorLoss(batch);
        return player.gradients(loss);
      });
      player.update(gradients);
      return loss!.detach();
    });
  }

  /** The generator's loss on as many new samples as a batch of real ones has, or on that many. */
  private generatorLoss(batch: number | Tensor): Tensor {
    const { critic, generator } = this.networks;
    const n = typeof batch === 'number' ? batch : batch.shape[0]!;
    const scores = critic.forward(this.seen(generator.forward(this.latents(n))));
    if (!this.objective.needsReal) return this.objective.generatorLoss(scores);
    if (typeof batch === 'number') {
      throw new TypeError(
        `Gan: ${this.objective.name} compares generated samples with real ones: write generatorStep(real), not a number`,
      );
    }
    // They do not depend on the generator.
    const real = noGrad(() => critic.forward(this.seen(batch)));
    return this.objective.generatorLoss(scores, real);
  }

  /** The critic's losses on real samples [N, ...] and as many new generated ones, with their graph, and no update. */
  measure(real: Tensor): CriticReport {
    const { critic, generator } = this.networks;
    const n = real.shape[0]!;
    const seen = this.seen(real);
    const fake = this.seen(noGrad(() => generator.forward(this.latents(n))));
    const scores = this.mixes
      ? concat([critic.forward(seen), critic.forward(fake)])
      : critic.forward(concat([seen, fake]));
    const objectiveLoss = this.objective.criticLoss(scores.slice([[0, n]]), scores.slice([[n, 2 * n]]));
    const penalties = this.regularizers.flatMap((r) => r.penalty?.(critic, seen, fake, this.rng) ?? []);
    const penalty = penalties.length > 0 ? penalties.reduce((a, b) => a.add(b)) : objectiveLoss.detach().mul(0);
    const spread = noGrad(() => scores.sub(scores.mean()).square().mean().sqrt());
    return { loss: penalties.length > 0 ? objectiveLoss.add(penalty) : objectiveLoss, objectiveLoss, penalty, spread };
  }

  /** n standard normal codes, [n, latent]. */
  latents(n: number): Tensor {
    return this.rng.normal([n, this.networks.latent]);
  }

  /** Samples for latent codes, from the averaged generator if there is one, in the batch's own statistics. */
  sample(latents: Tensor): Tensor {
    return this.players.generator.averaged(() => noGrad(() => scope(() => this.networks.generator.forward(latents))));
  }

  /** Frees optimizers and average. The networks stay. */
  dispose(): void {
    disposePlayers(this);
  }

  /** x as the critic sees it. */
  private seen(x: Tensor): Tensor {
    return this.noise > 0 ? x.add(this.rng.normal(x.shape, { std: () => this.instanceNoise })) : x;
  }
}

const isMixing = (m: AnyModule): boolean => MIXING.some((kind) => m instanceof kind);

/** The mean over `batches` of the gradients that `gradientsOf` gives for each. */
function accumulated<T>(batches: readonly T[], gradientsOf: (batch: T) => Tensor[]): Tensor[] {
  if (batches.length === 0) throw new RangeError('Gan: a step needs one batch or more');
  const all = batches.map(gradientsOf);
  if (all.length === 1) return all[0]!;
  return all[0]!.map((first, i) =>
    all
      .slice(1)
      .reduce((sum, g) => sum.add(g[i]!), first)
      .div(all.length),
  );
}
