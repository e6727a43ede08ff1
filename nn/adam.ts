import { adamStep, eachRun, emaStep, live, type Tensor } from '../engine/index.ts';
import { Arena } from './arena.ts';
import type { Parameter } from './module.ts';

export interface AdamOptions {
  /** Default 1e-3. */
  readonly lr?: number;
  /** Decay rates of the two moments. Default [0.9, 0.999]; WGAN-GP uses [0, 0.9]. */
  readonly betas?: readonly [number, number];
  /** Added to the root of the second moment. Default 1e-8. */
  readonly eps?: number;
  /** Added to the gradient as weightDecay · p. Default 0. */
  readonly weightDecay?: number;
}

/** Adam (Kingma and Ba 2015, Algorithm 1), as PyTorch computes it; all parameters in one launch. */
export class Adam {
  /** May be changed between steps. */
  lr: number;
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weightDecay: number;
  /** Steps taken. */
  steps = 0;
  readonly arena: Arena;
  readonly #m: Tensor;
  readonly #v: Tensor;

  constructor(parameters: readonly Parameter[], options: AdamOptions = {}) {
    if (typeof options !== 'object' || !(Number(options.lr ?? 0) >= 0)) {
      throw new TypeError('Adam: the options are an object such as { lr: 1e-3 }, and lr a number, 0 or more');
    }
    this.lr = options.lr ?? 1e-3;
    this.betas = options.betas ?? [0.9, 0.999];
    this.eps = options.eps ?? 1e-8;
    this.weightDecay = options.weightDecay ?? 0;
    this.arena = Arena.of(parameters).retain();
    this.#m = this.arena.like('first moment');
    this.#v = this.arena.like('second moment');
  }

  /** Updates the parameters in place. @param gradients one for each parameter, as `grad` returns them */
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

  /** The moments, for checkpoints. */
  stateDict(): Map<string, Tensor> {
    return new Map([
      ['m', this.#m],
      ['v', this.#v],
    ]);
  }

  dispose(): void {
    this.#m.dispose();
    this.#v.dispose();
    this.arena.release();
  }
}

/** An exponential moving average of parameters, such as a generator's for sampling. */
export class EMA {
  readonly decay: number;
  readonly arena: Arena;
  readonly average: Tensor;
  #steps = 0;

  /** @param decay share of the old average that each update keeps, e.g. 0.999 */
  constructor(parameters: readonly Parameter[], decay: number) {
    this.decay = decay;
    this.arena = Arena.of(parameters).retain();
    this.average = this.arena.copy('average');
  }

  /** Moves the average towards the parameters; early on it forgets faster, so that the start does not linger. */
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

  /** Runs `fn` with the averaged parameters in place of the current ones. `fn` must not be async. */
  apply<T>(fn: () => T): T {
    return this.arena.with(this.average, fn);
  }

  dispose(): void {
    this.average.dispose();
    this.arena.release();
  }
}
