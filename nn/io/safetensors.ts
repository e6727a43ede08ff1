/**
 * The safetensors format (https://github.com/huggingface/safetensors): a u64 header length, a JSON header that gives each
 * tensor's dtype, shape and byte range, then the tensors' bytes, little-endian and row-major, without gaps.
 */

/** Widest first, the order in which a file holds them. */
const dtypes = { F64: Float64Array, F32: Float32Array, I32: Int32Array, U8: Uint8Array } as const;
type Dtype = keyof typeof dtypes;
const dtypeNames = Object.keys(dtypes) as Dtype[];

/** A tensor's numbers; the class of `data` is its dtype. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly data: Float64Array | Float32Array | Int32Array | Uint8Array;
}

/** Tensors by name. */
export type TensorMap = ReadonlyMap<string, StoredTensor>;

/** Free text by name. */
export type Metadata = Readonly<Record<string, string>>;

/** What a safetensors file holds; the tensors are in the order of the file. */
export interface Safetensors {
  readonly tensors: TensorMap;
  readonly metadata: Metadata;
}

const METADATA = '__metadata__';
/** The longest header that the format's own reader accepts, in bytes. */
const MAX_HEADER = 100_000_000;

/**
 * The bytes of a safetensors file. As in the format's own writer, wide dtypes come first, then names in order, and the
 * header is padded so that every tensor is aligned. Equal content gives equal bytes.
 *
 * @throws Error naming the tensor when its shape does not match its data, or its name is the reserved `__metadata__`
 */
export function encodeSafetensors(tensors: TensorMap, metadata: Metadata = {}): Uint8Array<ArrayBuffer> {
  const stored = [...tensors].map(([name, { shape, data }]) => {
    if (name === METADATA) fail(`a tensor cannot be named "${METADATA}"; rename it`);
    if (!isShape(shape) || sizeOf(shape) !== data.length) {
      fail(`tensor "${name}" has shape [${shape}] but ${data.length} elements; give it the shape of its data`);
    }
    return { name, shape, data, rank: dtypeNames.findIndex((dtype) => data instanceof dtypes[dtype]) };
  });
  stored.sort((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : 1));

  // Joined by hand: JSON.stringify of one object would move names that look like integers to the front.
  const header: string[] = [];
  const notes = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  if (notes.length > 0) header.push(`"${METADATA}":${JSON.stringify(Object.fromEntries(notes))}`);
  let end = 0;
  for (const { name, shape, data, rank } of stored) {
    const info = { dtype: dtypeNames[rank], shape, data_offsets: [end, end + data.byteLength] };
    header.push(`${JSON.stringify(name)}:${JSON.stringify(info)}`);
    end += data.byteLength;
  }
  const json = new TextEncoder().encode(`{${header.join(',')}}`);
  const start = 8 + Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(start + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.set(json, 8);
  bytes.fill(0x20, 8 + json.length, start);
  let offset = start;
  for (const { data } of stored) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return bytes;
}

/**
 * Reads the bytes of a safetensors file and trusts none of them: every rule of the format is checked before a tensor is
 * made. Tensors are copies, so a file whose header is not padded is read as well, and `bytes` is not kept alive.
 *
 * @param name what errors call the file, such as its path
 * @throws Error naming the tensor, the rule it breaks and the remedy
 */
export function decodeSafetensors(bytes: Uint8Array, name = 'safetensors file'): Safetensors {
  try {
    // A plain view, because `slice` of Node's Buffer does not copy.
    return decode(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (cause) {
    throw new Error(`${name}: ${(cause as Error).message}`, { cause });
  }
}

function decode(bytes: Uint8Array): Safetensors {
  const { header, start } = readHeader(bytes);
  const { [METADATA]: metadata = {}, ...infos } = header;
  if (!isObject(metadata)) fail(`${METADATA} is not an object; write an object of strings`);
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') fail(`${METADATA} "${key}" is not a string; write numbers and objects as text`);
  }
  const ranges = Object.entries(infos).map(([tensor, info]) => readInfo(tensor, info));
  ranges.sort((a, b) => a.begin - b.begin || a.end - b.end);

  const tensors = new Map<string, StoredTensor>();
  const length = bytes.length - start;
  let previous = { label: 'the header', end: 0 };
  for (const { label, tensor, dtype, shape, begin, end } of ranges) {
    const rule = `${label} starts at byte ${begin} of the data, ${previous.label} ends at ${previous.end}`;
    if (begin < previous.end) fail(`${rule}: tensors must not overlap; write the file again`);
    if (begin > previous.end) fail(`${rule}: no byte may lie between tensors; write the file again`);
    if (end > length)
      fail(`${label} ends at byte ${end}, the file's data at ${length}: it was cut short; fetch it again`);
    tensors.set(tensor, { shape, data: new dtypes[dtype](bytes.slice(start + begin, start + end).buffer) });
    previous = { label, end };
  }
  const rest = length - previous.end;
  if (rest > 0) fail(`the last ${rest} bytes, after ${previous.label}, belong to no tensor; write the file again`);
  return { tensors, metadata: metadata as Metadata };
}

function readHeader(bytes: Uint8Array): { header: Record<string, unknown>; start: number } {
  const notOne = 'it is not a safetensors file, or was cut short';
  if (bytes.length < 8) fail(`${bytes.length} bytes are fewer than the 8 of the header's length: ${notOne}`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER) fail(`a header of ${length} bytes is longer than the ${MAX_HEADER} allowed: ${notOne}`);
  const start = 8 + Number(length);
  if (start > bytes.length) fail(`the header asks for ${length} of the ${bytes.length - 8} bytes left: ${notOne}`);
  if (length === 0n || bytes[8] !== 0x7b) fail(`the header does not start with "{": ${notOne}`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.slice(8, start));
  } catch {
    return fail(`the header is not UTF-8: ${notOne}`);
  }
  let header: Record<string, unknown>;
  try {
    header = JSON.parse(text);
  } catch (error) {
    return fail(`the header is not JSON (${(error as Error).message}): ${notOne}`);
  }
  const twice = repeatedKey(text);
  if (twice !== undefined) fail(`the header has the key "${twice}" twice; give each tensor a name of its own`);
  return { header, start };
}

/** The byte range of one tensor, checked on its own; whether ranges fit together is for the caller. */
function readInfo(tensor: string, info: unknown) {
  const label = `tensor "${tensor}"`;
  if (!isObject(info)) fail(`${label} is not an object with dtype, shape and data_offsets`);
  const { dtype, shape, data_offsets: offsets } = info;
  if (typeof dtype !== 'string' || !Object.hasOwn(dtypes, dtype)) {
    fail(`${label} has dtype ${JSON.stringify(dtype)}; convert it to one of ${dtypeNames.join(', ')}`);
  }
  if (!isShape(shape)) fail(`${label} has shape ${JSON.stringify(shape)}; a shape is a list of integers >= 0`);
  if (!isShape(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    fail(`${label} has data_offsets ${JSON.stringify(offsets)}; they must be integers [begin, end], begin <= end`);
  }
  const [begin = 0, end = 0] = offsets;
  const size = sizeOf(shape) * dtypes[dtype as Dtype].BYTES_PER_ELEMENT;
  if (end - begin !== size) fail(`${label}, ${dtype} [${shape}], takes ${size} bytes but has ${end - begin}`);
  return { label, tensor, dtype: dtype as Dtype, shape, begin, end };
}

/** The first key that an object in this JSON text has twice. JSON.parse, which must accept the text first, hides it. */
function repeatedKey(text: string): string | undefined {
  const open: Set<string>[] = [];
  let latest = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '{') open.push(new Set());
    else if (char === '}') open.pop();
    else if (char === '"') {
      const start = i++;
      while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
      latest = text.slice(start, i + 1);
    } else if (char === ':') {
      const key: string = JSON.parse(latest);
      if (open.at(-1)!.has(key)) return key;
      open.at(-1)!.add(key);
    }
  }
  return undefined;
}

function fail(problem: string): never {
  throw new Error(problem);
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);
const isShape = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((length) => Number.isSafeInteger(length) && length >= 0);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
