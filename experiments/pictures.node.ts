import sharp from 'sharp';
import type { ByteImage } from '../gan/pictures/grid.ts';
import { type LabelledGridOptions, labelTiles } from '../gan/pictures/labels.ts';

/** The bytes of a PNG file of at most so many colours, which keeps the committed pictures small. */
export async function pngOf({ data, width, height, channels }: ByteImage, colours = 64): Promise<Uint8Array> {
  const image = sharp(data, { raw: { width, height, channels } });
  return image.png({ compressionLevel: 9, effort: 10, palette: true, colours, dither: 0 }).toBuffer();
}

/** Pictures of one size and number of channels in a labelled grid. */
export function labelPictures(pictures: readonly ByteImage[], options: LabelledGridOptions): ByteImage {
  const [{ width, height, channels }] = pictures as [ByteImage];
  const size = width * height * channels;
  const all = new Float32Array(pictures.length * size);
  for (const [i, { data }] of pictures.entries()) all.set(data, i * size);
  return labelTiles(all, [pictures.length, height, width, channels], { ...options, range: [0, 255] });
}
