import { adamStep, checked, copyFrom, eachRun, emaStep, live, noGrad, Tensor } from '../../engine/index.ts';
import { toNumbers } from '../io/dtypes.ts';
import type { StateValue } from '../module/module.ts';
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
  /** The moments of each parameter by itself. */
  private readonly windows: { readonly m: readonly Tensor[]; readonly v: readonly Tensor[] };

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
    this.windows = { m: this.arena.windows(this.#m), v: this.arena.windows(this.#v) };
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

  /** The moments of each parameter, `m.0`, `v.0` and so on, and the numbers `steps` and `lr`, for checkpoints. */
  stateDict(): Map<string, Tensor | number> {
    const named = (name: string, list: readonly Tensor[]) => list.map((t, i): [string, Tensor] => [`${name}.${i}`, t]);
    return new Map<string, Tensor | number>([
      ...[...named('m', this.windows.m), ...named('v', this.windows.v)],
      ['steps', this.steps],
      ['lr', this.lr],
    ]);
  }

  /** Goes on from a state that {@link stateDict} gave. @throws Error for what is no such state; nothing is changed then */
  loadStateDict(values: ReadonlyMap<string, StateValue | number>): void {
    const [steps, lr] = [values.get('steps') as number, values.get('lr') as number];
    if (!(Number.isSafeInteger(steps) && steps >= 0 && lr >= 0)) {
      throw new TypeError(`Adam: a state has steps and lr, 0 or more, not ${steps} and ${lr}`);
    }
    overwrite('Adam', this.stateDict(), values);
    this.steps = steps;
    this.lr = lr;
  }

  /** Frees the moments. The parameters stay. */
  dispose(): void {
    for (const t of [this.#m, this.#v, ...this.windows.m, ...this.windows.v]) t.dispose();
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
  /** The average of each parameter by itself. */
  private readonly averages: readonly Tensor[];
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
    this.averages = this.arena.windows(this.average);
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

  /** The average of each parameter, `average.0` and so on, and the number `steps`, for checkpoints. */
  stateDict(): Map<string, Tensor | number> {
    const named = this.averages.map((t, i): [string, Tensor] => [`average.${i}`, t]);
    return new Map<string, Tensor | number>([...named, ['steps', this.#steps]]);
  }

  /** Goes on from a state that {@link stateDict} gave. @throws Error for what is no such state; nothing is changed then */
  loadStateDict(values: ReadonlyMap<string, StateValue | number>): void {
    const steps = values.get('steps') as number;
    if (!(Number.isSafeInteger(steps) && steps >= 0)) {
      throw new TypeError(`EMA: a state has steps, 0 or more, not ${steps}`);
    }
    overwrite('EMA', this.stateDict(), values);
    this.#steps = steps;
  }

  /** Frees the average. The parameters stay. */
  dispose(): void {
    for (const t of [this.average, ...this.averages]) t.dispose();
    this.arena.release();
  }
}

/** Overwrites tensors in place. @throws Error naming what is missing or of another shape; nothing is changed then */
function overwrite(
  who: string,
  own: ReadonlyMap<string, Tensor | number>,
  values: ReadonlyMap<string, StateValue | number>,
): void {
  for (const [name, t] of own) {
    const given = values.get(name);
    if (!(t instanceof Tensor)) continue;
    if (!given || typeof given === 'number') throw new Error(`${who}: ${name} is missing`);
    if (given.shape.join() !== t.shape.join()) throw new Error(`${who}: ${name} is [${given.shape}], not [${t.shape}]`);
  }
  for (const [name, t] of own) {
    const given = values.get(name);
    if (!(t instanceof Tensor) || typeof given !== 'object') continue;
    if (given instanceof Tensor) noGrad(() => copyFrom(t, given));
    else t.assign(toNumbers(given.data));
  }
}
