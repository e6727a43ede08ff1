import type { Snapshot } from '../trial/trial.ts';

/** States that are kept: enough for a handle to move smoothly. */
const MOST = 200;

/** The kept states of a trial: evenly spaced, further apart the longer it trains. */
export class History {
  #kept: Snapshot[] = [];
  #every = 1;

  /** The steps to go back to, from the first. */
  get steps(): readonly number[] {
    return this.#kept.map(({ step }) => step);
  }

  /** Whether the state after so many steps is one of those to keep. */
  keeps(step: number): boolean {
    return step % this.#every === 0 && this.#kept.at(-1)?.step !== step;
  }

  /** Keeps a state; every second one goes where there are too many. */
  keep(snapshot: Snapshot): void {
    this.#kept.push(snapshot);
    if (this.#kept.length <= MOST) return;
    this.#every *= 2;
    this.#kept = this.#kept.filter(({ step }) => step % this.#every === 0);
  }

  /** The last state at or before a step, and forgets those after it. */
  back(step: number): Snapshot | undefined {
    const before = this.#kept.filter((kept) => kept.step <= step);
    this.#kept = before.length > 0 ? before : this.#kept.slice(0, 1);
    return this.#kept.at(-1);
  }

  /** Forgets all. */
  clear(): void {
    this.#kept = [];
    this.#every = 1;
  }
}
