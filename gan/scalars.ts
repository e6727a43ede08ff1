/** Scalars of a step by name, and their way to the host. */
import { concat, ShapeError, type Tensor } from '../engine/index.ts';

/** What a step returns: the names of its scalars, and these in one vector, so that a step is one read. */
export interface Scalars {
  readonly names: readonly string[];
  readonly values: Tensor;
}

/** Lays the scalars of a step into one vector, cut off from the tape. @throws TypeError for none, ShapeError for what is no scalar */
export function inOneVector(given: Readonly<Record<string, Tensor>>): Scalars {
  const scalars = Object.entries(given);
  if (scalars.length === 0) throw new TypeError('train: a step returns scalars by name, and this one returned none');
  const odd = scalars.find(([, value]) => value.size !== 1);
  if (odd) throw new ShapeError(`train: a step returns scalars, and ${odd[0]} is [${odd[1].shape}]; take its mean`);
  const values = concat(scalars.map(([, value]) => value.detach().reshape([1])));
  return { names: scalars.map(([name]) => name), values };
}

/** The numbers of scalars by name, as they were read. */
export const byName = (names: readonly string[], numbers: ArrayLike<number>): Record<string, number> =>
  Object.fromEntries(names.map((name, i) => [name, numbers[i]!]));
