const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Bytes of the signature and the IHDR chunk that must follow it (PNG specification, 11.2.2), and of the chunk that ends a file. */
const [HEADER, END] = [33, 12];

/** What the head of a PNG file says. */
export interface PngHeader {
  /** The width in pixels. */
  readonly width: number;
  /** The height in pixels. */
  readonly height: number;
  /** 1 = grey, 2 = grey and alpha, 3 = RGB or a palette, 4 = RGBA. */
  readonly channels: 1 | 2 | 3 | 4;
}

/** Reads size and channels of a PNG file; undefined where the bytes are no PNG file, or not all of one. */
export function pngHeader(bytes: Uint8Array): PngHeader | undefined {
  if (bytes.length < HEADER + END || SIGNATURE.some((byte, i) => bytes[i] !== byte)) return undefined;
  const ends = String.fromCharCode(...bytes.subarray(bytes.length - 8, bytes.length - 4)) === 'IEND';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const channels = ({ 0: 1, 2: 3, 3: 3, 4: 2, 6: 4 } as const)[bytes[25] as 0 | 2 | 3 | 4 | 6];
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  return ends && channels && width > 0 && height > 0 ? { width, height, channels } : undefined;
}
