import {
  exp,
  log,
  logSumExp,
  max,
  maximum,
  noGrad,
  ShapeError,
  scope,
  sum,
  type Tensor,
  zeros,
} from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';

/** How {@link sinkhorn} iterates. */
export interface SinkhornIterations {
  /** ε > 0, in the unit of the costs: the weight of the entropy. Small is close to W, slow, and less smooth. */
  readonly epsilon: number;
  /** How many times both potentials are updated; 100 unless given. `marginalError` says whether they were enough. */
  readonly iterations?: number;
  /**
   * ε-scaling: of the first half of the iterations, number k works at max(ε, largest cost · scaling^k), which reaches small ε
   * in fewer iterations. From 0 (all at ε) to below 1; 0.8 unless given.
   */
  readonly scaling?: number;
  /**
   * How many of the last iterations are on the tape; all unless given, which gives the exact derivatives, of every order, of
   * what is computed. Fewer take less memory: with k >= 1 the gradient is right where the iterations before have converged,
   * and second derivatives miss a part that falls geometrically with k. 0 is the envelope theorem, ∂/∂C = plan: a
   * right gradient once converged, and no use for second derivatives.
   */
  readonly unroll?: number;
}

/** Options of {@link sinkhorn}. */
export interface SinkhornOptions extends SinkhornIterations {
  /**
   * Masses of the first measure, [n], > 0; only their ratios count. Equal unless given. Differentiable. They are not read, which would
   * wait for the device: a negative one makes everything NaN, and so do masses that are all 0.
   */
  readonly a?: Tensor;
  /** Masses of the second measure, [m]. */
  readonly b?: Tensor;
}

/** What {@link sinkhorn} finds. */
export interface SinkhornResult {
  /** OT_ε = min over plans of Σ πᵢⱼ cᵢⱼ + ε KL(π ‖ a ⊗ b), a scalar, by its dual Σ aᵢfᵢ + Σ bⱼgⱼ. Differentiable. */
  readonly value: Tensor;
  /** π, [n, m]: aᵢ bⱼ exp((fᵢ + gⱼ - cᵢⱼ) / ε). Its columns sum to b, its rows to a as far as the iterations converged. */
  readonly plan: Tensor;
  /** The dual potential of the first measure, [n]; with the other it is defined up to a constant. */
  readonly f: Tensor;
  /** The dual potential of the second measure, [m]. */
  readonly g: Tensor;
  /** Σᵢ |Σⱼ πᵢⱼ - aᵢ|, a scalar, with a of sum 1: how far the rows are from their masses; 0 when converged. */
  readonly marginalError: Tensor;
}

/** ε-scaling ends when the largest cost times scaling^k is this far down: float32 has no more digits. */
const LEAST_SCALE = 2 ** -24;

/** The names of {@link SinkhornIterations}, for functions that take them beside others. */
export const ITERATION_NAMES = ['epsilon', 'iterations', 'scaling', 'unroll'] as const;

interface Problem {
  readonly costs: Tensor;
  /** log a as a column [n, 1], or the number for equal masses. */
  readonly logA: Tensor | number;
  /** log b as a row [1, m]. */
  readonly logB: Tensor | number;
}

/**
 * Entropic optimal transport by Sinkhorn's algorithm, on the device, with logarithms throughout: small ε do not overflow.
 * It does not wait for the device and runs inside `compile`; derivatives of every order flow to the costs and the masses.
 *
 * Source: Cuturi, "Sinkhorn distances", 2013; in the log domain, Peyré and Cuturi 2019, section 4.4; ε-scaling, Schmitzer,
 * "Stabilized sparse scaling algorithms for entropy regularized transport problems", 2019.
 *
 * @param costs C, [n, m]
 * @throws ShapeError for costs that are no matrix, or masses that do not fit it
 * @throws RangeError for options out of their range
 * @example
 * const { value, plan } = sinkhorn(costs, { epsilon: 0.1 });
 */
export function sinkhorn(costs: Tensor, options: SinkhornOptions): SinkhornResult {
  const { a, b, ...how } = checked('sinkhorn', options, [...ITERATION_NAMES, 'a', 'b']);
  checkIterations('sinkhorn', how);
  const { epsilon } = how;
  if (costs.rank !== 2 || costs.size === 0) {
    throw new ShapeError(`sinkhorn: costs are a matrix [n,m] of at least one pair, not ${costs.describe()}`);
  }
  const [n, m] = costs.shape as [number, number];
  checkMasses('sinkhorn', 'a', a, n);
  checkMasses('sinkhorn', 'b', b, m);
  return scope(() => {
    const shares = a && normalized(a);
    const problem = problemOf(costs, shares, b && normalized(b));
    const { f, g } = potentials(problem, how);
    const plan = planOf(problem, f, g, epsilon);
    const rows = sum(plan, 1).sub(shares ?? 1 / n);
    return {
      value: dualValue(problem, f, g, how),
      plan,
      f: f.reshape([n]),
      g: g.reshape([m]),
      marginalError: rows.abs().sum(),
    };
  });
}

/** OT_ε alone, of a problem that was checked. */
export function entropicCost(
  costs: Tensor,
  a: Tensor | undefined,
  b: Tensor | undefined,
  how: SinkhornIterations,
): Tensor {
  return scope(() => {
    const problem = problemOf(costs, a && normalized(a), b && normalized(b));
    const { f, g } = potentials(problem, how);
    return dualValue(problem, f, g, how);
  });
}

/** @throws RangeError for options out of their range */
export function checkIterations(
  op: string,
  { epsilon, iterations = 100, scaling = 0.8, unroll }: SinkhornIterations,
): void {
  checkRange(op, 'epsilon', ranges.positive, epsilon);
  checkRange(op, 'iterations', ranges.count, iterations);
  checkRange(op, 'scaling', ranges.belowOne, scaling);
  if (unroll !== undefined) checkRange(op, 'unroll', ranges.whole(0, iterations), unroll);
}

/** @throws ShapeError for masses that are not [size] */
export function checkMasses(op: string, name: string, masses: Tensor | undefined, size: number): void {
  if (masses && (masses.rank !== 1 || masses.size !== size)) {
    throw new ShapeError(`${op}: ${name} has a mass for each of ${size} points, [${size}], not ${masses.describe()}`);
  }
}

/** Masses divided by their sum, on the device: only ratios count, as in `wassersteinLp`. */
const normalized = (masses: Tensor): Tensor => masses.div(masses.sum());

/** @param a masses of sum 1, as `b` */
function problemOf(costs: Tensor, a?: Tensor, b?: Tensor): Problem {
  const [n, m] = costs.shape as [number, number];
  return {
    costs,
    logA: a ? log(a).reshape([n, 1]) : -Math.log(n),
    logB: b ? log(b).reshape([1, m]) : -Math.log(m),
  };
}

/** The soft minimum over `axis` of C - potential: -ε log Σ exp(log masses + (potential - C) / ε). */
const softMin = (costs: Tensor, potential: Tensor, logMasses: Tensor | number, axis: 0 | 1, epsilon: Tensor | number) =>
  scope(() => {
    const scores = potential.sub(costs).div(epsilon).add(logMasses);
    return logSumExp(scores, axis, { keepDims: true }).mul(epsilon).neg();
  });

interface Potentials {
  /** [n, 1] */
  readonly f: Tensor;
  /** [1, m] */
  readonly g: Tensor;
}

/**
 * The first half of the iterations updates both potentials at once and takes the mean of before and after (Feydy et al. 2019),
 * along the ε-scaling: between equal clouds that keeps f and g equal, and converges fast. The second half updates them in
 * turn at ε, which converges faster between clouds that differ.
 */
function potentials(
  problem: Problem,
  { epsilon, iterations = 100, scaling = 0.8, unroll = iterations }: SinkhornIterations,
): Potentials {
  const half = Math.floor(iterations / 2);
  const advance = ({ costs, logA, logB }: Problem, from: number, to: number, begin: Potentials): Potentials => {
    let { f, g } = begin;
    const largest = max(costs);
    for (let k = from; k < to; k++) {
      const scale = scaling ** k;
      const anneals = k < half && scaling > 0 && scale >= LEAST_SCALE;
      const at = anneals ? maximum(largest.mul(scale), epsilon) : epsilon;
      const nextF = softMin(costs, g, logB, 1, at);
      if (k >= half) {
        f = nextF;
        g = softMin(costs, f, logA, 0, at);
      } else {
        const nextG = softMin(costs, f, logA, 0, at);
        [f, g] = k === 0 ? [nextF, nextG] : [f.add(nextF).mul(0.5), g.add(nextG).mul(0.5)];
      }
    }
    return { f, g };
  };
  const [n, m] = problem.costs.shape as [number, number];
  const taped = iterations - unroll;
  const begin = noGrad(() => {
    const still: Problem = {
      costs: problem.costs.detach(),
      logA: typeof problem.logA === 'number' ? problem.logA : problem.logA.detach(),
      logB: typeof problem.logB === 'number' ? problem.logB : problem.logB.detach(),
    };
    return advance(still, 0, taped, { f: zeros([n, 1]), g: zeros([1, m]) });
  });
  return advance(problem, taped, iterations, begin);
}

/** π as exp of its logarithm: no factor overflows by itself. */
const planOf = ({ costs, logA, logB }: Problem, f: Tensor, g: Tensor, epsilon: number): Tensor =>
  exp(f.add(g).sub(costs).div(epsilon).add(logA).add(logB));

function dualValue(problem: Problem, f: Tensor, g: Tensor, { epsilon, unroll }: SinkhornIterations): Tensor {
  const expectation = (potential: Tensor, logMasses: Tensor | number): Tensor =>
    typeof logMasses === 'number' ? potential.mean() : potential.mul(exp(logMasses)).sum();
  const value = expectation(f, problem.logA).add(expectation(g, problem.logB));
  // The dual has a term more, which is 0, with its derivatives, where g on the tape makes the columns sum to b.
  return unroll === 0 ? value.sub(planOf(problem, f, g, epsilon).sum().sub(1).mul(epsilon)) : value;
}
