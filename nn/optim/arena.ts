import { concat, keep, noGrad, refusePromise, scope, Tensor, zeros } from '../../engine/index.ts';
import type { Parameter } from '../module/parameter.ts';

/** Elements between the starts of parameters: WebGPU binds a window of a buffer at multiples of 256 bytes. */
const ALIGN = 64;

const laidOut = new WeakMap<Parameter, Arena>();

/** One flat tensor behind all parameters of an optimizer, so that one launch updates them all. */
export class Arena {
  readonly parameters: readonly Parameter[];
  /** Elements of each parameter, and where it starts. */
  readonly lengths: number[];
  readonly offsets: number[];
  readonly size: number;
  /** The values: each parameter is a window of it. */
  readonly flat: Tensor;
  #bound: Tensor;
  #users = 0;

  /** Moves the parameters into a new arena. @throws Error for a parameter that already lies in one */
  private constructor(parameters: readonly Parameter[]) {
    this.parameters = parameters;
    this.lengths = parameters.map((p) => p.size);
    this.offsets = [];
    let at = 0;
    for (const n of this.lengths) {
      this.offsets.push(at);
      at += Math.ceil(n / ALIGN) * ALIGN;
    }
    this.size = at;
    this.flat = keep(scope(() => noGrad(() => concat(parameters.flatMap((p) => pad(p))).named('arena'))));
    this.#bound = this.flat;
    this.#bind(this.flat);
    for (const p of parameters) laidOut.set(p, this);
  }

  /** The arena of these parameters: the one in which they lie already, or a new one. */
  static of(parameters: readonly Parameter[]): Arena {
    const arena = parameters[0] && laidOut.get(parameters[0]);
    if (
      arena &&
      arena.parameters.length === parameters.length &&
      arena.parameters.every((p, i) => p === parameters[i])
    ) {
      return arena;
    }
    if (parameters.length === 0) throw new Error('optimizer: no parameters given');
    const taken = parameters.find((p) => laidOut.has(p));
    if (taken)
      throw new Error(`optimizer: ${taken.describe()} belongs to another optimizer; give each parameter to one`);
    return new Arena(parameters);
  }

  /** A kept tensor of the arena's size, for moments and averages. */
  like(label: string): Tensor {
    return keep(zeros([this.size]).named(label));
  }

  /** A kept copy of the values. */
  copy(label: string): Tensor {
    return keep(this.flat.clone().named(label));
  }

  /** A kept tensor for each parameter, in its shape, that shares memory with one of the arena's size. */
  windows(values: Tensor): Tensor[] {
    return this.parameters.map((p, i) => {
      const storage = values.device.view(values.storage, this.offsets[i]!, this.lengths[i]!);
      return keep(new Tensor(storage, p.shape, false, values.label));
    });
  }

  /** Counts those who use the arena; `release` by the last one frees it, and the parameters keep their windows. */
  retain(): this {
    this.#users++;
    return this;
  }

  release(): void {
    if (--this.#users > 0) return;
    for (const p of this.parameters) laidOut.delete(p);
    this.flat.dispose();
  }

  /**
   * Runs `fn` with the parameters reading `values` (of the arena's size) instead of their own. `fn` must not be async.
   */
  with<T>(values: Tensor, fn: () => T): T {
    const before = this.#bound;
    this.#bind(values);
    try {
      return refusePromise('with', fn());
    } finally {
      this.#bind(before);
    }
  }

  #bind(values: Tensor): void {
    this.#bound = values;
    this.parameters.forEach((p, i) => {
      p.rebind(values.device.view(values.storage, this.offsets[i]!, this.lengths[i]!));
    });
  }
}

function pad(p: Parameter): Tensor[] {
  const rest = (ALIGN - (p.size % ALIGN)) % ALIGN;
  const flat = p.detach().reshape([p.size]);
  return rest > 0 ? [flat, zeros([rest])] : [flat];
}
