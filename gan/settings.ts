/**
 * Settings in tables: each is said once, and types, defaults, checks, options of the command line and `--help` follow from it.
 * @module
 */
import { checkRange, type OptionRange, ranges } from '../engine/internal.ts';

/** What a setting is: its default, what it may be, and what it is for. */
export interface Setting<V> {
  /** The value where nobody says otherwise. */
  readonly default: V;
  /** What it may be; a setting that is `open` may also be null. */
  readonly range: OptionRange;
  /** What it is for, in a line of help. */
  readonly about: string;
  /** Whether null leaves it to what suits. */
  readonly open?: boolean;
  /**
   * What runs did before there was this setting, for the `config.json` of a run that does not have it. A setting that comes to a table later
   * needs one, or older runs are refused.
   */
  readonly before?: V;
  /** The words that it may be, where these are few. */
  readonly choices?: readonly string[];
  /** The long option of the command line, where it is not the name with hyphens, such as '--ema'. */
  readonly flag?: string;
  /** What stands for the value in the help, such as 'rate'. Default 'n'. */
  readonly value?: string;
  /** Makes the value of a text of the command line, and of the value before where an option may be given several times. Default: a number. */
  read?(text: string, before?: V): V;
}

/** A table of settings: one for each field of the options `O`. */
export type Settings<O extends object> = { readonly [K in keyof O]-?: Setting<O[K]> };

/** A table of settings of any options. */
export type AnySettings = Readonly<Record<string, Setting<unknown>>>;

type More<V> = Partial<Omit<Setting<V>, 'default' | 'range' | 'about'>>;

/** A setting that is a number. */
export const number = (value: number, range: OptionRange, about: string, more: More<number> = {}): Setting<number> => ({
  default: value,
  range,
  about,
  ...more,
});

/** A setting that is a number, or null for what suits. */
export const openNumber = (
  range: OptionRange,
  about: string,
  more: More<number | null> = {},
): Setting<number | null> => ({
  default: null,
  range,
  about,
  open: true,
  ...more,
});

/** A setting that is one of some words. */
export const choice = <C extends string>(
  value: C,
  choices: readonly C[],
  about: string,
  more: More<C> = {},
): Setting<C> => ({
  default: value,
  range: ranges.oneOf(choices),
  about,
  choices,
  value: 'name',
  ...more,
});

/** A learning rate. */
export const rate = (value: number, about: string): Setting<number> =>
  number(value, ranges.positive, about, { value: 'rate' });

/** A number of things, at least 1. */
export const count = (value: number, about: string, most = 65_536): Setting<number> =>
  number(value, ranges.whole(1, most), about);

/** The defaults of a table. */
export const defaultsOf = <O extends object>(settings: Settings<O>): O =>
  Object.fromEntries(Object.entries<Setting<unknown>>(settings).map(([name, s]) => [name, s.default])) as O;

/** What is stored of a run, with the settings that came later as they were before there were any; see {@link Setting.before}. */
export const withEarlier = <T extends object>(settings: AnySettings, stored: T): T => ({
  ...Object.fromEntries(
    Object.entries(settings).flatMap(([name, setting]) => ('before' in setting ? [[name, setting.before]] : [])),
  ),
  ...stored,
});

/** A range that also takes null. */
export const orNull = ({ holds, says }: OptionRange): OptionRange => ({
  holds: (v) => v === null || holds(v),
  says: `${says}, or null`,
});

/** What a setting may be in a file, where null leaves some open. */
export const rangeOf = ({ range, open }: Pick<Setting<unknown>, 'range' | 'open'>): OptionRange =>
  open ? orNull(range) : range;

/**
 * Holds values to a table.
 * @param owner whose they are, for errors: a file, or what was called
 * @throws RangeError that names the owner, the setting and what it must be
 */
export function checkSettings<O extends object>(owner: string, settings: Settings<O>, values: O): O {
  for (const [name, setting] of Object.entries<Setting<unknown>>(settings)) {
    checkRange(owner, name, rangeOf(setting), (values as Record<string, unknown>)[name]);
  }
  return values;
}
