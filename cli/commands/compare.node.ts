import { writeComparison } from '../pages/compare.node.ts';
import { terminal } from '../terminal/terminal.node.ts';

/** Options of `wgrad compare`. */
export interface CompareCommandOptions {
  /** Run folders, one or more. */
  readonly runs: readonly string[];
  /** Path of the page. */
  readonly out: string;
}

/**
 * Writes one page of several runs, and prints its path.
 *
 * @throws RangeError, Error as {@link writeComparison}
 */
export async function compare({ runs, out }: CompareCommandOptions): Promise<void> {
  const onProblem = (problem: string): void => terminal.err.line(`wgrad: ${problem}`);
  terminal.out.line(await writeComparison(runs, out, onProblem));
}
