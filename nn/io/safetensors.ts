/**
 * The safetensors format (https://github.com/huggingface/safetensors): a u64 header length, a JSON header that gives each
 * tensor's dtype, shape and byte range, then the tensors' bytes, little-endian and row-major, without gaps. Here whole files
 * in memory, also in a browser; `file.node.ts` streams.
 */
import { sizeOf } from '../../engine/index.ts';
import { calls, shown } from '../../engine/internal.ts';
import { checkSum } from './checksums.ts';
import { crc32c } from './crc32c.ts';
import {
  Assembler,
  checkBooleans,
  DTYPE_NAMES,
  type Dtype,
  dtypeOf,
  type ElementArray,
  holds,
  isDtype,
  piecesOf,
} from './dtypes.ts';
import { noteUnread, type UnreadTensor } from './foreign.ts';
import { decodeHeader, encodeHeader, fail, headerLength, isShape, type Metadata } from './header.ts';

/** A tensor's numbers, row-major. */
export interface StoredTensor {
  /** The sizes of its axes. */
  readonly shape: readonly number[];
  /** The tensor's elements: F16 and BF16 in a Float32Array, I64 and U64 as BigInts, BOOL as bytes 0 and 1. */
  readonly data: ElementArray;
  /**
   * The type of its elements in the file, which `data` tells unless it is F16, BF16 or BOOL: a Float32Array is written as F32,
   * or, told so here, rounded to the nearest F16 or BF16. What was read always has it.
   */
  readonly dtype?: Dtype;
}

/** Tensors by name. */
export type TensorMap = ReadonlyMap<string, StoredTensor>;

/** What a safetensors file holds; the tensors are in the order of the file. */
export interface Safetensors {
  /** The tensors, by name. */
  readonly tensors: TensorMap;
  /** Tensors of types that are not read here, such as F8_E4M3: `tensors` does not have them. */
  readonly unread: ReadonlyMap<string, UnreadTensor>;
  /** The file's free text, by name. */
  readonly metadata: Metadata;
}

/**
 * The bytes of a safetensors file. As in the format's own writer, wide dtypes come first, then names in order, and the
 * header is padded so that every tensor is aligned. Equal content gives equal bytes.
 *
 * @param metadata free text; numbers and objects go in as text
 * @throws Error naming the tensor when it is none, its shape or dtype does not match its data, or its name is the reserved
 * `__metadata__`
 */
export function encodeSafetensors(tensors: TensorMap, metadata: Metadata = {}): Uint8Array<ArrayBuffer> {
  calls.checkArguments(
    'encodeSafetensors',
    [calls.something('tensors'), calls.maybe(calls.something('metadata'))],
    arguments,
  );
  checkMap('encodeSafetensors', tensors);
  const { bytes, places, sealed } = encodeHeader(
    new Map([...tensors].map(([name, t]) => [name, { dtype: storedDtype(name, t), shape: t.shape }])),
    metadata,
  );
  const file = new Uint8Array(bytes.length + (places.at(-1)?.end ?? 0));
  const sums = places.map(({ name, dtype, begin }) => {
    let [at, sum] = [bytes.length + begin, 0];
    for (const piece of piecesOf(dtype, tensors.get(name)!.data)) {
      file.set(piece, at);
      at += piece.length;
      if (sealed) sum = crc32c(piece, sum);
    }
    return sum;
  });
  file.set(sealed?.(sums) ?? bytes);
  return file;
}

/** @throws TypeError for what is no map of tensors by name */
export function checkMap(op: string, tensors: unknown): void {
  if (tensors instanceof Map) return;
  throw new TypeError(
    `${op}: the tensors are a Map by name, such as model.stateDict(), not ${shown(tensors)}; new Map(Object.entries(...)) makes one of an object`,
  );
}

/** A tensor's dtype in a file. @throws Error naming it when shape, dtype and data do not fit */
export function storedDtype(name: string, tensor: StoredTensor): Dtype {
  const label = `tensor "${name}"`;
  const data: unknown = (tensor as Partial<StoredTensor> | null | undefined)?.data;
  if (!ArrayBuffer.isView(data) || dtypeOf(data as ElementArray) === undefined) {
    const what = data === undefined ? shown(tensor) : `an object whose data are ${shown(data)}`;
    fail(`${label} is ${what}; give { shape, data } with a typed array, or a tensor where a file is saved`);
  }
  return checkedDtype(label, tensor);
}

function checkedDtype(label: string, { shape, data, dtype = dtypeOf(data) }: StoredTensor): Dtype {
  if (!isShape(shape) || sizeOf(shape) !== data.length) {
    fail(`${label} has shape [${shape}] but ${data.length} elements; give it the shape of its data`);
  }
  if (!isDtype(dtype)) fail(`${label} is to be of type ${shown(dtype)}; choose one of ${DTYPE_NAMES.join(', ')}`);
  if (!holds(dtype, data)) fail(`${label} is ${dtype} but held in ${data.constructor.name}; convert its data`);
  if (dtype === 'BOOL') about(label, () => checkBooleans(data as Uint8Array));
  return dtype;
}

/**
 * Reads the bytes of a safetensors file and trusts none of them: every rule of the format is checked before a tensor is
 * made. Tensors are copies, so a file whose header is not padded is read as well, and `bytes` is not kept alive.
 *
 * Tensors of types that are not read here (F8_E4M3, C64) are left out, with a warning. A checkpoint's checksums are compared.
 * @param name what errors call the file, such as its path
 * @throws Error naming the tensor, the rule it breaks and the remedy; for a file of PyTorch, the lines that convert it
 */
export function decodeSafetensors(bytes: Uint8Array, name = 'safetensors file'): Safetensors {
  calls.checkArguments(
    'decodeSafetensors',
    [
      calls.within('bytes', { holds: (v) => v instanceof Uint8Array, says: 'a Uint8Array' }),
      calls.maybe(calls.something('name')),
    ],
    arguments,
  );
  return about(name, () => {
    const start = 8 + headerLength(bytes, bytes.length, name);
    const { places, unread, metadata } = decodeHeader(bytes.subarray(8, start), bytes.length - start);
    const tensors = new Map<string, StoredTensor>();
    for (const { name, dtype, shape, begin, end, sum } of places) {
      const assembler = new Assembler(dtype, sizeOf(shape));
      let at = start + begin;
      if (sum !== undefined) {
        about(`tensor "${name}"`, () => checkSum(crc32c(bytes.subarray(at, start + end)), sum));
      }
      for (let room = assembler.next(); room.length > 0; room = assembler.next()) {
        room.set(bytes.subarray(at, at + room.length));
        at += room.length;
        about(`tensor "${name}"`, () => assembler.filled());
      }
      tensors.set(name, { shape, data: assembler.data, dtype });
    }
    noteUnread(tensors, unread, name);
    return { tensors, unread, metadata };
  });
}

/** Runs `fn`, and puts what it is about in front of its errors. */
export function about<T>(what: string, fn: () => T): T {
  try {
    return fn();
  } catch (cause) {
    throw new Error(`${what}: ${(cause as Error).message}`, { cause });
  }
}
