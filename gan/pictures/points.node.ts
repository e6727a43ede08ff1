import sharp from 'sharp';
import type { ByteImage } from './grid.ts';
import { barePoints, type PointsPlot } from './points.ts';

/**
 * The picture of `plotPoints` in pixels and without any text, which needs fonts that a machine may not have: for run grids and
 * animations, under `titled`.
 *
 * @returns RGB, `size` by `size`
 * @throws as `plotPoints`
 */
export async function pointsImage(plot: PointsPlot): Promise<ByteImage> {
  const { data, info } = await sharp(Buffer.from(barePoints(plot)))
    .flatten({ background: '#ffffff' })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: 3, data: Uint8Array.from(data) };
}
