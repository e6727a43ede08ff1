import type { Highs } from 'highs';

/** Pairs of each point that the program begins with, and that may enter in one round. */
const CHEAPEST = 8;
/** How far below 0 a reduced cost is taken for negative; costs are at most 1. */
const NEGATIVE = 1e-10;

/** The type of a model that is open. */
type Model = ReturnType<Highs['createModel']>;

/** A transport problem whose columns enter as they are needed. */
export class Columns {
  readonly #costs: Float64Array;
  readonly #a: Float64Array;
  readonly #b: Float64Array;
  /** Whether a pair is in the program, or waits in `#fresh`. */
  readonly #has: Uint8Array;
  readonly #pairs: number[] = [];
  #fresh: number[] = [];

  /**
   * @param costs [n, m], up to 1
   * @param a masses [n], of the sum of `b`
   * @param b masses [m]
   */
  constructor(costs: Float64Array, a: Float64Array, b: Float64Array) {
    [this.#costs, this.#a, this.#b] = [costs, a, b];
    this.#has = new Uint8Array(costs.length);
  }

  /** @throws Error when HiGHS does not reach the optimum */
  solve(highs: Highs): { plan: Float64Array; u: Float64Array; v: Float64Array } {
    const [n, m] = [this.#a.length, this.#b.length];
    const marginals = new Float64Array(n + m);
    marginals.set(this.#a);
    marginals.set(this.#b, n);
    const empty = new Float64Array(0);
    this.#begin();
    return highs.withModel(
      {
        numCols: 0,
        numRows: n + m,
        colCost: empty,
        colLower: empty,
        colUpper: empty,
        rowLower: marginals,
        rowUpper: marginals,
        matrix: { format: 'csc', numRows: n + m, numCols: 0, starts: [0], indices: [], values: [] },
      },
      (model) => {
        // Primal simplex: a basis stays feasible when columns come in.
        model.options.set({ output_flag: false, solver: 'simplex', simplex_strategy: 4, presolve: 'off' });
        model.options.set({ primal_feasibility_tolerance: 1e-10, dual_feasibility_tolerance: 1e-10 });
        for (;;) {
          this.#enter(model);
          model.run();
          const status = model.getModelStatus();
          if (status !== highs.constants.modelStatus.optimal) {
            throw new Error(`solveTransport: HiGHS ended with model status ${status}, not with an optimum`);
          }
          const { colValue, rowDual } = model.getSolution();
          const [u, v] = [rowDual.slice(0, n), rowDual.slice(n)];
          if (this.#price(u, v) > 0) continue;
          const plan = new Float64Array(n * m);
          for (const [column, k] of this.#pairs.entries()) plan[k] = Math.max(0, colValue[column]!);
          return { plan, u, v };
        }
      },
    );
  }

  #want(i: number, j: number): void {
    const k = i * this.#b.length + j;
    if (this.#has[k]) return;
    this.#has[k] = 1;
    this.#fresh.push(k);
  }

  /** A plan that is feasible, the north-west corner's, and the cheapest pairs of each point. */
  #begin(): void {
    const [n, m] = [this.#a.length, this.#b.length];
    for (let i = 0, j = 0, moved = 0, ofA = this.#a[0]!, ofB = this.#b[0]!; ; ) {
      this.#want(i, j);
      moved = Math.min(ofA, ofB);
      [ofA, ofB] = [ofA - moved, ofB - moved];
      // At the edge the way goes on along it, so that what rounding leaves finds a pair.
      if (j === m - 1 || (ofA <= ofB && i < n - 1)) {
        if (++i === n) break;
        ofA = this.#a[i]!;
      } else ofB = this.#b[++j]!;
    }
    const least = (count: number, cost: (k: number) => number, want: (k: number) => void): void => {
      Array.from({ length: count }, (_, k) => [cost(k), k] as const)
        .sort(([x], [y]) => x - y)
        .slice(0, CHEAPEST)
        .forEach(([, k]) => {
          want(k);
        });
    };
    for (let i = 0; i < n; i++)
      least(
        m,
        (j) => this.#costs[i * m + j]!,
        (j) => this.#want(i, j),
      );
    for (let j = 0; j < m; j++)
      least(
        n,
        (i) => this.#costs[i * m + j]!,
        (i) => this.#want(i, j),
      );
  }

  /** Hands the pairs that wait to the solver: each is a column with a 1 in its two rows. */
  #enter(model: Model): void {
    const [n, m] = [this.#a.length, this.#b.length];
    const fresh = this.#fresh;
    model.addCols({
      cost: Float64Array.from(fresh, (k) => this.#costs[k]!),
      lower: new Float64Array(fresh.length),
      upper: new Float64Array(fresh.length).fill(Infinity),
      matrix: {
        format: 'csc',
        numRows: n + m,
        numCols: fresh.length,
        starts: Int32Array.from({ length: fresh.length + 1 }, (_, k) => 2 * k),
        indices: Int32Array.from(fresh.flatMap((k) => [Math.floor(k / m), n + (k % m)])),
        values: new Float64Array(2 * fresh.length).fill(1),
      },
    });
    for (const pair of fresh) this.#pairs.push(pair);
    this.#fresh = [];
  }

  /** Chooses, for each point, the pairs of the most negative reduced costs; says how many. */
  #price(u: Float64Array, v: Float64Array): number {
    const m = v.length;
    for (let i = 0; i < u.length; i++) {
      const found: (readonly [reduced: number, j: number])[] = [];
      for (let j = 0; j < m; j++) {
        const reduced = this.#costs[i * m + j]! - u[i]! - v[j]!;
        if (reduced < -NEGATIVE && !this.#has[i * m + j]) found.push([reduced, j]);
      }
      found.sort(([x], [y]) => x - y);
      for (const [, j] of found.slice(0, CHEAPEST)) this.#want(i, j);
    }
    return this.#fresh.length;
  }
}
