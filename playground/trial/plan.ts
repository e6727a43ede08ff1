import { assignment, pointCosts } from '../../gan/index.ts';

/** A plan that carries each of some points onto one of as many others. */
export interface Plan {
  /** x and y of where each line begins and ends: generated, real. */
  readonly ends: Float32Array;
  /** The mean distance: W1 between the two clouds, exactly. */
  readonly cost: number;
}

/**
 * The cheapest plan between two clouds of as many points in the plane, by the distance between them.
 * @param from x and y of points
 * @param to as many
 * @returns undefined where a point is nowhere, as those of a generator that has diverged
 */
export function planBetween(from: Float32Array, to: Float32Array): Plan | undefined {
  const n = from.length / 2;
  if (!from.every(Number.isFinite)) return undefined;
  const { columns, cost } = assignment(pointCosts(from, to, { dimension: 2 }), n);
  const ends = new Float32Array(4 * n);
  for (const [i, j] of columns.entries()) {
    ends.set([from[2 * i]!, from[2 * i + 1]!, to[2 * j]!, to[2 * j + 1]!], 4 * i);
  }
  return { ends, cost: cost / n };
}
