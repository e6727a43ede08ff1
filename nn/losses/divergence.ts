/** Kullback-Leibler divergences, of distributions given by their values and of normal ones in closed form. */
import { exp, expm1, log, mul, scope, square, sub, type Tensor, where } from '../../engine/index.ts';
import { calls, ranges } from '../../engine/internal.ts';
import { type BatchReduction, batchReduced, batchReduction, checkSame } from './reduction.ts';

/** Options of {@link klDiv}. */
export interface KlDivOptions {
  /** Whether the target holds logarithms too. Default false. */
  readonly logTarget?: boolean;
  /** Default 'mean', over all elements, as in PyTorch; the divergence itself is 'batchmean' or 'sum'. */
  readonly reduction?: BatchReduction;
}

const klDivOptions = calls.options<KlDivOptions>({ logTarget: ranges.flag, reduction: batchReduction });

/**
 * The terms of the Kullback-Leibler divergence of the target from the input, which holds log-probabilities:
 * target · (log target - input), and 0 where the target is 0. As torch.nn.functional.kl_div.
 * @throws ShapeError if the shapes differ, or there is no batch to divide by
 * @function
 * @example
 * const loss = klDiv(logSoftmax(student), softmax(teacher), { reduction: 'batchmean' });
 */
export const klDiv = calls.op(
  'klDiv',
  [calls.aTensor('input'), calls.aTensor('target'), klDivOptions],
  (input, target, options: KlDivOptions = {}): Tensor => {
    const { logTarget = false, reduction = 'mean' } = options;
    checkSame('klDiv', ['the input', input], ['the target', target]);
    return scope(() => {
      if (logTarget) {
        const p = exp(target);
        return batchReduced('klDiv', mul(p, where(p, sub(target, input), 0)), reduction);
      }
      // What the target gives no weight is not looked at, so that no NaN comes back; negative targets do give NaN.
      const counts = target.notEqual(0);
      const logOf = log(where(counts, target, 1));
      return batchReduced('klDiv', mul(target, logOf).sub(mul(target, where(counts, input, 0))), reduction);
    });
  },
);

/** Options of {@link gaussianKl} and {@link gaussianKlBetween}. */
export interface GaussianKlOptions {
  /** Default 'batchmean': the divergences of all components of a sample added up, and their mean over the batch. */
  readonly reduction?: BatchReduction;
}

const gaussianKlOptions = calls.options<GaussianKlOptions>({ reduction: batchReduction });

/**
 * KL(N(mean, exp(logVar)) ‖ N(0, 1)) of each component: (mean² + exp(logVar) - 1 - logVar) / 2, the regulariser of a
 * variational autoencoder (Kingma and Welling 2014, appendix B). Mean and logVar are [N, ...].
 * @throws ShapeError if the shapes differ, or there is no batch to divide by
 * @function
 * @example
 * const loss = binaryCrossEntropyWithLogits(decoded, x, { reduction: 'sum' }).div(n).add(gaussianKl(mean, logVar));
 */
export const gaussianKl = calls.op(
  'gaussianKl',
  [calls.aTensor('mean'), calls.aTensor('logVar'), gaussianKlOptions],
  (mean, logVar, options: GaussianKlOptions = {}): Tensor => {
    const { reduction = 'batchmean' } = options;
    checkSame('gaussianKl', ['the mean', mean], ['logVar', logVar]);
    return scope(() => {
      const terms = square(mean).add(expm1(logVar)).sub(logVar).mul(0.5);
      return batchReduced('gaussianKl', terms, reduction);
    });
  },
);

/**
 * KL(N(mean, exp(logVar)) ‖ N(priorMean, exp(priorLogVar))) of each component:
 * (priorLogVar - logVar + exp(logVar - priorLogVar) - 1 + (mean - priorMean)² · exp(-priorLogVar)) / 2. All are [N, ...].
 * @throws ShapeError if the shapes differ, or there is no batch to divide by
 * @function
 */
export const gaussianKlBetween = calls.op(
  'gaussianKlBetween',
  [
    calls.aTensor('mean'),
    calls.aTensor('logVar'),
    calls.aTensor('priorMean'),
    calls.aTensor('priorLogVar'),
    gaussianKlOptions,
  ],
  (mean, logVar, priorMean, priorLogVar, options: GaussianKlOptions = {}): Tensor => {
    const op = 'gaussianKlBetween';
    const { reduction = 'batchmean' } = options;
    checkSame(op, ['the mean', mean], ['logVar', logVar], ['priorMean', priorMean], ['priorLogVar', priorLogVar]);
    return scope(() => {
      const ratio = sub(logVar, priorLogVar);
      const apart = square(sub(mean, priorMean)).mul(exp(priorLogVar.neg()));
      return batchReduced(op, expm1(ratio).sub(ratio).add(apart).mul(0.5), reduction);
    });
  },
);
