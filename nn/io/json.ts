/** JSON that keeps every number. */

/** What JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Marks a number for which JSON has no digits. */
const NUMBER = '#number';

/**
 * A value as plain JSON, with NaN, infinities and -0 as `{ "#number": "NaN" }`. Fields that are undefined are left out.
 * @param path what errors call the value
 * @throws TypeError for what JSON would drop or change: functions, dates, instances of classes
 */
export function toJson(value: unknown, path: string): Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') {
    if (Number.isFinite(value) && !Object.is(value, -0)) return value;
    return { [NUMBER]: Object.is(value, -0) ? '-0' : String(value) };
  }
  if (Array.isArray(value)) return value.map((v, i) => toJson(v, `${path}.${i}`));
  if (typeof value === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    const fields = Object.entries(value).filter(([, v]) => v !== undefined);
    return Object.fromEntries(fields.map(([key, v]) => [key, toJson(v, `${path}.${key}`)]));
  }
  const kind = typeof value === 'object' ? `an instance of ${value.constructor.name}` : `of type ${typeof value}`;
  throw new TypeError(`${path} is ${kind}, which JSON does not hold; store it as numbers, text or plain objects`);
}

/** The value of which `toJson` made this. */
export function fromJson(json: Json): Json {
  if (Array.isArray(json)) return json.map(fromJson);
  if (typeof json !== 'object' || json === null) return json;
  const entries = Object.entries(json);
  if (entries.length === 1 && entries[0]![0] === NUMBER) return Number(entries[0]![1]);
  return Object.fromEntries(entries.map(([key, v]) => [key, fromJson(v)]));
}
