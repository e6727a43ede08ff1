/** QR by Householder reflections: a thread to a matrix, no barriers. */
import { TYPES } from '../elementwise.ts';
import { flatMain, grid1d, memo, type Plan } from '../kernel.ts';
import { bitwise, EXTREMA } from '../special.ts';

const kernel = memo(() => ({
  name: 'qr',
  source: /* wgsl */ `// a:[B,m,n] -> q:[B,m,n] with orthonormal columns, r:[B,n,n] upper triangular, q r = a; m >= n. work:[B,m+1,n]
struct Params { count: u32, m: u32, n: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read_write> q: array<f32>;
@group(0) @binding(3) var<storage, read_write> r: array<f32>;
@group(0) @binding(4) var<storage, read_write> work: array<f32>;
${TYPES.f32}
${bitwise('p.count')}
${EXTREMA}
${flatMain()}
  if (i >= p.count) { return; }
  let m = p.m;
  let n = p.n;
  let base = i * m * n;
  let w = i * (m + 1u) * n;
  let taus = w + m * n;
  for (var at = 0u; at < m * n; at++) { work[w + at] = a[base + at]; }
  // Column k below the diagonal becomes the reflection's vector (its first element, 1, is not stored).
  for (var k = 0u; k < n; k++) {
    let alpha = work[w + k * n + k];
    // In units of the largest element, so that no square overflows or vanishes.
    var most = 0.0;
    for (var row = k + 1u; row < m; row++) { most = max_(most, abs(work[w + row * n + k])); }
    var tau = 0.0;
    if (most > 0.0 || isnan_(most)) {
      most = max_(most, abs(alpha));
      var sum = (alpha / most) * (alpha / most);
      for (var row = k + 1u; row < m; row++) { let v = work[w + row * n + k] / most; sum += v * v; }
      let length = most * sqrt(sum);
      let beta = select(-length, length, alpha < 0.0);
      tau = (beta - alpha) / beta;
      let scale = 1.0 / (alpha - beta);
      for (var row = k + 1u; row < m; row++) { work[w + row * n + k] *= scale; }
      work[w + k * n + k] = beta;
      for (var col = k + 1u; col < n; col++) {
        var s = work[w + k * n + col];
        for (var row = k + 1u; row < m; row++) { s += work[w + row * n + k] * work[w + row * n + col]; }
        s *= tau;
        work[w + k * n + col] -= s;
        for (var row = k + 1u; row < m; row++) { work[w + row * n + col] -= s * work[w + row * n + k]; }
      }
    }
    work[taus + k] = tau;
  }
  for (var row = 0u; row < n; row++) {
    for (var col = 0u; col < n; col++) {
      r[i * n * n + row * n + col] = select(0.0, work[w + row * n + col], col >= row);
    }
  }
  // q is the product of the reflections, applied to the first n columns of the identity from the last to the first.
  for (var row = 0u; row < m; row++) {
    for (var col = 0u; col < n; col++) { q[base + row * n + col] = select(0.0, 1.0, row == col); }
  }
  for (var up = 0u; up < n; up++) {
    let k = n - 1u - up;
    let tau = work[taus + k];
    for (var col = k; col < n; col++) {
      var s = q[base + k * n + col];
      for (var row = k + 1u; row < m; row++) { s += work[w + row * n + k] * q[base + row * n + col]; }
      s *= tau;
      q[base + k * n + col] -= s;
      for (var row = k + 1u; row < m; row++) { q[base + row * n + col] -= s * work[w + row * n + k]; }
    }
  }
}
`,
  access: ['read', 'write', 'write', 'write'] as const,
}));

/** a:[batch, m, n], m >= n, to q and r. */
export const qr = (batch: number, m: number, n: number): Plan =>
  batch * n === 0
    ? { dispatches: [] }
    : {
        temps: [batch * (m + 1) * n],
        dispatches: [{ kernel: kernel(), args: [0, 1, 2, 3], params: [batch, m, n], grid: grid1d(batch) }],
      };
