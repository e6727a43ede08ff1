import { labelTiles } from '../../gan/pictures/labels.ts';
import { encodePng } from '../../gan/pictures/png.node.ts';
import type { Picture } from '../../gan/systems/row.ts';

/** A picture of a system as the bytes of a PNG. */
export const pngOf = ({ samples, layout }: Picture): Promise<Uint8Array> =>
  encodePng(labelTiles(samples.data, samples.shape, layout));
