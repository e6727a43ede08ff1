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
