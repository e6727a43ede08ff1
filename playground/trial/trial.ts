/**
 * One training in the page: a {@link Gan} on points, in steps and half steps, with its state in memory.
 * @module
 */
import { type CompiledStep, compile, keep, Rng, scope, type Tensor } from '../../engine/index.ts';
import {
  Gan,
  mlp,
  type Networks,
  type PointSet,
  parseRegularizer,
  partsOf,
  pointSet,
  type TrainingSample,
  trainingLoader,
} from '../../gan/index.ts';
import { randomStreams } from '../../gan/randomStreams.ts';
import { byName, inOneVector, type Scalars } from '../../gan/scalars.ts';
import { optimizerOf } from '../../gan/systems/optimizers.ts';
import { type Batch, type DataLoader, decodeCheckpoint, encodeCheckpoint } from '../../nn/index.ts';
import { checkedSetup, restarts } from '../setup/entries.ts';
import { HELD_OUT, POINTS, type Setup } from '../setup/setup.ts';
import { distributionOf } from './distributions.ts';

/** What of a step is done: an update of the critic, one of the generator, or a whole step of both. */
export type Half = 'critic' | 'generator' | 'both';

/** Numbers by name, as the library's logs have them. */
export type Values = Readonly<Record<string, number>>;

/** The state of a trial at a step, to go back to. */
export interface Snapshot {
  readonly step: number;
  /** A checkpoint as nn writes it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

type Step = CompiledStep<[samples: readonly Tensor[]], Scalars>;

/** A critic and a generator of points under training. The same setup and the same steps give the same numbers on one device. */
export class Trial {
  /** The points. */
  readonly set: PointSet;
  /** What trains. */
  gan: Gan;
  /** Whole steps done. */
  step = 0;
  #setup: Setup;
  readonly #loader: DataLoader<TrainingSample>;
  #batches: Iterator<Batch<TrainingSample>>;
  #run!: Readonly<Record<Half, Step>>;
  /** What the critic learnt from last, where the generator is to see it too. */
  #last: Tensor | undefined;

  /**
   * Makes networks and data on the current device.
   * @throws RangeError that names a setting out of range
   */
  constructor(setup: Setup) {
    const { seed, batch } = checkedSetup(setup);
    this.#setup = setup;
    this.set = pointSet(distributionOf(setup), { seed, trainSize: POINTS, testSize: HELD_OUT });
    this.#loader = trainingLoader(this.set, batch, new Rng(seed, randomStreams.data));
    this.#batches = this.#loader.epochs()[Symbol.iterator]();
    const { latent, width, depth, activation, criticWidth, criticDepth, criticActivation } = setup;
    const rng = new Rng(seed, randomStreams.weights);
    const sizes = { latent, width, depth, activation, criticWidth, criticDepth, criticActivation };
    this.gan = this.#create(mlp({ shape: [2], ...sizes, rng }), new Rng(seed, randomStreams.training));
  }

  /** What it was made with, and what was changed since. */
  get setup(): Setup {
    return this.#setup;
  }

  /**
   * Does a step, or half of one.
   * @returns its numbers: those of the critic's half, of the generator's, or of both
   */
  async next(half: Half = 'both'): Promise<Values> {
    const { names, read } = scope(() => {
      const { names, values } = this.#run[half](this.#samples(half));
      return { names, read: values.data() };
    });
    if (half === 'both') this.step++;
    const values = byName(names, await read);
    return half === 'generator' ? values : this.#report(values);
  }

  /**
   * Changes what can be changed under way: rates, objective, regularisers, updates of the critic.
   * @throws Error for a setting that needs a new trial
   */
  async change(setup: Setup): Promise<void> {
    const before = this.#setup;
    if (restarts(before, setup)) throw new Error('playground: this setup needs a new trial');
    this.#setup = setup;
    const other = (['objective', 'regularizers', 'criticSteps'] as const).some((n) => `${before[n]}` !== `${setup[n]}`);
    if (other) {
      const [state, old] = [await this.snapshot(), this.gan];
      this.#forget();
      this.gan = this.#create(old.networks, old.rng);
      await this.restore(state);
      old.dispose();
    }
    for (const group of this.gan.criticOptimizer.groups as { lr: number }[]) group.lr = setup.criticRate;
    for (const group of this.gan.generatorOptimizer.groups as { lr: number }[]) group.lr = setup.generatorRate;
  }

  /** The state now. */
  async snapshot(): Promise<Snapshot> {
    return { step: this.step, bytes: await encodeCheckpoint(this.#parts()) };
  }

  /** Goes to a state of this trial, which then continues as it did from there. */
  async restore({ step, bytes }: Snapshot): Promise<void> {
    await this.#load(bytes);
    this.step = step;
    this.#last?.dispose();
    this.#last = undefined;
  }

  /** Runs what must leave no trace: random numbers, batches and running statistics are put back. */
  async aside<T>(fn: () => Promise<T>): Promise<T> {
    const { bytes } = await this.snapshot();
    try {
      return await fn();
    } finally {
      await this.#load(bytes);
    }
  }

  async #load(bytes: Snapshot['bytes']): Promise<void> {
    await decodeCheckpoint(bytes, this.#parts());
    this.#batches = this.#loader.epochs()[Symbol.iterator]();
  }

  /** Frees networks, optimizers and captured steps. */
  dispose(): void {
    this.#forget();
    this.gan.dispose();
    for (const network of [this.gan.networks.critic, this.gan.networks.generator]) network.dispose();
  }

  #parts() {
    return partsOf(this.gan, { loader: this.#loader as never });
  }

  /** The real samples of a step or a half of one. Halves that follow each other see what the whole step would. */
  #samples(half: Half): readonly Tensor[] {
    const next = (): Tensor => this.#batches.next().value.sample;
    if (half === 'both') return Array.from({ length: this.#setup.criticSteps }, next);
    if (!this.gan.objective.needsReal) return half === 'critic' ? [next()] : [];
    // A generator's loss that looks at real samples sees those that the critic has just learnt from.
    if (half === 'generator') return [this.#last ?? next()];
    this.#last?.dispose();
    this.#last = keep(next());
    return [this.#last];
  }

  #create(networks: Networks, rng: Rng): Gan {
    const { objective, regularizers, emaDecay, criticSteps, criticRate, generatorRate, batch } = this.#setup;
    const gan = new Gan(networks, rng, {
      objective,
      regularizers: regularizers.map(parseRegularizer),
      emaDecay,
      criticSteps,
      criticOptimizer: optimizerOf(this.#setup, criticRate),
      generatorOptimizer: optimizerOf(this.#setup, generatorRate),
    });
    this.#run = {
      critic: compile(([real]: readonly Tensor[]) => {
        const { loss: criticLoss, ...rest } = gan.criticStep(real!);
        return inOneVector({ criticLoss, ...rest });
      }),
      generator: compile(([real]: readonly Tensor[]) =>
        inOneVector({ generatorLoss: real ? gan.generatorStep(real) : gan.generatorStep(batch) }),
      ),
      both: compile((samples: readonly Tensor[]) =>
        inOneVector(gan.step({ data: samples.map((sample) => ({ sample })) })),
      ),
    };
    return gan;
  }

  /** The numbers as the library's logs have them; those of the generator's half are left out where it was not done. */
  #report(values: Values): Values {
    return Object.fromEntries(Object.entries(this.gan.report(values)).filter(([, v]) => v !== undefined));
  }

  #forget(): void {
    for (const step of Object.values(this.#run)) step.dispose();
    this.#last?.dispose();
    this.#last = undefined;
  }
}
