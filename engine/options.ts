/**
 * `options`, if it is an object with no other names than `known`: JavaScript would ignore a misspelt one in silence.
 * @throws TypeError that names the option, and those that there are
 */
export function checked<T extends object>(op: string, options: T, known: readonly (keyof T & string)[]): T {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(
      `${op}: the options are an object such as { ${known[0]}: ... }, not ${JSON.stringify(options)}`,
    );
  }
  for (const name of Object.keys(options)) {
    if (!(known as readonly string[]).includes(name)) {
      throw new TypeError(`${op}: there is no option ${name}; there are ${known.join(', ')}`);
    }
  }
  return options;
}

/**
 * `list`, if it is an array: `reshape(4, 1)` for `reshape([4, 1])` is an easy slip.
 * @param example what it looks like, for the message
 * @throws TypeError that names the op, what is asked for and what was given
 */
export function checkedList<T>(op: string, what: string, list: readonly T[], example: string): readonly T[] {
  if (Array.isArray(list)) return list;
  throw new TypeError(`${op}: ${what} must be a list such as ${example}, not ${String(list)}`);
}
