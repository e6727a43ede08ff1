/** Parts of docs/experiments.md. */

/** A table: its head, and rows of cells. Numbers stand to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, i) => (rows.every((row) => typeof row[i] === 'number') ? '--:' : '---'));
  return [line(head), `|${rule.join('|')}|`, ...rows.map(line)].join('\n');
}

/** A picture of an experiment, by the name under which it was drawn. */
export const picture = (experiment: string, name: string, says: string): string =>
  `![${says}](experiments/${experiment}-${name})`;
