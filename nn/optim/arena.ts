import { concat, full, keep, noGrad, type Shape, scope, Tensor, withDevice, zeros } from '../../engine/index.ts';
import type { Parameter } from '../module/parameter.ts';

/** Elements between the starts of parameters: WebGPU binds a window of a buffer at multiples of 256 bytes. */
const ALIGN = 64;

/** Where parameters lie when they are put one behind another in a flat tensor, each in a slot of whole windows. */
export class Layout {
  readonly parameters: readonly Parameter[];
  /** Elements of each parameter, and where it starts. */
  readonly lengths: readonly number[];
  readonly offsets: readonly number[];
  /** Elements of a flat tensor, slots' ends included. */
  readonly size: number;

  constructor(parameters: readonly Parameter[]) {
    this.parameters = parameters;
    this.lengths = parameters.map((p) => p.size);
    const offsets: number[] = [];
    let at = 0;
    for (const n of this.lengths) {
      offsets.push(at);
      at += Math.ceil(n / ALIGN) * ALIGN;
    }
    this.offsets = offsets;
    this.size = at;
  }

  /** A kept flat tensor of the parameters' values. */
  gather(label: string): Tensor {
    return this.onDevice(() => keep(scope(() => noGrad(() => concat(this.parameters.flatMap(padded)).named(label)))));
  }

  /** A kept flat tensor of one value. */
  filled(value: number, label: string): Tensor {
    return this.onDevice(() => keep(full([this.size], value).named(label)));
  }

  /** The memory of parameter k in a flat tensor. */
  window(flat: Tensor, k: number): Tensor['storage'] {
    return flat.device.view(flat.storage, this.offsets[k]!, this.lengths[k]!);
  }

  /** A kept tensor for each parameter, in its shape, that shares memory with a flat one. */
  windows(flat: Tensor, label: string): Tensor[] {
    const of = (p: Parameter) => (p.label ? `${label} of ${p.label}` : label);
    return this.parameters.map((p, k) => keep(new Tensor(this.window(flat, k), p.shape as Shape, false, of(p))));
  }

  private onDevice<T>(fn: () => T): T {
    return withDevice(this.parameters[0]!.device, fn);
  }
}

function padded(p: Parameter): Tensor[] {
  const rest = (ALIGN - (p.size % ALIGN)) % ALIGN;
  const flat = p.detach().reshape([p.size]);
  return rest > 0 ? [flat, zeros([rest])] : [flat];
}

const laidOut = new WeakMap<Parameter, Arena>();
/** Parameters that hold other values for the length of a call. */
export const lent = new WeakSet<Parameter>();

/** One flat tensor behind all parameters of a group, so that one launch updates them all. */
export class Arena extends Layout {
  /** The values: each parameter is a window of it. */
  readonly flat: Tensor;
  private users = 0;

  /** Moves the parameters into a new arena. */
  private constructor(parameters: readonly Parameter[]) {
    super(parameters);
    const away = parameters.find((p) => lent.has(p));
    if (away) {
      throw new Error(
        `${away.describe()} stands for its average just now (EMA.apply); make the optimizer outside of it`,
      );
    }
    this.flat = this.gather('arena');
    parameters.forEach((p, k) => {
      p.rebind(this.window(this.flat, k));
    });
    for (const p of parameters) laidOut.set(p, this);
  }

  /** The arena of exactly these parameters, if they lie in one. @throws Error if one lies elsewhere, with others */
  static find(parameters: readonly Parameter[], who: string): Arena | undefined {
    const arena = parameters[0] && laidOut.get(parameters[0]);
    if (arena?.isOf(parameters)) return arena;
    if (parameters.length === 0) throw new Error(`${who}: no parameters given`);
    const taken = parameters.find((p) => laidOut.has(p));
    if (taken) throw new Error(`${who}: ${taken.describe()} belongs to another optimizer; give each parameter to one`);
    return undefined;
  }

  /** The arena of these parameters: the one in which they lie already, or a new one. @throws as `find` */
  static of(parameters: readonly Parameter[], who: string): Arena {
    return Arena.find(parameters, who) ?? new Arena([...parameters]);
  }

  /** The arena in which the parameter's values lie, if they do and are not lent others for now. */
  static holding(p: Parameter): Arena | undefined {
    const arena = laidOut.get(p);
    return arena && p.storage.buffer === arena.flat.storage.buffer ? arena : undefined;
  }

  /** Whether these are its parameters, in its order. */
  isOf(parameters: readonly Parameter[]): boolean {
    return this.parameters.length === parameters.length && this.parameters.every((p, k) => p === parameters[k]);
  }

  /** Counts those who use the arena; `release` by the last one frees it, and the parameters keep their windows. */
  retain(): this {
    this.users++;
    return this;
  }

  release(): void {
    if (--this.users > 0) return;
    for (const p of this.parameters) laidOut.delete(p);
    this.flat.dispose();
  }
}
