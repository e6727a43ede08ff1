/** What modules and optimizers share in saving and restoring their state. */
import { copyFrom, noGrad, type Shape, Tensor } from '../../engine/index.ts';
import { shown } from '../../engine/internal.ts';
import { toNumbers } from '../io/dtypes.ts';
import { missingFrom } from '../io/foreign.ts';
import { prefixHint } from '../io/prefixes.ts';

/** Values for a parameter or buffer: another tensor, or numbers, row-major, with their shape. */
export type StateValue = Tensor | StateNumbers;

/** Numbers with their shape. */
export interface StateNumbers {
  /** The sizes of the axes. */
  readonly shape: Shape;
  /** The numbers, row-major. */
  readonly data: ArrayLike<number> | ArrayLike<bigint>;
}

/** How a saved state differs from that of its owner. */
export interface StateDifferences {
  readonly missing: string[];
  readonly unexpected: string[];
  /** A sentence for each value of another kind or shape. */
  readonly problems: string[];
}

/** @throws TypeError for what is no state by name, such as a plain object or a whole file */
export function stateMap(owner: string, values: unknown): void {
  if (values instanceof Map) return;
  throw new TypeError(
    `${owner === '' ? '' : `${owner}: `}loadStateDict: the values are a Map by name, as stateDict() gives it, not ${shown(values)}; of a file, \`(await loadSafetensors(path)).tensors\``,
  );
}

const isValue = (given: unknown): given is StateValue => {
  if (given instanceof Tensor) return true;
  const { shape, data } = (given ?? {}) as { readonly shape?: unknown; readonly data?: { readonly length?: unknown } };
  return Array.isArray(shape) && typeof data?.length === 'number';
};

/** Compares what an owner has, by name, with what was saved. */
export function compareState(
  own: ReadonlyMap<string, Tensor | number>,
  values: ReadonlyMap<string, StateValue | number>,
): StateDifferences {
  const missing = [...own.keys()].filter((name) => !values.has(name));
  const unexpected = [...values.keys()].filter((name) => !own.has(name));
  const problems: string[] = [];
  for (const [name, mine] of own) {
    const given = values.get(name);
    if (given === undefined) continue;
    if (typeof mine === 'number' || typeof given === 'number') {
      if (typeof mine !== typeof given) {
        problems.push(`${name} is a ${typeof given === 'number' ? 'number' : 'tensor'}, and should not be one`);
      }
    } else if (!isValue(given)) {
      problems.push(`${name} is ${shown(given)}; give a tensor, or { shape, data }`);
    } else if (given.shape.join() !== mine.shape.join()) {
      problems.push(`${name} is [${given.shape}], not [${mine.shape}]`);
    }
  }
  return { missing, unexpected, problems };
}

/**
 * Throws unless all is there, nothing more, and of the right shapes.
 * @param values what was saved, which may know why a tensor is missing
 * @throws Error naming everything that is wrong
 */
export function refuseDifferences({ missing, unexpected, problems }: StateDifferences, values: object): void {
  const all = [
    ...problems,
    ...missing.map((n) => missingFrom(values, n)),
    ...unexpected.map((n) => `${n} is unexpected`),
  ];
  if (all.length === 0) return;
  const hint = prefixHint(
    unexpected,
    missing.map((n) => [n]),
    (p) => `take it off, as in new Map([...values].map(([name, t]) => [name.replace('${p}', ''), t]))`,
  );
  throw new Error(`loadStateDict: ${all.join('; ')}${hint && `.${hint}`}`);
}

/**
 * What overwrites t in place, checked already: so that all values of a state are looked at before the first is written.
 * @throws Error for a tensor on another device, or numbers that do not fill the shape
 */
export function overwriting(name: string, t: Tensor, given: StateValue): () => void {
  if (!(given instanceof Tensor)) {
    if (given.data.length !== t.size) {
      throw new Error(`loadStateDict: ${name} [${t.shape}] takes ${t.size} numbers, not ${given.data.length}`);
    }
    const numbers = toNumbers(given.data);
    return () => void t.assign(numbers);
  }
  if (given.device !== t.device) throw new Error(`loadStateDict: ${name} lives on ${given.device.name}; read it first`);
  return () => void noGrad(() => copyFrom(t, given));
}
