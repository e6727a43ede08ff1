/** Values of several runs: how they come about one after the other, and how they stand in the tables of the page. */
import { meanAndSpread } from '../gan/metrics/samples.ts';
import { largest, mean, smallest } from './critics.ts';
import { fixed } from './markdown.ts';

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

/** What work on each item of a list makes, one after the other: a device does one thing at a time. */
export async function inTurn<K, V>(items: readonly K[], work: (item: K) => Promise<V>): Promise<V[]> {
  const made: V[] = [];
  for (const item of items) made.push(await work(item));
  return made;
}

/** An object with what work on each key makes, one after the other. */
export async function recordInTurn<K extends string, V>(
  keys: readonly K[],
  work: (key: K) => Promise<V>,
): Promise<Record<K, V>> {
  const made = await inTurn(keys, work);
  return recordOf(keys, (key) => made[keys.indexOf(key)]!);
}

/** 'mean (least to largest)', in so many digits after the point. */
export const meanAndEnds = (values: readonly number[], digits = 3): string =>
  `${fixed(mean(values), digits)} (${fixed(smallest(values), digits)} to ${fixed(largest(values), digits)})`;
