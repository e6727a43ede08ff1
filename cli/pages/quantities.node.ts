import type { Row } from '../../gan/row.ts';
import { runPanels } from './runPanels.ts';

/** A quantity of a run's log, or several that share an axis. */
export interface Quantity {
  readonly title: string;
  /** Label of its axis, with the unit. */
  readonly axis: string;
  readonly curves: readonly { readonly key: string; readonly label: string }[];
}

/** Columns that say where, not what. */
const PLACES = ['step', 'seconds', 'epoch'];

/** `slicedWasserstein` as `sliced Wasserstein`, `criticLoss` as `critic loss`. */
export const words = (key: string): string =>
  key
    .replace(/([a-z\d])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`)
    .replace(/wasserstein/g, 'Wasserstein');

/** The quantities of a training log: those that every run has first, then each further column with a number by itself. */
export function quantitiesOf(rows: readonly Row[]): Quantity[] {
  const columns = numbersOf(rows);
  const known = runPanels.filter(({ curves }) => curves.some(({ key }) => columns.includes(key)));
  const named = new Set(runPanels.flatMap(({ curves }) => curves.map(({ key }) => key)));
  const others = columns.filter((key) => !named.has(key) && !PLACES.includes(key));
  return [
    ...known,
    ...others.map((key) => ({ title: capital(words(key)), axis: words(key), curves: [{ key, label: words(key) }] })),
  ];
}

/** The columns of a log in which some row has a number. */
export const numbersOf = (rows: readonly Row[]): string[] => [
  ...new Set(rows.flatMap((row) => Object.keys(row).filter((key) => typeof row[key] === 'number'))),
];

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Real samples that the critic learns from in a step of a run of this configuration; undefined where that does not say. */
export function imagesPerStep({
  batch,
  criticSteps,
  accumulate,
}: Readonly<Record<string, unknown>>): number | undefined {
  return typeof batch === 'number' ? batch * (Number(criticSteps) || 1) * (Number(accumulate) || 1) : undefined;
}

/** Steps in a second between the rows of a timing log, and what else it says, under the steps. */
export function rates(timing: readonly Row[]): Row[] {
  return timing.map((row, i) => {
    const before = timing[i - 1];
    const steps = Number(row.step) - Number(before?.step);
    const seconds = Number(row.seconds) - Number(before?.seconds);
    // Steps and seconds that were lost with a killed run come again.
    return { ...row, stepsPerSecond: steps > 0 && seconds > 0 ? steps / seconds : null };
  });
}

/** Seconds of training at a step, by the timing log; undefined before its first row and after its last. */
export function secondsAt(timing: readonly Row[]): (step: number) => number | undefined {
  const marks = timing
    .flatMap(({ step, seconds }) =>
      typeof step === 'number' && typeof seconds === 'number' ? [[step, seconds] as const] : [],
    )
    .sort(([a], [b]) => a - b);
  return (step) => {
    let [low, high] = [0, marks.length - 1];
    if (high < 0 || step < marks[0]![0] || step > marks[high]![0]) return undefined;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (marks[middle]![0] <= step) low = middle;
      else high = middle;
    }
    const [[a, from], [b, to]] = [marks[low]!, marks[high]!];
    return b > a ? from + ((to - from) * (step - a)) / (b - a) : from;
  };
}
