/** The options of a group of an optimizer as numbers, for its state. */

const NOT_NUMBERS = ['params', 'initialLr'];

/** A group's options as numbers: a pair has two, and true is 1. */
export function numbersOf(group: object): [string, number][] {
  return Object.entries(group).flatMap(([key, v]): [string, number][] => {
    if (NOT_NUMBERS.includes(key)) return [];
    return Array.isArray(v) ? v.map((n, i): [string, number] => [`${key}.${i}`, n]) : [[key, Number(v)]];
  });
}

/** The group with its options read from numbers as `numbersOf` gives them. */
export function restore<G extends object>(group: G, of: (key: string) => number): G {
  const read = (key: string, v: unknown): unknown => {
    if (NOT_NUMBERS.includes(key)) return v;
    if (Array.isArray(v)) return v.map((_, i) => of(`${key}.${i}`));
    return typeof v === 'boolean' ? of(key) === 1 : of(key);
  };
  return Object.fromEntries(Object.entries(group).map(([key, v]) => [key, read(key, v)])) as G;
}
