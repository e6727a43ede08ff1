import { checkRange, ranges } from '../../engine/internal.ts';

/** What {@link assignment} finds. */
export interface Assignment {
  /** The column of each row; each column stands once. */
  readonly columns: Int32Array;
  /** The sum of the costs of the chosen places. */
  readonly cost: number;
}

/**
 * The cheapest way to give each row of a square table of costs a column of its own: shortest augmenting paths with potentials, in about n³
 * steps (Kuhn 1955 and Munkres 1957; the paths as in Jonker and Volgenant 1987). Costs may be negative.
 *
 * Between two clouds of n points, with their distances as costs, the cost over n is their Wasserstein-1 distance exactly, since a best plan
 * between equal weights is an assignment (Birkhoff 1946). `wassersteinLp` of `wgrad/gan/node` takes any weights.
 * @param costs [n, n] in row-major order, finite
 * @param n rows, and columns; 1 or more
 * @throws RangeError for costs that are not n² finite numbers
 * @example
 * const w1 = assignment(pointCosts(a, b, { dimension: 2 }), n).cost / n; // of n points x, y, x, y, ... each
 */
export function assignment(costs: ArrayLike<number>, n: number): Assignment {
  checkRange('assignment', 'n', ranges.count, n);
  if (costs.length !== n * n) throw new RangeError(`assignment: ${costs.length} costs are not ${n} x ${n} of a table`);
  for (let k = 0; k < n * n; k++) {
    if (!Number.isFinite(costs[k]))
      throw new RangeError(`assignment: costs are finite numbers, and [${Math.floor(k / n)},${k % n}] is ${costs[k]}`);
  }
  const [ofRows, ofColumns] = [new Float64Array(n), new Float64Array(n)];
  const rowOf = new Int32Array(n).fill(-1);
  const columns = new Int32Array(n).fill(-1);
  const cameFrom = new Int32Array(n);
  const least = new Float64Array(n);
  for (let start = 0; start < n; start++) {
    // Dijkstra over columns, from a row that has none to a column that is free.
    const done = new Uint8Array(n);
    least.fill(Infinity);
    cameFrom.fill(-1);
    let [row, column, far] = [start, -1, 0];
    for (;;) {
      let next = -1;
      for (let j = 0; j < n; j++) {
        if (done[j]) continue;
        const reduced = far + costs[row * n + j]! - ofRows[row]! - ofColumns[j]!;
        if (reduced < least[j]!) {
          least[j] = reduced;
          cameFrom[j] = column;
        }
        if (next < 0 || least[j]! < least[next]!) next = j;
      }
      far = least[next]!;
      column = next;
      done[column] = 1;
      if (rowOf[column]! < 0) break;
      row = rowOf[column]!;
    }
    // Potentials keep reduced costs at 0 or more, and at 0 where assigned.
    ofRows[start]! += far;
    for (let j = 0; j < n; j++) {
      if (!done[j] || j === column) continue;
      ofColumns[j]! += least[j]! - far;
      ofRows[rowOf[j]!]! -= least[j]! - far;
    }
    for (let j = column; j >= 0; ) {
      const before = cameFrom[j]!;
      const moved = before < 0 ? start : rowOf[before]!;
      rowOf[j] = moved;
      columns[moved] = j;
      j = before;
    }
  }
  let cost = 0;
  for (let i = 0; i < n; i++) cost += costs[i * n + columns[i]!]!;
  return { columns, cost };
}
