/** Words and numbers of a plot. */

const RAISED = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** A number at an axis, in at most eight characters: `12,000`, `0.05`, `10⁻⁷`, `2·10⁹`. */
export function tickText(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 1e6 && size >= 1e-3)
    return Number(value.toPrecision(6)).toLocaleString('en', { maximumSignificantDigits: 6 });
  const [digits, power] = value.toExponential(2).split('e') as [string, string];
  const raised = power
    .replace('+', '')
    .replace('-', '⁻')
    .replace(/\d/g, (d) => RAISED[Number(d)]!);
  const factor = Number(digits);
  return factor === 1 ? `10${raised}` : factor === -1 ? `-10${raised}` : `${factor}·10${raised}`;
}

/** Pixels of a character of 12 pixels, on average, a little too wide rather than cut. */
export const LETTER = 6.7;

/** The names broken into at most three lines each that fit under the bars. */
export const namesOf = (categories: readonly string[], width: number): string[][] =>
  categories.map((name) => {
    const letters = Math.max(3, Math.floor(width / categories.length / LETTER));
    return wrap(name, letters)
      .map((line) => clip(line, letters))
      .slice(0, 3);
  });

/** Breaks a text at spaces and after hyphens into lines of at most so many characters, where it has such places. */
export function wrap(text: string, letters: number): string[] {
  const lines: string[] = [];
  for (const piece of text.split(/(?<= )|(?<=\w-)(?=\w)/)) {
    const last = lines.at(-1);
    if (last !== undefined && (last + piece).trimEnd().length <= letters) lines[lines.length - 1] = last + piece;
    else lines.push(piece);
  }
  return lines.map((line) => line.trim()).filter(Boolean);
}

/** The text, or as much of it as so many characters hold, with an ellipsis. */
export const clip = (text: string, letters: number): string =>
  text.length <= letters ? text : `${text.slice(0, Math.max(1, Math.floor(letters) - 1))}…`;

/** `2 %`, or `2 % and 5 %`, of the points. */
export const percents = (shares: readonly number[]): string =>
  `${[...new Set(shares)].map((share) => `${Number((share * 100).toPrecision(2))} %`).join(' and ')} of the points`;
