import { fillNormal, fillUniform } from '../kernels/random.ts';
import { apply } from './apply.ts';
import { normalRow, uniformRow } from './ops/create.ts';
import { checkShape, type Shape, sizeOf } from './shape.ts';
import type { Tensor } from './tensor.ts';

/**
 * A stream of random numbers: counter-based (Threefry-2x32, Salmon et al. 2011), so that the same seed gives the same
 * numbers on every adapter and on the reference device. The state is the seed and a counter; save both to resume.
 */
export class Generator {
  readonly seed: readonly [number, number];
  /** Blocks of two numbers drawn so far. */
  offset: number;

  /**
   * @param seed a whole number from 0 to 2^53 - 1
   * @param stream tells streams of one seed apart
   */
  constructor(seed: number, stream = 0, offset = 0) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RangeError(`Generator: the seed must be a whole number from 0 to 2^53 - 1, not ${seed}`);
    }
    this.seed = [seed >>> 0, (Math.floor(seed / 2 ** 32) ^ Math.imul(stream, 0x9e3779b1)) >>> 0];
    this.offset = offset;
  }

  /** Uniform numbers in [low, high). */
  uniform(shape: Shape, { low = 0, high = 1 }: { low?: number; high?: number } = {}): Tensor {
    return apply(uniformRow, [], { shape: [...shape], low, high, ...this.#take('uniform', shape) })[0]!;
  }

  /** Normally distributed numbers. */
  normal(shape: Shape, { mean = 0, std = 1 }: { mean?: number; std?: number } = {}): Tensor {
    return apply(normalRow, [], { shape: [...shape], mean, std, ...this.#take('normal', shape) })[0]!;
  }

  /** n uniform numbers in [0, 1) on the host, from the same stream: for shuffles and the like. */
  hostUniform(n: number): Float64Array {
    const out = new Float64Array(n);
    fillUniform(out, { low: 0, high: 1, ...this.#take('hostUniform', [n]) });
    return out;
  }

  /** n standard normal numbers on the host, from the same stream. */
  hostNormal(n: number): Float64Array {
    const out = new Float64Array(n);
    fillNormal(out, { mean: 0, std: 1, ...this.#take('hostNormal', [n]) });
    return out;
  }

  #take(op: string, shape: Shape) {
    checkShape(op, shape);
    const { seed, offset } = this;
    this.offset += Math.ceil(sizeOf(shape) / 2);
    return { seed, offset };
  }
}

let shared = new Generator(0);

/** Restarts the stream behind `randn` and `rand`. */
export const manualSeed = (seed: number): void => {
  shared = new Generator(seed);
};

/** Standard normal numbers from the shared stream (see `manualSeed`). */
export const randn = (shape: Shape): Tensor => shared.normal(shape);

/** Uniform numbers in [0, 1) from the shared stream (see `manualSeed`). */
export const rand = (shape: Shape): Tensor => shared.uniform(shape);
