/** A shader as people write one. */

const INDENT = '  ';
const WIDTH = 120;

/** How many brackets of a kind a line opens more than it closes. */
const opened = (line: string, [open, close]: readonly [string, string]): number =>
  line.split(open).length - line.split(close).length;

/** The statements of a line, one each, with the braces around them. */
function statements(line: string): string[] {
  const parts: string[] = [''];
  let within = 0;
  for (const c of line) {
    if (c === '}') parts.push('');
    parts[parts.length - 1] += c;
    within += '(['.includes(c) ? 1 : ')]'.includes(c) ? -1 : 0;
    if ('{}'.includes(c) || (c === ';' && within === 0)) parts.push('');
  }
  return parts.map((p) => p.trim()).filter((p) => p !== '');
}

/** Lays WGSL out anew, indented, long lines a statement each: only white space is another. */
export function readable(source: string): string {
  const lines: string[] = [];
  let [depth, within] = [0, 0];
  const put = (line: string): void => {
    const back = line.startsWith('}') ? 1 : 0;
    lines.push(INDENT.repeat(depth - back + (within > 0 ? 2 : 0)) + line);
    depth += opened(line, ['{', '}']);
    within += opened(line, ['(', ')']);
  };
  for (const line of source.split('\n').map((l) => l.trim())) {
    if (line === '') {
      if (depth === 0 && lines.at(-1) !== '') lines.push('');
    } else if (line.length + INDENT.length * depth <= WIDTH || line.includes('//') || within > 0) put(line);
    else for (const statement of statements(line)) put(statement);
  }
  return `${lines.join('\n').trim()}\n`;
}
