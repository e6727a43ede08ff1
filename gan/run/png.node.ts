import { encode } from 'fast-png';
import { writeFileAtomic } from '../../nn/io/atomicWrite.node.ts';
import type { ByteImage } from './grid.ts';

/**
 * Writes a PNG file of 8 bits a channel, atomically (see `writeFileAtomic`).
 *
 * @throws Error naming the path, the cause and the remedy
 */
export async function writePng(path: string, image: ByteImage): Promise<void> {
  await writeFileAtomic(path, encode({ ...image, depth: 8 }));
}
