/** Losses of numbers: how far predictions are from targets. */
import {
  abs,
  clamp,
  exp,
  type LossReduction,
  log,
  maximum,
  ShapeError,
  scope,
  square,
  sub,
  type Tensor,
  where,
} from '../../engine/index.ts';
import { calls, ranges } from '../../engine/internal.ts';
import { checkSame, type LossOptions, lossOptions, reduced } from './reduction.ts';

const { reduction } = ranges;

/** Checks, differences, reduction: what the losses of a difference share. */
function ofDifference(
  op: string,
  input: Tensor,
  target: Tensor,
  reduction: LossReduction | undefined,
  fn: (difference: Tensor) => Tensor,
): Tensor {
  checkSame(op, ['the input', input], ['the target', target]);
  return scope(() => reduced(fn(sub(input, target)), reduction));
}

/**
 * The squared error (input - target)², as torch.nn.functional.mse_loss: its mean, or what `reduction` asks for.
 * @throws ShapeError if the shapes differ
 * @function
 * @example
 * const loss = mseLoss(model.forward(x), y);
 */
export const mseLoss = calls.op(
  'mseLoss',
  [calls.aTensor('input'), calls.aTensor('target'), lossOptions],
  (input, target, options: LossOptions = {}): Tensor => {
    const { reduction } = options;
    return ofDifference('mseLoss', input, target, reduction, square);
  },
);

/**
 * The absolute error |input - target|, as torch.nn.functional.l1_loss; its derivative at 0 is 0.
 * @throws ShapeError if the shapes differ
 * @function
 */
export const l1Loss = calls.op(
  'l1Loss',
  [calls.aTensor('input'), calls.aTensor('target'), lossOptions],
  (input, target, options: LossOptions = {}): Tensor => {
    const { reduction } = options;
    return ofDifference('l1Loss', input, target, reduction, abs);
  },
);

/** Options of {@link smoothL1Loss}. */
export interface SmoothL1Options extends LossOptions {
  /** Differences below it count squared; 0 or more, and 0 makes it {@link l1Loss}. Default 1. */
  readonly beta?: number;
}

const smoothL1Options = calls.options<SmoothL1Options>({ beta: ranges.notNegative, reduction });

/**
 * With d = input - target: d² / (2·beta) where |d| < beta, else |d| - beta/2 (Girshick 2015), as
 * torch.nn.functional.smooth_l1_loss. It is {@link huberLoss} with delta = beta, over beta.
 * @throws ShapeError if the shapes differ; RangeError for a negative beta
 * @function
 */
export const smoothL1Loss = calls.op(
  'smoothL1Loss',
  [calls.aTensor('input'), calls.aTensor('target'), smoothL1Options],
  (input, target, options: SmoothL1Options = {}): Tensor => {
    const { beta = 1, reduction } = options;
    return ofDifference('smoothL1Loss', input, target, reduction, (d) =>
      beta === 0 ? abs(d) : huber(d, beta).mul(1 / beta),
    );
  },
);

/** Options of {@link huberLoss}. */
export interface HuberOptions extends LossOptions {
  /** Differences below it count squared; more than 0. Default 1. */
  readonly delta?: number;
}

const huberOptions = calls.options<HuberOptions>({
  delta: { holds: (v) => typeof v === 'number' && v > 0, says: 'a number above 0' },
  reduction,
});

/**
 * With d = input - target: d²/2 where |d| < delta, else delta · (|d| - delta/2) (Huber 1964), as
 * torch.nn.functional.huber_loss.
 * @throws ShapeError if the shapes differ; RangeError unless delta is more than 0
 * @function
 */
export const huberLoss = calls.op(
  'huberLoss',
  [calls.aTensor('input'), calls.aTensor('target'), huberOptions],
  (input, target, options: HuberOptions = {}): Tensor => {
    const { delta = 1, reduction } = options;
    return ofDifference('huberLoss', input, target, reduction, (d) => huber(d, delta));
  },
);

/** With c = d clamped to ±delta: c · (d - c/2). Its derivative is c, and that of |d| is never asked for at 0. */
function huber(d: Tensor, delta: number): Tensor {
  const c = clamp(d, -delta, delta);
  return c.mul(d.sub(c.mul(0.5)));
}

/** Options of {@link poissonNllLoss}. */
export interface PoissonNllOptions extends LossOptions {
  /** Whether the input is the logarithm of the rate. Default true. */
  readonly logInput?: boolean;
  /** Add Stirling's approximation of log(target!), for targets above 1. Default false. */
  readonly full?: boolean;
  /** Added to the rate before its logarithm is taken, without `logInput`. Default 1e-8. */
  readonly eps?: number;
}

const poissonNllOptions = calls.options<PoissonNllOptions>({
  logInput: ranges.flag,
  full: ranges.flag,
  eps: ranges.number,
  reduction,
});

/**
 * The negative log-likelihood of counts under Poisson distributions: exp(input) - target · input, or without `logInput`
 * input - target · log(input + eps). As torch.nn.functional.poisson_nll_loss.
 * @throws ShapeError if the shapes differ
 * @function
 */
export const poissonNllLoss = calls.op(
  'poissonNllLoss',
  [calls.aTensor('input'), calls.aTensor('target'), poissonNllOptions],
  (input, target, options: PoissonNllOptions = {}): Tensor => {
    const { logInput = true, full = false, eps = 1e-8, reduction } = options;
    checkSame('poissonNllLoss', ['the input', input], ['the target', target]);
    return scope(() => {
      const loss = logInput ? exp(input).sub(target.mul(input)) : input.sub(target.mul(log(input.add(eps))));
      return reduced(full ? loss.add(stirling(target)) : loss, reduction);
    });
  },
);

/** t log t - t + log(2πt)/2 for t > 1, else 0. */
function stirling(t: Tensor): Tensor {
  const counts = t.greater(1);
  const safe = where(counts, t, 1);
  const value = safe
    .mul(log(safe))
    .sub(safe)
    .add(log(safe.mul(2 * Math.PI)).mul(0.5));
  return where(counts, value, 0);
}

/** Options of {@link gaussianNllLoss}. */
export interface GaussianNllOptions extends LossOptions {
  /** Add the constant log(2π)/2. Default false. */
  readonly full?: boolean;
  /** The least variance; below it the variance gets no gradient. Default 1e-6. */
  readonly eps?: number;
}

const gaussianNllOptions = calls.options<GaussianNllOptions>({ full: ranges.flag, eps: ranges.number, reduction });

/**
 * The negative log-likelihood of targets under normal distributions of mean `input` (Nix and Weigend 1994):
 * (log v + (input - target)² / v) / 2, with v the larger of `variance` and eps. As torch.nn.functional.gaussian_nll_loss.
 * @param variance in the shape of the input, or with 1 in place of its last axis, or without that axis
 * @throws ShapeError if the shapes do not fit
 * @function
 */
export const gaussianNllLoss = calls.op(
  'gaussianNllLoss',
  [calls.aTensor('input'), calls.aTensor('target'), calls.aTensor('variance'), gaussianNllOptions],
  (input, target, variance, options: GaussianNllOptions = {}): Tensor => {
    const op = 'gaussianNllLoss';
    const { full = false, eps = 1e-6, reduction } = options;
    checkSame(op, ['the input', input], ['the target', target]);
    const rows = input.shape.slice(0, -1);
    const fits = [input.shape, [...rows, 1], rows].some((s) => s.join() === variance.shape.join());
    if (!fits) {
      throw new ShapeError(
        `${op}: the variance [${variance.shape}] must be [${input.shape}] as the input, [${[...rows, 1]}] or [${rows}]`,
      );
    }
    return scope(() => {
      const own = variance.rank < input.rank ? variance.reshape([...variance.shape, 1]) : variance;
      const v = maximum(own, eps);
      const loss = log(v)
        .add(square(sub(input, target)).div(v))
        .mul(0.5);
      return reduced(full ? loss.add(0.5 * Math.log(2 * Math.PI)) : loss, reduction);
    });
  },
);
