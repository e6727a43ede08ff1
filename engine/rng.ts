import { fillNormal, fillUniform } from '../kernels/random/random.ts';
import {
  aNumber,
  aShape,
  calledAs,
  guarded,
  guardMethods,
  kind,
  maybe,
  op,
  options,
  rest,
  something,
  within,
} from './arguments/arguments.ts';
import { aTensor } from './arguments/kinds.ts';
import * as ranges from './arguments/ranges.ts';
import { checkRange } from './arguments/ranges.ts';
import { apply } from './autograd/apply.ts';
import { noGrad } from './autograd/node.ts';
import { eachRun, live, refuseCapture } from './compile/live.ts';
import { withDevice } from './device.ts';
import { ShapeError } from './errors.ts';
import { type CreateOptions, created, createRanges, full, normalRow, uniformRow } from './ops/create.ts';
import { affine, gate, sub } from './ops/elementwise.ts';
import { checkPlaces } from './ops/indexing.ts';
import { reshape } from './ops/movement.ts';
import { integers, type RandintArguments, randintRow } from './ops/randint.ts';
import { broadcastTo } from './ops/reduce.ts';
import { gumbelMax, truncatedNormalRow } from './ops/sampling.ts';
import { scope } from './tensor/scope.ts';
import { checkShape, type Shape, show, sizeOf } from './tensor/shape.ts';
import { Tensor, tensor } from './tensor/tensor.ts';

/** Options of `Rng.uniform` and {@link rand}. */
export interface UniformOptions extends CreateOptions {
  /** The least number. Default 0. */
  readonly low?: number;
  /** What all numbers are below. Default 1. */
  readonly high?: number;
}

/** Options of `Rng.normal` and {@link randn}. */
export interface NormalOptions extends CreateOptions {
  /** The mean. Default 0. */
  readonly mean?: number;
  /** The standard deviation; a function is asked in each run of a compiled step: for noise that fades. Default 1. */
  readonly std?: number | (() => number);
}

/** Options of `Rng.truncatedNormal`. */
export interface TruncatedNormalOptions extends CreateOptions {
  /** The mean before the tails are cut off. Default 0. */
  readonly mean?: number;
  /** The standard deviation before the tails are cut off. Default 1. */
  readonly std?: number;
  /** The bounds themselves, not in units of std, as in PyTorch's trunc_normal_. Default -2 and 2. */
  readonly low?: number;
  /** The upper bound; see `low`. */
  readonly high?: number;
}

/** Where an {@link Rng} stands. */
export type RngState = {
  /** The key of the stream. */
  readonly seed: readonly [number, number];
  /** Blocks of two numbers drawn so far. */
  readonly offset: number;
};

/**
 * A stream of random numbers: counter-based (Threefry-2x32, Salmon et al. 2011), so that the same seed gives the same
 * numbers on every adapter and on the reference device. The state is the seed and a counter; save both to resume.
 * @example
 * const rng = new Rng(1);
 * const z = rng.normal([64, 100]);
 */
export class Rng {
  /** The key of the stream: two whole numbers below 2³², made of seed and stream. */
  seed: readonly [number, number];
  /** Blocks of two numbers drawn so far. */
  offset: number;

  /**
   * @param seed a whole number from 0 to 2^53 - 1
   * @param stream a whole number that tells streams of one seed apart
   * @param offset blocks of two numbers to skip, as `offset` counts them
   * @throws RangeError for a seed out of range
   */
  constructor(seed: number, stream = 0, offset = 0) {
    checkRange('Rng', 'the stream', ranges.whole(0), stream);
    checkRange('Rng', 'the offset', ranges.whole(0), offset);
    this.seed = words(seed, stream);
    this.offset = offset;
  }

  /** Begins a stream anew, as a generator made with this seed. @throws RangeError for a seed out of range */
  restart(seed: number, stream = 0): void {
    this.seed = words(seed, stream);
    this.offset = 0;
  }

  /** The seed and how much was drawn, as JSON: for checkpoints. */
  stateDict(): RngState {
    return { seed: this.seed, offset: this.offset };
  }

  /**
   * Goes on from a state that {@link stateDict} gave: the numbers that follow are those that followed there.
   * @throws RangeError for what is no such state
   */
  loadStateDict(state: RngState): void {
    const { seed, offset } = (state ?? {}) as RngState;
    const isWord = (w: unknown): w is number => Number.isInteger(w) && w === (w as number) >>> 0;
    const isOffset = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
    if (!(Array.isArray(seed) && seed.length === 2 && seed.every(isWord) && isOffset(offset))) {
      throw new RangeError(
        `Rng: a state is two whole numbers below 2^32 and an offset, not ${JSON.stringify({ seed, offset })}`,
      );
    }
    this.seed = [seed[0], seed[1]];
    this.offset = offset;
  }

  /** Uniform numbers in [low, high), by default [0, 1). @throws ShapeError */
  uniform(shape: Shape, options: UniformOptions = {}): Tensor {
    const { low = 0, high = 1 } = options;
    checkShape(calledAs('uniform'), shape);
    const params = live(() => ({ low, high, ...this.#take('uniform', shape), shape: [...shape] }));
    return created(apply(uniformRow, [], params)[0]!, options);
  }

  /**
   * Normally distributed numbers, standard unless mean and standard deviation are given.
   * @throws ShapeError
   */
  normal(shape: Shape, options: NormalOptions = {}): Tensor {
    const { mean = 0, std = 1 } = options;
    checkShape(calledAs('normal'), shape);
    const stdNow = typeof std === 'function' ? std : () => std;
    const params = live(() => ({ mean, std: stdNow(), ...this.#take('normal', shape), shape: [...shape] }));
    return created(apply(normalRow, [], params)[0]!, options);
  }

  /**
   * Normal numbers given that they lie between `low` and `high`, by inversion of the distribution function. Good to about
   * 1e-5 where the bounds are within 5 std of the mean, and always between them.
   * @throws RangeError unless low < high and std > 0
   */
  truncatedNormal(shape: Shape, options: TruncatedNormalOptions = {}): Tensor {
    const { mean = 0, std = 1, low = -2, high = 2 } = options;
    checkShape('truncatedNormal', shape);
    if (!(low < high && std > 0)) {
      throw new RangeError(`truncatedNormal: low ${low} must be less than high ${high}, and std ${std} more than 0`);
    }
    const place = () => this.#take('truncatedNormal', shape);
    const params = live(() => ({ mean, std, low, high, ...place(), shape: [...shape] }));
    return created(apply(truncatedNormalRow, [], params)[0]!, options);
  }

  /**
   * Whole numbers from `low` (0 unless given) to `high - 1`, held in floats and exact: both bounds lie within ±2^24. Each is as
   * likely as the next, to 2^-32, and the same on every device.
   * @throws RangeError unless both are whole numbers in range, and low < high; ShapeError
   * @example
   * const index = rng.randint(10, [64]); // 64 of the numbers 0 to 9
   * const dice = rng.randint(1, 7, [2]);
   */
  randint(high: number, shape: Shape, options?: CreateOptions): Tensor;
  /** Whole numbers from `low` to `high - 1`, held in floats and exact. */
  randint(low: number, high: number, shape: Shape, options?: CreateOptions): Tensor;
  randint(...args: [number, number | Shape, (Shape | CreateOptions)?, CreateOptions?]): Tensor {
    const { low, high, shape, given } = integers(args as RandintArguments);
    checkShape('randint', shape);
    const params = live(() => ({ low, high, ...this.#take('randint', shape), shape: [...shape] }));
    return created(apply(randintRow, [], params)[0]!, given);
  }

  /**
   * 1 with probability p, else 0: a tensor of `shape` for a number p, or one like p for a tensor of probabilities. No
   * gradient flows into p.
   * @throws RangeError for a number p outside 0 to 1
   */
  bernoulli(probabilities: Tensor): Tensor;
  /** 1 with probability p, 0.5 unless given, else 0: a tensor of `shape`. */
  bernoulli(shape: Shape, p?: number): Tensor;
  bernoulli(shape: Shape | Tensor, p = 0.5): Tensor {
    return noGrad(() =>
      scope(() => {
        if (shape instanceof Tensor) {
          const one = withDevice(shape.device, () => full([], 1));
          return gate(one, sub(shape, this.#on(shape, shape.shape)), 0);
        }
        if (!(p >= 0 && p <= 1)) throw new RangeError(`bernoulli: p must be from 0 to 1, not ${p}`);
        // Rounded to float32 on every device, so that the same elements are below p; p - u is exact.
        const below = affine(this.uniform(shape), -1, Math.fround(p));
        return gate(full([], 1), below, 0);
      }),
    );
  }

  /**
   * Class indices drawn with probabilities softmax(logits): logits [..., C] give [...], or [..., n] draws with replacement.
   * -Infinity rules a class out; a row with a NaN, or without a class that is left, draws NaN. Indices are whole numbers held in
   * floats. By the Gumbel-max trick (Gumbel 1954); in
   * float32 and in float64 a draw in a million may differ, where two classes come out equal to float32's rounding.
   * @throws ShapeError without a class; RangeError on WebGPU for more than 2²⁴ classes, which float32 cannot count
   */
  categorical(logits: Tensor, n?: number): Tensor {
    const classes = logits.shape[logits.rank - 1];
    if (!classes) throw new ShapeError(`categorical: ${show(logits.shape)} has no classes along its last axis`);
    checkPlaces('categorical', logits, classes);
    return noGrad(() =>
      scope(() => {
        if (n === undefined) return gumbelMax(logits, this.#on(logits, logits.shape));
        const batch = logits.shape.slice(0, -1);
        const shape = [...batch, n, classes];
        checkShape('categorical', shape);
        const repeated = broadcastTo(reshape(logits, [...batch, 1, classes]), shape);
        return gumbelMax(repeated, this.#on(logits, shape));
      }),
    );
  }

  /**
   * The whole numbers 0 to n - 1 in random order, [n] (Fisher and Yates; exact up to n = 2^24, where floats stop counting).
   * Made on the host.
   * @throws ShapeError unless n is a whole number, 0 or more; RangeError above 2^24
   */
  permutation(n: number): Tensor {
    checkShape('permutation', [n]);
    if (n > 2 ** 24) throw new RangeError(`permutation: n must be at most 2^24, not ${n}`);
    return tensor(this.hostPermutation(n), { shape: [n] });
  }

  /** Uniform numbers where another tensor lives. */
  #on(other: Tensor, shape: Shape): Tensor {
    return withDevice(other.device, () => this.uniform(shape));
  }

  /** The whole numbers 0 to n - 1 in random order, on the host (Fisher and Yates). */
  hostPermutation(n: number): Float64Array {
    const order = Float64Array.from({ length: n }, (_, i) => i);
    const u = this.hostUniform(n);
    // The numbers have 24 bits: places beyond need the bits of another.
    const more = n > 2 ** 24 ? this.hostUniform(n - 2 ** 24) : [];
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor((u[i]! + (more[i - 2 ** 24] ?? 0) * 2 ** -24) * (i + 1));
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  }

  /** n uniform numbers in [0, 1) on the host, from the same stream: for shuffles and the like. */
  hostUniform(n: number): Float64Array {
    refuseHost();
    const out = new Float64Array(n);
    fillUniform(out, { low: 0, high: 1, ...this.#take('hostUniform', [n]) });
    return out;
  }

  /** n standard normal numbers on the host, from the same stream. */
  hostNormal(n: number): Float64Array {
    refuseHost();
    const out = new Float64Array(n);
    fillNormal(out, { mean: 0, std: 1, ...this.#take('hostNormal', [n]) });
    return out;
  }

  #take(op: string, shape: Shape) {
    checkShape(op, shape);
    if (draws && !draws.has(this)) draws.set(this, this.offset);
    const { seed, offset } = this;
    this.offset += Math.ceil(sizeOf(shape) / 2);
    return { seed, offset };
  }
}

const { finite, number } = ranges;
const uniformOptions = options<UniformOptions>({ low: finite, high: finite, ...createRanges });
const normalOptions = options<NormalOptions>({
  mean: finite,
  std: { holds: (v) => typeof v === 'function' || finite.holds(v), says: 'a finite number or a function' },
  ...createRanges,
});
const aCount = within<number>('n', ranges.whole(0));

guardMethods(Rng, {
  restart: [within('seed', ranges.seed), maybe(within('stream', ranges.whole(0)))],
  stateDict: [],
  uniform: [aShape, uniformOptions],
  normal: [aShape, normalOptions],
  truncatedNormal: [
    aShape,
    options<TruncatedNormalOptions>({ mean: finite, std: finite, low: number, high: number, ...createRanges }),
  ],
  randint: [rest(something('arguments'))],
  bernoulli: [
    kind('shape', 'a list, or a tensor of probabilities', (v) => Array.isArray(v) || v instanceof Tensor),
    maybe(aNumber('p')),
  ],
  categorical: [aTensor('logits'), maybe(aNumber('n'))],
  permutation: [aNumber('n')],
  hostPermutation: [aCount],
  hostUniform: [aCount],
  hostNormal: [aCount],
});

/** The two words of a seed. */
function words(seed: number, stream: number): readonly [number, number] {
  checkRange('Rng', 'the seed', ranges.seed, seed);
  return [seed >>> 0, (Math.floor(seed / 2 ** 32) ^ Math.imul(stream, 0x9e3779b1)) >>> 0];
}

const refuseHost = (): void =>
  refuseCapture(
    'random numbers drawn on the host (host..., permutation) would be the same in every run; draw them outside of the step and pass them in',
  );

const shared = new Rng(0);

/** The generator behind {@link randn} and {@link rand}, and behind layers that are not given one: for checkpoints. @function */
export const defaultRng = guarded('defaultRng', [], (): Rng => shared);

/**
 * Restarts the stream behind {@link randn}, {@link rand} and the layers of `wgrad/nn` that are not given one (weights, dropout),
 * whose seed is 0 at first; also in steps that are compiled already.
 * @throws RangeError as `Rng`
 * @function
 */
export const manualSeed = op('manualSeed', [within<number>('seed', ranges.seed)], (seed): void => {
  shared.restart(seed);
});

/**
 * Normal numbers from the shared stream, standard unless mean and standard deviation are given; see {@link manualSeed}.
 * @throws ShapeError unless all sizes are whole numbers, 0 or more
 * @function
 */
export const randn = op('randn', [aShape, normalOptions], (shape, given = {}): Tensor => shared.normal(shape, given));

/**
 * Uniform numbers in [low, high), by default [0, 1), from the shared stream; see {@link manualSeed}.
 * @throws ShapeError unless all sizes are whole numbers, 0 or more
 * @function
 */
export const rand = op('rand', [aShape, uniformOptions], (shape, given = {}): Tensor => shared.uniform(shape, given));

/**
 * Whole numbers from `low` (0 unless given) to `high - 1` from the shared stream, each as likely as the next; see
 * {@link manualSeed}. They are held in floats and exact: both bounds lie within ±2^24. As torch.randint.
 * @throws RangeError unless both are whole numbers in range, and low < high; ShapeError unless all sizes are whole numbers, 0 or more
 * @function
 * @example
 * const labels = randint(10, [64]); // 64 of the numbers 0 to 9
 * const dice = randint(1, 7, [2]);
 */
export const randint: {
  (high: number, shape: Shape, options?: CreateOptions): Tensor;
  (low: number, high: number, shape: Shape, options?: CreateOptions): Tensor;
} = op(
  'randint',
  [rest(something('arguments'))],
  (...args: unknown[]): Tensor => Reflect.apply(shared.randint, shared, args),
);

/** Where each generator stood when it was first drawn from; kept while `recordDraws` runs. */
let draws: Map<Rng, number> | undefined;

/** Runs `fn` and tells where the generators that it drew from stood before. */
export function recordDraws<T>(fn: () => T): [T, ReadonlyMap<Rng, number>] {
  let before: typeof draws;
  const own = new Map<Rng, number>();
  eachRun(() => {
    before = draws;
    own.clear();
    draws = own;
  });
  try {
    return [fn(), own];
  } finally {
    eachRun(() => {
      draws = before;
      if (before) for (const [rng, offset] of own) if (!before.has(rng)) before.set(rng, offset);
    });
  }
}

/** Runs `fn` with generators set back to where they stood, and then lets them go on from where they are now. */
export function replayDraws<T>(places: ReadonlyMap<Rng, number>, fn: () => T): T {
  let now: (readonly [Rng, number])[] = [];
  eachRun(() => {
    now = [...places.keys()].map((rng) => [rng, rng.offset]);
    for (const [rng, offset] of places) rng.offset = offset;
  });
  try {
    return fn();
  } finally {
    eachRun(() => {
      for (const [rng, offset] of now) rng.offset = offset;
    });
  }
}
