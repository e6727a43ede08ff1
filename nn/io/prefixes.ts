/** What wrappers put in front of the names of a state dict, or between them: DataParallel, torch.compile, Lightning, EMA files. */

/** Parts of names that wrappers of PyTorch put between others. */
const WRAPPERS = ['module', '_orig_mod', '_forward_module', '_fsdp_wrapped_module', '_checkpoint_wrapped_module'];

/** Names of one tensor, of which one must be there. */
type Names = readonly string[];

const withoutWrappers = (name: string): string =>
  name
    .split('.')
    .filter((part) => !WRAPPERS.includes(part))
    .join('.');

const fitting = (names: readonly string[], known: ReadonlySet<string>): number =>
  names.filter((name) => known.has(name)).length;

const hasAll = (has: ReadonlySet<string>, wanted: readonly Names[], prefix = ''): boolean =>
  wanted.every((names) => names.some((name) => has.has(prefix + name)));

/** '', and what all names have in front, up to each of its dots. */
function commonPrefixes(names: readonly string[]): string[] {
  const parts = names[0]!.split('.').slice(0, -1);
  const all = parts.map((_, i) => `${parts.slice(0, i + 1).join('.')}.`);
  return ['', ...all.filter((prefix) => names.every((name) => name.startsWith(prefix)))];
}

/**
 * The names given, each with the one that it has without what wrappers added. Where the names fit as they are, nothing is taken
 * away. Otherwise wrappers' parts go wherever they stand, and then what all names have in front, if more names fit without.
 * @param wanted which must all be there
 * @param known these and others that may be there
 */
export function unwrapped(
  given: readonly string[],
  wanted: readonly Names[],
  known: ReadonlySet<string>,
): Map<string, string> {
  if (given.length === 0 || hasAll(new Set(given), wanted)) return new Map(given.map((name) => [name, name]));
  let best = given;
  const plain = given.map(withoutWrappers);
  const isClear = new Set(plain).size === given.length;
  for (const names of isClear ? [given, plain] : [given]) {
    for (const prefix of commonPrefixes(names)) {
      const short = names.map((name) => name.slice(prefix.length));
      if (fitting(short, known) > fitting(best, known)) best = short;
    }
  }
  return new Map(given.map((name, i) => [name, best[i]!]));
}

/** A sentence on the prefixes behind which all that is wanted stands, among other names; '' if there is none. */
export function prefixHint(
  given: readonly string[],
  wanted: readonly Names[],
  remedy: (prefix: string) => string,
): string {
  const has = new Set(given);
  const found = (wanted[0] ?? [])
    .flatMap((first) => given.filter((name) => name.endsWith(`.${first}`)).map((name) => name.slice(0, -first.length)))
    .filter((prefix) => hasAll(has, wanted, prefix));
  if (found.length === 0) return '';
  const shown = [...new Set(found)].map((p) => JSON.stringify(p)).join(' and ');
  return ` All that is missing is there behind ${shown}: ${remedy(found[0]!)}`;
}
