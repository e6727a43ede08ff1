import { writeReport } from '../pages/report.node.ts';
import { terminal } from '../terminal/terminal.node.ts';

/** Options of `wgrad report`. */
export interface ReportCommandOptions {
  /** Run folders, one or more. */
  readonly runs: readonly string[];
  /** Path of the page, for one run; without it, `report.html` in each run folder. */
  readonly out?: string;
}

/**
 * Writes the page of each run, and prints its path. A run that cannot be read does not stop the others.
 *
 * @throws RangeError without a run, or with one place for the pages of several
 * @throws Error that names each folder that could not be read, after the other pages are written
 */
export async function report({ runs, out }: ReportCommandOptions): Promise<void> {
  if (runs.length === 0) throw new RangeError('there is no run to report on; name a run folder, such as runs/digits');
  if (out !== undefined && runs.length > 1) {
    throw new RangeError(
      `--out is for the page of one run, and there are ${runs.length}; leave it out, or use wgrad compare`,
    );
  }
  const failed: string[] = [];
  for (const run of runs) {
    try {
      const onProblem = (problem: string): void => terminal.err.line(`wgrad: ${run}: ${problem}`);
      terminal.out.line(await writeReport(run, { onProblem, ...(out !== undefined && { out }) }));
    } catch (error) {
      failed.push((error as Error).message);
    }
  }
  if (failed.length > 0) throw new Error(failed.join('; '));
}
