import { adamStep, checked, eachRun, emaStep, live, type Tensor } from '../../engine/index.ts';
import type { Parameter } from '../module/parameter.ts';
import { Arena } from './arena.ts';

/** Options of {@link Adam}; names and defaults are PyTorch's. */
export interface AdamOptions {
  /** The learning rate. Default 1e-3. */
  readonly lr?: number;
  /** Decay rates of the two moments. Default [0.9, 0.999]; WGAN-GP uses [0, 0.9]. */
  readonly betas?: readonly [number, number];
  /** Added to the root of the second moment. Default 1e-8. */
  readonly eps?: number;
  /** Added to the gradient as weightDecay · p (an L2 penalty, not AdamW's decay). Default 0. */
  readonly weightDecay?: number;
}

/**
 * Adam (Kingma and Ba 2015, Algorithm 1), as PyTorch computes it; all parameters in one launch, for which they move into one
 * buffer.
 * @example
 * const adam = new Adam(model.parameters(), { lr: 3e-4 });
 * scope(() => adam.step(grad(loss(), model.parameters())));
 */
export class Adam {
  /** The learning rate, which may be changed between steps. */
  lr: number;
  /** Decay rates of the two moments. */
  readonly betas: readonly [number, number];
  /** Added to the root of the second moment. */
  readonly eps: number;
  /** The factor of the L2 penalty. */
  readonly weightDecay: number;
  /** Steps taken. Set it with the moments when a checkpoint is loaded. */
  steps = 0;
  /** The buffer in which the parameters lie. @internal */
  readonly arena: Arena;
  readonly #m: Tensor;
  readonly #v: Tensor;

  /**
   * @param parameters each may belong to one optimizer only
   * @throws TypeError for options that are no object or an lr that is no number >= 0
   * @throws Error for no parameters, or one that belongs to another optimizer
   */
  constructor(parameters: readonly Parameter[], options: AdamOptions = {}) {
    checked('Adam', options, ['lr', 'betas', 'eps', 'weightDecay']);
    if (!(Number(options.lr ?? 0) >= 0))
      throw new RangeError(`Adam: lr must be a number, 0 or more, not ${options.lr}`);
    this.lr = options.lr ?? 1e-3;
    this.betas = options.betas ?? [0.9, 0.999];
    this.eps = options.eps ?? 1e-8;
    this.weightDecay = options.weightDecay ?? 0;
    this.arena = Arena.of(parameters).retain();
    this.#m = this.arena.like('first moment');
    this.#v = this.arena.like('second moment');
  }

  /**
   * Updates the parameters in place. A tape that saved their old values refuses to use them from then on.
   * @param gradients one for each parameter, in their order, as `grad` returns them
   * @throws Error if their number or a size does not fit
   */
  step(gradients: readonly Tensor[]): void {
    const { flat, lengths, offsets } = this.arena;
    if (gradients.length !== lengths.length) {
      throw new Error(`Adam: ${gradients.length} gradients for ${lengths.length} parameters`);
    }
    gradients.forEach((g, i) => {
      if (g.size !== lengths[i])
        throw new Error(`Adam: gradient ${i} has ${g.size} elements, its parameter ${lengths[i]}`);
    });
    eachRun(() => {
      this.steps++;
    });
    const [beta1, beta2] = this.betas;
    const { eps, weightDecay: l2 } = this;
    const fixed = { lengths, offsets, beta1, beta2, eps, l2, weightDecay: 0 };
    adamStep(
      flat,
      this.#m,
      this.#v,
      gradients,
      live(() => ({ ...fixed, lr: this.lr, step: this.steps })),
    );
  }

  /** The moments `m` and `v`, flat, for checkpoints; `steps` belongs to them. */
  stateDict(): Map<string, Tensor> {
    return new Map([
      ['m', this.#m],
      ['v', this.#v],
    ]);
  }

  /** Steps taken, and the learning rate, which a schedule may have changed: for checkpoints. */
  hostState(): { steps: number; lr: number } {
    return { steps: this.steps, lr: this.lr };
  }

  /** Goes on from a state that {@link hostState} gave. @throws TypeError for what is no such state */
  loadHostState({ steps, lr }: { readonly steps: number; readonly lr: number }): void {
    if (!(Number.isSafeInteger(steps) && steps >= 0 && lr >= 0)) {
      throw new TypeError(`Adam: a state is a count of steps and lr, not ${JSON.stringify({ steps, lr })}`);
    }
    this.steps = steps;
    this.lr = lr;
  }

  /** Frees the moments. The parameters stay. */
  dispose(): void {
    this.#m.dispose();
    this.#v.dispose();
    this.arena.release();
  }
}

/** An exponential moving average of parameters, such as a generator's for sampling. */
export class EMA {
  /** The share of the old average that an update keeps, once enough of them were made. */
  readonly decay: number;
  /** The buffer in which the parameters lie. @internal */
  readonly arena: Arena;
  /** The average, flat, with gaps between parameters. */
  readonly average: Tensor;
  #steps = 0;

  /**
   * Starts from the current values.
   * @param parameters all parameters of one model, as an optimizer of it has them
   * @param decay share of the old average that each update keeps, e.g. 0.999
   */
  constructor(parameters: readonly Parameter[], decay: number) {
    this.decay = decay;
    this.arena = Arena.of(parameters).retain();
    this.average = this.arena.copy('average');
  }

  /**
   * Moves the average towards the parameters. Update k keeps min(decay, k / (k + 10)), so that the start does not
   * linger.
   */
  update(): void {
    emaStep(
      this.average,
      this.arena.flat,
      live(() => Math.min(this.decay, this.#steps / (this.#steps + 10))),
    );
    eachRun(() => {
      this.#steps++;
    });
  }

  /** Runs `fn` with the averaged parameters in place of the current ones. @throws TypeError if `fn` is async */
  apply<T>(fn: () => T): T {
    return this.arena.with(this.average, fn);
  }

  /** The average, for checkpoints. */
  stateDict(): Map<string, Tensor> {
    return new Map([['average', this.average]]);
  }

  /** Updates made: for checkpoints. */
  hostState(): { steps: number } {
    return { steps: this.#steps };
  }

  /** Goes on from a state that {@link hostState} gave. @throws TypeError for what is no such state */
  loadHostState({ steps }: { readonly steps: number }): void {
    if (!(Number.isSafeInteger(steps) && steps >= 0)) {
      throw new TypeError(`EMA: a state is a count of updates, not ${JSON.stringify({ steps })}`);
    }
    this.#steps = steps;
  }

  /** Frees the average. The parameters stay. */
  dispose(): void {
    this.average.dispose();
    this.arena.release();
  }
}
