import {
  argsort,
  copyFrom,
  noGrad,
  type Rng,
  type Shape,
  ShapeError,
  scope,
  type Tensor,
  tensor,
  where,
  withDevice,
  zeros,
} from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { Buffer, Module } from '../../nn/index.ts';

/** Options of {@link ReplayPool}. */
export interface ReplayPoolOptions {
  /** How many samples it holds. Default 50, as in CycleGAN. */
  readonly size?: number;
}

/**
 * A pool of samples that were generated before, from which a critic sees some again, so that it does not forget what the generator did
 * some steps ago (Shrivastava et al. 2017, 2.3; Zhu et al. 2017, section 4: 50 images).
 *
 * While it has free places, {@link exchange} stores each new sample and returns it. Then each new sample is, with probability ½, either
 * returned and not stored, or stored in a random place, whose old sample is returned. With one sample at a time that is the pool of
 * CycleGAN's code; several at once take places that differ.
 *
 * All of it happens on the device, also in a compiled step. It is a module without parameters: a part of a checkpoint, which also holds
 * where its random numbers are.
 * @example
 * const pool = new ReplayPool([64, 64, 3], rng);
 * const seen = pool.exchange(fake); // for the critic; the generator's loss takes `fake` itself
 * await saveCheckpoint('run.safetensors', { critic, generator, pool });
 */
export class ReplayPool extends Module<[fresh: Tensor]> {
  /** How many samples it holds. */
  readonly size: number;
  /** The samples, [size, ...shape]; zeros where a place is free. */
  readonly samples: Buffer;
  /** How many places are taken, a scalar on the device: those with the lowest numbers. */
  readonly filled: Buffer;
  /** Draws, in each call: for each place a uniform number, whose order is that of the places; then for each sample whether to swap. */
  readonly rng: Rng;

  /**
   * An empty pool on the current device.
   * @param shape of one sample
   * @param rng draws places, and whether to swap; saved and loaded with the pool
   * @throws RangeError unless the size is a whole number of 1 or more, TypeError for options that do not exist
   */
  constructor(shape: Shape, rng: Rng, options: ReplayPoolOptions = {}) {
    super();
    const { size = 50 } = checked('ReplayPool', options, ['size']);
    this.size = checkRange('ReplayPool', 'size', ranges.count, size);
    this.rng = rng;
    this.samples = new Buffer(zeros([size, ...shape]), 'samples');
    this.filled = new Buffer(zeros([]), 'filled');
  }

  /**
   * Takes new samples [N, ...shape] and returns as many, new or old, in the places of the new ones: constants without a graph.
   * @throws ShapeError for samples of another shape, RangeError for more than the pool holds
   */
  exchange(fresh: Tensor): Tensor {
    const { size, samples, filled, rng } = this;
    const n = this.count(fresh);
    return onDevice(samples, () => {
      const place = tensor(Array.from({ length: size }, (_, i) => i));
      const taken = place.less(filled);
      // Free places in turn, then the others in random order, so that each new sample has a place of its own.
      const order = argsort(where(taken, rng.uniform([size]), place.sub(size)));
      const own = order.slice([[0, n]]);
      const swaps = rng.bernoulli([n]).mul(taken.take(own, 0));
      const returned = where(along(swaps, fresh), samples.take(own, 0), fresh);
      // The same as seen from the places: which new sample has it, and whether that one is stored.
      const guest = argsort(order);
      const which = guest.minimum(n - 1);
      const stored = guest.less(n).mul(swaps.take(which, 0).maximum(taken.neg().add(1)));
      copyFrom(samples, where(along(stored, samples), fresh.take(which, 0), samples));
      copyFrom(filled, filled.add(n).minimum(size));
      return returned;
    });
  }

  /** {@link exchange}. */
  override forward(fresh: Tensor): Tensor {
    return this.exchange(fresh);
  }

  override describe(): string {
    return `size ${this.size}, samples [${this.samples.shape.slice(1)}]`;
  }

  /** How many samples those are. */
  private count({ shape }: Tensor): number {
    const { size, samples } = this;
    const [n, ...one] = shape;
    const [, ...wanted] = samples.shape;
    if (!n || one.join() !== wanted.join()) {
      throw new ShapeError(`ReplayPool: samples [${shape}] do not fit: it takes [${['N', ...wanted]}], N of 1 or more`);
    }
    if (n > size) {
      throw new RangeError(
        `ReplayPool: ${n} samples at once do not fit into a pool of ${size}: make it larger, { size: ${n} }, or give fewer`,
      );
    }
    return n;
  }
}

const onDevice = (t: Tensor, fn: () => Tensor): Tensor => noGrad(() => withDevice(t.device, () => scope(fn)));

/** A vector as the first axis of what `like` has. */
const along = (v: Tensor, like: Tensor): Tensor => v.reshape([v.size, ...like.shape.slice(1).map(() => 1)]);
