import { largest } from './extremes.ts';
import type { StepRow } from './train.ts';

/** Training has gone where it does not come back from. The weights of the last checkpoint are from before. */
export class DivergenceError extends Error {
  /** 'DivergenceError'. */
  override name = 'DivergenceError';
  /** The step at which it was noticed. */
  readonly step: number;

  /** Words the message. @param cause what happened @param remedy what to try */
  constructor(step: number, cause: string, remedy: string) {
    super(`training diverged at step ${step}: ${cause}; ${remedy}`);
    this.step = step;
  }
}

/** Losses beyond this are on their way to infinity. */
const LARGEST = 1e8;
/** Steps in a row that a critic may say the same of every sample: at the start some do, until their first updates. */
const PATIENCE = 100;
/** The spread of outputs, relative to the largest loss, that rounding alone may make. */
const ROUNDING = 1e-7;

/** Columns that are minimised. */
const isLoss = (name: string): boolean => /(^l|L)oss$/.test(name);

/** `criticLoss` as "the critic's loss", `cycle` as "cycle". */
const wordsOf = (name: string): string => name.replace(/^(\w+)Loss$/, "the $1's loss");

/**
 * Watches a training's rows for the ways in which it can end: columns that are no numbers, losses that grow without end, and a critic whose
 * outputs no longer depend on the sample, so that the generator learns nothing any more.
 * @returns what to call with each row, in order; it throws {@link DivergenceError}
 */
export function createWatch(): (row: StepRow) => void {
  let silent = 0;
  return (row) => {
    const { step = 0, spread, ...values } = row;
    const rates = 'lower the learning rates, or try another seed';
    for (const [name, value] of Object.entries(values)) {
      if (Number.isNaN(value)) throw new DivergenceError(step, `${wordsOf(name)} is not a number`, rates);
      if (!isLoss(name) || Math.abs(value) <= LARGEST) continue;
      const remedy = Object.hasOwn(values, 'criticLoss') ? `${rates}, or a regulariser` : rates;
      throw new DivergenceError(step, `${wordsOf(name)} is ${value.toExponential(1)}`, remedy);
    }
    if (spread === undefined) return;
    const losses = Object.entries(values).flatMap(([name, value]) => (isLoss(name) ? [Math.abs(value)] : []));
    const scale = Math.max(1e-6, largest(losses));
    silent = spread <= ROUNDING * scale ? silent + 1 : 0;
    if (silent >= PATIENCE) {
      const cause = `the critic has given every sample the same score for ${silent} steps`;
      throw new DivergenceError(step, cause, "lower the critic's learning rate, or clip its weights less");
    }
  };
}
