import { sizeOf } from '../../engine/index.ts';

/** An array out of an IDX file. */
export interface IdxArray {
  /** Sizes of the axes, outermost first: [60000, 28, 28] for the MNIST training images. */
  readonly shape: readonly number[];
  /** The elements in row-major order; a view of the parsed bytes, not a copy. */
  readonly data: Uint8Array;
}

/**
 * Parses an IDX file of unsigned bytes, the format of MNIST and its relatives (http://yann.lecun.com/exdb/mnist):
 * two zero bytes, the element type (8 = unsigned byte), the number of axes, each axis as a big-endian u32, the elements.
 *
 * @param bytes the whole file, not compressed
 * @param name what errors call it, such as the file's path
 * @throws Error when the magic number, the element type or the size is not what the format asks for
 */
export function parseIdx(bytes: Uint8Array, name = 'IDX file'): IdxArray {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) throw new Error(`${name} is compressed with gzip: unpack it with gunzip`);
  const [zero0, zero1, type, rank = 0] = bytes;
  if (bytes.length < 4 || zero0 !== 0 || zero1 !== 0 || rank === 0) {
    const start = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    throw new Error(
      `${name} is not an IDX file: it starts with [${start}], not with [00 00 type axes]; fetch it again`,
    );
  }
  if (type !== 0x08) {
    throw new Error(
      `${name} holds elements of IDX type 0x${type!.toString(16)}; only 0x8, unsigned bytes, is read here`,
    );
  }
  const header = 4 + 4 * rank;
  if (bytes.length < header) {
    throw new Error(`${name} ends inside its header: ${bytes.length} of ${header} bytes; fetch it again`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, header);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = sizeOf(shape);
  if (bytes.length !== header + size) {
    throw new Error(
      `${name} has ${bytes.length} bytes, but its header [${shape}] asks for ${header + size}; fetch it again`,
    );
  }
  return { shape, data: bytes.subarray(header) };
}

/**
 * The bytes of a whole IDX file, by its first ones; undefined for what is no header of one.
 * @param head the first 1,024 bytes, fewer of a shorter file
 */
export function idxBytes(head: Uint8Array): number | undefined {
  const rank = head[3] ?? 0;
  const header = 4 + 4 * rank;
  if (head[0] !== 0 || head[1] !== 0 || rank === 0 || head.length < header) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, header);
  return header + sizeOf(Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis)));
}
