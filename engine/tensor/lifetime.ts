/** Which tensors are alive, and which scope owns each. `scope()` itself is in scope.ts. */

/** What a scope needs to know of the things that it owns. */
export interface Owned {
  owner: Owner | undefined;
  /** The census of the device on which it lives. */
  readonly census: Census;
  dispose(): void;
}

export interface Owner {
  readonly owned: Pick<Set<Owned>, 'add' | 'delete'>;
  readonly parent: Owner | undefined;
  /** The id of the first op that may be recorded in it. */
  readonly firstNode: number;
}

/** Tensors outside every scope at which growth is looked at for the first time; then at twice as many, and so on. */
const FIRST_LOOK = 2 ** 14;

/** Counts the tensors of a device. */
export class Census {
  /** Tensors alive. */
  alive = 0;
  /** How many tensors no scope will free that were not kept. */
  #loose = 0;
  #next: number;
  #freed = 0;

  /** @param warns whether to warn of a loop without `scope`: where garbage is not collected */
  constructor(warns: boolean) {
    this.#next = warns ? FIRST_LOOK : Number.POSITIVE_INFINITY;
  }

  loosened(): void {
    if (++this.#loose >= this.#next) this.#look();
  }

  held(): void {
    this.#loose--;
    this.#freed++;
  }

  /** A loop that holds on to all that it makes doubles the number, and frees next to nothing meanwhile. */
  #look(): void {
    const [doubled, freed] = [this.#next > FIRST_LOOK, this.#freed];
    this.#next *= 2;
    this.#freed = 0;
    if (!doubled || freed > this.#loose / 20) return;
    this.#next = Number.POSITIVE_INFINITY;
    console.warn(
      `wgrad: ${this.#loose} tensors are alive outside every scope, twice as many as some steps ago: a loop holds on to all that it makes, until memory is full. Put each step into scope(() => { ... }). What is to stay is not counted once it is kept: keep(t)`,
    );
  }
}

let innermost: Owner | undefined;

/** The owner of what was kept: it frees nothing, and holds on to nothing. */
export const KEPT: Owner = { owned: { add: () => new Set(), delete: () => false }, parent: undefined, firstNode: 0 };

export const currentOwner = (): Owner | undefined => innermost;

export const setOwner = (owner: Owner | undefined): void => {
  innermost = owner;
};

/** Puts a new tensor under the innermost scope. */
export function born(t: Owned): void {
  t.census.alive++;
  t.owner = innermost;
  if (innermost) innermost.owned.add(t);
  else t.census.loosened();
}

/** Notes that a tensor died. It must still have its memory. */
export function died(t: Owned): void {
  t.census.alive--;
  if (t.owner) t.owner.owned.delete(t);
  else t.census.held();
  t.owner = undefined;
}

/** Moves a tensor from its scope to another, or out of every scope. */
export function adopt(t: Owned, owner: Owner | undefined): void {
  if (t.owner) t.owner.owned.delete(t);
  else t.census.held();
  t.owner = owner;
  if (owner) owner.owned.add(t);
  else t.census.loosened();
}
