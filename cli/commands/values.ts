import { InvalidArgumentError } from 'commander';
import type { OptionRange } from '../../engine/internal.ts';
import { MOST_SECONDS } from '../../gan/runSettings.ts';

/** A number in decimal digits that lies in the range of a setting. */
export const numberIn =
  ({ holds, says }: OptionRange) =>
  (text: string): number => {
    const value = /^[-+.\de]+$/i.test(text) ? Number(text) : Number.NaN;
    if (holds(value)) return value;
    throw new InvalidArgumentError(`Use ${says}.`);
  };

/** A whole number in a range. */
export function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Use an integer from ${least} to ${most}.`);
  };
}

/** A number in a range; `open` excludes the ends. */
export function number(
  least: number,
  most: number,
  open: 'least' | 'most' | 'none' = 'none',
): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    const above = open === 'least' ? value > least : value >= least;
    const below = open === 'most' ? value < most : value <= most;
    if (above && below) return value;
    const [from, to] = [
      open === 'least' ? `more than ${least}` : `${least}`,
      open === 'most' ? `less than ${most}` : `${most}`,
    ];
    throw new InvalidArgumentError(
      most === Infinity
        ? `Use a number, ${from} or more.`.replace(/(more than \S+) or more/, '$1')
        : `Use a number from ${from} to ${to}.`,
    );
  };
}

/** A name or path. */
export function notEmpty(what: string): (text: string) => string {
  return (text) => {
    if (text.trim() === '') throw new InvalidArgumentError(`Name a ${what}.`);
    return text;
  };
}

/** Names with commas between them. */
export function list(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.some((name) => name === '')) throw new InvalidArgumentError('Write names with commas between them.');
  return names;
}

/** A time such as 90s, 10m, 1h or 1h30m, in seconds. */
export function duration(text: string): number {
  const found = /^(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?$/.exec(text.trim());
  const [h, m, s] = (found ?? []).slice(1).map((part) => Number(part ?? 0)) as [number, number, number];
  const seconds = found ? 3600 * h + 60 * m + s : 0;
  if (seconds > MOST_SECONDS) throw new InvalidArgumentError(`Use at most ${MOST_SECONDS / 3600}h.`);
  if (seconds > 0) return seconds;
  throw new InvalidArgumentError('Use a time such as 90s, 10m or 1h30m.');
}
