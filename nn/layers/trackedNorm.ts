/** What batch norm and instance norm have in common: an affine map and running statistics, both optional. */
import { copyFrom, full, noGrad, ShapeError, scope, type Tensor } from '../../engine/index.ts';
import { checkRange, ranges } from '../../engine/internal.ts';
import { Module } from '../module/module.ts';
import { Buffer, Parameter } from '../module/parameter.ts';
import { featureVectors, type PyTorchRule } from '../module/pyTorchRule.ts';

/** What every normalisation with running statistics is made of. */
interface TrackedNormOptions {
  readonly eps: number;
  readonly momentum: number | null;
  readonly affine: boolean;
  readonly trackRunningStats: boolean;
}

/** A normalisation of each channel that may keep running statistics. */
export abstract class TrackedNorm<In extends readonly [x: Tensor, ...unknown[]] = [x: Tensor]> extends Module<In> {
  /** Scale of each channel, [C]; starts as 1. Undefined with `affine: false`. */
  readonly weight: Parameter | undefined;
  /** Shift of each channel, [C]; starts as 0. Undefined with `affine: false`. */
  readonly bias: Parameter | undefined;
  /** Running mean of each channel, [C]; starts as 0. Undefined with `trackRunningStats: false`. */
  readonly runningMean: Buffer | undefined;
  /** Running variance of each channel, [C], unbiased; starts as 1. Undefined with `trackRunningStats: false`. */
  readonly runningVar: Buffer | undefined;
  /** Batches that the running statistics are the average of, a scalar; kept with `momentum: null` alone. */
  readonly numBatchesTracked: Buffer | undefined;
  /** The size of x's last axis. */
  readonly numFeatures: number;
  /** Added to the variance. */
  readonly eps: number;
  /** How far the running averages move towards each batch; null for the average of all batches. */
  readonly momentum: number | null;

  /** Makes weights and running statistics on the current device. */
  protected constructor(numFeatures: number, { eps, momentum, affine, trackRunningStats }: TrackedNormOptions) {
    super();
    checkRange(new.target.name, 'channels', ranges.count, numFeatures);
    if (momentum !== null) checkRange(new.target.name, 'momentum', ranges.share, momentum);
    const vector = (value: number) => full([numFeatures], value);
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? new Parameter(vector(1), 'weight') : undefined;
    this.bias = affine ? new Parameter(vector(0), 'bias') : undefined;
    this.runningMean = trackRunningStats ? new Buffer(vector(0), 'runningMean') : undefined;
    this.runningVar = trackRunningStats ? new Buffer(vector(1), 'runningVar') : undefined;
    this.numBatchesTracked =
      trackRunningStats && momentum === null ? new Buffer(full([], 0), 'numBatchesTracked') : undefined;
  }

  override pyTorchRule(): PyTorchRule {
    const features = featureVectors('weight', 'bias', 'runningMean', 'runningVar');
    if (!this.runningMean || this.numBatchesTracked) return { features };
    return { features, absent: { num_batches_tracked: { shape: [], data: new BigInt64Array(1) } } };
  }

  /** Sizes, and the options that are not as usual. */
  override describe(): string {
    const { numFeatures, eps, momentum, weight, runningMean } = this;
    return [
      numFeatures,
      eps === 1e-5 ? '' : `eps ${eps}`,
      !runningMean || momentum === 0.1 ? '' : `momentum ${momentum}`,
      this.affineText(weight !== undefined),
      this.trackingText(runningMean !== undefined),
    ]
      .filter(Boolean)
      .join(', ');
  }

  /** What the printed form says of the affine map; nothing where it is as usual. @internal */
  protected affineText(has: boolean): string {
    return has ? '' : 'no affine';
  }

  /** What the printed form says of the running statistics; nothing where they are as usual. @internal */
  protected trackingText(has: boolean): string {
    return has ? '' : 'no running statistics';
  }

  /** @throws ShapeError unless x has one of the layouts, such as 'N,H,W' before the channels, and the layer's channels @internal */
  protected need(x: Tensor, layouts: readonly string[]): void {
    const ranks = layouts.map((l) => l.split(',').length + 1);
    if (ranks.includes(x.rank) && x.shape.at(-1) === this.numFeatures) return;
    const wanted = layouts.map((l) => `[${l},${this.numFeatures}]`).join(' or ');
    const other = RANKED[x.rank];
    const remedy =
      x.shape.at(-1) === this.numFeatures && other
        ? `use ${this.constructor.name.replace(/\dd$/, other)} for ${x.rank} axes`
        : `channels come last, and the layer was made for ${this.numFeatures}`;
    throw new ShapeError(`${this.constructor.name}: x [${x.shape}] must be ${wanted}; ${remedy}`);
  }

  /** Moves the running statistics towards a batch's mean and unbiased variance, [C] each. @internal */
  protected move(mean: Tensor, variance: Tensor): void {
    const { runningMean, runningVar, numBatchesTracked, momentum } = this;
    if (!runningMean || !runningVar) return;
    noGrad(() =>
      scope(() => {
        if (numBatchesTracked) copyFrom(numBatchesTracked, numBatchesTracked.add(1));
        for (const [running, batch] of [
          [runningMean, mean],
          [runningVar, variance],
        ] as const) {
          const way = batch.sub(running);
          copyFrom(running, running.add(numBatchesTracked ? way.div(numBatchesTracked) : way.mul(momentum ?? 0)));
        }
      }),
    );
  }
}

/** The endings of the classes for inputs of so many axes. */
const RANKED: Readonly<Record<number, string>> = { 2: '1d', 3: '1d', 4: '2d', 5: '3d' };
