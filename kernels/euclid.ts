/**
 * The Euclidean norm, of numbers of any size: a square overflows float32 from 1.8e19 on and is lost below 1e-19. Three sums run
 * side by side, of the squares themselves, of those of smaller and those of larger numbers, after Blue (1978, A portable Fortran
 * program to find the Euclidean norm of a vector); the last launch takes the one that is in range. Powers of two are exact, so
 * that where the plain squares serve the result is that of their sum.
 */
import { type Dispatch, f32, flatMain, grid1d, memo, type Plan, type Target } from './kernel.ts';
import { partial, SUM, stagesOf } from './reduce.ts';

/** What squares of large numbers are taken of: 2^24 numbers near 3e38 do not overflow. */
const DOWN = 2 ** -80;
/** What squares of small numbers are taken of: the smallest number that is not subnormal becomes 2^-102. */
const UP = 2 ** 75;
/** Below this sum squares that were lost could be missed, were there 2^24 of them. */
const LEAST = 2 ** -76;

const squares = memo((vector: boolean) => ({
  name: `norm/squares/${vector ? 4 : 1}`,
  source: /* wgsl */ `// x:[A,R,B] -> sums of squares of x, x * down and x * up over r = k (mod K):[3,A,K,B]
alias T = ${vector ? 'vec4f' : 'f32'};
struct Params { n: u32, R: u32, B: u32, K: u32, down: f32, up: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<T>;
${flatMain()}
  if (i >= p.n) { return; }
  let b = i % p.B;
  let ak = i / p.B;
  let k = ak % p.K;
  var at = (ak / p.K * p.R + k) * p.B + b;
  let step = p.K * p.B;
  // In runs of 128, as sums are.
  var total = T(0.0); var large = T(0.0); var small = T(0.0);
  for (var r = k; r < p.R;) {
    var acc = T(0.0); var accLarge = T(0.0); var accSmall = T(0.0);
    let end = min(p.R, r + 128u * p.K);
    for (; r < end; r += p.K) {
      let v = x[at];
      let low = v * p.down;
      let high = v * p.up;
      acc += v * v;
      accLarge += low * low;
      accSmall += high * high;
      at += step;
    }
    total += acc; large += accLarge; small += accSmall;
  }
  y[i] = total; y[p.n + i] = large; y[2u * p.n + i] = small;
}
`,
  access: ['read', 'write'] as const,
}));

const finish = memo(() => ({
  name: 'norm/root',
  source: /* wgsl */ `// sums:[3,n] of squares, of x, x * down and x * up -> y:[n], the root of the one that is in range
struct Params { n: u32, down: f32, up: f32, least: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
${flatMain()}
  if (i >= p.n) { return; }
  let plain = sums[i];
  // NaN and infinities by their bits; a number that is no number below comes out as it is.
  let bits = bitcast<u32>(plain);
  if (bits > 0x7f800000u) { y[i] = plain; return; }
  if (bits == 0x7f800000u) { y[i] = sqrt(sums[p.n + i]) / p.down; return; }
  y[i] = select(sqrt(plain), sqrt(sums[2u * p.n + i]) / p.up, plain < p.least);
}
`,
  access: ['read', 'write'] as const,
}));

/** The root of the sum of squares over `axes` (sorted, not negative). Input x of `shape`; output y. */
export function euclid(target: Target, shape: readonly number[], axes: readonly number[]): Plan {
  const stages = stagesOf(target, shape, axes);
  const temps = stages.map(({ A, B, K }) => 3 * A * K * B);
  const dispatches = stages.map(({ A, R, B, K, vector }, i): Dispatch => {
    const width = vector ? 4 : 1;
    const threads = (A * K * B) / width;
    if (i === 0) {
      const params = [threads, R, B / width, K, f32(DOWN), f32(UP)];
      return { kernel: squares(vector), args: [0, 2], params, grid: grid1d(threads) };
    }
    // The three sums are so many more rows.
    return {
      kernel: partial(SUM.name, SUM.combine, SUM.init, vector),
      args: [i + 1, i + 2],
      params: [3 * threads, R, B / width, K, f32(1)],
      grid: grid1d(3 * threads),
    };
  });
  const n = temps[temps.length - 1]! / 3;
  const params = [n, f32(DOWN), f32(UP), f32(LEAST)];
  const last = { kernel: finish(), args: [temps.length + 1, 1], params, grid: grid1d(n) };
  return { temps, dispatches: [...dispatches, last] };
}
