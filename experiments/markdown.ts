/** Parts of docs/experiments.md. */

/** What a column of numbers holds, with their spread, unit or order: it stands to the right. */
const NUMBER = /^[-\d.,∞±e+ ]+( [%s])?$/;

/** A table: its head, and rows of cells. Columns of numbers stand to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  // A bar in a cell would begin another one.
  const line = (cells: readonly (string | number)[]) =>
    `| ${cells.map((c) => `${c}`.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = head.map((_, i) => (rows.every((row) => NUMBER.test(`${row[i]}`)) ? '--:' : '---'));
  return [line(head), `|${rule.join('|')}|`, ...rows.map(line)].join('\n');
}

/** A number with so many digits after the point, and no minus in front of nothing but zeros. */
export const fixed = (value: number, digits: number): string => value.toFixed(digits).replace(/^-(0\.0*)$/, '$1');

/** The end of an experiment's section: its blocks, and what a teacher would point at. */
export const section = (blocks: readonly string[], look: readonly string[]): string =>
  [...blocks, ['What to point at:', ...look.map((line) => `- ${line}`)].join('\n')].join('\n\n');

/** A picture of an experiment, by the name under which it was drawn. */
export const picture = (experiment: string, name: string, says: string): string =>
  `![${says}](experiments/${experiment}-${name})`;
