import type { qrEighRows } from '../ops/qrEigh.ts';
import type { Loop, LoopsOf, Numbers } from './loop.ts';

const dims = (shape: readonly number[]): [rows: number, columns: number] => shape.slice(-2) as [number, number];

/** Householder reflections, with the signs of LAPACK's geqrf. */
const qr: Loop<unknown> = ({ inputs: [a], inputShapes: [shape], outputs: [q, r] }) => {
  const [m, n] = dims(shape!);
  for (let b = 0; b * m * n < a!.length; b++) {
    const w = a!.slice(b * m * n, (b + 1) * m * n);
    const out = q!.subarray(b * m * n, (b + 1) * m * n);
    const taus = new Float64Array(n);
    /** x minus tau v (vᵀ x), for column `col` of x and the reflection kept in column k of w. */
    const reflect = (x: Float64Array, k: number, col: number): void => {
      let s = x[k * n + col]!;
      for (let row = k + 1; row < m; row++) s += w[row * n + k]! * x[row * n + col]!;
      s *= taus[k]!;
      x[k * n + col]! -= s;
      for (let row = k + 1; row < m; row++) x[row * n + col]! -= s * w[row * n + k]!;
    };
    for (let k = 0; k < n; k++) {
      const alpha = w[k * n + k]!;
      let most = 0;
      for (let row = k + 1; row < m; row++) most = Math.max(most, Math.abs(w[row * n + k]!));
      if (most !== 0) {
        // In units of the largest element, so that no square overflows or vanishes.
        most = Math.max(most, Math.abs(alpha));
        let sum = (alpha / most) ** 2;
        for (let row = k + 1; row < m; row++) sum += (w[row * n + k]! / most) ** 2;
        const beta = (alpha < 0 ? 1 : -1) * most * Math.sqrt(sum);
        taus[k] = (beta - alpha) / beta;
        for (let row = k + 1; row < m; row++) w[row * n + k]! /= alpha - beta;
        w[k * n + k] = beta;
        for (let col = k + 1; col < n; col++) reflect(w, k, col);
      }
    }
    for (let row = 0; row < n; row++)
      for (let col = row; col < n; col++) r![(b * n + row) * n + col] = w[row * n + col]!;
    for (let k = 0; k < n; k++) out[k * n + k] = 1;
    for (let k = n - 1; k >= 0; k--) for (let col = k; col < n; col++) reflect(out, k, col);
  }
};

/** Rotates columns (or, with step n, rows) r and s of x, whose elements lie `step` apart. */
function rotate(x: Numbers, r: number, s: number, step: number, n: number, c: number, d: number): void {
  for (let k = 0; k < n; k++, r += step, s += step) {
    const [e, f] = [x[r]!, x[s]!];
    x[r] = c * e - d * f;
    x[s] = d * e + c * f;
  }
}

/** Jacobi's method on one matrix, which it overwrites; the vectors are the columns of v. */
function jacobi(a: Numbers, v: Numbers, n: number): void {
  for (let sweep = 0, rotated = true; rotated && sweep < 60; sweep++) {
    rotated = false;
    for (let r = 0; r < n; r++)
      for (let s = r + 1; s < n; s++) {
        const off = a[r * n + s]!;
        const [low, high] = [a[r * n + r]!, a[s * n + s]!];
        if (Math.abs(off) <= 2 ** -54 * (Math.abs(low) + Math.abs(high))) continue;
        rotated = true;
        const theta = (high - low) / (2 * off);
        const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        rotate(a, r, s, n, n, c, t * c);
        rotate(v, r, s, n, n, c, t * c);
        rotate(a, r * n, s * n, 1, n, c, t * c);
        a[r * n + s] = 0;
        a[s * n + r] = 0;
      }
  }
}

const eigh: Loop<unknown> = ({ inputs: [a], inputShapes: [shape], outputs: [values, vectors] }) => {
  const n = dims(shape!)[1];
  for (let b = 0; b * n * n < a!.length; b++) {
    const base = b * n * n;
    const work = new Float64Array(n * n).map((_, i) => {
      const [row, col] = [Math.floor(i / n), i % n];
      return a![base + Math.max(row, col) * n + Math.min(row, col)]!;
    });
    if (!work.every(Number.isFinite)) {
      values!.fill(Number.NaN, b * n, (b + 1) * n);
      vectors!.fill(Number.NaN, base, base + n * n);
      continue;
    }
    const v = new Float64Array(n * n).map((_, i) => (i % (n + 1) === 0 ? 1 : 0));
    jacobi(work, v, n);
    const order = Array.from({ length: n }, (_, k) => k).sort((p, q) => work[p * (n + 1)]! - work[q * (n + 1)]!);
    order.forEach((from, k) => {
      values![b * n + k] = work[from * (n + 1)]!;
      let largest = 0;
      // A component must be larger by more than rounding, so that both devices choose the same sign.
      for (let row = 0; row < n; row++) {
        const x = v[row * n + from]!;
        if (Math.abs(x) > Math.abs(largest) * 1.001) largest = x;
      }
      for (let row = 0; row < n; row++) vectors![base + row * n + k] = (largest < 0 ? -1 : 1) * v[row * n + from]!;
    });
  }
};

export const qrEigh: LoopsOf<typeof qrEighRows> = { qr, eigh };
