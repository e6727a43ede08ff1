/** What a step takes from the host and changes there: step numbers, learning rates, places in streams of random numbers. */
import { DeviceError } from './errors.ts';
import type { Tensor } from './tensor.ts';

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
 */
export const live = <P>(next: () => P): Live<P> => new Live(next);

/** What a compiled step hears of while it is recorded, beside its ops. */
export interface Notes {
  /** The step did something to the host that is to be done again for each run. */
  effect(effect: () => void): void;
  /** A new tensor shares the memory of this one. */
  alias(of: Tensor): void;
}

let noted: Notes | undefined;

/** Runs `effect` now and, in a compiled step, again for each run: for host state that a step advances. */
export function eachRun(effect: () => void): void {
  effect();
  noted?.effect(effect);
}

/** Says that a tensor which no op made shares the memory of `t`. */
export const noteAlias = (t: Tensor): void => noted?.alias(t);

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

/** @throws DeviceError while a compiled step is recorded: for what its later runs could not do */
export function refuseRecording(what: string): void {
  if (noted) throw new DeviceError(`compile: ${what}`);
}
