/** Schedules of learning rates; names, defaults and numbers are those of torch.optim.lr_scheduler. */
import { calls, checked, checkRange, checkRanges, ranges } from '../../engine/internal.ts';
import { milestones } from './options.ts';
import { LRScheduler, type ScheduledOptimizer } from './scheduler.ts';

/** Options of {@link StepLR}. */
export interface StepLROptions {
  /** Epochs between drops. */
  readonly stepSize: number;
  /** The factor of a drop. Default 0.1. */
  readonly gamma?: number;
}

/** Multiplies the learning rate by gamma every `stepSize` epochs. */
export class StepLR extends LRScheduler {
  /** @throws RangeError for a stepSize that is no whole number above 0, or a gamma that is no number */
  constructor(optimizer: ScheduledOptimizer, options: StepLROptions) {
    calls.checkArguments('StepLR', [calls.something('optimizer'), calls.something('options')], arguments);
    const { stepSize, gamma = 0.1 } = checked('StepLR', options, ['stepSize', 'gamma']);
    checkRanges('StepLR', { stepSize: ranges.count, gamma: ranges.finite }, { stepSize, gamma });
    super(optimizer, ({ epoch, lr }) => (epoch === 0 || epoch % stepSize !== 0 ? lr : lr * gamma));
  }
}

/** Options of {@link MultiStepLR}. */
export interface MultiStepLROptions {
  /** The epochs of the drops, ascending. One that is listed twice drops twice. */
  readonly milestones: readonly number[];
  /** The factor of a drop. Default 0.1. */
  readonly gamma?: number;
}

/** Multiplies the learning rate by gamma at each milestone. */
export class MultiStepLR extends LRScheduler {
  /** @throws RangeError for milestones that are no whole numbers or do not ascend, or a gamma that is no number */
  constructor(optimizer: ScheduledOptimizer, options: MultiStepLROptions) {
    calls.checkArguments('MultiStepLR', [calls.something('optimizer'), calls.something('options')], arguments);
    const { milestones: drops, gamma = 0.1 } = checked('MultiStepLR', options, ['milestones', 'gamma']);
    checkRanges('MultiStepLR', { milestones, gamma: ranges.finite }, { milestones: drops, gamma });
    const own = [...drops];
    super(optimizer, ({ epoch, lr }) => lr * gamma ** own.filter((m) => m === epoch).length);
  }
}

/** Multiplies the learning rate by gamma in each epoch. */
export class ExponentialLR extends LRScheduler {
  /** @throws RangeError for a gamma that is no number */
  constructor(optimizer: ScheduledOptimizer, options: { readonly gamma: number }) {
    calls.checkArguments('ExponentialLR', [calls.something('optimizer'), calls.something('options')], arguments);
    const { gamma } = checked('ExponentialLR', options, ['gamma']);
    checkRange('ExponentialLR', 'gamma', ranges.finite, gamma);
    super(optimizer, ({ epoch, lr }) => (epoch === 0 ? lr : lr * gamma));
  }
}

/** Options of {@link LinearLR}. */
export interface LinearLROptions {
  /** The factor at the start, above 0 to 1. Default 1/3. */
  readonly startFactor?: number;
  /** The factor at the end, 0 to 1. Default 1. */
  readonly endFactor?: number;
  /** Epochs from one to the other. Default 5. */
  readonly totalIters?: number;
}

/** Multiplies the learning rate by a factor that moves linearly from startFactor to endFactor, and stays there: a warm-up. */
export class LinearLR extends LRScheduler {
  /** @throws RangeError for an option out of its range */
  constructor(optimizer: ScheduledOptimizer, options: LinearLROptions = {}) {
    calls.checkArguments(
      'LinearLR',
      [calls.something('optimizer'), calls.maybe(calls.something('options'))],
      arguments,
    );
    checked('LinearLR', options, ['startFactor', 'endFactor', 'totalIters']);
    const { startFactor = 1 / 3, endFactor = 1, totalIters = 5 } = options;
    checkRanges(
      'LinearLR',
      { startFactor: ranges.share, endFactor: ranges.share, totalIters: ranges.count },
      { startFactor, endFactor, totalIters },
    );
    checkRange('LinearLR', 'startFactor', ranges.positive, startFactor);
    const rise = endFactor - startFactor;
    super(optimizer, ({ epoch, lr }) => {
      if (epoch === 0) return lr * startFactor;
      return epoch > totalIters ? lr : lr * (1 + rise / (totalIters * startFactor + (epoch - 1) * rise));
    });
  }
}

/** Options of {@link CosineAnnealingLR}. */
export interface CosineAnnealingLROptions {
  /** Epochs from the initial learning rate down to etaMin. */
  readonly tMax: number;
  /** The least learning rate. Default 0. */
  readonly etaMin?: number;
}

/**
 * Lowers the learning rate along half a cosine from the initial one to etaMin (Loshchilov and Hutter 2017, without restarts):
 * etaMin + (initial - etaMin) · (1 + cos(π · epoch / tMax)) / 2. Behind tMax it rises again.
 */
export class CosineAnnealingLR extends LRScheduler {
  /** @throws RangeError for an option out of its range */
  constructor(optimizer: ScheduledOptimizer, options: CosineAnnealingLROptions) {
    calls.checkArguments('CosineAnnealingLR', [calls.something('optimizer'), calls.something('options')], arguments);
    const { tMax, etaMin = 0 } = checked('CosineAnnealingLR', options, ['tMax', 'etaMin']);
    checkRanges('CosineAnnealingLR', { tMax: ranges.count, etaMin: ranges.notNegative }, { tMax, etaMin });
    const height = (epoch: number) => 1 + Math.cos((Math.PI * epoch) / tMax);
    super(optimizer, ({ epoch, lr, base }) => {
      if (epoch === 0) return lr;
      // The last rate was etaMin, which says nothing of the cosine's height any more.
      if ((epoch - 1 - tMax) % (2 * tMax) === 0) return lr + ((base - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2;
      return (height(epoch) / height(epoch - 1)) * (lr - etaMin) + etaMin;
    });
  }
}

/** Sets the learning rate to the initial one times a function of the epoch. */
export class LambdaLR extends LRScheduler {
  /**
   * @param options.lrLambda the factor of an epoch, from 0: one function for all groups, or one for each
   * @throws Error unless there are as many functions as groups
   */
  constructor(
    optimizer: ScheduledOptimizer,
    options: { readonly lrLambda: ((epoch: number) => number) | readonly ((epoch: number) => number)[] },
  ) {
    calls.checkArguments('LambdaLR', [calls.something('optimizer'), calls.something('options')], arguments);
    const { lrLambda } = checked('LambdaLR', options, ['lrLambda']);
    const groups = optimizer.groups.length;
    const list = typeof lrLambda === 'function' ? Array.from({ length: groups }, () => lrLambda) : [...lrLambda];
    if (list.length !== groups) throw new Error(`LambdaLR: ${list.length} functions for ${groups} groups`);
    super(optimizer, ({ epoch, base, index }) => base * list[index]!(epoch));
  }
}

/** Schedules one after another, such as a warm-up and a cosine. */
export class SequentialLR extends LRScheduler {
  private readonly schedulers: readonly LRScheduler[];
  private readonly milestones: readonly number[];

  /**
   * @param options.schedulers made for this optimizer, in their order
   * @param options.milestones the epochs at which the second and later ones begin, each with its own epoch 0
   * @throws RangeError for milestones that are no whole numbers or do not ascend
   * @throws Error for milestones that do not fit the schedules, or a schedule of another optimizer
   * @example
   * const warmUp = new LinearLR(adam, { totalIters: 10 });
   * const decay = new CosineAnnealingLR(adam, { tMax: 90 });
   * const schedule = new SequentialLR(adam, { schedulers: [warmUp, decay], milestones: [10] });
   */
  constructor(
    optimizer: ScheduledOptimizer,
    options: { readonly schedulers: readonly LRScheduler[]; readonly milestones: readonly number[] },
  ) {
    calls.checkArguments('SequentialLR', [calls.something('optimizer'), calls.something('options')], arguments);
    checked('SequentialLR', options, ['schedulers', 'milestones']);
    const schedulers = [...options.schedulers];
    checkRange('SequentialLR', 'milestones', milestones, options.milestones);
    if (schedulers.length === 0 || options.milestones.length !== schedulers.length - 1) {
      throw new Error(
        `SequentialLR: ${schedulers.length} schedules need ${Math.max(0, schedulers.length - 1)} milestones, one between two, not ${options.milestones.length}`,
      );
    }
    const foreign = schedulers.findIndex((s) => !s.drives(optimizer));
    if (foreign >= 0) throw new Error(`SequentialLR: schedule ${foreign} was made for another optimizer`);
    // Each schedule set the rates of its own start; only the first one's count.
    for (const g of optimizer.groups) g.lr = g.initialLr!;
    begin(schedulers);
    super(optimizer, ({ lr }) => lr);
    this.schedulers = schedulers;
    this.milestones = [...options.milestones];
  }

  /** @internal */
  override advance(): void {
    const epoch = this.lastEpoch + 1;
    const k = this.milestones.filter((m) => m <= epoch).length;
    if (this.milestones[k - 1] === epoch) this.schedulers[k]!.restart();
    else this.schedulers[k]!.advance();
    super.advance();
  }

  /** @internal */
  override begin(): void {
    begin(this.schedulers);
    super.begin();
  }

  override stateDict(): ReturnType<LRScheduler['stateDict']> {
    return { ...super.stateDict(), schedulers: this.schedulers.map((s) => s.stateDict()) };
  }

  override loadStateDict(state: Parameters<LRScheduler['loadStateDict']>[0]): void {
    super.loadStateDict(state);
    this.schedulers.forEach((s, k) => {
      s.loadStateDict(state.schedulers![k]!);
    });
  }

  /** @internal */
  override get isSequence(): boolean {
    return true;
  }

  /** @internal */
  override check(state: Parameters<LRScheduler['loadStateDict']>[0]): void {
    super.check(state);
    const { schedulers = [] } = state;
    if (schedulers.length !== this.schedulers.length) {
      throw new Error(
        `loadStateDict: the sequence has ${this.schedulers.length} schedules, and the state has ${schedulers.length}`,
      );
    }
    this.schedulers.forEach((s, k) => {
      s.check(schedulers[k]!);
    });
  }
}

/** Begins with the first schedule; the others have not made a step yet. */
function begin([first, ...others]: readonly LRScheduler[]): void {
  first!.begin();
  for (const s of others) s.lastEpoch = -1;
}
