/** Eigenvalues and eigenvectors of symmetric matrices by Jacobi rotations: a thread to a matrix, no barriers. */
import { flatMain, grid1d, memo, type Plan } from '../kernel.ts';

/** Each sweep squares what is left off the diagonal, once it is small: 5 to 10 are enough, also for hundreds of rows. */
const SWEEPS = 30;

const kernel = memo(() => ({
  name: 'eigh',
  source: /* wgsl */ `// a:[B,n,n], lower triangle -> values:[B,n] ascending, v:[B,n,n] with the vectors as columns; NaN unless all are finite. work, spare:[B,n,n]
struct Params { count: u32, n: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read_write> values: array<f32>;
@group(0) @binding(3) var<storage, read_write> v: array<f32>;
@group(0) @binding(4) var<storage, read_write> work: array<f32>;
@group(0) @binding(5) var<storage, read_write> spare: array<f32>;

// Rotations of work and v until nothing is left off the diagonal. x - d (y + h x) is c x - d y, rounded less where d is small.
fn turn(w: u32) {
  let n = p.n;
  for (var sweep = 0u; sweep < ${SWEEPS}u; sweep++) {
    var rotated = false;
    for (var r = 0u; r + 1u < n; r++) {
      for (var s = r + 1u; s < n; s++) {
        let off = work[w + r * n + s];
        let low = work[w + r * n + r];
        let high = work[w + s * n + s];
        if (abs(off) <= 2.9e-8 * (abs(low) + abs(high))) { continue; }
        rotated = true;
        // The rotation by the smaller of the two angles that make the element 0.
        let theta = (high - low) / (2.0 * off);
        let t = select(-1.0, 1.0, theta >= 0.0) / (abs(theta) + sqrt(theta * theta + 1.0));
        let c = 1.0 / sqrt(t * t + 1.0);
        let d = t * c;
        let h = d / (1.0 + c);
        for (var k = 0u; k < n; k++) {
          let e = v[w + k * n + r];
          let f = v[w + k * n + s];
          v[w + k * n + r] = e - d * (f + h * e);
          v[w + k * n + s] = f + d * (e - h * f);
          if (k == r || k == s) { continue; }
          let x = work[w + k * n + r];
          let y = work[w + k * n + s];
          let left = x - d * (y + h * x);
          let right = y + d * (x - h * y);
          work[w + k * n + r] = left;
          work[w + k * n + s] = right;
          work[w + r * n + k] = left;
          work[w + s * n + k] = right;
        }
        work[w + r * n + r] = low - t * off;
        work[w + s * n + s] = high + t * off;
        work[w + r * n + s] = 0.0;
        work[w + s * n + r] = 0.0;
      }
    }
    if (!rotated) { break; }
  }
}

// Gram and Schmidt's, on columns of v that are nearly orthogonal.
fn orthogonalise(w: u32) {
  let n = p.n;
  for (var col = 0u; col < n; col++) {
    for (var before = 0u; before < col; before++) {
      var dot = 0.0;
      for (var k = 0u; k < n; k++) { dot += v[w + k * n + before] * v[w + k * n + col]; }
      for (var k = 0u; k < n; k++) { v[w + k * n + col] -= dot * v[w + k * n + before]; }
    }
    var square = 0.0;
    for (var k = 0u; k < n; k++) { square += v[w + k * n + col] * v[w + k * n + col]; }
    let scale = 1.0 / sqrt(square);
    for (var k = 0u; k < n; k++) { v[w + k * n + col] *= scale; }
  }
}

${flatMain()}
  if (i >= p.count) { return; }
  let n = p.n;
  let w = i * n * n;
  var finite = true;
  for (var row = 0u; row < n; row++) {
    for (var col = 0u; col < n; col++) {
      let x = a[w + max(row, col) * n + min(row, col)];
      finite = finite && (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
      work[w + row * n + col] = x;
      v[w + row * n + col] = select(0.0, 1.0, row == col);
    }
  }
  if (!finite) {
    let nan = bitcast<f32>(0x7fc00000u | (p.n & 0u));
    for (var k = 0u; k < n; k++) { values[i * n + k] = nan; }
    for (var k = 0u; k < n * n; k++) { v[w + k] = nan; }
    return;
  }
  turn(w);
  // Every element was rounded hundreds of times by now. What is left to turn is found afresh in a, on vectors that are orthogonal again.
  orthogonalise(w);
  for (var row = 0u; row < n; row++) {
    for (var col = 0u; col < n; col++) {
      var sum = 0.0;
      for (var k = 0u; k < n; k++) { sum += a[w + max(row, k) * n + min(row, k)] * v[w + k * n + col]; }
      spare[w + row * n + col] = sum;
    }
  }
  for (var row = 0u; row < n; row++) {
    for (var col = 0u; col <= row; col++) {
      var sum = 0.0;
      for (var k = 0u; k < n; k++) { sum += v[w + k * n + row] * spare[w + k * n + col]; }
      work[w + row * n + col] = sum;
      work[w + col * n + row] = sum;
    }
  }
  turn(w);
  for (var k = 0u; k < n; k++) { values[i * n + k] = work[w + k * n + k]; }
  // Ascending; each vector with its largest component positive.
  for (var k = 0u; k < n; k++) {
    var least = k;
    for (var j = k + 1u; j < n; j++) { if (values[i * n + j] < values[i * n + least]) { least = j; } }
    let value = values[i * n + least];
    values[i * n + least] = values[i * n + k];
    values[i * n + k] = value;
    var largest = 0.0;
    for (var row = 0u; row < n; row++) {
      let x = v[w + row * n + least];
      v[w + row * n + least] = v[w + row * n + k];
      v[w + row * n + k] = x;
      if (abs(x) > abs(largest) * 1.001) { largest = x; }
    }
    if (largest < 0.0) {
      for (var row = 0u; row < n; row++) { v[w + row * n + k] = -v[w + row * n + k]; }
    }
  }
}
`,
  access: ['read', 'write', 'write', 'write', 'write'] as const,
}));

/** a:[batch, n, n], of which the lower triangle is read, to its eigenvalues and eigenvectors. */
export const eigh = (batch: number, n: number): Plan =>
  batch * n === 0
    ? { dispatches: [] }
    : {
        temps: [batch * n * n, batch * n * n],
        dispatches: [{ kernel: kernel(), args: [0, 1, 2, 3, 4], params: [batch, n], grid: grid1d(batch) }],
      };
