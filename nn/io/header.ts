/** The header of a safetensors file: which tensor lies where. Every rule of the format is checked here. */
import { sizeOf } from '../../engine/index.ts';
import { shown } from '../../engine/internal.ts';
import { blankChecksums, CHECKPOINT, CHECKSUMS, seal, unseal } from './checksums.ts';
import { bytesOf, DTYPE_NAMES, type Dtype, isDtype } from './dtypes.ts';
import { foreignBits, isTypeName, otherFormat, type UnreadTensor } from './foreign.ts';

/** Free text by name. */
export type Metadata = Readonly<Record<string, string>>;

/** What a file's header says of a tensor. */
export interface TensorInfo {
  /** The type of its elements in the file. */
  readonly dtype: Dtype;
  /** The sizes of its axes. */
  readonly shape: readonly number[];
}

/** Where a tensor's bytes are, counted from the end of the header. */
interface Range {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
}

/** A tensor's place. */
export interface Place extends TensorInfo, Range {
  /** The checksum that its bytes were saved with. */
  readonly sum?: number | undefined;
}

/** Tensors in the order of the file, and the metadata. */
export interface Header {
  readonly places: readonly Place[];
  /** Tensors of types that are not read. */
  readonly unread: ReadonlyMap<string, UnreadTensor>;
  readonly metadata: Metadata;
}

const METADATA = '__metadata__';
/** The longest header that the format's own reader accepts, in bytes. */
const MAX_HEADER = 100_000_000;
const NOT_ONE = 'it is not a safetensors file, or was cut short';

/**
 * The header's bytes, its length in front, and where the tensors go after it. That of a checkpoint has room for checksums:
 * `sealed` fills it, given those of the tensors in the order of `places`.
 * @throws Error naming the tensor and the rule
 */
export function encodeHeader(
  tensors: ReadonlyMap<string, TensorInfo>,
  given: Metadata,
): {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly places: readonly Place[];
  readonly sealed: ((sums: readonly number[]) => Uint8Array) | undefined;
} {
  if (typeof given !== 'object' || given === null) fail(`the metadata are an object of texts, not ${String(given)}`);
  // What a file that was read had for its checksums says nothing of this one.
  const { [CHECKSUMS]: _, ...own } = given;
  const isCheckpoint = CHECKPOINT in given;
  const metadata = isCheckpoint ? { ...own, [CHECKSUMS]: blankChecksums(tensors.size) } : own;
  const sorted = [...tensors].map(([name, { dtype, shape }]) => {
    if (name === METADATA) fail(`a tensor cannot be named "${METADATA}"; rename it`);
    checkName(name);
    return { name, dtype, shape, rank: DTYPE_NAMES.indexOf(dtype) };
  });
  sorted.sort((a, b) => a.rank - b.rank || byCodePoint(a.name, b.name));

  // Joined by hand: JSON.stringify of one object would move names that look like integers to the front.
  const entries: string[] = [];
  const notes = Object.entries(metadata).sort(([a], [b]) => byCodePoint(a, b));
  for (const [key, value] of notes) {
    if (typeof value !== 'string') fail(`${METADATA} "${key}" is not a string; write numbers and objects as text`);
  }
  const texts = notes.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  if (notes.length > 0) entries.push(`"${METADATA}":{${texts.join(',')}}`);
  let end = 0;
  const places = sorted.map(({ name, dtype, shape }): Place => {
    const begin = end;
    end += sizeOf(shape) * bytesOf(dtype);
    entries.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`);
    return { name, dtype, shape, begin, end };
  });
  const json = new TextEncoder().encode(`{${entries.join(',')}}`);
  // Padded, so that every tensor is aligned.
  const length = Math.ceil(json.length / 8) * 8;
  if (length > MAX_HEADER)
    fail(`the header takes ${length} bytes, more than the ${MAX_HEADER} allowed; shorten names and metadata`);
  const bytes = new Uint8Array(8 + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, 8);
  const sealed = (sums: readonly number[]) => {
    seal(bytes.subarray(8), sums);
    return bytes;
  };
  return { bytes, places, sealed: isCheckpoint ? sealed : undefined };
}

/**
 * The length of the header behind the file's first 8 bytes.
 * @param size of the whole file, in bytes
 * @param name of the file, by which a format may be known
 */
export function headerLength(first: Uint8Array, size: number, name: string): number {
  const refuse = (problem: string): never => fail(otherFormat(first, name) || `${problem}: ${NOT_ONE}`);
  if (size < 8) refuse(`${size} bytes are fewer than the 8 of the header's length`);
  const length = new DataView(first.buffer, first.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER) refuse(`a header of ${length} bytes is longer than the ${MAX_HEADER} allowed`);
  if (Number(length) > size - 8) refuse(`the header asks for ${length} of the ${size - 8} bytes left`);
  return Number(length);
}

/**
 * Reads a header, without the 8 bytes in front.
 * @param length of the data after it, in bytes
 * @throws Error naming the tensor, the rule it breaks and the remedy
 */
export function decodeHeader(bytes: Uint8Array, length: number): Header {
  const { [METADATA]: metadata = {}, ...infos } = parse(bytes);
  if (!isObject(metadata)) fail(`${METADATA} is not an object; write an object of strings`);
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') fail(`${METADATA} "${key}" is not a string; write numbers and objects as text`);
  }
  const all = Object.entries(infos).map(([tensor, info]) => readInfo(tensor, info));
  all.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let previous = { label: 'the header', end: 0 };
  for (const { name, begin, end } of all) {
    const label = labelOf(name);
    const rule = `${label} starts at byte ${begin} of the data, ${previous.label} ends at ${previous.end}`;
    if (begin < previous.end) fail(`${rule}: tensors must not overlap; write the file again`);
    if (begin > previous.end) fail(`${rule}: no byte may lie between tensors; write the file again`);
    if (end > length)
      fail(`${label} ends at byte ${end}, the file's data at ${length}: it was cut short; fetch it again`);
    previous = { label, end };
  }
  const rest = length - previous.end;
  if (rest > 0) fail(`the last ${rest} bytes, after ${previous.label}, belong to no tensor; write the file again`);
  const entry = (metadata as Metadata)[CHECKSUMS];
  const sums = entry === undefined ? [] : unseal(bytes, entry, all.length);
  const unread = new Map<string, UnreadTensor>();
  const places = all.flatMap(({ name, dtype, shape, begin, end }, i): Place[] => {
    if (isDtype(dtype)) return [{ name, dtype, shape, begin, end, sum: sums[i] }];
    unread.set(name, { dtype, shape });
    return [];
  });
  return { places, unread, metadata: metadata as Metadata };
}

function parse(bytes: Uint8Array): Record<string, unknown> {
  if (bytes[0] !== 0x7b) fail(`the header does not start with "{": ${NOT_ONE}`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return fail(`the header is not UTF-8: ${NOT_ONE}`);
  }
  let header: Record<string, unknown>;
  try {
    header = JSON.parse(text);
  } catch (error) {
    return fail(`the header is not JSON (${(error as Error).message}): ${NOT_ONE}`);
  }
  checkText(text);
  return header;
}

/** The place of one tensor, checked on its own; whether places fit together is for the caller. */
function readInfo(name: string, info: unknown): Range & UnreadTensor {
  const label = labelOf(name);
  if (!isObject(info)) fail(`${label} is not an object with dtype, shape and data_offsets`);
  const { dtype, shape, data_offsets: offsets } = info;
  if (!isDtype(dtype) && !isTypeName(dtype)) {
    return fail(`${label} has dtype ${JSON.stringify(dtype)}; convert it to one of ${DTYPE_NAMES.join(', ')}`);
  }
  if (!isShape(shape)) fail(`${label} has shape ${JSON.stringify(shape)}; a shape is a list of integers >= 0`);
  if (!isShape(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    fail(`${label} has data_offsets ${JSON.stringify(offsets)}; they must be integers [begin, end], begin <= end`);
  }
  const [begin = 0, end = 0] = offsets;
  const bits = isDtype(dtype) ? 8 * bytesOf(dtype) : foreignBits(dtype);
  // Of a type that a later format may have, the file alone knows the size.
  const size = bits === undefined ? end - begin : (sizeOf(shape) * bits) / 8;
  if (!Number.isSafeInteger(bits === undefined ? sizeOf(shape) : Math.ceil(size)))
    fail(`${label}, ${dtype} [${shape}], has a size beyond 2^53 bytes; no file holds it`);
  if (end - begin !== size) {
    fail(`${label}, ${dtype} [${shape}], takes ${size} bytes but has ${end - begin}; write the file again`);
  }
  return { name, dtype, shape, begin, end };
}

/**
 * What JSON.parse, which must accept the text first, hides: keys given twice, whole numbers in other than plain digits
 * (1.0, 1e3, -0), halves of characters in names; and depth, as other readers have less room for it.
 */
function checkText(text: string): void {
  const open: { readonly isList: boolean; readonly keys: Set<string>; key: string }[] = [];
  const number = /[-\d][-+.\deE]*/y;
  let latest = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === '{' || char === '[') {
      if (open.length === 3)
        fail(`${labelOf(open[0]!.key)} nests lists or objects in its lists; shapes are plain lists`);
      open.push({ isList: char === '[', keys: new Set(), key: '' });
    } else if (char === '}' || char === ']') open.pop();
    else if (char === '"') {
      const start = i++;
      while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
      latest = text.slice(start, i + 1);
    } else if (char === ':') {
      const inner = open.at(-1)!;
      inner.key = JSON.parse(latest);
      checkName(inner.key);
      if (inner.keys.has(inner.key))
        fail(`the header has the key "${inner.key}" twice; give each tensor a name of its own`);
      inner.keys.add(inner.key);
    } else if (/[-\d]/.test(char)) {
      number.lastIndex = i;
      const [digits] = number.exec(text)!;
      const value = Number(digits);
      if (open[2]?.isList && !/^(0|-?[1-9]\d*)$/.test(digits) && !(value % 1)) {
        fail(`${labelOf(open[0]!.key)} has the number ${digits}; write whole numbers in plain digits`);
      }
      i += digits.length - 1;
    }
  }
}

function checkName(name: string): void {
  if (typeof name !== 'string') fail(`the name of a tensor is ${shown(name)}; names are text, as in String(...)`);
  // Half of a pair of UTF-16 code units has no UTF-8.
  if (/\p{Surrogate}/u.test(name)) fail(`the name ${JSON.stringify(name)} holds half a character; rename it`);
}

/** The order of UTF-8 bytes, in which the format's own writer sorts. */
function byCodePoint(a: string, b: string): number {
  const [x, y] = [Array.from(a), Array.from(b)];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const apart = x[i]!.codePointAt(0)! - y[i]!.codePointAt(0)!;
    if (apart !== 0) return apart;
  }
  return x.length - y.length;
}

const labelOf = (name: string): string => `tensor "${name}"`;

export function fail(problem: string): never {
  throw new Error(problem);
}

export const isShape = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((length) => Number.isSafeInteger(length) && length >= 0);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
