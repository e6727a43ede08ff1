import { batchNormInference, instanceNorm, noGrad, scope, type Tensor, variance } from '../../engine/index.ts';
import { calls, checked, ranges } from '../../engine/internal.ts';
import { guardForward } from '../module/guardForward.ts';
import { isTracking } from '../module/tracking.ts';
import { TrackedNorm } from './trackedNorm.ts';

/** Options of {@link InstanceNorm1d}, {@link InstanceNorm2d} and {@link InstanceNorm3d}. */
export interface InstanceNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** How far the running averages move towards each batch, 0 to 1. Default 0.1. */
  readonly momentum?: number;
  /** Scale and shift each channel, with `weight` and `bias`. Default false. */
  readonly affine?: boolean;
  /**
   * Keep running statistics, the batch's average of each sample's, and use them in evaluation. Default false: each sample's own
   * are used there too.
   */
  readonly trackRunningStats?: boolean;
}

/** Instance norm of any number of axes. */
abstract class InstanceNormNd extends TrackedNorm {
  protected constructor(channels: number, options: InstanceNormOptions) {
    checked(new.target.name, options, ['eps', 'momentum', 'affine', 'trackRunningStats']);
    const { eps = 1e-5, momentum = 0.1, affine = false, trackRunningStats = false } = options;
    super(channels, { eps, momentum, affine, trackRunningStats });
  }

  /** @internal */
  protected override affineText(has: boolean): string {
    return has ? 'affine' : '';
  }

  /** @internal */
  protected override trackingText(has: boolean): string {
    return has ? 'running statistics' : '';
  }

  /** The layer's function, once the shape of x is known to be right. @internal */
  protected normalized(x: Tensor): Tensor {
    const { weight, bias, runningMean, runningVar, eps } = this;
    const options = { ...(weight && bias ? { weight, bias } : {}), eps };
    if (!this.training && runningMean && runningVar) return batchNormInference(x, runningMean, runningVar, options);
    return scope(() => {
      const y = instanceNorm(x, options);
      if (this.training && runningMean && isTracking()) noGrad(() => this.track(x));
      return y;
    });
  }

  private track(x: Tensor): void {
    const inner = x.shape.map((_, i) => i).slice(1, -1);
    this.move(x.mean([0, ...inner]), variance(x, inner, { correction: 1 }).mean(0));
  }
}

/**
 * Instance normalisation of sequences x [N,L,C]: each channel of each sample gets mean 0 and variance 1; see
 * {@link InstanceNorm2d}.
 */
export class InstanceNorm1d extends InstanceNormNd {
  /** Makes weights and running statistics on the current device. @param channels the size of x's last axis */
  constructor(channels: number, options: InstanceNormOptions = {}) {
    calls.checkArguments(
      'InstanceNorm1d',
      [calls.within('channels', ranges.number), calls.maybe(calls.something('options'))],
      arguments,
    );
    super(channels, options);
  }

  /** @throws ShapeError unless x is [N,L,C], L more than 1 */
  override forward(x: Tensor): Tensor {
    this.need(x, ['N,L']);
    return this.normalized(x);
  }
}

/**
 * Instance normalisation of images x [N,H,W,C] (Ulyanov et al. 2016): each channel of each sample gets mean 0 and variance 1.
 * As in PyTorch it has neither weights nor running statistics unless told.
 */
export class InstanceNorm2d extends InstanceNormNd {
  /** Makes weights and running statistics on the current device. @param channels the size of x's last axis */
  constructor(channels: number, options: InstanceNormOptions = {}) {
    calls.checkArguments(
      'InstanceNorm2d',
      [calls.within('channels', ranges.number), calls.maybe(calls.something('options'))],
      arguments,
    );
    super(channels, options);
  }

  /** @throws ShapeError unless x is [N,H,W,C], with more than one pixel */
  override forward(x: Tensor): Tensor {
    this.need(x, ['N,H,W']);
    return this.normalized(x);
  }
}

/** Instance normalisation of volumes x [N,D,H,W,C]; see {@link InstanceNorm2d}. */
export class InstanceNorm3d extends InstanceNormNd {
  /** Makes weights and running statistics on the current device. @param channels the size of x's last axis */
  constructor(channels: number, options: InstanceNormOptions = {}) {
    calls.checkArguments(
      'InstanceNorm3d',
      [calls.within('channels', ranges.number), calls.maybe(calls.something('options'))],
      arguments,
    );
    super(channels, options);
  }

  /** @throws ShapeError unless x is [N,D,H,W,C], with more than one voxel */
  override forward(x: Tensor): Tensor {
    this.need(x, ['N,D,H,W']);
    return this.normalized(x);
  }
}

guardForward(InstanceNorm1d, InstanceNorm2d, InstanceNorm3d);
