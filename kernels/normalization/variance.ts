/**
 * The variance over axes that lie beside each other, in two passes over x: the mean, then the sums of the distances from it
 * and of their squares. A mean that is large beside the deviation is rounded by more than counts; the sum of the distances tells
 * by how much, and what it added to the squares is taken off (Chan, Golub and LeVeque 1983, eq. 1.7). Where the mean is exact
 * enough, that is nothing.
 */
import { type Dispatch, f32, flatMain, grid1d, memo, type Plan, type Target } from '../kernel.ts';
import { partial, reduce, SUM, stagesOf } from '../reduce.ts';

const distances = memo((vector: boolean, single: boolean) => {
  const own = single ? 'T(mean[ak / p.K])' : 'mean[ak / p.K * p.B + b]';
  return {
    name: `variance/distances/${vector ? 4 : 1}${single ? '/single' : ''}`,
    source: /* wgsl */ `// x:[A,R,B] mean:[A,${single ? '1' : 'B'}] -> sums of (x - mean)^2 and of x - mean over r = k (mod K):[2,A,K,B]
alias T = ${vector ? 'vec4f' : 'f32'};
struct Params { n: u32, R: u32, B: u32, K: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read> mean: array<${single ? 'f32' : 'T'}>;
@group(0) @binding(3) var<storage, read_write> y: array<T>;
${flatMain()}
  if (i >= p.n) { return; }
  let b = i % p.B;
  let ak = i / p.B;
  let k = ak % p.K;
  let m = ${own};
  var at = (ak / p.K * p.R + k) * p.B + b;
  let step = p.K * p.B;
  // In runs of 128, as sums are.
  var squares = T(0.0); var total = T(0.0);
  for (var r = k; r < p.R;) {
    var accSquares = T(0.0); var acc = T(0.0);
    let end = min(p.R, r + 128u * p.K);
    for (; r < end; r += p.K) {
      let d = x[at] - m;
      accSquares += d * d;
      acc += d;
      at += step;
    }
    squares += accSquares; total += acc;
  }
  y[i] = squares; y[p.n + i] = total;
}
`,
    access: ['read', 'read', 'write'] as const,
  };
});

const finish = memo(() => ({
  name: 'variance/finish',
  source: /* wgsl */ `// sums:[2,n] of squared distances and of distances -> y:[n], the variance
struct Params { n: u32, share: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
${flatMain()}
  if (i >= p.n) { return; }
  let off = sums[p.n + i] * p.share;
  let squares = sums[i] * p.share;
  let v = squares - off * off;
  // Both overflow together, and Infinity less Infinity would be NaN.
  y[i] = select(select(v, 0.0, v < 0.0), squares, bitcast<u32>(squares) == 0x7f800000u);
}
`,
  access: ['read', 'write'] as const,
}));

/** Whether `axes` (sorted, not negative) lie beside each other, but for axes of size 1: what {@link variance} can do. */
export function isOneRun(shape: readonly number[], axes: readonly number[]): boolean {
  const places = shape.flatMap((d, i) => (d === 1 ? [] : [axes.includes(i)]));
  return places.slice(places.indexOf(true), places.lastIndexOf(true) + 1).every((reduced) => reduced);
}

/** The mean squared distance from the mean over `axes`, of which there are `count` elements each. Input x of `shape`; output y. */
export function variance(target: Target, shape: readonly number[], axes: readonly number[], count: number): Plan {
  const share = 1 / count;
  const means = reduce(target, SUM, shape, axes, share);
  const stages = stagesOf(target, shape, axes);
  const n = shape.reduce((size, d, i) => (axes.includes(i) ? size : size * d), 1);
  // Buffers: x, y, the mean, what its sums need, the stages.
  const inner = means.temps ?? [];
  const first = 3 + inner.length;
  const temps = [n, ...inner, ...stages.map(({ A, B, K }) => 2 * A * K * B)];
  const moved = (arg: number) => (arg === 0 ? 0 : arg + 1); // its output becomes buffer 2, its temps follow
  // Axes of size 1 reduce nothing: each element that they would leave has a mean of its own.
  const last = Math.max(-1, ...axes.filter((i) => shape[i] !== 1));
  const single = last >= 0 && shape.slice(last + 1).every((d) => d === 1);
  const dispatches = stages.map(({ A, R, B, K, vector }, i): Dispatch => {
    const width = vector ? 4 : 1;
    const threads = (A * K * B) / width;
    const params = [threads, R, B / width, K];
    if (i === 0) {
      return { kernel: distances(vector, single), args: [0, 2, first], params, grid: grid1d(threads) };
    }
    return {
      kernel: partial(SUM.name, SUM.combine, SUM.init, vector),
      args: [first + i - 1, first + i],
      params: [2 * threads, R, B / width, K, f32(1)],
      grid: grid1d(2 * threads),
    };
  });
  const end = { kernel: finish(), args: [first + stages.length - 1, 1], params: [n, f32(share)], grid: grid1d(n) };
  return {
    temps,
    dispatches: [...means.dispatches.map((d) => ({ ...d, args: d.args.map(moved) })), ...dispatches, end],
  };
}
