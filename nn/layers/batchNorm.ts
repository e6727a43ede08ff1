import {
  batchNorm,
  batchNormInference,
  full,
  noGrad,
  scope,
  slice,
  type Tensor,
  withDevice,
} from '../../engine/index.ts';
import { calls, checked, ranges, updateRunningStats } from '../../engine/internal.ts';
import { guardForward } from '../module/guardForward.ts';
import { isTracking } from '../module/tracking.ts';
import { TrackedNorm } from './trackedNorm.ts';

/** Options of {@link BatchNorm1d}, {@link BatchNorm2d} and {@link BatchNorm3d}. */
export interface BatchNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /**
   * How far the running averages move towards each batch, 0 to 1; null for the average of all batches, which counts them in
   * `numBatchesTracked`. Default 0.1, as in PyTorch.
   */
  readonly momentum?: number | null;
  /** Scale and shift each channel, with `weight` and `bias`. Default true. */
  readonly affine?: boolean;
  /** Keep running statistics for evaluation, which uses the batch's own without them. Default true. */
  readonly trackRunningStats?: boolean;
}

/** Batch norm of any number of axes. */
export abstract class BatchNormNd<In extends readonly [x: Tensor, ...unknown[]] = [x: Tensor]> extends TrackedNorm<In> {
  protected constructor(channels: number, options: BatchNormOptions) {
    checked(new.target.name, options, ['eps', 'momentum', 'affine', 'trackRunningStats']);
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = options;
    super(channels, { eps, momentum, affine, trackRunningStats });
  }

  /** The layer's function, once the shape of x is known to be right. @internal */
  protected normalized(x: Tensor): Tensor {
    const { weight, bias, runningMean, runningVar, eps, momentum, numFeatures } = this;
    if (!this.training && runningMean && runningVar) {
      const affine = weight && bias ? { weight, bias } : {};
      return batchNormInference(x, runningMean, runningVar, { ...affine, eps });
    }
    return scope(() => {
      const constant = (value: number) => withDevice(x.device, () => full([numFeatures], value));
      const { y, stats } = batchNorm(x, weight ?? constant(1), bias ?? constant(0), { eps });
      if (this.training && runningMean && runningVar && isTracking()) {
        const n = x.size / numFeatures;
        if (momentum === null) noGrad(() => this.average(stats, n));
        else noGrad(() => updateRunningStats(runningMean, runningVar, stats, { momentum, eps, n }));
      }
      return y;
    });
  }

  /** Moves the running statistics to the average of all batches; `stats` has 1/√(biased variance + eps) in its second row. */
  private average(stats: Tensor, n: number): void {
    const row = (i: number) => slice(stats, [[i, i + 1]]).reshape([this.numFeatures]);
    const biased = row(1).square().reciprocal().sub(this.eps);
    this.move(row(0), biased.mul(n / (n - 1)));
  }
}

/**
 * Batch normalisation of vectors x [N,C] or sequences [N,L,C] over all axes but the last (Ioffe and Szegedy 2015); see
 * {@link BatchNorm2d}.
 */
export class BatchNorm1d extends BatchNormNd {
  /** Makes weights and running statistics on the current device. @param channels the size of x's last axis */
  constructor(channels: number, options: BatchNormOptions = {}) {
    calls.checkArguments(
      'BatchNorm1d',
      [calls.within('channels', ranges.number), calls.maybe(calls.something('options'))],
      arguments,
    );
    super(channels, options);
  }

  /** @throws ShapeError unless x is [N,C] or [N,L,C]; with the batch's statistics, if there is one value a channel */
  override forward(x: Tensor): Tensor {
    this.need(x, ['N', 'N,L']);
    return this.normalized(x);
  }
}

/**
 * Batch normalisation over all axes but the last (Ioffe and Szegedy 2015): x [N,H,W,C]. In training it uses the batch's
 * statistics and moves the running ones; in evaluation it uses the running ones. Names and defaults are PyTorch's.
 */
export class BatchNorm2d extends BatchNormNd {
  /** Makes weights and running statistics on the current device. @param channels the size of x's last axis */
  constructor(channels: number, options: BatchNormOptions = {}) {
    calls.checkArguments(
      'BatchNorm2d',
      [calls.within('channels', ranges.number), calls.maybe(calls.something('options'))],
      arguments,
    );
    super(channels, options);
  }

  /** @throws ShapeError unless x is [N,H,W,C]; with the batch's statistics, if there is one value a channel */
  override forward(x: Tensor): Tensor {
    this.need(x, ['N,H,W']);
    return this.normalized(x);
  }
}

/** Batch normalisation of volumes x [N,D,H,W,C] over all axes but the last; see {@link BatchNorm2d}. */
export class BatchNorm3d extends BatchNormNd {
  /** Makes weights and running statistics on the current device. @param channels the size of x's last axis */
  constructor(channels: number, options: BatchNormOptions = {}) {
    calls.checkArguments(
      'BatchNorm3d',
      [calls.within('channels', ranges.number), calls.maybe(calls.something('options'))],
      arguments,
    );
    super(channels, options);
  }

  /** @throws ShapeError unless x is [N,D,H,W,C]; with the batch's statistics, if there is one value a channel */
  override forward(x: Tensor): Tensor {
    this.need(x, ['N,D,H,W']);
    return this.normalized(x);
  }
}

guardForward(BatchNorm1d, BatchNorm2d, BatchNorm3d);
