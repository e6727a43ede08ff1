import { labelTiles } from '../../gan/pictures/labels.ts';
import { encodePng } from '../../gan/pictures/png.node.ts';
import type { Picture, Table } from '../../gan/systems/row.ts';

/** A picture of a system as the bytes of a PNG. */
export const pngOf = ({ samples, layout }: Picture): Promise<Uint8Array> =>
  encodePng(labelTiles(samples.data, samples.shape, layout));

/** A table of a system as comma-separated values (RFC 4180). */
export const csvOf = ({ head, rows }: Table): string =>
  [head, ...rows].map((cells) => `${cells.map(quoted).join(',')}\r\n`).join('');

const quoted = (cell: string | number): string =>
  /[",\r\n]/.test(`${cell}`) ? `"${`${cell}`.replaceAll('"', '""')}"` : `${cell}`;
