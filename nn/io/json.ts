/** JSON that keeps every number. */

/** What JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Marks a number for which JSON has no digits. */
const NUMBER = '#number';

/** Lists and objects in each other, at most: deeper ones would overflow the stack, here or in another reader. */
const DEEPEST = 500;

function checkDepth(path: string, depth: number): void {
  if (depth <= DEEPEST) return;
  throw new TypeError(`${path.split('.')[0]} nests lists or objects more than ${DEEPEST} deep; flatten it`);
}

/**
 * A value as plain JSON, with NaN, infinities and -0 as `{ "#number": "NaN" }`. Fields that are undefined are left out.
 * @param path what errors call the value
 * @throws TypeError for what JSON would drop or change: functions, dates, instances of classes; for what nests more than 500 deep,
 * or has no end
 */
export function toJson(value: unknown, path: string, depth = 0): Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') {
    if (Number.isFinite(value) && !Object.is(value, -0)) return value;
    return { [NUMBER]: Object.is(value, -0) ? '-0' : String(value) };
  }
  checkDepth(path, depth);
  if (Array.isArray(value)) return value.map((v, i) => toJson(v, `${path}.${i}`, depth + 1));
  if (typeof value === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    const fields = Object.entries(value).filter(([, v]) => v !== undefined);
    if (fields.length === 1 && fields[0]![0] === NUMBER) {
      throw new TypeError(`${path} has ${NUMBER} for its only name, by which numbers are marked; choose another`);
    }
    return Object.fromEntries(fields.map(([key, v]) => [key, toJson(v, `${path}.${key}`, depth + 1)]));
  }
  const kind = typeof value === 'object' ? `an instance of ${value.constructor.name}` : `of type ${typeof value}`;
  throw new TypeError(`${path} is ${kind}, which JSON does not hold; store it as numbers, text or plain objects`);
}

/** The value of which `toJson` made this. @throws TypeError for what nests more than 500 deep */
export function fromJson(json: Json, path: string, depth = 0): Json {
  if (typeof json !== 'object' || json === null) return json;
  checkDepth(path, depth);
  if (Array.isArray(json)) return json.map((v) => fromJson(v, path, depth + 1));
  const entries = Object.entries(json);
  if (entries.length === 1 && entries[0]![0] === NUMBER) return Number(entries[0]![1]);
  return Object.fromEntries(entries.map(([key, v]) => [key, fromJson(v, path, depth + 1)]));
}
