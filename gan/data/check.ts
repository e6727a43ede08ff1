import { shown } from '../../engine/index.ts';

/** `value`, if it is a finite number above 0. @throws RangeError that names the option */
export function positive(op: string, name: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value;
  throw new RangeError(`${op}: ${name} must be a number above 0, not ${shown(value)}`);
}

/** `value`, if it is a finite number of 0 or more. @throws RangeError that names the option */
export function notNegative(op: string, name: string, value: number): number {
  if (Number.isFinite(value) && value >= 0) return value;
  throw new RangeError(`${op}: ${name} must be a number of 0 or more, not ${shown(value)}`);
}

/** `value`, if it is a finite number. @throws RangeError that names the option */
export function finite(op: string, name: string, value: number): number {
  if (Number.isFinite(value)) return value;
  throw new RangeError(`${op}: ${name} must be a finite number, not ${shown(value)}`);
}

/** `value`, if it is a whole number of at least `least`. @throws RangeError that names the option */
export function wholeNumber(op: string, name: string, value: number, least = 1): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new RangeError(`${op}: ${name} must be a whole number of at least ${least}, not ${shown(value)}`);
}

/** `value`, if it is one of `choices`. @throws RangeError that names the option and the choices */
export function oneOf<T extends string>(op: string, name: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value;
  throw new RangeError(`${op}: ${name} must be one of ${choices.join(', ')}, not ${shown(value)}`);
}
