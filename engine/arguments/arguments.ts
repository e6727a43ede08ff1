/**
 * What public functions are given: how many arguments, and of which kind. TypeScript asks that of those who use it; plain
 * JavaScript would drop an argument too many in silence, and compute with NaN or fail far away for one of another kind.
 * Kinds that are tensors: kinds.ts.
 * @module
 */
import { ShapeError } from '../errors.ts';
import { checked, numberIn, shown } from './options.ts';
import { checkRange, type OptionRange } from './ranges.ts';

/** What one argument may be. `T` is its type for TypeScript. */
export interface Kind<T> {
  /** The parameter's name, for messages. */
  readonly name: string;
  /** Whether it may be left out, or undefined. */
  readonly optional: boolean;
  /** Whether it stands for all arguments from its place on. */
  readonly rest: boolean;
  readonly holds: (value: unknown) => boolean;
  /** Throws what a value that does not hold deserves. */
  readonly refuse: (called: string, value: unknown, args: readonly unknown[], place: number) => void;
  /** Never set. */
  readonly type?: T;
}

type Values<K extends readonly Kind<unknown>[]> = { [I in keyof K]: K[I] extends Kind<infer T> ? T : never };

/** How to write a call, given the number that a wrong value was meant to say, as in `{ dim: 1 }`. */
type Example = (called: string, meant: number | undefined, args: readonly unknown[]) => string | undefined;

/** A kind by its test and its words. */
export function kind<T>(name: string, says: string, holds: (value: unknown) => boolean, example?: Example): Kind<T> {
  return {
    name,
    optional: false,
    rest: false,
    holds,
    refuse: (called, value, args, place) => {
      const as = place < 2 ? example?.(called, numberIn(value), args) : undefined;
      throw new TypeError(`${called}: ${name} must be ${says}${as ? `, as in ${as}` : ''}, not ${shown(value)}`);
    },
  };
}

/** The same, or left out. */
export const maybe = <T>(k: Kind<T>): Kind<T | undefined> => ({ ...k, optional: true });

/** The same, and not to be left out: for options without which there is nothing to do. */
export const needed = <T>(k: Kind<T>): Kind<T> => ({ ...k, optional: false });

/** Any number of arguments of a kind, the last ones. */
export const rest = <T>(k: Kind<T>): Kind<T> => ({ ...k, rest: true });

const inBraces: Example = (called, meant) => (meant === undefined ? undefined : `x.${called}(${meant})`);

/** A number, not NaN. */
export const aNumber = (name: string): Kind<number> =>
  kind(name, 'a number', (v) => typeof v === 'number' && !Number.isNaN(v), inBraces);

/** A number or null, which stands for none. */
export const aBound = (name: string): Kind<number | null> =>
  kind(name, 'a number, or null for none', (v) => v === null || (typeof v === 'number' && !Number.isNaN(v)));

/** Any number, NaN too: a value to compute with. */
export const aValue = (name: string): Kind<number> => kind(name, 'a number', (v) => typeof v === 'number', inBraces);

/**
 * A shape, of which it is for the function to see that its sizes are whole numbers. Of `zeros(2, 3)` the brackets are missing;
 * `more` arguments behind the shape are not sizes.
 */
export const shapeBefore = (more: number): Kind<readonly number[]> => ({
  ...kind<readonly number[]>('the shape', 'a list', Array.isArray),
  refuse: (called, value, args, place) => {
    const sizes = args.slice(place, args.length - more);
    const remedy = sizes.every((v) => typeof v === 'number')
      ? `: ${place > 0 ? 'x.' : ''}${called}([${sizes.join(', ')}]`
      : '';
    const rest =
      remedy &&
      args
        .slice(args.length - more)
        .map((v) => `, ${shown(v)}`)
        .join('');
    throw new TypeError(
      `${called}: the shape must be a list such as [2, 3], not ${shown(value)}${remedy}${rest}${remedy && ')'}`,
    );
  },
});

/** A shape, the last of the arguments but for options. */
export const aShape: Kind<readonly number[]> = shapeBefore(0);

/** A list of anything, written as in `example`; for lists of numbers see `numbers`. */
export const aList = <T>(name: string, example: string): Kind<readonly T[]> =>
  kind(name, `a list such as ${example}`, Array.isArray);

const areNumbers = (v: unknown): boolean => Array.isArray(v) && v.every((n) => typeof n === 'number');

/** A list of numbers, written as in `example`. */
export const numbers = (name: string, example: string): Kind<readonly number[]> =>
  kind(name, `a list of numbers such as ${example}`, areNumbers);

/** A list of n numbers. */
export const numbersOf = <T extends readonly number[]>(name: string, n: number): Kind<T> =>
  kind(name, `a list of ${n} numbers`, (v) => areNumbers(v) && (v as unknown[]).length === n);

/** A number, or a list of numbers as `example`. */
export const numberOrList = <T extends number | readonly number[] = number | readonly number[]>(
  name: string,
  example: string,
): Kind<T> =>
  kind(name, `a number or a list of numbers such as ${example}`, (v) => typeof v === 'number' || areNumbers(v));

/** Axes of the first argument, all if left out. */
export const axes: Kind<number | readonly number[] | undefined> = maybe(
  kind(
    'axes',
    'a number or a list of numbers',
    (v) => typeof v === 'number' || areNumbers(v),
    (called, meant) => `x.${called}([${meant ?? 0}])`,
  ),
);

/** An axis of the first argument. */
export const axis: Kind<number> = kind(
  'axis',
  'a number',
  (v) => typeof v === 'number',
  (called, meant) => `x.${called}(${meant ?? 0})`,
);

/** A function. */
export const aFunction = (name: string): Kind<never> => kind(name, 'a function', (v) => typeof v === 'function');

/** Anything, of which the function sees itself what it is. */
export const something = (name: string): Kind<never> => kind(name, 'something', () => true);

/** A text. */
export const aString = (name: string): Kind<string> => kind(name, 'a string', (v) => typeof v === 'string');

/** One of the values of a range. */
export const within = <T>(name: string, range: OptionRange): Kind<T> => ({
  ...kind<T>(name, range.says, range.holds),
  refuse: (called, value) => checkOption(called, name, range, value),
});

/**
 * Options: an object with no other names than these, each undefined or within its range. The first name is the one that the
 * message shows to those who leave the braces out.
 */
export function options<T extends object>(
  ranges: { readonly [K in keyof T]-?: OptionRange },
  name = 'options',
): Kind<T> & { readonly names: readonly (keyof T & string)[] } {
  const names = Object.keys(ranges) as (keyof T & string)[];
  return {
    name,
    names,
    optional: true,
    rest: false,
    holds: (v) => {
      if (typeof v !== 'object' || v === null || Array.isArray(v)) return false;
      let any = Object.getPrototypeOf(v) === Object.prototype;
      for (const key in v) {
        any = true;
        const range = Object.hasOwn(ranges, key) ? ranges[key as unknown as keyof T] : undefined;
        const value = (v as Record<string, unknown>)[key];
        if (!range || (value !== undefined && !range.holds(value))) return false;
      }
      return any; // what has no names of its own, such as a Map, is left to refuse
    },
    refuse: (called, value) => {
      const given = checked(called, value as T, names);
      for (const key of names) if (given[key] !== undefined) checkOption(called, key, ranges[key], given[key]);
    },
  };
}

/** A number out of a range of numbers is a RangeError, and what is of another type a TypeError. */
function checkOption(called: string, option: string, range: OptionRange, value: unknown): void {
  if (range.holds(value)) return;
  if (typeof value === 'number' && [0, 0.5, 1, 2].some(range.holds)) checkRange(called, option, range, value);
  throw new TypeError(`${called}: ${option} must be ${range.says}, not ${shown(value)}`);
}

/** `clamp(x, min?, max?)`: how a function is called. */
const usage = (called: string, kinds: readonly Kind<unknown>[]): string => {
  const words = kinds.map(({ name, optional, rest: all }) => {
    const word = name.replace(/^the /, '');
    return all ? `...${word}` : optional ? `${word}?` : word;
  });
  return `${called}(${words.join(', ')})`;
};

/**
 * Whether the arguments too many are those that a list's own loops add, the place and the list: `list.map(relu)`,
 * `list.reduce(add)`. They say nothing of the call, and a function with a place for the first of them is still refused the second.
 */
function isOfLoop(taken: number, args: ArrayLike<unknown>): boolean {
  const [value, at, list] = Array.from(args).slice(taken - 1);
  return (
    taken > 0 &&
    args.length === taken + 2 &&
    Array.isArray(list) &&
    Number.isSafeInteger(at) &&
    list[at as number] === value
  );
}

/** @throws TypeError, or RangeError, that names the function unless the arguments are as many as there are kinds, and of them */
export function checkArguments(called: string, kinds: readonly Kind<unknown>[], args: ArrayLike<unknown>): void {
  const last = kinds[kinds.length - 1];
  for (let i = 0; i < kinds.length || (last?.rest && i < args.length); i++) {
    const k = kinds[i] ?? last!;
    const value = args[i];
    if (k.holds(value) || (value === undefined && (k.optional || (k.rest && i >= args.length)))) continue;
    if (i >= args.length)
      throw new TypeError(`${called}: ${k.name} not given: it is called as ${usage(called, kinds)}`);
    k.refuse(called, value, Array.from(args), i);
  }
  if (args.length > kinds.length && isOfLoop(kinds.length, args)) return;
  for (let i = kinds.length; i < args.length && !last?.rest; i++) {
    if (args[i] === undefined) continue;
    throw new TypeError(`${called}: too many arguments: ${usage(called, kinds)} has no place for ${shown(args[i])}`);
  }
}

/** Of what is called, before its name is known to be one: functions whose parameters have the types of kinds. */
type Callable<K extends readonly Kind<unknown>[]> = (...args: Values<K>) => unknown;

/**
 * `f` under a name, with its arguments checked: for functions that call those of the user, whose errors have names of their own.
 */
export function guarded<const K extends readonly Kind<unknown>[], F extends Callable<K>>(
  name: string,
  kinds: K,
  f: F,
): F {
  if (isAsync(f)) return later(name, kinds, f) as F;
  const called = function (this: unknown, ...args: Parameters<F>) {
    checkArguments(name, kinds, args);
    return f.apply(this, args as never);
  };
  return under(name, called) as F;
}

const declared = new WeakMap<object, readonly Kind<unknown>[]>();

/** The kinds of arguments with which an op was declared. */
export const kindsOf = (f: object): readonly Kind<unknown>[] => declared.get(f) ?? [];

const isAsync = (f: object): boolean => f.constructor.name === 'AsyncFunction';

/** An async function rejects arguments that are not of their kinds. */
function later(name: string, kinds: readonly Kind<unknown>[], f: (...args: never[]) => unknown): typeof f {
  return under(name, async function (this: unknown, ...args: unknown[]) {
    checkArguments(name, kinds, args);
    return f.apply(this, args as never);
  });
}

/**
 * An op that may be called in several ways: `kindsOf` says which kinds the arguments should be of, by how many there are or
 * what they are.
 */
export const overloaded = <F extends (...args: never[]) => unknown>(
  name: string,
  kindsOf: (args: readonly unknown[]) => readonly Kind<unknown>[],
  f: F,
): F =>
  op(name, [rest(something('arguments'))], (...args: never[]) => {
    checkArguments(name, kindsOf(args), args);
    return f(...args);
  }) as unknown as F;

let outermost: string | undefined;

/**
 * `f` as an op: with its arguments checked, and its errors under its own name also where another op that it is made of throws
 * them. Inside of an op nothing is checked again. `f` must not call functions of the user.
 */
export function op<const K extends readonly Kind<unknown>[], F extends Callable<K>>(name: string, kinds: K, f: F): F {
  const called = function (this: unknown, ...args: Parameters<F>) {
    if (outermost !== undefined) return f.apply(this, args as never);
    checkArguments(name, kinds, args);
    outermost = name;
    try {
      return f.apply(this, args as never);
    } catch (error) {
      throw renamed(error, name);
    } finally {
      outermost = undefined;
    }
  };
  declared.set(called, kinds);
  return under(name, called) as F;
}

/** The op that the user called, or `name`, of the one at work, if that is it. */
export const calledAs = (name: string): string => outermost ?? name;

const PREFIX = /^[A-Za-z]\w*(?=: )/;

/** An error about arguments begins with the name of the function that they were given to. */
function renamed(error: unknown, name: string): unknown {
  if (error instanceof TypeError || error instanceof RangeError || error instanceof ShapeError) {
    const { message, stack } = error;
    error.message = message.replace(PREFIX, name);
    // Where it begins with the message, the stack was written with the old one.
    if (stack && error.message !== message) error.stack = stack.replace(message, error.message);
  }
  return error;
}

function under<F extends (...args: never[]) => unknown>(name: string, f: F): F {
  return Object.defineProperty(f, 'name', { value: name });
}

/** Makes ops of methods of a class, by their names and the kinds of their arguments; an async one rejects what is not of a kind. */
export function guardMethods<C extends object>(
  owner: { readonly prototype: C },
  kinds: { readonly [M in Exclude<keyof C, 'toString'>]?: readonly Kind<unknown>[] },
): void {
  for (const name of Object.keys(kinds) as (keyof typeof kinds & string)[]) {
    const { value, ...rest } = Object.getOwnPropertyDescriptor(owner.prototype, name) as PropertyDescriptor;
    const make = isAsync(value as object) ? guarded : op;
    Object.defineProperty(owner.prototype, name, { ...rest, value: make(name, kinds[name]!, value as Callable<[]>) });
  }
}
