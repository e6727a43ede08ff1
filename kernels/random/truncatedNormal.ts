/** Normal numbers between two bounds, by inversion, from the same streams as kernels/random/random.ts. */
import { f32, grid1d, memo, type Plan } from '../kernel.ts';
import { CENTRE, fill, HEAD, horner, type Normal, start, TAIL } from './random.ts';

export interface TruncatedNormal extends Normal {
  readonly low: number;
  readonly high: number;
}

const kernel = memo(() => ({
  name: 'random/truncatedNormal',
  access: ['write'] as const,
  // Both v and 1 - v are sums of positive numbers, so that neither tail loses digits.
  source: /* wgsl */ `${HEAD('-> y:[n] normal, between two bounds', 'mean: f32, deviation: f32, below: f32, span: f32, above: f32, least: f32, most: f32')}
  let u = (vec4f(bits >> vec4u(9u)) + 0.5) * 0x1p-23;
  let v = p.below + p.span * u;
  let rest = p.above + p.span * (1.0 - u);
  var w = -log(4.0 * v * rest) - 2.5;
  let centre = ${horner(CENTRE)};
  let far = w > vec4f(2.5);
  w = sqrt(max(w + 2.5, vec4f())) - 3.0;
  let tail = ${horner(TAIL)};
  let x = p.mean + p.deviation * (${Math.SQRT2} * (v - rest) * select(centre, tail, far));
  y[i] = clamp(x, vec4f(p.least), vec4f(p.most));
}`,
}));

/**
 * The share of a standard normal above z: erfc(z / √2) / 2, to 1.2e-7 relative (Press et al., Numerical Recipes,
 * erfcc).
 */
export function upperTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  const terms = [
    0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
  ];
  const tail = 0.5 * t * Math.exp(-x * x - 1.26551223 + t * terms.reduce((sum, c) => sum * t + c, 0));
  return z >= 0 ? tail : 1 - tail;
}

/** What lies below the bounds, between and above them. */
function shares({ mean, std, low, high }: TruncatedNormal) {
  const [a, b] = [(low - mean) / std, (high - mean) / std];
  const [below, above] = [upperTail(-a), upperTail(b)];
  // The difference of the two smaller tails, where both bounds lie on one side.
  const span = a > 0 ? upperTail(a) - above : b < 0 ? upperTail(-b) - below : 1 - below - above;
  return { below, span, above };
}

/** y[n] normal between `low` and `high`, as `normal` otherwise. Output y. */
export function truncatedNormal(n: number, options: TruncatedNormal): Plan {
  const { mean, std, low, high } = options;
  const { below, span, above } = shares(options);
  const params = [...start(n, options), ...[mean, std, below, span, above, low, high].map(f32)];
  return { dispatches: [{ kernel: kernel(), args: [0], params, grid: grid1d(Math.ceil(n / 4)) }] };
}

/** Fills `out` with what `truncatedNormal` makes, in float64 with the same polynomials. */
export function fillTruncatedNormal(out: Float64Array, options: TruncatedNormal): void {
  const { mean, std, low, high } = options;
  const { below, span, above } = shares(options);
  fill(out, options, (word) => {
    const u = ((word >>> 9) + 0.5) / 2 ** 23;
    const [v, rest] = [below + span * u, above + span * (1 - u)];
    const w = -Math.log(4 * v * rest);
    const far = w > 5;
    const at = far ? Math.sqrt(w) - 3 : w - 2.5;
    const sum = (far ? TAIL : CENTRE).reduce<number>((s, c) => s * at + c, 0);
    return Math.min(Math.max(mean + std * Math.SQRT2 * (v - rest) * sum, low), high);
  });
}
