/**
 * The state of the page in its link: only what differs from what is usual, under short names that never change.
 * @module
 */
import { entries, setupNames, textOf, usualSetup } from './entries.ts';
import type { Entry, Setup } from './setup.ts';

/** What a link says beside the setup: how the page is shown. */
export interface View {
  /** Layers of the plane that are drawn, by name. */
  readonly layers: readonly string[] | undefined;
  /** Controls that are not shown, by the names of settings or panels. */
  readonly hide: readonly string[];
  /** Controls that are shown and cannot be changed. */
  readonly lock: readonly string[];
  /** The panel that is open beside the training: 'tape' or 'convolution'. */
  readonly panel: string | undefined;
  /** The one panel that is shown, for a page inside another. */
  readonly embed: string | undefined;
  /** What is to be reached, such as 'modes>=8'. */
  readonly goal: string | undefined;
  /** The step at which the training stops by itself. */
  readonly until: number | undefined;
  /** The device that is asked for: 'reference' runs without a GPU. */
  readonly device: string | undefined;
}

/** What a link means, and what of it could not be taken as it stood. */
export interface Link {
  readonly setup: Setup;
  readonly view: View;
  /** Names and values that the page does not know, kept for the next link. */
  readonly unknown: readonly (readonly [name: string, value: string])[];
  /** What was changed or left out, a sentence each. */
  readonly notes: readonly string[];
}

const VERSION = '1';

const lists = ['hide', 'lock'] as const;
const texts = ['panel', 'embed', 'goal', 'device'] as const;

/** How a page looks that is opened without a link. */
export const usualView: View = {
  layers: undefined,
  hide: [],
  lock: [],
  panel: undefined,
  embed: undefined,
  goal: undefined,
  until: undefined,
  device: undefined,
};

/** The value of a text in a link, held to what the setting may be. */
function read(entry: Entry<unknown>, text: string): { value?: unknown; note?: string } {
  const { bounds, title } = entry;
  if (bounds) {
    const number = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isNaN(number)) return { note: `${title}: '${text}' is no number, and ${entry.default} was taken` };
    const [least, most] = bounds;
    const held = Math.min(most, Math.max(least, number));
    const value = entry.range.holds(held) ? held : Math.round(held);
    return value === number
      ? { value }
      : { value, note: `${title}: ${text} became ${value}; it is ${entry.range.says}` };
  }
  const value = entry.link ? entry.link.read(text) : Array.isArray(entry.default) ? listOf(text, entry.default) : text;
  if (entry.range.holds(value)) return { value };
  return { note: `${title}: '${text}' was left out; it is ${entry.range.says}` };
}

const listOf = (text: string, like: readonly unknown[]): readonly unknown[] => {
  const parts = text === '' ? [] : text.split(',');
  return typeof like[0] === 'number' ? parts.map((p) => (p.trim() === '' ? Number.NaN : Number(p))) : parts;
};

/**
 * Reads a link. Nothing of it makes an error: what is out of range is held to it, what is not known is kept and said.
 * @param hash what follows the # of an address, with or without it
 */
export function readLink(hash: string): Link {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const byKey = new Map(setupNames.map((name) => [entries[name].key, name]));
  const setup: Record<string, unknown> = { ...usualSetup };
  const view: Record<string, unknown> = { ...usualView };
  const unknown: [string, string][] = [];
  const notes: string[] = [];
  for (const [key, text] of given) {
    const name = byKey.get(key);
    if (name !== undefined) {
      const { value, note } = read(entries[name] as Entry<unknown>, text);
      if (value !== undefined) setup[name] = value;
      if (note !== undefined) notes.push(note);
    } else if (key === 'v') {
      if (text !== VERSION) notes.push(`this link is of version ${text}, and the page reads version ${VERSION}`);
    } else if (key === 'show' || (lists as readonly string[]).includes(key)) {
      view[key === 'show' ? 'layers' : key] = text === '' ? [] : text.split(',');
    } else if ((texts as readonly string[]).includes(key)) {
      view[key] = text;
    } else if (key === 'until') {
      const until = Number(text);
      if (Number.isInteger(until) && until > 0) view.until = until;
      else notes.push(`until: '${text}' was left out; it is a whole number above 0`);
    } else {
      unknown.push([key, text]);
      notes.push(`'${key}' is not known here; it stays in the link`);
    }
  }
  return { setup: setup as unknown as Setup, view: view as unknown as View, unknown, notes };
}

/** Writes a link: what follows the #. {@link readLink} of it gives the same again. */
export function writeLink({ setup, view, unknown }: Omit<Link, 'notes'>): string {
  const parts: (readonly [string, string])[] = [];
  for (const name of setupNames) {
    const text = textOf(name, setup[name]);
    if (text !== textOf(name, usualSetup[name])) parts.push([entries[name].key, text]);
  }
  if (view.layers) parts.push(['show', view.layers.join(',')]);
  for (const name of lists) if (view[name].length > 0) parts.push([name, view[name].join(',')]);
  for (const name of texts) if (view[name] !== undefined) parts.push([name, view[name]]);
  if (view.until !== undefined) parts.push(['until', String(view.until)]);
  parts.push(...unknown);
  if (parts.length === 0) return '';
  // Commas and signs may stand in the value of a fragment, and links are read by people.
  const plain = (value: string): string =>
    encodeURIComponent(value).replaceAll('%2C', ',').replaceAll('%3D', '=').replaceAll('%3E', '>');
  return [['v', VERSION] as const, ...parts]
    .map(([key, value]) => `${encodeURIComponent(key)}=${plain(value)}`)
    .join('&');
}
