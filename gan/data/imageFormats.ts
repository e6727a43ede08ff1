/** Formats that are decoded, as sharp calls them, and as people do. */
const DECODED: Readonly<Record<string, string>> = {
  png: 'PNG',
  jpeg: 'JPEG',
  webp: 'WebP',
  gif: 'GIF',
  tiff: 'TIFF',
  heif: 'AVIF',
};

/** The formats that are decoded, for messages. */
export const IMAGE_FORMATS = 'PNG, JPEG, WebP, GIF, TIFF or AVIF';

/** Bytes of a file that {@link formatOf} looks at. */
export const HEAD_BYTES = 64;

/** What a file of such a format begins with: bytes at an offset, written as Latin-1. */
const SIGNATURES: readonly (readonly [format: string, offset: number, bytes: string])[] = [
  ['PNG', 0, '\x89PNG\r\n\x1a\n'],
  ['JPEG', 0, '\xff\xd8\xff'],
  ['GIF', 0, 'GIF87a'],
  ['GIF', 0, 'GIF89a'],
  ['TIFF', 0, 'II*\0'],
  ['TIFF', 0, 'MM\0*'],
  ['TIFF', 0, 'II+\0'],
  ['TIFF', 0, 'MM\0+'],
  ['WebP', 8, 'WEBP'],
  ['BMP', 0, 'BM'],
  ['PDF', 0, '%PDF'],
  ['PostScript', 0, '%!PS'],
  ['Photoshop', 0, '8BPS'],
  ['JPEG XL', 0, '\xff\x0a'],
  ['JPEG XL', 4, 'JXL \r\n\x87\n'],
  ['JPEG 2000', 4, 'jP  \r\n\x87\n'],
  ['JPEG 2000', 0, '\xff\x4f\xff\x51'],
  ['OpenEXR', 0, 'v/1\x01'],
  ['Radiance HDR', 0, '#?RADIANCE'],
  ['icon', 0, '\0\0\x01\0'],
  ['DDS', 0, 'DDS '],
  ['gzip', 0, '\x1f\x8b'],
  ['ZIP', 0, 'PK\x03\x04'],
];

/** Whether a file of this format is decoded. @param format as {@link formatOf} names it */
export const isDecoded = (format: string | undefined): boolean =>
  format !== undefined && Object.values(DECODED).includes(format);

/** The name of what sharp found in a file; undefined for what is not decoded. @param format, compression of sharp's metadata */
export const decodedFormat = (format: string, compression?: string): string | undefined =>
  format === 'heif' && compression !== 'av1' ? undefined : DECODED[format];

/**
 * The format that a file's first bytes are of, whatever its name says; undefined where they are of none that is known.
 * @param head the first {@link HEAD_BYTES} bytes, fewer of a shorter file
 */
export function formatOf(head: Uint8Array): string | undefined {
  const text = String.fromCharCode(...head.subarray(0, HEAD_BYTES));
  if (text.startsWith('ftyp', 4)) return brandOf(text);
  const found = SIGNATURES.find(([, offset, bytes]) => text.startsWith(bytes, offset));
  if (found) return found[0];
  if (/^(\xef\xbb\xbf)?\s*<(\?xml|svg|!doctype svg|!--)/i.test(text)) return 'SVG or XML';
  if (/^P[1-7]\s/.test(text)) return 'Netpbm';
  return undefined;
}

/** The format of an ISO media file, by its major brand and those that it is compatible with. */
function brandOf(text: string): string {
  if (/avi[fs]/.test(text.slice(8))) return 'AVIF';
  return /hei[cxms]|hev[cx]|mif1|msf1/.test(text.slice(8)) ? 'HEIC' : 'video';
}

/** Names of files that are decoded. */
const READ = /\.(png|apng|jpe?g|jpe|jfif|webp|gif|tiff?|avif)$/i;
/** Names of other pictures, which are not. */
const OTHER =
  /\.(hei[cf]s?|hif|bmp|dib|svgz?|ico|cur|ps[db]|pdf|eps|ai|jxl|j[p2]2|j2[kc]|jp[xf2]|p[bgnp]m|pfm|tga|exr|hdr|dds|dng|cr[23w]|nef|arw|orf|rw2|raf|pcx|xcf|xbm|xpm|ras)$/i;

/** What a file's name says: that it is a picture to be read, that it is one of another format, or nothing. */
export const namedAs = (name: string): 'read' | 'other' | undefined =>
  READ.test(name) ? 'read' : OTHER.test(name) ? 'other' : undefined;
