import { checked, checkedNumber, checkRange, compile, concat, ranges, scope, type Tensor } from '../../engine/index.ts';
import type { CheckpointParts, Stateful } from '../../nn/index.ts';
import type { Gan } from '../gan.ts';

/** The figures of one step, by name: a row of `metrics.jsonl`. */
export type StepRow = Readonly<Record<string, number>>;

/** Batches of real samples, without end: a `DataLoader` of records with a tensor `sample`, or what is like one. */
export interface RealBatches extends Stateful {
  /** Batches of one size. */
  epochs(): Iterable<RealBatch>;
}

/** A batch of real samples. */
export interface RealBatch {
  /** [N, ...]. */
  readonly sample: Tensor;
}

/** What asks a training to stop: an `AbortSignal`, or anything that says so. */
export interface StopSignal {
  /** Whether to stop after the step under way. */
  readonly aborted: boolean;
}

/** Options of {@link Training}. */
export interface TrainingOptions {
  /** Updates of the critic before each of the generator. Default 5, as in WGAN-GP; 1 is usual for other objectives. */
  readonly criticSteps?: number;
  /** Batches whose mean gradient makes one update. Default 1. */
  readonly accumulate?: number;
  /**
   * What the learning rates are multiplied with, by how much of the training is done, 0 to 1. Default 1 throughout.
   * {@link linearDecay} makes one.
   */
  readonly schedule?: (done: number) => number;
  /** What instance noise is multiplied with, likewise. Default 1 - done. */
  readonly noiseSchedule?: (done: number) => number;
  /** Records each kind of step once and replays it (`compile`). Default true. */
  readonly compiled?: boolean;
}

/** Falls in a straight line from 1 to `last` at the end. */
export const linearDecay =
  (last: number) =>
  (done: number): number =>
    1 - done * (1 - last);

/**
 * Alternating training (Goodfellow et al. 2014, Algorithm 1; Gulrajani et al. 2017, Algorithm 1): some updates of the critic, then
 * one of the generator, over and over. The device is never waited for inside a step: the figures of a step are read while the next
 * one runs.
 * @example
 * const training = new Training(gan, new DataLoader(trainingData(set), { batchSize: 64, shuffle: true, dropLast: true, rng }));
 * await training.run(1000, { onRow: (row) => console.log(row.step, row.wasserstein) });
 */
export class Training {
  /** What is trained. */
  readonly gan: Gan;
  /** Where real samples come from. */
  readonly data: RealBatches;
  /** Updates of the critic before each of the generator. */
  readonly criticSteps: number;
  /** Batches whose mean gradient makes one update. */
  readonly accumulate: number;
  /** Updates of the generator so far. */
  step = 0;
  private readonly options: TrainingOptions;
  private readonly criticRate: number;
  private readonly generatorRate: number;
  private readonly noise: number;
  private readonly once: ((...batches: Tensor[]) => Tensor) & { dispose?: () => void };
  private batches: Iterator<RealBatch> | undefined;

  /**
   * The learning rates and the noise that `gan` has now are those that the schedules multiply.
   * @param data batches of one size (`dropLast`), each a record with a tensor `sample`
   * @throws RangeError for counts that are not whole numbers of 1 or more
   */
  constructor(gan: Gan, data: RealBatches, options: TrainingOptions = {}) {
    const names = ['criticSteps', 'accumulate', 'schedule', 'noiseSchedule', 'compiled'] as const;
    const { criticSteps = 5, accumulate = 1, compiled = true } = checked('Training', options, names);
    for (const [name, value] of Object.entries({ criticSteps, accumulate })) {
      checkedNumber('Training', name, value);
      checkRange('Training', name, ranges.count, value);
    }
    this.gan = gan;
    this.data = data;
    this.criticSteps = criticSteps;
    this.accumulate = accumulate;
    this.options = options;
    this.criticRate = gan.criticOptimizer.lr;
    this.generatorRate = gan.generatorOptimizer.lr;
    this.noise = gan.instanceNoise;
    const once = (...batches: Tensor[]): Tensor => this.update(batches);
    this.once = compiled ? compile(once) : once;
  }

  /** Everything that training changes, by name: the parts of a checkpoint, together with {@link step}. */
  get parts(): CheckpointParts {
    const { networks, criticOptimizer, generatorOptimizer, ema, rng } = this.gan;
    const { generator, critic } = networks;
    return { generator, critic, generatorOptimizer, criticOptimizer, ...(ema && { ema }), rng, data: this.data };
  }

  /** Goes on from a checkpoint's `parts` after that many steps. */
  resumeAt(step: number): void {
    this.step = step;
    this.batches = undefined; // the loader begins again where its state says
  }

  /**
   * Trains until `until` steps are done, or `signal` asks to stop: the step under way is finished, and its row reported.
   * @param until counted from the very beginning
   * @param options.of the steps of the whole training, for the schedules; `until` unless given
   * @param options.onRow called once for each step, in order; what it throws ends the run
   */
  async run(
    until: number,
    options: { readonly of?: number; readonly signal?: StopSignal; readonly onRow?: (row: StepRow) => void } = {},
  ): Promise<void> {
    const { of = until, signal, onRow } = options;
    let pending: Promise<StepRow> | undefined;
    const settle = async (): Promise<void> => {
      const row = await pending;
      pending = undefined;
      if (row) onRow?.(row);
    };
    while (this.step < until && !signal?.aborted) {
      const row = this.next(this.step / of);
      row.catch(() => {}); // reported by settle(); an error that comes first must not leave it unhandled
      await settle();
      pending = row;
    }
    await settle();
  }

  /** Frees the recorded step. The GAN stays. */
  dispose(): void {
    this.once.dispose?.();
  }

  /** Starts one step. @param done how much of the training lies behind, 0 to 1 */
  private async next(done: number): Promise<StepRow> {
    const { gan, options } = this;
    const rate = options.schedule?.(done) ?? 1;
    gan.criticOptimizer.lr = this.criticRate * rate;
    gan.generatorOptimizer.lr = this.generatorRate * rate;
    gan.instanceNoise = this.noise * (options.noiseSchedule ?? linearDecay(0))(done);
    this.batches ??= this.data.epochs()[Symbol.iterator]();
    const { batches } = this;
    const step = ++this.step;
    const numbers = scope(() => {
      const next = (): Tensor => batches.next().value.sample;
      return this.once(...Array.from({ length: this.criticSteps * this.accumulate }, next)).data();
    });
    const [criticLoss, objectiveLoss, penalty, spread, generatorLoss] = (await numbers) as unknown as Five;
    const { estimate } = gan.objective;
    return {
      step,
      criticLoss,
      ...(estimate && { [estimate.name]: estimate.fromLoss(objectiveLoss) }),
      ...(gan.regularizers.some((r) => r.penalty) && { penalty }),
      generatorLoss,
      spread,
    };
  }

  /** One step on the device. @returns [critic's loss, objective's part, penalty, spread, generator's loss] */
  private update(batches: readonly Tensor[]): Tensor {
    const { gan, accumulate, criticSteps } = this;
    let numbers: Tensor[] = [];
    for (let k = 0; k < criticSteps; k++) {
      const { loss, objectiveLoss, penalty, spread } = gan.criticStep(
        ...batches.slice(k * accumulate, (k + 1) * accumulate),
      );
      numbers = [loss, objectiveLoss, penalty, spread];
    }
    numbers.push(gan.generatorStep(batches[0]!.shape[0]!, accumulate));
    return concat(numbers.map((t) => t.reshape([1])));
  }
}

type Five = readonly [number, number, number, number, number];
