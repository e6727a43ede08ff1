/** A value as messages show it: `{ dim: 1 }`, `a Tensor [2,3]`, `the function relu`. */
export function shown(value: unknown): string {
  if (value instanceof Promise) return 'a promise (write await before it)';
  if (typeof value === 'function') return value.name ? `the function ${value.name}` : 'a function';
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((v) => (Array.isArray(v) ? '[...]' : shown(v))).join(',')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const { shape } = value as { readonly shape?: unknown };
  // A bundler may put an underscore before the name of a class that it moves.
  if (!isPlain(value)) {
    const name = value.constructor.name.replace(/^_/, '');
    return `${/^([AEIO]|Rng$|RNN|LSTM)/.test(name) ? 'an' : 'a'} ${name}${Array.isArray(shape) ? ` [${shape}]` : ''}`;
  }
  const inner = (v: unknown) => (typeof v === 'object' && v !== null && isPlain(v) ? '{...}' : shown(v));
  const entries = Object.entries(value).map(([name, v]) => `${name}: ${inner(v)}`);
  return entries.length > 0 ? `{ ${entries.join(', ')} }` : '{}';
}

/** Whether it is an object as `{}` makes them, of any realm. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * `options`, if it is an object with no other names than `known`: JavaScript would ignore a misspelt one in silence.
 * @param known the first is the one that the message shows to those who leave the braces out
 * @throws TypeError that names the option, and those that there are
 */
export function checked<T extends object>(op: string, options: T, known: readonly (keyof T & string)[]): T {
  const given: unknown = options;
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given);
  const strange = isObject
    ? Object.keys(given).find((name) => !(known as readonly string[]).includes(name))
    : undefined;
  // What has no names of its own, such as a Map, holds no options either.
  const isOther = isObject && !isPlain(given) && (strange !== undefined || Object.keys(given).length === 0);
  if (!isObject || isOther) {
    const value = typeof given === 'number' || typeof given === 'boolean' ? given : '...';
    throw new TypeError(`${op}: the options are an object such as { ${known[0]}: ${value} }, not ${shown(given)}`);
  }
  if (strange !== undefined) {
    throw new TypeError(`${op}: there is no option ${strange}; there are ${known.join(', ')}`);
  }
  return options;
}

/** The options without those that are undefined, which would hide a default. */
export const defined = <T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;

/**
 * `list`, if it is an array: `reshape(4, 1)` for `reshape([4, 1])` is an easy slip.
 * @param example what it looks like, for the message
 * @throws TypeError that names the op, what is asked for and what was given
 */
export function checkedList<T>(op: string, what: string, list: readonly T[], example: string): readonly T[] {
  if (Array.isArray(list)) return list;
  throw new TypeError(`${op}: ${what} must be a list such as ${example}, not ${shown(list)}`);
}

/**
 * `value`, if it is a number: `new LeakyReLU({ negativeSlope: 0.1 })` would compute with NaN in silence.
 * @throws TypeError that names the op, what is asked for and what was given, and says how to write it
 */
export function checkedNumber(op: string, what: string, value: number): number {
  if (typeof value === 'number') return value;
  throw new TypeError(`${op}: ${what} is a number, as in ${op}(${numberIn(value) ?? 1}), not ${shown(value)}`);
}

/** The number that an object was meant to say, as in `{ dim: 1 }`. */
export function numberIn(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.values(value).find((v): v is number => typeof v === 'number');
}

/**
 * Refuses what is neither a number nor a list in place of axes, such as `sum({ dim: 1 })`.
 * @throws TypeError that says how to write it
 */
export function checkAxes(op: string, axes: unknown): void {
  if (typeof axes === 'number' || Array.isArray(axes)) return;
  const axis = numberIn(axes) ?? 0;
  throw new TypeError(`${op}: axes are a number or a list, as in x.${op}([${axis}]), not ${shown(axes)}`);
}
