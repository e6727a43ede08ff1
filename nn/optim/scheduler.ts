import { eachRun } from '../../engine/index.ts';
import { checked, checkRange, ranges, shown } from '../../engine/internal.ts';
import { learningRates } from './options.ts';

/** What a schedule sees of a group of an optimizer. */
export interface ScheduledGroup {
  /** The learning rate, which schedules set. */
  lr: number;
  /** The learning rate before any schedule. */
  initialLr?: number;
  /** The momentum, if the optimizer has that option. */
  momentum?: number;
  /** Decay rates, if the optimizer has that option. */
  betas?: readonly [number, number];
}

/** What a schedule sees of an optimizer: any {@link Optimizer} will do. */
export interface ScheduledOptimizer {
  /** The groups whose learning rates it sets. */
  readonly groups: readonly ScheduledGroup[];
}

/** The state of a schedule, ready for JSON. */
export interface SchedulerState {
  /** Steps made. */
  readonly lastEpoch: number;
  /** The learning rate of each group before the first step. */
  readonly baseLrs: readonly number[];
  /** The learning rate of each group that was set last. */
  readonly lastLrs: readonly number[];
  /** The states of the schedules that follow one another in a {@link SequentialLR}. */
  readonly schedulers?: readonly SchedulerState[];
}

/** Where a schedule is in the course of a group. */
export interface ScheduleContext {
  /** Steps made, this one included; 0 when the schedule begins. */
  readonly epoch: number;
  /** The group's learning rate as it is. */
  readonly lr: number;
  /** The group's learning rate before the schedule. */
  readonly base: number;
  /** The number of the group. */
  readonly index: number;
  readonly group: ScheduledGroup;
}

/**
 * A schedule of learning rates, as PyTorch's: making one sets the rates of epoch 0, and each `step()`, after the optimizer's,
 * those of the next. What an epoch is, a pass over the data or a step of the optimizer, is up to the caller. Those that change
 * the rate they find (all but {@link LambdaLR} and {@link OneCycleLR}) may be used together on one optimizer.
 *
 * In a compiled step `step()` moves on in each run.
 */
export abstract class LRScheduler {
  /** Steps made. */
  lastEpoch = -1;
  /** The learning rate of each group before any schedule. */
  baseLrs: readonly number[];
  private lastLrs: readonly number[] = [];
  private readonly optimizer: ScheduledOptimizer;
  private readonly rule: (c: ScheduleContext) => number;

  /** Called by subclasses, which say what the learning rate of a group becomes. @internal */
  protected constructor(optimizer: ScheduledOptimizer, rule: (c: ScheduleContext) => number) {
    if (!Array.isArray((optimizer as ScheduledOptimizer | undefined)?.groups)) {
      throw new TypeError(
        `${new.target.name}: the optimizer must be one, such as new Adam(...), not ${shown(optimizer)}`,
      );
    }
    this.optimizer = optimizer;
    this.rule = rule;
    this.baseLrs = optimizer.groups.map((g) => {
      g.initialLr ??= g.lr;
      return g.initialLr;
    });
    this.moveTo(0);
  }

  /** Sets the learning rates of the next epoch. */
  step(): void {
    eachRun(() => this.advance());
  }

  /** The learning rate of each group that was set last. */
  getLastLr(): readonly number[] {
    return this.lastLrs;
  }

  /** What a run needs to go on where it was; the learning rates themselves are the optimizer's to save. */
  stateDict(): SchedulerState {
    return { lastEpoch: this.lastEpoch, baseLrs: [...this.baseLrs], lastLrs: [...this.lastLrs] };
  }

  /**
   * Restores what `stateDict` gave. Load the optimizer's state, with its learning rates, after making the schedule.
   * @throws Error for a state of another number of groups, or for what is no state of a schedule; nothing is changed then
   */
  loadStateDict(state: SchedulerState): void {
    this.check(state);
    this.lastEpoch = state.lastEpoch;
    this.baseLrs = [...state.baseLrs];
    this.lastLrs = [...state.lastLrs];
  }

  /** @throws Error for a state that `loadStateDict` would not take. @internal */
  check(state: SchedulerState): void {
    checked('loadStateDict', state, [
      'lastEpoch',
      'baseLrs',
      'lastLrs',
      ...(this.isSequence ? (['schedulers'] as const) : []),
    ]);
    const { lastEpoch, baseLrs, lastLrs } = state;
    checkRange('loadStateDict', 'lastEpoch', ranges.whole(-1), lastEpoch);
    for (const [name, rates] of Object.entries({ baseLrs, lastLrs })) {
      checkRange('loadStateDict', name, learningRates, rates);
      if (rates.length !== this.baseLrs.length) {
        throw new Error(
          `loadStateDict: the schedule has ${this.baseLrs.length} groups, and the state is of ${rates.length}`,
        );
      }
    }
  }

  /** Whether its state has those of other schedules. @internal */
  get isSequence(): boolean {
    return false;
  }

  /** One step, at once. @internal */
  advance(): void {
    this.moveTo(this.lastEpoch + 1);
  }

  /** Begins again, from the learning rates before any schedule. @internal */
  restart(): void {
    this.optimizer.groups.forEach((g, k) => {
      g.lr = this.baseLrs[k]!;
    });
    this.begin();
  }

  /** Begins again, from the learning rates as they are. @internal */
  begin(): void {
    this.moveTo(0);
  }

  /** Whether this is the optimizer of this schedule. @internal */
  drives(optimizer: ScheduledOptimizer): boolean {
    return this.optimizer === optimizer;
  }

  private moveTo(epoch: number): void {
    const lrs = this.optimizer.groups.map((group, index) =>
      this.rule({ epoch, lr: group.lr, base: this.baseLrs[index]!, index, group }),
    );
    this.lastEpoch = epoch;
    this.optimizer.groups.forEach((g, k) => {
      g.lr = lrs[k]!;
    });
    this.lastLrs = lrs;
  }
}
