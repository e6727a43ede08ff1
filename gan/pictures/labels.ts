import { checkRange, ranges } from '../../engine/internal.ts';
import { largest } from '../extremes.ts';
import { drawText, textHeight, textWidth } from './bitmapFont.ts';
import { type ByteImage, type GridOptions, tileImages } from './grid.ts';

/** How {@link labelTiles} labels a grid, beside how `tileImages` lays it out. */
export interface LabelledGridOptions extends GridOptions {
  /** A line above the picture. */
  readonly title?: string;
  /** A label on the left of each row; none for rows beyond. */
  readonly rowLabels?: readonly string[];
  /** A label above each column. */
  readonly columnLabels?: readonly string[];
  /** Size of the letters: 5 pixels times this, a whole number. Default 2. */
  readonly textScale?: number;
}

/**
 * `tileImages` with labels, in capital letters that need no font: letters, digits and . , : - + = / % ( ). Other characters
 * become question marks. A column label wider than its column is shortened.
 *
 * @param images [n, h, w, c] in row-major order
 * @param shape c is 1 (grey), 3 (RGB) or 4 (RGBA)
 * @throws RangeError when shape and data disagree or an option is out of range
 */
export function labelTiles(
  images: Float32Array,
  shape: readonly number[],
  { title, rowLabels = [], columnLabels = [], textScale = 2, ...layout }: LabelledGridOptions = {},
): ByteImage {
  checkRange('labelTiles', 'textScale', ranges.count, textScale);
  const grid = tileImages(images, shape, layout);
  const { padding = 2, scale = 1, background = 255 } = layout;
  const gap = 2 * textScale;
  const line = textHeight(textScale);
  const left = rowLabels.length > 0 ? largest(rowLabels.map((text) => textWidth(text, textScale))) + 2 * gap : 0;
  const titled = title === undefined ? 0 : line + 2 * gap;
  const top = titled + (columnLabels.length > 0 ? line + gap + (titled > 0 ? 0 : gap) : 0);
  const picture = withMargins(grid, left, top, background);
  const ink = inkOn(background);
  const [cellWidth, cellHeight] = [shape[2]! * scale + padding, shape[1]! * scale + padding];
  if (title !== undefined) drawText(picture, title, Math.max(gap, padding), gap, textScale, ink);
  for (const [row, text] of rowLabels.entries()) {
    const y = top + padding + row * cellHeight + Math.floor((cellHeight - padding - line) / 2);
    drawText(picture, text, left - gap - textWidth(text, textScale), y, textScale, ink);
  }
  for (const [column, text] of columnLabels.entries()) {
    const room = Math.max(0, Math.floor((cellWidth / textScale + 1) / 4)); // characters of 3 pixels and 1 between
    const short = text.slice(0, room);
    const x = left + padding + column * cellWidth + Math.floor((cellWidth - padding - textWidth(short, textScale)) / 2);
    drawText(picture, short, x, top - gap - line, textScale, ink);
  }
  return picture;
}

/** How {@link titled} writes. */
export interface TitleOptions {
  /** Size of the letters: 5 pixels times this, a whole number. Default 2. */
  readonly textScale?: number;
  /** Grey level of the line, 0 to 255. Default 255. */
  readonly background?: number;
}

/** A picture under a line of text, as {@link labelTiles} writes it: for the frames of an animation. @throws RangeError */
export function titled(
  image: ByteImage,
  text: string,
  { textScale = 2, background = 255 }: TitleOptions = {},
): ByteImage {
  checkRange('titled', 'textScale', ranges.count, textScale);
  const gap = 2 * textScale;
  const picture = withMargins(image, 0, textHeight(textScale) + 2 * gap, background);
  drawText(picture, text, gap, gap, textScale, inkOn(background));
  return picture;
}

const inkOn = (background: number): number => (background > 127 ? 0 : 255);

function withMargins(image: ByteImage, left: number, top: number, background: number): ByteImage {
  const { channels } = image;
  const [width, height] = [image.width + left, image.height + top];
  const data = new Uint8Array(width * height * channels).fill(background);
  if (channels === 4) for (let i = 3; i < data.length; i += 4) data[i] = 255;
  const stride = image.width * channels;
  for (let y = 0; y < image.height; y++) {
    data.set(image.data.subarray(y * stride, (y + 1) * stride), ((top + y) * width + left) * channels);
  }
  return { width, height, channels, data };
}
