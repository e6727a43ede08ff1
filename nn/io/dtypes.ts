/** The element types of safetensors files, and how JavaScript holds each. */

/** What JavaScript holds the elements of a tensor in. 64-bit integers are BigInts. */
export type ElementArray =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

/** The element type of a stored tensor, by the format's name for it. */
export type Dtype =
  | 'U64'
  | 'I64'
  | 'F64'
  | 'F32'
  | 'U32'
  | 'I32'
  | 'BF16'
  | 'F16'
  | 'U16'
  | 'I16'
  | 'I8'
  | 'U8'
  | 'BOOL';

/** The class of the array, and bytes of an element in the file, in the order in which the format's own writer lays tensors out. */
const DTYPES = {
  U64: { array: BigUint64Array, bytes: 8 },
  I64: { array: BigInt64Array, bytes: 8 },
  F64: { array: Float64Array, bytes: 8 },
  F32: { array: Float32Array, bytes: 4 },
  U32: { array: Uint32Array, bytes: 4 },
  I32: { array: Int32Array, bytes: 4 },
  BF16: { array: Float32Array, bytes: 2 },
  F16: { array: Float32Array, bytes: 2 },
  U16: { array: Uint16Array, bytes: 2 },
  I16: { array: Int16Array, bytes: 2 },
  I8: { array: Int8Array, bytes: 1 },
  U8: { array: Uint8Array, bytes: 1 },
  BOOL: { array: Uint8Array, bytes: 1 },
} as const satisfies Record<Dtype, object>;

export const DTYPE_NAMES = Object.keys(DTYPES) as readonly Dtype[];

/** Bytes that become one piece of a file, and stay in memory at once. */
export const PIECE = 2 ** 22;

export const isDtype = (value: unknown): value is Dtype => typeof value === 'string' && Object.hasOwn(DTYPES, value);

/** Bytes of one element in a file. */
export const bytesOf = (dtype: Dtype): number => DTYPES[dtype].bytes;

/** Room for n elements, as `data` of a tensor of this dtype. */
export const allocate = (dtype: Dtype, n: number): ElementArray => new DTYPES[dtype].array(n);

/** The dtype that an array has unless it is told otherwise: F32 for a Float32Array. */
export function dtypeOf(data: ElementArray): Dtype {
  const own = (d: Dtype): boolean => data instanceof DTYPES[d].array && data.BYTES_PER_ELEMENT === DTYPES[d].bytes;
  // U8 stands before BOOL.
  return DTYPE_NAMES.find(own)!;
}

/** Whether elements of this dtype are held in arrays of this class. */
export const holds = (dtype: Dtype, data: ElementArray): boolean => data instanceof DTYPES[dtype].array;

const isHalf = (dtype: Dtype): boolean => dtype === 'F16' || dtype === 'BF16';

/** The elements as a file has them, piece by piece. What JavaScript holds in the file's own form is not copied. */
export function* piecesOf(dtype: Dtype, data: ElementArray): Generator<Uint8Array> {
  if (!isHalf(dtype)) {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
    return;
  }
  const narrow = dtype === 'F16' ? toHalf : toBfloat;
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  for (let at = 0; at < bits.length; at += PIECE / 2) {
    const piece = Uint16Array.from(bits.subarray(at, at + PIECE / 2), narrow);
    yield new Uint8Array(piece.buffer);
  }
}

/** Puts the elements together as their bytes come. */
export class Assembler {
  /** The elements so far. */
  readonly data: ElementArray;
  private readonly dtype: Dtype;
  /** Where bytes go next: into `data` itself, or, of two-byte floats, aside. */
  private readonly room: Uint8Array;
  private at = 0;

  constructor(dtype: Dtype, n: number) {
    this.dtype = dtype;
    this.data = allocate(dtype, n);
    this.room = isHalf(dtype) ? new Uint8Array(Math.min(2 * n, PIECE)) : new Uint8Array(this.data.buffer);
  }

  /** Where the next bytes of the file belong; empty at the end. To be filled, then {@link filled} called. */
  next(): Uint8Array {
    if (!isHalf(this.dtype)) return this.room.subarray(this.at, this.at + PIECE);
    return this.room.subarray(0, 2 * (this.data.length - this.at));
  }

  /** Takes over the bytes that were put into {@link next}. @throws Error for a boolean other than 0 and 1 */
  filled(): void {
    const bytes = this.next();
    if (this.dtype === 'BOOL') checkBooleans(bytes);
    if (!isHalf(this.dtype)) {
      this.at += bytes.length;
      return;
    }
    const piece = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
    const bits = new Uint32Array(this.data.buffer);
    const widen = this.dtype === 'F16' ? fromHalf : fromBfloat;
    for (let i = 0; i < piece.length; i++) bits[this.at + i] = widen(piece[i]!);
    this.at += piece.length;
  }
}

/** @throws Error for a byte that is neither 0 nor 1 */
export function checkBooleans(bytes: Uint8Array): void {
  const wrong = bytes.find((b) => b > 1);
  if (wrong !== undefined) throw new Error(`BOOL elements are 0 or 1, not ${wrong}; store other numbers as U8`);
}

/** Elements as plain numbers. @throws RangeError for an integer that is no double (2^53 and more) */
export function toNumbers(data: ArrayLike<number> | ArrayLike<bigint>): ArrayLike<number> {
  if (typeof data[0] !== 'bigint') return data as ArrayLike<number>;
  return Float64Array.from(data as ArrayLike<bigint>, (v) => {
    if (BigInt(Number(v)) !== v) throw new RangeError(`${v} is too large an integer for a tensor of floats`);
    return Number(v);
  });
}

// Conversions work on bits (IEEE 754-2008, 3.4 and 4.3.1), so that NaNs keep theirs.

const exact = new Float32Array(1);
const exactBits = new Uint32Array(exact.buffer);

/** The bits of a float16 as those of the float32 of the same value. */
function fromHalf(h: number): number {
  const sign = (h & 0x8000) << 16;
  const exponent = (h >> 10) & 31;
  const fraction = h & 1023;
  if (exponent === 31) return sign | 0x7f800000 | (fraction << 13);
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  exact[0] = fraction * 2 ** -24;
  return sign | exactBits[0]!;
}

/** The bits of a float32 as those of the nearest float16, ties to even. */
function toHalf(x: number): number {
  const sign = (x >>> 16) & 0x8000;
  const size = x & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7c00 | ((size >> 13) & 1023 || 512);
  if (size >= 0x477ff000) return sign | 0x7c00; // 65520, halfway to 2^16
  if (size >= 0x38800000) return sign | ((size + 0xfff + ((size >> 13) & 1) - 0x38000000) >> 13);
  exactBits[0] = size;
  const steps = exact[0]! * 2 ** 24;
  const floor = Math.floor(steps);
  const up = steps - floor > 0.5 || (steps - floor === 0.5 && floor % 2 === 1);
  return sign | (up ? floor + 1 : floor);
}

const fromBfloat = (b: number): number => b << 16;

/** The bits of a float32 as those of the nearest bfloat16, ties to even. */
function toBfloat(x: number): number {
  if ((x & 0x7fffffff) > 0x7f800000) return (x >>> 16) | ((x >>> 16) & 127 ? 0 : 64);
  return (x + 0x7fff + ((x >>> 16) & 1)) >>> 16;
}

/** The dtype that holds a tensor's elements exactly. */
export const nativeDtype = (t: { readonly dtype: 'float32' | 'float64' }): Dtype =>
  t.dtype === 'float32' ? 'F32' : 'F64';
