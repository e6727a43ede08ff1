import loadHighs, { type Highs } from 'highs';
import { checked, checkRange, ranges, shown } from '../../engine/internal.ts';
import { normalizeMasses } from './masses.ts';
import { countPoints, pointCosts } from './pointCosts.ts';
import { potentialFrom } from './potential.ts';
import { Columns } from './transportColumns.ts';

/**
 * Pairs of points (n · m) that {@link solveTransport} takes: 2²⁰, two clouds of 1,024.
 */
export const MAX_TRANSPORT_PAIRS = 2 ** 20;

/** An optimal transport plan between two discrete measures, with the potentials that prove it optimal. */
export interface DiscreteTransport {
  /** The least Σ πᵢⱼ cᵢⱼ, in the unit of the costs. */
  readonly cost: number;
  /** π, [n, m] in row-major order: >= 0, with the two measures as its marginals. At most n + m - 1 entries are not 0. */
  readonly plan: Float64Array;
  /** u, [n]: with v it is feasible, uᵢ + vⱼ <= cᵢⱼ, and optimal, Σ aᵢuᵢ + Σ bⱼvⱼ = cost. Defined up to a constant. */
  readonly u: Float64Array;
  /** v, [m]; for a distance as the cost and p = q it is -u. */
  readonly v: Float64Array;
  /** cost - Σ aᵢuᵢ - Σ bⱼvⱼ, the duality gap: 0 but for rounding. */
  readonly gap: number;
  /** The largest πᵢⱼ (cᵢⱼ - uᵢ - vⱼ): by complementary slackness mass moves only where it is 0. */
  readonly slackness: number;
}

/** Options of {@link wassersteinLp}. */
export interface WassersteinLpOptions {
  /** d: coordinates of a point. */
  readonly dimension: number;
  /** The order of the distance, >= 1; 1 unless given. */
  readonly p?: number;
  /** A mass for each point of x, >= 0; only their ratios count. Equal unless given. */
  readonly xWeights?: ArrayLike<number>;
  /** A mass for each point of y. */
  readonly yWeights?: ArrayLike<number>;
}

/** What {@link wassersteinLp} finds. */
export interface WassersteinTransport extends DiscreteTransport {
  /** W_p = cost^(1/p), in the unit of the coordinates. */
  readonly distance: number;
  /** f of {@link potentialFrom}: for p = 1, a 1-Lipschitz function of a point [d] with E f(x) - E f(y) = W₁. */
  readonly potential: (z: ArrayLike<number>) => number;
}

/** What rounding may leave of a gap, in units of the largest cost; a solution that misses it is refused. */
const TOLERANCE = 1e-7;

/** The package's types are those of its CommonJS build, whose default export is one level down; what runs is its ES module. */
const load = loadHighs as unknown as typeof loadHighs.default;
let solver: Promise<Highs> | undefined;

/**
 * Kantorovich's problem as a linear program, solved to optimality by HiGHS: the plan π of given marginals that minimises
 * Σ πᵢⱼ cᵢⱼ, and the dual potentials. Columns are generated: the simplex method begins with the cheapest pairs of each
 * point, and pairs whose reduced cost cᵢⱼ - uᵢ - vⱼ is negative enter until there is none, so that the result is optimal
 * among all pairs. Feasibility, gap and complementary slackness are checked before it returns. Equal input gives equal output.
 *
 * Source: Kantorovich 1942; Peyré and Cuturi 2019, sections 2.3 and 2.5; HiGHS: Huangfu and Hall, "Parallelizing the dual
 * revised simplex method", 2018.
 *
 * @param costs c, [n, m] in row-major order, finite; n · m at most {@link MAX_TRANSPORT_PAIRS}
 * @param a masses of the first measure, [n], >= 0; only their ratios count
 * @param b masses of the second measure, [m]
 * @throws RangeError for wrong masses or costs, or too many pairs
 * @throws Error when the solver does not reach the optimum
 */
export async function solveTransport(
  costs: ArrayLike<number>,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
): Promise<DiscreteTransport> {
  const [source, target] = [normalizeMasses(a), normalizeMasses(b)];
  const [n, m] = [source.length, target.length];
  if (n * m > MAX_TRANSPORT_PAIRS) {
    throw new RangeError(
      `solveTransport: ${n} x ${m} pairs are more than ${MAX_TRANSPORT_PAIRS}; take fewer points, or sinkhornDivergence or slicedWasserstein, which take more`,
    );
  }
  if (costs.length !== n * m) throw new RangeError(`solveTransport: there are ${costs.length} costs, not ${n} x ${m}`);
  let scale = 0;
  for (let k = 0; k < costs.length; k++) {
    if (!Number.isFinite(costs[k])) throw new RangeError(`solveTransport: cost ${k} is ${shown(costs[k])}`);
    scale = Math.max(scale, Math.abs(costs[k]!));
  }
  // HiGHS's tolerances are absolute: it sees costs up to 1, and masses about 1.
  const unit = Math.max(n, m);
  const columns = new Columns(
    Float64Array.from(costs, (c) => (scale > 0 ? c / scale : 0)),
    source.map((mass) => mass * unit),
    target.map((mass) => mass * unit),
  );
  solver ??= load();
  const found = columns.solve(await solver);
  const plan = found.plan.map((mass) => mass / unit);
  const [u, v] = [found.u.map((x) => x * scale), found.v.map((x) => x * scale)];
  return certified(costs, source, target, plan, u, v, scale);
}

/** The solution with its certificate of optimality, which may not be off by more than rounding. */
function certified(
  costs: ArrayLike<number>,
  a: Float64Array,
  b: Float64Array,
  plan: Float64Array,
  u: Float64Array,
  v: Float64Array,
  scale: number,
): DiscreteTransport {
  const m = b.length;
  let [cost, slackness, infeasible] = [0, 0, 0];
  const [leftOfA, leftOfB] = [a.slice(), b.slice()];
  for (let k = 0; k < plan.length; k++) {
    const [i, j] = [Math.floor(k / m), k % m];
    const reduced = costs[k]! - u[i]! - v[j]!;
    cost += plan[k]! * costs[k]!;
    slackness = Math.max(slackness, plan[k]! * Math.abs(reduced));
    infeasible = Math.max(infeasible, -reduced);
    leftOfA[i]! -= plan[k]!;
    leftOfB[j]! -= plan[k]!;
  }
  const gap = cost - dot(a, u) - dot(b, v);
  const marginal = [...leftOfA, ...leftOfB].reduce((most, mass) => Math.max(most, Math.abs(mass)), 0);
  const worst = Math.max(Math.abs(gap), slackness, infeasible);
  if (!(worst <= TOLERANCE * scale && marginal <= TOLERANCE)) {
    throw new Error(
      `solveTransport: HiGHS left a gap of ${gap}, slackness ${slackness}, duals infeasible by ${infeasible} and marginals off by ${marginal}`,
    );
  }
  return { cost, plan, u, v, gap, slackness };
}

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((s, x, i) => s + x * b[i]!, 0);

/**
 * Wasserstein distance of order p between two clouds of points by {@link solveTransport}, exact, with the plan, the dual
 * potentials, and for p = 1 the 1-Lipschitz function that attains it.
 * @param x [n, d] in row-major order, finite
 * @param y [m, d]
 * @throws RangeError for clouds or weights that do not fit, an order below 1, or too many pairs
 * @example
 * const { distance } = await wassersteinLp([0, 0, 0, 1], [3, 0, 3, 1], { dimension: 2 }); // 3
 */
export async function wassersteinLp(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  options: WassersteinLpOptions,
): Promise<WassersteinTransport> {
  const op = 'wassersteinLp';
  const { dimension, p = 1, xWeights, yWeights } = checked(op, options, ['dimension', 'p', 'xWeights', 'yWeights']);
  checkRange(op, 'p', ranges.atLeast(1), p);
  const weightsOf = (name: string, cloud: ArrayLike<number>, weights?: ArrayLike<number>): ArrayLike<number> => {
    const n = countPoints(op, name, cloud, dimension);
    if (weights && weights.length !== n) {
      throw new RangeError(`${op}: ${name} has ${n} points and ${weights.length} weights`);
    }
    return weights ?? new Float64Array(n).fill(1);
  };
  const [a, b] = [weightsOf('x', x, xWeights), weightsOf('y', y, yWeights)];
  if (a.length * b.length > MAX_TRANSPORT_PAIRS) {
    // Before the costs are computed, which could fill the memory.
    throw new RangeError(`${op}: ${a.length} x ${b.length} pairs are more than ${MAX_TRANSPORT_PAIRS}`);
  }
  const found = await solveTransport(pointCosts(x, y, { dimension, p }), a, b);
  const distance = Math.max(0, found.cost) ** (1 / p);
  return { ...found, distance, potential: potentialFrom(y, found.v, { dimension, p }) };
}
