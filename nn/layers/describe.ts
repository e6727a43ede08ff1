/** What a layer's `describe` says: its sizes, and those options that differ from their defaults. */
export const described = (...parts: readonly (string | number | false | undefined)[]): string =>
  parts.filter((p) => p !== false && p !== undefined && p !== '').join(', ');

/** `3x3` for a pair of sizes, or for one number that stands for both. */
export const size2d = (size: number | readonly [number, number]): string =>
  (typeof size === 'number' ? [size, size] : size).join('x');
