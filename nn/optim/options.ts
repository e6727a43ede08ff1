/** What the options of optimizers and schedules may be, beyond the ranges of the engine. */
import { Tensor } from '../../engine/index.ts';
import { type OptionRange, shown } from '../../engine/internal.ts';

const inUnit = (v: unknown): boolean => typeof v === 'number' && v >= 0 && v < 1;

/** A pair of decay rates. */
export const decayRates: OptionRange = {
  holds: (v) => Array.isArray(v) && v.length === 2 && v.every(inUnit),
  says: 'two numbers, each from 0 and below 1',
};
/** Numbers of steps in ascending order. */
export const milestones: OptionRange = {
  holds: (v) => Array.isArray(v) && v.every((n, i) => Number.isSafeInteger(n) && n >= (i > 0 ? v[i - 1] : 0)),
  says: 'whole numbers, 0 or more, in ascending order',
};

/** The learning rates of groups. */
export const learningRates: OptionRange = {
  holds: (v) => Array.isArray(v) && v.every((lr) => typeof lr === 'number' && Number.isFinite(lr)),
  says: 'a list of numbers, one for each group',
};

/** Refuses what is no list, such as a model for its parameters. @throws TypeError that says what to write */
export function parameterList(name: string, parameters: unknown): void {
  if (Array.isArray(parameters)) return;
  const remedy = parameters instanceof Tensor ? '[parameter]' : 'model.parameters()';
  throw new TypeError(`${name}: the parameters are a list, as ${remedy}, not ${shown(parameters)}`);
}
