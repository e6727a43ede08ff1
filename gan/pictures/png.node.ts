import sharp from 'sharp';
import { writeFileAtomic } from '../../engine/platform/atomicWrite.node.ts';
import type { ByteImage } from './grid.ts';

/** The bytes of a PNG file of 8 bits a channel. */
export const encodePng = ({ data, width, height, channels }: ByteImage): Promise<Uint8Array> =>
  sharp(data, { raw: { width, height, channels } }).png({ compressionLevel: 9 }).toBuffer();

/**
 * Writes a PNG file of 8 bits a channel, atomically (see `writeFileAtomic`).
 *
 * @throws Error naming the path, the cause and the remedy
 */
export async function writePng(path: string, image: ByteImage): Promise<void> {
  await writeFileAtomic(path, await encodePng(image));
}
