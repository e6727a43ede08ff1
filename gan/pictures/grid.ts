import { checkRange, ranges } from '../../engine/internal.ts';

/** A picture of bytes, rows from the top, channels interleaved: 1 = grey, 3 = RGB, 4 = RGBA. */
export interface ByteImage {
  /** The width in pixels. */
  readonly width: number;
  /** The height in pixels. */
  readonly height: number;
  /** 1 = grey, 3 = RGB, 4 = RGBA. */
  readonly channels: 1 | 3 | 4;
  /** The bytes, height · width · channels of them, 0 to 255. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/** How `tileImages` lays images out. */
export interface GridOptions {
  /** Images in a row; as square a grid as possible unless given. */
  readonly columns?: number;
  /** Pixels between images and around them, not scaled; 2 unless given. */
  readonly padding?: number;
  /** Whole factor by which each pixel is repeated along both axes; 1 unless given. */
  readonly scale?: number;
  /** The values of black and white; [-1, 1] unless given. Values outside are clamped, NaN is black. */
  readonly range?: readonly [black: number, white: number];
  /** Grey level of the padding and of empty places, 0 to 255; 255 unless given. */
  readonly background?: number;
  /** Gives RGBA whatever the images' channels, as a canvas's `ImageData` wants. */
  readonly rgba?: boolean;
}

/**
 * Lays images out in a grid, row by row.
 *
 * @param images [n, h, w, c] in row-major order
 * @param shape c is 1 (grey), 3 (RGB) or 4 (RGBA)
 * @throws RangeError when shape and data disagree or an option is out of range
 */
export function tileImages(images: Float32Array, shape: readonly number[], options: GridOptions = {}): ByteImage {
  const [n = 0, height = 0, width = 0, depth = 0] = shape;
  const { padding = 2, scale = 1, range = [-1, 1], background = 255, rgba = false } = options;
  const { columns = Math.ceil(Math.sqrt(n)) } = options;
  if (shape.length !== 4 || n * height * width * depth !== images.length || images.length === 0) {
    throw new RangeError(`tileImages: shape [${shape}] is not [n,h,w,c] of ${images.length} values`);
  }
  if (depth !== 1 && depth !== 3 && depth !== 4) throw new RangeError(`tileImages: ${depth} channels; use 1, 3 or 4`);
  checkRange('tileImages', 'columns', ranges.count, columns);
  checkRange('tileImages', 'padding', ranges.whole(0), padding);
  checkRange('tileImages', 'scale', ranges.count, scale);

  const channels = rgba ? 4 : depth;
  const [cellWidth, cellHeight] = [width * scale + padding, height * scale + padding];
  const gridWidth = columns * cellWidth + padding;
  const gridHeight = Math.ceil(n / columns) * cellHeight + padding;
  const data = new Uint8Array(gridWidth * gridHeight * channels).fill(background);
  if (channels === 4) for (let i = 3; i < data.length; i += 4) data[i] = 255;

  const bytes = toBytes(images, range);
  for (let image = 0; image < n; image++) {
    const left = padding + (image % columns) * cellWidth;
    const top = padding + Math.floor(image / columns) * cellHeight;
    for (let y = 0; y < height * scale; y++) {
      const row = (image * height + Math.floor(y / scale)) * width;
      for (let x = 0; x < width * scale; x++) {
        const from = (row + Math.floor(x / scale)) * depth;
        const to = ((top + y) * gridWidth + left + x) * channels;
        for (let c = 0; c < Math.min(channels, 3); c++) data[to + c] = bytes[from + (depth === 1 ? 0 : c)]!;
        if (depth === 4) data[to + 3] = bytes[from + 3]!;
      }
    }
  }
  return { width: gridWidth, height: gridHeight, channels, data };
}

/** Maps black to 0 and white to 255, rounded and clamped. */
function toBytes(values: Float32Array, [black, white]: readonly [number, number]): Uint8ClampedArray {
  return Uint8ClampedArray.from(values, (value) => ((value - black) / (white - black)) * 255);
}
