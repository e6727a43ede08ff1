import { shown } from '../../engine/internal.ts';
import type { Row } from '../../gan/row.ts';
import { rangeOf } from '../../gan/settings.ts';
import { settingsOf } from '../../gan/systems/table.ts';
import { systemOf } from './configFile.node.ts';
import { spans } from './jsonLines.node.ts';
import { gridName } from './runFiles.ts';

/** A file that cannot be read, or is not what it should be, in a sentence. */
export function unreadable(name: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== undefined) return `${name} cannot be read (${code})`;
  return message.startsWith('is ') ? `${name} ${message}` : `${name} cannot be read: ${message}`;
}

/** What a log's rows say of rows that are missing, or there more than once. */
export function logProblems(name: string, rows: readonly Row[]): string[] {
  const steps = rows.flatMap(({ step }) => (Number.isSafeInteger(step) && step! >= 1 ? [step!] : []));
  const found = new Set<number>();
  const twice = new Set<number>();
  for (const step of steps) (found.has(step) ? twice : found).add(step);
  const problems: string[] = [];
  if (twice.size > 0) problems.push(`${name} has several rows of the same steps, ${listed(twice)}`);
  if (steps.length < rows.length) {
    problems.push(`${name}: ${rows.length - steps.length} of its rows do not say of which step they are`);
  }
  // timing.jsonl has rows of some steps only.
  if (name !== 'metrics.jsonl' || found.size === 0) return problems;
  const sorted = [...found].sort((a, b) => a - b);
  const gaps = sorted.flatMap((step, i) => {
    const before = sorted[i - 1] ?? 0;
    return step > before + 1 ? [`${step === before + 2 ? '' : `${before + 1} to `}${step - 1}`] : [];
  });
  if (gaps.length > 0) {
    const more = gaps.length > GAPS ? `, and ${gaps.length - GAPS} more such places` : '';
    problems.push(`${name} lacks the rows of steps ${gaps.slice(0, GAPS).join(', ')}${more}`);
  }
  return problems;
}

/** Gaps that are told of one log. */
const GAPS = 5;

const listed = (set: ReadonlySet<number>): string => spans([...set].sort((a, b) => a - b));

/** Pictures that are gone: those of the start and of each row that was measured. */
export function pictureProblems(names: readonly string[], rows: readonly Row[]): string[] {
  const measured = rows.flatMap((row) => ('slicedWasserstein' in row && row.step != null ? [row.step] : []));
  const gone = [0, ...measured].filter((step) => !names.includes(gridName(step)));
  if (gone.length === 0) return [];
  return [`the grids of steps ${spans(gone)} are missing (${gridName(gone[0]!)}), and cannot be drawn again`];
}

/** Settings that no run can have. */
export function settingProblems(config: Readonly<Record<string, unknown>>): string[] {
  const system = systemOf(config);
  if (system === undefined) return [`config.json: there is no system ${shown(config.system)}`];
  return Object.entries(settingsOf(system))
    .map(([name, setting]) => ({ name, range: rangeOf(setting) }))
    .filter(({ name, range }) => Object.hasOwn(config, name) && !range.holds(config[name]))
    .map(({ name, range }) => `config.json: ${name} must be ${range.says}`);
}
