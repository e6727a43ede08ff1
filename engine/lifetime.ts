/** Which tensors are alive, and which scope owns each. `scope()` itself is in scope.ts. */

/** What a scope needs to know of the things that it owns. */
export interface Owned {
  owner: Owner | undefined;
  dispose(): void;
}

export interface Owner {
  readonly owned: Set<Owned>;
  readonly parent: Owner | undefined;
  /** The id of the first op that may be recorded in it. */
  readonly firstNode: number;
}

let innermost: Owner | undefined;
let alive = 0;

export const currentOwner = (): Owner | undefined => innermost;

export const setOwner = (owner: Owner | undefined): void => {
  innermost = owner;
};

/** Puts a new tensor under the innermost scope. */
export function born(t: Owned): void {
  alive++;
  adopt(t, innermost);
}

export function died(t: Owned): void {
  alive--;
  adopt(t, undefined);
}

/** Moves a tensor from its scope to another, or out of every scope. */
export function adopt(t: Owned, owner: Owner | undefined): void {
  t.owner?.owned.delete(t);
  t.owner = owner;
  owner?.owned.add(t);
}

/** Tensors alive, on all devices. */
export const tensorsAlive = (): number => alive;
