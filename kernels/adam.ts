/**
 * Adam, AdamW and exponential averages over flat arenas. All parameters of an optimizer lie in one buffer (and their two
 * moments in two more), gradients wherever backward left them: one dispatch serves as many gradients as may be bound.
 */
import { type Dispatch, f32, flatMain, grid1d, memo, type Param, type Plan, type Target } from './kernel.ts';

/**
 * What a step needs to know; names and meanings are PyTorch's (`weightDecay` is AdamW's, `l2` is Adam's weight_decay).
 */
export interface Adam {
  /** Elements of each parameter. */
  readonly lengths: readonly number[];
  /** Where each parameter starts in the arenas: multiples of 64 elements, ascending, slots not overlapping. */
  readonly offsets: readonly number[];
  /** The learning rate. */
  readonly lr: number;
  /** Decay rate of the first moment, the mean of the gradients. */
  readonly beta1: number;
  /** Decay rate of the second moment, the mean of their squares. */
  readonly beta2: number;
  /** Added to the root of the second moment. */
  readonly eps: number;
  /** lr · weightDecay of each parameter is subtracted from it first (AdamW). */
  readonly weightDecay: number;
  /** l2 times the parameter is added to its gradient. */
  readonly l2: number;
  /** The number of this step, from 1. */
  readonly step: number;
}

/** Gradients of one dispatch at most: two words of parameters each, of the 64 that a kernel may have. */
const MOST = 24;
/** A parameter's slot is padded to this many vectors (64 elements), so 16 threads never see two parameters. */
const BLOCK = 16;

/** A thread's gradient is found by comparing its block of 16 threads with where each gradient's blocks start. */
const adamKernel = memo((gradients: number) => {
  const word = (k: number) => `p.slots[${k >> 2}][${k & 3}]`;
  const find = (q: number) => /* wgsl */ `if (block < ${word(2 * q + 2)}) {
    let k = i - ${word(2 * q)} * ${BLOCK}u;
    let slot = ${word(2 * q + 1)};
    if (k + (slot & 63u) >= (${word(2 * q + 2)} - ${word(2 * q)}) * ${BLOCK}u) { return; }
    g = g${q}[k];
    at = (slot >> 6u) * ${BLOCK}u + k;
  }`;
  const list = Array.from({ length: gradients }, (_, q) => q);
  return {
    name: `adam/${gradients}`,
    access: [...Array<'write'>(3).fill('write'), ...Array<'read'>(gradients).fill('read')],
    source: /* wgsl */ `// p, m, v: arenas, g0, g1 ...: gradients -> p, m, v after one step of Adam
// slots: for each gradient its first block of threads and its offset / 64 * 64 + vectors of padding; then the last block
struct Params {
  shrink: f32, l2: f32, beta1: f32, beta2: f32, rest1: f32, rest2: f32, rate: f32, root: f32, eps: f32,
  slots: array<vec4u, ${Math.ceil((2 * gradients + 1) / 4)}>,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> v: array<vec4f>;
${list.map((q) => `@group(0) @binding(${q + 4}) var<storage, read> g${q}: array<vec4f>;`).join('\n')}
${flatMain()}
  let block = i / ${BLOCK}u;
  var g: vec4f;
  var at: u32;
  ${list.map(find).join(' else ')} else { return; }
  let old = w[at];
  g += p.l2 * old;
  let first = p.beta1 * m[at] + p.rest1 * g;
  let second = p.beta2 * v[at] + p.rest2 * g * g;
  m[at] = first;
  v[at] = second;
  w[at] = p.shrink * old - p.rate * first / (sqrt(second) * p.root + p.eps);
}`,
  };
});

/**
 * One step of Adam (Kingma and Ba 2015) or AdamW (Loshchilov and Hutter 2019), exactly PyTorch's update:
 * m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, p -= lr / bc1 * m / (sqrt(v) / sqrt(bc2) + eps) with
 * bc = 1 - beta^step. Inputs [p, m, v, g_0 ... g_{n-1}], of which p, m and v are updated in place; no outputs.
 */
export function adam(target: Target, o: Adam): Plan {
  const most = Math.max(1, Math.min(MOST, target.maxStorageBuffers - 3));
  const scalars: Param[] = [
    ...[1 - o.lr * o.weightDecay, o.l2, o.beta1, o.beta2, 1 - o.beta1, 1 - o.beta2, o.lr / (1 - o.beta1 ** o.step)],
    ...[1 / Math.sqrt(1 - o.beta2 ** o.step), o.eps, 0, 0, 0],
  ].map(f32);
  const dispatches: Dispatch[] = [];
  const each = Math.ceil(o.lengths.length / Math.ceil(o.lengths.length / most));
  for (let from = 0; from < o.lengths.length; from += each) {
    const lengths = o.lengths.slice(from, from + each);
    const slots: number[] = [];
    let block = 0;
    lengths.forEach((length, q) => {
      const vectors = Math.ceil(length / 4);
      const blocks = Math.ceil(vectors / BLOCK);
      slots.push(block, o.offsets[from + q]! + (blocks * BLOCK - vectors));
      block += blocks;
    });
    slots.push(block, ...Array<number>((4 - ((slots.length + 1) % 4)) % 4).fill(0));
    dispatches.push({
      kernel: adamKernel(lengths.length),
      args: [0, 1, 2, ...lengths.map((_, q) => 3 + from + q)],
      params: [...scalars, ...slots],
      grid: grid1d(block * BLOCK),
    });
  }
  return { dispatches };
}

const emaKernel = memo(() => ({
  name: 'ema',
  access: ['write', 'read'] as const,
  source: /* wgsl */ `// average, x: [n] -> average + rest * (x - average)
struct Params { n4: u32, rest: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> average: array<vec4f>;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
${flatMain()}
  if (i >= p.n4) { return; }
  let old = average[i];
  average[i] = old + p.rest * (x[i] - old);
}`,
}));

/** average = decay * average + (1 - decay) * p over a flat arena of n elements, in place. Inputs [average, p]. */
export function ema(_target: Target, n: number, decay: number): Plan {
  const threads = Math.ceil(n / 4);
  const params = [threads, f32(1 - decay)];
  return { dispatches: [{ kernel: emaKernel(), args: [0, 1], params, grid: grid1d(threads) }] };
}
