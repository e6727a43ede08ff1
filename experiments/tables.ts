/** Numbers in words, for the tables of the page. */
import { meanAndSpread } from '../gan/metrics/samples.ts';

/** Several values of one quantity, such as those of several seeds. */
export interface MeanSpread {
  readonly mean: number;
  /** The sample standard deviation (n - 1); 0 for a single value. */
  readonly std: number;
  readonly values: readonly number[];
}

/** Mean and spread of one value or more. @throws RangeError without any */
export function meanSpread(values: readonly number[]): MeanSpread {
  if (values.length === 0) throw new RangeError('meanSpread: there are no values');
  const [mean, std] = meanAndSpread(values);
  return { mean, std, values };
}

/** 'mean ± std', in so many digits after the point; times `scale`. */
export const plusMinus = ({ mean, std, values }: MeanSpread, digits: number, scale = 1): string =>
  (mean * scale).toFixed(digits) + (values.length > 1 ? ` ± ${(std * scale).toFixed(digits)}` : '');

/** An object with a value for each key. */
export const recordOf = <K extends string, V>(keys: readonly K[], value: (key: K) => V): Record<K, V> =>
  Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<K, V>;
