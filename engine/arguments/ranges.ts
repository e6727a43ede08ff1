/**
 * Which values an option may have, and the one way to refuse another.
 * @module
 */
import { shown } from './options.ts';

/** A test of a value, and its words in an error: "must be a number above 0". */
export interface OptionRange {
  /** Whether the value may be had. */
  readonly holds: (value: unknown) => boolean;
  /** What it must be. */
  readonly says: string;
}

const isNumber = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v);

/** A finite number. */
export const finite: OptionRange = { holds: isNumber, says: 'a finite number' };
/** A finite number of at least `least`. */
export const atLeast = (least: number): OptionRange => ({
  holds: (v) => isNumber(v) && v >= least,
  says: `a number, ${least} or more`,
});
/** A finite number that is not negative. */
export const notNegative: OptionRange = atLeast(0);
/** A finite number above 0. */
export const positive: OptionRange = { holds: (v) => isNumber(v) && v > 0, says: 'a number above 0' };
/** A number from 0 to 1. */
export const share: OptionRange = { holds: (v) => isNumber(v) && v >= 0 && v <= 1, says: 'a number from 0 to 1' };
/** A number from 0 to less than 1. */
export const belowOne: OptionRange = {
  holds: (v) => isNumber(v) && v >= 0 && v < 1,
  says: 'a number from 0 to less than 1',
};
/** A boolean: the text 'false' would count as true. */
export const flag: OptionRange = { holds: (v) => typeof v === 'boolean', says: 'true or false' };
/** A whole number from `least` to `most`. */
export const whole = (least: number, most = Infinity): OptionRange => ({
  holds: (v) => Number.isSafeInteger(v) && (v as number) >= least && (v as number) <= most,
  says: most === Infinity ? `a whole number, ${least} or more` : `a whole number from ${least} to ${most}`,
});
/** A whole number of at least 1: a size, or how many. */
export const count: OptionRange = whole(1);
/** A function. */
export const callback: OptionRange = { holds: (v) => typeof v === 'function', says: 'a function' };
/** A text. */
export const text: OptionRange = { holds: (v) => typeof v === 'string', says: 'a string' };
/** The seed of a stream of random numbers. */
export const seed: OptionRange = { holds: whole(0).holds, says: 'a whole number from 0 to 2^53 - 1' };
/** How the losses of elements become one number: their mean, their sum, or not at all. */
export const reduction: OptionRange = {
  holds: (v) => v === 'mean' || v === 'sum' || v === 'none',
  says: "'mean', 'sum' or 'none'",
};
/** A number, which may be infinite but not NaN. */
export const number: OptionRange = { holds: (v) => typeof v === 'number' && !Number.isNaN(v), says: 'a number' };
/** A number for all of n axes, or a list of one for each; or one of some words. Which numbers is for the op to see. */
export const perAxis = (n: number, ...words: readonly string[]): OptionRange => ({
  holds: (v) =>
    number.holds(v) || words.includes(v as string) || (Array.isArray(v) && v.length === n && v.every(number.holds)),
  says: [n > 1 ? `a number or a list of ${n} numbers` : 'a number', ...words.map((w) => `'${w}'`)].join(' or '),
});
/** A number, or a list of them: axes. */
export const numberList: OptionRange = {
  holds: (v) => number.holds(v) || (Array.isArray(v) && v.every(number.holds)),
  says: 'a number or a list of numbers',
};
/** One of some words or numbers. */
export const oneOf = (choices: readonly (string | number)[]): OptionRange => ({
  holds: (v) => (choices as readonly unknown[]).includes(v),
  says: `one of ${choices.join(', ')}`,
});

/** The value, if it lies in the range. @throws RangeError that names the owner, the option and what it must be */
export function checkRange<T>(owner: string, option: string, range: OptionRange, value: T): T {
  if (range.holds(value)) return value;
  throw new RangeError(`${owner}: ${option} must be ${range.says}, not ${brief(shown(value))}`);
}

/** A text that leaves a message readable, whatever it was made of. */
const brief = (text: string): string =>
  text.length <= 120 ? text : `${text.slice(0, 100)}... (${text.length} characters)`;

/** {@link checkRange} for each option of a table. */
export function checkRanges<T extends object>(
  owner: string,
  ranges: { readonly [K in keyof T]-?: OptionRange },
  options: T,
): void {
  for (const name of Object.keys(ranges) as (keyof T & string)[]) checkRange(owner, name, ranges[name], options[name]);
}
