import sharp from 'sharp';
import { writeFileAtomic } from '../../nn/io/atomicWrite.node.ts';
import type { ByteImage } from './grid.ts';

/**
 * Writes a PNG file of 8 bits a channel, atomically (see `writeFileAtomic`).
 *
 * @throws Error naming the path, the cause and the remedy
 */
export async function writePng(path: string, { data, width, height, channels }: ByteImage): Promise<void> {
  const image = sharp(data, { raw: { width, height, channels } });
  await writeFileAtomic(path, await image.png({ compressionLevel: 9 }).toBuffer());
}
