/** Reads HTML strictly, for tests: every element closed, every attribute quoted, nothing bare. */

/** Elements without an end. */
const VOID = ['meta', 'link', 'img', 'input', 'br', 'hr'];
const TAG = /<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+(?:="[^"<>]*")?)*)\s*(\/?)>/y;

export interface Element {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Of the page's text. */
  readonly at: number;
}

/** All elements, in order. @throws Error naming the place where the text is not well-formed */
export function elements(page: string): Element[] {
  const found: Element[] = [];
  const open: string[] = [];
  let at = 0;
  const fail = (what: string): never => {
    throw new Error(`${what} at ${at}: ${page.slice(at, at + 80)}`);
  };
  if (page.startsWith('<!doctype html>')) at = 15;
  while (at < page.length) {
    const next = page.indexOf('<', at);
    const text = page.slice(at, next < 0 ? page.length : next);
    if (/>|&(?![a-z]+;|#\d+;)/.test(text)) fail('a bare > or &');
    if (next < 0) break;
    at = next;
    TAG.lastIndex = at;
    const [all, end, tag, written, closed] = TAG.exec(page) ?? fail('not a tag');
    at += all.length;
    if (end) {
      if (open.pop() !== tag) fail(`</${tag}> closes another`);
      continue;
    }
    const attributes = Object.fromEntries(
      [...written!.matchAll(/([\w:-]+)(?:="([^"]*)")?/g)].map(([, k, v]) => [k!, v ?? '']),
    );
    found.push({ tag: tag!, attributes, at });
    if (tag === 'script' || tag === 'style') {
      at = page.indexOf(`</${tag}>`, at) + tag.length + 3;
      if (at < tag.length + 3) fail('no end of the script');
    } else if (!closed && !VOID.includes(tag!)) open.push(tag!);
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join(', ')}`);
  return found;
}

/** What a page would load from elsewhere. */
export const loads = (page: string): string[] => [
  ...elements(page).flatMap(({ attributes }) =>
    ['src', 'href', 'xlink:href', 'srcset', 'data', 'action'].flatMap((name) => {
      const value = attributes[name];
      return value === undefined || value.startsWith('data:') || value.startsWith('#') ? [] : [`${name}=${value}`];
    }),
  ),
  ...[...page.matchAll(/https?:\/\/[^\s"'<]+|@import[^;]*|url\((?!#)[^)]*\)/g)].map(([found]) => found),
];
