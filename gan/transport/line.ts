import { shown } from '../../engine/internal.ts';
import { checkedMasses, sumOf } from './masses.ts';

/** Samples on the line with a weight for each. */
export interface WeightedSamples {
  /** The places of the points, in any order; finite. */
  readonly samples: ArrayLike<number>;
  /** One for each sample, >= 0; only their ratios count. */
  readonly weights: ArrayLike<number>;
}

/** A density on the line that is constant between edges, such as a {@link Histogram}. */
export interface PiecewiseConstantDensity {
  /** Ascending; finite: [bins + 1]. */
  readonly edges: ArrayLike<number>;
  /** The mass between each edge and the next, >= 0; only their ratios count: [bins]. */
  readonly masses: ArrayLike<number>;
}

/** A probability measure on the line: equally weighted samples in any order, weighted ones, or a density. */
export type LineMeasure = ArrayLike<number> | WeightedSamples | PiecewiseConstantDensity;

/** Mass spread evenly over the interval from `from` to `to`; an atom where they are equal. */
export interface Segment {
  readonly from: number;
  readonly to: number;
  /** The measure's mass up to its right end: ascending, 1 for the last. */
  readonly end: number;
}

/**
 * Cumulated masses that are closer than this are the same number: what adding some thousands of weights leaves.
 * Without it a sliver of mass would travel far, and W₂ takes the root of its cost.
 */
export const MASS_TOLERANCE = 1e-12;

/** The measure's segments that hold mass, from left to right: the graph of its quantile function. */
export function segmentsOf(op: string, name: string, measure: LineMeasure): Segment[] {
  if ('edges' in measure) return densitySegments(op, name, measure);
  const { samples, weights } = 'samples' in measure ? measure : { samples: measure, weights: undefined };
  const x = Float64Array.from(samples);
  const wrong = x.findIndex((v) => !Number.isFinite(v));
  if (x.length === 0) throw new RangeError(`${op}: ${name} has no samples`);
  if (wrong >= 0) throw new RangeError(`${op}: sample ${wrong} of ${name} is ${x[wrong]}; samples are finite`);
  if (!weights) {
    x.sort();
    // Not added up, so that the steps of any two samples are as exact as division.
    return Array.from(x, (v, i) => ({ from: v, to: v, end: (i + 1) / x.length }));
  }
  if (weights.length !== x.length) {
    throw new RangeError(`${op}: ${name} has ${x.length} samples and ${weights.length} weights`);
  }
  const total = sumOf(checkedMasses(op, `the weights of ${name}`, weights));
  const order = Array.from(x.keys()).sort((i, j) => x[i]! - x[j]!);
  return cumulated(
    order.map((i) => ({ from: x[i]!, to: x[i]!, mass: weights[i]! })),
    total,
  );
}

function densitySegments(op: string, name: string, { edges, masses }: PiecewiseConstantDensity): Segment[] {
  const total = sumOf(checkedMasses(op, `the masses of ${name}`, masses));
  if (edges.length !== masses.length + 1) {
    throw new RangeError(
      `${op}: ${name} has ${masses.length} masses and ${edges.length} edges; it needs one edge more`,
    );
  }
  for (let i = 0; i < edges.length; i++) {
    if (!Number.isFinite(edges[i]) || (i > 0 && edges[i]! <= edges[i - 1]!)) {
      throw new RangeError(`${op}: edge ${i} of ${name} is ${shown(edges[i])}; edges are finite and ascend`);
    }
  }
  return cumulated(
    Array.from(masses, (mass, i) => ({ from: edges[i]!, to: edges[i + 1]!, mass })),
    total,
  );
}

function cumulated(parts: readonly { from: number; to: number; mass: number }[], total: number): Segment[] {
  let sum = 0;
  const segments = parts
    .filter(({ mass }) => mass > 0)
    .map(({ from, to, mass }) => {
      sum += mass;
      return { from, to, end: sum / total };
    });
  const { from, to } = segments.at(-1)!;
  segments[segments.length - 1] = { from, to, end: 1 };
  return segments;
}
