/** Generators that learn nothing: the distributions that a critic is measured on. */
import { argsort, broadcastTo, concat, floor, indexSelect, type Rng, type Tensor, tensor } from '../engine/index.ts';
import { init, Linear, Module, Parameter } from '../nn/index.ts';

/** n rows of a table [N, ...], drawn with replacement: others in each run of a compiled step. */
export const drawRows = (table: Tensor, n: number, rng: Rng): Tensor =>
  // Rounding may lift the largest number to N.
  indexSelect(table, floor(rng.uniform([n], { high: table.shape[0]! })).minimum(table.shape[0]! - 1));

/** The uniform distribution on the segment {theta} x [0, 1]: codes are not looked at, but for their number. */
export class SegmentGenerator extends Module {
  /** Where the segment stands, [1]. */
  readonly theta: Parameter;
  /** Draws the places on it. */
  readonly rng: Rng;

  constructor(theta: number, rng: Rng) {
    super();
    this.theta = new Parameter(tensor([theta]));
    this.rng = rng;
  }

  /** @param z codes [N, ...] @returns points [N, 2] */
  override forward(z: Tensor): Tensor {
    const n = z.shape[0]!;
    return concat([broadcastTo(this.theta, [n, 1]), this.rng.uniform([n, 1])], 1);
  }
}

/** A cloud of points, all of them in each batch, in a random order: a penalty between clouds meets other pairs each time. */
export class Cloud extends Module {
  /** [N, dimension]. */
  readonly points: Parameter;
  /** Draws the order. */
  readonly rng: Rng;

  constructor(points: Float32Array, dimension: number, rng: Rng) {
    super();
    this.points = new Parameter(tensor(points, { shape: [points.length / dimension, dimension] }));
    this.rng = rng;
  }

  /** @param z codes [N, ...], as many as there are points; not looked at @returns the points [N, dimension] */
  override forward(z: Tensor): Tensor {
    if (z.shape[0] !== this.points.shape[0]) {
      throw new RangeError(`Cloud: gives all its ${this.points.shape[0]} points at once, not ${z.shape[0]}`);
    }
    return indexSelect(this.points, argsort(this.rng.uniform([z.shape[0]!])));
  }
}

/** N(mean, sigma²) on the line: x = sigma z + mean. */
export const gaussianGenerator = (mean: number, sigma: number): Linear =>
  new Linear(1, 1, { init: init.constant(sigma), initBias: init.constant(mean) });
