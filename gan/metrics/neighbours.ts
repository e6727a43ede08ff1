/** Nearest neighbours and balls: candidates come from the device, and what they decide is computed in float64. */
import type { Device } from '../../engine/index.ts';
import { centred, exactSquaredDistance, overBlocks, type RowBlocks, squaredDistances, squaredNorms } from './pairs.ts';
import type { Rows } from './samples.ts';

/** Neighbours that are looked at in float64 beside those asked for: float32 may put them in another order. */
const SPARE = 8;

/** Squared distances in float32 are this much of |x|² + |y|² off, at most: what hangs on less is decided in float64. */
export const FLOAT32_DOUBT = 4e-6;

/** The k nearest rows of a pool for each of N rows. */
export interface NearestRows {
  /** Euclidean distances, [N * k], nearest first. */
  readonly distances: Float64Array;
  /** The numbers of the neighbours, in the same order; of equally near ones the lowest number is first. */
  readonly indices: Uint32Array;
}

/** How {@link nearestAmong} looks. */
interface Search {
  readonly device: Device;
  /** Squared distances of row i to some rows of the pool, in float64. */
  exact(i: number, rows: readonly number[]): ArrayLike<number> | Promise<ArrayLike<number>>;
  /** Whether the pool is the rows themselves, none of which is its own neighbour. */
  readonly own?: boolean;
  /** Rows of the pool at once; as {@link overBlocks} has it unless given. */
  readonly size?: number;
  /** Whether distances that overflow float32 are refused; else they, and those that are no numbers, are the farthest. */
  readonly finite?: boolean;
}

/** The k nearest rows of a pool for each row of `a`: the device ranks all of them, and the best are decided by `exact`. */
export async function nearestAmong(a: Rows, pool: Rows | RowBlocks, k: number, search: Search): Promise<NearestRows> {
  const { device, exact, own = false, size, finite = false } = search;
  const n = a.count;
  const kept = Math.min(pool.count - (own ? 1 : 0), k + SPARE);
  const near = new Float64Array(n * kept).fill(Infinity);
  const at = new Int32Array(n * kept).fill(-1);
  const blocks = { a: pool, b: a, device, ...(size !== undefined && { size }) };
  await overBlocks(blocks, squaredDistances, (values, first, rows) => {
    for (let r = 0, p = 0; r < rows; r++) {
      for (let i = 0; i < n; i++, p++) {
        const last = i * kept + kept - 1;
        const value = Number.isNaN(values[p]!) ? Infinity : values[p]!;
        if ((value >= near[last]! && at[last]! >= 0) || (own && i === first + r)) continue;
        let place = last;
        while (place > i * kept && (near[place - 1]! > value || at[place - 1]! < 0)) {
          near[place] = near[place - 1]!;
          at[place] = at[place - 1]!;
          place--;
        }
        near[place] = value;
        at[place] = first + r;
      }
    }
  });
  const distances = new Float64Array(n * k);
  const indices = new Uint32Array(n * k);
  const far = (d: number): number => (Number.isNaN(d) ? Infinity : d);
  for (let i = 0; i < n; i++) {
    if (finite && near[(i + 1) * kept - 1] === Infinity)
      throw new RangeError(`sample ${i} lies so far out that its distances overflow float32`);
    const rows = [...at.subarray(i * kept, (i + 1) * kept)];
    const squares = await exact(i, rows);
    const found = rows.map((j, c) => ({ j, d: squares[c]! }));
    found.sort((p, q) => (far(p.d) === far(q.d) ? p.j - q.j : far(p.d) - far(q.d)));
    for (let c = 0; c < k; c++) {
      distances[i * k + c] = Math.sqrt(found[c]!.d);
      indices[i * k + c] = found[c]!.j;
    }
  }
  return { distances, indices };
}

/**
 * The k nearest rows of `b` for each row of `a`; where `b` is `a`, a row is not its own neighbour. Distances are in float64.
 * In more than 16 dimensions the choice among neighbours whose squared distances differ by less than 1e-6 of the spread of
 * `b` may be off.
 */
export async function nearest(a: Rows, b: Rows, k: number, device: Device): Promise<NearestRows> {
  const own = a === b;
  const there = b.count - (own ? 1 : 0);
  if (there < k) throw new RangeError(`${k} neighbours were asked for among ${there}`);
  const [x, y] = centred(a, b);
  const exact = (i: number, rows: readonly number[]) => rows.map((j) => exactSquaredDistance(a, i, b, j));
  return nearestAmong(x, y, k, { device, own, exact, finite: true });
}

/** The distance of each row to its k-th nearest other row, [N]. */
export async function radii(a: Rows, k: number, device: Device): Promise<Float64Array> {
  const { distances } = await nearest(a, a, k, device);
  return Float64Array.from({ length: a.count }, (_, i) => distances[i * k + k - 1]!);
}

/** How rows lie in balls around other rows. */
export interface BallCounts {
  /** How many balls hold each row of `a`. */
  readonly balls: Int32Array;
  /** How many rows of `a` each ball holds. */
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
