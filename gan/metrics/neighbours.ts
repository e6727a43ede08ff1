/** Nearest neighbours and balls: candidates come from the device, and what they decide is computed in float64. */
import type { Device } from '../../engine/index.ts';
import { centred, exactSquaredDistance, overBlocks, squaredDistances, squaredNorms } from './pairs.ts';
import type { Rows } from './samples.ts';

/** Neighbours that are looked at in float64 beside those asked for: float32 may put them in another order. */
const SPARE = 4;

/** Squared distances in float32 are this much of |x|² + |y|² off, at most: what hangs on less is decided in float64. */
export const FLOAT32_DOUBT = 4e-6;

/** The nearest rows of another cloud for each row. */
export interface Neighbours {
  /** Euclidean distances, [N * k], nearest first. */
  readonly distances: Float64Array;
  /** The numbers of the neighbours, in the same order; of equally near ones the lowest number is first. */
  readonly indices: Int32Array;
}

/**
 * The k nearest rows of `b` for each row of `a`; where `b` is `a`, a row is not its own neighbour. Distances are in float64.
 * In more than 16 dimensions the choice among neighbours whose squared distances differ by less than 1e-6 of the spread of
 * `b` may be off.
 */
export async function nearest(a: Rows, b: Rows, k: number, device: Device): Promise<Neighbours> {
  const there = b.count - (a === b ? 1 : 0);
  if (there < k) throw new RangeError(`${k} neighbours were asked for among ${there}`);
  const kept = Math.min(there, k + SPARE);
  const distances = new Float64Array(a.count * k);
  const indices = new Int32Array(a.count * k);
  const [x, y] = centred(a, b);
  const [near, at] = [new Float64Array(kept), new Int32Array(kept)];
  const m = b.count;
  await overBlocks({ a: x, b: y, device }, squaredDistances, (values, first, rows) => {
    for (let r = 0; r < rows; r++) {
      const i = first + r;
      near.fill(Infinity);
      let bound = Infinity;
      for (let j = 0, p = r * m; j < m; j++, p++) {
        const value = values[p]!;
        if (value >= bound || (a === b && j === i)) continue;
        let place = kept - 1;
        while (place > 0 && near[place - 1]! > value) {
          near[place] = near[place - 1]!;
          at[place] = at[place - 1]!;
          place--;
        }
        near[place] = value;
        at[place] = j;
        bound = near[kept - 1]!;
      }
      if (bound === Infinity) throw new RangeError(`sample ${i} lies so far out that its distances overflow float32`);
      const exact = Array.from(at, (j) => ({ j, d: exactSquaredDistance(a, i, b, j) }));
      exact.sort((p, q) => p.d - q.d || p.j - q.j);
      for (let n = 0; n < k; n++) {
        distances[i * k + n] = Math.sqrt(exact[n]!.d);
        indices[i * k + n] = exact[n]!.j;
      }
    }
  });
  return { distances, indices };
}

/** The distance of each row to its k-th nearest other row, [N]. */
export async function radii(a: Rows, k: number, device: Device): Promise<Float64Array> {
  const { distances } = await nearest(a, a, k, device);
  return Float64Array.from({ length: a.count }, (_, i) => distances[i * k + k - 1]!);
}

/** How rows lie in balls around other rows. */
export interface BallCounts {
  /** For each row of `a`, how many balls hold it. */
  readonly balls: Int32Array;
  /** For each ball, how many rows of `a` it holds. */
  readonly held: Int32Array;
}

/**
 * Which rows of `a` lie in the closed balls around the rows of `b`, of these radii. Where float32 cannot tell, float64 does.
 */
export async function inBalls(a: Rows, b: Rows, radius: Float64Array, device: Device): Promise<BallCounts> {
  const [x, y] = centred(a, b);
  const [normsOfX, normsOfY] = [squaredNorms(x), squaredNorms(y)];
  const [balls, held] = [new Int32Array(a.count), new Int32Array(b.count)];
  const squares = radius.map((r) => r * r);
  const m = b.count;
  await overBlocks({ a: x, b: y, device }, squaredDistances, (values, first, rows) => {
    for (let r = 0; r < rows; r++) {
      const i = first + r;
      const norm = normsOfX[i]!;
      for (let j = 0, p = r * m; j < m; j++, p++) {
        const margin = values[p]! - squares[j]!;
        const unsure = Math.abs(margin) <= FLOAT32_DOUBT * (norm + normsOfY[j]!);
        if (unsure ? Math.sqrt(exactSquaredDistance(a, i, b, j)) <= radius[j]! : margin < 0) {
          balls[i]!++;
          held[j]!++;
        }
      }
    }
  });
  return { balls, held };
}
