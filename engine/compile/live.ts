/** What a step takes from the host and changes there: step numbers, learning rates, places in streams of random numbers. */
import { aFunction, guarded } from '../arguments/arguments.ts';
import { DeviceError } from '../errors.ts';

/** Params of an op that are worked out anew each time a compiled step runs. */
export class Live<P> {
  /** Works the params out for the next run. */
  readonly next: () => P;

  /** Made by {@link live}. @hidden */
  constructor(next: () => P) {
    this.next = next;
  }
}

/**
 * Params that `next` gives now and, in a compiled step, gives again for each run, in the order of the ops.
 * @param next called once for each run of the op
 * @function
 */
export const live = guarded('live', [aFunction('next')], <P>(next: () => P): Live<P> => new Live(next));

/** What a step that is captured finds in `.grad`, and leaves there. Of tensors, which this file does not know: they know it. */
export interface Gradients {
  /** The gradient of tensor x as the step has it; `before` is the one from outside. */
  read(x: object, before: object | undefined): object | undefined;
  /** Puts another in its place. */
  write(x: object, g: object | undefined): void;
}

/** What a compiled step hears of while it is captured, beside its ops. */
export interface Notes {
  /** The step did something to the host that is to be done again for each run. */
  effect(effect: () => void): void;
  /** A new tensor shares the memory of this one. */
  alias(of: object): void;
  /** The step's ops depend on a value that `owner` has on the host, which `read` gives. */
  decision(owner: object, read: () => unknown): void;
  /**
   * The step itself sets that value, so that what it is afterwards does not come from outside.
   * @returns whether each run must set it: not that of a tensor which the step made
   */
  decides(owner: object): boolean;
  readonly gradients: Gradients;
}

let noted: Notes | undefined;

/** Runs `effect` now and, in a compiled step, again for each run: for host state that a step advances. @function */
export const eachRun = guarded('eachRun', [aFunction('effect')], (effect: () => void): void => {
  effect();
  noted?.effect(effect);
});

/**
 * The value that `read` gives, on which the ops of a step depend: a compiled step that asked looks again before each run, and
 * captures anew where the value is another, unless the step itself sets it by {@link noteDecision}.
 * @param owner whose value it is; each has one
 */
export function decided<T>(owner: object, read: () => T): T {
  noted?.decision(owner, read);
  return read();
}

/** Sets the value that {@link decided} gives of `owner`; a step that is compiled does so in each run. */
export function noteDecision(owner: object, set: () => void): void {
  set();
  if (noted?.decides(owner)) noted.effect(set);
}

/** The gradients of the step that is being captured, if one is. */
export const notedGradients = (): Gradients | undefined => noted?.gradients;

/** Says that a tensor which no op made shares the memory of `t`. */
export const noteAlias = (t: object): void => noted?.alias(t);

/** Tells `notes` what `fn` does beside its ops. */
export function takeNotes<T>(notes: Notes, fn: () => T): T {
  const before = noted;
  noted = notes;
  try {
    return fn();
  } finally {
    noted = before;
  }
}

/** @throws DeviceError while a compiled step is captured: for what its later runs could not do */
export function refuseCapture(what: string): void {
  if (noted) throw new DeviceError(`compile: ${what}`);
}

/** Where a parameter, or what holds it, was found last: in which module, array, Map or plain object, and under which key. */
const places = new WeakMap<object, { readonly holder: object; readonly key: string | number }>();

/** What an array, a Map or any other object lists under a key: a class, or a parametrisation, may work a field of that name out. */
function held(holder: object, key: string | number): unknown {
  if (holder instanceof Map) return holder.get(key);
  const isListed = Object.prototype.propertyIsEnumerable.call(holder, key);
  return isListed ? (holder as Record<string | number, unknown>)[key] : undefined;
}

/** Says where a parameter, or what holds it, lies, so that a compiled step notices when another takes its place. */
export function notePlace(part: object, holder: object, key: string | number): void {
  const before = places.get(part);
  if (!before || held(before.holder, before.key) !== part) places.set(part, { holder, key });
}

/** Reads each place that leads to one of the tensors, once, and how much the arrays and Maps among them hold. */
export function placesOf(tensors: Iterable<object>): (() => unknown)[] {
  const reads: (() => unknown)[] = [];
  const seen = new Set<object>();
  for (const t of tensors) {
    let part: object = t;
    for (let at = places.get(part); at && !seen.has(part); at = places.get(part)) {
      const { holder, key } = at;
      if (held(holder, key) !== part) break;
      reads.push(() => held(holder, key));
      if (Array.isArray(holder)) reads.push(() => holder.length);
      if (holder instanceof Map) reads.push(() => holder.size);
      seen.add(part);
      part = holder;
    }
  }
  return reads;
}
