import { matmul, norm, ShapeError, scope, square, sum, type Tensor } from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { checkIterations, checkMasses, entropicCost, ITERATION_NAMES, type SinkhornIterations } from './sinkhorn.ts';

/** Options of {@link sinkhornLoss} and {@link sinkhornDivergence}. */
export interface SinkhornLossOptions extends SinkhornIterations {
  /** The cost is ‖x - y‖^p, with the Euclidean norm; 2 unless given. For p = 1 its gradient is 0 where points meet. */
  readonly p?: 1 | 2;
  /** A mass for each sample of x, [n], > 0; only their ratios count. Equal unless given. Differentiable. */
  readonly xWeights?: Tensor;
  /** A mass for each sample of y, [m]. */
  readonly yWeights?: Tensor;
}

/** Differences of this many coordinates are taken one by one, which loses no digits; more, by a matrix product. */
const FEW_COORDINATES = 16;

/**
 * OT_ε between two batches of samples, by {@link sinkhorn}: a scalar to be minimised, differentiable to every order, that
 * runs inside `compile`. It goes to W_p^p as ε -> 0. It is biased: the x of least cost is y shrunk towards its mean, and
 * the cost of y to itself is not 0; {@link sinkhornDivergence} takes the bias out.
 * @param x [n, ...]; the coordinates of a sample are counted as one vector
 * @param y [m, ...], samples of the same shape
 * @throws ShapeError for samples of two shapes, or weights that do not fit
 * @throws RangeError for options out of their range
 */
export function sinkhornLoss(x: Tensor, y: Tensor, options: SinkhornLossOptions): Tensor {
  const { p, xWeights, yWeights, how } = checkedLoss('sinkhornLoss', x, y, options);
  return scope(() => entropicCost(sampleCosts(x, y, p), xWeights, yWeights, how));
}

/**
 * Sinkhorn divergence OT_ε(x, y) - ½ OT_ε(x, x) - ½ OT_ε(y, y): not negative, and 0 for equal measures only, as far as the
 * iterations converged. From W_p^p (ε -> 0) to, with large ε, E‖x - y‖ - ½ E‖x - x'‖ - ½ E‖y - y'‖ (p = 1: half of `energyDistance`, but
 * with the pairs of a sample with itself) or ‖mean x - mean y‖² (p = 2). A loss for a generator without a critic, differentiable to
 * every order, that runs inside `compile`.
 *
 * Source: Genevay, Peyré, Cuturi, "Learning generative models with Sinkhorn divergences", 2018; Feydy et al., "Interpolating
 * between optimal transport and MMD using Sinkhorn divergences", 2019, eq. 3 (whose p = 2 has half the cost).
 *
 * @param x [n, ...]; the coordinates of a sample are counted as one vector
 * @param y [m, ...], samples of the same shape
 * @throws ShapeError for samples of two shapes, or weights that do not fit
 * @throws RangeError for options out of their range
 * @example
 * const loss = sinkhornDivergence(generator.forward(z), real, { epsilon: 0.05, unroll: 0 });
 */
export function sinkhornDivergence(x: Tensor, y: Tensor, options: SinkhornLossOptions): Tensor {
  const { p, xWeights, yWeights, how } = checkedLoss('sinkhornDivergence', x, y, options);
  return scope(() => {
    const between = entropicCost(sampleCosts(x, y, p), xWeights, yWeights, how);
    const withinX = entropicCost(sampleCosts(x, x, p), xWeights, xWeights, how);
    const withinY = entropicCost(sampleCosts(y, y, p), yWeights, yWeights, how);
    return between.sub(withinX.add(withinY).mul(0.5));
  });
}

function checkedLoss(op: string, x: Tensor, y: Tensor, options: SinkhornLossOptions) {
  const known = [...ITERATION_NAMES, 'p', 'xWeights', 'yWeights'] as const;
  const { p = 2, xWeights, yWeights, ...how } = checked(op, options, known);
  checkIterations(op, how);
  checkRange(op, 'p', ranges.oneOf([1, 2]), p);
  checkSamples(op, x, y);
  checkMasses(op, 'xWeights', xWeights, x.shape[0]!);
  checkMasses(op, 'yWeights', yWeights, y.shape[0]!);
  return { p, xWeights, yWeights, how };
}

/** @throws ShapeError unless both are at least one sample, of the same shape */
export function checkSamples(op: string, x: Tensor, y: Tensor): void {
  const fits = x.rank >= 2 && x.rank === y.rank && x.shape.every((size, axis) => axis === 0 || size === y.shape[axis]);
  if (fits && x.size > 0 && y.size > 0) return;
  throw new ShapeError(
    `${op}: x is [n,...] and y [m,...], samples of one shape, not ${x.describe()} and ${y.describe()}`,
  );
}

/** Samples [n, ...] as vectors [n, d]. */
export const vectors = (x: Tensor): Tensor => x.reshape([x.shape[0]!, x.size / x.shape[0]!]);

/** ‖xᵢ - yⱼ‖^p, [n, m]. */
function sampleCosts(x: Tensor, y: Tensor, p: 1 | 2): Tensor {
  return scope(() => {
    const [a, b] = [vectors(x), vectors(y)];
    const [n, m, d] = [a.shape[0]!, b.shape[0]!, a.shape[1]!];
    if (p === 1 || d <= FEW_COORDINATES) {
      const apart = a.reshape([n, 1, d]).sub(b.reshape([1, m, d]));
      return p === 1 ? norm(apart, 2, 2) : sum(square(apart), 2);
    }
    // ‖x‖² - 2 x·y + ‖y‖², about the mean of y: far from the origin the terms would be large and cancel.
    const centre = b.detach().mean(0, { keepDims: true });
    const [u, v] = [a.sub(centre), b.sub(centre)];
    const squares = square(u)
      .sum(1, { keepDims: true })
      .add(square(v).sum(1).reshape([1, m]));
    return squares.sub(matmul(u, v, { transposeB: true }).mul(2));
  });
}
