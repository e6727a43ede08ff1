import { resolve } from 'node:path';
import { readJson } from '../cli/run/readJson.node.ts';
import { writeFileAtomic } from '../engine/platform/atomicWrite.node.ts';
import { type Code, changedSince, codeOf } from './code.node.ts';
import type { Claim, Experiment } from './experiment.ts';
import { table } from './markdown.ts';

/** The JSON of an experiment. */
export interface Report {
  readonly quick: boolean;
  readonly command: string;
  readonly adapter: string;
  readonly commit: string | null;
  /** The hash of the code that decided the findings; see {@link codeOf}. Not kept by old runs. */
  readonly code?: string;
  readonly date: string;
  readonly seconds: number;
  readonly reusedParts: number;
  /** The commits that computed the parts, sorted, where an earlier run did some of them; not kept by old runs. */
  readonly commits?: readonly string[];
  readonly claims: readonly Claim[];
  /** What was found, under the name that it has had in the file from the first. */
  readonly figures: unknown;
}

const HEAD = `# Experiments

Claims of the papers and the lectures, done again here. \`npm run experiment NAME\` does one of them again within an hour on two idle cores without a GPU (\`--adapter lavapipe\`; the seconds below are of machines with other work too), \`--quick\` shows in two minutes that it runs, and an interrupted run goes on where it stopped. Findings and pictures are in [docs/experiments](experiments). The claims are made of the findings alone, and this page is written from both, by \`npm run experiment page\`. A claim that untrained networks or noise would pass too says so. Each section names the commit and a hash of the code that decided its findings; \`npm run experiment check\` says which of them are of other code than is here now.`;

/**
 * docs/experiments.md: for each experiment what is claimed, whether it held, and its own section.
 * @param report the JSON of an experiment; undefined where it has not been run
 * @throws Error for the findings of a quick run, which prove nothing
 */
export function experimentsPage(
  experiments: readonly Experiment[],
  report: (name: string) => Report | undefined,
): string {
  const sections = experiments.map((experiment) => {
    const { name, title, about } = experiment;
    const found = report(name);
    const head = `## ${title}\n\n${about}`;
    if (!found) return `${head}\n\nNot run yet: \`npm run experiment ${name}\`.`;
    const { quick, claims, command, adapter, commit, code, date, seconds, reusedParts, commits, figures } = found;
    if (quick) {
      throw new Error(`${name}.json is of a quick run, which proves nothing: run \`npm run experiment ${name}\` first`);
    }
    const held = claims.map((c) => [
      c.text,
      `${Number(c.value.toPrecision(4))}`,
      `${c.seeds}`,
      c.holds ? 'holds' : '**does not hold**',
    ]);
    const by = `commits of all parts: ${commits?.join(', ') ?? 'unknown'}`;
    const parts = reusedParts > 0 ? ` (${reusedParts} parts in an earlier run; ${by})` : '';
    const took = `${seconds.toLocaleString('en-GB')} s${parts}`;
    const made = `\`${command}\`: ${took} on ${adapter}; ${date}, commit ${commit ?? 'unknown'}${code ? `, code ${code}` : ''}.`;
    return [head, made, table(['claim', 'found', 'seeds', ''], held), experiment.page(figures)].join('\n\n');
  });
  return `${[HEAD, ...sections].join('\n\n')}\n`;
}

/**
 * Makes the claims of the JSON in docs/experiments again from its findings, writes them back where they differ, and writes the page
 * anew.
 */
export async function updatePage(experiments: readonly Experiment[], folder = 'docs'): Promise<void> {
  const reports = new Map<string, Report>();
  const changed: string[] = [];
  for (const experiment of experiments) {
    const { name } = experiment;
    const report = readReport(folder, name);
    if (!report) continue;
    const claims = claimsAgain(experiment, report);
    if (JSON.stringify(claims) !== JSON.stringify(report.claims)) changed.push(name);
    reports.set(name, { ...report, claims });
  }
  // First, because it may refuse.
  const page = experimentsPage(experiments, (name) => reports.get(name));
  for (const name of changed) {
    await writeFileAtomic(reportFile(folder, name), `${JSON.stringify(reports.get(name), null, 2)}\n`);
  }
  await writeFileAtomic(resolve(folder, 'experiments.md'), page);
}

/** Whether stored findings are of the code that is here now, in a line for each experiment. */
export interface CodeCheck {
  readonly name: string;
  readonly current: boolean;
  readonly says: string;
}

/** Compares the code that decided the findings in docs/experiments with that of today. */
export async function checkCode(experiments: readonly Experiment[], folder = 'docs'): Promise<CodeCheck[]> {
  const checks: CodeCheck[] = [];
  for (const { name, code: url } of experiments) {
    const report = readReport(folder, name);
    const now = await codeOf(url);
    checks.push({ name, current: report?.code === now.hash, says: `${name}: ${compared(report, now)}` });
  }
  return checks;
}

function compared(report: Report | undefined, now: Code): string {
  if (!report) return `not run yet; code ${now.hash}`;
  const { commit, code } = report;
  if (code === now.hash) return `findings are of the code of today, ${code} (commit ${commit ?? 'unknown'})`;
  const changed = commit ? changedSince(commit, now) : undefined;
  const many = changed && changed.length > 0 ? `; ${list(changed)} changed since` : '';
  return `findings are of other code, ${code ?? 'which kept no hash'} (commit ${commit ?? 'unknown'}); that of today is ${now.hash}, of ${now.files.length} files${many}`;
}

/** The first few, and how many more. */
const list = (names: readonly string[]): string =>
  names.length > 4 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');

/** The claims of the findings of a report, as JSON holds them. */
export const claimsAgain = (experiment: Experiment, { figures }: Report): Report['claims'] =>
  JSON.parse(JSON.stringify(experiment.claims(figures)));

const reportFile = (folder: string, name: string): string => resolve(folder, 'experiments', `${name}.json`);

/** The JSON of an experiment in `folder`/experiments, if it is there. @throws Error if it is not JSON */
export function readReport(folder: string, name: string): Report | undefined {
  return readJson(reportFile(folder, name), `run \`npm run experiment ${name}\` again`) as Report | undefined;
}
