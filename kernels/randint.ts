/** Whole numbers between two bounds, each as likely as the next, from the same streams as kernels/random/random.ts. */
import { grid1d, memo, type Plan } from './kernel.ts';
import { fill, HEAD, type Stream, start } from './random/random.ts';

/** The least number, and what all are below: whole numbers. */
export interface Integers extends Stream {
  readonly low: number;
  readonly high: number;
}

const kernel = memo(() => ({
  name: 'random/randint',
  access: ['write'] as const,
  // The upper word of the product of 64 bits, by halves of 16: no step exceeds 32 bits.
  source: /* wgsl */ `${HEAD('-> y:[n] whole numbers from least to least + count - 1', 'least: i32, count: u32')}
  let half = vec4u(0xffffu);
  let below = (bits & half) * (p.count & 0xffffu);
  let middle = (bits >> vec4u(16u)) * (p.count & 0xffffu) + (below >> vec4u(16u));
  let other = (bits & half) * (p.count >> 16u) + (middle & half);
  let k = (bits >> vec4u(16u)) * (p.count >> 16u) + (middle >> vec4u(16u)) + (other >> vec4u(16u));
  y[i] = vec4f(vec4i(k) + p.least);
}`,
}));

/** y[n] whole numbers: low + floor((high - low) * word / 2^32), exact where both bounds are within ±2^24. Output y. */
export function randint(n: number, options: Integers): Plan {
  const { low, high } = options;
  const params = [...start(n, options), low, high - low];
  return { dispatches: [{ kernel: kernel(), args: [0], params, grid: grid1d(Math.ceil(n / 4)) }] };
}

/** Fills `out` with what `randint` makes. */
export const fillRandint = (out: Float64Array, options: Integers): void =>
  fill(out, options, (word, { low, high }) => {
    const count = high - low;
    const below = Math.floor(((word & 0xffff) * count) / 2 ** 16);
    return low + Math.floor(((word >>> 16) * count + below) / 2 ** 16);
  });
