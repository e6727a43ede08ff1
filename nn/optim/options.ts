import { shown, Tensor } from '../../engine/index.ts';
/** Which values the options of optimizers and schedules may have. */

/** A test of a value, and its words in an error. */
export interface Range {
  readonly holds: (v: unknown) => boolean;
  readonly says: string;
}

const isNumber = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v);
const inUnit = (v: unknown): boolean => isNumber(v) && v >= 0 && v < 1;

/** A finite number. */
export const finite: Range = { holds: isNumber, says: 'a finite number' };
/** A finite number that is not negative. */
export const notNegative: Range = { holds: (v) => isNumber(v) && v >= 0, says: 'a number, 0 or more' };
/** A finite number above 0. */
export const positive: Range = { holds: (v) => isNumber(v) && v > 0, says: 'a number above 0' };
/** A number from 0 to 1. */
export const share: Range = { holds: (v) => isNumber(v) && v >= 0 && v <= 1, says: 'a number from 0 to 1' };
/** A pair of decay rates. */
export const decayRates: Range = {
  holds: (v) => Array.isArray(v) && v.length === 2 && v.every(inUnit),
  says: 'two numbers, each from 0 and below 1',
};
/** A boolean. */
export const flag: Range = { holds: (v) => typeof v === 'boolean', says: 'true or false' };
/** A whole number of steps. */
export const count: Range = {
  holds: (v) => Number.isSafeInteger(v) && (v as number) > 0,
  says: 'a whole number above 0',
};
/** Numbers of steps in ascending order. */
export const milestones: Range = {
  holds: (v) => Array.isArray(v) && v.every((n, i) => Number.isSafeInteger(n) && n >= (i > 0 ? v[i - 1] : 0)),
  says: 'whole numbers, 0 or more, in ascending order',
};

/** @throws RangeError that names the owner, the option and what it must be */
export function checkRange(owner: string, option: string, range: Range, value: unknown): void {
  if (range.holds(value)) return;
  const shown = typeof value === 'number' ? String(value) : JSON.stringify(value);
  throw new RangeError(`${owner}: ${option} must be ${range.says}, not ${shown}`);
}

/** `checkRange` for each option of a table. */
export function checkRanges<T extends object>(owner: string, ranges: { readonly [K in keyof T]-?: Range }, o: T): void {
  for (const name of Object.keys(ranges) as (keyof T & string)[]) checkRange(owner, name, ranges[name], o[name]);
}

/** Refuses what is no list, such as a model for its parameters. @throws TypeError that says what to write */
export function parameterList(name: string, parameters: unknown): void {
  if (Array.isArray(parameters)) return;
  const remedy = parameters instanceof Tensor ? '[parameter]' : 'model.parameters()';
  throw new TypeError(`${name}: the parameters are a list, as ${remedy}, not ${shown(parameters)}`);
}
